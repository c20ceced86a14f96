/*
 * open.c — GET /v1/live: may there be another stream, where does it go on, what was missed; then it joins those that tail.c tells.
 *
 * Flow: begin → where the log stands → if the client says what it has: rounds of (ask, take, tell) from there to where the worker
 * stands, until both are equal, so that nothing is between → join in the same step. Invariants: until it joins the request is one like
 * any other, with its deadline and its problem documents; what was missed is bounded by live.replay and half of live.buffer, past that
 * the client is told to read everything.
 */
#include "core/live/internal.h"

#define ROUNDS_MAX 20

struct piece {
	struct piece *next;
	struct str text;
};

struct open {
	struct live_stream s;
	struct str wanted; /* Last-Event-ID */
	const char *reset; /* why the client must read everything */
	struct live_place target;
	struct live_batch batch;
	struct piece *first, *last;
	size_t bytes;
	unsigned rounds;
};

/* ---- the request ---- */

static bool
accepts(struct str header)
{
	if (header.p == NULL)
		return true;
	while (header.p != NULL) {
		struct str params = str_trim(str_cut(&header, ','));
		const struct str range = str_trim(str_cut(&params, ';'));
		bool refused = false;
		while (params.p != NULL) {
			const struct str q = str_trim(str_cut(&params, ';'));
			refused = refused || str_ieq(q, STR("q=0")) || str_ieq(q, STR("q=0.0")) ||
				  str_ieq(q, STR("q=0.00")) || str_ieq(q, STR("q=0.000"));
		}
		if (!refused && (str_ieq(range, STR("text/event-stream")) ||
				 str_is(range, "text/*") || str_is(range, "*/*")))
			return true;
	}
	return false;
}

static enum err
request_check(struct task *t)
{
	if (http_method_of(t) == HTTP_HEAD) {
		http_reply_header(t, "Allow", STR("GET"));
		return err_set(&t->t_err, ERR_METHOD, NULL, "A stream has no head of its own.");
	}
	if (!accepts(http_header(t, "Accept")))
		return err_set(&t->t_err, ERR_NOT_ACCEPTABLE, "Accept",
			       "this answer is text/event-stream and nothing else");
	for (size_t i = 0; i < http_query_count(t); i++) {
		struct str name;
		struct str value;
		http_query_at(t, i, &name, &value);
		if (!str_is(name, "after"))
			return err_set(&t->t_err, ERR_BAD_REQUEST, arena_strdup(&t->t_arena, name),
				       "a stream takes the parameter after, the id of an event");
	}
	return live_stream_allowed(t);
}

static enum step
open_begin(struct task *t)
{
	return request_check(t) != ERR_OK
		       ? task_fail(t)
		       : postgres_wait(live.conf.pool, t, &sql_live_here, NULL, 0);
}

/* Who it is, in a form that can be looked at again. */
static bool
identity(struct task *t, struct live_stream *s)
{
	enum access_daemon audience;
	s->actor = *access_actor_of(t);
	s->by_session = s->actor.session[0] != '\0';
	s->ends = INT64_MAX;
	return s->by_session || access_token_hash(http_bearer(t), &audience, s->token) == ERR_OK;
}

static struct live_position
position(struct task *t, int col)
{
	return (struct live_position) { .xid = (uint64_t)postgres_int(t, 0, 0, col, 0),
					.seq = postgres_int(t, 0, 0, col + 1, 0) };
}

/* The id of the last event that the client has; a place that the log has not reached is not one of this log. */
static void
wanted_read(struct open *o, const struct live_place *here)
{
	struct live_place place;
	if (!live_place_read(o->wanted, &place) || live_compare(&place.log, &here->log) > 0 ||
	    live_compare(&place.notices, &here->notices) > 0)
		o->reset = "unknown";
	else
		o->s.after = place;
}

/* ---- joining ---- */

static enum step
join(struct task *t, struct open *o)
{
	struct live_place from = live.place;
	struct buf first;
	if (!o->s.by_session &&
	    !access_check_again(live.conf.access, o->s.token, &o->s.actor, &o->s.ends))
		return task_fail_set(t, ERR_UNAUTHORIZED, "Authorization",
				     "the token has ended meanwhile");
	if (o->bytes > (size_t)live.conf.buffer / 2)
		o->reset = "many";
	buf_init(&first, (size_t)live.conf.buffer);
	if (o->reset != NULL) {
		live_event_text(&first, "reset", &from, "{\"reason\":\"%s\"}", o->reset);
		o->s.after = from;
	} else if (o->wanted.p == NULL) {
		live_event_text(&first, "ready", &from, "{\"resumed\":false}");
		o->s.after = from;
	} else {
		(void)live_place_read(o->wanted, &from);
		live_event_text(&first, "ready", &from, "{\"resumed\":true}");
		for (const struct piece *p = o->first; p != NULL; p = p->next)
			buf_add_str(&first, p->text);
	}
	const enum step done = live_stream_open(t, &o->s, buf_str(&first));
	buf_free(&first);
	return done;
}

/* ---- what was missed ---- */

static bool
is_there(const struct live_place *has, const struct live_place *wanted)
{
	return live_compare(&has->log, &wanted->log) >= 0 &&
	       live_compare(&has->notices, &wanted->notices) >= 0;
}

static enum step
missed_ask(struct task *t)
{
	struct open *o = task_state(t, sizeof(*o));
	o->target = live.place;
	if (o->reset != NULL || is_there(&o->s.after, &o->target))
		return join(t, o);
	if (o->rounds++ == ROUNDS_MAX) {
		o->reset = "too-old";
		return join(t, o);
	}
	const enum err err = live_batch_ask(t, &o->s.after, &o->target, live.conf.replay + 1);
	return err == ERR_OK ? STEP_WAIT : task_fail_set(t, err, NULL, "%s.", err_row(err)->title);
}

static enum step
missed_take(struct task *t)
{
	struct open *o = task_state(t, sizeof(*o));
	if (!live_batch_take(t, &o->s.after, &o->target, live.conf.replay + 1, &o->batch))
		return task_fail(t);
	if (o->batch.more) {
		o->reset = "too-old";
		return join(t, o);
	}
	return live_batch_owners_ask(t, &o->batch);
}

static enum step
missed_tell(struct task *t)
{
	struct open *o = task_state(t, sizeof(*o));
	struct piece *piece = arena_alloc(&t->t_arena, sizeof(*piece));
	struct buf text;
	if (piece == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for what was missed");
	live_batch_owners_take(t, &o->batch);
	buf_init(&text, (size_t)live.conf.buffer);
	if (!live_stream_text(&o->s, &o->batch, &text))
		o->reset = "many";
	else
		piece->text = arena_str(&t->t_arena, buf_str(&text));
	o->bytes += text.len;
	buf_free(&text);
	if (o->reset == NULL && piece->text.p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for what was missed");
	if (o->last != NULL)
		o->last->next = piece;
	else
		o->first = piece;
	o->last = piece;
	return task_jump(t, missed_ask);
}

static enum step
open_here(struct task *t)
{
	struct open *o = task_state(t, sizeof(*o));
	if (o == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for another stream");
	if (postgres_rows(t, 0) == 0 || !identity(t, &o->s))
		return task_fail(t);
	const struct live_place here = { .log = position(t, 0), .notices = position(t, 2) };
	if (live.n == 0)
		live_tail_begin(&here);
	o->wanted = http_header(t, "Last-Event-ID");
	if (o->wanted.p == NULL)
		o->wanted = http_query(t, "after");
	if (o->wanted.p == NULL)
		return join(t, o);
	wanted_read(o, &here);
	return STEP_NEXT;
}

const struct step_row live_open_steps[] = {
	{ "begin", open_begin },        { "here", open_here },
	{ "missed-ask", missed_ask },   { "missed-take", missed_take },
	{ "missed-tell", missed_tell }, { NULL, NULL },
};
