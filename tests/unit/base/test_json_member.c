/* Members by name: what is unknown is named with its nearest neighbour, a text keeps its bounds, and each error has its place. */
#include "base/json_member.h"

#include <string.h>

#include "tests/support/unit.h"

static struct arena arena;
static struct json_member members[8];
static size_t n;

static void
scan(const char *text)
{
	struct err_info info = { .code = ERR_OK };

	n = ARRAY_LEN(members);
	ck_assert_int_eq(json_scan_object(str_of(text), &arena, members, &n, &info), ERR_OK);
}

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

static const char *const known[] = { "name", "purpose", NULL };

START_TEST(finds)
{
	scan("{\"name\":\"x\",\"purpose\":1}");
	ck_assert_ptr_eq(json_member_find(members, n, "purpose"), &members[1]);
	ck_assert_ptr_null(json_member_find(members, n, "nam"));
	ck_assert_int_eq(json_members_known(members, n, known, "", NULL), ERR_OK);
	ck_assert_int_eq(json_members_known(members, 0, known, "", NULL), ERR_OK);
}
END_TEST

START_TEST(names_what_is_unknown)
{
	struct err_info info = { .code = ERR_OK };

	scan("{\"name\":\"x\",\"purpse\":1}");
	ck_assert_int_eq(json_members_known(members, n, known, "/a/0", &info), ERR_INVALID);
	ck_assert_str_eq(info.field, "/a/0/purpse");
	ck_assert_str_eq(info.msg, "\"purpse\" is not a member that is known here; did you mean "
				   "\"purpose\"?");
	info.code = ERR_OK;
	scan("{\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\":"
	     "1}");
	ck_assert_int_eq(json_member_unknown(members[0].key, NULL, "", &info), ERR_INVALID);
	ck_assert_uint_eq(strlen(info.field), 65);
	ck_assert_ptr_null(strstr(info.msg, "did you mean"));
}
END_TEST

static const struct {
	const char *body;
	size_t min;
	enum err err;
	const char *out; /* the text, or the message */
} texts[] = {
	{ "{\"a\":\"b\\n\"}", 1, ERR_OK, "b\n" },
	{ "{}", 0, ERR_OK, "before" },
	{ "{}", 1, ERR_INVALID, "\"a\" is required" },
	{ "{\"a\":1}", 0, ERR_INVALID, "must be a string" },
	{ "{\"a\":null}", 0, ERR_INVALID, "must be a string" },
	{ "{\"a\":\"\"}", 0, ERR_OK, "" },
	{ "{\"a\":\"\"}", 1, ERR_INVALID, "must have 1 to 5 bytes, not 0" },
	{ "{\"a\":\" \\t\"}", 1, ERR_INVALID, "must have 1 to 5 bytes, not 2" },
	{ "{\"a\":\"12345\"}", 1, ERR_OK, "12345" },
	{ "{\"a\":\"123456\"}", 0, ERR_INVALID, "must have 0 to 5 bytes, not 6" },
};

START_TEST(reads_texts)
{
	struct err_info info = { .code = ERR_OK };
	struct str out = STR("before");

	scan(texts[_i].body);
	ck_assert_int_eq(
		json_member_text(members, n, "a", texts[_i].min, 5, "", &arena, &out, &info),
		texts[_i].err);
	if (texts[_i].err == ERR_OK) {
		ck_assert_msg(str_is(out, texts[_i].out), "%.*s", STR_FMT(out));
		return;
	}
	ck_assert_str_eq(info.msg, texts[_i].out);
	ck_assert_str_eq(info.field, "/a");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("json_member");
	TCase *tc = tcase_create("json_member");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, finds);
	tcase_add_test(tc, names_what_is_unknown);
	tcase_add_loop_test(tc, reads_texts, 0, ARRAY_LEN(texts));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
