/*
 * test_session.c — the pure parts of sign-in: which passwords are refused, what a hashing job does, whose CSRF token and Origin fit.
 */
#include <stdlib.h>
#include <string.h>

#include "core/session/csrf.h"
#include "core/session/password.h"

#include "../../support/unit.h"

/* ---- passwords ---- */

static const struct {
	const char *password, *says; /* NULL: good */
} passwords[] = {
	{ "a quiet harbour at 6", NULL },
	{ "twelve chars", NULL },
	{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa9\xc3\xa8 "
	  "\xc3\xa0\xc3\xb9\xc3\xa2\xc3\xaa\xc3\xae",
	  NULL },
	{ "eleven char", "12 characters" },
	/* 6 characters of two bytes are 6, not 12 */
	{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa9\xc3\xa8", "12 characters" },
	{ "", "12 characters" },
	{ "Ada.Lovelace@Example.Org", "name" },
	{ "ADA-LOVELACE", "name" },
	{ "aaaaaaaaaaaaaaa", "different" },
	{ "abababababababab", "different" },
	{ "AbCdAbCdAbCdAbCd", "different" },
	{ "password1234", "commonest" },
	{ "PassWord1234", "commonest" },
	{ "correct horse battery staple", "commonest" },
	{ "with a\ttab in the middle", "control" },
	{ "not \xff utf-8 at all, no", "control" },
};

START_TEST(rules)
{
	struct err_info info = { .code = ERR_OK };
	const enum err err = password_check(str_of(passwords[_i].password), STR("ada-lovelace"),
					    STR("ada.lovelace@example.org"), "/new", &info);
	if (passwords[_i].says == NULL) {
		ck_assert_msg(err == ERR_OK, "%s: %s", passwords[_i].password, info.msg);
		return;
	}
	ck_assert_int_eq(err, ERR_INVALID);
	ck_assert_str_eq(info.field, "/new");
	ck_assert_msg(strstr(info.msg, passwords[_i].says) != NULL, "%s", info.msg);
	ck_assert_msg(passwords[_i].password[0] == '\0' ||
			      strstr(info.msg, passwords[_i].password) == NULL,
		      "the message shows the password");
}
END_TEST

START_TEST(bytes_are_bounded)
{
	char long_one[PASSWORD_BYTES_MAX + 2];
	for (size_t i = 0; i < sizeof(long_one); i++)
		long_one[i] = (char)('a' + i % 26);
	ck_assert_int_eq(password_check((struct str) { long_one, PASSWORD_BYTES_MAX }, STR("x"),
					STR_NONE, "/new", NULL),
			 ERR_OK);
	ck_assert_int_eq(password_check((struct str) { long_one, PASSWORD_BYTES_MAX + 1 }, STR("x"),
					STR_NONE, "/new", NULL),
			 ERR_INVALID);
}
END_TEST

static const struct password_cost low = { .memory_kib = 64, .passes = 1 };
static const struct password_cost high = { .memory_kib = 128, .passes = 2 };

static struct password_job *
run(const struct password_cost *cost, const char *phc, const char *given, const char *wanted)
{
	struct password_job *j = password_job_create(cost);
	ck_assert_ptr_nonnull(j);
	(void)str_copy(j->phc, sizeof(j->phc), str_of(phc));
	(void)str_copy(j->given, sizeof(j->given), str_of(given));
	j->given_len = strlen(given);
	(void)str_copy(j->wanted, sizeof(j->wanted), str_of(wanted));
	j->wanted_len = strlen(wanted);
	password_run(j);
	return j;
}

START_TEST(hashes_and_compares)
{
	char phc[PASSWORD_PHC_SIZE];
	char again[PASSWORD_PHC_SIZE];
	struct password_job *j = run(&low, "", "", "a password");
	ck_assert(j->right && !j->failed);
	ck_assert(str_starts(str_of(j->made), "$argon2id$v=19$m=64,t=1,p=1$"));
	memcpy(phc, j->made, sizeof(phc));
	password_job_free(j);

	j = run(&low, phc, "a password", "");
	ck_assert(j->right && !j->failed);
	ck_assert_str_eq(j->made, "");
	password_job_free(j);

	j = run(&low, phc, "a passwore", "the next one");
	ck_assert(!j->right && !j->failed);
	ck_assert_str_eq(j->made, "");
	password_job_free(j);

	/* Dearer settings: the right password is hashed anew, and fits afterwards. */
	j = run(&high, phc, "a password", "");
	ck_assert(j->right && str_starts(str_of(j->made), "$argon2id$v=19$m=128,t=2,p=1$"));
	memcpy(again, j->made, sizeof(again));
	password_job_free(j);
	j = run(&high, again, "a password", "");
	ck_assert(j->right);
	ck_assert_str_eq(j->made, "");
	password_job_free(j);
	/* Cheaper ones do not weaken it. */
	j = run(&low, again, "a password", "");
	ck_assert(j->right);
	ck_assert_str_eq(j->made, "");
	password_job_free(j);
}
END_TEST

START_TEST(nobody_has_no_password)
{
	char phc[PASSWORD_PHC_SIZE];
	password_nobody(&high, phc);
	ck_assert(str_starts(str_of(phc), "$argon2id$v=19$m=128,t=2,p=1$"));
	struct password_job *j = run(&high, phc, "a password", "");
	ck_assert(!j->right && !j->failed);
	password_job_free(j);
}
END_TEST

START_TEST(a_bad_hash_fails_and_is_never_right)
{
	static const char *const bad[] = { "x", "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAA$AAAA",
					   "$argon2id$v=19$m=9999999,t=1,p=1$AAAAAAAAAAA$AAAA",
					   "$argon2id$v=19$m=64,t=1,p=1$" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct password_job *j = run(&low, bad[i], "a password", "");
		ck_assert_msg(!j->right && j->failed, "%s", bad[i]);
		password_job_free(j);
	}
}
END_TEST

/* ---- CSRF ---- */

START_TEST(a_token_belongs_to_one_session)
{
	uint8_t key[SHA256_BYTES] = { 1 };
	uint8_t other_key[SHA256_BYTES] = { 2 };
	char token[CSRF_TOKEN_SIZE];
	char other[CSRF_TOKEN_SIZE];
	csrf_token(key, STR("secret one"), token);
	csrf_token(key, STR("secret two"), other);
	ck_assert_uint_eq(strlen(token), 43);
	ck_assert(csrf_token_fits(key, STR("secret one"), str_of(token)));
	ck_assert(!csrf_token_fits(key, STR("secret one"), str_of(other)));
	ck_assert(!csrf_token_fits(other_key, STR("secret one"), str_of(token)));
	ck_assert(!csrf_token_fits(key, STR("secret one"), STR("")));
	ck_assert(!csrf_token_fits(key, STR("secret one"), (struct str) { token, 42 }));
}
END_TEST

static const struct {
	const char *origin, *site, *host;
	bool secure, fits;
} origins[] = {
	{ NULL, NULL, "a.example", true, true }, /* a program */
	{ NULL, "same-origin", "a.example", true, true },
	{ "https://a.example", "same-origin", "a.example", true, true },
	{ "https://A.example:8443", NULL, "a.example:8443", true, true },
	{ "http://127.0.0.1:7410", NULL, "127.0.0.1:7410", false, true },
	{ "https://a.example", NULL, "a.example", false, true }, /* a proxy speaks TLS */
	{ "http://a.example", NULL, "a.example", true, false },
	{ "https://b.example", NULL, "a.example", true, false },
	{ "https://a.example", "cross-site", "a.example", true, false },
	{ "https://a.example", "same-site", "a.example", true, false },
	{ "https://a.example", "none", "a.example", true, false },
	{ "https://a.example:8443", NULL, "a.example", true, false },
	{ "https://a.example.evil", NULL, "a.example", true, false },
	{ "https://evil/a.example", NULL, "a.example", true, false },
	{ "null", NULL, "a.example", true, false },
	{ "", NULL, "a.example", false, false },
	{ "https://", NULL, "a.example", true, false },
	{ "ftp://a.example", NULL, "a.example", false, false },
};

START_TEST(where_it_comes_from)
{
	const char *wrong = csrf_origin_wrong(str_of(origins[_i].origin), str_of(origins[_i].site),
					      str_of(origins[_i].host), origins[_i].secure);
	ck_assert_msg((wrong == NULL) == origins[_i].fits, "row %d: %s", _i,
		      wrong == NULL ? "fits" : wrong);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("session");
	TCase *tc = tcase_create("all");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, rules, 0, (int)(sizeof(passwords) / sizeof(passwords[0])));
	tcase_add_test(tc, bytes_are_bounded);
	tcase_add_test(tc, hashes_and_compares);
	tcase_add_test(tc, nobody_has_no_password);
	tcase_add_test(tc, a_bad_hash_fails_and_is_never_right);
	tcase_add_test(tc, a_token_belongs_to_one_session);
	tcase_add_loop_test(tc, where_it_comes_from, 0,
			    (int)(sizeof(origins) / sizeof(origins[0])));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
