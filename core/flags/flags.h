/*
 * flags.h — core owns every flag: the workers' snapshot, the routes that create, change, turn and
 * end flags, the acknowledgement a kill waits for, OFREP, and the expiry that acts by itself.
 *
 * Who may do what (routes whose right depends on the flag ask the guard for flag.read and check
 * the rest themselves):
 *	flag.read               lists, who asks for a flag and for keys that are not there, one flag, its
 *	                        revisions, its draft, what differs, what it gave (of a person: people.read
 *	                        too), what it would give (people.read or organizations.read too)
 *	exposure.read           what the flags have given to a person (flag.read and people.read too)
 *	flag.evaluate           OFREP
 *	flag.write              create, revise, archive any flag; draft, publish, roll back; begin and
 *	                        cancel ramps and schedules
 *	flag.toggle             enable, disable, kill any flag; hold, resume, take back ramps
 *	flag.disable            disable, kill any flag; hold ramps
 *	flag.create_experiment  create experiments within the limits below; disable, kill and archive
 *	                        those one has made, but never turn on what somebody has turned off
 *	flag.protect            protect a flag, ask to take that off
 *	flag.approve            approve or reject what somebody else asked of a protected flag; approve steps
 *	                        of ramps, of a protected flag somebody else's
 *	mode2.stop, mode2.start all experiments off at once, and back
 *	flag.acknowledge        POST /v1/workers, /v1/flag-usage (the sandbox)
 */
#ifndef BIMODAL_CORE_FLAGS_H
#define BIMODAL_CORE_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/access.h"
#include "base/loop.h"
#include "base/task.h"
#include "daemon/jobs.h"
#include "http/http.h"
#include "postgres/postgres.h"
#include "record/record.h"

struct core_flags_conf {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *pool; /* the workers' role */
	struct access *access;
	struct record_engine *records;
	/* For principals that may only create experiments. */
	double experiment_coverage_max;
	int64_t experiment_max; /* live ones, of all */
	int64_t stale_days;     /* nothing happened to a flag for so long: it is stale */
	/* OFREP: see flag/ofrep.h. */
	struct str ofrep_key;
	usec_t ofrep_wait;
	usec_t ofrep_ticket_lifetime;
	usec_t ofrep_heartbeat;
	int64_t ofrep_streams;
	int64_t ofrep_per_principal;
	/* Who asks for which flag: told as this instance's and worker's. */
	const char *instance;
	unsigned worker;
	usec_t usage_period;
	usec_t usage_keep;
	usec_t usage_recent; /* a kill names who asked in such a time and holds no stream */
	/* A new snapshot is served: acknowledge it. May be NULL. */
	void (*swapped)(void *arg);
	void *arg;
};

/* Metrics of the flags: before the fork, in every process alike. */
void core_flags_metrics(void);
/* Before anything else of this room, once a worker; `conf` is copied. */
void core_flags_use(const struct core_flags_conf *conf);
/* Before pool and engine are destroyed. */
void core_flags_finish(void);
/* The worker is asked to stop: start to write the exposures that wait. */
void core_flags_drain(void);
/* The tokens or rights that this worker knows have changed. */
void core_flags_access_changed(void);

/* For struct daemon_generation: the generation served (-1: none yet), and a task that reads and
 * swaps the newest. */
int64_t core_flags_served(void *arg);
void core_flags_load(struct task_engine *e, void *arg);

/*
 * The variation of a unit by the snapshot served now, without I/O: for features' endpoints. False: off, expired, unknown, or no
 * variation for this unit; `out` is empty then. A variation that came from a split is kept as an exposure.
 */
bool core_flags_variant(const char *key, struct str unit, char *out, size_t size);

extern const struct http_route core_flags_routes[];
extern const size_t core_flags_routes_count;

struct core_flags_jobs_conf {
	struct postgres_pool *pool; /* the executor's login; must outlive the jobs */
	/* Days before its expiry at which a flag's owners are told, the first and the last time. */
	int64_t expiry_notice;
	int64_t expiry_notice_last;
};
/* Adds the jobs: archive what has expired, tell of what will, forget workers long gone. */
void core_flags_jobs(struct daemon_jobs *jobs, const struct core_flags_jobs_conf *conf);
/* Adds the job of ramps and schedules: a look every `period`, at guardrails every `guardrails`. Same pool. */
void core_flags_ramp_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool, usec_t period,
			  usec_t guardrails);
/* Adds the job that forgets who asked for which flag after `keep`. */
void core_flags_usage_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool, usec_t keep);

#endif
