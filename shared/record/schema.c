/*
 * schema.c — JSON Schema of records. See schema.h.
 *
 * Place: the description of the API is made of these texts for each caller anew. Invariant: what value.c and input.c accept is
 * what a body's schema accepts, and what a column can hold is what a record's schema allows; the scenario tests check each reply
 * against it.
 */
#include "record/schema.h"

#include <inttypes.h>

#include "record/query.h"

#define TEXT_BYTES_MAX (256 * 1024)

enum direction { READ, WRITE };
enum body { CREATE, CHILD, PATCH };

static void
type_of(struct buf *out, const char *type, bool nullable)
{
	buf_printf(out, nullable ? "\"type\":[\"%s\",\"null\"]" : "\"type\":\"%s\"", type);
}

static void
text_schema(const struct record_field *f, enum direction d, bool nullable, struct buf *out)
{
	type_of(out, "string", nullable);
	if (d == WRITE && f->required && f->kind == RECORD_TEXT)
		buf_add_cstr(out, ",\"minLength\":1");
	if (f->max_length > 0)
		buf_printf(out, ",\"maxLength\":%" PRId64, f->max_length);
	if (f->n_choices == 0)
		return;
	buf_add_cstr(out, ",\"enum\":[");
	for (size_t i = 0; i < f->n_choices; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		buf_json_str(out, f->choices[i]);
	}
	buf_add_cstr(out, nullable ? ",null]" : "]");
}

static void
integer_schema(const struct record_field *f, bool nullable, struct buf *out)
{
	type_of(out, "integer", nullable);
	if (f->integer_bytes == 2)
		buf_printf(out, ",\"minimum\":%d,\"maximum\":%d", INT16_MIN, INT16_MAX);
	else
		buf_printf(out, ",\"format\":\"int%d\"", f->integer_bytes * 8);
}

static void
value_schema(const struct record_field *f, enum direction d, bool nullable, struct buf *out)
{
	switch (f->kind) {
	case RECORD_TEXT:
	case RECORD_ENUM:
		text_schema(f, d, nullable, out);
		break;
	case RECORD_INTEGER:
		integer_schema(f, nullable, out);
		break;
	case RECORD_DECIMAL:
		/* A string keeps the digits of clients whose numbers are doubles. */
		buf_printf(out, "\"type\":[\"number\"%s%s]", d == WRITE ? ",\"string\"" : "",
			   nullable ? ",\"null\"" : "");
		break;
	case RECORD_BOOLEAN:
		type_of(out, "boolean", nullable);
		break;
	case RECORD_DATE:
		type_of(out, "string", nullable);
		buf_add_cstr(out, ",\"format\":\"date\"");
		break;
	case RECORD_TIMESTAMP:
		type_of(out, "string", nullable);
		buf_add_cstr(out, ",\"format\":\"date-time\"");
		break;
	case RECORD_UUID:
		type_of(out, "string", nullable);
		buf_add_cstr(out, ",\"format\":\"uuid\"");
		break;
	case RECORD_JSON:
		buf_add_cstr(out, "\"description\":\"any JSON\"");
		break;
	}
}

static void
field_schema(const struct record_field *f, enum direction d, bool nullable, struct buf *out)
{
	buf_json_str(out, f->name);
	buf_add_cstr(out, ":{");
	value_schema(f, d, nullable, out);
	if (d == READ && !f->writable)
		buf_add_cstr(out, ",\"readOnly\":true");
	if (!f->system)
		buf_printf(out, ",\"x-class\":\"%s\"", record_class_name(f->cls));
	if (f->reference != NULL) {
		buf_add_cstr(out, ",\"x-reference\":");
		buf_json_cstr(out, f->reference);
	}
	buf_add_char(out, '}');
}

static void
record_schema(const struct record_resource *r, uint32_t classes, bool part, struct buf *out)
{
	bool first = true;
	buf_add_cstr(out, "{\"type\":\"object\",\"required\":[");
	buf_json_str(out, r->key->name);
	buf_add_cstr(out, "],\"properties\":{");
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct record_field *f = &r->fields[i];
		if (!record_field_readable(f, classes))
			continue;
		if (!first)
			buf_add_char(out, ',');
		first = false;
		field_schema(f, READ, !f->not_null, out);
	}
	if (part)
		buf_add_cstr(out, ",\"_set\":{\"$ref\":\"#/components/schemas/SetBy\"}");
	buf_add_cstr(out, "}}");
}

static bool
is_required(const struct record_resource *r, const struct record_field *f, enum body what)
{
	return f->required && what != PATCH && (what != CHILD || f != r->parent_field);
}

static void
body_schema(const struct record_resource *r, uint32_t classes, enum body what, struct buf *out)
{
	const char *between = "";
	buf_add_cstr(out, "{\"type\":\"object\",\"required\":[");
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct record_field *f = &r->fields[i];
		if (!record_field_writable(f, classes) || !is_required(r, f, what))
			continue;
		buf_add_cstr(out, between);
		buf_json_str(out, f->name);
		between = ",";
	}
	buf_add_cstr(out, "],\"properties\":{");
	between = "";
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct record_field *f = &r->fields[i];
		if (!record_field_writable(f, classes))
			continue;
		buf_add_cstr(out, between);
		between = ",";
		field_schema(f, WRITE, !f->required && (what != PATCH || !f->not_null), out);
	}
	buf_add_cstr(out, "},\"additionalProperties\":false}");
}

/* An array of names, written a,b in the query. */
static void
names_parameter(const struct record_resource *r, uint32_t classes, bool sort, struct buf *out)
{
	const char *between = "";
	buf_printf(out,
		   "{\"name\":\"%s\",\"in\":\"query\",\"description\":\"%s\",\"style\":\"form\","
		   "\"explode\":false,\"schema\":{\"type\":\"array\",",
		   sort ? "sort" : "fields",
		   sort ? "the order; a minus in front turns it" : "only these, beside the key");
	if (sort)
		buf_printf(out, "\"maxItems\":%d,", RECORD_SORT_MAX);
	buf_add_cstr(out, "\"items\":{\"type\":\"string\",\"enum\":[");
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct record_field *f = &r->fields[i];
		if (!record_field_readable(f, classes) || (sort && !f->sortable))
			continue;
		buf_add_cstr(out, between);
		buf_json_str(out, f->name);
		if (sort)
			buf_printf(out, ",\"-%.*s\"", STR_FMT(f->name));
		between = ",";
	}
	buf_add_cstr(out, "]}}}");
}

static void
filters(const struct record_resource *r, uint32_t classes, struct buf *out)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct record_field *f = &r->fields[i];
		if (!f->filterable || !record_field_readable(f, classes))
			continue;
		buf_add_cstr(out, "{\"name\":");
		buf_json_str(out, f->name);
		buf_printf(out,
			   ",\"in\":\"query\",\"description\":\"by this field, a%s %s\",\"schema\":"
			   "{\"type\":\"string\"}},",
			   f->kind == RECORD_INTEGER || f->kind == RECORD_ENUM ? "n" : "",
			   record_kind_name(f->kind));
	}
	names_parameter(r, classes, true, out);
	buf_add_char(out, ',');
	names_parameter(r, classes, false, out);
}

enum err
record_schema_of(const struct record_resource *r, uint32_t read_classes, uint32_t write_classes,
		 struct arena *a, struct record_schema *out)
{
	struct str *const texts[] = { &out->record, &out->part,    &out->create, &out->child,
				      &out->patch,  &out->filters, &out->fields };
	struct buf b;
	enum err err = ERR_OK;

	*out = (struct record_schema) { .child = STR_NONE };
	buf_init(&b, TEXT_BYTES_MAX);
	for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(texts); i++) {
		if (texts[i] == &out->child && r->parent_field == NULL)
			continue;
		buf_reset(&b);
		if (texts[i] == &out->record || texts[i] == &out->part)
			record_schema(r, read_classes, texts[i] == &out->part, &b);
		else if (texts[i] == &out->filters)
			filters(r, read_classes, &b);
		else if (texts[i] == &out->fields)
			names_parameter(r, read_classes, false, &b);
		else
			body_schema(r, write_classes,
				    texts[i] == &out->create  ? CREATE
				    : texts[i] == &out->child ? CHILD
							      : PATCH,
				    &b);
		*texts[i] = b.failed ? STR_NONE : arena_str(a, buf_str(&b));
		if (texts[i]->p == NULL)
			err = ERR_NO_MEMORY;
	}
	buf_free(&b);
	return err;
}
