/*
 * parts.c — the whole of a customer, and a search over several resources: many lists, one statement. See record.h.
 *
 * Place: a room hands in the parts that the caller has the right to read; here they are checked against the catalog and the class mask, as
 * any list is. A part that the mask does not allow is left out: what is not shown is not looked at either.
 */
#include "record/engine.h"

#include <string.h>

#include "base/log.h"
#include "http/http.h"

#define SEARCH_LIMIT_DEFAULT 10
#define SEARCH_LIMIT_MAX 20
#define SEARCH_CHARS_MIN 2
#define SEARCH_BYTES_MAX 200

_Static_assert(ARRAY_LEN(((struct record_part *)0)->words) == RECORD_SEARCH_FIELDS,
	       "a part has a field for each argument of the search");

static bool
parts_begin(struct task *t, struct record_state *s)
{
	if (s->engine->conf.copy) {
		(void)err_set(&t->t_err, ERR_FORBIDDEN, NULL, "this is answered by core only");
		return false;
	}
	BUG_ON(s->call.n_parts > RECORD_PARTS_MAX);
	s->parts = arena_alloc(&t->t_arena, (s->call.n_parts + 1) * sizeof(*s->parts));
	if (s->parts == NULL)
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	return s->parts != NULL;
}

/* ---- overview ---- */

/* The parts are ours: a field that is unknown, or hidden from this mask, means that the part is not there for this caller. */
static bool
overview_part(struct task *t, const struct record_state *s, const struct record_part *p,
	      struct record_shape_part *out)
{
	struct record_pair *pairs = NULL;
	size_t n = 0;
	out->name = p->name;
	out->resource = record_catalog_find(s->catalog, str_of(p->resource));
	if (out->resource == NULL)
		return false;
	out->reference = record_field_find(out->resource, str_of(p->reference));
	return out->reference != NULL &&
	       record_query_pairs(str_of(p->query), &t->t_arena, &pairs, &n, NULL) == ERR_OK &&
	       record_query_parse(out->resource, s->call.read_classes, RECORD_QUERY_LIST, pairs, n,
				  &t->t_arena, &out->query, NULL) == ERR_OK;
}

static enum step
overview_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (!record_resolve(t, s) || !parts_begin(t, s))
		return task_fail(t);
	if (http_query_count(t) > 0)
		return task_fail_set(t, ERR_BAD_REQUEST, NULL, "this request takes no parameters");
	for (size_t i = 0; i < s->call.n_parts; i++)
		if (overview_part(t, s, &s->call.parts[i], &s->parts[s->n_parts]))
			s->n_parts++;
	struct record_shape shape = record_shape_of(s, RECORD_SQL_OVERVIEW);
	shape.parts = s->parts;
	shape.n_parts = s->n_parts;
	s->values.id = s->call.id;
	return record_submit(t, s, &shape, &s->values);
}

static enum step
overview_answer(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no %s %.*s",
				     s->resource->singular, STR_FMT(s->call.id));
	return record_answer(t, s, postgres_int(t, 0, 0, 1, 0), postgres_value(t, 0, 0, 0));
}

/* ---- search ---- */
static bool
search_query(struct task *t, struct record_state *s, unsigned *limit)
{
	*limit = SEARCH_LIMIT_DEFAULT;
	for (size_t i = 0; i < http_query_count(t); i++) {
		struct str name, value;
		int64_t n = 0;
		http_query_at(t, i, &name, &value);
		if (str_is(name, "q") && s->values.q.p == NULL) {
			s->values.q = value;
		} else if (str_is(name, "limit") &&
			   str_int(value, 1, SEARCH_LIMIT_MAX, &n) == ERR_OK) {
			*limit = (unsigned)n;
		} else {
			(void)err_set(&t->t_err, ERR_BAD_REQUEST, arena_strdup(&t->t_arena, name),
				      "a search takes q and limit (1 to %d)", SEARCH_LIMIT_MAX);
			return false;
		}
	}
	const size_t n = str_trim(s->values.q).len;
	if (n >= SEARCH_CHARS_MIN && n <= SEARCH_BYTES_MAX)
		return true;
	(void)err_set(&t->t_err, ERR_BAD_REQUEST, "q", "give %d to %d bytes to look for",
		      SEARCH_CHARS_MIN, SEARCH_BYTES_MAX);
	return false;
}

/* A hit shows the key and what was looked in. */
static bool
search_part(struct task *t, const struct record_state *s, const struct record_part *p,
	    unsigned limit, struct record_shape_part *out)
{
	*out = (struct record_shape_part) {
		.name = p->name, .resource = record_catalog_find(s->catalog, str_of(p->resource))
	};
	if (out->resource == NULL)
		return false;
	bool *selected = arena_alloc(&t->t_arena, out->resource->n_fields * sizeof(*selected));
	if (selected == NULL)
		return false;
	selected[out->resource->key->index] =
		record_field_readable(out->resource->key, s->call.read_classes);
	for (size_t i = 0; i < RECORD_SEARCH_FIELDS; i++) {
		if (p->words[i] == NULL)
			continue;
		const struct record_field *f =
			record_field_find(out->resource, str_of(p->words[i]));
		if (f == NULL || !record_field_readable(f, s->call.read_classes))
			return false;
		out->words[i] = f;
		selected[f->index] = true;
	}
	out->query.limit = limit;
	out->query.selected = selected;
	return true;
}

static enum step
search_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	unsigned limit = 0;
	if (!parts_begin(t, s) || !search_query(t, s, &limit))
		return task_fail(t);
	for (size_t i = 0; i < s->call.n_parts; i++)
		if (search_part(t, s, &s->call.parts[i], limit, &s->parts[s->n_parts]))
			s->n_parts++;
	if (s->n_parts == 0)
		return http_reply_json(t, 200, STR("{\"results\":[]}"));
	s->resource = s->parts[0].resource;
	if (!record_scope_settle(t, s))
		return task_fail(t);
	struct record_shape shape = record_shape_of(s, RECORD_SQL_SEARCH);
	shape.parts = s->parts;
	shape.n_parts = s->n_parts;
	return record_submit(t, s, &shape, &s->values);
}

static enum step
search_answer(struct task *t)
{
	if (postgres_rows(t, 0) != 1)
		return task_fail_set(t, ERR_INTERNAL, NULL, "the search gave no answer");
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

const struct step_row record_overview[] = {
	{ "overview-ask", overview_ask },
	{ "overview-answer", overview_answer },
	{ NULL, NULL },
};

const struct step_row record_search[] = {
	{ "search-ask", search_ask },
	{ "search-answer", search_answer },
	{ NULL, NULL },
};
