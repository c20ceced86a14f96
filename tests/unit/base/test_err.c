/* Errors: every row of the table is sound, and the first detail stays. */
#include "base/err.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "tests/support/unit.h"

START_TEST(row_is_sound)
{
	const struct err_row *row = err_row((enum err)_i);
	ck_assert_ptr_nonnull(row->name);
	ck_assert_msg(row->status >= 200 && row->status <= 599, "%s: %d", row->name, row->status);
	ck_assert_msg(strlen(row->slug) > 1 && strlen(row->title) > 1, "%s", row->name);
	ck_assert_msg(strspn(row->slug, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
			      strlen(row->slug),
		      "%s", row->slug);
	ck_assert_msg(row->level >= LOG_ERROR && row->level <= LOG_TRACE, "%s", row->name);
	ck_assert_msg((_i == ERR_OK) == (row->status == 200), "%s", row->name);
	for (int other = 0; other < _i; other++) {
		ck_assert_str_ne(row->name, err_row((enum err)other)->name);
		ck_assert_str_ne(row->slug, err_row((enum err)other)->slug);
	}
}
END_TEST

START_TEST(known_rows)
{
	ck_assert_int_eq(err_row(ERR_STALE)->status, 412);
	ck_assert_str_eq(err_row(ERR_STALE)->slug, "stale-version");
	ck_assert(err_row(ERR_BUSY)->retryable);
	ck_assert(!err_row(ERR_UNKNOWN_END)->retryable);
	ck_assert_ptr_eq(err_row((enum err)10000), err_row(ERR_INTERNAL));
	ck_assert_ptr_eq(err_row((enum err) - 1), err_row(ERR_INTERNAL));
}
END_TEST

START_TEST(first_detail_stays)
{
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(err_set(&info, ERR_INVALID, "/email", "must contain one %c", '@'),
			 ERR_INVALID);
	ck_assert_int_eq(err_set(&info, ERR_INTERNAL, NULL, "later"), ERR_INTERNAL);
	ck_assert_int_eq(info.code, ERR_INVALID);
	ck_assert_str_eq(info.field, "/email");
	ck_assert_str_eq(info.msg, "must contain one @");
	ck_assert_str_eq(info.sqlstate, "");
	err_clear(&info);
	ck_assert_int_eq(info.code, ERR_OK);
	ck_assert_str_eq(info.msg, "");
	ck_assert_int_eq(err_set(&info, ERR_CONFLICT, NULL, "x"), ERR_CONFLICT);
	ck_assert_str_eq(info.field, "");
	ck_assert_int_eq(err_set(NULL, ERR_TIMEOUT, "x", "y"), ERR_TIMEOUT);
}
END_TEST

/* A message that is cut ends with a whole character, wherever the cut falls. */
START_TEST(cut_is_whole)
{
	char text[512];
	struct err_info info = { .code = ERR_OK };
	size_t n = 0;
	for (int i = 0; i < _i; i++)
		text[n++] = 'a';
	while (n + 5 < sizeof(text)) {
		memcpy(text + n, "\xf0\x9f\x98\x80", 4);
		n += 4;
	}
	text[n] = '\0';
	(void)err_set(&info, ERR_INVALID, text, "%s", text);
	ck_assert_uint_ge(strlen(info.msg), sizeof(info.msg) - 4);
	ck_assert_uint_lt(strlen(info.msg), sizeof(info.msg));
	ck_assert(str_utf8_valid(str_of(info.msg)));
	ck_assert(str_utf8_valid(str_of(info.field)));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("err");
	TCase *tc = tcase_create("err");
	tcase_add_loop_test(tc, row_is_sound, 0, ERR_COUNT);
	tcase_add_test(tc, known_rows);
	tcase_add_test(tc, first_detail_stays);
	tcase_add_loop_test(tc, cut_is_whole, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
