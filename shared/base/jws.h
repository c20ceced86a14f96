/*
 * jws.h — signatures of JSON web tokens (RFC 7515, 7519) under the public keys of a JWKS (RFC 7517, 7518, 8037). OpenSSL computes.
 *
 * Nothing that a token says of its own key is believed. Four algorithms exist here: RS256, PS256, ES256 (P-256) and EdDSA (Ed25519), each
 * for keys of its own type alone; "none" and everything with a shared secret do not, so no public key can stand in for one. A header
 * with "crit", or with a "typ" other than JWT, is refused; jku, jwk, x5u and x5c are not looked at.
 */
#ifndef BIMODAL_BASE_JWS_H
#define BIMODAL_BASE_JWS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define JWS_BYTES_MAX ((size_t)64 * 1024) /* of a token */
#define JWS_KEYS_MAX 32
#define JWS_KID_BYTES_MAX 255
#define JWS_RSA_BITS_MIN 2048
#define JWS_RSA_BITS_MAX 4096 /* a larger key would take longer than a step may */

struct jws_keys;

/*
 * The keys of a JWKS document that can check a signature here; others (for encryption, of other types, too short) are left out. Owner:
 * the caller frees *out with jws_keys_free. Errors: those of json_parse, ERR_INVALID (not of the form, too many keys, none of use),
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum err jws_keys_parse(struct str jwks, struct jws_keys **out, struct err_info *info);
void jws_keys_free(struct jws_keys *k); /* NULL is fine */
size_t jws_keys_count(const struct jws_keys *k);

/*
 * Check a token in compact form; *payload is what was signed, in the arena. A token that names no key is taken if one key alone fits
 * its algorithm. Errors: ERR_NOT_FOUND, there is no key of that name (keys may have been rotated); ERR_INVALID, anything else that is
 * wrong with it; ERR_NO_MEMORY.
 */
MUST_CHECK enum err jws_verify(const struct jws_keys *keys, struct str token, struct arena *a,
			       struct str *payload, struct err_info *info);

#endif
