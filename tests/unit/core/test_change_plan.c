/*
 * test_change_plan.c — how a request's texts are divided into transactions, what each withdraws, and the hash that names them.
 */
#include <string.h>

#include "core/change/internal.h"
#include "tests/support/unit.h"

#define FIELD_DELETE "DELETE FROM change.field WHERE name = 'a'"
#define FIELD_INSERT "INSERT INTO change.field (name) VALUES ('a')"
#define ADD "ALTER TABLE crm.person ADD COLUMN a text"
#define DROP "ALTER TABLE crm.person DROP COLUMN a"
#define UNPUBLISH "SELECT change.unpublish();\n"

static struct arena arena;
static struct err_info info;

static void
set_up(void)
{
	arena_init(&arena, 4 * ARENA_CAP_BYTES);
	err_clear(&info);
}

static void
tear_down(void)
{
	arena_release(&arena);
	arena_trim();
}

static const struct {
	const char *text;
	bool registry;
	const char *withdraw; /* NULL: none */
	const char *main;
} cases[] = {
	{ ADD, false, NULL, ADD "\n;\n" },
	{ ADD ";" FIELD_INSERT, true, NULL, ADD "\n;\n" FIELD_INSERT "\n;\n" },
	{ FIELD_DELETE ";" DROP, true, FIELD_DELETE "\n;\n" UNPUBLISH, DROP "\n;\n" },
	{ FIELD_DELETE, true, FIELD_DELETE "\n;\n" UNPUBLISH, "" },
	{ ADD ";" FIELD_DELETE ";" DROP, true, NULL,
	  ADD "\n;\n" FIELD_DELETE "\n;\n" UNPUBLISH DROP "\n;\n" },
};

START_TEST(divides)
{
	const struct change_texts texts = { .up = str_of(cases[_i].text),
					    .down = STR("-- none"),
					    .verify = STR("SELECT 1") };
	struct change_plan plan;

	ck_assert_int_eq(
		core_change_plan(&arena, &texts, CHANGE_FORWARD, false, "", 2, &plan, &info),
		ERR_OK);
	ck_assert(plan.registry == cases[_i].registry);
	ck_assert_str_eq(plan.main, cases[_i].main);
	ck_assert((plan.withdraw == NULL) == (cases[_i].withdraw == NULL));
	if (plan.withdraw != NULL)
		ck_assert_str_eq(plan.withdraw, cases[_i].withdraw);
	ck_assert_str_eq(plan.verify, "SELECT 1");
	ck_assert_str_eq(plan.role, "bimodal_owner");
}
END_TEST

START_TEST(probes_each_statement)
{
	const struct change_texts texts = { .up = STR(ADD),
					    .down = STR("\n" FIELD_DELETE ";\n" DROP),
					    .verify = STR("") };
	struct change_plan plan;

	ck_assert_int_eq(core_change_plan(&arena, &texts, CHANGE_BACK, true, "", 2, &plan, &info),
			 ERR_OK);
	ck_assert_ptr_nonnull(
		strstr(plan.withdraw, "SELECT pg_temp.probe_begin('down', 1);\n" FIELD_DELETE));
	ck_assert_ptr_nonnull(
		strstr(plan.main, DROP "\n;\nSELECT pg_temp.probe_end('down', 2);\n"));
	ck_assert_uint_eq(plan.n_lines, 2);
	ck_assert(plan.lines[0] == 2 && plan.lines[1] == 3);
	ck_assert_str_eq(plan.verify, "");
}
END_TEST

START_TEST(a_promotion_goes_by_its_roles)
{
	const struct change_texts texts = {
		.promotion = true,
		.slug = STR("advice"),
		.up = STR("CREATE TABLE feature_advice.t (id int)"),
		.down = STR("DROP TABLE feature_advice.t"),
		.verify = STR(""),
		.package = STR("x"),
	};
	struct change_plan plan;

	ck_assert_int_eq(core_change_plan(&arena, &texts, CHANGE_FORWARD, true,
					  "0123456789abcdef0123", 2, &plan, &info),
			 ERR_OK);
	ck_assert(!plan.registry && plan.role == NULL && plan.withdraw == NULL);
	ck_assert_ptr_nonnull(strstr(
		plan.main, "CREATE SCHEMA feature_advice AUTHORIZATION feature_advice_owner"));
	ck_assert_ptr_nonnull(strstr(plan.main, "CREATE TABLE feature_advice.t (id int)"));
	ck_assert_ptr_nonnull(strstr(plan.after, "GRANT USAGE ON SCHEMA feature_advice"));
	ck_assert_int_eq(core_change_plan(&arena, &texts, CHANGE_BACK, false, "", 2, &plan, &info),
			 ERR_OK);
	ck_assert_ptr_nonnull(strstr(plan.main, "DROP ROLE feature_advice"));
	ck_assert_str_eq(plan.after, "");
}
END_TEST

START_TEST(names_the_bytes)
{
	struct change_texts texts = { .up = STR("SELECT 1"),
				      .down = STR("SELECT 2"),
				      .verify = STR("") };
	char sha[SHA256_HEX_SIZE];
	char other[SHA256_HEX_SIZE];
	static const char canonical[] =
		"bimodal-change 1\nup 8\nSELECT 1\ndown 8\nSELECT 2\nverify 0\n\n";

	core_change_sha(&arena, &texts, sha);
	sha256_hex(canonical, sizeof(canonical) - 1, other);
	ck_assert_str_eq(sha, other);
	texts.verify = STR(" ");
	core_change_sha(&arena, &texts, other);
	ck_assert_str_ne(sha, other);
	texts.promotion = true;
	texts.package = STR("abc");
	core_change_sha(&arena, &texts, sha);
	ck_assert_str_eq(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert(str_is(core_change_unhex(&arena, STR("616263")), "abc"));
	ck_assert_ptr_null(core_change_unhex(&arena, STR("61626")).p);
	ck_assert_ptr_null(core_change_unhex(&arena, STR("zz")).p);
}
END_TEST

#define UP_1 "\"pointer\":\"/up\",\"code\":\"not_allowed\",\"line\":1"
#define DOWN_2 "\"pointer\":\"/down\",\"code\":\"not_allowed\",\"line\":2"

START_TEST(tells_every_finding)
{
	const struct change_texts texts = { .up = STR("BEGIN"),
					    .down = STR("\nTRUNCATE crm.person"),
					    .verify = STR("") };
	const struct feature_columns none = { .n = 0 };
	const char *findings = NULL;

	ck_assert_int_eq(core_change_check(&arena, &texts, &none, &findings, &info), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(findings, UP_1));
	ck_assert_ptr_nonnull(strstr(findings, DOWN_2));
	ck_assert_ptr_nonnull(strstr(info.msg, "(/up, line 1)"));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("core/change/plan");
	TCase *c = tcase_create("plan");
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, divides, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(c, probes_each_statement);
	tcase_add_test(c, a_promotion_goes_by_its_roles);
	tcase_add_test(c, names_the_bytes);
	tcase_add_test(c, tells_every_finding);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(make_suite)
