/*
 * manifest.h — feature.yaml: the hypothesis, its owners and end, flag, endpoints, experiment and
 * metrics, as a struct.
 */
#ifndef BIMODAL_FEATURE_MANIFEST_H
#define BIMODAL_FEATURE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "feature/finding.h"

#define FEATURE_MANIFEST_FILE "feature.yaml"
#define FEATURE_SLUG_MIN 3
#define FEATURE_SLUG_MAX 41
#define FEATURE_KEY_SIZE (FEATURE_SLUG_MAX + 16)  /* "feature-<slug>"       */
#define FEATURE_ROLE_SIZE (FEATURE_SLUG_MAX + 16) /* "feature_<slug>_owner" */
#define FEATURE_VARIATIONS_MAX 4
#define FEATURE_ENDPOINTS_MAX 16
#define FEATURE_GUARDRAILS_MAX 8
#define FEATURE_EXPIRES_MAX (90 * 24 * 3600 * USEC_PER_SEC)

enum feature_metric_kind { FEATURE_PROPORTION, FEATURE_MEAN };
enum feature_direction { FEATURE_INCREASE, FEATURE_DECREASE }; /* which way is good */

struct feature_metric {
	const char *name; /* [a-z][a-z0-9_]{0,39}; unique in the package */
	const char *file; /* metrics/….sql                              */
	enum feature_metric_kind kind;
	enum feature_direction direction;
	usec_t maturity; /* a unit counts this long after its exposure */
	double margin; /* guardrails: the harm that is still accepted, above 0; 0 for the primary metric */
};

struct feature_endpoint {
	const char *name;                            /* [a-z][a-z0-9_-]{0,39}                     */
	const char *queries[FEATURE_VARIATIONS_MAX]; /* file by index of the variation, none NULL */
};

/* Every string lives in the arena given to feature_manifest_read. */
struct feature_manifest {
	const char *
		slug; /* [a-z][a-z0-9_]{2,40}, not ending in "_owner" (that is the owner role of another slug) */
	const char *
		flag_key; /* feature-<slug with - for _>                                               */
	const char *title;
	const char *statement; /* the hypothesis               */
	const char *benefit;   /* what is in it for the customer */
	const char *business_owner;
	const char *technical_owner;
	usec_t expires;   /* from deployment, 1 s … 90 d */
	const char *unit; /* "person"                    */

	double coverage;                                /* 0 … 1 */
	const char *variations[FEATURE_VARIATIONS_MAX]; /* the first one is the control */
	double weights[FEATURE_VARIATIONS_MAX];         /* sum 1                        */
	size_t n_variations;                            /* 2 or more                    */

	struct feature_endpoint endpoints[FEATURE_ENDPOINTS_MAX];
	size_t n_endpoints;

	int64_t planned_units;
	usec_t runs; /* planned end, from deployment */
	double alpha;
	double minimum_effect; /* above 0, in the unit of the metric */

	struct feature_metric primary;
	struct feature_metric guardrails[FEATURE_GUARDRAILS_MAX];
	size_t n_guardrails;
};

/*
 * Read the text of feature.yaml. Every error of the file is put into `findings` in one run.
 * Errors: ERR_INVALID there are findings; ERR_NO_MEMORY.
 */
MUST_CHECK enum err feature_manifest_read(struct arena *arena, struct str text,
					  struct feature_manifest *out,
					  struct feature_findings *findings);

/* Is it a slug that a feature may have? */
bool feature_slug_valid(struct str slug);
/* Names that follow from a slug; `slug` must be a valid one. */
void feature_flag_key(const char *slug, char out[FEATURE_KEY_SIZE]);
void feature_role_login(const char *slug,
			char out[FEATURE_ROLE_SIZE]); /* also the name of the schema */
void feature_role_owner(const char *slug, char out[FEATURE_ROLE_SIZE]);

/* Index of a variation, or n_variations. */
size_t feature_variation_find(const struct feature_manifest *m, struct str key);
const struct feature_endpoint *feature_endpoint_find(const struct feature_manifest *m,
						     struct str name);
/* 0 is the primary metric, then the guardrails; NULL behind the last. */
const struct feature_metric *feature_metric_at(const struct feature_manifest *m, size_t i);
const char *feature_metric_kind_name(enum feature_metric_kind kind);
const char *feature_direction_name(enum feature_direction direction);

/* The flag's rule document (experiment with the manifest's variations, weights and coverage;
 * seed = flag key). */
void feature_flag_document(const struct feature_manifest *m, struct buf *out);
/* The manifest as JSON, for answers and for the frozen rule of the experiment: the same bytes
 * for the same manifest. */
void feature_manifest_json(const struct feature_manifest *m, struct buf *out);

#endif
