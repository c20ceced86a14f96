/*
 * rebucket.c — which changes between two documents move units that have been divided already. Rules are paired, then compared; the
 * division of a pair is compared by walking the borders of both sides' ranges, so the share that moves is exact.
 */
#include "flag/rebucket.h"

#define BORDERS_MAX (4 * FLAG_VARIATIONS_MAX + 2)
#define NO_RULE FLAG_RULES_MAX
#define EPSILON 1e-9

struct comparison {
	const struct flag_document *now;
	const struct flag_document *would;
	unsigned pair[FLAG_RULES_MAX]; /* of each old rule: index of the new one, or NO_RULE */
	bool taken[FLAG_RULES_MAX];    /* of each new rule */
	struct flag_rebucket *out;
	size_t n;
	size_t max;
};

const char *
flag_rebucket_name(enum flag_rebucket_kind kind)
{
	static const char *const names[FLAG_REBUCKET_KINDS] = {
		[FLAG_REBUCKET_UNIT] = "unit",
		[FLAG_REBUCKET_GONE] = "rule",
		[FLAG_REBUCKET_SEED] = "seed",
		[FLAG_REBUCKET_ATTRIBUTE] = "hashAttribute",
		[FLAG_REBUCKET_FALLBACK] = "fallbackAttribute",
		[FLAG_REBUCKET_VERSION] = "hashVersion",
		[FLAG_REBUCKET_NAMESPACE] = "namespace",
		[FLAG_REBUCKET_FILTERS] = "filters",
		[FLAG_REBUCKET_SHARE] = "weights",
		[FLAG_REBUCKET_SMALLER] = "coverage",
		[FLAG_REBUCKET_CONTEXTS] = "contexts",
		[FLAG_REBUCKET_PASSTHROUGH] = "passthrough",
		[FLAG_REBUCKET_STICKY] = "sticky",
	};
	return names[kind];
}

const char *
flag_rebucket_why(enum flag_rebucket_kind kind)
{
	static const char *const why[FLAG_REBUCKET_KINDS] = {
		[FLAG_REBUCKET_UNIT] = "something else is divided",
		[FLAG_REBUCKET_GONE] = "who was divided by this rule falls to the other ones",
		[FLAG_REBUCKET_SEED] = "with another seed everybody is divided anew",
		[FLAG_REBUCKET_ATTRIBUTE] =
			"another attribute is hashed, so everybody is divided anew",
		[FLAG_REBUCKET_FALLBACK] = "who lacks the hashed attribute is divided anew",
		[FLAG_REBUCKET_VERSION] = "another hash divides everybody anew",
		[FLAG_REBUCKET_NAMESPACE] = "who is not in the new range falls out",
		[FLAG_REBUCKET_FILTERS] = "who does not pass the new filters falls out",
		[FLAG_REBUCKET_SHARE] = "with other weights or another order of the variations a "
					"part gets another one",
		[FLAG_REBUCKET_SMALLER] = "with a smaller share a part falls out",
		[FLAG_REBUCKET_CONTEXTS] = "for some contexts the weights are other ones",
		[FLAG_REBUCKET_PASSTHROUGH] = "a variation hands over to the next rule that did "
					      "not, or the other way round",
		[FLAG_REBUCKET_STICKY] = "who has a variation no longer keeps it",
	};
	return why[kind];
}

static void
add(struct comparison *c, enum flag_rebucket_kind kind, unsigned rule, double share)
{
	if (c->n < c->max)
		c->out[c->n++] =
			(struct flag_rebucket) { .kind = kind, .rule = rule, .share = share };
}

static bool
divides(const struct flag_rule *r)
{
	return r->active && r->hashes && (r->coverage > 0 || r->n_leaves > 0) && r->forced < 0;
}

bool
flag_document_divides(const struct flag_document *d)
{
	for (unsigned i = 0; i < d->n_rules; i++)
		if (divides(&d->rules[i]))
			return true;
	return false;
}

/* ---- which rules belong together ---- */

static struct str
arm_key(const struct flag_document *d, const struct flag_rule *r, int arm)
{
	return arm < 0 ? STR_NONE : d->variations[r->arms[arm]].key;
}

enum likeness { BY_ID, BY_NAME, BY_ORDER, LIKENESSES };

static bool
alike(const struct comparison *c, const struct flag_rule *a, const struct flag_rule *b,
      enum likeness by)
{
	if (by == BY_ID)
		return a->id.p != NULL && b->id.p != NULL && str_eq(a->id, b->id);
	if (a->kind != b->kind)
		return false;
	if (by == BY_ORDER)
		return true;
	return a->kind == FLAG_RULE_EXPERIMENT
		       ? str_eq(a->experiment, b->experiment)
		       : str_eq(arm_key(c->now, a, 0), arm_key(c->would, b, 0));
}

/* An inactive rule or one that forces all is a counterpart as well, so that switching it off is seen for what it is. */
static void
pair_by(struct comparison *c, enum likeness by)
{
	for (unsigned i = 0; i < c->now->n_rules; i++) {
		const struct flag_rule *const a = &c->now->rules[i];
		for (unsigned k = 0; k < c->would->n_rules && divides(a); k++) {
			if (c->pair[i] != NO_RULE || c->taken[k] ||
			    !alike(c, a, &c->would->rules[k], by))
				continue;
			c->pair[i] = k;
			c->taken[k] = true;
		}
	}
}

/* ---- the division ---- */

struct division {
	const struct flag_document *d;
	const struct flag_rule *r;
	const struct flag_range *ranges;
	struct flag_range whole; /* of a share without ranges */
	unsigned n;
};

static struct division
division_of(const struct flag_document *d, const struct flag_rule *r,
	    const struct flag_range *ranges)
{
	struct division v = { .d = d, .r = r, .ranges = ranges, .n = r->n_arms };

	if (ranges == NULL) {
		v.whole = (struct flag_range) { .start = 0, .end = r->coverage };
		v.n = 1;
	}
	return v;
}

static struct str
given(const struct division *v, double x)
{
	return arm_key(v->d, v->r,
		       flag_bucket_choose(x, v->ranges != NULL ? v->ranges : &v->whole, v->n));
}

static void
borders_add(double *borders, size_t *n, const struct division *v)
{
	const struct flag_range *const ranges = v->ranges != NULL ? v->ranges : &v->whole;

	for (unsigned i = 0; i < v->n; i++) {
		borders[(*n)++] = ranges[i].start;
		borders[(*n)++] = ranges[i].end;
	}
}

static void
sort(double *x, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const double v = x[i];
		size_t k = i;
		for (; k > 0 && x[k - 1] > v; k--)
			x[k] = x[k - 1];
		x[k] = v;
	}
}

/* The parts of the whole that get another variation, and that get none any more. */
static void
division_compare(const struct division *a, const struct division *b, double *other, double *none)
{
	double borders[BORDERS_MAX];
	size_t n = 0;

	*other = *none = 0;
	borders_add(borders, &n, a);
	borders_add(borders, &n, b);
	sort(borders, n);
	for (size_t i = 1; i < n; i++) {
		const double part = borders[i] - borders[i - 1];
		const double middle = borders[i - 1] + part / 2;
		const struct str before = given(a, middle);
		const struct str after = given(b, middle);
		if (part <= EPSILON || before.p == NULL ||
		    (after.p != NULL && str_eq(before, after)))
			continue;
		*(after.p == NULL ? none : other) += part;
	}
}

static void
shares_compare(struct comparison *c, const struct flag_rule *a, const struct flag_rule *b,
	       unsigned rule)
{
	struct division x = division_of(c->now, a, a->ranges);
	struct division y = division_of(c->would, b, b->ranges);
	double other = 0, none = 0, contexts = 0;

	division_compare(&x, &y, &other, &none);
	if (other > EPSILON)
		add(c, FLAG_REBUCKET_SHARE, rule, other + none);
	else if (none > EPSILON)
		add(c, FLAG_REBUCKET_SMALLER, rule, none);
	for (unsigned i = 0; i < MAX(a->n_leaves, b->n_leaves); i++) {
		x = division_of(c->now, a, i < a->n_leaves ? a->leaves[i].ranges : a->ranges);
		y = division_of(c->would, b, i < b->n_leaves ? b->leaves[i].ranges : b->ranges);
		division_compare(&x, &y, &other, &none);
		contexts = MAX(contexts, other + none);
	}
	if (contexts > EPSILON)
		add(c, FLAG_REBUCKET_CONTEXTS, rule, contexts);
}

/* ---- a pair of rules ---- */

static bool
same_text(struct str a, struct str b)
{
	return a.p == NULL || b.p == NULL ? a.p == b.p : str_eq(a, b);
}

/* A sticky assignment is found by what was hashed and by the experiment's key. */
static bool
kept(const struct flag_rule *a, const struct flag_rule *b)
{
	return a->sticky && b->sticky && a->bucket_version == b->bucket_version &&
	       str_eq(a->experiment, b->experiment) &&
	       same_text(a->hasher.attribute, b->hasher.attribute);
}

static bool
same_hasher(const struct flag_hasher *a, const struct flag_hasher *b)
{
	return same_text(a->attribute, b->attribute) && same_text(a->seed, b->seed) &&
	       a->version == b->version;
}

static bool
same_filters(const struct flag_rule *a, const struct flag_rule *b)
{
	for (unsigned i = 0; i < b->n_filters; i++) {
		const struct flag_filter *const f = &b->filters[i];
		bool found = false;
		for (unsigned k = 0; k < a->n_filters && !found; k++) {
			const struct flag_filter *const o = &a->filters[k];
			found = same_hasher(&o->hasher, &f->hasher) && o->n == f->n;
			for (unsigned m = 0; m < f->n && found; m++)
				found = o->ranges[m].start >= f->ranges[m].start &&
					o->ranges[m].end <= f->ranges[m].end;
		}
		if (!found)
			return false;
	}
	return true;
}

static bool
namespace_holds(const struct flag_rule *a, const struct flag_rule *b)
{
	return !b->has_namespace ||
	       (a->has_namespace && str_eq(a->namespace_seed, b->namespace_seed) &&
		b->namespace_range.start <= a->namespace_range.start &&
		b->namespace_range.end >= a->namespace_range.end);
}

static void
hasher_compare(struct comparison *c, const struct flag_hasher *a, const struct flag_hasher *b,
	       unsigned rule)
{
	if (!same_text(a->attribute, b->attribute))
		add(c, FLAG_REBUCKET_ATTRIBUTE, rule, 1);
	if (a->has_fallback && (!b->has_fallback || a->falls_to_unit != b->falls_to_unit ||
				!same_text(a->fallback, b->fallback)))
		add(c, FLAG_REBUCKET_FALLBACK, rule, 1);
	if (a->version != b->version)
		add(c, FLAG_REBUCKET_VERSION, rule, 1);
	if (!same_text(a->seed, b->seed))
		add(c, FLAG_REBUCKET_SEED, rule, 1);
}

static void
rules_compare(struct comparison *c, const struct flag_rule *a, unsigned rule)
{
	const struct flag_rule *const b = &c->would->rules[rule];

	if (b->forced >= 0 || (b->active && !b->hashes && b->kind == FLAG_RULE_FORCE))
		return;
	if (!b->active) {
		add(c, FLAG_REBUCKET_GONE, rule, 1);
		return;
	}
	if (kept(a, b))
		return;
	if (a->sticky)
		add(c, FLAG_REBUCKET_STICKY, rule, 1);
	hasher_compare(c, &a->hasher, &b->hasher, rule);
	if (!namespace_holds(a, b))
		add(c, FLAG_REBUCKET_NAMESPACE, rule, 1);
	if (!same_filters(a, b))
		add(c, FLAG_REBUCKET_FILTERS, rule, 1);
	shares_compare(c, a, b, rule);
	if (a->kind == FLAG_RULE_EXPERIMENT && a->passthrough != b->passthrough)
		add(c, FLAG_REBUCKET_PASSTHROUGH, rule, 1);
}

size_t
flag_rebuckets(const struct flag_document *now, const struct flag_document *would,
	       struct flag_rebucket *out, size_t max)
{
	struct comparison c = { .now = now, .would = would, .out = out, .max = max };

	if (!flag_document_divides(now) || !flag_document_divides(would))
		return 0;
	if (now->unit != would->unit)
		add(&c, FLAG_REBUCKET_UNIT, 0, 1);
	for (unsigned i = 0; i < FLAG_RULES_MAX; i++)
		c.pair[i] = NO_RULE;
	for (enum likeness by = BY_ID; by < LIKENESSES; by++)
		pair_by(&c, by);
	for (unsigned i = 0; i < now->n_rules; i++) {
		if (!divides(&now->rules[i]))
			continue;
		if (c.pair[i] == NO_RULE)
			add(&c, FLAG_REBUCKET_GONE, i, 1);
		else
			rules_compare(&c, &now->rules[i], c.pair[i]);
	}
	return c.n;
}
