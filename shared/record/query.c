/*
 * query.c — query strings of lists and gets. See query.h.
 *
 * Place: read.c hands in the decoded pairs; sql.c turns the result into text and parameters.
 * Invariants: every field in the result is readable for the mask; every value has passed
 * record_value_ok for its field.
 */
#include "record/query.h"

#include <string.h>

#include "base/compiler.h"
#include "record/value.h"
#include "record/record.h"

#define ARRAY_TEXT_MAX 65536

static const char *const op_names[RECORD_OPS] = { "eq",          "neq",     "gt",      "gte",
						  "lt",          "lte",     "in",      "is.null",
						  "is.not_null", "is.true", "is.false" };

struct parse {
	const struct record_resource *resource;
	struct record_query *q;
	struct arena *arena;
	struct err_info *info;
	uint32_t classes;
	enum record_query_for what;
	bool have_limit, have_after, have_sort, have_fields;
};

const char *
record_op_name(enum record_op op)
{
	return op < RECORD_OPS ? op_names[op] : "?";
}

/* err_info wants a NUL-terminated place. */
static enum err
bad(struct parse *p, struct str name, const char *message, struct str about)
{
	char field[RECORD_NAME_MAX + 16];
	(void)str_copy(field, sizeof(field), name);
	return err_set(p->info, ERR_BAD_REQUEST, field, "%s%s%.*s%s", message,
		       about.len > 0 ? ": \"" : "", (int)MIN(about.len, (size_t)100),
		       about.p == NULL ? "" : about.p, about.len > 0 ? "\"" : "");
}

static enum err
field_readable(struct parse *p, struct str name, struct str parameter,
	       const struct record_field **out)
{
	const struct record_field *f = record_field_find(p->resource, name);
	char place[RECORD_NAME_MAX + 16];
	(void)str_copy(place, sizeof(place), parameter);
	/* A secret field is answered like one that does not exist. */
	if (f == NULL || (f->cls == RECORD_SECRET && !f->system)) {
		const struct str near = record_field_nearest(p->resource, name, p->classes);
		if (near.p != NULL)
			return err_set(p->info, ERR_BAD_REQUEST, place,
				       "%.*s has no field \"%.*s\"; did you mean \"%.*s\"?",
				       STR_FMT(p->resource->name), (int)MIN(name.len, (size_t)60),
				       name.p, STR_FMT(near));
		return err_set(p->info, ERR_BAD_REQUEST, place, "%.*s has no field \"%.*s\"",
			       STR_FMT(p->resource->name), (int)MIN(name.len, (size_t)60), name.p);
	}
	if (!record_field_readable(f, p->classes))
		return err_set(
			p->info, ERR_FORBIDDEN, place,
			"the field \"%.*s\" is of class %s, which this principal may not read",
			STR_FMT(f->name), record_class_name(f->cls));
	*out = f;
	return ERR_OK;
}

static enum err
parse_limit(struct parse *p, struct str value)
{
	int64_t v;
	if (p->have_limit)
		return bad(p, STR("limit"), "given twice", STR_NONE);
	p->have_limit = true;
	if (str_int(value, 1, RECORD_LIMIT_MAX, &v) != ERR_OK)
		return bad(p, STR("limit"), "must be a whole number from 1 to 200", value);
	p->q->limit = (unsigned)v;
	return ERR_OK;
}

static enum err
sort_add(struct parse *p, struct str item)
{
	struct record_query *q = p->q;
	const bool desc = item.len > 0 && item.p[0] == '-';
	const struct record_field *f = NULL;
	if (desc)
		item = (struct str) { item.p + 1, item.len - 1 };
	const enum err err = field_readable(p, item, STR("sort"), &f);
	if (err != ERR_OK)
		return err;
	if (!f->sortable)
		return bad(p, STR("sort"), "the field cannot be sorted by", item);
	for (size_t i = 0; i < q->n_sort; i++) {
		if (q->sort[i].field == f)
			return bad(p, STR("sort"), "the field is named twice", item);
	}
	if (q->n_sort == RECORD_SORT_MAX)
		return bad(p, STR("sort"), "names more than 4 fields", STR_NONE);
	q->sort[q->n_sort++] = (struct record_sort) { .field = f, .desc = desc };
	return ERR_OK;
}

static enum err
parse_sort(struct parse *p, struct str value)
{
	if (p->have_sort)
		return bad(p, STR("sort"), "given twice", STR_NONE);
	p->have_sort = true;
	struct str rest = value;
	do {
		const enum err err = sort_add(p, str_cut(&rest, ','));
		if (err != ERR_OK)
			return err;
	} while (rest.p != NULL);
	return ERR_OK;
}

static enum err
parse_fields(struct parse *p, struct str value)
{
	if (p->have_fields)
		return bad(p, STR("fields"), "given twice", STR_NONE);
	p->have_fields = true;
	bool *selected = arena_alloc(p->arena, p->resource->n_fields * sizeof(*selected));
	if (selected == NULL)
		return err_set(p->info, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	struct str rest = value;
	do {
		const struct record_field *f = NULL;
		const enum err err = field_readable(p, str_cut(&rest, ','), STR("fields"), &f);
		if (err != ERR_OK)
			return err;
		selected[f->index] = true;
	} while (rest.p != NULL);
	selected[p->resource->key->index] = true;
	p->q->selected = selected;
	return ERR_OK;
}

/* "gte.5" → RECORD_GTE and "5"; "is.null"; anything else is eq. */
static enum record_op
split_operator(struct str *value)
{
	for (enum record_op op = RECORD_EQ; op <= RECORD_IN; op++) {
		const size_t n = strlen(op_names[op]);
		if (value->len > n && memcmp(value->p, op_names[op], n) == 0 &&
		    value->p[n] == '.') {
			*value = (struct str) { value->p + n + 1, value->len - n - 1 };
			return op;
		}
	}
	for (enum record_op op = RECORD_IS_NULL; op < RECORD_OPS; op++) {
		if (str_is(*value, op_names[op]))
			return op;
	}
	return RECORD_EQ;
}

static enum err
value_check(struct parse *p, const struct record_field *f, struct str value)
{
	struct record_fault fault;
	if (record_value_ok(f, value, &fault))
		return ERR_OK;
	char field[RECORD_NAME_MAX + 16];
	(void)str_copy(field, sizeof(field), f->name);
	return err_set(p->info, ERR_BAD_REQUEST, field, "the value of \"%.*s\" %s",
		       STR_FMT(f->name), fault.detail);
}

/* One item of in.(…): bare up to the comma, or in double quotes with \ as escape. Returns false if
 * malformed. */
static bool
in_item(struct str *rest, char *out, size_t *len)
{
	size_t i = 0;
	*len = 0;
	if (rest->len > 0 && rest->p[0] == '"') {
		for (i = 1; i < rest->len && rest->p[i] != '"'; i++) {
			if (rest->p[i] == '\\' && ++i == rest->len)
				return false;
			out[(*len)++] = rest->p[i];
		}
		if (i++ == rest->len)
			return false;
	} else {
		for (; i < rest->len && rest->p[i] != ','; i++) {
			if (strchr("\"()", rest->p[i]) != NULL)
				return false;
			out[(*len)++] = rest->p[i];
		}
	}
	if (i < rest->len && rest->p[i] != ',')
		return false;
	*rest = i < rest->len ? (struct str) { rest->p + i + 1, rest->len - i - 1 } : STR_NONE;
	return true;
}

static void
array_add(struct buf *array, struct str item)
{
	if (array->len > 1)
		buf_add_char(array, ',');
	buf_add_char(array, '"');
	for (size_t i = 0; i < item.len; i++) {
		if (item.p[i] == '"' || item.p[i] == '\\')
			buf_add_char(array, '\\');
		buf_add_char(array, item.p[i]);
	}
	buf_add_char(array, '"');
}

static enum err
in_items(struct parse *p, const struct record_field *f, struct str list, char *item,
	 struct buf *array)
{
	struct str rest = list;
	size_t n = 0;
	buf_add_char(array, '{');
	while (rest.p != NULL) {
		size_t len = 0;
		if (!in_item(&rest, item, &len))
			return bad(p, f->name, "in expects a list such as in.(a,b)", list);
		if (++n > RECORD_IN_MAX)
			return bad(p, f->name, "in has more than 100 values", STR_NONE);
		const struct str value = { item, len };
		const enum err err = value_check(p, f, value);
		if (err != ERR_OK)
			return err;
		array_add(array, value);
	}
	buf_add_char(array, '}');
	return ERR_OK;
}

/* in.(a,b) → the text of a PostgreSQL array, each value checked. */
static enum err
parse_in(struct parse *p, const struct record_field *f, struct str value, struct str *out)
{
	if (value.len < 2 || value.p[0] != '(' || value.p[value.len - 1] != ')')
		return bad(p, f->name, "in expects a list such as in.(a,b)", value);
	char *item = arena_alloc(p->arena, value.len);
	if (item == NULL)
		return err_set(p->info, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	struct buf array;
	buf_init(&array, ARRAY_TEXT_MAX);
	enum err err = in_items(p, f, (struct str) { value.p + 1, value.len - 2 }, item, &array);
	if (err == ERR_OK) {
		*out = arena_str(p->arena, buf_str(&array));
		if (array.failed || out->p == NULL)
			err = err_set(p->info, ERR_NO_MEMORY, NULL,
				      "the request needs too much memory");
	}
	buf_free(&array);
	return err;
}

static enum err
parse_filter(struct parse *p, struct str name, struct str value)
{
	struct record_query *q = p->q;
	const struct record_field *f = NULL;
	enum err err = field_readable(p, name, name, &f);
	if (err != ERR_OK)
		return err;
	if (!f->filterable)
		return bad(p, name, "the field cannot be filtered by", name);
	if (q->n_filters == RECORD_FILTERS_MAX)
		return bad(p, name, "the request has more than 16 filters", STR_NONE);
	struct record_filter *filter = &q->filters[q->n_filters++];
	*filter =
		(struct record_filter) { .field = f, .op = split_operator(&value), .value = value };
	switch (filter->op) {
	case RECORD_IN:
		err = parse_in(p, f, value, &filter->value);
		break;
	case RECORD_IS_TRUE:
	case RECORD_IS_FALSE:
		if (f->kind != RECORD_BOOLEAN)
			err = bad(p, name, "is.true and is.false need a boolean field", name);
		filter->value = STR_NONE;
		break;
	case RECORD_IS_NULL:
	case RECORD_IS_NOT_NULL:
		filter->value = STR_NONE;
		break;
	default:
		err = value_check(p, f, value);
		break;
	}
	return err;
}

static enum err
parse_as_of(struct parse *p, struct str value)
{
	static const struct record_field moment = { .kind = RECORD_TIMESTAMP };
	struct record_fault fault;
	if (p->q->as_of.p != NULL)
		return bad(p, STR("as_of"), "given twice", STR_NONE);
	if (!record_value_ok(&moment, value, &fault))
		return err_set(p->info, ERR_BAD_REQUEST, "as_of", "the value of \"as_of\" %s",
			       fault.detail);
	p->q->as_of = value;
	return ERR_OK;
}

static enum err
parse_pair(struct parse *p, const struct record_pair *pair)
{
	if (str_is(pair->name, "fields"))
		return parse_fields(p, pair->value);
	if (p->what == RECORD_QUERY_GET && str_is(pair->name, "as_of"))
		return parse_as_of(p, pair->value);
	if (p->what == RECORD_QUERY_GET)
		return bad(p, pair->name, "this request takes only the parameters fields and as_of",
			   pair->name);
	if (str_is(pair->name, "limit"))
		return parse_limit(p, pair->value);
	if (str_is(pair->name, "sort"))
		return parse_sort(p, pair->value);
	if (str_is(pair->name, "after")) {
		if (p->have_after)
			return bad(p, STR("after"), "given twice", STR_NONE);
		p->have_after = true;
		p->q->after = pair->value;
		return ERR_OK;
	}
	return parse_filter(p, pair->name, pair->value);
}

/* The key makes the order total; it follows the direction of the last field, so that one index scan
 * serves both. */
static void
sort_finish(struct parse *p)
{
	struct record_query *q = p->q;
	for (size_t i = 0; i < q->n_sort; i++) {
		if (q->sort[i].field == p->resource->key) {
			q->n_sort = i + 1; /* nothing behind the key can matter */
			return;
		}
	}
	const bool desc = q->n_sort > 0 && q->sort[q->n_sort - 1].desc;
	q->sort[q->n_sort++] = (struct record_sort) { .field = p->resource->key, .desc = desc };
}

enum err
record_query_parse(const struct record_resource *r, uint32_t mask, enum record_query_for what,
		   const struct record_pair *pairs, size_t n, struct arena *a,
		   struct record_query *out, struct err_info *info)
{
	*out = (struct record_query) { .limit = RECORD_LIMIT_DEFAULT };
	struct parse p = {
		.resource = r, .q = out, .arena = a, .info = info, .classes = mask, .what = what
	};
	for (size_t i = 0; i < n; i++) {
		const enum err err = parse_pair(&p, &pairs[i]);
		if (err != ERR_OK)
			return err;
	}
	sort_finish(&p);
	if (out->selected != NULL)
		return ERR_OK;
	bool *selected = arena_alloc(a, r->n_fields * sizeof(*selected));
	if (selected == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	for (size_t i = 0; i < r->n_fields; i++)
		selected[i] = record_field_readable(&r->fields[i], mask);
	out->selected = selected;
	return ERR_OK;
}

void
record_query_binding(const struct record_resource *r, uint32_t mask, struct str scope,
		     const struct record_query *q, struct buf *out)
{
	buf_printf(out, "%.*s|%u|%zu:%.*s|", STR_FMT(r->name), mask, scope.len, (int)scope.len,
		   scope.p == NULL ? "" : scope.p);
	for (size_t i = 0; i < q->n_filters; i++) {
		const struct record_filter *f = &q->filters[i];
		buf_printf(out, "%.*s %s %zu:", STR_FMT(f->field->name), op_names[f->op],
			   f->value.len);
		if (f->value.p != NULL)
			buf_add_str(out, f->value);
		buf_add_char(out, ';');
	}
	for (size_t i = 0; i < q->n_sort; i++)
		buf_printf(out, "|%s%.*s", q->sort[i].desc ? "-" : "+",
			   STR_FMT(q->sort[i].field->name));
}
