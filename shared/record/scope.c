/*
 * scope.c — whose records a call may touch: those of the owners it was given, or all. See record.h.
 *
 * Place: record_resolve settles it for every operation, and the statements of sql.c and sql_batch.c
 * name rows through record_sql_scope or record_sql_owned alone, so that no path shows or changes a
 * row out of scope. Invariants: without owners no text and no parameter differs; a resource that
 * nobody can own is not served to a call that is limited; what is written stays in scope.
 */
#include <stdio.h>
#include <string.h>

#include "http/http.h"
#include "record/engine.h"

#define OWNERS_BYTES_MAX (1024 * 1024)
#define FOLLOWED_MAX 4

const struct record_field *
record_owner_field(const struct record_resource *r)
{
	const struct record_field *f = record_field_find(r, STR("owner"));
	return f != NULL && f->kind == RECORD_TEXT && f->cls != RECORD_SECRET ? f : NULL;
}

/* References to records that have an owner: the person first, then in the order of the fields. */
size_t
record_owner_references(const struct record_catalog *c, const struct record_resource *r,
			const struct record_field **out, size_t max)
{
	size_t n = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < r->n_fields && n < max; i++) {
			const struct record_field *f = &r->fields[i];
			if (f->reference == NULL || f->kind != RECORD_UUID ||
			    (strcmp(f->reference, "people") == 0) != (pass == 0))
				continue;
			const struct record_resource *to =
				record_catalog_find(c, str_of(f->reference));
			if (to != NULL && record_owner_field(to) != NULL)
				out[n++] = f;
		}
	}
	return n;
}

bool
record_owners_have(const struct record_owners *owners, struct str name)
{
	for (size_t i = 0; i < owners->n; i++) {
		if (str_eq(owners->names[i], name))
			return true;
	}
	return false;
}

/* {"anna","bob"}: quotes and backslashes within a name are escaped. */
static void
array_text(const struct record_owners *owners, struct buf *out)
{
	buf_add_char(out, '{');
	for (size_t i = 0; i < owners->n; i++) {
		buf_add_cstr(out, i > 0 ? ",\"" : "\"");
		for (size_t k = 0; k < owners->names[i].len; k++) {
			const char c = owners->names[i].p[k];
			if (c == '"' || c == '\\')
				buf_add_char(out, '\\');
			buf_add_char(out, c);
		}
		buf_add_char(out, '"');
	}
	buf_add_char(out, '}');
}

struct str
record_owners_text(const struct record_owners *owners, struct arena *a)
{
	struct buf text;
	buf_init(&text, OWNERS_BYTES_MAX);
	array_text(owners, &text);
	const struct str out = text.failed ? STR_NONE : arena_str(a, buf_str(&text));
	buf_free(&text);
	return out;
}

bool
record_scope_settle(struct task *t, struct record_state *s)
{
	const struct record_owners *owners = s->call.owners;
	const struct record_field *followed[1];
	if (owners == NULL)
		return true;
	/* A name is what owns; who has none owns nothing, and could not be told from others. */
	if (owners->self.len == 0 ||
	    (record_owner_field(s->resource) == NULL &&
	     record_owner_references(s->catalog, s->resource, followed, 1) == 0)) {
		record_scope_refused(t, s);
		(void)err_set(&t->t_err, ERR_FORBIDDEN, NULL,
			      "%.*s have no owner here, and this principal sees only records of "
			      "certain owners",
			      STR_FMT(s->resource->name));
		return false;
	}
	s->values.owners = record_owners_text(owners, &t->t_arena);
	s->values.self = owners->self;
	if (s->values.owners.p != NULL)
		return true;
	(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	return false;
}

void
record_scope_refused(struct task *t, const struct record_state *s)
{
	if (s->call.owners != NULL && s->call.refused != NULL)
		s->call.refused(t, "scope");
}

void
record_class_refused(struct task *t, const struct record_state *s)
{
	if (s->call.refused != NULL)
		s->call.refused(t, "class");
}

/* ---- text ---- */

void
record_sql_owners(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	if (!s->owned)
		return;
	record_sql_param(o, OID_TEXT_ARRAY, v->owners);
	o->owners = o->n;
	if (s->what != RECORD_SQL_CREATE && s->what != RECORD_SQL_BATCH &&
	    s->what != RECORD_SQL_PROBE)
		return;
	record_sql_param(o, OID_TEXT, v->self);
	o->self = o->n;
}

/* The record that `f` of the row leads to belongs to one of the owners. */
static void
followed_owned(const struct record_shape *s, const struct record_field *f, const char *value,
	       struct record_out *o)
{
	const struct record_resource *to = record_catalog_find(s->catalog, str_of(f->reference));
	record_sql_text(o,
			"exists (select 1 from crm.%s x where x.%.*s = %s and x.owner = any ($%u))",
			to->table, STR_FMT(to->key->name), value, o->owners);
}

void
record_sql_owned(const struct record_shape *s, struct record_out *o, const char *row,
		 unsigned scope_param)
{
	const struct record_field *followed[FOLLOWED_MAX];
	if (!s->owned || o->text == NULL)
		return;
	if (record_owner_field(s->resource) != NULL) {
		record_sql_text(o, " and %s.owner = any ($%u)", row, o->owners);
		return;
	}
	const size_t n = record_owner_references(s->catalog, s->resource, followed, FOLLOWED_MAX);
	record_sql_text(o, " and (");
	for (size_t i = 0; i < n; i++) {
		char value[RECORD_NAME_MAX + 16];
		if (followed[i] == s->scope && scope_param > 0)
			(void)snprintf(value, sizeof(value), "$%u", scope_param);
		else
			(void)snprintf(value, sizeof(value), "%s.%.*s", row,
				       STR_FMT(followed[i]->name));
		record_sql_text(o, "%s", i > 0 ? " or (" : "(");
		for (size_t k = 0; k < i; k++)
			record_sql_text(o, "%s.%.*s is null and ", row, STR_FMT(followed[k]->name));
		followed_owned(s, followed[i], value, o);
		record_sql_text(o, ")");
	}
	record_sql_text(o, ")");
}

/* As record_sql_owned: the first reference that is set decides. */
void
record_sql_image_owner(const struct record_catalog *c, const struct record_resource *r,
		       const char *image, struct record_out *o)
{
	const struct record_field *followed[FOLLOWED_MAX];
	const size_t n = record_owner_references(c, r, followed, FOLLOWED_MAX);
	record_sql_text(o, "case");
	for (size_t i = 0; i < n; i++) {
		const struct record_field *f = followed[i];
		const struct record_resource *to = record_catalog_find(c, str_of(f->reference));
		record_sql_text(
			o,
			" when %s->>'%.*s' is not null then (select x.owner from crm.%s x where "
			"x.%.*s = (%s->>'%.*s')::uuid)",
			image, STR_FMT(f->name), to->table, STR_FMT(to->key->name), image,
			STR_FMT(f->name));
	}
	record_sql_text(o, " end");
}

bool
record_sql_follows(const struct record_shape *s)
{
	return s->owned && record_owner_field(s->resource) == NULL;
}

/* The owner of a new record is given, even where this mask may not write the field. */
bool
record_sql_owner_given(const struct record_shape *s, const struct record_field *f)
{
	return s->owned && f == record_owner_field(s->resource);
}
