/*
 * parse.c — request messages: bytes → whole lines → our guards → llhttp → the head's fields and the
 * decoded body.
 *
 * Each line is checked as raw bytes first (CRLF, no control characters, no folding, exact request
 * line), because llhttp 8.1.0 lets some of that pass even in strict mode; then llhttp gets the
 * whole line; what it reports is checked again for meaning (Host, Content-Length,
 * Transfer-Encoding, Connection, Upgrade, Expect). Both have to agree. Invariants: llhttp sees
 * whole lines and body bytes only, so its spans are in one piece; nothing is copied here.
 */
#include "http/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "http/parser.h"

/* Target, the longest method token worth a 501, version, spaces and CRLF. */
#define REQUEST_LINE_BYTES_MAX (HTTP_TARGET_BYTES_MAX + 64)
#define LENGTH_DIGITS_MAX 18 /* more is not a size that any route takes */

static llhttp_settings_t settings;

static const char *const method_names[HTTP_METHODS] = {
	[HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
};

const char *
http_method_name(enum http_method m)
{
	return method_names[m];
}

enum http_parsed
http_parser_bad(struct http_parser *p, enum err code, const char *field, const char *msg)
{
	(void)err_set(&p->err, code, field, "%s", msg);
	return HTTP_PARSE_BAD;
}

/* ---- what llhttp reports ---- */

static struct http_parser *
parser_of(llhttp_t *ll)
{
	return ll->data;
}

static int
on_url(llhttp_t *ll, const char *at, size_t n)
{
	const struct http_parser *p = parser_of(ll);
	return at == p->base + p->head.target.at && n == p->head.target.len ? 0 : -1;
}

static int
on_field(llhttp_t *ll, const char *at, size_t n)
{
	struct http_parser *p = parser_of(ll);
	if (p->place == AT_TRAILER)
		return 0;
	if (p->head.n_fields == HTTP_HEADERS_MAX)
		return -1;
	struct http_field *f = &p->head.fields[p->head.n_fields++];
	f->name = (struct http_span) { (uint32_t)(at - p->base), (uint32_t)n };
	f->value = (struct http_span) { f->name.at + f->name.len + 1, 0 };
	return 0;
}

/* llhttp gives some values in pieces, and says nothing about an empty one; the last byte is what
 * counts. */
static int
on_value(llhttp_t *ll, const char *at, size_t n)
{
	struct http_parser *p = parser_of(ll);
	if (p->place == AT_TRAILER || n == 0)
		return 0;
	if (p->head.n_fields == 0)
		return -1;
	struct http_field *f = &p->head.fields[p->head.n_fields - 1];
	const uint32_t begin = (uint32_t)(at - p->base);
	if (f->value.len == 0)
		f->value.at = begin;
	if (begin < f->value.at)
		return -1;
	f->value.len = begin + (uint32_t)n - f->value.at;
	return 0;
}

static int
on_chunk_header(llhttp_t *ll)
{
	struct http_parser *p = parser_of(ll);
	p->chunk_left = ll->content_length;
	p->last_chunk = ll->content_length == 0;
	return 0;
}

static int
on_body(llhttp_t *ll, const char *at, size_t n)
{
	struct http_parser *p = parser_of(ll);
	buf_add(p->body, at, n);
	p->body_len += n;
	return 0;
}

static int
on_complete(llhttp_t *ll)
{
	parser_of(ll)->complete = true;
	return 0;
}

/* ---- the meaning of fields ---- */

static bool
host_is_valid(struct str host)
{
	for (size_t i = 0; i < host.len; i++) {
		const char c = host.p[i];
		const bool alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alnum && (c == '\0' || strchr("-._~!$&'()*+,;=:[]%", c) == NULL))
			return false;
	}
	return host.len > 0;
}

static enum http_parsed
length_take(struct http_parser *p, struct str value)
{
	p->n_lengths++;
	if (p->n_lengths > 1)
		return http_parser_bad(p, ERR_BAD_REQUEST, "Content-Length",
				       "The request has two Content-Length headers.");
	if (!http_is_digits(value))
		return http_parser_bad(p, ERR_BAD_REQUEST, "Content-Length",
				       "Content-Length is not a number.");
	if (value.len > LENGTH_DIGITS_MAX)
		return http_parser_bad(p, ERR_TOO_LARGE, "Content-Length",
				       "The announced body is larger than any that is accepted.");
	uint64_t n = 0;
	for (size_t i = 0; i < value.len; i++)
		n = n * 10 + (uint64_t)(value.p[i] - '0');
	p->head.length = n;
	return HTTP_PARSE_DONE;
}

/* Exactly "chunked". Where chunked is not the last coding the length is unknown (400); another
 * coding before it is 501. */
static enum http_parsed
coding_take(struct http_parser *p, struct str value)
{
	p->n_codings++;
	if (p->n_codings > 1)
		return http_parser_bad(p, ERR_BAD_REQUEST, "Transfer-Encoding",
				       "The request has two Transfer-Encoding headers.");
	if (str_ieq(value, STR("chunked"))) {
		p->head.chunked = true;
		return HTTP_PARSE_DONE;
	}
	struct str rest = value;
	struct str last = STR_NONE;
	bool others = false;
	while (rest.p != NULL) {
		if (last.p != NULL && !str_ieq(last, STR("chunked")))
			others = true;
		last = str_trim(str_cut(&rest, ','));
	}
	if (others && str_ieq(last, STR("chunked")))
		return http_parser_bad(p, ERR_UNIMPLEMENTED, "Transfer-Encoding",
				       "The only transfer coding this server knows is chunked.");
	return http_parser_bad(p, ERR_BAD_REQUEST, "Transfer-Encoding",
			       "Transfer-Encoding must be exactly \"chunked\".");
}

static void
connection_take(struct http_parser *p, struct str value)
{
	struct str rest = value;
	while (rest.p != NULL) {
		const struct str option = str_trim(str_cut(&rest, ','));
		if (str_ieq(option, STR("close")))
			p->close = true;
		else if (str_ieq(option, STR("keep-alive")))
			p->keep = true;
		else if (str_ieq(option, STR("upgrade")))
			p->upgrade = true;
	}
}

static enum http_parsed
field_take(struct http_parser *p, struct str name, struct str value)
{
	if (str_ieq(name, STR("Host"))) {
		p->n_hosts++;
		if (p->n_hosts > 1)
			return http_parser_bad(p, ERR_BAD_REQUEST, "Host",
					       "The request has two Host headers.");
		if (!host_is_valid(value))
			return http_parser_bad(p, ERR_BAD_REQUEST, "Host",
					       "The Host header is not a host name.");
	} else if (str_ieq(name, STR("Content-Length"))) {
		return length_take(p, value);
	} else if (str_ieq(name, STR("Transfer-Encoding"))) {
		return coding_take(p, value);
	} else if (str_ieq(name, STR("Connection"))) {
		connection_take(p, value);
	} else if (str_ieq(name, STR("Upgrade"))) {
		p->upgrade = true;
	} else if (str_ieq(name, STR("Expect"))) {
		if (!str_ieq(value, STR("100-continue")))
			return http_parser_bad(
				p, ERR_BAD_REQUEST, "Expect",
				"The only expectation this server meets is 100-continue.");
		p->head.expect_continue = true;
	}
	return HTTP_PARSE_DONE;
}

/* The empty line has been reached, llhttp has not seen it yet. */
static enum http_parsed
fields_check(struct http_parser *p)
{
	struct http_head *h = &p->head;
	for (unsigned i = 0; i < h->n_fields; i++) {
		struct http_field *f = &h->fields[i];
		const struct str name = { p->base + f->name.at, f->name.len };
		const struct str value =
			str_trim((struct str) { p->base + f->value.at, f->value.len });
		f->value =
			(struct http_span) { (uint32_t)(value.p - p->base), (uint32_t)value.len };
		if (field_take(p, name, value) == HTTP_PARSE_BAD)
			return HTTP_PARSE_BAD;
	}
	if (p->n_hosts == 0 && !h->is_1_0)
		return http_parser_bad(p, ERR_BAD_REQUEST, "Host",
				       "The request has no Host header.");
	if (h->chunked && p->n_lengths > 0)
		return http_parser_bad(
			p, ERR_BAD_REQUEST, "Transfer-Encoding",
			"The request has both Content-Length and Transfer-Encoding.");
	if (h->chunked && h->is_1_0)
		return http_parser_bad(p, ERR_BAD_REQUEST, "Transfer-Encoding",
				       "HTTP/1.0 has no Transfer-Encoding.");
	if (p->upgrade)
		return http_parser_bad(p, ERR_UNIMPLEMENTED, "Upgrade",
				       "This server does not change the protocol of a connection.");
	h->has_body = h->chunked || h->length > 0;
	h->keep_alive = !p->close && (!h->is_1_0 || p->keep);
	h->expect_continue = h->expect_continue && h->has_body && !h->is_1_0;
	return HTTP_PARSE_DONE;
}

/* ---- feeding llhttp ---- */

static bool
feed(struct http_parser *p, struct str bytes)
{
	const llhttp_errno_t e = llhttp_execute(&p->ll, bytes.p, bytes.len);
	if (e == HPE_OK)
		return true;
	(void)err_set(&p->err, ERR_BAD_REQUEST, NULL, "The request could not be read: %s.",
		      llhttp_errno_name(e));
	return false;
}

struct http_parser *
http_parser_create(void)
{
	struct http_parser *p = calloc(1, sizeof(*p));
	BUG_ON(p == NULL);
	if (settings.on_url == NULL) {
		llhttp_settings_init(&settings);
		settings.on_url = on_url;
		settings.on_header_field = on_field;
		settings.on_header_value = on_value;
		settings.on_chunk_header = on_chunk_header;
		settings.on_body = on_body;
		settings.on_message_complete = on_complete;
	}
	llhttp_init(&p->ll, HTTP_REQUEST, &settings);
	p->ll.data = p;
	return p;
}

void
http_parser_destroy(struct http_parser *p)
{
	free(p);
}

void
http_parser_reset(struct http_parser *p)
{
	llhttp_reset(&p->ll);
	/* The table of fields is valid up to n_fields only and need not be cleared. */
	memset(&p->head, 0, offsetof(struct http_head, fields));
	err_clear(&p->err);
	memset(&p->place, 0, sizeof(*p) - offsetof(struct http_parser, place));
}

const struct http_head *
http_parser_head(const struct http_parser *p)
{
	return &p->head;
}

bool
http_parser_begun(const struct http_parser *p)
{
	return p->begun;
}

const struct err_info *
http_parser_error(const struct http_parser *p)
{
	return &p->err;
}

/* The line is longer than it may be; only its first bytes, up to the limit, decide what is
 * answered. */
static enum http_parsed
line_too_long(struct http_parser *p, struct str line)
{
	if (p->place == AT_FIELDS)
		return http_parser_bad(p, ERR_HEAD_TOO_BIG, NULL,
				       "The request head is larger than 16 KiB.");
	if (str_find(line, ' ') < REQUEST_LINE_BYTES_MAX - HTTP_TARGET_BYTES_MAX)
		return http_parser_bad(p, ERR_URI_TOO_LONG, NULL,
				       "The request target is longer than 2048 bytes.");
	return http_parser_bad(p, ERR_BAD_REQUEST, NULL, "The request line is too long.");
}

/* One whole line of the head, with its end. */
static enum http_parsed
head_line(struct http_parser *p, struct str line)
{
	if (p->place == AT_REQUEST_LINE) {
		if (http_guard_request_line(p, line) == HTTP_PARSE_BAD || !feed(p, line))
			return HTTP_PARSE_BAD;
		p->place = AT_FIELDS;
		return HTTP_PARSE_MORE;
	}
	if (http_guard_field_line(p, line) == HTTP_PARSE_BAD)
		return HTTP_PARSE_BAD;
	if (line.len > 2)
		return feed(p, line) ? HTTP_PARSE_MORE : HTTP_PARSE_BAD;
	if (p->head.n_fields != p->n_lines)
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "The header lines could not be told apart.");
	if (fields_check(p) == HTTP_PARSE_BAD || !feed(p, line))
		return HTTP_PARSE_BAD;
	if (p->complete == p->head.has_body)
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "The length of the body is not clear.");
	p->place = p->head.chunked ? AT_CHUNK_LINE : p->head.has_body ? AT_LENGTH_BODY : AT_END;
	return HTTP_PARSE_DONE;
}

/* Before the request line: one empty line is let pass (RFC 9112, 2.2); anything but a method is
 * refused at its first byte. */
static enum http_parsed
first_byte(struct http_parser *p, struct str in)
{
	const char c = in.p[p->at];
	if (c == '\r' && !p->skipped_empty) {
		if (in.len - p->at < 2)
			return HTTP_PARSE_MORE;
		if (in.p[p->at + 1] != '\n')
			return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
					       "The request does not begin with a method.");
		p->skipped_empty = true;
		p->at += 2;
		p->scanned = p->at;
		return HTTP_PARSE_DONE;
	}
	p->begun = true;
	if (!http_is_token_char(c))
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "The request does not begin with a method.");
	return HTTP_PARSE_DONE;
}

enum http_parsed
http_parser_take_head(struct http_parser *p, struct str in, size_t *used)
{
	p->base = in.p;
	while (p->at < in.len) {
		if (!p->begun) {
			const enum http_parsed first = first_byte(p, in);
			if (first != HTTP_PARSE_DONE)
				return first;
			continue;
		}
		const size_t limit = p->place == AT_REQUEST_LINE ? p->at + REQUEST_LINE_BYTES_MAX
								 : HTTP_HEAD_BYTES_MAX;
		const size_t end = MIN(in.len, limit);
		const char *lf =
			p->scanned < end ? memchr(in.p + p->scanned, '\n', end - p->scanned) : NULL;
		if (lf == NULL && in.len >= limit)
			return line_too_long(p, (struct str) { in.p + p->at, limit - p->at });
		p->scanned = end;
		if (lf == NULL)
			return HTTP_PARSE_MORE;
		const size_t next = (size_t)(lf - in.p) + 1;
		const enum http_parsed line =
			head_line(p, (struct str) { in.p + p->at, next - p->at });
		p->at = next;
		p->scanned = next;
		if (line == HTTP_PARSE_DONE)
			*used = next;
		if (line != HTTP_PARSE_MORE)
			return line;
	}
	return HTTP_PARSE_MORE;
}

enum err
http_parser_body_max(struct http_parser *p, size_t max)
{
	p->body_max = max;
	if (p->head.length <= max)
		return ERR_OK;
	return err_set(&p->err, ERR_TOO_LARGE, "Content-Length",
		       "The body of %llu bytes is larger than the %zu accepted here.",
		       (unsigned long long)p->head.length, max);
}

/* ---- the body ---- */

/* Up to `left` bytes of data to llhttp, which hands them to on_body. */
static enum http_parsed
data_take(struct http_parser *p, struct str in, size_t *used, uint64_t left)
{
	const size_t n = (size_t)MIN((uint64_t)(in.len - *used), left);
	if (n > 0 && !feed(p, (struct str) { in.p + *used, n }))
		return HTTP_PARSE_BAD;
	*used += n;
	if (p->body->failed)
		return http_parser_bad(p, ERR_NO_MEMORY, NULL, "There is no memory for the body.");
	return n == left ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
}

static enum http_parsed
chunk_data_take(struct http_parser *p, struct str in, size_t *used)
{
	const size_t before = *used;
	const enum http_parsed r = data_take(p, in, used, p->chunk_left);
	p->chunk_left -= *used - before;
	if (r == HTTP_PARSE_DONE)
		p->place = AT_CHUNK_END;
	return r;
}

static enum http_parsed
chunk_end_take(struct http_parser *p, struct str in, size_t *used)
{
	const char *s = in.p + *used;
	if (s[0] != '\r')
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "A chunk is not followed by CRLF.");
	if (in.len - *used < 2)
		return HTTP_PARSE_MORE;
	if (s[1] != '\n')
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "A chunk is not followed by CRLF.");
	if (!feed(p, (struct str) { s, 2 }))
		return HTTP_PARSE_BAD;
	*used += 2;
	p->place = AT_CHUNK_LINE;
	return HTTP_PARSE_DONE;
}

static enum http_parsed
chunk_line_take(struct http_parser *p, struct str line)
{
	struct str digits;
	if (http_guard_chunk_line(p, line, &digits) == HTTP_PARSE_BAD || !feed(p, digits) ||
	    !feed(p, STR("\r\n")))
		return HTTP_PARSE_BAD;
	if (p->last_chunk) {
		p->place = AT_TRAILER;
		p->n_lines = 0;
		return HTTP_PARSE_DONE;
	}
	if (p->chunk_left > p->body_max - p->body_len)
		return http_parser_bad(p, ERR_TOO_LARGE, NULL,
				       "The chunked body is larger than what is accepted here.");
	p->place = AT_CHUNK_DATA;
	return HTTP_PARSE_DONE;
}

/* Trailers are read, checked like headers, and dropped. */
static enum http_parsed
trailer_line_take(struct http_parser *p, struct str line)
{
	if (http_guard_field_line(p, line) == HTTP_PARSE_BAD || !feed(p, line))
		return HTTP_PARSE_BAD;
	p->trailer_bytes += line.len;
	if (line.len > 2)
		return HTTP_PARSE_DONE;
	if (!p->complete)
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "The end of the body is not clear.");
	p->place = AT_END;
	return HTTP_PARSE_DONE;
}

/* The next whole line of the chunked framing, or MORE. */
static enum http_parsed
framing_line(struct http_parser *p, struct str in, size_t *used)
{
	const bool trailer = p->place == AT_TRAILER;
	const size_t limit =
		trailer ? HTTP_HEAD_BYTES_MAX - p->trailer_bytes : HTTP_CHUNK_LINE_BYTES_MAX;
	const size_t n = MIN(in.len - *used, limit);
	const char *lf = n > 0 ? memchr(in.p + *used, '\n', n) : NULL;
	if (lf == NULL && n == limit)
		return trailer ? http_parser_bad(p, ERR_HEAD_TOO_BIG, NULL,
						 "The trailer is larger than 16 KiB.")
			       : http_parser_bad(p, ERR_BAD_REQUEST, NULL,
						 "A chunk size line is longer than 256 bytes.");
	if (lf == NULL)
		return HTTP_PARSE_MORE;
	const struct str line = { in.p + *used, (size_t)(lf - in.p) + 1 - *used };
	*used += line.len;
	return trailer ? trailer_line_take(p, line) : chunk_line_take(p, line);
}

enum http_parsed
http_parser_take_body(struct http_parser *p, struct str in, struct buf *body, size_t *used)
{
	p->body = body;
	*used = 0;
	if (p->place == AT_LENGTH_BODY) {
		const enum http_parsed r = data_take(p, in, used, p->head.length - p->body_len);
		if (r != HTTP_PARSE_DONE)
			return r;
		if (!p->complete)
			return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
					       "The end of the body is not clear.");
		p->place = AT_END;
	}
	while (p->place != AT_END && *used < in.len) {
		enum http_parsed r = HTTP_PARSE_MORE;
		if (p->place == AT_CHUNK_DATA)
			r = chunk_data_take(p, in, used);
		else if (p->place == AT_CHUNK_END)
			r = chunk_end_take(p, in, used);
		else
			r = framing_line(p, in, used);
		if (r != HTTP_PARSE_DONE)
			return r;
	}
	return p->place == AT_END ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
}
