/*
 * check.h — may this package run? An allow-list over PostgreSQL's own parse tree: statements,
 * relations, columns, functions, types. It is the early and friendly answer; the grants of the
 * feature's roles (install.h) are the guard.
 */
#ifndef BIMODAL_FEATURE_CHECK_H
#define BIMODAL_FEATURE_CHECK_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "feature/archive.h"
#include "feature/finding.h"
#include "feature/manifest.h"

/* A column of schema crm that a feature may read: a row of change.published_columns(). */
struct feature_column {
	const char *table;
	const char *name;
};

struct feature_columns {
	const struct feature_column *items;
	size_t n;
};

enum feature_check_kind {
	/* CREATE TABLE, INDEX, VIEW, FUNCTION (language sql), COMMENT, INSERT: own schema */
	FEATURE_CHECK_UP,
	FEATURE_CHECK_DOWN,   /* DROP of the same */
	FEATURE_CHECK_VERIFY, /* one SELECT; each row it gives is an assertion that failed */
	FEATURE_CHECK_QUERY,  /* one SELECT */
	FEATURE_CHECK_METRIC  /* one SELECT that depends on its parameters and the rows only */
};

/* Check one text. Findings are added; ERR_INVALID if there were any, ERR_NO_MEMORY. */
MUST_CHECK enum err feature_check_sql(enum feature_check_kind kind, const char *slug,
				      const char *file, struct str text,
				      const struct feature_columns *columns,
				      struct feature_findings *findings);

/* A package that was read and found good. Lives as long as the arena and the archive's bytes. */
struct feature_package {
	struct feature_archive archive;
	struct feature_manifest manifest;
};

/*
 * Check everything: manifest, that each file is known and used, headers of queries and metrics,
 * SQL. All findings at once. Errors: ERR_INVALID with findings; ERR_NO_MEMORY. The archive was
 * read by feature_archive_read or feature_archive_folder. Give the arena 16 MiB.
 */
MUST_CHECK enum err feature_package_check(struct arena *arena,
					  const struct feature_archive *archive,
					  const struct feature_columns *columns,
					  struct feature_package *out,
					  struct feature_findings *findings);

/* Only the manifest, of a package checked before (a worker loading what its database holds). */
MUST_CHECK enum err feature_package_open(struct arena *arena, struct str bytes,
					 struct feature_package *out,
					 struct feature_findings *findings, struct err_info *info);

#endif
