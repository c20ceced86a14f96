/*
 * srm.c — the chi-square test behind the sample ratio check.
 *
 * Invariant: an arm of weight 0 changes nothing in the test of the others.
 */
#include "stats/srm.h"

#include <math.h>

#include "stats/dist.h"
#include "stats/sums.h"

/* A smaller share than this would expect less than one unit of the largest experiment. */
#define SHARE_MIN 1e-12

static enum err
check(const int64_t *units, const double *weights, size_t arms, struct err_info *info)
{
	double total = 0.0;
	if (arms < 1 || arms > STATS_ARMS_MAX)
		return err_set(info, ERR_INVALID, "/arms", "the number of arms %zu is not 1 to %d",
			       arms, STATS_ARMS_MAX);
	for (size_t i = 0; i < arms; i++) {
		if (units[i] < 0 || units[i] > STATS_UNITS_MAX)
			return err_set(info, ERR_INVALID, "/units", "arm %zu has %lld units", i,
				       (long long)units[i]);
		if (!(weights[i] >= 0.0) || !isfinite(weights[i]))
			return err_set(info, ERR_INVALID, "/weights", "arm %zu has the weight %g",
				       i, weights[i]);
		total += weights[i];
	}
	if (!(total > 0.0) || !isfinite(total))
		return err_set(info, ERR_INVALID, "/weights",
			       "the weights of the arms add up to %g", total);
	for (size_t i = 0; i < arms; i++) {
		if (weights[i] > 0.0 && weights[i] / total < SHARE_MIN)
			return err_set(info, ERR_INVALID, "/weights",
				       "arm %zu has the weight %g, too small beside the others", i,
				       weights[i]);
	}
	return ERR_OK;
}

enum err
stats_srm_check(const int64_t *units, const double *weights, size_t arms, struct stats_srm *out,
		struct err_info *info)
{
	*out = (struct stats_srm) { .p = 1.0 };
	const enum err e = check(units, weights, arms, info);
	if (e != ERR_OK)
		return e;
	double weight_sum = 0.0;
	double units_sum = 0.0;
	int live = 0;
	for (size_t i = 0; i < arms; i++) {
		if (weights[i] > 0.0) {
			weight_sum += weights[i];
			units_sum += (double)units[i];
			live++;
		} else if (units[i] > 0) {
			out->stray = true;
		}
	}
	bool enough = true;
	for (size_t i = 0; i < arms && units_sum > 0.0; i++) {
		if (!(weights[i] > 0.0))
			continue;
		const double expected = weights[i] / weight_sum * units_sum;
		const double off = (double)units[i] - expected;
		out->chi2 += off * off / expected;
		enough = enough && expected >= STATS_SRM_EXPECTED_MIN;
	}
	out->dof = live - 1;
	if (out->dof > 0 && units_sum > 0.0)
		out->p = stats_chi2_sf(out->chi2, (double)out->dof);
	out->failed = out->stray || (enough && out->p < STATS_SRM_ALPHA);
	if (out->stray)
		out->p = 0.0;
	return ERR_OK;
}
