/*
 * experiment.h — experiments: outcomes are folded into values by unit, guardrails are watched, and at the planned end the frozen rule gives a
 * verdict. What is proven can be filed in core as a change request.
 *
 * Nobody types a verdict: the jobs child alone computes it and hands it to lab.verdict_record(), which no other login may call. Routes only
 * read, ask for a stop, and file.
 */
#ifndef BIMODAL_SANDBOX_EXPERIMENT_H
#define BIMODAL_SANDBOX_EXPERIMENT_H

#include <stddef.h>

#include "base/clock.h"
#include "daemon/jobs.h"
#include "feature/runtime.h"
#include "http/client.h"
#include "http/http.h"
#include "postgres/postgres.h"

/* ---- routes of a worker ---- */
/* `held`: nothing may be proposed to core now, and the task's error is set. */
void sandbox_experiment_use(struct postgres_pool *pool, struct http_client *core,
			    enum err (*held)(struct task *t));
extern const struct http_route sandbox_experiment_routes[];
extern const size_t sandbox_experiment_routes_count;

/* ---- jobs ---- */
struct sandbox_experiment_jobs_conf {
	struct postgres_pool
		*pool; /* the deployer's login; slow lane                              */
	struct feature_runtime *runtime;
	usec_t period;      /* of folding and judging                                       */
	usec_t stale_after; /* age of the copy from which on nothing is judged              */
};
void sandbox_experiment_jobs(struct daemon_jobs *jobs,
			     const struct sandbox_experiment_jobs_conf *conf);

#endif
