/*
 * jobs.c — the jobs child of the sandbox: the only process that holds the deployer's secret.
 */
#include "sandbox/sandbox.h"

#include "sandbox/experiment/experiment.h"
#include "sandbox/flags/flags.h"
#include "sandbox/hypothesis/hypothesis.h"
#include "sandbox/registry/registry.h"
#include "sandbox/replica/heal.h"

#define JOB_TIMEOUT (60 * USEC_PER_SEC)
#define DEPLOYER_CONNECTIONS 3

enum err
sandbox_jobs_start(void *arg, struct err_info *info)
{
	struct sandbox *c = arg;
	const struct daemon_login deployer = sandbox_deployer_login(c);

	enum err err = sandbox_job_pool(c, "sandbox/lead", &deployer, 1, NULL, JOB_TIMEOUT,
					&c->lead, info);
	if (err == ERR_OK)
		err = sandbox_job_pool(c, "sandbox/deployer", &deployer, DEPLOYER_CONNECTIONS, NULL,
				       JOB_TIMEOUT, &c->deployer, info);
	if (err == ERR_OK)
		err = sandbox_job_pool(c, "sandbox/apply", &deployer, 1,
				       "options='-c role=bimodal_apply'", JOB_TIMEOUT, &c->apply,
				       info);
	if (err != ERR_OK)
		return err;
	sandbox_core_start(c);
	c->metrics = sandbox_runtime(c, -2, true);
	sandbox_features_use(SANDBOX_FEATURES_METRICS,
			     &(struct sandbox_features_conf) {
				     .runtime = c->metrics,
				     .pool = c->deployer,
				     .host = c->config.common.database.host,
				     .port = c->config.common.database.port,
				     .database = c->config.common.database.name,
			     });
	c->jobs = daemon_jobs_create(c->loop, c->tasks, c->lead);
	sandbox_hypothesis_jobs(c->jobs,
				&(struct sandbox_hypothesis_jobs_conf) {
					.pool = c->deployer,
					.core = c->core,
					.workers = (unsigned)c->config.common.http_workers,
					.statement_timeout = c->config.feature_metric_timeout,
				});
	sandbox_experiment_jobs(c->jobs, &(struct sandbox_experiment_jobs_conf) {
						 .pool = c->deployer,
						 .runtime = c->metrics,
						 .period = c->config.experiment_period,
						 .stale_after = c->config.feed_stale_after,
					 });
	sandbox_flags_jobs(c->jobs, c->deployer);
	sandbox_registry_jobs(c->jobs, c->deployer, c->apply);
	sandbox_heal_jobs(c->jobs, c->apply, c->core);
	return ERR_OK;
}

void
sandbox_jobs_finish(void *arg)
{
	struct sandbox *c = arg;

	postgres_pool_destroy(c->lead);
	postgres_pool_destroy(c->deployer);
	postgres_pool_destroy(c->apply);
}
