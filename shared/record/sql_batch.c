/*
 * sql_batch.c — one statement for up to 1,000 operations on one resource. See sql.h.
 *
 * $3 is an array of {"i":index,"op":…,"id":…,"v":expected version,"k":value to match,"d":{…}}.
 * `cur` locks what is there, in the order of the ids so that two batches cannot lock each other
 * out; `bad` names what cannot be done; every write waits for `bad` to be empty, so that a batch is
 * written as a whole or not at all. A text holds only the parts that its operations need: a batch
 * of creates is one INSERT.
 */
#include "record/sql.h"

#define OPS_CREATE (RECORD_BATCH_CREATE | RECORD_BATCH_UPSERT)
#define OPS_UPDATE (RECORD_BATCH_UPDATE | RECORD_BATCH_UPSERT)
#define OPS_BY_ID (RECORD_BATCH_UPDATE | RECORD_BATCH_DELETE)

static const char *
cast_of(enum record_kind k)
{
	switch (k) {
	case RECORD_UUID:
		return "::uuid";
	case RECORD_INTEGER:
		return "::bigint";
	case RECORD_DECIMAL:
		return "::numeric";
	case RECORD_DATE:
		return "::date";
	case RECORD_TIMESTAMP:
		return "::timestamptz";
	default:
		return "";
	}
}

/* The rows that exist, locked. `cur` is there whenever an operation may meet an existing row. */
static void
current_rows(const struct record_shape *s, struct record_out *o, unsigned scope_param)
{
	const char *table = s->resource->table;
	static const char head[] = "(select o.i, o.op, o.v, (t.*)::crm.%s as r, t.id, t.version "
				   "from op o join crm.%s t on ";
	if ((s->batch_ops & OPS_BY_ID) != 0) {
		record_sql_text(o, ", cur_id as ");
		record_sql_text(o, head, table, table);
		record_sql_text(o, "t.id = o.id where o.op in ('update', 'delete')");
		if (s->scope != NULL)
			record_sql_text(o, " and t.%.*s = $%u", STR_FMT(s->scope->name),
					scope_param);
		record_sql_owned(s, o, "t", 0);
		record_sql_text(o, " order by t.id for update of t)");
	}
	if ((s->batch_ops & RECORD_BATCH_UPSERT) != 0) {
		record_sql_text(o, ", cur_match as ");
		record_sql_text(o, head, table, table);
		record_sql_text(o, "t.%.*s = o.k%s where o.op = 'upsert'", STR_FMT(s->match->name),
				cast_of(s->match->kind));
		if (s->scope != NULL)
			record_sql_text(o, " and t.%.*s = $%u", STR_FMT(s->scope->name),
					scope_param);
		record_sql_owned(s, o, "t", 0);
		record_sql_text(o, " order by t.id for update of t)");
	}
	record_sql_text(o, ", cur as (");
	if ((s->batch_ops & OPS_BY_ID) != 0)
		record_sql_text(o, "select * from cur_id");
	if ((s->batch_ops & OPS_BY_ID) != 0 && (s->batch_ops & RECORD_BATCH_UPSERT) != 0)
		record_sql_text(o, " union all ");
	if ((s->batch_ops & RECORD_BATCH_UPSERT) != 0)
		record_sql_text(o, "select * from cur_match");
	record_sql_text(o, ")");
}

/* References that lead nowhere are named by index and field; the foreign key itself would not say
 * which row it was. */
static void
bad_references(const struct record_shape *s, struct record_out *o)
{
	if ((s->batch_ops & (OPS_CREATE | OPS_UPDATE)) == 0)
		return;
	for (size_t i = 0; i < s->resource->n_fields; i++) {
		const struct record_field *f = &s->resource->fields[i];
		if (f->reference == NULL || f->kind != RECORD_UUID || !record_sql_written(s, f))
			continue;
		const struct record_resource *to =
			record_catalog_find(s->catalog, str_of(f->reference));
		if (to == NULL)
			continue;
		record_sql_text(
			o,
			" union all select o.i, 422, null::int, '%.*s' from op o where o.op <> "
			"'delete' "
			"and o.d->>'%.*s' is not null and not exists (select 1 from crm.%s x "
			"where x.%.*s = (o.d->>'%.*s')::uuid)",
			STR_FMT(f->name), STR_FMT(f->name), to->table, STR_FMT(to->key->name),
			STR_FMT(f->name));
	}
}

/* What would leave the scope, or begin outside of it, where the owner is that of another record. */
static void
bad_owners(const struct record_shape *s, struct record_out *o, bool meets_rows,
	   unsigned scope_param)
{
	if (!record_sql_follows(s) || (s->batch_ops & (OPS_CREATE | OPS_UPDATE)) == 0)
		return;
	record_sql_text(o,
			" union all select o.i, 422, null::int, null from op o%s, "
			"jsonb_populate_record(%snull::crm.%s%s, o.d) n where o.op <> 'delete' and "
			"(true",
			meets_rows ? " left join cur c on c.i = o.i" : "",
			meets_rows ? "coalesce(c.r, " : "", s->resource->table,
			meets_rows ? ")" : "");
	record_sql_owned(s, o, "n", scope_param);
	record_sql_text(o, ") is not true");
}

static void
bad_rows(const struct record_shape *s, struct record_out *o, bool meets_rows, unsigned scope_param)
{
	record_sql_text(
		o, ", bad as (select null::int as i, null::int as status, null::int as version, "
		   "null::text as field where false");
	if (meets_rows) {
		record_sql_text(o, " union all select o.i, case when c.id is null then 404 else "
				   "412 end, c.version, null "
				   "from op o left join cur c on c.i = o.i where (c.id is null and "
				   "o.op in ('update', 'delete')) "
				   "or c.version <> o.v");
		record_sql_text(
			o, " union all select d.i, 409, null::int, null from (select c.i, "
			   "row_number() over "
			   "(partition by c.id order by c.i) as k from cur c) d where d.k > 1");
	}
	bad_references(s, o);
	bad_owners(s, o, meets_rows, scope_param);
	record_sql_text(o, ")");
}

static void
writes(const struct record_shape *s, struct record_out *o, bool meets_rows, unsigned scope_param)
{
	static const char guard[] = "act.actor is not null and not exists (select 1 from bad)";
	const char *table = s->resource->table;
	if ((s->batch_ops & OPS_CREATE) != 0) {
		record_sql_text(o, ", ins as (insert into crm.%s as t (", table);
		record_sql_insert_columns(s, o);
		record_sql_text(o, ") select o.id");
		record_sql_insert_values(s, o, (int)scope_param);
		record_sql_text(
			o,
			" from act, op o%s, jsonb_populate_record(null::crm.%s, o.d) n "
			"where o.op in ('create', 'upsert')%s and %s returning t.id, t.version)",
			meets_rows ? " left join cur c on c.i = o.i" : "", table,
			meets_rows ? " and c.id is null" : "", guard);
	}
	if ((s->batch_ops & OPS_UPDATE) != 0) {
		record_sql_text(o, ", upd as (update crm.%s t set ", table);
		record_sql_update_set(s, o);
		record_sql_text(
			o,
			" from act, op o, cur c, jsonb_populate_record(c.r, o.d) n where t.id = "
			"c.id and c.i = o.i "
			"and o.op in ('update', 'upsert') and %s returning o.i, t.id, t.version)",
			guard);
	}
	if ((s->batch_ops & RECORD_BATCH_DELETE) != 0)
		record_sql_text(o,
				", del as (delete from crm.%s t using act, op o, cur c where t.id "
				"= c.id and c.i = o.i "
				"and o.op = 'delete' and %s returning o.i, t.id)",
				table, guard);
}

static void
done_rows(const struct record_shape *s, struct record_out *o)
{
	const char *more = "";
	record_sql_text(o, ", done as (");
	if ((s->batch_ops & OPS_CREATE) != 0) {
		record_sql_text(o, "select o.i, 201 as status, x.id, x.version from ins x join op "
				   "o on o.id = x.id "
				   "where o.op in ('create', 'upsert')");
		more = " union all ";
	}
	if ((s->batch_ops & OPS_UPDATE) != 0) {
		record_sql_text(o, "%sselect x.i, 200 as status, x.id, x.version from upd x", more);
		more = " union all ";
	}
	if ((s->batch_ops & RECORD_BATCH_DELETE) != 0)
		record_sql_text(
			o, "%sselect x.i, 204 as status, x.id, null::int as version from del x",
			more);
	record_sql_text(o, ")");
}

void
record_sql_batch(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	const bool meets_rows = (s->batch_ops & (OPS_BY_ID | RECORD_BATCH_UPSERT)) != 0;
	record_sql_act(v, o);
	record_sql_param(o, OID_JSONB, v->body);
	if (s->scope != NULL)
		record_sql_param(o, record_kind_oid(s->scope->kind), v->scope);
	const unsigned scope_param = o->n;
	record_sql_owners(s, v, o);
	record_sql_text(o, ", op as materialized (select o.* from jsonb_to_recordset($3) "
			   "as o (i int, op text, id uuid, v int, k text, d jsonb))");
	if (meets_rows)
		current_rows(s, o, scope_param);
	bad_rows(s, o, meets_rows, s->scope != NULL ? scope_param : 0);
	writes(s, o, meets_rows, scope_param);
	done_rows(s, o);
	if (s->what == RECORD_SQL_PROBE) {
		record_sql_text(o, " select 1 / (0 * (select count(*) from done))");
		return;
	}
	record_sql_text(o, ", res as (select string_agg(row_to_json(_row)::text, ',' order by "
			   "_row.index) as body, "
			   "null::int as version, null::uuid as id from (select d.i as index, "
			   "d.status, d.id, d.version "
			   "from done d) _row)");
	record_sql_idempotency(s, v, o, "(select * from res where not exists (select 1 from bad))",
			       "200", false);
	record_sql_text(o, " select r.body, b.i, b.status, b.version, b.field from res r "
			   "left join (select * from bad order by i limit 1) b on true");
}
