/*
 * check.h — may this schema change run? An allow-list over PostgreSQL's own parse tree: the early and friendly answer, with line and
 * reason. What a statement really does (locks, rewrites, reversibility) is measured by the rehearsal afterwards. Also splits a
 * text into its statements, which the rehearsal measures one by one.
 */
#ifndef BIMODAL_CHANGE_CHECK_H
#define BIMODAL_CHANGE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define CHANGE_TEXT_BYTES_MAX ((size_t)256 * 1024)
#define CHANGE_STATEMENTS_MAX 100
#define CHANGE_FINDINGS_MAX 50 /* kept; the rest is only counted */

enum change_part { CHANGE_UP, CHANGE_DOWN, CHANGE_VERIFY };
const char *change_part_name(enum change_part part); /* "up" */

struct change_finding {
	enum change_part part;
	unsigned line, column; /* from 1 */
	const char *reason;
};

struct change_findings {
	struct arena *arena; /* holds the reasons */
	struct change_finding items[CHANGE_FINDINGS_MAX];
	size_t n;
	size_t total; /* above 0: the change is refused */
};

void change_findings_init(struct change_findings *f, struct arena *arena);
/* [{"pointer":"/up","line":3,"column":1,"detail":"…"}, …] */
void change_findings_json(const struct change_findings *f, struct buf *out);

/*
 * Check one text. up and down: statements of the allow-list on schema crm, rows of change.resource and change.field, rows of tables
 * that the same text makes. verify: empty, or one SELECT. Errors: ERR_INVALID with findings; ERR_NO_MEMORY; ERR_TOO_LARGE.
 */
MUST_CHECK enum err change_check(enum change_part part, struct str text,
				 struct change_findings *findings, struct err_info *info);

struct change_statement {
	struct str text; /* view; without the semicolon and what stands in front of it */
	unsigned line;
	bool registry;  /* writes change.resource or change.field          */
	bool withdraws; /* and takes something out of it: UPDATE or DELETE */
};

/* The statements of a text that parses. Errors: ERR_INVALID, ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err change_split(struct arena *arena, struct str text,
				 struct change_statement **out, size_t *n, struct err_info *info);

#define CHANGE_COUNTS_MAX 20

/* A query that counts what would violate something the change asks for, among the rows that are there. */
struct change_count {
	unsigned line;
	const char *what; /* "rows of crm.person where email is null" */
	const char *sql;  /* one bigint, at most 1000                 */
};

/*
 * Made-up rows cannot show violations, so they are counted where the data is: NOT NULL, CHECK, UNIQUE and foreign keys of an up text, as far as
 * they are about columns that exist. At most CHANGE_COUNTS_MAX; a query may fail (a column made by the same change): then there is
 * nothing to count. Errors: those of change_split.
 */
MUST_CHECK enum err change_counts(struct arena *arena, struct str text, struct change_count *out,
				  size_t *n, struct err_info *info);

#endif
