/*
 * test_schema.c — a resource as JSON Schema: its fields by class, what a body may hold, what a list can be asked.
 */
#include <stdio.h>
#include <string.h>

#include "base/json_scan.h"
#include "record/schema.h"
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

static struct record_schema
schema(const char *resource, uint32_t read, uint32_t write)
{
	struct record_schema s;
	const struct record_resource *r = record_catalog_find(catalog, str_of(resource));
	ck_assert_int_eq(record_schema_of(r, read, write, &arena, &s), ERR_OK);
	return s;
}

static bool
has(struct str text, const char *what)
{
	return memmem(text.p, text.len, what, strlen(what)) != NULL;
}

static void
valid(struct str text)
{
	enum json_kind kind;
	struct err_info info = { 0 };
	ck_assert_msg(json_scan_any(text, &kind, &info) == ERR_OK, "%s in %.*s", info.msg,
		      STR_FMT(text));
}

static const struct {
	const char *part;
	const char *why;
} records[] = {
	{ "\"required\":[\"id\"]", "fields= leaves out all but the key" },
	{ "\"id\":{\"type\":\"string\",\"format\":\"uuid\",\"readOnly\":true}", "the key" },
	{ "\"name\":{\"type\":\"string\",\"maxLength\":10,\"x-class\":\"internal\"}",
	  "not null, with a limit" },
	{ "\"amount\":{\"type\":[\"number\",\"null\"],\"x-class\":\"open\"}", "a decimal" },
	{ "\"stage\":{\"type\":[\"string\",\"null\"],\"enum\":[\"won\",\"lost\",null]",
	  "choices, and null" },
	{ "\"seats\":{\"type\":[\"integer\",\"null\"],\"minimum\":-32768,\"maximum\":32767",
	  "a smallint" },
	{ "\"closed_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date\"", "a date" },
	{ "\"seen_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"", "a time" },
	{ "\"buyer_id\":{\"type\":[\"string\",\"null\"],\"format\":\"uuid\",\"x-class\":\"open\","
	  "\"x-reference\":\"deals\"}",
	  "a reference" },
};

START_TEST(tells_what_a_record_holds)
{
	const struct record_schema s = schema("deals", 7, 7);
	valid(s.record);
	ck_assert_msg(has(s.record, records[_i].part), "%s: %.*s", records[_i].why,
		      STR_FMT(s.record));
}
END_TEST

START_TEST(names_only_what_the_classes_show)
{
	const struct record_schema all = schema("deals", 7, 7);
	const struct record_schema open = schema("deals", RECORD_OPEN, 0);
	const struct str texts[] = { open.record, open.part,    open.create,
				     open.patch,  open.filters, open.fields };
	ck_assert(has(all.record, "\"email\"") && has(all.filters, "\"email\""));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		ck_assert_msg(!has(texts[i], "email"), "%.*s", STR_FMT(texts[i]));
		ck_assert_msg(!has(texts[i], "\"name\":{"), "%.*s", STR_FMT(texts[i]));
		ck_assert_msg(!has(texts[i], "pseudonym"), "a secret: %.*s", STR_FMT(texts[i]));
	}
	ck_assert(!has(all.record, "pseudonym") && !has(all.create, "pseudonym"));
	ck_assert(has(open.create, "\"properties\":{}"));
}
END_TEST

START_TEST(tells_what_a_body_may_hold)
{
	const struct record_schema s = schema("deals", 7, 7);
	valid(s.create);
	valid(s.patch);
	ck_assert(has(s.create, "\"required\":[\"name\"]") && has(s.patch, "\"required\":[]"));
	ck_assert_msg(
		has(s.create, "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":10"),
		"%.*s", STR_FMT(s.create));
	ck_assert(has(s.create, "\"amount\":{\"type\":[\"number\",\"string\",\"null\"]"));
	ck_assert(!has(s.create, "\"id\"") && !has(s.patch, "\"version\""));
	ck_assert(has(s.create, "\"additionalProperties\":false"));
}
END_TEST

START_TEST(leaves_the_parent_to_the_path)
{
	const struct record_schema s = schema("notes", 7, 7);
	ck_assert(schema("deals", 7, 7).child.p == NULL);
	valid(s.child);
	ck_assert(has(s.create, "\"required\":[\"deal_id\"]"));
	ck_assert(has(s.child, "\"required\":[]") && has(s.child, "\"deal_id\""));
}
END_TEST

START_TEST(lists_filters_and_orders)
{
	const struct record_schema s = schema("deals", 7, 0);
	char whole[16384];
	(void)snprintf(whole, sizeof(whole), "[%.*s]", STR_FMT(s.filters));
	valid(str_of(whole));
	ck_assert(has(s.filters, "{\"name\":\"stage\",\"in\":\"query\""));
	ck_assert_msg(has(s.filters,
			  "\"enum\":[\"id\",\"-id\",\"name\",\"-name\",\"amount\","
			  "\"-amount\",\"seats\",\"-seats\",\"closed_at\",\"-closed_at\"]"),
		      "%.*s", STR_FMT(s.filters));
	ck_assert(!has(s.filters, "{\"name\":\"version\""));
	ck_assert(has(s.fields, "\"version\"") && !has(s.fields, "\"-"));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("schema");
	TCase *c = tcase_create("schema");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, tells_what_a_record_holds, 0, ARRAY_LEN(records));
	tcase_add_test(c, names_only_what_the_classes_show);
	tcase_add_test(c, tells_what_a_body_may_hold);
	tcase_add_test(c, leaves_the_parent_to_the_path);
	tcase_add_test(c, lists_filters_and_orders);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(make_suite)
