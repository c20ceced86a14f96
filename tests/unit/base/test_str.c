/* Counted strings: cutting, numbers, UTF-8, base64url, hexadecimal. */
#include "base/str.h"

#include <string.h>

#include "tests/support/unit.h"

START_TEST(comparing)
{
	ck_assert(str_eq(STR(""), STR_NONE));
	ck_assert(str_eq(STR("a\0b"), STR("a\0b")));
	ck_assert(!str_eq(STR("a\0b"), STR("a\0c")));
	ck_assert(!str_eq(STR("ab"), STR("abc")));
	ck_assert(str_is(STR("abc"), "abc"));
	ck_assert(!str_is(STR("abc"), "abcd"));
	ck_assert(str_is(STR_NONE, ""));
	ck_assert(str_is(STR(""), NULL));
	ck_assert(str_ieq(STR("Content-LENGTH"), STR("content-length")));
	ck_assert(!str_ieq(STR("a["), STR("a{")));
	ck_assert(!str_ieq(STR("a"), STR("ab")));
	ck_assert(str_starts(STR("abc"), "ab") && str_starts(STR("abc"), "") &&
		  !str_starts(STR("a"), "ab"));
	ck_assert(str_ends(STR("abc"), "bc") && str_ends(STR_NONE, "") &&
		  !str_ends(STR("c"), "bc"));
	ck_assert(str_is(str_trim(STR(" \t a b\t ")), "a b"));
	ck_assert_uint_eq(str_trim(STR(" \t ")).len, 0);
	ck_assert_uint_eq(str_find(STR("abc"), 'c'), 2);
	ck_assert_uint_eq(str_find(STR("abc"), 'x'), 3);
	ck_assert_uint_eq(str_find(STR_NONE, 'x'), 0);
	ck_assert_ptr_null(str_of(NULL).p);
}
END_TEST

START_TEST(cutting)
{
	struct str rest = STR("a,,b,");
	ck_assert(str_is(str_cut(&rest, ','), "a"));
	ck_assert(str_is(str_cut(&rest, ','), ""));
	ck_assert(str_is(str_cut(&rest, ','), "b"));
	ck_assert_ptr_nonnull(rest.p);
	ck_assert(str_is(str_cut(&rest, ','), ""));
	ck_assert_ptr_null(rest.p);
	ck_assert_ptr_null(str_cut(&rest, ',').p);
}
END_TEST

static const struct {
	const char *in;
	int64_t min, max;
	bool ok;
	int64_t want;
} ints[] = {
	{ "0", INT64_MIN, INT64_MAX, true, 0 },
	{ "-0", INT64_MIN, INT64_MAX, true, 0 },
	{ "007", INT64_MIN, INT64_MAX, true, 7 },
	{ "9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX },
	{ "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN },
	{ "9223372036854775808", INT64_MIN, INT64_MAX, false, 0 },
	{ "-9223372036854775809", INT64_MIN, INT64_MAX, false, 0 },
	{ "99999999999999999999999", INT64_MIN, INT64_MAX, false, 0 },
	{ "10", 0, 10, true, 10 },
	{ "11", 0, 10, false, 0 },
	{ "-1", 0, 10, false, 0 },
	{ "", INT64_MIN, INT64_MAX, false, 0 },
	{ "-", INT64_MIN, INT64_MAX, false, 0 },
	{ "+1", INT64_MIN, INT64_MAX, false, 0 },
	{ " 1", INT64_MIN, INT64_MAX, false, 0 },
	{ "1 ", INT64_MIN, INT64_MAX, false, 0 },
	{ "1e3", INT64_MIN, INT64_MAX, false, 0 },
	{ "0x10", INT64_MIN, INT64_MAX, false, 0 },
};

START_TEST(integer)
{
	int64_t v = 42;
	const enum err err = str_int(str_of(ints[_i].in), ints[_i].min, ints[_i].max, &v);
	ck_assert_msg((err == ERR_OK) == ints[_i].ok, "\"%s\"", ints[_i].in);
	ck_assert_msg(v == (ints[_i].ok ? ints[_i].want : 42), "\"%s\"", ints[_i].in);
}
END_TEST

static const struct {
	const char *in;
	bool ok;
	double want;
} doubles[] = {
	{ "0", true, 0 },        { "-1.5", true, -1.5 },  { "1e3", true, 1000 },
	{ "1E-3", true, 0.001 }, { "2.5e+2", true, 250 }, { "1e999", false, 0 },
	{ "1e-999", true, 0 },   { "", false, 0 },        { ".5", false, 0 },
	{ "5.", false, 0 },      { "1e", false, 0 },      { "inf", false, 0 },
	{ "nan", false, 0 },     { "0x1p3", false, 0 },   { " 1", false, 0 },
	{ "1,5", false, 0 },     { "--1", false, 0 },     { "1.5.2", false, 0 },
};

START_TEST(decimal)
{
	double v = 42;
	const enum err err = str_double(str_of(doubles[_i].in), &v);
	ck_assert_msg((err == ERR_OK) == doubles[_i].ok, "\"%s\"", doubles[_i].in);
	ck_assert_msg(v == (doubles[_i].ok ? doubles[_i].want : 42), "\"%s\"", doubles[_i].in);
}
END_TEST

static const struct {
	const char *in;
	bool ok;
	const char *why;
} utf8[] = {
	{ "", true, "empty" },
	{ "plain ascii of more than eight bytes", true, "ascii" },
	{ "\xc2\x80 \xdf\xbf", true, "two bytes" },
	{ "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80", true, "three bytes" },
	{ "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", true, "four bytes" },
	{ "\x80", false, "continuation alone" },
	{ "\xc0\x80", false, "overlong NUL" },
	{ "\xc1\xbf", false, "overlong two" },
	{ "\xe0\x9f\xbf", false, "overlong three" },
	{ "\xf0\x8f\xbf\xbf", false, "overlong four" },
	{ "\xed\xa0\x80", false, "surrogate" },
	{ "\xed\xbf\xbf", false, "last surrogate" },
	{ "\xf4\x90\x80\x80", false, "above U+10FFFF" },
	{ "\xf5\x80\x80\x80", false, "lead f5" },
	{ "\xff", false, "byte ff" },
	{ "12345678\xc3", false, "cut after one" },
	{ "12345678\xe2\x82", false, "cut after two" },
	{ "12345678\xf0\x9f\x98", false, "cut after three" },
	{ "\xe2\x28\xa1", false, "bad second" },
	{ "\xe2\x82\x28", false, "bad third" },
	{ "\xf0\x9f\x98\x28", false, "bad fourth" },
};

START_TEST(utf8_checked)
{
	ck_assert_msg(str_utf8_valid(str_of(utf8[_i].in)) == utf8[_i].ok, "%s", utf8[_i].why);
}
END_TEST

START_TEST(copying)
{
	char small[4];
	ck_assert(str_copy(small, sizeof(small), STR("abc")));
	ck_assert_str_eq(small, "abc");
	ck_assert(!str_copy(small, sizeof(small), STR("abcd")));
	ck_assert_str_eq(small, "abc");
	ck_assert(str_copy(small, sizeof(small), STR_NONE));
	ck_assert_str_eq(small, "");
	ck_assert(!str_copy(small, 0, STR("a")));
}
END_TEST

static const struct {
	const char *in, *want;
} nearest[] = {
	{ "workres", "workers" },
	{ "Workers", "workers" },
	{ "porrt", "port" },
	{ "zebra", NULL },
	{ "", NULL },
	{ "bc", "bb" },
	{ "0123456789012345678901234567890123456789012345678901234567890123456789", NULL },
};

START_TEST(did_you_mean)
{
	static const char *const known[] = { "port", "workers", "address", "bb", "b2", NULL };
	const char *got = str_nearest(str_of(nearest[_i].in), known);
	if (nearest[_i].want == NULL)
		ck_assert_msg(got == NULL, "%s: %s", nearest[_i].in, got);
	else
		ck_assert_str_eq(got, nearest[_i].want);
}
END_TEST

static const struct {
	const char *bytes, *text;
} base64[] = {
	{ "", "" },
	{ "f", "Zg" },
	{ "fo", "Zm8" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg" },
	{ "fooba", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "-__-" },
};

START_TEST(base64url_both_ways)
{
	char text[16];
	char bytes[16];
	size_t n = 99;
	const struct str in = str_of(base64[_i].bytes);
	const size_t len = strlen(base64[_i].text);
	ck_assert_uint_eq(base64url_encode(in.p, in.len, text, sizeof(text)), len);
	ck_assert_str_eq(text, base64[_i].text);
	ck_assert_uint_eq(base64url_encode(in.p, in.len, text, len + 1), len);
	ck_assert_uint_eq(base64url_encode(in.p, in.len, text, len), 0);
	ck_assert_int_eq(base64url_decode(str_of(base64[_i].text), bytes, sizeof(bytes), &n),
			 ERR_OK);
	ck_assert(str_eq((struct str) { bytes, n }, in));
	if (in.len > 0)
		ck_assert_int_eq(base64url_decode(str_of(base64[_i].text), bytes, in.len - 1, &n),
				 ERR_INVALID);
}
END_TEST

static const char *const bad_base64[] = { "Z",     "Zg==",  "Zh",   "Zm9",
					  "Zm9vY", "Zm 9v", "+/+/", "Zm9v\n" };

START_TEST(base64_padded)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *text;
	} rows[] = {
		{ "", 0, "" },
		{ "f", 1, "Zg==" },
		{ "fo", 2, "Zm8=" },
		{ "foo", 3, "Zm9v" },
		{ "foob", 4, "Zm9vYg==" },
		{ "\xfb\xff\xbf", 3, "+/+/" },
		{ "\xff\xff", 2, "//8=" },
	};
	char out[16];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const size_t need = strlen(rows[i].text);
		ck_assert_uint_eq(base64_encode(rows[i].bytes, rows[i].n, out, need + 1), need);
		ck_assert_str_eq(out, rows[i].text);
		/* One byte too few: nothing. */
		ck_assert_uint_eq(base64_encode(rows[i].bytes, rows[i].n, out, need), 0);
		ck_assert(need == 0 || out[0] == '\0');
	}
}
END_TEST

START_TEST(base64url_strict)
{
	char bytes[16];
	size_t n;
	ck_assert_msg(base64url_decode(str_of(bad_base64[_i]), bytes, sizeof(bytes), &n) ==
			      ERR_INVALID,
		      "%s", bad_base64[_i]);
}
END_TEST

START_TEST(hex_both_ways)
{
	char text[9];
	unsigned char bytes[4];
	hex_encode("\x00\x7f\x80\xff", 4, text);
	ck_assert_str_eq(text, "007f80ff");
	ck_assert_int_eq(hex_decode(STR("007f80ff"), bytes, 4), ERR_OK);
	ck_assert_mem_eq(bytes, "\x00\x7f\x80\xff", 4);
	ck_assert_int_eq(hex_decode(STR("007f80f"), bytes, 4), ERR_INVALID);
	ck_assert_int_eq(hex_decode(STR("007f80"), bytes, 4), ERR_INVALID);
	ck_assert_int_eq(hex_decode(STR("007F80FF"), bytes, 4), ERR_INVALID);
	ck_assert_int_eq(hex_decode(STR("007f80fg"), bytes, 4), ERR_INVALID);
	ck_assert_int_eq(hex_decode(STR(""), bytes, 0), ERR_OK);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("str");
	TCase *tc = tcase_create("str");
	tcase_add_test(tc, comparing);
	tcase_add_test(tc, cutting);
	tcase_add_loop_test(tc, integer, 0, ARRAY_LEN(ints));
	tcase_add_loop_test(tc, decimal, 0, ARRAY_LEN(doubles));
	tcase_add_loop_test(tc, utf8_checked, 0, ARRAY_LEN(utf8));
	tcase_add_test(tc, copying);
	tcase_add_loop_test(tc, did_you_mean, 0, ARRAY_LEN(nearest));
	tcase_add_loop_test(tc, base64url_both_ways, 0, ARRAY_LEN(base64));
	tcase_add_test(tc, base64_padded);
	tcase_add_loop_test(tc, base64url_strict, 0, ARRAY_LEN(bad_base64));
	tcase_add_test(tc, hex_both_ways);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
