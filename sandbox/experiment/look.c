/*
 * look.c — looks at each experiment that has something new: reads its sums, has them judged, keeps the look, and hands a verdict over when
 * there is one. The rule is that of the frozen text: the package that is loaded must be the one it names.
 */
#include "sandbox/experiment/internal.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_in.h"
#include "base/log.h"

#define JSON_BYTES ((size_t)256 * 1024)

enum {
	SLUG,
	FLAG_KEY,
	FROZEN,
	FROZEN_SHA,
	IS_STOPPED,
	TIME_IS_OVER,
	PLANNED_UNITS,
	WITHDRAWN,
	AS_OF,
	LSN,
	IS_SETTLED,
	FLAG_IS_SAME
};

/* The one experiment looked at; kept outside the arena, which would grow with the number of experiments. */
static struct {
	struct judge judge;
	char slug[FEATURE_SLUG_MAX + 1];
	char flag_key[FEATURE_KEY_SIZE];
	char package[SHA256_HEX_SIZE];
	char rule[SHA256_HEX_SIZE];
	char as_of[48];
	char lsn[32];
} now;

static struct postgres_pool *
pool(void)
{
	return sandbox_experiment_jobs_conf.pool;
}

static step_fn look_next, look_record, look_again;

static enum step
look_first(struct task *t UNUSED)
{
	now.slug[0] = '\0';
	return STEP_NEXT;
}

static enum step
look_next(struct task *t)
{
	char bound[48];

	(void)snprintf(bound, sizeof(bound), "%lld microseconds",
		       (long long)sandbox_experiment_jobs_conf.stale_after);
	return postgres_wait(pool(), t, &sql_lab_judge_next,
			     (struct postgres_param[]) { P_TEXT(now.slug), P_TEXT(bound) }, 2);
}

/* The package that the frozen text names. */
static bool
frozen_package(struct str frozen, char out[SHA256_HEX_SIZE])
{
	struct cJSON *j = NULL;
	const char *sha = NULL;
	struct err_info info = { .code = ERR_OK };

	const bool good = json_parse(frozen, &j, &info) == ERR_OK &&
			  json_string(j, "package", true, &sha, &info) == ERR_OK &&
			  str_copy(out, SHA256_HEX_SIZE, str_of(sha));
	json_free(j);
	return good;
}

static enum step
look_sums(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return STEP_DONE;
	memset(&now.judge, 0, sizeof(now.judge));
	(void)str_copy(now.slug, sizeof(now.slug), postgres_value(t, 0, 0, SLUG));
	(void)str_copy(now.flag_key, sizeof(now.flag_key), postgres_value(t, 0, 0, FLAG_KEY));
	(void)str_copy(now.rule, sizeof(now.rule), postgres_value(t, 0, 0, FROZEN_SHA));
	(void)str_copy(now.as_of, sizeof(now.as_of), postgres_value(t, 0, 0, AS_OF));
	(void)str_copy(now.lsn, sizeof(now.lsn),
		       postgres_is_null(t, 0, 0, LSN) ? STR("") : postgres_value(t, 0, 0, LSN));
	struct judge *j = &now.judge;
	const struct str frozen = postgres_value(t, 0, 0, FROZEN);
	char computed[SHA256_HEX_SIZE];
	sha256_hex(frozen.p, frozen.len, computed);
	if (!frozen_package(frozen, now.package) || strcmp(computed, now.rule) != 0) {
		log_error("experiment.look", "the frozen rule of %s is not what it was", now.slug);
		j->definition_changed = true;
	}
	j->slug = now.slug;
	j->package_sha256 = now.package;
	j->rule_sha256 = now.rule;
	j->as_of = now.as_of;
	j->lsn = now.lsn;
	j->withdrawn = postgres_int(t, 0, 0, WITHDRAWN, 0);
	j->is_stopped = postgres_bool(t, 0, 0, IS_STOPPED);
	j->time_is_over = postgres_bool(t, 0, 0, TIME_IS_OVER);
	j->is_settled = postgres_bool(t, 0, 0, IS_SETTLED);
	j->definition_changed = j->definition_changed || !postgres_bool(t, 0, 0, FLAG_IS_SAME);
	return postgres_wait(pool(), t, &sql_lab_sums,
			     (struct postgres_param[]) { P_TEXT(now.slug), P_TEXT(now.flag_key) },
			     2);
}

static bool
number_read(struct str text, __int128 *out)
{
	char copy[48];
	struct err_info ignored = { .code = ERR_OK };
	return str_copy(copy, sizeof(copy), text) && stats_sum_parse(copy, out, &ignored) == ERR_OK;
}

/* Rows of lab_sums. A variation or metric that the rule does not have cannot be judged. */
static bool
sums_read(struct task *t, struct judge *j)
{
	for (int row = 0; row < postgres_rows(t, 0); row++) {
		const struct str name = postgres_value(t, 0, row, 0);
		const size_t arm =
			feature_variation_find(j->manifest, postgres_value(t, 0, row, 1));
		size_t i = 0;
		while (name.len > 0 && feature_metric_at(j->manifest, i) != NULL &&
		       !str_is(name, feature_metric_at(j->manifest, i)->name))
			i++;
		if (arm >= j->manifest->n_variations ||
		    (name.len > 0 && feature_metric_at(j->manifest, i) == NULL))
			return false;
		if (name.len == 0) {
			j->units[arm] = postgres_int(t, 0, row, 2, 0);
			continue;
		}
		struct stats_sums *s = &j->sums[i][arm];
		s->n = postgres_int(t, 0, row, 2, 0);
		if (!number_read(postgres_value(t, 0, row, 3), &s->y) ||
		    !number_read(postgres_value(t, 0, row, 4), &s->yy))
			return false;
	}
	return true;
}

static enum step
look_judge(struct task *t)
{
	struct judge *j = &now.judge;
	struct err_info info = { .code = ERR_OK };
	struct buf body;

	j->manifest =
		feature_runtime_manifest(sandbox_experiment_jobs_conf.runtime, str_of(now.slug));
	if (j->manifest == NULL)
		return task_jump(t, look_again);
	if (!sums_read(t, j) || judge_decide(j, &info) != ERR_OK) {
		log_error("experiment.look", "%s cannot be judged: %s", now.slug,
			  info.msg[0] != '\0' ? info.msg : "its sums are not of its rule");
		return task_jump(t, look_again);
	}
	buf_init(&body, JSON_BYTES);
	judge_result_json(j, &body);
	const enum step next =
		body.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL, "the look at %s is too long",
					    now.slug)
			    : postgres_wait(pool(), t, &sql_lab_result_add,
					    (struct postgres_param[]) { P_TEXT(now.slug),
									P_STR(buf_str(&body)) },
					    2);
	buf_free(&body);
	return next;
}

static enum step
look_record(struct task *t)
{
	struct judge *j = &now.judge;
	struct buf reasons;
	struct buf evidence;

	j->manifest =
		feature_runtime_manifest(sandbox_experiment_jobs_conf.runtime, str_of(now.slug));
	if (!j->decided || j->manifest == NULL)
		return task_jump(t, look_again);
	/* The metrics' names are read through the manifest, which may have been loaded anew while the look was stored. */
	struct err_info info = { .code = ERR_OK };
	if (judge_decide(j, &info) != ERR_OK)
		return task_fail_set(t, ERR_INTERNAL, NULL, "%s cannot be judged: %s", now.slug,
				     info.msg);
	buf_init(&reasons, JSON_BYTES);
	buf_init(&evidence, JSON_BYTES);
	judge_reasons_json(j, &reasons);
	judge_evidence_json(j, &evidence);
	const struct postgres_param params[] = {
		P_TEXT(now.slug),         P_TEXT(stats_outcome_name(j->verdict.outcome)),
		P_STR(buf_str(&reasons)), P_STR(buf_str(&evidence)),
		P_TEXT(j->stop),
	};
	const enum step next = reasons.failed || evidence.failed
				       ? task_fail_set(t, ERR_NO_MEMORY, NULL,
						       "the evidence of %s is too long", now.slug)
				       : postgres_wait(pool(), t, &sql_lab_verdict_record, params,
						       ARRAY_LEN(params));
	buf_free(&reasons);
	buf_free(&evidence);
	return next;
}

static enum step
look_recorded(struct task *t)
{
	const struct judge *j = &now.judge;

	if (postgres_bool(t, 0, 0, 0))
		log_info("experiment.verdict", "%s: %s (%s)", now.slug,
			 stats_outcome_name(j->verdict.outcome), j->stop);
	return STEP_NEXT;
}

static enum step
look_again(struct task *t)
{
	return task_jump(t, look_next);
}

const struct step_row sandbox_experiment_judge_steps[] = {
	{ "first", look_first },   { "next", look_next },
	{ "sums", look_sums },     { "judge", look_judge },
	{ "record", look_record }, { "recorded", look_recorded },
	{ "again", look_again },   { NULL, NULL },
};
