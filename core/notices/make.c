/*
 * make.c — the jobs that follow the event log and make its notices, tell what is about to happen, and forget what is old. The work is
 * one statement each: notices and the position in the log are one transaction, so a process that is killed in the middle has
 * neither lost nor doubled any.
 */
#include "core/notices/internal.h"

#include "base/metric.h"

#define EVENTS_A_TURN 5000
#define EVENTS_A_TURN_TEXT "5000"
#define DUE_PERIOD (10 * USEC_PER_SEC)
#define CARE_PERIOD (60 * USEC_PER_SEC)
#define HOLDERS_BYTES_MAX ((size_t)256 * 1024)

struct core_notices_conf core_notices_conf;
static struct metric *made;
static struct metric *followed;

static step_fn make_write;

static enum step
make_write(struct task *t)
{
	struct buf holders;

	buf_init(&holders, HOLDERS_BYTES_MAX);
	access_roles_holders_json(core_notices_conf.roles, &holders);
	const struct postgres_param params[] = {
		P_STR(buf_str(&holders)),
		P_TEXT(core_notices_conf.smtp.url[0] != '\0' ? "true" : "false"),
		P_TEXT(EVENTS_A_TURN_TEXT),
	};
	const enum step next = holders.failed
				       ? task_fail_set(t, ERR_TOO_LARGE, NULL, "too many rights")
				       : postgres_wait(core_notices_conf.pool, t, &sql_notice_make,
						       params, ARRAY_LEN(params));
	buf_free(&holders);
	return next;
}

/* A full turn means that more is waiting: go on at once. */
static enum step
make_look(struct task *t)
{
	const int64_t events = postgres_int(t, 0, 0, 0, 0);

	metric_add(followed, events);
	metric_add(made, postgres_int(t, 0, 0, 1, 0));
	return events < EVENTS_A_TURN ? STEP_DONE : task_jump(t, make_write);
}

static const struct step_row make_steps[] = {
	{ "make", make_write },
	{ "look", make_look },
	{ NULL, NULL },
};

static enum step
done(struct task *t UNUSED)
{
	return STEP_DONE;
}

static enum step
due_write(struct task *t)
{
	return postgres_wait(core_notices_conf.pool, t, &sql_notice_due, NULL, 0);
}

static const struct step_row due_steps[] = {
	{ "due", due_write },
	{ "done", done },
	{ NULL, NULL },
};

static enum step
care_write(struct task *t)
{
	const struct postgres_param params[] = {
		P_TEXT(arena_printf(&t->t_arena, "%lld",
				    (long long)(core_notices_conf.keep / USEC_PER_SEC))),
		P_TEXT(arena_printf(&t->t_arena, "%lld", (long long)core_notices_conf.max)),
	};

	return postgres_wait(core_notices_conf.pool, t, &sql_notice_care, params,
			     ARRAY_LEN(params));
}

static const struct step_row care_steps[] = {
	{ "care", care_write },
	{ "done", done },
	{ NULL, NULL },
};

void
core_notices_metrics(void)
{
	made = metric_counter("bimodal_notices_made_total", NULL, "notices made");
	followed = metric_counter("bimodal_notices_events_total", NULL,
				  "rows of the event log that were looked at for notices");
	core_notices_mail_metrics();
}

void
core_notices_jobs(struct daemon_jobs *jobs, const struct core_notices_conf *conf)
{
	core_notices_conf = *conf;
	daemon_jobs_add(jobs, &(struct daemon_job) {
				      .name = "notices.make",
				      .period = conf->period,
				      .deadline = 60 * USEC_PER_SEC,
				      .steps = make_steps,
			      });
	daemon_jobs_add(jobs, &(struct daemon_job) {
				      .name = "notices.due",
				      .period = DUE_PERIOD,
				      .steps = due_steps,
			      });
	daemon_jobs_add(jobs, &(struct daemon_job) {
				      .name = "notices.care",
				      .period = CARE_PERIOD,
				      .steps = care_steps,
			      });
	if (conf->smtp.url[0] != '\0')
		core_notices_mail_jobs(jobs);
}

void
core_notices_jobs_finish(void)
{
	core_notices_mail_finish();
}
