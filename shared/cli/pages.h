/*
 * pages.h — every record of a list, page by page.
 */
#ifndef BIMODAL_CLI_PAGES_H
#define BIMODAL_CLI_PAGES_H

#include <stdbool.h>

#include "cli/cli.h"

struct cJSON;

/* One record; false ends the walk without an error. */
typedef bool cli_record_fn(const struct cJSON *record, void *arg);
/* `query` is NULL or further parameters ("lab_ok=true&fields=id"). False: printed why. */
MUST_CHECK bool cli_pages(struct cli *c, enum cli_daemon daemon, const char *resource,
			  const char *query, cli_record_fn *fn, void *arg);

#endif
