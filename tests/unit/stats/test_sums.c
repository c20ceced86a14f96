/*
 * test_sums.c — exact sums to mean and variance; sums that cannot be true; reading a sum.
 */
#include "stats/sums.h"

#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/stats/near.h"

static const struct stats_measure COUNT = { .kind = STATS_MEAN, .scale = 1 };
static const struct stats_measure CENTS = { .kind = STATS_MEAN, .scale = 100 };
static const struct stats_measure YES_NO = { .kind = STATS_PROPORTION, .scale = 1 };
static const struct stats_measure RATIO = { .kind = STATS_RATIO, .scale = 1, .scale_x = 1 };

static struct stats_arm
summarise(struct stats_sums sums, const struct stats_measure *measure)
{
	struct stats_arm arm;
	struct err_info info = { 0 };
	const enum err e = stats_sums_summarise(&sums, measure, &arm, &info);
	ck_assert_msg(e == ERR_OK, "%s", info.msg);
	return arm;
}

START_TEST(mean_and_sample_variance)
{
	/* 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squared deviations 32 */
	const struct stats_arm arm =
		summarise((struct stats_sums) { .n = 8, .y = 40, .yy = 232 }, &COUNT);
	assert_near(arm.mean, 5.0, 0);
	assert_near(arm.var, 32.0 / 7.0, 1e-15);
	ck_assert(arm.known);
}
END_TEST

START_TEST(scale_is_applied_once_to_the_mean_and_twice_to_the_variance)
{
	/* 1.00 and 3.00 in cents */
	const struct stats_arm arm =
		summarise((struct stats_sums) { .n = 2, .y = 400, .yy = 100000 }, &CENTS);
	assert_near(arm.mean, 2.0, 1e-15);
	assert_near(arm.var, 2.0, 1e-15);
}
END_TEST

START_TEST(a_large_mean_loses_nothing)
{
	/* 2^41 + {0, 1, 2}: in doubles the sum of squares would already have lost the spread */
	const __int128 base = (__int128)1 << 41;
	__int128 y = 0;
	__int128 yy = 0;
	for (int i = 0; i < 3; i++) {
		y += base + i;
		yy += (base + i) * (base + i);
	}
	const struct stats_arm up =
		summarise((struct stats_sums) { .n = 3, .y = y, .yy = yy }, &COUNT);
	assert_near(up.var, 1.0, 1e-15);
	const struct stats_arm down =
		summarise((struct stats_sums) { .n = 3, .y = -y, .yy = yy }, &COUNT);
	assert_near(down.var, 1.0, 1e-15);
	assert_near(down.mean, -up.mean, 0);
}
END_TEST

START_TEST(the_limits_do_not_overflow)
{
	/* half of the units at +max, half at -max: variance max^2 n / (n - 1) */
	const int64_t n = STATS_UNITS_MAX;
	const __int128 yy = (__int128)n * STATS_MEAN_MAX * STATS_MEAN_MAX;
	const double max2 = (double)STATS_MEAN_MAX * (double)STATS_MEAN_MAX;
	const struct stats_arm spread =
		summarise((struct stats_sums) { .n = n, .y = 0, .yy = yy }, &COUNT);
	assert_near(spread.var, max2, 1e-11);
	const struct stats_sums flat = { .n = n, .y = (__int128)n * STATS_MEAN_MAX, .yy = yy };
	const struct stats_arm same = summarise(flat, &COUNT);
	assert_near(same.var, 0.0, 0);
	assert_near(same.mean, (double)STATS_MEAN_MAX, 0);
}
END_TEST

START_TEST(proportion_has_the_binomial_variance)
{
	const struct stats_arm arm =
		summarise((struct stats_sums) { .n = 20000, .y = 1000, .yy = 1000 }, &YES_NO);
	assert_near(arm.mean, 0.05, 1e-15);
	assert_near(arm.var, 0.05 * 0.95, 1e-14);
}
END_TEST

START_TEST(ratio_by_the_delta_method)
{
	/* y = 2x exactly: the ratio has no variance */
	const struct stats_arm exact = summarise(
		(struct stats_sums) { .n = 3, .y = 12, .yy = 56, .x = 6, .xx = 14, .xy = 28 },
		&RATIO);
	assert_near(exact.mean, 2.0, 0);
	assert_near(exact.var, 0.0, 0);
	/* (y, x) = (1,1) (2,1) (3,2): m = 1.5; vy = 1, vx = 1/3, cov = 1/2; mean x = 4/3 */
	const struct stats_arm arm = summarise(
		(struct stats_sums) { .n = 3, .y = 6, .yy = 14, .x = 4, .xx = 6, .xy = 9 }, &RATIO);
	assert_near(arm.mean, 1.5, 1e-15);
	assert_near(arm.var, (1.0 - 2.0 * 1.5 * 0.5 + 2.25 / 3.0) / (16.0 / 9.0), 1e-14);
}
END_TEST

START_TEST(too_little_data_is_not_an_error)
{
	ck_assert(!summarise((struct stats_sums) { .n = 0 }, &COUNT).known);
	ck_assert(!summarise((struct stats_sums) { .n = 1, .y = 3, .yy = 9 }, &COUNT).known);
	ck_assert(!summarise((struct stats_sums) { .n = 5, .y = 5, .yy = 5 }, &RATIO).known);
}
END_TEST

static const struct {
	const char *what;
	const struct stats_measure *measure;
	struct stats_sums sums;
} IMPOSSIBLE[] = {
	{ "negative n", &COUNT, { .n = -1 } },
	{ "too many units", &COUNT, { .n = STATS_UNITS_MAX + 1 } },
	{ "a sum of no units", &COUNT, { .n = 0, .y = 1 } },
	{ "negative squares", &COUNT, { .n = 2, .y = 0, .yy = -1 } },
	{ "squares too small", &COUNT, { .n = 2, .y = 10, .yy = 49 } },
	{ "squares too small by one", &COUNT, { .n = 3, .y = 3, .yy = 2 } },
	{ "sum out of range", &COUNT, { .n = 1, .y = (__int128)STATS_MEAN_MAX + 1, .yy = 1 } },
	{ "more events than units", &YES_NO, { .n = 2, .y = 3, .yy = 3 } },
	{ "negative events", &YES_NO, { .n = 2, .y = -1, .yy = 1 } },
	{ "not zeros and ones", &YES_NO, { .n = 10, .y = 4, .yy = 8 } },
	{ "correlation above one",
	  &RATIO,
	  { .n = 3, .y = 6, .yy = 14, .x = 6, .xx = 14, .xy = 15 } },
	{ "denominator squares too small",
	  &RATIO,
	  { .n = 2, .y = 2, .yy = 2, .x = 10, .xx = 49, .xy = 10 } },
};

START_TEST(impossible_sums_are_refused)
{
	struct stats_arm arm;
	struct err_info info = { 0 };
	ck_assert_msg(stats_sums_summarise(&IMPOSSIBLE[_i].sums, IMPOSSIBLE[_i].measure, &arm,
					   &info) == ERR_INVALID,
		      "accepted: %s", IMPOSSIBLE[_i].what);
	ck_assert_msg(info.msg[0] != '\0' && info.field[0] == '/', "no place: %s",
		      IMPOSSIBLE[_i].what);
	ck_assert(!arm.known || IMPOSSIBLE[_i].measure->kind == STATS_RATIO);
}
END_TEST

START_TEST(a_bad_scale_is_refused)
{
	const struct stats_measure bad[] = { { .kind = STATS_MEAN, .scale = 0 },
					     { .kind = STATS_MEAN, .scale = STATS_SCALE_MAX + 1 },
					     { .kind = STATS_PROPORTION, .scale = 100 },
					     { .kind = STATS_RATIO, .scale = 1, .scale_x = 0 } };
	const struct stats_sums sums = { .n = 4, .y = 2, .yy = 2 };
	struct stats_arm arm;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(stats_sums_summarise(&sums, &bad[i], &arm, NULL), ERR_INVALID);
}
END_TEST

START_TEST(a_sum_is_read_exactly)
{
	__int128 v = 0;
	ck_assert_int_eq(stats_sum_parse("-170141183460469231", &v, NULL), ERR_OK);
	ck_assert(v == -(__int128)170141183460469231);
	ck_assert_int_eq(stats_sum_parse("85070591730234615865843651857942052863", &v, NULL),
			 ERR_OK);
	ck_assert(v == ((__int128)1 << 126) - 1);
	ck_assert_int_eq(stats_sum_parse("000", &v, NULL), ERR_OK);
	ck_assert(v == 0);
}
END_TEST

static const char *const NOT_A_SUM[] = { "",
					 "-",
					 "+1",
					 " 1",
					 "1 ",
					 "1.0",
					 "1e3",
					 "NaN",
					 "--1",
					 "0x1",
					 "85070591730234615865843651857942052864",
					 "100000000000000000000000000000000000000",
					 "999999999999999999999999999999999999999999" };

START_TEST(what_is_not_a_sum_is_refused)
{
	__int128 v = 7;
	ck_assert_msg(stats_sum_parse(NOT_A_SUM[_i], &v, NULL) == ERR_INVALID, "accepted \"%s\"",
		      NOT_A_SUM[_i]);
	ck_assert(v == 7);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("stats/sums");
	TCase *t = tcase_create("all");
	tcase_add_test(t, mean_and_sample_variance);
	tcase_add_test(t, scale_is_applied_once_to_the_mean_and_twice_to_the_variance);
	tcase_add_test(t, a_large_mean_loses_nothing);
	tcase_add_test(t, the_limits_do_not_overflow);
	tcase_add_test(t, proportion_has_the_binomial_variance);
	tcase_add_test(t, ratio_by_the_delta_method);
	tcase_add_test(t, too_little_data_is_not_an_error);
	tcase_add_loop_test(t, impossible_sums_are_refused, 0, ARRAY_LEN(IMPOSSIBLE));
	tcase_add_test(t, a_bad_scale_is_refused);
	tcase_add_test(t, a_sum_is_read_exactly);
	tcase_add_loop_test(t, what_is_not_a_sum_is_refused, 0, ARRAY_LEN(NOT_A_SUM));
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
