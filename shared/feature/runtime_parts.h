/*
 * runtime_parts.h — what runtime.c (features, pools, breakers) and run.c (one query under way)
 * share. Only for this folder.
 */
#ifndef BIMODAL_FEATURE_RUNTIME_PARTS_H
#define BIMODAL_FEATURE_RUNTIME_PARTS_H

#include "feature/runtime.h"
#include "feature/sql.h"
#include "postgres/postgres.h"

#define METRICS_MAX (FEATURE_GUARDRAILS_MAX + 1)

/* A feature this process knows. Freed when it is retired and no query of it is under way. */
struct loaded {
	struct loaded *next;
	struct feature_runtime *rt;
	struct arena arena; /* holds everything below */
	struct feature_manifest manifest;
	char sha256[SHA256_HEX_SIZE];
	const char *conninfo;
	struct feature_query queries[FEATURE_ENDPOINTS_MAX][FEATURE_VARIATIONS_MAX];
	struct postgres_stmt answers[FEATURE_ENDPOINTS_MAX][FEATURE_VARIATIONS_MAX];
	struct postgres_stmt metrics[METRICS_MAX];
	struct postgres_pool *pool; /* NULL: not open */
	uint64_t used_at;           /* count of calls: the least is the least recently used */
	unsigned under_way;
	unsigned failures; /* consecutive                                        */
	usec_t open_until; /* breaker                                            */
	bool probing;      /* the one call that tries after the pause is under way */
	bool marked;
	bool retired; /* not in the list any more */
};

struct feature_runtime {
	struct loop *loop;
	struct task_engine *engine;
	struct feature_runtime_conf conf;
	struct loaded *first;
	unsigned n_loaded, n_pools;
	uint64_t calls;
};

/* runtime.c */
struct loaded *feature_runtime_find(const struct feature_runtime *rt, struct str slug);
/* A query may start: breaker, pool. It must end with feature_runtime_leave. Errors: ERR_BUSY,
 * those of the pool. */
MUST_CHECK enum err feature_runtime_enter(struct loaded *f, struct err_info *info);
/* How the query ended: the breaker counts what is the feature's own fault. May free f. */
void feature_runtime_leave(struct loaded *f, enum err err);

#endif
