/*
 * parse.h — one HTTP/1.1 request message out of bytes: llhttp in strict mode behind our own guards.
 * No I/O, no memory of the bytes: the caller keeps them. Standards: RFC 9110, RFC 9112. Not for
 * other rooms; they see http.h.
 *
 * The result never depends on how the bytes were split: lines are given to llhttp whole, and every
 * limit and error is bound to a place in the stream. After HTTP_PARSE_BAD the connection cannot be
 * used any more.
 */
#ifndef BIMODAL_HTTP_PARSE_H
#define BIMODAL_HTTP_PARSE_H

#include "base/buf.h"
#include "http/http.h"

#define HTTP_CHUNK_LINE_BYTES_MAX 256 /* size and extensions; both are of the sender's making */

struct http_parser;

enum http_parsed {
	HTTP_PARSE_MORE, /* all given bytes were looked at; the message goes on       */
	HTTP_PARSE_DONE, /* the head, or the body, is complete                        */
	HTTP_PARSE_BAD   /* http_parser_error says why; answer and close              */
};

/* A piece of the head's text: offset and length. */
struct http_span {
	uint32_t at, len;
};

struct http_field {
	struct http_span name, value; /* value without the white space around it */
};

struct http_head {
	enum http_method method;
	bool is_1_0;
	bool keep_alive;      /* by version and Connection                    */
	bool expect_continue; /* Expect: 100-continue, and a body is announced */
	bool chunked;
	bool has_body;   /* chunked, or a length above 0                 */
	uint64_t length; /* of a body that is not chunked                */
	struct http_span target;
	unsigned n_fields;
	struct http_field fields[HTTP_HEADERS_MAX];
};

/* Dies if there is no memory (connection objects are made rarely and recycled). */
struct http_parser *http_parser_create(void);
void http_parser_destroy(struct http_parser *p);
void http_parser_reset(struct http_parser *p); /* for the next message */

/*
 * `in` begins with the first byte of the message at every call of one message. DONE: the head is
 * complete, *used is its length, and http_parser_head is valid; its spans point into these *used
 * bytes.
 */
MUST_CHECK enum http_parsed http_parser_take_head(struct http_parser *p, struct str in,
						  size_t *used);
const struct http_head *http_parser_head(const struct http_parser *p);
/* Some byte of the message has been seen (an empty line before it does not count). */
bool http_parser_begun(const struct http_parser *p);

/* After the head: how much body the route takes. ERR_TOO_LARGE if the announced length is above it.
 */
MUST_CHECK enum err http_parser_body_max(struct http_parser *p, size_t max);
/*
 * Bytes behind those used before; appends the decoded body to `body`. DONE: the message is
 * complete; what follows *used belongs to the next one. MORE: *used bytes may be dropped, the rest
 * is needed again.
 */
MUST_CHECK enum http_parsed http_parser_take_body(struct http_parser *p, struct str in,
						  struct buf *body, size_t *used);

const struct err_info *http_parser_error(const struct http_parser *p);

#endif
