/*
 * server.h — what server.c, connection.c, receive.c, exchange.c, request.c and reply.c share. Not for other rooms; they
 * see http.h.
 */
#ifndef BIMODAL_HTTP_SERVER_H
#define BIMODAL_HTTP_SERVER_H

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "http/cors.h"
#include "http/http.h"
#include "http/metrics.h"
#include "http/parse.h"
#include "http/peers.h"
#include "http/router.h"
#include "http/target.h"
#include "http/tls.h"

#define HTTP_LISTENERS_MAX 4
#define HTTP_SPARE_BUFFERS 128
#define HTTP_SPARE_BYTES_MAX (32 * 1024) /* larger blocks go back to malloc */
#define HTTP_PEER_SIZE (INET6_ADDRSTRLEN + 1)
/* Of one connection. The first is never reached: reading stops before, or at what a body read brings. */
#define HTTP_INPUT_BYTES_MAX (256 * 1024)
#define HTTP_OUTPUT_HIGH_BYTES (256 * 1024) /* answers waiting before the next request is begun */

/*
 * How bytes come and go: in the clear (io.c) or under TLS (tls.c). recv and send: results and errno as of recv(2) and send(2).
 * handshake and finish: 1 done, 0 not yet, -1 failed. After a call that could not go on, `waits` says for what.
 */
enum http_wait { HTTP_WAIT_READ, HTTP_WAIT_WRITE };
struct http_io {
	int (*handshake)(void *ctx); /* before the first byte; NULL: nothing to agree upon */
	ssize_t (*recv)(void *ctx, int fd, void *p, size_t n);
	ssize_t (*send)(void *ctx, int fd, const void *p, size_t n);
	enum http_wait (*waits)(void *ctx); /* NULL: recv to read, the rest to write */
	bool (*pending)(void *ctx); /* there are bytes the socket will not announce; NULL: never */
	int (*finish)(void *ctx, int fd); /* nothing more is sent */
	void (*close)(void *ctx, int fd);
};
extern const struct http_io http_io_plain;
extern const struct http_io http_io_tls; /* ctx: http_tls_session */

enum http_state {
	HTTP_HANDSHAKE, /* TLS is being agreed upon                                      */
	HTTP_IDLE,      /* no byte of a request is there                                   */
	HTTP_IN_HEAD,   /* a request has begun                                             */
	HTTP_IN_BODY,   /* its head is complete and routed                                 */
	HTTP_IN_TASK,   /* its task runs; reading goes on a little, to see a hang-up       */
	HTTP_STREAMING, /* its answer goes on after the task; what comes is dropped        */
	HTTP_CLOSING,   /* the last answer is being written                                */
	HTTP_LINGER,    /* written; what still comes is dropped, so that the answer arrives */
	HTTP_DEAD       /* the socket is closed; the object waits for its task, then reuse */
};

struct http_stream {
	struct http_connection *connection;
	void (*ended)(void *arg); /* NULL: there is no stream */
	void *arg;
	size_t waiting_max;
};

struct http_connection {
	struct http_server *server;
	const struct http_io *io;
	void *io_ctx;
	int fd;
	enum http_state state;
	struct event read_event, write_event, timer;
	usec_t timer_at;       /* when the timer fires; 0 = not armed                */
	usec_t read_deadline;  /* of the state; 0 = none                             */
	usec_t write_deadline; /* while output waits                                 */
	usec_t body_begin;
	struct http_parser *parser;
	struct buf in, out;    /* lent by the server while there is something in them */
	struct buf head, body; /* of a request that has a body                       */
	const struct http_row *row;
	struct task *task;
	struct http_stream stream;
	struct http_address address;
	char peer[HTTP_PEER_SIZE];
	unsigned requests; /* on this connection                                 */
	unsigned burst;    /* begun since this turn's read                       */
	size_t lingered;
	int queued; /* bytes in the kernel when the write deadline was set */
	bool close_after, head_only, is_1_0; /* of the request being answered        */
	struct http_cors cors;               /* likewise */
	bool eof;              /* the client has ended its side                      */
	bool reading, writing; /* the events are armed                               */
	bool read_more;        /* bytes are held that the socket does not announce   */
	bool read_dry;         /* what is held is no whole record: only the socket brings more */
	bool recv_blocked;     /* the last recv must send first: again when writable */
	bool send_blocked;     /* the last send must read first: again when readable */
	bool is_dirty, is_later;
	struct http_connection *prev, *next; /* live ones, or `next` in the free lists */
	struct http_connection *dirty_next, *later_next;
};

struct http_listener {
	struct http_server *server;
	struct event event;
	int fd;
};

struct http_server {
	struct loop *loop;
	struct task_engine *engine;
	struct http_conf conf;
	struct http_router *router;
	struct http_peers *peers;
	const struct http_metrics *metrics;
	struct http_listener listeners[HTTP_LISTENERS_MAX];
	unsigned n_listeners;
	struct event resume; /* accept again, after it failed for want of descriptors */
	struct event kick;   /* next turn for those on the later list                 */
	struct http_connection *live, *ended, *spare;
	struct http_connection *dirty, *later;
	unsigned handshakes; /* gone on with in this turn */
	unsigned n_open;     /* sockets */
	unsigned n_objects;  /* connections that are not free: open, or waiting for a task */
	struct buf buffers[HTTP_SPARE_BUFFERS];
	unsigned n_buffers;
	struct buf scratch; /* problem bodies */
	struct http_target target;
	char date[CLOCK_RFC3339_SIZE];
	usec_t date_until; /* wall */
	bool draining;
	void (*drained)(void *arg);
	void *drained_arg;
};

/* ---- server.c ---- */
void http_buffer_take(struct http_server *s, struct buf *b, size_t limit);
void http_buffer_give(struct http_server *s, struct buf *b);
const char *http_server_date(struct http_server *s);

/* ---- connection.c ---- */
/* Takes the socket. False: refused (no memory); the socket is still the caller's. */
bool http_connection_open(struct http_server *s, int fd, const struct http_address *address,
			  const char *peer);
void http_connection_mark(
	struct http_connection *c); /* look at it in this turn's LOOP_HTTP phase */
bool http_connection_turn(
	struct http_connection *c); /* of that phase; true: run the phases again  */
void http_connection_drain(struct http_connection *c);
void http_connection_abort(
	struct http_connection *c); /* close at once; a running task is cancelled (TASK_HANGUP) */
void http_connection_orphan(
	struct http_connection *c); /* the server goes: its task runs on, unheard   */
void http_connection_free(struct http_connection *c); /* the memory */
void http_connection_close(
	struct http_connection *c); /* at once; a running task goes on, unheard */
void http_connection_end(
	struct http_connection *c); /* closed and without a task: reused after this turn */
/* After a deadline has changed; `within` sets the state's own (0: none). */
void http_connection_timer_update(struct http_connection *c);
void http_connection_read_within(struct http_connection *c, usec_t in);
void http_connection_writable_await(struct http_connection *c);
/* After an io call that could not go on: is it this that it waits for? */
bool http_connection_waits_for(const struct http_connection *c, enum http_wait what);
bool http_would_block(void); /* by errno */

/* ---- receive.c ---- */
void http_receive(evutil_socket_t fd, short what, void *connection); /* the read event */
/* Read on, or pause, as the state and what is held ask for. */
void http_connection_reading_update(struct http_connection *c);

/* ---- exchange.c ---- */
bool http_exchange_takes(const struct http_connection *c); /* the state is one of requests */
/* Cut requests out of `in` until one runs, bytes are missing, or this turn's share is used up. */
void http_exchange_take(struct http_connection *c);
/* The connection cannot go on after this: malformed, too large, too slow. */
void http_exchange_reject(struct http_connection *c, const struct err_info *info);
void http_exchange_reset(struct http_connection *c); /* what is held of the request */
void http_connection_task_end(struct task *t, void *connection);

/* ---- request.c ---- */
struct http_reply_header {
	const struct http_reply_header *next;
	struct str name, value;
};

struct http_request {
	struct http_connection *connection;
	const struct http_row *row;
	enum http_method method;
	struct str target, path, body;
	struct http_pair *headers;
	size_t n_headers;
	struct http_pair *query;
	size_t n_query;
	struct str params[HTTP_PARAMS_MAX];
	char id[UUID_TEXT_SIZE];
	struct http_reply_header *first, *last;
	bool replied;
	int status;
	size_t bytes; /* of the reply's body */
};

/* The request in the task's arena; `head` is copied. ERR_NO_MEMORY past the arena's cap. */
MUST_CHECK enum err http_request_create(struct task *t, struct http_connection *c,
					const struct http_head *h, const char *head,
					size_t head_len);

/* The token that these headers show, STR_NONE each if it is not there; without one, or if it is of no form that a token has: STR_NONE. */
struct str http_token_of(struct str authorization, struct str api_key);

/* ---- reply.c ---- */
struct http_answer {
	int status;
	const char *content_type; /* NULL: no body, and none announced where the status has none */
	struct str body;
	struct str request_id;
	const struct http_reply_header *headers;
	bool head_only, close, is_1_0;
	struct http_cors cors;
	bool endless; /* no length is known: the end of the connection is its end */
};
/* False: it does not fit; nothing usable has been written. */
bool http_answer_write(struct http_server *s, struct buf *out, const struct http_answer *a);
/* Problem body and its headers (Retry-After, WWW-Authenticate) for `info`; status in a->status. The
 * rest of `a` is set. */
bool http_problem_write(struct http_server *s, struct buf *out, const struct err_info *info,
			struct str members, struct http_answer *a);
struct http_answer http_answer_for(const struct http_request *r, const struct http_connection *c);
/* The answer of a task that ended without one. */
void http_reply_problem(struct task *t, struct http_connection *c);

/* ---- stream.c ---- */
/* Tell the room, if the connection has a stream, that it is over. */
void http_stream_ended(struct http_connection *c);
/* The same, and close when what waits has been written: the server stops. */
void http_stream_stop(struct http_connection *c);

#endif
