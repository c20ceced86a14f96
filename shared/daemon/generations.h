/*
 * generations.h — what each worker serves, and whether it is the newest: flags, schema and access are snapshots in memory, each
 * with a generation. A worker hears of a new one by NOTIFY (a hint) and by asking once a second (the truth), loads
 * it, and reports what it now serves: in core into change.worker, the acknowledgement a product owner's kill waits for.
 */
#ifndef BIMODAL_DAEMON_GENERATIONS_H
#define BIMODAL_DAEMON_GENERATIONS_H

#include <stdint.h>

#include "base/loop.h"
#include "base/task.h"
#include "postgres/postgres.h"

/* One kind of snapshot. `served` gives the generation in memory (-1: none yet); `load` starts to read the newest. */
struct daemon_generation {
	int64_t (*served)(void *arg);
	void (*load)(struct task_engine *e, void *arg);
	void *arg;
};

struct daemon_generations_conf {
	struct postgres_pool *pool;
	const struct postgres_stmt *
		seen; /* $1 instance, $2 worker, $3…$5 generations served; gives the three newest */
	const char *conninfo; /* of the direct LISTEN connection */
	const char *instance;
	const char *label; /* application_name of the LISTEN connection */
	unsigned worker;
	struct daemon_generation flag;
	struct daemon_generation schema;
	struct daemon_generation access;
};

struct daemon_generations;
/* Dies never. Errors: those of the LISTEN connection's configuration. Owner: the caller stops it after the task engine. */
MUST_CHECK enum err daemon_generations_start(struct loop *l, struct task_engine *e,
					     const struct daemon_generations_conf *conf,
					     struct daemon_generations **out,
					     struct err_info *info);
void daemon_generations_stop(struct daemon_generations *g);
/* A snapshot was swapped: acknowledge now, do not wait for the second to pass. */
void daemon_generations_swapped(struct daemon_generations *g);

#endif
