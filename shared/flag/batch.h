/*
 * batch.h — rows that are written in batches beside the requests. Not for rooms; they see flag.h.
 */
#ifndef BIMODAL_FLAG_BATCH_H
#define BIMODAL_FLAG_BATCH_H

#include "base/buf.h"
#include "flag/internal.h"

#define FLAG_BATCH_COLUMNS_MAX 7

struct flag_batch_conf {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *pool;
	const struct postgres_stmt *stmt; /* one array a column; may be repeated without harm */
	const char *name;                 /* of the task and of what is logged                */
	const char *what;                 /* "exposures"                                      */
	unsigned columns;
	unsigned rows_max;   /* waiting; what comes on top is lost */
	unsigned rows_batch; /* are written at once                */
	usec_t period;       /* else so often                      */
	struct metric *written, *lost, *waiting;
};
struct flag_batch;
/* Owner: the caller destroys it before the engine. Dies without memory. */
struct flag_batch *flag_batch_create(const struct flag_batch_conf *conf);
/* NULL is fine; what still waits is counted as lost. */
void flag_batch_destroy(struct flag_batch *x);
/* A row, unless one with the same first `identity` values was met lately. Never fails and never blocks: what does not fit, or is longer
 * than FLAG_UNIT_MAX, is counted as lost. */
void flag_batch_add(struct flag_batch *x, const struct str *values, unsigned identity);
/* Was it? Spares the caller making the other values. */
bool flag_batch_met(const struct flag_batch *x, const struct str *values, unsigned identity);
/* Start to write what waits now. NULL is fine. */
void flag_batch_flush(struct flag_batch *x);

/* One more element of an array's text, which is closed by '}'; quoted, with '"' and '\' escaped, it holds any text. */
void flag_array_add(struct buf *b, struct str s);

#endif
