/*
 * columns.c — some fields of every record of a resource, by their units: for rooms that count. See record.h, record_columns.
 *
 * Names of tables and columns come from the catalog, values are parameters. The order is that of a unique index, and each call goes
 * on behind the unit it is given, so that none of them is long.
 */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "record/engine.h"

#define NAME_SIZE 64
#define DIGEST_BYTES 8
#define VALUES 3 /* the parameter that holds the values of all filters */
#define FIRST "00000000-0000-0000-0000-000000000000"

static void
field_text(struct record_out *o, const struct record_field *f)
{
	/* Times are written as in JSON, the rest as PostgreSQL does. */
	if (f->kind == RECORD_TIMESTAMP)
		record_sql_text(o, ", to_json(t.%.*s) #>> '{}'", STR_FMT(f->name));
	else
		record_sql_text(o, ", t.%.*s::text", STR_FMT(f->name));
}

static enum err
submit(struct task *t, struct record_engine *e, const struct record_columns *c,
       struct record_out *o)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * DIGEST_BYTES + 1];
	char name[NAME_SIZE];
	const char *text = buf_cstr(o->text);

	if (text == NULL || o->overflow)
		return err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the statement");
	sha256(text, strlen(text), digest);
	hex_encode(digest, DIGEST_BYTES, hex);
	(void)snprintf(name, sizeof(name), "record_%.*s_columns_%s",
		       (int)MIN(c->resource->name.len, (size_t)15), c->resource->name.p, hex);
	/* The pool keeps a copy of its own. */
	const struct postgres_stmt stmt = { .name = name,
					    .text = text,
					    .lane = POSTGRES_SLOW,
					    .n_params = o->n,
					    .types = o->types };
	return postgres_add(e->conf.pool, t, &stmt, o->params, o->n);
}

static enum err
owned(struct task *t, const struct record_columns *c, struct record_out *o)
{
	if (c->owners.p == NULL)
		return ERR_OK;
	if (record_owner_field(c->resource) == NULL)
		return err_set(&t->t_err, ERR_FORBIDDEN, NULL, "%.*s have no owner here",
			       STR_FMT(c->resource->name));
	record_sql_param(o, OID_TEXT_ARRAY, c->owners);
	record_sql_text(o, " and t.owner = any ($%u)", o->n);
	return ERR_OK;
}

enum err
record_columns(struct task *t, struct record_engine *e, const struct record_columns *c)
{
	const struct str unit = record_unit_column(c->resource);
	char limit[16];
	struct buf text;
	struct record_out o = { .text = &text };
	struct record_list values;

	buf_init(&text, RECORD_SQL_BYTES_MAX);
	(void)snprintf(limit, sizeof(limit), "%u", c->limit);
	record_sql_param(&o, OID_UUID, c->after.p != NULL ? c->after : STR(FIRST));
	record_sql_param(&o, OID_INT4, str_of(limit));
	record_sql_param(&o, OID_TEXT_ARRAY, STR_NONE);
	record_list_begin(&values);
	record_sql_text(&o, "select t.%.*s::text", STR_FMT(unit));
	for (size_t i = 0; i < c->n; i++)
		field_text(&o, c->fields[i]);
	for (size_t i = 0; i < c->n_segments; i++) {
		record_sql_text(&o, ", ");
		record_sql_inside(c->resource, c->classes, c->segments[i], &t->t_arena, VALUES,
				  &values, &o);
		record_sql_text(&o, "::text");
	}
	o.params[VALUES - 1] = P_STR(record_list_end(&values, &t->t_arena));
	record_sql_text(&o, " from crm.%s t where t.%.*s > $1", c->resource->table, STR_FMT(unit));
	enum err err = owned(t, c, &o);
	record_sql_text(&o, " order by t.%.*s limit $2", STR_FMT(unit));
	if (err == ERR_OK)
		err = submit(t, e, c, &o);
	buf_free(&text);
	return err;
}

enum err
record_columns_count(struct task *t, struct record_engine *e, const struct record_columns *c)
{
	struct buf text;
	struct record_out o = { .text = &text };

	buf_init(&text, RECORD_SQL_BYTES_MAX);
	record_sql_text(&o, "select count(*) from crm.%s t where true", c->resource->table);
	enum err err = owned(t, c, &o);
	if (err == ERR_OK)
		err = submit(t, e, c, &o);
	buf_free(&text);
	return err;
}
