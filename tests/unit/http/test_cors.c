/*
 * test_cors.c — what counts as an origin, and what is said to pages of another one.
 */
#include "http/cors.h"

#include <string.h>

#include "../../support/unit.h"
#include "http/http.h"

static const struct {
	const char *text;
	bool valid;
} origins[] = {
	{ "https://core.example.org", true },
	{ "http://127.0.0.1:7410", true },
	{ "http://[::1]:7410", true },
	{ "", false },
	{ "https://", false },
	{ "core.example.org", false },
	{ "ftp://core.example.org", false },
	{ "https://Core.example.org", false },
	{ "https://core.example.org/", false },
	{ "https://core.example.org; script-src *", false },
	{ "https://*.example.org", false },
	{ "https://a b", false },
	{ "https://a\r\nX: y", false },
};

START_TEST(is_origin)
{
	ck_assert_msg(http_origin_valid(origins[_i].text) == origins[_i].valid, "\"%s\"",
		      origins[_i].text);
}
END_TEST

#define OURS "https://core.example.org"

static enum http_cors
of(const char *origin, enum http_method method, const char *request)
{
	const struct str text = str_of(request);
	struct http_head h = { .method = method };
	if (text.len > 0) {
		const size_t colon = str_find(text, ':');
		h.fields[0] = (struct http_field) {
			.name = { 0, (uint32_t)colon },
			.value = { (uint32_t)colon + 2, (uint32_t)(text.len - colon - 2) },
		};
		h.n_fields = 1;
	}
	return http_cors_of(origin, &h, request);
}

START_TEST(whose_page)
{
	ck_assert_int_eq(of(OURS, HTTP_GET, "Origin: " OURS), HTTP_CORS_ANSWER);
	ck_assert_int_eq(of(OURS, HTTP_DELETE, "ORIGIN: " OURS), HTTP_CORS_ANSWER);
	ck_assert_int_eq(of(OURS, HTTP_OPTIONS, "Origin: " OURS), HTTP_CORS_PREFLIGHT);
	ck_assert_int_eq(of(OURS, HTTP_GET, "Origin: " OURS ":444"), HTTP_CORS_NONE);
	ck_assert_int_eq(of(OURS, HTTP_GET, "Origin: null"), HTTP_CORS_NONE);
	ck_assert_int_eq(of(OURS, HTTP_GET, ""), HTTP_CORS_NONE);
	ck_assert_int_eq(of("", HTTP_GET, "Origin: " OURS), HTTP_CORS_NONE);
	ck_assert_int_eq(of(NULL, HTTP_GET, "Origin: " OURS), HTTP_CORS_NONE);
}
END_TEST

START_TEST(lines)
{
	struct buf out;
	buf_init(&out, 4096);
	http_cors_write(&out, NULL, HTTP_CORS_ANSWER);
	ck_assert_uint_eq(out.len, 0);
	http_cors_write(&out, OURS, HTTP_CORS_NONE);
	ck_assert_str_eq(buf_cstr(&out), "\r\nVary: Origin");
	for (int cors = HTTP_CORS_ANSWER; cors <= HTTP_CORS_PREFLIGHT; cors++) {
		buf_reset(&out);
		http_cors_write(&out, OURS, (enum http_cors)cors);
		ck_assert_ptr_nonnull(
			strstr(buf_cstr(&out), "\r\nAccess-Control-Allow-Origin: " OURS "\r\n"));
		ck_assert_uint_le(out.len, HTTP_CORS_BYTES_MAX);
	}
	buf_free(&out);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("cors");
	TCase *tc = tcase_create("all");
	tcase_add_loop_test(tc, is_origin, 0, (int)ARRAY_LEN(origins));
	tcase_add_test(tc, whose_page);
	tcase_add_test(tc, lines);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
