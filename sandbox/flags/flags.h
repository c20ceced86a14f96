/*
 * flags.h — the sandbox's copy of the flags: the snapshot a worker evaluates, the first exposures it meets, OFREP. Flags are owned by core
 * and arrive with the feed; nothing is changed here.
 */
#ifndef BIMODAL_SANDBOX_FLAGS_H
#define BIMODAL_SANDBOX_FLAGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/task.h"
#include "daemon/jobs.h"
#include "flag/flag.h"
#include "http/client.h"
#include "http/http.h"
#include "postgres/postgres.h"
#include "record/record.h"

struct sandbox_flags_conf {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *pool;
	struct record_engine *records;
	/* OFREP: see flag/ofrep.h. */
	struct str ofrep_key;
	usec_t ofrep_wait;
	usec_t ofrep_ticket_lifetime;
	usec_t ofrep_heartbeat;
	int64_t ofrep_streams;
	int64_t ofrep_per_principal;
	/* Who asks for which flag is told to core, as this instance's and worker's. */
	struct http_client *core;
	const char *instance;
	unsigned worker;
	usec_t usage_period;
	void (*swapped)(void *arg); /* after each new snapshot */
	void *arg;
};
/* Before anything else of this room, once a worker. `conf` is copied. */
void sandbox_flags_use(const struct sandbox_flags_conf *conf);
/* The tokens or rights that this worker knows have changed. */
void sandbox_flags_access_changed(void);
/* The worker is asked to stop: start to write the exposures that wait. */
void sandbox_flags_drain(void);
/* Before pool and engine are destroyed. */
void sandbox_flags_finish(void);

/* For struct daemon_generation. */
int64_t sandbox_flags_served(void *arg);
void sandbox_flags_load(struct task_engine *e, void *arg);

/* What other rooms of this worker evaluate with; owned by this room until sandbox_flags_finish. */
const struct flag_store *sandbox_flags_store(void);
struct flag_exposures *sandbox_flags_exposures(void);

/* Adds the job that removes what was kept for flags that have ended. `pool`: the deployer's login; must outlive the jobs. */
void sandbox_flags_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool);

extern const struct http_route sandbox_flags_routes[];
extern const size_t sandbox_flags_routes_count;

#endif
