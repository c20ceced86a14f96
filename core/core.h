/*
 * core.h — the wiring of bimodal-core: what one process holds. Only main.c, worker.c and jobs.c see this; rooms get what they
 * need as plain values.
 */
#ifndef BIMODAL_CORE_CORE_H
#define BIMODAL_CORE_CORE_H

#include "access/access.h"
#include "base/process.h"
#include "core/config.h"
#include "core/feed/feed.h"
#include "core/webhooks/webhooks.h"
#include "daemon/generations.h"
#include "daemon/jobs.h"
#include "http/http.h"
#include "postgres/postgres.h"
#include "record/record.h"

struct core {
	struct core_config config;
	struct access_roles *roles;
	struct core_webhooks_nets webhook_nets; /* of webhook.allow */

	struct loop *loop;
	struct task_engine *tasks;
	struct arena strings; /* conninfo texts of this process */

	/* a worker */
	struct postgres_pool *app;
	struct record_engine *records;
	struct access *access;
	struct http_server *http;
	struct daemon_generations *generations;
	struct loop_timer *used_timer;
	struct loop_timer *refused_timer;

	/* the jobs child: the only holder of the executor's secrets */
	struct postgres_pool *lead;
	struct postgres_pool *executor;
	struct postgres_pool *airlock;
	struct core_feed_heal_conf heal; /* its pools */
	struct postgres_pool *notices;   /* and webhooks */
	struct daemon_jobs *jobs;
};

/* A pool with one SLOW connection for jobs and commands. */
MUST_CHECK enum err core_job_pool(struct core *c, const char *label,
				  const struct daemon_login *login, usec_t statement_timeout,
				  struct postgres_pool **out, struct err_info *info);
struct daemon_login core_executor_login(const struct core *c);

/* Before the fork: every process must know the same metrics in the same order. */
void core_worker_metrics(void);
/* Every route of the daemon, for --print-routes. */
void core_worker_routes(bool *first);
/* The same for the document of the API; errors name a route that nobody has described. */
MUST_CHECK enum err core_worker_describe(struct err_info *info);

/* The parts of a process, as in struct daemon_program: `arg` is the struct core. */
MUST_CHECK enum err core_worker_start(void *arg, const struct process_role *role,
				      struct err_info *info);
void core_worker_stop(void *arg);
void core_worker_finish(void *arg);
MUST_CHECK enum err core_jobs_start(void *arg, struct err_info *info);
void core_jobs_finish(void *arg);

#endif
