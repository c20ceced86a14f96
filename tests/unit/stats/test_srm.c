/*
 * test_srm.c — sample ratio check: reference values, arms without weight, too few units, bad input.
 */
#include "stats/srm.h"

#include "tests/support/unit.h"
#include "tests/unit/stats/near.h"

/* clang-format off: a table */
static const struct {
	const char *what;
	size_t arms;
	int64_t units[4];
	double weights[4];
	double chi2, p;
	int dof;
	bool stray, failed;
} ROW[] = {
	{ "as promised", 3, { 1000, 1000, 2000 }, { 0.25, 0.25, 0.5 }, 0.0, 1.0, 2, false, false },
	{ "off",
	  2,
	  { 10000, 10500 },
	  { 0.5, 0.5 },
	  12.195121951219512,
	  0.000479146434587301,
	  1,
	  false,
	  true },
	{ "90/10", 2, { 9120, 880 }, { 90, 10 }, 16.0, 6.33424836662399e-05, 1, false, true },
	{ "arm without weight",
	  3,
	  { 10000, 0, 10500 },
	  { 1, 0, 1 },
	  12.195121951219512,
	  0.000479146434587301,
	  1,
	  false,
	  true },
	{ "stray units", 3, { 1000, 3, 1000 }, { 1, 0, 1 }, 0.0, 0.0, 1, true, true },
	{ "an arm that gets nothing",
	  2,
	  { 100, 0 },
	  { 1, 1 },
	  100.0,
	  1.523970604832e-23,
	  1,
	  false,
	  true },
	{ "too few to tell", 2, { 15, 0 }, { 1, 1 }, 15.0, 0.000107511177, 1, false, false },
	{ "no units", 2, { 0, 0 }, { 1, 1 }, 0.0, 1.0, 1, false, false },
	{ "one live arm", 2, { 50, 0 }, { 1, 0 }, 0.0, 1.0, 0, false, false },
};
/* clang-format on */

START_TEST(rows)
{
	struct stats_srm s;
	ck_assert_int_eq(stats_srm_check(ROW[_i].units, ROW[_i].weights, ROW[_i].arms, &s, NULL),
			 ERR_OK);
	ck_assert_msg(is_near(s.chi2, ROW[_i].chi2, 1e-12), "%s: chi2 %.15g", ROW[_i].what, s.chi2);
	ck_assert_msg(is_near(s.p, ROW[_i].p, 1e-8), "%s: p %.15g", ROW[_i].what, s.p);
	ck_assert_msg(s.dof == ROW[_i].dof, "%s: dof %d", ROW[_i].what, s.dof);
	ck_assert_msg(s.stray == ROW[_i].stray, "%s: stray", ROW[_i].what);
	ck_assert_msg(s.failed == ROW[_i].failed, "%s: failed", ROW[_i].what);
}
END_TEST

START_TEST(bad_input_is_refused)
{
	const int64_t good[] = { 10, 10 };
	const int64_t negative[] = { 10, -1 };
	const double even[] = { 1, 1 };
	const double zero[] = { 0, 0 };
	const double minus[] = { 1, -1 };
	const double nan[] = { 1, (double)NAN };
	const double vanishing[] = { 1, 1e-13 };
	struct stats_srm s;
	ck_assert_int_eq(stats_srm_check(good, even, 0, &s, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_srm_check(good, even, STATS_ARMS_MAX + 1, &s, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_srm_check(negative, even, 2, &s, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_srm_check(good, zero, 2, &s, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_srm_check(good, minus, 2, &s, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_srm_check(good, nan, 2, &s, NULL), ERR_INVALID);
	ck_assert_int_eq(stats_srm_check(good, vanishing, 2, &s, NULL), ERR_INVALID);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("stats/srm");
	TCase *t = tcase_create("all");
	tcase_add_loop_test(t, rows, 0, ARRAY_LEN(ROW));
	tcase_add_test(t, bad_input_is_refused);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
