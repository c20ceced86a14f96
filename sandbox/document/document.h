/*
 * document.h — GET /v1/openapi.json: what of this API the caller may use, and --print-openapi: all of it.
 */
#ifndef BIMODAL_SANDBOX_DOCUMENT_H
#define BIMODAL_SANDBOX_DOCUMENT_H

#include <stddef.h>

#include "http/http.h"
#include "postgres/postgres.h"
#include "record/record.h"

/* Before the first routes; ERR_CONFIG names what is wrong in an api.json. */
MUST_CHECK enum err sandbox_document_start(struct err_info *info);
/* Routes that are served, every one of them. Errors: ERR_CONFIG naming a route that nobody has described. */
MUST_CHECK enum err sandbox_document_routes_add(const struct http_route *routes, size_t n,
						struct err_info *info);
/* Which records are described; before the server listens. */
void sandbox_document_use(const struct record_engine *engine);
void sandbox_document_stop(void);

/* Print the whole document; t_owner is a pool that may read the registry. */
extern const struct step_row sandbox_document_print[];

extern const struct http_route sandbox_document_routes[];
extern const size_t sandbox_document_routes_count;

#endif
