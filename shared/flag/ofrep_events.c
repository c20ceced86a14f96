/*
 * ofrep_events.c — GET /ofrep/v1/events: tells clients to evaluate again when the flags have changed (OFREP's ADR-0008). See ofrep.h.
 *
 * One event says all: which generation is served now. It is written when the worker swaps its snapshot, which every worker does when
 * it hears of a change. Invariants: a stream has been told `told` or has it otherwise; it is told again whenever that is not what is
 * served; the list and the connections agree, a stream is on it exactly while its reply is open; it ends with its token or right,
 * a second late at most.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flag/ofrep_parts.h"
#include "flag/usage.h"

#define WAITING_MAX ((size_t)16 * 1024)
#define TEXT_SIZE 256
#define RETRY_MS 1000 /* and as much again by chance, so that not all come back at once */

struct stream {
	struct stream *prev, *next;
	struct http_stream *http;
	uint8_t token[SHA256_BYTES];
	char principal[UUID_TEXT_SIZE];
	char client[FLAG_CLIENT_SIZE];
	usec_t ends; /* wall      */
	usec_t beat; /* monotonic */
	int64_t told;
};

static struct {
	struct stream *first;
	int64_t n;
	struct loop_timer *timer;
} events;

/* ---- the list ---- */

static void
stream_remove(struct stream *s)
{
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		events.first = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	events.n--;
	metric_add(flag_metric_set()->streams, -1);
	free(s);
}

static void
on_ended(void *arg)
{
	stream_remove(arg);
}

static void
stream_close(struct stream *s)
{
	http_stream_close(s->http, STR_NONE);
	stream_remove(s);
}

static void
stream_send(struct stream *s, const char *text)
{
	s->beat = loop_now(flag_ofrep_conf.loop) + flag_ofrep_conf.heartbeat;
	/* Who takes nothing comes back and is told then. */
	if (!http_stream_write(s->http, str_of(text)))
		stream_close(s);
}

/* ---- telling ---- */

static void
event_text(char out[TEXT_SIZE])
{
	const long long generation = (long long)flag_store_generation(flag_ofrep_conf.store);
	const long long since = (long long)(flag_store_since(flag_ofrep_conf.store) / USEC_PER_SEC);
	(void)snprintf(out, TEXT_SIZE,
		       "id: %lld\nevent: message\n"
		       "data: {\"type\":\"refetchEvaluation\",\"etag\":\"\\\"g%lld\\\"\","
		       "\"lastModified\":%lld}\n\n",
		       generation, generation, since);
}

void
flag_ofrep_swapped(void)
{
	const int64_t generation = flag_store_generation(flag_ofrep_conf.store);
	char text[TEXT_SIZE];

	event_text(text);
	for (struct stream *s = events.first, *next; s != NULL; s = next) {
		next = s->next;
		if (s->told == generation)
			continue;
		s->told = generation;
		metric_add(flag_metric_set()->events, 1);
		stream_send(s, text);
	}
}

static bool
is_good(struct stream *s)
{
	return flag_ofrep_conf.token_may(s->token, FLAG_OFREP_RIGHT, s->principal, &s->ends) ==
	       ERR_OK;
}

void
flag_ofrep_access_changed(void)
{
	for (struct stream *s = events.first, *next; s != NULL; s = next) {
		next = s->next;
		if (!is_good(s))
			stream_close(s);
	}
}

void
flag_ofrep_streams_tell(void)
{
	for (const struct stream *s = events.first; s != NULL; s = s->next)
		flag_usage_stream(str_of(s->principal), str_of(s->client));
}

static void
second(void *arg UNUSED)
{
	const usec_t now = loop_now(flag_ofrep_conf.loop);
	const usec_t wall = clock_wall_us();

	for (struct stream *s = events.first, *next; s != NULL; s = next) {
		next = s->next;
		if (wall >= s->ends && !is_good(s))
			stream_close(s);
		else if (now >= s->beat)
			stream_send(s, ":\n\n");
	}
}

/* ---- opening ---- */

static enum err
query_check(struct task *t)
{
	for (size_t i = 0; i < http_query_count(t); i++) {
		struct str name;
		struct str value;
		http_query_at(t, i, &name, &value);
		if (!str_is(name, "ticket") && !str_is(name, "after"))
			return err_set(&t->t_err, ERR_BAD_REQUEST, arena_strdup(&t->t_arena, name),
				       "a stream takes the parameters ticket and after");
	}
	return ERR_OK;
}

static enum err
token_check(struct task *t, struct stream *s)
{
	const struct str ticket = http_query(t, "ticket");

	if (ticket.p != NULL && !ofrep_ticket_read(ticket, clock_wall_us(), s->token))
		return err_set(&t->t_err, ERR_UNAUTHORIZED, "ticket",
			       "the ticket is not ours, or over; evaluate all flags for another");
	if (ticket.p == NULL && !flag_ofrep_conf.token_of(t, s->token))
		return err_set(&t->t_err, ERR_UNAUTHORIZED, "Authorization",
			       "a stream needs a ticket, or a token");
	switch (flag_ofrep_conf.token_may(s->token, FLAG_OFREP_RIGHT, s->principal, &s->ends)) {
	case ERR_OK:
		return ERR_OK;
	case ERR_FORBIDDEN:
		return err_set(&t->t_err, ERR_FORBIDDEN, NULL,
			       "this needs the right " FLAG_OFREP_RIGHT);
	default:
		return err_set(&t->t_err, ERR_UNAUTHORIZED, "Authorization",
			       "the token is not good any more");
	}
}

static enum err
limits_check(struct task *t, const struct stream *s)
{
	int64_t same = 0;

	for (const struct stream *o = events.first; o != NULL; o = o->next)
		same += strcmp(o->principal, s->principal) == 0 ? 1 : 0;
	if (events.n >= flag_ofrep_conf.streams)
		return err_set(&t->t_err, ERR_BUSY, NULL,
			       "there are %lld streams open here already", (long long)events.n);
	if (same >= flag_ofrep_conf.per_principal)
		return err_set(&t->t_err, ERR_RATE, NULL,
			       "this principal has %lld streams open here already",
			       (long long)same);
	return ERR_OK;
}

/* What the client has heard of, or has evaluated; -1: it does not say. */
static int64_t
heard_of(struct task *t)
{
	const struct str last = http_header(t, "Last-Event-ID");
	int64_t generation = -1;

	if (str_int(last.p != NULL ? last : http_query(t, "after"), 0, INT64_MAX, &generation) !=
	    ERR_OK)
		return -1;
	return generation;
}

static enum step
join(struct task *t, const struct stream *from)
{
	char text[2 * TEXT_SIZE];
	uint16_t chance = 0;
	struct stream *s = malloc(sizeof(*s));

	if (s == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for another stream");
	*s = *from;
	http_reply_header(t, "Cache-Control", STR("no-store"));
	http_reply_header(t, "X-Accel-Buffering", STR("no"));
	s->http = http_stream_begin(
		t, &(struct http_stream_conf) { .content_type = "text/event-stream",
						.waiting_max = WAITING_MAX,
						.ended = on_ended,
						.arg = s });
	if (s->http == NULL) {
		free(s);
		return STEP_DONE;
	}
	s->prev = NULL;
	s->next = events.first;
	if (events.first != NULL)
		events.first->prev = s;
	events.first = s;
	events.n++;
	metric_add(flag_metric_set()->streams, 1);
	random_bytes(&chance, sizeof(chance));
	(void)snprintf(text, TEXT_SIZE, "retry: %d\nid: %lld\n\n", RETRY_MS + chance % RETRY_MS,
		       (long long)flag_store_generation(flag_ofrep_conf.store));
	if (s->told == flag_store_generation(flag_ofrep_conf.store)) {
		stream_send(s, text);
		return STEP_DONE;
	}
	s->told = flag_store_generation(flag_ofrep_conf.store);
	metric_add(flag_metric_set()->events, 1);
	const size_t head = strlen(text);
	event_text(text + head);
	stream_send(s, text);
	return STEP_DONE;
}

static enum step
events_open(struct task *t)
{
	struct stream s = { .told = heard_of(t) };

	if (http_method_of(t) == HTTP_HEAD) {
		http_reply_header(t, "Allow", STR("GET"));
		return task_fail_set(t, ERR_METHOD, NULL, "A stream has no head of its own.");
	}
	if (query_check(t) != ERR_OK || token_check(t, &s) != ERR_OK ||
	    limits_check(t, &s) != ERR_OK)
		return task_fail(t);
	if (flag_store_now(flag_ofrep_conf.store) == NULL)
		return task_fail_set(t, ERR_BUSY, NULL, "the flags are not loaded yet");
	flag_usage_client(http_header(t, "User-Agent"), s.client);
	return join(t, &s);
}

const struct step_row flag_ofrep_events_steps[] = {
	{ "open", events_open },
	{ NULL, NULL },
};

void
ofrep_events_start(void)
{
	events.timer = loop_every(flag_ofrep_conf.loop, USEC_PER_SEC, second, NULL);
}

void
ofrep_events_stop(void)
{
	loop_timer_destroy(events.timer);
	events.timer = NULL;
}
