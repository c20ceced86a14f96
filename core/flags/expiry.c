/*
 * expiry.c — jobs of the flags: what has expired is archived. The workers need no job for the
 * effect: by their clocks an expired flag is disabled at once, in every process, whether or not
 * this job runs.
 */
#include "core/flags/internal.h"

#include "base/log.h"

#define EXPIRY_PERIOD USEC_PER_SEC
#define WORKERS_PERIOD (60 * USEC_PER_SEC)

static enum step
expiry_ask(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_flag_expired, NULL, 0);
}

static enum step
expiry_write(struct task *t)
{
	if (postgres_int(t, 0, 0, 0, 0) == 0)
		return STEP_DONE;
	return postgres_wait(t->t_owner, t, &sql_flag_expire,
			     (struct postgres_param[]) { P_TEXT("flags.expiry") }, 1);
}

static enum step
expiry_tell(struct task *t)
{
	log_info("flag.expired", "archived %.*s", STR_FMT(postgres_value(t, 0, 0, 0)));
	return STEP_DONE;
}

static const struct step_row expiry_steps[] = {
	{ "ask", expiry_ask },
	{ "write", expiry_write },
	{ "tell", expiry_tell },
	{ NULL, NULL },
};

static enum step
workers_write(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_worker_forget, NULL, 0);
}

static enum step
workers_done(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row workers_steps[] = {
	{ "write", workers_write },
	{ "done", workers_done },
	{ NULL, NULL },
};

void
core_flags_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool)
{
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.expiry",
						     .period = EXPIRY_PERIOD,
						     .steps = expiry_steps,
						     .owner = pool });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.workers",
						     .period = WORKERS_PERIOD,
						     .steps = workers_steps,
						     .owner = pool });
	core_flags_mode2_jobs(jobs, pool);
}
