/*
 * sandbox.h — the wiring of bimodal-sandbox: what one process holds. Only main.c, worker.c and jobs.c see this; rooms get what they
 * need as plain values.
 */
#ifndef BIMODAL_SANDBOX_SANDBOX_H
#define BIMODAL_SANDBOX_SANDBOX_H

#include "access/access.h"
#include "base/process.h"
#include "daemon/generations.h"
#include "daemon/jobs.h"
#include "feature/runtime.h"
#include "http/client.h"
#include "http/http.h"
#include "postgres/postgres.h"
#include "record/record.h"
#include "sandbox/config.h"

#define SANDBOX_FEATURE_LABEL "feature" /* of the pools of features' logins */

struct sandbox {
	struct sandbox_config config;
	struct access_roles *roles;

	struct loop *loop;
	struct task_engine *tasks;
	struct arena strings; /* conninfo texts of this process */
	struct http_client *core;

	/* a worker */
	struct postgres_pool *app;
	struct record_engine *records;
	struct access *access;
	struct http_server *http;
	struct daemon_generations *generations;
	struct feature_runtime *features; /* answers endpoints */

	/* the jobs child: the only holder of the deployer's secret */
	struct postgres_pool *lead;
	struct postgres_pool *deployer;
	struct postgres_pool *apply; /* the same login as the subscription's owner */
	struct daemon_jobs *jobs;
	struct feature_runtime *metrics; /* computes metrics */
};

/* A pool with SLOW connections for jobs and commands; `extra` is put behind its conninfo, or NULL. */
MUST_CHECK enum err sandbox_job_pool(struct sandbox *c, const char *label,
				     const struct daemon_login *login, unsigned connections,
				     const char *extra, usec_t statement_timeout,
				     struct postgres_pool **out, struct err_info *info);
struct daemon_login sandbox_deployer_login(const struct sandbox *c);

/* Before the fork: every process must know the same metrics in the same order. */
void sandbox_worker_metrics(void);
/* Every route of the daemon, for --print-routes. */
void sandbox_worker_routes(bool *first);
/* What a worker and the jobs child both have: the way into core, made once a process; a runtime of features for each. */
void sandbox_core_start(struct sandbox *c);
struct feature_runtime *sandbox_runtime(struct sandbox *c, int worker, bool measures);

/* The same for the document of the API; errors name a route that nobody has described. */
MUST_CHECK enum err sandbox_worker_describe(struct err_info *info);

/* The parts of a process, as in struct daemon_program: `arg` is the struct sandbox. */
MUST_CHECK enum err sandbox_worker_start(void *arg, const struct process_role *role,
					 struct err_info *info);
void sandbox_worker_stop(void *arg);
void sandbox_worker_finish(void *arg);
MUST_CHECK enum err sandbox_jobs_start(void *arg, struct err_info *info);
void sandbox_jobs_finish(void *arg);
void sandbox_shared_finish(void *arg);

#endif
