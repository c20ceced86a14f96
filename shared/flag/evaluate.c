/*
 * evaluate.c — which variation a unit gets. Pure: no I/O, no allocation, no clock; the same
 * document and unit give the same answer in every process of either daemon, which is what makes an
 * assignment sticky without storing it.
 *
 * The rules are those of GrowthBook's published algorithm for hash version 2. Its reference hashes
 * UTF-16 units; this one hashes UTF-8 bytes, which is the same for ASCII (all ids of ours).
 */
#include "flag/flag.h"

/* The arm of the rule that takes the unit in, or -1: the next rule is asked. A coverage of 0 takes
 * in nobody, not even the hash 0. */
static int
rule_take(const struct flag_rule *r, struct str unit)
{
	if (!r->hashes)
		return 0;
	const double x = flag_hash(r->hasher.seed, unit);
	if (r->kind == FLAG_RULE_FORCE)
		return r->coverage > 0 && x <= r->coverage ? 0 : -1;
	return flag_bucket_choose(x, r->ranges, r->n_arms);
}

static void
give(const struct flag_document *d, unsigned variation, enum flag_reason reason,
     struct flag_result *out)
{
	out->outcome = FLAG_EVALUATED;
	out->reason = reason;
	out->variation = d->variations[variation].key;
	out->value = d->variations[variation].value;
}

void
flag_document_evaluate(const struct flag_document *d, struct str unit, struct flag_result *out)
{
	for (unsigned i = 0; i < d->n_rules; i++) {
		const struct flag_rule *r = &d->rules[i];
		if (r->hashes && unit.len == 0) {
			out->outcome = FLAG_UNIT_MISSING;
			return;
		}
		const int arm = rule_take(r, unit);
		if (arm >= 0) {
			give(d, r->arms[arm], r->hashes ? FLAG_SPLIT : FLAG_TARGETING_MATCH, out);
			return;
		}
	}
	give(d, d->default_variation, d->n_rules == 0 ? FLAG_STATIC : FLAG_DEFAULT, out);
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
		most = d->rules[i].coverage > most ? d->rules[i].coverage : most;
	return most;
}
