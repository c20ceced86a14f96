/*
 * test_files.c — a folder as a table of files: what is in it, what is refused, which form a client takes.
 */
#include "http/files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../support/unit.h"

static char folder[] = "/tmp/bimodal-files-XXXXXX";

static void
put(const char *name, const char *text)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
drop(const char *name)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(remove(path), 0);
}

static void
setup(void)
{
	char path[512];
	(void)snprintf(folder, sizeof(folder), "/tmp/bimodal-files-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/assets", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	put("index.html", "<p>");
	put("assets/a-1.js", "1");
	put("assets/a-1.js.gz", "gz");
	put("assets/a-1.js.br", "br");
	put("assets/b.css", "");
	put(".hidden", "secret");
}

static void
teardown(void)
{
	static const char *const names[] = { "index.html",
					     "assets/a-1.js",
					     "assets/a-1.js.gz",
					     "assets/a-1.js.br",
					     "assets/b.css",
					     ".hidden",
					     "assets" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		drop(names[i]);
	ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(a_folder_is_a_table)
{
	struct http_files *f = NULL;
	struct err_info info = { .code = ERR_OK };
	char with_slash[64];

	(void)snprintf(with_slash, sizeof(with_slash), "%s%s", folder, _i == 0 ? "" : "/");
	ck_assert_int_eq(http_files_load(with_slash, "assets/", &f, &info), ERR_OK);
	/* The compressed forms are no files of their own. */
	ck_assert_uint_eq(http_files_count(f), 3);
	ck_assert_ptr_nonnull(http_files_find(f, STR("index.html")));
	ck_assert_ptr_nonnull(http_files_find(f, STR("assets/a-1.js")));
	ck_assert_ptr_nonnull(http_files_find(f, STR("assets/b.css")));
	static const struct str none[] = {
		STR_NONE,
		{ "", 0 },
		{ "index.htm", 9 },
		{ "index.html\0x", 12 },
		{ "/index.html", 11 },
		{ "assets", 6 },
		{ "assets/", 7 },
		{ "assets/a-1.js.gz", 16 },
		{ "assets/../index.html", 20 },
		{ "../passwd", 9 },
		{ ".hidden", 7 },
	};
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		ck_assert_msg(http_files_find(f, none[i]) == NULL, "%.*s", STR_FMT(none[i]));
	http_files_free(f);
}
END_TEST

static void
refused(const char *where, const char *why)
{
	struct http_files *f = NULL;
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(http_files_load(where, NULL, &f, &info), ERR_CONFIG);
	ck_assert_msg(strstr(info.msg, why) != NULL, "%s", info.msg);
}

START_TEST(what_cannot_be_served_is_told)
{
	char path[512];

	put("a b.js", "");
	refused(folder, "a name may have");
	drop("a b.js");
	refused("/nonexistent/console", "No such file");
	(void)snprintf(path, sizeof(path), "%s/index.html", folder);
	refused(path, "not a folder");
	put("big.js", "");
	(void)snprintf(path, sizeof(path), "%s/big.js", folder);
	ck_assert_int_eq(truncate(path, (off_t)HTTP_FILE_BYTES_MAX + 1), 0);
	refused(folder, "larger than");
	drop("big.js");
	for (int i = 0; i <= HTTP_FILES_MAX; i++) {
		(void)snprintf(path, sizeof(path), "%d", i);
		put(path, "");
	}
	refused(folder, "more than");
	for (int i = 0; i <= HTTP_FILES_MAX; i++) {
		(void)snprintf(path, sizeof(path), "%d", i);
		drop(path);
	}
}
END_TEST

START_TEST(links_are_left_out)
{
	struct http_files *f = NULL;
	struct err_info info = { .code = ERR_OK };
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/link.txt", folder);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_eq(http_files_load(folder, NULL, &f, &info), ERR_OK);
	ck_assert_ptr_null(http_files_find(f, STR("link.txt")));
	http_files_free(f);
	drop("link.txt");
}
END_TEST

static const struct {
	const char *header; /* NULL: none */
	const char *coding;
	bool takes;
} accepts[] = {
	{ NULL, "gzip", false },
	{ "", "gzip", false },
	{ "gzip", "gzip", true },
	{ "GZIP", "gzip", true },
	{ "gzip, deflate, br, zstd", "br", true },
	{ " br ;q=1.0, gzip;q=0.8", "gzip", true },
	{ "br;q=0", "br", false },
	{ "br;q=0.000", "br", false },
	{ "br; q=0.001", "br", true },
	{ "br;x=1;Q=0", "br", false },
	{ "*", "br", true },
	{ "*;q=0", "br", false },
	{ "br;q=0, *", "br", false },
	{ "*;q=0, br", "br", true },
	{ "brx", "br", false },
	{ "identity", "gzip", false },
	{ ",,;,", "gzip", false },
};

START_TEST(coding)
{
	ck_assert_msg(http_files_accepts(str_of(accepts[_i].header), str_of(accepts[_i].coding)) ==
			      accepts[_i].takes,
		      "\"%s\" %s", accepts[_i].header, accepts[_i].coding);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("files");
	TCase *tc = tcase_create("folder");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_folder_is_a_table, 0, 2);
	tcase_add_test(tc, what_cannot_be_served_is_told);
	tcase_add_test(tc, links_are_left_out);
	suite_add_tcase(s, tc);
	tc = tcase_create("coding");
	tcase_add_loop_test(tc, coding, 0, (int)ARRAY_LEN(accepts));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
