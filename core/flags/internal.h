/*
 * internal.h — what the files of this room share. Not for other rooms; they see nothing of it.
 */
#ifndef BIMODAL_CORE_FLAGS_INTERNAL_H
#define BIMODAL_CORE_FLAGS_INTERNAL_H

#include "base/json_member.h"
#include "core/flags/flags.h"
#include "flag/flag.h"
#include "flag/ofrep.h"
#include "flag/rebucket.h"
#include "gen/sql_core.h"

#define FLAGS_BODY_MAX ((size_t)128 * 1024)
#define FLAGS_PREVIEW_DEADLINE_MS 30000
#define FLAGS_DEADLINE_MS 8000 /* of routes that wait for acknowledgements */

extern struct core_flags_conf core_flags_conf;

#define FLAGS_COMMENT_BYTES_MAX 2000
#define FLAGS_BODY_MEMBERS_MAX 32

/* ---- bodies and outcomes (body.c); false: the error is set ---- */

struct flags_body {
	struct json_member member[FLAGS_BODY_MEMBERS_MAX];
	size_t n;
};

/* An object of known members. */
bool flags_body_read(struct task *t, const char *const *known, struct flags_body *b);
/* A required text; an optional one (`min` 0) is empty if absent. */
bool flags_body_text(struct task *t, const struct flags_body *b, const char *key, size_t min,
		     size_t max, struct str *out);
/* The number of a revision; *out is left alone where it is absent. */
bool flags_body_revision(struct task *t, const struct flags_body *b, const char *key, bool required,
			 struct str *out);
/* true or false; *out is left alone where it is absent. */
bool flags_body_bool(struct task *t, const struct flags_body *b, const char *key, bool *out);
/* The member "document", which can be saved. *coverage: see flag_document_check. */
bool flags_body_document(struct task *t, const struct flags_body *b, struct str key,
			 struct str *text, double *coverage);
/* The comment of a change; its body may be left out. */
bool flags_comment_read(struct task *t, struct str *comment);
/* The same, and "rebucket". */
bool flags_edit_read(struct task *t, struct str *comment, bool *rebucket);
/* What the statement decided (column 0 of the first wait); true if it was made. Else the error is set, or *again: it met
 * another revision. */
bool flags_outcome(struct task *t, struct str key, bool *again);

/* What a written change hands to the steps that wait for the workers. */
struct flags_change {
	struct str key;
	int status; /* of the answer: 200 or 201 */
	int64_t revision;
	bool enabled;
	bool archived;
	bool names;       /* the applications that are not told of it; see usage.c */
	struct str head;  /* STR_NONE, or the answer's own first members, from "{" on */
	struct str said;  /* the answer but for its end, while those are looked up */
	usec_t committed; /* monotonic; 0 = not yet */
	int64_t generation;
};

/* Steps after the write: wait until the workers that are alive serve it, at most two seconds, then
 * answer. */
extern const struct step_row core_flags_applied_steps[];
/* Hand over to them. */
enum step core_flags_applied(struct task *t, const struct flags_change *change);

/* ---- the guard of divisions (guard.c) ---- */

/* Rules on their way to become a revision, and the steps that write it. In the task's arena. */
struct flags_edit {
	struct str key;
	struct str document; /* .p NULL: the draft's */
	const char *at;      /* JSON pointer of the document in the request, or "" */
	bool rebucket;       /* those who have been divided may be moved */
	const struct step_row *then;
	const void *state; /* copied for `then`; in the task's arena */
	size_t size;
	/* what was looked at */
	int64_t seen; /* revision; 0: there is no such flag */
	char seen_draft[65];
};
/* NULL: the error is set. */
struct flags_edit *core_flags_edit(struct task *t, struct str key, struct str document,
				   const char *at, bool rebucket);
/* Go on with edit->then if nobody who was divided gets another variation; else ERR_CONFLICT with how many and why. */
enum step core_flags_guard(struct task *t, struct flags_edit *edit);
/* [{"change","pointer","rule","share","why"}] */
void core_flags_causes_json(struct buf *out, const struct flag_document *now,
			    const struct flag_document *would, const struct flag_rebucket *causes,
			    size_t n, const char *at);

/* ---- protected flags (request.c) ---- */

/* What somebody wants of a protected flag. */
struct flags_asking {
	struct str key;
	const char *
		kind; /* as in flag.request: "revise", "publish", "rollback", "enable", "unprotect" */
	struct str document; /* .p NULL: the draft's, or none */
	struct str comment;
	bool rebucket;
	int64_t seen; /* revision that was looked at; 0: none was */
};
/* Make it a request, and answer with that. */
enum step core_flags_ask(struct task *t, const struct flags_asking *a);
extern const struct step_row core_flags_protect_steps[];
extern const struct step_row core_flags_unprotect_steps[];
extern const struct step_row core_flags_requests_steps[];
extern const struct step_row core_flags_request_steps[];
extern const struct step_row core_flags_approve_steps[];
extern const struct step_row core_flags_reject_steps[];
extern const struct step_row core_flags_withdraw_steps[];

extern const struct step_row core_flags_create_steps[];
extern const struct step_row core_flags_revise_steps[];
extern const struct step_row core_flags_enable_steps[];
extern const struct step_row core_flags_disable_steps[];
extern const struct step_row core_flags_kill_steps[];
extern const struct step_row core_flags_archive_steps[];
extern const struct step_row core_flags_rollback_steps[];
extern const struct step_row core_flags_publish_steps[];
extern const struct step_row core_flags_draft_put_steps[];
extern const struct step_row core_flags_draft_get_steps[];
extern const struct step_row core_flags_draft_delete_steps[];
extern const struct step_row core_flags_diff_steps[];
extern const struct step_row core_flags_list_steps[];
extern const struct step_row core_flags_get_steps[];
extern const struct step_row core_flags_revisions_steps[];
extern const struct step_row core_flags_worker_steps[];
extern const struct step_row core_flags_explain_steps[];
extern const struct step_row core_flags_preview_steps[];
extern const struct step_row core_flags_seen_steps[];

extern const struct step_row core_flags_report_steps[];
extern const struct step_row core_flags_usage_steps[];
extern const struct step_row core_flags_unknown_steps[];

extern const struct step_row core_flags_mode2_steps[];
extern const struct step_row core_flags_stop_steps[];
extern const struct step_row core_flags_start_steps[];

/* ---- usage.c ---- */
void core_flags_usage_start(void);
/* Ask for the applications that asked for a flag lately and hold no event stream; the next step adds them to its answer. */
enum step core_flags_seen(struct task *t, struct str key);
/* ,"applications":{…}; nothing where they could not be read: a kill is answered all the same. */
void core_flags_seen_json(struct task *t, struct buf *out);
extern const struct step_row core_flags_segment_list_steps[];
extern const struct step_row core_flags_segment_create_steps[];
extern const struct step_row core_flags_segment_get_steps[];
extern const struct step_row core_flags_segment_change_steps[];
extern const struct step_row core_flags_segment_delete_steps[];

/* ---- mode2.c ---- */
void core_flags_mode2_metrics(void); /* before the fork */
void core_flags_mode2_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool);

/* The snapshot served now, borrowed; NULL: none yet. */
struct flag_snapshot *core_flags_now(void);

/* The owners whose records of `resource` this principal may read, as the text of an array in the task's arena; STR_NONE:
 * all. False: no memory. */
bool core_flags_owners(struct task *t, struct str resource, struct str *out);

/* ---- record.c: see flag/ofrep.h; `owners`: those whose records may be seen, STR_NONE: all ---- */
bool core_flags_knows(enum flag_unit unit, struct str attribute);
enum err core_flags_look(struct task *t, const struct flag_look *look);
enum err core_flags_look_for(struct task *t, const struct flag_snapshot *flags,
			     const struct flag_look *look, struct str owners);
/* Who of a segment is in it: may this principal know? False: the error is set. */
bool core_flags_segment_readable(struct task *t, struct str name, const struct flag_segment *g);
void core_flags_forget_job(struct daemon_jobs *jobs, struct postgres_pool *pool);

/* {"workers":…,"of":…,"missing":[…]} of wait i, a row of flag_applied.sql; ms < 0: not written. */
void core_flags_workers_json(struct task *t, unsigned i, int64_t ms, struct buf *out);
void core_flags_sandbox_json(struct task *t, unsigned i, int64_t ms, struct buf *out);

#endif
