/* The payload scanner: grammar, UTF-8, escapes, depth, spans, duplicates, and where an error is. */
#include "base/json_scan.h"

#include <string.h>

#include "base/buf.h"
#include "tests/support/unit.h"

#define ROW(text)                                                                                  \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	}

static const struct str valid[] = {
	ROW("{}"),
	ROW(" [ ] \r\n\t"),
	ROW("0"),
	ROW("-0"),
	ROW("-0.0e-0"),
	ROW("123456789012345678901234567890.5E+10"),
	ROW("null"),
	ROW("true"),
	ROW("false"),
	ROW("\"\""),
	ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\\uFFFF\""),
	ROW("\"\\ud83d\\ude00\\uDBFF\\uDFFF\""),
	ROW("\"\x7f\xc2\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\""),
	ROW("[1,[2,{\"a\":[{}]}],\"x\"]"),
	ROW("{\"a\":{\"a\":1,\"a\":2}}"),
	ROW("{\"\":0}"),
	ROW("[[],[[]],{},{\"a\":[]}]"),
};

START_TEST(accepts)
{
	enum json_kind kind;
	struct err_info info = { .code = ERR_OK };
	const enum err err = json_scan_any(valid[_i], &kind, &info);
	ck_assert_msg(err == ERR_OK, "%.*s: %s", STR_FMT(valid[_i]), info.msg);
	ck_assert_int_eq(info.code, ERR_OK);
}
END_TEST

static const struct str invalid[] = {
	ROW(""),
	ROW(" "),
	ROW("{"),
	ROW("["),
	ROW("}"),
	ROW("{]"),
	ROW("[}"),
	ROW("[1}"),
	ROW("{\"a\":1]"),
	ROW("[1,]"),
	ROW("[,1]"),
	ROW("[1 2]"),
	ROW("[1,,2]"),
	ROW("{,}"),
	ROW("{\"a\":1,}"),
	ROW("{\"a\"}"),
	ROW("{\"a\":}"),
	ROW("{\"a\" 1}"),
	ROW("{a:1}"),
	ROW("{1:1}"),
	ROW("{\"a\":1 \"b\":2}"),
	ROW("{\"a\"::1}"),
	ROW("1 2"),
	ROW("{} {}"),
	ROW("{}x"),
	ROW("nul"),
	ROW("nulL"),
	ROW("truee"),
	ROW("True"),
	ROW("NaN"),
	ROW("Infinity"),
	ROW("01"),
	ROW("-01"),
	ROW("-"),
	ROW("+1"),
	ROW(".5"),
	ROW("1."),
	ROW("1.e5"),
	ROW("1e"),
	ROW("1e+"),
	ROW("0x1"),
	ROW("'a'"),
	ROW("\""),
	ROW("\"a"),
	ROW("\"\\"),
	ROW("\"\\\""),
	ROW("\"\\x\""),
	ROW("\"\\u12\""),
	ROW("\"\\u12g4\""),
	ROW("\"\\u0000\""),
	ROW("\"\\ud800\""),
	ROW("\"\\ud800x\""),
	ROW("\"\\ud800\\n\""),
	ROW("\"\\ud800\\ud800\""),
	ROW("\"\\udc00\""),
	ROW("\"\\ud83d\\ude0\""),
	ROW("\"\t\""),
	ROW("\"\n\""),
	ROW("\"a\0b\""),
	ROW("\0"),
	ROW("{}\0"),
	ROW("\"\xff\""),
	ROW("\"\xc3\""),
	ROW("\"\xc0\x80\""),
	ROW("\"\xed\xa0\x80\""),
	ROW("\"\xf4\x90\x80\x80\""),
	ROW("\"\xe2\x82"),
	ROW("\xef\xbb\xbf{}"),
	ROW("[1]\xa0"),
	ROW("\f1"),
	ROW("/* c */ 1"),
	ROW("{\"a\":1,// c\n\"b\":2}"),
};

START_TEST(refuses)
{
	enum json_kind kind;
	struct err_info info = { .code = ERR_OK };
	const enum err err = json_scan_any(invalid[_i], &kind, &info);
	ck_assert_msg(err == ERR_BAD_JSON, "row %d: %.*s", _i, STR_FMT(invalid[_i]));
	ck_assert_int_eq(info.code, ERR_BAD_JSON);
	ck_assert_msg(strstr(info.msg, "line ") == info.msg, "%s", info.msg);
	ck_assert_int_eq(json_scan_any(invalid[_i], &kind, NULL), ERR_BAD_JSON);
}
END_TEST

static const struct {
	struct str in;
	const char *field, *msg;
} places[] = {
	{ ROW("{\"a\":{\"b\":[1,{\"c\":x}]}}"), "/a/b/1/c", "line 1, column 19: expected a value" },
	{ ROW("{\n \"\xc3\xa9\": nul\n}"), "/\xc3\xa9", "line 2, column 7: expected a value" },
	{ ROW("{\"a/b~c\":1.}"), "/a~1b~0c",
	  "line 1, column 12: a number needs a digit after the point" },
	{ ROW("{\"a\":1, b:2}"), "", "line 1, column 9: expected a key in quotes" },
	{ ROW("{\"a\":[1,2"), "/a/1", "line 1, column 10: the text ends too early" },
	{ ROW("{\"a\":\"\\u0000\"}"), "/a", "line 1, column 7: \\u0000 cannot be stored" },
	{ ROW("{} x"), "", "line 1, column 4: expected the end of the text" },
	{ ROW("{\"a\":1,\"b\":2,\"a\":3}"), "/a", "line 1, column 14: the key occurs twice" },
	{ ROW("{\"a\":1,\"\\u0061\":3}"), "/\\u0061", "line 1, column 8: the key occurs twice" },
	{ ROW("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}"), "/e",
	  "line 1, column 26: the object has too many members" },
	{ ROW("[]"), "", "line 1, column 1: expected an object" },
};

START_TEST(error_has_its_place)
{
	struct json_member members[4];
	size_t n = ARRAY_LEN(members);
	struct arena a;
	struct err_info info = { .code = ERR_OK };
	arena_init(&a, ARENA_CAP_BYTES);
	ck_assert_int_ne(json_scan_object(places[_i].in, &a, members, &n, &info), ERR_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_str_eq(info.field, places[_i].field);
	ck_assert_str_eq(info.msg, places[_i].msg);
	arena_release(&a);
	arena_trim();
}
END_TEST

START_TEST(members_are_spans)
{
	static const char text[] = " { \"id\" : 9007199254740993 ,\"n\":\"x\\\"y\",\"o\": "
				   "{\"a\":[1,2]} , \"\\u00e9\\n\":[ ],"
				   "\"t\":true,\"f\":false,\"z\":null} ";
	static const struct {
		const char *key, *value;
		enum json_kind kind;
	} want[] = {
		{ "id", "9007199254740993", JSON_NUMBER },
		{ "n", "\"x\\\"y\"", JSON_STRING },
		{ "o", "{\"a\":[1,2]}", JSON_OBJECT },
		{ "\xc3\xa9\n", "[ ]", JSON_ARRAY },
		{ "t", "true", JSON_TRUE },
		{ "f", "false", JSON_FALSE },
		{ "z", "null", JSON_NULL },
	};
	struct json_member members[ARRAY_LEN(want)];
	size_t n = ARRAY_LEN(members);
	struct arena a;
	arena_init(&a, ARENA_CAP_BYTES);
	ck_assert_int_eq(json_scan_object(STR(text), &a, members, &n, NULL), ERR_OK);
	ck_assert_uint_eq(n, ARRAY_LEN(want));
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(str_is(members[i].key, want[i].key), "%.*s", STR_FMT(members[i].key));
		ck_assert_msg(str_is(members[i].value, want[i].value), "%.*s",
			      STR_FMT(members[i].value));
		ck_assert_int_eq(members[i].kind, want[i].kind);
	}
	arena_release(&a);
	arena_trim();
}
END_TEST

START_TEST(elements_are_spans)
{
	struct json_element e[3];
	size_t n = 3;
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(json_scan_array(STR("[ {\"a\":1} , [2],-3.5 ]"), e, &n, &info), ERR_OK);
	ck_assert_uint_eq(n, 3);
	ck_assert(str_is(e[0].value, "{\"a\":1}") && e[0].kind == JSON_OBJECT);
	ck_assert(str_is(e[1].value, "[2]") && e[1].kind == JSON_ARRAY);
	ck_assert(str_is(e[2].value, "-3.5") && e[2].kind == JSON_NUMBER);
	n = 3;
	ck_assert_int_eq(json_scan_array(STR("[]"), e, &n, &info), ERR_OK);
	ck_assert_uint_eq(n, 0);
	n = 3;
	ck_assert_int_eq(json_scan_array(STR("[1,2,3,4]"), e, &n, &info), ERR_INVALID);
	ck_assert_str_eq(info.field, "/3");
	ck_assert_uint_eq(n, 0);
	n = 3;
	ck_assert_int_eq(json_scan_array(STR("{}"), e, &n, NULL), ERR_BAD_JSON);
	n = 3;
	ck_assert_int_eq(json_scan_array(STR("[1,{]"), e, &n, NULL), ERR_BAD_JSON);
	n = 3;
	ck_assert_int_eq(json_scan_array(STR("[1] 2"), e, &n, NULL), ERR_BAD_JSON);
}
END_TEST

/* Nested to `depth`; an unclosed one must be refused as well, and early. */
static enum err
scan_nested(size_t depth, bool objects, bool closed)
{
	struct buf b;
	struct json_element e[1];
	struct json_member m[1];
	size_t n = 1;
	struct arena a;
	buf_init(&b, 10000000);
	arena_init(&a, ARENA_CAP_BYTES);
	for (size_t i = 0; i < depth; i++)
		buf_add_cstr(&b, !objects ? "[" : i + 1 < depth ? "{\"a\":" : "{");
	for (size_t i = 0; closed && i < depth; i++)
		buf_add_char(&b, objects ? '}' : ']');
	enum json_kind kind;
	const enum err any = json_scan_any(buf_str(&b), &kind, NULL);
	const enum err first = objects ? json_scan_object(buf_str(&b), &a, m, &n, NULL)
				       : json_scan_array(buf_str(&b), e, &n, NULL);
	ck_assert_int_eq(any, first);
	buf_free(&b);
	arena_release(&a);
	arena_trim();
	return any;
}

START_TEST(depth_is_bounded)
{
	for (int objects = 0; objects < 2; objects++) {
		ck_assert_int_eq(scan_nested(1, objects, true), ERR_OK);
		ck_assert_int_eq(scan_nested(JSON_DEPTH_MAX, objects, true), ERR_OK);
		ck_assert_int_eq(scan_nested(JSON_DEPTH_MAX + 1, objects, true), ERR_TOO_LARGE);
		ck_assert_int_eq(scan_nested(JSON_DEPTH_MAX, objects, false), ERR_BAD_JSON);
		ck_assert_int_eq(scan_nested(1000000, objects, false), ERR_TOO_LARGE);
	}
}
END_TEST

/* Many keys: each is found twice if it is there twice, and never otherwise. */
START_TEST(duplicates_among_many)
{
	enum { KEYS = 300 };
	static struct json_member members[KEYS + 1];
	struct arena a;
	arena_init(&a, ARENA_CAP_BYTES);
	for (int again = -1; again < KEYS; again += 13) {
		struct buf b;
		size_t n = KEYS + 1;
		buf_init(&b, 100000);
		for (int i = 0; i < KEYS; i++)
			buf_printf(&b, "%s\"a_rather_long_key_%d\":%d", i == 0 ? "{" : ",", i, i);
		if (again >= 0)
			buf_printf(&b, ",\"a_rather_long_key_%d\":0", again);
		buf_add_char(&b, '}');
		ck_assert_int_eq(json_scan_object(buf_str(&b), &a, members, &n, NULL),
				 again < 0 ? ERR_OK : ERR_INVALID);
		buf_free(&b);
	}
	arena_release(&a);
	arena_trim();
}
END_TEST

START_TEST(arena_may_be_full)
{
	struct json_member m[2];
	size_t n = 2;
	struct arena a;
	arena_init(&a, 0);
	ck_assert_int_eq(json_scan_object(STR("{\"plain\":1}"), &a, m, &n, NULL), ERR_OK);
	n = 2;
	ck_assert_int_eq(json_scan_object(STR("{\"\\n\":1}"), &a, m, &n, NULL), ERR_NO_MEMORY);
	struct str out;
	ck_assert_int_eq(json_unescape(STR("\"a\""), &a, &out), ERR_NO_MEMORY);
	arena_release(&a);
}
END_TEST

static const struct {
	struct str raw;
	const char *want; /* NULL = refused */
} escapes[] = {
	{ ROW("\"\""), "" },
	{ ROW("\"plain\""), "plain" },
	{ ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t" },
	{ ROW("\"a\\u0041b\\u00e9c\\u20acd\\ud83d\\ude00e\""), "aAb\xc3\xa9"
							       "c\xe2\x82\xac"
							       "d\xf0\x9f\x98\x80"
							       "e" },
	{ ROW("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\\udbff\\udfff\""),
	  "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf" },
	{ ROW("x"), NULL },
	{ ROW("\""), NULL },
	{ ROW("abc"), NULL },
	{ ROW("\"\\\""), NULL },
	{ ROW("\"\\q\""), NULL },
	{ ROW("\"\\u12\""), NULL },
	{ ROW("\"\\u0000\""), NULL },
	{ ROW("\"\\ud83d\""), NULL },
	{ ROW("\"\\ude00\""), NULL },
};

START_TEST(unescapes)
{
	struct arena a;
	struct str out = STR_NONE;
	arena_init(&a, ARENA_CAP_BYTES);
	const enum err err = json_unescape(escapes[_i].raw, &a, &out);
	ck_assert_int_eq(err, escapes[_i].want == NULL ? ERR_INVALID : ERR_OK);
	if (err == ERR_OK) {
		ck_assert_str_eq(out.p, escapes[_i].want);
		ck_assert_uint_eq(out.len, strlen(escapes[_i].want));
	}
	arena_release(&a);
	arena_trim();
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("json_scan");
	TCase *tc = tcase_create("json_scan");
	tcase_add_loop_test(tc, accepts, 0, ARRAY_LEN(valid));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(invalid));
	tcase_add_loop_test(tc, error_has_its_place, 0, ARRAY_LEN(places));
	tcase_add_test(tc, members_are_spans);
	tcase_add_test(tc, elements_are_spans);
	tcase_add_test(tc, depth_is_bounded);
	tcase_add_test(tc, duplicates_among_many);
	tcase_add_test(tc, arena_may_be_full);
	tcase_add_loop_test(tc, unescapes, 0, ARRAY_LEN(escapes));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
