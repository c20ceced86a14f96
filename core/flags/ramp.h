/*
 * ramp.h — ramps and schedules within this room: what their files share. The rules of both are in the database (flag.ramp_*,
 * flag.schedule_*): there each move is one transaction under the flag's row lock.
 */
#ifndef BIMODAL_CORE_FLAGS_RAMP_H
#define BIMODAL_CORE_FLAGS_RAMP_H

#include "core/flags/internal.h"
#include "stats/verdict.h"

#define RAMP_STEPS_MAX 20
#define RAMP_GUARDRAILS_MAX 6
#define RAMP_SECONDS_MAX (INT64_C(90) * 86400) /* of one step             */
#define RAMP_SAMPLE_MAX INT64_C(1000000)
#define RAMP_PLANNED_UNITS 2000
#define RAMP_ALPHA 0.05 /* of all guardrails of a ramp together */

/* ---- bodies (ramp_body.c); false: the error is set ---- */

struct ramp_asked {
	struct str rule_id; /* .p NULL: not given     */
	struct str place;   /* the same; one of both  */
	struct str steps;   /* JSON, every member there */
	struct str guardrails;
	struct str on_breach;
	struct str planned_units;
	struct str comment;
};

bool flags_ramp_read(struct task *t, struct ramp_asked *out);
/* The member "rule": its id, its place, or neither. */
bool flags_ramp_rule(struct task *t, const struct flags_body *b, struct ramp_asked *out);
/* A part of all units, above `least`, at most 1; `at`: its place. */
bool flags_ramp_coverage(struct task *t, const struct json_member *m, const char *at, double least,
			 double *value);

/* ---- guardrails (ramp_judge.c) ---- */

/* Of one guardrail, in the order of its names in the API. */
struct ramp_metric {
	const char *name;
	enum stats_direction direction;
};
extern const struct ramp_metric ramp_metrics[];
/* NULL: there is none. */
const struct ramp_metric *ramp_metric_find(struct str name);

struct ramp_guardrail {
	const struct ramp_metric *metric;
	double margin; /* by so much worse than control is put up with */
	double limit;  /* of the share itself; has_limit               */
	bool has_limit;
};

struct ramp_watch {
	size_t n;
	struct ramp_guardrail guardrail[RAMP_GUARDRAILS_MAX];
	size_t arms; /* the first is the control; 1: there is none */
	struct str arm[FLAG_VARIATIONS_MAX];
	double planned_units;
	struct stats_sums sums[RAMP_GUARDRAILS_MAX][FLAG_VARIATIONS_MAX];
};

/* Guardrails and variations as the database keeps them. Errors: ERR_INVALID, ERR_NO_MEMORY. */
MUST_CHECK enum err ramp_watch_read(struct arena *a, struct str guardrails, struct str variations,
				    struct ramp_watch *out, struct err_info *info);
/*
 * Judge the sums: *judged is an array with a member for each guardrail, *breach says what is surely broken (empty: nothing). Surely: by the
 * one-sided confidence sequence, which may be looked at as often as one likes.
 */
MUST_CHECK enum err ramp_watch_judge(const struct ramp_watch *w, struct buf *judged,
				     struct buf *breach, struct err_info *info);

extern const struct step_row core_flags_ramp_start_steps[];
extern const struct step_row core_flags_ramp_list_steps[];
extern const struct step_row core_flags_ramp_get_steps[];
extern const struct step_row core_flags_ramp_hold_steps[];
extern const struct step_row core_flags_ramp_resume_steps[];
extern const struct step_row core_flags_ramp_approve_steps[];
extern const struct step_row core_flags_ramp_back_steps[];
extern const struct step_row core_flags_ramp_cancel_steps[];
extern const struct step_row core_flags_schedule_make_steps[];
extern const struct step_row core_flags_schedule_list_steps[];
extern const struct step_row core_flags_schedule_cancel_steps[];

#endif
