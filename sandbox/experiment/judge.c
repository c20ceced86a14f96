/*
 * judge.c — from the sums of an experiment to its verdict, by the rule that was frozen: which comparisons, at which share of alpha, in which
 * order, is decided by shared/stats; here the manifest becomes that rule. With several treatments each is compared with the control, and
 * alpha is shared among them; a guardrail must hold in every one.
 */
#include "sandbox/experiment/internal.h"

#include <math.h>
#include <string.h>

static void
rule_make(struct judge *j)
{
	const struct feature_manifest *m = j->manifest;

	j->rule = (struct stats_rule) { .alpha = m->alpha, .planned_n = (double)m->planned_units };
	for (size_t arm = 1; arm < m->n_variations; arm++) {
		for (size_t i = 0; i <= m->n_guardrails && j->rule.metrics < STATS_METRICS_MAX;
		     i++) {
			const struct feature_metric *metric = feature_metric_at(m, i);
			j->metric[j->rule.metrics] =
				(struct judge_metric) { .metric = metric, .arm = arm };
			j->rule.metric[j->rule.metrics++] = (struct stats_metric_rule) {
				.role = i == 0 ? STATS_SUCCESS : STATS_GUARDRAIL,
				.direction = metric->direction == FEATURE_INCREASE
						     ? STATS_MORE_IS_BETTER
						     : STATS_LESS_IS_BETTER,
				.min_effect = i == 0 ? m->minimum_effect : 0,
				.margin = i == 0 ? 0 : metric->margin,
			};
		}
	}
}

static size_t
metric_index(const struct judge *j, size_t i)
{
	return i % (j->manifest->n_guardrails + 1);
}

/* The planned end: the day has come, or every metric has as many matured units as were planned. */
static void
end_look(struct judge *j)
{
	const struct feature_manifest *m = j->manifest;
	int64_t least = INT64_MAX;

	for (size_t i = 0; i <= m->n_guardrails; i++) {
		int64_t n = 0;
		for (size_t arm = 0; arm < m->n_variations; arm++)
			n += j->sums[i][arm].n;
		least = MIN(least, n);
	}
	const bool units = least >= m->planned_units;
	j->ended = j->is_settled && (units || j->time_is_over);
	if (j->ended)
		j->stop = units ? "planned_units" : "planned_time";
}

static enum err
health_look(struct judge *j, struct err_info *info)
{
	const struct feature_manifest *m = j->manifest;
	const enum err err = stats_srm_check(j->units, m->weights, m->n_variations, &j->srm, info);

	if (err != ERR_OK)
		return err;
	if (j->srm.failed)
		j->health |= STATS_HEALTH_RATIO;
	if (j->definition_changed)
		j->health |= STATS_HEALTH_METRIC;
	return ERR_OK;
}

static enum err
metrics_judge(struct judge *j, struct err_info *info)
{
	const struct stats_alphas alphas = stats_rule_alphas(&j->rule);
	enum err err = ERR_OK;

	for (size_t i = 0; i < j->rule.metrics && err == ERR_OK; i++) {
		struct judge_metric *x = &j->metric[i];
		const struct stats_sums *sums = j->sums[metric_index(j, i)];
		const bool success = j->rule.metric[i].role == STATS_SUCCESS;
		const struct stats_measure measure = {
			.kind = x->metric->kind == FEATURE_PROPORTION ? STATS_PROPORTION
								      : STATS_MEAN,
			.scale = 1,
			.scale_x = 1,
		};
		err = stats_compare(&sums[0], &sums[x->arm], &measure,
				    success ? alphas.success : alphas.noninferior, 0,
				    &x->comparison, info);
		if (err != ERR_OK)
			break;
		if (success) {
			j->result[i] = stats_success_judge(&j->rule.metric[i], &x->comparison);
			continue;
		}
		err = stats_guardrail_judge(&j->rule, i, &x->comparison, j->ended, &j->result[i],
					    info);
		if (err == ERR_OK && stats_guardrail_harmed(&j->result[i]))
			j->harmed = true;
	}
	return err;
}

enum err
judge_decide(struct judge *j, struct err_info *info)
{
	j->health = 0;
	j->harmed = false;
	j->stop = NULL;
	rule_make(j);
	enum err err = stats_rule_check(&j->rule, info);
	if (err == ERR_OK)
		err = health_look(j, info);
	if (err != ERR_OK)
		return err;
	end_look(j);
	err = metrics_judge(j, info);
	if (err != ERR_OK)
		return err;
	if (j->harmed) {
		j->ended = false; /* whatever else is true: harm ends it now */
		j->stop = "harm";
	} else if (j->is_stopped && !j->ended) {
		j->stop = "stopped";
	}
	j->decided = j->stop != NULL;
	const struct stats_verdict_input input = {
		.health_failed = j->health,
		.ended = j->ended,
		.harm_stopped = j->harmed,
		.result = j->result,
	};
	return stats_verdict_decide(&j->rule, &input, &j->verdict, info);
}

/* ---- as JSON ---- */

/* What JSON has no number for (no bound) is null. */
static void
number(struct buf *out, const char *name, double v)
{
	buf_printf(out, ",\"%s\":", name);
	if (isfinite(v))
		buf_printf(out, "%.10g", v);
	else
		buf_add_cstr(out, "null");
}

static void
integer128(struct buf *out, __int128 v)
{
	char digits[48];
	size_t n = sizeof(digits);
	unsigned __int128 left = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;

	do {
		digits[--n] = (char)('0' + (int)(left % 10));
		left /= 10;
	} while (left > 0);
	if (v < 0)
		digits[--n] = '-';
	buf_add(out, digits + n, sizeof(digits) - n);
}

static void
sums_json(const struct judge *j, struct buf *out)
{
	const struct feature_manifest *m = j->manifest;

	buf_add_char(out, '{');
	for (size_t i = 0; i <= m->n_guardrails; i++) {
		buf_printf(out, "%s\"%s\":{", i > 0 ? "," : "", feature_metric_at(m, i)->name);
		for (size_t arm = 0; arm < m->n_variations; arm++) {
			const struct stats_sums *s = &j->sums[i][arm];
			buf_printf(out, "%s\"%s\":{\"n\":%lld,\"y\":\"", arm > 0 ? "," : "",
				   m->variations[arm], (long long)s->n);
			integer128(out, s->y);
			buf_add_cstr(out, "\",\"yy\":\"");
			integer128(out, s->yy);
			buf_add_cstr(out, "\"}");
		}
		buf_add_char(out, '}');
	}
	buf_add_char(out, '}');
}

static void
units_json(const struct judge *j, struct buf *out)
{
	buf_add_char(out, '{');
	for (size_t arm = 0; arm < j->manifest->n_variations; arm++)
		buf_printf(out, "%s\"%s\":%lld", arm > 0 ? "," : "", j->manifest->variations[arm],
			   (long long)j->units[arm]);
	buf_add_char(out, '}');
}

static void
metric_json(const struct judge *j, size_t i, struct buf *out)
{
	static const char *const methods[] = { "none", "welch", "newcombe" };
	const struct judge_metric *x = &j->metric[i];
	const struct stats_comparison *c = &x->comparison;
	const struct stats_metric_result *r = &j->result[i];
	const bool success = j->rule.metric[i].role == STATS_SUCCESS;

	buf_printf(out, "{\"metric\":\"%s\",\"role\":\"%s\",\"variation\":\"%s\",\"known\":%s",
		   x->metric->name, success ? "success" : "guardrail",
		   j->manifest->variations[x->arm], r->known ? "true" : "false");
	number(out, "control", c->control.mean);
	number(out, "treatment", c->treatment.mean);
	number(out, "effect", c->effect.estimate);
	if (!success || j->decided) {
		buf_printf(out, ",\"method\":\"%s\"", methods[c->test.method]);
		number(out, "benefit", r->benefit);
		number(out, "benefit_low", r->low);
		number(out, "benefit_high", r->high);
		number(out, "p_harm", r->p_harm);
	}
	if (success && j->decided) {
		number(out, "p", c->test.p_two);
		number(out, "lift", c->lift.estimate);
		number(out, "lift_low", c->lift.low);
		number(out, "lift_high", c->lift.high);
	}
	if (success)
		number(out, "minimum_effect", j->rule.metric[i].min_effect);
	else
		number(out, "margin", j->rule.metric[i].margin);
	buf_add_char(out, '}');
}

static void
body_json(const struct judge *j, struct buf *out)
{
	buf_add_cstr(out, "\"as_of\":");
	buf_json_cstr(out, j->as_of);
	buf_add_cstr(out, ",\"lsn\":");
	buf_json_cstr(out, j->lsn);
	buf_add_cstr(out, ",\"units\":");
	units_json(j, out);
	buf_add_cstr(out, ",\"sums\":");
	sums_json(j, out);
	buf_printf(out, ",\"withdrawn\":%lld,\"sample_ratio\":{\"failed\":%s",
		   (long long)j->withdrawn, j->srm.failed ? "true" : "false");
	number(out, "chi2", j->srm.chi2);
	number(out, "p", j->srm.p);
	buf_add_cstr(out, "},\"metrics\":[");
	for (size_t i = 0; i < j->rule.metrics; i++) {
		buf_add_cstr(out, i > 0 ? "," : "");
		metric_json(j, i, out);
	}
	buf_printf(out, "],\"ended\":%s,\"harm_stopped\":%s", j->ended ? "true" : "false",
		   j->harmed ? "true" : "false");
}

void
judge_result_json(const struct judge *j, struct buf *out)
{
	buf_add_char(out, '{');
	body_json(j, out);
	buf_add_char(out, '}');
}

void
judge_reasons_json(const struct judge *j, struct buf *out)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < j->verdict.reasons; i++) {
		const struct stats_reason *r = &j->verdict.reason[i];
		buf_printf(out, "%s{\"reason\":\"%s\"", i > 0 ? "," : "",
			   stats_reason_name(r->code));
		if (r->metric >= 0)
			buf_printf(out, ",\"metric\":\"%s\",\"variation\":\"%s\"",
				   j->metric[r->metric].metric->name,
				   j->manifest->variations[j->metric[r->metric].arm]);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

void
judge_evidence_json(const struct judge *j, struct buf *out)
{
	buf_add_cstr(out, "{\"version\":1,\"slug\":");
	buf_json_cstr(out, j->slug);
	buf_add_cstr(out, ",\"package_sha256\":");
	buf_json_cstr(out, j->package_sha256);
	buf_add_cstr(out, ",\"rule_sha256\":");
	buf_json_cstr(out, j->rule_sha256);
	buf_printf(out, ",\"verdict\":\"%s\",\"stop\":\"%s\",",
		   stats_outcome_name(j->verdict.outcome), j->stop);
	body_json(j, out);
	buf_add_cstr(out, ",\"reasons\":");
	judge_reasons_json(j, out);
	buf_add_char(out, '}');
}
