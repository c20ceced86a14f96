/*
 * exchange.c — from the bytes of a connection to requests, and back: cuts `in` into requests, routes
 * each, starts its task, answers what needs none, and closes the exchange when the task has ended.
 *
 * Flow: receive.c has read bytes → http_exchange_take (parser, router) → task → reply.c writes
 * into `out` → http_connection_task_end → the connection sends. Invariants: one request at a time;
 * at most HTTP_PIPELINED_PER_TURN are begun in a turn; after a request that was refused before its
 * body was read the connection closes, because the body would be taken for the next request.
 */
#include "http/server.h"

#include <string.h>

#define READ_BODY_BYTES (64 * 1024)
#define BODY_BYTES_PER_SEC (32 * 1024) /* a body may be as slow as this */

void
http_exchange_reset(struct http_connection *c)
{
	http_parser_reset(c->parser);
	http_buffer_give(c->server, &c->head);
	http_buffer_give(c->server, &c->body);
	c->row = NULL;
}

/* ---- answers without a task ---- */

static void
answered(struct http_connection *c)
{
	if (c->in.len == 0)
		http_buffer_give(c->server, &c->in);
	http_exchange_reset(c);
	c->state = c->close_after ? HTTP_CLOSING : HTTP_IDLE;
	http_connection_read_within(c, c->close_after ? 0 : c->server->conf.idle_deadline);
	http_connection_mark(c);
}

/* The task is over, its answer is not. */
static void
streaming(struct http_connection *c)
{
	http_buffer_give(c->server, &c->in);
	http_exchange_reset(c);
	c->state = HTTP_STREAMING;
	c->lingered = 0;
	http_connection_reading_update(c);
	http_connection_mark(c);
}

/* What a head that was read says of its sender; the text is that of the connection. */
static struct str
token_in(const struct http_head *h, const char *head)
{
	struct str authorization = STR_NONE;
	struct str api_key = STR_NONE;
	for (unsigned i = 0; i < h->n_fields; i++) {
		const struct http_field *f = &h->fields[i];
		const struct str name = { head + f->name.at, f->name.len };
		const struct str value = { head + f->value.at, f->value.len };
		if (authorization.p == NULL && str_ieq(name, STR("Authorization")))
			authorization = value;
		else if (api_key.p == NULL && str_ieq(name, STR("X-API-Key")))
			api_key = value;
	}
	return http_token_of(authorization, api_key);
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

/* While the body comes: its head was put aside. */
static struct str
token_of(const struct http_connection *c)
{
	return token_in(http_parser_head(c->parser), c->head.p + c->head.start);
}

void
http_exchange_reject(struct http_connection *c, const struct err_info *info)
{
	reject(c, info, c->state == HTTP_IN_BODY ? token_of(c) : STR_NONE);
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
	http_connection_timer_update(c);
}

/* The head is complete and routed, the body comes. The head moves aside, so that `in` holds body
 * bytes only. */
static bool
body_begin(struct http_connection *c, size_t head_len)
{
	struct http_server *s = c->server;
	const struct http_head *h = http_parser_head(c->parser);
	http_buffer_take(s, &c->head, HTTP_INPUT_BYTES_MAX);
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
	c->cors = http_cors_of(&s->conf, h, c->in.p + c->in.start);
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
		http_connection_read_within(c, c->server->conf.head_deadline);
	}
	return false;
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

bool
http_exchange_takes(const struct http_connection *c)
{
	return c->state == HTTP_IDLE || c->state == HTTP_IN_HEAD || c->state == HTTP_IN_BODY;
}

/* Cut requests out of `in` until one runs, bytes are missing, or this turn's share is used up. */
void
http_exchange_take(struct http_connection *c)
{
	bool more = true;
	while (more && http_exchange_takes(c) && c->burst < HTTP_PIPELINED_PER_TURN &&
	       c->out.len < HTTP_OUTPUT_HIGH_BYTES && c->in.len > 0)
		more = c->state == HTTP_IN_BODY ? body_take(c) : head_take(c);
	/* The client has ended its side, and what is left is not a whole request. */
	if (c->eof && http_exchange_takes(c) && (!more || c->in.len == 0)) {
		c->state = HTTP_CLOSING;
		http_connection_mark(c);
	}
	if (c->state == HTTP_DEAD)
		return;
	if (c->in.len == 0)
		http_buffer_give(c->server, &c->in);
	http_connection_reading_update(c);
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
		http_exchange_reset(c);
		http_connection_end(c);
		return;
	}
	if (c->stream.ended != NULL)
		streaming(c);
	else
		answered(c);
}
