/*
 * buf.h — a growing byte buffer with a limit given at birth. All growing data of the product lives in one of these.
 *
 * After a failed append the buffer is marked `failed` and stays unchanged, also by later appends, until buf_reset; so
 * appends may be chained and checked once.
 */
#ifndef BIMODAL_BASE_BUF_H
#define BIMODAL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

struct buf {
	char *p;
	size_t start; /* first unread byte: buf_drain moves it */
	size_t len;   /* unread bytes, from start              */
	size_t cap;
	size_t limit; /* never holds more than this            */
	bool failed;  /* an append did not fit or no memory    */
};

void buf_init(struct buf *b, size_t limit_bytes);
void buf_free(struct buf *b);
void buf_reset(struct buf *b); /* empty, keeps the memory, clears `failed` */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_cstr(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_add_int(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
char *buf_room(
	struct buf *b,
	size_t n); /* n writable bytes at the end, then buf_took; NULL (and failed) if they do not fit */
void buf_took(struct buf *b, size_t n);
void buf_drain(struct buf *b, size_t n); /* drop n bytes from the front; n ≤ len     */
struct str buf_str(const struct buf *b); /* view; valid until the next change        */
char *buf_cstr(struct buf *b);           /* NUL-terminated view, NULL if failed      */

/* JSON text. `json_str` writes quotes and escapes; each byte of invalid UTF-8 becomes U+FFFD. */
void buf_json_str(struct buf *b, struct str s);
void buf_json_cstr(struct buf *b, const char *s); /* NULL writes null                         */

/* Text as one segment of a path or one value of a query: percent-encoded but for what RFC 3986 leaves unreserved. */
void buf_add_url(struct buf *b, struct str s);

#endif
