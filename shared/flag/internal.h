/*
 * internal.h — what the files of this folder share: the metrics. Not for rooms; they see flag.h.
 */
#ifndef BIMODAL_FLAG_INTERNAL_H
#define BIMODAL_FLAG_INTERNAL_H

#include "base/metric.h"
#include "flag/flag.h"

struct flag_metric_set {
	struct metric *by_reason[FLAG_REASONS];
	struct metric *errors;
	struct metric *exposures_written;
	struct metric *exposures_lost;
	struct metric *exposures_waiting;
};
const struct flag_metric_set *flag_metric_set(void);

#endif
