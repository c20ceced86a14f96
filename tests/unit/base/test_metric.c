/* Metrics: summed over processes, restarts, and the text format. One process runs all of it, in
 * order. */
#include "base/metric.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/unit.h"

static char *
render(struct buf *b)
{
	buf_init(b, 1024 * 1024);
	metric_render(b);
	ck_assert(!b->failed);
	return buf_cstr(b);
}

static unsigned
occurrences(const char *text, const char *part)
{
	unsigned n = 0;
	for (const char *p = strstr(text, part); p != NULL; p = strstr(p + 1, part))
		n++;
	return n;
}

/* Count in a process of its own, on the page `slot`. */
static void
in_child(unsigned slot, struct metric *counter, struct metric *gauge, struct metric *max,
	 struct metric *h, int64_t n)
{
	const pid_t pid = fork();
	if (pid == 0) {
		metric_process(slot);
		metric_add(counter, n);
		metric_set(gauge, n);
		metric_set(max, n);
		metric_observe_us(h, n * 1000);
		_exit(0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

START_TEST(sums_over_processes)
{
	struct metric *counter = metric_counter("t_requests_total", "lane=\"read\"", "Requests.");
	struct metric *gauge = metric_gauge("t_open", NULL, "Open.");
	struct metric *max = metric_gauge_max("t_lag", NULL, "Lag.");
	struct metric *h = metric_histogram("t_seconds", NULL, "Time.");
	metric_add(counter, 5);
	metric_map();
	metric_map();
	ck_assert_int_eq(metric_value(counter), 5);
	metric_process(0);
	metric_set(gauge, 1);
	in_child(2, counter, gauge, max, h, 10);
	in_child(METRIC_PROCESSES - 1, counter, gauge, max, h, 20);
	ck_assert_int_eq(metric_value(counter), 35);
	ck_assert_int_eq(metric_value(gauge), 31);
	ck_assert_int_eq(metric_value(max), 20);
	ck_assert_int_eq(metric_value(h), 2);
	/* restarted: its counters stay, its gauges start again */
	in_child(2, counter, gauge, max, h, 3);
	ck_assert_int_eq(metric_value(counter), 38);
	ck_assert_int_eq(metric_value(gauge), 24);
	ck_assert_int_eq(metric_value(max), 20);
	ck_assert_int_eq(metric_value(h), 3);
}
END_TEST

START_TEST(text_format)
{
	struct buf b;
	struct metric *first = metric_counter("f_total", "code=\"200\"", "One \\ two\nthree.");
	struct metric *between = metric_gauge("f_between", NULL, "Between.");
	struct metric *second = metric_counter("f_total", "code=\"500\"", "Another help.");
	metric_add(first, 7);
	metric_add(second, 8);
	metric_set(between, -4);
	const char *text = render(&b);
	ck_assert_ptr_nonnull(
		strstr(text, "# HELP f_total One \\\\ two\\nthree.\n# TYPE f_total counter\n"
			     "f_total{code=\"200\"} 7\nf_total{code=\"500\"} 8\n"
			     "# HELP f_between Between.\n# TYPE f_between gauge\nf_between -4\n"));
	ck_assert_uint_eq(occurrences(text, "# HELP f_total "), 1);
	ck_assert_uint_eq(occurrences(text, "# TYPE f_total "), 1);
	buf_free(&b);
}
END_TEST

START_TEST(same_is_same)
{
	char labels[] = "a=\"1\"";
	struct metric *m = metric_counter("s_total", labels, "Help.");
	labels[3] = '2';
	ck_assert_ptr_ne(metric_counter("s_total", labels, "Help."), m);
	ck_assert_ptr_eq(metric_counter("s_total", "a=\"1\"", "Help."), m);
	ck_assert_ptr_ne(metric_counter("s_total", NULL, "Help."), m);
}
END_TEST

static const struct {
	usec_t us;
	const char *below, *at; /* last bucket without it, first with it */
} observed[] = {
	{ -5, NULL, "0.0001" },       { 0, NULL, "0.0001" },       { 100, NULL, "0.0001" },
	{ 101, "0.0001", "0.00025" }, { 1000, "0.0005", "0.001" }, { 999999, "0.5", "1" },
	{ 30000000, "10", "30" },     { 30000001, "30", "+Inf" },
};

START_TEST(buckets)
{
	char name[32];
	char line[96];
	struct buf b;
	(void)snprintf(name, sizeof(name), "h%d_seconds", _i);
	struct metric *m = metric_histogram(name, "lane=\"read\"", "Time.");
	metric_observe_us(m, observed[_i].us);
	const char *text = render(&b);
	if (observed[_i].below != NULL) {
		(void)snprintf(line, sizeof(line), "\n%s_bucket{lane=\"read\",le=\"%s\"} 0\n", name,
			       observed[_i].below);
		ck_assert_msg(strstr(text, line) != NULL, "%s", line);
	}
	(void)snprintf(line, sizeof(line), "\n%s_bucket{lane=\"read\",le=\"%s\"} 1\n", name,
		       observed[_i].at);
	ck_assert_msg(strstr(text, line) != NULL, "%s", line);
	(void)snprintf(line, sizeof(line), "\n%s_bucket{lane=\"read\",le=\"+Inf\"} 1\n", name);
	ck_assert_msg(strstr(text, line) != NULL, "%s", line);
	(void)snprintf(line, sizeof(line), "\n%s_count{lane=\"read\"} 1\n", name);
	ck_assert_msg(strstr(text, line) != NULL, "%s", line);
	buf_free(&b);
}
END_TEST

START_TEST(histogram_sum)
{
	struct buf b;
	struct metric *m = metric_histogram("sum_seconds", NULL, "Time.");
	metric_observe_us(m, 1500000);
	metric_observe_us(m, 42);
	const char *text = render(&b);
	ck_assert_ptr_nonnull(strstr(text, "\nsum_seconds_sum 1.500042\nsum_seconds_count 2\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nsum_seconds_bucket{le=\"1\"} 1\n"));
	buf_free(&b);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("metric");
	TCase *tc = tcase_create("metric");
	tcase_add_test(tc, sums_over_processes);
	tcase_add_test(tc, text_format);
	tcase_add_test(tc, same_is_same);
	tcase_add_loop_test(tc, buckets, 0, (int)(sizeof(observed) / sizeof(observed[0])));
	tcase_add_test(tc, histogram_sum);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
