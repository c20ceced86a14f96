/*
 * str.c — counted strings: comparing, cutting, numbers, UTF-8, base64url and hexadecimal.
 *
 * Used by everything that reads bytes from outside. Invariants: no function reads past s.len, none
 * needs a NUL, none depends on the locale.
 */
#include "base/str.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define NEAREST_NAME_MAX 64 /* longer names get no suggestion */

struct str
str_of(const char *cstr)
{
	if (cstr == NULL)
		return STR_NONE;
	return (struct str) { cstr, strlen(cstr) };
}

bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
str_is(struct str a, const char *cstr)
{
	return str_eq(a, str_of(cstr));
}

static inline unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool
str_ieq(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	}
	return true;
}

bool
str_starts(struct str s, const char *prefix)
{
	const size_t n = strlen(prefix);
	return n <= s.len && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool
str_ends(struct str s, const char *suffix)
{
	const size_t n = strlen(suffix);
	return n <= s.len && (n == 0 || memcmp(s.p + (s.len - n), suffix, n) == 0);
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

size_t
str_find(struct str s, char c)
{
	const char *hit = s.len == 0 ? NULL : memchr(s.p, c, s.len);
	return hit == NULL ? s.len : (size_t)(hit - s.p);
}

struct str
str_cut(struct str *rest, char sep)
{
	const struct str part = { rest->p, str_find(*rest, sep) };
	if (part.len == rest->len) {
		*rest = STR_NONE;
	} else {
		rest->p += part.len + 1;
		rest->len -= part.len + 1;
	}
	return part;
}

enum err
str_int(struct str s, int64_t min, int64_t max, int64_t *out)
{
	const bool minus = s.len > 0 && s.p[0] == '-';
	size_t i = minus ? 1 : 0;
	if (i == s.len)
		return ERR_INVALID;
	/* counts downwards, because INT64_MIN has no positive twin */
	int64_t v = 0;
	for (; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return ERR_INVALID;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, s.p[i] - '0', &v))
			return ERR_INVALID;
	}
	if (!minus && __builtin_sub_overflow(INT64_C(0), v, &v))
		return ERR_INVALID;
	if (v < min || v > max)
		return ERR_INVALID;
	*out = v;
	return ERR_OK;
}

static size_t
skip_digits(struct str s, size_t i)
{
	while (i < s.len && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i;
}

/* -?digits(.digits)?([eE][+-]?digits)? and nothing else: no hexadecimal, no "inf", no blanks. */
static bool
is_decimal(struct str s)
{
	size_t i = s.len > 0 && s.p[0] == '-' ? 1 : 0;
	size_t from = i;
	i = skip_digits(s, i);
	if (i == from)
		return false;
	if (i < s.len && s.p[i] == '.') {
		from = ++i;
		i = skip_digits(s, i);
		if (i == from)
			return false;
	}
	if (i < s.len && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		if (i < s.len && (s.p[i] == '+' || s.p[i] == '-'))
			i++;
		from = i;
		i = skip_digits(s, i);
		if (i == from)
			return false;
	}
	return i == s.len;
}

enum err
str_double(struct str s, double *out)
{
	static locale_t c_locale;
	char text[STR_DOUBLE_MAX + 1];
	if (s.len > STR_DOUBLE_MAX || !is_decimal(s))
		return ERR_INVALID;
	if (c_locale == (locale_t)0) {
		c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
		if (c_locale == (locale_t)0)
			return ERR_NO_MEMORY;
	}
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	const double v = strtod_l(text, NULL, c_locale);
	if (!isfinite(v))
		return ERR_INVALID;
	*out = v;
	return ERR_OK;
}

bool
str_utf8_valid(struct str s)
{
	const char *p = s.p;
	const char *end = s.p + s.len;
	while (p < end) {
		p = bytes_ascii_run(p, end);
		while (p < end && (unsigned char)*p >= 0x80) {
			const size_t n = bytes_utf8_step(p, (size_t)(end - p));
			if (n == 0)
				return false;
			p += n;
		}
	}
	return true;
}

bool
str_copy(char *dst, size_t size, struct str s)
{
	if (size == 0)
		return false;
	const size_t n = s.len < size ? s.len : size - 1;
	if (n > 0)
		memcpy(dst, s.p, n);
	dst[n] = '\0';
	return n == s.len;
}

/* Edit distance of two names of at most NEAREST_NAME_MAX bytes; one row of the table is enough. */
static unsigned
edit_distance(struct str a, struct str b)
{
	unsigned row[NEAREST_NAME_MAX + 1];
	for (size_t j = 0; j <= b.len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			const unsigned above = row[j];
			const unsigned change = diagonal + (lower(a.p[i - 1]) != lower(b.p[j - 1]));
			const unsigned step = MIN(above, row[j - 1]) + 1;
			row[j] = MIN(change, step);
			diagonal = above;
		}
	}
	return row[b.len];
}

const char *
str_nearest(struct str s, const char *const *known)
{
	const char *best = NULL;
	if (s.len == 0 || s.len > NEAREST_NAME_MAX)
		return NULL;
	/* a third of the letters may be wrong, and always one */
	unsigned limit = (unsigned)MAX(s.len / 3, 1);
	for (; *known != NULL; known++) {
		const struct str name = str_of(*known);
		if (name.len > NEAREST_NAME_MAX)
			continue;
		const unsigned distance = edit_distance(s, name);
		if (distance <= limit && distance < name.len) {
			best = *known;
			if (distance == 0)
				break;
			limit = distance - 1;
		}
	}
	return best;
}

static const char base64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t
base64url_encode(const void *src, size_t n, char *dst, size_t size)
{
	const unsigned char *p = src;
	const size_t need = n / 3 * 4 + (n % 3 == 0 ? 0 : n % 3 + 1);
	if (size == 0)
		return 0;
	if (need >= size) {
		dst[0] = '\0';
		return 0;
	}
	char *to = dst;
	for (; n >= 3; n -= 3, p += 3) {
		*to++ = base64url_digits[p[0] >> 2];
		*to++ = base64url_digits[(p[0] & 3) << 4 | p[1] >> 4];
		*to++ = base64url_digits[(p[1] & 15) << 2 | p[2] >> 6];
		*to++ = base64url_digits[p[2] & 63];
	}
	if (n > 0) {
		const unsigned second = n == 2 ? p[1] : 0;
		*to++ = base64url_digits[p[0] >> 2];
		*to++ = base64url_digits[(p[0] & 3) << 4 | second >> 4];
		if (n == 2)
			*to++ = base64url_digits[(second & 15) << 2];
	}
	*to = '\0';
	return need;
}

size_t
base64_encode(const void *src, size_t n, char *dst, size_t size)
{
	if (size > 0)
		dst[0] = '\0';
	if ((n + 2) / 3 * 4 >= size)
		return 0;
	size_t len = base64url_encode(src, n, dst, size);
	for (size_t i = 0; i < len; i++)
		dst[i] = dst[i] == '-' ? '+' : dst[i] == '_' ? '/' : dst[i];
	while (len % 4 != 0)
		dst[len++] = '=';
	dst[len] = '\0';
	return len;
}

static int
base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

enum err
base64url_decode(struct str src, void *dst, size_t size, size_t *out_len)
{
	unsigned char *to = dst;
	const size_t need = src.len / 4 * 3 + (src.len % 4 == 0 ? 0 : src.len % 4 - 1);
	if (src.len % 4 == 1 || need > size)
		return ERR_INVALID;
	uint32_t bits = 0;
	unsigned n_bits = 0;
	for (size_t i = 0; i < src.len; i++) {
		const int v = base64url_value(src.p[i]);
		if (v < 0)
			return ERR_INVALID;
		bits = bits << 6 | (uint32_t)v;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			*to++ = (unsigned char)(bits >> n_bits);
			bits &= (1u << n_bits) - 1;
		}
	}
	/* bits that no byte carries must be 0, or two texts would mean the same bytes */
	if (bits != 0)
		return ERR_INVALID;
	*out_len = need;
	return ERR_OK;
}

void
hex_encode(const void *src, size_t n, char *dst)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = src;
	for (size_t i = 0; i < n; i++) {
		*dst++ = digits[p[i] >> 4];
		*dst++ = digits[p[i] & 15];
	}
	*dst = '\0';
}

enum err
hex_decode(struct str src, void *dst, size_t n)
{
	unsigned char *to = dst;
	if (src.len % 2 != 0 || src.len / 2 != n)
		return ERR_INVALID;
	for (size_t i = 0; i < n; i++) {
		const char a = src.p[2 * i];
		const char b = src.p[2 * i + 1];
		if (bytes_hex(a) < 0 || bytes_hex(b) < 0 || lower(a) != (unsigned char)a ||
		    lower(b) != (unsigned char)b)
			return ERR_INVALID;
		to[i] = (unsigned char)(bytes_hex(a) << 4 | bytes_hex(b));
	}
	return ERR_OK;
}
