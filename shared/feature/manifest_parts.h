/*
 * manifest_parts.h — typed look-ups of manifest.c over the YAML tree; each reports its own error
 * with its place. Only for the files of this folder.
 */
#ifndef BIMODAL_FEATURE_MANIFEST_PARTS_H
#define BIMODAL_FEATURE_MANIFEST_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/conf.h"
#include "feature/finding.h"

struct manifest_reader {
	struct arena *arena;
	struct yaml_errors *errors;
	bool no_memory;
};

void feature_manifest_error(struct manifest_reader *r, const struct yaml_node *at, const char *path,
			    const char *fmt, ...) PRINTF(4, 5);
/* The same at the place of the node's key. */
void feature_manifest_error_key(struct manifest_reader *r, const struct yaml_node *at,
				const char *path, const char *fmt, ...) PRINTF(4, 5);
const char *feature_manifest_copy(struct manifest_reader *r,
				  struct str s); /* never NULL; "" and no_memory past the cap */
/* Refuse keys that are not known, with the nearest one. */
void feature_manifest_only(struct manifest_reader *r, const struct yaml_node *map, const char *path,
			   const char *const *known);

/* The child of that key and kind; NULL if it is not there (an error if required) or of another
 * kind (an error). */
const struct yaml_node *feature_manifest_map(struct manifest_reader *r, const struct yaml_node *map,
					     const char *path, const char *key);
const struct yaml_node *feature_manifest_list(struct manifest_reader *r,
					      const struct yaml_node *map, const char *path,
					      const char *key, bool required);
const struct yaml_node *feature_manifest_scalar(struct manifest_reader *r,
						const struct yaml_node *map, const char *path,
						const char *key, bool required);

/* A required text of 1 … max bytes without control characters but newlines; "" after an error. */
const char *feature_manifest_text(struct manifest_reader *r, const struct yaml_node *map,
				  const char *key, size_t max);
/* These leave *out alone if the key is absent or wrong. */
void feature_manifest_number(struct manifest_reader *r, const struct yaml_node *map,
			     const char *path, const char *key, bool required, double min,
			     double max, double *out);
bool feature_manifest_number_of(struct manifest_reader *r, const struct yaml_node *node,
				const char *path, double min, double max, double *out);
void feature_manifest_int(struct manifest_reader *r, const struct yaml_node *map, const char *path,
			  const char *key, int64_t min, int64_t max, int64_t *out);
void feature_manifest_duration(struct manifest_reader *r, const struct yaml_node *map,
			       const char *path, const char *key, bool required, usec_t min,
			       usec_t max, usec_t *out);
void feature_manifest_choice(struct manifest_reader *r, const struct yaml_node *map,
			     const char *path, const char *key, const char *const *choices,
			     size_t *out);
/* The path of a .sql file below `folder`, "" after an error. */
const char *feature_manifest_file_of(struct manifest_reader *r, const struct yaml_node *node,
				     const char *path, const char *folder);

/* Every error of the reader as a finding. */
void feature_manifest_findings(const struct yaml_errors *errors, struct feature_findings *findings);

#endif
