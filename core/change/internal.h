/*
 * internal.h — what the files of this room share. Not for other rooms; they see nothing of it.
 */
#ifndef BIMODAL_CORE_CHANGE_INTERNAL_H
#define BIMODAL_CORE_CHANGE_INTERNAL_H

#include "base/id.h"
#include "change/change.h"
#include "change/check.h"
#include "core/change/change.h"
#include "feature/check.h"
#include "feature/install.h"
#include "gen/sql_core.h"

#define CHANGE_OWNER "bimodal_owner"
#define CHANGE_BODY_MAX ((size_t)3 * 1024 * 1024)
#define CHANGE_ANSWER_MAX ((size_t)8 * 1024 * 1024)
#define CHANGE_SCRIPT_MAX ((size_t)4 * 1024 * 1024)
#define CHANGE_RUN_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* ---- worker side ---- */

extern struct postgres_pool *core_change_app;
extern const struct step_row core_change_file_steps[];
extern const struct step_row core_change_edit_steps[];
/* Steps after a write: read the request and answer it. */
extern const struct step_row core_change_answer_steps[];
enum step core_change_answer(struct task *t, struct str id, int status);

/* ---- plans (plan.c) ---- */

enum change_direction { CHANGE_FORWARD, CHANGE_BACK };

/* The texts of a request, as bytes. */
struct change_texts {
	bool promotion;
	struct str slug; /* of a promotion */
	struct str up, down, verify;
	struct str package;
};

/* What to run: one or two transactions, and the publication after them where the registry was touched. */
struct change_plan {
	const char *
		withdraw; /* registry statements in front that take something out; NULL: none. Their own transaction: workers must have */
	/* stopped to use a column before it goes                                                                  */
	const char *main;
	const char *verify; /* "" = none */
	const char *after;  /* as the login, after the verification; "" = none */
	const char *role;   /* owner to act as; NULL: the text sets its own   */
	bool registry;
	unsigned *lines; /* of main's statements, for the place of an error */
	size_t n_lines;
};

/* The columns a feature may read, from a result of change_columns.sql; in the arena. */
MUST_CHECK enum err core_change_columns(struct task *t, unsigned wait, struct arena *arena,
					struct feature_columns *out, struct err_info *info);
/* Static check of everything. ERR_INVALID with findings as JSON in *findings (arena). */
MUST_CHECK enum err core_change_check(struct arena *arena, const struct change_texts *texts,
				      const struct feature_columns *columns, const char **findings,
				      struct err_info *info);
/* `probe`: with calls of the rehearsal's probes around each statement. `password`: of a feature's login. */
MUST_CHECK enum err core_change_plan(struct arena *arena, const struct change_texts *texts,
				     enum change_direction direction, bool probe,
				     const char *password, unsigned workers,
				     struct change_plan *out, struct err_info *info);
void core_change_sha(struct arena *arena, const struct change_texts *texts,
		     char out[SHA256_HEX_SIZE]);

/* ---- the run under way (executor.c, rehearse.c): one at a time ---- */

struct change_run {
	struct arena arena;
	const char *intent;
	const char *kind; /* rehearse, apply, rollback */
	const char *phase;
	int64_t attempts;
	const char *actor;
	const char *request;
	int64_t number;
	struct change_texts texts;
	char sha[SHA256_HEX_SIZE];
	char was_sha[SHA256_HEX_SIZE]; /* as the row says */
	bool exact;
	const char *expect; /* predicted fingerprint after main, or NULL */
	struct change_plan plan;
	struct feature_columns columns;
	const char *password;
	const char *error;
	bool locked;
	usec_t begun;
	usec_t waited; /* until when the present wait may last */
};
extern struct change_run core_change_run;
extern struct core_change_conf core_change_conf;

/* Hex of a bytea column as bytes in the arena; STR_NONE if null or not hex. */
struct str core_change_unhex(struct arena *arena, struct str hex);
/* Steps of a rehearsal; they end by recording its result. */
extern const struct step_row core_change_rehearse_steps[];
void core_change_rehearse_close(void);

#endif
