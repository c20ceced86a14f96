/*
 * test_unit.c — filters as one condition over a row: names from the catalog, values in one array, nobody where they do not fit.
 */
#include "record/record.h"
#include "record/sql.h"
#include "tests/support/unit.h"
#include "tests/unit/record/fixture.h"

static struct record_catalog *catalog;
static struct arena arena;

static void
setup(void)
{
	catalog = fixture_catalog(false);
	arena_init(&arena, ARENA_CAP_BYTES);
}

static void
teardown(void)
{
	arena_release(&arena);
	record_catalog_unref(catalog);
}

/* The conditions of both queries, one behind the other, and the text of their values. */
static const char *
inside(const char *query, const char *second, uint32_t classes, struct str *values)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	struct record_list list;
	struct buf text;
	struct record_out o = { .text = &text };

	buf_init(&text, RECORD_SQL_BYTES_MAX);
	record_list_begin(&list);
	record_sql_inside(r, classes, str_of(query), &arena, 3, &list, &o);
	if (second != NULL)
		record_sql_inside(r, classes, str_of(second), &arena, 3, &list, &o);
	*values = record_list_end(&list, &arena);
	const char *copy = arena_strdup(&arena, buf_str(&text));
	buf_free(&text);
	return copy;
}

START_TEST(conditions)
{
	struct str values;
	ck_assert_str_eq(
		inside("stage=won&amount=gte.5&active=is.true", "seats=in.(1,2)", 7, &values),
		"coalesce((true and t.stage = ($3)[1]::text and t.amount >= "
		"($3)[2]::numeric and t.active is true), false)"
		"coalesce((true and t.seats = any (($3)[3]::bigint[])), false)");
	ck_assert_str_eq(values.p, "{\"won\",\"5\",\"{\\\"1\\\",\\\"2\\\"}\"}");
	/* Order and selection are of no matter. */
	ck_assert_str_eq(inside("sort=-id&fields=id&limit=3", NULL, 7, &values),
			 "coalesce((true), false)");
	ck_assert_str_eq(values.p, "{}");
	ck_assert_str_eq(inside("name=a%22b%5Cc", NULL, 7, &values),
			 "coalesce((true and t.name = ($3)[1]::text), false)");
	ck_assert_str_eq(values.p, "{\"a\\\"b\\\\c\"}");
}
END_TEST

START_TEST(nobody)
{
	static const char *const queries[] = { "colour=red", "seats=many", "pseudonym=is.null",
					       "email=a", NULL };
	struct str values;
	for (size_t i = 0; queries[i] != NULL; i++)
		ck_assert_str_eq(inside(queries[i], NULL, RECORD_OPEN, &values), "false");
	ck_assert_str_eq(inside(NULL, NULL, 7, &values), "false");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("record unit");
	TCase *c = tcase_create("unit");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, conditions);
	tcase_add_test(c, nobody);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
