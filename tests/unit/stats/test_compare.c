/*
 * test_compare.c — Welch, Newcombe and Fieller against published values and their own defining
 * equations.
 */
#include "stats/compare.h"

#include "tests/support/unit.h"
#include "tests/unit/stats/near.h"

static const struct stats_measure YES_NO = { .kind = STATS_PROPORTION, .scale = 1 };
static const struct stats_measure COUNT = { .kind = STATS_MEAN, .scale = 1 };

static struct stats_sums
events(int64_t n, int64_t y)
{
	return (struct stats_sums) { .n = n, .y = y, .yy = y };
}

static struct stats_arm
proportion(int64_t n, int64_t y)
{
	const double m = (double)y / (double)n;
	return (struct stats_arm) { .n = n, .mean = m, .var = m * (1.0 - m), .known = n >= 2 };
}

static struct stats_comparison
compare(struct stats_sums a, struct stats_sums b, const struct stats_measure *measure, double null)
{
	struct stats_comparison c;
	struct err_info info = { 0 };
	const enum err e = stats_compare(&a, &b, measure, 0.05, null, &c, &info);
	ck_assert_msg(e == ERR_OK, "%s", info.msg);
	return c;
}

/* statistics.md, table of reference vectors: prop_large_absolute */
START_TEST(welch_on_a_large_proportion)
{
	const struct stats_comparison c =
		compare(events(20000, 1000), events(20150, 1103), &YES_NO, 0.0);
	ck_assert_int_eq(c.test.method, STATS_METHOD_WELCH);
	assert_near(c.effect.estimate, 0.00473945409429, 1e-11);
	assert_near(c.effect.se, 0.00222326181873, 1e-11);
	assert_near(c.effect.dof, 40098.0670196, 1e-11);
	assert_near(c.test.p_two, 0.0330328838960, 1e-10);
	assert_near(c.test.p_greater, 0.0330328838960 / 2.0, 1e-10);
	assert_near(c.test.p_less, 1.0 - 0.0330328838960 / 2.0, 1e-10);
	assert_near(c.lift.estimate, 0.0947890818859, 1e-11);
	ck_assert_int_eq(c.lift.shape, STATS_LIFT_BOUNDED);
}
END_TEST

START_TEST(bounds_and_p_agree)
{
	const struct stats_comparison c =
		compare(events(20000, 1000), events(20150, 1103), &YES_NO, 0.0);
	const struct stats_test at_low = stats_welch_test(&c.effect, 0.05, c.test.interval.low);
	assert_near(at_low.p_two, 0.05, 1e-9);
	const struct stats_test at_lower = stats_welch_test(&c.effect, 0.05, c.test.lower);
	assert_near(at_lower.p_greater, 0.05, 1e-9);
	const struct stats_test at_upper = stats_welch_test(&c.effect, 0.05, c.test.upper);
	assert_near(at_upper.p_less, 0.05, 1e-9);
}
END_TEST

START_TEST(a_tiny_p_is_not_zero)
{
	const struct stats_comparison c =
		compare(events(20000, 1000), events(20000, 3000), &YES_NO, 0.0);
	ck_assert(c.test.p_two > 0.0 && c.test.p_two < 1e-200);
}
END_TEST

/* Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10: x1/n1 - x2/n2 and its 95
 * % interval. */
static const struct {
	int64_t x1, n1, x2, n2;
	double low, high;
} NEWCOMBE[] = {
	{ 56, 70, 48, 80, 0.0524, 0.3339 }, { 9, 10, 3, 10, 0.1705, 0.8090 },
	{ 6, 7, 2, 7, 0.0582, 0.8062 },     { 5, 56, 0, 29, -0.0381, 0.1926 },
	{ 0, 10, 0, 20, -0.1611, 0.2775 },  { 0, 10, 0, 10, -0.2775, 0.2775 },
	{ 10, 10, 0, 20, 0.6791, 1.0000 },  { 10, 10, 0, 10, 0.6075, 1.0000 },
};

START_TEST(newcombe_published)
{
	const struct stats_arm b = proportion(NEWCOMBE[_i].n1, NEWCOMBE[_i].x1);
	const struct stats_arm a = proportion(NEWCOMBE[_i].n2, NEWCOMBE[_i].x2);
	const struct stats_test t = stats_newcombe_test(&a, &b, 0.05, 0.0);
	ck_assert_double_eq_tol(t.interval.low, NEWCOMBE[_i].low, 0.00005);
	ck_assert_double_eq_tol(t.interval.high, NEWCOMBE[_i].high, 0.00005);
	/* p is the level at which the interval touches the null; ten of ten leave no room above */
	if (NEWCOMBE[_i].high < 1.0)
		assert_near(stats_newcombe_test(&a, &b, 0.05, t.upper).p_less, 0.05, 1e-9);
	assert_near(stats_newcombe_test(&a, &b, 0.05, t.lower).p_greater, 0.05, 1e-9);
	ck_assert((t.p_two < 0.05) == (t.interval.low > 0.0 || t.interval.high < 0.0));
	assert_near(t.p_greater + t.p_less, 1.0, 1e-12);
}
END_TEST

START_TEST(few_events_go_to_newcombe)
{
	const struct {
		int64_t n, y;
		enum stats_method want;
	} row[] = { { 1000, 49, STATS_METHOD_NEWCOMBE },
		    { 1000, 50, STATS_METHOD_WELCH },
		    { 1000, 950, STATS_METHOD_WELCH },
		    { 1000, 951, STATS_METHOD_NEWCOMBE },
		    { 1000, 0, STATS_METHOD_NEWCOMBE } };
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		const struct stats_sums s = events(row[i].n, row[i].y);
		ck_assert_int_eq(compare(s, s, &YES_NO, 0.0).test.method, row[i].want);
	}
	/* the smaller arm decides */
	const struct stats_comparison c =
		compare(events(100000, 5000), events(500, 25), &YES_NO, 0.0);
	ck_assert_int_eq(c.test.method, STATS_METHOD_NEWCOMBE);
}
END_TEST

START_TEST(no_events_at_all_says_so)
{
	const struct stats_comparison c = compare(events(100, 0), events(100, 0), &YES_NO, 0.0);
	ck_assert(!c.effect.known);
	assert_near(c.test.p_two, 1.0, 0);
	ck_assert(c.test.interval.low < 0.0 && c.test.interval.high > 0.0);
	ck_assert_int_eq(c.lift.shape, STATS_LIFT_ALL);
	/* five against none: Welch's variance of one arm is zero, Newcombe still answers */
	const struct stats_comparison d = compare(events(100, 0), events(100, 5), &YES_NO, 0.0);
	ck_assert_int_eq(d.test.method, STATS_METHOD_NEWCOMBE);
	ck_assert(d.test.p_two > 0.01 && d.test.p_two < 0.2);
	ck_assert(isnan(d.lift.estimate));
	ck_assert_int_ne(d.lift.shape, STATS_LIFT_BOUNDED);
}
END_TEST

START_TEST(without_data_nothing_is_significant)
{
	const struct stats_sums none = { .n = 0 };
	const struct stats_sums one = { .n = 1, .y = 5, .yy = 25 };
	const struct stats_sums flat = { .n = 10, .y = 30, .yy = 90 };
	const struct stats_sums other = { .n = 10, .y = 50, .yy = 250 };
	const struct stats_comparison c[] = { compare(none, none, &YES_NO, 0.0),
					      compare(none, one, &COUNT, 0.0),
					      compare(one, flat, &COUNT, 0.0),
					      compare(flat, other, &COUNT, 0.0) };
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		ck_assert_int_eq(c[i].test.method, STATS_METHOD_NONE);
		assert_near(c[i].test.p_two, 1.0, 0);
		assert_near(c[i].test.p_less, 1.0, 0);
		assert_near(c[i].test.interval.low, -INFINITY, 0);
		assert_near(c[i].test.upper, INFINITY, 0);
		ck_assert_int_eq(c[i].lift.shape, STATS_LIFT_ALL);
	}
}
END_TEST

/* (mB - r mA)^2 - c^2 (vB/nB + r^2 vA/nA), scaled: zero at the ends of Fieller's set. */
static double
fieller_residual(const struct stats_arm *a, const struct stats_arm *b, double c, double lift)
{
	const double r = a->mean < 0.0 ? 1.0 - lift : 1.0 + lift;
	const double d = b->mean - r * a->mean;
	const double limit = c * c * (b->var / (double)b->n + r * r * a->var / (double)a->n);
	return (d * d - limit) / limit;
}

START_TEST(fieller_satisfies_its_equation)
{
	const struct {
		struct stats_arm a, b;
		enum stats_lift_shape want;
	} row[] = {
		{ { 20000, 0.05, 0.0475, true },
		  { 20150, 0.0547, 0.0517, true },
		  STATS_LIFT_BOUNDED },
		{ { 500, -5.0, 15.0, true }, { 520, -4.5, 16.0, true }, STATS_LIFT_BOUNDED },
		{ { 100, 0.1, 4.0, true }, { 100, 2.0, 4.0, true }, STATS_LIFT_OUTSIDE },
		{ { 100, -0.1, 4.0, true }, { 100, 2.0, 4.0, true }, STATS_LIFT_OUTSIDE },
		{ { 100, 0.1, 4.0, true }, { 100, 0.1, 4.0, true }, STATS_LIFT_ALL },
	};
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		const struct stats_lift lift = stats_lift_fieller(&row[i].a, &row[i].b, 1.96);
		ck_assert_msg(lift.shape == row[i].want, "row %zu: shape %d", i, (int)lift.shape);
		ck_assert(lift.low <= lift.high);
		if (lift.shape == STATS_LIFT_ALL)
			continue;
		ck_assert_double_eq_tol(fieller_residual(&row[i].a, &row[i].b, 1.96, lift.low), 0.0,
					1e-9);
		ck_assert_double_eq_tol(fieller_residual(&row[i].a, &row[i].b, 1.96, lift.high),
					0.0, 1e-9);
		const bool between = lift.low < lift.estimate && lift.estimate < lift.high;
		ck_assert(between == (lift.shape == STATS_LIFT_BOUNDED));
	}
}
END_TEST

START_TEST(fieller_turns_with_a_negative_baseline)
{
	const struct stats_arm a = { 500, -5.0, 15.0, true };
	const struct stats_arm better = { 520, -4.5, 16.0, true };
	const struct stats_lift lift = stats_lift_fieller(&a, &better, 1.96);
	assert_near(lift.estimate, 0.1, 1e-12);
	ck_assert(lift.low > 0.0 && lift.high < 0.3);
}
END_TEST

START_TEST(a_bad_alpha_is_refused)
{
	const double bad[] = { 0.0, -0.05, 0.5, 1.0, (double)NAN };
	const struct stats_sums s = events(1000, 100);
	struct stats_comparison c;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(stats_compare(&s, &s, &YES_NO, bad[i], 0.0, &c, NULL),
				 ERR_INVALID);
	ck_assert_int_eq(stats_compare(&s, &s, &YES_NO, 0.05, (double)NAN, &c, NULL), ERR_INVALID);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("stats/compare");
	TCase *t = tcase_create("all");
	tcase_add_test(t, welch_on_a_large_proportion);
	tcase_add_test(t, bounds_and_p_agree);
	tcase_add_test(t, a_tiny_p_is_not_zero);
	tcase_add_loop_test(t, newcombe_published, 0, ARRAY_LEN(NEWCOMBE));
	tcase_add_test(t, few_events_go_to_newcombe);
	tcase_add_test(t, no_events_at_all_says_so);
	tcase_add_test(t, without_data_nothing_is_significant);
	tcase_add_test(t, fieller_satisfies_its_equation);
	tcase_add_test(t, fieller_turns_with_a_negative_baseline);
	tcase_add_test(t, a_bad_alpha_is_refused);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
