/*
 * verdict.c — the frozen rule applied to computed results.
 *
 * Place in the flow: metric state -> sums -> compare/acs -> here -> the verdict's record.
 * Invariants: no clock, no I/O, no hidden state; every finding is listed as a reason, also the ones
 * that did not decide; what is unknown can neither prove nor disprove.
 */
#include "stats/verdict.h"

#include <math.h>
#include <stdio.h>

static const char *const OUTCOME_NAME[] = {
	[STATS_PROVEN] = "proven",
	[STATS_DISPROVEN] = "disproven",
	[STATS_INCONCLUSIVE] = "inconclusive",
	[STATS_INVALID] = "invalid",
};

static const char *const REASON_NAME[STATS_REASON_COUNT] = {
	[STATS_REASON_RATIO] = "health_sample_ratio_mismatch",
	[STATS_REASON_LAG] = "health_replication_lag",
	[STATS_REASON_METRIC_CHANGED] = "health_metric_changed",
	[STATS_REASON_SHORT_CYCLE] = "health_cycle_not_complete",
	[STATS_REASON_COVARIATE] = "health_covariate_imbalance",
	[STATS_REASON_ASSIGNMENT] = "health_double_assignment",
	[STATS_REASON_HARM_STOP] = "harm_stop",
	[STATS_REASON_NOT_ENDED] = "planned_end_not_reached",
	[STATS_REASON_DETERIORATED] = "metric_deteriorated",
	[STATS_REASON_EFFECT_EXCLUDED] = "minimum_effect_excluded",
	[STATS_REASON_SUPERIOR] = "success_superior",
	[STATS_REASON_NOT_SUPERIOR] = "success_not_superior",
	[STATS_REASON_NONINFERIOR] = "guardrail_noninferior",
	[STATS_REASON_NOT_NONINFERIOR] = "guardrail_not_noninferior",
	[STATS_REASON_NO_DATA] = "metric_without_data",
};

const char *
stats_outcome_name(enum stats_outcome outcome)
{
	return (size_t)outcome < ARRAY_LEN(OUTCOME_NAME) ? OUTCOME_NAME[outcome] : "unknown";
}

const char *
stats_reason_name(enum stats_reason_code code)
{
	return (size_t)code < ARRAY_LEN(REASON_NAME) ? REASON_NAME[code] : "unknown";
}

static enum err
metric_error(struct err_info *info, size_t i, const char *key, const char *what)
{
	char place[48];
	(void)snprintf(place, sizeof(place), "/metrics/%zu/%s", i, key);
	return err_set(info, ERR_INVALID, place, "%s", what);
}

static enum err
check_metric(const struct stats_metric_rule *m, size_t i, struct err_info *info)
{
	if (m->role != STATS_SUCCESS && m->role != STATS_GUARDRAIL)
		return metric_error(info, i, "role",
				    "a metric must be a success metric or a guardrail");
	if (m->direction != STATS_MORE_IS_BETTER && m->direction != STATS_LESS_IS_BETTER)
		return metric_error(info, i, "direction",
				    "a metric must say whether more or less is better");
	if (m->role == STATS_SUCCESS && !(m->min_effect > 0.0 && isfinite(m->min_effect)))
		return metric_error(info, i, "min_effect",
				    "a success metric needs a minimum effect greater than 0");
	if (m->role == STATS_GUARDRAIL && !(m->margin >= 0.0 && isfinite(m->margin)))
		return metric_error(info, i, "margin", "a guardrail needs a margin of 0 or more");
	return ERR_OK;
}

enum err
stats_rule_check(const struct stats_rule *rule, struct err_info *info)
{
	if (!(rule->alpha > 0.0 && rule->alpha < 0.5))
		return err_set(info, ERR_INVALID, "/alpha", "alpha %g is not between 0 and 0.5",
			       rule->alpha);
	if (!(rule->planned_n >= 1.0 && rule->planned_n <= 2.0 * (double)STATS_UNITS_MAX))
		return err_set(info, ERR_INVALID, "/planned_n",
			       "the planned number of units %g is not 1 or more", rule->planned_n);
	if (rule->metrics < 1 || rule->metrics > STATS_METRICS_MAX)
		return err_set(info, ERR_INVALID, "/metrics",
			       "the number of metrics %zu is not 1 to %d", rule->metrics,
			       STATS_METRICS_MAX);
	bool success = false;
	for (size_t i = 0; i < rule->metrics; i++) {
		const enum err e = check_metric(&rule->metric[i], i, info);
		if (e != ERR_OK)
			return e;
		success = success || rule->metric[i].role == STATS_SUCCESS;
	}
	if (!success)
		return err_set(info, ERR_INVALID, "/metrics", "the rule has no success metric");
	return ERR_OK;
}

struct stats_alphas
stats_rule_alphas(const struct stats_rule *rule)
{
	size_t success = 0;
	for (size_t i = 0; i < rule->metrics; i++)
		success += rule->metric[i].role == STATS_SUCCESS ? 1 : 0;
	const size_t guardrails = rule->metrics - success;
	return (struct stats_alphas) {
		.success = rule->alpha / (double)MAX(success, 1),
		.noninferior = rule->alpha,
		.deterioration = rule->alpha / (double)MAX(guardrails, 1),
	};
}

struct stats_metric_result
stats_success_judge(const struct stats_metric_rule *metric,
		    const struct stats_comparison *comparison)
{
	const struct stats_test *t = &comparison->test;
	const double difference = comparison->treatment.mean - comparison->control.mean;
	const bool up = metric->direction == STATS_MORE_IS_BETTER;
	const bool known = t->method != STATS_METHOD_NONE;
	return (struct stats_metric_result) {
		.known = known,
		.benefit = !known ? 0.0
			   : up   ? difference
				  : -difference,
		.low = up ? t->interval.low : -t->interval.high,
		.high = up ? t->interval.high : -t->interval.low,
		.p_harm = up ? t->p_less : t->p_greater,
	};
}

enum err
stats_guardrail_judge(const struct stats_rule *rule, size_t metric,
		      const struct stats_comparison *comparison, bool planned_end,
		      struct stats_metric_result *out, struct err_info *info)
{
	*out = (struct stats_metric_result) { .low = -INFINITY, .high = INFINITY, .p_harm = 1.0 };
	if (metric >= rule->metrics || rule->metric[metric].role != STATS_GUARDRAIL)
		return err_set(info, ERR_INVALID, "/metrics", "metric %zu is not a guardrail",
			       metric);
	const struct stats_alphas alphas = stats_rule_alphas(rule);
	const struct stats_acs_plan harm_plan = { .alpha = alphas.deterioration,
						  .planned_n = rule->planned_n };
	const struct stats_acs_plan pass_plan = { .alpha = alphas.noninferior,
						  .planned_n = rule->planned_n };
	struct stats_acs_one_sided harm;
	struct stats_acs_one_sided pass;
	struct stats_effect effect = comparison->effect;
	if (MIN(comparison->control.n, comparison->treatment.n) < STATS_SEQUENCE_UNITS_MIN)
		effect.known = false;
	enum err e = stats_acs_one(&effect, &harm_plan, 0.0, &harm, info);
	if (e == ERR_OK)
		e = stats_acs_one(&effect, &pass_plan, 0.0, &pass, info);
	if (e != ERR_OK)
		return e;
	const struct stats_test *t = &comparison->test;
	const bool up = rule->metric[metric].direction == STATS_MORE_IS_BETTER;
	const double difference = comparison->treatment.mean - comparison->control.mean;
	const double lower = planned_end ? t->lower : pass.lower;
	const double upper = planned_end ? t->upper : pass.upper;
	out->known = t->method != STATS_METHOD_NONE;
	out->benefit = !out->known ? 0.0 : up ? difference : -difference;
	out->low = up ? lower : -upper;
	out->high = up ? harm.upper : -harm.lower;
	out->p_harm = up ? harm.p_less : harm.p_greater;
	return ERR_OK;
}

bool
stats_guardrail_harmed(const struct stats_metric_result *result)
{
	return result->known && result->high < 0.0;
}

static void
give(struct stats_verdict *v, enum stats_reason_code code, int metric)
{
	if (v->reasons < STATS_REASONS_MAX)
		v->reason[v->reasons++] = (struct stats_reason) { .code = code, .metric = metric };
}

/* What the metrics say, all of it; the order of judgement comes after. */
struct findings {
	bool deteriorated;
	bool all_guardrails_pass;
	bool all_effects_excluded;
	bool success; /* superior, its minimum effect still possible */
};

static void
find_success(const struct stats_metric_rule *m, const struct stats_metric_result *r, int i,
	     struct findings *f, struct stats_verdict *v)
{
	const bool superior = r->low > 0.0;
	const bool excluded = r->high < m->min_effect;
	give(v, superior ? STATS_REASON_SUPERIOR : STATS_REASON_NOT_SUPERIOR, i);
	if (excluded)
		give(v, STATS_REASON_EFFECT_EXCLUDED, i);
	f->all_effects_excluded = f->all_effects_excluded && excluded;
	f->success = f->success || (superior && !excluded);
}

static void
find_guardrail(const struct stats_metric_rule *m, const struct stats_metric_result *r, int i,
	       struct findings *f, struct stats_verdict *v)
{
	const bool pass = r->low > -m->margin;
	give(v, pass ? STATS_REASON_NONINFERIOR : STATS_REASON_NOT_NONINFERIOR, i);
	f->all_guardrails_pass = f->all_guardrails_pass && pass;
}

/* Before the end only a guardrail's confidence sequence may speak: it alone survives peeking. */
static void
find(const struct stats_rule *rule, const struct stats_verdict_input *in, struct findings *f,
     struct stats_verdict *v)
{
	for (size_t i = 0; i < rule->metrics; i++) {
		const struct stats_metric_rule *m = &rule->metric[i];
		const struct stats_metric_result *r = &in->result[i];
		if (!r->known) {
			give(v, STATS_REASON_NO_DATA, (int)i);
			f->all_effects_excluded =
				f->all_effects_excluded && m->role != STATS_SUCCESS;
			f->all_guardrails_pass =
				f->all_guardrails_pass && m->role != STATS_GUARDRAIL;
			continue;
		}
		if (r->high < 0.0 && (in->ended || m->role == STATS_GUARDRAIL)) {
			give(v, STATS_REASON_DETERIORATED, (int)i);
			f->deteriorated = true;
		}
		if (in->ended && m->role == STATS_SUCCESS)
			find_success(m, r, (int)i, f, v);
		else if (in->ended)
			find_guardrail(m, r, (int)i, f, v);
	}
}

static enum stats_outcome
judge(const struct stats_verdict_input *in, const struct findings *f)
{
	const bool harm = in->harm_stopped || f->deteriorated;
	/* Customers are not exposed to harm for the sake of a full cycle. */
	const unsigned tolerated = harm && !in->ended ? (unsigned)STATS_HEALTH_CYCLE : 0U;
	if ((in->health_failed & ~tolerated) != 0)
		return STATS_INVALID;
	if (harm)
		return STATS_DISPROVEN;
	if (!in->ended)
		return STATS_INCONCLUSIVE;
	if (f->all_effects_excluded)
		return STATS_DISPROVEN;
	return f->success && f->all_guardrails_pass ? STATS_PROVEN : STATS_INCONCLUSIVE;
}

enum err
stats_verdict_decide(const struct stats_rule *rule, const struct stats_verdict_input *input,
		     struct stats_verdict *out, struct err_info *info)
{
	*out = (struct stats_verdict) { .outcome = STATS_INVALID };
	const enum err e = stats_rule_check(rule, info);
	if (e != ERR_OK)
		return e;
	if ((input->health_failed & ~STATS_HEALTH_ALL) != 0)
		return err_set(info, ERR_INVALID, "/health", "unknown health check in 0x%x",
			       input->health_failed);
	for (size_t i = 0; i < rule->metrics; i++) {
		const struct stats_metric_result *r = &input->result[i];
		if (r->known && !(r->low <= r->benefit && r->benefit <= r->high))
			return metric_error(info, i, "result",
					    "the bounds do not enclose the estimate");
	}
	for (int bit = 0; bit <= STATS_REASON_ASSIGNMENT; bit++) {
		if ((input->health_failed & (1U << bit)) != 0)
			give(out, (enum stats_reason_code)bit, -1);
	}
	if (input->harm_stopped)
		give(out, STATS_REASON_HARM_STOP, -1);
	if (!input->ended)
		give(out, STATS_REASON_NOT_ENDED, -1);
	struct findings found = { .all_guardrails_pass = true, .all_effects_excluded = true };
	find(rule, input, &found, out);
	out->outcome = judge(input, &found);
	return ERR_OK;
}
