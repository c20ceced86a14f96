/*
 * read.c — list and get. See record.h.
 *
 * Each row comes from PostgreSQL as finished JSON text; here the texts are joined, never read. A
 * list asks for one row more than its limit, which tells whether there is a next page.
 */
#include "record/engine.h"

#include <stdio.h>
#include <string.h>

#include "http/target.h"

#define LIST_BYTES_MAX (16 * 1024 * 1024)
#define BINDING_BYTES_MAX (96 * 1024)
#define LINK_BYTES_MAX 4096

enum err
record_query_pairs(struct str query, struct arena *a, struct record_pair **out, size_t *n,
		   struct err_info *info)
{
	struct buf raw;
	struct http_pair *pairs = NULL;
	struct http_target *target = arena_alloc(a, sizeof(*target));
	*n = 0;
	buf_init(&raw, HTTP_TARGET_BYTES_MAX);
	buf_add_cstr(&raw, "/?");
	buf_add_str(&raw, query);
	enum err err = ERR_OK;
	if (raw.failed)
		err = err_set(info, ERR_BAD_REQUEST, NULL, "the query string is too long");
	else if (target == NULL)
		err = err_set(info, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	else
		err = http_target_read(buf_str(&raw), HTTP_GET, target, info);
	if (err == ERR_OK)
		err = http_query_read(target->query, a, &pairs, n);
	buf_free(&raw);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	if (err != ERR_OK || *out == NULL)
		return err_set(info, err != ERR_OK ? err : ERR_NO_MEMORY, NULL,
			       "the query string cannot be read");
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = (struct record_pair) { pairs[i].name, pairs[i].value };
	return ERR_OK;
}

enum err
record_query_check(const struct record_engine *e, struct str resource, uint32_t classes,
		   struct str query, struct arena *a, struct err_info *info)
{
	struct record_query q;
	struct record_pair *pairs = NULL;
	size_t n = 0;
	if (e->catalog == NULL)
		return err_set(info, ERR_DOWN, NULL, "the field registry has not been read yet");
	const struct record_resource *r = record_catalog_find(e->catalog, resource);
	if (r == NULL)
		return err_set(info, ERR_NOT_FOUND, NULL, "there is no resource \"%.*s\"",
			       (int)MIN(resource.len, (size_t)60), resource.p);
	enum err err = record_query_pairs(query, a, &pairs, &n, info);
	if (err == ERR_OK)
		err = record_query_parse(r, classes, RECORD_QUERY_LIST, pairs, n, a, &q, info);
	if (err == ERR_OK && q.after.p != NULL)
		err = err_set(info, ERR_BAD_REQUEST, "after", "a position is not part of a view");
	return err;
}

static bool
has_pair(const struct record_pair *pairs, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(pairs[i].name, name))
			return true;
	return false;
}

/* Behind the request's own pairs those of the view; what can stand once only is the request's. */
static bool
preset_add(struct task *t, const struct record_state *s, struct record_pair **pairs, size_t *n)
{
	struct record_pair *view = NULL;
	size_t n_view = 0, own = 0;
	if (record_query_pairs(s->call.preset, &t->t_arena, &view, &n_view, &t->t_err) != ERR_OK)
		return false;
	struct record_pair *all = arena_alloc(&t->t_arena, (*n + n_view + 1) * sizeof(*all));
	if (all == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the request needs too much memory");
		return false;
	}
	for (size_t i = 0; i < *n; i++)
		if (!str_is((*pairs)[i].name, "view"))
			all[own++] = (*pairs)[i];
	const size_t n_own = own;
	for (size_t i = 0; i < n_view; i++) {
		const struct str name = view[i].name;
		const bool once =
			str_is(name, "sort") || str_is(name, "fields") || str_is(name, "limit");
		if (!once || !has_pair(all, n_own, name))
			all[own++] = view[i];
	}
	*pairs = all;
	*n = own;
	return true;
}

static bool
query_read(struct task *t, struct record_state *s, enum record_query_for what)
{
	size_t n = http_query_count(t);
	struct record_pair *pairs = arena_alloc(&t->t_arena, (n + 1) * sizeof(*pairs));
	if (pairs == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the request needs too much memory");
		return false;
	}
	for (size_t i = 0; i < n; i++)
		http_query_at(t, i, &pairs[i].name, &pairs[i].value);
	if (s->call.preset.p != NULL && !preset_add(t, s, &pairs, &n))
		return false;
	const enum err err = record_query_parse(s->resource, s->call.read_classes, what, pairs, n,
						&t->t_arena, &s->query, &t->t_err);
	if (err == ERR_FORBIDDEN)
		record_class_refused(t, s);
	return err == ERR_OK;
}

static bool
binding_make(struct task *t, struct record_state *s)
{
	struct buf b;
	buf_init(&b, BINDING_BYTES_MAX);
	record_query_binding(s->resource, s->call.read_classes, s->values.scope, &s->query, &b);
	/* What a limited call may page through is its own: a cursor is not handed on. */
	if (s->call.owners != NULL)
		buf_printf(&b, "|of %.*s", STR_FMT(s->call.actor));
	s->binding = b.failed ? STR_NONE : arena_str(&t->t_arena, buf_str(&b));
	buf_free(&b);
	if (s->binding.p != NULL)
		return true;
	(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	return false;
}

static enum step
list_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (!record_resolve(t, s) || !query_read(t, s, RECORD_QUERY_LIST) || !binding_make(t, s))
		return task_fail(t);
	struct record_shape shape = record_shape_of(s, RECORD_SQL_LIST);
	shape.query = &s->query;
	if (s->query.after.p != NULL) {
		const enum err err =
			record_cursor_decode(&s->engine->cursor_key, s->binding, s->query.after,
					     s->query.n_sort, &t->t_arena, &s->cursor);
		if (err != ERR_OK)
			return task_fail_set(t, err, "after",
					     "the cursor is not one that this list, with these "
					     "filters and this order, has given out");
		shape.cursor = &s->cursor;
	}
	s->values.limit = str_of(arena_printf(&t->t_arena, "%u", s->query.limit + 1));
	return record_submit(t, s, &shape, &s->values);
}

/* The target without `after`, with the cursor of the next page; nothing where the target holds what
 * a Link may not. */
static void
link_next(struct task *t, struct str cursor)
{
	struct str query = http_target(t);
	const struct str path = str_cut(&query, '?');
	struct buf b;
	buf_init(&b, LINK_BYTES_MAX);
	buf_add_char(&b, '<');
	buf_add_str(&b, path);
	buf_add_char(&b, '?');
	while (query.p != NULL) {
		const struct str pair = str_cut(&query, '&');
		if (pair.len == 0 || str_starts(pair, "after="))
			continue;
		buf_add_str(&b, pair);
		buf_add_char(&b, '&');
	}
	buf_printf(&b, "after=%.*s", STR_FMT(cursor));
	const struct str so_far = buf_str(&b);
	const bool clean = memchr(so_far.p + 1, '<', so_far.len - 1) == NULL &&
			   memchr(so_far.p, '>', so_far.len) == NULL;
	buf_add_cstr(&b, ">; rel=\"next\"");
	if (!b.failed && clean)
		http_reply_header(t, "Link", buf_str(&b));
	buf_free(&b);
}

/* The cursor behind row `last`; column 0 is the body, then the sort values. */
static enum err
cursor_after(struct task *t, struct record_state *s, int last, struct str *out)
{
	struct record_cursor c = { .n = s->query.n_sort };
	for (size_t i = 0; i < c.n; i++)
		c.values[i] = postgres_value(t, 0, last, (int)i + 1);
	const enum err err =
		record_cursor_encode(&s->engine->cursor_key, s->binding, &c, &t->t_arena, out);
	if (err == ERR_INVALID)
		return err_set(&t->t_err, ERR_INVALID, "sort",
			       "the values of this field are too long to page by");
	return err == ERR_OK ? ERR_OK
			     : err_set(&t->t_err, err, NULL, "the request needs too much memory");
}

enum step
record_page(struct task *t, int n, struct str next)
{
	const bool more = next.p != NULL;
	struct buf b;
	buf_init(&b, LIST_BYTES_MAX);
	buf_add_cstr(&b, "{\"data\":[");
	for (int i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(&b, ',');
		buf_add_str(&b, postgres_value(t, 0, i, 0));
	}
	buf_add_cstr(&b, "],\"page\":{\"next\":");
	if (more)
		buf_json_str(&b, next);
	else
		buf_add_cstr(&b, "null");
	buf_printf(&b, ",\"prev\":null,\"has_more\":%s}}", more ? "true" : "false");
	if (more)
		link_next(t, next);
	const enum step step =
		b.failed ? task_fail_set(
				   t, ERR_TOO_LARGE, "limit",
				   "the page is larger than %d MiB; ask for fewer rows or fields",
				   LIST_BYTES_MAX / (1024 * 1024))
			 : http_reply_json(t, 200, buf_str(&b));
	buf_free(&b);
	return step;
}

static enum step
list_answer(struct task *t)
{
	struct record_state *s = record_state_of(t);
	const int rows = postgres_rows(t, 0);
	const bool more = rows > (int)s->query.limit;
	const int n = more ? (int)s->query.limit : rows;
	struct str next = STR_NONE;
	if (more && cursor_after(t, s, n - 1, &next) != ERR_OK)
		return task_fail(t);
	return record_page(t, n, next);
}

static enum step
get_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (!record_resolve(t, s) || !query_read(t, s, RECORD_QUERY_GET))
		return task_fail(t);
	s->what = s->query.as_of.p == NULL ? RECORD_SQL_GET : RECORD_SQL_AS_OF;
	if (s->what == RECORD_SQL_AS_OF && s->engine->conf.copy)
		return task_fail_set(t, ERR_BAD_REQUEST, "as_of",
				     "the copy keeps no history; ask core");
	struct record_shape shape = record_shape_of(s, s->what);
	shape.query = &s->query;
	s->values.id = s->call.id;
	s->values.at = s->query.as_of;
	/* The order plays no part in a get: one text for one selection. */
	s->query.n_sort = 0;
	return record_submit(t, s, &shape, &s->values);
}

static enum step
get_answer(struct task *t)
{
	struct record_state *s = record_state_of(t);
	const bool past = s->what == RECORD_SQL_AS_OF;
	if (postgres_rows(t, 0) == 0)
		record_scope_refused(t, s);
	if (postgres_rows(t, 0) == 0 || (past && postgres_bool(t, 0, 0, 2)))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there %s no %s %.*s%s",
				     past ? "was" : "is", s->resource->singular,
				     STR_FMT(s->call.id), past ? " at that time" : "");
	if (past && postgres_bool(t, 0, 0, 3))
		return task_fail_set(t, ERR_GONE, NULL, "what the %s held then has been erased",
				     s->resource->singular);
	return record_answer(t, s, postgres_int(t, 0, 0, 1, 0), postgres_value(t, 0, 0, 0));
}

enum step
record_answer(struct task *t, const struct record_state *s, int64_t version, struct str body)
{
	char etag[RECORD_ETAG_SIZE];
	record_etag(s, version, body, etag);
	http_reply_header(t, "ETag", str_of(etag));
	const struct str known = http_header(t, "If-None-Match");
	if (known.p != NULL && record_etag_matches(known, etag))
		return http_reply_empty(t, 304);
	return http_reply_json(t, 200, body);
}

const struct step_row record_list[] = {
	{ "list-ask", list_ask },
	{ "list-answer", list_answer },
	{ NULL, NULL },
};

const struct step_row record_get[] = {
	{ "get-ask", get_ask },
	{ "get-answer", get_answer },
	{ NULL, NULL },
};
