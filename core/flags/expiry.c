/*
 * expiry.c — jobs of the flags: what has expired is archived, and the owners are told before. The workers need no job for the
 * effect: by their clocks an expired flag is disabled at once, in every process, whether or not
 * this job runs.
 */
#include "core/flags/internal.h"

#include <stdio.h>

#include "base/log.h"

#define NOTICE_PERIOD (5 * USEC_PER_SEC)
#define NOTICES_MAX "200" /* a call */
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

/* ---- told before ---- */

static char notice_days[2][24];

static enum step
notice_write(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_flag_expiring,
			     (struct postgres_param[]) { P_TEXT(notice_days[0]),
							 P_TEXT(notice_days[1]),
							 P_TEXT(NOTICES_MAX) },
			     3);
}

static enum step
notice_tell(struct task *t)
{
	const int64_t n = postgres_int(t, 0, 0, 0, 0);

	if (n > 0)
		log_info("flag.expiring", "%lld flags expire soon", (long long)n);
	return STEP_DONE;
}

static const struct step_row notice_steps[] = {
	{ "write", notice_write },
	{ "tell", notice_tell },
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
core_flags_jobs(struct daemon_jobs *jobs, const struct core_flags_jobs_conf *conf)
{
	struct postgres_pool *const pool = conf->pool;

	(void)snprintf(notice_days[0], sizeof(notice_days[0]), "%lld",
		       (long long)conf->expiry_notice);
	(void)snprintf(notice_days[1], sizeof(notice_days[1]), "%lld",
		       (long long)conf->expiry_notice_last);
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.expiring",
						     .period = NOTICE_PERIOD,
						     .steps = notice_steps,
						     .owner = pool });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.expiry",
						     .period = EXPIRY_PERIOD,
						     .steps = expiry_steps,
						     .owner = pool });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.workers",
						     .period = WORKERS_PERIOD,
						     .steps = workers_steps,
						     .owner = pool });
	core_flags_forget_job(jobs, pool);
	core_flags_mode2_jobs(jobs, pool);
}
