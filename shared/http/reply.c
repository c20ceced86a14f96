/*
 * reply.c — from a step's answer to bytes in the connection's output. The connection writes them in
 * the LOOP_HTTP phase.
 *
 * Every reply has Date and Request-Id; a body has Content-Type, Content-Length and the order to take
 * it for nothing else; 204 and 304 have none of them. Under TLS each says that it is to stay so. What the guard has set (rate limits, say) is also on the problem body of a task that
 * fails later.
 */
#include "http/server.h"

#include <stdarg.h>
#include <string.h>

#include "base/log.h"

#define HEAD_ROOM (1024 + HTTP_CORS_BYTES_MAX) /* status line and our own headers */
#define PROBLEM_TYPE "application/problem+json"
#define HSTS "max-age=31536000" /* RFC 6797: a year, the usual least */

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

static const char *
phrase_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "";
}

static bool
has_no_body(int status)
{
	return status == 204 || status == 304;
}

bool
http_answer_write(struct http_server *s, struct buf *out, const struct http_answer *a)
{
	size_t need = HEAD_ROOM + a->cors.origin.len + a->body.len;
	for (const struct http_reply_header *h = a->headers; h != NULL; h = h->next)
		need += h->name.len + h->value.len + 4;
	if (need > out->limit || out->len > out->limit - need)
		return false;
	buf_add_cstr(out, "HTTP/1.1 ");
	buf_add_int(out, a->status);
	buf_add_char(out, ' ');
	buf_add_cstr(out, phrase_of(a->status));
	buf_add_cstr(out, "\r\nDate: ");
	buf_add_cstr(out, http_server_date(s));
	if (a->request_id.len > 0) {
		buf_add_cstr(out, "\r\nRequest-Id: ");
		buf_add_str(out, a->request_id);
	}
	if (!has_no_body(a->status)) {
		if (a->content_type != NULL) {
			buf_add_cstr(out, "\r\nX-Content-Type-Options: nosniff\r\nContent-Type: ");
			buf_add_cstr(out, a->content_type);
		}
		if (!a->endless) {
			buf_add_cstr(out, "\r\nContent-Length: ");
			buf_add_int(out, (int64_t)a->body.len);
		}
	}
	if (s->conf.tls != NULL || s->conf.secure)
		buf_add_cstr(out, "\r\nStrict-Transport-Security: " HSTS);
	for (const struct http_reply_header *h = a->headers; h != NULL; h = h->next) {
		buf_add_cstr(out, "\r\n");
		buf_add_str(out, h->name);
		buf_add_cstr(out, ": ");
		buf_add_str(out, h->value);
	}
	http_cors_write(out, &a->cors);
	if (a->close)
		buf_add_cstr(out, "\r\nConnection: close");
	else if (a->is_1_0)
		buf_add_cstr(out, "\r\nConnection: keep-alive");
	buf_add_cstr(out, "\r\n\r\n");
	if (!a->head_only && !has_no_body(a->status))
		buf_add_str(out, a->body);
	return !out->failed;
}

static bool
has_header(const struct http_reply_header *list, struct str name)
{
	for (; list != NULL; list = list->next) {
		if (str_ieq(list->name, name))
			return true;
	}
	return false;
}

bool
http_problem_write(struct http_server *s, struct buf *out, const struct err_info *info,
		   struct str members, struct http_answer *a)
{
	buf_reset(&s->scratch);
	http_problem(&s->scratch, info, members, a->request_id, &a->status);
	if (s->scratch.failed)
		return false;
	a->content_type = PROBLEM_TYPE;
	a->body = buf_str(&s->scratch);
	const struct err_row *row = err_row(info->code);
	struct http_reply_header extra = { .next = NULL };
	if ((a->status == 503 || a->status == 429) && row->retryable)
		extra = (struct http_reply_header) { NULL, STR("Retry-After"), STR("1") };
	else if (a->status == 401)
		extra = (struct http_reply_header) { NULL, STR("WWW-Authenticate"), STR("Bearer") };
	if (extra.name.p == NULL || has_header(a->headers, extra.name))
		return http_answer_write(s, out, a);
	const struct http_reply_header *given = a->headers;
	extra.next = given;
	a->headers = &extra;
	const bool ok = http_answer_write(s, out, a);
	a->headers = given;
	return ok;
}

/* ---- for steps ---- */

static bool
value_is_safe(struct str v)
{
	for (size_t i = 0; i < v.len; i++) {
		const unsigned char c = (unsigned char)v.p[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

void
http_reply_header(struct task *t, const char *name, struct str value)
{
	struct http_request *r = http_request_of(t);
	if (!value_is_safe(value)) {
		log_error("http.header",
			  "route %s: the value of the reply header %s holds a control character; "
			  "left out",
			  t->t_name, name);
		return;
	}
	struct http_reply_header *h = arena_alloc(&t->t_arena, sizeof(*h));
	if (h == NULL)
		return;
	h->name = arena_str(&t->t_arena, str_of(name));
	h->value = arena_str(&t->t_arena, value);
	if (h->name.p == NULL || h->value.p == NULL)
		return;
	if (r->last != NULL)
		r->last->next = h;
	else
		r->first = h;
	r->last = h;
}

void
http_reply_header_set(struct task *t, const char *name, struct str value)
{
	struct http_request *r = http_request_of(t);
	for (const struct http_reply_header *h = r->first; h != NULL; h = h->next) {
		if (!str_is(h->name, name) || !value_is_safe(value))
			continue;
		/* The list is the request's own; only its readers see it as constant. */
		((struct http_reply_header *)(uintptr_t)h)->value = arena_str(&t->t_arena, value);
		return;
	}
	http_reply_header(t, name, value);
}

void
http_reply_header_fmt(struct task *t, const char *name, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *value = arena_vprintf(&t->t_arena, fmt, ap);
	va_end(ap);
	if (value != NULL)
		http_reply_header(t, name, str_of(value));
}

struct http_answer
http_answer_for(const struct http_request *r, const struct http_connection *c)
{
	return (struct http_answer) {
		.request_id = str_of(r->id),
		.headers = r->first,
		.head_only = c->head_only,
		.close = c->close_after,
		.is_1_0 = c->is_1_0,
		.cors = c->cors,
	};
}

enum step
http_reply(struct task *t, int status, const char *content_type, struct str body)
{
	struct http_request *r = http_request_of(t);
	struct http_connection *c = r->connection;
	if (r->replied) {
		log_error("http.reply", "route %s answered twice; the second answer is dropped",
			  t->t_name);
		return STEP_DONE;
	}
	if (c == NULL || c->state == HTTP_DEAD)
		return STEP_DONE;
	c->close_after = c->close_after || c->server->draining;
	struct http_answer a = http_answer_for(r, c);
	a.status = status;
	a.content_type = content_type;
	a.body = body;
	http_buffer_take(c->server, &c->out, HTTP_OUTPUT_BYTES_MAX);
	if (!http_answer_write(c->server, &c->out, &a)) {
		if (c->out.failed)
			http_connection_abort(c);
		return task_fail_set(t, ERR_NO_MEMORY, NULL,
				     "The answer is larger than the server's limit.");
	}
	r->replied = true;
	r->status = status;
	r->bytes = has_no_body(status) ? 0 : body.len;
	http_connection_mark(c);
	return STEP_DONE;
}

enum step
http_reply_json(struct task *t, int status, struct str json)
{
	return http_reply(t, status, "application/json", json);
}

enum step
http_reply_empty(struct task *t, int status)
{
	return http_reply(t, status, NULL, STR(""));
}

void
http_reply_problem(struct task *t, struct http_connection *c)
{
	struct http_request *r = t->t_owner;
	if (t->t_err.code == ERR_OK)
		log_error("http.no_reply", "route %s ended without an answer", t->t_name);
	c->close_after = c->close_after || c->server->draining;
	struct http_answer a = { .head_only = c->head_only,
				 .close = c->close_after,
				 .is_1_0 = c->is_1_0,
				 .cors = c->cors };
	if (r != NULL)
		a = http_answer_for(r, c);
	http_buffer_take(c->server, &c->out, HTTP_OUTPUT_BYTES_MAX);
	const struct err_info nothing = { .code = ERR_INTERNAL };
	const struct err_info *info = t->t_err.code == ERR_OK ? &nothing : &t->t_err;
	if (!http_problem_write(c->server, &c->out, info, t->t_err_members, &a)) {
		http_connection_abort(c);
		return;
	}
	if (r != NULL) {
		r->replied = true;
		r->status = a.status;
		r->bytes = a.body.len;
	}
	http_connection_mark(c);
}
