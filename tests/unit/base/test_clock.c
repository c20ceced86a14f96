/* Clocks: calendar arithmetic against gmtime, RFC 3339, HTTP dates, durations. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "tests/support/unit.h"

START_TEST(clocks_run)
{
	const usec_t before = clock_now_us();
	ck_assert_int_gt(clock_wall_us(), INT64_C(1700000000) * USEC_PER_SEC);
	ck_assert_int_le(before, clock_now_us());
}
END_TEST

/* Steps of a prime number of seconds from the year 1 to 9999: text equals gmtime's, and reading it
 * back is exact. */
START_TEST(agrees_with_gmtime)
{
	for (int64_t t = INT64_C(-62135596800); t < INT64_C(253402300799); t += 8640011) {
		char text[CLOCK_RFC3339_SIZE];
		char want[64];
		char http[CLOCK_RFC3339_SIZE];
		const time_t seconds = (time_t)t;
		struct tm tm;
		usec_t back;
		gmtime_r(&seconds, &tm);
		clock_rfc3339(t * USEC_PER_SEC + 123999, text);
		(void)snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.123Z",
			       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			       tm.tm_sec);
		ck_assert_str_eq(text, want);
		ck_assert_int_eq(clock_parse_rfc3339(str_of(text), &back), ERR_OK);
		ck_assert_int_eq(back, t * USEC_PER_SEC + 123000);
		clock_http_date(t * USEC_PER_SEC, http);
		strftime(want, sizeof(want), "%a, %d %b ", &tm);
		ck_assert_int_eq(strncmp(http, want, 12), 0);
	}
}
END_TEST

START_TEST(edges)
{
	char text[CLOCK_RFC3339_SIZE];
	clock_rfc3339(INT64_MAX, text);
	ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
	clock_rfc3339(INT64_MIN, text);
	ck_assert_str_eq(text, "0000-01-01T00:00:00.000Z");
	clock_rfc3339(-1, text);
	ck_assert_str_eq(text, "1969-12-31T23:59:59.999Z");
	clock_http_date(INT64_C(784111777) * USEC_PER_SEC, text);
	ck_assert_str_eq(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	clock_http_date(0, text);
	ck_assert_str_eq(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}
END_TEST

static const struct {
	const char *in;
	usec_t want;
} good[] = {
	{ "1970-01-01", 0 },
	{ "2026-05-01", INT64_C(1777593600000000) },
	{ "1970-01-01T00:00:01Z", 1000000 },
	{ "1970-01-01t00:00:00.5z", 500000 },
	{ "1970-01-01T00:00:00.1234569Z", 123456 },
	{ "1970-01-01T01:00:00+01:00", 0 },
	{ "1969-12-31T23:30:00-00:30", 0 },
	{ "1970-01-01T00:00:00-00:00", 0 },
	{ "2024-02-29T00:00:00Z", INT64_C(1709164800000000) },
	{ "2000-02-29", INT64_C(951782400000000) },
	{ "2016-12-31T23:59:60Z", INT64_C(1483228800000000) },
	{ "2017-01-01T00:59:60+01:00", INT64_C(1483228800000000) },
	{ "0000-01-01", INT64_C(-719528) * 86400 * USEC_PER_SEC },
};

START_TEST(parses)
{
	usec_t got = 42;
	ck_assert_msg(clock_parse_rfc3339(str_of(good[_i].in), &got) == ERR_OK, "%s", good[_i].in);
	ck_assert_msg(got == good[_i].want, "%s: %lld", good[_i].in, (long long)got);
}
END_TEST

static const char *const bad[] = {
	"",
	"2026",
	"2026-5-1",
	"2026-13-01",
	"2026-00-01",
	"2026-02-29",
	"1900-02-29",
	"2026-04-31",
	"2026-01-00",
	"26-01-01",
	"+026-01-01",
	"2026-01-01T",
	"2026-01-01 00:00:00Z",
	"2026-01-01T00:00:00",
	"2026-01-01T24:00:00Z",
	"2026-01-01T00:60:00Z",
	"2026-01-01T00:00:61Z",
	"2026-01-01T10:00:60Z",
	"2026-01-01T00:00Z",
	"2026-01-01T00:00:00.Z",
	"2026-01-01T00:00:00,5Z",
	"2026-01-01T00:00:00Zx",
	"2026-01-01T00:00:00+1:00",
	"2026-01-01T00:00:00+0100",
	"2026-01-01T00:00:00+24:00",
	"2026-01-01T00:00:00+01:60",
	"2026-01-01T00:00:00+01:00 ",
	"2026-01-01x",
};

START_TEST(refuses)
{
	usec_t got = 42;
	ck_assert_msg(clock_parse_rfc3339(str_of(bad[_i]), &got) == ERR_INVALID, "%s", bad[_i]);
	ck_assert_int_eq(got, 42);
}
END_TEST

static const struct {
	const char *in;
	usec_t want; /* -1 = invalid */
} durations[] = {
	{ "0", 0 },
	{ "0s", 0 },
	{ "250ms", 250000 },
	{ "10s", 10000000 },
	{ "5min", 300000000 },
	{ "2h", INT64_C(7200000000) },
	{ "7d", INT64_C(604800000000) },
	{ "", -1 },
	{ "10", -1 },
	{ "s", -1 },
	{ "-1s", -1 },
	{ "1.5s", -1 },
	{ "10 s", -1 },
	{ "10S", -1 },
	{ "5m", -1 },
	{ "1s2", -1 },
	{ "106751991d", INT64_C(106751991) * 86400 * 1000000 },
	{ "106751992d", -1 },
	{ "99999999999999999999s", -1 },
};

START_TEST(duration)
{
	usec_t got = -1;
	const enum err err = clock_parse_duration(str_of(durations[_i].in), &got);
	ck_assert_msg(err == (durations[_i].want < 0 ? ERR_INVALID : ERR_OK), "%s",
		      durations[_i].in);
	ck_assert_msg(got == durations[_i].want, "%s: %lld", durations[_i].in, (long long)got);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clock");
	tcase_add_test(tc, clocks_run);
	tcase_add_test(tc, agrees_with_gmtime);
	tcase_add_test(tc, edges);
	tcase_add_loop_test(tc, parses, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(bad));
	tcase_add_loop_test(tc, duration, 0, ARRAY_LEN(durations));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
