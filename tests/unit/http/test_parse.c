/*
 * test_parse.c — the request parser: what is refused and why, what is accepted and how it is read.
 * Each row is tried as a whole, byte by byte and in threes: the answer may not depend on how the
 * bytes arrive.
 */
#include "http/parse.h"

#include <stdio.h>

#include "tests/support/unit.h"
#include "tests/unit/http/message.h"

#define BODY_MAX 1000
#define H "Host: x\r\n"
#define CHUNKED "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"

static const struct row {
	const char *in;
	size_t len; /* 0 = strlen */
	int want;   /* status; 0 = needs more bytes */
	const char *why;
} bad[] = {
	/* the request line */
	{ "\x16\x03\x01\x02", 4, 400, "a TLS hello" },
	{ "\n", 0, 400, "bare LF before the request" },
	{ "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 0, 400, "two empty lines before the request" },
	{ "\rX", 0, 400, "CR without LF before the request" },
	{ " GET / HTTP/1.1\r\n" H "\r\n", 0, 400, "space before the method" },
	{ "GET / HTTP/1.1\n" H "\r\n", 0, 400, "bare LF after the request line" },
	{ "GET / HTTP/1.1\r\r\n" H "\r\n", 0, 400, "CR CR LF" },
	{ "GET  / HTTP/1.1\r\n" H "\r\n", 0, 400, "two spaces before the target" },
	{ "GET /  HTTP/1.1\r\n" H "\r\n", 0, 400, "two spaces before the version" },
	{ "GET / HTTP/1.1 \r\n" H "\r\n", 0, 400, "space after the version" },
	{ "GET\t/\tHTTP/1.1\r\n" H "\r\n", 0, 400, "tabs in the request line" },
	{ "GET /a b HTTP/1.1\r\n" H "\r\n", 0, 400, "space in the target" },
	{ "GET /\r\n" H "\r\n", 0, 400, "no version (HTTP/0.9)" },
	{ "GET\r\n" H "\r\n", 0, 400, "a method alone" },
	{ "G(T / HTTP/1.1\r\n" H "\r\n", 0, 400, "method is not a token" },
	{ "GET /\x01 HTTP/1.1\r\n" H "\r\n", 0, 400, "control character in the target" },
	{ "GET /\x00 HTTP/1.1\r\n" H "\r\n", sizeof("GET /\x00 HTTP/1.1\r\n" H "\r\n") - 1, 400,
	  "NUL in the target" },
	{ "GET /\x7f HTTP/1.1\r\n" H "\r\n", 0, 400, "DEL in the target" },
	{ "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 0, 400, "unescaped UTF-8 in the target" },
	{ "GET / http/1.1\r\n" H "\r\n", 0, 400, "version in small letters" },
	{ "GET / HTTP/1\r\n" H "\r\n", 0, 400, "version without minor" },
	{ "GET / HTTP/1.10\r\n" H "\r\n", 0, 400, "version with three digits" },
	{ "GET / HTTP/0.9\r\n\r\n", 0, 505, "HTTP/0.9 spelt out" },
	{ "GET / HTTP/2.0\r\n" H "\r\n", 0, 505, "HTTP/2.0" },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 505, "HTTP/2 by prior knowledge" },
	{ "GET / HTTP/1.2\r\n" H "\r\n", 0, 505, "HTTP/1.2" },
	{ "BREW / HTTP/1.1\r\n" H "\r\n", 0, 501, "unknown method" },
	{ "get / HTTP/1.1\r\n" H "\r\n", 0, 501, "methods are case-sensitive" },
	{ "PLAY / HTTP/1.1\r\n" H "\r\n", 0, 501, "RTSP method" },
	{ "DESCRIBE / RTSP/1.0\r\n" H "\r\n", 0, 400, "RTSP version" },
	{ "TRACE / HTTP/1.1\r\n" H "\r\n", 0, 501, "TRACE" },
	{ "CONNECT x:1 HTTP/1.1\r\n" H "\r\n", 0, 501, "CONNECT" },
	{ "SOURCE / ICE/1.0\r\n" H "\r\n", 0, 400, "Icecast version" },
	/* header lines */
	{ "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 0, 400, "space before the colon" },
	{ "GET / HTTP/1.1\r\nHost\t: x\r\n\r\n", 0, 400, "tab before the colon" },
	{ "GET / HTTP/1.1\r\n" H ": v\r\n\r\n", 0, 400, "empty header name" },
	{ "GET / HTTP/1.1\r\n" H "Novalue\r\n\r\n", 0, 400, "no colon" },
	{ "GET / HTTP/1.1\r\n" H "A(b: v\r\n\r\n", 0, 400, "header name is not a token" },
	{ "GET / HTTP/1.1\r\n" H "A\xc3\xa9: v\r\n\r\n", 0, 400, "header name is not ASCII" },
	{ "GET / HTTP/1.1\r\n" H "A: b\n\r\n", 0, 400, "bare LF after a header" },
	{ "GET / HTTP/1.1\r\n" H "A: b\rC: d\r\n\r\n", 0, 400, "bare CR in a header" },
	{ "GET / HTTP/1.1\r\n" H "\n", 0, 400, "bare LF at the end of the head" },
	{ "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 0, 400, "folded header" },
	{ "GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n", 0, 400, "header folded with a tab" },
	{ "POST / HTTP/1.1\r\nHost: x\r\n Content-Length: 5\r\n\r\nhello", 0, 400,
	  "Content-Length folded into Host" },
	{ "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 0, 400, "space before the first header" },
	{ "GET / HTTP/1.1\r\n" H "A: b\x01\r\n\r\n", 0, 400, "control character in a value" },
	{ "GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n",
	  sizeof("GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n") - 1, 400, "NUL in a value" },
	{ "GET / HTTP/1.1\r\n" H "A: b\x7f\r\n\r\n", 0, 400, "DEL in a value" },
	/* Host */
	{ "GET / HTTP/1.1\r\n\r\n", 0, 400, "no Host" },
	{ "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 0, 400, "two Hosts" },
	{ "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 0, 400, "two Hosts in HTTP/1.0" },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, 400, "empty Host" },
	{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 0, 400, "Host with a path" },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0, 400, "Host with a space" },
	{ "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 0, 400, "Host with user information" },
	/* lengths */
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello", 0, 400,
	  "two lengths" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 0, 400,
	  "two equal lengths" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\nhello", 0, 400,
	  "a list of lengths" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nhello", 0, 400, "signed length" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 0, 400, "negative length" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nhello", 0, 400,
	  "hexadecimal length" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5 5\r\n\r\nhello", 0, 400,
	  "length with a space" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 0, 400, "empty length" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 1001\r\n\r\n", 0, 413,
	  "longer than the route takes" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 999999999999999999\r\n\r\n", 0, 413,
	  "length of 18 digits" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 9999999999999999999\r\n\r\n", 0, 413,
	  "length of 19 digits" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 0, 400,
	  "length beyond 64 bits" },
	{ "POST / HTTP/1.1\r\n" H
	  "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  0, 400, "length and chunked" },
	{ "POST / HTTP/1.1\r\n" H
	  "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
	  0, 400, "chunked and length" },
	/* transfer codings */
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, 501,
	  "another coding before chunked" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 0, 400,
	  "a coding that is not chunked" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 0, 400, "identity" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, identity\r\n\r\n", 0, 400,
	  "chunked is not the last" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n", 0, 400,
	  "chunked twice" },
	{ "POST / HTTP/1.1\r\n" H
	  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	  0, 400, "two codings headers" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 0, 400, "xchunked" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n", 0, 400,
	  "quoted chunked" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", 0, 400, "empty coding" },
	{ "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 400,
	  "chunked in HTTP/1.0" },
	/* changing the protocol, expectations */
	{ "GET / HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", 0, 501,
	  "Upgrade" },
	{ "GET / HTTP/1.1\r\n" H "Upgrade: h2c\r\n\r\n", 0, 501, "Upgrade without Connection" },
	{ "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\n\r\n", 0, 501,
	  "Connection: upgrade without Upgrade" },
	{ "POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", 0, 400,
	  "another expectation" },
	/* chunks */
	{ CHUNKED "\r\n", 0, 400, "empty chunk size" },
	{ CHUNKED "g\r\n", 0, 400, "chunk size is not hexadecimal" },
	{ CHUNKED "0x1\r\na\r\n0\r\n\r\n", 0, 400, "chunk size with 0x" },
	{ CHUNKED "+1\r\na\r\n0\r\n\r\n", 0, 400, "signed chunk size" },
	{ CHUNKED "-1\r\na\r\n0\r\n\r\n", 0, 400, "negative chunk size" },
	{ CHUNKED " 1\r\na\r\n0\r\n\r\n", 0, 400, "space before the chunk size" },
	{ CHUNKED "1 \r\na\r\n0\r\n\r\n", 0, 400, "space after the chunk size" },
	{ CHUNKED "1\na\r\n0\r\n\r\n", 0, 400, "bare LF after the chunk size" },
	{ CHUNKED "1;a\rb\r\na\r\n0\r\n\r\n", 0, 400, "bare CR in a chunk extension" },
	{ CHUNKED "1\r\nab\r\n0\r\n\r\n", 0, 400, "chunk longer than its size" },
	{ CHUNKED "1\r\na\n0\r\n\r\n", 0, 400, "bare LF after a chunk" },
	{ CHUNKED "1\r\na\rX", 0, 400, "CR without LF after a chunk" },
	{ CHUNKED "FFFFFFFFFFFFFFFF\r\n", 0, 400, "chunk size with 16 digits" },
	{ CHUNKED "3E9\r\n", 0, 413, "chunk larger than the route takes" },
	{ CHUNKED "3E8\r\n", 0, 0, "chunk as large as the route takes" },
	{ CHUNKED "0\r\n a: b\r\n\r\n", 0, 400, "folded trailer" },
	{ CHUNKED "0\r\na b: c\r\n\r\n", 0, 400, "trailer name is not a token" },
	{ CHUNKED "0\r\na: b\n\r\n", 0, 400, "bare LF in the trailer" },
	/* not yet wrong */
	{ "", 0, 0, "nothing" },
	{ "\r\n", 0, 0, "one empty line" },
	{ "GET / HTTP/1.1\r\n" H, 0, 0, "no end of the head" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhell", 0, 0, "no end of the body" },
	{ CHUNKED "1\r\na\r\n0\r\n", 0, 0, "no end of the trailer" },
};

static const size_t steps[] = { SIZE_MAX / 2, 1, 3, 17 };

START_TEST(refuses)
{
	const struct row *row = &bad[_i];
	const size_t len = row->len != 0 ? row->len : strlen(row->in);
	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		struct message m;
		message_read(row->in, len, steps[k], BODY_MAX, &m);
		const int got = m.end == HTTP_PARSE_BAD ? err_row(m.err.code)->status : 0;
		ck_assert_msg(got == row->want, "%s: %d instead of %d (%s), step %zu", row->why,
			      got, row->want, m.err.msg, steps[k]);
		ck_assert_msg(m.end != HTTP_PARSE_DONE, "%s: was accepted", row->why);
		ck_assert_msg(got == 0 || m.err.msg[0] != '\0', "%s: no reason given", row->why);
		buf_free(&m.body);
	}
}
END_TEST

static const struct good {
	const char *in;
	const char *body;
	enum http_method method;
	bool keep_alive;
	size_t rest; /* bytes of the next message */
	const char *why;
} good[] = {
	{ "GET / HTTP/1.1\r\n" H "\r\n", "", HTTP_GET, true, 0, "the smallest" },
	{ "\r\nGET / HTTP/1.1\r\n" H "\r\n", "", HTTP_GET, true, 0, "one empty line before" },
	{ "HEAD / HTTP/1.1\r\n" H "\r\nGET", "", HTTP_HEAD, true, 3, "the next request follows" },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", "", HTTP_OPTIONS, true, 0, "asterisk" },
	{ "PUT /a HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "", HTTP_PUT, true, 0,
	  "length zero" },
	{ "DELETE /a HTTP/1.1\r\n" H "\r\n", "", HTTP_DELETE, true, 0, "DELETE" },
	{ "PATCH /a HTTP/1.1\r\n" H "Content-Length: 0002\r\n\r\n{}GET", "{}", HTTP_PATCH, true, 3,
	  "length with zeros" },
	{ "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", "", HTTP_GET, false, 0, "close" },
	{ "GET / HTTP/1.1\r\n" H "Connection: x, CLOSE\r\n\r\n", "", HTTP_GET, false, 0,
	  "close in a list" },
	{ "GET / HTTP/1.0\r\n\r\n", "", HTTP_GET, false, 0, "HTTP/1.0 without Host" },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "", HTTP_GET, true, 0,
	  "HTTP/1.0 kept alive" },
	{ "POST / HTTP/1.0\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", "hi", HTTP_POST,
	  false, 0, "HTTP/1.0 with a body" },
	{ CHUNKED "0\r\n\r\n", "", HTTP_POST, true, 0, "no chunk" },
	{ CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nG", "hello world", HTTP_POST, true, 1,
	  "two chunks" },
	{ CHUNKED "00a\r\n0123456789\r\n0\r\n\r\n", "0123456789", HTTP_POST, true, 0,
	  "leading zeros, small letter" },
	{ CHUNKED "1;name=value;x=\"y z\"\r\na\r\n0;end\r\n\r\n", "a", HTTP_POST, true, 0,
	  "extensions are ignored" },
	{ CHUNKED "1\r\na\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n", "a", HTTP_POST, true, 0,
	  "trailers are dropped" },
	{ "POST / HTTP/1.1\r\n" H "transfer-encoding: Chunked\r\n\r\n0\r\n\r\n", "", HTTP_POST,
	  true, 0, "case of the coding" },
	{ "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "", HTTP_GET, true, 0, "IPv6 host" },
};

START_TEST(accepts)
{
	const struct good *row = &good[_i];
	const size_t len = strlen(row->in);
	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		struct message m;
		message_read(row->in, len, steps[k], BODY_MAX, &m);
		ck_assert_msg(m.end == HTTP_PARSE_DONE, "%s: %s (step %zu)", row->why, m.err.msg,
			      steps[k]);
		ck_assert_msg(m.head.method == row->method, "%s: method", row->why);
		ck_assert_msg(m.head.keep_alive == row->keep_alive, "%s: keep-alive", row->why);
		ck_assert_msg(m.total == len - row->rest, "%s: %zu bytes used of %zu", row->why,
			      m.total, len);
		ck_assert_msg(str_is(buf_str(&m.body), row->body), "%s: body", row->why);
		buf_free(&m.body);
	}
}
END_TEST

static struct str
field_of(const struct message *m, const char *text, const char *name)
{
	for (unsigned i = 0; i < m->head.n_fields; i++) {
		const struct http_field *f = &m->head.fields[i];
		if (str_is((struct str) { text + f->name.at, f->name.len }, name))
			return (struct str) { text + f->value.at, f->value.len };
	}
	return STR_NONE;
}

START_TEST(fields)
{
	static const char text[] =
		"GET /a?b=c HTTP/1.1\r\nHost: x\r\nA:b\r\nEmpty:\r\nBlank: \t \r\nWide:  a b\t \r\n"
		"Connection: keep-alive\r\nLatin: \xe9\r\nContent-Length: 0\r\nTransfer: "
		"chunked\r\n\r\n";
	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		struct message m;
		message_read(text, sizeof(text) - 1, steps[k], BODY_MAX, &m);
		ck_assert_int_eq(m.end, HTTP_PARSE_DONE);
		ck_assert_uint_eq(m.head.n_fields, 9);
		ck_assert(str_is((struct str) { text + m.head.target.at, m.head.target.len },
				 "/a?b=c"));
		ck_assert(str_is(field_of(&m, text, "Host"), "x"));
		ck_assert(str_is(field_of(&m, text, "A"), "b"));
		ck_assert(str_is(field_of(&m, text, "Empty"), ""));
		ck_assert(str_is(field_of(&m, text, "Blank"), ""));
		ck_assert(str_is(field_of(&m, text, "Wide"), "a b"));
		ck_assert(str_is(field_of(&m, text, "Connection"), "keep-alive"));
		ck_assert(str_is(field_of(&m, text, "Latin"), "\xe9"));
		ck_assert(str_is(field_of(&m, text, "Content-Length"), "0"));
		buf_free(&m.body);
	}
}
END_TEST

START_TEST(expectation)
{
	static const char with[] =
		"POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na";
	static const char without[] = "GET / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n";
	struct message m;
	message_read(with, sizeof(with) - 1, SIZE_MAX / 2, BODY_MAX, &m);
	ck_assert(m.end == HTTP_PARSE_DONE && m.head.expect_continue);
	buf_free(&m.body);
	message_read(without, sizeof(without) - 1, SIZE_MAX / 2, BODY_MAX, &m);
	ck_assert(m.end == HTTP_PARSE_DONE && !m.head.expect_continue);
	buf_free(&m.body);
}
END_TEST

/* Sizes at, and one above, each limit. */
static int
status_of(const struct buf *b)
{
	int status = 0;
	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		struct message m;
		message_read(b->p, b->len, steps[k], BODY_MAX, &m);
		const int got = m.end == HTTP_PARSE_BAD    ? err_row(m.err.code)->status
				: m.end == HTTP_PARSE_DONE ? 200
							   : 0;
		ck_assert_msg(k == 0 || got == status, "step %zu: %d, not %d", steps[k], got,
			      status);
		status = got;
		buf_free(&m.body);
	}
	return status;
}

static void
fill(struct buf *b, char c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_char(b, c);
}

/* Each byte at each place of a value: lines are looked at eight bytes at a time. */
START_TEST(control_characters)
{
	const char c = (char)_i;
	const int want = (_i < ' ' && c != '\t') || _i == 0x7f ? 400 : 200;
	for (size_t before = 0; before < 20; before++) {
		struct buf b;
		buf_init(&b, 1000);
		buf_add_cstr(&b, "GET / HTTP/1.1\r\n" H "X: ");
		fill(&b, 'v', before);
		buf_add_char(&b, c);
		fill(&b, 'v', 20 - before);
		buf_add_cstr(&b, "\r\n\r\n");
		const int got = status_of(&b);
		ck_assert_msg(got == want, "byte %d behind %zu: %d", _i, before, got);
		buf_free(&b);
	}
}
END_TEST

static int
target_status(size_t target, const char *end)
{
	struct buf b;
	buf_init(&b, 100000);
	buf_add_cstr(&b, "GET /");
	fill(&b, 'a', target - 1);
	buf_add_cstr(&b, end);
	const int status = status_of(&b);
	buf_free(&b);
	return status;
}

START_TEST(target_limit)
{
	ck_assert_int_eq(target_status(2048, " HTTP/1.1\r\n" H "\r\n"), 200);
	ck_assert_int_eq(target_status(2049, " HTTP/1.1\r\n" H "\r\n"), 414);
	ck_assert_int_eq(target_status(5000, " HTTP/1.1\r\n" H "\r\n"), 414);
	ck_assert_int_eq(target_status(5000, ""), 414);
}
END_TEST

START_TEST(method_limit)
{
	struct buf b;
	buf_init(&b, 100000);
	fill(&b, 'A', 5000);
	ck_assert_int_eq(status_of(&b), 400);
	buf_free(&b);
}
END_TEST

START_TEST(head_limit)
{
	static const struct {
		size_t total;
		int want;
	} rows[] = { { HTTP_HEAD_BYTES_MAX, 200 },
		     { HTTP_HEAD_BYTES_MAX + 1, 431 },
		     { HTTP_HEAD_BYTES_MAX * 2, 431 } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b;
		buf_init(&b, 100000);
		buf_add_cstr(&b, "GET / HTTP/1.1\r\n" H "A: ");
		fill(&b, 'a', rows[i].total - b.len - 4);
		buf_add_cstr(&b, "\r\n\r\n");
		ck_assert_int_eq(status_of(&b), rows[i].want);
		buf_free(&b);
	}
}
END_TEST

START_TEST(count_limit)
{
	for (int n = 63; n <= 65; n++) {
		struct buf b;
		buf_init(&b, 100000);
		buf_add_cstr(&b, "GET / HTTP/1.1\r\n" H);
		for (int i = 1; i < n; i++)
			buf_add_cstr(&b, "A: b\r\n");
		buf_add_cstr(&b, "\r\n");
		ck_assert_int_eq(status_of(&b), n <= HTTP_HEADERS_MAX ? 200 : 431);
		buf_free(&b);
	}
}
END_TEST

START_TEST(chunk_limits)
{
	struct buf b;
	buf_init(&b, 100000);
	buf_add_cstr(&b, CHUNKED "1;");
	fill(&b, 'a', 300);
	ck_assert_int_eq(status_of(&b), 400);
	buf_reset(&b);
	buf_add_cstr(&b, CHUNKED "0\r\n");
	for (int i = 0; i < 65; i++)
		buf_add_cstr(&b, "A: b\r\n");
	ck_assert_int_eq(status_of(&b), 431);
	buf_reset(&b);
	buf_add_cstr(&b, CHUNKED "0\r\nA: ");
	fill(&b, 'a', HTTP_HEAD_BYTES_MAX);
	ck_assert_int_eq(status_of(&b), 431);
	buf_reset(&b);
	/* many small chunks: the sum counts */
	buf_add_cstr(&b, CHUNKED);
	for (int i = 0; i < 1000; i++)
		buf_add_cstr(&b, "1\r\na\r\n");
	const size_t full = b.len;
	buf_add_cstr(&b, "0\r\n\r\n");
	ck_assert_int_eq(status_of(&b), 200);
	b.len = full;
	buf_add_cstr(&b, "1\r\na\r\n0\r\n\r\n");
	ck_assert_int_eq(status_of(&b), 413);
	buf_free(&b);
}
END_TEST

/* One parser over many messages: nothing of the one before is left. */
START_TEST(reuse)
{
	static const char *const texts[] = {
		"POST / HTTP/1.1\r\n" H "Connection: close\r\nContent-Length: 2\r\n\r\nhi",
		CHUNKED "1\r\na\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\n" H "\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
	};
	static const enum http_parsed want[] = { HTTP_PARSE_DONE, HTTP_PARSE_DONE, HTTP_PARSE_DONE,
						 HTTP_PARSE_BAD, HTTP_PARSE_DONE };
	struct http_parser *p = http_parser_create();
	struct buf body;
	buf_init(&body, 1000);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			const struct str in = str_of(texts[i]);
			size_t used = 0;
			size_t body_used = 0;
			http_parser_reset(p);
			ck_assert(!http_parser_begun(p));
			ck_assert_msg(http_parser_take_head(p, in, &used) == want[i], "%s",
				      texts[i]);
			ck_assert(http_parser_begun(p));
			if (want[i] == HTTP_PARSE_BAD || !http_parser_head(p)->has_body)
				continue;
			ck_assert(http_parser_body_max(p, 10) == ERR_OK);
			const struct str rest = { in.p + used, in.len - used };
			ck_assert(http_parser_take_body(p, rest, &body, &body_used) ==
				  HTTP_PARSE_DONE);
			ck_assert_uint_eq(body_used, rest.len);
		}
	}
	ck_assert(str_is(buf_str(&body), "hiahiahia"));
	buf_free(&body);
	http_parser_destroy(p);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http/parse");
	TCase *c = tcase_create("parse");
	tcase_add_loop_test(c, refuses, 0, ARRAY_LEN(bad));
	tcase_add_loop_test(c, accepts, 0, ARRAY_LEN(good));
	tcase_add_test(c, fields);
	tcase_add_test(c, expectation);
	tcase_add_loop_test(c, control_characters, 0, 256);
	tcase_add_test(c, target_limit);
	tcase_add_test(c, method_limit);
	tcase_add_test(c, head_limit);
	tcase_add_test(c, count_limit);
	tcase_add_test(c, chunk_limits);
	tcase_add_test(c, reuse);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
