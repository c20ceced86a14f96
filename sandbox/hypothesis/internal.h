/*
 * internal.h — what the files of this room share. Not for other rooms.
 */
#ifndef BIMODAL_SANDBOX_HYPOTHESIS_INTERNAL_H
#define BIMODAL_SANDBOX_HYPOTHESIS_INTERNAL_H

#include "access/access.h"
#include "feature/check.h"
#include "feature/install.h"
#include "gen/sql_sandbox.h"
#include "sandbox/hypothesis/hypothesis.h"

#define HYPOTHESIS_ARENA_BYTES ((size_t)16 * 1024 * 1024)
#define HYPOTHESIS_JSON_BYTES ((size_t)256 * 1024)

extern struct sandbox_hypothesis_conf sandbox_hypothesis_conf;

extern const struct step_row sandbox_hypothesis_call_steps[];

/* The rule of an experiment, frozen: package, flag and manifest, the same bytes for the same package. */
void sandbox_hypothesis_freeze(const struct feature_package *package, struct buf *out);

#endif
