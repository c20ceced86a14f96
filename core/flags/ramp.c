/*
 * ramp.c — routes of ramps: begin one, see them, hold, resume, approve, go back, cancel. A write is one statement that decides under the
 * flag's row lock; what the ramp is then is read by a second one and answered.
 */
#include "core/flags/ramp.h"

#include "base/id.h"

#define LIMIT_DEFAULT 10
#define LIMIT_MAX 50

/* ---- what it is now ---- */

static enum step
ramp_read(struct task *t)
{
	const struct str id = arena_str(&t->t_arena, postgres_value(t, 0, 0, 0));
	const struct postgres_param params[] = { P_STR(http_param(t, "key")), P_STR(id) };

	if (id.p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_ramp_get, params,
			     ARRAY_LEN(params));
}

static enum step
ramp_answer(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "the flag \"%.*s\" has no such ramp",
				     STR_FMT(http_param(t, "key")));
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

/* ---- start ---- */

static enum step
start_write(struct task *t)
{
	struct ramp_asked a;

	if (!flags_ramp_read(t, &a))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(http_param(t, "key")),
		{ .value = a.rule_id, .is_null = a.rule_id.p == NULL },
		{ .value = a.place, .is_null = a.place.p == NULL },
		P_STR(a.steps),
		P_STR(a.guardrails),
		P_STR(a.on_breach),
		P_STR(a.planned_units),
		P_STR(a.comment),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_ramp_start, params,
			     ARRAY_LEN(params));
}

static enum step
start_answer(struct task *t)
{
	return http_reply_json(t, 201, postgres_value(t, 0, 0, 0));
}

static enum step
start_read(struct task *t)
{
	http_reply_header_fmt(t, "Location", "/v1/flags/%.*s/ramps/%.*s",
			      STR_FMT(http_param(t, "key")), STR_FMT(postgres_value(t, 0, 0, 0)));
	return ramp_read(t);
}

const struct step_row core_flags_ramp_start_steps[] = {
	{ "write", start_write },
	{ "read", start_read },
	{ "answer", start_answer },
	{ NULL, NULL },
};

/* ---- what people do to one ---- */

static enum step
turn(struct task *t, const char *what, bool reason)
{
	static const char *const known[] = { "reason", "comment", NULL };
	struct str note = STR("");
	struct flags_body b = { .n = 0 };

	if ((reason || http_body(t).len > 0) &&
	    (!flags_body_read(t, reason ? known : &known[1], &b) ||
	     !flags_body_text(t, &b, reason ? "reason" : "comment", reason ? 1 : 0,
			      FLAGS_COMMENT_BYTES_MAX, &note)))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(http_param(t, "key")),
		P_STR(http_param(t, "id")),
		P_TEXT(what),
		P_STR(note),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_ramp_turn, params,
			     ARRAY_LEN(params));
}

/* Whoever may stop anything in an emergency may hold a ramp, too. */
static enum step
hold_write(struct task *t)
{
	if (!access_allows(t, STR("flag.disable")) &&
	    access_require(t, STR("flag.toggle")) != ERR_OK)
		return task_fail(t);
	return turn(t, "hold", true);
}

static enum step
resume_write(struct task *t)
{
	return turn(t, "resume", false);
}

static enum step
approve_write(struct task *t)
{
	return turn(t, "approve", false);
}

static enum step
back_write(struct task *t)
{
	return turn(t, "back", false);
}

static enum step
cancel_write(struct task *t)
{
	return turn(t, "cancel", false);
}

#define TURN(name)                                                                                 \
	const struct step_row core_flags_ramp_##name##_steps[] = {                                 \
		{ "write", name##_write },                                                         \
		{ "read", ramp_read },                                                             \
		{ "answer", ramp_answer },                                                         \
		{ NULL, NULL },                                                                    \
	}

TURN(hold);
TURN(resume);
TURN(approve);
TURN(back);
TURN(cancel);

/* ---- see ---- */

static enum step
get_read(struct task *t)
{
	const struct postgres_param params[] = { P_STR(http_param(t, "key")),
						 P_STR(http_param(t, "id")) };
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_ramp_get, params,
			     ARRAY_LEN(params));
}

const struct step_row core_flags_ramp_get_steps[] = {
	{ "read", get_read },
	{ "answer", ramp_answer },
	{ NULL, NULL },
};

/* A page of `stmt`: key, after, only what is active, limit. */
static enum step
page_read(struct task *t, const struct postgres_stmt *stmt)
{
	const struct str after = http_query(t, "after");
	const struct str active = http_query(t, "active");
	const char *limit = http_page_limit(t, LIMIT_DEFAULT, LIMIT_MAX);
	struct uuid id;

	if (limit == NULL)
		return task_fail(t);
	if (after.p != NULL && uuid_parse(after, &id) != ERR_OK)
		return task_fail_set(t, ERR_BAD_REQUEST, "after", "must be the end of a page");
	if (active.p != NULL && !str_is(active, "true") && !str_is(active, "false"))
		return task_fail_set(t, ERR_BAD_REQUEST, "active", "must be true or false");
	const struct postgres_param params[] = {
		P_STR(http_param(t, "key")),
		{ .value = after, .is_null = after.p == NULL },
		P_TEXT(str_is(active, "true") ? "true" : "false"),
		P_TEXT(limit),
	};
	return postgres_wait(core_flags_conf.pool, t, stmt, params, ARRAY_LEN(params));
}

static enum step
page_answer(struct task *t)
{
	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no flag \"%.*s\"",
				     STR_FMT(http_param(t, "key")));
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 1),
							 .has_more = postgres_bool(t, 0, 0, 2),
							 .next = postgres_value(t, 0, 0, 3) });
}

static enum step
ramps_read(struct task *t)
{
	return page_read(t, &sql_flag_ramp_list);
}

static enum step
schedules_read(struct task *t)
{
	return page_read(t, &sql_flag_schedule_list);
}

const struct step_row core_flags_ramp_list_steps[] = {
	{ "read", ramps_read },
	{ "answer", page_answer },
	{ NULL, NULL },
};

const struct step_row core_flags_schedule_list_steps[] = {
	{ "read", schedules_read },
	{ "answer", page_answer },
	{ NULL, NULL },
};
