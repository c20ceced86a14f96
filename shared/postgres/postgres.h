/*
 * postgres.h — PostgreSQL under the event loop: a pool a login role, lanes, libpq pipeline mode with one Sync a request,
 * prepared statements, LISTEN, reconnect. Nothing here blocks.
 *
 * A step submits and returns STEP_WAIT; the next step reads postgres_result(t, i). A failed statement fails the task with the
 * error mapped from its SQLSTATE (sqlstate.def), unless the step called task_wait_soft.
 */
#ifndef BIMODAL_POSTGRES_POSTGRES_H
#define BIMODAL_POSTGRES_POSTGRES_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/task.h"

enum postgres_lane {
	POSTGRES_READ,  /* short reads; pipelined up to 16 deep                          */
	POSTGRES_WRITE, /* depth 1, lock_timeout 500 ms, more connections               */
	POSTGRES_SLOW,  /* search, export, analysis; depth 1                            */
	POSTGRES_LANES
};

/* One statement. Static ones are generated from sql/<daemon>/queries/<name>.sql; the record engine makes others at run time. */
struct postgres_stmt {
	const char *name; /* prepared name = file stem; at most 63 bytes; unique in the process */
	const char *text;
	enum postgres_lane lane;
	unsigned n_params;
	const Oid *types; /* n_params entries                                                 */
	bool prepare_at_start; /* on each connection of its lane before it is ready               */
	/* Read lane only, short, and sets nothing: those of one turn go to the server with one Sync, so that it is woken and answers once.
	 * An error stays with its own request all the same. */
	bool shares_sync;
};

/* Text-format parameter; value need not be NUL-terminated. Copied at submit. */
struct postgres_param {
	struct str value;
	bool is_null;
};
#define P_STR(s) ((struct postgres_param) { .value = (s) })
#define P_TEXT(cstr) ((struct postgres_param) { .value = str_of(cstr), .is_null = (cstr) == NULL })
#define P_NULL ((struct postgres_param) { .is_null = true })

struct postgres_lane_conf {
	unsigned connections; /* 0 = this pool has no such lane        */
	unsigned depth;       /* statements in flight a connection     */
	unsigned queue_max;   /* waiting for a connection; then ERR_BUSY */
	usec_t statement_timeout;
	usec_t lock_timeout; /* 0 = none                              */
};

struct postgres_conf {
	const char *
		label; /* "core/app": application_name is "bimodal-<label>/w<worker>/<lane>" and metric label pool */
	const char *
		conninfo; /* host (may be several), port, dbname, user, password, target_session_attrs … copied */
	struct postgres_lane_conf lanes[POSTGRES_LANES];
	const struct postgres_stmt *const
		*stmts; /* NULL-terminated; those with prepare_at_start are prepared early */
	unsigned
		max_dynamic; /* run-time statements kept prepared a connection (LRU, DEALLOCATE); default 128 */
	int worker;
};

/*
 * Register the metrics of pools with this label. Before the fork and in every process alike, so that slots are equal;
 * postgres_pool_create does it for a label that is not known yet (one process, tests). Pools may share a label.
 */
void postgres_metrics(const char *label);

struct postgres_pool;
/* Connecting begins at once, in the background. */
MUST_CHECK enum err postgres_pool_create(struct loop *l, struct task_engine *e,
					 const struct postgres_conf *conf,
					 struct postgres_pool **out, struct err_info *info);
/* Fails what is queued with ERR_STOPPING, waits for nothing. */
void postgres_pool_destroy(struct postgres_pool *p);
bool postgres_pool_ready(
	const struct postgres_pool *p); /* at least one READY connection in every lane */
void postgres_pool_dump(const struct postgres_pool *p,
			struct buf *out); /* JSON, for /debug and readyz              */
/* A change of schema was applied: statements are prepared anew before their next use on each connection. */
void postgres_pool_forget(struct postgres_pool *p);

/*
 * Submit one statement for a task, as wait i of this step. Owner: parameters are copied; the result belongs to the engine until the
 * next step returns. Errors: ERR_BUSY queue full or queue wait would pass the deadline; ERR_DOWN no connection of the lane is up and
 * the last attempt to connect failed (before that it waits); ERR_INVALID a zero byte in a value; ERR_TOO_LARGE; ERR_NO_MEMORY. Wakes t at the latest at its deadline (ERR_TIMEOUT through the task engine; the late result is discarded).
 */
MUST_CHECK enum err postgres_add(struct postgres_pool *p, struct task *t,
				 const struct postgres_stmt *s, const struct postgres_param *params,
				 size_t n);
/* The same and `return`-able: STEP_WAIT, or the task failed. */
enum step postgres_wait(struct postgres_pool *p, struct task *t, const struct postgres_stmt *s,
			const struct postgres_param *params, size_t n);
/* The submitted write may not be retried by us after a lost connection: ERR_UNKNOWN_END. Reads are retried once elsewhere. */

/*
 * Run a script outside the pipeline on a connection of its own lane (jobs: DDL, COPY-free multi-statement text; simple protocol). The
 * connection is taken out of pipeline mode for it. Only pools with a SLOW lane of depth 1. Result = last statement's.
 */
enum step postgres_script(struct postgres_pool *p, struct task *t, const char *sql);

/* ---- results (of the waits of the previous step) ---- */
const PGresult *postgres_result(struct task *t,
				unsigned i); /* NULL if that wait failed             */
int postgres_rows(struct task *t, unsigned i);
struct str postgres_value(struct task *t, unsigned i, int row,
			  int col); /* STR_NONE if NULL              */
bool postgres_is_null(struct task *t, unsigned i, int row, int col);
int64_t postgres_int(struct task *t, unsigned i, int row, int col, int64_t if_null);
bool postgres_bool(struct task *t, unsigned i, int row, int col);

/* ---- LISTEN: one direct connection a process, never pipelined ---- */
struct postgres_listen;
typedef void postgres_notify_fn(const char *channel, const char *payload, void *arg);
/* `on_up` is called after each (re)connect, so that what was missed is read again. NOTIFY is a hint, never the truth. */
MUST_CHECK enum err postgres_listen_create(struct loop *l, const char *conninfo, const char *label,
					   const char *channel, postgres_notify_fn *fn,
					   void (*on_up)(void *arg), void *arg,
					   struct postgres_listen **out, struct err_info *info);
void postgres_listen_destroy(struct postgres_listen *pl);

/* SQLSTATE → error, by sqlstate.def; class rows ("08***") after exact ones. Unknown → ERR_INTERNAL. */
enum err postgres_sqlstate_err(const char *sqlstate);
/* Fill info from a failed result: code, sqlstate, field (constraint/column if the server named one), message for users (no SQL text). */
enum err postgres_result_err(const PGresult *r, struct err_info *info);

/* conninfo from parts, quoted; parts may be NULL. Owner: the arena. */
const char *postgres_conninfo(struct arena *a, const char *host, const char *port,
			      const char *dbname, const char *user, const char *password,
			      const char *extra);

#endif
