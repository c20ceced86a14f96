/*
 * metrics.c — counters of the flags. A lost exposure is a gate of an experiment's health, so it is
 * counted wherever it happens.
 */
#include "flag/internal.h"

#include <stdio.h>

static struct flag_metric_set set;

void
flag_metrics(void)
{
	for (unsigned i = 0; i < FLAG_REASONS; i++) {
		char label[40];
		(void)snprintf(label, sizeof(label), "reason=\"%s\"",
			       flag_reason_text((enum flag_reason)i));
		set.by_reason[i] = metric_counter("bimodal_flag_evaluations_total", label,
						  "flags evaluated over OFREP");
	}
	set.errors = metric_counter("bimodal_flag_evaluation_errors_total", NULL,
				    "evaluations over OFREP that ended in an error code");
	set.conditions_limited =
		metric_counter("bimodal_flag_conditions_limited_total", NULL,
			       "conditions that ended at the limit of their steps");
	set.exposures_written = metric_counter("bimodal_flag_exposures_written_total", NULL,
					       "exposures handed to the database");
	set.exposures_lost = metric_counter("bimodal_flag_exposures_lost_total", NULL,
					    "exposures that could not be kept");
	set.exposures_waiting = metric_gauge("bimodal_flag_exposures_waiting", NULL,
					     "exposures waiting to be written");
	set.stickies_written = metric_counter("bimodal_flag_stickies_written_total", NULL,
					      "kept assignments handed to the database");
	set.stickies_lost = metric_counter("bimodal_flag_stickies_lost_total", NULL,
					   "assignments that could not be kept");
	set.stickies_waiting = metric_gauge("bimodal_flag_stickies_waiting", NULL,
					    "assignments waiting to be kept");
	set.streams =
		metric_gauge("bimodal_flag_streams", NULL, "OFREP event streams that are open");
	set.events = metric_counter("bimodal_flag_events_total", NULL,
				    "events told to them, one for each stream");
	set.usage_lost = metric_counter("bimodal_flag_usage_lost_total", NULL,
					"questions that are missing in who asks for which flag");
}

const struct flag_metric_set *
flag_metric_set(void)
{
	if (set.errors == NULL)
		flag_metrics();
	return &set;
}
