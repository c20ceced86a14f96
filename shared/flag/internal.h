/*
 * internal.h — what the files of this folder share. Not for rooms; they see flag.h.
 */
#ifndef BIMODAL_FLAG_INTERNAL_H
#define BIMODAL_FLAG_INTERNAL_H

#include "base/metric.h"
#include "flag/condition.h"
#include "flag/flag.h"

struct flag_metric_set {
	struct metric *by_reason[FLAG_REASONS];
	struct metric *errors;
	struct metric *conditions_limited;
	struct metric *exposures_written;
	struct metric *exposures_lost;
	struct metric *exposures_waiting;
	struct metric *stickies_written;
	struct metric *stickies_lost;
	struct metric *stickies_waiting;
	struct metric *streams;
	struct metric *events;
	struct metric *usage_lost;
};
const struct flag_metric_set *flag_metric_set(void);

/* The document of a flag that is on at `now`, or NULL. snapshot.c. */
const struct flag_document *flag_document_live(const struct flag_snapshot *s, struct str key,
					       usec_t now);
/* What flag_evaluate_in does with a flag that is on; result->revision is left alone. evaluate.c. */
void flag_document_decide(const struct flag_document *d, const struct flag_snapshot *s,
			  const struct flag_context *c, usec_t now, struct flag_result *out);
/*
 * The members of a segment of the snapshot; NULL with *told true: there is one, and the context tells who is in it; NULL
 * and false: there is none, so nobody is. snapshot.c.
 */
const struct flag_set *flag_segment_find(const struct flag_snapshot *s, struct str name,
					 bool *told);

/* needs.c: of one document and those that it waits for; *out NULL: nothing. ERR_NO_MEMORY. */
MUST_CHECK enum err flag_needs_make(struct arena *a, const struct flag_snapshot *s,
				    const struct flag_document *d, const struct flag_needs **out);
/* All that `more` asks for too; `all` is the arena's. */
struct flag_needs_list {
	struct flag_name_list attributes, segments, kept_by, experiments;
};
MUST_CHECK enum err flag_needs_add(struct arena *a, struct flag_needs_list *all,
				   const struct flag_needs *more);
MUST_CHECK enum err flag_needs_take(struct arena *a, const struct flag_needs_list *all,
				    const struct flag_needs **out);

#endif
