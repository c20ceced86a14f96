/*
 * request.c — requests to change a protected flag. Whoever writes such a change gets 202 and a request in its place (core_flags_ask);
 * another person looks at it and approves exactly that, by its hash, or rejects it; its author may withdraw it. An approval goes by the
 * guard of divisions like any other edit, and its answer waits for the workers in the same way. To turn a flag off needs nobody.
 */
#include "core/flags/internal.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 200
#define SHA256_TEXT_LEN 64

/* Columns of flag_request_get.sql. */
enum { BODY, KEY, STATE, DOCUMENT, REBUCKET, SHA256 };

/* ---- ask ---- */

static enum step
ask_answer(struct task *t)
{
	return http_reply_json(t, 202, postgres_value(t, 0, 0, 0));
}

static const struct step_row ask_steps[] = {
	{ "answer", ask_answer },
	{ NULL, NULL },
};

enum step
core_flags_ask(struct task *t, const struct flags_asking *a)
{
	const char *const seen = arena_printf(&t->t_arena, "%lld", (long long)a->seen);
	const struct postgres_param params[] = {
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
		P_STR(a->key),
		P_TEXT(a->kind),
		{ .value = a->document, .is_null = a->document.p == NULL },
		P_TEXT(a->rebucket ? "true" : "false"),
		P_STR(a->comment),
		P_TEXT(a->seen > 0 ? seen : NULL),
	};

	if (postgres_add(core_flags_conf.pool, t, &sql_flag_request_file, params,
			 ARRAY_LEN(params)) != ERR_OK)
		return task_fail(t);
	return task_continue(t, ask_steps);
}

/* ---- protect ---- */

static enum step
protect_write(struct task *t)
{
	const struct postgres_param params[] = {
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
		P_STR(http_param(t, "key")),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_protect, params, ARRAY_LEN(params));
}

static enum step
protect_answer(struct task *t)
{
	bool again = false;

	return flags_outcome(t, http_param(t, "key"), &again) ? http_reply_empty(t, 204)
							      : task_fail(t);
}

const struct step_row core_flags_protect_steps[] = {
	{ "write", protect_write },
	{ "answer", protect_answer },
	{ NULL, NULL },
};

static enum step
unprotect_ask(struct task *t)
{
	struct flags_asking a = { .key = http_param(t, "key"), .kind = "unprotect" };

	return flags_comment_read(t, &a.comment) ? core_flags_ask(t, &a) : task_fail(t);
}

const struct step_row core_flags_unprotect_steps[] = {
	{ "ask", unprotect_ask },
	{ NULL, NULL },
};

/* ---- list and get ---- */

static enum step
list_read(struct task *t)
{
	static const char *const states[] = { "waiting", "approved", "rejected", "withdrawn" };
	const struct str state = http_query(t, "state");
	const struct str key = http_query(t, "key");
	const struct str after = http_query(t, "after");
	const char *limit = http_page_limit(t, LIMIT_DEFAULT, LIMIT_MAX);
	bool known = state.p == NULL;
	struct uuid id;

	if (limit == NULL)
		return task_fail(t);
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		known = known || str_is(state, states[i]);
	if (!known)
		return task_fail_set(t, ERR_BAD_REQUEST, "state",
				     "must be waiting, approved, rejected or withdrawn");
	if (after.p != NULL && uuid_parse(after, &id) != ERR_OK)
		return task_fail_set(t, ERR_BAD_REQUEST, "after", "must be the id of a request");
	const struct postgres_param params[] = {
		{ .value = state, .is_null = state.p == NULL },
		{ .value = key, .is_null = key.p == NULL },
		{ .value = after, .is_null = after.p == NULL },
		P_TEXT(limit),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_request_list, params,
			     ARRAY_LEN(params));
}

static enum step
list_answer(struct task *t)
{
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 0),
							 .has_more = postgres_bool(t, 0, 0, 1),
							 .next = postgres_value(t, 0, 0, 2) });
}

const struct step_row core_flags_requests_steps[] = {
	{ "read", list_read },
	{ "answer", list_answer },
	{ NULL, NULL },
};

static enum step
get_read(struct task *t)
{
	const struct postgres_param id = P_STR(http_param(t, "id"));

	return postgres_wait(core_flags_conf.pool, t, &sql_flag_request_get, &id, 1);
}

static enum step
missing(struct task *t)
{
	return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no such request");
}

static enum step
get_answer(struct task *t)
{
	return postgres_rows(t, 0) == 0 ? missing(t)
					: http_reply_json(t, 200, postgres_value(t, 0, 0, BODY));
}

const struct step_row core_flags_request_steps[] = {
	{ "read", get_read },
	{ "answer", get_answer },
	{ NULL, NULL },
};

/* ---- approve ---- */

struct approval {
	struct str sha256;
	struct str note;
};

static enum step
approve_read(struct task *t)
{
	static const char *const known[] = { "sha256", "note", NULL };
	struct approval *a = task_state(t, sizeof(*a));
	struct flags_body b;

	if (a == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (!flags_body_read(t, known, &b) ||
	    !flags_body_text(t, &b, "sha256", SHA256_TEXT_LEN, SHA256_TEXT_LEN, &a->sha256) ||
	    !flags_body_text(t, &b, "note", 0, FLAGS_COMMENT_BYTES_MAX, &a->note))
		return task_fail(t);
	return get_read(t);
}

static enum step
approve_write(struct task *t)
{
	const struct approval *a = task_state(t, sizeof(*a));
	const struct postgres_param params[] = {
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
		P_STR(http_param(t, "id")),
		P_STR(a->sha256),
		P_STR(a->note),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_request_approve, params,
			     ARRAY_LEN(params));
}

static enum step
approve_look(struct task *t)
{
	const struct str key = arena_str(&t->t_arena, postgres_value(t, 0, 0, 0));

	if (key.p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	return core_flags_applied(t,
				  &(struct flags_change) { .key = key,
							   .status = 200,
							   .revision = postgres_int(t, 0, 0, 1, 0),
							   .enabled = postgres_bool(t, 0, 0, 2) });
}

static const struct step_row approve_guarded_steps[] = {
	{ "write", approve_write },
	{ "look", approve_look },
	{ NULL, NULL },
};

/* What is decided already, or has another hash, is told by the write. */
static enum step
approve_guard(struct task *t)
{
	const struct approval *a = task_state(t, sizeof(*a));

	if (postgres_rows(t, 0) == 0)
		return missing(t);
	const struct str document = arena_str(&t->t_arena, postgres_value(t, 0, 0, DOCUMENT));
	const struct str key = arena_str(&t->t_arena, postgres_value(t, 0, 0, KEY));
	const bool same = str_eq(postgres_value(t, 0, 0, SHA256), a->sha256);
	const bool free_to = document.p == NULL || !same || postgres_bool(t, 0, 0, REBUCKET) ||
			     !str_is(postgres_value(t, 0, 0, STATE), "waiting");
	struct flags_edit *edit = core_flags_edit(t, key, document, "", free_to);

	if (edit == NULL)
		return task_fail(t);
	edit->then = approve_guarded_steps;
	edit->state = a;
	edit->size = sizeof(*a);
	return core_flags_guard(t, edit);
}

const struct step_row core_flags_approve_steps[] = {
	{ "read", approve_read },
	{ "guard", approve_guard },
	{ NULL, NULL },
};

/* ---- reject and withdraw ---- */

static enum step
end_write(struct task *t, const char *state, struct str note)
{
	const struct postgres_param params[] = {
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
		P_STR(http_param(t, "id")),
		P_TEXT(state),
		P_STR(note),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_request_end, params,
			     ARRAY_LEN(params));
}

static enum step
reject_write(struct task *t)
{
	static const char *const known[] = { "reason", NULL };
	struct str reason = STR_NONE;
	struct flags_body b;

	if (!flags_body_read(t, known, &b) ||
	    !flags_body_text(t, &b, "reason", 1, FLAGS_COMMENT_BYTES_MAX, &reason))
		return task_fail(t);
	return end_write(t, "rejected", reason);
}

static enum step
withdraw_write(struct task *t)
{
	struct str comment = STR_NONE;

	return flags_comment_read(t, &comment) ? end_write(t, "withdrawn", comment) : task_fail(t);
}

static enum step
end_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

const struct step_row core_flags_reject_steps[] = {
	{ "write", reject_write },
	{ "answer", end_answer },
	{ NULL, NULL },
};

const struct step_row core_flags_withdraw_steps[] = {
	{ "write", withdraw_write },
	{ "answer", end_answer },
	{ NULL, NULL },
};
