/*
 * ofrep.c — OFREP, one flag: body in, unit found, snapshot asked, exposure kept, answer out. See ofrep.h.
 *
 * Only this answer counts as an exposure: clients that ask for all flags do not show them all.
 */
#include "flag/ofrep_parts.h"
#include "flag/usage.h"

#define ANSWER_BYTES_MAX (FLAG_DOCUMENT_BYTES_MAX + 4096)

struct flag_ofrep_conf flag_ofrep_conf;

struct evaluation {
	struct str key;
	struct ofrep_context context;
	int64_t generation; /* of the flags that the record was asked for */
	unsigned looks;
};

void
flag_ofrep_start(const struct flag_ofrep_conf *c)
{
	flag_ofrep_conf = *c;
	(void)flag_metric_set();
	ofrep_events_start();
}

void
flag_ofrep_stop(void)
{
	ofrep_events_stop();
	flag_ofrep_conf = (struct flag_ofrep_conf) { .store = NULL };
}

void
ofrep_asked(struct task *t, struct str key, bool known)
{
	const char *principal =
		flag_ofrep_conf.principal_of != NULL ? flag_ofrep_conf.principal_of(t) : NULL;
	char client[FLAG_CLIENT_SIZE];

	if (principal == NULL)
		return;
	flag_usage_client(http_header(t, "User-Agent"), client);
	flag_usage_add(key, str_of(principal), str_of(client), known, clock_wall_us());
}

static enum step
not_found(struct task *t, struct str key)
{
	ofrep_asked(t, key, false);
	return ofrep_answer_error(t, 404, key, "FLAG_NOT_FOUND", "there is no such flag");
}

static enum step
ofrep_read(struct task *t)
{
	struct evaluation *e = task_state(t, sizeof(*e));
	struct ofrep_refusal no = { NULL, NULL };

	if (e == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the evaluation");
	e->key = http_param(t, "key");
	const struct flag_snapshot *flags = flag_store_now(flag_ofrep_conf.store);
	if (flags == NULL)
		return ofrep_answer_error(t, 500, e->key, "GENERAL",
					  "the flags are not loaded yet");
	if (!ofrep_context_read(t, &e->context, &no))
		return ofrep_answer_error(t, 400, e->key, no.code, no.details);
	return STEP_NEXT;
}

static enum step
ofrep_ask(struct task *t)
{
	struct evaluation *e = task_state(t, sizeof(*e));
	const struct flag_snapshot *flags = flag_store_now(flag_ofrep_conf.store);
	const usec_t now = clock_wall_us();
	enum flag_unit unit = FLAG_VISITOR;
	bool needed = false;

	if (!flag_unit_of(flags, e->key, now, &unit, &needed))
		return not_found(t, e->key);
	const struct flag_needs *needs = flag_needs_of(flags, e->key, now);
	e->generation = flag_snapshot_generation(flags);
	struct ofrep_asked asked = { .divides = needed && unit == FLAG_PERSON };
	asked.by_unit[unit] = needs;
	return ofrep_look(t, &e->context, &asked);
}

static void
exposure_add(const struct evaluation *e, enum flag_unit unit, const struct flag_result *r)
{
	const struct str who = ofrep_unit(&e->context, unit);

	if (r->reason != FLAG_SPLIT || flag_ofrep_conf.exposures == NULL || who.len == 0 ||
	    (unit == FLAG_PERSON && e->context.is_stranger))
		return;
	flag_exposures_add(flag_ofrep_conf.exposures, e->key, who, r->variation, r->revision);
}

static enum step
ofrep_answer(struct task *t)
{
	struct evaluation *e = task_state(t, sizeof(*e));
	const struct flag_snapshot *flags = flag_store_now(flag_ofrep_conf.store);
	struct flag_listed flag = { .key = e->key };
	const usec_t now = clock_wall_us();
	struct ofrep_refusal no;
	struct flag_result r;
	struct buf body;
	bool needed = false;

	/* Asked anew: the flag may have changed while the record was asked. */
	if (ofrep_look_take(t, &e->context) && flag_snapshot_generation(flags) != e->generation &&
	    ++e->looks < OFREP_LOOKS_MAX)
		return task_jump(t, ofrep_ask);
	if (!flag_unit_of(flags, e->key, now, &flag.unit, &needed))
		return not_found(t, e->key);
	ofrep_asked(t, e->key, true);
	ofrep_evaluate(flags, &flag, &e->context, now, &r, &no);
	if (no.code != NULL)
		return ofrep_answer_error(t, ofrep_status_of(no.code), e->key, no.code, no.details);
	exposure_add(e, flag.unit, &r);
	ofrep_keep(&e->context, &flag, &r);
	metric_add(flag_metric_set()->by_reason[r.reason], 1);
	buf_init(&body, ANSWER_BYTES_MAX);
	ofrep_add_result(&body, e->key, &r);
	const enum step done =
		body.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer")
			    : http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

const struct step_row flag_ofrep_steps[] = {
	{ "read", ofrep_read },
	{ "ask", ofrep_ask },
	{ "answer", ofrep_answer },
	{ NULL, NULL },
};
