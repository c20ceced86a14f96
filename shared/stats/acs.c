/*
 * acs.c — the closed forms of the asymptotic confidence sequences.
 *
 * With N units, z = N rho^2 + 1 and S = ((estimate - null) / se)^2 N, everything depends on N only
 * through N rho^2. Invariant: bounds and p agree: the bound touches `null` exactly where p equals
 * alpha.
 */
#include "stats/acs.h"

#include <math.h>

static enum err
check(const struct stats_acs_plan *plan, double null, struct err_info *info)
{
	if (!(plan->alpha > 0.0 && plan->alpha < 0.5))
		return err_set(info, ERR_INVALID, "/alpha", "alpha %g is not between 0 and 0.5",
			       plan->alpha);
	if (!(plan->planned_n >= 1.0 && isfinite(plan->planned_n)))
		return err_set(info, ERR_INVALID, "/planned_n",
			       "the planned number of units %g is not 1 or more", plan->planned_n);
	if (!isfinite(null))
		return err_set(info, ERR_INVALID, "/null", "the null effect must be a number");
	return ERR_OK;
}

/* rho squared that makes the sequence tightest at the planned N; `alpha` is that of both sides
 * together. */
static double
tuning(double alpha, double planned_n)
{
	const double log_alpha = -2.0 * log(alpha);
	return (log_alpha + log1p(log_alpha)) / planned_n;
}

enum err
stats_acs_both(const struct stats_effect *effect, const struct stats_acs_plan *plan, double null,
	       struct stats_acs_two_sided *out, struct err_info *info)
{
	*out = (struct stats_acs_two_sided) { .halfwidth = INFINITY,
					      .interval = { .low = -INFINITY, .high = INFINITY },
					      .p = 1.0 };
	const enum err e = check(plan, null, info);
	if (e != ERR_OK)
		return e;
	const double rho2 = tuning(plan->alpha, plan->planned_n);
	out->rho = sqrt(rho2);
	if (!effect->known)
		return ERR_OK;
	const double scaled = (double)effect->n * rho2;
	const double z = scaled + 1.0;
	const double root = sqrt(z);
	const double t = (effect->estimate - null) / effect->se;
	out->halfwidth = effect->se * sqrt(2.0 * z / scaled * log(root / plan->alpha));
	out->interval.low = effect->estimate - out->halfwidth;
	out->interval.high = effect->estimate + out->halfwidth;
	out->p = fmin(1.0, root * exp(-t * t * scaled / (2.0 * z)));
	return ERR_OK;
}

/* p of the side towards which t points. */
static double
one_sided_p(double t, double scaled)
{
	if (t <= 0.0)
		return 1.0;
	const double z = scaled + 1.0;
	const double exponent = t * t * scaled / (2.0 * z);
	/* Beyond this exp() passes the largest double; there the -1 is nothing. */
	if (exponent > 700.0)
		return exp(log(sqrt(z) / 2.0) - exponent);
	return fmin(1.0, sqrt(z) / (2.0 * expm1(exponent)));
}

enum err
stats_acs_one(const struct stats_effect *effect, const struct stats_acs_plan *plan, double null,
	      struct stats_acs_one_sided *out, struct err_info *info)
{
	*out = (struct stats_acs_one_sided) { .halfwidth = INFINITY,
					      .lower = -INFINITY,
					      .upper = INFINITY,
					      .p_greater = 1.0,
					      .p_less = 1.0 };
	const enum err e = check(plan, null, info);
	if (e != ERR_OK)
		return e;
	const double rho2 = tuning(2.0 * plan->alpha, plan->planned_n);
	out->rho = sqrt(rho2);
	if (!effect->known)
		return ERR_OK;
	const double scaled = (double)effect->n * rho2;
	const double z = scaled + 1.0;
	const double t = (effect->estimate - null) / effect->se;
	out->halfwidth = effect->se * sqrt(2.0 * z / scaled * log1p(sqrt(z) / (2.0 * plan->alpha)));
	out->lower = effect->estimate - out->halfwidth;
	out->upper = effect->estimate + out->halfwidth;
	out->p_greater = one_sided_p(t, scaled);
	out->p_less = one_sided_p(-t, scaled);
	return ERR_OK;
}
