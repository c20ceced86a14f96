/*
 * jobs.c — the job of the experiments, one run after the other: take what has changed from the outbox, compute the metrics of the units
 * concerned under the feature's login, then look at each experiment whose sums have changed or whose end has come.
 *
 * Idempotent: a unit's value is computed from crm as it is, and stored as it came, however often that happens. Values are read as of
 * the copy's position, so a unit has matured when core's clock, as far as it has arrived, says so.
 */
#include "sandbox/experiment/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define DEADLINE (60 * USEC_PER_SEC)
#define RECONCILE_PERIOD (60 * USEC_PER_SEC)
#define EVENTS_MAX 20000
#define UNITS_MAX "2000"
#define ARRAY_BYTES ((size_t)512 * 1024)
#define BATCHES_MAX 500 /* a run; the rest waits for the next */

struct sandbox_experiment_jobs_conf sandbox_experiment_jobs_conf;

/* Of the one batch under way; too large for a task's arena over many batches. */
static struct {
	struct buf slug, metric, units, exposed_at, until, received;
} batch;

static struct buf *const batch_texts[] = { &batch.slug,       &batch.metric, &batch.units,
					   &batch.exposed_at, &batch.until,  &batch.received };

struct fold {
	unsigned batches;
};

static struct postgres_pool *
pool(void)
{
	return sandbox_experiment_jobs_conf.pool;
}

static step_fn fold_consume, fold_next, fold_measure, fold_judge;

static enum step
fold_consume(struct task *t)
{
	char max[24];

	(void)snprintf(max, sizeof(max), "%d", EVENTS_MAX);
	return postgres_wait(pool(), t, &sql_lab_consume, (struct postgres_param[]) { P_TEXT(max) },
			     1);
}

static enum step
fold_consumed(struct task *t)
{
	if (postgres_int(t, 0, 0, 1, 0) > 0)
		log_info("experiment.purge", "%lld rows of people who left the copy were removed",
			 (long long)postgres_int(t, 0, 0, 1, 0));
	/* A long queue (an initial copy) is taken at once, not a piece a second. */
	return postgres_int(t, 0, 0, 0, 0) >= EVENTS_MAX ? task_jump(t, fold_consume) : STEP_NEXT;
}

static enum step
fold_next(struct task *t)
{
	struct fold *f = task_state(t, sizeof(*f));

	if (f == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory to fold");
	if (f->batches++ >= BATCHES_MAX)
		return task_jump(t, fold_judge);
	return postgres_wait(pool(), t, &sql_lab_fold_next,
			     (struct postgres_param[]) { P_TEXT(UNITS_MAX) }, 1);
}

static enum step
fold_measure(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return task_jump(t, fold_judge);
	for (int i = 0; i < (int)ARRAY_LEN(batch_texts); i++) {
		if (batch_texts[i]->limit == 0)
			buf_init(batch_texts[i], ARRAY_BYTES);
		buf_reset(batch_texts[i]);
		buf_add_str(batch_texts[i], postgres_value(t, 0, 0, i));
		if (buf_cstr(batch_texts[i]) == NULL)
			return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory to fold");
	}
	const struct feature_measure measure = {
		.slug = buf_str(&batch.slug),
		.metric = buf_cstr(&batch.metric),
		.units = buf_cstr(&batch.units),
		.exposed_at = buf_cstr(&batch.exposed_at),
		.until = buf_cstr(&batch.until),
	};
	if (feature_runtime_manifest(sandbox_experiment_jobs_conf.runtime, measure.slug) == NULL)
		return task_jump(t, fold_judge); /* not followed yet: it is in a second */
	task_wait_soft(t);
	return feature_runtime_measure(sandbox_experiment_jobs_conf.runtime, t, &measure);
}

static enum step
fold_store(struct task *t)
{
	struct feature_values values;
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) != ERR_OK || !feature_runtime_values(t, 0, &values)) {
		const char *why = info != NULL && info->msg[0] != '\0'
					  ? info->msg
					  : "the metric's query gave no values";
		log_warn("experiment.fold", "%.*s: metric %.*s: %s", STR_FMT(buf_str(&batch.slug)),
			 STR_FMT(buf_str(&batch.metric)), why);
		return postgres_wait(
			pool(), t, &sql_lab_fold_failed,
			(struct postgres_param[]) { P_STR(buf_str(&batch.slug)), P_TEXT(why) }, 2);
	}
	const struct postgres_param params[] = {
		P_STR(buf_str(&batch.slug)),
		P_STR(buf_str(&batch.metric)),
		P_STR(buf_str(&batch.units)),
		P_STR(values.units.p != NULL ? values.units : STR("{}")),
		P_STR(values.values.p != NULL ? values.values : STR("{}")),
		P_STR(buf_str(&batch.received)),
	};
	return postgres_wait(pool(), t, &sql_lab_fold_store, params, ARRAY_LEN(params));
}

static enum step
fold_again(struct task *t)
{
	return task_jump(t, fold_next);
}

static enum step
fold_judge(struct task *t)
{
	return task_continue(t, sandbox_experiment_judge_steps);
}

static const struct step_row fold_steps[] = {
	{ "consume", fold_consume }, { "consumed", fold_consumed },
	{ "next", fold_next },       { "measure", fold_measure },
	{ "store", fold_store },     { "again", fold_again },
	{ "judge", fold_judge },     { NULL, NULL },
};

/* ---- whoever left the copy without a trace in the outbox ---- */

static enum step
reconcile(struct task *t)
{
	return postgres_wait(pool(), t, &sql_lab_reconcile, NULL, 0);
}

static enum step
reconciled(struct task *t)
{
	if (postgres_int(t, 0, 0, 0, 0) > 0)
		log_info("experiment.purge",
			 "%lld rows of people who had left the copy were removed",
			 (long long)postgres_int(t, 0, 0, 0, 0));
	return STEP_DONE;
}

static const struct step_row reconcile_steps[] = { { "reconcile", reconcile },
						   { "reconciled", reconciled },
						   { NULL, NULL } };

void
sandbox_experiment_jobs(struct daemon_jobs *jobs, const struct sandbox_experiment_jobs_conf *conf)
{
	sandbox_experiment_jobs_conf = *conf;
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "experiment.fold",
						     .period = conf->period,
						     .deadline = DEADLINE,
						     .steps = fold_steps });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "experiment.reconcile",
						     .period = RECONCILE_PERIOD,
						     .steps = reconcile_steps });
}
