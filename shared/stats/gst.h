/*
 * gst.h — group sequential boundaries by alpha spending (Lan and DeMets 1983).
 *
 * For the primary metric with a planned end: any number of looks, at times that need not be
 * planned, share one alpha. A look at information fraction t (units so far / planned units) may
 * spend what the spending function allows up to t. O'Brien-Fleming spending keeps almost all for
 * the end, so that the last boundary is close to that of a single test. The planned N must not be
 * chosen from the data.
 */
#ifndef BIMODAL_STATS_GST_H
#define BIMODAL_STATS_GST_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"

#define STATS_LOOKS_MAX 64

/* Smallest step between the information fractions of two looks, and smallest first one. */
#define STATS_LOOK_STEP 0.001

/* Two-sided alpha spent up to fraction t by O'Brien-Fleming spending: 4 (1 - Phi(z(alpha/4) / sqrt
 * t)). */
double stats_gst_obf_spent(double alpha, double fraction);

/*
 * Symmetric two-sided boundaries for |z| at each look, from the cumulative alpha spent at each
 * look. `fraction` and `spent` rise strictly; fractions end at 1 or before. Writes `looks` values
 * to `z`: reject at look k if |estimate / se| > z[k], or p_two < 2 sf(z[k]). A look with next to
 * nothing to spend gets INFINITY. Own recursion (Armitage, McPherson and Rowe 1969) by numerical
 * integration, good to about 1e-9. Takes below 1 ms a look unless looks are very close together.
 * ERR_INVALID for more than STATS_LOOKS_MAX looks, steps below STATS_LOOK_STEP, or alphas outside
 * (0, 1).
 */
enum err stats_gst_bounds(const double *fraction, const double *spent, size_t looks, double *z,
			  struct err_info *info) MUST_CHECK;

/* The same with O'Brien-Fleming spending of `alpha` in (0, 1). */
enum err stats_gst_obf_bounds(double alpha, const double *fraction, size_t looks, double *z,
			      struct err_info *info) MUST_CHECK;

#endif
