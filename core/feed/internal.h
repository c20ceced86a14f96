/*
 * internal.h — shared by the files of this room.
 */
#ifndef BIMODAL_CORE_FEED_INTERNAL_H
#define BIMODAL_CORE_FEED_INTERNAL_H

#include "core/feed/feed.h"

extern struct postgres_pool *core_feed_app; /* the workers' pool */

/* POST /v1/feed/slots */
extern const struct step_row core_feed_slot_steps[];
/* Longer than the jobs child needs as a rule; see slots.c. */
#define CORE_FEED_SLOT_DEADLINE_MS 15000

/* The job that makes what was asked for. */
void core_feed_slot_job(struct daemon_jobs *jobs, struct postgres_pool *core,
			struct postgres_pool *airlock);

#endif
