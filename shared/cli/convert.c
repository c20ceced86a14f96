/*
 * convert.c — see convert.h. Order for one value: trim, repair, missing, translate, convert, look up.
 */
#include "cli/convert.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void
converted_init(struct converted *out)
{
	*out = (struct converted) { .state = CONVERT_ACCEPTED };
	buf_init(&out->data, CLI_BODY_BYTES_MAX);
}

void
converted_free(struct converted *out)
{
	buf_free(&out->data);
}

static void
note(struct converted *out, enum convert_kind kind, const struct mapping_field *f, struct str old,
     struct str now, const char *reason)
{
	if (kind == CONVERT_REFUSAL)
		out->state = CONVERT_REFUSED;
	else if (kind == CONVERT_REPAIR && out->state == CONVERT_ACCEPTED)
		out->state = CONVERT_REPAIRED;
	if (out->n_notes < ARRAY_LEN(out->notes))
		out->notes[out->n_notes++] = (struct convert_note) { kind, f, old, now, reason };
}

static const struct mapping_pair *
pair_find(const struct mapping_pair *p, struct str value)
{
	while (p != NULL && !str_eq(p->from, value))
		p = p->next;
	return p;
}

static bool
digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len > 0;
}

/* Appends a JSON number; false if it is not one as people write them (1234, -12.50). */
static bool
number(struct buf *out, struct str s, bool fraction)
{
	struct str whole = s;
	const bool minus = str_starts(s, "-");

	if (s.len > 40)
		return false;
	if (minus)
		whole = (struct str) { s.p + 1, s.len - 1 };
	struct str rest = whole;
	whole = str_cut(&rest, '.');
	if (!digits(whole) || (rest.p != NULL && (!fraction || !digits(rest))))
		return false;
	while (whole.len > 1 && whole.p[0] == '0') {
		whole.p++;
		whole.len--;
	}
	buf_printf(out, "%s%.*s", minus ? "-" : "", STR_FMT(whole));
	if (rest.p != NULL)
		buf_printf(out, ".%.*s", STR_FMT(rest));
	return true;
}

/* Three whole numbers with a separator; the year has four digits. */
static bool
date(struct buf *out, struct str s, enum mapping_type type)
{
	const char sep = type == MAPPING_DATE ? '-' : type == MAPPING_DATE_MDY ? '/' : '.';
	int64_t part[3];
	char text[16];
	usec_t at;
	struct str rest = s;

	for (unsigned i = 0; i < 3; i++) {
		const struct str one = str_cut(&rest, sep);
		const bool year = type == MAPPING_DATE ? i == 0 : i == 2;
		if (!digits(one) || (year ? one.len != 4 : one.len > 2) ||
		    str_int(one, 1, 9999, &part[i]) != ERR_OK)
			return false;
	}
	if (rest.p != NULL)
		return false;
	const int64_t year = type == MAPPING_DATE ? part[0] : part[2];
	const int64_t month = type == MAPPING_DATE_MDY ? part[0] : part[1];
	const int64_t day = type == MAPPING_DATE       ? part[2]
			    : type == MAPPING_DATE_MDY ? part[1]
						       : part[0];
	const int n = snprintf(text, sizeof(text), "%04lld-%02lld-%02lld", (long long)year,
			       (long long)month, (long long)day);
	if (n != 10 || clock_parse_rfc3339(str_of(text), &at) != ERR_OK)
		return false;
	buf_json_cstr(out, text);
	return true;
}

static bool
boolean(struct buf *out, struct str s)
{
	static const char *const yes[] = { "true", "yes", "y", "t", "1" };
	static const char *const no[] = { "false", "no", "n", "f", "0" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		const bool is_yes = str_ieq(s, str_of(yes[i]));
		if (!is_yes && !str_ieq(s, str_of(no[i])))
			continue;
		buf_add_cstr(out, is_yes ? "true" : "false");
		return true;
	}
	return false;
}

/* Appends the value as JSON; NULL, or what is wrong with it. */
static const char *
value_add(struct buf *out, enum mapping_type type, struct str s)
{
	switch (type) {
	case MAPPING_TEXT:
		buf_json_str(out, s);
		return NULL;
	case MAPPING_INTEGER:
		return number(out, s, false) ? NULL : "not a whole number";
	case MAPPING_DECIMAL:
		return number(out, s, true) ? NULL : "not a decimal number";
	case MAPPING_BOOLEAN:
		return boolean(out, s) ? NULL : "neither yes nor no";
	case MAPPING_DATE:
		return date(out, s, type) ? NULL : "not a date such as 2026-05-31";
	case MAPPING_DATE_MDY:
		return date(out, s, type) ? NULL : "not a date such as 5/31/2026";
	case MAPPING_DATE_DMY:
		return date(out, s, type) ? NULL : "not a date such as 31.5.2026";
	}
	return "of an unknown type";
}

static void
member_begin(struct buf *out, const struct mapping_field *f)
{
	if (out->len > 1)
		buf_add_char(out, ',');
	buf_json_cstr(out, f->name);
	buf_add_char(out, ':');
}

/* Look up and append; false: noted or failed. */
static void
lookup_add(struct convert *v, const struct mapping_field *f, struct str old, struct str value,
	   struct converted *out)
{
	char id[CLI_ID_SIZE];

	if (f->later && !v->second) {
		out->later = true;
		return;
	}
	if (v->lookup(v->arg, f, value, id, &v->failed)) {
		member_begin(&out->data, f);
		buf_json_cstr(&out->data, id);
	} else if (!v->failed) {
		note(out, CONVERT_REFUSAL, f, old, STR_NONE, "nothing is known under that name");
	}
}

static void
missing_add(const struct mapping_field *f, struct str old, struct converted *out)
{
	switch (f->missing) {
	case MAPPING_NULL:
		return;
	case MAPPING_LIST:
		note(out, CONVERT_LISTED, f, old, STR_NONE, "empty; taken without it");
		return;
	case MAPPING_REFUSE:
		note(out, CONVERT_REFUSAL, f, old, STR_NONE, "empty, but needed");
		return;
	case MAPPING_REPAIR:
		note(out, CONVERT_REPAIR, f, old, str_of(f->fallback), "empty");
		member_begin(&out->data, f);
		if (value_add(&out->data, f->type, str_of(f->fallback)) != NULL)
			note(out, CONVERT_REFUSAL, f, str_of(f->fallback), STR_NONE,
			     "the default is not of the field's type");
		return;
	}
}

static void
field_add(struct convert *v, const struct mapping_field *f, struct str old, struct converted *out)
{
	struct str value = str_trim(old);
	const struct mapping_pair *repair = pair_find(f->repairs, value);

	if (repair != NULL) {
		note(out, CONVERT_REPAIR, f, old, repair->to, "known wrong value");
		value = repair->to;
	} else if (value.len != old.len && value.len > 0) {
		note(out, CONVERT_REPAIR, f, old, value, "spaces around the value");
	}
	if (value.len == 0) {
		missing_add(f, old, out);
		return;
	}
	if (f->values != NULL) {
		const struct mapping_pair *p = pair_find(f->values, value);
		if (p == NULL) {
			note(out, CONVERT_REFUSAL, f, old, STR_NONE,
			     "not one of the values in the mapping");
			return;
		}
		value = p->to;
	}
	if (strcmp(f->name, v->mapping->match) == 0)
		out->key = value;
	if (f->lookup_resource != NULL) {
		lookup_add(v, f, old, value, out);
		return;
	}
	member_begin(&out->data, f);
	const char *wrong = value_add(&out->data, f->type, value);
	if (wrong != NULL)
		note(out, CONVERT_REFUSAL, f, old, STR_NONE, wrong);
}

void
convert_row(struct convert *v, const struct csv *row, struct converted *out)
{
	const struct mapping *m = v->mapping;

	buf_reset(&out->data);
	out->state = CONVERT_ACCEPTED;
	out->key = STR_NONE;
	out->later = false;
	out->n_notes = 0;
	if (row->n != m->n_columns) {
		note(out, CONVERT_REFUSAL, NULL, STR_NONE, STR_NONE,
		     "another number of fields than the first row");
		return;
	}
	buf_add_char(&out->data, '{');
	for (size_t i = 0; i < m->n && !v->failed; i++) {
		const struct mapping_field *f = &m->fields[i];
		field_add(v, f, f->column != NULL ? csv_field(row, f->index) : str_of(f->constant),
			  out);
	}
	buf_add_char(&out->data, '}');
	if (out->data.failed)
		note(out, CONVERT_REFUSAL, NULL, STR_NONE, STR_NONE, "the row is too large");
}
