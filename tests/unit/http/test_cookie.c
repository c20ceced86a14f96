/*
 * test_cookie.c — which value of a Cookie header is taken, and which is none.
 */
#include "http/cookie.h"

#include "../../support/unit.h"

static const struct {
	const char *header, *value; /* NULL: none */
} rows[] = {
	{ "sid=abc", "abc" },
	{ "a=1; sid=abc; b=2", "abc" },
	{ "a=1;sid=abc;b=2", "abc" },
	{ " sid=A-z_9 ", "A-z_9" },
	{ "sid=abc;", "abc" },
	{ "", NULL },
	{ "sid", NULL },
	{ "sid=", NULL },
	{ "sid =abc", NULL },
	{ "Sid=abc", NULL },
	{ "xsid=abc", NULL },
	{ "sid2=abc", NULL },
	{ "a=sid=abc", NULL },
	{ "sid=abc; sid=def", NULL },
	{ "sid=abc; sid=abc", NULL },
	{ "sid=; sid=abc", NULL },
	{ "sid=\"abc\"", NULL },
	{ "sid=a b", NULL },
	{ "sid=a=b", NULL },
	{ "sid=a%41", NULL },
	{ "sid=a\xc3\xa4", NULL },
	{ ";;;=;sid=x;=", "x" },
};

START_TEST(finds)
{
	const struct str got = http_cookie_find(str_of(rows[_i].header), "sid");
	ck_assert_msg(rows[_i].value == NULL ? got.p == NULL : str_is(got, rows[_i].value),
		      "\"%s\": \"%.*s\"", rows[_i].header, STR_FMT(got));
}
END_TEST

START_TEST(no_header_no_cookie)
{
	ck_assert_ptr_null(http_cookie_find(STR_NONE, "sid").p);
	/* Nothing is read past the end. */
	ck_assert(str_is(http_cookie_find((struct str) { "sid=abcdef", 7 }, "sid"), "abc"));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("cookie");
	TCase *tc = tcase_create("all");
	tcase_add_loop_test(tc, finds, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tc, no_header_no_cookie);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
