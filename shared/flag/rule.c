/*
 * rule.c — one rule of a document: who is meant (condition, prerequisites, filters) and what they get by force; what an
 * experiment divides is read by experiment.c. Errors go to the author.
 */
#include "flag/compile.h"
#include "flag/operators.h"

/* ---- what is hashed ---- */

/* The unit's own name means the unit. */
static enum err
attribute_read(struct flag_compiler *c, const struct flag_object *o, const char *key,
	       struct str *out, bool *is_unit)
{
	struct str name = STR_NONE;
	const enum err err = flag_member_text(c, o, key, FLAG_ATTRIBUTE_MAX, &name);

	if (err != ERR_OK || name.p == NULL)
		return err;
	*is_unit = str_is(name, FLAG_UNIT_ATTRIBUTE);
	if (*is_unit)
		return ERR_OK;
	*out = name;
	return flag_name_add(c->arena, &c->attributes, name) == ERR_OK ? ERR_OK : flag_no_memory(c);
}

enum err
flag_hasher_read(struct flag_compiler *c, const struct flag_object *o, struct str seed,
		 struct flag_hasher *out)
{
	bool is_unit = false;

	*out = (struct flag_hasher) { .version = 2, .seed = seed };
	enum err err = attribute_read(c, o, "hashAttribute", &out->attribute, &is_unit);
	if (err == ERR_OK)
		err = attribute_read(c, o, "fallbackAttribute", &out->fallback,
				     &out->falls_to_unit);
	if (err == ERR_OK)
		err = flag_member_count(c, o, "hashVersion", 1, 2, &out->version);
	if (err == ERR_OK)
		err = flag_member_text(c, o, "seed", FLAG_SEED_MAX, &out->seed);
	if (err != ERR_OK)
		return err;
	out->has_fallback = out->falls_to_unit || out->fallback.p != NULL;
	if (out->has_fallback && str_eq(out->attribute, out->fallback))
		return flag_refuse(c, flag_place(c, o->at, "fallbackAttribute"),
				   "must be another attribute");
	c->document->hashes = c->document->hashes || out->attribute.p == NULL || out->falls_to_unit;
	return ERR_OK;
}

/* ---- filters ---- */

static enum err
filter_read(struct flag_compiler *c, const struct json_element *e, const char *at,
	    struct flag_filter *f)
{
	static const char *const known[] = { "seed", "ranges", "attribute", "hashVersion", NULL };
	struct flag_object o;
	const struct json_member *ranges = NULL;
	const struct json_member *seed = NULL;
	bool is_unit = false;

	f->hasher.version = 2;
	enum err err = flag_object_read(c, e->value, e->kind, at, known, &o);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "seed", &seed);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "ranges", &ranges);
	if (err == ERR_OK)
		err = flag_member_text(c, &o, "seed", FLAG_SEED_MAX, &f->hasher.seed);
	if (err == ERR_OK)
		err = attribute_read(c, &o, "attribute", &f->hasher.attribute, &is_unit);
	if (err == ERR_OK)
		err = flag_member_count(c, &o, "hashVersion", 1, 2, &f->hasher.version);
	if (err == ERR_OK)
		err = flag_ranges_read(c, ranges, flag_place(c, at, "ranges"), &f->n, &f->ranges);
	c->document->hashes = c->document->hashes || f->hasher.attribute.p == NULL;
	return err;
}

static enum err
filters_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	const struct json_member *m = flag_object_get(o, "filters");
	struct json_element e[FLAG_FILTERS_MAX];
	size_t n = ARRAY_LEN(e);

	if (m == NULL)
		return ERR_OK;
	const char *const at = flag_place(c, o->at, "filters");
	enum err err = flag_array_read(c, m->value, m->kind, at, 1, e, &n);
	if (err != ERR_OK)
		return err;
	struct flag_filter *f = arena_alloc(c->arena, n * sizeof(*f));
	if (f == NULL)
		return flag_no_memory(c);
	for (size_t i = 0; i < n && err == ERR_OK; i++)
		err = filter_read(c, &e[i], flag_place_of(c, at, i), &f[i]);
	r->filters = f;
	r->n_filters = (unsigned)n;
	return err;
}

/* ---- prerequisites ---- */

static enum err
prerequisite_read(struct flag_compiler *c, const struct json_element *e, const char *at,
		  struct flag_prerequisite *p)
{
	static const char *const known[] = { "flag", "condition", "gate", NULL };
	struct flag_object o;
	const struct json_member *need = NULL;

	enum err err = flag_object_read(c, e->value, e->kind, at, known, &o);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "flag", &need);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "condition", &need);
	if (err == ERR_OK)
		err = flag_member_text(c, &o, "flag", FLAG_KEY_MAX, &p->flag);
	if (err == ERR_OK)
		err = flag_member_bool(c, &o, "gate", &p->gate);
	if (err == ERR_OK)
		err = flag_member_condition(c, &o, false, &p->condition);
	if (err != ERR_OK)
		return err;
	if (!flag_key_valid(p->flag))
		return flag_refuse(c, flag_place(c, at, "flag"), "must be the key of a flag");
	if (str_eq(p->flag, c->key))
		return flag_refuse(c, flag_place(c, at, "flag"), "a flag cannot wait for itself");
	return flag_name_add(c->arena, &c->flags, p->flag) == ERR_OK ? ERR_OK : flag_no_memory(c);
}

static enum err
prerequisites_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	const struct json_member *m = flag_object_get(o, "prerequisites");
	struct json_element e[FLAG_PREREQUISITES_MAX];
	size_t n = ARRAY_LEN(e);

	if (m == NULL)
		return ERR_OK;
	const char *const at = flag_place(c, o->at, "prerequisites");
	enum err err = flag_array_read(c, m->value, m->kind, at, 1, e, &n);
	if (err != ERR_OK)
		return err;
	struct flag_prerequisite *p = arena_alloc(c->arena, n * sizeof(*p));
	if (p == NULL)
		return flag_no_memory(c);
	for (size_t i = 0; i < n && err == ERR_OK; i++)
		err = prerequisite_read(c, &e[i], flag_place_of(c, at, i), &p[i]);
	r->prerequisites = p;
	r->n_prerequisites = (unsigned)n;
	return err;
}

/* ---- the kinds of rules ---- */

/* Members that say how units are divided, where nothing divides. */
static enum err
without_effect(struct flag_compiler *c, const struct flag_object *o, const char *const *names,
	       const char *why)
{
	for (; *names != NULL; names++)
		if (flag_object_get(o, *names) != NULL)
			return flag_refuse(c, flag_place(c, o->at, *names), "%s", why);
	return ERR_OK;
}

static const char *const hashing[] = { "seed", "hashAttribute", "fallbackAttribute", "hashVersion",
				       NULL };

static enum err
part_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	const struct json_member *range = flag_object_get(o, "range");

	if (range == NULL)
		return flag_member_part(c, o, "coverage", &r->coverage);
	if (flag_object_get(o, "coverage") != NULL)
		return flag_refuse(c, flag_place(c, o->at, "coverage"),
				   "has no effect beside \"range\"");
	struct flag_range *only = arena_alloc(c->arena, sizeof(*only));
	if (only == NULL)
		return flag_no_memory(c);
	const enum err err =
		flag_range_read(c, range->value, range->kind, flag_place(c, o->at, "range"), only);
	r->ranges = only;
	r->coverage = only->end - only->start;
	return err;
}

static enum err
force_read(struct flag_compiler *c, const struct flag_object *o, const struct json_member *m,
	   struct flag_rule *r)
{
	unsigned *arm = arena_alloc(c->arena, sizeof(*arm));

	if (arm == NULL)
		return flag_no_memory(c);
	r->kind = FLAG_RULE_FORCE;
	r->hashes = flag_object_get(o, "coverage") != NULL || flag_object_get(o, "range") != NULL;
	r->n_arms = 1;
	r->arms = arm;
	enum err err = ERR_OK;
	if (!r->hashes)
		err = without_effect(c, o, hashing, "has no effect without \"coverage\"");
	if (err == ERR_OK)
		err = flag_variation_named(c, m->value, m->kind, flag_place(c, o->at, "force"),
					   arm);
	if (err == ERR_OK)
		err = part_read(c, o, r);
	if (err == ERR_OK && r->hashes)
		err = flag_hasher_read(c, o, c->key, &r->hasher);
	return err;
}

static enum err
gate_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	static const char *const none[] = { "condition", "filters", "coverage", "range", NULL };

	r->kind = FLAG_RULE_GATE;
	enum err err = without_effect(c, o, none, "has no effect without \"force\"");
	if (err == ERR_OK)
		err = without_effect(c, o, hashing, "has no effect without \"force\"");
	for (unsigned i = 0; i < r->n_prerequisites && err == ERR_OK; i++)
		if (!r->prerequisites[i].gate)
			err = flag_refuse(
				c, flag_place_of(c, flag_place(c, o->at, "prerequisites"), i),
				"must have \"gate\": true in a rule that gives nothing");
	return err;
}

static enum err
result_read(struct flag_compiler *c, const struct flag_object *o, struct flag_rule *r)
{
	static const char *const elsewhere[] = { "coverage", "range", NULL };
	const struct json_member *force = flag_object_get(o, "force");
	const struct json_member *experiment = flag_object_get(o, "experiment");

	if (force != NULL && experiment == NULL)
		return force_read(c, o, force, r);
	if (force == NULL && experiment == NULL && r->n_prerequisites > 0)
		return gate_read(c, o, r);
	if (force != NULL || experiment == NULL)
		return flag_refuse(c, o->at, "must have either \"force\" or \"experiment\"");
	enum err err = without_effect(c, o, hashing, "belongs into \"experiment\"");
	if (err == ERR_OK)
		err = without_effect(c, o, elsewhere, "belongs into \"experiment\"");
	if (err == ERR_OK)
		err = flag_experiment_read(c, experiment, flag_place(c, o->at, "experiment"), r);
	if (err == ERR_OK && r->has_namespace && r->n_filters > 0)
		err = flag_refuse(c, flag_place(c, o->at, "filters"),
				  "cannot stand beside a namespace");
	return err;
}

static enum err
rule_read(struct flag_compiler *c, const struct json_element *e, const char *at,
	  struct flag_rule *r)
{
	static const char *const known[] = { "force",         "coverage",
					     "seed",          "experiment",
					     "condition",     "prerequisites",
					     "filters",       "range",
					     "hashAttribute", "fallbackAttribute",
					     "hashVersion",   "id",
					     "active",        NULL };
	struct flag_object o;

	r->coverage = 1;
	r->active = true;
	r->forced = -1;
	enum err err = flag_object_read(c, e->value, e->kind, at, known, &o);
	if (err == ERR_OK)
		err = flag_member_text(c, &o, "id", FLAG_SEED_MAX, &r->id);
	if (err == ERR_OK)
		err = flag_member_bool(c, &o, "active", &r->active);
	if (err == ERR_OK)
		err = flag_member_condition(c, &o, true, &r->condition);
	if (err == ERR_OK)
		err = prerequisites_read(c, &o, r);
	if (err == ERR_OK)
		err = filters_read(c, &o, r);
	return err == ERR_OK ? result_read(c, &o, r) : err;
}

enum err
flag_rules_read(struct flag_compiler *c, const struct json_member *m, const char *at)
{
	struct json_element e[FLAG_RULES_MAX];
	size_t n = ARRAY_LEN(e);

	if (m == NULL)
		return ERR_OK;
	enum err err = flag_array_read(c, m->value, m->kind, at, 0, e, &n);
	if (err != ERR_OK || n == 0)
		return err;
	struct flag_rule *rules = arena_alloc(c->arena, n * sizeof(*rules));
	if (rules == NULL)
		return flag_no_memory(c);
	for (size_t i = 0; i < n && err == ERR_OK; i++)
		err = rule_read(c, &e[i], flag_place_of(c, at, i), &rules[i]);
	c->document->rules = rules;
	c->document->n_rules = (unsigned)n;
	return err;
}
