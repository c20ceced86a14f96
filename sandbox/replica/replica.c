/*
 * replica.c — keeps the newest position of the copy in memory, so that each reply can name it without a query of its own.
 *
 * The position is that of the last control row (heartbeat or marker) of core that was applied: everything core committed before
 * it is visible here. Between two polls the age is counted on by our own clock.
 */
#include "sandbox/replica/replica.h"

#include <stdio.h>
#include <string.h>

#include "access/access.h"
#include "base/metric.h"
#include "gen/sql_sandbox.h"

#define POLL_DEADLINE (5 * USEC_PER_SEC)
#define POLL_TICK                                                                                  \
	(50 *                                                                                      \
	 USEC_PER_MS) /* until the first position is known, so that a fresh start does not look stale for a period */

static struct {
	struct sandbox_replica_conf conf;
	struct task_engine *engine;
	struct loop_timer *timer;
	bool polling;
	bool known;
	usec_t read_at; /* monotonic, of the poll                       */
	int64_t lag_ms; /* at read_at                                   */
	char as_of[48]; /* core's time of the newest control row        */
} replica;

static struct metric *lag_gauge;

/* ---- the position ---- */

static enum step
poll_read(struct task *t)
{
	return postgres_wait(replica.conf.pool, t, &sql_sandbox_position, NULL, 0);
}

static enum step
poll_keep(struct task *t)
{
	if (postgres_rows(t, 0) != 1 || postgres_is_null(t, 0, 0, 0))
		return STEP_DONE;
	str_copy(replica.as_of, sizeof(replica.as_of), postgres_value(t, 0, 0, 0));
	replica.lag_ms = postgres_int(t, 0, 0, 1, 0);
	replica.read_at = clock_now_us();
	replica.known = true;
	metric_set(lag_gauge, replica.lag_ms);
	return STEP_DONE;
}

static const struct step_row poll_steps[] = {
	{ "read", poll_read },
	{ "keep", poll_keep },
	{ NULL, NULL },
};

static void
poll_end(struct task *t UNUSED, void *arg UNUSED)
{
	replica.polling = false;
}

static void
poll(void *arg UNUSED)
{
	struct task *t = NULL;

	if (replica.known && clock_now_us() - replica.read_at < replica.conf.poll_period)
		return;
	if (!replica.polling &&
	    task_start(replica.engine, "replica.poll", poll_steps, clock_now_us() + POLL_DEADLINE,
		       ARENA_CAP_BYTES, poll_end, NULL, &t) == ERR_OK)
		replica.polling = true;
}

void
sandbox_replica_metrics(void)
{
	lag_gauge = metric_gauge_max("bimodal_copy_lag_milliseconds", NULL,
				     "age of the newest control row of core in the copy");
}

void
sandbox_replica_start(struct loop *l, struct task_engine *e,
		      const struct sandbox_replica_conf *conf)
{
	memset(&replica, 0, sizeof(replica));
	replica.conf = *conf;
	replica.engine = e;
	replica.timer = loop_every(l, MIN(conf->poll_period, POLL_TICK), poll, NULL);
}

void
sandbox_replica_stop(void)
{
	loop_timer_destroy(replica.timer);
	replica.timer = NULL;
}

int64_t
sandbox_replica_lag_ms(void)
{
	if (!replica.known)
		return -1;
	return replica.lag_ms + (clock_now_us() - replica.read_at) / USEC_PER_MS;
}

bool
sandbox_replica_stale(void *arg UNUSED)
{
	const int64_t lag = sandbox_replica_lag_ms();
	return lag < 0 || lag * USEC_PER_MS > replica.conf.stale_after;
}

/* ---- records ---- */

/* No owner is copied, so there is no part of the records to show to those who may see only a part. */
static const struct record_owners nobody = { .n = 0 };

static bool
scope_is_narrow(struct task *t, const struct record_call *call, const struct access_actor *actor)
{
	static const struct str people[] = { { "people", 6 } };
	const struct access_resource r = { .name = call->resource,
					   .follows = people,
					   .n_follows = ARRAY_LEN(people) };
	const enum http_method m = http_method_of(t);
	return access_scope_of(replica.conf.access, actor, &r, m != HTTP_GET && m != HTTP_HEAD) <
	       ACCESS_SCOPE_ALL;
}

static enum step
serve(struct task *t, const struct step_row *steps)
{
	struct record_call *call = record_call_begin(t, replica.conf.records);
	if (call == NULL)
		return task_fail(t);
	const struct access_actor *actor = access_actor_of(t);
	if (actor == NULL)
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL, "no principal");
	call->actor = str_of(actor->principal);
	call->read_classes = RECORD_OPEN; /* there is nothing else here */
	call->refused = access_refused;
	if (scope_is_narrow(t, call, actor))
		call->owners = &nobody;
	if (replica.known) {
		http_reply_header(t, "X-Data-As-Of", str_of(replica.as_of));
		http_reply_header_fmt(t, "X-Replication-Lag-Ms", "%lld",
				      (long long)sandbox_replica_lag_ms());
	}
	return task_continue(t, steps);
}

static enum step
copy_list(struct task *t)
{
	return serve(t, record_list);
}

static enum step
copy_get(struct task *t)
{
	return serve(t, record_get);
}

/* ---- the feed as it looks from here ---- */

static enum step
feed_read(struct task *t)
{
	return postgres_wait(replica.conf.pool, t, &sql_sandbox_feed, NULL, 0);
}

static enum step
feed_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

static const struct step_row list_steps[] = { { "list", copy_list }, { NULL, NULL } };
static const struct step_row get_steps[] = { { "get", copy_get }, { NULL, NULL } };
static const struct step_row feed_steps[] = { { "read", feed_read },
					      { "answer", feed_answer },
					      { NULL, NULL } };

const struct http_route sandbox_replica_routes[] = {
	{ HTTP_GET, "/v1/feed", "feed.get", feed_steps, .right = "feed.read" },
	{ HTTP_GET, "/v1/{resource:slug}", "copy.list", list_steps, .right = "{resource}.read" },
	{ HTTP_GET, "/v1/{resource:slug}/{id:uuid}", "copy.get", get_steps,
	  .right = "{resource}.read" },
	{ HTTP_GET, "/v1/{parent:slug}/{parent_id:uuid}/{resource:slug}", "copy.child_list",
	  list_steps, .right = "{resource}.read" },
};
const size_t sandbox_replica_routes_count = ARRAY_LEN(sandbox_replica_routes);
