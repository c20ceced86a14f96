/*
 * batch.h — bodies for POST /v1/{resource}/batch and what comes back.
 */
#ifndef BIMODAL_CLI_BATCH_H
#define BIMODAL_CLI_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

#define BATCH_OPS_MAX 1000

/* Make ready: POST /v1/RESOURCE/batch. The Idempotency-Key is `key`, or a fresh one if NULL. */
void batch_begin(struct cli_request *r, const char *resource, bool each, const char *key);
/* One operation; `match` NULL: create, else upsert by that field. `data` is a JSON object. Counted in r->count. */
void batch_add(struct cli_request *r, const char *match, struct str value, struct str data);
void batch_end(struct cli_request *r);

/* One result. */
struct batch_result {
	long status;
	char id[CLI_ID_SIZE];
	char reason[256]; /* why it was refused */
};
/*
 * The results of a batch that was answered, in the order of its operations. False, printed why, when the reply was an error or
 * does not hold r->count results.
 */
MUST_CHECK bool batch_results(const struct cli_request *r, struct batch_result *results);
/* The reason a whole request was refused, for people. */
void batch_problem(const struct cli_reply *reply, char out[256]);
/* Ids alone; every operation must have been done. `ids` has room for r->count. */
MUST_CHECK bool batch_ids(const struct cli_request *r, char (*ids)[CLI_ID_SIZE]);

#endif
