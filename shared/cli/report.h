/*
 * report.h — the account of an import: how many rows were accepted, repaired and refused, and each value that was not taken as it
 * stood, as CSV (line, column, what, old, new, reason).
 */
#ifndef BIMODAL_CLI_REPORT_H
#define BIMODAL_CLI_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/convert.h"

#define REPORT_TALLIES_MAX 200

/* The same thing that happened to many rows. */
struct report_tally {
	char text[256];
	unsigned long n;
};

struct report {
	FILE *out; /* where the list goes; NULL: nowhere */
	bool failed;
	unsigned long rows, accepted, repaired, refused, listed, created, updated;
	struct report_tally tallies[REPORT_TALLIES_MAX];
	size_t n_tallies;
	unsigned long other; /* notes that found no tally */
};

/* `path`: a file, "-" for stdout, or NULL. Returns false (printed why) when it cannot be written. */
MUST_CHECK bool report_open(struct report *r, const char *path);
/* List the notes of a row. */
void report_notes(struct report *r, unsigned long line, const struct converted *row);
/* A row that core refused. */
void report_refused(struct report *r, unsigned long line, const char *reason);
/* Count a row by its state. */
void report_row(struct report *r, enum convert_state state, bool listed);
/* The end: totals on stdout, as text or JSON. False (printed why) when the list could not be written as a whole. */
MUST_CHECK bool report_close(struct report *r, const struct cli *c, bool dry_run);

#endif
