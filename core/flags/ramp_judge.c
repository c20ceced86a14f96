/*
 * ramp_judge.c — guardrails of a ramp: from the sums that the record gives to what is surely broken. The statistics are those of the
 * hypotheses (shared/stats): the one-sided confidence sequence of each guardrail at its share of one error budget. A rule with a control is
 * compared with it; one without is held against a limit of the share itself.
 */
#include "core/flags/ramp.h"

#include <math.h>

#include "stats/acs.h"

#define NUMBERS "%.6g"

/* clang-format off */
const struct ramp_metric ramp_metrics[] = {
	{ "case_opened", STATS_LESS_IS_BETTER },
	{ "complaint", STATS_LESS_IS_BETTER },
	{ "purchase", STATS_MORE_IS_BETTER },
	{ "opportunity_won", STATS_MORE_IS_BETTER },
	{ "opportunity_lost", STATS_LESS_IS_BETTER },
	{ "consent_withdrawn", STATS_LESS_IS_BETTER },
	{ NULL, STATS_LESS_IS_BETTER },
};
/* clang-format on */

static const struct stats_measure share = { .kind = STATS_PROPORTION, .scale = 1, .scale_x = 1 };

const struct ramp_metric *
ramp_metric_find(struct str name)
{
	for (const struct ramp_metric *m = ramp_metrics; m->name != NULL; m++)
		if (str_is(name, m->name))
			return m;
	return NULL;
}

/* ---- what is watched ---- */

static enum err
guardrail_read(struct arena *a, struct str text, struct ramp_guardrail *out, struct err_info *info)
{
	struct json_member m[4];
	struct str name = STR_NONE;
	size_t n = ARRAY_LEN(m);

	enum err err = json_scan_object(text, a, m, &n, info);
	if (err == ERR_OK)
		err = json_member_text(m, n, "metric", 1, 40, "", a, &name, info);
	if (err != ERR_OK)
		return err;
	const struct json_member *margin = json_member_find(m, n, "margin");
	const struct json_member *limit = json_member_find(m, n, "limit");
	*out = (struct ramp_guardrail) { .metric = ramp_metric_find(name) };
	if (margin != NULL && margin->kind == JSON_NUMBER)
		err = str_double(margin->value, &out->margin);
	if (err == ERR_OK && limit != NULL && limit->kind == JSON_NUMBER) {
		out->has_limit = true;
		err = str_double(limit->value, &out->limit);
	}
	if (out->metric == NULL || err != ERR_OK)
		return err_set(info, ERR_INVALID, NULL, "unknown guardrail \"%.*s\"",
			       STR_FMT(name));
	return ERR_OK;
}

enum err
ramp_watch_read(struct arena *a, struct str guardrails, struct str variations,
		struct ramp_watch *out, struct err_info *info)
{
	struct json_element rail[RAMP_GUARDRAILS_MAX];
	struct json_element arm[FLAG_VARIATIONS_MAX];
	size_t n = ARRAY_LEN(rail);

	out->arms = ARRAY_LEN(arm);
	enum err err = json_scan_array(guardrails, rail, &n, info);
	if (err == ERR_OK)
		err = json_scan_array(variations, arm, &out->arms, info);
	for (size_t i = 0; i < n && err == ERR_OK; i++)
		err = guardrail_read(a, rail[i].value, &out->guardrail[i], info);
	for (size_t i = 0; err == ERR_OK && i < out->arms; i++)
		err = json_unescape(arm[i].value, a, &out->arm[i]);
	out->n = n;
	return err;
}

/* ---- what is found ---- */

/* The one-sided bounds of the benefit: `best` below 0 by more than the margin is surely broken. */
struct finding {
	bool known;
	double share;   /* of the arm                      */
	double against; /* of the control, or the limit    */
	double best;    /* the benefit is at most this     */
	double worst;   /* the margin, with its sign       */
};

static size_t
tests_of(const struct ramp_watch *w)
{
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++)
		n += w->guardrail[i].has_limit || w->arms == 1 ? 1 : w->arms - 1;
	return n;
}

/* The budget is shared among all tests, also among more than a rule has room for. */
static void
rule_make(const struct ramp_watch *w, struct stats_rule *rule)
{
	const size_t tests = tests_of(w);
	const size_t room = MIN(tests, (size_t)STATS_METRICS_MAX);

	*rule = (struct stats_rule) { .alpha = RAMP_ALPHA * (double)room / (double)MAX(tests, 1U),
				      .planned_n = w->planned_units,
				      .metrics = room };
	for (size_t i = 0; i < rule->metrics; i++)
		rule->metric[i] = (struct stats_metric_rule) { .role = STATS_GUARDRAIL };
}

static enum err
against_control(const struct ramp_watch *w, struct stats_rule *rule, size_t i, size_t arm,
		struct finding *f, struct err_info *info)
{
	const struct stats_alphas alphas = stats_rule_alphas(rule);
	struct stats_comparison c;
	struct stats_metric_result r;

	rule->metric[0].direction = w->guardrail[i].metric->direction;
	enum err err = stats_compare(&w->sums[i][0], &w->sums[i][arm], &share, alphas.noninferior,
				     0, &c, info);
	if (err == ERR_OK)
		err = stats_guardrail_judge(rule, 0, &c, false, &r, info);
	if (err == ERR_OK)
		*f = (struct finding) { .known = r.known && isfinite(r.high),
					.share = c.treatment.mean,
					.against = c.control.mean,
					.best = r.high,
					.worst = -w->guardrail[i].margin };
	return err;
}

/* All who met the variation the rule gives; the control, if there is one, is not among them. */
static enum err
against_limit(const struct ramp_watch *w, const struct stats_rule *rule, size_t i,
	      struct finding *f, struct err_info *info)
{
	const struct ramp_guardrail *g = &w->guardrail[i];
	const struct stats_acs_plan plan = { .alpha = stats_rule_alphas(rule).deterioration,
					     .planned_n = rule->planned_n };
	struct stats_sums all = { .n = 0 };
	struct stats_acs_one_sided s;
	struct stats_arm a;

	for (size_t arm = w->arms > 1; arm < w->arms; arm++) {
		all.n += w->sums[i][arm].n;
		all.y += w->sums[i][arm].y;
		all.yy += w->sums[i][arm].yy;
	}
	enum err err = stats_sums_summarise(&all, &share, &a, info);
	if (err != ERR_OK)
		return err;
	const struct stats_effect effect = {
		.estimate = a.mean - g->limit,
		.se = a.n > 0 ? sqrt(a.var / (double)a.n) : 0,
		.dof = (double)a.n - 1,
		.n = a.n,
		.known = a.known && a.var > 0 && a.n >= STATS_SEQUENCE_UNITS_MIN,
	};
	err = stats_acs_one(&effect, &plan, 0, &s, info);
	if (err == ERR_OK)
		*f = (struct finding) {
			.known = effect.known,
			.share = a.mean,
			.against = g->limit,
			.best = g->metric->direction == STATS_MORE_IS_BETTER ? s.upper : -s.lower,
		};
	return err;
}

static void
finding_add(struct buf *out, size_t nth, struct str variation, const struct finding *f)
{
	buf_printf(out, "%s{\"variation\":", nth > 0 ? "," : "");
	if (variation.p != NULL)
		buf_json_str(out, variation);
	else
		buf_add_cstr(out, "null");
	buf_printf(out, ",\"state\":\"%s\"",
		   !f->known            ? "too_few"
		   : f->best < f->worst ? "broken"
					: "holds");
	buf_printf(out, ",\"share\":" NUMBERS ",\"against\":" NUMBERS, f->share, f->against);
	if (f->known)
		buf_printf(out, ",\"at_best\":" NUMBERS "}", f->best);
	else
		buf_add_cstr(out, ",\"at_best\":null}");
}

static void
breach_add(struct buf *out, const struct ramp_watch *w, size_t i, struct str variation,
	   const struct finding *f)
{
	if (!f->known || !(f->best < f->worst) || buf_str(out).len > 0)
		return;
	buf_printf(out, "guardrail %s is broken: %.3g %% of those with %.*s, %s %.3g %%",
		   w->guardrail[i].metric->name, 100 * f->share,
		   STR_FMT(variation.p != NULL ? variation : STR("the rule")),
		   w->guardrail[i].has_limit ? "the limit is" : "of the control", 100 * f->against);
}

enum err
ramp_watch_judge(const struct ramp_watch *w, struct buf *judged, struct buf *breach,
		 struct err_info *info)
{
	struct stats_rule rule;
	enum err err = ERR_OK;

	rule_make(w, &rule);
	buf_add_char(judged, '[');
	for (size_t i = 0; i < w->n && err == ERR_OK; i++) {
		const bool limit = w->guardrail[i].has_limit || w->arms == 1;
		const size_t last = limit ? 2 : w->arms;
		buf_add_cstr(judged, i > 0 ? ",[" : "[");
		for (size_t arm = 1; arm < last && err == ERR_OK; arm++) {
			const struct str name = limit ? STR_NONE : w->arm[arm];
			struct finding f = { .known = false };
			err = limit ? against_limit(w, &rule, i, &f, info)
				    : against_control(w, &rule, i, arm, &f, info);
			finding_add(judged, arm - 1, name, &f);
			breach_add(breach, w, i, name, &f);
		}
		buf_add_char(judged, ']');
	}
	buf_add_char(judged, ']');
	return err;
}
