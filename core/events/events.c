/*
 * events.c — jobs of the event log. Sealing is apart from writing because chaining at write time would make every writer wait
 * for the one before it (six times slower, measured); a row is in the chain about a second after its commit.
 */
#include "core/events/events.h"

#include "base/log.h"
#include "base/metric.h"
#include "gen/sql_core.h"

#define SEAL_ROWS_MAX "4096"
#define CARE_PERIOD (60 * USEC_PER_SEC)

static struct metric *sealed;

static enum step
seal_write(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_event_seal,
			     (struct postgres_param[]) { P_TEXT(SEAL_ROWS_MAX) }, 1);
}

/* A full block means that more is waiting: go on at once, so that a bulk import is sealed as fast as it came. */
static enum step
seal_look(struct task *t)
{
	const int64_t rows = postgres_int(t, 0, 0, 0, 0);

	metric_add(sealed, rows);
	if (rows < 4096)
		return STEP_DONE;
	return task_jump(t, seal_write);
}

static const struct step_row seal_steps[] = {
	{ "seal", seal_write },
	{ "look", seal_look },
	{ NULL, NULL },
};

static enum step
care_write(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_event_care, NULL, 0);
}

static enum step
care_done(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row care_steps[] = {
	{ "care", care_write },
	{ "done", care_done },
	{ NULL, NULL },
};

void
core_events_metrics(void)
{
	sealed = metric_counter("bimodal_events_sealed_total", NULL,
				"rows of the event log sealed into the hash chain");
}

void
core_events_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool, usec_t seal_period)
{
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "events.seal",
						     .period = seal_period,
						     .steps = seal_steps,
						     .owner = pool });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "events.care",
						     .period = CARE_PERIOD,
						     .steps = care_steps,
						     .owner = pool });
}
