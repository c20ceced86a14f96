/*
 * deliver.c — the job that brings messages to their receivers. Deliveries are taken with a lease, each is a task of its own (a slow
 * receiver holds up nobody else), and what became of it is noted. A process that is killed between sending and noting leaves the lease
 * to run out: the message comes a second time, under the same webhook-id, rather than never.
 *
 * Only addresses of the internet are connected to, and networks that the configuration allows; http:// only to the latter.
 */
#include "core/webhooks/internal.h"

#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "base/metric.h"
#include "http/client.h"

#define UNDER_WAY_MAX 32
#define EACH_MAX_TEXT "4"
#define REPLY_BYTES_MAX ((size_t)64 * 1024)
#define NOTE_TIME (10 * USEC_PER_SEC)
#define RETRY_AFTER_MAX_S 86400

static struct core_webhooks_conf conf;
static struct http_client *everywhere; /* https:// */
static struct http_client *inside;     /* http://, allowed networks alone */
static unsigned under_way;
static struct metric *delivered;
static struct metric *failed;
static struct metric *dead;
static struct metric *latency;

/* One delivery; in the arena of its task. */
struct delivery {
	const char *id;
	struct str message;
	int64_t attempt;
	int64_t tries;
	struct str url;
	struct str payload;
	struct webhooks_secret secrets[WEBHOOKS_SECRETS_MAX];
	size_t n_secrets;
	usec_t begun;
	struct err_info info; /* why it could not even be sent */
};

static bool
may_reach(const struct sockaddr *address, void *arg UNUSED)
{
	return core_webhooks_is_public(address) || core_webhooks_in_nets(conf.nets, address);
}

static bool
may_reach_inside(const struct sockaddr *address, void *arg UNUSED)
{
	return core_webhooks_in_nets(conf.nets, address);
}

/* ---- one delivery ---- */

static enum step
delivery_send(struct task *t)
{
	struct delivery *d = t->t_owner;
	struct buf signature;
	const char *now =
		arena_printf(&t->t_arena, "%lld", (long long)(clock_wall_us() / USEC_PER_SEC));

	buf_init(&signature, 2048);
	core_webhooks_sign(d->message, str_of(now), d->payload, d->secrets, d->n_secrets,
			   &signature);
	const struct http_client_header headers[] = {
		{ STR("webhook-id"), d->message },
		{ STR("webhook-timestamp"), str_of(now) },
		{ STR("webhook-signature"), buf_str(&signature) },
	};
	task_wait_soft(t);
	d->begun = clock_now_us();
	enum step next = STEP_NEXT;
	if (signature.failed || d->n_secrets == 0 || now == NULL)
		next = task_fail_set(t, ERR_INTERNAL, NULL, "the message could not be signed");
	else
		next = http_client_wait(str_starts(d->url, "https:") ? everywhere : inside, t,
					&(struct http_client_call) {
						.method = HTTP_POST,
						.url = d->url,
						.headers = headers,
						.n_headers = ARRAY_LEN(headers),
						.body = d->payload,
						.timeout = conf.timeout,
					});
	buf_free(&signature);
	if (t->t_err.code == ERR_OK)
		return next;
	d->info = t->t_err;
	err_clear(&t->t_err);
	return STEP_NEXT;
}

struct outcome {
	const char *what;
	const char *error;
	int status; /* 0: no answer */
	usec_t pause;
};

/* A receiver that is overloaded may say how long it wants to be left alone. */
static usec_t
asked_pause(const struct http_client_reply *r, usec_t pause)
{
	int64_t seconds = 0;
	const struct str text = http_client_header(r, "Retry-After");

	if (text.p != NULL && str_int(text, 1, RETRY_AFTER_MAX_S, &seconds) == ERR_OK)
		return MAX(pause, seconds * USEC_PER_SEC);
	return pause;
}

static struct outcome
outcome_of(struct task *t, const struct delivery *d)
{
	const struct err_info *info = &d->info;
	const enum err err = d->info.code != ERR_OK ? d->info.code : task_wait_err(t, 0, &info);
	const struct http_client_reply *r = err == ERR_OK ? http_client_reply(t, 0) : NULL;
	const int status = r != NULL ? http_client_status(r) : 0;
	uint16_t chance = 0;

	if (status >= 200 && status < 300)
		return (struct outcome) { .what = "delivered", .status = status };
	random_bytes(&chance, sizeof(chance));
	const usec_t pause = core_webhooks_pause(conf.retry, d->tries, chance);
	struct outcome o = { .what = pause < 0 ? "dead" : "again",
			     .status = status,
			     .pause = pause };
	if (r == NULL) {
		o.error = arena_strdup(&t->t_arena, str_of(info->msg));
		/* What the guard refuses or cannot be sent will not be well later. */
		if (err == ERR_FORBIDDEN || err == ERR_INVALID)
			o.what = "dead";
	} else if (status == 410) {
		o.what = "gone";
		o.error = "the receiver answered 410: it wants no more";
	} else {
		o.error = arena_printf(
			&t->t_arena, "the receiver answered %d%s", status,
			status >= 300 && status < 400 ? "; redirects are not followed" : "");
		o.pause = asked_pause(r, pause);
	}
	return o;
}

static enum step
delivery_note(struct task *t)
{
	const struct delivery *d = t->t_owner;
	const struct outcome o = outcome_of(t, d);
	const usec_t took = clock_now_us() - d->begun;

	metric_observe_us(latency, took);
	const struct str what = str_of(o.what);
	metric_add(str_is(what, "delivered") ? delivered
		   : str_is(what, "again")   ? failed
					     : dead,
		   1);
	const struct postgres_param params[] = {
		P_TEXT(d->id),
		P_TEXT(arena_printf(&t->t_arena, "%lld", (long long)d->attempt)),
		P_TEXT(o.what),
		o.status == 0 ? P_NULL : P_TEXT(arena_printf(&t->t_arena, "%d", o.status)),
		P_TEXT(arena_printf(&t->t_arena, "%lld", (long long)(took / USEC_PER_MS))),
		P_TEXT(o.error),
		P_TEXT(arena_printf(&t->t_arena, "%lld",
				    (long long)(MAX(o.pause, 0) / USEC_PER_MS))),
		P_TEXT(arena_printf(&t->t_arena, "%lld",
				    (long long)(conf.disable_after / USEC_PER_SEC))),
	};
	return postgres_wait(conf.pool, t, &sql_webhook_done, params, ARRAY_LEN(params));
}

static enum step
delivery_done(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row delivery_steps[] = {
	{ "send", delivery_send },
	{ "note", delivery_note },
	{ "done", delivery_done },
	{ NULL, NULL },
};

static void
delivery_end(struct task *t, void *arg UNUSED)
{
	under_way--;
	if (t->t_owner != NULL)
		explicit_bzero(t->t_owner, sizeof(struct delivery));
	if (t->t_err.code != ERR_OK && t->t_cancel != TASK_SHUTDOWN)
		log_error("webhook.failed", "a delivery was not brought to its end: %s",
			  t->t_err.msg);
}

static void
delivery_start(struct task *job, int row)
{
	struct task *t = NULL;
	const struct str secrets = postgres_value(job, 0, row, 6);

	if (task_start(conf.engine, "webhooks.delivery", delivery_steps,
		       clock_now_us() + conf.timeout + NOTE_TIME, ARENA_CAP_BYTES, delivery_end,
		       NULL, &t) != ERR_OK)
		return; /* its lease runs out and it is taken again */
	under_way++;
	struct delivery *d = arena_alloc(&t->t_arena, sizeof(*d));
	if (d != NULL) {
		d->id = arena_strdup(&t->t_arena, postgres_value(job, 0, row, 0));
		d->message = arena_str(&t->t_arena, postgres_value(job, 0, row, 1));
		d->attempt = postgres_int(job, 0, row, 2, 0);
		d->tries = postgres_int(job, 0, row, 3, 0);
		d->url = arena_str(&t->t_arena, postgres_value(job, 0, row, 4));
		d->payload = arena_str(&t->t_arena, postgres_value(job, 0, row, 5));
		d->n_secrets = core_webhooks_secrets_parse(secrets, d->secrets);
	}
	if (d == NULL || d->id == NULL || d->message.p == NULL || d->url.p == NULL ||
	    d->payload.p == NULL)
		task_cancel(t, TASK_SHUTDOWN);
	t->t_owner = d;
}

/* ---- the job ---- */

static enum step
take(struct task *t)
{
	const unsigned room = UNDER_WAY_MAX - MIN(under_way, (unsigned)UNDER_WAY_MAX);
	const struct postgres_param params[] = {
		P_TEXT(arena_printf(&t->t_arena, "%u", room)),
		P_TEXT(EACH_MAX_TEXT),
		P_TEXT(arena_printf(&t->t_arena, "%lld",
				    (long long)(conf.timeout + 2 * NOTE_TIME))),
	};

	if (room == 0)
		return STEP_DONE;
	return postgres_wait(conf.pool, t, &sql_webhook_take, params, ARRAY_LEN(params));
}

static enum step
send_all(struct task *t)
{
	const int rows = postgres_rows(t, 0);

	for (int i = 0; i < rows; i++)
		delivery_start(t, i);
	return STEP_DONE;
}

static const struct step_row job_steps[] = {
	{ "take", take },
	{ "send", send_all },
	{ NULL, NULL },
};

void
core_webhooks_metrics(void)
{
	const char *help = "attempts to deliver a webhook's message, by what became of them";

	delivered = metric_counter("bimodal_webhook_attempts_total", "result=\"delivered\"", help);
	failed = metric_counter("bimodal_webhook_attempts_total", "result=\"failed\"", help);
	dead = metric_counter("bimodal_webhook_attempts_total", "result=\"dead\"", help);
	latency = metric_histogram("bimodal_webhook_attempt_seconds", NULL,
				   "time that receivers of webhooks took to answer");
}

static struct http_client *
client_make(bool (*allowed)(const struct sockaddr *, void *))
{
	return http_client_create(conf.loop, conf.engine,
				  &(struct http_client_conf) { .timeout = conf.timeout,
							       .reply_max = REPLY_BYTES_MAX,
							       .connections_max = UNDER_WAY_MAX,
							       .peer_allowed = allowed });
}

void
core_webhooks_jobs(struct daemon_jobs *jobs, const struct core_webhooks_conf *c)
{
	conf = *c;
	everywhere = client_make(may_reach);
	inside = client_make(may_reach_inside);
	daemon_jobs_add(jobs, &(struct daemon_job) {
				      .name = "webhooks.deliver",
				      .period = conf.period,
				      .steps = job_steps,
			      });
}

void
core_webhooks_jobs_finish(void)
{
	http_client_destroy(everywhere);
	http_client_destroy(inside);
	everywhere = NULL;
	inside = NULL;
}
