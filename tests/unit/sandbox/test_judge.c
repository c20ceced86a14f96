/*
 * test_judge.c — from sums to the verdict: the manifest becomes the frozen rule, the end is found, health blocks, harm stops, and a look
 * before the end shows nothing that tempts to stop.
 */
#include <string.h>

#include "base/buf.h"
#include "sandbox/experiment/internal.h"
#include "tests/support/unit.h"

static struct feature_manifest manifest;
static struct judge judge;

/* Two arms of n units each; won and complained of each. */
static void
make(int64_t n, int64_t won_control, int64_t won_treatment, int64_t bad_control,
     int64_t bad_treatment)
{
	const int64_t sums[2][2] = { { won_control, won_treatment },
				     { bad_control, bad_treatment } };

	manifest = (struct feature_manifest) {
		.slug = "advice",
		.variations = { "control", "treatment" },
		.weights = { 0.5, 0.5 },
		.n_variations = 2,
		.planned_units = 2000,
		.alpha = 0.05,
		.minimum_effect = 0.01,
		.primary = { .name = "won",
			     .kind = FEATURE_PROPORTION,
			     .direction = FEATURE_INCREASE },
		.guardrails = { { .name = "complaints",
				  .kind = FEATURE_PROPORTION,
				  .direction = FEATURE_DECREASE,
				  .margin = 0.05 } },
		.n_guardrails = 1,
	};
	memset(&judge, 0, sizeof(judge));
	judge.manifest = &manifest;
	judge.slug = "advice";
	judge.package_sha256 = judge.rule_sha256 = judge.as_of = judge.lsn = "";
	judge.is_settled = true;
	for (size_t arm = 0; arm < 2; arm++) {
		judge.units[arm] = n;
		for (size_t i = 0; i < 2; i++)
			judge.sums[i][arm] = (struct stats_sums) { .n = n,
								   .y = sums[i][arm],
								   .yy = sums[i][arm] };
	}
}

static void
decide(void)
{
	struct err_info info = { .code = ERR_OK };
	ck_assert_msg(judge_decide(&judge, &info) == ERR_OK, "%s", info.msg);
}

static const struct {
	const char *what;
	int64_t n, won[2], bad[2];
	bool time_is_over, is_stopped, unsettled, changed;
	const char *stop; /* NULL: goes on */
	enum stats_outcome outcome;
} rows[] = {
	{ "effect at the planned units",
	  1000,
	  { 200, 300 },
	  { 20, 20 },
	  false,
	  false,
	  false,
	  false,
	  "planned_units",
	  STATS_PROVEN },
	{ "effect at the planned time",
	  400,
	  { 80, 160 },
	  { 8, 8 },
	  true,
	  false,
	  false,
	  false,
	  "planned_time",
	  STATS_PROVEN },
	{ "effect before the end",
	  400,
	  { 80, 160 },
	  { 8, 8 },
	  false,
	  false,
	  false,
	  false,
	  NULL,
	  STATS_INCONCLUSIVE },
	{ "the end, but not all is folded",
	  1000,
	  { 200, 300 },
	  { 20, 20 },
	  false,
	  false,
	  true,
	  false,
	  NULL,
	  STATS_INCONCLUSIVE },
	{ "no effect",
	  1000,
	  { 200, 200 },
	  { 20, 20 },
	  false,
	  false,
	  false,
	  false,
	  "planned_units",
	  STATS_INCONCLUSIVE },
	{ "worse",
	  1000,
	  { 300, 200 },
	  { 20, 20 },
	  false,
	  false,
	  false,
	  false,
	  "planned_units",
	  STATS_DISPROVEN },
	{ "harm long before the end",
	  300,
	  { 60, 200 },
	  { 6, 150 },
	  false,
	  false,
	  false,
	  false,
	  "harm",
	  STATS_DISPROVEN },
	{ "a little more of the bad is no harm",
	  300,
	  { 60, 60 },
	  { 6, 9 },
	  false,
	  false,
	  false,
	  false,
	  NULL,
	  STATS_INCONCLUSIVE },
	{ "stopped",
	  300,
	  { 60, 200 },
	  { 6, 6 },
	  false,
	  true,
	  false,
	  false,
	  "stopped",
	  STATS_INCONCLUSIVE },
	{ "not what was frozen",
	  1000,
	  { 200, 300 },
	  { 20, 20 },
	  false,
	  false,
	  false,
	  true,
	  "planned_units",
	  STATS_INVALID },
	{ "nobody came",
	  0,
	  { 0, 0 },
	  { 0, 0 },
	  true,
	  false,
	  false,
	  false,
	  "planned_time",
	  STATS_INCONCLUSIVE },
};

START_TEST(test_rows)
{
	make(rows[_i].n, rows[_i].won[0], rows[_i].won[1], rows[_i].bad[0], rows[_i].bad[1]);
	judge.time_is_over = rows[_i].time_is_over;
	judge.is_stopped = rows[_i].is_stopped;
	judge.is_settled = !rows[_i].unsettled;
	judge.definition_changed = rows[_i].changed;
	for (int twice = 0; twice < 2; twice++) {
		decide();
		ck_assert_msg(
			(judge.stop == NULL) == (rows[_i].stop == NULL) &&
				(judge.stop == NULL || strcmp(judge.stop, rows[_i].stop) == 0),
			"%s: %s", rows[_i].what, judge.stop != NULL ? judge.stop : "goes on");
		ck_assert_msg(judge.decided == (rows[_i].stop != NULL), "%s", rows[_i].what);
		ck_assert_msg(judge.verdict.outcome == rows[_i].outcome, "%s: %s", rows[_i].what,
			      stats_outcome_name(judge.verdict.outcome));
	}
}
END_TEST

START_TEST(test_sample_ratio)
{
	make(1000, 200, 300, 20, 20);
	judge.units[1] = 700;
	decide();
	ck_assert(judge.srm.failed);
	ck_assert_int_eq(judge.verdict.outcome, STATS_INVALID);
}
END_TEST

/* A guardrail must hold in every treatment, and each is compared with the control. */
START_TEST(test_three_arms)
{
	make(1000, 200, 300, 20, 20);
	manifest.n_variations = 3;
	manifest.variations[2] = "other";
	manifest.weights[0] = manifest.weights[1] = manifest.weights[2] = 1.0 / 3;
	judge.units[2] = 1000;
	judge.sums[0][2] = (struct stats_sums) { .n = 1000, .y = 200, .yy = 200 };
	judge.sums[1][2] = (struct stats_sums) { .n = 1000, .y = 20, .yy = 20 };
	decide();
	ck_assert_uint_eq(judge.rule.metrics, 4);
	ck_assert_int_eq(judge.verdict.outcome, STATS_PROVEN);
	judge.sums[1][2].y = judge.sums[1][2].yy = 200;
	decide();
	ck_assert_int_eq(judge.verdict.outcome, STATS_DISPROVEN);
	ck_assert_str_eq(judge.stop, "harm");
}
END_TEST

START_TEST(test_text)
{
	struct buf b;

	make(400, 80, 160, 8, 8);
	decide();
	buf_init(&b, 64 * 1024);
	judge_result_json(&judge, &b);
	/* The primary metric's p and interval are not for the eyes of those who could stop. */
	ck_assert_ptr_null(strstr(buf_cstr(&b), "\"p\":0"));
	ck_assert_ptr_null(strstr(buf_cstr(&b), "\"lift\""));
	ck_assert_ptr_nonnull(strstr(
		buf_cstr(&b), "\"won\":{\"control\":{\"n\":400,\"y\":\"80\",\"yy\":\"80\"}"));
	judge.time_is_over = true;
	decide();
	buf_reset(&b);
	judge_evidence_json(&judge, &b);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "\"verdict\":\"proven\""));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "\"lift\""));
	/* The same sums give the same bytes. */
	struct buf again;
	buf_init(&again, 64 * 1024);
	decide();
	judge_evidence_json(&judge, &again);
	ck_assert(str_eq(buf_str(&b), buf_str(&again)));
	buf_free(&b);
	buf_free(&again);
}
END_TEST

START_TEST(test_sums_that_cannot_be)
{
	struct err_info info = { .code = ERR_OK };

	make(100, 10, 10, 1, 1);
	judge.sums[0][1].yy = 11;
	ck_assert_int_eq(judge_decide(&judge, &info), ERR_INVALID);
}
END_TEST

static Suite *
judge_suite(void)
{
	Suite *s = suite_create("sandbox judge");
	TCase *c = tcase_create("judge");
	tcase_add_loop_test(c, test_rows, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(c, test_sample_ratio);
	tcase_add_test(c, test_three_arms);
	tcase_add_test(c, test_text);
	tcase_add_test(c, test_sums_that_cannot_be);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(judge_suite)
