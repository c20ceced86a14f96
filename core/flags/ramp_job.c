/*
 * ramp_job.c — what ramps and schedules do by themselves: a look each period. Every move is one statement about one ramp or schedule, decided
 * anew under the flag's row lock, so it does not matter how many processes look, or when one of them dies: a move is made or is not.
 * First what has its time, then the guardrails of the ramps that have some, which read the record and may take long.
 */
#include "core/flags/ramp.h"

#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"

#define REQUEST "flags.ramps"
#define RAMP_DEADLINE (120 * USEC_PER_SEC)
#define JUDGED_BYTES_MAX ((size_t)16 * 1024)
#define BREACH_BYTES_MAX ((size_t)512)
#define ARENA_BYTES_MAX ((size_t)64 * 1024)
#define FIRST "00000000-0000-0000-0000-000000000000"

static char guardrail_period[24];

/* The one look that is under way; kept outside the task's arena, which would grow with the number of ramps. */
static struct {
	char after[UUID_TEXT_SIZE]; /* ramps up to this one have been looked at */
	char from[64], at[64];
	struct arena arena; /* of the ramp that is judged */
	struct ramp_watch watch;
} look;

static step_fn due_ask, schedule_ask, watch_ask, watch_first;

/* ---- ramps ---- */

static enum step
look_begin(struct task *t UNUSED)
{
	(void)str_copy(look.after, sizeof(look.after), STR(FIRST));
	return STEP_NEXT;
}

static enum step
due_ask(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_flag_ramp_due,
			     (struct postgres_param[]) { P_TEXT(look.after) }, 1);
}

static enum step
due_go(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return task_jump(t, schedule_ask);
	(void)str_copy(look.after, sizeof(look.after), postgres_value(t, 0, 0, 0));
	const struct postgres_param params[] = { P_TEXT(look.after), P_TEXT(REQUEST) };
	return postgres_wait(t->t_owner, t, &sql_flag_ramp_go, params, ARRAY_LEN(params));
}

static enum step
due_tell(struct task *t)
{
	if (!postgres_is_null(t, 0, 0, 0))
		log_info("flag.ramp", "ramp %s: %.*s", look.after,
			 STR_FMT(postgres_value(t, 0, 0, 0)));
	return task_jump(t, due_ask);
}

/* ---- schedules ---- */

static enum step
schedule_ask(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_flag_schedule_due, NULL, 0);
}

static enum step
schedule_go(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return task_jump(t, watch_first);
	(void)str_copy(look.after, sizeof(look.after), postgres_value(t, 0, 0, 0));
	const struct postgres_param params[] = { P_TEXT(look.after), P_TEXT(REQUEST) };
	return postgres_wait(t->t_owner, t, &sql_flag_schedule_go, params, ARRAY_LEN(params));
}

static enum step
schedule_tell(struct task *t)
{
	if (!postgres_is_null(t, 0, 0, 0))
		log_info("flag.schedule", "schedule %s: %.*s", look.after,
			 STR_FMT(postgres_value(t, 0, 0, 0)));
	return task_jump(t, schedule_ask);
}

/* ---- guardrails ---- */

static enum step
watch_first(struct task *t UNUSED)
{
	(void)str_copy(look.after, sizeof(look.after), STR(FIRST));
	return STEP_NEXT;
}

static enum step
watch_ask(struct task *t)
{
	const struct postgres_param params[] = { P_TEXT(look.after), P_TEXT(guardrail_period) };
	return postgres_wait(t->t_owner, t, &sql_flag_ramp_watch, params, ARRAY_LEN(params));
}

static enum step
watch_sums(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return STEP_DONE;
	memset(&look.watch, 0, sizeof(look.watch));
	arena_release(&look.arena);
	arena_init(&look.arena, ARENA_BYTES_MAX);
	(void)str_copy(look.after, sizeof(look.after), postgres_value(t, 0, 0, 0));
	(void)str_copy(look.from, sizeof(look.from), postgres_value(t, 0, 0, 4));
	(void)str_copy(look.at, sizeof(look.at), postgres_value(t, 0, 0, 5));
	look.watch.planned_units = (double)postgres_int(t, 0, 0, 3, RAMP_PLANNED_UNITS);
	if (ramp_watch_read(&look.arena, postgres_value(t, 0, 0, 1), postgres_value(t, 0, 0, 2),
			    &look.watch, &t->t_err) != ERR_OK)
		return task_fail(t);
	return postgres_wait(t->t_owner, t, &sql_flag_ramp_sums,
			     (struct postgres_param[]) { P_TEXT(look.after) }, 1);
}

/* Columns of flag_ramp_sums.sql; hits are of units, so they are never more. */
static void
sums_take(struct task *t, struct ramp_watch *w)
{
	for (int row = 0; row < postgres_rows(t, 0); row++) {
		const int64_t i = postgres_int(t, 0, row, 0, -1);
		const struct str name = postgres_value(t, 0, row, 1);
		size_t arm = 0;
		while (arm < w->arms && !str_eq(w->arm[arm], name))
			arm++;
		if (i < 0 || (size_t)i >= w->n || arm == w->arms)
			continue;
		struct stats_sums *s = &w->sums[i][arm];
		s->n = postgres_int(t, 0, row, 2, 0);
		s->y = s->yy = postgres_int(t, 0, row, 3, 0);
	}
}

static enum step
watch_judge(struct task *t)
{
	struct buf judged, breach;
	enum step next;

	sums_take(t, &look.watch);
	buf_init(&judged, JUDGED_BYTES_MAX);
	buf_init(&breach, BREACH_BYTES_MAX);
	const enum err err = ramp_watch_judge(&look.watch, &judged, &breach, &t->t_err);
	const bool broken = buf_str(&breach).len > 0;
	if (broken)
		log_warn("flag.guardrail", "ramp %s: %.*s", look.after, STR_FMT(buf_str(&breach)));
	const struct postgres_param params[] = {
		P_TEXT(look.after),
		P_TEXT(look.from),
		P_TEXT(look.at),
		P_STR(buf_str(&judged)),
		{ .value = buf_str(&breach), .is_null = !broken },
		P_TEXT(REQUEST),
	};
	if (err != ERR_OK || judged.failed)
		next = task_fail_set(t, ERR_INTERNAL, NULL, "could not judge the ramp %s",
				     look.after);
	else
		next = postgres_wait(t->t_owner, t, &sql_flag_ramp_judged, params,
				     ARRAY_LEN(params));
	buf_free(&breach);
	buf_free(&judged);
	return next;
}

static enum step
watch_again(struct task *t)
{
	return task_jump(t, watch_ask);
}

static const struct step_row look_steps[] = {
	{ "begin", look_begin },
	{ "due", due_ask },
	{ "go", due_go },
	{ "tell", due_tell },
	{ "schedule", schedule_ask },
	{ "schedule_go", schedule_go },
	{ "schedule_tell", schedule_tell },
	{ "watch", watch_first },
	{ "watch_ask", watch_ask },
	{ "sums", watch_sums },
	{ "judge", watch_judge },
	{ "again", watch_again },
	{ NULL, NULL },
};

void
core_flags_ramp_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool, usec_t period,
		     usec_t guardrails)
{
	(void)snprintf(guardrail_period, sizeof(guardrail_period), "%lld", (long long)guardrails);
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.ramps",
						     .period = period,
						     .deadline = RAMP_DEADLINE,
						     .steps = look_steps,
						     .owner = pool });
}
