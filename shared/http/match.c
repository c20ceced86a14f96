/*
 * match.c — which route a request would meet, without the request: for explanations and tests.
 */
#include "http/server.h"

const struct http_route *
http_server_match(struct http_server *s, enum http_method method, struct str path, struct str param,
		  struct arena *a, struct str *value)
{
	struct http_target *target = arena_alloc(a, sizeof(*target));
	unsigned allowed = 0;
	*value = STR_NONE;
	if (target == NULL || http_target_read(path, method, target, NULL) != ERR_OK ||
	    target->is_asterisk)
		return NULL;
	const struct http_row *row = http_router_find(s->router, method, target, &allowed);
	for (unsigned i = 0; row != NULL && i < row->n_params; i++) {
		if (str_eq(row->params[i].name, param))
			*value = target->segments[row->params[i].segment];
	}
	return row == NULL ? NULL : row->route;
}
