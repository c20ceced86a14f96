/*
 * runtime.h — runs the queries of features, the same in both daemons: pools logged in as the
 * feature's role, breakers, answers.
 *
 * A process has one runtime. The room registers each deployed feature with the conninfo of its
 * login; pools are opened when first used and the least recently used idle one is closed when
 * there are more than FEATURE_POOLS_MAX. A breaker a feature: N consecutive failures of its own
 * making (timeouts, errors of its SQL, its database connection) answer 503 for a pause, then one
 * call tries.
 */
#ifndef BIMODAL_FEATURE_RUNTIME_H
#define BIMODAL_FEATURE_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/task.h"
#include "feature/check.h"

#define FEATURE_POOLS_MAX 16
#define FEATURE_CONNECTIONS 2 /* a feature and process */
#define FEATURE_LOADED_MAX 1000

struct feature_runtime_conf {
	const char *label; /* of the pools: "feature"; see feature_runtime_metrics  */
	int worker;
	usec_t statement_timeout;  /* of an endpoint's query; 0 = 250 ms                    */
	usec_t metric_timeout;     /* of a metric's query; 0 = 10 s                          */
	bool measures;             /* this process runs metrics (jobs child), not endpoints  */
	unsigned breaker_failures; /* consecutive; 0 = 5                                   */
	usec_t breaker_pause;      /* 0 = 10 s                                             */
};

struct feature_runtime;

/* Register the metrics, in every process alike, before the fork. */
void feature_runtime_metrics(const char *label);
/* Dies if it cannot be made. Destroy before the task engine; calls under way end with
 * ERR_STOPPING. */
struct feature_runtime *feature_runtime_create(struct loop *l, struct task_engine *e,
					       const struct feature_runtime_conf *conf);
void feature_runtime_destroy(struct feature_runtime *rt);

/*
 * Make a feature known, or replace it: everything is copied. The same package hash and conninfo
 * again is a no-op. `package`: as feature_package_open gives it. Errors: ERR_INVALID (a query file
 * that cannot be read: the package was not checked), ERR_BUSY FEATURE_LOADED_MAX; ERR_NO_MEMORY.
 * The old one stays then.
 */
MUST_CHECK enum err feature_runtime_load(struct feature_runtime *rt,
					 const struct feature_package *package,
					 const char *conninfo, struct err_info *info);
/* Forget it and close its connections; calls under way end with ERR_STOPPING or well. Not
 * loaded: nothing. */
void feature_runtime_unload(struct feature_runtime *rt, struct str slug);
/* Forget every feature not marked since feature_runtime_mark: how a room follows its table
 * (mark, load each, sweep). */
void feature_runtime_mark(struct feature_runtime *rt);
void feature_runtime_sweep(struct feature_runtime *rt);
/* A schema change was applied: prepared statements are made anew. */
void feature_runtime_forget(struct feature_runtime *rt);

/* The loaded manifest, to choose the variant by its flag; NULL if not loaded. Until the next
 * load or unload. */
const struct feature_manifest *feature_runtime_manifest(const struct feature_runtime *rt,
							struct str slug);

/* A value of the URL's query string, decoded. */
struct feature_arg {
	struct str name;
	struct str value;
};

struct feature_call {
	struct str slug;
	struct str endpoint;
	struct str variant;             /* key of the variation, chosen by the room */
	struct str unit;                /* pseudonym (uuid)                          */
	const struct feature_arg *args; /* without `unit`; absent parameters are NULL */
	size_t n_args;
};

/*
 * Answer an endpoint as one wait of the calling step: returns STEP_WAIT, or the task failed:
 * ERR_NOT_FOUND feature, endpoint or variant; ERR_BAD_REQUEST an argument the query does not have,
 * or twice; ERR_INVALID a unit that is no uuid; ERR_BUSY breaker open, all pools in use, queue
 * full. The next step reads feature_runtime_body. A failed query fails the task.
 */
enum step feature_runtime_call(struct feature_runtime *rt, struct task *t,
			       const struct feature_call *call);
/* JSON text of wait i; valid until the step returns. STR_NONE if the wait failed. */
struct str feature_runtime_body(struct task *t, unsigned i);

/* Values of one metric for the units given; arrays as PostgreSQL's text, "{…}", of the same
 * length. */
struct feature_measure {
	struct str slug;
	const char *metric;     /* name in the manifest */
	const char *units;      /* uuid[]               */
	const char *exposed_at; /* timestamptz[]       */
	const char *until;      /* timestamptz           */
};
struct feature_values {
	struct str units;  /* uuid[] as text                  */
	struct str values; /* bigint[] as text, same order    */
	int64_t rows;
};
/*
 * The same for a metric's query (jobs child). Errors as above; ERR_INTERNAL a unit twice, or a
 * proportion that is neither 0 nor 1. Units not yet mature at `until` are left out.
 */
enum step feature_runtime_measure(struct feature_runtime *rt, struct task *t,
				  const struct feature_measure *measure);
bool feature_runtime_values(struct task *t, unsigned i, struct feature_values *out);

/* For /debug/features: slug, sha256, breaker, calls under way, pool. */
void feature_runtime_dump(const struct feature_runtime *rt, struct buf *out);

#endif
