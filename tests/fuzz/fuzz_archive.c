/*
 * fuzz_archive.c — arbitrary bytes as a package.
 *
 * Besides not crashing: what is read writes the same bytes and hash again, and its paths stay
 * inside a folder. Where there is a manifest it is read, and every SQL file is checked as each
 * kind.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "feature/archive.h"
#include "feature/check.h"
#include "feature/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same_bytes(const struct feature_archive *a, struct str bytes)
{
	struct feature_archive again = { .n = 0 };
	struct buf b;
	buf_init(&b, FEATURE_ARCHIVE_BYTES_MAX);
	for (size_t i = a->n; i > 0; i--)
		BUG_ON(feature_archive_add(&again, a->files[i - 1].path, a->files[i - 1].content,
					   NULL) != ERR_OK);
	BUG_ON(feature_archive_write(&again, &b, NULL) != ERR_OK);
	BUG_ON(!str_eq(buf_str(&b), bytes));
	BUG_ON(strcmp(again.sha256, a->sha256) != 0);
	buf_free(&b);
}

static void
content_run(const struct feature_archive *a, struct arena *arena)
{
	static const struct feature_column items[] = { { "person", "pseudonym" },
						       { "person", "country" } };
	static const struct feature_columns columns = { items, ARRAY_LEN(items) };
	struct feature_findings findings;
	struct feature_package package;
	feature_findings_init(&findings, arena);
	(void)!feature_package_check(arena, a, &columns, &package, &findings);
	for (size_t i = 0; i < a->n; i++) {
		if (a->files[i].content.len > 4096)
			continue;
		for (int kind = FEATURE_CHECK_UP; kind <= FEATURE_CHECK_METRIC; kind++)
			(void)!feature_check_sql((enum feature_check_kind)kind, "abc", "f.sql",
						 a->files[i].content, &columns, &findings);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str bytes = { (const char *)data, size };
	struct feature_archive a;
	struct arena arena;
	struct err_info info = { .code = ERR_OK };
	const enum err err = feature_archive_read(bytes, &a, &info);
	BUG_ON(info.code != err);
	if (err != ERR_OK)
		return 0;
	for (size_t i = 0; i < a.n; i++) {
		const struct str path = a.files[i].path;
		BUG_ON(path.p[0] == '/' || path.p[0] == '.' || path.p[path.len - 1] == '/');
	}
	same_bytes(&a, bytes);
	arena_init(&arena, 16 * 1024 * 1024);
	content_run(&a, &arena);
	arena_release(&arena);
	return 0;
}
