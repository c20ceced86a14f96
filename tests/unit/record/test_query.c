/*
 * test_query.c — the grammar of query strings: what is read, what is refused, and where.
 */
#include "record/query.h"
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

static const struct {
	const char *name, *value;
	enum record_op op;
	const char *text; /* NULL for the is… operators */
} good[] = {
	{ "stage", "won", RECORD_EQ, "won" },
	{ "stage", "eq.won", RECORD_EQ, "won" },
	{ "stage", "neq.lost", RECORD_NEQ, "lost" },
	{ "amount", "gte.10.5", RECORD_GTE, "10.5" },
	{ "amount", "lt.-3", RECORD_LT, "-3" },
	{ "name", "gt.a.b", RECORD_GT, "a.b" },
	{ "name", "eq.eq.x", RECORD_EQ, "eq.x" },
	{ "name", "other.x", RECORD_EQ, "other.x" },
	{ "name", "eq.", RECORD_EQ, "" },
	{ "closed_at", "lte.2024-02-29", RECORD_LTE, "2024-02-29" },
	{ "seen_at", "gt.2024-02-29T10:00:00Z", RECORD_GT, "2024-02-29T10:00:00Z" },
	{ "stage", "in.(won,lost)", RECORD_IN, "{\"won\",\"lost\"}" },
	{ "name", "in.(\"a,b\",c)", RECORD_IN, "{\"a,b\",\"c\"}" },
	{ "name", "in.(\"a\\\"b\")", RECORD_IN, "{\"a\\\"b\"}" },
	{ "name", "in.()", RECORD_IN, "{\"\"}" },
	{ "active", "is.true", RECORD_IS_TRUE, NULL },
	{ "active", "is.false", RECORD_IS_FALSE, NULL },
	{ "amount", "is.null", RECORD_IS_NULL, NULL },
	{ "amount", "is.not_null", RECORD_IS_NOT_NULL, NULL },
};

START_TEST(reads_filters)
{
	const struct record_pair pair = { str_of(good[_i].name), str_of(good[_i].value) };
	struct record_query q;
	struct err_info info = { 0 };
	ck_assert_msg(record_query_parse(record_catalog_find(catalog, STR("deals")), 7,
					 RECORD_QUERY_LIST, &pair, 1, &arena, &q, &info) == ERR_OK,
		      "%s: %s", good[_i].value, info.msg);
	ck_assert_uint_eq(q.n_filters, 1);
	ck_assert_int_eq(q.filters[0].op, good[_i].op);
	if (good[_i].text == NULL)
		ck_assert_ptr_null(q.filters[0].value.p);
	else
		ck_assert_msg(str_is(q.filters[0].value, good[_i].text), "%.*s",
			      STR_FMT(q.filters[0].value));
}
END_TEST

static const struct {
	const char *name, *value;
	enum err err;
	const char *says;
} bad[] = {
	{ "limit", "0", ERR_BAD_REQUEST, "from 1 to 200" },
	{ "limit", "201", ERR_BAD_REQUEST, "from 1 to 200" },
	{ "limit", "x", ERR_BAD_REQUEST, "from 1 to 200" },
	{ "sort", "", ERR_BAD_REQUEST, "no field" },
	{ "sort", "stage", ERR_BAD_REQUEST, "cannot be sorted" },
	{ "sort", "name,-name", ERR_BAD_REQUEST, "named twice" },
	{ "sort", "name,amount,seats,closed_at,id", ERR_BAD_REQUEST, "more than 4" },
	{ "sort", "pseudonym", ERR_BAD_REQUEST, "no field" },
	{ "fields", "name,", ERR_BAD_REQUEST, "no field" },
	{ "fields", "pseudonym", ERR_BAD_REQUEST, "no field" },
	{ "ammount", "1", ERR_BAD_REQUEST, "did you mean \"amount\"" },
	{ "pseudonym", "is.null", ERR_BAD_REQUEST, "no field" },
	{ "amount", "gte.x", ERR_BAD_REQUEST, "decimal" },
	{ "amount", "10000.00", ERR_BAD_REQUEST, "before the decimal point" },
	{ "seats", "40000", ERR_BAD_REQUEST, "between" },
	{ "closed_at", "2023-02-29", ERR_BAD_REQUEST, "calendar" },
	{ "stage", "open", ERR_BAD_REQUEST, "won, lost" },
	{ "name", "is.true", ERR_BAD_REQUEST, "boolean" },
	{ "name", "in.a", ERR_BAD_REQUEST, "list" },
	{ "name", "in.(\"a)", ERR_BAD_REQUEST, "list" },
	{ "name", "in.(\"a\"b)", ERR_BAD_REQUEST, "list" },
	{ "name", "in.((a))", ERR_BAD_REQUEST, "list" },
	{ "name", "elevenchars", ERR_BAD_REQUEST, "at most 10" },
	{ "name", "\xff", ERR_BAD_REQUEST, "UTF-8" },
};

START_TEST(refuses)
{
	const struct record_pair pair = { str_of(bad[_i].name), str_of(bad[_i].value) };
	struct record_query q;
	struct err_info info = { 0 };
	ck_assert_int_eq(record_query_parse(record_catalog_find(catalog, STR("deals")), 7,
					    RECORD_QUERY_LIST, &pair, 1, &arena, &q, &info),
			 bad[_i].err);
	ck_assert_msg(strstr(info.msg, bad[_i].says) != NULL, "%s=%s: %s", bad[_i].name,
		      bad[_i].value, info.msg);
	ck_assert_str_eq(info.field, bad[_i].name);
}
END_TEST

START_TEST(class_mask)
{
	static const char *const names[] = { "email", "sort", "fields" };
	static const char *const values[] = { "x", "name", "amount,email" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct record_pair pair = { str_of(names[i]), str_of(values[i]) };
		struct record_query q;
		struct err_info info = { 0 };
		ck_assert_int_eq(record_query_parse(record_catalog_find(catalog, STR("deals")),
						    RECORD_OPEN, RECORD_QUERY_LIST, &pair, 1,
						    &arena, &q, &info),
				 ERR_FORBIDDEN);
	}
}
END_TEST

START_TEST(sort_ends_with_the_key)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	const struct record_pair pairs[] = { { STR("sort"), STR("name,-amount") },
					     { STR("limit"), STR("3") },
					     { STR("fields"), STR("amount") } };
	struct record_query q;
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_LIST, pairs, 3, &arena, &q, NULL),
			 ERR_OK);
	ck_assert_uint_eq(q.n_sort, 3);
	ck_assert(q.sort[2].field == r->key && q.sort[2].desc);
	ck_assert_uint_eq(q.limit, 3);
	ck_assert(q.selected[r->key->index] &&
		  !q.selected[record_field_find(r, STR("name"))->index]);
	const struct record_pair twice[] = { { STR("limit"), STR("3") },
					     { STR("limit"), STR("3") } };
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_LIST, twice, 2, &arena, &q, NULL),
			 ERR_BAD_REQUEST);
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_GET, twice, 1, &arena, &q, NULL),
			 ERR_BAD_REQUEST);
}
END_TEST

START_TEST(a_time_is_for_one_record)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	const struct record_pair at[] = { { STR("as_of"), STR("2026-05-01T00:00:00Z") },
					  { STR("as_of"), STR("2026-05-01T00:00:00Z") } };
	const struct record_pair no_day = { STR("as_of"), STR("2026-05-32T00:00:00Z") };
	struct record_query q;
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_GET, at, 1, &arena, &q, NULL),
			 ERR_OK);
	ck_assert(str_eq(q.as_of, at[0].value));
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_GET, at, 2, &arena, &q, NULL),
			 ERR_BAD_REQUEST);
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_GET, &no_day, 1, &arena, &q, NULL),
			 ERR_BAD_REQUEST);
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_LIST, at, 1, &arena, &q, NULL),
			 ERR_BAD_REQUEST);
}
END_TEST

START_TEST(limits_hold)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	struct record_pair many[RECORD_FILTERS_MAX + 1];
	struct record_query q;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct record_pair) { STR("name"), STR("x") };
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_LIST, many, RECORD_FILTERS_MAX,
					    &arena, &q, NULL),
			 ERR_OK);
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_LIST, many, ARRAY_LEN(many), &arena,
					    &q, NULL),
			 ERR_BAD_REQUEST);
	char list[2 * RECORD_IN_MAX + 16] = "in.(";
	for (size_t i = 0; i <= RECORD_IN_MAX; i++)
		(void)memcpy(list + 4 + 2 * i, i < RECORD_IN_MAX ? "a," : "a)", 3);
	const struct record_pair pair = { STR("name"), str_of(list) };
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_LIST, &pair, 1, &arena, &q, NULL),
			 ERR_BAD_REQUEST);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("record_query");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, reads_filters, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tc, refuses, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(tc, class_mask);
	tcase_add_test(tc, sort_ends_with_the_key);
	tcase_add_test(tc, a_time_is_for_one_record);
	tcase_add_test(tc, limits_hold);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
