/*
 * json_scan.h — one pass over a customer payload without building it: is it one valid JSON object, and where are its
 * top-level members? Values stay text and go to PostgreSQL as they came, so 64-bit integers and decimals survive.
 *
 * Checks: RFC 8259 grammar, strict UTF-8, lone surrogates, \u0000 (PostgreSQL cannot store it), raw control
 * characters, duplicate top-level keys, depth ≤ JSON_DEPTH_MAX, number of members ≤ the caller's array.
 */
#ifndef BIMODAL_BASE_JSON_SCAN_H
#define BIMODAL_BASE_JSON_SCAN_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define JSON_DEPTH_MAX 64

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_member {
	struct str key;   /* unescaped (in the arena if it had escapes)   */
	struct str value; /* raw text of the value, quotes included       */
	enum json_kind kind;
};

/*
 * Scan `text` as one object. `members` has room for *n (keep it to some hundreds: keys are compared with each other); on
 * return *n is the count, 0 on error. Errors: ERR_BAD_JSON (message names line and column, field the JSON pointer),
 * ERR_INVALID for a duplicate key or too many members, ERR_TOO_LARGE when too deep (the object itself is level 1),
 * ERR_NO_MEMORY when the arena cannot hold an unescaped key.
 */
MUST_CHECK enum err json_scan_object(struct str text, struct arena *a, struct json_member *members,
				     size_t *n, struct err_info *info);
/* Scan an array and hand out the span and kind of each element (batch bodies). Same errors. */
struct json_element {
	struct str value;
	enum json_kind kind;
};
MUST_CHECK enum err json_scan_array(struct str text, struct json_element *elements, size_t *n,
				    struct err_info *info);

/* Validate any JSON value. */
MUST_CHECK enum err json_scan_any(struct str text, enum json_kind *kind, struct err_info *info);

/*
 * Unescape a raw string value (with its quotes) into the arena, NUL-terminated; ERR_NO_MEMORY past the cap, ERR_INVALID if
 * `raw` is not a string that a scan has accepted.
 */
MUST_CHECK enum err json_unescape(struct str raw, struct arena *a, struct str *out);

#endif
