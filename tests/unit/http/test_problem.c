/*
 * test_problem.c — the bytes of problem bodies: every error of the table, the parts that may be
 * missing, escaping.
 */
#include "http/http.h"

#include "tests/support/unit.h"

static const struct {
	enum err code;
	const char *field, *msg, *members, *id;
	const char *want;
	int status;
} rows[] = {
	{ ERR_STALE, "", "", "", "",
	  "{\"type\":\"urn:bimodal:problem:stale-version\",\"title\":\"The record has changed "
	  "since it was read\",\"status\":412,"
	  "\"code\":\"stale-version\",\"retryable\":false}",
	  412 },
	{ ERR_STALE, "", "It is at version 43.", "\"current_version\":43", "abc",
	  "{\"type\":\"urn:bimodal:problem:stale-version\",\"title\":\"The record has changed "
	  "since it was read\",\"status\":412,"
	  "\"detail\":\"It is at version "
	  "43.\",\"code\":\"stale-version\",\"retryable\":false,\"instance\":\"urn:uuid:abc\","
	  "\"request_id\":\"abc\",\"current_version\":43}",
	  412 },
	{ ERR_INVALID, "/email", "must contain one @", "", "",
	  "{\"type\":\"urn:bimodal:problem:invalid\",\"title\":\"The request is not "
	  "valid\",\"status\":422,"
	  "\"detail\":\"must contain one @\",\"code\":\"invalid\",\"retryable\":false,"
	  "\"errors\":[{\"pointer\":\"/email\",\"code\":\"invalid\",\"detail\":\"must contain one "
	  "@\"}]}",
	  422 },
	{ ERR_BUSY, "limit", "", "", "",
	  "{\"type\":\"urn:bimodal:problem:overloaded\",\"title\":\"The server is too "
	  "busy\",\"status\":503,"
	  "\"code\":\"overloaded\",\"retryable\":true,\"errors\":[{\"name\":\"limit\",\"code\":"
	  "\"overloaded\"}]}",
	  503 },
	{ ERR_BAD_REQUEST, "", "a \"quote\" and \x01", "", "",
	  "{\"type\":\"urn:bimodal:problem:bad-request\",\"title\":\"The request could not be "
	  "understood\",\"status\":400,"
	  "\"detail\":\"a \\\"quote\\\" and "
	  "\\u0001\",\"code\":\"bad-request\",\"retryable\":false}",
	  400 },
	{ ERR_OK, "", "", "", "",
	  "{\"type\":\"urn:bimodal:problem:internal\",\"title\":\"Something went wrong on our "
	  "side\",\"status\":500,"
	  "\"code\":\"internal\",\"retryable\":false}",
	  500 },
};

START_TEST(bodies)
{
	struct err_info info = { .code = rows[_i].code };
	struct buf b;
	int status = 0;
	buf_init(&b, 4096);
	ck_assert(str_copy(info.field, sizeof(info.field), str_of(rows[_i].field)));
	ck_assert(str_copy(info.msg, sizeof(info.msg), str_of(rows[_i].msg)));
	http_problem(&b, &info, str_of(rows[_i].members), str_of(rows[_i].id), &status);
	ck_assert_str_eq(buf_cstr(&b), rows[_i].want);
	ck_assert_int_eq(status, rows[_i].status);
	buf_free(&b);
}
END_TEST

START_TEST(whole_table)
{
	const struct err_info info = { .code = (enum err)_i };
	struct buf b;
	int status = 0;
	buf_init(&b, 4096);
	http_problem(&b, &info, STR_NONE, STR_NONE, &status);
	ck_assert(!b.failed);
	ck_assert_int_eq(status, err_row((enum err)_i)->status);
	ck_assert_int_ge(status, 400);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), err_row((enum err)_i)->slug));
	buf_free(&b);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http/problem");
	TCase *c = tcase_create("problem");
	tcase_add_loop_test(c, bodies, 0, ARRAY_LEN(rows));
	tcase_add_loop_test(c, whole_table, 1, ERR_COUNT);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
