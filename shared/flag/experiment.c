/*
 * experiment.c — the experiment of a rule: its variations, how units are divided among them, for whom the division is
 * another, and whether an assignment is kept. Everything becomes ranges of the bucket here.
 */
#include <math.h>

#include "flag/compile.h"

#define BUCKET_VERSION_MAX 1000000

static enum err
arms_read(struct flag_compiler *c, const struct json_member *m, const char *at, struct flag_rule *r)
{
	struct json_element e[FLAG_VARIATIONS_MAX];
	size_t n = ARRAY_LEN(e);

	enum err err = flag_array_read(c, m->value, m->kind, at, 2, e, &n);
	if (err != ERR_OK)
		return err;
	unsigned *arms = arena_alloc(c->arena, n * sizeof(*arms));
	if (arms == NULL)
		return flag_no_memory(c);
	for (size_t i = 0; i < n && err == ERR_OK; i++) {
		const char *const place = flag_place_of(c, at, i);
		err = flag_variation_named(c, e[i].value, e[i].kind, place, &arms[i]);
		for (size_t k = 0; k < i && err == ERR_OK; k++)
			if (arms[k] == arms[i])
				err = flag_refuse(c, place, "is named twice");
	}
	r->n_arms = (unsigned)n;
	r->arms = arms;
	return err;
}

/* The arm that a string names. */
static enum err
arm_named(struct flag_compiler *c, struct str raw, enum json_kind kind, const char *at,
	  const struct flag_rule *r, unsigned *out)
{
	unsigned variation = 0;
	const enum err err = flag_variation_named(c, raw, kind, at, &variation);

	if (err != ERR_OK)
		return err;
	for (unsigned i = 0; i < r->n_arms; i++) {
		if (r->arms[i] == variation) {
			*out = i;
			return ERR_OK;
		}
	}
	return flag_refuse(c, at, "is not one of the experiment's variations");
}

static enum err
weights_read(struct flag_compiler *c, const struct json_member *m, const char *at, size_t n,
	     double *weights)
{
	struct json_element e[FLAG_VARIATIONS_MAX];
	size_t count = ARRAY_LEN(e);
	double sum = 0;

	const enum err err = flag_array_read(c, m->value, m->kind, at, 0, e, &count);
	if (err != ERR_OK)
		return err;
	if (count != n)
		return flag_refuse(c, at,
				   "must have one weight for each of the %zu variations, not %zu",
				   n, count);
	for (size_t i = 0; i < n; i++) {
		if (e[i].kind != JSON_NUMBER || str_double(e[i].value, &weights[i]) != ERR_OK ||
		    weights[i] < 0 || weights[i] > 1)
			return flag_refuse(c, flag_place_of(c, at, i),
					   "must be a number from 0 to 1");
		sum += weights[i];
	}
	if (fabs(sum - 1) > FLAG_WEIGHT_TOLERANCE)
		return flag_refuse(c, at, "must add up to 1, not %g", sum);
	return ERR_OK;
}

/* Ranges from weights (equal ones without) and coverage. */
static enum err
weighted_ranges(struct flag_compiler *c, const struct flag_object *o, const struct flag_rule *r,
		const struct flag_range **out)
{
	const struct json_member *m = flag_object_get(o, "weights");
	double weights[FLAG_VARIATIONS_MAX];

	if (m != NULL) {
		const enum err err =
			weights_read(c, m, flag_place(c, o->at, "weights"), r->n_arms, weights);
		if (err != ERR_OK)
			return err;
	}
	struct flag_range *ranges = arena_alloc(c->arena, r->n_arms * sizeof(*ranges));
	if (ranges == NULL)
		return flag_no_memory(c);
	flag_bucket_ranges(r->n_arms, r->coverage, m != NULL ? weights : NULL, r->n_arms, ranges);
	*out = ranges;
	return ERR_OK;
}

static enum err
division_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	static const char *const beside[] = { "weights", "coverage", "contexts", NULL };
	const struct json_member *m = flag_object_get(o, "ranges");
	const char *const at = flag_place(c, o->at, "ranges");
	unsigned n = 0;

	if (m == NULL) {
		const enum err err = flag_member_part(c, o, "coverage", &r->coverage);
		return err == ERR_OK ? weighted_ranges(c, o, r, &r->ranges) : err;
	}
	for (size_t i = 0; beside[i] != NULL; i++)
		if (flag_object_get(o, beside[i]) != NULL)
			return flag_refuse(c, flag_place(c, o->at, beside[i]),
					   "has no effect beside \"ranges\"");
	const enum err err = flag_ranges_read(c, m, at, &n, &r->ranges);
	if (err != ERR_OK)
		return err;
	if (n != r->n_arms)
		return flag_refuse(c, at,
				   "must have one range for each of the %u variations, not %u",
				   r->n_arms, n);
	r->coverage = 0;
	for (unsigned i = 0; i < n; i++)
		r->coverage += r->ranges[i].end - r->ranges[i].start;
	return ERR_OK;
}

static enum err
leaf_read(struct flag_compiler *c, const struct json_element *e, const char *at,
	  const struct flag_rule *r, struct flag_leaf *leaf)
{
	static const char *const known[] = { "condition", "weights", NULL };
	struct flag_object o;
	const struct json_member *need = NULL;

	enum err err = flag_object_read(c, e->value, e->kind, at, known, &o);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "condition", &need);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "weights", &need);
	if (err == ERR_OK)
		err = flag_member_condition(c, &o, true, &leaf->condition);
	return err == ERR_OK ? weighted_ranges(c, &o, r, &leaf->ranges) : err;
}

static enum err
leaves_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	const struct json_member *m = flag_object_get(o, "contexts");
	struct json_element e[FLAG_CONTEXTS_MAX];
	size_t n = ARRAY_LEN(e);

	if (m == NULL)
		return ERR_OK;
	const char *const at = flag_place(c, o->at, "contexts");
	enum err err = flag_array_read(c, m->value, m->kind, at, 0, e, &n);
	if (err != ERR_OK)
		return err;
	struct flag_leaf *leaves = arena_alloc(c->arena, (n + 1) * sizeof(*leaves));
	if (leaves == NULL)
		return flag_no_memory(c);
	for (size_t i = 0; i < n && err == ERR_OK; i++)
		err = leaf_read(c, &e[i], flag_place_of(c, at, i), r, &leaves[i]);
	r->leaves = leaves;
	r->n_leaves = (unsigned)n;
	return err;
}

static enum err
namespace_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	const struct json_member *m = flag_object_get(o, "namespace");
	struct json_element e[3];
	size_t n = ARRAY_LEN(e);
	struct str name = STR_NONE;
	double part[2] = { 0, 0 };

	if (m == NULL)
		return ERR_OK;
	const char *const at = flag_place(c, o->at, "namespace");
	enum err err = flag_array_read(c, m->value, m->kind, at, 3, e, &n);
	if (err == ERR_OK)
		err = flag_text_read(c, e[0].value, e[0].kind, flag_place_of(c, at, 0),
				     FLAG_SEED_MAX, &name);
	if (err != ERR_OK)
		return err;
	for (size_t i = 1; i < n; i++)
		if (e[i].kind != JSON_NUMBER || str_double(e[i].value, &part[i - 1]) != ERR_OK ||
		    part[i - 1] < 0 || part[i - 1] > 1)
			return flag_refuse(c, flag_place_of(c, at, i),
					   "must be a number from 0 to 1");
	if (part[0] > part[1])
		return flag_refuse(c, at, "must begin before it ends");
	const char *seed = arena_printf(c->arena, "__%.*s", STR_FMT(name));
	if (seed == NULL)
		return flag_no_memory(c);
	r->has_namespace = true;
	r->namespace_seed = str_of(seed);
	r->namespace_range = (struct flag_range) { .start = part[0], .end = part[1] };
	return ERR_OK;
}

static enum err
exceptions_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	const struct json_member *force = flag_object_get(o, "force");
	const struct json_member *pass = flag_object_get(o, "passthrough");
	struct json_element e[FLAG_VARIATIONS_MAX];
	size_t n = pass != NULL ? ARRAY_LEN(e) : 0;
	unsigned arm = 0;
	enum err err = ERR_OK;

	if (force != NULL) {
		err = arm_named(c, force->value, force->kind, flag_place(c, o->at, "force"), r,
				&arm);
		r->forced = (int)arm;
	}
	const char *const at = flag_place(c, o->at, "passthrough");
	if (err == ERR_OK && pass != NULL)
		err = flag_array_read(c, pass->value, pass->kind, at, 1, e, &n);
	for (size_t i = 0; i < n && err == ERR_OK; i++) {
		err = arm_named(c, e[i].value, e[i].kind, flag_place_of(c, at, i), r, &arm);
		r->passthrough |= UINT32_C(1) << arm;
	}
	return err;
}

static enum err
sticky_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	static const char *const known[] = { "version", "minVersion", NULL };
	const struct json_member *m = flag_object_get(o, "sticky");
	struct flag_object s;

	if (m == NULL)
		return ERR_OK;
	r->sticky = true;
	enum err err =
		flag_object_read(c, m->value, m->kind, flag_place(c, o->at, "sticky"), known, &s);
	if (err == ERR_OK)
		err = flag_member_count(c, &s, "version", 0, BUCKET_VERSION_MAX,
					&r->bucket_version);
	if (err == ERR_OK)
		err = flag_member_count(c, &s, "minVersion", 0, BUCKET_VERSION_MAX,
					&r->bucket_version_min);
	if (err == ERR_OK && r->bucket_version_min > r->bucket_version)
		err = flag_refuse(c, flag_place(c, s.at, "minVersion"),
				  "must not be above \"version\"");
	return err;
}

enum err
flag_experiment_read(struct flag_compiler *c, const struct json_member *m, const char *at,
		     struct flag_rule *r)
{
	static const char *const known[] = {
		"variations", "weights",       "coverage",    "seed",      "key",
		"ranges",     "hashAttribute", "hashVersion", "namespace", "fallbackAttribute",
		"force",      "passthrough",   "sticky",      "contexts",  NULL
	};
	struct flag_object o;
	const struct json_member *variations = NULL;

	r->kind = FLAG_RULE_EXPERIMENT;
	r->hashes = true;
	r->experiment = c->key;
	enum err err = flag_object_read(c, m->value, m->kind, at, known, &o);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "variations", &variations);
	if (err == ERR_OK)
		err = arms_read(c, variations, flag_place(c, at, "variations"), r);
	if (err == ERR_OK)
		err = division_read(c, &o, r);
	if (err == ERR_OK)
		err = flag_member_text(c, &o, "key", FLAG_SEED_MAX, &r->experiment);
	if (err == ERR_OK)
		err = flag_hasher_read(c, &o, r->experiment, &r->hasher);
	if (err == ERR_OK)
		err = namespace_read(c, &o, r);
	if (err == ERR_OK)
		err = exceptions_read(c, &o, r);
	if (err == ERR_OK)
		err = sticky_read(c, &o, r);
	return err == ERR_OK ? leaves_read(c, &o, r) : err;
}
