/*
 * cursor.c — signed keyset cursors. See cursor.h.
 *
 * Place: read.c makes one from the last row of a page and reads the one a client sends. Invariant:
 * nothing behind the signature is looked at before the signature is proven.
 */
#include "record/cursor.h"

#include <string.h>

#define CURSOR_VERSION 1
#define CURSOR_MAC_BYTES 16
#define CURSOR_HEAD_BYTES (1 + CURSOR_MAC_BYTES)
#define CURSOR_BYTES_MAX (CURSOR_HEAD_BYTES + RECORD_CURSOR_VALUES * (3 + RECORD_CURSOR_VALUE_MAX))

static enum err
sign(const struct record_cursor_key *key, struct str binding, const uint8_t *payload, size_t n,
     struct arena *a, uint8_t mac[SHA256_BYTES])
{
	uint8_t *whole = arena_alloc(a, binding.len + 1 + n);
	if (whole == NULL)
		return ERR_NO_MEMORY;
	if (binding.len > 0)
		memcpy(whole, binding.p, binding.len);
	whole[binding.len] = 0; /* the binding holds no NUL: the border cannot move */
	memcpy(whole + binding.len + 1, payload, n);
	hmac_sha256(key->b, sizeof(key->b), whole, binding.len + 1 + n, mac);
	return ERR_OK;
}

enum err
record_cursor_encode(const struct record_cursor_key *key, struct str binding,
		     const struct record_cursor *c, struct arena *a, struct str *out)
{
	uint8_t raw[CURSOR_BYTES_MAX];
	size_t n = CURSOR_HEAD_BYTES;
	for (size_t i = 0; i < c->n && i < RECORD_CURSOR_VALUES; i++) {
		const struct str v = c->values[i];
		if (v.p != NULL && v.len > RECORD_CURSOR_VALUE_MAX)
			return ERR_INVALID;
		const size_t len = v.p == NULL ? 0 : v.len;
		raw[n++] = v.p != NULL;
		raw[n++] = (uint8_t)(len >> 8);
		raw[n++] = (uint8_t)(len & 0xff);
		if (len > 0)
			memcpy(raw + n, v.p, len);
		n += len;
	}
	if (4 * ((n + 2) / 3) > RECORD_CURSOR_TEXT_MAX)
		return ERR_INVALID;
	uint8_t mac[SHA256_BYTES];
	const enum err err =
		sign(key, binding, raw + CURSOR_HEAD_BYTES, n - CURSOR_HEAD_BYTES, a, mac);
	if (err != ERR_OK)
		return err;
	raw[0] = CURSOR_VERSION;
	memcpy(raw + 1, mac, CURSOR_MAC_BYTES);
	const size_t size = 4 * ((n + 2) / 3) + 1;
	char *text = arena_alloc(a, size);
	if (text == NULL)
		return ERR_NO_MEMORY;
	*out = (struct str) { text, base64url_encode(raw, n, text, size) };
	return ERR_OK;
}

enum err
record_cursor_decode(const struct record_cursor_key *key, struct str binding, struct str text,
		     size_t n, struct arena *a, struct record_cursor *out)
{
	uint8_t raw[CURSOR_BYTES_MAX + 3];
	size_t len = 0;
	*out = (struct record_cursor) { .n = n };
	if (n > RECORD_CURSOR_VALUES || text.len > RECORD_CURSOR_TEXT_MAX ||
	    base64url_decode(text, raw, sizeof(raw), &len) != ERR_OK || len < CURSOR_HEAD_BYTES ||
	    raw[0] != CURSOR_VERSION)
		return ERR_BAD_CURSOR;
	uint8_t mac[SHA256_BYTES];
	const enum err err =
		sign(key, binding, raw + CURSOR_HEAD_BYTES, len - CURSOR_HEAD_BYTES, a, mac);
	if (err != ERR_OK)
		return err;
	if (!secret_equal(raw + 1, mac, CURSOR_MAC_BYTES))
		return ERR_BAD_CURSOR;
	size_t at = CURSOR_HEAD_BYTES;
	for (size_t i = 0; i < n; i++) {
		if (len - at < 3)
			return ERR_BAD_CURSOR;
		const bool present = raw[at] == 1;
		const size_t size = (size_t)raw[at + 1] << 8 | raw[at + 2];
		at += 3;
		if (size > len - at || (!present && size > 0))
			return ERR_BAD_CURSOR;
		if (present) {
			out->values[i] =
				arena_str(a, (struct str) { (const char *)raw + at, size });
			if (out->values[i].p == NULL)
				return ERR_NO_MEMORY;
		}
		at += size;
	}
	return at == len ? ERR_OK : ERR_BAD_CURSOR;
}
