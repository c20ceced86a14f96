/*
 * draft.c — the one draft a flag can have: saved, read, dropped, published. A draft is checked like a revision when it is saved, and
 * serves nobody until it is published. Publishing is refused where the rules have changed since the draft was made; that the flag was
 * turned on or off meanwhile is no hindrance, and stays so. Whoever publishes by If-Match says which revision he has looked at instead.
 */
#include <stdio.h>

#include "core/flags/internal.h"
#include "record/engine.h"

#define DRAFT_ATTEMPTS_MAX 5
#define DIFF_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* ---- save ---- */

static enum step
put_write(struct task *t)
{
	static const char *const known[] = { "document", "base", "comment", "replace", NULL };
	const struct str key = http_param(t, "key");
	struct str document = STR_NONE, base = STR_NONE, comment = STR_NONE;
	double coverage = 0;
	struct flags_body b;

	if (!flags_body_read(t, known, &b) ||
	    !flags_body_text(t, &b, "comment", 0, FLAGS_COMMENT_BYTES_MAX, &comment) ||
	    !flags_body_revision(t, &b, "base", false, &base) ||
	    !flags_body_document(t, &b, key, &document, &coverage))
		return task_fail(t);
	const struct json_member *replace = json_member_find(b.member, b.n, "replace");
	if (replace != NULL && replace->kind != JSON_TRUE && replace->kind != JSON_FALSE)
		return task_fail_set(t, ERR_INVALID, "/replace", "must be true or false");
	const struct postgres_param params[] = {
		P_STR(key),
		P_STR(document),
		{ .value = base, .is_null = base.p == NULL },
		P_STR(comment),
		P_TEXT(replace != NULL && replace->kind == JSON_TRUE ? "true" : "false"),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_draft_put, params,
			     ARRAY_LEN(params));
}

static enum step
put_answer(struct task *t)
{
	const struct str key = http_param(t, "key");
	const struct str outcome = postgres_value(t, 0, 0, 0);
	const struct str author = postgres_value(t, 0, 0, 2);
	bool again = false;

	if (str_is(outcome, "base"))
		return task_fail_set(t, ERR_INVALID, "/base",
				     "the flag \"%.*s\" has no such revision", STR_FMT(key));
	if (str_is(outcome, "taken"))
		return task_fail_set(
			t, ERR_CONFLICT, NULL,
			"there is a draft of %.*s already; \"replace\": true puts this "
			"one in its place",
			STR_FMT(author.p != NULL ? author : STR("somebody else")));
	if (!flags_outcome(t, key, &again))
		return task_fail(t);
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 1));
}

const struct step_row core_flags_draft_put_steps[] = {
	{ "write", put_write },
	{ "answer", put_answer },
	{ NULL, NULL },
};

/* ---- read and drop ---- */

static enum step
no_draft(struct task *t)
{
	return task_fail_set(t, ERR_NOT_FOUND, NULL, "the flag \"%.*s\" has no draft",
			     STR_FMT(http_param(t, "key")));
}

static enum step
no_flag(struct task *t)
{
	return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no flag \"%.*s\"",
			     STR_FMT(http_param(t, "key")));
}

static enum step
get_read(struct task *t)
{
	const struct postgres_param key = P_STR(http_param(t, "key"));

	return postgres_wait(core_flags_conf.pool, t, &sql_flag_draft_get, &key, 1);
}

static enum step
get_answer(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return no_flag(t);
	const struct str body = postgres_value(t, 0, 0, 0);
	return body.p == NULL ? no_draft(t) : http_reply_json(t, 200, body);
}

const struct step_row core_flags_draft_get_steps[] = {
	{ "read", get_read },
	{ "answer", get_answer },
	{ NULL, NULL },
};

static enum step
delete_write(struct task *t)
{
	const struct postgres_param params[] = {
		P_STR(http_param(t, "key")),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_draft_delete, params,
			     ARRAY_LEN(params));
}

static enum step
delete_answer(struct task *t)
{
	bool again = false;

	if (str_is(postgres_value(t, 0, 0, 0), "none"))
		return no_draft(t);
	if (!flags_outcome(t, http_param(t, "key"), &again))
		return task_fail(t);
	return http_reply_empty(t, 204);
}

const struct step_row core_flags_draft_delete_steps[] = {
	{ "write", delete_write },
	{ "answer", delete_answer },
	{ NULL, NULL },
};

/* ---- publish ---- */

/* Columns of flag_publish.sql. */
enum { OUTCOME, REVISION, ENABLED, CURRENT, BASE };

struct publication {
	struct str key;
	struct str comment;
	struct str expected; /* "0": any; .p NULL: the draft's base decides */
	struct flags_edit *edit;
	unsigned attempts;
};

static const struct step_row publish_guarded_steps[3];

static enum step
publish_read(struct task *t)
{
	struct publication *p = task_state(t, sizeof(*p));
	const struct str match = http_header(t, "If-Match");
	bool rebucket = false;

	if (p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	p->key = http_param(t, "key");
	p->expected = STR_NONE;
	if (match.p != NULL && record_version_parse(match, &p->expected) != ERR_OK)
		return task_fail_set(t, ERR_BAD_REQUEST, "If-Match",
				     "must be the present revision such as \"v42\", or *");
	if (match.p != NULL && p->expected.p == NULL)
		p->expected = STR("0");
	if (!flags_edit_read(t, &p->comment, &rebucket))
		return task_fail(t);
	p->edit = core_flags_edit(t, p->key, STR_NONE, "", rebucket);
	if (p->edit == NULL)
		return task_fail(t);
	p->edit->then = publish_guarded_steps;
	p->edit->state = p;
	p->edit->size = sizeof(*p);
	return core_flags_guard(t, p->edit);
}

static enum step
publish_write(struct task *t)
{
	struct publication *p = task_state(t, sizeof(*p));
	const struct flags_edit *const edit = p->edit;
	char seen[24];

	(void)snprintf(seen, sizeof(seen), "%lld", (long long)edit->seen);
	const struct postgres_param params[] = {
		P_STR(p->key),
		{ .value = p->expected, .is_null = p->expected.p == NULL },
		P_STR(p->comment),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
		P_TEXT(edit->rebucket ? NULL : seen),
		P_TEXT(edit->rebucket ? NULL : edit->seen_draft),
		P_TEXT(edit->rebucket ? "true" : "false"),
	};
	p->attempts++;
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_publish, params, ARRAY_LEN(params));
}

static enum step
publish_moved(struct task *t, const struct publication *p)
{
	const long long current = (long long)postgres_int(t, 0, 0, CURRENT, 0);
	const long long base = (long long)postgres_int(t, 0, 0, BASE, 0);

	if (p->expected.p != NULL)
		return task_fail_set(t, ERR_CONFLICT, "If-Match",
				     "the flag is at revision %lld, not %.*s", current,
				     STR_FMT(p->expected));
	return task_fail_set(t, ERR_CONFLICT, NULL,
			     "the draft was made from revision %lld and the rules are those of "
			     "revision %lld now: look at the diff, then save the draft anew or "
			     "publish it with If-Match \"v%lld\"",
			     base, current, current);
}

static enum step
publish_look(struct task *t)
{
	struct publication *p = task_state(t, sizeof(*p));
	const struct str outcome = postgres_value(t, 0, 0, OUTCOME);
	bool again = false;

	if (str_is(outcome, "none"))
		return no_draft(t);
	if (str_is(outcome, "moved"))
		return publish_moved(t, p);
	if (str_is(outcome, "protected"))
		return core_flags_ask(t, &(struct flags_asking) { .key = p->key,
								  .kind = "publish",
								  .comment = p->comment,
								  .rebucket = p->edit->rebucket,
								  .seen = p->edit->seen });
	if (flags_outcome(t, p->key, &again))
		return core_flags_applied(
			t, &(struct flags_change) { .key = p->key,
						    .status = 201,
						    .revision = postgres_int(t, 0, 0, REVISION, 0),
						    .enabled = postgres_bool(t, 0, 0, ENABLED) });
	if (again && p->attempts < DRAFT_ATTEMPTS_MAX)
		return core_flags_guard(t, p->edit);
	if (again)
		return task_fail_set(t, ERR_RETRY, NULL,
				     "the flag \"%.*s\" is being changed by many at once",
				     STR_FMT(p->key));
	return task_fail(t);
}

static const struct step_row publish_guarded_steps[3] = {
	{ "write", publish_write },
	{ "look", publish_look },
	{ NULL, NULL },
};

const struct step_row core_flags_publish_steps[] = {
	{ "read", publish_read },
	{ NULL, NULL },
};

/* ---- diff ---- */

/* A revision of the query, or null. */
static bool
revision_of(struct task *t, const char *name, struct postgres_param *out)
{
	const struct str text = http_query(t, name);
	int64_t number = 0;

	*out = (struct postgres_param) { .value = text, .is_null = text.p == NULL };
	if (text.p == NULL || str_int(text, 1, INT64_MAX, &number) == ERR_OK)
		return true;
	(void)err_set(&t->t_err, ERR_BAD_REQUEST, name, "must be the number of a revision");
	return false;
}

static enum step
diff_read(struct task *t)
{
	struct postgres_param from, to;

	if (!revision_of(t, "from", &from) || !revision_of(t, "to", &to))
		return task_fail(t);
	const struct postgres_param params[] = { P_STR(http_param(t, "key")), from, to };
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_diff, params, ARRAY_LEN(params));
}

/* Which of the changes move those who have been divided. */
static enum step
diff_say(struct task *t)
{
	const struct str body = postgres_value(t, 0, 0, 2);
	struct flag_rebucket causes[FLAG_REBUCKETS_MAX];
	const struct flag_document *now = NULL, *would = NULL;
	struct err_info info = { .code = ERR_OK };
	const struct str key = http_param(t, "key");
	struct arena memory;
	struct buf out;
	size_t n = 0;

	arena_init(&memory, (size_t)2 * FLAG_DOCUMENT_MEMORY_MAX);
	if (flag_document_load(&memory, key, postgres_value(t, 0, 0, 3), &now, &info) == ERR_OK &&
	    flag_document_load(&memory, key, postgres_value(t, 0, 0, 4), &would, &info) == ERR_OK)
		n = flag_rebuckets(now, would, causes, ARRAY_LEN(causes));
	buf_init(&out, DIFF_BYTES_MAX);
	buf_add_str(&out, (struct str) { body.p, body.len - 1 });
	buf_add_cstr(&out, ",\"rebuckets\":");
	core_flags_causes_json(&out, now, would, causes, n, "");
	buf_add_char(&out, '}');
	arena_release(&memory);
	const enum step done =
		out.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer")
			   : http_reply_json(t, 200, buf_str(&out));
	buf_free(&out);
	return done;
}

static enum step
diff_answer(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return no_flag(t);
	const bool from = postgres_bool(t, 0, 0, 0);
	if (from && !postgres_bool(t, 0, 0, 1) && http_query(t, "to").p == NULL)
		return no_draft(t);
	if (!from || !postgres_bool(t, 0, 0, 1))
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "the flag \"%.*s\" has no revision of the number in \"%s\"",
				     STR_FMT(http_param(t, "key")), from ? "to" : "from");
	return diff_say(t);
}

const struct step_row core_flags_diff_steps[] = {
	{ "read", diff_read },
	{ "answer", diff_answer },
	{ NULL, NULL },
};
