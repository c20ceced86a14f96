/*
 * connection.c — one client: its life, its timer, and what is written to it.
 *
 * Flow: receive.c reads bytes → exchange.c cuts them into requests, starts a task for each and
 * answers → http_connection_turn in the LOOP_HTTP phase: the next pipelined request is begun, or
 * what has been answered is written in one send. Invariants: EV_WRITE is armed only after a send
 * that would block; an idle connection holds no buffer. A client that ends its side while its task
 * is parked counts as gone (a half-close cannot be told from a close): the task is cancelled.
 * Requests that are answered without parking are answered all the same.
 */
#include "http/server.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define LINGER_DEADLINE (2 * USEC_PER_SEC)

void
http_connection_mark(struct http_connection *c)
{
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->dirty_next = c->server->dirty;
	c->server->dirty = c;
	loop_again(c->server->loop);
}

/* ---- timer and events ---- */

/* One timer for both deadlines. It is moved only when it has to fire earlier; firing too early just
 * sets it again. */
void
http_connection_timer_update(struct http_connection *c)
{
	usec_t at = c->read_deadline;
	if (c->write_deadline != 0 && (at == 0 || c->write_deadline < at))
		at = c->write_deadline;
	if (at == 0 || (c->timer_at != 0 && c->timer_at <= at))
		return;
	const usec_t left = MAX(at - loop_now(c->server->loop), 1);
	const struct timeval tv = { .tv_sec = (time_t)(left / USEC_PER_SEC),
				    .tv_usec = (suseconds_t)(left % USEC_PER_SEC) };
	BUG_ON(event_add(&c->timer, &tv) != 0);
	c->timer_at = at;
}

void
http_connection_read_within(struct http_connection *c, usec_t in)
{
	c->read_deadline = in == 0 ? 0 : loop_now(c->server->loop) + in;
	http_connection_timer_update(c);
}

/* Woken when the socket takes bytes again. */
void
http_connection_writable_await(struct http_connection *c)
{
	if (!c->writing)
		BUG_ON(event_add(&c->write_event, NULL) != 0);
	c->writing = true;
}

bool
http_connection_waits_for(const struct http_connection *c, enum http_wait what)
{
	return c->io->waits != NULL && c->io->waits(c->io_ctx) == what;
}

bool
http_would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* ---- end of a connection ---- */

/* Closed and without a task: reused after this turn. */
void
http_connection_end(struct http_connection *c)
{
	struct http_server *s = c->server;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->live = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	c->prev = NULL;
	c->next = s->ended;
	s->ended = c;
	loop_again(s->loop);
}

void
http_connection_close(struct http_connection *c)
{
	struct http_server *s = c->server;
	(void)event_del(&c->read_event);
	(void)event_del(&c->write_event);
	(void)event_del(&c->timer);
	c->timer_at = 0;
	c->io->close(c->io_ctx, c->fd);
	c->fd = -1;
	c->state = HTTP_DEAD;
	http_peers_leave(s->peers, &c->address);
	s->n_open--;
	metric_add(s->metrics->open, -1);
	http_buffer_give(s, &c->in);
	http_buffer_give(s, &c->out);
	http_stream_ended(c);
	if (c->task != NULL)
		return;
	http_exchange_reset(c);
	http_connection_end(c);
}

void
http_connection_abort(struct http_connection *c)
{
	if (c->state == HTTP_DEAD)
		return;
	if (c->task != NULL) {
		metric_add(c->server->metrics->hangups, 1);
		task_cancel(c->task, TASK_HANGUP);
	}
	http_connection_close(c);
}

void
http_connection_orphan(struct http_connection *c)
{
	struct task *t = c->task;
	if (t != NULL) {
		struct http_request *r = t->t_owner;
		t->t_end = NULL;
		task_cancel(t, TASK_SHUTDOWN);
		if (r != NULL) {
			r->connection = NULL;
			r->body = STR("");
		}
		c->task = NULL;
	}
	if (c->state != HTTP_DEAD) {
		http_connection_close(c);
		return;
	}
	http_exchange_reset(c);
	http_connection_end(c);
}

void
http_connection_free(struct http_connection *c)
{
	http_parser_destroy(c->parser);
	free(c);
}

/* Everything has been written. A close now could reset the connection under the last answer while
 * bytes still come in. */
static void
linger_begin(struct http_connection *c)
{
	const int ended = c->eof ? -1 : c->io->finish(c->io_ctx, c->fd);
	if (ended == 0) {
		c->write_deadline = loop_now(c->server->loop) + c->server->conf.write_deadline;
		c->queued = 0;
		http_connection_writable_await(c);
		http_connection_timer_update(c);
		return;
	}
	if (ended < 0) {
		http_connection_close(c);
		return;
	}
	c->state = HTTP_LINGER;
	c->lingered = c->in.len;
	http_buffer_give(c->server, &c->in);
	http_connection_read_within(c, LINGER_DEADLINE);
	http_connection_reading_update(c);
}

/* ---- writing ---- */

/* Bytes the kernel still holds for the client; 0 where it cannot tell. */
static int
queued(const struct http_connection *c)
{
	int n = 0;
	return ioctl(c->fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

/* False: the connection is closed. */
static bool
flush(struct http_connection *c)
{
	struct http_server *s = c->server;
	while (c->out.len > 0) {
		const ssize_t n =
			c->io->send(c->io_ctx, c->fd, c->out.p + c->out.start, c->out.len);
		if (n > 0) {
			buf_drain(&c->out, (size_t)n);
			c->write_deadline = 0;
			continue;
		}
		if (n < 0 && !http_would_block()) {
			http_connection_abort(c);
			return false;
		}
		if (c->write_deadline == 0) {
			c->write_deadline = loop_now(s->loop) + s->conf.write_deadline;
			c->queued = queued(c);
		}
		c->send_blocked = http_connection_waits_for(c, HTTP_WAIT_READ);
		if (!c->send_blocked)
			http_connection_writable_await(c);
		http_connection_timer_update(c);
		return true;
	}
	if (c->writing && !c->recv_blocked) {
		(void)event_del(&c->write_event);
		c->writing = false;
	}
	c->write_deadline = 0;
	http_buffer_give(s, &c->out);
	return true;
}

bool
http_connection_turn(struct http_connection *c)
{
	struct http_server *s = c->server;
	c->is_dirty = false;
	if (c->state == HTTP_DEAD)
		return false;
	if (c->read_more && c->reading)
		event_active(&c->read_event, EV_READ, 0);
	c->read_more = false;
	if (c->state == HTTP_IN_TASK && c->eof) {
		if (flush(c))
			http_connection_abort(c);
		return false;
	}
	if (http_exchange_takes(c) && c->in.len > 0) {
		http_exchange_take(c);
		if (c->state == HTTP_IN_TASK) {
			/* It may be answered in this turn too: look again before writing. */
			http_connection_mark(c);
			return true;
		}
	}
	/* More is there to be read, but this turn's share is used up, or too many answers wait. */
	const bool held =
		http_exchange_takes(c) && c->in.len > 0 &&
		(c->burst >= HTTP_PIPELINED_PER_TURN || c->out.len >= HTTP_OUTPUT_HIGH_BYTES);
	if (c->state == HTTP_DEAD || !flush(c))
		return false;
	if (c->state == HTTP_CLOSING && c->out.len == 0) {
		linger_begin(c);
	} else if (held && c->out.len < HTTP_OUTPUT_HIGH_BYTES && !c->is_later) {
		c->is_later = true;
		c->later_next = s->later;
		s->later = c;
		event_active(&s->kick, EV_TIMEOUT, 0);
	} else if (c->state == HTTP_IDLE && c->in.len == 0 && (c->eof || s->draining)) {
		c->state = HTTP_CLOSING;
		http_connection_mark(c);
	}
	return c->is_dirty;
}

/* Fires once: as long as the socket is writable and nothing has been written yet, it must not keep
 * the poll busy. */
static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;
	(void)fd;
	(void)what;
	c->writing = false;
	if (c->recv_blocked)
		event_active(&c->read_event, EV_READ, 0);
	http_connection_mark(c);
}

/* ---- deadlines ---- */

static void
read_timed_out(struct http_connection *c)
{
	const struct http_metrics *m = c->server->metrics;
	struct err_info info = { .code = ERR_OK };
	c->read_deadline = 0;
	switch (c->state) {
	case HTTP_HANDSHAKE:
		metric_add(m->timeouts[HTTP_TIMEOUT_HANDSHAKE], 1);
		http_connection_abort(c);
		return;
	case HTTP_IN_HEAD:
		metric_add(m->timeouts[HTTP_TIMEOUT_HEAD], 1);
		c->head_only = false;
		c->is_1_0 = false;
		(void)err_set(&info, ERR_REQ_TIMEOUT, NULL,
			      "The request head did not arrive in time.");
		http_exchange_reject(c, &info);
		return;
	case HTTP_IN_BODY:
		metric_add(m->timeouts[HTTP_TIMEOUT_BODY], 1);
		(void)err_set(&info, ERR_REQ_TIMEOUT, NULL,
			      "The request body did not arrive in time.");
		http_exchange_reject(c, &info);
		return;
	case HTTP_IDLE:
		metric_add(m->timeouts[HTTP_TIMEOUT_IDLE], 1);
		http_connection_abort(c);
		return;
	case HTTP_LINGER:
		http_connection_close(c);
		return;
	case HTTP_IN_TASK:
	case HTTP_STREAMING:
	case HTTP_CLOSING:
	case HTTP_DEAD:
		return;
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;
	(void)fd;
	(void)what;
	const usec_t now = loop_now(c->server->loop);
	c->timer_at = 0;
	/* The socket is writable again only when a third of its buffer is free; a slow reader makes
	 * progress before that. */
	if (c->write_deadline != 0 && now >= c->write_deadline && queued(c) < c->queued) {
		c->write_deadline = now + c->server->conf.write_deadline;
		c->queued = queued(c);
	}
	if (c->write_deadline != 0 && now >= c->write_deadline) {
		metric_add(c->server->metrics->timeouts[HTTP_TIMEOUT_WRITE], 1);
		http_connection_abort(c);
		return;
	}
	/* While answers wait to be written the client is not idle but slow; that is the write
	 * deadline's matter. */
	if (c->state == HTTP_IDLE && c->out.len > 0)
		c->read_deadline = now + c->server->conf.idle_deadline;
	if (c->read_deadline != 0 && now >= c->read_deadline)
		read_timed_out(c);
	if (c->state != HTTP_DEAD)
		http_connection_timer_update(c);
}

void
http_connection_drain(struct http_connection *c)
{
	if (c->stream.ended != NULL) {
		http_stream_stop(c);
		return;
	}
	if (c->state != HTTP_HANDSHAKE && (c->state != HTTP_IDLE || c->in.len > 0))
		return;
	if (c->out.len == 0) {
		http_connection_close(c);
		return;
	}
	c->state = HTTP_CLOSING;
	http_connection_mark(c);
}

/* ---- birth ---- */

static struct http_connection *
connection_object(struct http_server *s)
{
	struct http_connection *c = s->spare;
	struct http_parser *parser = NULL;
	if (c != NULL) {
		s->spare = c->next;
		parser = c->parser;
	} else {
		c = malloc(sizeof(*c));
		if (c == NULL)
			return NULL;
		parser = http_parser_create();
	}
	memset(c, 0, sizeof(*c));
	c->parser = parser;
	http_parser_reset(parser);
	return c;
}

bool
http_connection_open(struct http_server *s, int fd, const struct http_address *address,
		     const char *peer)
{
	struct http_connection *c = connection_object(s);
	if (c == NULL)
		return false;
	c->server = s;
	c->io = &http_io_plain;
	if (s->conf.tls != NULL) {
		c->io = &http_io_tls;
		c->io_ctx = http_tls_session(s->conf.tls, fd);
		if (c->io_ctx == NULL) {
			c->next = s->spare;
			s->spare = c;
			return false;
		}
	}
	c->fd = fd;
	c->state = c->io->handshake != NULL ? HTTP_HANDSHAKE : HTTP_IDLE;
	c->address = *address;
	(void)str_copy(c->peer, sizeof(c->peer), str_of(peer));
	const int on = 1;
	/* Not a TCP socket: nothing to set. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	struct event_base *base = loop_base(s->loop);
	BUG_ON(event_assign(&c->read_event, base, fd, EV_READ | EV_PERSIST, http_receive, c) != 0);
	BUG_ON(event_assign(&c->write_event, base, fd, EV_WRITE, on_writable, c) != 0);
	BUG_ON(event_assign(&c->timer, base, -1, 0, on_timer, c) != 0);
	c->next = s->live;
	if (s->live != NULL)
		s->live->prev = c;
	s->live = c;
	s->n_open++;
	s->n_objects++;
	metric_add(s->metrics->open, 1);
	http_connection_reading_update(c);
	/* A client that is not even done with the handshake is given as long as for a head. */
	http_connection_read_within(c, c->state == HTTP_IDLE ? s->conf.idle_deadline
							     : s->conf.head_deadline);
	return true;
}
