/*
 * jobs.c — the jobs child of core: the only process that holds the executor's, the airlock's and the rehearsal's secrets.
 */
#include "core/core.h"

#include "core/change/change.h"
#include "core/events/events.h"
#include "core/feed/feed.h"
#include "core/flags/flags.h"
#include "core/session/session.h"
#include "core/notices/notices.h"
#include "core/webhooks/webhooks.h"

#define JOB_TIMEOUT (60 * USEC_PER_SEC)

/* The airlock's executor as the owner of its subscriptions: a script that ends puts the role back, to the one the connection began with. */
static enum err
apply_pool(struct core *c, struct postgres_pool **out, struct err_info *info)
{
	static const struct postgres_stmt *const none[] = { NULL };
	const char *conninfo = arena_printf(&c->strings, "%s options='-c role=bimodal_apply'",
					    daemon_conninfo(&c->strings, &c->config.airlock, NULL));
	return postgres_pool_create(
		c->loop, c->tasks,
		&(struct postgres_conf) {
			.label = "core/airlock",
			.conninfo = conninfo,
			.lanes = { [POSTGRES_SLOW] = { .connections = 1,
						       .depth = 1,
						       .queue_max = 100,
						       .statement_timeout = JOB_TIMEOUT } },
			.stmts = none,
			.worker = -2,
		},
		out, info);
}

static void
notices_start(struct core *c)
{
	const struct core_config *k = &c->config;

	core_notices_jobs(c->jobs, &(struct core_notices_conf) {
					   .loop = c->loop,
					   .engine = c->tasks,
					   .pool = c->notices,
					   .roles = c->roles,
					   .period = k->notices_period,
					   .keep = k->notices_keep,
					   .max = k->notices_max,
					   .url = k->console_url,
					   .smtp = { .url = k->smtp_url,
						     .user = k->smtp_user,
						     .password = k->smtp_password,
						     .from = k->smtp_from,
						     .ca_file = k->smtp_ca_file,
						     .retry = k->smtp_retry },
				   });
	core_webhooks_jobs(c->jobs, &(struct core_webhooks_conf) {
					    .loop = c->loop,
					    .engine = c->tasks,
					    .pool = c->notices,
					    .nets = &c->webhook_nets,
					    .period = k->notices_period,
					    .timeout = k->webhook_timeout,
					    .retry = k->webhook_retry,
					    .disable_after = k->webhook_disable_after,
				    });
}

enum err
core_jobs_start(void *arg, struct err_info *info)
{
	struct core *c = arg;
	const struct daemon_login executor = core_executor_login(c);

	enum err err = core_job_pool(c, "core/lead", &executor, JOB_TIMEOUT, &c->lead, info);
	if (err == ERR_OK)
		err = core_job_pool(c, "core/executor", &executor, JOB_TIMEOUT, &c->executor, info);
	if (err == ERR_OK)
		err = core_job_pool(c, "core/airlock", &c->config.airlock, JOB_TIMEOUT, &c->airlock,
				    info);
	if (err == ERR_OK)
		err = core_job_pool(c, "core/executor", &executor, JOB_TIMEOUT, &c->heal.core,
				    info);
	if (err == ERR_OK)
		err = core_job_pool(c, "core/airlock", &c->config.airlock, JOB_TIMEOUT,
				    &c->heal.airlock, info);
	if (err == ERR_OK)
		err = apply_pool(c, &c->heal.apply, info);
	if (err == ERR_OK)
		err = core_job_pool(c, "core/executor", &executor, JOB_TIMEOUT, &c->notices, info);
	if (err != ERR_OK)
		return err;
	c->jobs = daemon_jobs_create(c->loop, c->tasks, c->lead);
	core_events_jobs(c->jobs, c->lead, c->config.events_seal_period);
	core_flags_jobs(c->jobs, &(struct core_flags_jobs_conf) {
					 .pool = c->lead,
					 .expiry_notice = c->config.flags_expiry_notice,
					 .expiry_notice_last = c->config.flags_expiry_notice_last,
				 });
	core_flags_ramp_jobs(c->jobs, c->lead, c->config.flags_ramp_period,
			     c->config.flags_guardrail_period);
	core_flags_usage_jobs(c->jobs, c->lead, c->config.flags_usage_keep);
	core_session_jobs(c->jobs, c->lead);
	core_change_jobs(c->jobs, &(struct core_change_conf) {
					  .loop = c->loop,
					  .engine = c->tasks,
					  .executor = c->executor,
					  .airlock = c->airlock,
					  .executor_user = c->config.executor_user,
					  .rehearsal = { .host = c->config.rehearsal.host,
							 .port = c->config.rehearsal.port,
							 .name = c->config.rehearsal.name,
							 .user = c->config.rehearsal.user,
							 .password = c->config.rehearsal.password,
							 .rows = c->config.rehearsal_rows },
					  .workers = (unsigned)c->config.common.http_workers,
					  .lock_budget = c->config.change_lock_budget,
					  .lock_tries = (unsigned)c->config.change_lock_tries,
					  .drift_period = c->config.drift_period,
				  });
	core_feed_jobs(c->jobs, c->lead, c->airlock, c->config.feed_heartbeat_period);
	core_feed_heal_jobs(c->jobs, &c->heal);
	notices_start(c);
	return ERR_OK;
}

void
core_jobs_finish(void *arg)
{
	struct core *c = arg;

	core_change_jobs_finish();
	core_notices_jobs_finish();
	core_webhooks_jobs_finish();
	postgres_pool_destroy(c->notices);
	postgres_pool_destroy(c->lead);
	postgres_pool_destroy(c->executor);
	postgres_pool_destroy(c->airlock);
	postgres_pool_destroy(c->heal.core);
	postgres_pool_destroy(c->heal.airlock);
	postgres_pool_destroy(c->heal.apply);
}
