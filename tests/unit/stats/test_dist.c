/*
 * test_dist.c — the distribution wrappers: right tail, right argument order, digits kept far out.
 */
#include "stats/dist.h"

#include "tests/support/unit.h"
#include "tests/unit/stats/near.h"

START_TEST(tails_keep_their_digits)
{
	assert_near(stats_normal_sf(9.5), 1.0494515075362608e-21, 1e-12);
	assert_near(stats_normal_cdf(-8.5), 9.479534822203318e-18, 1e-12);
	assert_near(stats_normal_sf(-3.0), 0.9986501019683699, 1e-14);
	assert_near(stats_t_sf(40.0, 10.0), 1.1404288715428774e-12, 1e-12);
	assert_near(stats_t_sf(2.0, 3.7), 0.060908600952617, 1e-12);
	assert_near(stats_t_cdf(-2.5, 200.0), 0.006611586320850396, 1e-12);
	assert_near(stats_chi2_sf(40.0, 1.0), 2.539628589470865e-10, 1e-12);
}
END_TEST

START_TEST(quantiles_take_the_upper_tail)
{
	assert_near(stats_normal_upper(0.025), 1.9599639845400543, 1e-14);
	assert_near(stats_normal_upper(1e-15), 7.941345326170997, 1e-12);
	assert_near(stats_t_upper(0.025, 1.0), 12.706204736174694, 1e-12);
	assert_near(stats_t_upper(0.005, 200.0), 2.6006344361915574, 1e-12);
	assert_near(stats_t_sf(stats_t_upper(1e-9, 7.3), 7.3), 1e-9, 1e-10);
	assert_near(stats_normal_pdf(0.0), 0.39894228040143268, 1e-14);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("stats/dist");
	TCase *t = tcase_create("all");
	tcase_add_test(t, tails_keep_their_digits);
	tcase_add_test(t, quantiles_take_the_upper_tail);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
