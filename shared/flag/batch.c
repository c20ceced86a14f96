/*
 * batch.c — rows that are written beside the requests, never inside them: first exposures, kept assignments.
 *
 * Two sides: rows gather on one while the other is being written, as the texts of the array parameters of one statement that may be
 * repeated without harm. A small filter of what was met lately keeps a busy unit from being written again and again. Bounded: when the
 * database is away for long, what does not fit is counted as lost.
 */
#include "flag/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define COLUMN_BYTES_MAX ((size_t)2 * 1024 * 1024)
#define RECENT 8192u /* a power of two */
#define WRITE_DEADLINE (10 * USEC_PER_SEC)

struct side {
	struct buf column[FLAG_BATCH_COLUMNS_MAX]; /* "{a,b" … closed when it is sent */
	unsigned n;
};

struct flag_batch {
	struct flag_batch_conf conf;
	struct loop_timer *timer;
	struct side side[2];
	unsigned gathering; /* index of the side that takes new ones        */
	bool writing;       /* the other side is on its way                 */
	bool stopped;       /* destroyed while a write was on its way       */
	bool failing;       /* the last write failed: logged once           */
	uint64_t *recent;   /* fingerprints, direct mapped                  */
};

static void
side_reset(struct side *s)
{
	for (unsigned i = 0; i < FLAG_BATCH_COLUMNS_MAX; i++)
		buf_reset(&s->column[i]);
	s->n = 0;
}

void
flag_array_add(struct buf *b, struct str s)
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
free_all(struct flag_batch *x)
{
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < FLAG_BATCH_COLUMNS_MAX; k++)
			buf_free(&x->side[i].column[k]);
	free(x->recent);
	free(x);
}

static enum step
batch_write(struct task *t)
{
	struct flag_batch *x = t->t_owner;
	const struct side *s = &x->side[!x->gathering];
	struct postgres_param params[FLAG_BATCH_COLUMNS_MAX];

	for (unsigned i = 0; i < x->conf.columns; i++)
		params[i] = P_STR(buf_str(&s->column[i]));
	return postgres_wait(x->conf.pool, t, x->conf.stmt, params, x->conf.columns);
}

static enum step
batch_written(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row write_steps[] = {
	{ "write", batch_write },
	{ "written", batch_written },
	{ NULL, NULL },
};

static void
side_lose(struct flag_batch *x, struct side *s)
{
	metric_add(x->conf.lost, s->n);
	/* What is lost must not count as met. */
	memset(x->recent, 0, RECENT * sizeof(*x->recent));
	side_reset(s);
}

static void
waiting_show(const struct flag_batch *x)
{
	metric_set(x->conf.waiting, (int64_t)x->side[0].n + x->side[1].n);
}

/* A batch that failed for a reason that passes stays and is sent again by the timer; any other
 * could never be written. */
static void
write_end(struct task *t, void *arg)
{
	struct flag_batch *x = arg;
	struct side *s = &x->side[!x->gathering];
	const bool failed = t->t_err.code != ERR_OK || t->t_cancel != TASK_LIVE;

	x->writing = false;
	if (failed && !x->failing)
		log_warn(x->conf.name, "%u %s could not be written: %s", s->n, x->conf.what,
			 t->t_err.msg);
	x->failing = failed;
	if (!failed) {
		metric_add(x->conf.written, s->n);
		side_reset(s);
	} else if (t->t_cancel == TASK_LIVE && !err_row(t->t_err.code)->retryable &&
		   t->t_err.code != ERR_UNKNOWN_END) {
		side_lose(x, s);
	}
	if (x->stopped) {
		for (unsigned i = 0; i < 2; i++)
			metric_add(x->conf.lost, x->side[i].n);
		free_all(x);
		return;
	}
	waiting_show(x);
}

static void
write_start(void *arg)
{
	struct flag_batch *x = arg;
	struct task *t = NULL;

	if (x->writing)
		return;
	if (x->side[!x->gathering].n == 0) {
		if (x->side[x->gathering].n == 0)
			return;
		for (unsigned i = 0; i < x->conf.columns; i++)
			buf_add_char(&x->side[x->gathering].column[i], '}');
		x->gathering = !x->gathering;
	}
	if (task_start(x->conf.engine, x->conf.name, write_steps, WRITE_DEADLINE,
		       ARENA_CAP_BYTES * 4, write_end, x, &t) != ERR_OK)
		return;
	t->t_owner = x;
	x->writing = true;
}

/* ---- gathering ---- */

static uint64_t
fingerprint(const struct str *values, unsigned n)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (unsigned k = 0; k < n; k++) {
		h = (h ^ 0xff) * UINT64_C(1099511628211);
		for (size_t i = 0; i < values[k].len; i++)
			h = (h ^ (unsigned char)values[k].p[i]) * UINT64_C(1099511628211);
	}
	return h != 0 ? h : 1;
}

static uint64_t *
place_of(const struct flag_batch *x, uint64_t print)
{
	return &x->recent[(print ^ (print >> 32)) & (RECENT - 1)];
}

bool
flag_batch_met(const struct flag_batch *x, const struct str *values, unsigned identity)
{
	const uint64_t print = fingerprint(values, identity);
	return *place_of(x, print) == print;
}

void
flag_batch_add(struct flag_batch *x, const struct str *values, unsigned identity)
{
	struct side *s = &x->side[x->gathering];
	const uint64_t print = fingerprint(values, identity);
	uint64_t *met = place_of(x, print);
	bool fits = s->n + x->side[!x->gathering].n < x->conf.rows_max;

	if (*met == print)
		return;
	for (unsigned i = 0; i < x->conf.columns && fits; i++)
		fits = values[i].len <= FLAG_UNIT_MAX;
	if (!fits) {
		metric_add(x->conf.lost, 1);
		return;
	}
	for (unsigned i = 0; i < x->conf.columns; i++)
		flag_array_add(&s->column[i], values[i]);
	s->n++;
	*met = print;
	/* rows_max of the longest texts fit; only a lack of memory gets here, and half a row must
	 * not be sent. */
	for (unsigned i = 0; i < x->conf.columns; i++) {
		if (s->column[i].failed) {
			side_lose(x, s);
			break;
		}
	}
	if (s->n >= x->conf.rows_batch)
		write_start(x);
	waiting_show(x);
}

void
flag_batch_flush(struct flag_batch *x)
{
	if (x != NULL)
		write_start(x);
}

struct flag_batch *
flag_batch_create(const struct flag_batch_conf *conf)
{
	struct flag_batch *x = calloc(1, sizeof(*x));
	BUG_ON(x == NULL);
	x->recent = calloc(RECENT, sizeof(*x->recent));
	BUG_ON(x->recent == NULL);
	x->conf = *conf;
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < FLAG_BATCH_COLUMNS_MAX; k++)
			buf_init(&x->side[i].column[k], COLUMN_BYTES_MAX);
	x->timer = loop_every(conf->loop, conf->period, write_start, x);
	return x;
}

void
flag_batch_destroy(struct flag_batch *x)
{
	if (x == NULL)
		return;
	loop_timer_destroy(x->timer);
	x->stopped = true;
	if (x->writing)
		return; /* its end frees everything */
	for (unsigned i = 0; i < 2; i++)
		metric_add(x->conf.lost, x->side[i].n);
	free_all(x);
}
