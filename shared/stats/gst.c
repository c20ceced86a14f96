/*
 * gst.c — Lan-DeMets boundaries by recursive numerical integration.
 *
 * Works on the B-value scale: W(t) = z sqrt(t), a Brownian motion, whose increments between looks
 * are independent normals. Carried from look to look: the density of W over paths that have crossed
 * no boundary yet, at the nodes of a composite Gauss-Legendre rule on [0, b]; the other half is its
 * mirror image. Invariant: the integral of that density is one minus the alpha spent so far.
 */
#include "stats/gst.h"

#include <math.h>

#include "stats/dist.h"

enum { PANELS_MAX = 96, HALF_ORDER = 8, NODES_MAX = PANELS_MAX * 2 * HALF_ORDER, BISECTIONS = 60 };

/* |z| beyond this has a tail below 1e-300: the boundary is called infinite. */
#define Z_END 37.0
#define SPENT_MIN 1e-300

/* No path counts beyond this B-value, 9 standard deviations at the end. */
#define B_END 9.0

/*
 * Width of a panel in standard deviations of the shorter of the two steps beside it; the rule is
 * then good to about 1e-11. B_END / (PANEL_WIDTH * sqrt(STATS_LOOK_STEP)) is below PANELS_MAX.
 */
#define PANEL_WIDTH 3.0

/* Positive nodes and weights of the 16-point Gauss-Legendre rule on [-1, 1]. */
static const struct {
	double node;
	double weight;
} GAUSS[HALF_ORDER] = {
	{ 0.98940093499164993260, 0.02715245941175409485 },
	{ 0.94457502307323257608, 0.06225352393864789286 },
	{ 0.86563120238783174388, 0.09515851168249278481 },
	{ 0.75540440835500303390, 0.12462897125553387205 },
	{ 0.61787624440264374845, 0.14959598881657673208 },
	{ 0.45801677765722738634, 0.16915651939500253819 },
	{ 0.28160355077925891323, 0.18260341504492358887 },
	{ 0.09501250983763744019, 0.18945061045506849629 },
};

/* The surviving paths at one look. */
struct survivors {
	int nodes;
	double at[NODES_MAX];
	double mass[NODES_MAX]; /* density times the rule's weight; for one half only */
};

/* The rule on [0, bound] for functions that vary over lengths of `scale`. Returns the count. */
static int
place_nodes(double bound, double scale, double *at, double *weight)
{
	const double wanted = ceil(bound / (PANEL_WIDTH * scale));
	const int panels = (int)fmin(fmax(wanted, 1.0), (double)PANELS_MAX);
	const double half = bound / (2.0 * panels);
	for (int p = 0; p < panels; p++) {
		const double middle = half * (2.0 * p + 1.0);
		for (int i = 0; i < HALF_ORDER; i++) {
			const int k = (p * HALF_ORDER + i) * 2;
			at[k] = middle - half * GAUSS[i].node;
			at[k + 1] = middle + half * GAUSS[i].node;
			weight[k] = weight[k + 1] = half * GAUSS[i].weight;
		}
	}
	return panels * 2 * HALF_ORDER;
}

/* Probability that a path alive before now leaves [-bound, bound] in a step of standard deviation
 * `sd`. */
static double
exit_probability(const struct survivors *s, double bound, double sd)
{
	double total = 0.0;
	for (int i = 0; i < s->nodes; i++)
		total += s->mass[i] * (stats_normal_sf((bound - s->at[i]) / sd) +
				       stats_normal_sf((bound + s->at[i]) / sd));
	return 2.0 * total;
}

/* The bound whose exit probability is `spend`; bisection, deterministic. */
static double
find_bound(const struct survivors *s, double sd, double spend, double bound_max)
{
	double low = 0.0;
	double high = bound_max;
	for (int i = 0; i < BISECTIONS; i++) {
		const double b = (low + high) / 2.0;
		if (exit_probability(s, b, sd) > spend)
			low = b;
		else
			high = b;
	}
	return high;
}

static void
start(struct survivors *s, double bound, double sd, double sd_next)
{
	double weight[NODES_MAX];
	s->nodes = place_nodes(bound, fmin(sd, sd_next), s->at, weight);
	for (int i = 0; i < s->nodes; i++)
		s->mass[i] = weight[i] * stats_normal_pdf(s->at[i] / sd) / sd;
}

static void
advance(struct survivors *s, double bound, double sd, double sd_next)
{
	struct survivors next;
	double weight[NODES_MAX];
	next.nodes = place_nodes(bound, fmin(sd, sd_next), next.at, weight);
	for (int i = 0; i < next.nodes; i++) {
		double density = 0.0;
		for (int j = 0; j < s->nodes; j++)
			density += s->mass[j] * (stats_normal_pdf((next.at[i] - s->at[j]) / sd) +
						 stats_normal_pdf((next.at[i] + s->at[j]) / sd));
		next.mass[i] = weight[i] * density / sd;
	}
	*s = next;
}

double
stats_gst_obf_spent(double alpha, double fraction)
{
	if (!(fraction > 0.0))
		return 0.0;
	const double t = fmin(fraction, 1.0);
	return 4.0 * stats_normal_sf(stats_normal_upper(alpha / 4.0) / sqrt(t));
}

static enum err
check(const double *fraction, const double *spent, size_t looks, struct err_info *info)
{
	if (looks < 1 || looks > STATS_LOOKS_MAX)
		return err_set(info, ERR_INVALID, "/looks",
			       "the number of looks %zu is not 1 to %d", looks, STATS_LOOKS_MAX);
	for (size_t k = 0; k < looks; k++) {
		const double step = fraction[k] - (k > 0 ? fraction[k - 1] : 0.0);
		const double spend = spent[k] - (k > 0 ? spent[k - 1] : 0.0);
		/* A hair of slack: 0.003 - 0.002 is a little less than 0.001. */
		if (!(step >= STATS_LOOK_STEP * (1.0 - 1e-9)) || !(fraction[k] <= 1.0))
			return err_set(info, ERR_INVALID, "/fraction",
				       "look %zu at fraction %g: fractions must rise by %g or "
				       "more, up to 1",
				       k + 1, fraction[k], STATS_LOOK_STEP);
		if (!(spend >= 0.0) || !(spent[k] < 1.0))
			return err_set(info, ERR_INVALID, "/spent",
				       "look %zu: the alpha spent must not fall and stay below 1",
				       k + 1);
	}
	return ERR_OK;
}

enum err
stats_gst_bounds(const double *fraction, const double *spent, size_t looks, double *z,
		 struct err_info *info)
{
	const enum err e = check(fraction, spent, looks, info);
	if (e != ERR_OK)
		return e;
	struct survivors s = { .nodes = 0 };
	for (size_t k = 0; k < looks; k++) {
		const double root = sqrt(fraction[k]);
		const double sd = k > 0 ? sqrt(fraction[k] - fraction[k - 1]) : root;
		const double sd_next = k + 1 < looks ? sqrt(fraction[k + 1] - fraction[k]) : sd;
		const double spend = spent[k] - (k > 0 ? spent[k - 1] : 0.0);
		double bound = fmin(Z_END * root, B_END);
		z[k] = INFINITY;
		if (spend > SPENT_MIN) {
			bound = k > 0 ? find_bound(&s, sd, spend, bound)
				      : fmin(bound, stats_normal_upper(spend / 2.0) * root);
			z[k] = bound / root;
		}
		if (k == 0)
			start(&s, bound, sd, sd_next);
		else if (k + 1 < looks)
			advance(&s, bound, sd, sd_next);
	}
	return ERR_OK;
}

enum err
stats_gst_obf_bounds(double alpha, const double *fraction, size_t looks, double *z,
		     struct err_info *info)
{
	if (!(alpha > 0.0 && alpha < 1.0))
		return err_set(info, ERR_INVALID, "/alpha", "alpha %g is not between 0 and 1",
			       alpha);
	if (looks > STATS_LOOKS_MAX)
		return err_set(info, ERR_INVALID, "/looks",
			       "the number of looks %zu is not 1 to %d", looks, STATS_LOOKS_MAX);
	double spent[STATS_LOOKS_MAX];
	for (size_t k = 0; k < looks; k++)
		spent[k] = stats_gst_obf_spent(alpha, fraction[k]);
	return stats_gst_bounds(fraction, spent, looks, z, info);
}
