/*
 * flag_rows.h — the rows of which a snapshot of flags is built, made without a database: all flags are on and end far in
 * the future, at revision 1 and generation 1.
 */
#ifndef BIMODAL_TESTS_FLAG_ROWS_H
#define BIMODAL_TESTS_FLAG_ROWS_H

#include <libpq-fe.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"

#define FLAG_ROWS_COLUMNS 6

static inline PGresult *
flag_result_make(const char *const *names, int n)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc desc[FLAG_ROWS_COLUMNS];

	memset(desc, 0, sizeof(desc));
	for (int i = 0; i < n; i++)
		desc[i].name = (char *)(uintptr_t)names[i];
	BUG_ON(r == NULL || PQsetResultAttrs(r, n, desc) != 1);
	return r;
}

static inline void
flag_cell(PGresult *r, int row, int column, const char *text)
{
	BUG_ON(PQsetvalue(r, row, column, (char *)(uintptr_t)text,
			  text == NULL ? -1 : (int)strlen(text)) != 1);
}

static inline PGresult *
flag_rows_make(void)
{
	static const char *const names[] = { "key",      "enabled",    "revision",
					     "document", "expires_us", "generation" };
	return flag_result_make(names, FLAG_ROWS_COLUMNS);
}

/* key NULL: the row of no flag at all, which carries the generation. */
static inline void
flag_row_add(PGresult *flags, const char *key, const char *document)
{
	const char *const values[FLAG_ROWS_COLUMNS] = { key, "t", "1", document, "4000000000000000",
							"1" };
	const int row = PQntuples(flags);

	for (int i = 0; i < FLAG_ROWS_COLUMNS; i++)
		flag_cell(flags, row, i, values[i]);
}

static inline PGresult *
flag_segments_make(void)
{
	static const char *const names[] = { "name", "members" };
	return flag_result_make(names, 2);
}

/* members NULL: the context tells who is in it. */
static inline void
flag_segment_add(PGresult *segments, const char *name, const char *members)
{
	const int row = PQntuples(segments);

	flag_cell(segments, row, 0, name);
	flag_cell(segments, row, 1, members);
}

#endif
