/*
 * rehearsal.h — private to the files of a rehearsal: rehearse.c begins, ground.c lays the ground, trial.c tries the change on it, report.c
 * clears up and says what came of it. One runs at a time, so its state is one.
 */
#ifndef BIMODAL_CORE_CHANGE_REHEARSAL_H
#define BIMODAL_CORE_CHANGE_REHEARSAL_H

#include "core/change/internal.h"

/* What one rehearsal holds; texts in the run's arena. */
struct change_rehearsal {
	struct postgres_pool *server; /* the cluster's maintenance database */
	struct postgres_pool *pool;   /* the rehearsal's own database       */
	const char *name;
	const char *fingerprint; /* core's, accepted */
	const char *guard_owner;
	const char *day;                 /* by core's clock */
	const char *base;                /* the ground that is kept of the base schema            */
	const char *whole;               /* the one with what has been applied and made-up rows   */
	const char *source;              /* the one of them that is copied                        */
	struct str all_applied, applied; /* ids with commas; those still to replay */
	struct str lines;                /* hashes of core's accepted lines, as SQL literals */
	struct change_texts replay;
	struct change_plan up, down;
	const char *part; /* whose statements run: "up", "down"; NULL: none */
	const char *main, *after, *down_main, *end;
	const char *statements, *changed, *objects, *stop, *risk;
	bool replayed_registry;
	bool promoted; /* a promotion is among what was applied */
	bool kept;     /* it stands on what an earlier one has kept */
	bool afresh;   /* that was not as core's is: all is made anew */
	bool clearing; /* what fails now is left to the next rehearsal */
	struct change_count counts[CHANGE_COUNTS_MAX];
	size_t n_counts, counted;
};
extern struct change_rehearsal core_change_rehearsed;

/* The steps of each part; the one before goes on with the next. */
extern const struct step_row core_change_ground_steps[];
extern const struct step_row core_change_trial_steps[];
extern const struct step_row core_change_report_steps[];

/* The step of the report that keeps it, for a clearing up that cannot go on. */
step_fn core_change_report_write;

/* One session of the rehearsal cluster's superuser in a database. */
MUST_CHECK enum err core_change_rehearse_open(struct task *t, const char *dbname, const char *label,
					      struct postgres_pool **out, struct err_info *info);
/* A copy in the run's arena; never NULL. */
const char *core_change_keep(struct str s);
/* The rehearsal has failed: remember why, once, and go on with the report. */
enum step core_change_give_up(struct task *t, const char *where, const struct err_info *info);
/* True if the previous step's wait went well; else the rehearsal is given up and *next says how to go on. */
bool core_change_well(struct task *t, const char *where, enum step *next);
/* A script that cannot even be sent (the server is away) ends the rehearsal like one that fails. */
enum step core_change_script(struct task *t, struct postgres_pool *pool, const char *sql);
/* As the executor applies it in core, with its login and its order. */
enum step core_change_apply_as_executor(struct task *t, const struct change_plan *plan,
					const char *up);
/* Brings the publications to the registry of the rehearsal's database. */
enum step core_change_rehearse_publish(struct task *t);

#endif
