/*
 * connection.c — one client: reads bytes, cuts them into requests, starts a task for each, writes
 * the answers.
 *
 * Flow: on_readable → requests_take (parser, router) → task → http_connection_task_end →
 * http_connection_turn in the LOOP_HTTP phase: the next pipelined request is begun, or what has
 * been answered is written in one send. Invariants: one request at a time; at most
 * HTTP_PIPELINED_PER_TURN are begun in a turn; EV_WRITE is armed only after a send that would
 * block; while a task runs reading goes on up to READ_AHEAD, so that a client's leaving is seen; an
 * idle connection holds no buffer. A client that ends its side while its task is parked counts as
 * gone (a half-close cannot be told from a close): the task is cancelled. Requests that are
 * answered without parking are answered all the same.
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

#define READ_BYTES (16 * 1024)
#define READ_BODY_BYTES (64 * 1024)
#define READ_AHEAD HTTP_HEAD_BYTES_MAX
#define IN_BYTES_MAX                                                                               \
	(256 * 1024) /* never reached: reading stops at READ_AHEAD or what a body read brings */
#define OUT_HIGH_BYTES (256 * 1024)    /* answers waiting before the next request is begun */
#define BODY_BYTES_PER_SEC (32 * 1024) /* a body may be as slow as this */
#define LINGER_DEADLINE (2 * USEC_PER_SEC)
#define LINGER_BYTES_MAX (1024 * 1024)

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
static void
timer_update(struct http_connection *c)
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

static void
read_deadline_set(struct http_connection *c, usec_t in)
{
	c->read_deadline = in == 0 ? 0 : loop_now(c->server->loop) + in;
	timer_update(c);
}

static void
reading_update(struct http_connection *c)
{
	const bool want = c->state != HTTP_DEAD && !c->eof &&
			  (c->in.len < READ_AHEAD || c->state == HTTP_LINGER);
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

static bool
waits_for(const struct http_connection *c, enum http_wait what)
{
	return c->io->waits != NULL && c->io->waits(c->io_ctx) == what;
}

/* Woken when the socket takes bytes again. */
static void
writable_await(struct http_connection *c)
{
	if (!c->writing)
		BUG_ON(event_add(&c->write_event, NULL) != 0);
	c->writing = true;
}

static bool
would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* A handshake or a recv could not go on. The socket becoming readable is waited for in any case. */
static void
recv_await(struct http_connection *c)
{
	if (!waits_for(c, HTTP_WAIT_WRITE))
		return;
	c->recv_blocked = true;
	writable_await(c);
}

/* ---- end of a request, end of a connection ---- */

static void
request_reset(struct http_connection *c)
{
	http_parser_reset(c->parser);
	http_buffer_give(c->server, &c->head);
	http_buffer_give(c->server, &c->body);
	c->row = NULL;
}

/* Closed and without a task: reused after this turn. */
static void
connection_end(struct http_connection *c)
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

static void
connection_close(struct http_connection *c)
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
	if (c->task != NULL)
		return;
	request_reset(c);
	connection_end(c);
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
	connection_close(c);
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
		connection_close(c);
		return;
	}
	request_reset(c);
	connection_end(c);
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
		writable_await(c);
		timer_update(c);
		return;
	}
	if (ended < 0) {
		connection_close(c);
		return;
	}
	c->state = HTTP_LINGER;
	c->lingered = c->in.len;
	http_buffer_give(c->server, &c->in);
	read_deadline_set(c, LINGER_DEADLINE);
	reading_update(c);
}

/* ---- answers without a task ---- */

static void
answered(struct http_connection *c)
{
	if (c->in.len == 0)
		http_buffer_give(c->server, &c->in);
	request_reset(c);
	c->state = c->close_after ? HTTP_CLOSING : HTTP_IDLE;
	read_deadline_set(c, c->close_after ? 0 : c->server->conf.idle_deadline);
	http_connection_mark(c);
}

/* What a head that was read says of its sender; the text is that of the connection. */
static struct str
token_in(const struct http_head *h, const char *head)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		const struct http_field *f = &h->fields[i];
		if (str_ieq((struct str) { head + f->name.at, f->name.len }, STR("Authorization")))
			return http_bearer_of((struct str) { head + f->value.at, f->value.len });
	}
	return STR_NONE;
}

/* Problem body, or only headers if `info` is NULL (status 204). */
static void
answer_early(struct http_connection *c, const struct err_info *info, const char *allow,
	     struct str token)
{
	struct http_server *s = c->server;
	struct http_early early = { .n = 0 };
	struct err_info refused = { .code = ERR_OK };
	struct http_reply_header headers[HTTP_EARLY_HEADERS_MAX + 1];
	struct http_reply_header *first = NULL;
	char id[UUID_TEXT_SIZE];
	struct uuid u;
	uuid_v7(&u);
	uuid_text(&u, id);
	if (s->conf.early != NULL && !s->conf.early(str_of(c->peer), token, &early, &refused))
		info = &refused;
	for (size_t i = 0; i < early.n; i++) {
		headers[i] = (struct http_reply_header) { first, str_of(early.headers[i].name),
							  early.headers[i].value };
		first = &headers[i];
	}
	if (allow != NULL) {
		headers[early.n] =
			(struct http_reply_header) { first, STR("Allow"), str_of(allow) };
		first = &headers[early.n];
	}
	c->close_after = c->close_after || s->draining;
	struct http_answer a = {
		.status = 204,
		.request_id = str_of(id),
		.headers = first,
		.head_only = c->head_only,
		.close = c->close_after,
		.is_1_0 = c->is_1_0,
		.cors = c->cors,
	};
	http_buffer_take(s, &c->out, HTTP_OUTPUT_BYTES_MAX);
	const bool ok = info == NULL ? http_answer_write(s, &c->out, &a)
				     : http_problem_write(s, &c->out, info, early.members, &a);
	metric_add(s->metrics->unrouted[http_metrics_class(a.status)], 1);
	if (ok)
		answered(c);
	else
		http_connection_abort(c);
}

/* The connection cannot go on after this: malformed, too large, too slow. */
static void
reject(struct http_connection *c, const struct err_info *info, struct str token)
{
	c->close_after = true;
	answer_early(c, info, NULL, token);
}

static void
allow_text(unsigned allowed, char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (unsigned m = 0; m < HTTP_METHODS; m++) {
		if ((allowed & (1u << m)) == 0)
			continue;
		const struct str name = str_of(http_method_name((enum http_method)m));
		if (n > 0 && n + 2 < size) {
			memcpy(out + n, ", ", 3);
			n += 2;
		}
		if (!str_copy(out + n, size - n, name))
			return;
		n += name.len;
	}
}

/* No route has the method. OPTIONS is answered for every path that is served; "*" stands for the
 * server as a whole. */
static void
answer_unrouted(struct http_connection *c, const struct http_target *target,
		enum http_method method, unsigned allowed, struct str token)
{
	struct err_info info = { .code = ERR_OK };
	char allow[64];
	if (target->is_asterisk)
		allowed = (1u << HTTP_METHODS) - 1;
	allow_text(allowed, allow, sizeof(allow));
	if (allowed == 0) {
		(void)err_set(&info, ERR_NO_ROUTE, NULL, "Nothing is served at this path.");
		answer_early(c, &info, NULL, token);
	} else if (method == HTTP_OPTIONS) {
		answer_early(c, NULL, allow, token);
	} else {
		(void)err_set(&info, ERR_METHOD, NULL, "This path is served for %s.", allow);
		answer_early(c, &info, allow, token);
	}
}

/* ---- requests ---- */

static size_t
body_max_of(const struct http_row *row)
{
	return row->route->body_max == 0 ? HTTP_BODY_BYTES_DEFAULT : row->route->body_max;
}

static void
task_begin(struct http_connection *c, const char *head, size_t head_len)
{
	struct http_server *s = c->server;
	const struct http_route *route = c->row->route;
	const usec_t allowed =
		route->deadline_ms == 0 ? s->conf.task_deadline : route->deadline_ms * USEC_PER_MS;
	const struct step_row *steps = s->conf.guard != NULL ? s->conf.guard : route->steps;
	struct task *t = NULL;
	enum err e = task_start(s->engine, route->name, steps, loop_now(s->loop) + allowed,
				s->conf.arena_cap, http_connection_task_end, c, &t);
	if (e != ERR_OK) {
		struct err_info info = { .code = ERR_OK };
		(void)err_set(&info, e, NULL, "%s.", err_row(e)->title);
		answer_early(c, &info, NULL, token_in(http_parser_head(c->parser), head));
		return;
	}
	c->task = t;
	c->state = HTTP_IN_TASK;
	c->read_deadline = 0;
	e = http_request_create(t, c, http_parser_head(c->parser), head, head_len);
	if (e != ERR_OK) {
		(void)err_set(&t->t_err, e, NULL,
			      "The request does not fit into its memory limit.");
		task_cancel(t, TASK_SHUTDOWN);
	}
}

static void
body_deadline_set(struct http_connection *c)
{
	const struct http_head *h = http_parser_head(c->parser);
	const uint64_t size = h->chunked ? c->body.len : h->length;
	const usec_t extra = (usec_t)(size * (uint64_t)USEC_PER_SEC / BODY_BYTES_PER_SEC);
	c->read_deadline = c->body_begin + c->server->conf.body_deadline + extra;
	timer_update(c);
}

/* The head is complete and routed, the body comes. The head moves aside, so that `in` holds body
 * bytes only. */
static bool
body_begin(struct http_connection *c, size_t head_len)
{
	struct http_server *s = c->server;
	const struct http_head *h = http_parser_head(c->parser);
	http_buffer_take(s, &c->head, IN_BYTES_MAX);
	http_buffer_take(s, &c->body, HTTP_BODY_BYTES_MAX);
	buf_add(&c->head, c->in.p + c->in.start, head_len);
	buf_drain(&c->in, head_len);
	/* Not the whole announced length: it costs the client nothing to announce much. */
	const size_t room = MIN((size_t)h->length, (size_t)READ_BODY_BYTES);
	if (c->head.failed || buf_room(&c->body, room) == NULL) {
		struct err_info info = { .code = ERR_OK };
		(void)err_set(&info, ERR_NO_MEMORY, NULL, "There is no memory for the body.");
		reject(c, &info, STR_NONE);
		return false;
	}
	c->state = HTTP_IN_BODY;
	c->body_begin = loop_now(s->loop);
	body_deadline_set(c);
	if (h->expect_continue && c->in.len == 0) {
		http_buffer_take(s, &c->out, HTTP_OUTPUT_BYTES_MAX);
		buf_add_cstr(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
		http_connection_mark(c);
	}
	return true;
}

/* False: this request has been answered, or cannot go on for now. */
static bool
head_done(struct http_connection *c, size_t used)
{
	struct http_server *s = c->server;
	const struct http_head *h = http_parser_head(c->parser);
	const char *head = c->in.p + c->in.start;
	const struct str raw = { head + h->target.at, h->target.len };
	struct err_info info = { .code = ERR_OK };
	unsigned allowed = 0;
	c->burst++;
	c->requests++;
	c->head_only = h->method == HTTP_HEAD;
	c->is_1_0 = h->is_1_0;
	c->cors = http_cors_of(s->conf.cors_origin, h, c->in.p + c->in.start);
	/* A body that nobody reads would be taken for the next request, so an early answer to one
	 * closes. */
	c->close_after =
		!h->keep_alive || h->has_body || c->requests >= HTTP_REQUESTS_PER_CONNECTION;
	const enum err e = http_target_read(raw, h->method, &s->target, &info);
	const enum http_method method = h->method;
	const bool has_body = h->has_body;
	if (e == ERR_OK && !s->target.is_asterisk)
		c->row = http_router_find(s->router, method, &s->target, &allowed);
	if (e == ERR_BAD_REQUEST) {
		metric_add(s->metrics->parse_errors, 1);
		reject(c, &info, token_in(h, head));
		return false;
	}
	if (c->row == NULL) {
		/* The bytes stay where they are until the next ones are read. */
		const struct str token = token_in(h, head);
		buf_drain(&c->in, used);
		if (e != ERR_OK)
			answer_early(c, &info, NULL, token);
		else
			answer_unrouted(c, &s->target, method, allowed, token);
		return true;
	}
	if (http_parser_body_max(c->parser, body_max_of(c->row)) != ERR_OK) {
		reject(c, http_parser_error(c->parser), token_in(h, head));
		return false;
	}
	if (has_body)
		return body_begin(c, used);
	task_begin(c, head, used);
	buf_drain(&c->in, used);
	return true;
}

static bool
head_take(struct http_connection *c)
{
	size_t used = 0;
	switch (http_parser_take_head(c->parser, buf_str(&c->in), &used)) {
	case HTTP_PARSE_DONE:
		return head_done(c, used);
	case HTTP_PARSE_BAD:
		metric_add(c->server->metrics->parse_errors, 1);
		c->head_only = false;
		reject(c, http_parser_error(c->parser), STR_NONE);
		return false;
	case HTTP_PARSE_MORE:
		break;
	}
	if (c->state == HTTP_IDLE && http_parser_begun(c->parser)) {
		c->state = HTTP_IN_HEAD;
		read_deadline_set(c, c->server->conf.head_deadline);
	}
	return false;
}

/* While the body comes: its head was put aside. */
static struct str
token_of(const struct http_connection *c)
{
	return token_in(http_parser_head(c->parser), c->head.p + c->head.start);
}

static bool
body_take(struct http_connection *c)
{
	size_t used = 0;
	const enum http_parsed r =
		http_parser_take_body(c->parser, buf_str(&c->in), &c->body, &used);
	if (r == HTTP_PARSE_BAD) {
		metric_add(c->server->metrics->parse_errors, 1);
		reject(c, http_parser_error(c->parser), token_of(c));
		return false;
	}
	buf_drain(&c->in, used);
	if (r == HTTP_PARSE_MORE) {
		body_deadline_set(c);
		return false;
	}
	/* Read to its end: the connection may go on after all. */
	c->close_after = !http_parser_head(c->parser)->keep_alive ||
			 c->requests >= HTTP_REQUESTS_PER_CONNECTION;
	const struct str head = buf_str(&c->head);
	task_begin(c, head.p, head.len);
	return true;
}

static bool
takes_requests(const struct http_connection *c)
{
	return c->state == HTTP_IDLE || c->state == HTTP_IN_HEAD || c->state == HTTP_IN_BODY;
}

/* Cut requests out of `in` until one runs, bytes are missing, or this turn's share is used up. */
static void
requests_take(struct http_connection *c)
{
	bool more = true;
	while (more && takes_requests(c) && c->burst < HTTP_PIPELINED_PER_TURN &&
	       c->out.len < OUT_HIGH_BYTES && c->in.len > 0)
		more = c->state == HTTP_IN_BODY ? body_take(c) : head_take(c);
	/* The client has ended its side, and what is left is not a whole request. */
	if (c->eof && takes_requests(c) && (!more || c->in.len == 0)) {
		c->state = HTTP_CLOSING;
		http_connection_mark(c);
	}
	if (c->state == HTTP_DEAD)
		return;
	if (c->in.len == 0)
		http_buffer_give(c->server, &c->in);
	reading_update(c);
}

void
http_connection_task_end(struct task *t, void *connection)
{
	struct http_connection *c = connection;
	struct http_server *s = c->server;
	struct http_request *r = t->t_owner;
	if (c->state != HTTP_DEAD && (r == NULL || !r->replied))
		http_reply_problem(t, c);
	const int status = r != NULL && r->replied ? r->status : err_row(ERR_CANCELLED)->status;
	metric_add(c->row->by_class[http_metrics_class(status)], 1);
	metric_observe_us(s->metrics->duration, loop_now(s->loop) - t->t_begin);
	if (s->conf.on_end != NULL && r != NULL)
		s->conf.on_end(t, status, r->bytes, s->conf.arg);
	c->task = NULL;
	if (c->state == HTTP_DEAD) {
		request_reset(c);
		connection_end(c);
		return;
	}
	answered(c);
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
		if (n < 0 && !would_block()) {
			http_connection_abort(c);
			return false;
		}
		if (c->write_deadline == 0) {
			c->write_deadline = loop_now(s->loop) + s->conf.write_deadline;
			c->queued = queued(c);
		}
		c->send_blocked = waits_for(c, HTTP_WAIT_READ);
		if (!c->send_blocked)
			writable_await(c);
		timer_update(c);
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
	if (takes_requests(c) && c->in.len > 0) {
		requests_take(c);
		if (c->state == HTTP_IN_TASK) {
			/* It may be answered in this turn too: look again before writing. */
			http_connection_mark(c);
			return true;
		}
	}
	/* More is there to be read, but this turn's share is used up, or too many answers wait. */
	const bool held = takes_requests(c) && c->in.len > 0 &&
			  (c->burst >= HTTP_PIPELINED_PER_TURN || c->out.len >= OUT_HIGH_BYTES);
	if (c->state == HTTP_DEAD || !flush(c))
		return false;
	if (c->state == HTTP_CLOSING && c->out.len == 0) {
		linger_begin(c);
	} else if (held && c->out.len < OUT_HIGH_BYTES && !c->is_later) {
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

/* ---- reading ---- */

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
		read_deadline_set(c, s->conf.idle_deadline);
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
	reading_update(c);
	/* A task may be about to run: whether it parks is known in the LOOP_HTTP phase. */
	if (c->state == HTTP_IN_TASK)
		http_connection_mark(c);
	else
		requests_take(c);
}

static void
linger_read(struct http_connection *c)
{
	char drop[READ_BYTES];
	const ssize_t n = c->io->recv(c->io_ctx, c->fd, drop, sizeof(drop));
	c->read_dry = n < 0 && would_block();
	if (c->read_dry)
		return;
	if (n > 0)
		c->lingered += (size_t)n;
	if (n <= 0 || c->lingered > LINGER_BYTES_MAX)
		connection_close(c);
	else
		reading_update(c);
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

static void
on_readable(evutil_socket_t fd, short what, void *arg)
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
	if (c->state == HTTP_LINGER) {
		linger_read(c);
		return;
	}
	http_buffer_take(c->server, &c->in, IN_BYTES_MAX);
	const size_t want = read_size(c);
	char *p = buf_room(&c->in, want);
	if (p == NULL) {
		http_connection_abort(c);
		return;
	}
	const ssize_t n = c->io->recv(c->io_ctx, c->fd, p, want);
	if (n <= 0 && c->in.len == 0)
		http_buffer_give(c->server, &c->in);
	c->read_dry = n < 0 && would_block();
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
	if (takes_requests(c)) {
		c->burst = 0;
		requests_take(c);
	} else {
		reading_update(c);
	}
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
		reject(c, &info, STR_NONE);
		return;
	case HTTP_IN_BODY:
		metric_add(m->timeouts[HTTP_TIMEOUT_BODY], 1);
		(void)err_set(&info, ERR_REQ_TIMEOUT, NULL,
			      "The request body did not arrive in time.");
		reject(c, &info, token_of(c));
		return;
	case HTTP_IDLE:
		metric_add(m->timeouts[HTTP_TIMEOUT_IDLE], 1);
		http_connection_abort(c);
		return;
	case HTTP_LINGER:
		connection_close(c);
		return;
	case HTTP_IN_TASK:
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
		timer_update(c);
}

void
http_connection_drain(struct http_connection *c)
{
	if (c->state != HTTP_HANDSHAKE && (c->state != HTTP_IDLE || c->in.len > 0))
		return;
	if (c->out.len == 0) {
		connection_close(c);
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
	BUG_ON(event_assign(&c->read_event, base, fd, EV_READ | EV_PERSIST, on_readable, c) != 0);
	BUG_ON(event_assign(&c->write_event, base, fd, EV_WRITE, on_writable, c) != 0);
	BUG_ON(event_assign(&c->timer, base, -1, 0, on_timer, c) != 0);
	c->next = s->live;
	if (s->live != NULL)
		s->live->prev = c;
	s->live = c;
	s->n_open++;
	s->n_objects++;
	metric_add(s->metrics->open, 1);
	reading_update(c);
	/* A client that is not even done with the handshake is given as long as for a head. */
	read_deadline_set(c, c->state == HTTP_IDLE ? s->conf.idle_deadline : s->conf.head_deadline);
	return true;
}
