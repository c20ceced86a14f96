/*
 * change.h — change control: requests, their static check, rehearsal, approval, application, rollback; ledger and drift.
 *
 * Workers only read and write intentions, through SQL functions that check the state they start from (sql/core/functions/request_*).
 * The jobs child does the work: it alone holds the executor's, the airlock's and the rehearsal's secrets. Everything it does is a
 * transaction that moves the intention to its next phase, so a process that is killed leaves a clean state and the next goes on.
 */
#ifndef BIMODAL_CORE_CHANGE_H
#define BIMODAL_CORE_CHANGE_H

#include <stddef.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/task.h"
#include "daemon/jobs.h"
#include "http/http.h"
#include "postgres/postgres.h"

/* ---- a worker ---- */

/* Before anything else of this room. `app`: the workers' role. */
void core_change_use(struct postgres_pool *app);
extern const struct http_route core_change_routes[];
extern const size_t core_change_routes_count;

/* ---- the jobs child ---- */

/* Where changes are rehearsed: a disposable PostgreSQL without real data; the login is a superuser there. */
struct core_change_rehearsal {
	const char *host;
	const char *port;
	const char *name; /* database to connect to when making another */
	const char *user;
	const char *password;
	int64_t rows; /* made up for each resource */
};

struct core_change_conf {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *executor; /* one connection of its own */
	struct postgres_pool *airlock;
	const char *executor_user;
	struct core_change_rehearsal rehearsal;
	unsigned workers;    /* of core: a feature's login gets connections for so many */
	usec_t lock_budget;  /* of one try; 0 = CHANGE_LOCK_BUDGET */
	unsigned lock_tries; /* 0 = CHANGE_TRIES_MAX */
	usec_t drift_period;
};

/* Before the fork, in every process. */
void core_change_metrics(void);
/* Adds the jobs. `conf` is copied; what it names must outlive the jobs. */
void core_change_jobs(struct daemon_jobs *jobs, const struct core_change_conf *conf);
/* After the task engine: closes what a rehearsal had open. */
void core_change_jobs_finish(void);

#endif
