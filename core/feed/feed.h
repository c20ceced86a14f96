/*
 * feed.h — core's side of the feed to the airlock: heartbeats, what each hop looks like, GET /v1/feed, and the healing of lost
 * slots. Core knows the airlock; of the sandbox it knows nothing but the slots that the airlock keeps for it.
 */
#ifndef BIMODAL_CORE_FEED_H
#define BIMODAL_CORE_FEED_H

#include "daemon/jobs.h"
#include "http/http.h"
#include "postgres/postgres.h"

/* The workers' pool, for the route. */
void core_feed_use(struct postgres_pool *app);
extern const struct http_route core_feed_routes[];
extern const size_t core_feed_routes_count;

/* Before the fork. */
void core_feed_metrics(void);
/* Adds the jobs. `core`: the executor's login (heartbeats keep a connection of their own); `airlock`: the executor's there. */
void core_feed_jobs(struct daemon_jobs *jobs, struct postgres_pool *core,
		    struct postgres_pool *airlock, usec_t heartbeat_period);

/* Healing of lost slots (heal.c, slots.c): connections of their own, because making a slot waits for open transactions. */
struct core_feed_heal_conf {
	struct postgres_pool *core;    /* the executor, who may make slots    */
	struct postgres_pool *airlock; /* the same there                      */
	struct postgres_pool *apply;   /* there as the subscriptions' owner   */
};
void core_feed_heal_jobs(struct daemon_jobs *jobs, const struct core_feed_heal_conf *conf);

#endif
