/*
 * test_value.c — JSON as a flat tree: reading, numbers as JavaScript writes and reads them, equality, places.
 */
#include <math.h>
#include <string.h>

#include "flag/flag.h"
#include "tests/support/unit.h"

static struct arena arena;

static void
setup(void)
{
	arena_init(&arena, ARENA_CAP_BYTES);
}

static void
teardown(void)
{
	arena_release(&arena);
}

static const struct flag_value *
read_text(const char *text)
{
	const struct flag_value *v = NULL;
	ck_assert_msg(flag_value_read(&arena, str_of(text), "", 1000, &v, NULL) == ERR_OK, "%s",
		      text);
	return v;
}

START_TEST(tree)
{
	const struct flag_value *v =
		read_text(" {\"a\\u0062\":[1,{\"x\":null},\"\\n\"],\"\":true, \"c\":{} } ");
	ck_assert_int_eq(v->n, 3);
	ck_assert_int_eq(v->size, 8);
	const struct flag_value *a = flag_value_member(v, STR("ab"));
	ck_assert_ptr_nonnull(a);
	ck_assert_int_eq(a->n, 3);
	const struct flag_value *one = flag_value_first(a);
	ck_assert(one->kind == JSON_NUMBER && one->number == 1 && str_is(one->text, "1"));
	const struct flag_value *object = flag_value_next(one);
	ck_assert(flag_value_member(object, STR("x"))->kind == JSON_NULL);
	ck_assert(str_is(flag_value_next(object)->text, "\n"));
	ck_assert(flag_value_member(v, STR(""))->kind == JSON_TRUE);
	ck_assert(flag_value_member(v, STR("c"))->n == 0);
	ck_assert_ptr_null(flag_value_member(v, STR("d")));
	ck_assert_ptr_null(flag_value_member(a, STR("0")));
}
END_TEST

/* clang-format off: a table */
static const struct {
	const char *json, *text;
} NUMBER[] = {
	{ "0", "0" },
	{ "-0", "0" },
	{ "1.0", "1" },
	{ "10", "10" },
	{ "-7.50", "-7.5" },
	{ "1e3", "1000" },
	{ "0.1", "0.1" },
	{ "1e-7", "1e-7" },
	{ "0.000001", "0.000001" },
	{ "1.5e-9", "1.5e-9" },
	{ "123456789012345680000", "123456789012345680000" },
	{ "1e21", "1e+21" },
	{ "-1.25e30", "-1.25e+30" },
	{ "9007199254740993", "9007199254740992" },
	{ "0.30000000000000004", "0.30000000000000004" },
	{ "1234.5678", "1234.5678" },
	{ "100000000000000000", "100000000000000000" },
	{ "5e-324", "5e-324" },
	{ "1.7976931348623157e308", "1.7976931348623157e+308" },
};
/* clang-format on */

START_TEST(numbers)
{
	const struct flag_value *v = read_text(NUMBER[_i].json);
	ck_assert_msg(str_is(v->text, NUMBER[_i].text), "%s: %.*s", NUMBER[_i].json,
		      STR_FMT(v->text));
}
END_TEST

START_TEST(as_number)
{
	ck_assert(flag_value_number(read_text("null")) == 0);
	ck_assert(flag_value_number(read_text("true")) == 1);
	ck_assert(flag_value_number(read_text("\"\"")) == 0);
	ck_assert(flag_value_number(read_text("\" 8.5 \"")) == 8.5);
	ck_assert(isnan(flag_value_number(read_text("\"8x\""))));
	ck_assert(isnan(flag_value_number(read_text("[8]"))));
	ck_assert(!flag_value_truthy(read_text("0")) && !flag_value_truthy(read_text("\"\"")));
	ck_assert(flag_value_truthy(read_text("\"0\"")) && flag_value_truthy(read_text("[]")));
}
END_TEST

/* clang-format off: a table */
static const struct {
	const char *a, *b;
	bool same;
} PAIR[] = {
	{ "1", "1.0", true },
	{ "1", "\"1\"", false },
	{ "[]", "[]", true },
	{ "[]", "{}", false },
	{ "{\"a\":1,\"b\":[2,{}]}", "{\"b\":[2,{}],\"a\":1}", true },
	{ "{\"a\":1,\"b\":[2,{}]}", "{\"b\":[2,[]],\"a\":1}", false },
	{ "[1,2]", "[2,1]", false },
	{ "[1,[2,[3]]]", "[1,[2,[3]]]", true },
	{ "[1,[2,[3]]]", "[1,[2,[4]]]", false },
	{ "{\"a\":null}", "{\"b\":null}", false },
	{ "[1]", "[1,2]", false },
	{ "\"x\"", "\"x\"", true },
	{ "{\"a\":{\"b\":{\"c\":[[[1]]]}}}", "{\"a\":{\"b\":{\"c\":[[[1]]]}}}", true },
};
/* clang-format on */

START_TEST(equality)
{
	const struct flag_value *a = read_text(PAIR[_i].a);
	const struct flag_value *b = read_text(PAIR[_i].b);
	ck_assert_msg(flag_value_equal(a, b) == PAIR[_i].same, "%s %s", PAIR[_i].a, PAIR[_i].b);
	ck_assert_msg(flag_value_equal(b, a) == PAIR[_i].same, "%s %s", PAIR[_i].b, PAIR[_i].a);
}
END_TEST

START_TEST(places)
{
	char place[40];
	const struct flag_value *v = read_text("{\"a\":[0,{\"x/y~z\":5}],\"b\":1}");
	const struct flag_value *a = flag_value_member(v, STR("a"));
	const struct flag_value *inner = flag_value_next(flag_value_first(a));

	flag_value_pointer(v, v, "/at", place, sizeof(place));
	ck_assert_str_eq(place, "/at");
	flag_value_pointer(v, flag_value_first(inner), "/at", place, sizeof(place));
	ck_assert_str_eq(place, "/at/a/1/x~1y~0z");
	flag_value_pointer(v, flag_value_member(v, STR("b")), "", place, sizeof(place));
	ck_assert_str_eq(place, "/b");
	flag_value_pointer(v, flag_value_first(inner), "/a-rather-long-beginning-of-a-place", place,
			   sizeof(place));
	ck_assert_int_lt((int)strlen(place), (int)sizeof(place));
}
END_TEST

START_TEST(refused)
{
	const struct flag_value *v = NULL;
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(flag_value_read(&arena, STR("[1,2,3]"), "/x", 3, &v, &info),
			 ERR_TOO_LARGE);
	ck_assert_str_eq(info.field, "/x");
	ck_assert_int_eq(flag_value_read(&arena, STR("[1e999]"), "", 9, &v, NULL), ERR_INVALID);
	ck_assert_int_eq(flag_value_read(&arena, STR("[1"), "", 9, &v, NULL), ERR_BAD_JSON);
	ck_assert_int_eq(flag_value_read(&arena, STR(""), "", 9, &v, NULL), ERR_BAD_JSON);
	ck_assert_ptr_null(v);
}
END_TEST

/* ---- contexts ---- */

START_TEST(context)
{
	struct flag_context c;
	struct err_info info = { .code = ERR_OK };

	ck_assert_int_eq(flag_context_read(&arena,
					   STR("{\"targetingKey\":\"u1\",\"plan\":\"pro\"}"),
					   "/context", &c, &info),
			 ERR_OK);
	ck_assert(str_is(c.unit.text, "u1"));
	flag_context_unit(&c, STR_NONE);
	ck_assert_int_eq((int)c.unit.size, 0);
	ck_assert_int_eq(flag_context_read(&arena, STR("{\"a\":1,\"b\":{\"c\":1,\"c\":2},\"a\":2}"),
					   "/context", &c, &info),
			 ERR_INVALID);
	ck_assert_str_eq(info.field, "/context/a");
	info = (struct err_info) { .code = ERR_OK };
	ck_assert_int_eq(flag_context_read(&arena, STR("[]"), "/context", &c, &info), ERR_INVALID);
	ck_assert_str_eq(info.field, "/context");
	ck_assert_int_eq(flag_context_read(&arena, STR("{\"targetingKey\":7}"), "", &c, NULL),
			 ERR_OK);
	ck_assert_int_eq((int)c.unit.size, 0);
	flag_context_unit(&c, STR("a\xc3"));
	ck_assert(c.unit.kind == JSON_NULL && c.unit.text.len == 2);
}
END_TEST

START_TEST(context_limits)
{
	static char text[FLAG_CONTEXT_BYTES_MAX + 64];
	struct flag_context c;
	size_t n = 0;

	memset(text, ' ', sizeof(text));
	text[0] = '{';
	text[FLAG_CONTEXT_BYTES_MAX] = '}';
	ck_assert_int_eq(flag_context_read(&arena,
					   (struct str) { text, FLAG_CONTEXT_BYTES_MAX + 1 }, "",
					   &c, NULL),
			 ERR_TOO_LARGE);
	n = 6;
	memcpy(text, "{\"a\":[", n);
	for (int i = 0; i < FLAG_CONTEXT_VALUES_MAX; i++) {
		text[n++] = '1';
		text[n++] = ',';
	}
	memcpy(text + n, "1]}", 3);
	ck_assert_int_eq(flag_context_read(&arena, (struct str) { text, n + 3 }, "", &c, NULL),
			 ERR_TOO_LARGE);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("flag value");
	TCase *c = tcase_create("value");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, tree);
	tcase_add_loop_test(c, numbers, 0, (int)ARRAY_LEN(NUMBER));
	tcase_add_test(c, as_number);
	tcase_add_loop_test(c, equality, 0, (int)ARRAY_LEN(PAIR));
	tcase_add_test(c, places);
	tcase_add_test(c, refused);
	tcase_add_test(c, context);
	tcase_add_test(c, context_limits);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
