/*
 * sql.c — statements of the record engine: get, create, patch, delete. See sql.h; lists are in
 * sql_list.c, batches in sql_batch.c, what reads the log in sql_log.c, answers of several lists in
 * sql_parts.c.
 *
 * Writes are one statement with one Sync: `act` sets actor and request for the transaction and is
 * joined by the write, so that it runs before it; `cur` locks the row, so that the version compared
 * is the newest; the key row of an idempotent request is written last, from the result. Invariant:
 * text and parameters are produced by the same walk, so that $n and the n-th parameter belong
 * together whether or not the text is wanted.
 */
#include "record/sql.h"

#include <stdarg.h>

static const struct {
	enum record_kind kind;
	Oid oid;
	Oid array;
} types[] = {
	{ RECORD_TEXT, OID_TEXT, 1009 },
	{ RECORD_ENUM, OID_TEXT, 1009 },
	{ RECORD_INTEGER, OID_INT8, 1016 },
	{ RECORD_DECIMAL, OID_NUMERIC, 1231 },
	{ RECORD_BOOLEAN, OID_BOOL, 1000 },
	{ RECORD_DATE, OID_DATE, 1182 },
	{ RECORD_TIMESTAMP, OID_TIMESTAMPTZ, 1185 },
	{ RECORD_UUID, OID_UUID, 2951 },
	{ RECORD_JSON, OID_JSONB, 3807 },
};

static const struct {
	const char *name;
	enum postgres_lane lane;
} statements[RECORD_SQL_COUNT] = {
	[RECORD_SQL_LIST] = { "list", POSTGRES_READ },
	[RECORD_SQL_GET] = { "get", POSTGRES_READ },
	[RECORD_SQL_CREATE] = { "create", POSTGRES_WRITE },
	[RECORD_SQL_PATCH] = { "patch", POSTGRES_WRITE },
	[RECORD_SQL_DELETE] = { "delete", POSTGRES_WRITE },
	[RECORD_SQL_BATCH] = { "batch", POSTGRES_WRITE },
	[RECORD_SQL_PROBE] = { "probe", POSTGRES_WRITE },
	[RECORD_SQL_HISTORY] = { "history", POSTGRES_READ },
	[RECORD_SQL_AS_OF] = { "as_of", POSTGRES_READ },
	[RECORD_SQL_UNDO] = { "undo", POSTGRES_WRITE },
	[RECORD_SQL_RESTORE] = { "restore", POSTGRES_WRITE },
	[RECORD_SQL_OVERVIEW] = { "overview", POSTGRES_READ },
	[RECORD_SQL_SEARCH] = { "search", POSTGRES_SLOW },
};

enum postgres_lane
record_sql_lane(enum record_sql what)
{
	return statements[what].lane;
}

const char *
record_sql_name(enum record_sql what)
{
	return statements[what].name;
}

Oid
record_sql_oid(enum record_kind k, bool array)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (types[i].kind == k)
			return array ? types[i].array : types[i].oid;
	}
	return OID_TEXT;
}

Oid
record_kind_oid(enum record_kind k)
{
	return record_sql_oid(k, false);
}

void
record_sql_text(struct record_out *o, const char *fmt, ...)
{
	if (o->text == NULL)
		return;
	char line[1024];
	va_list ap;
	va_start(ap, fmt);
	const int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		o->overflow = true;
	else
		buf_add(o->text, line, (size_t)n);
}

void
record_sql_param(struct record_out *o, Oid type, struct str value)
{
	if (o->n == RECORD_PARAMS_MAX) {
		o->overflow = true;
		return;
	}
	o->params[o->n] = (struct postgres_param) { .value = value, .is_null = value.p == NULL };
	o->types[o->n] = type;
	o->n++;
}

static void
comma(struct record_out *o, bool *first)
{
	if (!*first)
		record_sql_text(o, ", ");
	*first = false;
}

bool
record_sql_fields(const struct record_shape *s, struct record_out *o, const char *alias)
{
	bool first = true;
	for (size_t i = 0; i < s->resource->n_fields; i++) {
		const struct record_field *f = &s->resource->fields[i];
		if (s->query != NULL ? !s->query->selected[i]
				     : !record_field_readable(f, s->read_classes))
			continue;
		comma(o, &first);
		record_sql_text(o, "%s.%.*s", alias, STR_FMT(f->name));
	}
	return !first;
}

/* A scalar subquery keeps the names without their being repeated in each row's text. */
void
record_sql_json(const struct record_shape *s, struct record_out *o, const char *alias)
{
	if (o->text == NULL)
		return; /* no parameter in it */
	record_sql_text(o, "(select row_to_json(_row)::text from (select ");
	(void)!record_sql_fields(s, o, alias);
	record_sql_text(o, ") _row)");
}

void
record_sql_scope(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	if (s->scope != NULL) {
		record_sql_param(o, record_sql_oid(s->scope->kind, false), v->scope);
		record_sql_text(o, " and t.%.*s = $%u", STR_FMT(s->scope->name), o->n);
	}
	record_sql_owners(s, v, o);
	record_sql_owned(s, o, "t", 0);
}

/* ---- get ---- */
static void
build_get(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	record_sql_text(o, "select ");
	record_sql_json(s, o, "t");
	record_sql_text(o, "%s", s->resource->has_version ? ", t.version" : ", null::int");
	record_sql_param(o, OID_UUID, v->id);
	record_sql_text(o, " from crm.%s t where t.%.*s = $%u", s->resource->table,
			STR_FMT(s->resource->key->name), o->n);
	record_sql_scope(s, v, o);
}

/* ---- writes ---- */
void
record_sql_act(const struct record_values *v, struct record_out *o)
{
	record_sql_param(o, OID_TEXT, v->actor);
	record_sql_param(o, OID_TEXT, v->request);
	record_sql_text(o,
			"with act as (select set_config('bimodal.actor', $%u, true) as actor, "
			"set_config('bimodal.request', $%u, true) as request)",
			o->n - 1, o->n);
}

bool
record_sql_written(const struct record_shape *s, const struct record_field *f)
{
	return f != s->scope && record_field_writable(f, s->write_classes);
}

void
record_sql_insert_columns(const struct record_shape *s, struct record_out *o)
{
	if (o->text == NULL)
		return;
	record_sql_text(o, "id");
	if (s->scope != NULL)
		record_sql_text(o, ", %.*s", STR_FMT(s->scope->name));
	for (size_t i = 0; i < s->resource->n_fields; i++) {
		const struct record_field *f = &s->resource->fields[i];
		if (record_sql_written(s, f) || record_sql_owner_given(s, f))
			record_sql_text(o, ", %.*s", STR_FMT(f->name));
	}
}

/* The caller has written the id. A field that is absent or null takes the column's default. */
void
record_sql_insert_values(const struct record_shape *s, struct record_out *o, int scope_param)
{
	if (o->text == NULL)
		return;
	if (s->scope != NULL)
		record_sql_text(o, ", $%d", scope_param);
	for (size_t i = 0; i < s->resource->n_fields; i++) {
		const struct record_field *f = &s->resource->fields[i];
		if (record_sql_owner_given(s, f) && record_sql_written(s, f))
			record_sql_text(o, ", coalesce(n.%.*s, $%u)", STR_FMT(f->name), o->self);
		else if (record_sql_owner_given(s, f))
			record_sql_text(o, ", $%u", o->self);
		else if (!record_sql_written(s, f))
			continue;
		else if (f->def != NULL)
			record_sql_text(o, ", coalesce(n.%.*s, %s)", STR_FMT(f->name), f->def);
		else
			record_sql_text(o, ", n.%.*s", STR_FMT(f->name));
	}
}

void
record_sql_update_set(const struct record_shape *s, struct record_out *o)
{
	bool first = true;
	if (o->text == NULL)
		return;
	for (size_t i = 0; i < s->resource->n_fields; i++) {
		const struct record_field *f = &s->resource->fields[i];
		if (!record_sql_written(s, f))
			continue;
		comma(o, &first);
		record_sql_text(o, "%.*s = n.%.*s", STR_FMT(f->name), STR_FMT(f->name));
	}
	/* Nothing to write for this mask: the version still moves, so that the reply is true. */
	if (first)
		record_sql_text(o, "version = t.version");
}

/* The reply is kept only where something was written; a repeat violates the key and undoes the
 * whole statement. */
void
record_sql_idempotency(const struct record_shape *s, const struct record_values *v,
		       struct record_out *o, const char *from, const char *status, bool with_etag)
{
	if (!s->keyed)
		return;
	record_sql_param(o, OID_TEXT, v->idem_route);
	record_sql_param(o, OID_TEXT, v->idem_key);
	record_sql_param(o, OID_BYTEA, v->idem_fingerprint);
	record_sql_param(o, OID_TEXT, v->location);
	record_sql_text(o,
			", idem as (insert into event.idempotency (principal, route, key, "
			"fingerprint, status, etag, "
			"location, body, record_id) select $1, $%u, $%u, $%u, %s, ",
			o->n - 3, o->n - 2, o->n - 1, status);
	if (with_etag)
		record_sql_text(o,
				"'v' || r.version || '.' || left(encode(sha256(convert_to(r.body "
				"|| '.%lld', 'UTF8')), 'hex'), 8)",
				(long long)record_catalog_generation(s->catalog));
	else
		record_sql_text(o, "null");
	record_sql_text(o, ", $%u, r.body, r.id from %s r)", o->n, from);
}

static void
build_create(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	const char *table = s->resource->table;
	int scope_param = 0;
	record_sql_act(v, o);
	record_sql_param(o, OID_UUID, v->id);
	record_sql_param(o, OID_JSONB, v->body);
	if (s->scope != NULL) {
		record_sql_param(o, record_sql_oid(s->scope->kind, false), v->scope);
		scope_param = (int)o->n;
	}
	record_sql_owners(s, v, o);
	record_sql_text(o, ", ins as (insert into crm.%s (", table);
	record_sql_insert_columns(s, o);
	record_sql_text(o, ") select $3");
	record_sql_insert_values(s, o, scope_param);
	record_sql_text(o,
			" from act, jsonb_populate_record(null::crm.%s, $4) n where act.actor is "
			"not null",
			table);
	if (record_sql_follows(s))
		record_sql_owned(s, o, "n", (unsigned)scope_param);
	record_sql_text(o, " returning *), res as (select u.id, u.version, ");
	record_sql_json(s, o, "u");
	record_sql_text(o, " as body from ins u)");
	record_sql_idempotency(s, v, o, "res", "201", true);
	if (record_sql_follows(s))
		record_sql_text(o, " select case when r.id is not null then 201 else 422 end as "
				   "status, r.version, r.body from (select 1) one left join res r "
				   "on true");
	else
		record_sql_text(o, " select 201 as status, r.version, r.body from res r");
}

void
record_sql_current(const struct record_shape *s, const struct record_values *v,
		   struct record_out *o)
{
	record_sql_param(o, OID_UUID, v->id);
	record_sql_param(o, OID_INT4, v->version);
	record_sql_text(o,
			", cur as (select (t.*)::crm.%s as r, t.id, t.version from crm.%s t where "
			"t.id = $3",
			s->resource->table, s->resource->table);
	record_sql_scope(s, v, o);
	record_sql_text(o, " for update)");
}

static void
build_patch(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	const char *table = s->resource->table;
	record_sql_act(v, o);
	record_sql_current(s, v, o);
	record_sql_param(o, OID_JSONB, v->body);
	record_sql_text(o, ", upd as (update crm.%s t set ", table);
	record_sql_update_set(s, o);
	record_sql_text(
		o,
		" from act, cur c, jsonb_populate_record(c.r, $%u) n where t.id = $3 and t.id = "
		"c.id "
		"and act.actor is not null and ($4 is null or c.version = $4)",
		o->n);
	if (record_sql_follows(s))
		record_sql_owned(s, o, "n", 0);
	record_sql_text(o, " returning t.*), res as (select u.id, u.version, ");
	record_sql_json(s, o, "u");
	record_sql_text(o, " as body from upd u)");
	record_sql_idempotency(s, v, o, "res", "200", true);
	record_sql_text(o,
			" select case when r.id is not null then 200 when c.id is null then 404 "
			"%selse 412 end as status, "
			"coalesce(r.version, c.version) as version, r.body "
			"from (select 1) one left join cur c on true left join res r on true",
			record_sql_follows(s) ? "when $4 is null or c.version = $4 then 422 " : "");
}

static void
build_delete(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	record_sql_act(v, o);
	record_sql_current(s, v, o);
	record_sql_text(
		o,
		", del as (delete from crm.%s t using act, cur c where t.id = $3 and t.id = c.id "
		"and act.actor is not null and ($4 is null or c.version = $4) returning t.id)",
		s->resource->table);
	record_sql_text(
		o, ", res as (select d.id, null::int as version, null::text as body from del d)");
	record_sql_idempotency(s, v, o, "res", "204", false);
	record_sql_text(o, " select case when r.id is not null then 204 when c.id is null then 404 "
			   "else 412 end as status, "
			   "c.version, null::text as body "
			   "from (select 1) one left join cur c on true left join res r on true");
}

void
record_sql_key(const struct record_shape *s, struct buf *out)
{
	const struct record_query *q = s->query;
	const int64_t masks[] = { s->read_classes, s->write_classes, s->batch_ops };
	buf_add_int(out, record_catalog_generation(s->catalog));
	buf_add_char(out, '|');
	buf_add_str(out, s->resource->name);
	buf_add_char(out, '|');
	buf_add_cstr(out, statements[s->what].name);
	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		buf_add_char(out, '|');
		buf_add_int(out, masks[i]);
	}
	buf_add_cstr(out, s->keyed ? "k|" : "|");
	if (s->owned)
		buf_add_char(out, 'o');
	if (s->scope != NULL)
		buf_printf(out, "@%.*s", STR_FMT(s->scope->name));
	if (s->match != NULL)
		buf_printf(out, "=%.*s", STR_FMT(s->match->name));
	record_sql_parts_key(s, out);
	if (s->what == RECORD_SQL_HISTORY)
		buf_add_cstr(out, s->cursor != NULL ? "|after" : "|first");
	if (q == NULL)
		return;
	for (size_t i = 0; i < q->n_filters; i++)
		buf_printf(out, "|%.*s.%s", STR_FMT(q->filters[i].field->name),
			   record_op_name(q->filters[i].op));
	for (size_t i = 0; i < q->n_sort && s->what == RECORD_SQL_LIST; i++)
		buf_printf(out, "|%c%u%c", q->sort[i].desc ? '-' : '+', q->sort[i].field->index,
			   s->cursor == NULL                ? ' '
			   : s->cursor->values[i].p == NULL ? 'n'
							    : 'v');
	buf_add_char(out, '|');
	char *at = buf_room(out, s->resource->n_fields);
	if (at == NULL)
		return;
	for (size_t i = 0; i < s->resource->n_fields; i++)
		at[i] = q->selected[i] ? '1' : '0';
	buf_took(out, s->resource->n_fields);
}

enum err
record_sql_build(const struct record_shape *s, const struct record_values *values,
		 struct record_out *o)
{
	static const struct record_values none = { .limit = { NULL, 0 } };
	const struct record_values *v = values == NULL ? &none : values;
	o->n = 0;
	o->overflow = false;
	record_sql_text(o, "/* record %.*s %s */ ", STR_FMT(s->resource->name),
			statements[s->what].name);
	switch (s->what) {
	case RECORD_SQL_LIST:
		record_sql_list(s, v, o);
		break;
	case RECORD_SQL_GET:
		build_get(s, v, o);
		break;
	case RECORD_SQL_CREATE:
		build_create(s, v, o);
		break;
	case RECORD_SQL_PATCH:
		build_patch(s, v, o);
		break;
	case RECORD_SQL_DELETE:
		build_delete(s, v, o);
		break;
	case RECORD_SQL_BATCH:
	case RECORD_SQL_PROBE:
		record_sql_batch(s, v, o);
		break;
	case RECORD_SQL_HISTORY:
		record_sql_history(s, v, o);
		break;
	case RECORD_SQL_AS_OF:
		record_sql_as_of(s, v, o);
		break;
	case RECORD_SQL_UNDO:
		record_sql_undo(s, v, o);
		break;
	case RECORD_SQL_RESTORE:
		record_sql_restore(s, v, o);
		break;
	case RECORD_SQL_OVERVIEW:
		record_sql_overview(s, v, o);
		break;
	case RECORD_SQL_SEARCH:
		record_sql_search(s, v, o);
		break;
	case RECORD_SQL_COUNT:
		o->overflow = true;
		break;
	}
	return o->overflow || (o->text != NULL && o->text->failed) ? ERR_INTERNAL : ERR_OK;
}
