/*
 * test_schema.c — which schemas may stand, which values fit them, and with what place and reason they are refused; and that hostile ones
 * end.
 */
#include "flag/schema.h"

#include <string.h>

#include "base/clock.h"
#include "flag/flag.h"
#include "tests/support/unit.h"

static struct arena arena;
static struct err_info info;

static void
set_up(void)
{
	arena_init(&arena, ARENA_CAP_BYTES);
	err_clear(&info);
}

static void
tear_down(void)
{
	arena_release(&arena);
	arena_trim();
}

static const struct flag_value *
read(const char *text)
{
	const struct flag_value *v = NULL;

	ck_assert_msg(flag_value_read(&arena, str_of(text), "", 100000, &v, &info) == ERR_OK,
		      "%s: %s", text, info.msg);
	return v;
}

/* clang-format off: tables */
static const struct {
	const char *schema, *at, *why;
} BAD[] = {
	{ "1", "/schema", "must be a schema" },
	{ "[]", "/schema", "must be a schema" },
	{ "{\"typ\":\"object\"}", "/schema/typ", "not a keyword" },
	{ "{\"$ref\":\"#\"}", "/schema/$ref", "not a keyword" },
	{ "{\"type\":\"float\"}", "/schema/type", "must be null, boolean" },
	{ "{\"type\":[]}", "/schema/type", "must name a type" },
	{ "{\"type\":[\"object\",1]}", "/schema/type/1", "must be null, boolean" },
	{ "{\"enum\":[]}", "/schema/enum", "array of values" },
	{ "{\"enum\":{}}", "/schema/enum", "array of values" },
	{ "{\"required\":\"a\"}", "/schema/required", "array of names" },
	{ "{\"required\":[1]}", "/schema/required/0", "must be a name" },
	{ "{\"properties\":[]}", "/schema/properties", "object of schemas" },
	{ "{\"properties\":{\"a/b\":1}}", "/schema/properties/a~1b", "must be a schema" },
	{ "{\"properties\":{\"a\":{\"items\":{\"min\":1}}}}", "/schema/properties/a/items/min",
	  "not a keyword" },
	{ "{\"additionalProperties\":0}", "/schema/additionalProperties", "must be a schema" },
	{ "{\"minItems\":-1}", "/schema/minItems", "whole number" },
	{ "{\"maxLength\":1.5}", "/schema/maxLength", "whole number" },
	{ "{\"minimum\":\"1\"}", "/schema/minimum", "must be a number" },
	{ "{\"pattern\":1}", "/schema/pattern", "regular expression" },
	{ "{\"pattern\":\"(?=a)\"}", "/schema/pattern", "" },
	{ "{\"pattern\":\"(\"}", "/schema/pattern", "" },
	{ "{\"anyOf\":[]}", "/schema/anyOf", "must hold a schema" },
	{ "{\"anyOf\":{}}", "/schema/anyOf", "array of schemas" },
	{ "{\"allOf\":[{},{\"oneOf\":[{}]}]}", "/schema/allOf/1/oneOf", "not a keyword" },
};

/* at NULL: it fits */
static const struct {
	const char *schema, *value, *at, *why;
} FIT[] = {
	{ "true", "{}", NULL, NULL },
	{ "false", "{}", "", "nothing is allowed" },
	{ "{}", "{\"a\":[1,null]}", NULL, NULL },
	{ "{\"title\":1,\"$schema\":\"x\",\"default\":{},\"examples\":[],\"description\":\"d\",\"$"
	  "comment\":\"c\"}",
	  "{}", NULL, NULL },
	{ "{\"type\":\"object\"}", "{}", NULL, NULL },
	{ "{\"type\":\"array\"}", "{}", "", "of type array" },
	{ "{\"type\":\"integer\"}", "3.0", NULL, NULL },
	{ "{\"type\":\"integer\"}", "3.5", "", "of type integer" },
	{ "{\"type\":[\"null\",\"string\"]}", "null", NULL, NULL },
	{ "{\"type\":[\"null\",\"string\"]}", "true", "", "no type" },
	{ "{\"type\":\"boolean\"}", "false", NULL, NULL },
	{ "{\"type\":\"number\"}", "-1", NULL, NULL },
	{ "{\"enum\":[1,{\"a\":1}]}", "{\"a\":1}", NULL, NULL },
	{ "{\"enum\":[1,{\"a\":1}]}", "2", "", "none of the values" },
	{ "{\"const\":{\"a\":[1]}}", "{\"a\":[1]}", NULL, NULL },
	{ "{\"const\":null}", "0", "", "not the value" },
	{ "{\"required\":[\"a\"]}", "{\"a\":0}", NULL, NULL },
	{ "{\"required\":[\"a\",\"b\"]}", "{\"a\":0}", "", "\"b\" is required" },
	{ "{\"required\":[\"a\"]}", "1", NULL, NULL },
	{ "{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"b\":1,\"a\":\"x\"}", NULL, NULL },
	{ "{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"b\":1,\"a\":2}", "/a",
	  "of type string" },
	{ "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1}", NULL, NULL },
	{ "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1,\"b~c\":1}",
	  "/b~0c", "not allowed" },
	{ "{\"additionalProperties\":{\"type\":\"null\"}}", "{\"a\":null,\"b\":1}", "/b",
	  "of type null" },
	{ "{\"items\":{\"type\":\"number\"}}", "[1,2,\"3\"]", "/2", "of type number" },
	{ "{\"items\":{\"items\":{\"minimum\":1}}}", "[[1],[2,0]]", "/1/1", "at least 1" },
	{ "{\"minItems\":2}", "[1]", "", "at least 2 elements" },
	{ "{\"maxItems\":1}", "[1,2]", "", "at most 1 elements" },
	{ "{\"maxItems\":1}", "{}", NULL, NULL },
	{ "{\"minimum\":1,\"maximum\":2}", "2", NULL, NULL },
	{ "{\"maximum\":2}", "2.5", "", "at most 2" },
	{ "{\"exclusiveMinimum\":1}", "1", "", "above 1" },
	{ "{\"exclusiveMaximum\":1}", "1", "", "below 1" },
	{ "{\"minLength\":2}", "\"\\u00e4\"", "", "at least 2 characters" },
	{ "{\"maxLength\":2}", "\"\\u00e4\\u00f6\"", NULL, NULL },
	{ "{\"pattern\":\"^[a-z]+$\"}", "\"abc\"", NULL, NULL },
	{ "{\"pattern\":\"^[a-z]+$\"}", "\"aBc\"", "", "must match ^[a-z]+$" },
	{ "{\"pattern\":\"x\"}", "1", NULL, NULL },
	{ "{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "2", NULL, NULL },
	{ "{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4", "", "at most 3" },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":3}]}", "4", NULL, NULL },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":3}]}", "1", "",
	  "none of the schemas in anyOf" },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":3}],\"maximum\":3}", "4", "",
	  "at most 3" },
	/* an alternative fails deep inside, and the next one holds */
	{ "{\"anyOf\":[{\"properties\":{\"a\":{\"items\":{\"anyOf\":[{\"type\":\"null\"},{"
	  "\"minimum\":5}]}}}},{\"required\":[\"b\"]}]}",
	  "{\"a\":[null,7,1],\"b\":0}", NULL, NULL },
	{ "{\"anyOf\":[{\"properties\":{\"a\":{\"items\":{\"anyOf\":[{\"type\":\"null\"},{"
	  "\"minimum\":5}]}}}},{\"required\":[\"b\"]}]}",
	  "{\"a\":[null,7,1]}", "", "none of the schemas in anyOf" },
	{ "{\"properties\":{\"a\":{\"anyOf\":[{\"const\":1},{\"const\":2}]},\"b\":{\"const\":1}}}",
	  "{\"a\":2,\"b\":2}", "/b", "not the value" },
	{ "{\"items\":{\"anyOf\":[{\"anyOf\":[{\"const\":1},{\"const\":2}]},{\"const\":3}]}}",
	  "[1,2,3,4]", "/3", "none of the schemas" },
};
/* clang-format on */

START_TEST(refused)
{
	ck_assert_msg(flag_schema_check(&arena, read(BAD[_i].schema), "/schema", &info) ==
			      ERR_INVALID,
		      "%s", BAD[_i].schema);
	ck_assert_msg(strcmp(info.field, BAD[_i].at) == 0, "%s: at %s", BAD[_i].schema, info.field);
	ck_assert_msg(strstr(info.msg, BAD[_i].why) != NULL && info.msg[0] != '\0', "%s: %s",
		      BAD[_i].schema, info.msg);
}
END_TEST

START_TEST(fits)
{
	const struct flag_value *const schema = read(FIT[_i].schema);

	ck_assert_int_eq(flag_schema_check(&arena, schema, "/schema", &info), ERR_OK);
	const enum err err = flag_schema_fits(&arena, schema, read(FIT[_i].value), "", &info);
	ck_assert_msg(err == (FIT[_i].at == NULL ? ERR_OK : ERR_INVALID), "%s %s: %s",
		      FIT[_i].schema, FIT[_i].value, info.msg);
	if (FIT[_i].at == NULL)
		return;
	ck_assert_msg(strcmp(info.field, FIT[_i].at) == 0, "%s: at %s", FIT[_i].schema, info.field);
	ck_assert_msg(strstr(info.msg, FIT[_i].why) != NULL, "%s: %s", FIT[_i].schema, info.msg);
}
END_TEST

/* Alternatives within alternatives, as deep as a text may be: each level doubles what there is to try. */
START_TEST(hostile_ones_end)
{
	char schema[4096] = "", value[512] = "";

	for (int i = 0; i < 18; i++) {
		strncat(schema, "{\"items\":{\"anyOf\":[", sizeof(schema) - strlen(schema) - 1);
		strncat(value, "[", sizeof(value) - strlen(value) - 1);
	}
	strncat(schema, "false", sizeof(schema) - strlen(schema) - 1);
	strncat(value, "1,1,1,1", sizeof(value) - strlen(value) - 1);
	for (int i = 0; i < 18; i++) {
		strncat(schema, ",{\"items\":{\"items\":false}}]}}",
			sizeof(schema) - strlen(schema) - 1);
		strncat(value, "]", sizeof(value) - strlen(value) - 1);
	}
	const struct flag_value *const s = read(schema);
	ck_assert_int_eq(flag_schema_check(&arena, s, "", &info), ERR_OK);
	const usec_t begin = clock_now_us();
	const enum err err = flag_schema_fits(&arena, s, read(value), "", &info);
	ck_assert(err == ERR_OK || err == ERR_INVALID || err == ERR_TOO_LARGE);
	ck_assert_int_lt(clock_now_us() - begin, USEC_PER_SEC);
}
END_TEST

START_TEST(documents_have_one)
{
#define DOC(schema, value)                                                                         \
	"{\"unit\":\"visitor\",\"schema\":" schema                                                 \
	",\"variations\":[{\"key\":\"a\",\"value\":" value "}],\"default\":\"a\"}"
	static const struct {
		const char *text, *at;
	} rows[] = {
		{ DOC("{\"required\":[\"x\"]}", "{\"x\":1}"), NULL },
		{ DOC("{\"required\":[\"x\"]}", "{\"y\":1}"), "/d/variations/0/value" },
		{ DOC("{\"properties\":{\"x\":{\"maximum\":1}}}", "{\"x\":2}"),
		  "/d/variations/0/value/x" },
		{ DOC("{\"nope\":1}", "{}"), "/d/schema/nope" },
		{ DOC("{}", "1"), "/d/variations/0/value" },
	};
	const struct flag_document *d = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		double coverage = 0;
		err_clear(&info);
		const enum err err =
			flag_document_check(STR("f"), str_of(rows[i].text), "/d", &coverage, &info);
		ck_assert_msg(err == (rows[i].at == NULL ? ERR_OK : ERR_INVALID), "%s: %s",
			      rows[i].text, info.msg);
		if (rows[i].at != NULL)
			ck_assert_str_eq(info.field, rows[i].at);
	}
	/* What is stored is served, whatever its schema says by now. */
	err_clear(&info);
	ck_assert_int_eq(flag_document_load(&arena, STR("f"), str_of(rows[3].text), &d, &info),
			 ERR_OK);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("schema");
	TCase *t = tcase_create("schemas");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, refused, 0, ARRAY_LEN(BAD));
	tcase_add_loop_test(t, fits, 0, ARRAY_LEN(FIT));
	tcase_add_test(t, hostile_ones_end);
	tcase_add_test(t, documents_have_one);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
