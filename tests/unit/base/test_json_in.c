/* The strict reader: what cJSON would let through is refused, and members are typed. */
#include "base/json_in.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/support/unit.h"

#define ROW(text)                                                                                  \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	}

static const struct {
	struct str in;
	enum err want;
	const char *field;
} texts[] = {
	{ ROW("{\"a\":[1,{\"b\":null}]}"), ERR_OK, "" },
	{ ROW(" [] \n"), ERR_OK, "" },
	{ ROW("\"text\""), ERR_OK, "" },
	{ ROW("[{\"a\":1},{\"a\":2}]"), ERR_OK, "" },
	{ ROW(""), ERR_BAD_JSON, "" },
	{ ROW("{} x"), ERR_BAD_JSON, "" },
	{ ROW("{}\0"), ERR_BAD_JSON, "" },
	{ ROW("\"x\\u0000y\""), ERR_BAD_JSON, "" },
	{ ROW("\"a\tb\""), ERR_BAD_JSON, "" },
	{ ROW("\"\xff\""), ERR_BAD_JSON, "" },
	{ ROW("\xef\xbb\xbf{}"), ERR_BAD_JSON, "" },
	{ ROW("{\"a\":01}"), ERR_BAD_JSON, "/a" },
	{ ROW("{\"a\":1,\"a\":1}"), ERR_INVALID, "/a" },
	{ ROW("{\"a\":1,\"A\":1}"), ERR_OK, "" },
	{ ROW("{\"a\":1,\"\\u0061\":1}"), ERR_INVALID, "/a" },
	{ ROW("[0,{\"x/y\":[[],{\"k\":1,\"l\":2,\"k\":3}]}]"), ERR_INVALID, "/1/x~1y/1/k" },
	{ ROW("{\"a\":{\"b\":1},\"c\":{\"b\":1,\"b\":1}}"), ERR_INVALID, "/c/b" },
	{ ROW("123456789012345678901234567890123456789012345678901234567890123"), ERR_OK, "" },
};

START_TEST(parse)
{
	struct cJSON *j = NULL;
	struct err_info info = { .code = ERR_OK };
	const enum err err = json_parse(texts[_i].in, &j, &info);
	ck_assert_msg(err == texts[_i].want, "%.*s: %d %s", STR_FMT(texts[_i].in), (int)err,
		      info.msg);
	ck_assert_int_eq(info.code, err);
	ck_assert_str_eq(info.field, texts[_i].field);
	ck_assert_msg((j != NULL) == (err == ERR_OK), "%.*s", STR_FMT(texts[_i].in));
	json_free(j);
}
END_TEST

START_TEST(limits)
{
	struct cJSON *j;
	struct buf b;
	buf_init(&b, JSON_IN_BYTES_MAX + 10);
	for (int i = 0; i < 65; i++)
		buf_add_char(&b, '[');
	for (int i = 0; i < 65; i++)
		buf_add_char(&b, ']');
	ck_assert_int_eq(json_parse(buf_str(&b), &j, NULL), ERR_TOO_LARGE);
	ck_assert_int_eq(json_parse((struct str) { buf_str(&b).p + 1, 128 }, &j, NULL), ERR_OK);
	json_free(j);
	buf_reset(&b);
	buf_add_char(&b, '1');
	while (b.len < JSON_IN_BYTES_MAX)
		buf_add_char(&b, ' ');
	ck_assert_int_eq(json_parse(buf_str(&b), &j, NULL), ERR_OK);
	json_free(j);
	buf_add_char(&b, ' ');
	ck_assert_int_eq(json_parse(buf_str(&b), &j, NULL), ERR_TOO_LARGE);
	buf_free(&b);
}
END_TEST

/* Large objects are checked by sorting; the place of the second one does not matter. */
START_TEST(duplicate_among_many)
{
	for (int again = -1; again < 40; again++) {
		struct cJSON *j;
		struct buf b;
		struct err_info info = { .code = ERR_OK };
		char field[16];
		buf_init(&b, 10000);
		for (int i = 0; i < 40; i++)
			buf_printf(&b, "%s\"k%d\":%d", i == 0 ? "{" : ",", i, i);
		if (again >= 0)
			buf_printf(&b, ",\"k%d\":0", again);
		buf_add_char(&b, '}');
		ck_assert_int_eq(json_parse(buf_str(&b), &j, &info),
				 again < 0 ? ERR_OK : ERR_INVALID);
		(void)snprintf(field, sizeof(field), "/k%d", again);
		ck_assert_str_eq(info.field, again < 0 ? "" : field);
		json_free(j);
		buf_free(&b);
	}
}
END_TEST

static struct cJSON *
tree(const char *text)
{
	struct cJSON *j;
	struct err_info info = { .code = ERR_OK };
	ck_assert_msg(json_parse(str_of(text), &j, &info) == ERR_OK, "%s", info.msg);
	return j;
}

START_TEST(strings_and_bools)
{
	struct cJSON *j = tree("{\"s\":\"text\",\"b\":true,\"f\":false,\"n\":null,\"i\":1}");
	const char *s = "default";
	bool b = false;
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(json_string(j, "S", false, &s, &info), ERR_OK);
	ck_assert_str_eq(s, "default");
	ck_assert_int_eq(json_string(j, "s", true, &s, &info), ERR_OK);
	ck_assert_str_eq(s, "text");
	ck_assert_int_eq(json_string(j, "n", false, &s, NULL), ERR_INVALID);
	ck_assert_int_eq(json_string(j, "i", false, &s, NULL), ERR_INVALID);
	ck_assert_int_eq(json_bool(j, "b", true, &b, &info), ERR_OK);
	ck_assert(b);
	ck_assert_int_eq(json_bool(j, "f", true, &b, &info), ERR_OK);
	ck_assert(!b);
	ck_assert_int_eq(json_bool(j, "s", false, &b, NULL), ERR_INVALID);
	ck_assert_int_eq(info.code, ERR_OK);
	ck_assert_int_eq(json_string(j, "a/b", true, &s, &info), ERR_INVALID);
	ck_assert_str_eq(info.field, "/a~1b");
	ck_assert_str_eq(info.msg, "the member \"a/b\" is missing");
	ck_assert_ptr_nonnull(json_get(j, "s"));
	ck_assert_ptr_null(json_get(j, "S"));
	ck_assert_ptr_null(json_get(NULL, "s"));
	ck_assert_ptr_null(json_get(json_get(j, "s"), "s"));
	ck_assert_int_eq(json_string(NULL, "s", true, &s, NULL), ERR_INVALID);
	json_free(j);
	json_free(NULL);
}
END_TEST

static const struct {
	const char *text;
	int64_t min, max;
	bool ok;
	int64_t want;
} ints[] = {
	{ "{\"k\":5}", 0, 10, true, 5 },
	{ "{\"k\":-5}", -10, 10, true, -5 },
	{ "{\"k\":5.0}", 0, 10, true, 5 },
	{ "{\"k\":1e1}", 0, 10, true, 10 },
	{ "{\"k\":11}", 0, 10, false, 0 },
	{ "{\"k\":-1}", 0, 10, false, 0 },
	{ "{\"k\":1.5}", 0, 10, false, 0 },
	{ "{\"k\":\"5\"}", 0, 10, false, 0 },
	{ "{\"k\":null}", 0, 10, false, 0 },
	{ "{\"k\":true}", 0, 10, false, 0 },
	{ "{\"k\":9007199254740991}", INT64_MIN, INT64_MAX, true, INT64_C(9007199254740991) },
	{ "{\"k\":9007199254740993}", INT64_MIN, INT64_MAX, false, 0 },
	{ "{\"k\":-9007199254740992}", INT64_MIN, INT64_MAX, false, 0 },
	{ "{\"k\":1e300}", INT64_MIN, INT64_MAX, false, 0 },
	{ "{\"k\":1e999}", INT64_MIN, INT64_MAX, false, 0 },
	{ "{}", 0, 10, true, 42 },
};

START_TEST(integers)
{
	struct cJSON *j = tree(ints[_i].text);
	int64_t v = 42;
	struct err_info info = { .code = ERR_OK };
	const enum err err = json_int(j, "k", false, ints[_i].min, ints[_i].max, &v, &info);
	ck_assert_msg((err == ERR_OK) == ints[_i].ok, "%s", ints[_i].text);
	ck_assert_int_eq(v, ints[_i].ok ? ints[_i].want : 42);
	ck_assert_str_eq(info.field, ints[_i].ok ? "" : "/k");
	json_free(j);
}
END_TEST

START_TEST(numbers)
{
	struct cJSON *j = tree("{\"k\":-1.5e2,\"big\":1e999,\"s\":\"1\"}");
	double v = 42;
	ck_assert_int_eq(json_number(j, "none", false, &v, NULL), ERR_OK);
	ck_assert(v == 42);
	ck_assert_int_eq(json_number(j, "none", true, &v, NULL), ERR_INVALID);
	ck_assert_int_eq(json_number(j, "k", true, &v, NULL), ERR_OK);
	ck_assert(v == -150);
	ck_assert_int_eq(json_number(j, "big", true, &v, NULL), ERR_INVALID);
	ck_assert_int_eq(json_number(j, "s", true, &v, NULL), ERR_INVALID);
	json_free(j);
}
END_TEST

START_TEST(only_known)
{
	static const char *const known[] = { "enabled", "percent", NULL };
	struct cJSON *good = tree("{\"percent\":1}");
	struct cJSON *near = tree("{\"percent\":1,\"enabeld\":true}");
	struct cJSON *bad = tree("{\"zzz\":1}");
	struct cJSON *list = tree("[]");
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(json_only(good, known, &info), ERR_OK);
	ck_assert_int_eq(json_only(near, known, &info), ERR_INVALID);
	ck_assert_str_eq(info.field, "/enabeld");
	ck_assert_str_eq(info.msg, "\"enabeld\" is not known; did you mean \"enabled\"?");
	err_clear(&info);
	ck_assert_int_eq(json_only(bad, known, &info), ERR_INVALID);
	ck_assert_str_eq(info.msg, "\"zzz\" is not known");
	ck_assert_int_eq(json_only(list, known, NULL), ERR_INVALID);
	json_free(good);
	json_free(near);
	json_free(bad);
	json_free(list);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("json_in");
	TCase *tc = tcase_create("json_in");
	tcase_add_loop_test(tc, parse, 0, ARRAY_LEN(texts));
	tcase_add_test(tc, limits);
	tcase_add_test(tc, duplicate_among_many);
	tcase_add_test(tc, strings_and_bools);
	tcase_add_loop_test(tc, integers, 0, ARRAY_LEN(ints));
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, only_known);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
