/*
 * table.h — a hash table from text to text, for look-ups and keys seen. Bounded; texts are copied.
 */
#ifndef BIMODAL_CLI_TABLE_H
#define BIMODAL_CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define TABLE_ENTRIES_MAX ((size_t)4 * 1024 * 1024)

struct table_entry;
struct table {
	struct table_entry *entries;
	size_t n;
	size_t room; /* a power of two, or 0 */
};

void table_init(struct table *t);
void table_free(struct table *t);
/* NULL if it is not there. Valid until the next table_put. */
const char *table_get(const struct table *t, struct str key);
/* Add or replace. Errors: ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err table_put(struct table *t, struct str key, const char *value);

#endif
