/*
 * feed.c — see feed.h. Heartbeats and looks are separate jobs: an airlock that is down must not stop the heartbeats, nor
 * may a slow look delay them.
 */
#include "core/feed/internal.h"

#include "base/metric.h"
#include "gen/sql_core.h"

#define LOOK_PERIOD USEC_PER_SEC
#define STATE_BYTES_MAX (64 * 1024)

struct feed {
	struct postgres_pool *core;
	struct postgres_pool *airlock;
	struct metric *airlock_lag;
	struct metric *airlock_running;
	struct metric *airlock_errors;
	struct metric *core_lost;
	struct metric *sandbox_lost;
};

static struct feed feed;
struct postgres_pool *core_feed_app;

/* ---- jobs ---- */

static enum step
heartbeat_write(struct task *t)
{
	return postgres_wait(feed.core, t, &sql_feed_heartbeat, NULL, 0);
}

static enum step
done(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row heartbeat_steps[] = {
	{ "write", heartbeat_write },
	{ "done", done },
	{ NULL, NULL },
};

/* Two waits side by side: core is asked for its slots, the airlock for what has arrived; either may be down. */
struct look {
	bool asked_core, asked_airlock;
};

static enum step
look_core(struct task *t)
{
	struct look *look = task_state(t, sizeof(*look));
	if (look == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory");
	task_wait_soft(t);
	const enum err core = postgres_add(feed.core, t, &sql_feed_slots, NULL, 0);
	look->asked_core = core == ERR_OK;
	look->asked_airlock = postgres_add(feed.airlock, t, &sql_feed_arrived, NULL, 0) == ERR_OK;
	if (!look->asked_core && !look->asked_airlock)
		return task_fail_set(t, core, NULL, "could not ask core for its slots");
	return STEP_WAIT;
}

static enum step
look_core_keep(struct task *t)
{
	struct buf state;
	/* What could not even be asked has no wait; the airlock's is the second one only if core's is the first. */
	const struct look *look = task_state(t, sizeof(*look));
	const unsigned a = look->asked_core ? 1 : 0;
	const bool slots =
		look->asked_core && task_wait_err(t, 0, NULL) == ERR_OK && postgres_rows(t, 0) == 1;
	const bool reached = look->asked_airlock && task_wait_err(t, a, NULL) == ERR_OK &&
			     postgres_rows(t, a) == 1;

	metric_set(feed.airlock_running, reached ? postgres_int(t, a, 0, 2, 0) : 0);
	if (reached)
		metric_set(feed.airlock_errors, postgres_int(t, a, 0, 3, 0));
	if (slots)
		metric_set(feed.core_lost, postgres_int(t, 0, 0, 2, 0));
	buf_init(&state, STATE_BYTES_MAX);
	buf_printf(&state, "{\"airlock_reached\":%s,\"lag_ms\":", reached ? "true" : "false");
	if (reached && !postgres_is_null(t, a, 0, 0)) {
		metric_set(feed.airlock_lag, postgres_int(t, a, 0, 0, 0));
		buf_add_str(&state, postgres_value(t, a, 0, 0));
	} else {
		buf_add_cstr(&state, "null");
	}
	buf_add_cstr(&state, ",\"subscriptions\":");
	buf_add_str(&state, reached ? postgres_value(t, a, 0, 1) : STR("[]"));
	buf_add_cstr(&state, ",\"slots\":");
	buf_add_str(&state, slots ? postgres_value(t, 0, 0, 0) : STR("[]"));
	buf_add_cstr(&state, ",\"lost_copies\":");
	buf_add_str(&state, slots ? postgres_value(t, 0, 0, 1) : STR("[]"));
	buf_add_char(&state, '}');
	const enum step next = postgres_wait(
		feed.core, t, &sql_feed_hop_put,
		(struct postgres_param[]) { P_TEXT("core-airlock"), P_STR(buf_str(&state)) }, 2);
	buf_free(&state);
	return next;
}

static const struct step_row look_core_steps[] = {
	{ "ask", look_core },
	{ "keep", look_core_keep },
	{ "done", done },
	{ NULL, NULL },
};

static enum step
look_airlock(struct task *t)
{
	return postgres_wait(feed.airlock, t, &sql_feed_slots, NULL, 0);
}

static enum step
look_airlock_keep(struct task *t)
{
	struct buf state;

	metric_set(feed.sandbox_lost, postgres_int(t, 0, 0, 2, 0));
	buf_init(&state, STATE_BYTES_MAX);
	buf_add_cstr(&state, "{\"slots\":");
	buf_add_str(&state, postgres_value(t, 0, 0, 0));
	buf_add_cstr(&state, ",\"lost_copies\":");
	buf_add_str(&state, postgres_value(t, 0, 0, 1));
	buf_add_char(&state, '}');
	const enum step next = postgres_wait(
		feed.core, t, &sql_feed_hop_put,
		(struct postgres_param[]) { P_TEXT("airlock-sandbox"), P_STR(buf_str(&state)) }, 2);
	buf_free(&state);
	return next;
}

static const struct step_row look_airlock_steps[] = {
	{ "ask", look_airlock },
	{ "keep", look_airlock_keep },
	{ "done", done },
	{ NULL, NULL },
};

void
core_feed_metrics(void)
{
	feed.airlock_lag = metric_gauge_max("bimodal_feed_airlock_lag_milliseconds", NULL,
					    "age of the newest heartbeat the airlock has");
	feed.airlock_running =
		metric_gauge_max("bimodal_feed_airlock_subscriptions_running", NULL,
				 "subscriptions of the airlock with a worker; 2 is well");
	feed.airlock_errors =
		metric_gauge_max("bimodal_feed_airlock_apply_errors", NULL,
				 "errors of the airlock's apply workers since they were made");
	feed.core_lost = metric_gauge_max("bimodal_feed_slots_lost", "hop=\"core-airlock\"",
					  "slots that lost their WAL");
	feed.sandbox_lost = metric_gauge_max("bimodal_feed_slots_lost", "hop=\"airlock-sandbox\"",
					     "slots that lost their WAL");
}

void
core_feed_jobs(struct daemon_jobs *jobs, struct postgres_pool *core, struct postgres_pool *airlock,
	       usec_t heartbeat_period)
{
	feed.core = core;
	feed.airlock = airlock;
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feed.heartbeat",
						     .period = heartbeat_period,
						     .steps = heartbeat_steps });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feed.look_core",
						     .period = LOOK_PERIOD,
						     .steps = look_core_steps });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feed.look_airlock",
						     .period = LOOK_PERIOD,
						     .steps = look_airlock_steps });
}

/* ---- route ---- */

static enum step
get_read(struct task *t)
{
	return postgres_wait(core_feed_app, t, &sql_feed_get, NULL, 0);
}

static enum step
get_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

static const struct step_row get_steps[] = {
	{ "read", get_read },
	{ "answer", get_answer },
	{ NULL, NULL },
};

const struct http_route core_feed_routes[] = {
	{ HTTP_GET, "/v1/feed", "feed.get", get_steps, .right = "feed.read" },
	{ HTTP_POST, "/v1/feed/slots", "feed.slot", core_feed_slot_steps, .right = "feed.resync",
	  .deadline_ms = CORE_FEED_SLOT_DEADLINE_MS },
};
const size_t core_feed_routes_count = ARRAY_LEN(core_feed_routes);

void
core_feed_use(struct postgres_pool *pool)
{
	core_feed_app = pool;
}
