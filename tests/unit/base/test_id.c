/* Identifiers, random bytes and digests (vectors of FIPS 180-4 and RFC 4231). */
#include "base/id.h"

#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "tests/support/unit.h"

/* Far more than the counter of one millisecond holds. */
START_TEST(v7_only_goes_up)
{
	struct uuid last = { { 0 } };
	const usec_t before = clock_wall_us();
	for (int i = 0; i < 20000; i++) {
		struct uuid u;
		uuid_v7(&u);
		ck_assert_int_eq(uuid_version(&u), 7);
		ck_assert_int_eq(u.b[8] >> 6, 2);
		ck_assert_int_lt(memcmp(last.b, u.b, 8), 0);
		last = u;
	}
	int64_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | last.b[i];
	ck_assert_int_ge(ms, before / USEC_PER_MS);
	ck_assert_int_le(ms, clock_wall_us() / USEC_PER_MS + 20);
}
END_TEST

START_TEST(v4_is_random)
{
	struct uuid a;
	struct uuid b;
	uuid_v4(&a);
	uuid_v4(&b);
	ck_assert_int_eq(uuid_version(&a), 4);
	ck_assert_int_eq(a.b[8] >> 6, 2);
	ck_assert_int_ne(memcmp(&a, &b, sizeof(a)), 0);
}
END_TEST

START_TEST(text_and_back)
{
	static const char text[] = "01890a5d-ac96-774b-bcce-b302099a8057";
	char out[UUID_TEXT_SIZE];
	struct uuid u;
	ck_assert_int_eq(uuid_parse(str_of(text), &u), ERR_OK);
	uuid_text(&u, out);
	ck_assert_str_eq(out, text);
	ck_assert_int_eq(u.b[0], 0x01);
	ck_assert_int_eq(u.b[15], 0x57);
	ck_assert_int_eq(uuid_parse(STR("01890A5D-AC96-774B-BCCE-B302099A8057"), &u), ERR_OK);
	uuid_text(&u, out);
	ck_assert_str_eq(out, text);
}
END_TEST

static const char *const bad[] = {
	"",
	"01890a5d-ac96-774b-bcce-b302099a805",
	"01890a5d-ac96-774b-bcce-b302099a80577",
	"01890a5dac96774bbcceb302099a8057",
	"{1890a5d-ac96-774b-bcce-b302099a805}",
	"01890a5d-ac96-774b-bcce-b302099a805g",
	"01890a5d-ac96-774b-bcce+b302099a8057",
	"01890a5d-ac96-774bb-cce-b302099a8057",
	"01890a5-dac96-774b-bcce-b302099a8057",
};

START_TEST(refuses)
{
	struct uuid u;
	ck_assert_msg(uuid_parse(str_of(bad[_i]), &u) == ERR_INVALID, "%s", bad[_i]);
}
END_TEST

START_TEST(random_fills)
{
	unsigned char bytes[64] = { 0 };
	unsigned char seen = 0;
	random_bytes(bytes, 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		ck_assert_int_eq(bytes[i], 0);
	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		seen |= bytes[i];
	ck_assert_int_ne(seen, 0);
}
END_TEST

static const struct {
	const char *in, *want;
} digests[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(sha256_vectors)
{
	char hex[SHA256_HEX_SIZE];
	const char *in = digests[_i].in;
	const size_t n = strlen(in);
	sha256_hex(in, n, hex);
	ck_assert_str_eq(hex, digests[_i].want);
	for (size_t cut = 0; cut <= n; cut++) {
		uint8_t digest[SHA256_BYTES];
		sha256_two(in, cut, in + cut, n - cut, digest);
		hex_encode(digest, sizeof(digest), hex);
		ck_assert_str_eq(hex, digests[_i].want);
	}
}
END_TEST

START_TEST(hmac_vectors)
{
	uint8_t mac[SHA256_BYTES];
	char hex[SHA256_HEX_SIZE];
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
	hex_encode(mac, sizeof(mac), hex);
	ck_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	hmac_sha256(NULL, 0, NULL, 0, mac);
	hex_encode(mac, sizeof(mac), hex);
	ck_assert_str_eq(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}
END_TEST

START_TEST(secrets_compare)
{
	ck_assert(secret_equal("abc", "abc", 3));
	ck_assert(!secret_equal("abc", "abd", 3));
	ck_assert(secret_equal("abc", "abd", 2));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("id");
	TCase *tc = tcase_create("id");
	tcase_add_test(tc, v7_only_goes_up);
	tcase_add_test(tc, v4_is_random);
	tcase_add_test(tc, text_and_back);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, random_fills);
	tcase_add_loop_test(tc, sha256_vectors, 0, ARRAY_LEN(digests));
	tcase_add_test(tc, hmac_vectors);
	tcase_add_test(tc, secrets_compare);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
