/*
 * request.c — the request as a task sees it: copied into the task's arena when the task starts,
 * read by the getters.
 *
 * The head is copied as one block and everything points into it; the body stays in the connection,
 * which cannot go before its task has ended. Getters never fail: what is absent is STR_NONE.
 */
#include "http/server.h"

#include <string.h>

static struct str
span_str(const char *text, struct http_span s)
{
	return (struct str) { text + s.at, s.len };
}

/* Path and parameters, now into the arena. What routing decoded is still in the server's scratch,
 * unless a body came in between: then other requests have used it. */
static enum err
path_copy(struct task *t, struct http_request *r)
{
	struct http_server *s = r->connection->server;
	struct http_target *target = &s->target;
	struct err_info info = { .code = ERR_OK };
	const bool waited = r->connection->head.p != NULL;
	const enum err e = waited ? http_target_read(r->target, r->method, target, &info) : ERR_OK;
	if (e != ERR_OK)
		return err_set(&t->t_err, e, info.field, "%s", info.msg);
	r->path = arena_str(&t->t_arena, target->path);
	if (r->path.p == NULL)
		return ERR_NO_MEMORY;
	for (unsigned i = 0; i < r->row->n_params; i++) {
		const struct http_param *p = &r->row->params[i];
		const struct str segment = target->segments[p->segment];
		const size_t at = (size_t)(segment.p - target->path.p);
		const size_t len = p->kind == HTTP_REST ? r->path.len - at : segment.len;
		r->params[i] = (struct str) { r->path.p + at, len };
	}
	return http_query_read(target->query, &t->t_arena, &r->query, &r->n_query);
}

enum err
http_request_create(struct task *t, struct http_connection *c, const struct http_head *h,
		    const char *head, size_t head_len)
{
	struct http_request *r = arena_alloc(&t->t_arena, sizeof(*r));
	if (r == NULL)
		return ERR_NO_MEMORY;
	r->connection = c;
	r->row = c->row;
	r->method = h->method;
	struct uuid id;
	uuid_v7(&id);
	uuid_text(&id, r->id);
	t->t_owner = r;
	t->t_route = c->row->route;
	const struct str text = arena_str(&t->t_arena, (struct str) { head, head_len });
	r->headers = arena_alloc(&t->t_arena, MAX(h->n_fields, 1u) * sizeof(*r->headers));
	if (text.p == NULL || r->headers == NULL)
		return ERR_NO_MEMORY;
	for (unsigned i = 0; i < h->n_fields; i++) {
		r->headers[i].name = span_str(text.p, h->fields[i].name);
		r->headers[i].value = span_str(text.p, h->fields[i].value);
	}
	r->n_headers = h->n_fields;
	r->target = span_str(text.p, h->target);
	r->body = h->has_body ? buf_str(&c->body) : STR("");
	return path_copy(t, r);
}

/* ---- getters ---- */

struct http_request *
http_request_of(struct task *t)
{
	return t->t_owner;
}

const struct http_route *
http_route_of(struct task *t)
{
	return t->t_route;
}

enum http_method
http_method_of(struct task *t)
{
	return http_request_of(t)->method;
}

struct str
http_target(struct task *t)
{
	return http_request_of(t)->target;
}

struct str
http_path(struct task *t)
{
	return http_request_of(t)->path;
}

struct str
http_header(struct task *t, const char *name)
{
	const struct http_request *r = http_request_of(t);
	const struct str wanted = str_of(name);
	for (size_t i = 0; i < r->n_headers; i++) {
		if (str_ieq(r->headers[i].name, wanted))
			return r->headers[i].value;
	}
	return STR_NONE;
}

struct str
http_body(struct task *t)
{
	return http_request_of(t)->body;
}

struct str
http_param(struct task *t, const char *name)
{
	const struct http_request *r = http_request_of(t);
	for (unsigned i = 0; i < r->row->n_params; i++) {
		if (str_is(r->row->params[i].name, name))
			return r->params[i];
	}
	return STR_NONE;
}

enum err
http_param_uuid(struct task *t, const char *name, struct uuid *out)
{
	if (uuid_parse(http_param(t, name), out) == ERR_OK)
		return ERR_OK;
	return err_set(&t->t_err, ERR_INVALID, name, "The path parameter \"%s\" is not a UUID.",
		       name);
}

size_t
http_query_count(struct task *t)
{
	return http_request_of(t)->n_query;
}

void
http_query_at(struct task *t, size_t i, struct str *name, struct str *value)
{
	const struct http_request *r = http_request_of(t);
	*name = i < r->n_query ? r->query[i].name : STR_NONE;
	*value = i < r->n_query ? r->query[i].value : STR_NONE;
}

struct str
http_query(struct task *t, const char *name)
{
	const struct http_request *r = http_request_of(t);
	for (size_t i = 0; i < r->n_query; i++) {
		if (str_is(r->query[i].name, name))
			return r->query[i].value;
	}
	return STR_NONE;
}

bool
http_shows_token(struct task *t)
{
	return http_header(t, "Authorization").p != NULL || http_header(t, "X-API-Key").p != NULL;
}

struct str
http_bearer(struct task *t)
{
	return http_token_of(http_header(t, "Authorization"), http_header(t, "X-API-Key"));
}

struct str
http_token_of(struct str authorization, struct str api_key)
{
	struct str token = api_key;
	if (authorization.p != NULL) {
		if (authorization.len < 8 ||
		    !str_ieq((struct str) { authorization.p, 7 }, STR("Bearer ")))
			return STR_NONE;
		token = str_trim((struct str) { authorization.p + 7, authorization.len - 7 });
	}
	for (size_t i = 0; i < token.len; i++) {
		if (token.p[i] <= ' ' || token.p[i] > '~')
			return STR_NONE;
	}
	return token.len > 0 ? token : STR_NONE;
}

bool
http_none_match(struct task *t, struct str etag)
{
	struct str list = http_header(t, "If-None-Match");
	while (list.p != NULL) {
		struct str item = str_trim(str_cut(&list, ','));
		if (str_starts(item, "W/"))
			item = (struct str) { item.p + 2, item.len - 2 };
		if (str_is(item, "*") || str_eq(item, etag))
			return true;
	}
	return false;
}

struct str
http_request_id(struct task *t)
{
	return str_of(http_request_of(t)->id);
}

struct str
http_peer(struct task *t)
{
	const struct http_request *r = http_request_of(t);
	return r->connection == NULL ? STR_NONE : str_of(r->connection->peer);
}
