/*
 * router.h — from method and path to the route: a trie over path segments, built once at start. Not
 * for other rooms.
 *
 * A literal segment is more specific than a parameter. The most specific route that has the method
 * wins; if only other methods match, they are named (405). Two routes of one method that some path
 * could reach equally well are refused.
 */
#ifndef BIMODAL_HTTP_ROUTER_H
#define BIMODAL_HTTP_ROUTER_H

#include "base/metric.h"
#include "http/http.h"
#include "http/target.h"

enum http_segment_kind { HTTP_LITERAL, HTTP_UUID, HTTP_INT, HTTP_SLUG, HTTP_ANY, HTTP_REST };

struct http_param {
	struct str name;
	unsigned segment; /* of the path; a rest begins there */
	enum http_segment_kind kind;
};

#define HTTP_CLASSES 4 /* 2xx … 5xx */

/* A route as the server keeps it. */
struct http_row {
	const struct http_route *route;
	unsigned n_params;
	struct http_param params[HTTP_PARAMS_MAX];
	struct metric *by_class[HTTP_CLASSES];
};

struct http_router;
struct http_router *http_router_create(void);
void http_router_destroy(struct http_router *r);

/* ERR_CONFIG names the pattern and what is wrong with it. Rows stay where they are. */
MUST_CHECK enum err http_router_add(struct http_router *r, const struct http_route *route,
				    struct http_row **out, struct err_info *info);
const struct http_route *const *http_router_list(const struct http_router *r, size_t *n);

/*
 * NULL if no route of this path has the method (HEAD falls back to GET); *allowed then has a bit 1
 * << method for each one that is served, 0 if there is no such path.
 */
const struct http_row *http_router_find(const struct http_router *r, enum http_method method,
					const struct http_target *target, unsigned *allowed);

/* "slug" begins with a letter or digit, goes on with these or '-', '_', '.', up to 128 bytes; "int"
 * is up to 18 digits. */
bool http_segment_fits(enum http_segment_kind kind, struct str s);

#endif
