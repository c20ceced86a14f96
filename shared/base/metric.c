/*
 * metric.c — the registry of metrics and their values: one page of 64-bit words a process, all in
 * one shared mapping.
 *
 * Modules register at start-up and count on the way; /metrics renders. Invariants: a page has one
 * writer, so a relaxed load and store make an increment; registration order is the slot order,
 * hence equal in every process. Before metric_map (tests, the command line) the values live in a
 * page of this process alone.
 */
#include "base/metric.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

#define METRICS_MAX 1024
#define LABELS_MAX 256 /* bytes of one label set */

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_GAUGE_MAX, METRIC_HISTOGRAM };

struct metric {
	enum metric_kind kind;
	const char *name;
	const char *labels; /* NULL = none */
	const char *help;
	unsigned slot;               /* first word in every page                        */
	struct metric *next_of_name; /* others of the same name, in order of birth       */
	bool is_first_of_name;       /* writes HELP and TYPE, and the others behind it   */
};

struct page {
	_Atomic int64_t word[METRIC_SLOTS];
};

/* Upper bounds of the buckets: 1, 2.5, 5 a decade. The words of a histogram: one a bucket, one for
 * +Inf, the sum. */
static const struct {
	usec_t us;
	const char *seconds;
} buckets[] = {
	{ 100, "0.0001" },  { 250, "0.00025" }, { 500, "0.0005" },  { 1000, "0.001" },
	{ 2500, "0.0025" }, { 5000, "0.005" },  { 10000, "0.01" },  { 25000, "0.025" },
	{ 50000, "0.05" },  { 100000, "0.1" },  { 250000, "0.25" }, { 500000, "0.5" },
	{ 1000000, "1" },   { 2500000, "2.5" }, { 5000000, "5" },   { 10000000, "10" },
	{ 30000000, "30" },
};
#define N_BUCKETS ARRAY_LEN(buckets)
#define HISTOGRAM_SUM (N_BUCKETS + 1)
#define HISTOGRAM_WORDS (N_BUCKETS + 2)

static struct metric metrics[METRICS_MAX];
static unsigned n_metrics;
static unsigned n_slots;
static struct page own_page; /* until there is a mapping */
static struct page *pages = &own_page;
static unsigned n_pages = 1;
static struct page *mine = &own_page;
static bool forked; /* we are a child: what is not registered yet may not be any more */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static char *
copy_text(const char *text)
{
	char *copy = strdup(text);
	BUG_ON(copy == NULL);
	return copy;
}

static struct metric *
register_metric(enum metric_kind kind, const char *name, const char *labels, const char *help)
{
	struct metric *last = NULL;
	for (unsigned i = 0; i < n_metrics; i++) {
		struct metric *m = &metrics[i];
		if (strcmp(m->name, name) != 0)
			continue;
		BUG_ON(m->kind != kind);
		if (same_text(m->labels, labels))
			return m;
		last = m;
	}
	const unsigned words = kind == METRIC_HISTOGRAM ? (unsigned)HISTOGRAM_WORDS : 1;
	BUG_ON(forked); /* the slots of the processes would differ */
	BUG_ON(n_metrics == METRICS_MAX || n_slots + words > METRIC_SLOTS);
	BUG_ON(labels != NULL && strlen(labels) > LABELS_MAX);
	struct metric *m = &metrics[n_metrics++];
	*m = (struct metric) {
		.kind = kind,
		.name = last == NULL ? copy_text(name) : last->name,
		.labels = labels == NULL ? NULL : copy_text(labels),
		.help = last == NULL ? copy_text(help) : last->help,
		.slot = n_slots,
		.is_first_of_name = last == NULL,
	};
	if (last != NULL)
		last->next_of_name = m;
	n_slots += words;
	return m;
}

struct metric *
metric_counter(const char *name, const char *labels, const char *help)
{
	return register_metric(METRIC_COUNTER, name, labels, help);
}

struct metric *
metric_gauge(const char *name, const char *labels, const char *help)
{
	return register_metric(METRIC_GAUGE, name, labels, help);
}

struct metric *
metric_gauge_max(const char *name, const char *labels, const char *help)
{
	return register_metric(METRIC_GAUGE_MAX, name, labels, help);
}

struct metric *
metric_histogram(const char *name, const char *labels, const char *help)
{
	return register_metric(METRIC_HISTOGRAM, name, labels, help);
}

static inline int64_t
load(const struct page *page, size_t slot)
{
	return atomic_load_explicit(&page->word[slot], memory_order_relaxed);
}

static inline void
store(size_t slot, int64_t v)
{
	atomic_store_explicit(&mine->word[slot], v, memory_order_relaxed);
}

void
metric_add(struct metric *m, int64_t n)
{
	store(m->slot, load(mine, m->slot) + n);
}

void
metric_set(struct metric *m, int64_t v)
{
	store(m->slot, v);
}

void
metric_observe_us(struct metric *m, usec_t us)
{
	const usec_t v = MAX(us, 0);
	size_t i = 0;
	while (i < N_BUCKETS && v > buckets[i].us)
		i++;
	store(m->slot + i, load(mine, m->slot + i) + 1);
	store(m->slot + HISTOGRAM_SUM, load(mine, m->slot + HISTOGRAM_SUM) + v);
}

static int64_t
word_sum(size_t slot)
{
	int64_t sum = 0;
	for (unsigned i = 0; i < n_pages; i++)
		sum += load(&pages[i], slot);
	return sum;
}

int64_t
metric_value(const struct metric *m)
{
	int64_t v = 0;
	switch (m->kind) {
	case METRIC_COUNTER:
	case METRIC_GAUGE:
		return word_sum(m->slot);
	case METRIC_GAUGE_MAX:
		v = load(&pages[0], m->slot);
		for (unsigned i = 1; i < n_pages; i++)
			v = MAX(v, load(&pages[i], m->slot));
		return v;
	case METRIC_HISTOGRAM:
		for (size_t i = 0; i <= N_BUCKETS; i++)
			v += word_sum(m->slot + i);
		return v;
	}
	return 0;
}

void
metric_map(void)
{
	if (pages != &own_page)
		return;
	const size_t bytes = sizeof(struct page) * METRIC_PROCESSES;
	struct page *made =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED) {
		log_error("metric.map", "could not map %zu bytes of counters", bytes);
		exit(EXIT_FAILURE);
	}
	/* what has been counted so far belongs to the parent */
	for (size_t i = 0; i < n_slots; i++)
		atomic_init(&made[0].word[i], load(&own_page, i));
	pages = made;
	n_pages = METRIC_PROCESSES;
	mine = &made[0];
}

void
metric_process(unsigned slot)
{
	metric_map();
	BUG_ON(slot >= METRIC_PROCESSES);
	mine = &pages[slot];
	forked = slot > 0;
	for (unsigned i = 0; i < n_metrics; i++) {
		if (metrics[i].kind == METRIC_GAUGE || metrics[i].kind == METRIC_GAUGE_MAX)
			store(metrics[i].slot, 0);
	}
}

static void
render_histogram(struct buf *out, const struct metric *m)
{
	const char *labels = m->labels == NULL ? "" : m->labels;
	const char *comma = m->labels == NULL ? "" : ",";
	const char *open = m->labels == NULL ? "" : "{";
	const char *close = m->labels == NULL ? "" : "}";
	int64_t count = 0;
	for (size_t i = 0; i <= N_BUCKETS; i++) {
		count += word_sum(m->slot + i);
		buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %" PRId64 "\n", m->name, labels, comma,
			   i == N_BUCKETS ? "+Inf" : buckets[i].seconds, count);
	}
	const int64_t sum = word_sum(m->slot + HISTOGRAM_SUM);
	buf_printf(out, "%s_sum%s%s%s %" PRId64 ".%06d\n", m->name, open, labels, close,
		   sum / USEC_PER_SEC, (int)(sum % USEC_PER_SEC));
	buf_printf(out, "%s_count%s%s%s %" PRId64 "\n", m->name, open, labels, close, count);
}

static void
render_header(struct buf *out, const struct metric *m)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_GAUGE_MAX] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};
	buf_printf(out, "# HELP %s ", m->name);
	for (const char *p = m->help; *p != '\0'; p++) {
		if (*p == '\\')
			buf_add_cstr(out, "\\\\");
		else if (*p == '\n')
			buf_add_cstr(out, "\\n");
		else
			buf_add_char(out, *p);
	}
	buf_printf(out, "\n# TYPE %s %s\n", m->name, types[m->kind]);
}

void
metric_render(struct buf *out)
{
	for (unsigned i = 0; i < n_metrics; i++) {
		if (!metrics[i].is_first_of_name)
			continue;
		render_header(out, &metrics[i]);
		for (const struct metric *m = &metrics[i]; m != NULL; m = m->next_of_name) {
			if (m->kind == METRIC_HISTOGRAM)
				render_histogram(out, m);
			else if (m->labels == NULL)
				buf_printf(out, "%s %" PRId64 "\n", m->name, metric_value(m));
			else
				buf_printf(out, "%s{%s} %" PRId64 "\n", m->name, m->labels,
					   metric_value(m));
		}
	}
}
