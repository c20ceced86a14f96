/*
 * test_show.c — values as people read them; nothing of a daemon's text is an order to the terminal.
 */
#include <string.h>

#include "base/json_in.h"
#include "cli/show.h"
#include "tests/support/unit.h"

static const struct {
	const char *json; /* of the member "v"; NULL: it is absent */
	enum show_kind kind;
	const char *shown;
} table[] = {
	{ "\"plain\"", SHOW_TEXT, "plain" },
	{ "\"\"", SHOW_TEXT, "" },
	{ "\"Zoë Ångström\"", SHOW_TEXT, "Zoë Ångström" },
	{ "12", SHOW_TEXT, "12" },
	{ "null", SHOW_TEXT, "-" },
	{ NULL, SHOW_TEXT, "-" },
	{ "[]", SHOW_TEXT, "-" },
	{ "[\"a\",\"b\",3]", SHOW_TEXT, "a, b, 3" },
	{ "{\"a\":1}", SHOW_TEXT, "{\"a\":1}" },
	{ "true", SHOW_SWITCH, "on" },
	{ "false", SHOW_SWITCH, "off" },
	{ "null", SHOW_SWITCH, "-" },
	{ "\"2026-05-01T10:00:59.123Z\"", SHOW_TIME, "2026-05-01 10:00" },
	{ "\"2026\"", SHOW_TIME, "2026" },
	{ "null", SHOW_TIME, "-" },
	{ "7", SHOW_TIME, "7" },
	{ "\"a\\u001b[31mred\\r\\nb\\u007f\"", SHOW_TEXT, "a?[31mred??b?" },
	{ "\"\\u0085x\\u009b2J\"", SHOW_TEXT, "?x?2J" },
	{ "[\"\\u001b]0;x\\u0007\"]", SHOW_TEXT, "?]0;x?" },
	{ "\"\\u001b\\u001b\"", SHOW_TIME, "??" },
};

START_TEST(test_values)
{
	struct buf text, out;
	struct cJSON *j = NULL;

	buf_init(&text, 1024);
	buf_init(&out, 1024);
	if (table[_i].json != NULL)
		buf_printf(&text, "{\"v\":%s}", table[_i].json);
	else
		buf_add_cstr(&text, "{}");
	ck_assert_int_eq(json_parse(buf_str(&text), &j, NULL), ERR_OK);
	show_value(&out, json_get(j, "v"), table[_i].kind);
	ck_assert_str_eq(buf_cstr(&out), table[_i].shown);
	json_free(j);
	buf_free(&out);
	buf_free(&text);
}
END_TEST

START_TEST(test_text_of_a_member)
{
	struct cJSON *j = NULL;
	struct buf text;

	buf_init(&text, 1024);
	ck_assert_int_eq(json_parse(STR("{\"a\":\"x\",\"b\":null,\"n\":4}"), &j, NULL), ERR_OK);
	ck_assert_str_eq(show_text(j, "a", &text), "x");
	ck_assert_str_eq(show_text(j, "b", &text), "");
	ck_assert_str_eq(show_text(j, "c", &text), "");
	ck_assert_str_eq(show_text(j, "n", &text), "4");
	ck_assert_str_eq(show_text(NULL, "a", &text), "");
	json_free(j);
	buf_free(&text);
}
END_TEST

static Suite *
show_suite(void)
{
	Suite *s = suite_create("show");
	TCase *t = tcase_create("show");
	tcase_add_loop_test(t, test_values, 0, (int)ARRAY_LEN(table));
	tcase_add_test(t, test_text_of_a_member);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(show_suite)
