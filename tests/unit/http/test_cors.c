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

static const struct {
	const char *text;
	bool valid;
} lists[] = {
	{ "", true },
	{ "https://a.example.org", true },
	{ "https://a.example.org http://127.0.0.1:3000", true },
	{ "https://a.example.org  http://127.0.0.1:3000", false },
	{ " https://a.example.org", false },
	{ "https://a.example.org ", false },
	{ "https://a.example.org,https://b.example.org", false },
	{ "*", false },
};

START_TEST(is_list_of_origins)
{
	ck_assert_msg(http_origins_valid(lists[_i].text) == lists[_i].valid, "\"%s\"",
		      lists[_i].text);
}
END_TEST

#define OURS "https://core.example.org"
#define SHOP "https://shop.example.org"
#define BLOG "https://blog.example.org"

/* The kind of a request with this header line; `cors` gets the whole. */
static enum http_cors_kind
of(const struct http_conf *conf, enum http_method method, const char *target, const char *line,
   struct http_cors *cors)
{
	static char text[512];
	const size_t at = strlen(target);
	struct http_head h = { .method = method, .target = { 0, (uint32_t)at } };
	ck_assert(str_copy(text, sizeof(text), str_of(target)));
	ck_assert(str_copy(text + at, sizeof(text) - at, str_of(line)));
	const size_t colon = str_find(str_of(line), ':');
	if (line[0] != '\0') {
		h.fields[0] = (struct http_field) {
			.name = { (uint32_t)at, (uint32_t)colon },
			.value = { (uint32_t)(at + colon + 2),
				   (uint32_t)(strlen(line) - colon - 2) },
		};
		h.n_fields = 1;
	}
	*cors = http_cors_of(conf, &h, text);
	return cors->kind;
}

START_TEST(whose_page)
{
	const struct http_conf one = { .cors_origin = OURS };
	const struct http_conf none = { .cors_origin = "" };
	const struct http_conf unset = { .cors_origin = NULL };
	struct http_cors c;
	ck_assert_int_eq(of(&one, HTTP_GET, "/v1", "Origin: " OURS, &c), HTTP_CORS_ANSWER);
	ck_assert(str_is(c.origin, OURS));
	ck_assert_int_eq(of(&one, HTTP_DELETE, "/v1", "ORIGIN: " OURS, &c), HTTP_CORS_ANSWER);
	ck_assert_int_eq(of(&one, HTTP_OPTIONS, "/v1", "Origin: " OURS, &c), HTTP_CORS_PREFLIGHT);
	ck_assert_int_eq(of(&one, HTTP_GET, "/v1", "Origin: " OURS ":444", &c), HTTP_CORS_NONE);
	ck_assert(c.varies);
	ck_assert_int_eq(of(&one, HTTP_GET, "/v1", "Origin: null", &c), HTTP_CORS_NONE);
	ck_assert_int_eq(of(&one, HTTP_GET, "/v1", "", &c), HTTP_CORS_NONE);
	ck_assert(c.varies);
	ck_assert_int_eq(of(&none, HTTP_GET, "/v1", "Origin: " OURS, &c), HTTP_CORS_NONE);
	ck_assert_int_eq(of(&unset, HTTP_GET, "/v1", "Origin: " OURS, &c), HTTP_CORS_NONE);
	ck_assert(!c.varies);
}
END_TEST

START_TEST(whose_page_by_path)
{
	const struct http_conf conf = { .cors_prefix = "/ofrep/", .cors_origins = SHOP " " BLOG };
	const struct http_conf both = { .cors_origin = OURS,
					.cors_prefix = "/ofrep/",
					.cors_origins = SHOP };
	struct http_cors c;
	ck_assert_int_eq(of(&conf, HTTP_POST, "/ofrep/v1", "Origin: " SHOP, &c), HTTP_CORS_ANSWER);
	ck_assert(str_is(c.origin, SHOP));
	ck_assert_int_eq(of(&conf, HTTP_OPTIONS, "/ofrep/v1", "Origin: " BLOG, &c),
			 HTTP_CORS_PREFLIGHT);
	ck_assert(str_is(c.origin, BLOG));
	ck_assert_int_eq(of(&conf, HTTP_POST, "/v1/people", "Origin: " SHOP, &c), HTTP_CORS_NONE);
	ck_assert(!c.varies);
	ck_assert_int_eq(of(&conf, HTTP_POST, "/ofrep/v1", "Origin: " SHOP " " BLOG, &c),
			 HTTP_CORS_NONE);
	ck_assert_int_eq(of(&conf, HTTP_POST, "/ofrep/v1", "Origin: https://shop.example", &c),
			 HTTP_CORS_NONE);
	ck_assert(c.varies);
	ck_assert_int_eq(of(&both, HTTP_POST, "/ofrep/v1", "Origin: " OURS, &c), HTTP_CORS_ANSWER);
	ck_assert_int_eq(of(&both, HTTP_POST, "/ofrep/v1", "Origin: " SHOP, &c), HTTP_CORS_ANSWER);
	ck_assert_int_eq(of(&both, HTTP_POST, "/v1/people", "Origin: " SHOP, &c), HTTP_CORS_NONE);
}
END_TEST

START_TEST(lines)
{
	struct http_cors cors = { .varies = false };
	struct buf out;
	buf_init(&out, 4096);
	http_cors_write(&out, &cors);
	ck_assert_uint_eq(out.len, 0);
	cors.varies = true;
	http_cors_write(&out, &cors);
	ck_assert_str_eq(buf_cstr(&out), "\r\nVary: Origin");
	cors.origin = STR(OURS);
	for (int kind = HTTP_CORS_ANSWER; kind <= HTTP_CORS_PREFLIGHT; kind++) {
		buf_reset(&out);
		cors.kind = (enum http_cors_kind)kind;
		http_cors_write(&out, &cors);
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
	tcase_add_loop_test(tc, is_list_of_origins, 0, (int)ARRAY_LEN(lists));
	tcase_add_test(tc, whose_page);
	tcase_add_test(tc, whose_page_by_path);
	tcase_add_test(tc, lines);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
