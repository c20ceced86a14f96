/*
 * views.h — saved views: a list's query string (filters, sort, fields) under a name, for its owner alone, for his teams or for everybody. A view grants
 * nothing: it is read with the rights and the class mask of whoever uses it, and shown only to those who could have written it.
 */
#ifndef BIMODAL_CORE_VIEWS_H
#define BIMODAL_CORE_VIEWS_H

#include <stddef.h>

#include "http/http.h"
#include "postgres/postgres.h"
#include "record/record.h"

#define CORE_VIEWS_OWN_MAX 200    /* views of one principal         */
#define CORE_VIEWS_SHOWN_MAX 500  /* views of others in one answer  */
#define CORE_VIEWS_NAME_MAX 100   /* characters                     */
#define CORE_VIEWS_QUERY_MAX 1500 /* bytes                          */

/* Which engine checks the query strings, and where views are kept; before the server listens. */
void core_views_use(struct record_engine *engine, struct postgres_pool *app);

extern const struct http_route core_views_routes[];
extern const size_t core_views_routes_count;

#endif
