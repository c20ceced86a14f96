/*
 * batch.h — private to shared/record: a batch body read and checked, and its operations as the JSON
 * that sql_batch.c expects.
 */
#ifndef BIMODAL_RECORD_BATCH_H
#define BIMODAL_RECORD_BATCH_H

#include "base/task.h"
#include "record/engine.h"

#define RECORD_BATCH_JSON_MAX (24 * 1024 * 1024)

struct record_batch_item {
	enum record_batch_op op;
	struct str id;                    /* new for create and upsert                          */
	struct str version;               /* STR_NONE = any                                     */
	const struct record_field *match; /* upsert                                             */
	struct str value;                 /* plain text of the value to match                   */
	struct str value_json;
	struct str data;        /* raw JSON object; "{}" for a delete                 */
	struct str result;      /* mode each: the finished entry of results[]         */
	struct str members;     /* mode each: extra problem members                   */
	struct err_info failed; /* mode each: why it cannot be done                   */
	unsigned wait;          /* mode each: which wait of the group is this item's  */
	bool waiting;
};

struct record_batch_state {
	struct record_batch_item *items;
	size_t n;
	bool atomic;
	unsigned ops; /* mask of enum record_batch_op                       */
	const struct record_field *match;
	/* mode atomic, after a constraint failed: the first `low` operations are fine, the first
	 * `high` are not */
	size_t low, high, mid;
	/* mode each: the group in flight */
	size_t first, end;
};

/*
 * Read the body. False: the task has its error, with all that is wrong in errors[]. In mode each
 * faults of single operations are kept with them instead.
 */
bool record_batch_read(struct task *t, struct record_state *s);
/* Items [first, end) as a JSON array; buf_free it. */
void record_batch_json(const struct record_batch_state *b, size_t first, size_t end,
		       struct buf *out);

#endif
