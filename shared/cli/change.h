/*
 * change.h — change requests on the command line: which one is meant, and how one is shown.
 */
#ifndef BIMODAL_CLI_CHANGE_H
#define BIMODAL_CLI_CHANGE_H

#include "cli/cli.h"

#define CHANGE_WAIT_S_MAX 600

/* People know a change by its number, the API by its id: either is taken. False: printed why. */
MUST_CHECK bool change_id(struct cli *c, const char *word, char id[CLI_ID_SIZE]);

/*
 * One call about a request (`id` NULL: a new one), then, for at most `wait_s` seconds, until nothing is under way for it; then it is
 * shown. Returns the exit code: 1 if it was refused or what was waited for failed, 3 if it is still under way.
 */
int change_call(struct cli *c, const char *method, const char *id, const char *rest,
		struct str body, int64_t wait_s);

/* The same with the reply of a call that gave a request. */
int change_show(struct cli *c, struct cli_reply *reply, int64_t wait_s);

/* Is the catalog the approved one? */
int change_drift(struct cli *c);

#endif
