/*
 * tail.c — follows the log for all streams of this worker: a look each live.period while there is a stream, one statement for all of
 * them; what it finds is told to each by its own rights.
 *
 * Invariants: one look at a time; live.place moves only forward, and only past what every stream has been told; a look takes fewer rows
 * the more streams there are, so that telling never holds the loop up for long.
 */
#include <string.h>

#include "base/log.h"
#include "core/live/internal.h"

#define LOOK_DEADLINE (5 * USEC_PER_SEC)
#define LOOK_ARENA ((size_t)4 * 1024 * 1024)
#define FEED_PERIOD USEC_PER_SEC
#define ROWS_MAX 500
#define ROWS_MIN 32
#define TELLINGS_MAX 65536 /* rows × streams of one look */
#define TELL_SLICE 256     /* streams that are told in one turn of the loop */

struct look {
	unsigned begun;
	bool feed;  /* was asked for */
	bool again; /* there is more */
	unsigned number;
	int64_t max;
	struct live_batch batch;
};

static void look_start(void);

static int64_t
rows_max(void)
{
	const int64_t fair = TELLINGS_MAX / (int64_t)MAX(live.n, (size_t)1);
	return MIN(MAX(fair, ROWS_MIN), ROWS_MAX);
}

static enum step
look_ask(struct task *t)
{
	struct look *look = task_state(t, sizeof(*look));
	const usec_t now = loop_now(live.conf.loop);
	if (look == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory");
	live.looks++;
	*look = (struct look) { .begun = live.begun,
				.number = live.looks,
				.feed = live.feed_at == 0 || now - live.feed_at >= FEED_PERIOD };
	look->batch.from = live.place;
	look->max = rows_max();
	enum err err = live_batch_ask(t, &live.place, NULL, look->max);
	if (err == ERR_OK && look->feed) {
		const char *late = arena_printf(&t->t_arena, "%lld",
						(long long)(live.conf.feed_late / USEC_PER_MS));
		live.feed_at = now;
		err = postgres_add(live.conf.pool, t, &sql_live_feed,
				   (struct postgres_param[]) { P_TEXT(late) }, 1);
	}
	return err == ERR_OK ? STEP_WAIT : task_fail_set(t, err, NULL, "%s.", err_row(err)->title);
}

/* ---- the feed ---- */

static void
hop_tell(const struct live_feed_hop *hop)
{
	struct buf text;
	buf_init(&text, LIVE_EVENT_MAX);
	for (struct live_stream *s = live.first, *next; s != NULL; s = next) {
		next = s->next;
		live_rights_settle(s);
		buf_reset(&text);
		live_feed_text(s, hop, &text);
		live_stream_send(s, buf_str(&text));
	}
	buf_free(&text);
}

static void
hop_take(struct str name, struct str word)
{
	size_t i = 0;
	while (i < live.n_hops && !str_is(name, live.hops[i].hop))
		i++;
	if (i == LIVE_HOPS_MAX || (i < live.n_hops && str_is(word, live.hops[i].word)))
		return;
	struct live_feed_hop *hop = &live.hops[i];
	if (!str_copy(hop->hop, sizeof(hop->hop), name) ||
	    !str_copy(hop->word, sizeof(hop->word), word))
		return;
	live.n_hops = MAX(live.n_hops, i + 1);
	hop_tell(hop);
}

/* ---- the log ---- */

static enum step
look_take(struct task *t)
{
	struct look *look = task_state(t, sizeof(*look));
	const struct live_place from = look->batch.from;
	if (look->begun != live.begun || live.n == 0)
		return STEP_DONE;
	for (int row = 0; look->feed && row < postgres_rows(t, 2); row++)
		hop_take(postgres_value(t, 2, row, 0), postgres_value(t, 2, row, 1));
	if (!live_batch_take(t, &from, NULL, look->max, &look->batch))
		return task_fail(t);
	return live_batch_owners_ask(t, &look->batch);
}

static enum step
look_tell(struct task *t)
{
	struct look *look = task_state(t, sizeof(*look));
	struct live_batch *b = &look->batch;
	if (look->begun != live.begun || live.n == 0)
		return STEP_DONE;
	live_batch_owners_take(t, b);
	if (live.schema != record_engine_generation(live.conf.records))
		live.epoch++;
	live.schema = record_engine_generation(live.conf.records);
	if (b->horizon.xid < b->from.log.xid) {
		/* Another database, or a backup: nothing that was told can be built upon. */
		while (live.first != NULL)
			live_stream_drop(live.first, "unknown");
		return STEP_DONE;
	}
	unsigned told = 0;
	for (struct live_stream *s = live.first, *next; s != NULL && b->n > 0; s = next) {
		next = s->next;
		if (s->told == look->number)
			continue;
		/* Others get their turn. Who comes meanwhile comes to live.place, and is told by the next slice. */
		if (told++ == TELL_SLICE)
			return task_sleep(t, 0);
		s->told = look->number;
		live_stream_tell(s, b);
	}
	live.place = b->end;
	look->again = b->more;
	return STEP_DONE;
}

static enum step
look_on(struct task *t)
{
	return task_jump(t, look_tell);
}

static const struct step_row look_steps[] = {
	{ "ask", look_ask }, { "take", look_take }, { "tell", look_tell },
	{ "on", look_on },   { NULL, NULL },
};

static void
look_end(struct task *t, void *arg UNUSED)
{
	const struct look *look = t->t_state;
	const bool failed = t->t_err.code != ERR_OK;
	live.looking = false;
	if (t->t_cancel == TASK_SHUTDOWN)
		return;
	if (failed && !live.failed)
		log_warn("live.look", "could not follow the event log, streams stand still: %s",
			 t->t_err.msg);
	live.failed = failed;
	if (!failed && look != NULL && look->again && live.n > 0)
		look_start();
}

static void
look_start(void)
{
	struct task *t = NULL;
	live.looking = task_start(live.conf.engine, "live.look", look_steps,
				  clock_now_us() + LOOK_DEADLINE, LOOK_ARENA, look_end, NULL,
				  &t) == ERR_OK;
}

void
live_tail_tick(void *arg UNUSED)
{
	const usec_t now = loop_now(live.conf.loop);
	if (live.n > 0 && now >= live.second) {
		live.second = now + USEC_PER_SEC;
		live_streams_second();
	}
	if (live.n > 0 && !live.looking)
		look_start();
}

void
live_tail_begin(const struct live_place *here)
{
	live.begun++;
	live.place = *here;
	live.n_hops = 0;
	live.feed_at = 0;
}
