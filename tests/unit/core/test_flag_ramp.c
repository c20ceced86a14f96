/*
 * test_flag_ramp.c — guardrails of a ramp: what is broken, what holds, what is too little to say; and that looking all the time does not
 * break what holds more often than the error budget allows.
 */
#include <string.h>

#include "core/flags/ramp.h"
#include "tests/support/unit.h"

#define RUNS 400
#define LOOKS 30
#define EACH 20

static struct arena arena;
static struct err_info info;
static struct buf judged, breach;
static struct ramp_watch watch;

static void
set_up(void)
{
	arena_init(&arena, ARENA_CAP_BYTES);
	err_clear(&info);
	buf_init(&judged, 16384);
	buf_init(&breach, 512);
	memset(&watch, 0, sizeof(watch));
}

static void
tear_down(void)
{
	buf_free(&judged);
	buf_free(&breach);
	arena_release(&arena);
	arena_trim();
}

static void
watched(const char *guardrails, const char *variations, double planned)
{
	memset(&watch, 0, sizeof(watch));
	ck_assert_int_eq(
		ramp_watch_read(&arena, str_of(guardrails), str_of(variations), &watch, &info),
		ERR_OK);
	watch.planned_units = planned;
}

static void
arm(size_t i, size_t nth, int64_t n, int64_t y)
{
	watch.sums[i][nth] = (struct stats_sums) { .n = n, .y = y, .yy = y };
}

static void
judge(void)
{
	buf_reset(&judged);
	buf_reset(&breach);
	ck_assert_int_eq(ramp_watch_judge(&watch, &judged, &breach, &info), ERR_OK);
	ck_assert(!judged.failed && !breach.failed);
}

#define TWO "[\"off\",\"on\"]"
#define ONE "[\"on\"]"

static const struct {
	const char *guardrail;
	const char *variations;
	int64_t n0, y0, n1, y1; /* of a rule without control: the first alone */
	const char *state;
} cases[] = {
	{ "[{\"metric\":\"case_opened\"}]", TWO, 500, 25, 500, 125, "broken" },
	{ "[{\"metric\":\"case_opened\"}]", TWO, 500, 25, 500, 30, "holds" },
	{ "[{\"metric\":\"case_opened\"}]", TWO, 500, 125, 500, 25, "holds" }, /* better */
	{ "[{\"metric\":\"purchase\"}]", TWO, 500, 125, 500, 25, "broken" },   /* more is better */
	{ "[{\"metric\":\"purchase\"}]", TWO, 500, 25, 500, 125, "holds" },
	{ "[{\"metric\":\"case_opened\",\"margin\":0.3}]", TWO, 500, 25, 500, 125, "holds" },
	{ "[{\"metric\":\"case_opened\",\"margin\":null,\"limit\":null}]", TWO, 500, 25, 500, 125,
	  "broken" },
	{ "[{\"metric\":\"case_opened\"}]", TWO, 19, 0, 500, 250, "too_few" },
	{ "[{\"metric\":\"case_opened\"}]", TWO, 0, 0, 0, 0, "too_few" },
	{ "[{\"metric\":\"case_opened\"}]", TWO, 500, 0, 500, 0, "too_few" },
	{ "[{\"metric\":\"case_opened\",\"limit\":0.1}]", ONE, 500, 150, 0, 0, "broken" },
	{ "[{\"metric\":\"case_opened\",\"limit\":0.1}]", ONE, 500, 40, 0, 0, "holds" },
	{ "[{\"metric\":\"purchase\",\"limit\":0.3}]", ONE, 500, 50, 0, 0, "broken" },
	{ "[{\"metric\":\"purchase\",\"limit\":0.3}]", ONE, 500, 200, 0, 0, "holds" },
	{ "[{\"metric\":\"purchase\",\"limit\":0.3}]", ONE, 19, 0, 0, 0, "too_few" },
	/* with a control the limit is for those who have it */
	{ "[{\"metric\":\"case_opened\",\"limit\":0.1}]", TWO, 500, 400, 500, 20, "holds" },
};

START_TEST(says_what_is_broken)
{
	char want[32] = "\"state\":\"";

	watched(cases[_i].guardrail, cases[_i].variations, 1000);
	arm(0, 0, cases[_i].n0, cases[_i].y0);
	if (watch.arms > 1)
		arm(0, 1, cases[_i].n1, cases[_i].y1);
	judge();
	strncat(want, cases[_i].state, sizeof(want) - strlen(want) - 1);
	ck_assert_msg(strstr(buf_cstr(&judged), want) != NULL, "%s", buf_cstr(&judged));
	ck_assert_int_eq(breach.len > 0, strcmp(cases[_i].state, "broken") == 0);
}
END_TEST

START_TEST(every_treatment_is_compared)
{
	watched("[{\"metric\":\"purchase\"},{\"metric\":\"case_opened\"}]", "[\"off\",\"a\",\"b\"]",
		1000);
	for (size_t i = 0; i < 2; i++)
		for (size_t nth = 0; nth < 3; nth++)
			arm(i, nth, 500, i == 1 && nth == 2 ? 200 : 25);
	judge();
	ck_assert_msg(strstr(buf_cstr(&breach), "case_opened is broken: 40 % of those with b, "
						"of the control 5 %") != NULL,
		      "%s", buf_cstr(&breach));
	ck_assert_ptr_nonnull(
		strstr(buf_cstr(&judged), "{\"variation\":\"a\",\"state\":\"holds\""));
}
END_TEST

START_TEST(unknown_is_refused)
{
	ck_assert_int_ne(
		ramp_watch_read(&arena, STR("[{\"metric\":\"luck\"}]"), STR(ONE), &watch, &info),
		ERR_OK);
}
END_TEST

/* A small generator of one's own: the same runs everywhere. */
static uint64_t
next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

START_TEST(looking_all_the_time_stays_within_the_budget)
{
	uint64_t state = 20260501;
	int broken = 0;

	watched("[{\"metric\":\"case_opened\"},{\"metric\":\"purchase\"}]", TWO,
		(double)LOOKS * EACH);
	for (int run = 0; run < RUNS; run++) {
		memset(watch.sums, 0, sizeof(watch.sums));
		bool found = false;
		for (int look = 0; look < LOOKS && !found; look++) {
			for (int k = 0; k < EACH * 4; k++) {
				struct stats_sums *s = &watch.sums[k & 1][k >> 1 & 1];
				const int64_t hit = next(&state) % 100 < 20;
				s->n++;
				s->y += hit;
				s->yy += hit;
			}
			judge();
			found = breach.len > 0;
		}
		broken += found;
	}
	ck_assert_msg(broken <= RUNS * RAMP_ALPHA, "%d of %d", broken, RUNS);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("flag_ramp");
	TCase *t = tcase_create("guardrails");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, says_what_is_broken, 0, ARRAY_LEN(cases));
	tcase_add_test(t, every_treatment_is_compared);
	tcase_add_test(t, unknown_is_refused);
	tcase_add_test(t, looking_all_the_time_stays_within_the_budget);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
