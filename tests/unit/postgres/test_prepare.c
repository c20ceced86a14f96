/*
 * test_prepare.c — which statements a connection is taken to hold: plans, eviction, forgetting,
 * failures. No server.
 */
#include "postgres/internal.h"

#include <string.h>

#include "tests/support/unit.h"

static struct statement_table table;
static struct prepared_table held;
static const Oid t_int[] = { 23 };

static void
setup(void)
{
	postgres_statement_table_init(&table, 8);
	postgres_prepared_table_init(&held, 2);
}

static void
teardown(void)
{
	postgres_prepared_table_clear(&held);
	postgres_statement_table_free(&table);
}

/* As a submit does it: one use, and the plan for sending it. */
static struct postgres_prepare_plan
use(const struct postgres_stmt *key, bool is_static)
{
	struct statement *s = NULL;
	struct postgres_prepare_plan plan;
	ck_assert_int_eq(postgres_statement_get(&table, key, is_static, &s), ERR_OK);
	s->uses++;
	postgres_prepare_plan(&held, s, table.generation, &plan);
	postgres_statement_unref(s);
	return plan;
}

static const struct postgres_stmt fixed = { "fixed", "select $1", POSTGRES_READ, 1,
					    t_int,   true,        false };
static const struct postgres_stmt a = { "a", "select 1", POSTGRES_READ, 0, NULL, false, false };
static const struct postgres_stmt b = { "b", "select 2", POSTGRES_READ, 0, NULL, false, false };
static const struct postgres_stmt c = { "c", "select 3", POSTGRES_READ, 0, NULL, false, false };

START_TEST(static_ones_are_named_at_once)
{
	struct postgres_prepare_plan plan = use(&fixed, true);
	ck_assert(plan.parse && !plan.unnamed);
	ck_assert_str_eq(plan.deallocate, "");
	plan = use(&fixed, true);
	ck_assert(!plan.parse && !plan.unnamed);
	ck_assert_uint_eq(held.n, 1);
	ck_assert_uint_eq(held.n_dynamic, 0);
}
END_TEST

START_TEST(run_time_ones_on_second_use)
{
	ck_assert(use(&a, false).unnamed);
	ck_assert(use(&a, false).parse);
	ck_assert(!use(&a, false).parse);
}
END_TEST

START_TEST(the_least_recently_used_goes)
{
	(void)use(&fixed, true);
	for (int i = 0; i < 2; i++) {
		(void)use(&a, false);
		(void)use(&b, false);
		(void)use(&c, false);
	}
	/* Room for two: c pushed a out. Then b is used, and a pushes c out. */
	ck_assert_uint_eq(held.n_dynamic, 2);
	ck_assert(!use(&b, false).parse);
	struct postgres_prepare_plan plan = use(&a, false);
	ck_assert(plan.parse);
	ck_assert_str_eq(plan.deallocate, "c");
	ck_assert(!use(&fixed, true).parse);
	ck_assert_uint_eq(held.n, 3);
}
END_TEST

START_TEST(forget_replaces_by_name)
{
	struct postgres_stmt own = a;
	(void)use(&fixed, true);
	(void)use(&own, false);
	(void)use(&own, false);
	postgres_statement_table_forget(&table);
	struct postgres_prepare_plan plan = use(&fixed, true);
	ck_assert(plan.parse);
	ck_assert_str_eq(plan.deallocate, "fixed");
	own.text = "select 'other'";
	plan = use(&own, false);
	ck_assert(plan.parse);
	ck_assert_str_eq(plan.deallocate, "a");
}
END_TEST

START_TEST(another_text_at_the_same_place)
{
	struct postgres_stmt own = a;
	(void)use(&own, false);
	(void)use(&own, false);
	own.text = "select 'other'"; /* without forget: it is still told apart */
	struct postgres_prepare_plan plan = use(&own, false);
	ck_assert(plan.parse);
	ck_assert_str_eq(plan.deallocate, "a");
}
END_TEST

START_TEST(failures)
{
	struct statement *s = NULL;
	struct postgres_prepare_plan first = use(&fixed, true);
	ck_assert_int_eq(postgres_statement_get(&table, &fixed, true, &s), ERR_OK);
	postgres_prepared_stale(&held, s, first.parse_id);
	struct postgres_prepare_plan second = use(&fixed, true);
	ck_assert(second.parse);
	ck_assert_str_eq(second.deallocate, "fixed");
	/* A late answer about the first one says nothing about the second. */
	postgres_prepared_stale(&held, s, first.parse_id);
	postgres_prepared_gone(&held, s, first.parse_id);
	ck_assert(!use(&fixed, true).parse);
	postgres_prepared_gone(&held, s, second.parse_id);
	second = use(&fixed, true);
	ck_assert(second.parse);
	ck_assert_str_eq(second.deallocate, "");
	postgres_statement_unref(s);
}
END_TEST

START_TEST(limits)
{
	char name[80];
	struct statement *s = NULL;
	struct postgres_stmt bad = a;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	bad.name = name;
	ck_assert_int_eq(postgres_statement_get(&table, &bad, false, &s), ERR_INTERNAL);
	name[POSTGRES_NAME_MAX] = '\0';
	ck_assert_int_eq(postgres_statement_get(&table, &bad, false, &s), ERR_OK);
	postgres_statement_unref(s);
	bad.name = "";
	ck_assert_int_eq(postgres_statement_get(&table, &bad, false, &s), ERR_INTERNAL);
	struct postgres_stmt many[20];
	for (int i = 0; i < 20; i++) {
		many[i] = a;
		ck_assert_int_eq(postgres_statement_get(&table, &many[i], false, &s), ERR_OK);
		postgres_statement_unref(s);
		ck_assert_uint_le(table.n_dynamic, 8);
	}
}
END_TEST

static const struct {
	const char *name, *want;
} names[] = {
	{ "plain", "deallocate \"plain\"" },
	{ "two words", "deallocate \"two words\"" },
	{ "a\"b", "deallocate \"a\"\"b\"" },
	{ "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
	  "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
	  NULL },
};

START_TEST(names_are_quoted)
{
	char sql[PREPARE_DEALLOCATE_SIZE];
	postgres_prepare_deallocate_sql(names[_i].name, sql, sizeof(sql));
	if (names[_i].want != NULL)
		ck_assert_str_eq(sql, names[_i].want);
	else
		ck_assert_uint_eq(strlen(sql), strlen("deallocate \"\"") + 2 * POSTGRES_NAME_MAX);
}
END_TEST

static Suite *
prepare_suite(void)
{
	Suite *s = suite_create("postgres_prepare");
	TCase *tc = tcase_create("tables");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, static_ones_are_named_at_once);
	tcase_add_test(tc, run_time_ones_on_second_use);
	tcase_add_test(tc, the_least_recently_used_goes);
	tcase_add_test(tc, forget_replaces_by_name);
	tcase_add_test(tc, another_text_at_the_same_place);
	tcase_add_test(tc, failures);
	tcase_add_test(tc, limits);
	tcase_add_loop_test(tc, names_are_quoted, 0, (int)ARRAY_LEN(names));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(prepare_suite)
