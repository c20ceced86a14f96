/*
 * replica.h — the masked copy: how old it is, what state the subscriptions are in, and its records over HTTP, read-only, with the
 * position and the lag on each reply.
 */
#ifndef BIMODAL_SANDBOX_REPLICA_H
#define BIMODAL_SANDBOX_REPLICA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/task.h"
#include "access/access.h"
#include "http/http.h"
#include "postgres/postgres.h"
#include "record/record.h"

struct sandbox_replica_conf {
	struct postgres_pool *pool;
	struct record_engine *records;
	const struct access *access;
	usec_t poll_period;
	usec_t stale_after; /* age of the copy from which on writes are refused */
};

/* Before the fork. */
void sandbox_replica_metrics(void);
/* Begins to look at the position. Owner of what the conf names remains the caller. */
void sandbox_replica_start(struct loop *l, struct task_engine *e,
			   const struct sandbox_replica_conf *conf);
void sandbox_replica_stop(void);

/* Milliseconds since the newest heartbeat of core that has arrived was written there; -1: none has. */
int64_t sandbox_replica_lag_ms(void);
/* Is the copy too old to trust (access_conf.stale)? */
bool sandbox_replica_stale(void *arg);

extern const struct http_route sandbox_replica_routes[];
extern const size_t sandbox_replica_routes_count;

#endif
