/*
 * exposure.c — who met which variation first, written in batches (batch.c).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "flag/batch.h"

struct flag_exposures {
	struct flag_batch *batch;
};

void
flag_exposures_add(struct flag_exposures *x, struct str flag, struct str unit, struct str variation,
		   int64_t revision)
{
	char at[CLOCK_RFC3339_SIZE];
	char number[24];

	if (flag_batch_met(x->batch, (const struct str[]) { flag, unit }, 2))
		return;
	clock_rfc3339(clock_wall_us(), at);
	(void)snprintf(number, sizeof(number), "%lld", (long long)revision);
	const struct str values[] = { flag, unit, variation, str_of(number), str_of(at) };
	flag_batch_add(x->batch, values, 2);
}

void
flag_exposures_flush(struct flag_exposures *x)
{
	if (x != NULL)
		flag_batch_flush(x->batch);
}

struct flag_exposures *
flag_exposures_create(struct loop *l, struct task_engine *e, struct postgres_pool *pool,
		      const struct postgres_stmt *stmt)
{
	const struct flag_metric_set *m = flag_metric_set();
	struct flag_exposures *x = calloc(1, sizeof(*x));

	BUG_ON(x == NULL);
	x->batch = flag_batch_create(&(struct flag_batch_conf) { .loop = l,
								 .engine = e,
								 .pool = pool,
								 .stmt = stmt,
								 .name = "exposure.write",
								 .what = "exposures",
								 .columns = 5,
								 .rows_max = FLAG_EXPOSURES_MAX,
								 .rows_batch = FLAG_EXPOSURES_BATCH,
								 .period = FLAG_EXPOSURES_PERIOD,
								 .written = m->exposures_written,
								 .lost = m->exposures_lost,
								 .waiting = m->exposures_waiting });
	return x;
}

void
flag_exposures_destroy(struct flag_exposures *x)
{
	if (x == NULL)
		return;
	flag_batch_destroy(x->batch);
	free(x);
}
