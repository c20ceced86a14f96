/*
 * evaluate.c — which variation somebody gets. Pure: no I/O, no allocation, no clock; the same snapshot, context and time
 * give the same answer in every process of either daemon, which is what makes an assignment sticky without storing it.
 *
 * A rule may wait for other flags. Those are asked one after the other, each at most once, on a stack of fixed size;
 * what comes back to a flag that is still waiting is a cycle. The rules are those of GrowthBook's published algorithm.
 */
#include "flag/internal.h"

/* One flag of an evaluation: the one asked for, or a prerequisite. */
struct visit {
	const struct flag_document *document;
	unsigned rule;
	unsigned prerequisite;
	int asker; /* the visit that waits for this one, or -1 */
	bool done;
	enum flag_outcome outcome;
	enum flag_source source;
	int variation; /* -1: no value */
};

struct evaluation {
	struct flag_scope scope;
	const struct flag_context *context;
	usec_t now;
	enum flag_unit unit; /* of the flag that was asked for */
	unsigned n;
	struct visit visits[FLAG_VISITED_MAX];
};

enum verdict { PASS_OVER, DECIDED, WAITS };

/* ---- what is hashed ---- */

struct hashed {
	struct str attribute;
	struct str value; /* .len 0: there is none */
	bool unit_missing;
};

static struct str
unit_of(const struct evaluation *e, const struct flag_document *d)
{
	return d->unit == e->unit ? e->context->unit.text : STR_NONE;
}

/* Text, number or true; what JavaScript takes for false is missing. */
static struct str
attribute_of(struct evaluation *e, struct str name, bool *unknown)
{
	const struct flag_context *c = e->context;
	const struct flag_value *v = NULL;

	if (c->attributes != NULL)
		v = flag_value_member(c->attributes, name);
	if (v == NULL && c->record != NULL)
		v = flag_value_member(c->record, name);
	*unknown = v == NULL && c->unknown != NULL && flag_names_have(c->unknown, name);
	e->scope.unknown = e->scope.unknown || *unknown;
	return v != NULL && v->kind < JSON_ARRAY && flag_value_truthy(v) ? v->text : STR_NONE;
}

static struct hashed
hash_input(struct evaluation *e, const struct flag_document *d, const struct flag_hasher *h)
{
	const bool by_unit = h->attribute.p == NULL;
	struct hashed out = { .attribute = by_unit ? STR(FLAG_UNIT_ATTRIBUTE) : h->attribute };
	bool unknown = false;

	out.value = by_unit ? unit_of(e, d) : attribute_of(e, h->attribute, &unknown);
	if (out.value.len > 0 || unknown)
		return out;
	if (h->has_fallback) {
		const struct str value =
			h->falls_to_unit ? unit_of(e, d) : attribute_of(e, h->fallback, &unknown);
		if (value.len > 0) {
			out.attribute = h->falls_to_unit ? STR(FLAG_UNIT_ATTRIBUTE) : h->fallback;
			out.value = value;
			return out;
		}
	}
	out.unit_missing = (by_unit || h->falls_to_unit) && d->unit == e->unit;
	return out;
}

static bool
in_range(double x, const struct flag_range *r)
{
	return x >= r->start && x < r->end;
}

/* ---- results ---- */

static enum verdict
give(struct visit *v, unsigned variation, enum flag_source source, enum flag_reason reason,
     struct flag_result *out)
{
	const struct flag_document *d = v->document;

	v->outcome = FLAG_EVALUATED;
	v->source = source;
	v->variation = (int)variation;
	out->outcome = FLAG_EVALUATED;
	out->source = source;
	out->reason = reason;
	out->variation = d->variations[variation].key;
	out->value = d->variations[variation].value;
	if (source != FLAG_BY_DEFAULT) {
		out->rule = (int)v->rule;
		out->rule_id = d->rules[v->rule].id;
	}
	return DECIDED;
}

/* A closed gate, or flags that wait for each other: the application's own default. */
static enum verdict
give_nothing(struct visit *v, enum flag_source source, struct flag_result *out)
{
	v->outcome = FLAG_EVALUATED;
	v->source = source;
	v->variation = -1;
	out->outcome = FLAG_EVALUATED;
	out->source = source;
	out->reason = FLAG_DISABLED;
	out->rule = (int)v->rule;
	out->rule_id = v->document->rules[v->rule].id;
	return DECIDED;
}

static enum verdict
miss_unit(struct visit *v, struct flag_result *out)
{
	v->outcome = FLAG_UNIT_MISSING;
	v->source = FLAG_BY_NOTHING;
	v->variation = -1;
	out->outcome = FLAG_UNIT_MISSING;
	out->rule = (int)v->rule;
	return DECIDED;
}

static void
result_clear(struct flag_result *out)
{
	const int64_t revision = out->revision;

	*out = (struct flag_result) {
		.revision = revision, .rule = -1, .arm = -1, .leaf = -1, .bucket = -1
	};
}

/* ---- rules ---- */

static bool
meant(struct evaluation *e, const struct flag_rule *r)
{
	return r->condition == NULL || flag_condition_holds(r->condition, &e->scope, NULL);
}

/* PASS_OVER: one of them keeps the unit out; WAITS: one needs the unit, and there is none; DECIDED: all let it in. */
static enum verdict
filters_pass(struct evaluation *e, const struct flag_document *d, const struct flag_rule *r)
{
	for (unsigned i = 0; i < r->n_filters; i++) {
		const struct flag_filter *f = &r->filters[i];
		const struct hashed h = hash_input(e, d, &f->hasher);
		if (h.value.len == 0)
			return h.unit_missing ? WAITS : PASS_OVER;
		const double x = flag_hash_by(f->hasher.version, f->hasher.seed, h.value);
		if (flag_bucket_choose(x, f->ranges, f->n) < 0)
			return PASS_OVER;
	}
	return DECIDED;
}

static enum verdict
force_decide(struct evaluation *e, struct visit *v, const struct flag_rule *r,
	     struct flag_result *out)
{
	if (!meant(e, r))
		return PASS_OVER;
	if (!r->hashes)
		return give(v, r->arms[0], FLAG_BY_FORCE, FLAG_TARGETING_MATCH, out);
	/* A coverage of 0 takes in nobody, not even the hash 0. */
	if (r->ranges == NULL && r->coverage <= 0)
		return PASS_OVER;
	const struct hashed h = hash_input(e, v->document, &r->hasher);
	if (h.value.len == 0)
		return h.unit_missing ? miss_unit(v, out) : PASS_OVER;
	const double x = flag_hash_by(r->hasher.version, r->hasher.seed, h.value);
	if (r->ranges != NULL ? !in_range(x, r->ranges) : x > r->coverage)
		return PASS_OVER;
	out->attribute = h.attribute;
	out->hash_value = h.value;
	out->bucket = x;
	return give(v, r->arms[0], FLAG_BY_FORCE, FLAG_SPLIT, out);
}

/* ---- experiments ---- */

static int
arm_of(const struct flag_document *d, const struct flag_rule *r, struct str variation)
{
	for (unsigned i = 0; i < r->n_arms; i++)
		if (str_eq(d->variations[r->arms[i]].key, variation))
			return (int)i;
	return -1;
}

static int
arm_forced(const struct flag_context *c, const struct flag_document *d, const struct flag_rule *r)
{
	for (size_t i = 0; i < c->n_forced; i++)
		if (str_eq(c->forced[i].experiment, r->experiment))
			return arm_of(d, r, c->forced[i].variation);
	return -1;
}

static bool
sticky_is_of(const struct flag_sticky *s, struct str attribute, struct str value)
{
	return value.len > 0 && str_eq(s->value, value) && str_eq(s->attribute, attribute);
}

/*
 * The arm that was kept for the unit, by its attribute or by the one that it falls back to, or -1. *barred: an
 * assignment of a version is kept that may not be in the experiment any more.
 */
static int
arm_kept(struct evaluation *e, const struct flag_document *d, const struct flag_rule *r,
	 bool *barred)
{
	const struct flag_context *c = e->context;
	const struct flag_hasher first = { .attribute = r->hasher.attribute };
	const struct flag_hasher second = { .attribute = r->hasher.fallback };
	int by_first = -1;
	int by_second = -1;

	*barred = false;
	e->scope.unknown = e->scope.unknown || (r->sticky && c->sticky_unknown);
	if (!r->sticky || c->n_sticky == 0)
		return -1;
	const struct hashed h = hash_input(e, d, &first);
	const struct hashed f = r->hasher.has_fallback ? hash_input(e, d, &second)
						       : (struct hashed) { .value = STR_NONE };
	for (size_t i = 0; i < c->n_sticky; i++) {
		const struct flag_sticky *s = &c->sticky[i];
		const bool of_first = sticky_is_of(s, h.attribute, h.value);
		if (!str_eq(s->experiment, r->experiment) ||
		    (!of_first && !sticky_is_of(s, f.attribute, f.value)))
			continue;
		if (s->version < r->bucket_version_min)
			*barred = true;
		else if (s->version == r->bucket_version && of_first)
			by_first = arm_of(d, r, s->variation);
		else if (s->version == r->bucket_version)
			by_second = arm_of(d, r, s->variation);
	}
	return *barred ? -1 : by_first >= 0 ? by_first : by_second;
}

/* Is exactly this assignment kept already? */
static bool
kept_so(const struct flag_context *c, const struct flag_rule *r, const struct hashed *h,
	struct str variation)
{
	for (size_t i = 0; i < c->n_sticky; i++) {
		const struct flag_sticky *s = &c->sticky[i];
		if (s->version == r->bucket_version && sticky_is_of(s, h->attribute, h->value) &&
		    str_eq(s->experiment, r->experiment) && str_eq(s->variation, variation))
			return true;
	}
	return false;
}

static const struct flag_range *
ranges_of(struct evaluation *e, const struct flag_rule *r, int *leaf)
{
	for (unsigned i = 0; i < r->n_leaves; i++) {
		if (flag_condition_holds(r->leaves[i].condition, &e->scope, NULL)) {
			*leaf = (int)i;
			return r->leaves[i].ranges;
		}
	}
	return r->ranges;
}

static enum verdict
experiment_give(struct visit *v, const struct flag_rule *r, int arm, const struct hashed *h,
		struct flag_result *out)
{
	out->in_experiment = true;
	out->experiment = r->experiment;
	out->arm = arm;
	out->attribute = h->attribute;
	out->hash_value = h->value;
	return give(v, r->arms[arm], FLAG_BY_EXPERIMENT, FLAG_SPLIT, out);
}

/* The unit is known and the rule is not forced on it. */
static enum verdict
experiment_divide(struct evaluation *e, struct visit *v, const struct flag_rule *r,
		  const struct hashed *h, struct flag_result *out)
{
	const struct flag_document *d = v->document;
	bool barred = false;
	int leaf = -1;
	int arm = arm_kept(e, d, r, &barred);
	const bool kept = arm >= 0;

	if (!kept && r->has_namespace &&
	    !in_range(flag_hash_by(1, r->namespace_seed, h->value), &r->namespace_range))
		return PASS_OVER;
	if ((!kept && !meant(e, r)) || barred)
		return PASS_OVER;
	const double x = flag_hash_by(r->hasher.version, r->hasher.seed, h->value);
	const struct flag_range *ranges = ranges_of(e, r, &leaf);
	if (!kept)
		arm = flag_bucket_choose(x, ranges, r->n_arms);
	if (arm < 0)
		return PASS_OVER;
	if (r->forced >= 0)
		return experiment_give(v, r, r->forced, h, out);
	if (e->context->forced_only || (r->passthrough >> arm & 1) != 0)
		return PASS_OVER;
	out->hashed = true;
	out->bucket = x;
	out->leaf = leaf;
	out->sticky_used = kept;
	out->bucket_version = r->bucket_version;
	out->sticky_new = r->sticky && !e->context->sticky_unknown &&
			  !kept_so(e->context, r, h, d->variations[r->arms[arm]].key);
	return experiment_give(v, r, arm, h, out);
}

static enum verdict
experiment_decide(struct evaluation *e, struct visit *v, const struct flag_rule *r,
		  struct flag_result *out)
{
	if (e->context->experiments_off)
		return PASS_OVER;
	const struct hashed h = hash_input(e, v->document, &r->hasher);
	const int forced = arm_forced(e->context, v->document, r);
	if (forced >= 0)
		return experiment_give(v, r, forced, &h, out);
	if (!r->active)
		return PASS_OVER;
	if (h.value.len == 0)
		return h.unit_missing && meant(e, r) ? miss_unit(v, out) : PASS_OVER;
	return experiment_divide(e, v, r, &h, out);
}

/* ---- flags that wait for flags ---- */

static const struct flag_value nothing[] = {
	{ .kind = JSON_OBJECT, .n = 2, .size = 3 },
	{ .kind = JSON_NULL, .size = 1, .key = { "value", 5 }, .text = { "null", 4 } },
	{ .kind = JSON_NULL, .size = 1, .key = { "variation", 9 }, .text = { "null", 4 } },
};

static struct visit *
visit_of(struct evaluation *e, const struct flag_document *d)
{
	for (unsigned i = 0; i < e->n; i++)
		if (e->visits[i].document == d)
			return &e->visits[i];
	return NULL;
}

static void
visit_add(struct evaluation *e, const struct flag_document *d, int asker)
{
	struct visit *v = &e->visits[e->n++];

	*v = (struct visit) { .document = d, .asker = asker, .variation = -1 };
}

/*
 * DECIDED: all hold. PASS_OVER: one does not. WAITS: another flag is to be asked first (*next), or this one is at its
 * end (*next NULL).
 */
static enum verdict
prerequisites_hold(struct evaluation *e, struct visit *v, const struct flag_rule *r,
		   const struct flag_document **next, struct flag_result *out)
{
	*next = NULL;
	for (; v->prerequisite < r->n_prerequisites; v->prerequisite++) {
		const struct flag_prerequisite *p = &r->prerequisites[v->prerequisite];
		const struct flag_document *d =
			flag_document_live(e->scope.snapshot, p->flag, e->now);
		const struct visit *other = d != NULL ? visit_of(e, d) : NULL;
		if (d != NULL && other == NULL && e->n < FLAG_VISITED_MAX) {
			*next = d;
			return WAITS;
		}
		if (d != NULL &&
		    (other == NULL || !other->done || other->source == FLAG_BY_CYCLE)) {
			(void)give_nothing(v, FLAG_BY_CYCLE, out);
			return WAITS;
		}
		if (other != NULL && other->outcome == FLAG_UNIT_MISSING) {
			(void)miss_unit(v, out);
			return WAITS;
		}
		const struct flag_value *facts = other != NULL && other->variation >= 0
							 ? d->facts[other->variation]
							 : nothing;
		if (flag_condition_holds(p->condition, &e->scope, facts))
			continue;
		if (!p->gate)
			return PASS_OVER;
		(void)give_nothing(v, FLAG_BY_PREREQUISITE, out);
		return WAITS;
	}
	return DECIDED;
}

static enum verdict
rule_decide(struct evaluation *e, struct visit *v, const struct flag_rule *r,
	    struct flag_result *out)
{
	if (r->kind == FLAG_RULE_GATE)
		return PASS_OVER;
	const enum verdict let_in = filters_pass(e, v->document, r);
	if (let_in == WAITS && meant(e, r))
		return miss_unit(v, out);
	if (let_in != DECIDED)
		return PASS_OVER;
	if (r->kind == FLAG_RULE_EXPERIMENT)
		return experiment_decide(e, v, r, out);
	return force_decide(e, v, r, out);
}

/* One flag, from where it stopped; returns the flag to ask first, or NULL at its end. */
static const struct flag_document *
visit_go_on(struct evaluation *e, struct visit *v, struct flag_result *out)
{
	const struct flag_document *const d = v->document;
	const struct flag_document *next = NULL;

	for (; v->rule < d->n_rules; v->rule++, v->prerequisite = 0) {
		const struct flag_rule *r = &d->rules[v->rule];
		if (!r->active && r->kind != FLAG_RULE_EXPERIMENT)
			continue;
		const enum verdict verdict = prerequisites_hold(e, v, r, &next, out);
		if (verdict == WAITS)
			return next;
		if (verdict == DECIDED && rule_decide(e, v, r, out) == DECIDED)
			return NULL;
	}
	(void)give(v, d->default_variation, FLAG_BY_DEFAULT,
		   d->n_rules == 0 ? FLAG_STATIC : FLAG_DEFAULT, out);
	return NULL;
}

void
flag_document_decide(const struct flag_document *d, const struct flag_snapshot *s,
		     const struct flag_context *c, usec_t now, struct flag_result *out)
{
	struct evaluation e;
	int at = 0;

	e.scope = (struct flag_scope) { .context = c, .snapshot = s, .work = FLAG_WORK_MAX };
	e.context = c;
	e.now = now;
	e.unit = d->unit;
	e.n = 0;
	visit_add(&e, d, -1);
	while (at >= 0) {
		struct visit *v = &e.visits[at];
		result_clear(out);
		const struct flag_document *next = visit_go_on(&e, v, out);
		if (next != NULL) {
			visit_add(&e, next, at);
			at = (int)e.n - 1;
			continue;
		}
		v->done = true;
		at = v->asker;
	}
	out->record_missed = e.scope.unknown;
}

void
flag_document_evaluate(const struct flag_document *d, struct str unit, struct flag_result *out)
{
	struct flag_context c = { .attributes = NULL };

	flag_context_unit(&c, unit);
	flag_document_decide(d, NULL, &c, 0, out);
}

void
flag_evaluate_document(const struct flag_document *d, const struct flag_snapshot *s,
		       const struct flag_context *c, usec_t now, struct flag_result *out)
{
	*out = (struct flag_result) { .revision = 0 };
	flag_document_decide(d, s, c, now, out);
}

const char *
flag_reason_text(enum flag_reason r)
{
	static const char *const text[FLAG_REASONS] = {
		[FLAG_STATIC] = "STATIC",
		[FLAG_SPLIT] = "SPLIT",
		[FLAG_TARGETING_MATCH] = "TARGETING_MATCH",
		[FLAG_DEFAULT] = "DEFAULT",
		[FLAG_DISABLED] = "DISABLED",
	};
	return text[r];
}

double
flag_document_coverage(const struct flag_document *d)
{
	double most = 0;

	for (unsigned i = 0; i < d->n_rules; i++)
		if (d->rules[i].kind != FLAG_RULE_GATE && d->rules[i].coverage > most)
			most = d->rules[i].coverage;
	return most;
}
