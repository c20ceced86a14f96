/*
 * usage.h — who asks the sandbox for which flag, told to core: product owners look there, and a kill names them.
 */
#ifndef BIMODAL_SANDBOX_FLAGS_USAGE_H
#define BIMODAL_SANDBOX_FLAGS_USAGE_H

#include "sandbox/flags/flags.h"

/* Once a worker; what `conf` names must live until flag_usage_stop. */
void sandbox_usage_start(const struct sandbox_flags_conf *conf);

#endif
