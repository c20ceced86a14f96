/*
 * template.h — what `bimodal feature init SLUG DIR` writes: a small feature that runs, and whose
 * metrics work, on the base schema.
 */
#ifndef BIMODAL_FEATURE_TEMPLATE_H
#define BIMODAL_FEATURE_TEMPLATE_H

#include "base/arena.h"
#include "base/err.h"
#include "feature/archive.h"

/* The template's files for a slug; texts in the arena. Errors: ERR_INVALID not a slug;
 * ERR_NO_MEMORY. */
MUST_CHECK enum err feature_template_make(struct arena *arena, const char *slug,
					  struct feature_archive *out, struct err_info *info);
/* The same, written into a new folder (blocks). Errors: ERR_CONFLICT it is there already;
 * ERR_SYSTEM. */
MUST_CHECK enum err feature_template_write(const char *slug, const char *folder,
					   struct err_info *info);

#endif
