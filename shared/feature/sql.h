/*
 * sql.h — the query files of a package: their header as typed parameters, and the statements made
 * of them.
 *
 * A file is comments "-- $1 uuid unit" and one SELECT. Endpoint queries have $1 uuid unit; what
 * follows comes by name from the URL. Metric queries have $1 uuid[] units, $2 timestamptz[]
 * exposed_at, $3 timestamptz until, and give (unit, value). The statement sent is ours around the
 * file's; PostgreSQL builds the answer's text.
 */
#ifndef BIMODAL_FEATURE_SQL_H
#define BIMODAL_FEATURE_SQL_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "feature/finding.h"
#include "feature/manifest.h"
#include "postgres/postgres.h"

#define FEATURE_PARAMS_MAX 12
#define FEATURE_ROWS_MAX                                                                           \
	1000 /* of one answer; a query that gives more is an error of the feature */

struct feature_param {
	const char *name; /* [a-z][a-z0-9_]* */
	const char *type; /* as written: "uuid", "timestamptz[]" */
	Oid oid;
};

struct feature_query {
	const char *file;
	struct feature_param params[FEATURE_PARAMS_MAX]; /* $1 first */
	size_t n_params;
	struct str text; /* the SELECT alone: no header, no semicolon */
};

/*
 * Header and statement of one file; copies into the arena. `as_metric`: the header must be the
 * metric's, else it must begin with $1 uuid unit. Errors: ERR_INVALID with findings (also: not
 * exactly one statement); ERR_NO_MEMORY.
 */
MUST_CHECK enum err feature_query_read(struct arena *arena, const char *file, struct str text,
				       bool as_metric, struct feature_query *out,
				       struct feature_findings *findings);

/*
 * The statement that answers an endpoint, all of it in the arena. Parameters: the query's own.
 * Result: one row, column 0 the body {"feature","endpoint","unit","variant","rows"}, column 1 the
 * number of rows (FEATURE_ROWS_MAX + 1 = too many).
 */
MUST_CHECK enum err feature_query_answer(struct arena *arena, const struct feature_query *q,
					 const char *slug, const char *endpoint,
					 const char *variant, struct postgres_stmt *out);

/*
 * The statement that measures, parameters $1 … $3 of the metric. Result: one row: units uuid[] and
 * values bigint[] as text (ready to be parameters of the statement that stores them, in the order
 * of the units), number of rows, number of different units, least and greatest value (NULL without
 * rows). Left out: units not asked for, units exposed less than the metric's maturity before $3,
 * NULL values.
 */
MUST_CHECK enum err feature_query_metric(struct arena *arena, const struct feature_query *q,
					 const char *slug, const struct feature_metric *metric,
					 struct postgres_stmt *out);

#endif
