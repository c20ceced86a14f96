/*
 * dist.h — the distribution functions that the statistics need, by plain names.
 *
 * A tail probability is always asked for as a survival function (sf): 1 - cdf loses every digit of
 * a small p. Source: libRmath (r-mathlib), about 3e-15 relative. All functions are pure and
 * thread-safe; arguments outside the domain give NaN. Degrees of freedom are real numbers.
 */
#ifndef BIMODAL_STATS_DIST_H
#define BIMODAL_STATS_DIST_H

double stats_normal_pdf(double z);
double stats_normal_cdf(double z);
double stats_normal_sf(double z);

/* The z with stats_normal_sf(z) == tail; pass the small tail itself, not 1 - tail. */
double stats_normal_upper(double tail);

double stats_t_cdf(double t, double dof);
double stats_t_sf(double t, double dof);

/* The t with stats_t_sf(t, dof) == tail. */
double stats_t_upper(double tail, double dof);

double stats_chi2_sf(double x, double dof);

#endif
