/*
 * test_input.c — bodies: each fault by its pointer and code, all of a body at once.
 */
#include "record/input.h"

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
	const char *body;
	enum record_input_for what;
	unsigned faults;
	const char *first; /* "pointer":…,"code":… */
} bodies[] = {
	{ "{\"name\":\"a\"}", RECORD_INPUT_CREATE, 0, NULL },
	{ "{}", RECORD_INPUT_CREATE, 1, "\"pointer\":\"/name\",\"code\":\"required\"" },
	{ "{}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"name\":null}", RECORD_INPUT_CREATE, 1, "/name\",\"code\":\"required" },
	{ "{\"name\":null}", RECORD_INPUT_PATCH, 1, "/name\",\"code\":\"required" },
	{ "{\"name\":\"\"}", RECORD_INPUT_PATCH, 1, "/name\",\"code\":\"required" },
	{ "{\"amount\":null}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"name\":\"\\u00e4234567890\"}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"name\":\"12345678901\"}", RECORD_INPUT_PATCH, 1, "too_long" },
	{ "{\"name\":5}", RECORD_INPUT_PATCH, 1, "wrong_type" },
	{ "{\"amount\":9999.99}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"amount\":\"9999.99\"}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"amount\":1e3}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"amount\":1e4}", RECORD_INPUT_PATCH, 1, "out_of_range" },
	{ "{\"amount\":0.001}", RECORD_INPUT_PATCH, 1, "out_of_range" },
	{ "{\"amount\":1.500}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"amount\":0e999999999}", RECORD_INPUT_PATCH, 1, "out_of_range" },
	{ "{\"amount\":1e999999999}", RECORD_INPUT_PATCH, 1, "out_of_range" },
	{ "{\"amount\":\"1,5\"}", RECORD_INPUT_PATCH, 1, "bad_format" },
	{ "{\"seats\":32767}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"seats\":32768}", RECORD_INPUT_PATCH, 1, "out_of_range" },
	{ "{\"seats\":1.0}", RECORD_INPUT_PATCH, 1, "bad_format" },
	{ "{\"seats\":\"1\"}", RECORD_INPUT_PATCH, 1, "wrong_type" },
	{ "{\"active\":true}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"active\":\"true\"}", RECORD_INPUT_PATCH, 1, "wrong_type" },
	{ "{\"stage\":\"w\\u006fn\"}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"stage\":\"open\"}", RECORD_INPUT_PATCH, 1, "not_a_choice" },
	{ "{\"closed_at\":\"2100-02-29\"}", RECORD_INPUT_PATCH, 1, "out_of_range" },
	{ "{\"closed_at\":\"2000-02-29\"}", RECORD_INPUT_PATCH, 0, NULL },
	{ "{\"closed_at\":\"1.2.2000\"}", RECORD_INPUT_PATCH, 1, "bad_format" },
	{ "{\"seen_at\":\"soon\"}", RECORD_INPUT_PATCH, 1, "bad_format" },
	{ "{\"buyer_id\":\"x\"}", RECORD_INPUT_PATCH, 1, "bad_format" },
	{ "{\"id\":\"x\"}", RECORD_INPUT_PATCH, 1, "read_only" },
	{ "{\"pseudonym\":\"x\"}", RECORD_INPUT_PATCH, 1, "unknown_field" },
	{ "{\"a/b~\":1}", RECORD_INPUT_PATCH, 1, "/a~1b~0" },
	{ "{\"ammount\":1,\"seats\":\"x\",\"id\":1}", RECORD_INPUT_CREATE, 4,
	  "did you mean \\\"amount\\\"" },
};

START_TEST(checks)
{
	const struct record_input in = { .resource = record_catalog_find(catalog, STR("deals")),
					 .read_classes = 7,
					 .write_classes = 7,
					 .what = bodies[_i].what,
					 .prefix = "" };
	struct record_faults faults;
	struct err_info info = { 0 };
	record_faults_init(&faults);
	ck_assert_msg(record_input_check(&in, str_of(bodies[_i].body), &arena, &faults, &info) ==
			      ERR_OK,
		      "%s", info.msg);
	const char *json = faults.count == 0 ? "" : buf_cstr(&faults.json);
	ck_assert_msg(faults.count == bodies[_i].faults, "%s: %s", bodies[_i].body, json);
	if (bodies[_i].first != NULL)
		ck_assert_msg(strstr(json, bodies[_i].first) != NULL, "%s: %s", bodies[_i].body,
			      json);
	record_faults_free(&faults);
}
END_TEST

START_TEST(mask_and_path)
{
	struct record_faults faults;
	struct record_input in = { .resource = record_catalog_find(catalog, STR("deals")),
				   .read_classes = 1,
				   .write_classes = RECORD_OPEN,
				   .what = RECORD_INPUT_PATCH,
				   .prefix = "/ops/3/data" };
	record_faults_init(&faults);
	ck_assert_int_eq(record_input_check(&in, STR("{\"email\":\"a\"}"), &arena, &faults, NULL),
			 ERR_OK);
	ck_assert_ptr_nonnull(
		strstr(buf_cstr(&faults.json), "\"/ops/3/data/email\",\"code\":\"forbidden\""));
	record_faults_free(&faults);
	record_faults_init(&faults);
	in = (struct record_input) { .resource = record_catalog_find(catalog, STR("notes")),
				     .write_classes = 7,
				     .prefix = "" };
	in.given = in.resource->parent_field;
	in.given_value = STR("01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f");
	ck_assert_int_eq(record_input_check(&in, STR("{}"), &arena, &faults, NULL), ERR_OK);
	ck_assert_int_eq(record_input_check(
				 &in, STR("{\"deal_id\":\"01902D5C-8a4e-7c11-9f00-3d2b1a0c9e8f\"}"),
				 &arena, &faults, NULL),
			 ERR_OK);
	ck_assert_uint_eq(faults.count, 0);
	ck_assert_int_eq(record_input_check(
				 &in, STR("{\"deal_id\":\"01902d5c-8a4e-7c11-9f00-3d2b1a0c9e80\"}"),
				 &arena, &faults, NULL),
			 ERR_OK);
	ck_assert_uint_eq(faults.count, 1);
	record_faults_free(&faults);
}
END_TEST

START_TEST(not_an_object)
{
	const struct record_input in = { .resource = record_catalog_find(catalog, STR("deals")),
					 .write_classes = 7,
					 .prefix = "" };
	static const char *const texts[] = { "",
					     "[]",
					     "{",
					     "{\"name\":\"a\",\"name\":\"b\"}",
					     "{\"name\":\"\xff\"}",
					     "{\"name\":\"\\u0000\"}" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct record_faults faults;
		record_faults_init(&faults);
		ck_assert_int_ne(record_input_check(&in, str_of(texts[i]), &arena, &faults, NULL),
				 ERR_OK);
		record_faults_free(&faults);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("record_input");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, checks, 0, (int)ARRAY_LEN(bodies));
	tcase_add_test(tc, mask_and_path);
	tcase_add_test(tc, not_an_object);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
