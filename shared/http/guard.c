/*
 * guard.c — raw lines of a request, judged before llhttp sees them: CRLF, no control characters, no folding, the exact form of a request
 * line, a header line and a chunk's size. llhttp 8.1.0 lets some of that pass even in strict mode.
 *
 * Place: parse.c gives each line whole and passes on what is good. Invariant: no line is read past its end, whatever it holds.
 */
#include <string.h>

#include "http/parser.h"

#define CHUNK_DIGITS_MAX 15

/* ---- characters ---- */

bool
http_is_token_char(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!http_is_token_char(s.p[i]))
			return false;
	}
	return s.len > 0;
}

bool
http_is_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.len > 0;
}

static bool
is_visible(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	}
	return s.len > 0;
}

/* Bytes at the front that surely hold no control character, eight at a time: a subtraction that
 * borrows into the highest bit of a byte tells one below ' ', or equal to DEL. It may stop too
 * early, never too late. */
static size_t
plain_bytes(struct str s)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t i = 0;
	for (; s.len - i >= 8; i += 8) {
		uint64_t w;
		memcpy(&w, s.p + i, sizeof(w));
		const uint64_t del = w ^ (ones * 0x7f);
		if ((((w - ones * ' ') & ~w) | ((del - ones) & ~del)) & (ones << 7))
			break;
	}
	return i;
}

/* "\r\n" at the end and no other control character but the tab. `line` loses the CRLF. */
static bool
line_trim(struct str *line)
{
	if (line->len < 2 || line->p[line->len - 2] != '\r')
		return false;
	line->len -= 2;
	for (size_t i = plain_bytes(*line); i < line->len; i++) {
		const unsigned char c = (unsigned char)line->p[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* ---- guards on raw lines ---- */

static enum http_parsed
version_guard(struct http_parser *p, struct str version)
{
	if (version.len != 8 || !str_starts(version, "HTTP/") || version.p[6] != '.' ||
	    !http_is_digits((struct str) { version.p + 5, 1 }) ||
	    !http_is_digits((struct str) { version.p + 7, 1 }))
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "The request line does not end with an HTTP version.");
	p->head.is_1_0 = str_is(version, "HTTP/1.0");
	if (!p->head.is_1_0 && !str_is(version, "HTTP/1.1"))
		return http_parser_bad(p, ERR_VERSION, NULL,
				       "Only HTTP/1.1 and HTTP/1.0 are served.");
	return HTTP_PARSE_DONE;
}

static enum http_parsed
method_guard(struct http_parser *p, struct str method)
{
	for (unsigned m = 0; m < HTTP_METHODS; m++) {
		if (str_is(method, http_method_name((enum http_method)m))) {
			p->head.method = (enum http_method)m;
			return HTTP_PARSE_DONE;
		}
	}
	return http_parser_bad(p, ERR_UNIMPLEMENTED, NULL,
			       "The method is not one this server knows.");
}

/* METHOD SP TARGET SP VERSION, with exactly these two spaces. */
enum http_parsed
http_guard_request_line(struct http_parser *p, struct str line)
{
	if (!line_trim(&line))
		return http_parser_bad(
			p, ERR_BAD_REQUEST, NULL,
			"The request line must end with CRLF and hold no control characters.");
	struct str rest = line;
	const struct str method = str_cut(&rest, ' ');
	if (!is_token(method) || rest.p == NULL)
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "The request line does not begin with a method.");
	const struct str target = str_cut(&rest, ' ');
	if (!is_visible(target) || rest.p == NULL)
		return http_parser_bad(
			p, ERR_BAD_REQUEST, NULL,
			"The request line must be method, target and version with one space "
			"between them.");
	if (version_guard(p, rest) == HTTP_PARSE_BAD)
		return HTTP_PARSE_BAD;
	if (target.len > HTTP_TARGET_BYTES_MAX)
		return http_parser_bad(p, ERR_URI_TOO_LONG, NULL,
				       "The request target is longer than 2048 bytes.");
	p->head.target =
		(struct http_span) { (uint32_t)(target.p - p->base), (uint32_t)target.len };
	return method_guard(p, method);
}

enum http_parsed
http_guard_field_line(struct http_parser *p, struct str line)
{
	if (!line_trim(&line))
		return http_parser_bad(
			p, ERR_BAD_REQUEST, NULL,
			"A header line must end with CRLF and hold no control characters.");
	if (line.len == 0)
		return HTTP_PARSE_DONE;
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "A header line must not be folded.");
	const size_t colon = str_find(line, ':');
	if (colon == line.len)
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL, "A header line has no colon.");
	if (!is_token((struct str) { line.p, colon }))
		return http_parser_bad(
			p, ERR_BAD_REQUEST, NULL,
			"A header name is empty or holds a character that is not allowed.");
	p->n_lines++;
	if (p->n_lines > HTTP_HEADERS_MAX)
		return http_parser_bad(p, ERR_HEAD_TOO_BIG, NULL,
				       "The request has more than 64 header lines.");
	return HTTP_PARSE_DONE;
}

/* 1*HEXDIG, then the end or an extension, which is ignored: only the digits go on to llhttp. */
enum http_parsed
http_guard_chunk_line(struct http_parser *p, struct str line, struct str *digits)
{
	if (!line_trim(&line))
		return http_parser_bad(
			p, ERR_BAD_REQUEST, NULL,
			"A chunk size must end with CRLF and hold no control characters.");
	const struct str size = str_cut(&line, ';');
	*digits = size;
	if (size.len == 0 || size.len > CHUNK_DIGITS_MAX)
		return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
				       "A chunk size is missing or too long.");
	for (size_t i = 0; i < size.len; i++) {
		const char c = size.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
			return http_parser_bad(p, ERR_BAD_REQUEST, NULL,
					       "A chunk size is not a hexadecimal number.");
	}
	return HTTP_PARSE_DONE;
}
