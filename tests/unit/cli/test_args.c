/*
 * test_args.c — options and words of a command, name=value pairs, texts in paths.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "tests/support/unit.h"

static const struct cli_command command = { "try this", "WORD", "a command", NULL, NULL };

static const struct {
	const char *args; /* separated by a blank; "_" is an empty one */
	bool good;
	int64_t number;
	const char *text;
	bool on;
	const char *words; /* what is left, separated by blanks */
} table[] = {
	{ "a", true, 5, NULL, false, "a" },
	{ "a --number 7 b", true, 7, NULL, false, "a b" },
	{ "--number=7 a --on", true, 7, NULL, true, "a" },
	{ "a --text x=y", true, 5, "x=y", false, "a" },
	{ "a --text=", true, 5, "", false, "a" },
	{ "a -- --number", true, 5, NULL, false, "a --number" },
	{ "a -b", true, 5, NULL, false, "a -b" },
	{ "a --number 7 --number 8", true, 8, NULL, false, "a" },
	{ "", false, 0, NULL, false, NULL },
	{ "a b c", false, 0, NULL, false, NULL },
	{ "a --number", false, 0, NULL, false, NULL },
	{ "a --number x", false, 0, NULL, false, NULL },
	{ "a --number 0", false, 0, NULL, false, NULL },
	{ "a --number 101", false, 0, NULL, false, NULL },
	{ "a --nothing 1", false, 0, NULL, false, NULL },
	{ "a --on=yes", false, 0, NULL, false, NULL },
};

START_TEST(test_options)
{
	char bytes[128];
	char *argv[16];
	char left[128] = "";
	int64_t number = 5;
	const char *text = NULL;
	bool on = false;
	const struct cli_option options[] = {
		{ "--number", CLI_OPTION_INT, &number, 1, 100 },
		{ "--text", CLI_OPTION_TEXT, &text, 0, 0 },
		{ "--on", CLI_OPTION_SWITCH, &on, 0, 0 },
	};
	struct cli c = { .command = &command, .argv = argv };
	char *save = NULL;

	ck_assert(str_copy(bytes, sizeof(bytes), str_of(table[_i].args)));
	for (char *word = strtok_r(bytes, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		argv[c.argc++] = word;
	ck_assert(cli_options(&c, options, ARRAY_LEN(options), 1, 2) == table[_i].good);
	if (!table[_i].good)
		return;
	ck_assert_int_eq(number, table[_i].number);
	ck_assert_pstr_eq(text, table[_i].text);
	ck_assert(on == table[_i].on);
	size_t n = 0;
	for (int i = 0; i < c.argc; i++)
		n += (size_t)snprintf(left + n, sizeof(left) - n, "%s%s", i > 0 ? " " : "",
				      c.argv[i]);
	ck_assert_str_eq(left, table[_i].words);
}
END_TEST

static const struct {
	const char *pair;
	const char *want; /* NULL: refused */
} pairs[] = {
	{ "name=Anna", "{\"name\":\"Anna\"}" },
	{ "name=", "{\"name\":\"\"}" },
	{ "name=a=b", "{\"name\":\"a=b\"}" },
	{ "n:=12.50", "{\"n\":12.50}" },
	{ "n:=null", "{\"n\":null}" },
	{ "n:={\"a\":[1]}", "{\"n\":{\"a\":[1]}}" },
	{ "say=\"hi\"", "{\"say\":\"\\\"hi\\\"\"}" },
	{ "name", NULL },
	{ "=x", NULL },
	{ "n:=nul", NULL },
};

START_TEST(test_object)
{
	char bytes[64];
	char *argv[] = { bytes };
	struct buf out;
	buf_init(&out, 4096);
	ck_assert(str_copy(bytes, sizeof(bytes), str_of(pairs[_i].pair)));
	ck_assert(cli_object(&out, 1, argv) == (pairs[_i].want != NULL));
	if (pairs[_i].want != NULL)
		ck_assert_str_eq(buf_cstr(&out), pairs[_i].want);
	buf_free(&out);
}
END_TEST

START_TEST(test_escape)
{
	struct buf out;
	buf_init(&out, 4096);
	cli_escape(&out, "a/b?c=d&e f%M\xC3\xBC.-_~09");
	ck_assert_str_eq(buf_cstr(&out), "a%2Fb%3Fc%3Dd%26e%20f%25M%C3%BC.-_~09");
	buf_free(&out);
}
END_TEST

static Suite *
args_suite(void)
{
	Suite *s = suite_create("args");
	TCase *t = tcase_create("args");
	tcase_add_loop_test(t, test_options, 0, (int)ARRAY_LEN(table));
	tcase_add_loop_test(t, test_object, 0, (int)ARRAY_LEN(pairs));
	tcase_add_test(t, test_escape);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(args_suite)
