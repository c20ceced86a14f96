/*
 * call.c — one endpoint of a feature for one unit: the flag chooses the variant, the feature's own login runs its query. The first meeting of a
 * unit and a variant is noted once; who gets the control because the flag is off, over, or the copy too old meets nothing.
 */
#include "sandbox/hypothesis/internal.h"

#include "base/log.h"

#define LOAD_PAUSE (100 * USEC_PER_MS)

struct call {
	struct str key; /* of the flag */
	struct str unit;
	struct str variant;
	int64_t revision;
	bool is_exposure;
	bool looked;
	size_t n_args;
	struct feature_arg *args;
};

static step_fn call_find, call_run, call_missing;

static enum step
call_find(struct task *t)
{
	struct call *c = task_state(t, sizeof(*c));

	if (c == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (feature_runtime_manifest(sandbox_hypothesis_conf.runtime, http_param(t, "slug")) !=
	    NULL)
		return task_jump(t, call_run);
	return postgres_wait(sandbox_hypothesis_conf.pool, t, &sql_lab_hypothesis_get,
			     (struct postgres_param[]) { P_STR(http_param(t, "slug")) }, 1);
}

/* Not loaded: it never was there, it has ended, or this worker has not heard of it yet. */
static enum step
call_missing(struct task *t)
{
	struct call *c = task_state(t, sizeof(*c));
	const struct str slug = http_param(t, "slug");

	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no feature \"%.*s\"",
				     STR_FMT(slug));
	if (!postgres_bool(t, 0, 0, 2) && !str_is(postgres_value(t, 0, 0, 1), "deploying"))
		return task_fail_set(t, ERR_GONE, NULL, "the feature \"%.*s\" has ended",
				     STR_FMT(slug));
	if (c->looked || !postgres_bool(t, 0, 0, 2))
		return task_fail_set(t, ERR_BUSY, NULL, "the feature \"%.*s\" is not served yet",
				     STR_FMT(slug));
	c->looked = true;
	sandbox_features_load(SANDBOX_FEATURES_CALLS, t->t_engine);
	return task_sleep(t, LOAD_PAUSE);
}

static enum step
call_again(struct task *t)
{
	return task_jump(t, call_find);
}

/* The query string without `unit`. */
static bool
args_read(struct task *t, struct call *c)
{
	const size_t n = http_query_count(t);

	c->args = arena_alloc(&t->t_arena, (n + 1) * sizeof(*c->args));
	if (c->args == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct feature_arg arg;
		http_query_at(t, i, &arg.name, &arg.value);
		if (!str_is(arg.name, "unit"))
			c->args[c->n_args++] = arg;
	}
	return true;
}

static void
variant_choose(struct call *c, const struct feature_manifest *m, struct str unit)
{
	const struct flag_snapshot *now = flag_store_now(sandbox_hypothesis_conf.flags);
	struct flag_result result = { .outcome = FLAG_UNKNOWN };

	c->variant = str_of(m->variations[0]);
	if (now == NULL || sandbox_hypothesis_conf.stale(sandbox_hypothesis_conf.arg))
		return;
	flag_evaluate(now, str_of(m->flag_key), unit, clock_wall_us(), &result);
	if (result.outcome != FLAG_EVALUATED || result.reason == FLAG_DISABLED ||
	    feature_variation_find(m, result.variation) >= m->n_variations)
		return;
	c->variant = str_of(m->variations[feature_variation_find(m, result.variation)]);
	c->revision = result.revision;
	c->is_exposure = result.reason == FLAG_SPLIT;
}

static enum step
call_run(struct task *t)
{
	struct call *c = task_state(t, sizeof(*c));
	const struct feature_manifest *m =
		feature_runtime_manifest(sandbox_hypothesis_conf.runtime, http_param(t, "slug"));
	const struct str unit = http_query(t, "unit");
	struct uuid id;
	char text[UUID_TEXT_SIZE];

	if (m == NULL)
		return task_jump(t, call_find);
	if (unit.p == NULL)
		return task_fail_set(t, ERR_BAD_REQUEST, "unit",
				     "\"unit\" is required: the pseudonym of a person");
	if (uuid_parse(unit, &id) != ERR_OK)
		return task_fail_set(t, ERR_INVALID, "unit", "\"%.*s\" is not a pseudonym (a UUID)",
				     (int)MIN(unit.len, 64), unit.p);
	if (uuid_version(&id) == 7)
		return task_fail_set(t, ERR_INVALID, "unit",
				     "this is the id of a record; the sandbox knows people by "
				     "their pseudonyms only");
	/* One text a unit, whatever case it came in: it is what is hashed. */
	uuid_text(&id, text);
	const struct str canonical = arena_str(&t->t_arena, str_of(text));
	if (canonical.p == NULL || !args_read(t, c))
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	variant_choose(c, m, canonical);
	const struct feature_call call = {
		.slug = http_param(t, "slug"),
		.endpoint = http_param(t, "endpoint"),
		.variant = arena_str(&t->t_arena, c->variant),
		.unit = canonical,
		.args = c->args,
		.n_args = c->n_args,
	};
	/* What happens after the wait must not read the manifest again: it may be another one by then. */
	c->variant = call.variant;
	c->unit = canonical;
	c->key = arena_str(&t->t_arena, str_of(m->flag_key));
	return feature_runtime_call(sandbox_hypothesis_conf.runtime, t, &call);
}

static enum step
call_answer(struct task *t)
{
	const struct call *c = task_state(t, sizeof(*c));

	if (c->is_exposure)
		flag_exposures_add(sandbox_hypothesis_conf.exposures, c->key, c->unit, c->variant,
				   c->revision);
	return http_reply_json(t, 200, feature_runtime_body(t, 0));
}

const struct step_row sandbox_hypothesis_call_steps[] = {
	{ "find", call_find }, { "missing", call_missing }, { "again", call_again },
	{ "run", call_run },   { "answer", call_answer },   { NULL, NULL },
};
