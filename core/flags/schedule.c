/*
 * schedule.c — routes of schedules: plan that a flag is turned on or off, that its draft is published, or that a rule takes in another part,
 * at a time; call it off. What cannot be done when the time comes is told to the owners (flag.schedule_go).
 */
#include "core/flags/ramp.h"

static bool
action_known(struct str action)
{
	return str_is(action, "enable") || str_is(action, "disable") || str_is(action, "publish") ||
	       str_is(action, "coverage");
}

/* The part of all units; 0 turns the rule off for all that it has taken in. */
static bool
coverage_read(struct task *t, const struct flags_body *b, bool wanted, struct str *out)
{
	const struct json_member *m = json_member_find(b->member, b->n, "coverage");
	double value = 0;

	*out = STR_NONE;
	if (!wanted && m == NULL)
		return true;
	if (!wanted) {
		(void)err_set(&t->t_err, ERR_INVALID, "/coverage",
			      "belongs to the action \"coverage\"");
		return false;
	}
	if (m != NULL && m->kind == JSON_NUMBER && m->value.len <= 24 &&
	    str_double(m->value, &value) == ERR_OK && value >= 0 && value <= 1) {
		*out = m->value;
		return true;
	}
	(void)err_set(&t->t_err, ERR_INVALID, "/coverage", "must be a number from 0 to 1");
	return false;
}

static bool
time_read(struct task *t, const struct flags_body *b, char out[CLOCK_RFC3339_SIZE])
{
	struct str text;
	usec_t at = 0;

	if (!flags_body_text(t, b, "at", 1, 64, &text))
		return false;
	if (clock_parse_rfc3339(text, &at) != ERR_OK)
		(void)err_set(&t->t_err, ERR_INVALID, "/at",
			      "must be a date-time as in 2026-05-01T10:00:00Z");
	else if (at <= clock_wall_us())
		(void)err_set(&t->t_err, ERR_INVALID, "/at", "must be in the future");
	else {
		clock_rfc3339(at, out);
		return true;
	}
	return false;
}

struct planned {
	struct ramp_asked rule;
	struct str action, coverage, comment;
	char at[CLOCK_RFC3339_SIZE];
};

static const struct step_row make_guarded_steps[4];

/* What is planned moves nobody who has been divided, as if it were published now. */
static enum step
make_guard(struct task *t, const struct planned *p, bool rebucket)
{
	struct flags_edit *edit = core_flags_edit(t, http_param(t, "key"), STR_NONE, "", rebucket);

	if (edit == NULL)
		return task_fail(t);
	edit->then = make_guarded_steps;
	edit->state = p;
	edit->size = sizeof(*p);
	return core_flags_guard(t, edit);
}

static enum step
make_ask(struct task *t)
{
	static const char *const known[] = { "at",      "action",   "rule", "coverage",
					     "comment", "rebucket", NULL };
	struct planned *p = task_state(t, sizeof(*p));
	bool rebucket = false;
	struct flags_body b;

	if (p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (!flags_body_read(t, known, &b) || !time_read(t, &b, p->at) ||
	    !flags_body_text(t, &b, "action", 1, 20, &p->action))
		return task_fail(t);
	if (!action_known(p->action))
		return task_fail_set(t, ERR_INVALID, "/action",
				     "must be enable, disable, publish or coverage");
	const bool covers = str_is(p->action, "coverage");
	const bool publishes = str_is(p->action, "publish");
	if (!coverage_read(t, &b, covers, &p->coverage) || !flags_ramp_rule(t, &b, &p->rule) ||
	    !flags_body_text(t, &b, "comment", 0, FLAGS_COMMENT_BYTES_MAX, &p->comment) ||
	    !flags_body_bool(t, &b, "rebucket", &rebucket))
		return task_fail(t);
	if (!covers && (p->rule.rule_id.p != NULL || p->rule.place.p != NULL))
		return task_fail_set(t, ERR_INVALID, "/rule", "belongs to the action \"coverage\"");
	if (!publishes && rebucket)
		return task_fail_set(t, ERR_INVALID, "/rebucket",
				     "belongs to the action \"publish\"");
	return publishes ? make_guard(t, p, rebucket) : STEP_NEXT;
}

static enum step
make_write(struct task *t)
{
	const struct planned *p = task_state(t, sizeof(*p));
	const struct postgres_param params[] = {
		P_STR(http_param(t, "key")),
		P_TEXT(p->at),
		P_STR(p->action),
		{ .value = p->rule.rule_id, .is_null = p->rule.rule_id.p == NULL },
		{ .value = p->rule.place, .is_null = p->rule.place.p == NULL },
		{ .value = p->coverage, .is_null = p->coverage.p == NULL },
		P_STR(p->comment),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_schedule_make, params,
			     ARRAY_LEN(params));
}

static enum step
make_read(struct task *t)
{
	const struct str id = arena_str(&t->t_arena, postgres_value(t, 0, 0, 0));
	const struct postgres_param params[] = { P_STR(http_param(t, "key")), P_STR(id) };

	if (id.p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_schedule_get, params,
			     ARRAY_LEN(params));
}

static enum step
make_answer(struct task *t)
{
	return http_reply_json(t, 201, postgres_value(t, 0, 0, 0));
}

static const struct step_row make_guarded_steps[4] = {
	{ "write", make_write },
	{ "read", make_read },
	{ "answer", make_answer },
	{ NULL, NULL },
};

const struct step_row core_flags_schedule_make_steps[] = {
	{ "ask", make_ask },       { "write", make_write }, { "read", make_read },
	{ "answer", make_answer }, { NULL, NULL },
};

static enum step
cancel_write(struct task *t)
{
	const struct postgres_param params[] = {
		P_STR(http_param(t, "key")),
		P_STR(http_param(t, "id")),
		P_TEXT(access_principal_of(t)),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_schedule_cancel, params,
			     ARRAY_LEN(params));
}

static enum step
cancel_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

const struct step_row core_flags_schedule_cancel_steps[] = {
	{ "write", cancel_write },
	{ "read", make_read },
	{ "answer", cancel_answer },
	{ NULL, NULL },
};
