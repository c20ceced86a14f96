/*
 * token.c — the text form of tokens. See access.h.
 */
#include "access/access.h"

#include <stdio.h>
#include <string.h>

#define SECRET_BYTES 32
#define SECRET_CHARS 43
#define SHOWN_CHARS 16 /* of the whole text; the rest is 27 characters or more of secret */

static const char *const prefixes[] = {
	[ACCESS_CORE] = "bm_core_", [ACCESS_SANDBOX] = "bm_sandbox_"
};

void
access_token_make(enum access_daemon audience, struct access_token *out)
{
	uint8_t secret[SECRET_BYTES];
	char text[SECRET_CHARS + 1];
	random_bytes(secret, sizeof(secret));
	(void)base64url_encode(secret, sizeof(secret), text, sizeof(text));
	(void)snprintf(out->text, sizeof(out->text), "%s%s", prefixes[audience], text);
	(void)snprintf(out->prefix, sizeof(out->prefix), "%.*s", SHOWN_CHARS, out->text);
	sha256(out->text, strlen(out->text), out->hash);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(text, sizeof(text));
}

struct str
access_token_shown(struct str text)
{
	return (struct str) { text.p, MIN(text.len, (size_t)SHOWN_CHARS) };
}

enum err
access_token_hash(struct str text, enum access_daemon *audience, uint8_t hash[SHA256_BYTES])
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		const size_t n = strlen(prefixes[i]);
		if (!str_starts(text, prefixes[i]) || text.len != n + SECRET_CHARS)
			continue;
		uint8_t secret[SECRET_BYTES];
		size_t len = 0;
		const enum err err = base64url_decode((struct str) { text.p + n, text.len - n },
						      secret, sizeof(secret), &len);
		explicit_bzero(secret, sizeof(secret));
		if (err != ERR_OK || len != SECRET_BYTES)
			return ERR_INVALID;
		*audience = (enum access_daemon)i;
		sha256(text.p, text.len, hash);
		return ERR_OK;
	}
	return ERR_INVALID;
}
