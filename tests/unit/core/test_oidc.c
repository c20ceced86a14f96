/*
 * test_oidc.c — the pure parts of sign-in by OpenID Connect: a flow and its cookie, where nobody is sent, groups and roles, the provider's
 * document, and what a token must say. The scenarios are in tests/api/test_oidc.py.
 */
#include <stdio.h>
#include <string.h>

#include "core/session/oidc.h"

#include "../../support/unit.h"

static const uint8_t key[SHA256_BYTES] = { 1, 2, 3 };
static const usec_t now = 1800000000 * USEC_PER_SEC;
static const usec_t life = 600 * USEC_PER_SEC;

/* ---- flows ---- */

START_TEST(a_flow_is_what_its_cookie_says)
{
	struct oidc_flow a, b, other;
	oidc_flow_make(key, STR("/people?q=1"), now, &a);
	ck_assert(oidc_flow_open(key, str_of(a.cookie), now + life, life, &b));
	ck_assert_str_eq(a.state, b.state);
	ck_assert_str_eq(a.nonce, b.nonce);
	ck_assert_str_eq(a.verifier, b.verifier);
	ck_assert_str_eq(a.challenge, b.challenge);
	ck_assert_str_eq(a.hash, b.hash);
	ck_assert_str_eq(b.return_to, "/people?q=1");
	ck_assert(b.begun == now);
	/* None of its values gives another away. */
	ck_assert_str_ne(a.state, a.nonce);
	ck_assert_str_ne(a.state, a.verifier);
	ck_assert_str_ne(a.nonce, a.verifier);
	oidc_flow_make(key, STR("/people?q=1"), now, &other);
	ck_assert_str_ne(a.state, other.state);
	ck_assert_str_ne(a.hash, other.hash);
}
END_TEST

START_TEST(a_cookie_of_others_is_none)
{
	static const uint8_t theirs[SHA256_BYTES] = { 9 };
	struct oidc_flow a, b;
	oidc_flow_make(key, STR("/"), now, &a);
	ck_assert(!oidc_flow_open(theirs, str_of(a.cookie), now, life, &b));
	ck_assert(!oidc_flow_open(key, str_of(a.cookie), now + life + 1, life, &b));
	ck_assert(!oidc_flow_open(key, str_of(a.cookie), now - 1, life, &b)); /* of the future */
	ck_assert(!oidc_flow_open(key, STR_NONE, now, life, &b));
	ck_assert(!oidc_flow_open(key, STR(""), now, life, &b));
	for (size_t len = 0; len < strlen(a.cookie); len++)
		ck_assert(!oidc_flow_open(key, (struct str) { a.cookie, len }, now, life, &b));
	for (char *c = a.cookie; *c != '\0'; c++) {
		const char was = *c;
		*c = was == 'A' ? 'B' : 'A';
		ck_assert(!oidc_flow_open(key, str_of(a.cookie), now, life, &b));
		*c = was;
	}
	ck_assert(oidc_flow_open(key, str_of(a.cookie), now, life, &b));
}
END_TEST

START_TEST(the_longest_return_fits)
{
	char path[OIDC_RETURN_BYTES_MAX + 1];
	struct oidc_flow a, b;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	ck_assert(!oidc_return_valid((struct str) { path, sizeof(path) }));
	ck_assert(oidc_return_valid((struct str) { path, sizeof(path) - 1 }));
	oidc_flow_make(key, (struct str) { path, sizeof(path) - 1 }, now, &a);
	ck_assert(oidc_flow_open(key, str_of(a.cookie), now, life, &b));
	ck_assert_uint_eq(strlen(b.return_to), sizeof(path) - 1);
}
END_TEST

static const struct {
	const char *path;
	bool valid;
} returns[] = {
	{ "/", true },          { "/a//b?c=d#e", true }, { "/%2f/evil", true },
	{ "", false },          { "evil", false },       { "//evil", false },
	{ "/\\evil", false },   { "\\\\evil", false },   { "https://e", false },
	{ "/a\r\nb", false },   { "/\t/evil", false },   { "/a b", false },
	{ "/\xc3\xa9", false }, { "/a\\b", false },      { "/a\x7f", false },
};

START_TEST(nobody_is_sent_elsewhere)
{
	ck_assert_msg(oidc_return_valid(str_of(returns[_i].path)) == returns[_i].valid, "%s",
		      returns[_i].path);
}
END_TEST

START_TEST(encoded)
{
	struct buf b;
	buf_init(&b, 100);
	oidc_encode(&b, STR("a Z-0._~/?&=+\xc3%"));
	ck_assert(str_is(buf_str(&b), "a%20Z-0._~%2F%3F%26%3D%2B%C3%25"));
	buf_free(&b);
}
END_TEST

/* ---- groups ---- */

static const struct {
	const char *text;
	int n;                    /* -1: refused */
	const char *group, *role; /* of the last */
} maps[] = {
	{ "", 0, NULL, NULL },    { " ; ;", 0, NULL, NULL },
	{ "a=b", 1, "a", "b" },   { "a = b; cn=c, ou=d = e ;", 2, "cn=c, ou=d", "e" },
	{ "a", -1, NULL, NULL },  { "a=", -1, NULL, NULL },
	{ "=b", -1, NULL, NULL }, { "a=b;c", -1, NULL, NULL },
};

START_TEST(groups)
{
	static struct oidc_groups g;
	struct err_info info = { .code = ERR_OK };
	const enum err err = oidc_groups_parse(maps[_i].text, &g, &info);
	ck_assert_int_eq(err, maps[_i].n < 0 ? ERR_CONFIG : ERR_OK);
	if (maps[_i].n < 0) {
		ck_assert_str_eq(info.field, "oidc.roles");
		return;
	}
	ck_assert_int_eq((int)g.n, maps[_i].n);
	if (g.n > 0) {
		ck_assert(str_is(g.pair[g.n - 1].group, maps[_i].group));
		ck_assert(str_is(g.pair[g.n - 1].role, maps[_i].role));
	}
}
END_TEST

START_TEST(too_many_groups)
{
	static struct oidc_groups g;
	struct buf b;
	buf_init(&b, 4096);
	for (int i = 0; i <= OIDC_GROUPS_MAX; i++)
		buf_printf(&b, "g%d=r;", i);
	ck_assert_int_eq(oidc_groups_parse(buf_cstr(&b), &g, NULL), ERR_CONFIG);
	buf_free(&b);
}
END_TEST

/* ---- the provider's document ---- */

#define URLS                                                                                       \
	",\"authorization_endpoint\":\"https://i.example/a\","                                     \
	"\"token_endpoint\":\"https://i.example/t\",\"jwks_uri\":\"https://i.example/k\""
#define DOC(more) "{\"issuer\":\"https://i.example\"" URLS more "}"
#define NO_URLS(a, t, k)                                                                           \
	"{\"issuer\":\"https://i.example\",\"authorization_endpoint\":\"" a                        \
	"\",\"token_endpoint\":\"" t "\",\"jwks_uri\":\"" k "\"}"

static const struct {
	const char *text;
	const char *says; /* NULL: good */
	bool secret;
	enum oidc_client_auth auth;
	bool names_issuer;
} documents[] = {
	{ DOC(""), NULL, true, OIDC_AUTH_BASIC, false },
	{ DOC(""), NULL, false, OIDC_AUTH_NONE, false },
	{ DOC(",\"authorization_response_iss_parameter_supported\":true"), NULL, true,
	  OIDC_AUTH_BASIC, true },
	{ DOC(",\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"]"), NULL, true,
	  OIDC_AUTH_POST, false },
	{ DOC(",\"token_endpoint_auth_methods_supported\":[\"client_secret_post\","
	      "\"client_secret_basic\"]"),
	  NULL, true, OIDC_AUTH_BASIC, false },
	{ DOC(",\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\"]"), "client secret",
	  true, OIDC_AUTH_NONE, false },
	{ DOC(",\"code_challenge_methods_supported\":[\"S256\",\"plain\"]"), NULL, true,
	  OIDC_AUTH_BASIC, false },
	{ DOC(",\"code_challenge_methods_supported\":[\"plain\"]"), "PKCE", true, OIDC_AUTH_NONE,
	  false },
	{ "{\"issuer\":\"https://i.example/\"" URLS "}", "another issuer", true, OIDC_AUTH_NONE,
	  false },
	{ "{\"issuer\":\"https://evil.example\"" URLS "}", "another issuer", true, OIDC_AUTH_NONE,
	  false },
	{ "{\"issuer\":[\"https://i.example\"]" URLS "}", "another issuer", true, OIDC_AUTH_NONE,
	  false },
	{ "[]", "another issuer", true, OIDC_AUTH_NONE, false },
	{ "", "no JSON", true, OIDC_AUTH_NONE, false },
	{ NO_URLS("http://i.example/a", "https://i.example/t", "https://i.example/k"), "https",
	  true, OIDC_AUTH_NONE, false },
	{ NO_URLS("https://i.example/a", "http://i.example/t", "https://i.example/k"), "https",
	  true, OIDC_AUTH_NONE, false },
	{ NO_URLS("https://i.example/a", "https://i.example/t", "file:///etc/passwd"), "https",
	  true, OIDC_AUTH_NONE, false },
	{ NO_URLS("javascript:alert(1)", "https://i.example/t", "https://i.example/k"), "https",
	  true, OIDC_AUTH_NONE, false },
	{ NO_URLS("https://i.example/a\\r\\nX: y", "https://i.example/t", "https://i.example/k"),
	  "https", true, OIDC_AUTH_NONE, false },
	{ "{\"issuer\":\"https://i.example\"}", "https", true, OIDC_AUTH_NONE, false },
};

START_TEST(the_providers_document)
{
	struct oidc_provider p;
	struct err_info info = { .code = ERR_OK };
	const enum err err = oidc_provider_read(str_of(documents[_i].text), "https://i.example",
						documents[_i].secret, &p, &info);
	if (documents[_i].says != NULL) {
		ck_assert_int_eq(err, ERR_UPSTREAM);
		ck_assert_msg(strstr(info.msg, documents[_i].says) != NULL, "%s", info.msg);
	} else {
		ck_assert_msg(err == ERR_OK, "%s", info.msg);
		ck_assert_int_eq(p.auth, documents[_i].auth);
		ck_assert(p.names_issuer == documents[_i].names_issuer);
		ck_assert_str_eq(p.authorization, "https://i.example/a");
		ck_assert_str_eq(p.token, "https://i.example/t");
		ck_assert_str_eq(p.jwks, "https://i.example/k");
	}
	oidc_provider_release(&p);
}
END_TEST

/* ---- claims ---- */

#define CLAIMS(more)                                                                               \
	"{\"iss\":\"https://i.example\",\"aud\":\"c\",\"nonce\":\"n\",\"sub\":\"s\","              \
	"\"iat\":1800000000,\"exp\":1800000060" more "}"

static const struct {
	const char *text, *login_claim, *says; /* NULL: good */
	const char *login, *roles;
} tokens[] = {
	{ CLAIMS(",\"upn\":\"ada\""), "upn", NULL, "ada", "{}" },
	{ CLAIMS(",\"upn\":\"ada\",\"groups\":[\"g1\",\"g2\",7,\"g1\"]"), "upn", NULL, "ada",
	  "{agent,operator}" },
	{ CLAIMS(",\"upn\":\"ada\",\"groups\":\"g2\""), "upn", NULL, "ada", "{operator}" },
	{ CLAIMS(",\"upn\":\"ada\",\"groups\":[\"g3\",\"g1\"]"), "upn", NULL, "ada", "{agent}" },
	{ CLAIMS(",\"upn\":\"ada\",\"groups\":{\"g1\":true}"), "upn", NULL, "ada", "{}" },
	{ CLAIMS(",\"email\":\"a@b.c\",\"email_verified\":true"), "email", NULL, "a@b.c", "{}" },
	{ CLAIMS(",\"email\":\"a@b.c\",\"email_verified\":\"true\""), "email", "proven", NULL,
	  NULL },
	{ CLAIMS(",\"email\":\"a@b.c\""), "email", "proven", NULL, NULL },
	{ CLAIMS(",\"upn\":\"\""), "upn", "login", NULL, NULL },
	{ CLAIMS(",\"upn\":\"a\\u0007\""), "upn", "login", NULL, NULL },
	{ CLAIMS(",\"upn\":[\"ada\"]"), "upn", "login", NULL, NULL },
	{ CLAIMS(",\"azp\":7,\"upn\":\"ada\""), "upn", "somebody else", NULL, NULL },
};

START_TEST(claims)
{
	static struct oidc_groups g;
	struct oidc_claims c;
	struct arena a;
	struct err_info info = { .code = ERR_OK };
	ck_assert(oidc_groups_parse("g1=agent;g2=operator;g3=agent", &g, NULL) == ERR_OK);
	const struct oidc_expected e = { .issuer = "https://i.example",
					 .client_id = "c",
					 .nonce = "n",
					 .login_claim = tokens[_i].login_claim,
					 .group_claim = "groups",
					 .groups = &g,
					 .begun = now,
					 .now = now,
					 .skew = 0 };
	arena_init(&a, ARENA_CAP_BYTES);
	const enum err err = oidc_claims_read(str_of(tokens[_i].text), &e, &a, &c, &info);
	if (tokens[_i].says != NULL) {
		ck_assert_int_eq(err, ERR_UNAUTHORIZED);
		ck_assert_msg(strstr(info.msg, tokens[_i].says) != NULL, "%s", info.msg);
	} else {
		ck_assert_msg(err == ERR_OK, "%s", info.msg);
		ck_assert_str_eq(c.subject, "s");
		ck_assert_str_eq(c.login, tokens[_i].login);
		ck_assert_str_eq(c.roles, tokens[_i].roles);
	}
	arena_release(&a);
}
END_TEST

/* iat 1800000000, exp 1800000060. */
static const struct {
	int begun, now, skew; /* seconds from then */
	bool good;
} times[] = {
	{ 0, 0, 0, true },    { 0, 59, 0, true },    { 0, 60, 0, false },  { 0, 60, 1, true },
	{ 0, 119, 60, true }, { 0, 120, 60, false }, { -5, -1, 0, false }, { -5, -1, 1, true },
	{ 1, 1, 0, false },   { 1, 1, 1, true },
};

START_TEST(times_of_a_token)
{
	static const struct oidc_groups none = { .n = 0 };
	struct oidc_claims c;
	struct arena a;
	const struct oidc_expected e = { .issuer = "https://i.example",
					 .client_id = "c",
					 .nonce = "n",
					 .login_claim = "sub",
					 .group_claim = "",
					 .groups = &none,
					 .begun = now + times[_i].begun * USEC_PER_SEC,
					 .now = now + times[_i].now * USEC_PER_SEC,
					 .skew = times[_i].skew * USEC_PER_SEC };
	arena_init(&a, ARENA_CAP_BYTES);
	ck_assert_int_eq(oidc_claims_read(STR(CLAIMS("")), &e, &a, &c, NULL),
			 times[_i].good ? ERR_OK : ERR_UNAUTHORIZED);
	arena_release(&a);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("oidc");
	TCase *c = tcase_create("oidc");
	tcase_add_test(c, a_flow_is_what_its_cookie_says);
	tcase_add_test(c, a_cookie_of_others_is_none);
	tcase_add_test(c, the_longest_return_fits);
	tcase_add_loop_test(c, nobody_is_sent_elsewhere, 0, ARRAY_LEN(returns));
	tcase_add_test(c, encoded);
	tcase_add_loop_test(c, groups, 0, ARRAY_LEN(maps));
	tcase_add_test(c, too_many_groups);
	tcase_add_loop_test(c, the_providers_document, 0, ARRAY_LEN(documents));
	tcase_add_loop_test(c, claims, 0, ARRAY_LEN(tokens));
	tcase_add_loop_test(c, times_of_a_token, 0, ARRAY_LEN(times));
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(make_suite)
