/*
 * list.c — which operations somebody sees, in the order of their paths. See openapi.h.
 *
 * Place: first for each request; the entity tag needs no more than this. Invariant: nothing is listed that the guard would refuse.
 */
#include "openapi/internal.h"

#include <stdlib.h>
#include <string.h>

bool
openapi_may(const struct openapi_view *v, struct str right)
{
	return v->may == NULL || right.p == NULL || v->may(v->task, right);
}

/* "/v1/{resource:slug}/{id:uuid}" → "/v1/people/{id}". */
static char *
path_of(const char *pattern, const struct openapi_resource *r, struct arena *a)
{
	struct buf b;
	struct str rest = str_of(pattern);
	buf_init(&b, 2 * HTTP_TARGET_BYTES_MAX);
	while (rest.len > 0) {
		const size_t open = str_find(rest, '{');
		buf_add(&b, rest.p, open);
		rest = (struct str) { rest.p + open, rest.len - open };
		if (rest.len == 0)
			break;
		const size_t close = str_find(rest, '}');
		const struct str inside = { rest.p + 1, close - 1 };
		const struct str name = { inside.p, str_find(inside, ':') };
		rest = (struct str) { rest.p + close + 1, rest.len - close - 1 };
		if (r != NULL && str_is(name, "resource"))
			buf_add_str(&b, r->name);
		else if (r != NULL && str_is(name, "parent"))
			buf_add_cstr(&b, r->parent);
		else
			buf_printf(&b, "{%.*s}", STR_FMT(name));
	}
	char *path = b.failed ? NULL : arena_strdup(a, buf_str(&b));
	buf_free(&b);
	return path;
}

/* "{resource}.read" → "people.read"; NULL for an open route. */
static bool
right_of(const struct http_route *route, const struct openapi_resource *r, struct arena *a,
	 char **out)
{
	*out = NULL;
	if (route->right == NULL)
		return true;
	const char *close = strchr(route->right, '}');
	if (close != NULL && r != NULL)
		*out = arena_printf(a, "%.*s%s", STR_FMT(r->name), close + 1);
	else
		*out = arena_strdup(a, str_of(route->right));
	return *out != NULL;
}

/* Some routes ask for more once they have read the request: without any of it nothing there can be done. */
static bool
may_any(const struct openapi_view *v, struct str rights)
{
	(void)str_cut(&rights, '"');
	if (rights.p == NULL)
		return true;
	while (rights.p != NULL) {
		if (openapi_may(v, str_cut(&rights, '"')))
			return true;
		(void)str_cut(&rights, '"');
	}
	return false;
}

static enum err
add(struct openapi_list *list, const struct openapi_route *row, const struct openapi_resource *r,
    struct arena *a)
{
	char *right;
	if (!right_of(row->route, r, a, &right))
		return ERR_NO_MEMORY;
	if (!openapi_may(list->view, str_of(right)) || !may_any(list->view, row->operation->rights))
		return ERR_OK;
	if (list->n == OPENAPI_OPERATIONS_MAX)
		return ERR_INTERNAL;
	const char *path = path_of(row->route->pattern, r, a);
	if (path == NULL)
		return ERR_NO_MEMORY;
	list->shown[list->n++] = (struct openapi_shown) {
		.row = row, .resource = r, .path = str_of(path), .right = right
	};
	return ERR_OK;
}

/* By path, whatever its parameters are called; then by method; a route of its own before one of all resources. */
static int
compare(const void *x, const void *y)
{
	const struct openapi_shown *a = x, *b = y;
	const char *p = a->path.p, *q = b->path.p;
	for (;;) {
		if (*p == '{' && *q == '{') {
			p = strchr(p, '}');
			q = strchr(q, '}');
		}
		if (*p != *q || *p == '\0')
			break;
		p++;
		q++;
	}
	if (*p != *q)
		return *p < *q ? -1 : 1;
	if (a->row->route->method != b->row->route->method)
		return a->row->route->method < b->row->route->method ? -1 : 1;
	return (a->resource != NULL) - (b->resource != NULL);
}

static void
key_of(struct openapi_list *list)
{
	struct buf b;
	uint8_t digest[SHA256_BYTES];
	buf_init(&b, OPENAPI_BYTES_MAX);
	buf_add_cstr(&b, list->api->hash);
	buf_add_str(&b, list->view->seen);
	for (size_t i = 0; i < list->n; i++) {
		buf_add_char(&b, (char)('0' + list->shown[i].row->route->method));
		buf_add_str(&b, list->shown[i].path);
	}
	sha256(b.p, b.len, digest);
	hex_encode(digest, sizeof(digest), list->key);
	buf_free(&b);
}

enum err
openapi_list(const struct openapi *o, const struct openapi_view *view, struct arena *a,
	     struct openapi_list **out, struct err_info *info)
{
	const size_t most = o->n_routes * (view->n_resources + 1);
	struct openapi_list *list = arena_alloc(a, sizeof(*list));
	if (list != NULL)
		*list = (struct openapi_list) {
			.api = o, .view = view, .shown = arena_alloc(a, most * sizeof(*list->shown))
		};
	enum err err = list == NULL || list->shown == NULL ? ERR_NO_MEMORY : ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < o->n_routes; i++) {
		const struct openapi_route *row = &o->routes[i];
		if (!row->each)
			err = add(list, row, NULL, a);
		for (size_t k = 0; row->each && err == ERR_OK && k < view->n_resources; k++)
			if (!row->child || view->resources[k].parent != NULL)
				err = add(list, row, &view->resources[k], a);
	}
	if (err != ERR_OK)
		return err_set(info, err, NULL, "the description of the API is too large");
	qsort(list->shown, list->n, sizeof(*list->shown), compare);
	size_t kept = 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct openapi_shown *s = &list->shown[i];
		/* A resource that is called as a route is: the route answers. */
		if (kept > 0 && s->resource != NULL && list->shown[kept - 1].resource == NULL &&
		    list->shown[kept - 1].row->route->method == s->row->route->method &&
		    str_eq(list->shown[kept - 1].path, s->path))
			continue;
		list->shown[kept++] = *s;
	}
	list->n = kept;
	key_of(list);
	*out = list;
	return ERR_OK;
}
