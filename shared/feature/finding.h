/*
 * finding.h — what is wrong with a package, all of it at once: file, line, column and the reason
 * in plain words.
 */
#ifndef BIMODAL_FEATURE_FINDING_H
#define BIMODAL_FEATURE_FINDING_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"

#define FEATURE_FINDINGS_MAX 100 /* kept; the rest is only counted */

struct feature_finding {
	const char *file;
	unsigned line, column; /* from 1; 0 = the file as a whole */
	const char *reason;
};

struct feature_findings {
	struct arena *arena; /* holds the texts */
	struct feature_finding items[FEATURE_FINDINGS_MAX];
	size_t n;     /* kept                                              */
	size_t total; /* found: above 0 means that the package is refused  */
};

void feature_findings_init(struct feature_findings *f, struct arena *arena);
void feature_find(struct feature_findings *f, const char *file, unsigned line, unsigned column,
		  const char *fmt, ...) PRINTF(5, 6);

/* "file:line:column: reason\n" for each, for people. */
void feature_findings_text(const struct feature_findings *f, struct buf *out);
/* [{"file":…,"line":…,"column":…,"reason":…}, …] */
void feature_findings_json(const struct feature_findings *f, struct buf *out);

#endif
