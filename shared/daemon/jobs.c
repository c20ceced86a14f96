/*
 * jobs.c — see jobs.h. One timer ticks at the smallest useful grain and starts what is due; a job that is still running is
 * left alone. Failures are logged on the first and on recovery, not every second for an hour.
 */
#include "daemon/jobs.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "gen/sql_shared.h"

#define TICK (50 * USEC_PER_MS)
#define LEAD_PERIOD USEC_PER_SEC
#define DEADLINE_MIN (10 * USEC_PER_SEC)

struct job {
	struct daemon_job row;
	struct daemon_jobs *jobs;
	usec_t due;
	bool running;
	bool failing;
};

struct daemon_jobs {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *lead;
	struct loop_timer *timer;
	struct job job[DAEMON_JOBS_MAX];
	unsigned n;
	bool leading;
};

static struct metric *leading_gauge;
static struct metric *failures;

static step_fn lead_ask, lead_look;

static const struct step_row lead_steps[] = {
	{ "ask", lead_ask },
	{ "look", lead_look },
	{ NULL, NULL },
};

static enum step
lead_ask(struct task *t)
{
	struct daemon_jobs *jobs = t->t_owner;

	task_wait_soft(t);
	return postgres_wait(jobs->lead, t, &sql_leader_hold, NULL, 0);
}

static enum step
lead_look(struct task *t)
{
	struct daemon_jobs *jobs = t->t_owner;
	const struct err_info *info = NULL;
	const bool leading = task_wait_err(t, 0, &info) == ERR_OK && postgres_bool(t, 0, 0, 0);

	if (leading != jobs->leading)
		log_info(leading ? "jobs.leading" : "jobs.following", "this instance %s the jobs",
			 leading ? "runs" : "does not run");
	jobs->leading = leading;
	metric_set(leading_gauge, leading);
	return STEP_DONE;
}

static void
job_end(struct task *t, void *arg)
{
	struct job *job = arg;
	const bool failed = t->t_err.code != ERR_OK && t->t_cancel != TASK_SHUTDOWN;

	job->running = false;
	if (failed)
		metric_add(failures, 1);
	if (failed && !job->failing)
		log_error("job.failed", "%s: %s%s%s", job->row.name,
			  t->t_err.msg[0] != '\0' ? t->t_err.msg : err_row(t->t_err.code)->title,
			  t->t_err.sqlstate[0] != '\0' ? " " : "", t->t_err.sqlstate);
	if (!failed && job->failing)
		log_info("job.recovered", "%s works again", job->row.name);
	job->failing = failed;
}

static void
job_start(struct job *job, usec_t now)
{
	const usec_t deadline =
		job->row.deadline > 0 ? job->row.deadline : MAX(10 * job->row.period, DEADLINE_MIN);
	struct task *t = NULL;

	job->due = now + job->row.period;
	if (task_start(job->jobs->engine, job->row.name, job->row.steps, now + deadline,
		       ARENA_CAP_BYTES, job_end, job, &t) != ERR_OK)
		return;
	t->t_owner = job->row.owner;
	job->running = true;
}

static void
tick(void *arg)
{
	struct daemon_jobs *jobs = arg;
	const usec_t now = clock_now_us();

	for (unsigned i = 0; i < jobs->n; i++) {
		struct job *job = &jobs->job[i];
		/* Row 0 is the question for leadership itself; the rest wait for a yes. */
		if (!job->running && now >= job->due && (i == 0 || jobs->leading))
			job_start(job, now);
	}
}

void
daemon_jobs_metrics(void)
{
	leading_gauge =
		metric_gauge("bimodal_jobs_leading", NULL, "1 in the instance that runs the jobs");
	failures = metric_counter("bimodal_jobs_failures_total", NULL, "runs of a job that failed");
}

struct daemon_jobs *
daemon_jobs_create(struct loop *l, struct task_engine *e, struct postgres_pool *lead)
{
	struct daemon_jobs *jobs = calloc(1, sizeof(*jobs));
	BUG_ON(jobs == NULL);
	jobs->loop = l;
	jobs->engine = e;
	jobs->lead = lead;
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "jobs.lead",
						     .period = LEAD_PERIOD,
						     .steps = lead_steps,
						     .owner = jobs });
	jobs->timer = loop_every(l, TICK, tick, jobs);
	return jobs;
}

void
daemon_jobs_destroy(struct daemon_jobs *jobs)
{
	if (jobs == NULL)
		return;
	loop_timer_destroy(jobs->timer);
	free(jobs);
}

void
daemon_jobs_add(struct daemon_jobs *jobs, const struct daemon_job *row)
{
	BUG_ON(jobs->n == DAEMON_JOBS_MAX);
	jobs->job[jobs->n++] = (struct job) { .row = *row, .jobs = jobs };
}

bool
daemon_jobs_leading(const struct daemon_jobs *jobs)
{
	return jobs->leading;
}
