/*
 * err.h — errors: one enum from one table, and the detail that travels with it.
 *
 * Functions that can fail return `enum err` (ERR_OK is 0) and are MUST_CHECK. The detail is put into a
 * `struct err_info` once, where the cause is known; callers pass it on and never overwrite it. Nothing logs an
 * error it returns. Wording follows PostgreSQL's style: "could not …", one sentence, with the offending value.
 */
#ifndef BIMODAL_BASE_ERR_H
#define BIMODAL_BASE_ERR_H

#include <stdbool.h>

#include "base/compiler.h"

enum err {
	ERR_OK = 0,
#define ERR(name, status, slug, title, level, retry) ERR_##name,
#include "base/err.def"
#undef ERR
	ERR_COUNT
};

/* Detail of one failure. Plain data, may be copied. Empty strings where a part is unknown. */
struct err_info {
	enum err code;
	char sqlstate[6]; /* PostgreSQL's code, if it came from there            */
	char field[128];  /* JSON pointer ("/email"), header or parameter name   */
	char msg[320];    /* one sentence for the user; never SQL text           */
};

/* One row of the table; for ERR_OK the status is 200. Never NULL. */
struct err_row {
	const char *name;  /* "NOT_FOUND"                     */
	const char *slug;  /* "not-found", stable             */
	const char *title; /* for people                      */
	int status;        /* HTTP status                     */
	int level;         /* enum log_level                  */
	bool retryable;    /* may the same request succeed later unchanged? */
};
const struct err_row *err_row(enum err code);

/*
 * Fill `info` (NULL is allowed and ignored) and return `code`, so that `return err_set(…)` is one line. If `info`
 * already holds an error it is kept: the lower, more precise detail wins. `field` may be NULL.
 */
enum err err_set(struct err_info *info, enum err code, const char *field, const char *fmt, ...)
	PRINTF(4, 5);

/* Forget the error. */
void err_clear(struct err_info *info);

#endif
