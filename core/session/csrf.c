/*
 * csrf.c — see csrf.h. SameSite=Strict keeps the cookie out of other sites' requests already; these two are for browsers and
 * neighbours (another port, another name of the same site) that this does not hold back.
 */
#include "core/session/csrf.h"

#include <string.h>

void
csrf_token(const uint8_t key[SHA256_BYTES], struct str secret, char out[CSRF_TOKEN_SIZE])
{
	uint8_t mac[SHA256_BYTES];
	hmac_sha256(key, SHA256_BYTES, secret.p, secret.len, mac);
	(void)base64url_encode(mac, sizeof(mac), out, CSRF_TOKEN_SIZE);
}

bool
csrf_token_fits(const uint8_t key[SHA256_BYTES], struct str secret, struct str given)
{
	char want[CSRF_TOKEN_SIZE];
	csrf_token(key, secret, want);
	return given.len == CSRF_TOKEN_SIZE - 1 && secret_equal(given.p, want, given.len);
}

const char *
csrf_origin_wrong(struct str origin, struct str fetch_site, struct str host, bool secure)
{
	if (fetch_site.p != NULL && !str_is(fetch_site, "same-origin"))
		return "the browser says that it comes from another site";
	if (origin.p == NULL)
		return NULL;
	const bool https = str_starts(origin, "https://");
	if (!https && (secure || !str_starts(origin, "http://")))
		return "its Origin is not that of this server";
	const size_t scheme = https ? sizeof("https://") - 1 : sizeof("http://") - 1;
	return str_ieq((struct str) { origin.p + scheme, origin.len - scheme }, host)
		       ? NULL
		       : "its Origin is not that of this server";
}
