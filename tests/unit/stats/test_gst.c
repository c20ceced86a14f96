/*
 * test_gst.c — Lan-DeMets boundaries against published tables, and what every boundary must
 * satisfy.
 */
#include "stats/gst.h"

#include "tests/support/unit.h"
#include "tests/unit/stats/near.h"

START_TEST(obrien_fleming_five_looks)
{
	const double t[] = { 0.2, 0.4, 0.6, 0.8, 1.0 };
	const double want[] = { 4.876884945, 3.357011922, 2.680280065, 2.289816768, 2.031032043 };
	double z[5];
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, t, 5, z, NULL), ERR_OK);
	for (size_t k = 0; k < 5; k++)
		assert_near(z[k], want[k], 1e-8);
}
END_TEST

START_TEST(one_look_is_the_plain_test)
{
	const double t = 1.0;
	double z;
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, &t, 1, &z, NULL), ERR_OK);
	assert_near(z, 1.9599639845400543, 1e-9);
}
END_TEST

START_TEST(all_of_alpha_is_spent_at_the_end)
{
	assert_near(stats_gst_obf_spent(0.05, 1.0), 0.05, 1e-12);
	assert_near(stats_gst_obf_spent(0.05, 1.7), 0.05, 1e-12);
	assert_near(stats_gst_obf_spent(0.05, 0.0), 0.0, 0);
	ck_assert(stats_gst_obf_spent(0.05, 0.5) < 0.006);
}
END_TEST

/* A look with nothing to spend cannot reject, and changes nothing for the others. */
START_TEST(a_look_that_spends_nothing)
{
	const double t[] = { 0.5, 1.0 };
	const double spent[] = { 0.0, 0.05 };
	double z[2];
	ck_assert_int_eq(stats_gst_bounds(t, spent, 2, z, NULL), ERR_OK);
	assert_near(z[0], INFINITY, 0);
	assert_near(z[1], 1.9599639845400543, 1e-9);
}
END_TEST

START_TEST(daily_looks)
{
	double t[28];
	double z[28];
	for (size_t k = 0; k < 28; k++)
		t[k] = (double)(k + 1) / 28.0;
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, t, 28, z, NULL), ERR_OK);
	for (size_t k = 1; k < 28; k++)
		ck_assert_msg(z[k] < z[k - 1], "boundary %zu rises", k);
	/* above five looks' 2.031, below that of watching without a pause, z(alpha / 4) */
	ck_assert_msg(z[27] > 2.031 && z[27] < 2.2414, "last boundary %g", z[27]);
}
END_TEST

/* Many looks close together: the last boundary rises a little with each look and stays near 2. */
START_TEST(the_most_looks_at_the_smallest_step)
{
	double t[STATS_LOOKS_MAX];
	double z[STATS_LOOKS_MAX];
	for (size_t k = 0; k < STATS_LOOKS_MAX; k++)
		t[k] = 1.0 - STATS_LOOK_STEP * (double)(STATS_LOOKS_MAX - 1 - k);
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, t, STATS_LOOKS_MAX, z, NULL), ERR_OK);
	ck_assert(z[STATS_LOOKS_MAX - 1] > 1.9599 && z[STATS_LOOKS_MAX - 1] < 2.2414);
	for (size_t k = 0; k < STATS_LOOKS_MAX; k++)
		ck_assert(isfinite(z[k]) && z[k] > 1.9599);
}
END_TEST

START_TEST(bad_looks_are_refused)
{
	const double falling[] = { 0.5, 0.4 };
	const double close[] = { 0.5, 0.5004 };
	const double beyond[] = { 0.5, 1.1 };
	const double nothing[] = { 0.0, 1.0 };
	const double nan[] = { (double)NAN, 1.0 };
	const double good[] = { 0.5, 1.0 };
	const double falling_spend[] = { 0.04, 0.03 };
	double z[2];
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, falling, 2, z, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, close, 2, z, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, beyond, 2, z, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, nothing, 2, z, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, nan, 2, z, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, good, 0, z, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, good, STATS_LOOKS_MAX + 1, z, NULL),
			 ERR_INVALID);
	ck_assert_int_eq(stats_gst_obf_bounds(0.0, good, 2, z, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_gst_bounds(good, falling_spend, 2, z, NULL), ERR_INVALID);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("stats/gst");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 30);
	tcase_add_test(t, obrien_fleming_five_looks);
	tcase_add_test(t, one_look_is_the_plain_test);
	tcase_add_test(t, all_of_alpha_is_spent_at_the_end);
	tcase_add_test(t, a_look_that_spends_nothing);
	tcase_add_test(t, daily_looks);
	tcase_add_test(t, the_most_looks_at_the_smallest_step);
	tcase_add_test(t, bad_looks_are_refused);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
