/*
 * sums.c — from exact integer sums to mean and variance.
 *
 * Invariant: all subtraction of nearly equal numbers happens in 128-bit integers. With q = sum / n
 * (truncated) and r = sum - q n, the centred sum is sum (x - mx)(y - my) = [sxy - qx sy - qy rx] -
 * rx ry / n where the bracket is an integer no larger than the raw sums and |rx ry / n| < n.
 */
#include "stats/sums.h"

#include <stddef.h>

static const __int128 SUM_LIMIT = (__int128)1 << 126;

/* Up to here `whole * n` fits in 128 bits, n being at most STATS_UNITS_MAX. */
static const __int128 WHOLE_EXACT = (__int128)1 << 84;

static __int128
magnitude(__int128 v)
{
	return v < 0 ? -v : v;
}

/* The centred sum of products, rounded once. n > 0. */
static double
centred(__int128 sxy, __int128 sx, __int128 sy, int64_t n)
{
	const __int128 qx = sx / n;
	const __int128 qy = sy / n;
	const __int128 rx = sx - qx * n;
	const __int128 ry = sy - qy * n;
	const __int128 rest = rx * ry;
	const __int128 whole = sxy - qx * sy - qy * rx - rest / n;
	const __int128 part = rest % n;
	if (magnitude(whole) <= WHOLE_EXACT)
		return (double)(whole * n - part) / (double)n;
	return (double)whole - (double)part / (double)n;
}

static bool
within_limits(int64_t n, __int128 sum, __int128 square_sum)
{
	const __int128 sum_max = (__int128)n * STATS_MEAN_MAX;
	return sum >= -sum_max && sum <= sum_max && square_sum >= 0 &&
	       square_sum / STATS_MEAN_MAX <= sum_max;
}

static enum err
check(const struct stats_sums *s, const struct stats_measure *m, struct err_info *info)
{
	if (m->scale < 1 || m->scale > STATS_SCALE_MAX)
		return err_set(info, ERR_INVALID, "/scale",
			       "the scale of a metric must be 1 to %lld",
			       (long long)STATS_SCALE_MAX);
	if (s->n < 0 || s->n > STATS_UNITS_MAX)
		return err_set(info, ERR_INVALID, "/n", "the number of units %lld is not 0 to %lld",
			       (long long)s->n, (long long)STATS_UNITS_MAX);
	if (!within_limits(s->n, s->y, s->yy))
		return err_set(info, ERR_INVALID, "/y", "the sums of the metric are out of range");
	if (m->kind == STATS_PROPORTION &&
	    (m->scale != 1 || s->y < 0 || s->y > s->n || s->yy != s->y))
		return err_set(info, ERR_INVALID, "/y",
			       "the sums of a proportion must come from zeros and ones");
	if (m->kind != STATS_RATIO)
		return ERR_OK;
	if (m->scale_x < 1 || m->scale_x > STATS_SCALE_MAX)
		return err_set(info, ERR_INVALID, "/scale_x",
			       "the scale of a denominator must be 1 to %lld",
			       (long long)STATS_SCALE_MAX);
	/* |xy| cannot pass the larger of the two limits on squares, which is one and the same. */
	if (!within_limits(s->n, s->x, s->xx) || !within_limits(s->n, 0, magnitude(s->xy)))
		return err_set(info, ERR_INVALID, "/x",
			       "the sums of the denominator are out of range");
	return ERR_OK;
}

/* Delta method: the variance of sum(y)/sum(x), as the variance of one unit. */
static enum err
summarise_ratio(const struct stats_sums *s, const struct stats_measure *m, double syy,
		struct stats_arm *arm, struct err_info *info)
{
	const double sxx = centred(s->xx, s->x, s->x, s->n);
	const double sxy = centred(s->xy, s->x, s->y, s->n);
	if (sxx < 0.0 || sxy * sxy > sxx * syy * (1.0 + 1e-9))
		return err_set(info, ERR_INVALID, "/xy",
			       "the sums of numerator and denominator contradict each other");
	if (s->x == 0) {
		*arm = (struct stats_arm) { .n = s->n };
		return ERR_OK;
	}
	const double step = (double)m->scale_x / (double)m->scale;
	const double ratio = (double)s->y / (double)s->x;
	const double mean_x = (double)s->x / (double)s->n;
	const double spread = syy - 2.0 * ratio * sxy + ratio * ratio * sxx;
	arm->mean = ratio * step;
	/* The spread is a sum of squares: rounding alone can put it below zero. */
	arm->var = MAX(spread, 0.0) / (double)(s->n - 1) / (mean_x * mean_x) * step * step;
	return ERR_OK;
}

enum err
stats_sums_summarise(const struct stats_sums *sums, const struct stats_measure *measure,
		     struct stats_arm *arm, struct err_info *info)
{
	*arm = (struct stats_arm) { .n = sums->n };
	const enum err e = check(sums, measure, info);
	if (e != ERR_OK)
		return e;
	if (sums->n == 0)
		return ERR_OK;
	const double n = (double)sums->n;
	const double scale = (double)measure->scale;
	const double syy = centred(sums->yy, sums->y, sums->y, sums->n);
	if (syy < 0.0)
		return err_set(info, ERR_INVALID, "/yy",
			       "the sum of squares is too small for the sum of values");
	arm->mean = (double)sums->y / (n * scale);
	arm->known = sums->n >= 2;
	if (!arm->known)
		return ERR_OK;
	if (measure->kind == STATS_RATIO)
		return summarise_ratio(sums, measure, syy, arm, info);
	/* For zeros and ones syy is n m(1-m), without the rounding of m. */
	const double divisor = measure->kind == STATS_PROPORTION ? n : n - 1.0;
	arm->var = syy / divisor / (scale * scale);
	return ERR_OK;
}

enum err
stats_sum_parse(const char *text, __int128 *sum, struct err_info *info)
{
	const bool negative = text[0] == '-';
	const char *p = negative ? text + 1 : text;
	__int128 v = 0;
	size_t digits = 0;
	for (; *p >= '0' && *p <= '9' && digits < 38; p++, digits++)
		v = v * 10 + (*p - '0');
	if (digits == 0 || *p != '\0' || v >= SUM_LIMIT)
		return err_set(info, ERR_INVALID, NULL, "\"%.60s\" is not an exact whole sum",
			       text);
	*sum = negative ? -v : v;
	return ERR_OK;
}
