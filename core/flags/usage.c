/*
 * usage.c — who asks for which flag: this worker's counts go to the database every few seconds in one statement, those of the sandbox
 * come over HTTP, and the routes tell them. Also whom a kill reaches only when they ask again: who asked lately and holds no event
 * stream. Counts are measurements; what is lost with a crash is a few seconds of them.
 */
#include "core/flags/internal.h"

#include <stdio.h>

#include "base/json_scan.h"
#include "flag/ofrep.h"
#include "flag/usage.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 200
#define SANDBOX_WORKER_MAX 1023
#define INSTANCE_BYTES_MAX 60
#define FORGET_PERIOD (60 * 60 * USEC_PER_SEC)
/* Reports that may fail to come before a stream counts as ended. */
#define STREAM_PERIODS 4
#define STREAM_SECONDS_MIN 5
#define SECONDS_SIZE 24

static void
seconds_text(char out[SECONDS_SIZE], usec_t us)
{
	(void)snprintf(out, SECONDS_SIZE, "%lld", (long long)(us / USEC_PER_SEC));
}

static void
stream_seconds(char out[SECONDS_SIZE])
{
	seconds_text(out, MAX(core_flags_conf.usage_period * STREAM_PERIODS,
			      STREAM_SECONDS_MIN * USEC_PER_SEC));
}

/* ---- this worker's ---- */

static enum step
usage_send(struct task *t, struct str asked, struct str streams)
{
	char worker[SECONDS_SIZE];

	(void)snprintf(worker, sizeof(worker), "%u", core_flags_conf.worker);
	const struct postgres_param params[] = { P_TEXT("core"), P_TEXT(core_flags_conf.instance),
						 P_TEXT(worker), P_STR(asked), P_STR(streams) };
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_asked_add, params,
			     ARRAY_LEN(params));
}

static enum err
usage_sent(struct task *t)
{
	return task_wait_err(t, 0, NULL);
}

void
core_flags_usage_start(void)
{
	flag_usage_start(&(struct flag_usage_conf) { .loop = core_flags_conf.loop,
						     .engine = core_flags_conf.engine,
						     .period = core_flags_conf.usage_period,
						     .streams = flag_ofrep_streams_tell,
						     .send = usage_send,
						     .sent = usage_sent });
}

/* ---- whom nobody tells ---- */

enum step
core_flags_seen(struct task *t, struct str key)
{
	char recent[SECONDS_SIZE], live[SECONDS_SIZE];

	seconds_text(recent, core_flags_conf.usage_recent);
	stream_seconds(live);
	const struct postgres_param params[] = { P_STR(key), P_TEXT(recent), P_TEXT(live) };
	task_wait_soft(t);
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_seen, params, ARRAY_LEN(params));
}

void
core_flags_seen_json(struct task *t, struct buf *out)
{
	if (task_wait_err(t, 0, NULL) != ERR_OK || postgres_rows(t, 0) == 0)
		return;
	buf_printf(out, ",\"applications\":{\"seconds\":%lld,\"streams\":%lld,\"without_stream\":",
		   (long long)(core_flags_conf.usage_recent / USEC_PER_SEC),
		   (long long)postgres_int(t, 0, 0, 0, 0));
	buf_add_str(out, postgres_value(t, 0, 0, 1));
	buf_add_char(out, '}');
}

/* ---- the sandbox's: POST /v1/flag-usage ---- */

/* A list of objects; what they hold is the statement's to judge. */
static bool
list_read(struct task *t, const struct flags_body *b, const char *key, struct str *out)
{
	const struct json_member *m = json_member_find(b->member, b->n, key);
	const char *at = arena_printf(&t->t_arena, "/%s", key);
	struct json_element *elements =
		arena_alloc(&t->t_arena, FLAG_USAGE_ROWS * sizeof(*elements));
	size_t n = FLAG_USAGE_ROWS;

	if (elements == NULL || at == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
		return false;
	}
	bool good = m != NULL && m->kind == JSON_ARRAY &&
		    json_scan_array(m->value, elements, &n, &t->t_err) == ERR_OK;
	for (size_t i = 0; good && i < n; i++)
		good = elements[i].kind == JSON_OBJECT;
	if (!good) {
		err_clear(&t->t_err);
		(void)err_set(&t->t_err, ERR_INVALID, at, "must be a list of at most %u objects",
			      FLAG_USAGE_ROWS);
		return false;
	}
	*out = m->value;
	return true;
}

static enum step
report_write(struct task *t)
{
	static const char *const known[] = { "instance", "worker", "asked", "streams", NULL };
	struct str instance = STR_NONE, asked = STR_NONE, streams = STR_NONE;
	struct flags_body b;
	int64_t worker = 0;

	if (!flags_body_read(t, known, &b) ||
	    !flags_body_text(t, &b, "instance", 1, INSTANCE_BYTES_MAX, &instance))
		return task_fail(t);
	const struct json_member *m = json_member_find(b.member, b.n, "worker");
	if (m == NULL || m->kind != JSON_NUMBER ||
	    str_int(m->value, 0, SANDBOX_WORKER_MAX, &worker) != ERR_OK)
		return task_fail_set(t, ERR_INVALID, "/worker", "must be 0 to %d",
				     SANDBOX_WORKER_MAX);
	if (!list_read(t, &b, "asked", &asked) || !list_read(t, &b, "streams", &streams))
		return task_fail(t);
	const struct postgres_param params[] = { P_TEXT("sandbox"), P_STR(instance),
						 P_STR(m->value), P_STR(asked), P_STR(streams) };
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_asked_add, params,
			     ARRAY_LEN(params));
}

static enum step
report_answer(struct task *t)
{
	const char *body = arena_printf(&t->t_arena, "{\"counted\":%lld}",
					(long long)postgres_int(t, 0, 0, 0, 0));
	if (body == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	return http_reply_json(t, 200, str_of(body));
}

const struct step_row core_flags_report_steps[] = {
	{ "write", report_write },
	{ "answer", report_answer },
	{ NULL, NULL },
};

/* ---- GET /v1/flags/{key}/usage ---- */

static enum step
usage_read(struct task *t)
{
	char keep[SECONDS_SIZE], live[SECONDS_SIZE];

	seconds_text(keep, core_flags_conf.usage_keep);
	stream_seconds(live);
	const struct postgres_param params[] = { P_STR(http_param(t, "key")), P_TEXT(keep),
						 P_TEXT(live) };
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_usage, params, ARRAY_LEN(params));
}

static enum step
usage_answer(struct task *t)
{
	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no flag \"%.*s\"",
				     STR_FMT(http_param(t, "key")));
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 1));
}

const struct step_row core_flags_usage_steps[] = {
	{ "read", usage_read },
	{ "answer", usage_answer },
	{ NULL, NULL },
};

/* ---- GET /v1/unknown-flags ---- */

static enum step
unknown_read(struct task *t)
{
	const struct str after = http_query(t, "after");
	const char *limit = http_page_limit(t, LIMIT_DEFAULT, LIMIT_MAX);
	char keep[SECONDS_SIZE];

	if (limit == NULL)
		return task_fail(t);
	seconds_text(keep, core_flags_conf.usage_keep);
	const struct postgres_param params[] = { P_STR(after.p != NULL ? after : STR("")),
						 P_TEXT(keep), P_TEXT(limit) };
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_unknown, params, ARRAY_LEN(params));
}

static enum step
unknown_answer(struct task *t)
{
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 0),
							 .has_more = postgres_bool(t, 0, 0, 1),
							 .next = postgres_value(t, 0, 0, 2) });
}

const struct step_row core_flags_unknown_steps[] = {
	{ "read", unknown_read },
	{ "answer", unknown_answer },
	{ NULL, NULL },
};

/* ---- forgetting ---- */

static usec_t forget_after;

static enum step
forget_write(struct task *t)
{
	char keep[SECONDS_SIZE];

	seconds_text(keep, forget_after);
	return postgres_wait(t->t_owner, t, &sql_flag_asked_forget,
			     (struct postgres_param[]) { P_TEXT(keep) }, 1);
}

static enum step
forget_done(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row forget_steps[] = {
	{ "write", forget_write },
	{ "done", forget_done },
	{ NULL, NULL },
};

void
core_flags_usage_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool, usec_t keep)
{
	forget_after = keep;
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.usage",
						     .period = FORGET_PERIOD,
						     .steps = forget_steps,
						     .owner = pool });
}
