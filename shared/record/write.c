/*
 * write.c — create, patch and delete; how undo and restore answer. See record.h.
 *
 * The body is checked against the registry, then one statement does it all: actor, lock, comparison
 * of the version, write, event row, and with an Idempotency-Key the kept reply. A repeat of such a
 * request violates the key's row, is undone as a whole, and is answered from the kept reply.
 * Failures are not kept: they changed nothing.
 */
#include "record/engine.h"

#include <stdio.h>
#include <string.h>

#include "http/http.h"

#define KEY_HEADER "Idempotency-Key"
#define FINGERPRINT_SIZE (2 + 2 * SHA256_BYTES + 1)

static bool
fail(struct task *t, enum err code, const char *field, const char *message)
{
	(void)err_set(&t->t_err, code, field, "%s", message);
	return false;
}

static bool
media_type_ok(struct str header, bool merge_patch)
{
	struct str rest = header;
	const struct str type = str_trim(str_cut(&rest, ';'));
	if (!str_ieq(type, STR("application/json")) &&
	    !(merge_patch && str_ieq(type, STR("application/merge-patch+json"))))
		return false;
	if (rest.p == NULL)
		return true;
	const struct str charset = str_trim(rest);
	return str_ieq(charset, STR("charset=utf-8")) || str_ieq(charset, STR("charset=\"utf-8\""));
}

/* The key as sent: visible ASCII, with or without the quotes of a structured header. */
static bool
idempotency_key(struct task *t, struct str *key)
{
	*key = http_header(t, KEY_HEADER);
	if (key->p == NULL)
		return true;
	if (key->len >= 2 && key->p[0] == '"' && key->p[key->len - 1] == '"')
		*key = (struct str) { key->p + 1, key->len - 2 };
	bool valid = key->len >= 1 && key->len <= RECORD_IDEMPOTENCY_KEY_MAX;
	for (size_t i = 0; valid && i < key->len; i++)
		valid = key->p[i] > ' ' && key->p[i] < 127;
	return valid ||
	       fail(t, ERR_BAD_REQUEST, KEY_HEADER, "must have 1 to 255 visible ASCII characters");
}

bool
record_write_allowed(struct task *t, struct record_state *s, bool merge_patch)
{
	if (s->engine->conf.copy)
		return fail(t, ERR_FORBIDDEN, NULL, "this is a read-only copy; write to core");
	if (http_query_count(t) > 0) {
		struct str name, value;
		http_query_at(t, 0, &name, &value);
		return fail(t, ERR_BAD_REQUEST, str_of(arena_strdup(&t->t_arena, name)).p,
			    "this request takes no parameters");
	}
	if (http_method_of(t) == HTTP_DELETE)
		return true;
	if (!media_type_ok(http_header(t, "Content-Type"), merge_patch))
		return fail(t, ERR_MEDIA_TYPE, "Content-Type",
			    merge_patch ? "must be application/merge-patch+json or "
					  "application/json, in UTF-8"
					: "must be application/json, in UTF-8");
	return true;
}

/* What makes two requests with one key the same: path and body. */
static const char *
fingerprint(struct task *t, struct str body)
{
	uint8_t digest[SHA256_BYTES];
	const struct str path = http_path(t);
	sha256(body.p == NULL ? "" : body.p, body.len, digest);
	uint8_t *whole = arena_alloc(&t->t_arena, path.len + sizeof(digest));
	char *text = arena_alloc(&t->t_arena, FINGERPRINT_SIZE);
	if (whole == NULL || text == NULL)
		return NULL;
	memcpy(whole, digest, sizeof(digest));
	memcpy(whole + sizeof(digest), path.p, path.len);
	sha256(whole, path.len + sizeof(digest), digest);
	text[0] = '\\';
	text[1] = 'x';
	hex_encode(digest, sizeof(digest), text + 2);
	return text;
}

bool
record_write_values(struct task *t, struct record_state *s, struct str body)
{
	struct record_values *v = &s->values;
	v->actor = s->call.actor;
	v->request = http_request_id(t);
	v->body = body;
	if (!idempotency_key(t, &v->idem_key))
		return false;
	s->keyed = v->idem_key.p != NULL && s->engine->conf.idempotency != NULL;
	if (!s->keyed)
		return true;
	v->idem_route = str_of(t->t_name);
	v->idem_fingerprint = str_of(fingerprint(t, body));
	return v->idem_fingerprint.p != NULL ||
	       fail(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
}

static bool
body_check(struct task *t, struct record_state *s, enum record_input_for what)
{
	const struct str body = http_body(t);
	const struct record_input in = {
		.resource = s->resource,
		.read_classes = s->call.read_classes,
		.write_classes = s->call.write_classes,
		.what = what,
		.given = s->scope,
		.given_value = s->values.scope,
		.owners = s->call.owners,
		.prefix = "",
	};
	struct record_faults faults;
	record_faults_init(&faults);
	const enum err err = record_input_check(&in, body, &t->t_arena, &faults, &t->t_err);
	if (err == ERR_OK && faults.count > 0) {
		t->t_err_members = record_faults_members(&faults, &t->t_arena);
		(void)err_set(&t->t_err, ERR_INVALID, NULL,
			      "%u value%s of the body %s not acceptable", faults.count,
			      faults.count == 1 ? "" : "s", faults.count == 1 ? "is" : "are");
	}
	const bool ok = err == ERR_OK && faults.count == 0;
	if (faults.forbidden)
		record_class_refused(t, s);
	record_faults_free(&faults);
	return ok;
}

bool
record_if_match(struct task *t, struct record_state *s)
{
	const struct str header = http_header(t, "If-Match");
	if (header.p == NULL)
		return fail(t, ERR_PRECONDITION, "If-Match",
			    "give the ETag of the record as you read it, or *");
	if (record_version_parse(header, &s->values.version) != ERR_OK)
		return fail(t, ERR_BAD_REQUEST, "If-Match",
			    "must be one entity tag such as \"v42\", or *");
	return true;
}

enum step
record_write_submit(struct task *t, struct record_state *s, enum record_sql what)
{
	s->what = what;
	const struct record_shape shape = record_shape_of(s, what);
	task_wait_soft(t);
	return record_submit(t, s, &shape, &s->values);
}

static enum step
create_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (!record_resolve(t, s) || !record_write_allowed(t, s, false) ||
	    !body_check(t, s, RECORD_INPUT_CREATE) || !record_write_values(t, s, http_body(t)))
		return task_fail(t);
	struct uuid id;
	char *text = arena_alloc(&t->t_arena, UUID_TEXT_SIZE);
	if (text == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	uuid_v7(&id);
	uuid_text(&id, text);
	s->values.id = str_of(text);
	s->values.location =
		str_of(arena_printf(&t->t_arena, "%.*s/%s", STR_FMT(http_path(t)), text));
	return record_write_submit(t, s, RECORD_SQL_CREATE);
}

static enum step
patch_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (!record_resolve(t, s) || !record_write_allowed(t, s, true) || !record_if_match(t, s) ||
	    !body_check(t, s, RECORD_INPUT_PATCH) || !record_write_values(t, s, http_body(t)))
		return task_fail(t);
	s->values.id = s->call.id;
	return record_write_submit(t, s, RECORD_SQL_PATCH);
}

static enum step
delete_ask(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (!record_resolve(t, s) || !record_write_allowed(t, s, false) || !record_if_match(t, s) ||
	    !record_write_values(t, s, STR_NONE))
		return task_fail(t);
	s->values.id = s->call.id;
	return record_write_submit(t, s, RECORD_SQL_DELETE);
}

static bool
sqlstate_is(const struct err_info *info, const char *prefix)
{
	return strncmp(info->sqlstate, prefix, strlen(prefix)) == 0;
}

bool
record_write_may_replay(const struct record_state *s, const struct err_info *info)
{
	return s->keyed && (info->sqlstate[0] == '\0' || sqlstate_is(info, "23"));
}

enum step
record_write_lookup(struct task *t, struct record_state *s)
{
	const struct record_values *v = &s->values;
	const struct postgres_param params[] = { P_STR(v->actor), P_STR(v->idem_route),
						 P_STR(v->idem_key), P_STR(v->idem_fingerprint) };
	return postgres_wait(s->engine->conf.pool, t, s->engine->conf.idempotency, params,
			     ARRAY_LEN(params));
}

enum step
record_write_failed(struct task *t, struct record_state *s)
{
	t->t_err = s->failed;
	t->t_err_members = s->failed_members;
	return task_fail(t);
}

/* A statement that failed: what it means to the client. */
static void
failure_of(struct record_state *s, const struct err_info *info)
{
	s->failed = *info;
	if (s->keyed && sqlstate_is(info, "55P03")) {
		err_clear(&s->failed);
		(void)err_set(
			&s->failed, ERR_IN_PROGRESS, KEY_HEADER,
			"the same request, or another write to this record, is still running");
	} else if (s->what == RECORD_SQL_UNDO || s->what == RECORD_SQL_RESTORE) {
		/* The values were good when they were written: what is in their way is newer than they are. */
		if (sqlstate_is(info, "23"))
			s->failed.code = ERR_CONFLICT;
	} else if (s->what == RECORD_SQL_DELETE && sqlstate_is(info, "23503")) {
		err_clear(&s->failed);
		(void)err_set(&s->failed, ERR_CONFLICT, NULL,
			      "other records still refer to this %s", s->resource->singular);
	}
}

/* 404 and 412 as the statement found them. */
static void
refusal_of(struct task *t, struct record_state *s, int64_t status, int64_t version)
{
	err_clear(&s->failed);
	if ((s->what == RECORD_SQL_UNDO || s->what == RECORD_SQL_RESTORE) && status != 404 &&
	    status != 412) {
		record_log_refusal(t, s, status, postgres_value(t, 0, 0, 3));
		return;
	}
	if (status == 404 || status == 422)
		record_scope_refused(t, s);
	if (status == 422) {
		(void)err_set(&s->failed, ERR_INVALID, NULL,
			      "the record that this one would belong to does not exist");
		return;
	}
	if (status == 404) {
		(void)err_set(&s->failed, ERR_NOT_FOUND, NULL, "there is no %s %.*s",
			      s->resource->singular, STR_FMT(s->call.id));
		return;
	}
	(void)err_set(&s->failed, ERR_STALE, "If-Match", "the record is at version %lld now",
		      (long long)version);
	s->failed_members =
		str_of(arena_printf(&t->t_arena, "\"current_version\":%lld", (long long)version));
}

enum step
record_write_answer(struct task *t)
{
	struct record_state *s = record_state_of(t);
	const struct err_info *info = NULL;
	if (task_wait_err(t, 0, &info) != ERR_OK) {
		failure_of(s, info);
		if (record_write_may_replay(s, info))
			return record_write_lookup(t, s);
		return record_write_failed(t, s);
	}
	if (postgres_rows(t, 0) != 1)
		return task_fail_set(t, ERR_INTERNAL, NULL, "the write gave no answer");
	const int64_t status = postgres_int(t, 0, 0, 0, 0);
	const int64_t version = postgres_int(t, 0, 0, 1, 0);
	if (status != 200 && status != 201 && (status != 204 || s->what != RECORD_SQL_DELETE)) {
		refusal_of(t, s, status, version);
		return s->keyed ? record_write_lookup(t, s) : record_write_failed(t, s);
	}
	if (status == 204)
		return http_reply_empty(t, 204);
	const struct str body = postgres_value(t, 0, 0, 2);
	char etag[RECORD_ETAG_SIZE];
	record_etag(s, version, body, etag);
	http_reply_header(t, "ETag", str_of(etag));
	if (status == 201)
		http_reply_header(t, "Location", s->values.location);
	return http_reply_json(t, (int)status, body);
}

/* The kept reply of the first request with this key, if there is one. */
enum step
record_write_replay(struct task *t)
{
	struct record_state *s = record_state_of(t);
	if (postgres_rows(t, 0) == 0)
		return record_write_failed(t, s);
	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_KEY_REUSED, KEY_HEADER,
				     "the key was used for another path or body");
	const struct str etag = postgres_value(t, 0, 0, 2);
	const struct str location = postgres_value(t, 0, 0, 3);
	http_reply_header(t, "Idempotency-Replayed", STR("true"));
	if (etag.p != NULL)
		http_reply_header_fmt(t, "ETag", "\"%.*s\"", STR_FMT(etag));
	if (location.p != NULL)
		http_reply_header(t, "Location", location);
	const int status = (int)postgres_int(t, 0, 0, 1, 200);
	if (postgres_is_null(t, 0, 0, 4))
		return http_reply_empty(t, status);
	return http_reply_json(t, status, postgres_value(t, 0, 0, 4));
}

const struct step_row record_create[] = {
	{ "create-write", create_ask },
	{ "create-answer", record_write_answer },
	{ "create-replay", record_write_replay },
	{ NULL, NULL },
};

const struct step_row record_patch[] = {
	{ "patch-write", patch_ask },
	{ "patch-answer", record_write_answer },
	{ "patch-replay", record_write_replay },
	{ NULL, NULL },
};

const struct step_row record_delete[] = {
	{ "delete-write", delete_ask },
	{ "delete-answer", record_write_answer },
	{ "delete-replay", record_write_replay },
	{ NULL, NULL },
};
