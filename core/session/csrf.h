/*
 * csrf.h — private to core/session: is a request that a cookie speaks for really from our own console? Pure functions.
 */
#ifndef BIMODAL_CORE_SESSION_CSRF_H
#define BIMODAL_CORE_SESSION_CSRF_H

#include "base/id.h"
#include "base/str.h"

#define CSRF_TOKEN_SIZE 44

/* The token of one session: HMAC of its secret under the daemon's key. Nothing is stored, and no other session has it. */
void csrf_token(const uint8_t key[SHA256_BYTES], struct str secret, char out[CSRF_TOKEN_SIZE]);
bool csrf_token_fits(const uint8_t key[SHA256_BYTES], struct str secret, struct str given);

/*
 * Where does the request come from? Headers that are absent (STR_NONE) say nothing, as programs do not send them; browsers do.
 * Sec-Fetch-Site must be same-origin; the host of Origin must be that of Host, and its scheme https if `secure`. NULL if it fits,
 * else what is wrong, for people.
 */
const char *csrf_origin_wrong(struct str origin, struct str fetch_site, struct str host,
			      bool secure);

#endif
