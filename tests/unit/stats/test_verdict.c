/*
 * test_verdict.c — the rule: every outcome, the order of judgement, directions, alphas, and from
 * sums to a verdict.
 */
#include "stats/verdict.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/stats/near.h"

/* 0: conversion up by at least 0.02. 1: complaints, less is better, may rise by 0.01. */
static const struct stats_rule RULE = {
	.alpha = 0.05,
	.planned_n = 10000,
	.metrics = 2,
	.metric = { { .role = STATS_SUCCESS,
		      .direction = STATS_MORE_IS_BETTER,
		      .min_effect = 0.02 },
		    { .role = STATS_GUARDRAIL,
		      .direction = STATS_LESS_IS_BETTER,
		      .margin = 0.01 } },
};

/* clang-format off: tables */
#define BETTER                                                                                     \
	{                                                                                          \
		true, 0.03, 0.01, 0.05, 1.0                                                        \
	}
#define UNCLEAR                                                                                    \
	{                                                                                          \
		true, 0.01, -0.01, 0.03, 0.8                                                       \
	}
#define SMALL                                                                                      \
	{                                                                                          \
		true, 0.00, -0.01, 0.015, 0.5                                                      \
	}
#define SMALL_BETTER                                                                               \
	{                                                                                          \
		true, 0.01, 0.005, 0.015, 0.99                                                     \
	}
#define WORSE                                                                                      \
	{                                                                                          \
		true, -0.03, -0.05, -0.01, 0.001                                                   \
	}
#define UNKNOWN                                                                                    \
	{                                                                                          \
		false, 0.0, -INFINITY, INFINITY, 1.0                                               \
	}
#define SAFE                                                                                       \
	{                                                                                          \
		true, 0.0, -0.005, 0.02, 1.0                                                       \
	}
#define UNSAFE                                                                                     \
	{                                                                                          \
		true, 0.0, -0.02, 0.02, 1.0                                                        \
	}
#define HARMED                                                                                     \
	{                                                                                          \
		true, -0.02, -0.03, -0.004, 0.01                                                   \
	}
#define SLIGHT_HARM                                                                                \
	{                                                                                          \
		true, -0.004, -0.008, -0.001, 0.01                                                 \
	}

static const struct {
	const char *what;
	struct stats_metric_result result[2];
	unsigned health;
	bool ended, harm_stopped;
	enum stats_outcome want;
	const char *reasons; /* "name:metric name:metric …" */
} ROW[] = {
	{ "proven",
	  { BETTER, SAFE },
	  0,
	  true,
	  false,
	  STATS_PROVEN,
	  "success_superior:0 guardrail_noninferior:1 " },
	{ "not yet",
	  { BETTER, SAFE },
	  0,
	  false,
	  false,
	  STATS_INCONCLUSIVE,
	  "planned_end_not_reached:-1 " },
	{ "unclear",
	  { UNCLEAR, SAFE },
	  0,
	  true,
	  false,
	  STATS_INCONCLUSIVE,
	  "success_not_superior:0 guardrail_noninferior:1 " },
	{ "too small",
	  { SMALL, SAFE },
	  0,
	  true,
	  false,
	  STATS_DISPROVEN,
	  "success_not_superior:0 minimum_effect_excluded:0 guardrail_noninferior:1 " },
	{ "better but too small",
	  { SMALL_BETTER, SAFE },
	  0,
	  true,
	  false,
	  STATS_DISPROVEN,
	  "success_superior:0 minimum_effect_excluded:0 guardrail_noninferior:1 " },
	{ "too small is not final before the end",
	  { SMALL, SAFE },
	  0,
	  false,
	  false,
	  STATS_INCONCLUSIVE,
	  "planned_end_not_reached:-1 " },
	{ "worse",
	  { WORSE, SAFE },
	  0,
	  true,
	  false,
	  STATS_DISPROVEN,
	  "metric_deteriorated:0 success_not_superior:0 minimum_effect_excluded:0 "
	  "guardrail_noninferior:1 " },
	{ "worse is not final before the end",
	  { WORSE, SAFE },
	  0,
	  false,
	  false,
	  STATS_INCONCLUSIVE,
	  "planned_end_not_reached:-1 " },
	{ "guardrail not passed",
	  { BETTER, UNSAFE },
	  0,
	  true,
	  false,
	  STATS_INCONCLUSIVE,
	  "success_superior:0 guardrail_not_noninferior:1 " },
	{ "guardrail harmed",
	  { BETTER, HARMED },
	  0,
	  true,
	  false,
	  STATS_DISPROVEN,
	  "success_superior:0 metric_deteriorated:1 guardrail_not_noninferior:1 " },
	{ "harmed within the margin",
	  { BETTER, SLIGHT_HARM },
	  0,
	  true,
	  false,
	  STATS_DISPROVEN,
	  "success_superior:0 metric_deteriorated:1 guardrail_noninferior:1 " },
	{ "guardrail harmed early",
	  { BETTER, HARMED },
	  0,
	  false,
	  false,
	  STATS_DISPROVEN,
	  "planned_end_not_reached:-1 metric_deteriorated:1 " },
	{ "harm stop stays",
	  { BETTER, SAFE },
	  0,
	  false,
	  true,
	  STATS_DISPROVEN,
	  "harm_stop:-1 planned_end_not_reached:-1 " },
	{ "harm stop in the first cycle",
	  { UNKNOWN, HARMED },
	  STATS_HEALTH_CYCLE,
	  false,
	  true,
	  STATS_DISPROVEN,
	  "health_cycle_not_complete:-1 harm_stop:-1 planned_end_not_reached:-1 "
	  "metric_without_data:0 "
	  "metric_deteriorated:1 " },
	{ "short cycle at the end",
	  { BETTER, SAFE },
	  STATS_HEALTH_CYCLE,
	  true,
	  false,
	  STATS_INVALID,
	  "health_cycle_not_complete:-1 success_superior:0 guardrail_noninferior:1 " },
	{ "health before harm",
	  { BETTER, HARMED },
	  STATS_HEALTH_RATIO,
	  false,
	  true,
	  STATS_INVALID,
	  "health_sample_ratio_mismatch:-1 harm_stop:-1 planned_end_not_reached:-1 "
	  "metric_deteriorated:1 " },
	{ "health before proof",
	  { BETTER, SAFE },
	  STATS_HEALTH_LAG | STATS_HEALTH_METRIC,
	  true,
	  false,
	  STATS_INVALID,
	  "health_replication_lag:-1 health_metric_changed:-1 success_superior:0 "
	  "guardrail_noninferior:1 " },
	{ "no data for success",
	  { UNKNOWN, SAFE },
	  0,
	  true,
	  false,
	  STATS_INCONCLUSIVE,
	  "metric_without_data:0 guardrail_noninferior:1 " },
	{ "no data for the guardrail",
	  { BETTER, UNKNOWN },
	  0,
	  true,
	  false,
	  STATS_INCONCLUSIVE,
	  "success_superior:0 metric_without_data:1 " },
};

/* clang-format on */

static void
list_reasons(const struct stats_verdict *v, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < v->reasons && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s:%d ",
					 stats_reason_name(v->reason[i].code), v->reason[i].metric);
}

START_TEST(outcomes)
{
	const struct stats_verdict_input in = { .health_failed = ROW[_i].health,
						.ended = ROW[_i].ended,
						.harm_stopped = ROW[_i].harm_stopped,
						.result = ROW[_i].result };
	struct stats_verdict v;
	struct err_info info = { 0 };
	char text[1024];
	ck_assert_msg(stats_verdict_decide(&RULE, &in, &v, &info) == ERR_OK, "%s: %s", ROW[_i].what,
		      info.msg);
	ck_assert_msg(v.outcome == ROW[_i].want, "%s: %s", ROW[_i].what,
		      stats_outcome_name(v.outcome));
	list_reasons(&v, text, sizeof(text));
	ck_assert_msg(strcmp(text, ROW[_i].reasons) == 0, "%s: %s", ROW[_i].what, text);
}
END_TEST

START_TEST(one_of_two_success_metrics_is_enough)
{
	struct stats_rule rule = RULE;
	rule.metric[1] = rule.metric[0];
	const struct stats_metric_result mixed[2] = { SMALL, BETTER };
	const struct stats_metric_result open[2] = { SMALL, UNCLEAR };
	const struct stats_metric_result hurt[2] = { WORSE, BETTER };
	const struct stats_metric_result trifle[2] = { SMALL_BETTER, UNCLEAR };
	struct stats_verdict_input in = { .ended = true, .result = mixed };
	struct stats_verdict v;
	ck_assert_int_eq(stats_verdict_decide(&rule, &in, &v, NULL), ERR_OK);
	ck_assert_int_eq(v.outcome, STATS_PROVEN);
	in.result = open;
	ck_assert_int_eq(stats_verdict_decide(&rule, &in, &v, NULL), ERR_OK);
	ck_assert_int_eq(v.outcome, STATS_INCONCLUSIVE);
	in.result = trifle;
	ck_assert_int_eq(stats_verdict_decide(&rule, &in, &v, NULL), ERR_OK);
	ck_assert_int_eq(v.outcome, STATS_INCONCLUSIVE);
	in.result = hurt;
	ck_assert_int_eq(stats_verdict_decide(&rule, &in, &v, NULL), ERR_OK);
	ck_assert_int_eq(v.outcome, STATS_DISPROVEN);
}
END_TEST

START_TEST(alpha_is_shared)
{
	struct stats_rule rule = RULE;
	struct stats_alphas a = stats_rule_alphas(&rule);
	assert_near(a.success, 0.05, 0);
	assert_near(a.deterioration, 0.05, 0);
	rule.metrics = 5;
	rule.metric[2] = rule.metric[0];
	rule.metric[3] = rule.metric[1];
	rule.metric[4] = rule.metric[1];
	a = stats_rule_alphas(&rule);
	assert_near(a.success, 0.025, 1e-15);
	assert_near(a.noninferior, 0.05, 0);
	assert_near(a.deterioration, 0.05 / 3.0, 1e-15);
}
END_TEST

START_TEST(all_reasons_fit)
{
	struct stats_rule rule = { .alpha = 0.05, .planned_n = 100, .metrics = STATS_METRICS_MAX };
	struct stats_metric_result result[STATS_METRICS_MAX];
	for (size_t i = 0; i < STATS_METRICS_MAX; i++) {
		rule.metric[i] = RULE.metric[0];
		result[i] = (struct stats_metric_result)WORSE;
	}
	const struct stats_verdict_input in = { .health_failed = STATS_HEALTH_ALL,
						.ended = true,
						.harm_stopped = true,
						.result = result };
	struct stats_verdict v;
	ck_assert_int_eq(stats_verdict_decide(&rule, &in, &v, NULL), ERR_OK);
	ck_assert_uint_eq(v.reasons, 6 + 1 + 3 * STATS_METRICS_MAX);
}
END_TEST

static struct stats_sums
events(int64_t n, int64_t y)
{
	return (struct stats_sums) { .n = n, .y = y, .yy = y };
}

static enum stats_outcome
from_sums(int64_t won_b, int64_t complaints_b, struct stats_metric_result result[2])
{
	const struct stats_measure yes_no = { .kind = STATS_PROPORTION, .scale = 1 };
	const struct stats_alphas alphas = stats_rule_alphas(&RULE);
	const struct stats_sums won[2] = { events(5000, 500), events(5000, won_b) };
	const struct stats_sums complaints[2] = { events(5000, 250), events(5000, complaints_b) };
	struct stats_comparison c;
	struct stats_verdict v;
	ck_assert_int_eq(stats_compare(&won[0], &won[1], &yes_no, alphas.success, 0.0, &c, NULL),
			 ERR_OK);
	result[0] = stats_success_judge(&RULE.metric[0], &c);
	ck_assert_int_eq(stats_compare(&complaints[0], &complaints[1], &yes_no, alphas.noninferior,
				       0.0, &c, NULL),
			 ERR_OK);
	ck_assert_int_eq(stats_guardrail_judge(&RULE, 1, &c, true, &result[1], NULL), ERR_OK);
	const struct stats_verdict_input in = { .ended = true, .result = result };
	ck_assert_int_eq(stats_verdict_decide(&RULE, &in, &v, NULL), ERR_OK);
	return v.outcome;
}

START_TEST(from_sums_to_a_verdict)
{
	struct stats_metric_result r[2];
	ck_assert_int_eq(from_sums(650, 245, r), STATS_PROVEN);
	assert_near(r[0].benefit, 0.03, 1e-12);
	assert_near(r[1].benefit, 0.001, 1e-10); /* fewer complaints are a benefit */
	ck_assert(!stats_guardrail_harmed(&r[1]));
	ck_assert_int_eq(from_sums(500, 250, r),
			 STATS_DISPROVEN); /* A/A with power to exclude 2 points */
	ck_assert_int_eq(from_sums(560, 250, r), STATS_INCONCLUSIVE);
	ck_assert_int_eq(from_sums(650, 400, r), STATS_DISPROVEN);
	ck_assert(stats_guardrail_harmed(&r[1]));
	ck_assert(r[1].p_harm < 0.05 && r[1].benefit < 0.0);
}
END_TEST

START_TEST(before_the_end_a_guardrail_passes_only_by_its_sequence)
{
	const struct stats_measure yes_no = { .kind = STATS_PROPORTION, .scale = 1 };
	const struct stats_sums a = events(5000, 250);
	struct stats_comparison c;
	struct stats_metric_result early;
	struct stats_metric_result late;
	ck_assert_int_eq(stats_compare(&a, &a, &yes_no, 0.05, 0.0, &c, NULL), ERR_OK);
	ck_assert_int_eq(stats_guardrail_judge(&RULE, 1, &c, false, &early, NULL), ERR_OK);
	ck_assert_int_eq(stats_guardrail_judge(&RULE, 1, &c, true, &late, NULL), ERR_OK);
	ck_assert(early.low < late.low);
	assert_near(early.high, late.high, 0);
	struct err_info info = { 0 };
	ck_assert_int_eq(stats_guardrail_judge(&RULE, 0, &c, true, &late, &info), ERR_INVALID);
	ck_assert_int_eq(stats_guardrail_judge(&RULE, 2, &c, true, &late, NULL), ERR_INVALID);
}
END_TEST

START_TEST(a_handful_of_units_is_no_harm)
{
	const struct stats_measure count = { .kind = STATS_MEAN, .scale = 1 };
	struct stats_rule rule = RULE;
	rule.planned_n = 40;
	for (int64_t n = STATS_SEQUENCE_UNITS_MIN - 2; n <= STATS_SEQUENCE_UNITS_MIN; n += 2) {
		/* control: half 0 and half 1; treatment: half 9 and half 10 complaints */
		const struct stats_sums a = { .n = n, .y = n / 2, .yy = n / 2 };
		const struct stats_sums b = { .n = n, .y = 19 * (n / 2), .yy = 181 * (n / 2) };
		struct stats_comparison c;
		struct stats_metric_result r;
		ck_assert_int_eq(stats_compare(&a, &b, &count, 0.05, 0.0, &c, NULL), ERR_OK);
		ck_assert_int_eq(stats_guardrail_judge(&rule, 1, &c, false, &r, NULL), ERR_OK);
		ck_assert(stats_guardrail_harmed(&r) == (n == STATS_SEQUENCE_UNITS_MIN));
	}
}
END_TEST

START_TEST(bad_rules_are_refused_with_their_place)
{
	const struct {
		const char *place;
		struct stats_rule rule;
	} row[] = {
		{ "/alpha", { 0.0, 100, 1, { RULE.metric[0] } } },
		{ "/alpha", { (double)NAN, 100, 1, { RULE.metric[0] } } },
		{ "/planned_n", { 0.05, 0, 1, { RULE.metric[0] } } },
		{ "/metrics", { 0.05, 100, 0, { RULE.metric[0] } } },
		{ "/metrics", { 0.05, 100, STATS_METRICS_MAX + 1, { RULE.metric[0] } } },
		{ "/metrics", { 0.05, 100, 1, { RULE.metric[1] } } },
		{ "/metrics/0/min_effect",
		  { 0.05, 100, 1, { { STATS_SUCCESS, STATS_MORE_IS_BETTER, 0, 0 } } } },
		{ "/metrics/0/direction",
		  { 0.05, 100, 1, { { STATS_SUCCESS, (enum stats_direction)0, 1, 0 } } } },
		{ "/metrics/1/margin",
		  { 0.05,
		    100,
		    2,
		    { RULE.metric[0], { STATS_GUARDRAIL, STATS_LESS_IS_BETTER, 0, -0.1 } } } },
	};
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct err_info info = { 0 };
		ck_assert_int_eq(stats_rule_check(&row[i].rule, &info), ERR_INVALID);
		ck_assert_str_eq(info.field, row[i].place);
	}
	ck_assert_int_eq(stats_rule_check(&RULE, NULL), ERR_OK);
}
END_TEST

START_TEST(bad_results_are_refused)
{
	const struct stats_metric_result nan[2] = { { true, 0.0, (double)NAN, 1.0, 1.0 }, SAFE };
	const struct stats_metric_result crossed[2] = { { true, 0.0, 1.0, -1.0, 1.0 }, SAFE };
	const struct stats_metric_result good[2] = { BETTER, SAFE };
	struct stats_verdict v;
	struct stats_verdict_input in = { .ended = true, .result = nan };
	ck_assert_int_eq(stats_verdict_decide(&RULE, &in, &v, NULL), ERR_INVALID);
	ck_assert_int_eq(v.outcome, STATS_INVALID);
	in.result = crossed;
	ck_assert_int_eq(stats_verdict_decide(&RULE, &in, &v, NULL), ERR_INVALID);
	in.result = good;
	in.health_failed = STATS_HEALTH_ALL + 1;
	ck_assert_int_eq(stats_verdict_decide(&RULE, &in, &v, NULL), ERR_INVALID);
}
END_TEST

START_TEST(every_code_has_a_name)
{
	for (int i = 0; i < STATS_REASON_COUNT; i++)
		ck_assert_ptr_nonnull(stats_reason_name((enum stats_reason_code)i));
	ck_assert_str_eq(stats_reason_name(STATS_REASON_COUNT), "unknown");
	ck_assert_str_eq(stats_outcome_name(STATS_INCONCLUSIVE), "inconclusive");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("stats/verdict");
	TCase *t = tcase_create("all");
	tcase_add_loop_test(t, outcomes, 0, ARRAY_LEN(ROW));
	tcase_add_test(t, one_of_two_success_metrics_is_enough);
	tcase_add_test(t, alpha_is_shared);
	tcase_add_test(t, all_reasons_fit);
	tcase_add_test(t, from_sums_to_a_verdict);
	tcase_add_test(t, before_the_end_a_guardrail_passes_only_by_its_sequence);
	tcase_add_test(t, a_handful_of_units_is_no_harm);
	tcase_add_test(t, bad_rules_are_refused_with_their_place);
	tcase_add_test(t, bad_results_are_refused);
	tcase_add_test(t, every_code_has_a_name);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
