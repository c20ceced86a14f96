/*
 * test_router.c — request targets and the route trie: what is matched, what is refused at start,
 * what is answered 405.
 */
#include "http/router.h"

#include "tests/support/unit.h"

#define ID "01890a5d-ac96-774b-bcce-b302099a8057"

static const struct step_row steps[] = { { 0 } };

#define ROUTE(m, p)                                                                                \
	{                                                                                          \
		.method = (m), .pattern = (p), .name = (p), .steps = steps                         \
	}

static const struct http_route table[] = {
	ROUTE(HTTP_GET, "/"),
	ROUTE(HTTP_GET, "/healthz"),
	ROUTE(HTTP_GET, "/v1/flags"),
	ROUTE(HTTP_POST, "/v1/flags"),
	ROUTE(HTTP_GET, "/v1/flags/{key:slug}"),
	ROUTE(HTTP_POST, "/v1/flags/{key:slug}/enable"),
	ROUTE(HTTP_GET, "/v1/flags/mine"),
	ROUTE(HTTP_GET, "/v1/{resource:slug}"),
	ROUTE(HTTP_GET, "/v1/{resource:slug}/{id:uuid}"),
	ROUTE(HTTP_PATCH, "/v1/{resource:slug}/{id:uuid}"),
	ROUTE(HTTP_DELETE, "/v1/{resource:slug}/{n:int}"),
	ROUTE(HTTP_GET, "/v1/people/{id:uuid}/360"),
	ROUTE(HTTP_PUT, "/v1/people/by/{system:any}/{value:any}"),
	ROUTE(HTTP_GET, "/files/{path:rest}"),
	ROUTE(HTTP_OPTIONS, "/v1/own"),
};

static struct http_router *
router_of(const struct http_route *routes, size_t n)
{
	struct http_router *r = http_router_create();
	for (size_t i = 0; i < n; i++) {
		struct http_row *row = NULL;
		struct err_info info = { .code = ERR_OK };
		ck_assert_msg(http_router_add(r, &routes[i], &row, &info) == ERR_OK, "%s",
			      info.msg);
	}
	return r;
}

#define BIT(m) (1u << (m))

static const struct {
	enum http_method method;
	const char *target;
	const char *pattern; /* NULL: no route */
	unsigned allowed;
	const char *param; /* the last one's value */
} finds[] = {
	{ HTTP_GET, "/", "/", 0, NULL },
	{ HTTP_GET, "http://host:80/healthz", "/healthz", 0, NULL },
	{ HTTP_GET, "HTTPS://host", "/", 0, NULL },
	{ HTTP_HEAD, "/healthz", "/healthz", 0, NULL },
	{ HTTP_GET, "/healthz?x=1", "/healthz", 0, NULL },
	{ HTTP_GET, "/healthz/", NULL, 0, NULL },
	{ HTTP_GET, "//healthz", NULL, 0, NULL },
	{ HTTP_GET, "/Healthz", NULL, 0, NULL },
	{ HTTP_GET, "/h%65althz", "/healthz", 0, NULL },
	{ HTTP_POST, "/healthz", NULL, BIT(HTTP_GET) | BIT(HTTP_HEAD) | BIT(HTTP_OPTIONS), NULL },
	{ HTTP_GET, "/v1/flags", "/v1/flags", 0, NULL },
	{ HTTP_GET, "/v1/flags/mine", "/v1/flags/mine", 0, NULL },
	{ HTTP_GET, "/v1/flags/mine2", "/v1/flags/{key:slug}", 0, "mine2" },
	{ HTTP_GET, "/v1/flags/-x", NULL, 0, NULL },
	{ HTTP_POST, "/v1/flags/mine/enable", "/v1/flags/{key:slug}/enable", 0, "mine" },
	{ HTTP_GET, "/v1/people", "/v1/{resource:slug}", 0, "people" },
	{ HTTP_GET, "/v1/people/" ID, "/v1/{resource:slug}/{id:uuid}", 0, ID },
	{ HTTP_GET, "/v1/people/" ID "/360", "/v1/people/{id:uuid}/360", 0, ID },
	{ HTTP_GET, "/v1/teams/" ID "/360", NULL, 0, NULL },
	{ HTTP_PATCH, "/v1/people/" ID, "/v1/{resource:slug}/{id:uuid}", 0, ID },
	{ HTTP_DELETE, "/v1/people/-42", "/v1/{resource:slug}/{n:int}", 0, "-42" },
	{ HTTP_DELETE, "/v1/people/4x", NULL, 0, NULL },
	{ HTTP_DELETE, "/v1/people/1234567890123456789", NULL, 0, NULL },
	{ HTTP_POST, "/v1/people/" ID, NULL,
	  BIT(HTTP_GET) | BIT(HTTP_HEAD) | BIT(HTTP_PATCH) | BIT(HTTP_OPTIONS), NULL },
	{ HTTP_PUT, "/v1/people/by/erp/a%2Fb", "/v1/people/by/{system:any}/{value:any}", 0, "a/b" },
	{ HTTP_PUT, "/v1/people/by/erp/%C3%A9", "/v1/people/by/{system:any}/{value:any}", 0,
	  "\xc3\xa9" },
	{ HTTP_PUT, "/v1/people/by/erp/", NULL, 0, NULL },
	{ HTTP_GET, "/files/", "/files/{path:rest}", 0, "" },
	{ HTTP_GET, "/files/a/b/c.css", "/files/{path:rest}", 0, "a/b/c.css" },
	{ HTTP_GET, "/files", NULL, 0, NULL },
	{ HTTP_OPTIONS, "/v1/own", "/v1/own", 0, NULL },
	{ HTTP_OPTIONS, "/healthz", NULL, BIT(HTTP_GET) | BIT(HTTP_HEAD) | BIT(HTTP_OPTIONS),
	  NULL },
	{ HTTP_GET, "/nowhere", NULL, 0, NULL },
};

START_TEST(find)
{
	struct http_router *r = router_of(table, ARRAY_LEN(table));
	struct http_target target;
	struct err_info info = { .code = ERR_OK };
	unsigned allowed = 0;
	const char *text = finds[_i].target;
	ck_assert_msg(http_target_read(str_of(text), finds[_i].method, &target, &info) == ERR_OK,
		      "%s: %s", text, info.msg);
	const struct http_row *row = http_router_find(r, finds[_i].method, &target, &allowed);
	if (finds[_i].pattern == NULL) {
		ck_assert_msg(row == NULL, "%s went to %s", text,
			      row != NULL ? row->route->pattern : "");
		ck_assert_msg(allowed == finds[_i].allowed, "%s: allowed %x", text, allowed);
	} else {
		ck_assert_msg(row != NULL, "%s has no route", text);
		ck_assert_str_eq(row->route->pattern, finds[_i].pattern);
	}
	if (finds[_i].param != NULL) {
		const struct http_param *p = &row->params[row->n_params - 1];
		struct str value = target.segments[p->segment];
		if (p->kind == HTTP_REST)
			value.len = (size_t)(target.path.p + target.path.len - value.p);
		ck_assert_msg(str_is(value, finds[_i].param), "%s: param %.*s", text,
			      STR_FMT(value));
	}
	http_router_destroy(r);
}
END_TEST

static const struct {
	struct http_route first, second;
	const char *named; /* in the message */
} refused[] = {
	{ ROUTE(HTTP_GET, "/a"), ROUTE(HTTP_GET, "/a"), "GET \"/a\" is there twice" },
	{ ROUTE(HTTP_GET, "/{a:uuid}"), ROUTE(HTTP_GET, "/{b:uuid}"),
	  "\"/{b:uuid}\" is there twice" },
	{ ROUTE(HTTP_GET, "/{a:uuid}"), ROUTE(HTTP_GET, "/{b:slug}"),
	  "\"/{b:slug}\" is ambiguous with \"/{a:uuid}\"" },
	{ ROUTE(HTTP_GET, "/{a:int}/x"), ROUTE(HTTP_GET, "/{b:any}/x"), "ambiguous" },
	{ ROUTE(HTTP_GET, "/{a:any}/{b:any}"), ROUTE(HTTP_GET, "/{c:rest}"), "ambiguous" },
	{ ROUTE(HTTP_GET, "/{a:slug}/{b:any}"), ROUTE(HTTP_GET, "/{a:slug}/{c:slug}"),
	  "ambiguous" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "no-slash"), "no-slash" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, ""), "slash" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "/a//b"), "/a//b" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "/a/"), "/a/" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "/{id}"), "{id}" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "/{:int}"), "{:int}" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "/{id:text}"), "{id:text}" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "/{id:int"), "{id:int" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "/x{id:int}"), "x{id:int}" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "/{p:rest}/x"), "last" },
	{ ROUTE(HTTP_GET, "/ok"), ROUTE(HTTP_GET, "/{a:int}/{a:int}"), "twice" },
	{ ROUTE(HTTP_GET, "/ok"),
	  ROUTE(HTTP_GET,
		"/{a:int}/{b:int}/{c:int}/{d:int}/{e:int}/{f:int}/{g:int}/{h:int}/{i:int}"),
	  "too many parameters" },
};

START_TEST(refuse)
{
	struct http_router *r = router_of(&refused[_i].first, 1);
	struct http_row *row = NULL;
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(http_router_add(r, &refused[_i].second, &row, &info), ERR_CONFIG);
	ck_assert_msg(strstr(info.msg, refused[_i].named) != NULL, "%s does not say %s", info.msg,
		      refused[_i].named);
	http_router_destroy(r);
}
END_TEST

/* Not ambiguous: another method, a literal that decides, kinds that exclude each other, another
 * length. */
START_TEST(side_by_side)
{
	static const struct http_route fine[] = {
		ROUTE(HTTP_GET, "/a/{x:uuid}"),  ROUTE(HTTP_GET, "/a/{x:int}"),
		ROUTE(HTTP_POST, "/a/{x:slug}"), ROUTE(HTTP_GET, "/a/b"),
		ROUTE(HTTP_GET, "/{k:slug}/c"),  ROUTE(HTTP_GET, "/{k:slug}/{j:any}/d"),
		ROUTE(HTTP_PUT, "/{all:rest}"),
	};
	struct http_router *r = router_of(fine, ARRAY_LEN(fine));
	size_t n = 0;
	const struct http_route *const *list = http_router_list(r, &n);
	ck_assert_uint_eq(n, ARRAY_LEN(fine));
	for (size_t i = 0; i < n; i++)
		ck_assert_ptr_eq(list[i], &fine[i]);
	http_router_destroy(r);
}
END_TEST

static const struct {
	const char *target;
	enum err want;
	const char *why;
} targets[] = {
	{ "/a%", ERR_BAD_REQUEST, "escape cut off" },
	{ "/a%4", ERR_BAD_REQUEST, "escape cut off after a digit" },
	{ "/a%4g", ERR_BAD_REQUEST, "escape is not hexadecimal" },
	{ "/a%00", ERR_BAD_REQUEST, "escaped NUL in the path" },
	{ "/a%0d%0aX", ERR_BAD_REQUEST, "escaped CRLF in the path" },
	{ "/a%7f", ERR_BAD_REQUEST, "escaped DEL in the path" },
	{ "/a%ff", ERR_BAD_REQUEST, "path is not UTF-8" },
	{ "/a%c0%af", ERR_BAD_REQUEST, "overlong UTF-8" },
	{ "/a/../b", ERR_BAD_REQUEST, "dot dot" },
	{ "/a/%2e%2E/b", ERR_BAD_REQUEST, "escaped dot dot" },
	{ "/a/.", ERR_BAD_REQUEST, "dot" },
	{ "/a/...", ERR_OK, "three dots are a name" },
	{ "/a#b", ERR_BAD_REQUEST, "fragment" },
	{ "/a?b#c", ERR_BAD_REQUEST, "fragment behind the query" },
	{ "/a\\b", ERR_BAD_REQUEST, "backslash" },
	{ "/a\"b", ERR_BAD_REQUEST, "quote" },
	{ "/a<b>", ERR_BAD_REQUEST, "angle brackets" },
	{ "a/b", ERR_BAD_REQUEST, "relative" },
	{ "*", ERR_BAD_REQUEST, "asterisk with GET" },
	{ "host:80", ERR_BAD_REQUEST, "authority-form" },
	{ "ftp://host/a", ERR_BAD_REQUEST, "another scheme" },
	{ "http://", ERR_BAD_REQUEST, "no authority" },
	{ "http:///a", ERR_BAD_REQUEST, "empty authority" },
	{ "http://u:p@host/a", ERR_BAD_REQUEST, "user information" },
	{ "http://host?a=b", ERR_OK, "absolute without a path" },
	{ "/a?b=%", ERR_BAD_REQUEST, "broken escape in the query" },
	{ "/a?b=%00", ERR_BAD_REQUEST, "escaped NUL in the query" },
	{ "/a?b=%ff", ERR_BAD_REQUEST, "query is not UTF-8" },
	{ "/a?b=%0a", ERR_OK, "escaped newline in the query" },
	{ "/a?x[y]={z}|", ERR_OK, "what browsers send" },
	{ "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3", ERR_NO_ROUTE,
	  "33 segments" },
};

START_TEST(target_forms)
{
	struct http_target t;
	struct err_info info = { .code = ERR_OK };
	const enum err e = http_target_read(str_of(targets[_i].target), HTTP_GET, &t, &info);
	ck_assert_msg(e == targets[_i].want, "%s: %s", targets[_i].why, err_row(e)->name);
	ck_assert_msg(e == ERR_OK || info.msg[0] != '\0', "%s: no reason", targets[_i].why);
}
END_TEST

START_TEST(query)
{
	static const char *const want[][2] = {
		{ "a", "1 2" }, { "b", "" }, { "", "x" }, { "c&=", "\xc3\xa9+" }, { "a", "again" }
	};
	struct arena a;
	struct http_pair *list = NULL;
	size_t n = 0;
	arena_init(&a, 100000);
	ck_assert_int_eq(
		http_query_read(STR("a=1+2&&b&=x&c%26%3D=%C3%A9%2b&a=again&"), &a, &list, &n),
		ERR_OK);
	ck_assert_uint_eq(n, ARRAY_LEN(want));
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(str_is(list[i].name, want[i][0]), "name %zu: %.*s", i,
			      STR_FMT(list[i].name));
		ck_assert_msg(str_is(list[i].value, want[i][1]), "value %zu: %.*s", i,
			      STR_FMT(list[i].value));
	}
	arena_release(&a);
	arena_trim();
}
END_TEST

START_TEST(query_limit)
{
	struct http_target t;
	struct err_info info = { .code = ERR_OK };
	struct buf b;
	buf_init(&b, 10000);
	buf_add_cstr(&b, "/?");
	for (int i = 0; i < HTTP_QUERY_MAX; i++)
		buf_add_cstr(&b, i == 0 ? "a=1" : "&a=1");
	ck_assert_int_eq(http_target_read(buf_str(&b), HTTP_GET, &t, &info), ERR_OK);
	buf_add_cstr(&b, "&a=1");
	ck_assert_int_eq(http_target_read(buf_str(&b), HTTP_GET, &t, &info), ERR_BAD_REQUEST);
	buf_free(&b);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http/router");
	TCase *c = tcase_create("router");
	tcase_add_loop_test(c, find, 0, ARRAY_LEN(finds));
	tcase_add_loop_test(c, refuse, 0, ARRAY_LEN(refused));
	tcase_add_test(c, side_by_side);
	tcase_add_loop_test(c, target_forms, 0, ARRAY_LEN(targets));
	tcase_add_test(c, query);
	tcase_add_test(c, query_limit);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
