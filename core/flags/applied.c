/*
 * applied.c — the answer to "is it really off?": after a change is committed, ask until every
 * worker of core that is alive (seen within three seconds) serves it, two seconds at most, and name
 * those that do not. The sandbox is shown as it is and never awaited. Also takes the sandbox's
 * acknowledgements: it has no way into core's database, so its agent brings them over HTTP.
 */
#include "core/flags/internal.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/json_in.h"

#define POLL_PERIOD (10 * USEC_PER_MS)
#define WAIT_MAX (2 * USEC_PER_SEC)
#define SANDBOX_WORKERS_MAX "64"
#define INSTANCE_BYTES_MAX 60

/* Columns of flag_applied.sql. */
enum { GENERATION, WORKERS, OF, MISSING, SANDBOX, SANDBOX_OF };

void
core_flags_workers_json(struct task *t, unsigned i, int64_t ms, struct buf *out)
{
	buf_printf(out, "{\"workers\":%lld,\"of\":%lld",
		   (long long)postgres_int(t, i, 0, WORKERS, 0),
		   (long long)postgres_int(t, i, 0, OF, 0));
	if (ms >= 0)
		buf_printf(out, ",\"ms\":%lld", (long long)ms);
	buf_add_cstr(out, ",\"missing\":");
	buf_add_str(out, postgres_value(t, i, 0, MISSING));
	buf_add_char(out, '}');
}

void
core_flags_sandbox_json(struct task *t, unsigned i, int64_t ms, struct buf *out)
{
	const int64_t applied = postgres_int(t, i, 0, SANDBOX, 0);
	const int64_t of = postgres_int(t, i, 0, SANDBOX_OF, 0);
	const bool acknowledged = of > 0 && applied == of;

	buf_printf(out, "{\"acknowledged\":%s,\"workers\":%lld,\"of\":%lld",
		   acknowledged ? "true" : "false", (long long)applied, (long long)of);
	if (ms >= 0 && acknowledged)
		buf_printf(out, ",\"ms\":%lld", (long long)ms);
	buf_add_char(out, '}');
}

/* ---- waiting ---- */

enum step
core_flags_applied(struct task *t, const struct flags_change *change)
{
	struct flags_change *kept = arena_alloc(&t->t_arena, sizeof(*kept));
	if (kept == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	*kept = *change;
	kept->committed = clock_now_us();
	const enum step next = task_continue(t, core_flags_applied_steps);
	struct flags_change **state = task_state(t, sizeof(struct flags_change *));
	if (state == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	*state = kept;
	return next;
}

static struct flags_change *
change_of(struct task *t)
{
	struct flags_change **state = task_state(t, sizeof(struct flags_change *));
	return *state;
}

static enum step
applied_ask(struct task *t)
{
	char generation[24];

	(void)snprintf(generation, sizeof(generation), "%lld", (long long)change_of(t)->generation);
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_applied,
			     (struct postgres_param[]) { P_TEXT(generation) }, 1);
}

static enum step
answer_send(struct task *t, const struct flags_change *c, struct str body)
{
	if (c->status == 201)
		http_reply_header_fmt(t, "Location", "/v1/flags/%.*s", STR_FMT(c->key));
	return http_reply_json(t, c->status, body);
}

static step_fn applied_named;

static enum step
applied_answer(struct task *t, struct flags_change *c)
{
	/* From the request's first byte to the last acknowledgement, rounded up: what the person
	 * who asked has waited. */
	const int64_t ms = (clock_now_us() - t->t_begin + USEC_PER_MS - 1) / USEC_PER_MS;
	struct buf body;

	buf_init(&body, FLAGS_BODY_MAX);
	if (c->head.p != NULL) {
		buf_add_str(&body, c->head);
	} else {
		buf_add_cstr(&body, "{\"key\":");
		buf_json_str(&body, c->key);
		buf_printf(&body, ",\"revision\":%lld,\"enabled\":%s", (long long)c->revision,
			   c->enabled ? "true" : "false");
	}
	if (c->archived)
		buf_add_cstr(&body, ",\"archived\":true");
	buf_printf(&body, ",\"generation\":%lld,\"applied\":", (long long)c->generation);
	core_flags_workers_json(t, 0, ms, &body);
	buf_add_cstr(&body, ",\"sandbox\":");
	core_flags_sandbox_json(t, 0, ms, &body);
	enum step next = STEP_DONE;
	c->said = c->names ? arena_str(&t->t_arena, buf_str(&body)) : STR_NONE;
	if (c->said.p != NULL) {
		next = core_flags_seen(t, c->key);
		if (next == STEP_WAIT)
			next = task_jump(t, applied_named);
	} else {
		buf_add_char(&body, '}');
		next = answer_send(t, c, buf_str(&body));
	}
	buf_free(&body);
	return next;
}

static enum step
applied_sleep(struct task *t)
{
	return task_sleep(t, POLL_PERIOD);
}

/* The first look's generation is at least that of the change; later ones are not waited for. */
static enum step
applied_look(struct task *t)
{
	struct flags_change *c = change_of(t);
	const int64_t applied = postgres_int(t, 0, 0, WORKERS, 0);
	const int64_t of = postgres_int(t, 0, 0, OF, 0);

	c->generation = postgres_int(t, 0, 0, GENERATION, 0);
	if ((of > 0 && applied == of) || clock_now_us() - c->committed >= WAIT_MAX)
		return applied_answer(t, c);
	return STEP_NEXT;
}

static enum step
applied_again(struct task *t)
{
	return task_jump(t, applied_ask);
}

static enum step
applied_named(struct task *t)
{
	const struct flags_change *c = change_of(t);
	struct buf body;

	buf_init(&body, FLAGS_BODY_MAX);
	buf_add_str(&body, c->said);
	core_flags_seen_json(t, &body);
	buf_add_char(&body, '}');
	const enum step done = answer_send(t, c, buf_str(&body));
	buf_free(&body);
	return done;
}

const struct step_row core_flags_applied_steps[] = {
	{ "ask", applied_ask },     { "look", applied_look },   { "sleep", applied_sleep },
	{ "again", applied_again }, { "named", applied_named }, { NULL, NULL },
};

/* ---- the sandbox's acknowledgement ---- */

struct acknowledgement {
	const char *instance;
	int64_t worker, flag, schema, access;
};

static enum err
acknowledgement_read(struct task *t, struct acknowledgement *a)
{
	static const char *const known[] = { "instance",          "worker",
					     "flag_generation",   "schema_generation",
					     "access_generation", NULL };
	struct cJSON *j = NULL;
	struct err_info *info = &t->t_err;

	enum err err = json_parse(http_body(t), &j, info);
	if (err == ERR_OK && !cJSON_IsObject(j))
		err = err_set(info, ERR_INVALID, NULL, "the body must be an object");
	if (err == ERR_OK)
		err = json_only(j, known, info);
	if (err == ERR_OK)
		err = json_string(j, "instance", true, &a->instance, info);
	if (err == ERR_OK)
		err = json_int(j, "worker", true, 0, 1023, &a->worker, info);
	if (err == ERR_OK)
		err = json_int(j, "flag_generation", true, -1, INT64_MAX, &a->flag, info);
	if (err == ERR_OK)
		err = json_int(j, "schema_generation", true, -1, INT64_MAX, &a->schema, info);
	if (err == ERR_OK)
		err = json_int(j, "access_generation", true, -1, INT64_MAX, &a->access, info);
	if (err == ERR_OK) {
		const struct str instance = str_of(a->instance);
		if (instance.len == 0 || instance.len > INSTANCE_BYTES_MAX)
			err = err_set(info, ERR_INVALID, "/instance", "must have 1 to %d bytes",
				      INSTANCE_BYTES_MAX);
		a->instance = arena_strdup(&t->t_arena, instance);
		if (err == ERR_OK && a->instance == NULL)
			err = err_set(info, ERR_NO_MEMORY, NULL, "no memory for the request");
	}
	json_free(j);
	return err;
}

static enum step
worker_write(struct task *t)
{
	struct acknowledgement a = { .instance = NULL };
	char text[4][24];

	if (acknowledgement_read(t, &a) != ERR_OK)
		return task_fail(t);
	const int64_t number[] = { a.worker, a.flag, a.schema, a.access };
	for (size_t i = 0; i < ARRAY_LEN(number); i++)
		(void)snprintf(text[i], sizeof(text[i]), "%lld", (long long)number[i]);
	const struct postgres_param params[] = {
		P_TEXT(a.instance), P_TEXT(text[0]), P_TEXT(text[1]),
		P_TEXT(text[2]),    P_TEXT(text[3]), P_TEXT(SANDBOX_WORKERS_MAX),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_worker_acknowledge, params,
			     ARRAY_LEN(params));
}

static enum step
worker_answer(struct task *t)
{
	struct buf body;

	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_RATE, NULL,
				     "there are %s workers of the sandbox already",
				     SANDBOX_WORKERS_MAX);
	buf_init(&body, 1024);
	buf_printf(
		&body,
		"{\"flag_generation\":%lld,\"schema_generation\":%lld,\"access_generation\":%lld,"
		"\"mode2_stopped\":%s}",
		(long long)postgres_int(t, 0, 0, 1, 0), (long long)postgres_int(t, 0, 0, 2, 0),
		(long long)postgres_int(t, 0, 0, 3, 0),
		postgres_bool(t, 0, 0, 4) ? "true" : "false");
	const enum step done = http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

const struct step_row core_flags_worker_steps[] = {
	{ "write", worker_write },
	{ "answer", worker_answer },
	{ NULL, NULL },
};
