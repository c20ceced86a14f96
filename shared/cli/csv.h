/*
 * csv.h — a strict, streaming reader of comma-separated values (RFC 4180), UTF-8. It is fed in pieces of any size and hands out
 * one row at a time; memory is one row.
 *
 * Accepted: CRLF or LF at the end of a row (the last may lack it), a UTF-8 byte order mark at the start, quoted fields with
 * "" for a quote and line ends inside. Refused, with line and column: a quote inside an unquoted field, text after a closing
 * quote, an open quote at the end, a bare CR, NUL, invalid UTF-8, fields or rows past the limits.
 */
#ifndef BIMODAL_CLI_CSV_H
#define BIMODAL_CLI_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define CSV_FIELDS_MAX 256
#define CSV_FIELD_BYTES_MAX ((size_t)256 * 1024)
#define CSV_ROW_BYTES_MAX ((size_t)1024 * 1024)

enum csv_state { CSV_FIELD_START, CSV_UNQUOTED, CSV_QUOTED, CSV_QUOTE_SEEN, CSV_CR_SEEN };

struct csv {
	char separator;
	enum csv_state state;
	struct buf bytes;            /* the row's fields, one behind the other   */
	size_t ends[CSV_FIELDS_MAX]; /* end of each field in `bytes`             */
	size_t n;                    /* fields ended so far                      */
	unsigned long line, column;  /* of the next byte, 1-based; column in bytes */
	unsigned long row_line;      /* where the current row began              */
	unsigned long quote_line, quote_column;
	unsigned long total; /* bytes taken                              */
	unsigned long bom;   /* of these, bytes of a byte order mark     */
	bool ready;          /* a row is complete: csv_field may be used */
	bool row_started;
};

/* `separator` is ',' ';' '\t' or '|'. */
void csv_init(struct csv *r, char separator);
void csv_free(struct csv *r);

/*
 * Take bytes from *in (it is moved on) until a row is complete or *in is empty. With `end`, *in holds the last bytes of the file.
 * After ERR_OK look at r->ready: the row's fields are valid until the next call. Errors: ERR_INVALID (msg "line 3, column 7: …").
 */
MUST_CHECK enum err csv_read(struct csv *r, struct str *in, bool end, struct err_info *info);
struct str csv_field(const struct csv *r, size_t i); /* i < r->n */

/* Append one field, quoted where it must be; for reports. */
void csv_write(struct buf *out, struct str field);

#endif
