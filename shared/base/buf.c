/*
 * buf.c — the growing byte buffer: one block of memory, unread bytes at [start, start + len).
 *
 * Every response, request body, log line and report passes through here. Invariants: len ≤ limit;
 * cap ≤ limit + 1 (the one is for the NUL of buf_cstr); once failed, nothing is appended until
 * buf_reset.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"

#define FIRST_BYTES 256

void
buf_init(struct buf *b, size_t limit_bytes)
{
	*b = (struct buf) { .limit = MIN(limit_bytes, SIZE_MAX / 4) };
}

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf) { .limit = b->limit };
}

void
buf_reset(struct buf *b)
{
	b->start = 0;
	b->len = 0;
	b->failed = false;
}

/* Larger block for `need` bytes and a NUL, with the unread bytes moved to its front. */
static bool
grow(struct buf *b, size_t need)
{
	size_t cap = MAX(b->cap * 2, FIRST_BYTES);
	cap = MIN(MAX(cap, need + 1), b->limit + 1);
	char *p;
	if (b->start == 0) {
		p = realloc(b->p, cap);
		if (p == NULL)
			return false;
	} else {
		p = malloc(cap);
		if (p == NULL)
			return false;
		memcpy(p, b->p + b->start, b->len);
		free(b->p);
	}
	b->p = p;
	b->start = 0;
	b->cap = cap;
	return true;
}

/* Not in the ordinary case, where the room is there already. */
static bool
reserve_more(struct buf *b, size_t n)
{
	if (b->failed)
		return false;
	if (n > b->limit || b->len > b->limit - n) {
		b->failed = true;
		return false;
	}
	const size_t need = b->len + n;
	/* moving costs len: worth it once as much has been drained, or when no larger block is
	 * allowed */
	if (need < b->cap && (b->start >= b->len || b->cap > b->limit)) {
		memmove(b->p, b->p + b->start, b->len);
		b->start = 0;
		return true;
	}
	if (!grow(b, need)) {
		b->failed = true;
		return false;
	}
	return true;
}

/* Room for n more bytes and a NUL behind the unread ones. Not part of the limit check: the NUL. */
static inline bool
reserve(struct buf *b, size_t n)
{
	const size_t used = b->start + b->len;
	if (!b->failed && used < b->cap && n < b->cap - used)
		return true;
	return reserve_more(b, n);
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !reserve(b, n))
		return;
	memcpy(b->p + b->start + b->len, p, n);
	b->len += n;
}

void
buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.len);
}

void
buf_add_cstr(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_add_char(struct buf *b, char c)
{
	if (!reserve(b, 1))
		return;
	b->p[b->start + b->len] = c;
	b->len++;
}

void
buf_add_int(struct buf *b, int64_t v)
{
	char text[24];
	char *p = text + sizeof(text);
	uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (v < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(text + sizeof(text) - p));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	if (!reserve(b, 0))
		return;
	va_start(ap, fmt);
	const size_t room = b->cap - b->start - b->len;
	const int n = vsnprintf(b->p + b->start + b->len, room, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((size_t)n >= room) {
		if (!reserve(b, (size_t)n))
			return;
		va_start(ap, fmt);
		(void)vsnprintf(b->p + b->start + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

char *
buf_room(struct buf *b, size_t n)
{
	return reserve(b, n) ? b->p + b->start + b->len : NULL;
}

void
buf_took(struct buf *b, size_t n)
{
	BUG_ON(n > b->cap - b->start - b->len || n > b->limit - b->len);
	b->len += n;
}

void
buf_drain(struct buf *b, size_t n)
{
	BUG_ON(n > b->len);
	b->start += n;
	b->len -= n;
	if (b->len == 0)
		b->start = 0;
}

struct str
buf_str(const struct buf *b)
{
	return b->p == NULL ? STR("") : (struct str) { b->p + b->start, b->len };
}

char *
buf_cstr(struct buf *b)
{
	if (!reserve(b, 0))
		return NULL;
	b->p[b->start + b->len] = '\0';
	return b->p + b->start;
}

/* One byte that cannot stand for itself in a JSON string. */
static void
add_escape(struct buf *b, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	for (size_t i = 0; letters[i] != '\0'; i += 2) {
		if (letters[i] == (char)c) {
			buf_add(b, (const char[]) { '\\', letters[i + 1] }, 2);
			return;
		}
	}
	buf_add(b, (const char[]) { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] }, 6);
}

/* A whole character of UTF-8 that is no text but an order: a control of C1, of which one begins what a terminal obeys, or a line end. */
static bool
acts(const char *p)
{
	if (*p == '\xc2')
		return (unsigned char)p[1] < 0xa0;
	return *p == '\xe2' && p[1] == '\x80' && (p[2] == '\xa8' || p[2] == '\xa9');
}

/* Such a character of n bytes, escaped; n = 0: a byte that is none, replaced. Returns how many bytes that was. */
static size_t
add_odd(struct buf *b, const char *p, size_t n)
{
	if (n == 0)
		buf_add(b, "\xef\xbf\xbd", 3);
	else if (n == 2)
		add_escape(b, (unsigned char)p[1]);
	else
		buf_add(b, p[2] == '\xa8' ? "\\u2028" : "\\u2029", 6);
	return MAX(n, (size_t)1);
}

void
buf_json_str(struct buf *b, struct str s)
{
	const size_t before = b->len;
	const char *p = s.p;
	const char *end = s.len == 0 ? s.p : s.p + s.len;
	/* the whole text at once in the ordinary case; escapes ask for more */
	if (!reserve(b, s.len + 2))
		return;
	buf_add_char(b, '"');
	while (p < end) {
		const char *run = p;
		p = bytes_plain_run(p, end);
		while (p < end && (unsigned char)*p >= 0x80) {
			const size_t n = bytes_utf8_step(p, (size_t)(end - p));
			if (n == 0 || acts(p))
				break;
			p = bytes_plain_run(p + n, end);
		}
		buf_add(b, run, (size_t)(p - run));
		if (p == end)
			break;
		if ((unsigned char)*p < 0x80)
			add_escape(b, (unsigned char)*p++);
		else
			p += add_odd(b, p, bytes_utf8_step(p, (size_t)(end - p)));
	}
	buf_add_char(b, '"');
	if (b->failed)
		b->len = before;
}

void
buf_json_cstr(struct buf *b, const char *s)
{
	if (s == NULL)
		buf_add(b, "null", 4);
	else
		buf_json_str(b, str_of(s));
}

void
buf_add_url(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		const unsigned char ch = (unsigned char)s.p[i];
		if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
		    (ch >= '0' && ch <= '9') || ch == '-' || ch == '.' || ch == '_' || ch == '~')
			buf_add_char(b, s.p[i]);
		else
			buf_printf(b, "%%%02X", ch);
	}
}
