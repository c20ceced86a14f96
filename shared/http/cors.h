/*
 * cors.h — pages of one other origin may read our answers (the Fetch standard's CORS protocol). Not for other rooms; they set
 * http_conf.cors_origin.
 *
 * The origin is compared byte for byte, there is no list and no "*", and cookies are never part of it: whoever asks from there brings a
 * token. Answers say "Vary: Origin" whether or not the request had one, so that no cache gives one's answer to another.
 */
#ifndef BIMODAL_HTTP_CORS_H
#define BIMODAL_HTTP_CORS_H

#include "base/buf.h"
#include "http/parse.h"

enum http_cors {
	HTTP_CORS_NONE,     /* of no page, of another origin's, or the server has no such origin */
	HTTP_CORS_ANSWER,   /* of a page of that origin */
	HTTP_CORS_PREFLIGHT /* its browser asks what it may send */
};

/* Of a request: `origin` is the server's (NULL or "": none), the head's spans point into `text`. */
enum http_cors http_cors_of(const char *origin, const struct http_head *h, const char *text);
/* Header lines of an answer, each with a line break before it; at most HTTP_CORS_BYTES_MAX and the origin. */
#define HTTP_CORS_BYTES_MAX 640
void http_cors_write(struct buf *out, const char *origin, enum http_cors cors);

#endif
