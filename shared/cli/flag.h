/*
 * flag.h — what the commands on flags have in common.
 */
#ifndef BIMODAL_CLI_FLAG_H
#define BIMODAL_CLI_FLAG_H

#include "cli/cli.h"

/* "/v1/flags/KEY<rest>". The caller frees it. */
void flag_path(struct buf *path, const char *key, const char *rest);
/* A change of a flag; exit code 3 if a live worker does not serve it yet. */
int flag_change(struct cli *c, const char *method, const char *path, struct str body);
/* Show one flag: what it is for, who gets what, until when. */
int flag_show(struct cli *c, const char *key);
/* The command `flag ramp`. */
int flag_ramp(struct cli *c);

#endif
