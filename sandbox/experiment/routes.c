/*
 * routes.c — what people see of experiments, the two things they may ask (a stop, a promotion), and no way to a verdict of their own.
 *
 * A promotion sends core the very bytes that were proven, with the evidence, by the sandbox's own principal; what core answers is
 * what the caller hears.
 */
#include <cjson/cJSON.h>

#include "sandbox/experiment/internal.h"

#include "access/access.h"
#include "base/json_in.h"
#include "base/json_scan.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 200
#define DEADLINE_MS 20000
#define PROMOTE_TIMEOUT (15 * USEC_PER_SEC)
#define STOP_WAIT_MAX (5 * USEC_PER_SEC)
#define STOP_PERIOD (100 * USEC_PER_MS)
#define RISK_BYTES_MAX 2000
#define ONE "/v1/experiments/{slug:slug}"

static struct {
	struct postgres_pool *pool;
	struct http_client *core;
	enum err (*held)(struct task *t);
} here;

void
sandbox_experiment_use(struct postgres_pool *pool, struct http_client *core,
		       enum err (*held)(struct task *t))
{
	here.held = held;
	here.pool = pool;
	here.core = core;
}

static enum step
no_such(struct task *t)
{
	return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no experiment \"%.*s\"",
			     STR_FMT(http_param(t, "slug")));
}

static enum step
ask_slug(struct task *t, const struct postgres_stmt *s)
{
	return postgres_wait(here.pool, t, s,
			     (struct postgres_param[]) { P_STR(http_param(t, "slug")) }, 1);
}

/* ---- reading ---- */

static enum step
list_read(struct task *t)
{
	const struct str after = http_query(t, "after");
	const char *limit = http_page_limit(t, LIMIT_DEFAULT, LIMIT_MAX);

	if (limit == NULL)
		return task_fail(t);
	const struct postgres_param params[] = { P_STR(after.p != NULL ? after : STR("")),
						 P_TEXT(limit) };
	return postgres_wait(here.pool, t, &sql_lab_experiment_list, params, ARRAY_LEN(params));
}

static enum step
list_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

static enum step
get_read(struct task *t)
{
	return ask_slug(t, &sql_lab_experiment_get);
}

static enum step
get_answer(struct task *t)
{
	return postgres_rows(t, 0) == 0 ? no_such(t)
					: http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

static enum step
results_read(struct task *t)
{
	const char *limit = http_page_limit(t, LIMIT_DEFAULT, LIMIT_MAX);

	if (limit == NULL)
		return task_fail(t);
	const struct postgres_param params[] = { P_STR(http_param(t, "slug")), P_TEXT(limit) };
	return postgres_wait(here.pool, t, &sql_lab_results, params, ARRAY_LEN(params));
}

static enum step
results_answer(struct task *t)
{
	return postgres_bool(t, 0, 0, 0) ? http_reply_json(t, 200, postgres_value(t, 0, 0, 1))
					 : no_such(t);
}

static enum step
verdict_read(struct task *t)
{
	return ask_slug(t, &sql_lab_verdict_get);
}

static enum step
verdict_answer(struct task *t)
{
	if (!postgres_bool(t, 0, 0, 0))
		return no_such(t);
	if (postgres_is_null(t, 0, 0, 1))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no verdict on \"%.*s\" yet",
				     STR_FMT(http_param(t, "slug")));
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 1));
}

/* ---- stop ---- */

static step_fn stop_look;

static enum step
stop_ask(struct task *t)
{
	const struct postgres_param params[] = { P_STR(http_param(t, "slug")),
						 P_TEXT(access_actor_of(t)->principal) };
	return postgres_wait(here.pool, t, &sql_lab_want_stop, params, ARRAY_LEN(params));
}

static enum step
stop_asked(struct task *t)
{
	const struct str outcome = postgres_value(t, 0, 0, 0);

	if (str_is(outcome, "missing"))
		return no_such(t);
	if (str_is(outcome, "ended"))
		return task_fail_set(t, ERR_CONFLICT, NULL,
				     "the experiment \"%.*s\" is not running",
				     STR_FMT(http_param(t, "slug")));
	return STEP_NEXT;
}

static enum step
stop_look(struct task *t)
{
	return ask_slug(t, &sql_lab_experiment_get);
}

static enum step
stop_answer(struct task *t)
{
	usec_t *since = task_state(t, sizeof(*since));

	if (since == NULL || postgres_rows(t, 0) == 0)
		return no_such(t);
	if (*since == 0)
		*since = clock_now_us();
	const bool running = str_is(postgres_value(t, 0, 0, 1), "running");
	if (running && clock_now_us() - *since < STOP_WAIT_MAX)
		return task_sleep(t, STOP_PERIOD);
	return http_reply_json(t, running ? 202 : 200, postgres_value(t, 0, 0, 0));
}

static enum step
stop_again(struct task *t)
{
	return task_jump(t, stop_look);
}

/* ---- promote ---- */

static enum step
promote_read(struct task *t)
{
	struct json_member member[4];
	size_t n = ARRAY_LEN(member);
	struct str risk = STR(
		"Read-only queries under the feature's own login; the flag turns it off at once.");

	if (here.held(t) != ERR_OK)
		return task_fail(t);
	if (http_body(t).len > 0) {
		if (json_scan_object(http_body(t), &t->t_arena, member, &n, &t->t_err) != ERR_OK)
			return task_fail(t);
		for (size_t i = 0; i < n; i++) {
			if (!str_is(member[i].key, "risk") || member[i].kind != JSON_STRING ||
			    member[i].value.len > RISK_BYTES_MAX ||
			    json_unescape(member[i].value, &t->t_arena, &risk) != ERR_OK)
				return task_fail_set(
					t, ERR_INVALID, "/risk",
					"the only member is \"risk\", a string of at most %d bytes",
					RISK_BYTES_MAX);
		}
	}
	const struct postgres_param params[] = { P_STR(http_param(t, "slug")),
						 P_TEXT(access_actor_of(t)->principal),
						 P_STR(risk) };
	return postgres_wait(here.pool, t, &sql_lab_promote, params, ARRAY_LEN(params));
}

enum { VERDICT, IS_DEPLOYED, BODY, CHANGE };

static enum step
promote_send(struct task *t)
{
	const struct str slug = http_param(t, "slug");

	if (postgres_rows(t, 0) == 0)
		return no_such(t);
	if (postgres_is_null(t, 0, 0, VERDICT))
		return task_fail_set(
			t, ERR_CONFLICT, NULL,
			"there is no verdict on \"%.*s\" yet; only what is proven is promoted",
			STR_FMT(slug));
	if (!str_is(postgres_value(t, 0, 0, VERDICT), "proven"))
		return task_fail_set(t, ERR_CONFLICT, NULL,
				     "\"%.*s\" is %.*s; only what is proven is promoted",
				     STR_FMT(slug), STR_FMT(postgres_value(t, 0, 0, VERDICT)));
	if (!postgres_is_null(t, 0, 0, CHANGE))
		return task_fail_set(t, ERR_CONFLICT, NULL,
				     "\"%.*s\" has been filed already, as change %.*s",
				     STR_FMT(slug), STR_FMT(postgres_value(t, 0, 0, CHANGE)));
	return http_client_wait(here.core, t,
				&(struct http_client_call) { .method = HTTP_POST,
							     .url = STR("/v1/changes"),
							     .body = postgres_value(t, 0, 0, BODY),
							     .timeout = PROMOTE_TIMEOUT });
}

struct filed {
	struct str body;
	int status;
	char change[UUID_TEXT_SIZE];
};

/* Core's answer: the change it has filed, or why not. */
static enum step
promote_filed(struct task *t)
{
	const struct http_client_reply *r = http_client_reply(t, 0);
	struct filed *f = task_state(t, sizeof(*f));
	struct cJSON *j = NULL;
	const char *id = NULL;
	struct err_info ignored = { .code = ERR_OK };

	if (f == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	f->status = http_client_status(r);
	f->body = arena_str(&t->t_arena, http_client_body(r));
	if (json_parse(http_client_body(r), &j, &ignored) != ERR_OK || !cJSON_IsObject(j) ||
	    json_string(j, "id", false, &id, &ignored) != ERR_OK)
		id = NULL;
	struct uuid uuid;
	const bool taken = f->status >= 200 && f->status < 300 && id != NULL &&
			   uuid_parse(str_of(id), &uuid) == ERR_OK;
	if (!taken) {
		const enum err code = f->status == 409 || f->status == 422 ? ERR_CONFLICT
				      : f->status == 403                   ? ERR_FORBIDDEN
									   : ERR_UPSTREAM;
		struct http_client_problem p;
		http_client_problem_read(r, &p);
		json_free(j);
		return task_fail_set(t, code, NULL, "core did not take the change (%d): %s",
				     f->status, p.detail[0] != '\0' ? p.detail : "no detail");
	}
	uuid_text(&uuid, f->change);
	json_free(j);
	const struct postgres_param params[] = { P_STR(http_param(t, "slug")), P_TEXT(f->change),
						 P_TEXT(access_actor_of(t)->principal) };
	return postgres_wait(here.pool, t, &sql_lab_promoted, params, ARRAY_LEN(params));
}

static enum step
promote_answer(struct task *t)
{
	const struct filed *f = task_state(t, sizeof(*f));
	return http_reply_json(t, f->status, f->body);
}

static const struct step_row list_steps[] = { { "read", list_read },
					      { "answer", list_answer },
					      { NULL, NULL } };
static const struct step_row get_steps[] = { { "read", get_read },
					     { "answer", get_answer },
					     { NULL, NULL } };
static const struct step_row results_steps[] = { { "read", results_read },
						 { "answer", results_answer },
						 { NULL, NULL } };
static const struct step_row verdict_steps[] = { { "read", verdict_read },
						 { "answer", verdict_answer },
						 { NULL, NULL } };
static const struct step_row stop_steps[] = {
	{ "ask", stop_ask },       { "asked", stop_asked }, { "look", stop_look },
	{ "answer", stop_answer }, { "again", stop_again }, { NULL, NULL },
};
static const struct step_row promote_steps[] = {
	{ "read", promote_read },     { "send", promote_send }, { "filed", promote_filed },
	{ "answer", promote_answer }, { NULL, NULL },
};

const struct http_route sandbox_experiment_routes[] = {
	{ HTTP_GET, "/v1/experiments", "experiment.list", list_steps, .right = "experiment.read" },
	{ HTTP_GET, ONE, "experiment.get", get_steps, .right = "experiment.read" },
	{ HTTP_GET, ONE "/results", "experiment.results", results_steps,
	  .right = "experiment.read" },
	{ HTTP_GET, ONE "/verdict", "experiment.verdict", verdict_steps,
	  .right = "experiment.read" },
	{ HTTP_POST, ONE "/stop", "experiment.stop", stop_steps, .right = "experiment.stop",
	  .deadline_ms = DEADLINE_MS },
	{ HTTP_POST, ONE "/promote", "experiment.promote", promote_steps,
	  .right = "experiment.promote", .deadline_ms = DEADLINE_MS },
};
const size_t sandbox_experiment_routes_count = ARRAY_LEN(sandbox_experiment_routes);
