/*
 * compare.c — Welch, Newcombe and Fieller for one look at two arms.
 *
 * Pure: reads arms, returns plain structs. Invariant: p values come from survival functions, so
 * they keep their digits down to the smallest double; an effect that cannot be judged is never
 * called significant.
 */
#include "stats/compare.h"

#include <math.h>

#include "stats/dist.h"

/* The largest z whose tail is still a normal double: sf(37) is about 6e-300. */
#define Z_MAX 37.0

static struct stats_test
no_test(void)
{
	return (struct stats_test) {
		.method = STATS_METHOD_NONE,
		.interval = { .low = -INFINITY, .high = INFINITY },
		.lower = -INFINITY,
		.upper = INFINITY,
		.p_two = 1.0,
		.p_greater = 1.0,
		.p_less = 1.0,
	};
}

struct stats_effect
stats_effect_make(const struct stats_arm *control, const struct stats_arm *treatment)
{
	if (!control->known || !treatment->known)
		return (struct stats_effect) { .n = control->n + treatment->n };
	const double na = (double)control->n;
	const double nb = (double)treatment->n;
	const double va = control->var / na;
	const double vb = treatment->var / nb;
	if (!(va + vb > 0.0))
		return (struct stats_effect) { .n = control->n + treatment->n };
	return (struct stats_effect) {
		.estimate = treatment->mean - control->mean,
		.se = sqrt(va + vb),
		.dof = (va + vb) * (va + vb) / (va * va / (na - 1.0) + vb * vb / (nb - 1.0)),
		.n = control->n + treatment->n,
		.known = true,
	};
}

struct stats_test
stats_welch_test(const struct stats_effect *effect, double alpha, double null)
{
	if (!effect->known)
		return no_test();
	const double t = (effect->estimate - null) / effect->se;
	const double two = stats_t_upper(alpha / 2.0, effect->dof) * effect->se;
	const double one = stats_t_upper(alpha, effect->dof) * effect->se;
	return (struct stats_test) {
		.method = STATS_METHOD_WELCH,
		.interval = { .low = effect->estimate - two, .high = effect->estimate + two },
		.lower = effect->estimate - one,
		.upper = effect->estimate + one,
		.p_two = 2.0 * stats_t_sf(fabs(t), effect->dof),
		.p_greater = stats_t_sf(t, effect->dof),
		.p_less = stats_t_cdf(t, effect->dof),
	};
}

/* Wilson's score interval of one proportion. */
static struct stats_interval
wilson(const struct stats_arm *arm, double z)
{
	const double n = (double)arm->n;
	const double z2 = z * z;
	const double middle = arm->mean + z2 / (2.0 * n);
	const double half = z * sqrt(arm->mean * (1.0 - arm->mean) / n + z2 / (4.0 * n * n));
	const double width = 1.0 + z2 / n;
	return (struct stats_interval) { .low = (middle - half) / width,
					 .high = (middle + half) / width };
}

static struct stats_interval
newcombe(const struct stats_arm *a, const struct stats_arm *b, double z)
{
	const struct stats_interval wa = wilson(a, z);
	const struct stats_interval wb = wilson(b, z);
	const double difference = b->mean - a->mean;
	return (struct stats_interval) {
		.low = difference - hypot(b->mean - wb.low, wa.high - a->mean),
		.high = difference + hypot(wb.high - b->mean, a->mean - wa.low),
	};
}

/* The z at which the interval just touches `null`; its sign is that of difference - null.
 * Bisection, deterministic. */
static double
newcombe_invert(const struct stats_arm *a, const struct stats_arm *b, double null)
{
	const double difference = b->mean - a->mean;
	if (difference == null)
		return 0.0;
	const bool above = difference > null;
	double inside = 0.0; /* here the interval does not reach null */
	double beyond = Z_MAX;
	for (int i = 0; i < 60; i++) {
		const double z = (inside + beyond) / 2.0;
		const struct stats_interval w = newcombe(a, b, z);
		if (above ? w.low > null : w.high < null)
			inside = z;
		else
			beyond = z;
	}
	if (beyond == Z_MAX)
		return above ? INFINITY : -INFINITY;
	return above ? inside : -inside;
}

struct stats_test
stats_newcombe_test(const struct stats_arm *control, const struct stats_arm *treatment,
		    double alpha, double null)
{
	if (control->n < 1 || treatment->n < 1)
		return no_test();
	const struct stats_interval one = newcombe(control, treatment, stats_normal_upper(alpha));
	const double z = newcombe_invert(control, treatment, null);
	return (struct stats_test) {
		.method = STATS_METHOD_NEWCOMBE,
		.interval = newcombe(control, treatment, stats_normal_upper(alpha / 2.0)),
		.lower = one.low,
		.upper = one.high,
		.p_two = 2.0 * stats_normal_sf(fabs(z)),
		.p_greater = stats_normal_sf(z),
		.p_less = stats_normal_cdf(z),
	};
}

/*
 * The set of ratios r with qa r^2 - 2 qb r + qc <= 0. The roots are formed without cancellation:
 * the one far from zero from the formula, the other from their product.
 */
static struct stats_lift
solve_ratio(double qa, double qb, double qc)
{
	const struct stats_lift all = { .shape = STATS_LIFT_ALL,
					.low = -INFINITY,
					.high = INFINITY };
	const double disc = qb * qb - qa * qc;
	if (qa == 0.0 && qb > 0.0)
		return (struct stats_lift) { .shape = STATS_LIFT_OUTSIDE,
					     .low = -INFINITY,
					     .high = qc / (2.0 * qb) };
	if (qa == 0.0 && qb < 0.0)
		return (struct stats_lift) { .shape = STATS_LIFT_OUTSIDE,
					     .low = qc / (2.0 * qb),
					     .high = INFINITY };
	if (qa == 0.0 || (qa < 0.0 && disc <= 0.0))
		return all;
	const double q = qb + copysign(sqrt(MAX(disc, 0.0)), qb);
	const double r1 = q / qa;
	const double r2 = q != 0.0 ? qc / q : r1;
	return (struct stats_lift) { .shape = qa > 0.0 ? STATS_LIFT_BOUNDED : STATS_LIFT_OUTSIDE,
				     .low = fmin(r1, r2),
				     .high = fmax(r1, r2) };
}

struct stats_lift
stats_lift_fieller(const struct stats_arm *control, const struct stats_arm *treatment,
		   double multiplier)
{
	if (!control->known || !treatment->known)
		return (struct stats_lift) {
			.estimate = NAN, .shape = STATS_LIFT_ALL, .low = -INFINITY, .high = INFINITY
		};
	const double c2 = multiplier * multiplier;
	const double ma = control->mean;
	const double mb = treatment->mean;
	struct stats_lift lift =
		solve_ratio(ma * ma - c2 * control->var / (double)control->n, ma * mb,
			    mb * mb - c2 * treatment->var / (double)treatment->n);
	const double low = lift.low - 1.0;
	const double high = lift.high - 1.0;
	/* A negative control mean turns the axis: lift is per |control|. */
	lift.low = ma < 0.0 ? -high : low;
	lift.high = ma < 0.0 ? -low : high;
	lift.estimate = ma != 0.0 ? (mb - ma) / fabs(ma) : (double)NAN;
	return lift;
}

/* Are there too few expected events or non-events for a normal difference? */
static bool
few_events(const struct stats_arm *a, const struct stats_arm *b)
{
	const double na = (double)a->n;
	const double nb = (double)b->n;
	const double pooled = (na * a->mean + nb * b->mean) / (na + nb);
	return fmin(na, nb) * fmin(pooled, 1.0 - pooled) < STATS_SMALL_EVENTS;
}

enum err
stats_compare(const struct stats_sums *control, const struct stats_sums *treatment,
	      const struct stats_measure *measure, double alpha, double null,
	      struct stats_comparison *out, struct err_info *info)
{
	*out = (struct stats_comparison) { .test = no_test() };
	if (!(alpha > 0.0 && alpha < 0.5) || !isfinite(null))
		return err_set(info, ERR_INVALID, "/alpha",
			       "alpha must be between 0 and 0.5 and the null effect a number");
	enum err e = stats_sums_summarise(control, measure, &out->control, info);
	if (e == ERR_OK)
		e = stats_sums_summarise(treatment, measure, &out->treatment, info);
	if (e != ERR_OK)
		return e;
	const struct stats_arm *a = &out->control;
	const struct stats_arm *b = &out->treatment;
	out->effect = stats_effect_make(a, b);
	if (measure->kind == STATS_PROPORTION && a->known && b->known && few_events(a, b))
		out->test = stats_newcombe_test(a, b, alpha, null);
	else
		out->test = stats_welch_test(&out->effect, alpha, null);
	const double multiplier =
		out->effect.known ? stats_t_upper(alpha / 2.0, out->effect.dof) : INFINITY;
	if (out->effect.known)
		out->lift = stats_lift_fieller(a, b, multiplier);
	else
		out->lift = (struct stats_lift) {
			.estimate = NAN, .shape = STATS_LIFT_ALL, .low = -INFINITY, .high = INFINITY
		};
	return ERR_OK;
}
