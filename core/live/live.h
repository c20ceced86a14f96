/*
 * live.h — what changes, told to open consoles as it happens: GET /v1/live, server-sent events (text/event-stream). Hints, not data:
 * which record, flag or change request is another now, that a notice came, how the feed is; the console then reads by the ordinary API.
 *
 * Every worker with at least one stream follows event.log in its order (xid, seq) below the horizon, which no later commit can come
 * before: a look each live.period, one statement for all streams, nothing at all without a stream, and no cost to whoever writes. Each
 * stream is told what its principal may see now: the right to read the resource, and the scope of its records. What comes, each with an
 * id, a place in the log from which Last-Event-ID (or ?after=) goes on:
 *
 *	ready   {"resumed":true|false}    the first event; what follows is complete from its id on
 *	reset   {"reason":…}              something may be missing: read everything again (unknown, too-old, many, slow)
 *	record  {"resource","id","op":"create"|"update"|"gone","version"}   gone: deleted, or out of this principal's scope, which look
 *	                                  alike as they do in a get; {"resource","id":null,"op":"many"} where they are too many to name
 *	notice  {"id","kind","op":"new"|"done"|"read"}                      in the principal's own inbox
 *	flag    {"key","revision"}   change {"id","state"}   drift {"found"}
 *	feed    {"hop","word"}            well, late, copying, broken, away, unknown: at the start, and whenever it is another
 *	end     {"reason":"revoked"|"expired"|"sessions"}   the last one
 *
 * A comment every live.heartbeat carries the id along. A stream ends with its token or session; a client that reads too slowly is told
 * `reset` and cut off.
 */
#ifndef BIMODAL_CORE_LIVE_H
#define BIMODAL_CORE_LIVE_H

#include <stddef.h>
#include <stdint.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/task.h"
#include "http/http.h"
#include "postgres/postgres.h"
#include "record/record.h"

struct core_live_conf {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *pool; /* the workers' */
	const struct access *access;
	struct record_engine *records;
	usec_t period;         /* between two looks at the log */
	usec_t heartbeat;      /* between two comments to one client */
	usec_t feed_late;      /* a copy that is further behind is late */
	int64_t streams;       /* of this worker at most */
	int64_t per_principal; /* of those */
	int64_t buffer;        /* bytes that may wait for one client */
	int64_t replay;        /* events of the log that are gone through for who comes back */
};

/* Once a worker. `conf` is copied. */
void core_live_start(const struct core_live_conf *conf);
/* The tokens, roles or teams that this worker knows have changed: streams end, or see by their new rights. */
void core_live_access_changed(void);
/* After the server, before the task engine. */
void core_live_stop(void);
/* Before the fork, in every process. */
void core_live_metrics(void);

extern const struct http_route core_live_routes[];
extern const size_t core_live_routes_count;

#endif
