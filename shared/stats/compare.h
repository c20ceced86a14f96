/*
 * compare.h — treatment against control at one moment, on the absolute scale.
 *
 * The test is Welch's t on the difference of means; for a proportion with few events it is
 * Newcombe's hybrid score interval (method 10 of 1998), and its p is found by inverting that
 * interval, so that p and interval never disagree. Relative lift is shown, never tested: its
 * interval is Fieller's, which may be unbounded and then says so. (The delta method for a lift
 * gives up to 28 % false positives at the sample sizes of a CRM.)
 *
 * All of it is for one look. Under repeated looks pass the nominal alpha of the look (gst.h) or use
 * acs.h.
 */
#ifndef BIMODAL_STATS_COMPARE_H
#define BIMODAL_STATS_COMPARE_H

#include "stats/sums.h"

/* Below this many expected events, or non-events, in either arm a proportion is judged by
 * Newcombe's interval. */
#define STATS_SMALL_EVENTS 50.0

/* Closed interval; a side without bound is -INFINITY or INFINITY. */
struct stats_interval {
	double low;
	double high;
};

/* Treatment minus control, in the metric's unit. */
struct stats_effect {
	double estimate;
	double se;
	double dof; /* Welch-Satterthwaite                                 */
	int64_t n;  /* units in both arms                                  */
	bool known; /* both arms known and se > 0; otherwise the rest is 0 */
};

enum stats_method {
	STATS_METHOD_NONE, /* too little data: p is 1, every interval is the whole line */
	STATS_METHOD_WELCH,
	STATS_METHOD_NEWCOMBE
};

struct stats_test {
	enum stats_method method;
	struct stats_interval interval; /* two-sided, level 1 - alpha                          */
	double lower;                   /* one-sided bounds, each of level 1 - alpha: the effect */
	double upper;                   /* is at least `lower`; the effect is at most `upper`    */
	double p_two;                   /* H0: effect == null                                  */
	double p_greater;               /* H0: effect <= null                                  */
	double p_less;                  /* H0: effect >= null                                  */
};

enum stats_lift_shape {
	STATS_LIFT_BOUNDED, /* low <= lift <= high                                            */
	STATS_LIFT_OUTSIDE, /* lift <= low or lift >= high: control's mean may be zero        */
	STATS_LIFT_ALL      /* the data exclude no lift at all; low and high are infinite     */
};

/* Relative lift (treatment - control) / |control|, 0.1 being 10 %. */
struct stats_lift {
	double estimate; /* NaN if control's mean is zero */
	enum stats_lift_shape shape;
	double low;
	double high;
};

struct stats_comparison {
	struct stats_arm control;
	struct stats_arm treatment;
	struct stats_effect effect;
	struct stats_test test;
	struct stats_lift lift;
};

/* Difference, standard error and degrees of freedom. */
struct stats_effect stats_effect_make(const struct stats_arm *control,
				      const struct stats_arm *treatment);

/*
 * Welch's t. `alpha` in (0, 0.5); `null` is the effect under H0. An unknown effect gives
 * STATS_METHOD_NONE.
 */
struct stats_test stats_welch_test(const struct stats_effect *effect, double alpha, double null);

/*
 * Newcombe's interval for treatment - control, both arms proportions with n >= 1. A tail below
 * 1e-299 is given as 0.
 */
struct stats_test stats_newcombe_test(const struct stats_arm *control,
				      const struct stats_arm *treatment, double alpha, double null);

/*
 * Fieller's set {lift: (mB - r mA)^2 <= c^2 (vB/nB + r^2 vA/nA)}, r = 1 + lift for a positive
 * control mean. `multiplier` is c: the quantile of t, or half-width / se of a confidence sequence.
 */
struct stats_lift stats_lift_fieller(const struct stats_arm *control,
				     const struct stats_arm *treatment, double multiplier);

/*
 * The whole of it from two arms' sums: the right test, and the lift at the same alpha. ERR_INVALID
 * for sums or an alpha that cannot be; too little data is no error (STATS_METHOD_NONE).
 */
enum err stats_compare(const struct stats_sums *control, const struct stats_sums *treatment,
		       const struct stats_measure *measure, double alpha, double null,
		       struct stats_comparison *out, struct err_info *info) MUST_CHECK;

#endif
