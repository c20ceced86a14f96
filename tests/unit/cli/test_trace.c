/*
 * test_trace.c — what of a reply is left out of the trace.
 */
#include <stdio.h>
#include <string.h>

#include "cli/trace.h"
#include "tests/support/unit.h"

static const struct {
	const char *in;
	const char *out; /* NULL: as it came */
} table[] = {
	{ "", NULL },
	{ "{}", NULL },
	{ "{\"token\":\"bm_core_x\"}", "{\"token\":\"…\"}" },
	{ "{ \"csrf_token\" :\t\"a\\\"b\" , \"name\":\"c\" }",
	  "{ \"csrf_token\" :\t\"…\" , \"name\":\"c\" }" },
	{ "[{\"secret\":\"a\",\"id\":\"1\"},{\"secret\":\"\"}]",
	  "[{\"secret\":\"…\",\"id\":\"1\"},{\"secret\":\"…\"}]" },
	{ "{\"a\":{\"b\":[{\"new_password\":\"x\"}]}}",
	  "{\"a\":{\"b\":[{\"new_password\":\"…\"}]}}" },
	/* No text, no secret; nor a value that reads like a name. */
	{ "{\"password\":true,\"tokens_seen\":3,\"secret\":null,\"a\":\"token\",\"b\":\"x\"}",
	  NULL },
	{ "{\"a\":\"\\\"token\\\":\\\"x\\\"\",\"b\":\"\\\\\"}", NULL },
	{ "{\"token\":[\"kept\"]}", NULL },
	/* No JSON at all, or half of it. */
	{ "plain \"text\": words", NULL },
	{ "{\"token", NULL },
	{ "{\"token\"", NULL },
	{ "{\"token\":", NULL },
	{ "{\"token\":\"half", "{\"token\":\"…\"" },
	{ "\"", NULL },
	{ "\"\\", NULL },
};

START_TEST(test_secrets_are_left_out)
{
	struct buf out;

	buf_init(&out, 1024);
	trace_masked(&out, str_of(table[_i].in));
	ck_assert_str_eq(buf_cstr(&out), table[_i].out != NULL ? table[_i].out : table[_i].in);
	buf_free(&out);
}
END_TEST

START_TEST(test_without_a_file_nothing_is_traced)
{
	ck_assert(!trace_on());
	trace_exchange(&(struct trace_exchange) { .daemon = "core", .method = "GET" });
	ck_assert(!trace_open("/nowhere/at/all"));
	ck_assert(!trace_on());
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("trace");
	TCase *t = tcase_create("trace");

	tcase_add_loop_test(t, test_secrets_are_left_out, 0, ARRAY_LEN(table));
	tcase_add_test(t, test_without_a_file_nothing_is_traced);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
