/*
 * mode2.c — all experiments at once: GET /v1/mode2, POST /v1/mode2/stop and /start. Stopping is one transaction, acknowledged by every
 * worker like a kill; until the start nothing of Mode 2 is turned on or proposed (the database refuses it, and the sandbox's workers
 * hear of it with their acknowledgements and say so at the door). Starting brings back what the stop has turned off and nobody has
 * turned off by hand since. Nothing here needs the sandbox.
 */
#include "core/flags/internal.h"

#include "base/metric.h"

#define REASON_BYTES_MAX 500
#define LOOK_PERIOD USEC_PER_SEC

/* ---- GET /v1/mode2 ---- */

static enum step
state_read(struct task *t)
{
	if (postgres_add(core_flags_conf.pool, t, &sql_mode2_get, NULL, 0) != ERR_OK)
		return task_fail(t);
	return postgres_wait(core_flags_conf.pool, t, &sql_mode2_flags, NULL, 0);
}

static enum step
state_answer(struct task *t)
{
	struct buf body;

	buf_init(&body, FLAGS_BODY_MAX * 8);
	buf_add_char(&body, '{');
	buf_add_str(&body, postgres_value(t, 0, 0, 0));
	buf_add_cstr(&body, ",\"flags\":");
	buf_add_str(&body, postgres_value(t, 1, 0, 0));
	buf_add_char(&body, '}');
	const enum step done = http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

const struct step_row core_flags_mode2_steps[] = {
	{ "read", state_read },
	{ "answer", state_answer },
	{ NULL, NULL },
};

/* ---- stop and start ---- */

static enum step
turn(struct task *t, const struct postgres_stmt *stmt)
{
	static const char *const known[] = { "reason", NULL };
	struct str reason = STR_NONE;
	struct flags_body b;

	if (!flags_body_read(t, known, &b) ||
	    !flags_body_text(t, &b, "reason", 1, REASON_BYTES_MAX, &reason))
		return task_fail(t);
	const struct postgres_param params[] = { P_TEXT(access_principal_of(t)),
						 P_STR(http_request_id(t)), P_STR(reason) };
	return postgres_wait(core_flags_conf.pool, t, stmt, params, ARRAY_LEN(params));
}

static enum step
stop_write(struct task *t)
{
	return turn(t, &sql_mode2_stop);
}

static enum step
start_write(struct task *t)
{
	return turn(t, &sql_mode2_start);
}

/* What was done is kept over the next query: which state it is now. */
struct turned {
	bool changed;
	struct str lists; /* of the start: its members, from "," on */
};

static enum step
turned_ask(struct task *t, bool changed, struct str lists)
{
	struct turned *d = task_state(t, sizeof(*d));

	if (d == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	d->changed = changed;
	d->lists = lists;
	if (postgres_add(core_flags_conf.pool, t, &sql_mode2_get, NULL, 0) != ERR_OK)
		return task_fail(t);
	return postgres_wait(core_flags_conf.pool, t, &sql_mode2_flags, NULL, 0);
}

static enum step
stop_look(struct task *t)
{
	return turned_ask(t, postgres_bool(t, 0, 0, 0), STR_NONE);
}

static enum step
start_look(struct task *t)
{
	const struct str body = postgres_value(t, 0, 0, 0);
	struct str lists = STR(",\"flags\":[],\"left_off\":[]");

	if (body.p != NULL) {
		const char *text =
			arena_printf(&t->t_arena, ",%.*s", (int)body.len - 2, body.p + 1);
		if (text == NULL)
			return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
		lists = str_of(text);
	}
	return turned_ask(t, body.p != NULL, lists);
}

static enum step
turned_apply(struct task *t)
{
	const struct turned *d = task_state(t, sizeof(*d));
	struct buf head;

	buf_init(&head, FLAGS_BODY_MAX * 8);
	buf_printf(&head, "{\"changed\":%s,", d->changed ? "true" : "false");
	buf_add_str(&head, postgres_value(t, 0, 0, 0));
	if (d->lists.p != NULL) {
		buf_add_str(&head, d->lists);
	} else {
		buf_add_cstr(&head, ",\"flags\":");
		buf_add_str(&head, postgres_value(t, 1, 0, 0));
	}
	const struct str kept = arena_str(&t->t_arena, buf_str(&head));
	buf_free(&head);
	if (kept.p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	return core_flags_applied(t, &(struct flags_change) { .head = kept, .status = 200 });
}

const struct step_row core_flags_stop_steps[] = {
	{ "write", stop_write },
	{ "look", stop_look },
	{ "apply", turned_apply },
	{ NULL, NULL },
};

const struct step_row core_flags_start_steps[] = {
	{ "write", start_write },
	{ "look", start_look },
	{ "apply", turned_apply },
	{ NULL, NULL },
};

/* ---- the gauge ---- */

static struct metric *gauge;

void
core_flags_mode2_metrics(void)
{
	gauge = metric_gauge_max("bimodal_mode2_stopped", NULL,
				 "1 while every experiment is off and proposals are held");
}

static enum step
look_ask(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_mode2_look, NULL, 0);
}

static enum step
look_show(struct task *t)
{
	metric_set(gauge, postgres_bool(t, 0, 0, 0) ? 1 : 0);
	return STEP_DONE;
}

static const struct step_row look_steps[] = {
	{ "ask", look_ask },
	{ "show", look_show },
	{ NULL, NULL },
};

void
core_flags_mode2_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool)
{
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.mode2",
						     .period = LOOK_PERIOD,
						     .steps = look_steps,
						     .owner = pool });
}
