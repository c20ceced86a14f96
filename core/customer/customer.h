/*
 * customer.h — the canonical record over HTTP: every resource of the field registry, served by the record engine under the
 * rights and class mask of the principal; what happened to a record; the whole of a customer and a search in one answer each.
 */
#ifndef BIMODAL_CORE_CUSTOMER_H
#define BIMODAL_CORE_CUSTOMER_H

#include <stddef.h>

#include "access/access.h"
#include "http/http.h"
#include "record/record.h"

/* Which engine the routes serve from, where saved views are read, and who knows what a principal may see; before the server listens. */
void core_customer_use(struct record_engine *engine, struct postgres_pool *app,
		       const struct access *access);

extern const struct http_route core_customer_routes[];
extern const size_t core_customer_routes_count;

#endif
