/*
 * sql_list.c — the text of a list: filters, order, and where the page before ended. See sql.h.
 *
 * The page is found by its last row's sort values, never by an offset: a row comparison where one
 * index can serve it, else column by column.
 */
#include "record/sql.h"

static const char *const operators[RECORD_OPS] = {
	[RECORD_EQ] = "=",
	[RECORD_NEQ] = "<>",
	[RECORD_GT] = ">",
	[RECORD_GTE] = ">=",
	[RECORD_LT] = "<",
	[RECORD_LTE] = "<=",
	[RECORD_IS_NULL] = "is null",
	[RECORD_IS_NOT_NULL] = "is not null",
	[RECORD_IS_TRUE] = "is true",
	[RECORD_IS_FALSE] = "is false",
};

const char *
record_sql_operator(enum record_op op)
{
	return operators[op];
}

static void
filter_and(const struct record_filter *f, struct record_out *o)
{
	if (f->op >= RECORD_IS_NULL) {
		record_sql_text(o, " and t.%.*s %s", STR_FMT(f->field->name), operators[f->op]);
		return;
	}
	record_sql_param(o, record_sql_oid(f->field->kind, f->op == RECORD_IN), f->value);
	if (f->op == RECORD_IN)
		record_sql_text(o, " and t.%.*s = any ($%u)", STR_FMT(f->field->name), o->n);
	else
		record_sql_text(o, " and t.%.*s %s $%u", STR_FMT(f->field->name), operators[f->op],
				o->n);
}

/* All columns NOT NULL and in one direction: a row comparison, which an index can serve as one
 * range. */
static bool
keyset_is_row(const struct record_query *q)
{
	for (size_t i = 0; i < q->n_sort; i++) {
		if (!q->sort[i].field->not_null || q->sort[i].desc != q->sort[0].desc)
			return false;
	}
	return true;
}

static void
keyset_row(const struct record_query *q, const struct record_cursor *c, struct record_out *o)
{
	record_sql_text(o, " and (");
	for (size_t i = 0; i < q->n_sort; i++)
		record_sql_text(o, "%st.%.*s", i > 0 ? ", " : "", STR_FMT(q->sort[i].field->name));
	record_sql_text(o, ") %s (", q->sort[0].desc ? "<" : ">");
	for (size_t i = 0; i < q->n_sort; i++) {
		record_sql_param(o, record_sql_oid(q->sort[i].field->kind, false), c->values[i]);
		record_sql_text(o, "%s$%u", i > 0 ? ", " : "", o->n);
	}
	record_sql_text(o, ")");
}

/* Rows after the cursor in the order of one column; NULL counts as greater than every value, in
 * either direction. */
static void
keyset_after(const struct record_sort *k, bool null, unsigned param, struct record_out *o)
{
	const struct str name = k->field->name;
	if (null && k->desc)
		record_sql_text(o, "t.%.*s is not null", STR_FMT(name));
	else if (null)
		record_sql_text(o, "false");
	else if (k->desc)
		record_sql_text(o, "t.%.*s < $%u", STR_FMT(name), param);
	else if (k->field->not_null)
		record_sql_text(o, "t.%.*s > $%u", STR_FMT(name), param);
	else
		record_sql_text(o, "(t.%.*s > $%u or t.%.*s is null)", STR_FMT(name), param,
				STR_FMT(name));
}

/* after(1) or (same(1) and (after(2) or (same(2) and …))) */
static void
keyset_and(const struct record_query *q, const struct record_cursor *c, struct record_out *o)
{
	if (keyset_is_row(q)) {
		keyset_row(q, c, o);
		return;
	}
	record_sql_text(o, " and (");
	for (size_t i = 0; i < q->n_sort; i++) {
		const struct record_sort *k = &q->sort[i];
		const bool null = c->values[i].p == NULL;
		if (!null)
			record_sql_param(o, record_sql_oid(k->field->kind, false), c->values[i]);
		keyset_after(k, null, o->n, o);
		if (i + 1 == q->n_sort)
			break;
		if (null)
			record_sql_text(o, " or (t.%.*s is null and (", STR_FMT(k->field->name));
		else
			record_sql_text(o, " or (t.%.*s = $%u and (", STR_FMT(k->field->name),
					o->n);
	}
	for (size_t i = 1; i < q->n_sort; i++)
		record_sql_text(o, "))");
	record_sql_text(o, ")");
}

void
record_sql_filters(const struct record_query *q, struct record_out *o)
{
	for (size_t i = 0; i < q->n_filters; i++)
		filter_and(&q->filters[i], o);
}

void
record_sql_order(const struct record_query *q, struct record_out *o)
{
	record_sql_text(o, " order by ");
	for (size_t i = 0; i < q->n_sort; i++)
		record_sql_text(o, "%st.%.*s%s", i > 0 ? ", " : "", STR_FMT(q->sort[i].field->name),
				q->sort[i].desc ? " desc" : "");
}

void
record_sql_list(const struct record_shape *s, const struct record_values *v, struct record_out *o)
{
	const struct record_query *q = s->query;
	record_sql_text(o, "select ");
	record_sql_json(s, o, "t");
	for (size_t i = 0; i < q->n_sort; i++)
		record_sql_text(o, ", t.%.*s::text", STR_FMT(q->sort[i].field->name));
	record_sql_text(o, " from crm.%s t where true", s->resource->table);
	record_sql_scope(s, v, o);
	record_sql_filters(q, o);
	if (s->cursor != NULL)
		keyset_and(q, s->cursor, o);
	record_sql_order(q, o);
	record_sql_param(o, OID_INT8, v->limit);
	record_sql_text(o, " limit $%u", o->n);
}
