/*
 * engine.h — private to shared/record: the engine, and the state block of a task that record
 * serves.
 */
#ifndef BIMODAL_RECORD_ENGINE_H
#define BIMODAL_RECORD_ENGINE_H

#include "record/cache.h"
#include "record/cursor.h"
#include "record/input.h"
#include "record/query.h"
#include "record/record.h"
#include "record/sql.h"

#define RECORD_ETAG_SIZE 40 /* "v2147483647.89abcdef" with quotes */

struct record_engine {
	struct record_conf conf;
	struct record_cursor_key cursor_key;
	struct record_catalog *catalog;
	struct record_cache *cache;
	struct record_tail *tail; /* tail.c; NULL until it is asked for */
	bool loading;
	bool load_again;
};

struct record_batch_state; /* batch.c */

/* The state block. `call` is what the room sees and fills. */
struct record_state {
	struct record_call call;
	struct record_engine *engine;
	struct record_catalog *catalog; /* a reference, given back when the task ends */
	task_end_fn *end;               /* the end that was there before ours          */
	void *end_arg;
	const struct record_resource *resource;
	const struct record_field *scope; /* column that names the parent, or NULL      */
	/* reads */
	struct record_query query;
	struct record_cursor cursor;
	struct str binding;
	/* writes */
	enum record_sql what;
	struct record_values values;
	struct record_shape_part *parts;
	size_t n_parts;
	bool keyed;
	struct err_info failed; /* what to answer when no stored reply is found */
	struct str failed_members;
	struct record_batch_state *batch;
};

/* Of a task that record_call_begin was called for. */
struct record_state *record_state_of(struct task *t);
/* Find resource and scope of the call; false: the task has its error. */
bool record_resolve(struct task *t, struct record_state *s);
/* Shape with what is the same for all statements of a call. */
struct record_shape record_shape_of(const struct record_state *s, enum record_sql what);
/* Look up or make the statement and submit it. Soft waits must be asked for before. Fails the task
 * where it cannot be made. */
enum step record_submit(struct task *t, struct record_state *s, const struct record_shape *shape,
			const struct record_values *v);
/* The same for one of several waits of a step: the error is returned. */
MUST_CHECK enum err record_add(struct task *t, struct record_state *s,
			       const struct record_shape *shape, const struct record_values *v);

/* ---- tail.c ---- */
void record_tail_free(struct record_tail *tail);

/* ---- scope.c ---- */
/* The owners of the call as a value; false: the task has its error (nobody can own this resource).
 */
bool record_scope_settle(struct task *t, struct record_state *s);
/* Tell the room: a record was not there for a limited call; a field is of a class it may not have.
 */
void record_scope_refused(struct task *t, const struct record_state *s);
void record_class_refused(struct task *t, const struct record_state *s);

/* Text of an entity tag with its quotes. */
void record_etag(const struct record_state *s, int64_t version, struct str body,
		 char out[RECORD_ETAG_SIZE]);
/* If-None-Match: does the list name this tag (weak comparison) or *? */
bool record_etag_matches(struct str list, const char *etag);
/*
 * If-Match or an operation's if_match: `"v42.1a2b3c4d"`, `v42`, `*`. `version` gets decimal text,
 * or STR_NONE for *. Errors: ERR_BAD_REQUEST.
 */
MUST_CHECK enum err record_version_parse(struct str s, struct str *version);

/* ---- read.c ---- */
/* The parameters of a query string, percent-encoded. Errors: ERR_BAD_REQUEST, ERR_NO_MEMORY. */
MUST_CHECK enum err record_query_pairs(struct str query, struct arena *a, struct record_pair **out,
				       size_t *n, struct err_info *info);
/* The page's frame around rows whose first column is JSON; with `next` a Link too. */
enum step record_page(struct task *t, int rows, struct str next);
/* 200 with the ETag of this text, or 304. */
enum step record_answer(struct task *t, const struct record_state *s, int64_t version,
			struct str body);

/* ---- write.c, for batch.c and log.c too ---- */
enum step record_write_submit(struct task *t, struct record_state *s, enum record_sql what);
enum step record_write_answer(struct task *t);
enum step record_write_replay(struct task *t);
/* If-Match into the values; false: the task has its error. */
bool record_if_match(struct task *t, struct record_state *s);
/* log.c: what another status of an undo or a restore means to the client, into s->failed. */
void record_log_refusal(struct task *t, struct record_state *s, int64_t status, struct str detail);
/* False: refused, the task has its error: read-only copy, wrong media type, empty or bad
 * idempotency key. */
bool record_write_allowed(struct task *t, struct record_state *s, bool merge_patch);
/* Fill actor, request, scope and idempotency values. */
bool record_write_values(struct task *t, struct record_state *s, struct str body);
/* Does this failure of a keyed write have to be looked up first? */
bool record_write_may_replay(const struct record_state *s, const struct err_info *info);
enum step record_write_lookup(struct task *t, struct record_state *s);
/* Fail with what a stored reply was not found for. */
enum step record_write_failed(struct task *t, struct record_state *s);

#endif
