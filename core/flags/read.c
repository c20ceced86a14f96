/*
 * read.c — lists of flags, one flag with who serves it, its revisions. The JSON is made by the
 * database; here only the frame.
 */
#include "core/flags/internal.h"

#include <stdio.h>

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 200
#define QUERY_BYTES_MAX 200
#define ANSWER_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* ---- list ---- */

static const char *
stale_days(struct task *t)
{
	return arena_printf(&t->t_arena, "%lld", (long long)core_flags_conf.stale_days);
}

static bool
state_valid(struct str state)
{
	static const char *const states[] = { "new", "live", "stale", "expired", "archived" };

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (str_is(state, states[i]))
			return true;
	return state.p == NULL;
}

static enum step
list_read(struct task *t)
{
	const struct str kind = http_query(t, "kind");
	const struct str archived = http_query(t, "archived");
	const char *limit = http_page_limit(t, LIMIT_DEFAULT, LIMIT_MAX);

	if (limit == NULL)
		return task_fail(t);
	if (kind.p != NULL && !str_is(kind, "release") && !str_is(kind, "experiment"))
		return task_fail_set(t, ERR_BAD_REQUEST, "kind", "must be release or experiment");
	if (archived.p != NULL && !str_is(archived, "true") && !str_is(archived, "false"))
		return task_fail_set(t, ERR_BAD_REQUEST, "archived", "must be true or false");
	const struct str state = http_query(t, "state");
	const struct str q = http_query(t, "q");
	const struct str team = http_query(t, "team");
	if (!state_valid(state))
		return task_fail_set(t, ERR_BAD_REQUEST, "state",
				     "must be new, live, stale, expired or archived");
	if (q.len > QUERY_BYTES_MAX)
		return task_fail_set(t, ERR_BAD_REQUEST, "q", "has at most %d bytes",
				     QUERY_BYTES_MAX);
	const struct str after = http_query(t, "after");
	const struct postgres_param params[] = {
		P_STR(after.p != NULL ? after : STR("")),
		{ .value = kind, .is_null = kind.p == NULL },
		P_STR(str_is(archived, "true") ? STR("true") : STR("false")),
		P_TEXT(limit),
		{ .value = state, .is_null = state.p == NULL },
		{ .value = q, .is_null = q.len == 0 },
		P_TEXT(stale_days(t)),
		{ .value = team, .is_null = team.p == NULL },
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_list, params, ARRAY_LEN(params));
}

static enum step
list_answer(struct task *t)
{
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 0),
							 .has_more = postgres_bool(t, 0, 0, 1),
							 .next = postgres_value(t, 0, 0, 2) });
}

const struct step_row core_flags_list_steps[] = {
	{ "read", list_read },
	{ "answer", list_answer },
	{ NULL, NULL },
};

/* ---- one ---- */

static enum step
get_read(struct task *t)
{
	const struct postgres_param params[] = { P_STR(http_param(t, "key")),
						 P_TEXT(stale_days(t)) };
	const struct postgres_param newest = P_TEXT("0");

	if (postgres_add(core_flags_conf.pool, t, &sql_flag_get, params, ARRAY_LEN(params)) !=
	    ERR_OK)
		return task_fail(t);
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_applied, &newest, 1);
}

static enum step
get_answer(struct task *t)
{
	const struct str flag = postgres_value(t, 0, 0, 0);
	struct buf body;

	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no flag \"%.*s\"",
				     STR_FMT(http_param(t, "key")));
	buf_init(&body, ANSWER_BYTES_MAX);
	/* The object of the database, with two members more. */
	buf_add_str(&body, (struct str) { flag.p, flag.len - 1 });
	buf_add_cstr(&body, ",\"applied\":");
	core_flags_workers_json(t, 1, -1, &body);
	buf_add_cstr(&body, ",\"sandbox\":");
	core_flags_sandbox_json(t, 1, -1, &body);
	buf_add_char(&body, '}');
	const enum step done = http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

const struct step_row core_flags_get_steps[] = {
	{ "read", get_read },
	{ "answer", get_answer },
	{ NULL, NULL },
};

/* ---- revisions ---- */

static enum step
revisions_read(struct task *t)
{
	const struct str after = http_query(t, "after");
	const char *limit = http_page_limit(t, LIMIT_DEFAULT, LIMIT_MAX);
	int64_t before = INT64_MAX;
	char before_text[24];

	if (limit == NULL)
		return task_fail(t);
	if (after.p != NULL && str_int(after, 1, INT64_MAX, &before) != ERR_OK)
		return task_fail_set(t, ERR_BAD_REQUEST, "after",
				     "must be the number of a revision");
	(void)snprintf(before_text, sizeof(before_text), "%lld", (long long)before);
	const struct postgres_param params[] = { P_STR(http_param(t, "key")), P_TEXT(before_text),
						 P_TEXT(limit) };
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_revisions, params,
			     ARRAY_LEN(params));
}

static enum step
revisions_answer(struct task *t)
{
	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no flag \"%.*s\"",
				     STR_FMT(http_param(t, "key")));
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 1),
							 .has_more = postgres_bool(t, 0, 0, 2),
							 .next = postgres_value(t, 0, 0, 3) });
}

const struct step_row core_flags_revisions_steps[] = {
	{ "read", revisions_read },
	{ "answer", revisions_answer },
	{ NULL, NULL },
};
