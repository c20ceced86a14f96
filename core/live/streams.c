/*
 * streams.c — the open streams of this worker: what each is told, heartbeats, and their end.
 *
 * Place: open.c adds one, tail.c has all of them told; shared/http says when a client has left. Invariants: a stream is in the list
 * exactly while its reply is open; what waits for a client is bounded (live.buffer), who does not take it is told `reset` and dropped; a
 * stream whose token or session is not good any more ends at the next second at the latest.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/live/internal.h"

#define SECOND USEC_PER_SEC
#define SESSIONS_DEADLINE (2 * USEC_PER_SEC)
#define SESSIONS_ARENA ((size_t)2 * 1024 * 1024)
#define SESSIONS_UNKNOWN_MAX                                                                       \
	(60 * USEC_PER_SEC) /* as long as a request's session may be remembered */
#define RETRY_MS 1000       /* and as much again by chance, so that not all come back at once */

static struct metric *open_now, *opened, *sent, *dropped, *ended_by_us, *resets;

void
live_streams_metrics(void)
{
	open_now = metric_gauge("bimodal_live_streams", NULL, "Streams of events that are open.");
	opened = metric_counter("bimodal_live_streams_total", NULL, "Streams of events opened.");
	sent = metric_counter("bimodal_live_events_total", NULL,
			      "Events told to streams, one for each stream.");
	resets = metric_counter("bimodal_live_resets_total", NULL,
				"Streams that were told to read everything again.");
	dropped = metric_counter("bimodal_live_dropped_total", "reason=\"slow\"",
				 "Streams ended by the server.");
	ended_by_us = metric_counter("bimodal_live_dropped_total", "reason=\"access\"",
				     "Streams ended by the server.");
}

/* ---- the list ---- */

static void
stream_remove(struct live_stream *s)
{
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		live.first = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	live.n--;
	metric_add(open_now, -1);
	free(s);
}

/* The client has left, or the server stops. */
static void
on_ended(void *arg)
{
	stream_remove(arg);
}

static void
stream_close(struct live_stream *s, struct str last)
{
	http_stream_close(s->http, last);
	stream_remove(s);
}

enum err
live_stream_allowed(struct task *t)
{
	const char *principal = access_actor_of(t)->principal;
	int64_t same = 0;
	for (const struct live_stream *s = live.first; s != NULL; s = s->next)
		same += strcmp(s->actor.principal, principal) == 0 ? 1 : 0;
	if ((int64_t)live.n >= live.conf.streams)
		return err_set(&t->t_err, ERR_BUSY, NULL,
			       "there are %lld streams open here already",
			       (long long)live.conf.streams);
	if (same >= live.conf.per_principal)
		return err_set(&t->t_err, ERR_RATE, NULL,
			       "this principal has %lld streams open here already",
			       (long long)same);
	return ERR_OK;
}

/* ---- texts ---- */

void
live_event_text(struct buf *out, const char *name, const struct live_place *place, const char *fmt,
		...)
{
	char id[LIVE_PLACE_SIZE];
	char data[256];
	va_list ap;
	live_place_text(place, id);
	va_start(ap, fmt);
	(void)vsnprintf(data, sizeof(data), fmt, ap);
	va_end(ap);
	buf_printf(out, "event: %s\nid: %s\ndata: %s\n\n", name, id, data);
}

void
live_feed_text(const struct live_stream *s, const struct live_feed_hop *hop, struct buf *out)
{
	if (s->may[LIVE_FEED] != 0)
		live_event_text(out, "feed", &s->after, "{\"hop\":\"%s\",\"word\":\"%s\"}",
				hop->hop, hop->word);
}

static struct str
small_text(struct buf *b, const char *name, const struct live_place *place, const char *reason)
{
	buf_init(b, LIVE_EVENT_MAX);
	live_event_text(b, name, place, "{\"reason\":\"%s\"}", reason);
	return buf_str(b);
}

/* ---- telling ---- */

/* What was told before it came here, by another worker say. */
static bool
is_new(const struct live_stream *s, const struct live_event *e)
{
	return live_compare(e->of_notices ? &s->after.notices : &s->after.log, &e->at) < 0;
}

struct crowd {
	uint16_t n[RECORD_RESOURCES_MAX];
};

static void
many_text(const struct crowd *crowd, const struct live_batch *b, struct buf *out)
{
	const struct record_catalog *c = record_engine_catalog(live.conf.records);
	for (size_t i = 0; c != NULL && i < record_catalog_count(c); i++) {
		if (crowd->n[i] > LIVE_EACH_MAX)
			live_event_text(out, "record", &b->end,
					"{\"resource\":\"%.*s\",\"id\":null,\"op\":\"many\"}",
					STR_FMT(record_catalog_at(c, i)->name));
	}
}

bool
live_stream_text(struct live_stream *s, const struct live_batch *b, struct buf *out)
{
	struct crowd crowd = { .n = { 0 } };
	const size_t max = (size_t)live.conf.buffer / 2;
	live_rights_settle(s);
	for (size_t i = 0; i < b->n; i++) {
		const struct live_event *e = &b->events[i];
		if (e->topic < RECORD_RESOURCES_MAX && is_new(s, e) &&
		    live_sees(s, e) != LIVE_UNSEEN)
			crowd.n[e->topic]++;
	}
	for (size_t i = 0; i < b->n && out->len <= max; i++) {
		const struct live_event *e = &b->events[i];
		if (e->topic < RECORD_RESOURCES_MAX && crowd.n[e->topic] > LIVE_EACH_MAX)
			continue;
		const enum live_seen seen = is_new(s, e) ? live_sees(s, e) : LIVE_UNSEEN;
		if (seen == LIVE_UNSEEN)
			continue;
		buf_add_str(out, seen == LIVE_SEEN ? e->text : e->gone);
		metric_add(sent, 1);
	}
	many_text(&crowd, b, out);
	s->after = live_later(&s->after, &b->end);
	return !out->failed && out->len <= max;
}

void
live_stream_drop(struct live_stream *s, const char *reason)
{
	struct buf last;
	metric_add(resets, 1);
	metric_add(dropped, 1);
	stream_close(s, small_text(&last, "reset", &s->after, reason));
	buf_free(&last);
}

void
live_stream_send(struct live_stream *s, struct str text)
{
	if (text.len == 0)
		return;
	s->beat = loop_now(live.conf.loop) + live.conf.heartbeat;
	if (!http_stream_write(s->http, text))
		live_stream_drop(s, "slow");
}

void
live_stream_tell(struct live_stream *s, const struct live_batch *b)
{
	buf_reset(&live.text);
	if (!live_stream_text(s, b, &live.text)) {
		buf_reset(&live.text);
		metric_add(resets, 1);
		live_event_text(&live.text, "reset", &s->after, "{\"reason\":\"many\"}");
	}
	live_stream_send(s, buf_str(&live.text));
}

/* ---- opening ---- */

enum step
live_stream_open(struct task *t, struct live_stream *from, struct str first)
{
	uint16_t chance = 0;
	if (live_stream_allowed(t) != ERR_OK)
		return task_fail(t);
	struct live_stream *s = malloc(sizeof(*s));
	if (s == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for another stream");
	*s = *from;
	http_reply_header(t, "Cache-Control", STR("no-store"));
	http_reply_header(t, "X-Accel-Buffering", STR("no"));
	s->http = http_stream_begin(
		t, &(struct http_stream_conf) { .content_type = "text/event-stream",
						.waiting_max = (size_t)live.conf.buffer,
						.ended = on_ended,
						.arg = s });
	if (s->http == NULL) {
		free(s);
		return STEP_DONE;
	}
	s->prev = NULL;
	s->next = live.first;
	if (live.first != NULL)
		live.first->prev = s;
	live.first = s;
	live.n++;
	metric_add(open_now, 1);
	metric_add(opened, 1);
	live.sessions_due = live.sessions_due || s->by_session;
	random_bytes(&chance, sizeof(chance));
	buf_reset(&live.text);
	buf_printf(&live.text, "retry: %d\n\n", RETRY_MS + chance % RETRY_MS);
	buf_add_str(&live.text, first);
	live_rights_settle(s);
	for (size_t i = 0; i < live.n_hops; i++)
		live_feed_text(s, &live.hops[i], &live.text);
	live_stream_send(s, buf_str(&live.text));
	return STEP_DONE;
}

/* ---- heartbeats and ends ---- */

static void
stream_end(struct live_stream *s, const char *reason)
{
	struct buf last;
	metric_add(ended_by_us, 1);
	stream_close(s, small_text(&last, "end", &s->after, reason));
	buf_free(&last);
}

static void
beat(struct live_stream *s)
{
	char id[LIVE_PLACE_SIZE];
	char text[LIVE_PLACE_SIZE + 16];
	s->after = live_later(&s->after, &live.place);
	live_place_text(&s->after, id);
	(void)snprintf(text, sizeof(text), ":\nid: %s\n\n", id);
	live_stream_send(s, str_of(text));
}

/* Is the session there in the answer? It is ordered by it. */
static int
session_row(struct task *t, const char *session)
{
	int low = 0, high = postgres_rows(t, 0);
	while (low < high) {
		const int mid = low + (high - low) / 2;
		const PGresult *rows = postgres_result(t, 0);
		const int order = strcmp(PQgetvalue(rows, mid, 0), session);
		if (order == 0)
			return mid;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

static enum step
sessions_ask(struct task *t)
{
	struct buf ids;
	live.sessions_due = false;
	live.sessions_look++;
	buf_init(&ids, SESSIONS_ARENA / 2);
	for (struct live_stream *s = live.first; s != NULL; s = s->next) {
		if (!s->by_session)
			continue;
		buf_printf(&ids, "%c%s", ids.len == 0 ? '{' : ',', s->actor.session);
		s->asked = live.sessions_look;
	}
	buf_add_char(&ids, '}');
	const enum step next =
		ids.len == 1 || ids.failed
			? STEP_DONE
			: postgres_wait(live.conf.pool, t, &sql_live_sessions,
					(struct postgres_param[]) { P_STR(buf_str(&ids)) }, 1);
	buf_free(&ids);
	return next;
}

static enum step
sessions_look(struct task *t)
{
	enum { SESSION, PRINCIPAL, NAME, ROLES, ENDS };
	char session[UUID_TEXT_SIZE];
	for (struct live_stream *s = live.first, *next; s != NULL; s = next) {
		next = s->next;
		if (!s->by_session || s->asked != live.sessions_look)
			continue;
		const int row = session_row(t, s->actor.session);
		if (row < 0) {
			stream_end(s, "revoked");
			continue;
		}
		memcpy(session, s->actor.session, sizeof(session));
		access_actor_make(live.conf.access, postgres_value(t, 0, row, PRINCIPAL),
				  postgres_value(t, 0, row, NAME), postgres_value(t, 0, row, ROLES),
				  &s->actor);
		memcpy(s->actor.session, session, sizeof(session));
		s->ends = postgres_int(t, 0, row, ENDS, 0);
		s->epoch = 0;
	}
	live.sessions_since = 0;
	return STEP_DONE;
}

static const struct step_row sessions_steps[] = {
	{ "ask", sessions_ask },
	{ "look", sessions_look },
	{ NULL, NULL },
};

static void
sessions_end(struct task *t, void *arg UNUSED)
{
	live.sessions_looking = false;
	if (t->t_err.code != ERR_OK)
		live.sessions_due = true;
}

static void
sessions_start(void)
{
	struct task *t = NULL;
	if (live.sessions_looking)
		return;
	if (live.sessions_since == 0)
		live.sessions_since = loop_now(live.conf.loop);
	live.sessions_looking = task_start(live.conf.engine, "live.sessions", sessions_steps,
					   clock_now_us() + SESSIONS_DEADLINE, SESSIONS_ARENA,
					   sessions_end, NULL, &t) == ERR_OK;
}

/* Nobody could say for a minute whether these sessions live. */
static void
sessions_give_up(void)
{
	if (live.sessions_since == 0 ||
	    loop_now(live.conf.loop) - live.sessions_since < SESSIONS_UNKNOWN_MAX)
		return;
	for (struct live_stream *s = live.first, *next; s != NULL; s = next) {
		next = s->next;
		if (s->by_session)
			stream_end(s, "sessions");
	}
	live.sessions_since = 0;
}

void
live_streams_second(void)
{
	const usec_t now = loop_now(live.conf.loop);
	const usec_t wall = clock_wall_us();
	for (struct live_stream *s = live.first, *next; s != NULL; s = next) {
		next = s->next;
		if (!s->by_session && wall >= s->ends)
			stream_end(s, "expired");
		else if (now >= s->beat)
			beat(s);
	}
	for (const struct live_stream *s = live.first; s != NULL; s = s->next)
		live.sessions_due = live.sessions_due || (s->by_session && wall >= s->ends);
	if (live.sessions_due)
		sessions_start();
	sessions_give_up();
}

void
live_streams_recheck(void)
{
	for (struct live_stream *s = live.first, *next; s != NULL; s = next) {
		next = s->next;
		if (s->by_session)
			live.sessions_due = true;
		else if (!access_check_again(live.conf.access, s->token, &s->actor, &s->ends))
			stream_end(s, "revoked");
	}
	if (live.sessions_due)
		sessions_start();
}
