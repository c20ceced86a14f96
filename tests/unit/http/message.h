/*
 * message.h — drives the request parser over a byte string in pieces of a given size, as a
 * connection does, and keeps what came out. Shared by the unit test and the fuzzer.
 */
#ifndef BIMODAL_TESTS_HTTP_MESSAGE_H
#define BIMODAL_TESTS_HTTP_MESSAGE_H

#include <string.h>

#include "http/parse.h"

struct message {
	enum http_parsed end; /* of the whole */
	struct err_info err;
	struct http_head head;
	size_t head_len;
	size_t total; /* bytes of the message; what follows is the next one's */
	struct buf body;
};

static inline void
message_body_read(struct http_parser *p, const char *text, size_t len, size_t step,
		  struct message *m)
{
	size_t at = m->head_len;
	size_t have = at;
	do {
		size_t used = 0;
		have = have + step < len ? have + step : len;
		m->end = http_parser_take_body(p, (struct str) { text + at, have - at }, &m->body,
					       &used);
		at += used;
	} while (m->end == HTTP_PARSE_MORE && have < len);
	m->total = at;
}

/* Reads one message. `step` bytes become visible at a time. m->body is the caller's to free. */
static inline void
message_read(const char *text, size_t len, size_t step, size_t body_max, struct message *m)
{
	struct http_parser *p = http_parser_create();
	memset(m, 0, sizeof(*m));
	buf_init(&m->body, HTTP_BODY_BYTES_MAX);
	m->end = HTTP_PARSE_MORE;
	for (size_t have = 0; m->end == HTTP_PARSE_MORE && have < len;) {
		have = have + step < len ? have + step : len;
		m->end = http_parser_take_head(p, (struct str) { text, have }, &m->head_len);
	}
	if (m->end == HTTP_PARSE_DONE) {
		m->head = *http_parser_head(p);
		m->total = m->head_len;
		if (http_parser_body_max(p, body_max) != ERR_OK)
			m->end = HTTP_PARSE_BAD;
		else if (m->head.has_body)
			message_body_read(p, text, len, step, m);
	}
	m->err = *http_parser_error(p);
	http_parser_destroy(p);
}

#endif
