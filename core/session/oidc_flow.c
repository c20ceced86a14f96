/*
 * oidc_flow.c — see oidc.h. Pure functions.
 *
 * The cookie is base64url of: 8 bytes when (microseconds since 1970, big end first), 32 random bytes, where to go afterwards, 32 bytes MAC
 * over all of it. Invariant: every value of a flow is an HMAC over the whole of what the cookie says, each under a label of its own; who
 * sees one (the state stands in addresses) learns nothing of another.
 */
#include <string.h>

#include "core/session/oidc.h"

#define TIME_BYTES 8
#define RANDOM_BYTES 32
#define HEAD_BYTES (TIME_BYTES + RANDOM_BYTES)
#define RAW_BYTES_MAX (HEAD_BYTES + OIDC_RETURN_BYTES_MAX + SHA256_BYTES)
#define LABEL_BYTES 8

_Static_assert(OIDC_COOKIE_SIZE >= (RAW_BYTES_MAX + 2) / 3 * 4 + 1, "the cookie must fit");

bool
oidc_return_valid(struct str path)
{
	if (path.len == 0 || path.len > OIDC_RETURN_BYTES_MAX || path.p[0] != '/' ||
	    (path.len > 1 && path.p[1] == '/'))
		return false;
	for (size_t i = 0; i < path.len; i++) {
		/* Browsers read a backslash as a slash, and drop tabs and line breaks. */
		if (path.p[i] <= ' ' || path.p[i] > '~' || path.p[i] == '\\')
			return false;
	}
	return true;
}

static void
derive(const uint8_t key[SHA256_BYTES], const char *label, const uint8_t *raw, size_t n,
       uint8_t out[SHA256_BYTES])
{
	uint8_t text[LABEL_BYTES + RAW_BYTES_MAX] = { 0 };

	memcpy(text, label, strlen(label));
	memcpy(text + LABEL_BYTES, raw, n);
	hmac_sha256(key, SHA256_BYTES, text, LABEL_BYTES + n, out);
}

static void
value(const uint8_t key[SHA256_BYTES], const char *label, const uint8_t *raw, size_t n,
      char out[OIDC_VALUE_SIZE])
{
	uint8_t mac[SHA256_BYTES];

	derive(key, label, raw, n, mac);
	(void)base64url_encode(mac, sizeof(mac), out, OIDC_VALUE_SIZE);
}

/* Everything else of a flow follows from its bytes without the MAC. */
static void
fill(const uint8_t key[SHA256_BYTES], const uint8_t *raw, size_t n, struct oidc_flow *out)
{
	uint8_t digest[SHA256_BYTES];
	uint64_t begun = 0;

	for (size_t i = 0; i < TIME_BYTES; i++)
		begun = begun << 8 | raw[i];
	out->begun = (usec_t)begun;
	memcpy(out->return_to, raw + HEAD_BYTES, n - HEAD_BYTES);
	out->return_to[n - HEAD_BYTES] = '\0';
	value(key, "state", raw, n, out->state);
	value(key, "nonce", raw, n, out->nonce);
	value(key, "code", raw, n, out->verifier);
	sha256(out->verifier, OIDC_VALUE_SIZE - 1, digest);
	(void)base64url_encode(digest, sizeof(digest), out->challenge, sizeof(out->challenge));
	sha256_hex(raw, n, out->hash);
}

void
oidc_flow_make(const uint8_t key[SHA256_BYTES], struct str return_to, usec_t now,
	       struct oidc_flow *out)
{
	uint8_t raw[RAW_BYTES_MAX];
	const size_t n = HEAD_BYTES + return_to.len;

	*out = (struct oidc_flow) { .begun = now };
	for (size_t i = 0; i < TIME_BYTES; i++)
		raw[i] = (uint8_t)((uint64_t)now >> (8 * (TIME_BYTES - 1 - i)));
	random_bytes(raw + TIME_BYTES, RANDOM_BYTES);
	memcpy(raw + HEAD_BYTES, return_to.p, return_to.len);
	fill(key, raw, n, out);
	derive(key, "cookie", raw, n, raw + n);
	(void)base64url_encode(raw, n + SHA256_BYTES, out->cookie, sizeof(out->cookie));
}

bool
oidc_flow_open(const uint8_t key[SHA256_BYTES], struct str cookie, usec_t now, usec_t lifetime,
	       struct oidc_flow *out)
{
	uint8_t raw[RAW_BYTES_MAX];
	uint8_t mac[SHA256_BYTES];
	size_t n = 0;

	*out = (struct oidc_flow) { .begun = 0 };
	if (cookie.p == NULL || base64url_decode(cookie, raw, sizeof(raw), &n) != ERR_OK ||
	    n <= HEAD_BYTES + SHA256_BYTES)
		return false;
	n -= SHA256_BYTES;
	derive(key, "cookie", raw, n, mac);
	if (!secret_equal(mac, raw + n, sizeof(mac)))
		return false;
	fill(key, raw, n, out);
	return out->begun <= now && now - out->begun <= lifetime;
}

void
oidc_encode(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '_' || c == '.' || c == '~')
			buf_add_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}
