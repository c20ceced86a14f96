/*
 * bytes.h — byte-level helpers of the hot paths (JSON scanner, JSON writer, UTF-8 check), inline so
 * that no function is called per byte. Only for the .c files of base.
 */
#ifndef BIMODAL_BASE_BYTES_H
#define BIMODAL_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BYTES_ONES UINT64_C(0x0101010101010101)
#define BYTES_HIGH UINT64_C(0x8080808080808080)

/* Value of a hexadecimal digit of either case, or -1. */
static inline int
bytes_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * First byte from p that is not plain text inside a JSON string: a control character, '"', '\\' or
 * a byte ≥ 0x80. Eight bytes at a time: the borrow of a subtraction only reaches bytes above a real
 * hit, so the lowest hit is exact.
 */
static inline const char *
bytes_plain_run(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t w;
		memcpy(&w, p, sizeof(w));
		const uint64_t quote = w ^ (BYTES_ONES * '"');
		const uint64_t slash = w ^ (BYTES_ONES * '\\');
		const uint64_t hit =
			(quote - BYTES_ONES) | (slash - BYTES_ONES) | (w - BYTES_ONES * 0x20);
		/* a byte ≥ 0x80 hits anyway, so the usual "& ~x" of these tricks is not needed */
		const uint64_t hits = (hit | w) & BYTES_HIGH;
		if (hits != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			return p + __builtin_ctzll(hits) / 8;
#else
			break;
#endif
		}
		p += 8;
	}
	while (p < end) {
		const unsigned char c = (unsigned char)*p;
		if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
			break;
		p++;
	}
	return p;
}

/* First byte from p that is ≥ 0x80, or end. */
static inline const char *
bytes_ascii_run(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t w;
		memcpy(&w, p, sizeof(w));
		if ((w & BYTES_HIGH) != 0)
			break;
		p += 8;
	}
	while (p < end && (unsigned char)*p < 0x80)
		p++;
	return p;
}

/* Length of the UTF-8 character at s (n ≥ 1 bytes left), 0 if it is not one: strict as in RFC 3629.
 */
static inline size_t
bytes_utf8_step(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	const unsigned char lead = p[0];
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4 || n < 2)
		return 0;
	if (lead < 0xe0)
		return (p[1] & 0xc0) == 0x80 ? 2 : 0;
	/* the second byte's range excludes overlong forms, surrogates and everything above U+10FFFF
	 */
	const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (p[1] < low || p[1] > high || n < 3 || (p[2] & 0xc0) != 0x80)
		return 0;
	if (lead < 0xf0)
		return 3;
	return n >= 4 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
}

#endif
