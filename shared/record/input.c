/*
 * input.c — bodies of create, patch and batch against the registry. See input.h.
 *
 * Place: write.c and batch.c call it before they build a statement. Invariant: a body that passes
 * holds only fields that exist, that this actor may write, and whose values are of the right
 * lexical type.
 */
#include "record/input.h"

#include <stdio.h>
#include <string.h>

#include "base/json_scan.h"
#include "record/record.h"

#define FAULTS_BYTES_MAX (64 * 1024)
#define POINTER_SIZE 160

void
record_faults_init(struct record_faults *f)
{
	f->count = 0;
	f->forbidden = false;
	buf_init(&f->json, FAULTS_BYTES_MAX);
}

void
record_faults_free(struct record_faults *f)
{
	buf_free(&f->json);
}

void
record_fault_add(struct record_faults *f, const char *pointer, const char *code, const char *detail)
{
	f->count++;
	if (f->count > RECORD_FAULTS_MAX)
		return;
	if (f->count > 1)
		buf_add_char(&f->json, ',');
	buf_add_cstr(&f->json, "{\"pointer\":");
	buf_json_cstr(&f->json, pointer);
	buf_add_cstr(&f->json, ",\"code\":");
	buf_json_cstr(&f->json, code);
	buf_add_cstr(&f->json, ",\"detail\":");
	buf_json_cstr(&f->json, detail);
	buf_add_char(&f->json, '}');
}

struct str
record_faults_members(const struct record_faults *f, struct arena *a)
{
	const struct str json = buf_str(&f->json);
	char *text = arena_printf(a, "\"errors\":[%.*s]", STR_FMT(json));
	return str_of(text);
}

/* prefix + "/" + key with ~ and / escaped (RFC 6901); long keys are cut. */
static void
pointer_of(const char *prefix, struct str key, char out[POINTER_SIZE])
{
	size_t n = (size_t)snprintf(out, POINTER_SIZE, "%s/", prefix);
	for (size_t i = 0; i < key.len && n + 3 < POINTER_SIZE; i++) {
		if (key.p[i] == '~' || key.p[i] == '/') {
			out[n++] = '~';
			out[n++] = key.p[i] == '~' ? '0' : '1';
		} else {
			out[n++] = key.p[i];
		}
	}
	out[n] = '\0';
}

static void
unknown_field(const struct record_input *in, struct str key, const char *pointer,
	      struct record_faults *faults)
{
	char detail[RECORD_DETAIL_SIZE];
	const struct str near =
		record_field_nearest(in->resource, key, in->read_classes | in->write_classes);
	if (near.p != NULL)
		(void)snprintf(detail, sizeof(detail),
			       "%.*s have no such field; did you mean \"%.*s\"?",
			       STR_FMT(in->resource->name), STR_FMT(near));
	else
		(void)snprintf(detail, sizeof(detail), "%.*s have no such field",
			       STR_FMT(in->resource->name));
	record_fault_add(faults, pointer, "unknown_field", detail);
}

/* May this actor write the field at all? */
static bool
may_write(const struct record_input *in, const struct record_field *f, const char *pointer,
	  struct record_faults *faults)
{
	char detail[RECORD_DETAIL_SIZE];
	if (!f->writable) {
		record_fault_add(faults, pointer, "read_only",
				 "the field cannot be written through the API");
		return false;
	}
	if (!record_field_writable(f, in->write_classes)) {
		(void)snprintf(detail, sizeof(detail),
			       "the field is of class %s, which this principal may not write",
			       record_class_name(f->cls));
		faults->forbidden = true;
		record_fault_add(faults, pointer, "forbidden", detail);
		return false;
	}
	return true;
}

/* A record that is written under a limited scope stays with its owners: see record.h. */
static bool
may_own(const struct record_input *in, const struct record_field *f, const struct json_member *m,
	struct str text, const char *pointer, struct record_faults *faults)
{
	if (in->owners == NULL || f != record_owner_field(in->resource) ||
	    (m->kind == JSON_NULL && in->what == RECORD_INPUT_CREATE) ||
	    (m->kind == JSON_STRING && record_owners_have(in->owners, text)))
		return true;
	faults->forbidden = true;
	record_fault_add(faults, pointer, "out_of_scope",
			 "this principal may write records of certain owners only, and this is "
			 "not one of them");
	return false;
}

/* The text of a value: strings without quotes and escapes, everything else as written. */
static enum err
plain_text(const struct json_member *m, struct arena *a, struct str *out)
{
	*out = m->value;
	if (m->kind != JSON_STRING)
		return ERR_OK;
	if (memchr(m->value.p, '\\', m->value.len) != NULL)
		return json_unescape(m->value, a, out);
	*out = (struct str) { m->value.p + 1, m->value.len - 2 };
	return ERR_OK;
}

static enum err
check_member(const struct record_input *in, const struct json_member *m, struct arena *a,
	     bool *present, struct record_faults *faults)
{
	char pointer[POINTER_SIZE];
	pointer_of(in->prefix, m->key, pointer);
	const struct record_field *f = record_field_find(in->resource, m->key);
	if (f == NULL || (f->cls == RECORD_SECRET && !f->system)) {
		unknown_field(in, m->key, pointer, faults);
		return ERR_OK;
	}
	struct str text = STR_NONE;
	const enum err err = plain_text(m, a, &text);
	if (err != ERR_OK)
		return err;
	if (f == in->given) {
		if (!str_ieq(text, in->given_value))
			record_fault_add(faults, pointer, "fixed",
					 "must be the value that the path or the operation names");
		return ERR_OK;
	}
	if (!may_write(in, f, pointer, faults) || !may_own(in, f, m, text, pointer, faults))
		return ERR_OK;
	if (m->kind == JSON_NULL) {
		if (in->what == RECORD_INPUT_PATCH && (f->required || f->not_null))
			record_fault_add(faults, pointer, "required", "cannot be cleared");
		return ERR_OK;
	}
	present[f->index] = true;
	struct record_fault fault;
	if (!record_json_ok(f, m->kind, text, &fault))
		record_fault_add(faults, pointer, fault.code, fault.detail);
	else if (f->required && f->kind == RECORD_TEXT && text.len == 0)
		record_fault_add(faults, pointer, "required", "cannot be empty");
	return ERR_OK;
}

enum err
record_input_check(const struct record_input *in, struct str body, struct arena *a,
		   struct record_faults *faults, struct err_info *info)
{
	struct json_member members[RECORD_FIELDS_MAX];
	bool present[RECORD_FIELDS_MAX] = { false };
	size_t n = RECORD_FIELDS_MAX;
	enum err err = json_scan_object(body, a, members, &n, info);
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = check_member(in, &members[i], a, present, faults);
	if (err != ERR_OK)
		return err_set(info, err, NULL, "the body needs too much memory");
	if (in->what != RECORD_INPUT_CREATE)
		return ERR_OK;
	for (size_t i = 0; i < in->resource->n_fields; i++) {
		const struct record_field *f = &in->resource->fields[i];
		if (!f->required || present[i] || f == in->given)
			continue;
		/* A wrong value was reported above; a null or an absent one is reported here. */
		char pointer[POINTER_SIZE];
		pointer_of(in->prefix, f->name, pointer);
		record_fault_add(faults, pointer, "required", "must be given");
	}
	return ERR_OK;
}
