/*
 * receive.c — bytes from a client into the connection's `in`: when reading goes on, the handshake of
 * TLS, the client's end of its side, what comes after the last answer.
 *
 * Place: http_receive is the callback of the read event; what is read goes to http_exchange_take.
 * Invariants: while a task runs at most READ_AHEAD bytes are read, enough to see a client leave; one
 * recv a callback, so that a client that sends fast holds nobody up.
 */
#include "http/server.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/log.h"

#define READ_BYTES (16 * 1024)
#define READ_BODY_BYTES (64 * 1024)
#define READ_AHEAD HTTP_HEAD_BYTES_MAX
#define LINGER_BYTES_MAX (1024 * 1024)

/* What comes is not looked at. */
static bool
drops(const struct http_connection *c)
{
	return c->state == HTTP_LINGER || c->state == HTTP_STREAMING;
}

void
http_connection_reading_update(struct http_connection *c)
{
	const bool want = c->state != HTTP_DEAD && !c->eof && (c->in.len < READ_AHEAD || drops(c));
	if (want && !c->reading)
		BUG_ON(event_add(&c->read_event, NULL) != 0);
	else if (!want && c->reading)
		(void)event_del(&c->read_event);
	c->reading = want;
	/* In the next turn, so that a client that sends fast does not hold this one. Part of a record may be all that is held: then
	 * the next recv finds nothing and does not come back here. */
	if (want && !c->read_dry && c->io->pending != NULL && c->io->pending(c->io_ctx)) {
		c->read_more = true;
		http_connection_mark(c);
	}
}

/* A handshake or a recv could not go on. The socket becoming readable is waited for in any case. */
static void
recv_await(struct http_connection *c)
{
	if (!http_connection_waits_for(c, HTTP_WAIT_WRITE))
		return;
	c->recv_blocked = true;
	http_connection_writable_await(c);
}

/* True: agreed upon, and the first request may be there already. */
static bool
handshake(struct http_connection *c)
{
	struct http_server *s = c->server;
	const int on = 1;
	/* The socket stays readable, so its turn comes; a storm of new clients must not make those wait who are served. */
	if (s->handshakes >= HTTP_HANDSHAKES_PER_TURN && !c->recv_blocked)
		return false;
	s->handshakes++;
	c->recv_blocked = false;
	switch (c->io->handshake(c->io_ctx)) {
	case 1:
		c->state = HTTP_IDLE;
		http_connection_read_within(c, s->conf.idle_deadline);
		/* Nothing is said now that would carry the ACK, and many a client holds its first request back until that comes. */
		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
		return true;
	case 0:
		recv_await(c);
		return false;
	default:
		http_connection_abort(c);
		return false;
	}
}

static void
on_eof(struct http_connection *c)
{
	c->eof = true;
	http_connection_reading_update(c);
	/* A task may be about to run: whether it parks is known in the LOOP_HTTP phase. */
	if (c->state == HTTP_IN_TASK)
		http_connection_mark(c);
	else
		http_exchange_take(c);
}

/* After the last answer, or behind a stream: a client that has ended its side has left. */
static void
drop_read(struct http_connection *c)
{
	char drop[READ_BYTES];
	const ssize_t n = c->io->recv(c->io_ctx, c->fd, drop, sizeof(drop));
	c->read_dry = n < 0 && http_would_block();
	if (c->read_dry) {
		if (c->state == HTTP_STREAMING)
			recv_await(c);
		return;
	}
	if (n > 0)
		c->lingered += (size_t)n;
	if (n <= 0 || c->lingered > LINGER_BYTES_MAX)
		http_connection_close(c);
	else
		http_connection_reading_update(c);
}

/* Large pieces only for a body that is large: buffers of the ordinary size are kept and lent again.
 */
static size_t
read_size(const struct http_connection *c)
{
	if (c->state != HTTP_IN_BODY)
		return READ_BYTES;
	const struct http_head *h = http_parser_head(c->parser);
	const uint64_t left = h->chunked ? c->body.len : h->length - MIN(h->length, c->body.len);
	return left > READ_BYTES ? READ_BODY_BYTES : READ_BYTES;
}

void
http_receive(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;
	(void)fd;
	(void)what;
	if (c->state == HTTP_HANDSHAKE && !handshake(c))
		return;
	c->recv_blocked = false;
	if (c->send_blocked)
		http_connection_mark(c);
	c->send_blocked = false;
	if (drops(c)) {
		drop_read(c);
		return;
	}
	http_buffer_take(c->server, &c->in, HTTP_INPUT_BYTES_MAX);
	const size_t want = read_size(c);
	char *p = buf_room(&c->in, want);
	if (p == NULL) {
		http_connection_abort(c);
		return;
	}
	const ssize_t n = c->io->recv(c->io_ctx, c->fd, p, want);
	if (n <= 0 && c->in.len == 0)
		http_buffer_give(c->server, &c->in);
	c->read_dry = n < 0 && http_would_block();
	if (n < 0) {
		/* errno: giving a buffer back does not touch it. */
		if (c->read_dry)
			recv_await(c);
		else
			http_connection_abort(c);
		return;
	}
	if (n == 0) {
		on_eof(c);
		return;
	}
	buf_took(&c->in, (size_t)n);
	if (http_exchange_takes(c)) {
		c->burst = 0;
		http_exchange_take(c);
	} else {
		http_connection_reading_update(c);
	}
}
