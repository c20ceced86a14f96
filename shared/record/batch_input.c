/*
 * batch_input.c — the body of a batch. See batch.h.
 *
 * Place: batch.c reads the body here before it writes anything. Invariant: what comes out has known
 * operations only, each with what it needs, and data that has passed record_input_check.
 */
#include "record/batch.h"

#include <stdio.h>
#include <string.h>

#include "base/json_scan.h"
#include "http/http.h"

#define MEMBERS_MAX 8
#define POINTER_SIZE 48

/* One operation while it is read. */
struct reader {
	struct task *t;
	struct record_state *s;
	struct record_batch_item *item;
	struct record_faults *faults;
	char pointer[POINTER_SIZE];
};

static const struct {
	const char *name;
	enum record_batch_op op;
} ops[] = {
	{ "create", RECORD_BATCH_CREATE },
	{ "update", RECORD_BATCH_UPDATE },
	{ "delete", RECORD_BATCH_DELETE },
	{ "upsert", RECORD_BATCH_UPSERT },
};

static void
fault(struct reader *r, const char *member, const char *code, const char *detail)
{
	char pointer[POINTER_SIZE + 16];
	(void)snprintf(pointer, sizeof(pointer), "%s%s%s", r->pointer, member[0] == '\0' ? "" : "/",
		       member);
	record_fault_add(r->faults, pointer, code, detail);
}

static const struct json_member *
member(const struct json_member *m, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_is(m[i].key, name))
			return &m[i];
	}
	return NULL;
}

/* A string member without quotes; false: a fault was added. An absent one is STR_NONE. */
static bool
string_member(struct reader *r, const struct json_member *m, const char *name, struct str *out)
{
	*out = STR_NONE;
	if (m == NULL)
		return true;
	if (m->kind != JSON_STRING) {
		fault(r, name, "wrong_type", "must be a string");
		return false;
	}
	if (json_unescape(m->value, &r->t->t_arena, out) != ERR_OK) {
		fault(r, name, "too_long", "the request needs too much memory");
		return false;
	}
	return true;
}

static bool
read_kind(struct reader *r, const struct json_member *m)
{
	struct str name;
	if (!string_member(r, m, "op", &name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(ops) && name.p != NULL; i++) {
		if (str_is(name, ops[i].name)) {
			r->item->op = ops[i].op;
			return true;
		}
	}
	fault(r, "op", m == NULL ? "required" : "not_a_choice",
	      "must be one of: create, update, delete, upsert");
	return false;
}

static void
read_id(struct reader *r, const struct json_member *m)
{
	struct record_batch_item *item = r->item;
	struct uuid u;
	if (item->op == RECORD_BATCH_CREATE || item->op == RECORD_BATCH_UPSERT) {
		if (m != NULL)
			fault(r, "id", "read_only", "ids of new records are made by the server");
		char *text = arena_alloc(&r->t->t_arena, UUID_TEXT_SIZE);
		if (text == NULL) {
			fault(r, "", "too_long", "the request needs too much memory");
			return;
		}
		uuid_v7(&u);
		uuid_text(&u, text);
		item->id = str_of(text);
		return;
	}
	struct str text;
	if (!string_member(r, m, "id", &text))
		return;
	if (text.p == NULL)
		fault(r, "id", "required", "must be given");
	else if (uuid_parse(text, &u) != ERR_OK)
		fault(r, "id", "bad_format", "must be a UUID");
	item->id = text;
}

static void
read_version(struct reader *r, const struct json_member *m)
{
	struct str text;
	if (!string_member(r, m, "if_match", &text))
		return;
	if (text.p == NULL) {
		if (r->item->op == RECORD_BATCH_UPDATE || r->item->op == RECORD_BATCH_DELETE)
			fault(r, "if_match", "required",
			      "must be the version as it was read, such as \"v3\", or \"*\"");
		return;
	}
	if (r->item->op == RECORD_BATCH_CREATE)
		fault(r, "if_match", "unknown_field", "a create has no version to match");
	else if (record_version_parse(text, &r->item->version) != ERR_OK)
		fault(r, "if_match", "bad_format", "must be a version such as \"v3\", or \"*\"");
}

static void
read_match(struct reader *r, const struct json_member *match, const struct json_member *value)
{
	struct record_batch_item *item = r->item;
	struct str name;
	if (item->op != RECORD_BATCH_UPSERT) {
		if (match != NULL || value != NULL)
			fault(r, match != NULL ? "match" : "value", "unknown_field",
			      "only an upsert has match and value");
		return;
	}
	if (!string_member(r, match, "match", &name))
		return;
	const struct record_field *f =
		name.p == NULL ? NULL : record_field_find(r->s->resource, name);
	if (f == NULL || !f->unique || !record_field_writable(f, r->s->call.write_classes)) {
		fault(r, "match", name.p == NULL ? "required" : "not_a_choice",
		      "must name a field that is unique and that this principal may write, such as "
		      "external_id");
		return;
	}
	struct record_fault wrong;
	if (value == NULL || value->kind == JSON_NULL) {
		fault(r, "value", "required", "must be given");
		return;
	}
	item->value = value->value;
	if (value->kind == JSON_STRING && !string_member(r, value, "value", &item->value))
		return;
	if (!record_json_ok(f, value->kind, item->value, &wrong)) {
		fault(r, "value", wrong.code, wrong.detail);
		return;
	}
	item->match = f;
	item->value_json = value->value;
}

static enum err
read_data(struct reader *r, const struct json_member *m)
{
	struct record_batch_item *item = r->item;
	item->data = STR("{}");
	if (item->op == RECORD_BATCH_DELETE) {
		if (m != NULL)
			fault(r, "data", "unknown_field", "a delete has no data");
		return ERR_OK;
	}
	if (m == NULL || m->kind != JSON_OBJECT) {
		fault(r, "data", m == NULL ? "required" : "wrong_type", "must be an object");
		return ERR_OK;
	}
	if (item->op == RECORD_BATCH_UPSERT && item->match == NULL)
		return ERR_OK; /* without a field to match there is nothing to check the data
				  against */
	char prefix[POINTER_SIZE + 8];
	(void)snprintf(prefix, sizeof(prefix), "%s/data", r->pointer);
	const struct record_input in = {
		.resource = r->s->resource,
		.read_classes = r->s->call.read_classes,
		.write_classes = r->s->call.write_classes,
		.what = item->op == RECORD_BATCH_UPDATE ? RECORD_INPUT_PATCH : RECORD_INPUT_CREATE,
		.given = item->match != NULL ? item->match : r->s->scope,
		.given_value = item->match != NULL ? item->value : r->s->values.scope,
		.owners = r->s->call.owners,
		.prefix = prefix,
	};
	item->data = m->value;
	return record_input_check(&in, m->value, &r->t->t_arena, r->faults, &r->t->t_err);
}

static enum err
read_item(struct reader *r, struct str text)
{
	static const char *const known[] = { "op", "id", "match", "value", "if_match", "data" };
	struct json_member m[MEMBERS_MAX];
	size_t n = MEMBERS_MAX;
	const enum err err = json_scan_object(text, &r->t->t_arena, m, &n, &r->t->t_err);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < n; i++) {
		bool found = false;
		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			found = found || str_is(m[i].key, known[k]);
		if (!found)
			fault(r, "", "unknown_field",
			      "an operation has only op, id, match, value, if_match and data");
	}
	if (!read_kind(r, member(m, n, "op")))
		return ERR_OK;
	read_id(r, member(m, n, "id"));
	read_version(r, member(m, n, "if_match"));
	read_match(r, member(m, n, "match"), member(m, n, "value"));
	return read_data(r, member(m, n, "data"));
}

/* In mode each what is wrong with one operation is its own affair. */
static bool
keep_faults(struct reader *r, struct record_faults *faults)
{
	struct record_batch_item *item = r->item;
	if (faults->count == 0)
		return true;
	if (faults->forbidden)
		record_class_refused(r->t, r->s);
	(void)err_set(&item->failed, ERR_INVALID, NULL,
		      "%u value%s of the operation %s not acceptable", faults->count,
		      faults->count == 1 ? "" : "s", faults->count == 1 ? "is" : "are");
	item->members = record_faults_members(faults, &r->t->t_arena);
	return item->members.p != NULL;
}

static bool
read_items(struct task *t, struct record_state *s, struct record_batch_state *b,
	   const struct json_element *elements, struct record_faults *faults)
{
	for (size_t i = 0; i < b->n; i++) {
		struct record_faults own;
		struct reader r = {
			.t = t, .s = s, .item = &b->items[i], .faults = b->atomic ? faults : &own
		};
		(void)snprintf(r.pointer, sizeof(r.pointer), "/ops/%zu", i);
		record_faults_init(&own);
		enum err err = ERR_OK;
		if (elements[i].kind != JSON_OBJECT)
			fault(&r, "", "wrong_type", "must be an object");
		else
			err = read_item(&r, elements[i].value);
		const bool ok = err == ERR_OK && keep_faults(&r, &own);
		record_faults_free(&own);
		if (!ok) {
			(void)err_set(&t->t_err, err != ERR_OK ? err : ERR_NO_MEMORY, r.pointer,
				      "the operation could not be read");
			return false;
		}
		const struct record_field *match = b->items[i].match;
		b->ops |= (unsigned)b->items[i].op;
		if (b->atomic && match != NULL && b->match != NULL && match != b->match)
			fault(&r, "match", "conflict",
			      "all upserts of an atomic batch must match by the same field");
		if (match != NULL)
			b->match = match;
	}
	return true;
}

static bool
read_mode(struct task *t, const struct json_member *m, struct record_batch_state *b)
{
	b->atomic = true;
	if (m == NULL || (m->kind == JSON_STRING && str_is(m->value, "\"atomic\"")))
		return true;
	b->atomic = false;
	if (m->kind == JSON_STRING && str_is(m->value, "\"each\""))
		return true;
	(void)err_set(&t->t_err, ERR_INVALID, "/mode", "must be \"atomic\" or \"each\"");
	return false;
}

/* The envelope: {"mode":…,"ops":[…]}. */
static bool
read_envelope(struct task *t, struct record_batch_state *b, struct json_element **elements)
{
	struct json_member m[4];
	size_t n = ARRAY_LEN(m);
	if (json_scan_object(http_body(t), &t->t_arena, m, &n, &t->t_err) != ERR_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!str_is(m[i].key, "mode") && !str_is(m[i].key, "ops")) {
			(void)err_set(&t->t_err, ERR_INVALID, NULL,
				      "a batch has only the members mode and ops");
			return false;
		}
	}
	const struct json_member *list = member(m, n, "ops");
	if (!read_mode(t, member(m, n, "mode"), b))
		return false;
	if (list == NULL || list->kind != JSON_ARRAY) {
		(void)err_set(&t->t_err, ERR_INVALID, "/ops", "must be an array of operations");
		return false;
	}
	*elements = arena_alloc(&t->t_arena, RECORD_BATCH_MAX * sizeof(**elements));
	b->items = arena_alloc(&t->t_arena, RECORD_BATCH_MAX * sizeof(*b->items));
	b->n = RECORD_BATCH_MAX;
	if (*elements == NULL || b->items == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the request needs too much memory");
		return false;
	}
	if (json_scan_array(list->value, *elements, &b->n, &t->t_err) != ERR_OK)
		return false;
	if (b->n > 0)
		return true;
	(void)err_set(&t->t_err, ERR_INVALID, "/ops", "must have 1 to %d operations",
		      RECORD_BATCH_MAX);
	return false;
}

bool
record_batch_read(struct task *t, struct record_state *s)
{
	struct record_batch_state *b = arena_alloc(&t->t_arena, sizeof(*b));
	struct json_element *elements = NULL;
	if (b == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the request needs too much memory");
		return false;
	}
	s->batch = b;
	if (!read_envelope(t, b, &elements))
		return false;
	struct record_faults faults;
	record_faults_init(&faults);
	bool ok = read_items(t, s, b, elements, &faults);
	if (faults.forbidden)
		record_class_refused(t, s);
	if (ok && faults.count > 0) {
		t->t_err_members = record_faults_members(&faults, &t->t_arena);
		(void)err_set(&t->t_err, ERR_INVALID, NULL,
			      "%u value%s of the batch %s not acceptable; nothing was written",
			      faults.count, faults.count == 1 ? "" : "s",
			      faults.count == 1 ? "is" : "are");
		ok = false;
	}
	record_faults_free(&faults);
	return ok;
}

static void
item_json(const struct record_batch_item *item, size_t index, struct buf *out)
{
	const char *name = "";
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (ops[i].op == item->op)
			name = ops[i].name;
	}
	buf_printf(out, "{\"i\":%zu,\"op\":\"%s\",\"id\":\"%.*s\"", index, name, STR_FMT(item->id));
	if (item->version.p != NULL)
		buf_printf(out, ",\"v\":%.*s", STR_FMT(item->version));
	buf_add_cstr(out, ",\"d\":");
	if (item->match == NULL) {
		buf_add_str(out, item->data);
	} else {
		/* The value to match is part of the record; a later member of the same name wins in
		 * jsonb. */
		const struct str data = str_trim(item->data);
		const struct str inner = { data.p + 1, data.len - 2 };
		bool empty = true;
		for (size_t i = 0; i < inner.len; i++)
			empty = empty && strchr(" \t\r\n", inner.p[i]) != NULL;
		buf_add_char(out, '{');
		if (!empty) {
			buf_add_str(out, inner);
			buf_add_char(out, ',');
		}
		buf_json_str(out, item->match->name);
		buf_add_char(out, ':');
		buf_add_str(out, item->value_json);
		buf_add_cstr(out, "},\"k\":");
		buf_json_str(out, item->value);
	}
	buf_add_char(out, '}');
}

void
record_batch_json(const struct record_batch_state *b, size_t first, size_t end, struct buf *out)
{
	buf_init(out, RECORD_BATCH_JSON_MAX);
	buf_add_char(out, '[');
	for (size_t i = first; i < end; i++) {
		if (i > first)
			buf_add_char(out, ',');
		item_json(&b->items[i], i, out);
	}
	buf_add_char(out, ']');
}
