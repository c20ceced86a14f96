/*
 * test_ofrep_ticket.c — tickets of event streams: one a token and period, good in that period and the next, and nobody else's.
 */
#include "flag/ofrep_parts.h"

#include <string.h>

#include "tests/support/unit.h"

#define PERIOD (600 * USEC_PER_SEC)
#define NOW (INT64_C(3000000) * PERIOD + 5)

static const uint8_t ours[SHA256_BYTES] = { 1, 2, 3 };
static const uint8_t other[SHA256_BYTES] = { 65, 2, 3 }; /* kept at the same place */

static void
use(const char *key)
{
	flag_ofrep_conf =
		(struct flag_ofrep_conf) { .key = str_of(key), .ticket_lifetime = PERIOD };
}

static void
ticket(const uint8_t token[SHA256_BYTES], usec_t now, char out[128])
{
	ck_assert(str_copy(out, 128, ofrep_ticket_of(token, ofrep_ticket_period(now))));
}

START_TEST(one_a_period)
{
	char a[128], b[128];
	use("key");
	ticket(ours, NOW, a);
	ticket(other, NOW, b);
	ck_assert_str_ne(a, b);
	ticket(ours, NOW + PERIOD - 6, b);
	ck_assert_str_eq(a, b);
	ticket(ours, NOW + PERIOD - 5, b);
	ck_assert_str_ne(a, b);
}
END_TEST

static const struct {
	usec_t later;
	bool good;
} times[] = {
	{ 0, true },
	{ PERIOD - 6, true },
	{ 2 * PERIOD - 6, true },
	{ 2 * PERIOD - 5, false },
	{ 100 * PERIOD, false },
	{ -PERIOD, true },
	{ -2 * PERIOD, false },
};

START_TEST(ends)
{
	char text[128];
	uint8_t token[SHA256_BYTES] = { 0 };
	use("key");
	ticket(ours, NOW, text);
	ck_assert(ofrep_ticket_read(str_of(text), NOW + times[_i].later, token) == times[_i].good);
	ck_assert(!times[_i].good || memcmp(token, ours, sizeof(ours)) == 0);
}
END_TEST

START_TEST(forged)
{
	char text[128];
	uint8_t token[SHA256_BYTES];
	use("key");
	ticket(ours, NOW, text);
	const size_t n = strlen(text);
	/* The last character holds bits that nobody signs; any other form of them is refused. */
	for (size_t i = 0; i < n; i++) {
		const char was = text[i];
		text[i] = was == 'A' ? 'B' : 'A';
		ck_assert_msg(!ofrep_ticket_read(str_of(text), NOW, token), "character %zu", i);
		text[i] = was;
	}
	for (size_t cut = 0; cut < n; cut++)
		ck_assert(!ofrep_ticket_read((struct str) { text, cut }, NOW, token));
	ck_assert(!ofrep_ticket_read(STR_NONE, NOW, token));
	use("another key");
	ck_assert(!ofrep_ticket_read(str_of(text), NOW, token));
	use("");
	ck_assert(!ofrep_ticket_read(str_of(text), NOW, token));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("ofrep ticket");
	TCase *tc = tcase_create("all");
	tcase_add_test(tc, one_a_period);
	tcase_add_loop_test(tc, ends, 0, (int)ARRAY_LEN(times));
	tcase_add_test(tc, forged);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
