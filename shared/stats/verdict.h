/*
 * verdict.h — the verdict rule, as a pure function of a frozen rule and computed results.
 *
 * Nobody types a verdict: the same inputs give the same verdict and the same reasons, so it can be
 * recomputed by anyone from the evidence. The rule is Spotify's (Schultzberg, Ankargren and
 * Frånberg 2024) with a definition of "disproven" added:
 *
 *   invalid       a health check failed
 *   disproven     harm: a guardrail or a success metric is significantly worse than control; or, at
 * the planned end, every success metric's interval excludes its minimum effect proven        at the
 * planned end: a success metric is superior and has not excluded its minimum effect, every
 *                 guardrail is non-inferior within its margin, nothing deteriorates
 *   inconclusive  everything else; "not significant" is not "disproven"
 *
 * taken in this order. Effects are treatment - control on the absolute scale; "benefit" is the
 * effect turned so that more is better.
 */
#ifndef BIMODAL_STATS_VERDICT_H
#define BIMODAL_STATS_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "stats/acs.h"
#include "stats/compare.h"

#define STATS_METRICS_MAX 16

/* No confidence sequence speaks while an arm has fewer units: its guarantee is asymptotic. */
#define STATS_SEQUENCE_UNITS_MIN 20

#define STATS_REASONS_MAX (3 * STATS_METRICS_MAX + 8)

enum stats_role {
	STATS_SUCCESS,  /* at least one must improve                 */
	STATS_GUARDRAIL /* must not be worse by more than its margin */
};

enum stats_direction { STATS_MORE_IS_BETTER = 1, STATS_LESS_IS_BETTER = -1 };

/* One metric of the frozen rule. */
struct stats_metric_rule {
	enum stats_role role;
	enum stats_direction direction;
	double min_effect; /* success: the smallest benefit worth having, > 0, absolute  */
	double margin;     /* guardrail: the loss that would be accepted, >= 0, absolute */
};

/* The rule as it was frozen at the start. */
struct stats_rule {
	double alpha;     /* (0, 0.5), two-sided, for the experiment as a whole          */
	double planned_n; /* units in both arms at the planned end                       */
	size_t metrics;   /* 1 to STATS_METRICS_MAX, at least one of them a success metric */
	struct stats_metric_rule metric[STATS_METRICS_MAX];
};

/* How alpha is shared out. */
struct stats_alphas {
	double success;       /* two-sided, each success metric: alpha / number of them  */
	double noninferior;   /* one-sided, each guardrail: alpha; all of them must pass */
	double deterioration; /* one-sided, each harm watch: alpha / number of guardrails */
};

/* Bounds of the benefit; infinite if unknown; for success, of one two-sided interval. */
struct stats_metric_result {
	bool known;
	double benefit;
	double low;    /* the benefit is at least this                             */
	double high;   /* the benefit is at most this; below 0 means deterioration */
	double p_harm; /* H0: no deterioration; always valid for a guardrail       */
};

/* Health checks, as bits. A bit that is set is a check that failed. */
enum stats_health {
	STATS_HEALTH_RATIO = 1 << 0,     /* sample ratio mismatch                              */
	STATS_HEALTH_LAG = 1 << 1,       /* the replicated copy is older than its bound        */
	STATS_HEALTH_METRIC = 1 << 2,    /* a metric's definition changed after the start      */
	STATS_HEALTH_CYCLE = 1 << 3,     /* less than one full cycle; a harm stop may be shorter */
	STATS_HEALTH_COVARIATE = 1 << 4, /* the arms differed before the start                 */
	STATS_HEALTH_ASSIGNMENT = 1 << 5 /* a unit seen in two arms                            */
};
#define STATS_HEALTH_ALL 0x3fU

enum stats_outcome { STATS_PROVEN, STATS_DISPROVEN, STATS_INCONCLUSIVE, STATS_INVALID };

enum stats_reason_code {
	STATS_REASON_RATIO, /* the first six in the order of enum stats_health */
	STATS_REASON_LAG,
	STATS_REASON_METRIC_CHANGED,
	STATS_REASON_SHORT_CYCLE,
	STATS_REASON_COVARIATE,
	STATS_REASON_ASSIGNMENT,
	STATS_REASON_HARM_STOP,
	STATS_REASON_NOT_ENDED,
	STATS_REASON_DETERIORATED,    /* significantly worse than control              */
	STATS_REASON_EFFECT_EXCLUDED, /* success: the minimum effect is excluded       */
	STATS_REASON_SUPERIOR,        /* success: significantly better than control    */
	STATS_REASON_NOT_SUPERIOR,
	STATS_REASON_NONINFERIOR, /* guardrail: worse than its margin is excluded  */
	STATS_REASON_NOT_NONINFERIOR,
	STATS_REASON_NO_DATA, /* the metric has no usable result               */
	STATS_REASON_COUNT
};

struct stats_reason {
	enum stats_reason_code code;
	int metric; /* index into the rule, or -1 for the experiment as a whole */
};

struct stats_verdict_input {
	unsigned health_failed; /* bits of enum stats_health                                  */
	bool ended;             /* planned end reached, or a group-sequential bound crossed   */
	bool harm_stopped;      /* the early harm stop fired; stays true whatever came after  */
	const struct stats_metric_result *result; /* rule->metrics of them */
};

struct stats_verdict {
	enum stats_outcome outcome;
	size_t reasons;
	struct stats_reason
		reason[STATS_REASONS_MAX]; /* every finding, for and against, health first */
};

/* ERR_INVALID, with the place ("/metrics/2/margin"), unless the rule is one that may be frozen. */
enum err stats_rule_check(const struct stats_rule *rule, struct err_info *info) MUST_CHECK;

/* The shares of alpha. The rule must have passed stats_rule_check(). */
struct stats_alphas stats_rule_alphas(const struct stats_rule *rule);

/*
 * A success metric from a comparison made at the `success` alpha (under looks: at the look's
 * nominal alpha, 2 sf(z), see gst.h).
 */
struct stats_metric_result stats_success_judge(const struct stats_metric_rule *metric,
					       const struct stats_comparison *comparison);

/*
 * A guardrail, at any moment. `comparison` is made at the `noninferior` alpha. The harm side (high,
 * p_harm) is always the one-sided confidence sequence at the `deterioration` alpha. The
 * non-inferiority side (low) is the one-sided test of the comparison once the planned end is
 * reached, which is one look, and the confidence sequence before it. Harm stop: high < 0.
 */
enum err stats_guardrail_judge(const struct stats_rule *rule, size_t metric,
			       const struct stats_comparison *comparison, bool planned_end,
			       struct stats_metric_result *out, struct err_info *info) MUST_CHECK;

/* Is this guardrail's result a reason to stop now? */
bool stats_guardrail_harmed(const struct stats_metric_result *result);

/* The verdict. ERR_INVALID for a bad rule, unknown health bits, bounds that miss the estimate. */
enum err stats_verdict_decide(const struct stats_rule *rule,
			      const struct stats_verdict_input *input, struct stats_verdict *out,
			      struct err_info *info) MUST_CHECK;

/* Stable names for records and the API: "proven", "guardrail_not_noninferior". Never NULL. */
const char *stats_outcome_name(enum stats_outcome outcome);
const char *stats_reason_name(enum stats_reason_code code);

#endif
