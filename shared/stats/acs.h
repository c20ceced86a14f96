/*
 * acs.h — asymptotic confidence sequences: intervals that hold at every look at once.
 *
 * Waudby-Smith and others, "Time-uniform central limit theory and asymptotic confidence sequences"
 * (arXiv 2103.06476v7): equations 9 and 155 (two-sided), 134 (one-sided). Equal to the
 * normal-mixture mSPRT and to Eppo's GAVI up to tuning. One may look as often as one likes and stop
 * for any reason; the price is an interval about 1.7 times as wide in sample. Guardrails are
 * watched with the one-sided form; the two-sided form is for experiments without a planned end. The
 * guarantee is asymptotic: use it on the absolute scale only.
 */
#ifndef BIMODAL_STATS_ACS_H
#define BIMODAL_STATS_ACS_H

#include "stats/compare.h"

/* Tuning of a sequence; frozen at the start, never chosen from the data. */
struct stats_acs_plan {
	double alpha;     /* (0, 0.5); of each side for the one-sided form                     */
	double planned_n; /* units in both arms at which the sequence is tightest: the planned N */
};

struct stats_acs_two_sided {
	double rho;
	double halfwidth;
	struct stats_interval interval;
	double p; /* always valid, H0: effect == null; 1 if the effect is unknown */
};

struct stats_acs_one_sided {
	double rho;
	double halfwidth;
	double lower; /* for ever, at level 1 - alpha: the effect is at least this              */
	double upper; /* the same from the other side; each holds by itself, not both together */
	double p_greater; /* always valid, H0: effect <= null */
	double p_less;    /* always valid, H0: effect >= null */
};

/*
 * The sequence at this look. An unknown effect gives infinite bounds and p = 1. The p of a look is
 * valid by itself; the smallest one seen so far is too. ERR_INVALID for a plan that cannot be.
 */
enum err stats_acs_both(const struct stats_effect *effect, const struct stats_acs_plan *plan,
			double null, struct stats_acs_two_sided *out,
			struct err_info *info) MUST_CHECK;
enum err stats_acs_one(const struct stats_effect *effect, const struct stats_acs_plan *plan,
		       double null, struct stats_acs_one_sided *out,
		       struct err_info *info) MUST_CHECK;

#endif
