/*
 * sums.h — sufficient sums of one arm, and the mean and variance they give.
 *
 * Everything the engine knows about an arm is a count and five exact integer sums. Integers make
 * evidence byte-reproducible: a sum of floats in a parallel query differs in its last digits from
 * run to run. Money comes in its smallest step (cents) with `scale` steps to the unit. The centred
 * sums are formed in integers and rounded once, so that a large mean with a small spread loses
 * nothing.
 */
#ifndef BIMODAL_STATS_SUMS_H
#define BIMODAL_STATS_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

/* Limits: with them no intermediate product passes 2^126. Values are in steps. */
#define STATS_UNITS_MAX (INT64_C(1) << 40) /* units in one arm */
#define STATS_MEAN_MAX (INT64_C(1) << 42)  /* |sum| <= n * this; sums of squares <= n * this^2  */
#define STATS_SCALE_MAX INT64_C(1000000000)

enum stats_kind {
	STATS_PROPORTION, /* y is 0 or 1 per unit; variance m(1-m)                     */
	STATS_MEAN,       /* any y per unit; sample variance                           */
	STATS_RATIO       /* sum of y over sum of x, both per unit; delta method       */
};

/* One arm. Units are the assigned units, not events. x is read for STATS_RATIO only. */
struct stats_sums {
	int64_t n;
	__int128 y;
	__int128 yy; /* sum of y squared; for a proportion it equals y */
	__int128 x;
	__int128 xx;
	__int128 xy;
};

/* What the sums are sums of. Part of the frozen rule. */
struct stats_measure {
	enum stats_kind kind;
	int64_t scale;   /* integer steps of y in one unit: 100 for cents, 1 for counts */
	int64_t scale_x; /* the same for x; read for STATS_RATIO only                   */
};

/* One arm in the metric's own unit. */
struct stats_arm {
	int64_t n;
	double mean;
	double var; /* variance of one unit; the mean's is var / n        */
	bool known; /* n >= 2 and, for a ratio, a denominator that is not 0 */
};

/*
 * Sums to mean and variance. ERR_INVALID if the measure or the sums cannot be true: outside the
 * limits above, a proportion that is not of zeros and ones, squares too small for their sum. An arm
 * without data is no error: known = false.
 */
enum err stats_sums_summarise(const struct stats_sums *sums, const struct stats_measure *measure,
			      struct stats_arm *arm, struct err_info *info) MUST_CHECK;

/*
 * Read an exact integer as PostgreSQL prints a numeric or bigint sum: optional minus, 1 to 38
 * digits, nothing else, below 2^126. ERR_INVALID otherwise.
 */
enum err stats_sum_parse(const char *text, __int128 *sum, struct err_info *info) MUST_CHECK;

#endif
