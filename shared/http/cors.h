/*
 * cors.h — pages of other origins may read our answers (the Fetch standard's CORS protocol). Not for other rooms; they set
 * http_conf.cors_origin for the whole server, and http_conf.cors_prefix with cors_origins for a part of its paths.
 *
 * An origin is compared byte for byte, there is no "*", and cookies are never part of it: whoever asks from there brings a
 * token. Answers say "Vary: Origin" whether or not the request had one, so that no cache gives one's answer to another.
 */
#ifndef BIMODAL_HTTP_CORS_H
#define BIMODAL_HTTP_CORS_H

#include "base/buf.h"
#include "http/parse.h"

struct http_conf;

enum http_cors_kind {
	HTTP_CORS_NONE,     /* of no page, of another origin's, or there is no such origin */
	HTTP_CORS_ANSWER,   /* of a page of that origin */
	HTTP_CORS_PREFLIGHT /* its browser asks what it may send */
};

struct http_cors {
	enum http_cors_kind kind;
	bool varies;       /* some origin may read answers of this path */
	struct str origin; /* which one asks; the configuration's text  */
};

/* Of a request: the head's spans point into `text`. */
struct http_cors http_cors_of(const struct http_conf *conf, const struct http_head *h,
			      const char *text);
/* Header lines of an answer, each with a line break before it; at most HTTP_CORS_BYTES_MAX and the origin. */
#define HTTP_CORS_BYTES_MAX 640
void http_cors_write(struct buf *out, const struct http_cors *cors);

#endif
