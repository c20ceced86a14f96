/*
 * test_archive.c — canonical bytes, hostile archives, folders there and back.
 */
#include "feature/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/unit.h"

#define HEAD "bimodal-package 1\n"

static struct err_info info;

START_TEST(writes_canonical_bytes)
{
	struct feature_archive a = { .n = 0 };
	struct buf b;
	buf_init(&b, 4096);
	ck_assert_int_eq(feature_archive_add(&a, STR("up.sql"), STR("x"), &info), ERR_OK);
	ck_assert_int_eq(feature_archive_add(&a, STR("a/b.sql"), STR(""), &info), ERR_OK);
	ck_assert_int_eq(feature_archive_add(&a, STR("a-b"), STR("é\n"), &info), ERR_OK);
	ck_assert_int_eq(feature_archive_write(&a, &b, &info), ERR_OK);
	ck_assert_str_eq(buf_cstr(&b), HEAD "a-b 3\né\n\na/b.sql 0\n\nup.sql 1\nx\n");
	ck_assert_uint_eq(a.bytes, b.len);
	struct feature_archive again;
	ck_assert_int_eq(feature_archive_read(buf_str(&b), &again, &info), ERR_OK);
	ck_assert_uint_eq(again.n, 3);
	ck_assert_str_eq(again.sha256, a.sha256);
	ck_assert(str_is(feature_archive_get(&again, STR("up.sql")), "x"));
	ck_assert_ptr_null(feature_archive_get(&again, STR("down.sql")).p);
	buf_free(&b);
}
END_TEST

static const struct {
	const char *bytes;
	const char *why;
} hostile[] = {
	{ "", "empty" },
	{ "bimodal-package 2\na 1\nx\n", "another version" },
	{ "bimodal-package 1", "head cut" },
	{ HEAD, "no file" },
	{ HEAD "a", "entry cut" },
	{ HEAD "a\n", "no size" },
	{ HEAD "a \nx\n", "empty size" },
	{ HEAD "a 1\n", "no content" },
	{ HEAD "a 1\nx", "no end of content" },
	{ HEAD "a 2\nx\n", "size too large" },
	{ HEAD "a 0\nx\n", "size too small" },
	{ HEAD "a 01\nx\n", "leading zero" },
	{ HEAD "a +1\nx\n", "plus" },
	{ HEAD "a -1\nx\n", "negative" },
	{ HEAD "a 1 \nx\n", "space after the size" },
	{ HEAD "a  1\nx\n", "two spaces" },
	{ HEAD "a 0x1\nx\n", "hexadecimal" },
	{ HEAD "a 99999999999999999999\nx\n", "overflow" },
	{ HEAD "a 18446744073709551616\nx\n", "overflow to 0" },
	{ HEAD " 1\nx\n", "empty path" },
	{ HEAD "../a 1\nx\n", "up" },
	{ HEAD "a/../b 1\nx\n", "up inside" },
	{ HEAD "a/.. 1\nx\n", "up at the end" },
	{ HEAD "./a 1\nx\n", "dot" },
	{ HEAD "/a 1\nx\n", "absolute" },
	{ HEAD "a/ 1\nx\n", "folder" },
	{ HEAD "a//b 1\nx\n", "empty part" },
	{ HEAD ".git/config 1\nx\n", "hidden" },
	{ HEAD "A 1\nx\n", "capital" },
	{ HEAD "a\\b 1\nx\n", "backslash" },
	{ HEAD "a\tb 1\nx\n", "tab" },
	{ HEAD "\xc3\xa9 1\nx\n", "not ASCII" },
	{ HEAD "a 1\nx\na 1\ny\n", "twice" },
	{ HEAD "b 1\nx\na 1\ny\n", "not in order" },
	{ HEAD "a 1\nx\n\n", "more behind" },
	{ HEAD "a 1\nx\nb 1\ny\n ", "more behind" },
	{ HEAD "a 1\n\xff\n", "content not UTF-8" },
	{ HEAD "a 3\r\nx\r\n\n", "CR in the size" },
	{ HEAD "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaa 1\nx\n",
	  "path too long" },
};

START_TEST(refuses_hostile)
{
	struct feature_archive a;
	err_clear(&info);
	ck_assert_msg(feature_archive_read(str_of(hostile[_i].bytes), &a, &info) == ERR_INVALID,
		      "%s", hostile[_i].why);
	ck_assert_int_eq(info.code, ERR_INVALID);
	ck_assert_str_ne(info.msg, "");
}
END_TEST

START_TEST(refuses_zero_bytes)
{
	static const char bytes[] = HEAD "a 3\nx\0y\n";
	struct feature_archive a;
	ck_assert_int_eq(feature_archive_read((struct str) { bytes, sizeof(bytes) - 1 }, &a, &info),
			 ERR_INVALID);
}
END_TEST

START_TEST(bounds)
{
	struct feature_archive a = { .n = 0 };
	char *big = calloc(1, FEATURE_FILE_BYTES_MAX + 1);
	char names[FEATURE_FILES_MAX + 1][8];
	struct buf b;
	buf_init(&b, 8 * FEATURE_ARCHIVE_BYTES_MAX);
	memset(big, 'x', FEATURE_FILE_BYTES_MAX + 1);
	ck_assert_int_eq(feature_archive_add(&a, STR("a"),
					     (struct str) { big, FEATURE_FILE_BYTES_MAX + 1 },
					     &info),
			 ERR_TOO_LARGE);
	for (size_t i = 0; i < FEATURE_FILES_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "f%zu", i);
		ck_assert_int_eq(feature_archive_add(&a, str_of(names[i]), STR("x"), &info),
				 ERR_OK);
	}
	ck_assert_int_eq(feature_archive_add(&a, STR("g"), STR("x"), &info), ERR_TOO_LARGE);
	for (size_t i = 0; i < 4; i++)
		a.files[i].content = (struct str) { big, FEATURE_FILE_BYTES_MAX };
	ck_assert_int_eq(feature_archive_write(&a, &b, &info), ERR_TOO_LARGE);
	struct feature_archive again;
	ck_assert_int_eq(feature_archive_read(buf_str(&b), &again, &info), ERR_TOO_LARGE);
	buf_free(&b);
	free(big);
}
END_TEST

START_TEST(folder_and_back)
{
	char root[] = "/tmp/bimodal-archive-XXXXXX";
	char path[128];
	struct feature_archive a = { .n = 0 };
	struct feature_archive again;
	struct arena arena;
	struct buf b;
	buf_init(&b, 4096);
	arena_init(&arena, 4 * 1024 * 1024);
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(
		feature_archive_add(&a, STR("queries/deep/x.sql"), STR("select 1\n"), &info),
		ERR_OK);
	ck_assert_int_eq(feature_archive_add(&a, STR("empty.sql"), STR(""), &info), ERR_OK);
	ck_assert_int_eq(feature_archive_write(&a, &b, &info), ERR_OK);
	ck_assert_int_eq(feature_archive_extract(&a, root, &info), ERR_CONFLICT);
	(void)snprintf(path, sizeof(path), "%s/p", root);
	ck_assert_int_eq(feature_archive_extract(&a, path, &info), ERR_OK);
	err_clear(&info);
	ck_assert_msg(feature_archive_folder(&arena, path, &again, &info) == ERR_OK, "%s",
		      info.msg);
	ck_assert_str_eq(again.sha256, a.sha256);
	(void)snprintf(path, sizeof(path), "%s/p/link.sql", root);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	(void)snprintf(path, sizeof(path), "%s/p", root);
	ck_assert_int_eq(feature_archive_folder(&arena, path, &again, &info), ERR_INVALID);
	(void)snprintf(path, sizeof(path), "%s/p/link.sql", root);
	ck_assert_int_eq(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/p/.hidden", root);
	ck_assert_int_eq(symlink("empty.sql", path), 0);
	(void)snprintf(path, sizeof(path), "%s/p", root);
	ck_assert_int_eq(feature_archive_folder(&arena, path, &again, &info), ERR_INVALID);
	(void)snprintf(path, sizeof(path), "rm -r '%s'", root);
	ck_assert_int_eq(system(path), 0);
	buf_free(&b);
	arena_release(&arena);
	arena_trim();
}
END_TEST

static Suite *
archive_suite(void)
{
	Suite *s = suite_create("feature/archive");
	TCase *t = tcase_create("archive");
	tcase_add_test(t, writes_canonical_bytes);
	tcase_add_loop_test(t, refuses_hostile, 0, sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(t, refuses_zero_bytes);
	tcase_add_test(t, bounds);
	tcase_add_test(t, folder_and_back);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(archive_suite)
