/* The growing buffer: limits, failing as a whole, draining, and JSON text. */
#include "base/buf.h"

#include <string.h>

#include "tests/support/unit.h"

START_TEST(appending)
{
	struct buf b;
	buf_init(&b, 1000);
	ck_assert(str_is(buf_str(&b), ""));
	ck_assert_str_eq(buf_cstr(&b), "");
	buf_add(&b, NULL, 0);
	buf_add_cstr(&b, "a");
	buf_add_char(&b, 'b');
	buf_add_str(&b, STR("c"));
	buf_add_int(&b, 0);
	buf_add_char(&b, ' ');
	buf_add_int(&b, INT64_MIN);
	buf_add_char(&b, ' ');
	buf_add_int(&b, INT64_MAX);
	buf_printf(&b, " %s%d", "x", 7);
	ck_assert_str_eq(buf_cstr(&b), "abc0 -9223372036854775808 9223372036854775807 x7");
	ck_assert(!b.failed);
	buf_free(&b);
	buf_free(&b);
}
END_TEST

/* Whatever the limit, exactly `limit` bytes fit, one more fails and changes nothing, now or later.
 */
START_TEST(limit_holds)
{
	struct buf b;
	const size_t limit = (size_t)_i;
	buf_init(&b, limit);
	for (size_t i = 0; i < limit; i++)
		buf_add_char(&b, 'x');
	ck_assert(!b.failed);
	ck_assert_uint_eq(strlen(buf_cstr(&b)), limit);
	ck_assert_uint_le(b.cap, limit + 1);
	buf_printf(&b, "%s", "yy");
	ck_assert(b.failed);
	ck_assert_uint_eq(b.len, limit);
	ck_assert_ptr_null(buf_cstr(&b));
	ck_assert_ptr_null(buf_room(&b, 0));
	if (limit > 0) {
		buf_drain(&b, 1);
		buf_add_char(&b, 'z');
		ck_assert_uint_eq(b.len, limit - 1);
	}
	buf_reset(&b);
	ck_assert(!b.failed);
	buf_json_str(&b, STR("abc"));
	ck_assert(b.failed == (limit < 5));
	ck_assert_uint_eq(b.len, limit < 5 ? 0 : 5);
	buf_free(&b);
}
END_TEST

/* A stream through a small buffer: what comes out is what went in. */
START_TEST(draining)
{
	struct buf b;
	unsigned in = 0;
	unsigned out = 0;
	buf_init(&b, 700);
	while (out < 20000) {
		const unsigned add = (in * 7 + 3) % 61;
		for (unsigned i = 0; i < add && b.len < 700; i++)
			buf_add_char(&b, (char)(in++ % 251));
		const size_t take = MIN(b.len, (out * 5 + 1) % 59 + 1);
		const struct str s = buf_str(&b);
		for (size_t i = 0; i < take; i++)
			ck_assert_int_eq(s.p[i], (char)(out++ % 251));
		buf_drain(&b, take);
	}
	ck_assert(!b.failed);
	buf_free(&b);
}
END_TEST

START_TEST(room)
{
	struct buf b;
	buf_init(&b, 10);
	char *p = buf_room(&b, 10);
	ck_assert_ptr_nonnull(p);
	memcpy(p, "0123456789", 10);
	buf_took(&b, 4);
	ck_assert_str_eq(buf_cstr(&b), "0123");
	ck_assert_ptr_nonnull(buf_room(&b, 6));
	ck_assert_ptr_null(buf_room(&b, 7));
	ck_assert(b.failed);
	buf_reset(&b);
	ck_assert_ptr_null(buf_room(&b, SIZE_MAX));
	buf_free(&b);
}
END_TEST

START_TEST(long_printf)
{
	struct buf b;
	buf_init(&b, 5000);
	buf_printf(&b, "%4000d", 1);
	ck_assert_uint_eq(b.len, 4000);
	buf_printf(&b, "%999d", 1);
	ck_assert_uint_eq(b.len, 4999);
	buf_printf(&b, "%2d", 1);
	ck_assert(b.failed);
	ck_assert_uint_eq(b.len, 4999);
	buf_free(&b);
}
END_TEST

#define JSON_ROW(in, want)                                                                         \
	{                                                                                          \
		{ (in), sizeof(in) - 1 }, (want)                                                   \
	}
static const struct {
	struct str in;
	const char *want;
} json[] = {
	JSON_ROW("", "\"\""),
	JSON_ROW("plain text, long enough for words", "\"plain text, long enough for words\""),
	JSON_ROW("a\"b\\c/d", "\"a\\\"b\\\\c/d\""),
	JSON_ROW("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""),
	JSON_ROW("\x00\x01\x1f\x7f", "\"\\u0000\\u0001\\u001f\x7f\""),
	JSON_ROW("12345678\n12345678", "\"12345678\\n12345678\""),
	/* What a terminal obeys, and what some take for the end of a line, are no text: CSI and NEL of C1, U+2028, U+2029. */
	JSON_ROW("a\xc2\x9b"
		 "2Jb\xc2\x85",
		 "\"a\\u009b2Jb\\u0085\""),
	JSON_ROW("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xc2\xa0",
		 "\"\\u2028\\u2029\xe2\x80\xaa\xc2\xa0\""),
	JSON_ROW("\xc2", "\"\xef\xbf\xbd\""),
	JSON_ROW("J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80",
		 "\"J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80\""),
	JSON_ROW("\xff"
		 "a",
		 "\"\xef\xbf\xbd"
		 "a\""),
	JSON_ROW("\xc3", "\"\xef\xbf\xbd\""),
	JSON_ROW("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""),
	JSON_ROW("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
	JSON_ROW("\xc3\xbc\"\xc3\xbc", "\"\xc3\xbc\\\"\xc3\xbc\""),
};

START_TEST(url_text)
{
	struct buf b;

	buf_init(&b, 200);
	buf_add_url(&b, (struct str) { "aZ0-._~ /?&=%+\0\n\xc3\xa9", 18 });
	ck_assert_str_eq(buf_cstr(&b), "aZ0-._~%20%2F%3F%26%3D%25%2B%00%0A%C3%A9");
	buf_free(&b);
}
END_TEST

START_TEST(json_text)
{
	struct buf b;
	buf_init(&b, 1000);
	buf_json_str(&b, json[_i].in);
	ck_assert_str_eq(buf_cstr(&b), json[_i].want);
	buf_free(&b);
}
END_TEST

/* Each byte value at each place of three machine words: found, and only it is changed. */
START_TEST(json_every_byte)
{
	for (size_t at = 0; at < 24; at++) {
		struct buf b;
		char text[24];
		memset(text, _i == 'x' ? 'y' : 'x', sizeof(text));
		text[at] = (char)_i;
		buf_init(&b, 1000);
		buf_json_str(&b, (struct str) { text, sizeof(text) });
		const struct str got = buf_str(&b);
		const size_t escaped = got.len - 2 - (sizeof(text) - 1);
		const bool is_plain = _i >= 0x20 && _i < 0x80 && _i != '"' && _i != '\\';
		ck_assert_uint_eq(escaped == 1, is_plain);
		ck_assert_mem_eq(got.p + 1, text, at);
		ck_assert_mem_eq(got.p + 1 + at + escaped, text + at + 1, sizeof(text) - 1 - at);
		buf_free(&b);
	}
}
END_TEST

/* Any limit gives the whole string or nothing. */
START_TEST(json_whole_or_nothing)
{
	struct buf b;
	buf_init(&b, (size_t)_i);
	buf_add_char(&b, '[');
	buf_json_str(&b, STR("\n\xff\x01 ab"));
	ck_assert(b.failed == (_i < 17));
	ck_assert_uint_eq(b.len, b.failed ? 1 : 17);
	buf_free(&b);
}
END_TEST

START_TEST(json_null)
{
	struct buf b;
	buf_init(&b, 100);
	buf_json_cstr(&b, NULL);
	buf_json_cstr(&b, "x");
	buf_json_str(&b, STR_NONE);
	ck_assert_str_eq(buf_cstr(&b), "null\"x\"\"\"");
	buf_free(&b);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("buf");
	TCase *tc = tcase_create("buf");
	tcase_add_test(tc, appending);
	tcase_add_loop_test(tc, limit_holds, 0, 12);
	tcase_add_loop_test(tc, limit_holds, 250, 260);
	tcase_add_test(tc, draining);
	tcase_add_test(tc, room);
	tcase_add_test(tc, long_printf);
	tcase_add_test(tc, url_text);
	tcase_add_loop_test(tc, json_text, 0, ARRAY_LEN(json));
	tcase_add_loop_test(tc, json_every_byte, 0, 256);
	tcase_add_loop_test(tc, json_whole_or_nothing, 1, 20);
	tcase_add_test(tc, json_null);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
