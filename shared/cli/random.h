/*
 * random.h — the numbers of the sample data: xoshiro256** (Blackman and Vigna 2018), its state filled by splitmix64 from a seed,
 * the name of a stream and an index. So the numbers of person 17 do not depend on how many people there are or in which order
 * they are made, and the same seed gives the same data on every machine. Not for secrets.
 */
#ifndef BIMODAL_CLI_RANDOM_H
#define BIMODAL_CLI_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t s[4];
};

void random_init(struct random *r, uint64_t seed, const char *stream, uint64_t index);
uint64_t random_next(struct random *r);
/* Even in 0 … n-1 (n ≥ 1), without bias. */
uint64_t random_below(struct random *r, uint64_t n);
/* True with probability `permille` in a thousand. */
bool random_chance(struct random *r, unsigned permille);

#endif
