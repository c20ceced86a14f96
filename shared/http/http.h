/*
 * http.h — HTTP/1.1 server on the event loop: listener, connections, router, problem+json. Standards: RFC 9110, 9112, 9457.
 *
 * A request is a task: the router matches, the guard's steps run first (authentication, rights), then the route's steps.
 * A step reads the request with the getters, writes one reply with http_reply…, and returns STEP_DONE; or fails the task,
 * and the engine answers problem+json from the error table. Everything a getter returns lives in the task's arena.
 */
#ifndef BIMODAL_HTTP_HTTP_H
#define BIMODAL_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/task.h"

/* ---- limits, all in one block; the configurable ones are defaults ---- */
#define HTTP_HEAD_BYTES_MAX (16 * 1024)
#define HTTP_HEADERS_MAX 64
#define HTTP_TARGET_BYTES_MAX 2048
#define HTTP_BODY_BYTES_DEFAULT (1024 * 1024)
#define HTTP_BODY_BYTES_MAX (16 * 1024 * 1024)
#define HTTP_REQUESTS_PER_CONNECTION 1000
#define HTTP_PIPELINED_PER_TURN 16
#define HTTP_HANDSHAKES_PER_TURN 4               /* each is up to a millisecond of arithmetic */
#define HTTP_OUTPUT_BYTES_MAX (20 * 1024 * 1024) /* replies waiting on one connection */
#define HTTP_PARAMS_MAX 8
#define HTTP_ROUTES_MAX 512

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_METHODS
};
const char *http_method_name(enum http_method m);

/*
 * One route. Pattern segments: literal, or "{name:type}" with type uuid | int | slug | any (one segment) | rest (the
 * remainder, only last). Duplicate or ambiguous patterns refuse to start. HEAD is served by GET rows.
 */
struct http_route {
	enum http_method method;
	const char *pattern; /* "/v1/flags/{key:slug}"                                         */
	const char *name;    /* "flag.get": metric and log label                               */
	const struct step_row *steps;
	const char *right;    /* what the guard asks for ("flag.read"); NULL = open to all       */
	uint32_t deadline_ms; /* 0 = the server's default                                       */
	size_t body_max;      /* 0 = HTTP_BODY_BYTES_DEFAULT                                    */
	const void *data;     /* the room's own                                                 */
};

#define HTTP_ORIGIN_MAX 250
/* "http://host[:port]" or "https://…" in lower case and nothing behind it: what browsers call an origin. */
bool http_origin_valid(const char *text);
/* The same for a list of them with single spaces between; "" is one. */
bool http_origins_valid(const char *text);

struct http_server;
struct http_request;
struct http_tls;

/* What http_conf.early says to send along: names are static, values are the callee's until its next call. */
#define HTTP_EARLY_HEADERS_MAX 4
struct http_early {
	struct {
		const char *name;
		struct str value;
	} headers[HTTP_EARLY_HEADERS_MAX];
	size_t n;
	struct str members; /* of the problem body of a refusal */
};

struct http_conf {
	usec_t head_deadline;     /* whole head from its first byte; default 10 s     */
	usec_t body_deadline;     /* plus size / 32 KiB s⁻¹; default 10 s             */
	usec_t idle_deadline;     /* keep-alive; default 65 s                         */
	usec_t write_deadline;    /* no progress while writing; default 30 s          */
	usec_t task_deadline;     /* a route's default; 5 s                           */
	unsigned max_connections; /* of this worker                                   */
	unsigned max_per_address; /* connections of one client address; 0 = no limit  */
	size_t arena_cap;         /* of one request; default 4 MiB                    */
	const struct step_row *
		guard; /* steps before every route's own; ends with task_continue(t, route->steps). NULL = none */
	const char *
		cors_origin; /* the one other origin whose pages may read our answers; NULL or "": none. Not copied */
	/*
	 * Further origins, with spaces between, whose pages may read answers of paths that begin with cors_prefix; NULL or "": none.
	 * Not copied.
	 */
	const char *cors_prefix;
	const char *cors_origins;
	bool secure; /* a proxy on this host speaks TLS for us: as with `tls`, each reply orders clients to keep to it */
	struct http_tls
		*tls; /* tls.h; lives longer than the server. NULL: in the clear            */
	/*
	 * Called for each request that is answered without a task (no route, no such method, malformed, too large, too slow): whose
	 * account does it go on? `token`: as of http_bearer, as far as the head was read; else STR_NONE. False: `info` is the
	 * answer instead. May be NULL.
	 */
	bool (*early)(struct str peer, struct str token, struct http_early *out,
		      struct err_info *info);
	/* Called once a finished request for the access line: status and the task (t_actor, t_err, t_name). May be NULL. */
	void (*on_end)(struct task *t, int status, size_t bytes, void *arg);
	void *arg;
};

/* All zero fields of `conf` take the defaults. Routes are copied by reference and must outlive the server. Dies never; ERR_CONFIG names the pattern that is wrong. */
MUST_CHECK enum err http_server_create(struct loop *l, struct task_engine *e,
				       const struct http_conf *conf, struct http_server **out,
				       struct err_info *info);
MUST_CHECK enum err http_server_routes(struct http_server *s, const struct http_route *routes,
				       size_t n, struct err_info *info);
/* The socket is non-blocking and stays the caller's: open until the server is destroyed, never closed by it. */
MUST_CHECK enum err http_server_listen(struct http_server *s, int listen_fd, struct err_info *info);
/* Graceful: stop accepting, finish what runs with Connection: close, then call `drained` once. */
void http_server_drain(struct http_server *s, void (*drained)(void *arg), void *arg);
void http_server_destroy(struct http_server *s);
unsigned http_server_connections(const struct http_server *s);
/*
 * Registers the counters of these routes: once in each process, before the fork, with all routes (metrics live in a shared
 * mapping). http_server_routes does it too, which is enough where nothing forks. Idempotent.
 */
void http_metrics_register(const struct http_route *routes, size_t n);
/* For OpenAPI and tests: every route in order. */
const struct http_route *const *http_server_route_list(const struct http_server *s, size_t *n);

/*
 * The route that a request for this path would meet, or NULL; *value gets the path parameter of that name, in the arena, or
 * STR_NONE.
 */
const struct http_route *http_server_match(struct http_server *s, enum http_method method,
					   struct str path, struct str param, struct arena *a,
					   struct str *value);

/* ---- the request of a task ---- */
struct http_request *http_request_of(struct task *t);
const struct http_route *http_route_of(struct task *t);
enum http_method http_method_of(struct task *t);
struct str http_target(struct task *t); /* as received                                        */
struct str http_path(struct task *t);   /* decoded, without query                             */
struct str http_header(struct task *t,
		       const char *name); /* first value, trimmed; STR_NONE if absent           */
struct str http_body(struct task *t);     /* whole body; empty if none                          */
struct str http_param(struct task *t,
		      const char *name); /* path parameter, decoded; STR_NONE if absent        */
MUST_CHECK enum err http_param_uuid(struct task *t, const char *name, struct uuid *out);
/* Query parameters, decoded (+ and %XX; bad escapes are ERR_BAD_REQUEST before the task starts), in order. */
size_t http_query_count(struct task *t);
void http_query_at(struct task *t, size_t i, struct str *name, struct str *value);
struct str http_query(struct task *t,
		      const char *name); /* first value; STR_NONE if absent                    */
/* Token of "Authorization: Bearer …", or of X-API-Key where there is no Authorization; STR_NONE. */
struct str http_bearer(struct task *t);
bool http_shows_token(struct task *t); /* one of these two headers is there, whatever it holds */
/* Does If-None-Match name this entity tag (with its quotes), weak or strong, or "*"? */
bool http_none_match(struct task *t, struct str etag);
struct str http_request_id(struct task *t); /* ours, UUIDv7 text; also sent back as Request-Id    */
struct str http_peer(struct task *t); /* client address, for limits; never logged with names */

/* ---- the reply ---- */
void http_reply_header(struct task *t, const char *name,
		       struct str value); /* copied; CR/LF in a value is a bug */
void http_reply_header_set(struct task *t, const char *name,
			   struct str value); /* the same, in place of an earlier value */
void http_reply_header_fmt(struct task *t, const char *name, const char *fmt, ...) PRINTF(3, 4);
/* The body is copied into the connection's output. Sets Content-Type and Content-Length. Returns STEP_DONE. */
enum step http_reply(struct task *t, int status, const char *content_type, struct str body);
enum step http_reply_json(struct task *t, int status, struct str json);
enum step http_reply_empty(struct task *t, int status); /* 204, 304 */

/* ---- a reply that goes on (stream.c): server-sent events ---- */
/*
 * The head goes out at once and the task ends like any other; the reply stays open and is the room's. It has no length: it is the last
 * one of its connection, its end is the end of the connection, and what the client still sends is thrown away. No deadline of requests
 * holds for it and no idle timer; a client that takes nothing of what waits for it within http_conf.write_deadline is cut off. While
 * nothing waits, a stream holds no buffer.
 */
struct http_stream;
struct http_stream_conf {
	const char *content_type;
	size_t waiting_max; /* bytes that may wait for a slow client; at most HTTP_STREAM_WAITING_MAX */
	/*
	 * The client has left, was cut off, or the server stops; the stream is void from then on. Called once, from the loop and never
	 * from inside a call of this module, unless http_stream_close was called before.
	 */
	void (*ended)(void *arg);
	void *arg;
};
#define HTTP_STREAM_WAITING_MAX (1024 * 1024)
#define HTTP_STREAM_LAST_MAX 1024
/*
 * Headers are those of http_reply_header. The step returns STEP_DONE after it, with or without a stream. NULL: the client has left, or
 * the task has its error (ERR_STOPPING, ERR_NO_MEMORY).
 */
MUST_CHECK struct http_stream *http_stream_begin(struct task *t,
						 const struct http_stream_conf *conf);
/* All of it, or nothing: false if more than waiting_max bytes would wait. */
MUST_CHECK bool http_stream_write(struct http_stream *s, struct str bytes);
/* Write `last` (at most HTTP_STREAM_LAST_MAX bytes, whatever waits) and end. `ended` is not called. */
void http_stream_close(struct http_stream *s, struct str last);

/* ---- pages of lists (page.c) ---- */

/* Query parameter `limit`, from 1 to max, as text in the task's arena; NULL: the task has its error. */
const char *http_page_limit(struct task *t, int64_t otherwise, int64_t max);
/* 200 with {"data":<data>,"page":{"next":…,"has_more":…}<members>}. */
struct http_page {
	struct str data; /* JSON                                     */
	bool has_more;
	struct str next;    /* as text; looked at if there is more       */
	struct str members; /* STR_NONE, or further members from "," on */
};
enum step http_page_answer(struct task *t, const struct http_page *page);

/* Render a problem body for an error (also used for batch items). */
void http_problem(struct buf *out, const struct err_info *info, struct str extra_members,
		  struct str request_id, int *status);

#endif
