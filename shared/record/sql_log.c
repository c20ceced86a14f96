/*
 * sql_log.c — statements over the event log of one record: history, state at a time, undo of an edit, restore. See sql.h.
 *
 * The log keeps full images of a row before and after each write, under the column names of the table, without the secret
 * fields. What of them may be shown is decided here by the class mask, as lists of names from the catalog. Invariant: whose record it
 * is, is asked of record_sql_scope in every statement: of the row, or, where there need be none, of the last image.
 */
#include "record/sql.h"

/* The rows of the log that belong to the record of parameter `id`, as g. */
static void
log_rows(const struct record_shape *s, struct record_out *o, unsigned id)
{
	record_sql_text(o, " from event.log g where g.record_id = $%u and g.resource = '%.*s'", id,
			STR_FMT(s->resource->name));
}

/* " and …": the last image of the record of parameter `id` is one that this call is about. */
static void
last_image(const struct record_shape *s, const struct record_values *v, struct record_out *o,
	   unsigned id)
{
	record_sql_text(
		o, " and exists (select 1 from (select coalesce(g.after, g.before, '{}') as image");
	log_rows(s, o, id);
	record_sql_text(o,
			" and g.op in ('create', 'update', 'delete') order by g.seq desc limit 1) "
			"i cross join "
			"lateral jsonb_populate_record(null::crm.%s, i.image) t where true",
			s->resource->table);
	record_sql_scope(s, v, o);
	record_sql_text(o, ")");
}

/* What one write changed, as rows (k, old, new) of d; `alias` is a row of the log. A note's detail is no image. */
void
record_sql_differences(struct record_out *o, const char *alias)
{
	record_sql_text(
		o,
		"(select k, b.v as old, a.v as new from jsonb_each(case when %s.op in ('create', "
		"'update', "
		"'delete') then coalesce(%s.before, '{}') else '{}' end) b (k, v) full join "
		"jsonb_each(case when %s.op in ('create', 'update', 'delete') then "
		"coalesce(%s.after, '{}') "
		"else '{}' end) a (k, v) using (k) where coalesce(b.v, 'null') <> coalesce(a.v, "
		"'null')) d",
		alias, alias, alias, alias);
}

static bool
is_readable(const struct record_shape *s, const struct record_field *f)
{
	return !f->system && record_field_readable(f, s->read_classes);
}

static bool
is_hidden(const struct record_shape *s, const struct record_field *f)
{
	return !f->system && f->cls != RECORD_SECRET && !record_field_readable(f, s->read_classes);
}

static bool
is_writable(const struct record_shape *s, const struct record_field *f)
{
	return record_field_writable(f, s->write_classes);
}

/* Somebody may write it, but not this principal. */
static bool
is_denied(const struct record_shape *s, const struct record_field *f)
{
	return f->writable && !record_field_writable(f, s->write_classes);
}

static void
names(const struct record_shape *s, struct record_out *o,
      bool (*wanted)(const struct record_shape *s, const struct record_field *f))
{
	bool first = true;
	record_sql_text(o, "'{");
	for (size_t i = 0; i < s->resource->n_fields; i++) {
		const struct record_field *f = &s->resource->fields[i];
		if (!wanted(s, f))
			continue;
		record_sql_text(o, "%s%.*s", first ? "" : ",", STR_FMT(f->name));
		first = false;
	}
	record_sql_text(o, "}'::text[]");
}

void
record_sql_actor(struct record_out *o, const char *alias, const char *principal)
{
	record_sql_text(o, "json_build_object('id', %s.actor, 'name', %s.name)", alias, principal);
}

/* The id of a principal, or null: actors that are none ("system:jobs") have no name. As sharp as a regular expression, and far cheaper. */
void
record_sql_actor_id(struct record_out *o, const char *alias)
{
	record_sql_text(
		o,
		"case when %s.actor like '________-____-____-____-____________' and "
		"translate(%s.actor, '0123456789abcdef', '') = '----' then %s.actor::uuid end",
		alias, alias, alias);
}

void
record_sql_principal(struct record_out *o, const char *alias, const char *principal)
{
	record_sql_text(o, " left join access.principal %s on %s.id = ", principal, principal);
	record_sql_actor_id(o, alias);
}

/* Newest first. A record that comes back is inserted with a version that is not its first. */
void
record_sql_history(const struct record_shape *s, const struct record_values *v,
		   struct record_out *o)
{
	record_sql_param(o, OID_UUID, v->id);
	record_sql_text(
		o, "select (select row_to_json(_row)::text from (select l.at, case when l.op = "
		   "'create' and l.version > 1 then 'restore' else l.op end as op, l.version, ");
	record_sql_actor(o, "l", "p");
	record_sql_text(
		o,
		" as actor, l.request_id, l.salt is null as erased, coalesce(c.hidden, false) as "
		"hidden, coalesce(c.changes, '{}') as changes) _row), l.seq::text from (select "
		"g.*");
	log_rows(s, o, 1);
	last_image(s, v, o, 1);
	if (s->cursor != NULL) {
		record_sql_param(o, OID_INT8, s->cursor->values[0]);
		record_sql_text(o, " and g.seq < $%u", o->n);
	}
	record_sql_param(o, OID_INT8, v->limit);
	record_sql_text(o, " order by g.seq desc limit $%u) l", o->n);
	record_sql_principal(o, "l", "p");
	record_sql_text(o, " cross join lateral (select json_object_agg(d.k, "
			   "json_build_object('before', d.old, "
			   "'after', d.new) order by array_position(");
	names(s, o, is_readable);
	record_sql_text(o, ", d.k)) filter (where d.k = any (");
	names(s, o, is_readable);
	record_sql_text(o, ")) as changes, bool_or(d.k = any (");
	names(s, o, is_hidden);
	record_sql_text(o, ")) as hidden from ");
	record_sql_differences(o, "l");
	record_sql_text(o, ") c order by l.seq desc");
}

/* The image that the last write up to then left: 1 row with body, version, deleted, erased; none if there was no write yet. */
void
record_sql_as_of(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	record_sql_param(o, OID_UUID, v->id);
	record_sql_param(o, OID_TIMESTAMPTZ, v->at);
	record_sql_text(o, "select ");
	record_sql_json(s, o, "t");
	record_sql_text(o, ", l.version, l.op = 'delete', l.salt is null from (select g.*");
	log_rows(s, o, 1);
	record_sql_text(o, " and g.op in ('create', 'update', 'delete') and g.at <= $2");
	last_image(s, v, o, 1);
	record_sql_text(o,
			" order by g.seq desc limit 1) l cross join lateral "
			"jsonb_populate_record(null::crm.%s, "
			"coalesce(l.after, l.before, '{}')) t",
			s->resource->table);
}

/* $3 id, $4 If-Match, then the edit's version. */
static void
undo_parts(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	record_sql_current(s, v, o);
	record_sql_param(o, OID_INT4, v->edit);
	record_sql_text(o, ", edit as (select g.*");
	log_rows(s, o, 3);
	record_sql_text(o,
			" and g.op = 'update' and g.version = $%u), diff as (select d.* from edit "
			"e cross join "
			"lateral ",
			o->n);
	record_sql_differences(o, "e");
	record_sql_text(o, "), part as (select d.k, coalesce(d.old, 'null') as old from diff d "
			   "where d.k = any (");
	names(s, o, is_writable);
	record_sql_text(o, ")), denied as (select d.k from diff d where d.k = any (");
	names(s, o, is_denied);
	record_sql_text(
		o,
		")), later as (select d.k as field, json_agg(l.version order by l.seq) as versions "
		"from (select g.*");
	log_rows(s, o, 3);
	record_sql_text(o, " and g.op = 'update' and g.seq > (select e.seq from edit e)) l cross "
			   "join lateral ");
	record_sql_differences(o, "l");
	record_sql_text(
		o,
		" where d.k in (select p.k from part p) group by d.k), known as (select g.version");
	log_rows(s, o, 3);
	record_sql_text(o, " and g.op in ('create', 'update') order by g.seq desc limit 1)");
}

/*
 * Status 200, 404, 412 as in a patch; 410 erased; 422 no such edit, or nothing of it can be put back (204); 403 it holds fields that
 * this principal may not write; 409 with the later edits; 503 where the row that was waited for is newer than the log this statement
 * sees, so that a later edit could be missed.
 */
void
record_sql_undo(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	record_sql_act(v, o);
	undo_parts(s, v, o);
	record_sql_text(o,
			", verdict as (select case when c.id is null then 404 when c.version <> $4 "
			"then 412 "
			"when e.seq is null then 422 when e.salt is null then 410 "
			"when exists (select 1 from denied) then 403 when not exists (select 1 "
			"from part) then 204 "
			"when c.version <> (select k.version from known k) then 503 "
			"when exists (select 1 from later) then 409 else 200 end as status "
			"from (select 1) one left join cur c on true left join edit e on true), "
			"upd as (update crm.%s t set ",
			s->resource->table);
	record_sql_update_set(s, o);
	record_sql_text(o, " from act, cur c, verdict x, jsonb_populate_record(c.r, (select "
			   "jsonb_object_agg(p.k, "
			   "p.old) from part p)) n where t.id = $3 and t.id = c.id and act.actor "
			   "is not null and "
			   "x.status = 200 returning t.*), res as (select u.id, u.version, ");
	record_sql_json(s, o, "u");
	record_sql_text(o, " as body from upd u)");
	record_sql_idempotency(s, v, o, "res", "200", true);
	record_sql_text(
		o, " select x.status, coalesce(r.version, c.version), r.body, (select "
		   "json_agg(row_to_json(l) "
		   "order by l.field)::text from later l) from verdict x left join cur c on true "
		   "left join res r on true");
}

/* The function does the work; here is who may ask for it, and what of the answer may be seen. */
void
record_sql_restore(const struct record_shape *s, const struct record_values *v,
		   struct record_out *o)
{
	const char *table = s->resource->table;
	record_sql_act(v, o);
	record_sql_param(o, OID_UUID, v->id);
	record_sql_text(o, ", old as (select 1 from act where act.actor is not null");
	last_image(s, v, o, 3);
	record_sql_text(o,
			"), done as materialized (select crm.restore('%.*s', $3) as x from old), "
			"res as (select $3 as id, (d.x->>'version')::int as "
			"version, "
			"'{\"record\":' || ",
			STR_FMT(s->resource->name));
	record_sql_json(s, o, "u");
	record_sql_text(o,
			" || ',\"restored\":' || (d.x->'restored')::text || ',\"linked\":' || "
			"(d.x->'linked')::text || '}' as body from done d cross join lateral "
			"jsonb_populate_record(null::crm.%s, d.x->'record') u where d.x->>'status' "
			"= '200')",
			table);
	record_sql_idempotency(s, v, o, "res", "200", true);
	record_sql_text(o, " select coalesce((d.x->>'status')::int, 404), r.version, r.body, "
			   "(d.x->'detail')::text "
			   "from (select 1) one left join done d on true left join res r on true");
}
