/*
 * near.h — comparison of doubles for the tests of the statistics: relative, and infinities are
 * equal to themselves.
 */
#ifndef BIMODAL_TESTS_STATS_NEAR_H
#define BIMODAL_TESTS_STATS_NEAR_H

#include <check.h>
#include <math.h>
#include <stdbool.h>

static inline bool
is_near(double got, double want, double tolerance)
{
	if (isinf(want) || isinf(got))
		return got == want;
	return fabs(got - want) <= tolerance * fmax(fabs(want), 1e-300);
}

#define assert_near(got, want, tolerance)                                                          \
	do {                                                                                       \
		const double got_ = (got);                                                         \
		const double want_ = (want);                                                       \
		ck_assert_msg(is_near(got_, want_, tolerance), "%s is %.15g, not %.15g", #got,     \
			      got_, want_);                                                        \
	} while (0)

#endif
