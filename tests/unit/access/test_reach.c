/*
 * test_reach.c — record scopes of roles, and the members of teams.
 */
#include "access/access.h"

#include <string.h>

#include "tests/support/unit.h"

static const char yaml[] =
	"roles:\n"
	"  own:\n    rights: [people.read, people.write, notes.read, notes.write, cases.read]\n"
	"    scopes: { people: { read: own } }\n"
	"  team:\n    rights: [\"*.read\", people.write]\n"
	"    scopes: { people: { read: team, write: own }, notes: { read: all }, \"*\": { read: "
	"team } }\n"
	"  all:\n    rights: [cases.read, cases.write]\n"
	"  none:\n    rights: [me.read]\n"
	"  far:\n    rights: [people.read]\n    read: [open]\n"
	"  deep:\n    rights: [people.read, cases.read]\n    read: [open, personal]\n"
	"    scopes: { people: { read: own } }\n";

#define ANNA "01902d5c-8a4e-7c11-9f00-000000000001"
#define BOB "01902d5c-8a4e-7c11-9f00-000000000002"
#define CARL "01902d5c-8a4e-7c11-9f00-000000000003"

static struct access_roles *roles;
static struct access *core;

static void
setup(void)
{
	struct yaml_errors e;
	yaml_errors_init(&e);
	ck_assert_msg(access_roles_parse("roles.yaml", str_of(yaml), &roles, &e) == ERR_OK, "%s",
		      buf_cstr(&e.text));
	yaml_errors_free(&e);
	ck_assert_int_eq(access_create(&(struct access_conf) { .roles = roles }, &core, NULL),
			 ERR_OK);
}

static void
teardown(void)
{
	access_destroy(core);
	access_roles_free(roles);
}

static const struct {
	const char *roles, *resource;
	bool follows; /* people */
	const char *read, *write;
} rows[] = {
	{ "own", "people", false, "own", "own" },
	{ "team", "people", false, "team", "own" },
	{ "own,team", "people", false, "team", "own" },
	/* What has no owner goes with the person; a row of its own decides before that. */
	{ "own", "notes", true, "own", "own" },
	{ "own", "cases", false, "all", "own" },
	{ "team", "notes", true, "all", "own" },
	{ "team", "visits", true, "team", "own" },
	{ "team", "cases", false, "team", "own" },
	/* Only a role that grants the right widens. */
	{ "own,all", "people", false, "own", "own" },
	{ "own,all", "cases", false, "all", "all" },
	{ "none", "people", false, "own", "own" },
	/* The records of the one role and the classes of the other are what no role grants. */
	{ "far", "people", false, "all", "own" },
	{ "deep", "people", false, "own", "own" },
	{ "far,deep", "people", false, "own", "own" },
	{ "far,deep", "cases", false, "all", "own" },
	{ "", "people", false, "own", "own" },
};

START_TEST(widest_of_what_grants)
{
	static const struct str people[] = { { "people", 6 } };
	const struct access_resource r = { .name = str_of(rows[_i].resource),
					   .follows = people,
					   .n_follows = rows[_i].follows ? 1 : 0 };
	struct access_actor actor;
	access_actor_of_roles(core, STR(ANNA), STR("anna"), str_of(rows[_i].roles), &actor);
	ck_assert(access_scoped(core));
	ck_assert_str_eq(access_scope_name(access_scope_of(core, &actor, &r, false)),
			 rows[_i].read);
	ck_assert_str_eq(access_scope_name(access_scope_of(core, &actor, &r, true)),
			 rows[_i].write);
}
END_TEST

static enum err
members_swap(const char *const (*cells)[4], int n, int columns)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc attributes[5];
	char name[] = "c";
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		attributes[i] = (PGresAttDesc) { .name = name, .typid = 25, .typlen = -1 };
	ck_assert_int_eq(PQsetResultAttrs(r, columns, attributes), 1);
	for (int i = 0; i < n; i++) {
		for (int k = 0; k < 4; k++) {
			char copy[128] = "";
			const char *text = cells[i][k];
			if (text != NULL)
				(void)str_copy(copy, sizeof(copy), str_of(text));
			ck_assert_int_eq(PQsetvalue(r, i, k, text == NULL ? NULL : copy,
						    text == NULL ? -1 : (int)strlen(copy)),
					 1);
		}
	}
	const enum err err = access_swap_members(core, r, NULL);
	PQclear(r);
	return err;
}

static void
names_are(const char *principal, const char *self, const char *wanted)
{
	struct access_actor actor;
	struct arena arena;
	const struct str *names = NULL;
	size_t n = 0;
	struct buf text;
	arena_init(&arena, ARENA_CAP_BYTES);
	buf_init(&text, 1024);
	access_actor_of_roles(core, str_of(principal), str_of(self), STR("team"), &actor);
	ck_assert(access_team_names(core, &actor, &arena, &names, &n));
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s%.*s", i > 0 ? " " : "", STR_FMT(names[i]));
	ck_assert_str_eq(buf_cstr(&text), wanted);
	static const char *const all[] = { "anna", "bob", "carl \"the\" \\", "eve", "" };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		bool listed = false;
		for (size_t k = 0; k < n; k++)
			listed = listed || str_is(names[k], all[i]);
		ck_assert(access_in_team(core, &actor, str_of(all[i])) == listed);
	}
	buf_free(&text);
	arena_release(&arena);
}

START_TEST(members_of_teams)
{
	static const char *const some[][4] = {
		{ "t-1", ANNA, "anna", "5" },
		{ "t-1", BOB, "bob", "5" },
		{ "t-2", BOB, "bob", "5" },
		{ "t-2", CARL, "carl \"the\" \\", "5" },
	};
	static const char *const none[][4] = { { NULL, NULL, NULL, "6" } };
	static const char *const wrong[][4] = { { "t-1", "x", "anna", "7" } };
	ck_assert_int_eq(access_members_generation(core), -1);
	names_are(ANNA, "anna", "anna");
	ck_assert_int_eq(members_swap(some, 4, 4), ERR_OK);
	ck_assert_int_eq(access_members_generation(core), 5);
	names_are(ANNA, "anna", "anna anna bob");
	names_are(BOB, "bob", "bob anna bob bob carl \"the\" \\");
	names_are("01902d5c-8a4e-7c11-9f00-000000000009", "eve", "eve");
	/* What cannot be read leaves the old ones in place. */
	ck_assert_int_eq(members_swap(wrong, 1, 4), ERR_INTERNAL);
	ck_assert_int_eq(members_swap(some, 4, 5), ERR_INTERNAL);
	ck_assert_int_eq(members_swap(some, 0, 4), ERR_INTERNAL);
	names_are(ANNA, "anna", "anna anna bob");
	ck_assert_int_eq(members_swap(none, 1, 4), ERR_OK);
	ck_assert_int_eq(access_members_generation(core), 6);
	names_are(ANNA, "anna", "anna");
}
END_TEST

static const struct {
	const char *text, *says;
} bad[] = {
	{ "scopes: [people]", "must map resources" },
	{ "scopes: { people: own }", "is written as" },
	{ "scopes: { people: { read: mine } }", "own, team or all" },
	{ "scopes: { people: { delete: own } }", "only the keys read and write" },
	{ "scopes: { people: { read: own, write: all } }", "may not read" },
	{ "scopes: { People: { read: own } }", "is written as" },
};

START_TEST(refuses_scopes)
{
	struct yaml_errors e;
	struct access_roles *r = NULL;
	struct buf text;
	yaml_errors_init(&e);
	buf_init(&text, 1024);
	buf_printf(&text, "roles:\n  a:\n    rights: [people.read]\n    %s\n", bad[_i].text);
	ck_assert_int_eq(access_roles_parse("r.yaml", buf_str(&text), &r, &e), ERR_CONFIG);
	ck_assert_msg(strstr(buf_cstr(&e.text), bad[_i].says) != NULL, "%s", buf_cstr(&e.text));
	buf_free(&text);
	yaml_errors_free(&e);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("reach");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, widest_of_what_grants, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, members_of_teams);
	tcase_add_loop_test(tc, refuses_scopes, 0, (int)ARRAY_LEN(bad));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
