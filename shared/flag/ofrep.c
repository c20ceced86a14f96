/*
 * ofrep.c — OFREP 0.3 single evaluation: body in, unit found, snapshot asked, exposure kept, answer
 * out. The same steps serve both daemons; only core has a statement that finds a person's
 * pseudonym.
 *
 * Each answer but 401 and 403 is in OFREP's own form, because its clients understand no other. A
 * look-up that is impossible is an error, so that the application takes its default; the unit is
 * never replaced by another key.
 */
#include "flag/internal.h"

#define BODY_MEMBERS_MAX 64
#define CONTEXT_MEMBERS_MAX 256
#define ANSWER_BYTES_MAX (FLAG_DOCUMENT_BYTES_MAX + 4096)

static struct flag_ofrep_conf conf;

struct evaluation {
	struct str key;
	struct str unit;
	char uuid[UUID_TEXT_SIZE]; /* canonical text, if the unit is one                  */
	bool looks_up;             /* the pseudonym comes with the next step               */
	bool is_stranger;          /* a person flag and a unit that is no person's         */
};

void
flag_ofrep_use(const struct flag_ofrep_conf *c)
{
	conf = *c;
	(void)flag_metric_set();
}

/* ---- answers ---- */

static enum step
answer_error(struct task *t, int status, struct str key, const char *code, const char *details)
{
	struct buf body;

	metric_add(flag_metric_set()->errors, 1);
	buf_init(&body, ANSWER_BYTES_MAX);
	buf_add_cstr(&body, "{\"key\":");
	buf_json_str(&body, key);
	buf_add_cstr(&body, ",\"errorCode\":");
	buf_json_cstr(&body, code);
	buf_add_cstr(&body, ",\"errorDetails\":");
	buf_json_cstr(&body, details);
	buf_add_char(&body, '}');
	const enum step done = http_reply_json(t, status, buf_str(&body));
	buf_free(&body);
	return done;
}

static enum step
answer_result(struct task *t, struct str key, const struct flag_result *r)
{
	struct buf body;

	metric_add(flag_metric_set()->by_reason[r->reason], 1);
	buf_init(&body, ANSWER_BYTES_MAX);
	buf_add_cstr(&body, "{\"key\":");
	buf_json_str(&body, key);
	buf_printf(&body, ",\"reason\":\"%s\"", flag_reason_text(r->reason));
	/* Without a value the client takes the default in its code: that is "disabled". */
	if (r->reason != FLAG_DISABLED) {
		buf_add_cstr(&body, ",\"variant\":");
		buf_json_str(&body, r->variation);
		buf_add_cstr(&body, ",\"value\":");
		buf_add_str(&body, r->value);
	}
	buf_printf(&body, ",\"metadata\":{\"revision\":%lld}}", (long long)r->revision);
	if (body.failed) {
		buf_free(&body);
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	}
	const enum step done = http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

/* ---- the context ---- */

struct refusal {
	const char *code;
	const char *details;
};

static const struct json_member *
member_find(const struct json_member *members, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(members[i].key, key))
			return &members[i];
	return NULL;
}

static bool
members_read(struct task *t, struct str text, size_t max, const struct json_member **out, size_t *n,
	     struct refusal *no)
{
	struct json_member *members = arena_alloc(&t->t_arena, max * sizeof(*members));
	struct err_info info = { .code = ERR_OK };

	*n = members != NULL ? max : 0;
	if (members != NULL && json_scan_object(text, &t->t_arena, members, n, &info) == ERR_OK) {
		*out = members;
		return true;
	}
	const char *place = arena_printf(&t->t_arena, "%s%s%s", info.field,
					 info.field[0] != '\0' ? ": " : "", info.msg);
	*no = (struct refusal) { .code = info.code == ERR_BAD_JSON ? "PARSE_ERROR"
								   : "INVALID_CONTEXT",
				 .details = place != NULL ? place : "the context is too large" };
	return false;
}

/* Clients also send {}, and some no body at all: then there is no targeting key, which matters only
 * to rules that divide. */
static bool
unit_read(struct task *t, struct str *unit, struct refusal *no)
{
	const struct json_member *members = NULL;
	size_t n = 0;

	*unit = STR_NONE;
	if (http_body(t).len == 0)
		return true;
	if (!members_read(t, http_body(t), BODY_MEMBERS_MAX, &members, &n, no))
		return false;
	const struct json_member *context = member_find(members, n, "context");
	if (context == NULL || context->kind == JSON_NULL)
		return true;
	if (context->kind != JSON_OBJECT) {
		*no = (struct refusal) { "INVALID_CONTEXT", "/context: must be an object" };
		return false;
	}
	if (!members_read(t, context->value, CONTEXT_MEMBERS_MAX, &members, &n, no))
		return false;
	const struct json_member *key = member_find(members, n, "targetingKey");
	if (key == NULL || key->kind == JSON_NULL)
		return true;
	if (key->kind != JSON_STRING || json_unescape(key->value, &t->t_arena, unit) != ERR_OK) {
		*no = (struct refusal) { "INVALID_CONTEXT",
					 "/context/targetingKey: must be a string" };
		return false;
	}
	if (unit->len > FLAG_UNIT_MAX) {
		*no = (struct refusal) { "INVALID_CONTEXT",
					 "/context/targetingKey: must have at most 200 bytes" };
		return false;
	}
	return true;
}

/* What kind of person the key names: an id to be looked up, a pseudonym, or a stranger. */
static bool
person_read(struct evaluation *e, struct refusal *no)
{
	struct uuid id;

	e->is_stranger = true;
	if (uuid_parse(e->unit, &id) != ERR_OK ||
	    (uuid_version(&id) != 7 && uuid_version(&id) != 4))
		return true;
	e->is_stranger = false;
	e->looks_up = uuid_version(&id) == 7;
	uuid_text(&id, e->uuid);
	e->unit = str_of(e->uuid);
	if (e->looks_up && conf.lookup == NULL) {
		*no = (struct refusal) { "INVALID_CONTEXT",
					 "/context/targetingKey: ids of persons are not known "
					 "here; give the pseudonym" };
		return false;
	}
	return true;
}

/* ---- steps ---- */

static enum step
ofrep_read(struct task *t)
{
	struct evaluation *e = task_state(t, sizeof(*e));
	struct refusal no = { NULL, NULL };
	enum flag_unit unit = FLAG_VISITOR;
	bool needed = false;

	if (e == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the evaluation");
	e->key = http_param(t, "key");
	const struct flag_snapshot *flags = flag_store_now(conf.store);
	if (flags == NULL)
		return answer_error(t, 500, e->key, "GENERAL", "the flags are not loaded yet");
	if (!unit_read(t, &e->unit, &no))
		return answer_error(t, 400, e->key, no.code, no.details);
	if (!flag_unit_of(flags, e->key, clock_wall_us(), &unit, &needed))
		return answer_error(t, 404, e->key, "FLAG_NOT_FOUND", "there is no such flag");
	if (!needed || unit != FLAG_PERSON || e->unit.len == 0)
		return STEP_NEXT;
	if (!person_read(e, &no))
		return answer_error(t, 400, e->key, no.code, no.details);
	if (!e->looks_up)
		return STEP_NEXT;
	task_wait_soft(t);
	if (postgres_add(conf.pool, t, conf.lookup, (struct postgres_param[]) { P_STR(e->unit) },
			 1) != ERR_OK) {
		err_clear(&t->t_err);
		return answer_error(t, 500, e->key, "GENERAL", "the person could not be looked up");
	}
	return STEP_WAIT;
}

static enum step
ofrep_answer(struct task *t)
{
	struct evaluation *e = task_state(t, sizeof(*e));
	const usec_t now = clock_wall_us();
	struct flag_result r;

	if (e->looks_up) {
		if (task_wait_err(t, 0, NULL) != ERR_OK)
			return answer_error(t, 500, e->key, "GENERAL",
					    "the person could not be looked up");
		if (postgres_rows(t, 0) == 0)
			return answer_error(t, 400, e->key, "INVALID_CONTEXT",
					    "/context/targetingKey: there is no such person");
		e->unit = postgres_value(t, 0, 0, 0);
	}
	/* Asked anew: the flag may have changed while the person was looked up. */
	flag_evaluate(flag_store_now(conf.store), e->key, e->unit, now, &r);
	if (r.outcome == FLAG_UNKNOWN)
		return answer_error(t, 404, e->key, "FLAG_NOT_FOUND", "there is no such flag");
	if (r.outcome == FLAG_BROKEN)
		return answer_error(t, 500, e->key, "GENERAL",
				    "the flag's document cannot be read");
	if (r.outcome == FLAG_UNIT_MISSING)
		return answer_error(t, 400, e->key, "TARGETING_KEY_MISSING",
				    "/context/targetingKey: the flag divides units and needs one");
	if (r.reason == FLAG_SPLIT && !e->is_stranger && conf.exposures != NULL)
		flag_exposures_add(conf.exposures, e->key, e->unit, r.variation, r.revision);
	return answer_result(t, e->key, &r);
}

const struct step_row flag_ofrep_steps[] = {
	{ "read", ofrep_read },
	{ "answer", ofrep_answer },
	{ NULL, NULL },
};
