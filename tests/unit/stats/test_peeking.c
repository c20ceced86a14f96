/*
 * test_peeking.c — a seeded simulation of A/A experiments that are looked at every day for 28 days.
 *
 * Counts how often each method calls a difference that is not there. The plain t-test is the
 * negative control: if it does not show the many false alarms that it is known for, the simulation
 * proves nothing.
 */
#include <stdint.h>

#include "stats/acs.h"
#include "stats/compare.h"
#include "stats/dist.h"
#include "stats/gst.h"
#include "tests/support/unit.h"
#include "tests/unit/stats/near.h"

enum { DAYS = 28 };

/* splitmix64: the same numbers on every machine. */
static uint64_t
random_bits(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static double
uniform(uint64_t *state)
{
	return ((double)(random_bits(state) >> 11) + 0.5) * 0x1p-53;
}

struct population {
	const char *name;
	int units_a_day; /* in each arm */
	double rate;     /* of conversion, or of buyers */
	bool money;      /* buyers spend a lognormal amount, in cents */
	int runs;
	uint64_t seed;
};

static const struct population POPULATION[] = {
	{ "5 % conversion, 500 a day and arm", 500, 0.05, false, 1500, 1 },
	{ "20 % conversion, 20 a day and arm", 20, 0.20, false, 1500, 2 },
	{ "5 % conversion, 20 a day and arm", 20, 0.05, false, 1500, 3 },
	{ "revenue, 50 a day and arm", 50, 0.10, true, 800, 4 },
};

/* Binomial by inversion, from the bottom: exact, one random number. */
static int
binomial(int n, double p, uint64_t *state)
{
	double term = pow(1.0 - p, n);
	double u = uniform(state);
	int k = 0;
	for (; k < n && u > term; k++) {
		u -= term;
		term *= (double)(n - k) / (double)(k + 1) * p / (1.0 - p);
	}
	return k;
}

static void
add_day(struct stats_sums *s, const struct population *p, uint64_t *state)
{
	const int events = binomial(p->units_a_day, p->rate, state);
	s->n += p->units_a_day;
	if (!p->money) {
		s->y += events;
		s->yy += events;
		return;
	}
	for (int i = 0; i < events; i++) {
		const int64_t cents =
			llround(5000.0 * exp(1.5 * stats_normal_upper(uniform(state))));
		s->y += cents;
		s->yy += (__int128)cents * cents;
	}
}

struct alarms {
	int naive, two_sided, harm, sequential;
};

/* One A/A experiment; adds 1 to each method that called a difference at any of its looks. */
static void
run_once(const struct population *p, const double *p_bound, uint64_t *state, struct alarms *total)
{
	const struct stats_measure measure = { .kind = p->money ? STATS_MEAN : STATS_PROPORTION,
					       .scale = p->money ? 100 : 1 };
	const struct stats_acs_plan plan = { .alpha = 0.05,
					     .planned_n = 2.0 * p->units_a_day * DAYS };
	struct stats_sums a = { .n = 0 };
	struct stats_sums b = { .n = 0 };
	bool naive = false;
	bool two_sided = false;
	bool harm = false;
	bool sequential = false;
	for (int day = 0; day < DAYS; day++) {
		struct stats_comparison c;
		struct stats_acs_two_sided both;
		struct stats_acs_one_sided one;
		add_day(&a, p, state);
		add_day(&b, p, state);
		ck_assert_int_eq(stats_compare(&a, &b, &measure, 0.05, 0.0, &c, NULL), ERR_OK);
		ck_assert_int_eq(stats_acs_both(&c.effect, &plan, 0.0, &both, NULL), ERR_OK);
		ck_assert_int_eq(stats_acs_one(&c.effect, &plan, 0.0, &one, NULL), ERR_OK);
		naive = naive || c.test.p_two < 0.05;
		sequential = sequential || c.test.p_two < p_bound[day];
		two_sided = two_sided || both.interval.low > 0.0 || both.interval.high < 0.0;
		harm = harm || one.upper < 0.0;
	}
	total->naive += naive;
	total->two_sided += two_sided;
	total->harm += harm;
	total->sequential += sequential;
}

START_TEST(false_alarms_under_daily_looks)
{
	const struct population *p = &POPULATION[_i];
	double fraction[DAYS];
	double p_bound[DAYS];
	for (int day = 0; day < DAYS; day++)
		fraction[day] = (double)(day + 1) / DAYS;
	ck_assert_int_eq(stats_gst_obf_bounds(0.05, fraction, DAYS, p_bound, NULL), ERR_OK);
	for (int day = 0; day < DAYS; day++)
		p_bound[day] = 2.0 * stats_normal_sf(p_bound[day]);
	uint64_t state = p->seed;
	struct alarms n = { 0 };
	for (int i = 0; i < p->runs; i++)
		run_once(p, p_bound, &state, &n);
	const double percent = 100.0 / p->runs;
	const double naive = n.naive * percent;
	const double two_sided = n.two_sided * percent;
	const double harm = n.harm * percent;
	const double sequential = n.sequential * percent;
	ck_assert_msg(naive >= 15.0, "%s: plain test %.2f %%: the simulation cannot fail", p->name,
		      naive);
	ck_assert_msg(two_sided <= 5.0, "%s: confidence sequence %.2f %%", p->name, two_sided);
	ck_assert_msg(harm <= 5.0, "%s: harm watch %.2f %%", p->name, harm);
	ck_assert_msg(sequential <= 5.5, "%s: group sequential %.2f %%", p->name, sequential);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("stats/peeking");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, false_alarms_under_daily_looks, 0, ARRAY_LEN(POPULATION));
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
