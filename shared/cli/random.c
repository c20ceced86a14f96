/*
 * random.c — see random.h. All in integers: no machine's floating point can change the data.
 */
#include "cli/random.h"

/* FNV-1a, 64 bits. */
static uint64_t
name_hash(const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (const char *p = text; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t
splitmix(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = *state;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void
random_init(struct random *r, uint64_t seed, const char *stream, uint64_t index)
{
	uint64_t state = seed;
	state = splitmix(&state) ^ name_hash(stream);
	state = splitmix(&state) ^ index;
	for (unsigned i = 0; i < 4; i++)
		r->s[i] = splitmix(&state);
}

static uint64_t
rotate(uint64_t x, unsigned k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t
random_next(struct random *r)
{
	const uint64_t result = rotate(r->s[1] * 5, 7) * 9;
	const uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rotate(r->s[3], 45);
	return result;
}

uint64_t
random_below(struct random *r, uint64_t n)
{
	/* Numbers under this would make some remainders more likely than others. */
	const uint64_t reject = (UINT64_MAX - n + 1) % n;
	uint64_t x;

	do
		x = random_next(r);
	while (x < reject);
	return x % n;
}

bool
random_chance(struct random *r, unsigned permille)
{
	return random_below(r, 1000) < permille;
}
