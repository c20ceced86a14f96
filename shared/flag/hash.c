/*
 * hash.c — where a unit lands, and in which range: the arithmetic under every division of units. Pure.
 *
 * The rules are those of GrowthBook's published algorithm. Its reference hashes UTF-16 units; this one hashes UTF-8
 * bytes, which is the same for ASCII (all ids of ours).
 */
#include "flag/flag.h"

#define FNV_OFFSET UINT32_C(2166136261)
#define FNV_PRIME UINT32_C(16777619)
#define STEPS_1 1000u
#define STEPS_2 10000u

static uint32_t
fnv1a(uint32_t h, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		h ^= (unsigned char)s.p[i];
		h *= FNV_PRIME;
	}
	return h;
}

/* The second pass, over the decimal text of the first, removes the bias that one pass has on similar inputs. */
static uint32_t
second_pass(uint32_t first)
{
	char text[10];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + first % 10);
		first /= 10;
	} while (first > 0);
	return fnv1a(FNV_OFFSET, (struct str) { text + at, sizeof(text) - at });
}

double
flag_hash_by(unsigned version, struct str seed, struct str value)
{
	if (version == 1)
		return (double)(fnv1a(fnv1a(FNV_OFFSET, value), seed) % STEPS_1) / STEPS_1;
	if (version != 2)
		return -1;
	const uint32_t first = fnv1a(fnv1a(FNV_OFFSET, seed), value);
	return (double)(second_pass(first) % STEPS_2) / STEPS_2;
}

double
flag_hash(struct str seed, struct str value)
{
	return flag_hash_by(2, seed, value);
}

void
flag_bucket_ranges(unsigned n, double coverage, const double *weights, size_t n_weights,
		   struct flag_range *out)
{
	const double part = coverage < 0 ? 0 : coverage > 1 ? 1 : coverage;
	double sum = 0;

	if (weights != NULL && n_weights == n)
		for (unsigned i = 0; i < n; i++)
			sum += weights[i];
	const bool equal = sum < 0.99 || sum > 1.01;
	double start = 0;
	for (unsigned i = 0; i < n; i++) {
		const double weight = equal ? 1.0 / n : weights[i];
		out[i] = (struct flag_range) { .start = start, .end = start + part * weight };
		start += weight;
	}
}

int
flag_bucket_choose(double x, const struct flag_range *ranges, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (x >= ranges[i].start && x < ranges[i].end)
			return (int)i;
	return -1;
}
