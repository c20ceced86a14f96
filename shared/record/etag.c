/*
 * etag.c — entity tags: "v<version>.<8 hex of a hash of representation and schema generation>".
 *
 * The version alone decides whether a write is stale; the hash makes the tag a strong one for
 * caches, because the same version looks different to another class mask or after a change of
 * schema. sql.c computes the same hash for stored replies.
 */
#include "record/engine.h"

#include <string.h>

#define NUMBER_MAX 24 /* a sign, digits, NUL */

/* The decimal number in front of `end`; where it begins. */
static char *
number_before(char *end, int64_t v)
{
	uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do {
		*--end = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (v < 0)
		*--end = '-';
	return end;
}

void
record_etag(const struct record_state *s, int64_t version, struct str body,
	    char out[RECORD_ETAG_SIZE])
{
	char number[NUMBER_MAX];
	char *const end = number + sizeof(number);
	char *tail = number_before(end, record_catalog_generation(s->catalog));
	*--tail = '.';
	uint8_t digest[SHA256_BYTES];
	sha256_two(body.p, body.len, tail, (size_t)(end - tail), digest);
	const char *from = number_before(end, version);
	const size_t n = (size_t)(end - from);
	char *to = out;
	*to++ = '"';
	*to++ = 'v';
	memcpy(to, from, n);
	to += n;
	*to++ = '.';
	hex_encode(digest, 4, to);
	memcpy(to + 8, "\"", 2);
}

bool
record_etag_matches(struct str list, const char *etag)
{
	struct str rest = list;
	while (rest.p != NULL) {
		struct str item = str_trim(str_cut(&rest, ','));
		if (str_is(item, "*"))
			return true;
		if (str_starts(item, "W/"))
			item = (struct str) { item.p + 2, item.len - 2 };
		if (str_is(item, etag))
			return true;
	}
	return false;
}

enum err
record_version_parse(struct str s, struct str *version)
{
	struct str v = str_trim(s);
	*version = STR_NONE;
	if (str_is(v, "*"))
		return ERR_OK;
	if (v.len >= 2 && v.p[0] == '"' && v.p[v.len - 1] == '"')
		v = (struct str) { v.p + 1, v.len - 2 };
	if (v.len < 2 || v.p[0] != 'v')
		return ERR_BAD_REQUEST;
	struct str rest = { v.p + 1, v.len - 1 };
	const struct str number = str_cut(&rest, '.');
	int64_t n;
	uint8_t hash[4];
	if (str_int(number, 0, INT32_MAX, &n) != ERR_OK ||
	    (rest.p != NULL && hex_decode(rest, hash, sizeof(hash)) != ERR_OK))
		return ERR_BAD_REQUEST;
	*version = number;
	return ERR_OK;
}
