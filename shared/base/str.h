/*
 * str.h — a counted, read-only view of bytes. Never implicitly NUL-terminated; the owner is whoever made the bytes.
 */
#ifndef BIMODAL_BASE_STR_H
#define BIMODAL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct str {
	const char *p;
	size_t len;
};

#define STR(literal) ((struct str) { (literal), sizeof(literal) - 1 })
#define STR_NONE ((struct str) { NULL, 0 })
#define STR_FMT(s) (int)(s).len, (s).p /* for "%.*s" */

struct str str_of(const char *cstr);         /* NULL gives STR_NONE                          */
bool str_eq(struct str a, struct str b);     /* byte for byte                                */
bool str_is(struct str a, const char *cstr); /* byte for byte                                */
bool str_ieq(struct str a, struct str b);    /* ASCII case folded (header names)             */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
struct str str_trim(struct str s); /* spaces and tabs at both ends                 */
struct str str_cut(
	struct str *rest,
	char sep); /* the part before `sep`; rest moves behind it; rest->p is NULL after the last part */
size_t str_find(struct str s, char c); /* index, or s.len                              */

/* Numbers: whole text, decimal, optional minus; ERR_INVALID on anything else or out of [min,max]. */
MUST_CHECK enum err str_int(struct str s, int64_t min, int64_t max, int64_t *out);
#define STR_DOUBLE_MAX 1024                                /* bytes of the text */
MUST_CHECK enum err str_double(struct str s, double *out); /* finite decimal only, locale-free */

bool str_utf8_valid(struct str s); /* strict: no overlongs, surrogates, > U+10FFFF */

/* Copies as much as fits with a NUL; returns false if it was cut. */
bool str_copy(char *dst, size_t size, struct str s);

/* The nearest of a NULL-terminated list of names for "did you mean", or NULL if none is near. */
const char *str_nearest(struct str s, const char *const *known);

/*
 * Base64url without padding. Encode writes 4*ceil(n/3)+1 bytes at most, the NUL included, and returns the length without
 * it; 0 and an empty text if `size` is too small. Decode is strict (canonical); ERR_INVALID also if `size` is too small.
 */
size_t base64url_encode(const void *src, size_t n, char *dst, size_t size);
size_t base64_encode(const void *src, size_t n, char *dst,
		     size_t size); /* RFC 4648 section 4, padded; 4*ceil(n/3)+1 bytes with the NUL */
MUST_CHECK enum err base64url_decode(struct str src, void *dst, size_t size, size_t *out_len);

/* Lower-case hexadecimal, in both directions; encode's dst needs 2n+1. */
void hex_encode(const void *src, size_t n, char *dst);
MUST_CHECK enum err hex_decode(struct str src, void *dst, size_t n); /* exactly n bytes */

#endif
