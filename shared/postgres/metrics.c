/*
 * metrics.c — the metrics of a pool, by label and lane. Registered once a label, so that the pools
 * of many features may share one row; gauges are therefore moved by +1 and -1, never set.
 *
 * Invariant: slots must be equal in all processes, so postgres_metrics runs before the fork for
 * every label.
 */
#include "postgres/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"

#define LABELS_SIZE 96

const char *const postgres_lane_names[POSTGRES_LANES] = {
	[POSTGRES_READ] = "read",
	[POSTGRES_WRITE] = "write",
	[POSTGRES_SLOW] = "slow",
};

/* The classes errors are counted in; what is not named is "other". */
static const enum err classes[] = {
	ERR_INVALID, ERR_CONFLICT, ERR_IN_PROGRESS, ERR_RETRY,
	ERR_TIMEOUT, ERR_DOWN,     ERR_BUSY,        ERR_UNKNOWN_END,
};

static struct pool_metrics *all;

static const char *
labels_make(char out[LABELS_SIZE], const char *key, const char *label, const char *value)
{
	int n = snprintf(out, LABELS_SIZE, "pool=\"%s\",%s=\"%s\"", label, key, value);
	BUG_ON(n < 0 || n >= LABELS_SIZE);
	return out;
}

static void
lane_metrics_init(struct lane_metrics *m, const char *labels)
{
	m->queue_wait = metric_histogram("postgres_queue_wait_seconds", labels,
					 "Time from submit until a statement was sent");
	m->duration =
		metric_histogram("postgres_query_seconds", labels,
				 "Time from sending a statement until its answer was complete");
	m->queued =
		metric_gauge("postgres_queued", labels, "Statements that wait for a connection");
	m->in_flight =
		metric_gauge("postgres_in_flight", labels, "Statements sent and not yet answered");
	m->connected = metric_gauge("postgres_connections_ready", labels,
				    "Connections that take statements");
	m->syncs = metric_counter("postgres_syncs_total", labels,
				  "Syncs sent: transactions, of one statement or of a group");
	m->reconnects = metric_counter("postgres_connections_lost_total", labels,
				       "Connections that were lost and are opened again");
}

struct pool_metrics *
postgres_pool_metrics_get(const char *label)
{
	for (struct pool_metrics *m = all; m != NULL; m = m->next) {
		if (strcmp(m->label, label) == 0)
			return m;
	}
	struct pool_metrics *m = calloc(1, sizeof(*m));
	BUG_ON(m == NULL);
	(void)str_copy(m->label, sizeof(m->label), str_of(label));
	char labels[LABELS_SIZE]; /* the registry copies them */
	for (unsigned i = 0; i < POSTGRES_LANES; i++)
		lane_metrics_init(&m->lanes[i],
				  labels_make(labels, "lane", m->label, postgres_lane_names[i]));
	static const char help[] = "Statements that failed, by class";
	struct metric *other = metric_counter(
		"postgres_errors_total", labels_make(labels, "class", m->label, "other"), help);
	for (unsigned i = 0; i < ERR_COUNT; i++)
		m->errors[i] = other;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		m->errors[classes[i]] = metric_counter(
			"postgres_errors_total",
			labels_make(labels, "class", m->label, err_row(classes[i])->slug), help);
	m->next = all;
	all = m;
	return m;
}

void
postgres_metrics(const char *label)
{
	(void)postgres_pool_metrics_get(label);
}
