/*
 * id.c — identifiers, random bytes and digests; the digests come from OpenSSL.
 *
 * A record's id is made here before it is written. Invariants: UUIDv7 of one process never go back,
 * even if the clock does or more than 4,096 are asked for in a millisecond; random bytes come from
 * the kernel only.
 */
#include "base/id.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"

#define V7_COUNTER_MAX 0xfffu
#define V7_COUNTER_START_MASK                                                                      \
	0x7ffu /* a fresh millisecond starts in the lower half, so there is room to count */

void
random_bytes(void *out, size_t n)
{
	char *p = out;
	while (n > 0) {
		const ssize_t got = getrandom(p, n, 0);
		if (got < 0) {
			BUG_ON(errno != EINTR);
			continue;
		}
		p += got;
		n -= (size_t)got;
	}
}

/*
 * Random bytes for identifiers, fetched many at a time: one system call for each UUID would be a third of all calls of a small
 * request. A child starts with an empty pool, or it would make its parent's identifiers again. Secrets never come from here.
 */
static uint8_t pool[512];
static size_t pool_left;

static void
pool_forget(void)
{
	pool_left = 0;
}

static void
pool_take(void *out, size_t n)
{
	static bool registered;
	if (!registered) {
		registered = true;
		BUG_ON(pthread_atfork(NULL, NULL, pool_forget) != 0);
	}
	if (pool_left < n) {
		random_bytes(pool, sizeof(pool));
		pool_left = sizeof(pool);
	}
	pool_left -= n;
	memcpy(out, pool + pool_left, n);
}

void
uuid_v7(struct uuid *out)
{
	static uint64_t last_ms;
	static unsigned counter;
	pool_take(out->b + 6, 10);
	const uint64_t now_ms = (uint64_t)(clock_wall_us() / USEC_PER_MS);
	if (now_ms > last_ms) {
		last_ms = now_ms;
		counter = ((unsigned)out->b[6] << 8 | out->b[7]) & V7_COUNTER_START_MASK;
	} else if (counter < V7_COUNTER_MAX) {
		counter++;
	} else {
		/* the counter is used up, or the clock stands behind us: borrow from the future */
		last_ms++;
		counter = 0;
	}
	for (unsigned i = 0; i < 6; i++)
		out->b[i] = (uint8_t)(last_ms >> (40 - 8 * i));
	out->b[6] = (uint8_t)(0x70 | counter >> 8);
	out->b[7] = (uint8_t)counter;
	out->b[8] = (uint8_t)(0x80 | (out->b[8] & 0x3f));
}

void
uuid_v4(struct uuid *out)
{
	random_bytes(out->b, sizeof(out->b));
	out->b[6] = (uint8_t)(0x40 | (out->b[6] & 0x0f));
	out->b[8] = (uint8_t)(0x80 | (out->b[8] & 0x3f));
}

void
uuid_text(const struct uuid *u, char out[UUID_TEXT_SIZE])
{
	char hex[2 * sizeof(u->b) + 1];
	hex_encode(u->b, sizeof(u->b), hex);
	memcpy(out, hex, 8);
	out[8] = '-';
	memcpy(out + 9, hex + 8, 4);
	out[13] = '-';
	memcpy(out + 14, hex + 12, 4);
	out[18] = '-';
	memcpy(out + 19, hex + 16, 4);
	out[23] = '-';
	memcpy(out + 24, hex + 20, 12);
	out[36] = '\0';
}

enum err
uuid_parse(struct str s, struct uuid *out)
{
	struct uuid u;
	if (s.len != UUID_TEXT_SIZE - 1)
		return ERR_INVALID;
	size_t at = 0;
	for (size_t i = 0; i < sizeof(u.b); i++) {
		if (at == 8 || at == 13 || at == 18 || at == 23) {
			if (s.p[at] != '-')
				return ERR_INVALID;
			at++;
		}
		const int high = bytes_hex(s.p[at]);
		const int low = bytes_hex(s.p[at + 1]);
		if (high < 0 || low < 0)
			return ERR_INVALID;
		u.b[i] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	*out = u;
	return ERR_OK;
}

int
uuid_version(const struct uuid *u)
{
	return u->b[6] >> 4;
}

void
sha256_two(const void *p, size_t n, const void *q, size_t m, uint8_t out[SHA256_BYTES])
{
	/* looking the algorithm up costs more than hashing a token, so both live as long as the
	 * process */
	static EVP_MD *algorithm;
	static EVP_MD_CTX *context;
	if (context == NULL) {
		algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
		context = EVP_MD_CTX_new();
		BUG_ON(algorithm == NULL || context == NULL);
	}
	unsigned len = 0;
	const bool ok = EVP_DigestInit_ex2(context, algorithm, NULL) == 1 &&
			EVP_DigestUpdate(context, n == 0 ? "" : p, n) == 1 &&
			(m == 0 || EVP_DigestUpdate(context, q, m) == 1) &&
			EVP_DigestFinal_ex(context, out, &len) == 1;
	BUG_ON(!ok || len != SHA256_BYTES);
}

void
sha256(const void *p, size_t n, uint8_t out[SHA256_BYTES])
{
	sha256_two(p, n, NULL, 0, out);
}

void
sha256_hex(const void *p, size_t n, char out[SHA256_HEX_SIZE])
{
	uint8_t digest[SHA256_BYTES];
	sha256(p, n, digest);
	hex_encode(digest, sizeof(digest), out);
}

void
hmac_sha256(const void *key, size_t key_len, const void *p, size_t n, uint8_t out[SHA256_BYTES])
{
	size_t len = 0;
	const unsigned char *made =
		EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key_len == 0 ? "" : key, key_len,
			  n == 0 ? (const unsigned char *)"" : p, n, out, SHA256_BYTES, &len);
	BUG_ON(made == NULL || len != SHA256_BYTES);
}

bool
secret_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
