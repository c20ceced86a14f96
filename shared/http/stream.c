/*
 * stream.c — replies that go on after their task: the room writes when it has something to say, for as long as the client stays. See
 * http.h.
 *
 * Place: http_stream_begin in a step → http_connection_task_end leaves the connection in HTTP_STREAMING → writes append to `out`,
 * which the LOOP_HTTP phase sends and gives back. Invariants: the room hears of an end once, and not of one that it made itself;
 * what waits is bounded by the room's limit, and what the kernel holds by SEND_BUFFER_BYTES.
 */
#include "http/server.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/log.h"

#define SEND_BUFFER_BYTES (32 * 1024) /* the kernel doubles it */

/* A client that is gone without a word keeps neither bytes nor the connection. */
static void
socket_bound(const struct http_connection *c)
{
	const int bytes = SEND_BUFFER_BYTES;
	const unsigned ms = (unsigned)(c->server->conf.write_deadline / USEC_PER_MS);
	/* Not a TCP socket: the write deadline does. */
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

struct http_stream *
http_stream_begin(struct task *t, const struct http_stream_conf *conf)
{
	struct http_request *r = http_request_of(t);
	struct http_connection *c = r->connection;
	BUG_ON(r->replied || conf->waiting_max > HTTP_STREAM_WAITING_MAX || conf->ended == NULL);
	if (c == NULL || c->state == HTTP_DEAD)
		return NULL;
	if (c->server->draining) {
		(void)err_set(&t->t_err, ERR_STOPPING, NULL, "The server is stopping.");
		return NULL;
	}
	struct http_answer a = http_answer_for(r, c);
	a.status = 200;
	a.content_type = conf->content_type;
	a.close = true;
	a.endless = true;
	http_buffer_take(c->server, &c->out, HTTP_OUTPUT_BYTES_MAX);
	if (!http_answer_write(c->server, &c->out, &a)) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "There is no memory for the answer.");
		return NULL;
	}
	c->close_after = true;
	r->replied = true;
	r->status = a.status;
	c->stream = (struct http_stream) { .connection = c,
					   .ended = conf->ended,
					   .arg = conf->arg,
					   .waiting_max = conf->waiting_max };
	socket_bound(c);
	http_connection_mark(c);
	return &c->stream;
}

static bool
append(struct http_connection *c, struct str bytes, size_t max)
{
	http_buffer_take(c->server, &c->out, HTTP_OUTPUT_BYTES_MAX);
	if (bytes.len > max || c->out.len > max - bytes.len)
		return false;
	/* Without memory nothing of it is taken, nor of what comes until the rest has been sent: half an event must not go out. */
	buf_add_str(&c->out, bytes);
	http_connection_mark(c);
	return !c->out.failed;
}

bool
http_stream_write(struct http_stream *s, struct str bytes)
{
	return append(s->connection, bytes, s->waiting_max);
}

/* The answer ends here; the connection is closed when it has been written. */
static void
finish(struct http_connection *c)
{
	c->stream.ended = NULL;
	if (c->state == HTTP_STREAMING)
		c->state = HTTP_CLOSING;
	http_connection_mark(c);
}

void
http_stream_close(struct http_stream *s, struct str last)
{
	struct http_connection *c = s->connection;
	BUG_ON(last.len > HTTP_STREAM_LAST_MAX);
	(void)append(c, last, s->waiting_max + HTTP_STREAM_LAST_MAX);
	finish(c);
}

void
http_stream_ended(struct http_connection *c)
{
	void (*ended)(void *arg) = c->stream.ended;
	c->stream.ended = NULL;
	if (ended != NULL)
		ended(c->stream.arg);
}

void
http_stream_stop(struct http_connection *c)
{
	http_stream_ended(c);
	finish(c);
}
