/*
 * client.h — HTTP client on the event loop, over libcurl's multi interface: how the sandbox speaks to core. A step asks and parks;
 * the next step reads the reply.
 *
 * Connections are kept alive and reused. TLS certificates are verified. No proxy is taken from the environment, no redirect is
 * followed, no other protocol than http and https is spoken. Limits: calls under way, bytes of a reply, time of a call.
 */
#ifndef BIMODAL_HTTP_CLIENT_H
#define BIMODAL_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/task.h"
#include "http/http.h"

#define HTTP_CLIENT_CALLS_MAX 64 /* under way; more are ERR_BUSY */
#define HTTP_CLIENT_REPLY_DEFAULT ((size_t)4 * 1024 * 1024)
#define HTTP_CLIENT_HEAD_BYTES_MAX ((size_t)64 * 1024)
#define HTTP_CLIENT_HEADERS_MAX 16

struct sockaddr;
struct http_client_conf {
	const char *
		base; /* put before URLs that begin with '/': "http://127.0.0.1:7410"; may be NULL. Copied */
	const char *
		token; /* bearer token sent to `base` and nowhere else; NULL or "": none. Copied        */
	const char *
		ca_file; /* PEM: the only roots certificates may go back to; NULL or "": those of the system. Copied */
	usec_t timeout; /* of a call that names none; 0 = 5 s                                            */
	size_t reply_max; /* bytes of a body; 0 = HTTP_CLIENT_REPLY_DEFAULT                                */
	unsigned
		connections_max; /* 0 = 4                                                                       */
	/* May a connection to this address be opened? Asked for every one, after the name was resolved. NULL: any may. */
	bool (*peer_allowed)(const struct sockaddr *address, void *arg);
	void *arg;
};

/* What is sent there cannot be read on the way: it is https, or http to this machine itself. False for what is no URL. */
bool http_client_is_safe(const char *url);

struct http_client;
/* Dies if it cannot be made. */
struct http_client *http_client_create(struct loop *l, struct task_engine *e,
				       const struct http_client_conf *conf);
/* Calls under way end with ERR_STOPPING. Before the task engine; NULL is fine. */
void http_client_destroy(struct http_client *c);

struct http_client_header {
	struct str name;
	struct str value;
};

/* Everything is copied. */
struct http_client_call {
	enum http_method method;
	struct str url; /* absolute, or "/path" after conf.base         */
	const struct http_client_header *headers;
	size_t n_headers;
	const char *content_type; /* NULL: application/json if there is a body    */
	struct str body;
	usec_t timeout; /* 0 = conf.timeout; never past the task's deadline */
};

/*
 * Ask, as one wait of the calling step: returns STEP_WAIT, or the task failed (ERR_BUSY, ERR_INVALID a header with a line break or
 * a URL that is none, ERR_NO_MEMORY). A reply of any status is a success of the wait. The wait fails with ERR_UPSTREAM (no
 * connection, no valid answer, a reply past its limit), ERR_FORBIDDEN (peer_allowed said no), ERR_UNKNOWN_END (lost after a write was sent), ERR_TIMEOUT, ERR_STOPPING.
 */
enum step http_client_wait(struct http_client *c, struct task *t,
			   const struct http_client_call *call);

/* The reply of wait i of the previous step; valid until the step returns. NULL if the wait failed. */
struct http_client_reply;
const struct http_client_reply *http_client_reply(struct task *t, unsigned i);
int http_client_status(const struct http_client_reply *r);
struct str http_client_body(const struct http_client_reply *r);
/*
 * What a problem (RFC 9457) says of itself, for people: its detail, and the first place it names ("" if none); cut to fit, "" where it
 * is no problem.
 */
struct http_client_problem {
	char detail[256];
	char pointer[128];
};
void http_client_problem_read(const struct http_client_reply *r, struct http_client_problem *out);
/* First value, trimmed, name in any case; STR_NONE if absent. */
struct str http_client_header(const struct http_client_reply *r, const char *name);

#endif
