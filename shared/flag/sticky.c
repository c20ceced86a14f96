/*
 * sticky.c — which variation an experiment has given to whom, kept so that nothing moves him later: written in batches (batch.c), read by
 * ofrep_look.c. Lost ones are harmless: the same unit is given the same variation again as long as the rules stay as they are.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "flag/batch.h"

#define ROWS_MAX 4096
#define ROWS_BATCH 500
#define PERIOD (50 * USEC_PER_MS)

struct flag_stickies {
	struct flag_batch *batch;
};

void
flag_stickies_add(struct flag_stickies *x, struct str flag, const struct flag_result *r,
		  struct str person)
{
	char version[16];

	if (x == NULL || !r->sticky_new || !flag_sticky_may_be(r->hash_value))
		return;
	(void)snprintf(version, sizeof(version), "%u", r->bucket_version);
	const struct str values[] = { flag,         r->attribute,    r->hash_value, r->experiment,
				      r->variation, str_of(version), person };
	flag_batch_add(x->batch, values, 6);
}

bool
flag_sticky_may_be(struct str value)
{
	return value.len > 0 && value.len <= FLAG_UNIT_MAX && str_find(value, '\0') == value.len &&
	       str_utf8_valid(value);
}

void
flag_stickies_flush(struct flag_stickies *x)
{
	if (x != NULL)
		flag_batch_flush(x->batch);
}

struct flag_stickies *
flag_stickies_create(struct loop *l, struct task_engine *e, struct postgres_pool *pool,
		     const struct postgres_stmt *stmt)
{
	const struct flag_metric_set *m = flag_metric_set();
	struct flag_stickies *x = calloc(1, sizeof(*x));

	BUG_ON(x == NULL);
	x->batch = flag_batch_create(&(struct flag_batch_conf) { .loop = l,
								 .engine = e,
								 .pool = pool,
								 .stmt = stmt,
								 .name = "sticky.write",
								 .what = "kept assignments",
								 .columns = 7,
								 .rows_max = ROWS_MAX,
								 .rows_batch = ROWS_BATCH,
								 .period = PERIOD,
								 .written = m->stickies_written,
								 .lost = m->stickies_lost,
								 .waiting = m->stickies_waiting });
	return x;
}

void
flag_stickies_destroy(struct flag_stickies *x)
{
	if (x == NULL)
		return;
	flag_batch_destroy(x->batch);
	free(x);
}
