/*
 * test_jws.c — the examples of RFC 7515 (A.2, A.3) and RFC 8037 (A.4), PS256 with a key made here, and what is no key and no token.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/jws.h"

#include "../../support/unit.h"

#define CLAIMS                                                                                     \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
	"cnVlfQ"
#define RSA_KEY_REST                                                                               \
	"\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_"                \
	"wWJcyQoTbji9k0l8"                                                                         \
	"W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_"                   \
	"YpRPEwOWvG6b32690r2"                                                                      \
	"jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"                       \
	"UTo7WTBEMa2R2CapHg665xs"                                                                  \
	"mtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"                     \
	"h9iaGNj8q2ethFkMLs91k"                                                                    \
	"zk2PAcDTW9gb54h4FRWyuXpoQ\"}"
#define RSA_KEY "{" RSA_KEY_REST
#define RSA_TOKEN                                                                                  \
	"eyJhbGciOiJSUzI1NiJ9." CLAIMS                                                             \
	".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8" \
	"W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvk" \
	"SjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCn" \
	"vWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define EC_KEY                                                                                     \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define EC_TOKEN                                                                                   \
	"eyJhbGciOiJFUzI1NiJ9." CLAIMS                                                             \
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define ED_KEY                                                                                     \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"                              \
	"7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
#define ED_TOKEN                                                                                   \
	"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"    \
	"09PG"                                                                                     \
	"cvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
#define ALL_KEYS "{\"keys\":[" RSA_KEY "," EC_KEY "," ED_KEY "]}"

static struct jws_keys *
keys_of(const char *text)
{
	struct err_info info = { .code = ERR_OK };
	struct jws_keys *k = NULL;
	ck_assert_msg(jws_keys_parse(str_of(text), &k, &info) == ERR_OK, "%s", info.msg);
	return k;
}

/* ---- tokens ---- */

static const struct {
	const char *token, *payload;
} good[] = {
	{ RSA_TOKEN, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
		     "\"http://example.com/is_root\":true}" },
	{ EC_TOKEN, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
		    "\"http://example.com/is_root\":true}" },
	{ ED_TOKEN, "Example of Ed25519 signing" },
};

START_TEST(examples_of_the_standards)
{
	struct jws_keys *k = keys_of(ALL_KEYS);
	struct err_info info = { .code = ERR_OK };
	struct arena a;
	struct str payload;

	ck_assert_uint_eq(jws_keys_count(k), 3);
	arena_init(&a, ARENA_CAP_BYTES);
	ck_assert_msg(jws_verify(k, str_of(good[_i].token), &a, &payload, &info) == ERR_OK, "%s",
		      info.msg);
	ck_assert(str_is(payload, good[_i].payload));
	arena_release(&a);
	jws_keys_free(k);
}
END_TEST

/* No other character can stand anywhere. */
START_TEST(every_character_counts)
{
	struct jws_keys *k = keys_of(ALL_KEYS);
	char text[1024];
	struct arena a;
	struct str payload;

	arena_init(&a, ARENA_CAP_BYTES);
	ck_assert(str_copy(text, sizeof(text), str_of(good[_i].token)));
	for (size_t at = 0; text[at] != '\0'; at++) {
		const char was = text[at];
		for (const char *other = "A_.z ="; *other != '\0'; other++) {
			text[at] = *other;
			if (*other != was)
				ck_assert_msg(jws_verify(k, str_of(text), &a, &payload, NULL) !=
						      ERR_OK,
					      "%c for %c at %zu", *other, was, at);
		}
		text[at] = was;
	}
	arena_release(&a);
	jws_keys_free(k);
}
END_TEST

/* {"alg":…} and so on, as base64url in front of a payload and a signature of nothing. */
static enum err
verdict(const struct jws_keys *k, const char *header, char *msg, size_t size)
{
	char head[512];
	struct err_info info = { .code = ERR_OK };
	struct arena a;
	struct buf token;
	struct str payload;

	ck_assert(base64url_encode(header, strlen(header), head, sizeof(head)) > 0);
	buf_init(&token, 4096);
	buf_printf(&token, "%s." CLAIMS ".AAAA", head);
	arena_init(&a, ARENA_CAP_BYTES);
	const enum err err = jws_verify(k, buf_str(&token), &a, &payload, &info);
	ck_assert(payload.p == NULL);
	(void)str_copy(msg, size, str_of(info.msg));
	buf_free(&token);
	arena_release(&a);
	return err;
}

static const struct {
	const char *header, *says;
	enum err err;
} headers[] = {
	{ "{\"alg\":\"none\"}", "algorithm", ERR_INVALID },
	{ "{\"alg\":\"HS256\"}", "algorithm", ERR_INVALID },
	{ "{\"alg\":\"RS1\"}", "algorithm", ERR_INVALID },
	{ "{\"alg\":\"es256\"}", "algorithm", ERR_INVALID },
	{ "{\"alg\":\"RS256RS256RS256RS256\"}", "form", ERR_INVALID },
	{ "{\"alg\":null}", "form", ERR_INVALID },
	{ "{}", "algorithm", ERR_INVALID },
	{ "[]", "form", ERR_INVALID },
	{ "{\"alg\":\"RS256\",\"alg\":\"none\"}", "form", ERR_INVALID },
	{ "{\"alg\":\"RS256\",\"crit\":[]}", "extensions", ERR_INVALID },
	{ "{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", "type", ERR_INVALID },
	{ "{\"alg\":\"RS256\",\"typ\":\"jwt\"}", "signature", ERR_INVALID },
	{ "{\"alg\":\"RS256\",\"kid\":\"a\"}", "key", ERR_NOT_FOUND },
	{ "{\"alg\":\"RS256\",\"kid\":7}", "form", ERR_INVALID },
};

START_TEST(headers_that_are_refused)
{
	struct jws_keys *k = keys_of(ALL_KEYS);
	char msg[320];
	ck_assert_int_eq(verdict(k, headers[_i].header, msg, sizeof(msg)), headers[_i].err);
	ck_assert_msg(strstr(msg, headers[_i].says) != NULL, "%s", msg);
	jws_keys_free(k);
}
END_TEST

START_TEST(a_name_chooses_the_key)
{
	char msg[320];
	/* Two of one type and no name in the token: which is it? */
	struct jws_keys *k = keys_of("{\"keys\":[" EC_KEY "," EC_KEY "]}");
	ck_assert_int_eq(verdict(k, "{\"alg\":\"ES256\"}", msg, sizeof(msg)), ERR_INVALID);
	ck_assert_msg(strstr(msg, "by which key") != NULL, "%s", msg);
	jws_keys_free(k);
	/* A key that says what it is for is for nothing else. */
	k = keys_of("{\"keys\":[{\"kid\":\"r\",\"alg\":\"PS256\"," RSA_KEY_REST "]}");
	ck_assert_int_eq(verdict(k, "{\"alg\":\"RS256\",\"kid\":\"r\"}", msg, sizeof(msg)),
			 ERR_INVALID);
	ck_assert_msg(strstr(msg, "not that of its key") != NULL, "%s", msg);
	jws_keys_free(k);
}
END_TEST

/* ---- PS256: the standards have no example ---- */

static size_t
pss_sign(EVP_PKEY *key, const char *text, int salt, unsigned char *out, size_t size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;
	ck_assert_int_eq(EVP_DigestSignInit(ctx, &p, EVP_sha256(), NULL, key), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(p, salt), 1);
	ck_assert_int_eq(EVP_DigestSign(ctx, out, &size, (const unsigned char *)text, strlen(text)),
			 1);
	EVP_MD_CTX_free(ctx);
	return size;
}

START_TEST(ps256)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIGNUM *n = NULL;
	unsigned char raw[256], sig[256];
	char text[4096], jwks[1024], n64[400], sig64[400];
	struct arena a;
	struct str payload;
	static const char head[] = "eyJhbGciOiJQUzI1NiJ9."; /* {"alg":"PS256"} */

	ck_assert_int_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	ck_assert_int_eq(BN_bn2binpad(n, raw, sizeof(raw)), sizeof(raw));
	ck_assert(base64url_encode(raw, sizeof(raw), n64, sizeof(n64)) > 0);
	(void)snprintf(jwks, sizeof(jwks),
		       "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}]}", n64);
	struct jws_keys *k = keys_of(jwks);
	arena_init(&a, ARENA_CAP_BYTES);
	/* A salt of another length than the digest's is not PS256. */
	for (int salt = 31; salt <= 32; salt++) {
		(void)snprintf(text, sizeof(text), "%s" CLAIMS, head);
		const size_t len = pss_sign(key, text, salt, sig, sizeof(sig));
		ck_assert(base64url_encode(sig, len, sig64, sizeof(sig64)) > 0);
		(void)snprintf(text, sizeof(text), "%s" CLAIMS ".%s", head, sig64);
		ck_assert_int_eq(jws_verify(k, str_of(text), &a, &payload, NULL) == ERR_OK,
				 salt == 32);
	}
	arena_release(&a);
	jws_keys_free(k);
	BN_free(n);
	EVP_PKEY_free(key);
}
END_TEST

/* ---- keys ---- */

#define LIST(key) "{\"keys\":[" key "]}"
static const struct {
	const char *jwks, *says;
} no_keys[] = {
	{ "", "" },
	{ "[]", "list of keys" },
	{ "{}", "list of keys" },
	{ "{\"keys\":{}}", "list of keys" },
	{ LIST(""), "no key" },
	{ LIST("7,null,\"a\",[]"), "no key" },
	{ LIST("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), "no key" },
	{ LIST("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AQAB\"}"), "no key" },
	{ LIST("{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"ofgW\"}"), "no key" },
	{ LIST("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":7}"), "no key" },
	/* not on the curve */
	{ LIST("{\"kty\":\"EC\",\"crv\":\"P-256\","
	       "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	       "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}"),
	  "no key" },
	{ LIST("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}"), "no key" },
	{ LIST("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}"), "no key" },
	{ LIST("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}"), "no key" },
	{ LIST("{\"kty\":\"OKP\",\"crv\":\"X25519\","
	       "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"),
	  "no key" },
	{ LIST("{\"use\":\"enc\",\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	       "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"),
	  "no key" },
	{ LIST("0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0," ED_KEY), "more" },
};

START_TEST(documents_without_a_key)
{
	struct err_info info = { .code = ERR_OK };
	struct jws_keys *k = NULL;
	ck_assert_int_ne(jws_keys_parse(str_of(no_keys[_i].jwks), &k, &info), ERR_OK);
	ck_assert_ptr_null(k);
	ck_assert_msg(strstr(info.msg, no_keys[_i].says) != NULL, "%s", info.msg);
}
END_TEST

START_TEST(what_is_of_no_use_is_left_out)
{
	struct jws_keys *k = keys_of(LIST("{\"kty\":\"oct\",\"k\":\"AAAA\"}," ED_KEY ",7"));
	ck_assert_uint_eq(jws_keys_count(k), 1);
	jws_keys_free(k);
	jws_keys_free(NULL);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("jws");
	TCase *c = tcase_create("jws");
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, examples_of_the_standards, 0, ARRAY_LEN(good));
	tcase_add_loop_test(c, every_character_counts, 0, ARRAY_LEN(good));
	tcase_add_loop_test(c, headers_that_are_refused, 0, ARRAY_LEN(headers));
	tcase_add_test(c, a_name_chooses_the_key);
	tcase_add_test(c, ps256);
	tcase_add_loop_test(c, documents_without_a_key, 0, ARRAY_LEN(no_keys));
	tcase_add_test(c, what_is_of_no_use_is_left_out);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(make_suite)
