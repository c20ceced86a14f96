/*
 * srm.h — sample ratio mismatch: did the arms get the shares of units that they were promised?
 *
 * A failed check means that units were lost or sent astray, and that no comparison of the arms can
 * be trusted: the verdict is "invalid".
 */
#ifndef BIMODAL_STATS_SRM_H
#define BIMODAL_STATS_SRM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

#define STATS_ARMS_MAX 64
#define STATS_SRM_ALPHA 0.001

/* No alarm from the test while an arm of positive weight expects fewer units than this. */
#define STATS_SRM_EXPECTED_MIN 8.0

struct stats_srm {
	double chi2;
	double p;    /* 1 if there is nothing to test; 0 if `stray`          */
	int dof;     /* arms of positive weight - 1                          */
	bool stray;  /* an arm of weight 0 has units: impossible by the plan */
	bool failed; /* blocks a verdict                                     */
};

/*
 * Chi-square of the observed units against the weights (any positive scale). Arms of weight 0 are
 * left out of the sum, of the total and of the degrees of freedom; units found in one fail the
 * check by themselves. ERR_INVALID for no or too many arms, a negative count, a negative, infinite
 * or vanishing weight (below 1e-12 of the total but not 0), or weights that are all 0.
 */
enum err stats_srm_check(const int64_t *units, const double *weights, size_t arms,
			 struct stats_srm *out, struct err_info *info) MUST_CHECK;

#endif
