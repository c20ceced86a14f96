/*
 * id.h — identifiers: UUIDv7 (time-ordered, records), UUIDv4 (random, pseudonyms and secrets), random bytes, SHA-256.
 */
#ifndef BIMODAL_BASE_ID_H
#define BIMODAL_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define UUID_TEXT_SIZE 37
#define SHA256_BYTES 32
#define SHA256_HEX_SIZE 65

struct uuid {
	uint8_t b[16];
};

void uuid_v7(
	struct uuid *out); /* RFC 9562; monotonic within a process (12-bit counter in rand_a) */
void uuid_v4(struct uuid *out);
void uuid_text(const struct uuid *u, char out[UUID_TEXT_SIZE]);
MUST_CHECK enum err uuid_parse(struct str s,
			       struct uuid *out); /* canonical 8-4-4-4-12, either case */
int uuid_version(const struct uuid *u);

void random_bytes(void *out, size_t n); /* getrandom; dies if the kernel refuses */

void sha256(const void *p, size_t n, uint8_t out[SHA256_BYTES]);
/* Of both, one behind the other. */
void sha256_two(const void *p, size_t n, const void *q, size_t m, uint8_t out[SHA256_BYTES]);
void sha256_hex(const void *p, size_t n, char out[SHA256_HEX_SIZE]);
void hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
		 uint8_t out[SHA256_BYTES]);
bool secret_equal(const void *a, const void *b, size_t n); /* constant time */

#endif
