/*
 * cursor.h — the opaque position of a list: values of the sort fields and the key of the last row,
 * signed, so that a client can neither forge one nor carry it to another list.
 *
 * Bytes: version 1, 16 bytes of HMAC-SHA256, then per value a byte (0 = NULL, 1 = text), a 16-bit
 * length and the text; base64url. The signature also covers the binding (resource, class mask,
 * filters with their values, sort), which is not sent.
 */
#ifndef BIMODAL_RECORD_CURSOR_H
#define BIMODAL_RECORD_CURSOR_H

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

#define RECORD_SORT_MAX 4
#define RECORD_CURSOR_VALUES (RECORD_SORT_MAX + 1) /* the key is the last one */
#define RECORD_CURSOR_VALUE_MAX 900 /* bytes of one value: 200 characters fit, whatever they are */
#define RECORD_CURSOR_TEXT_MAX 1500

struct record_cursor {
	struct str values[RECORD_CURSOR_VALUES]; /* .p NULL = SQL NULL */
	size_t n;
};

struct record_cursor_key {
	uint8_t b[SHA256_BYTES];
};

/* Errors: ERR_INVALID when a value is too long to page by; ERR_NO_MEMORY. */
MUST_CHECK enum err record_cursor_encode(const struct record_cursor_key *key, struct str binding,
					 const struct record_cursor *c, struct arena *a,
					 struct str *out);
/* `n` values are expected. Errors: ERR_BAD_CURSOR for everything that is not ours. Values live in
 * the arena. */
MUST_CHECK enum err record_cursor_decode(const struct record_cursor_key *key, struct str binding,
					 struct str text, size_t n, struct arena *a,
					 struct record_cursor *out);

#endif
