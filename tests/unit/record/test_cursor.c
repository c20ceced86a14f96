/*
 * test_cursor.c — cursors survive the round trip and nothing else does.
 */
#include "record/cursor.h"

#include <string.h>

#include "tests/support/unit.h"

static const struct record_cursor_key key = { { 1, 2, 3 } };
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

static struct str
sample(struct str binding)
{
	const struct record_cursor c = { .values = { STR("Ada"), STR_NONE, STR("") }, .n = 3 };
	struct str out = STR_NONE;
	ck_assert_int_eq(record_cursor_encode(&key, binding, &c, &arena, &out), ERR_OK);
	return out;
}

START_TEST(round_trip)
{
	struct record_cursor c;
	ck_assert_int_eq(
		record_cursor_decode(&key, STR("people|7"), sample(STR("people|7")), 3, &arena, &c),
		ERR_OK);
	ck_assert(str_is(c.values[0], "Ada"));
	ck_assert_ptr_null(c.values[1].p);
	ck_assert(c.values[2].p != NULL && c.values[2].len == 0);
}
END_TEST

START_TEST(bound_to_its_list)
{
	const struct str text = sample(STR("people|7"));
	const struct record_cursor_key other = { { 9 } };
	struct record_cursor c;
	ck_assert_int_eq(record_cursor_decode(&key, STR("people|1"), text, 3, &arena, &c),
			 ERR_BAD_CURSOR);
	ck_assert_int_eq(record_cursor_decode(&key, STR("people|7"), text, 2, &arena, &c),
			 ERR_BAD_CURSOR);
	ck_assert_int_eq(record_cursor_decode(&key, STR("people|7"), text, 4, &arena, &c),
			 ERR_BAD_CURSOR);
	ck_assert_int_eq(record_cursor_decode(&other, STR("people|7"), text, 3, &arena, &c),
			 ERR_BAD_CURSOR);
	ck_assert_int_eq(record_cursor_decode(&key, STR("people|7"), STR_NONE, 3, &arena, &c),
			 ERR_BAD_CURSOR);
}
END_TEST

/* Every character changed in turn. */
START_TEST(tampered)
{
	const struct str text = sample(STR("b"));
	char copy[RECORD_CURSOR_TEXT_MAX];
	struct record_cursor c;
	for (size_t i = 0; i < text.len; i++) {
		memcpy(copy, text.p, text.len);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		ck_assert_int_eq(record_cursor_decode(&key, STR("b"),
						      (struct str) { copy, text.len }, 3, &arena,
						      &c),
				 ERR_BAD_CURSOR);
		ck_assert_int_eq(record_cursor_decode(&key, STR("b"), (struct str) { text.p, i }, 3,
						      &arena, &c),
				 ERR_BAD_CURSOR);
	}
}
END_TEST

START_TEST(long_values)
{
	char text[RECORD_CURSOR_VALUE_MAX + 1];
	memset(text, 'x', sizeof(text));
	struct record_cursor c = { .n = RECORD_CURSOR_VALUES };
	struct str out = STR_NONE;
	for (size_t i = 0; i < c.n; i++)
		c.values[i] = (struct str) { text, i == 0 ? RECORD_CURSOR_VALUE_MAX : 36 };
	ck_assert_int_eq(record_cursor_encode(&key, STR("b"), &c, &arena, &out), ERR_OK);
	ck_assert_uint_le(out.len, RECORD_CURSOR_TEXT_MAX);
	struct record_cursor back;
	ck_assert_int_eq(record_cursor_decode(&key, STR("b"), out, c.n, &arena, &back), ERR_OK);
	ck_assert_uint_eq(back.values[0].len, RECORD_CURSOR_VALUE_MAX);
	c.values[0].len++;
	ck_assert_int_eq(record_cursor_encode(&key, STR("b"), &c, &arena, &out), ERR_INVALID);
	/* Each one would do, together they do not fit into an address. */
	for (size_t i = 0; i < c.n; i++)
		c.values[i] = (struct str) { text, RECORD_CURSOR_VALUE_MAX };
	ck_assert_int_eq(record_cursor_encode(&key, STR("b"), &c, &arena, &out), ERR_INVALID);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("record_cursor");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, bound_to_its_list);
	tcase_add_test(tc, tampered);
	tcase_add_test(tc, long_values);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
