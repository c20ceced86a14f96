/*
 * internal.h — what the files of this room share. Not for other rooms.
 */
#ifndef BIMODAL_SANDBOX_EXPERIMENT_INTERNAL_H
#define BIMODAL_SANDBOX_EXPERIMENT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "feature/manifest.h"
#include "gen/sql_sandbox.h"
#include "sandbox/experiment/experiment.h"
#include "stats/srm.h"
#include "stats/verdict.h"

extern struct sandbox_experiment_jobs_conf sandbox_experiment_jobs_conf;

extern const struct step_row sandbox_experiment_judge_steps[];

/* One metric of one treatment arm, as the frozen rule has it. */
struct judge_metric {
	const struct feature_metric *metric;
	size_t arm; /* index of the treatment's variation */
	struct stats_comparison comparison;
};

/* Everything known of one experiment at one moment: sums in, looks and verdict out. Pure apart from its memory. */
struct judge {
	const struct feature_manifest *manifest;
	const char *slug;
	const char *package_sha256; /* frozen */
	const char *rule_sha256;
	const char *as_of;
	const char *lsn;
	int64_t withdrawn;
	bool definition_changed; /* flag or package are not what was frozen */
	bool time_is_over;
	bool is_settled; /* everything that was due has been folded */
	bool is_stopped;
	int64_t units[FEATURE_VARIATIONS_MAX]; /* exposed */
	struct stats_sums sums[FEATURE_GUARDRAILS_MAX + 1][FEATURE_VARIATIONS_MAX];

	/* out */
	struct stats_rule rule;
	struct judge_metric metric[STATS_METRICS_MAX];
	struct stats_metric_result result[STATS_METRICS_MAX];
	struct stats_srm srm;
	unsigned health;
	bool ended;
	bool harmed;
	bool decided;
	const char *stop; /* why it ended: planned_units, planned_time, harm, stopped */
	struct stats_verdict verdict;
};

/* From the inputs to the verdict. Errors: ERR_INVALID a rule or sums that cannot be. */
MUST_CHECK enum err judge_decide(struct judge *j, struct err_info *info);
/* A look, without what would tempt to stop early: interval and p of the primary metric only once it is decided. */
void judge_result_json(const struct judge *j, struct buf *out);
void judge_reasons_json(const struct judge *j, struct buf *out);
void judge_evidence_json(const struct judge *j, struct buf *out);

#endif
