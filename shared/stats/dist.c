/*
 * dist.c — the only place that knows libRmath.
 *
 * Rmath.h renames functions by macros (pnorm is pnorm5), so it is kept out of every other file.
 * Nothing here uses libRmath's random numbers or its global state.
 */
#include "stats/dist.h"

#define MATHLIB_STANDALONE
#include <Rmath.h>

enum {
	TAIL_UPPER = 0,
	TAIL_LOWER = 1,
	PLAIN = 0 /* a probability, not its logarithm */
};

double
stats_normal_pdf(double z)
{
	return dnorm(z, 0.0, 1.0, PLAIN);
}

double
stats_normal_cdf(double z)
{
	return pnorm(z, 0.0, 1.0, TAIL_LOWER, PLAIN);
}

double
stats_normal_sf(double z)
{
	return pnorm(z, 0.0, 1.0, TAIL_UPPER, PLAIN);
}

double
stats_normal_upper(double tail)
{
	return qnorm(tail, 0.0, 1.0, TAIL_UPPER, PLAIN);
}

double
stats_t_cdf(double t, double dof)
{
	return pt(t, dof, TAIL_LOWER, PLAIN);
}

double
stats_t_sf(double t, double dof)
{
	return pt(t, dof, TAIL_UPPER, PLAIN);
}

double
stats_t_upper(double tail, double dof)
{
	return qt(tail, dof, TAIL_UPPER, PLAIN);
}

double
stats_chi2_sf(double x, double dof)
{
	return pchisq(x, dof, TAIL_UPPER, PLAIN);
}
