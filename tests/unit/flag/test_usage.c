/*
 * test_usage.c — counting who asks for which flag: programs' names, sums, bounds, what is told again and what is told no more.
 */
#include "flag/usage.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

#define NOON INT64_C(1767268800000000) /* 2026-01-01T12:00:00Z */
#define WHO STR("0192a000-0000-7000-8000-000000000001")

static struct buf asked, streams;

static bool
take(void (*each)(void))
{
	buf_reset(&asked);
	buf_reset(&streams);
	return flag_usage_take(each, &asked, &streams);
}

static void
setup(void)
{
	buf_init(&asked, FLAG_USAGE_BYTES_MAX);
	buf_init(&streams, FLAG_USAGE_BYTES_MAX);
	/* What an earlier test left behind is told and forgotten: both sides. */
	for (int i = 0; i < 3; i++) {
		(void)!take(NULL);
		flag_usage_done(false);
	}
}

static void
teardown(void)
{
	buf_free(&asked);
	buf_free(&streams);
}

START_TEST(test_client)
{
	static const struct {
		const char *agent, *client;
	} cases[] = {
		{ "web-app/2.1 (linux)", "web-app/2.1" },
		{ "Mozilla/5.0 (X11; Linux) Gecko", "Mozilla/5.0" },
		{ "", "-" },
		{ " node", "-" },
		{ "node", "node" },
		{ "a@b.example/1", "a_b.example/1" },
		{ "\"'\\\n\x01", "_____" },
		{ "0123456789012345678901234567890123456789and-more",
		  "0123456789012345678901234567890123456789" },
	};
	char out[FLAG_CLIENT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		flag_usage_client(str_of(cases[i].agent), out);
		ck_assert_str_eq(out, cases[i].client);
	}
	flag_usage_client(STR_NONE, out);
	ck_assert_str_eq(out, "-");
}
END_TEST

START_TEST(test_sums)
{
	flag_usage_add(STR("a"), WHO, STR("x/1"), true, NOON);
	flag_usage_add(STR("a"), WHO, STR("x/1"), true, NOON + USEC_PER_SEC);
	flag_usage_add(STR_NONE, WHO, STR("x/1"), true, NOON);
	ck_assert(take(NULL));
	ck_assert_str_eq(buf_cstr(&asked), "[{\"flag\":\"a\",\"principal\":\"0192a000-0000-7000-"
					   "8000-000000000001\",\"client\":\"x/1\","
					   "\"count\":2,\"first_at\":\"2026-01-01T12:00:00.000Z\","
					   "\"last_at\":\"2026-01-01T12:00:01.000Z\"},"
					   "{\"flag\":\"\",\"principal\":\"0192a000-0000-7000-8000-"
					   "000000000001\",\"client\":\"x/1\","
					   "\"count\":1,\"first_at\":\"2026-01-01T12:00:00.000Z\","
					   "\"last_at\":\"2026-01-01T12:00:00.000Z\"}]");
	ck_assert_str_eq(buf_cstr(&streams), "[]");
	flag_usage_done(false);
	ck_assert(!take(NULL));
	flag_usage_done(false);
}
END_TEST

/* What was not taken over is told again; what came meanwhile waits for the next report. */
START_TEST(test_again)
{
	flag_usage_add(STR("a"), WHO, STR("x/1"), true, NOON);
	ck_assert(take(NULL));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&asked), "\"a\""));
	flag_usage_add(STR("b"), WHO, STR("x/1"), true, NOON);
	ck_assert(take(NULL));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&asked), "\"a\""));
	ck_assert_ptr_null(strstr(buf_cstr(&asked), "\"b\""));
	flag_usage_done(false);
	ck_assert(take(NULL));
	ck_assert_ptr_null(strstr(buf_cstr(&asked), "\"a\""));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&asked), "\"b\""));
	flag_usage_done(false);
}
END_TEST

static unsigned
count_of(const char *text)
{
	unsigned n = 0;
	for (const char *p = buf_cstr(&asked); (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

/* Keys that are not there, and such as are no text, are counted together past a bound; known ones have their room. */
START_TEST(test_bounds)
{
	char key[32];

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "nothing-%u", i);
		flag_usage_add(str_of(key), WHO, STR("x/1"), false, NOON);
	}
	flag_usage_add(((struct str) { "a\0b", 3 }), WHO, STR("x/1"), false, NOON);
	flag_usage_add(STR("\xff"), WHO, STR("x/1"), false, NOON);
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof(key), "there-%u", i);
		flag_usage_add(str_of(key), WHO, STR("x/1"), true, NOON);
	}
	ck_assert(take(NULL));
	ck_assert_uint_eq(count_of("\"nothing-"), FLAG_USAGE_UNKNOWN_MAX);
	ck_assert_uint_eq(count_of("\"there-"), 100);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&asked), "\"" FLAG_USAGE_OTHERS "\""));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&asked), "\"count\":938"));
	flag_usage_done(false);
	for (unsigned i = 0; i < 2 * FLAG_USAGE_ROWS; i++) {
		(void)snprintf(key, sizeof(key), "there-%u", i);
		flag_usage_add(str_of(key), WHO, STR("x/1"), true, NOON);
	}
	ck_assert(take(NULL));
	ck_assert_uint_eq(count_of("\"there-"), FLAG_USAGE_ROWS);
	flag_usage_done(true);
	ck_assert(!take(NULL));
	flag_usage_done(false);
}
END_TEST

static void
two_streams(void)
{
	flag_usage_stream(WHO, STR("x/1"));
	flag_usage_stream(WHO, STR("x/1"));
}

/* A state, told again and again, and once more when there is none any more. */
START_TEST(test_streams)
{
	for (int i = 0; i < 2; i++) {
		ck_assert(take(two_streams));
		ck_assert_str_eq(buf_cstr(&asked), "[]");
		ck_assert_str_eq(buf_cstr(&streams),
				 "[{\"principal\":\"0192a000-0000-7000-8000-000000000001\","
				 "\"client\":\"x/1\",\"open\":2}]");
		flag_usage_done(false);
	}
	ck_assert(take(NULL));
	ck_assert_str_eq(buf_cstr(&streams), "[]");
	flag_usage_done(false);
	ck_assert(!take(NULL));
	flag_usage_done(false);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("usage");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_client);
	tcase_add_test(tc, test_sums);
	tcase_add_test(tc, test_again);
	tcase_add_test(tc, test_bounds);
	tcase_add_test(tc, test_streams);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
