/*
 * metric.h — counters, gauges and histograms of one instance, in a shared mapping the parent makes before it forks.
 *
 * Registering a new metric in a child is a bug and ends it.
 *
 * Each process writes only its own page (no locks; aligned 64-bit relaxed atomics), so any worker can render the sum
 * of all of them for /metrics. Metrics are registered by every process in the same order before the fork (static
 * tables), which makes the slot numbers equal. Text format: Prometheus 0.0.4.
 */
#ifndef BIMODAL_BASE_METRIC_H
#define BIMODAL_BASE_METRIC_H

#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define METRIC_SLOTS 4096   /* 64-bit words a process; a histogram takes 18 */
#define METRIC_PROCESSES 66 /* 64 workers, the parent and the jobs child  */

struct metric; /* one registered metric; lives as long as the process */

/*
 * Before the fork. `labels` is a fixed label set such as "lane=\"read\"" or NULL; all texts are copied. The same name and
 * labels again give the same metric. Dies when slots run out or one name is used for two kinds.
 */
struct metric *metric_counter(const char *name, const char *labels, const char *help);
struct metric *metric_gauge(const char *name, const char *labels,
			    const char *help); /* summed over processes */
struct metric *metric_gauge_max(const char *name, const char *labels,
				const char *help); /* max over processes    */
struct metric *metric_histogram(
	const char *name, const char *labels,
	const char *help); /* microseconds in, seconds out; log-spaced buckets 100 us … 30 s */

void metric_add(struct metric *m, int64_t n);
void metric_set(struct metric *m, int64_t v);
void metric_observe_us(struct metric *m, usec_t us);
int64_t metric_value(const struct metric *m); /* sum (or max) over processes; a histogram's count */

void metric_map(
	void); /* parent: create the shared mapping (MAP_SHARED|MAP_ANONYMOUS); idempotent */
void metric_process(
	unsigned
		slot); /* after the fork: which page is ours; 0 parent, 1 jobs, 2… workers; zeroes gauges of a restarted process, keeps its counters */
void metric_render(struct buf *out);

#endif
