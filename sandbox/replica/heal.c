/*
 * heal.c — see heal.h. When the copy stands still, core is asked what it sees of our slots on the airlock. One that is lost cannot be read
 * on from, and only core can make another: so the subscription is cut off first, core is asked for the slot, then everything is copied.
 * So is a copy whose worker fails at the same row again and again: the rows and the schema travel apart, and a sandbox that was away
 * while a column came and went meets rows for which it never had a place.
 *
 * The catalogs are the state, so a jobs child that is killed at any point goes on where it was: a subscription that reads the empty
 * publication is under repair. It is cut off before there is a new slot that could hide the gap, and gets its own publication
 * back only after its copies were emptied. lab.resync names what is being copied; until its end no row is taken for news.
 */
#include "sandbox/replica/heal.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/json_in.h"
#include "base/log.h"
#include "base/metric.h"
#include "gen/sql_sandbox.h"

#define PERIOD USEC_PER_SEC
#define PAUSE (100 * USEC_PER_MS)
#define DEADLINE (300 * USEC_PER_SEC)
#define STILL_MS 10000 /* a copy of this age stands still           */
#define ASK_PERIOD (2 * USEC_PER_SEC)
#define FAILING_FOR (10 * USEC_PER_SEC)
#define FAILING_ERRORS 3 /* a publisher that stops is one error, not one a try */
#define SLOT_TIMEOUT (14 * USEC_PER_SEC)
#define SEEN_MAX_MS 10000  /* older news of a slot are none             */
#define SEEN_AFTER_MS 1500 /* … as is what may be of before it was made */
#define SUBSCRIPTIONS 2
#define SQL_BYTES 512
#define AIRLOCK_HOP "airlock-sandbox"

enum action { HEAL_NOTHING, HEAL_CUT, HEAL_SLOT, HEAL_FORGET, HEAL_COPY, HEAL_END };

struct subscription {
	char name[64];
	char oid[24];
	bool is_enabled;
	bool is_nothing; /* reads the empty publication          */
	bool is_running;
	bool is_open; /* lab.resync says: is being healed     */
	int64_t tables;
	int64_t ready;
	bool is_lost; /* core says: its slot is lost or gone  */
	bool is_copy_lost;
	bool is_failing; /* its worker does not get past a row   */
	int64_t errors;
};

struct heal {
	unsigned n;
	struct subscription sub[SUBSCRIPTIONS];
	int64_t lag_ms; /* -1: nothing has arrived yet */
	const struct subscription *at;
	enum action action;
};

static struct {
	struct postgres_pool *apply;
	struct http_client *core;
	usec_t asked_at;
	usec_t failing_since; /* crm stands still, with failing_errors then; 0: it does not */
	int64_t failing_errors;
	struct metric *running;
	struct metric *errors;
} healing;

static step_fn look, decide;

/* ---- look ---- */

static enum step
look(struct task *t)
{
	return postgres_wait(healing.apply, t, &sql_sandbox_heal_look, NULL, 0);
}

/* Is there a reason to ask core? */
static bool
stands_still(const struct heal *h)
{
	bool yes = h->lag_ms < 0 || h->lag_ms > STILL_MS;

	for (unsigned i = 0; i < h->n; i++) {
		const struct subscription *s = &h->sub[i];
		yes = yes || s->is_open || (s->is_enabled && !s->is_running);
	}
	return yes;
}

/* Standing still while its worker fails and fails. A worker that has no publisher to talk to does not count as failing. */
static bool
is_failing(const struct subscription *s, int64_t lag_ms, bool is_followed)
{
	const usec_t now = clock_now_us();

	if (!is_followed || lag_ms <= STILL_MS || !s->is_enabled || s->is_nothing || s->is_open ||
	    s->tables != s->ready) {
		healing.failing_since = 0;
		return false;
	}
	if (healing.failing_since == 0) {
		healing.failing_since = now;
		healing.failing_errors = s->errors;
	}
	return now - healing.failing_since >= FAILING_FOR &&
	       s->errors - healing.failing_errors >= FAILING_ERRORS;
}

static enum step
look_keep(struct task *t)
{
	struct heal *h = task_state(t, sizeof(*h));
	int64_t running = 0;
	int64_t errors = 0;

	if (h == NULL)
		return task_fail(t);
	*h = (struct heal) { .n = (unsigned)MIN(postgres_rows(t, 0), SUBSCRIPTIONS) };
	for (unsigned i = 0; i < h->n; i++) {
		struct subscription *s = &h->sub[i];
		const int row = (int)i;
		(void)str_copy(s->name, sizeof(s->name), postgres_value(t, 0, row, 0));
		(void)str_copy(s->oid, sizeof(s->oid), postgres_value(t, 0, row, 1));
		s->is_enabled = postgres_bool(t, 0, row, 2);
		s->is_nothing = postgres_bool(t, 0, row, 3);
		s->tables = postgres_int(t, 0, row, 4, 0);
		s->ready = postgres_int(t, 0, row, 5, 0);
		s->is_running = postgres_bool(t, 0, row, 6);
		s->is_open = postgres_bool(t, 0, row, 7);
		running += s->is_running;
		s->errors = postgres_int(t, 0, row, 8, 0);
		errors += s->errors;
		h->lag_ms = postgres_int(t, 0, row, 9, -1);
		if (strcmp(s->name, "sandbox_crm") == 0)
			s->is_failing = is_failing(s, h->lag_ms, postgres_bool(t, 0, row, 10));
	}
	metric_set(healing.running, running);
	metric_set(healing.errors, errors);
	if (h->n == 0)
		return STEP_DONE;
	const usec_t now = clock_now_us();
	if (!stands_still(h) || now - healing.asked_at < ASK_PERIOD)
		return task_jump(t, decide);
	healing.asked_at = now;
	task_wait_soft(t);
	return http_client_wait(
		healing.core, t,
		&(struct http_client_call) { .method = HTTP_GET, .url = STR("/v1/feed") });
}

/* ---- what core knows ---- */

static const struct cJSON *
find(const struct cJSON *list, const char *key, const char *value)
{
	const struct cJSON *item = NULL;

	cJSON_ArrayForEach(item, list)
	{
		const char *text = cJSON_GetStringValue(json_get(item, key));
		if (text != NULL && strcmp(text, value) == 0)
			return item;
	}
	return NULL;
}

/* A number of milliseconds, or `if_none`. */
static double
age_of(const struct cJSON *object, const char *key, double if_none)
{
	const struct cJSON *j = object != NULL ? json_get(object, key) : NULL;
	return cJSON_IsNumber(j) ? cJSON_GetNumberValue(j) : if_none;
}

static bool
copy_lost(const struct cJSON *names, const char *oid)
{
	char prefix[48];
	struct buf b;
	const struct cJSON *item = NULL;

	buf_init(&b, sizeof(prefix) - 1);
	buf_printf(&b, "pg_%s_sync_", oid);
	(void)str_copy(prefix, sizeof(prefix), buf_str(&b));
	buf_free(&b);
	cJSON_ArrayForEach(item, names)
	{
		const char *name = cJSON_GetStringValue(item);
		if (name != NULL && strncmp(name, prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}

static void
slots_take(struct heal *h, const struct cJSON *body)
{
	const struct cJSON *hop = find(json_get(body, "hops"), "hop", AIRLOCK_HOP);
	const struct cJSON *state = hop != NULL ? json_get(hop, "state") : NULL;
	const struct cJSON *slots = state != NULL ? json_get(state, "slots") : NULL;
	const double seen = age_of(hop, "age_ms", SEEN_MAX_MS);

	if (!cJSON_IsArray(slots) || seen >= SEEN_MAX_MS)
		return;
	for (unsigned i = 0; i < h->n; i++) {
		struct subscription *s = &h->sub[i];
		const struct cJSON *slot = find(slots, "slot", s->name);
		const struct cJSON *made = find(json_get(body, "resyncs"), "slot", s->name);
		const char *status =
			slot != NULL ? cJSON_GetStringValue(json_get(slot, "wal_status")) : NULL;
		/* What was seen before the last slot was made says nothing about it. */
		if (made != NULL &&
		    seen + SEEN_AFTER_MS > age_of(made, "ended_age_ms", seen + SEEN_AFTER_MS))
			continue;
		s->is_lost = slot == NULL || (status != NULL && strcmp(status, "lost") == 0);
		s->is_copy_lost = copy_lost(json_get(state, "lost_copies"), s->oid);
	}
}

static enum step
ask_keep(struct task *t)
{
	struct heal *h = task_state(t, sizeof(*h));
	const struct http_client_reply *reply = http_client_reply(t, 0);
	struct err_info info = { .code = ERR_OK };
	struct cJSON *body = NULL;

	/* Core is away: then nothing is known, and what is under way goes on as far as it can. */
	if (reply != NULL && http_client_status(reply) == 200 &&
	    json_parse(http_client_body(reply), &body, &info) == ERR_OK)
		slots_take(h, body);
	json_free(body);
	return STEP_NEXT;
}

/* ---- decide ---- */

static enum action
action_of(const struct subscription *s)
{
	if (!s->is_nothing) {
		/* Disabled without being under repair: somebody wants it so. */
		if (!s->is_enabled)
			return HEAL_NOTHING;
		if (s->is_lost || s->is_copy_lost || s->is_failing)
			return HEAL_CUT;
		return s->is_open && s->tables > 0 && s->tables == s->ready ? HEAL_END
									    : HEAL_NOTHING;
	}
	if (!s->is_enabled)
		return HEAL_SLOT;
	if (s->is_lost)
		return HEAL_CUT;
	return s->tables > 0 ? HEAL_FORGET : HEAL_COPY;
}

static enum step
decide(struct task *t)
{
	struct heal *h = task_state(t, sizeof(*h));

	for (unsigned i = 0; i < h->n && h->at == NULL; i++) {
		h->action = action_of(&h->sub[i]);
		if (h->action != HEAL_NOTHING)
			h->at = &h->sub[i];
	}
	return h->at != NULL ? STEP_NEXT : STEP_DONE;
}

/* ---- act ---- */

/* '@' in the text stands for the name of the subscription, '#' for its publication when it is well. */
static enum step
script(struct task *t, const char *fmt)
{
	const struct heal *h = task_state(t, sizeof(*h));
	const char *name = h->at->name;
	char sql[SQL_BYTES];
	struct buf text;

	buf_init(&text, sizeof(sql) - 1);
	for (const char *p = fmt; *p != '\0'; p++) {
		if (*p == '@')
			buf_add_cstr(&text, name);
		else if (*p == '#')
			buf_add_cstr(&text, strcmp(name, "sandbox_registry") == 0
						    ? "bimodal_registry"
						    : "bimodal_crm");
		else
			buf_add_char(&text, *p);
	}
	const bool fits = !text.failed && str_copy(sql, sizeof(sql), buf_str(&text));
	buf_free(&text);
	return fits ? postgres_script(healing.apply, t, sql)
		    : task_fail_set(t, ERR_TOO_LARGE, NULL, "the script is too long");
}

static enum step
slot_ask(struct task *t)
{
	const struct heal *h = task_state(t, sizeof(*h));
	const char *body = arena_printf(&t->t_arena, "{\"slot\":\"%s\"}", h->at->name);

	task_wait_soft(t);
	return http_client_wait(healing.core, t,
				&(struct http_client_call) { .method = HTTP_POST,
							     .url = STR("/v1/feed/slots"),
							     .body = str_of(body),
							     .timeout = SLOT_TIMEOUT });
}

static enum step
cut(struct task *t)
{
	const struct heal *h = task_state(t, sizeof(*h));
	const struct subscription *s = h->at;
	const char *why = s->is_lost        ? "its slot on the airlock is lost"
			  : s->is_copy_lost ? "the slot of a copy on the airlock is lost"
					    : "its worker does not get past a row";
	const char *reason = s->is_lost ? "slot-lost" : s->is_copy_lost ? "copy-lost" : "failing";

	log_warn("feed.resync", "subscription %s is copied anew: %s", s->name, why);
	return script(t, arena_printf(&t->t_arena,
				      "select lab.resync_begin('@', '%s'); "
				      "alter subscription @ disable; alter subscription @ set "
				      "publication bimodal_nothing with (refresh = false)",
				      reason));
}

/* REFRESH, and SET PUBLICATION that refreshes, refuse to run in a transaction: such a statement is a script of its own. */
static enum step
act(struct task *t)
{
	const struct heal *h = task_state(t, sizeof(*h));

	switch (h->action) {
	case HEAL_CUT:
		return cut(t);
	case HEAL_SLOT:
		return slot_ask(t);
	case HEAL_FORGET:
		return script(t, "alter subscription @ refresh publication");
	case HEAL_COPY:
		return script(
			t,
			"select lab.resync_begin('@', 'resumed'); select change.feed_empty('#')");
	case HEAL_END:
		return script(t, "select lab.resync_end('@')");
	default:
		return STEP_DONE;
	}
}

static enum step
act_more(struct task *t)
{
	const struct heal *h = task_state(t, sizeof(*h));

	switch (h->action) {
	case HEAL_SLOT: {
		const struct http_client_reply *reply = http_client_reply(t, 0);
		const struct err_info *info = NULL;
		if (reply == NULL) {
			const enum err err = task_wait_err(t, 0, &info);
			return task_fail_set(t, err, NULL, "could not ask core for slot %s: %s",
					     h->at->name, info != NULL ? info->msg : "");
		}
		if (http_client_status(reply) == 200)
			return script(t, "alter subscription @ enable");
		if (http_client_status(reply) == 202)
			return STEP_DONE; /* it is being made: ask again */
		return task_fail_set(t, ERR_UPSTREAM, NULL, "core did not make slot %s (status %d)",
				     h->at->name, http_client_status(reply));
	}
	case HEAL_COPY:
		return script(t, "alter subscription @ set publication #");
	default:
		return STEP_NEXT;
	}
}

static enum step
again(struct task *t)
{
	const struct heal *h = task_state(t, sizeof(*h));

	if (h->action == HEAL_END)
		log_info("feed.resync", "subscription %s is complete again", h->at->name);
	return task_sleep(t, PAUSE);
}

static enum step
again_look(struct task *t)
{
	return task_jump(t, look);
}

static const struct step_row heal_steps[] = {
	{ "look", look },         { "look_keep", look_keep },
	{ "ask_keep", ask_keep }, { "decide", decide },
	{ "act", act },           { "act_more", act_more },
	{ "again", again },       { "again_look", again_look },
	{ NULL, NULL },
};

void
sandbox_heal_metrics(void)
{
	healing.running = metric_gauge_max("bimodal_copy_subscriptions_running", NULL,
					   "subscriptions with a worker; 2 is well");
	healing.errors = metric_gauge_max("bimodal_copy_apply_errors", NULL,
					  "errors of the apply workers since they were made");
}

void
sandbox_heal_jobs(struct daemon_jobs *jobs, struct postgres_pool *apply, struct http_client *core)
{
	healing.apply = apply;
	healing.core = core;
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "feed.heal",
						     .period = PERIOD,
						     .deadline = DEADLINE,
						     .steps = heal_steps });
}
