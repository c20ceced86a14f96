/*
 * test_access.c — roles from YAML, tokens, the snapshot, and what an actor may do.
 */
#include "access/access.h"

#include <string.h>

#include "tests/support/unit.h"

static const char yaml[] = "roles:\n  reader:\n    rights: [\"*.read\", flag.toggle]\n    read: "
			   "[open]\n    write: []\n"
			   "  writer:\n    rights: [people.read, people.write]\n    read: [open, "
			   "personal]\n    write: [personal]\n";

static struct access_roles *roles;
static struct access *core;

static void
setup(void)
{
	struct yaml_errors e;
	yaml_errors_init(&e);
	ck_assert_int_eq(access_roles_parse("roles.yaml", str_of(yaml), &roles, &e), ERR_OK);
	yaml_errors_free(&e);
	ck_assert_int_eq(
		access_create(&(struct access_conf) { .daemon = ACCESS_CORE, .roles = roles },
			      &core, NULL),
		ERR_OK);
}

static void
teardown(void)
{
	access_destroy(core);
	access_roles_free(roles);
}

struct row {
	const struct access_token *token;
	const char *roles, *audience, *expires;
	const char *scopes; /* NULL: all */
};

static void
put(PGresult *r, int row, int col, const char *text)
{
	char copy[1200];
	if (text != NULL)
		(void)str_copy(copy, sizeof(copy), str_of(text));
	ck_assert_int_eq(PQsetvalue(r, row, col, text == NULL ? NULL : copy,
				    text == NULL ? -1 : (int)strlen(copy)),
			 1);
}

static enum err
swap(const struct row *rows, int n)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[8];
	char name[] = "c";
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		columns[i] = (PGresAttDesc) { .name = name, .typid = 25, .typlen = -1 };
	ck_assert_int_eq(PQsetResultAttrs(r, (int)ARRAY_LEN(columns), columns), 1);
	for (int i = 0; i < n; i++) {
		char hex[2 * SHA256_BYTES + 1];
		if (rows[i].token != NULL)
			hex_encode(rows[i].token->hash, SHA256_BYTES, hex);
		put(r, i, 0, rows[i].token == NULL ? NULL : hex);
		put(r, i, 1, rows[i].token == NULL ? NULL : "01902D5C-8a4e-7c11-9f00-3d2b1a0c9e8f");
		put(r, i, 2, "Ada");
		put(r, i, 3, rows[i].roles);
		put(r, i, 4, rows[i].audience);
		put(r, i, 5, rows[i].expires);
		put(r, i, 6, "5");
		put(r, i, 7, rows[i].scopes);
	}
	const enum err err = access_swap_rows(core, r, NULL);
	PQclear(r);
	return err;
}

START_TEST(token_form)
{
	struct access_token t;
	enum access_daemon d;
	uint8_t hash[SHA256_BYTES];
	access_token_make(ACCESS_SANDBOX, &t);
	ck_assert(str_starts(str_of(t.text), "bm_sandbox_"));
	ck_assert_uint_eq(strlen(t.text), 11 + 43);
	ck_assert_uint_le(strlen(t.prefix), 16);
	ck_assert_int_eq(access_token_hash(str_of(t.text), &d, hash), ERR_OK);
	ck_assert_int_eq(d, ACCESS_SANDBOX);
	ck_assert_mem_eq(hash, t.hash, sizeof(hash));
	t.text[20] = '!';
	ck_assert_int_eq(access_token_hash(str_of(t.text), &d, hash), ERR_INVALID);
	ck_assert_int_eq(access_token_hash(STR("bm_core_"), &d, hash), ERR_INVALID);
}
END_TEST

START_TEST(checks_tokens)
{
	struct access_token live, dead, foreign;
	struct access_actor actor;
	struct err_info info = { 0 };
	const char *reason = NULL;
	access_token_make(ACCESS_CORE, &live);
	access_token_make(ACCESS_CORE, &dead);
	access_token_make(ACCESS_SANDBOX, &foreign);
	ck_assert_int_eq(access_generation(core), -1);
	ck_assert_int_eq(access_check(core, str_of(live.text), &actor, &reason, &info), ERR_DOWN);
	const struct row rows[] = { { &dead, "reader", "core", "1", NULL },
				    { &live, "writer,unknown", "core", NULL, NULL },
				    { &foreign, "reader", "sandbox", NULL, NULL } };
	ck_assert_int_eq(swap(rows, 3), ERR_OK);
	ck_assert_int_eq(access_generation(core), 5);
	ck_assert_uint_eq(access_token_count(core), 2);
	ck_assert_int_eq(access_check(core, str_of(live.text), &actor, &reason, NULL), ERR_OK);
	ck_assert_str_eq(actor.principal, "01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f");
	ck_assert_uint_eq(actor.read_classes, ACCESS_OPEN | ACCESS_PERSONAL);
	ck_assert_uint_eq(actor.write_classes, ACCESS_PERSONAL);
	const struct {
		const char *text, *reason;
	} bad[] = { { "", "missing" },
		    { "x", "malformed" },
		    { foreign.text, "other-daemon" },
		    { dead.text, "expired" },
		    { "bm_core_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "unknown" } };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_eq(access_check(core, str_of(bad[i].text), &actor, &reason, NULL),
				 ERR_UNAUTHORIZED);
		ck_assert_str_eq(reason, bad[i].reason);
	}
	usec_t expires = 0;
	ck_assert(access_check_again(core, live.hash, &actor, &expires));
	ck_assert(expires == INT64_MAX && actor.read_classes == (ACCESS_OPEN | ACCESS_PERSONAL));
	ck_assert(!access_check_again(core, dead.hash, &actor, &expires));
	ck_assert(!access_check_again(core, foreign.hash, &actor, &expires));
	/* Revoked: gone with the next snapshot; a bad row leaves the old one in place. */
	ck_assert_int_eq(swap(&(struct row) { NULL, NULL, NULL, NULL, NULL }, 1), ERR_OK);
	ck_assert_uint_eq(access_token_count(core), 0);
	ck_assert(!access_check_again(core, live.hash, &actor, &expires));
	ck_assert_int_eq(swap(rows, 3), ERR_OK);
	ck_assert_int_eq(swap(&(struct row) { &live, "reader", "core", "soon", NULL }, 1),
			 ERR_INTERNAL);
	ck_assert_uint_eq(access_token_count(core), 2);
}
END_TEST

START_TEST(rights)
{
	struct access_token t;
	struct access_actor actor;
	const char *reason = NULL;
	access_token_make(ACCESS_CORE, &t);
	ck_assert_int_eq(swap(&(struct row) { &t, "reader", "core", NULL, NULL }, 1), ERR_OK);
	ck_assert_int_eq(access_check(core, str_of(t.text), &actor, &reason, NULL), ERR_OK);
	ck_assert(access_may(core, &actor, STR("people.read")));
	ck_assert(access_may(core, &actor, STR("anything.read")));
	ck_assert(access_may(core, &actor, STR("flag.toggle")));
	ck_assert(!access_may(core, &actor, STR("people.write")));
	ck_assert(!access_may(core, &actor, STR("read")));
	ck_assert(!access_may(core, &actor, STR("")));
	struct buf b;
	buf_init(&b, 4096);
	access_actor_json(core, &actor, &b);
	ck_assert_str_eq(buf_cstr(&b), "{\"principal\":\"01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f\","
				       "\"name\":\"Ada\",\"roles\":[\"reader\"],"
				       "\"rights\":[\"*.read\",\"flag.toggle\"],\"classes\":{"
				       "\"read\":[\"open\"],\"write\":[]},\"scopes\":null}");
	buf_reset(&b);
	/* One use since; it survives a swap, and is handed out once. */
	ck_assert_int_eq(swap(&(struct row) { &t, "reader", "core", NULL, NULL }, 1), ERR_OK);
	ck_assert_uint_eq(access_used_take(core, &b), 1);
	ck_assert(str_starts(buf_str(&b), "{\"\\\\x"));
	buf_reset(&b);
	ck_assert_uint_eq(access_used_take(core, &b), 0);
	buf_free(&b);
}
END_TEST

/* ---- scopes ---- */

static const struct {
	const char *scopes, *right;
	bool may;
} narrowed[] = {
	{ NULL, "people.write", true },
	{ "people.write", "people.write", true },
	{ "people.*", "people.write", true },
	{ "*.write", "people.write", true },
	{ "*.*", "people.write", true },
	{ "people.read", "people.write", false },
	{ "cases.*,people.read", "people.read", true },
	{ "cases.*", "cases.read", false }, /* a scope gives nothing by itself */
	{ "*.*", "cases.write", false },
	{ "", "people.read", false },
	{ "people", "people.read", false },
	{ "people.read.x", "people.read", false },
	{ "people.rea", "people.read", false },
	{ "People.read", "people.read", false },
	{ "people.read ", "people.read", false },
	{ "*", "people.read", false },
	{ "*.*", "*.read", false },
};

START_TEST(scopes_narrow)
{
	struct access_token t;
	struct access_actor actor;
	const char *reason = NULL;
	access_token_make(ACCESS_CORE, &t);
	const struct row row = { &t, "writer", "core", NULL, narrowed[_i].scopes };
	ck_assert_int_eq(swap(&row, 1), ERR_OK);
	ck_assert_int_eq(access_check(core, str_of(t.text), &actor, &reason, NULL), ERR_OK);
	ck_assert_msg(access_may(core, &actor, str_of(narrowed[_i].right)) == narrowed[_i].may,
		      "%s under %s", narrowed[_i].right, narrowed[_i].scopes);
}
END_TEST

START_TEST(scopes_that_do_not_fit)
{
	struct access_token t;
	char text[ACCESS_SCOPES_SIZE + 1];
	access_token_make(ACCESS_CORE, &t);
	memset(text, 'a', sizeof(text));
	text[ACCESS_SCOPES_SIZE] = '\0';
	const struct row row = { &t, "writer", "core", NULL, text };
	ck_assert_int_eq(swap(&row, 1), ERR_INTERNAL);
	text[ACCESS_SCOPES_SIZE - 1] = '\0';
	ck_assert_int_eq(swap(&row, 1), ERR_OK);
	static const char *const good[] = { "a.b", "*.b", "a.*", "*.*", "a_1.b_2" };
	static const char *const bad[] = {
		"",     "a",    ".",    "a.",   ".b",  "a.b.c", "a b.c",
		"a.b,", "a*.b", "**.b", "1a.b", "a.B", "a.b\n", "{a.b}"
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(access_scope_valid(str_of(good[i])), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!access_scope_valid(str_of(bad[i])), "%s", bad[i]);
}
END_TEST

static const struct {
	const char *giver, *giver_scopes, *roles, *scopes, *missing; /* NULL: covered */
} gifts[] = {
	{ "reader", NULL, "reader", NULL, NULL },
	{ "reader", NULL, "", NULL, NULL },
	{ "reader", NULL, "unknown", NULL, NULL },
	{ "reader", NULL, "reader,writer", NULL, "people.write" },
	{ "reader", NULL, "writer", "people.read", "fields of class personal" },
	{ "writer", NULL, "writer", "people.*", NULL },
	{ "writer", NULL, "reader", NULL, "*.read" },
	{ "writer", NULL, "reader", "people.*", NULL },
	{ "writer", NULL, "reader", "flag.*", "flag.read" },
	{ "writer", NULL, "reader", "cases.write", NULL }, /* gives nothing */
	{ "reader", "people.*", "reader", NULL, "*.read" },
	{ "reader", "people.*", "reader", "people.read", NULL },
	{ "reader", "people.*", "reader", "*.read", "*.read" },
	{ "reader", "*.read", "reader", NULL, "flag.toggle" },
	{ "reader", "*.read", "reader", "people.*", NULL },
	{ "reader", "*.*", "reader", NULL, NULL },
};

START_TEST(nobody_gives_what_he_has_not)
{
	struct access_token t;
	struct access_actor actor;
	const char *reason = NULL;
	char missing[64] = "";
	access_token_make(ACCESS_CORE, &t);
	const struct row row = { &t, gifts[_i].giver, "core", NULL, gifts[_i].giver_scopes };
	ck_assert_int_eq(swap(&row, 1), ERR_OK);
	ck_assert_int_eq(access_check(core, str_of(t.text), &actor, &reason, NULL), ERR_OK);
	const bool covered = access_covers(core, &actor, str_of(gifts[_i].roles), gifts[_i].scopes,
					   missing, sizeof(missing));
	ck_assert_msg(covered == (gifts[_i].missing == NULL), "row %d: %s", _i, missing);
	if (!covered)
		ck_assert_str_eq(missing, gifts[_i].missing);
}
END_TEST

static const struct {
	const char *text, *says;
} bad_roles[] = {
	{ "", "at least one role" },
	{ "roles: {}\n", "at least one role" },
	{ "role:\n  a: { rights: [a.b] }\n", "only the key roles" },
	{ "roles:\n  a: { rights: [ab] }\n", "r.yaml:2:" },
	{ "roles:\n  a: { rights: [a.*] }\n", "written as" },
	{ "roles:\n  a: { rights: [a.b, a.b] }\n", "twice" },
	{ "roles:\n  a: { right: [a.b] }\n", "only the keys" },
	{ "roles:\n  a: { rights: a.b }\n", "must be a list" },
	{ "roles:\n  a: { read: [secret] }\n", "open, internal or personal" },
	{ "roles:\n  a: { write: [open] }\n", "may not read" },
	{ "roles:\n  A-b: { read: [open] }\n", "plain name" },
};

START_TEST(refuses_roles)
{
	struct yaml_errors e;
	struct access_roles *r = NULL;
	yaml_errors_init(&e);
	ck_assert_int_eq(access_roles_parse("r.yaml", str_of(bad_roles[_i].text), &r, &e),
			 ERR_CONFIG);
	ck_assert_msg(strstr(buf_cstr(&e.text), bad_roles[_i].says) != NULL, "%s",
		      buf_cstr(&e.text));
	ck_assert_ptr_null(r);
	yaml_errors_free(&e);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("access");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, token_form);
	tcase_add_test(tc, checks_tokens);
	tcase_add_test(tc, rights);
	tcase_add_loop_test(tc, scopes_narrow, 0, (int)ARRAY_LEN(narrowed));
	tcase_add_test(tc, scopes_that_do_not_fit);
	tcase_add_loop_test(tc, nobody_gives_what_he_has_not, 0, (int)ARRAY_LEN(gifts));
	tcase_add_loop_test(tc, refuses_roles, 0, (int)ARRAY_LEN(bad_roles));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
