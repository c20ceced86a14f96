/*
 * evaluate.c — what one evaluation of a flag with three rules costs in process: evaluate [CALLS], run by bench.py.
 *
 * Each call is timed by itself, and what the clock takes is taken off; the contexts differ, so that each of the rules
 * decides for some and none for others. Allocations are counted by standing in front of glibc's. One line of JSON.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "flag/flag.h"
#include "tests/support/flag_rows.h"

#define CONTEXTS 64
#define CALLS 400000
#define CALLS_MAX 10000000

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static uint64_t allocations;

void *
malloc(size_t n)
{
	allocations++;
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	allocations++;
	return __libc_realloc(p, n);
}

static const char document[] =
	"{\"unit\":\"visitor\",\"variations\":[{\"key\":\"off\",\"value\":false},{\"key\":\"on\","
	"\"value\":true}],\"rules\":["
	"{\"id\":\"staff\",\"condition\":{\"email\":{\"$ewi\":\"@example.com\"}},\"force\":\"on\"},"
	"{\"id\":\"pilot\",\"condition\":{\"country\":{\"$in\":[\"at\",\"ch\",\"de\",\"li\"]},"
	"\"company.size\":{\"$gte\":50},\"app\":{\"$vgte\":\"2.4.0\"}},\"force\":\"on\","
	"\"coverage\":0.25,\"seed\":\"pilot\"},"
	"{\"id\":\"test\",\"condition\":{\"plan\":{\"$ne\":\"free\"}},\"experiment\":{"
	"\"variations\":[\"off\",\"on\"],\"weights\":[0.5,0.5],\"coverage\":0.8}}],"
	"\"default\":\"off\"}";

static int64_t
now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static char *
context_text(struct arena *a, int i)
{
	static const char *const countries[] = { "at", "fr", "de", "us" };
	static const char *const plans[] = { "free", "pro", "max" };

	return arena_printf(
		a,
		"{\"targetingKey\":\"visitor-%08d\",\"country\":\"%s\",\"plan\":\"%s\","
		"\"email\":\"person%d@%s\",\"company\":{\"name\":\"Company %d\",\"size\":"
		"%d},\"app\":\"2.%d.1\",\"beta\":%s,\"tags\":[\"a\",\"b\"]}",
		i * 7919, countries[i % 4], plans[i % 3], i,
		i % 8 == 0 ? "Example.com" : "mail.example", i, 5 * i, i % 9,
		i % 2 == 0 ? "true" : "false");
}

static struct flag_snapshot *
snapshot_make(void)
{
	struct flag_snapshot *s = NULL;
	PGresult *rows = flag_rows_make();

	flag_row_add(rows, "three-rules", document);
	BUG_ON(flag_snapshot_build(rows, &s, NULL) != ERR_OK);
	PQclear(rows);
	return s;
}

/* Sorts the times and returns the one at `part` of them. */
static int64_t
at_part(int64_t *ns, size_t n, double part)
{
	qsort(ns, n, sizeof(*ns), compare);
	return ns[(size_t)((double)(n - 1) * part)];
}

int
main(int argc, char **argv)
{
	struct arena a;
	struct flag_context contexts[CONTEXTS];
	struct flag_result r;
	int64_t calls = CALLS;
	uint64_t decided[4] = { 0, 0, 0, 0 };

	if (argc > 1 && str_int(str_of(argv[1]), 100, CALLS_MAX, &calls) != ERR_OK)
		return 2;
	const size_t n = (size_t)calls;
	int64_t *ns = calloc(n, sizeof(*ns));
	BUG_ON(ns == NULL);
	arena_init(&a, ARENA_CAP_BYTES);
	flag_metrics();
	struct flag_snapshot *s = snapshot_make();
	for (size_t i = 0; i < n / 100; i++) {
		const int64_t begin = now_ns();
		ns[i] = now_ns() - begin;
	}
	const int64_t clock = at_part(ns, n / 100, 0.5);
	for (int i = 0; i < CONTEXTS; i++)
		BUG_ON(flag_context_read(&a, str_of(context_text(&a, i)), "", &contexts[i], NULL) !=
		       ERR_OK);
	const uint64_t before = allocations;
	const int64_t start = now_ns();
	for (size_t i = 0; i < n; i++) {
		const int64_t begin = now_ns();
		flag_evaluate_in(s, STR("three-rules"), &contexts[i % CONTEXTS], 1, &r);
		ns[i] = now_ns() - begin;
		decided[r.rule + 1]++;
	}
	const int64_t whole = now_ns() - start;
	const uint64_t allocated = allocations - before;
	const int64_t median = at_part(ns, n, 0.5) - clock;
	const int64_t p99 = at_part(ns, n, 0.99) - clock;
	for (size_t i = 0; i < n / 10; i++) {
		struct arena own;
		struct flag_context c;
		const struct str text = str_of(context_text(&a, 1));
		arena_init(&own, ARENA_CAP_BYTES);
		const int64_t begin = now_ns();
		BUG_ON(flag_context_read(&own, text, "", &c, NULL) != ERR_OK);
		ns[i] = now_ns() - begin;
		arena_release(&own);
		arena_release(&a);
	}
	const int64_t reading = at_part(ns, n / 10, 0.5) - clock;
	printf("{\"calls\":%zu,\"median_ns\":%lld,\"p99_ns\":%lld,\"mean_ns\":%.0f,"
	       "\"allocations\":%llu,\"context_ns\":%lld,\"decided\":[%llu,%llu,%llu,%llu]}\n",
	       n, (long long)median, (long long)p99,
	       (double)whole / (double)n - 2.0 * (double)clock, (unsigned long long)allocated,
	       (long long)reading, (unsigned long long)decided[0], (unsigned long long)decided[1],
	       (unsigned long long)decided[2], (unsigned long long)decided[3]);
	free(ns);
	flag_snapshot_unref(s);
	arena_release(&a);
	return 0;
}
