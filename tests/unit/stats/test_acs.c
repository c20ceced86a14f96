/*
 * test_acs.c — confidence sequences: reference values of statistics.md, agreement of bound and p,
 * edges.
 */
#include "stats/acs.h"

#include "tests/support/unit.h"
#include "tests/unit/stats/near.h"

static struct stats_effect
absolute(int64_t na, int64_t ya, int64_t nb, int64_t yb)
{
	const double pa = (double)ya / (double)na;
	const double pb = (double)yb / (double)nb;
	const struct stats_arm a = { .n = na, .mean = pa, .var = pa * (1.0 - pa), .known = true };
	const struct stats_arm b = { .n = nb, .mean = pb, .var = pb * (1.0 - pb), .known = true };
	return stats_effect_make(&a, &b);
}

/* Relative lift by the delta method: what the reference values of the design page were made with.
 */
static struct stats_effect
relative(int64_t na, int64_t ya, int64_t nb, int64_t yb)
{
	const double pa = (double)ya / (double)na;
	const double pb = (double)yb / (double)nb;
	const double va = pa * (1.0 - pa) / (double)na;
	const double vb = pb * (1.0 - pb) / (double)nb;
	return (struct stats_effect) { .estimate = (pb - pa) / pa,
				       .se = sqrt(vb / (pa * pa) +
						  va * pb * pb / (pa * pa * pa * pa)),
				       .n = na + nb,
				       .known = true };
}

START_TEST(two_sided_reference)
{
	const struct stats_acs_plan plan = { .alpha = 0.05, .planned_n = 40000 };
	const struct stats_effect e = absolute(20000, 1000, 20150, 1203);
	struct stats_acs_two_sided s;
	ck_assert_int_eq(stats_acs_both(&e, &plan, 0.0, &s, NULL), ERR_OK);
	assert_near(s.interval.low, 0.00280693741463, 1e-11);
	assert_near(s.interval.high, 0.0165975290866, 1e-11);
	assert_near(s.p, 0.000906593666227, 1e-11);
	const struct stats_acs_plan wide = { .alpha = 0.05, .planned_n = 5000 };
	const struct stats_effect lift = relative(20000, 1000, 20150, 1203);
	ck_assert_int_eq(stats_acs_both(&lift, &wide, 0.0, &s, NULL), ERR_OK);
	assert_near(s.rho, 0.0398400667714, 1e-11);
	assert_near(s.halfwidth, 0.159628655213, 1e-11);
	assert_near(s.p, 0.00441493181128, 1e-11);
}
END_TEST

START_TEST(one_sided_reference)
{
	const struct stats_acs_plan plan = { .alpha = 0.05, .planned_n = 5000 };
	const struct stats_effect lift = relative(20000, 1000, 20150, 1153);
	struct stats_acs_one_sided s;
	ck_assert_int_eq(stats_acs_one(&lift, &plan, 0.0, &s, NULL), ERR_OK);
	assert_near(s.halfwidth, 0.142322769771, 1e-11);
	assert_near(s.p_greater, 0.0439557889681, 1e-11);
	assert_near(s.p_less, 1.0, 0);
}
END_TEST

START_TEST(bound_and_p_agree)
{
	const struct stats_acs_plan plan = { .alpha = 0.02, .planned_n = 3000 };
	const struct stats_effect e = absolute(700, 140, 810, 190);
	struct stats_acs_two_sided both;
	struct stats_acs_one_sided one;
	struct stats_acs_one_sided at;
	ck_assert_int_eq(stats_acs_both(&e, &plan, 0.0, &both, NULL), ERR_OK);
	const double low = both.interval.low;
	ck_assert_int_eq(stats_acs_both(&e, &plan, low, &both, NULL), ERR_OK);
	assert_near(both.p, 0.02, 1e-9);
	ck_assert_int_eq(stats_acs_one(&e, &plan, 0.0, &one, NULL), ERR_OK);
	ck_assert_int_eq(stats_acs_one(&e, &plan, one.lower, &at, NULL), ERR_OK);
	assert_near(at.p_greater, 0.02, 1e-9);
	ck_assert_int_eq(stats_acs_one(&e, &plan, one.upper, &at, NULL), ERR_OK);
	assert_near(at.p_less, 0.02, 1e-9);
	ck_assert_msg(one.halfwidth < both.halfwidth, "one side must cost less than two");
}
END_TEST

START_TEST(the_sequence_is_tightest_near_the_planned_n)
{
	const double factor[] = { 0.05, 1.0, 20.0 };
	double z[ARRAY_LEN(factor)];
	for (size_t i = 0; i < ARRAY_LEN(factor); i++) {
		const struct stats_acs_plan plan = { .alpha = 0.05,
						     .planned_n = 10000.0 * factor[i] };
		const struct stats_effect e = { .se = 1.0, .n = 10000, .known = true };
		struct stats_acs_two_sided s;
		ck_assert_int_eq(stats_acs_both(&e, &plan, 0.0, &s, NULL), ERR_OK);
		z[i] = s.halfwidth;
	}
	ck_assert(z[1] < z[0] && z[1] < z[2]);
	ck_assert_msg(z[1] > 1.96 && z[1] < 3.2, "multiplier %g", z[1]);
}
END_TEST

START_TEST(extremes)
{
	const struct stats_acs_plan plan = { .alpha = 0.05, .planned_n = 1000 };
	const struct stats_effect far = { .estimate = -60.0, .se = 1.0, .n = 1000, .known = true };
	const struct stats_effect none = { .n = 0 };
	struct stats_acs_one_sided one;
	struct stats_acs_two_sided both;
	ck_assert_int_eq(stats_acs_one(&far, &plan, 0.0, &one, NULL), ERR_OK);
	ck_assert(one.p_less >= 0.0 && one.p_less < 1e-300 && one.upper < 0.0);
	ck_assert_int_eq(stats_acs_one(&none, &plan, 0.0, &one, NULL), ERR_OK);
	assert_near(one.p_less, 1.0, 0);
	assert_near(one.upper, INFINITY, 0);
	ck_assert_int_eq(stats_acs_both(&none, &plan, 0.0, &both, NULL), ERR_OK);
	assert_near(both.interval.low, -INFINITY, 0);
}
END_TEST

START_TEST(a_bad_plan_is_refused)
{
	const struct stats_acs_plan bad[] = { { 0.0, 100 },         { 0.5, 100 },
					      { (double)NAN, 100 }, { 0.05, 0 },
					      { 0.05, INFINITY },   { 0.05, (double)NAN } };
	const struct stats_effect e = { .se = 1.0, .n = 10, .known = true };
	struct stats_acs_one_sided one;
	struct stats_acs_two_sided both;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_eq(stats_acs_one(&e, &bad[i], 0.0, &one, NULL), ERR_INVALID);
		ck_assert_int_eq(stats_acs_both(&e, &bad[i], 0.0, &both, NULL), ERR_INVALID);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("stats/acs");
	TCase *t = tcase_create("all");
	tcase_add_test(t, two_sided_reference);
	tcase_add_test(t, one_sided_reference);
	tcase_add_test(t, bound_and_p_agree);
	tcase_add_test(t, the_sequence_is_tightest_near_the_planned_n);
	tcase_add_test(t, extremes);
	tcase_add_test(t, a_bad_plan_is_refused);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
