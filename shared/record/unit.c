/*
 * unit.c — what the record knows of one person and one organization, in one statement: some fields, and whether each of some filters
 * holds. For rules that are about them. See record.h, record_units.
 *
 * Names of tables and columns come from the catalog; the values of all filters are one parameter, an array of texts, so that their
 * number has no limit of its own. One text per shape.
 */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "record/engine.h"

#define NAME_SIZE 64
#define DIGEST_BYTES 12
#define VALUES 3 /* the parameter that holds the values of all filters */
#define VALUES_BYTES_MAX ((size_t)1024 * 1024)

static bool
known(const struct record_field *f, uint32_t classes)
{
	return f != NULL && f->kind != RECORD_JSON && record_field_readable(f, classes);
}

bool
record_knows(const struct record_engine *e, struct str resource, struct str field, uint32_t classes)
{
	const struct record_resource *r =
		e->catalog != NULL ? record_catalog_find(e->catalog, resource) : NULL;
	return r != NULL && known(record_field_find(r, field), classes);
}

struct str
record_unit_column(const struct record_resource *r)
{
	return str_is(r->name, "people") ? STR("pseudonym") : r->key->name;
}

/* ---- filters as one condition ---- */

static const char *const types[] = {
	[RECORD_TEXT] = "text",
	[RECORD_ENUM] = "text",
	[RECORD_INTEGER] = "bigint",
	[RECORD_DECIMAL] = "numeric",
	[RECORD_BOOLEAN] = "boolean",
	[RECORD_DATE] = "date",
	[RECORD_TIMESTAMP] = "timestamptz",
	[RECORD_UUID] = "uuid",
	[RECORD_JSON] = "jsonb",
};

void
record_list_begin(struct record_list *l)
{
	buf_init(&l->text, VALUES_BYTES_MAX);
	buf_add_char(&l->text, '{');
	l->n = 0;
}

static unsigned
value_add(struct record_list *l, struct str s)
{
	buf_add_cstr(&l->text, l->n++ > 0 ? ",\"" : "\"");
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_add_char(&l->text, '\\');
		buf_add_char(&l->text, s.p[i]);
	}
	buf_add_char(&l->text, '"');
	return l->n;
}

struct str
record_list_end(struct record_list *l, struct arena *a)
{
	buf_add_char(&l->text, '}');
	const struct str text = l->text.failed ? STR_NONE : arena_str(a, buf_str(&l->text));
	buf_free(&l->text);
	return text;
}

static void
filter_text(const struct record_filter *f, unsigned param, struct record_list *values,
	    struct record_out *o)
{
	const char *type = types[f->field->kind];

	record_sql_text(o, " and t.%.*s ", STR_FMT(f->field->name));
	if (f->op == RECORD_IN)
		record_sql_text(o, "= any (($%u)[%u]::%s[])", param, value_add(values, f->value),
				type);
	else if (f->op >= RECORD_IS_NULL)
		record_sql_text(o, "%s", record_sql_operator(f->op));
	else
		record_sql_text(o, "%s ($%u)[%u]::%s", record_sql_operator(f->op), param,
				value_add(values, f->value), type);
}

void
record_sql_inside(const struct record_resource *r, uint32_t classes, struct str query,
		  struct arena *a, unsigned param, struct record_list *values, struct record_out *o)
{
	struct err_info info = { .code = ERR_OK };
	struct record_pair *pairs = NULL;
	struct record_query q;
	size_t n = 0;

	if (query.p == NULL || record_query_pairs(query, a, &pairs, &n, &info) != ERR_OK ||
	    record_query_parse(r, classes, RECORD_QUERY_LIST, pairs, n, a, &q, &info) != ERR_OK) {
		record_sql_text(o, "false");
		return;
	}
	record_sql_text(o, "coalesce((true");
	for (size_t i = 0; i < q.n_filters; i++)
		filter_text(&q.filters[i], param, values, o);
	record_sql_text(o, "), false)");
}

/* ---- one unit ---- */

static void
fields_text(const struct record_resource *r, const struct record_unit *u, uint32_t classes,
	    struct record_out *o)
{
	bool first = true;

	for (size_t i = 0; i < u->n_fields; i++) {
		const struct record_field *f = record_field_find(r, u->fields[i]);
		if (!known(f, classes))
			continue;
		record_sql_text(o, "%st.%.*s",
				first ? "(select row_to_json(x)::text from (select " : ", ",
				STR_FMT(f->name));
		first = false;
	}
	record_sql_text(o, first ? "null::text" : ") x)");
}

static void
inside_text(struct task *t, const struct record_resource *r, const struct record_unit *u,
	    uint32_t classes, struct record_list *values, struct record_out *o)
{
	record_sql_text(o, u->n_segments > 0 ? ", concat(" : ", null::text");
	for (size_t i = 0; i < u->n_segments; i++) {
		record_sql_text(o, i > 0 ? ", " : "");
		record_sql_inside(r, classes, u->segments[i], &t->t_arena, VALUES, values, o);
	}
	record_sql_text(o, u->n_segments > 0 ? ")" : "");
}

static void
part_text(struct task *t, const struct record_catalog *c, const struct record_units *u,
	  unsigned part, struct record_list *values, struct record_out *o)
{
	const struct record_unit *unit = &u->of[part];
	const struct record_resource *r =
		unit->resource != NULL ? record_catalog_find(c, str_of(unit->resource)) : NULL;

	if (r == NULL) {
		record_sql_text(o, "(select null::text as unit, null::text as known, null::text as "
				   "inside)");
		return;
	}
	record_sql_text(o, "(select t.%.*s::text as unit, ", STR_FMT(record_unit_column(r)));
	fields_text(r, unit, u->classes, o);
	record_sql_text(o, " as known");
	inside_text(t, r, unit, u->classes, values, o);
	record_sql_text(o, " as inside from crm.%s t where t.%.*s = $1", r->table,
			STR_FMT(unit->by_key ? r->key->name : record_unit_column(r)));
	if (u->owners.p != NULL && record_owner_field(r) != NULL)
		record_sql_text(o, " and t.owner = any ($2)");
	record_sql_text(o, ")");
}

enum err
record_units(struct task *t, struct record_engine *e, const struct record_units *u)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * DIGEST_BYTES + 1];
	char name[NAME_SIZE];
	struct buf text;
	struct record_out o = { .text = &text };
	struct record_list values;

	if (e->catalog == NULL)
		return err_set(&t->t_err, ERR_DOWN, NULL,
			       "the field registry has not been read yet");
	buf_init(&text, RECORD_SQL_BYTES_MAX);
	record_sql_param(&o, OID_UUID, u->id);
	record_sql_param(&o, OID_TEXT_ARRAY, u->owners);
	record_sql_param(&o, OID_TEXT_ARRAY, STR_NONE);
	record_list_begin(&values);
	for (unsigned i = 0; i < u->n_params; i++)
		record_sql_param(&o, OID_TEXT_ARRAY, u->params[i]);
	record_sql_text(&o,
			"select a.unit, a.known, a.inside, b.unit, b.known, b.inside%s%s from "
			"(select 1) one left join ",
			u->more != NULL ? ", " : "", u->more != NULL ? u->more : "");
	part_text(t, e->catalog, u, 0, &values, &o);
	record_sql_text(&o, " a on true left join ");
	part_text(t, e->catalog, u, 1, &values, &o);
	record_sql_text(&o, " b on true");
	enum err err = ERR_OK;
	const char *sql = buf_cstr(&text);
	o.params[VALUES - 1] = P_STR(record_list_end(&values, &t->t_arena));
	if (sql == NULL || o.overflow || o.params[VALUES - 1].value.p == NULL) {
		err = err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the statement");
	} else {
		sha256(sql, strlen(sql), digest);
		hex_encode(digest, DIGEST_BYTES, hex);
		(void)snprintf(name, sizeof(name), "record_units_%s", hex);
		/* The pool keeps a copy of its own. */
		err = postgres_add(e->conf.pool, t,
				   &(struct postgres_stmt) { .name = name,
							     .text = sql,
							     .lane = POSTGRES_READ,
							     .n_params = o.n,
							     .types = o.types },
				   o.params, o.n);
	}
	buf_free(&text);
	return err;
}
