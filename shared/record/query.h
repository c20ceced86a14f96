/*
 * query.h — the query string of a list or get, read and checked against the catalog.
 *
 *	limit=50              1 to 200
 *	after=…               cursor of the page before
 *	sort=-amount,name     at most 4 fields; NULL counts as the greatest value, as in PostgreSQL; the key is appended
 *	fields=a,b            only these (and the key)
 *	stage=eq.won          filters: eq neq gt gte lt lte in is; all must hold; a field may be named more than once
 *	stage=won             the same as eq.won, unless the value begins with an operator and a dot
 *	stage=in.(won,lost)   at most 100 values; a value with a comma, quote or parenthesis in double quotes
 *	owner=is.null         is.null is.not_null is.true is.false
 *	as_of=2026-05-01T00:00:00Z   a get only: as the record was then
 */
#ifndef BIMODAL_RECORD_QUERY_H
#define BIMODAL_RECORD_QUERY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "record/catalog.h"
#include "record/cursor.h"

#define RECORD_FILTERS_MAX 16
#define RECORD_IN_MAX 100

struct record_pair {
	struct str name;
	struct str value;
};

enum record_op {
	RECORD_EQ,
	RECORD_NEQ,
	RECORD_GT,
	RECORD_GTE,
	RECORD_LT,
	RECORD_LTE,
	RECORD_IN,
	RECORD_IS_NULL,
	RECORD_IS_NOT_NULL,
	RECORD_IS_TRUE,
	RECORD_IS_FALSE,
	RECORD_OPS
};
const char *record_op_name(enum record_op op);

struct record_filter {
	const struct record_field *field;
	enum record_op op;
	struct str value; /* for RECORD_IN the text of a PostgreSQL array; STR_NONE for the is…
			     operators */
};

struct record_sort {
	const struct record_field *field;
	bool desc;
};

struct record_query {
	struct record_filter filters[RECORD_FILTERS_MAX];
	size_t n_filters;
	struct record_sort sort[RECORD_CURSOR_VALUES]; /* always ends with the key */
	size_t n_sort;
	const bool *selected; /* by field index: what the reply shows (class mask and fields=)  */
	struct str after;     /* STR_NONE on the first page */
	struct str as_of;     /* STR_NONE: as it is now */
	unsigned limit;
};

enum record_query_for { RECORD_QUERY_LIST, RECORD_QUERY_GET /* only fields= and as_of= */ };

/*
 * Errors: ERR_BAD_REQUEST naming the parameter (unknown, twice, malformed; with the nearest known
 * name); ERR_FORBIDDEN for a field that the mask does not let be read; ERR_NO_MEMORY.
 */
MUST_CHECK enum err record_query_parse(const struct record_resource *r, uint32_t classes,
				       enum record_query_for what, const struct record_pair *pairs,
				       size_t n, struct arena *a, struct record_query *out,
				       struct err_info *info);
/* What a cursor is bound to: resource, class mask, scope, filters with values, sort. */
void record_query_binding(const struct record_resource *r, uint32_t classes, struct str scope,
			  const struct record_query *q, struct buf *out);

#endif
