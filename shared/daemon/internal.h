/*
 * internal.h — what the files of this folder share.
 */
#ifndef BIMODAL_DAEMON_INTERNAL_H
#define BIMODAL_DAEMON_INTERNAL_H

#include <stdbool.h>

/* What the function given to daemon_health_set says now. */
bool daemon_ready(void);

#endif
