/*
 * events.h — the event log's care: seal new rows into the hash chain, make partitions ahead, forget old idempotency keys.
 */
#ifndef BIMODAL_CORE_EVENTS_H
#define BIMODAL_CORE_EVENTS_H

#include "base/clock.h"
#include "daemon/jobs.h"
#include "postgres/postgres.h"

/* Before the fork. */
void core_events_metrics(void);
/* Adds the jobs. `pool`: the executor's login; must outlive the jobs. */
void core_events_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool, usec_t seal_period);

#endif
