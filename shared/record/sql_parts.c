/*
 * sql_parts.c — one statement for an answer of several lists: the whole of a customer, and a search over many resources. See sql.h.
 *
 * PostgreSQL builds the JSON, so that the answer is of one moment and costs one round trip. Invariants: every part asks record_sql_scope
 * which rows it may show, and shows the fields of the class mask only; every part is bounded; one row more than the bound is read,
 * which tells that there is more.
 */
#include "record/sql.h"

/* The last writes of a record that are looked through for who set each value: what is older has the record's own time. */
#define WRITES_LOOKED_AT 50

/* The shape of one part, as if it were a list of its own. */
static struct record_shape
part_shape(const struct record_shape *s, const struct record_shape_part *p)
{
	struct record_shape shape = *s;
	shape.resource = p->resource;
	shape.query = &p->query;
	shape.scope = p->reference;
	shape.parts = NULL;
	shape.n_parts = 0;
	return shape;
}

/* The first `limit` texts j of x, by x.n, and whether there are more; the caller writes what x selects. */
static void
bounded(struct record_out *o, unsigned limit)
{
	record_sql_text(o,
			"\"data\":[' || coalesce(string_agg(x.j, ',' order by x.n) filter (where "
			"x.n <= %u), '') "
			"|| '],\"more\":' || (count(*) > %u)::text || '}' from (select ",
			limit, limit);
}

/* The rows of a part, numbered in their order. */
static void
overview_rows(const struct record_shape *s, size_t i, const struct record_values *v,
	      struct record_out *o)
{
	const struct record_shape_part *p = &s->parts[i];
	const struct record_shape shape = part_shape(s, p);
	struct record_values values = *v;
	values.scope = v->id;
	record_sql_text(o,
			"part_%zu as materialized (select t.*, row_number() over () as \"_n\" from "
			"(select t.* from crm.%s t where true",
			i, shape.resource->table);
	record_sql_scope(&shape, &values, o);
	record_sql_filters(&p->query, o);
	record_sql_order(&p->query, o);
	record_sql_text(o, " limit %u) t), ", p->query.limit + 1);
}

/*
 * When and by whom each row of the parts was last written, from the log: for all of them at once, since a plan for each part, begun anew
 * for each row, costs more than what it finds.
 */
static void
last_sets(const struct record_shape *s, struct record_out *o)
{
	record_sql_text(o, "_set as materialized (select i.id, i.resource, "
			   "json_build_object('at', l.at, 'by', json_build_object('id', l.actor, "
			   "'name', (select p.name from access.principal p where p.id = l.uid))) "
			   "as j from (");
	for (size_t i = 0; i < s->n_parts; i++)
		record_sql_text(o, "%sselect t.id, '%.*s' as resource from part_%zu t",
				i == 0 ? "" : " union all ", STR_FMT(s->parts[i].resource->name),
				i);
	record_sql_text(o, ") i cross join lateral (select g.at, g.actor, ");
	record_sql_actor_id(o, "g");
	record_sql_text(o, " as uid from event.log g where g.record_id = i.id and "
			   "g.resource = i.resource and g.op in ('create', 'update') order by "
			   "g.seq desc limit 1) l) ");
}

/* A row without a write in the log has its own time, and nobody. */
static void
overview_part(const struct record_shape *s, size_t i, struct record_out *o)
{
	const struct record_shape_part *p = &s->parts[i];
	const struct record_shape shape = part_shape(s, p);
	record_sql_text(o, " || ',\"%s\":' || (select '{", p->name);
	bounded(o, p->query.limit);
	record_sql_text(o, "t.\"_n\" as n, (select row_to_json(_row)::text from (select ");
	if (record_sql_fields(&shape, o, "t"))
		record_sql_text(o, ", ");
	record_sql_text(o,
			"coalesce(l.j, json_build_object('at', t.updated_at, 'by', null)) as "
			"\"_set\") _row) as j from part_%zu t left join _set l on l.id = t.id and "
			"l.resource = '%.*s') x)",
			i, STR_FMT(shape.resource->name));
}

/* Who set each value of the row t last: a record that came back keeps what its writers left, so that only first writes and edits count. */
static void
values_set(const struct record_shape *s, struct record_out *o)
{
	bool first = true;
	record_sql_text(o, " || ',\"values\":' || (select coalesce(json_object_agg(e.k, "
			   "json_build_object('at', coalesce(c.at, "
			   "t.updated_at), 'by', case when c.actor is not null then ");
	record_sql_actor(o, "c", "p");
	record_sql_text(
		o,
		" end, 'version', c.version, 'from', case when c.at is null then 'record' else "
		"'log' end) "
		"order by f.o), '{}')::text from jsonb_each(to_jsonb(t)) e (k, v) join unnest('{");
	for (size_t i = 0; i < s->resource->n_fields; i++) {
		const struct record_field *f = &s->resource->fields[i];
		if (f->system || !record_field_readable(f, s->read_classes))
			continue;
		record_sql_text(o, "%s%.*s", first ? "" : ",", STR_FMT(f->name));
		first = false;
	}
	record_sql_text(o,
			"}'::text[]) with ordinality f (k, o) on f.k = e.k left join (select "
			"distinct on (d.k) d.k, l.at, "
			"l.actor, l.version from (select g.* from event.log g where g.record_id = "
			"$1 and g.resource = "
			"'%.*s' and (g.op = 'update' or (g.op = 'create' and g.version = 1)) order "
			"by g.seq desc "
			"limit %d) l cross join lateral ",
			STR_FMT(s->resource->name), WRITES_LOOKED_AT);
	record_sql_differences(o, "l");
	record_sql_text(o, " order by d.k, l.seq desc) c on c.k = e.k");
	record_sql_principal(o, "c", "p");
	record_sql_text(o, " where e.v <> 'null')");
}

void
record_sql_overview(const struct record_shape *s, const struct record_values *v,
		    struct record_out *o)
{
	record_sql_param(o, OID_UUID, v->id);
	record_sql_text(o, s->n_parts > 0 ? "with " : "");
	for (size_t i = 0; i < s->n_parts; i++)
		overview_rows(s, i, v, o);
	if (s->n_parts > 0)
		last_sets(s, o);
	record_sql_text(o, "select '{\"profile\":' || ");
	record_sql_json(s, o, "t");
	values_set(s, o);
	for (size_t i = 0; i < s->n_parts; i++)
		overview_part(s, i, o);
	record_sql_text(o, " || '}', t.version from crm.%s t where t.%.*s = $1", s->resource->table,
			STR_FMT(s->resource->key->name));
	record_sql_scope(s, v, o);
}

/* Rows that hold the words, or words that begin with them; `limit` of them in no order. */
static void
search_rows(const struct record_shape *s, const struct record_shape_part *p,
	    const struct record_values *v, struct record_out *o, bool prefix, unsigned limit)
{
	const struct str key = s->resource->key->name;
	record_sql_text(o,
			"(select t.%.*s as key, %d as rank from crm.%s t where crm.search_vector(",
			STR_FMT(key), prefix ? 1 : 0, s->resource->table);
	for (size_t i = 0; i < RECORD_SEARCH_FIELDS; i++) {
		if (i > 0)
			record_sql_text(o, ", ");
		if (p->words[i] != NULL)
			record_sql_text(o, "t.%.*s", STR_FMT(p->words[i]->name));
		else
			record_sql_text(o, "null::text");
	}
	record_sql_text(o, ") @@ (select q.%s from q)", prefix ? "beginnings" : "words");
	record_sql_scope(s, v, o);
	record_sql_text(o, " limit %u)", limit);
}

/* Whole words come before beginnings of words; each of the two is bounded before anything is sorted. */
static void
search_part(const struct record_shape *s, const struct record_shape_part *p,
	    const struct record_values *v, struct record_out *o)
{
	const struct record_shape shape = part_shape(s, p);
	const struct str key = shape.resource->key->name;
	const unsigned limit = p->query.limit;
	record_sql_text(o, "(select '{\"resource\":\"%.*s\",", STR_FMT(shape.resource->name));
	bounded(o, limit);
	record_sql_text(o, "row_number() over () as n, ");
	record_sql_json(&shape, o, "t");
	record_sql_text(o,
			" as j from (select t.* from crm.%s t join (select u.key, min(u.rank) as "
			"rank from (",
			shape.resource->table);
	search_rows(&shape, p, v, o, false, limit + 1);
	record_sql_text(o, " union all ");
	search_rows(&shape, p, v, o, true, 2 * (limit + 1));
	record_sql_text(o,
			") u group by u.key order by min(u.rank), u.key limit %u) m on m.key = "
			"t.%.*s order by "
			"m.rank, t.%.*s) t) x)",
			limit + 1, STR_FMT(key), STR_FMT(key));
}

void
record_sql_search(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	record_sql_param(o, OID_TEXT, v->q);
	record_sql_text(o, "with q as materialized (select crm.search_query($1, false) as words, "
			   "crm.search_query($1, true) as beginnings) select '{\"results\":[' || "
			   "concat_ws(','");
	for (size_t i = 0; i < s->n_parts; i++) {
		record_sql_text(o, ", ");
		search_part(s, &s->parts[i], v, o);
	}
	record_sql_text(o, ") || ']}'");
}

void
record_sql_parts_key(const struct record_shape *s, struct buf *out)
{
	for (size_t i = 0; i < s->n_parts; i++) {
		const struct record_shape_part *p = &s->parts[i];
		buf_printf(out, "|%s:%.*s %u", p->name, STR_FMT(p->resource->name), p->query.limit);
		if (p->reference != NULL)
			buf_printf(out, "@%.*s", STR_FMT(p->reference->name));
		for (size_t k = 0; k < p->query.n_filters; k++)
			buf_printf(out, ",%.*s.%s", STR_FMT(p->query.filters[k].field->name),
				   record_op_name(p->query.filters[k].op));
		for (size_t k = 0; k < p->query.n_sort; k++)
			buf_printf(out, "%c%.*s", p->query.sort[k].desc ? '-' : '+',
				   STR_FMT(p->query.sort[k].field->name));
		for (size_t k = 0; k < RECORD_SEARCH_FIELDS; k++)
			if (p->words[k] != NULL)
				buf_printf(out, "/%zu%.*s", k, STR_FMT(p->words[k]->name));
		buf_add_char(out, '=');
		for (size_t k = 0; k < p->resource->n_fields; k++)
			buf_add_char(out, p->query.selected[k] ? '1' : '0');
	}
}
