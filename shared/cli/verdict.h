/*
 * verdict.h — the verdict on an experiment in words, for who decides what becomes of it.
 */
#ifndef BIMODAL_CLI_VERDICT_H
#define BIMODAL_CLI_VERDICT_H

#include "cli/cli.h"

/* Show it; wait at most `wait_s` seconds for one. Returns the exit code: 3 if there is none yet. */
int verdict_show(struct cli *c, const char *slug, int64_t wait_s);

#endif
