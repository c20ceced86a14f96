/*
 * test_catalog.c — what of the registry is served, and what refuses to be.
 */
#include "tests/support/unit.h"
#include "tests/unit/record/fixture.h"

START_TEST(core_catalog)
{
	struct record_catalog *c = fixture_catalog(false);
	const struct record_resource *r = record_catalog_find(c, STR("deals"));
	ck_assert_ptr_nonnull(r);
	ck_assert_int_eq(record_catalog_generation(c), 7);
	ck_assert_uint_eq(record_catalog_count(c), 2);
	ck_assert_ptr_null(record_field_find(r, STR("unlisted")));
	const struct record_field *amount = record_field_find(r, STR("amount"));
	ck_assert_int_eq(amount->precision, 6);
	ck_assert_int_eq(amount->scale, 2);
	ck_assert_uint_eq(record_field_find(r, STR("stage"))->n_choices, 2);
	ck_assert(r->key == record_field_find(r, STR("id")));
	ck_assert(record_field_readable(r->key, 0));
	ck_assert(!record_field_readable(record_field_find(r, STR("pseudonym")), 15));
	ck_assert(!record_field_readable(record_field_find(r, STR("email")),
					 RECORD_OPEN | RECORD_INTERNAL));
	ck_assert(!record_field_writable(r->key, 7));
	const struct record_resource *notes = record_catalog_find(c, STR("notes"));
	ck_assert(notes->parent_field == record_field_find(notes, STR("deal_id")));
	ck_assert(str_is(record_field_nearest(r, STR("ammount"), 7), "amount"));
	ck_assert_ptr_null(record_field_nearest(r, STR("pseudonim"), 7).p);
	ck_assert_ptr_null(record_field_nearest(r, STR("emial"), RECORD_OPEN).p);
	ck_assert(str_is(record_resource_nearest(c, STR("deal")), "deals"));
	record_catalog_unref(record_catalog_ref(c));
	record_catalog_unref(c);
}
END_TEST

START_TEST(copy_leaves_out_what_is_not_there)
{
	static const struct fixture_row rows[] = {
		{ "people", "person", NULL, NULL, "id", "t", "internal", "uuid", "fs", NULL, NULL,
		  NULL, NULL, NULL },
		{ "people", "person", NULL, NULL, "pseudonym", "t", "secret", "uuid", "", NULL,
		  NULL, NULL, "uuid", NULL },
		{ "people", "person", NULL, NULL, "country", "t", "open", "text", "wf", NULL, NULL,
		  NULL, "text", NULL },
		{ "people", "person", NULL, NULL, "email", "t", "personal", "text", "wf", NULL,
		  NULL, NULL, NULL, NULL },
		{ "consents", "consent", "people", "person_id", "id", "t", "open", "uuid", "fs",
		  NULL, NULL, NULL, "uuid", NULL },
		{ "consents", "consent", "people", "person_id", "person_id", "t", "internal",
		  "uuid", "", NULL, NULL, NULL, NULL, NULL },
		{ "consents", "consent", "people", "person_id", "person_pseudonym", "t", "secret",
		  "uuid", "", NULL, NULL, NULL, "uuid", NULL },
		{ "later", "later", NULL, NULL, "id", "t", "open", "uuid", "", NULL, NULL, NULL,
		  NULL, NULL },
	};
	PGresult *r = fixture_result(rows, ARRAY_LEN(rows));
	struct record_catalog *c = NULL;
	struct err_info info = { 0 };
	ck_assert_int_eq(
		record_catalog_build(r, &(struct record_catalog_conf) { .copy = true }, &c, &info),
		ERR_OK);
	ck_assert_uint_eq(record_catalog_count(c), 2);
	const struct record_resource *people = record_catalog_find(c, STR("people"));
	ck_assert(str_is(people->key->name, "pseudonym"));
	ck_assert(record_field_readable(people->key, 0));
	ck_assert_ptr_null(record_field_find(people, STR("email")));
	ck_assert(!people->has_version);
	for (size_t i = 0; i < people->n_fields; i++)
		ck_assert(!people->fields[i].writable);
	ck_assert(str_is(record_catalog_find(c, STR("consents"))->parent_field->name,
			 "person_pseudonym"));
	record_catalog_unref(c);
	/* The same registry in core is drift. */
	ck_assert_int_eq(
		record_catalog_build(r, &(struct record_catalog_conf) { .copy = false }, &c, &info),
		ERR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(info.msg, "people.id"));
	PQclear(r);
}
END_TEST

static const struct {
	struct fixture_row row;
	const char *why;
} refused[] = {
	{ { "a", "a", NULL, NULL, "id", "t", "open", "uuid", "", NULL, NULL, NULL, "text", NULL },
	  "kind uuid" },
	{ { "a", "a", NULL, NULL, "x", "t", "odd", "text", "", NULL, NULL, NULL, "text", NULL },
	  "unknown class" },
	{ { "a", "a", NULL, NULL, "x y", "t", "open", "text", "", NULL, NULL, NULL, "text", NULL },
	  "plain name" },
	{ { "a", "a;", NULL, NULL, "x", "t", "open", "text", "", NULL, NULL, NULL, "text", NULL },
	  "plain name" },
	{ { "a", "a", NULL, NULL, "x", "t", "open", "text", "", NULL, NULL, NULL, "text", NULL },
	  "no column id" },
	{ { "a", "a", NULL, NULL, "x", "t", "open", "text", "", NULL, NULL, NULL, NULL, NULL },
	  "no such column" },
};

START_TEST(refuses)
{
	PGresult *r = fixture_result(&refused[_i].row, 1);
	struct record_catalog *c = NULL;
	struct err_info info = { 0 };
	ck_assert_int_eq(
		record_catalog_build(r, &(struct record_catalog_conf) { .copy = false }, &c, &info),
		ERR_INTERNAL);
	ck_assert_msg(strstr(info.msg, refused[_i].why) != NULL, "%s", info.msg);
	PQclear(r);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("record_catalog");
	TCase *tc = tcase_create("all");
	tcase_add_test(tc, core_catalog);
	tcase_add_test(tc, copy_leaves_out_what_is_not_there);
	tcase_add_loop_test(tc, refuses, 0, (int)ARRAY_LEN(refused));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
