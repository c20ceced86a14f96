/*
 * rebucket.h — what an edit does to those who have been divided already: which of its changes give units another variation, or none,
 * although nobody names them. Pure; two compiled documents in, a list out.
 *
 * Compared are the rules that divide units (an experiment, or a share of a forced variation) and are active. Rules belong together by
 * their "id", else by the experiment's key or the forced variation, else by their order. A rule without a counterpart counts as gone,
 * unless the new document divides nobody any more: that ends the division and says so. No change is:
 *	a share that grows, arms that only take in more units, a namespace or filter that is dropped
 *	an experiment that forces one variation on all who are in
 *	anything about a sticky experiment that stays of the same version: who has a variation keeps it
 * What a condition does is not compared, because it depends on the units: see core/flags/guard.c.
 */
#ifndef BIMODAL_FLAG_REBUCKET_H
#define BIMODAL_FLAG_REBUCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "flag/flag.h"

#define FLAG_REBUCKETS_MAX 64

enum flag_rebucket_kind {
	FLAG_REBUCKET_UNIT,
	FLAG_REBUCKET_GONE,
	FLAG_REBUCKET_SEED,
	FLAG_REBUCKET_ATTRIBUTE,
	FLAG_REBUCKET_FALLBACK,
	FLAG_REBUCKET_VERSION,
	FLAG_REBUCKET_NAMESPACE,
	FLAG_REBUCKET_FILTERS,
	FLAG_REBUCKET_SHARE,   /* weights, ranges, order or names of the variations */
	FLAG_REBUCKET_SMALLER, /* coverage: some fall out                           */
	FLAG_REBUCKET_CONTEXTS,
	FLAG_REBUCKET_PASSTHROUGH,
	FLAG_REBUCKET_STICKY,
	FLAG_REBUCKET_KINDS
};

struct flag_rebucket {
	enum flag_rebucket_kind kind;
	unsigned
		rule; /* index in the old document for FLAG_REBUCKET_GONE, else in the new one; unused for FLAG_REBUCKET_UNIT */
	double share; /* of the bucket's whole that gets another variation or none; 1 where every unit's bucket is another */
};

/* What the change is called ("seed"), and why it moves units. */
const char *flag_rebucket_name(enum flag_rebucket_kind kind);
const char *flag_rebucket_why(enum flag_rebucket_kind kind);

/* At most `max` of them, in the order of the old rules. */
size_t flag_rebuckets(const struct flag_document *now, const struct flag_document *would,
		      struct flag_rebucket *out, size_t max);
/* Does some active rule divide units? */
bool flag_document_divides(const struct flag_document *d);

#endif
