/*
 * hypothesis.h — hypothesis features: a package is checked and put down by a worker, deployed, expired and removed by the jobs child, and
 * its endpoints are answered by every worker under the feature's own login.
 *
 * The app role only proposes and asks (lab.propose, lab.want_remove); DDL is run by the deployer's login through change_apply; the flag is
 * made and archived in core through its API, with the sandbox's own token. Each side is tried again until it is done, so that a
 * core or a database that is away delays the end of a feature but never prevents it.
 *
 * The owner pair of a hypothesis is that of its flag: core refuses who is not there, hand-over in core moves the flag, the feed brings the
 * new pair, and a job takes it over with the names that core gives for it.
 */
#ifndef BIMODAL_SANDBOX_HYPOTHESIS_H
#define BIMODAL_SANDBOX_HYPOTHESIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/task.h"
#include "daemon/jobs.h"
#include "feature/runtime.h"
#include "flag/flag.h"
#include "http/client.h"
#include "http/http.h"
#include "postgres/postgres.h"

/* ---- the deployed features of this process: one set answers endpoints (a worker), one computes metrics (the jobs child) ---- */
enum sandbox_features { SANDBOX_FEATURES_CALLS, SANDBOX_FEATURES_METRICS, SANDBOX_FEATURES };

struct sandbox_features_conf {
	struct feature_runtime *runtime;
	struct postgres_pool *pool; /* with a slow lane */
	const char *host; /* where the features' logins connect to; as in the configuration */
	const char *port;
	const char *database;
	/* The process serves the newest set. May be NULL. */
	void (*swapped)(void *arg);
	void *arg;
};
/* Once a process and set; `conf` is copied, what it names must outlive the process. */
void sandbox_features_use(enum sandbox_features which, const struct sandbox_features_conf *conf);
/* Read which are deployed and follow, in a task of its own. */
void sandbox_features_load(enum sandbox_features which, struct task_engine *e);
/* Schema generation that the loaded set belongs to; -1: none yet. */
int64_t sandbox_features_generation(enum sandbox_features which);

/* ---- routes of a worker ---- */
struct sandbox_hypothesis_conf {
	struct postgres_pool *pool;
	struct http_client *core; /* knows the people a manifest names */
	struct feature_runtime *runtime;
	const struct flag_store *flags;
	struct flag_exposures *exposures;
	bool (*stale)(void *arg); /* the copy is too old: everybody gets the control */
	/* Nothing may be proposed now: the error of the task is set. */
	enum err (*held)(struct task *t);
	void *arg;
	int64_t features_max; /* alive at once */
};
void sandbox_hypothesis_use(const struct sandbox_hypothesis_conf *conf);

extern const struct http_route sandbox_hypothesis_routes[];
extern const size_t sandbox_hypothesis_routes_count;

/* ---- jobs ---- */
struct sandbox_hypothesis_jobs_conf {
	struct postgres_pool *pool; /* the deployer's login; slow lane */
	struct http_client *core;
	unsigned workers;         /* of this daemon: how many connections a feature's login needs */
	usec_t statement_timeout; /* of a feature's login */
};
void sandbox_hypothesis_jobs(struct daemon_jobs *jobs,
			     const struct sandbox_hypothesis_jobs_conf *conf);

#endif
