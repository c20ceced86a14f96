/*
 * promotion.h — the features that promotions have brought into core: their list, and their endpoints, answered by the same runtime as in
 * the sandbox, under the feature's own login, with the variant that the unit has by the feature's flag.
 *
 * The set follows change.feature by the schema generation: a worker acknowledges a generation only when its features are loaded.
 */
#ifndef BIMODAL_CORE_PROMOTION_H
#define BIMODAL_CORE_PROMOTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/str.h"
#include "base/task.h"
#include "http/http.h"
#include "postgres/postgres.h"

#define CORE_PROMOTION_VARIANT_SIZE 64

/*
 * The variation of a unit by a flag (the flags room answers from its snapshot, without I/O). False: the flag is off, gone or has no
 * answer for this unit; the feature then shows its control.
 */
typedef bool core_promotion_variant_fn(const char *flag_key, struct str unit,
				       char out[CORE_PROMOTION_VARIANT_SIZE], void *arg);

struct core_promotion_conf {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *app;
	int worker;
	const char *host; /* of core's database: a feature's login connects there */
	const char *port;
	const char *name;
	core_promotion_variant_fn *variant;
	void *variant_arg;
	void (*swapped)(void *arg); /* a new set is served; may be NULL */
	void *swapped_arg;
};

/* Before the fork, in every process. */
void core_promotion_metrics(void);
/* Before anything else of this room, once a worker; `conf` is copied. */
void core_promotion_use(const struct core_promotion_conf *conf);
/* Before the task engine is destroyed. */
void core_promotion_finish(void);

/* The schema generation whose features are served (-1: none yet), and a task that reads the newest. */
int64_t core_promotion_generation(void);
void core_promotion_load(struct task_engine *e);

extern const struct http_route core_promotion_routes[];
extern const size_t core_promotion_routes_count;

#endif
