/*
 * exposure.c — who met which variation first, written in batches beside the requests, never inside
 * them.
 *
 * Two sides: exposures gather on one while the other is being written, as the texts of the array
 * parameters of one INSERT … ON CONFLICT DO NOTHING, so a repeated write is harmless. A small
 * filter of what was met lately keeps a busy unit from being written again and again. Bounded: when
 * the database is away for long, what does not fit is counted as lost.
 */
#include "flag/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define COLUMNS 5
#define COLUMN_BYTES_MAX ((size_t)2 * 1024 * 1024)
#define RECENT 8192u /* a power of two */
#define WRITE_DEADLINE (10 * USEC_PER_SEC)

enum { FLAG, UNIT, VARIATION, REVISION, AT };

struct side {
	struct buf column[COLUMNS]; /* "{a,b" … closed when it is sent */
	unsigned n;
};

struct flag_exposures {
	struct task_engine *engine;
	struct postgres_pool *pool;
	const struct postgres_stmt *stmt;
	struct loop_timer *timer;
	struct side side[2];
	unsigned gathering; /* index of the side that takes new ones        */
	bool writing;       /* the other side is on its way                 */
	bool stopped;       /* destroyed while a write was on its way       */
	bool failing;       /* the last write failed: logged once           */
	uint64_t *recent;   /* fingerprints of (flag, unit), direct mapped  */
};

static void
side_reset(struct side *s)
{
	for (unsigned i = 0; i < COLUMNS; i++)
		buf_reset(&s->column[i]);
	s->n = 0;
}

/* One more element of an array's text; quoted, with '"' and '\' escaped, it holds any text. */
static void
element_add(struct buf *b, struct str s)
{
	buf_add_cstr(b, b->len == 0 ? "{\"" : ",\"");
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] != '"' && s.p[i] != '\\')
			continue;
		buf_add(b, s.p + from, i - from);
		buf_add_char(b, '\\');
		from = i;
	}
	buf_add(b, s.p + from, s.len - from);
	buf_add_char(b, '"');
}

/* ---- writing ---- */

static void
free_all(struct flag_exposures *x)
{
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < COLUMNS; k++)
			buf_free(&x->side[i].column[k]);
	free(x->recent);
	free(x);
}

static enum step
exposures_write(struct task *t)
{
	struct flag_exposures *x = t->t_owner;
	const struct side *s = &x->side[!x->gathering];
	struct postgres_param params[COLUMNS];

	for (unsigned i = 0; i < COLUMNS; i++)
		params[i] = P_STR(buf_str(&s->column[i]));
	return postgres_wait(x->pool, t, x->stmt, params, COLUMNS);
}

static enum step
exposures_written(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row write_steps[] = {
	{ "write", exposures_write },
	{ "written", exposures_written },
	{ NULL, NULL },
};

static void
batch_lose(struct flag_exposures *x, struct side *s)
{
	metric_add(flag_metric_set()->exposures_lost, s->n);
	/* What is lost must not count as met. */
	memset(x->recent, 0, RECENT * sizeof(*x->recent));
	side_reset(s);
}

static void
waiting_show(const struct flag_exposures *x)
{
	metric_set(flag_metric_set()->exposures_waiting, (int64_t)x->side[0].n + x->side[1].n);
}

/* A batch that failed for a reason that passes stays and is sent again by the timer; any other
 * could never be written. */
static void
write_end(struct task *t, void *arg)
{
	struct flag_exposures *x = arg;
	struct side *s = &x->side[!x->gathering];
	const bool failed = t->t_err.code != ERR_OK || t->t_cancel != TASK_LIVE;

	x->writing = false;
	if (failed && !x->failing)
		log_warn("exposure.write", "%u exposures could not be written: %s", s->n,
			 t->t_err.msg);
	x->failing = failed;
	if (!failed) {
		metric_add(flag_metric_set()->exposures_written, s->n);
		side_reset(s);
	} else if (t->t_cancel == TASK_LIVE && !err_row(t->t_err.code)->retryable &&
		   t->t_err.code != ERR_UNKNOWN_END) {
		batch_lose(x, s);
	}
	if (x->stopped) {
		for (unsigned i = 0; i < 2; i++)
			metric_add(flag_metric_set()->exposures_lost, x->side[i].n);
		free_all(x);
		return;
	}
	waiting_show(x);
}

static void
write_start(void *arg)
{
	struct flag_exposures *x = arg;
	struct task *t = NULL;

	if (x->writing)
		return;
	if (x->side[!x->gathering].n == 0) {
		if (x->side[x->gathering].n == 0)
			return;
		for (unsigned i = 0; i < COLUMNS; i++)
			buf_add_char(&x->side[x->gathering].column[i], '}');
		x->gathering = !x->gathering;
	}
	if (task_start(x->engine, "exposure.write", write_steps, WRITE_DEADLINE,
		       ARENA_CAP_BYTES * 4, write_end, x, &t) != ERR_OK)
		return;
	t->t_owner = x;
	x->writing = true;
}

/* ---- gathering ---- */

static uint64_t
fingerprint(struct str flag, struct str unit)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < flag.len; i++)
		h = (h ^ (unsigned char)flag.p[i]) * UINT64_C(1099511628211);
	h = (h ^ 0xff) * UINT64_C(1099511628211);
	for (size_t i = 0; i < unit.len; i++)
		h = (h ^ (unsigned char)unit.p[i]) * UINT64_C(1099511628211);
	return h != 0 ? h : 1;
}

void
flag_exposures_add(struct flag_exposures *x, struct str flag, struct str unit, struct str variation,
		   int64_t revision)
{
	struct side *s = &x->side[x->gathering];
	const uint64_t print = fingerprint(flag, unit);
	uint64_t *met = &x->recent[(print ^ (print >> 32)) & (RECENT - 1)];

	if (*met == print)
		return;
	if (unit.len > FLAG_UNIT_MAX || s->n + x->side[!x->gathering].n >= FLAG_EXPOSURES_MAX) {
		metric_add(flag_metric_set()->exposures_lost, 1);
		return;
	}
	char at[CLOCK_RFC3339_SIZE];
	clock_rfc3339(clock_wall_us(), at);
	element_add(&s->column[FLAG], flag);
	element_add(&s->column[UNIT], unit);
	element_add(&s->column[VARIATION], variation);
	buf_add_char(&s->column[REVISION], s->n == 0 ? '{' : ',');
	buf_add_int(&s->column[REVISION], revision);
	element_add(&s->column[AT], str_of(at));
	s->n++;
	*met = print;
	/* FLAG_EXPOSURES_MAX of the longest texts fit; only a lack of memory gets here, and half a
	 * row must not be sent. */
	for (unsigned i = 0; i < COLUMNS; i++) {
		if (s->column[i].failed) {
			batch_lose(x, s);
			break;
		}
	}
	if (s->n >= FLAG_EXPOSURES_BATCH)
		write_start(x);
	waiting_show(x);
}

void
flag_exposures_flush(struct flag_exposures *x)
{
	if (x != NULL)
		write_start(x);
}

struct flag_exposures *
flag_exposures_create(struct loop *l, struct task_engine *e, struct postgres_pool *pool,
		      const struct postgres_stmt *stmt)
{
	struct flag_exposures *x = calloc(1, sizeof(*x));
	BUG_ON(x == NULL);
	x->recent = calloc(RECENT, sizeof(*x->recent));
	BUG_ON(x->recent == NULL);
	x->engine = e;
	x->pool = pool;
	x->stmt = stmt;
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < COLUMNS; k++)
			buf_init(&x->side[i].column[k], COLUMN_BYTES_MAX);
	(void)flag_metric_set();
	x->timer = loop_every(l, FLAG_EXPOSURES_PERIOD, write_start, x);
	return x;
}

void
flag_exposures_destroy(struct flag_exposures *x)
{
	if (x == NULL)
		return;
	loop_timer_destroy(x->timer);
	x->stopped = true;
	if (x->writing)
		return; /* its end frees everything */
	for (unsigned i = 0; i < 2; i++)
		metric_add(flag_metric_set()->exposures_lost, x->side[i].n);
	free_all(x);
}
