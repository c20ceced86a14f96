/*
 * test_limit.c — quotas: of one principal, over several processes, and how strangers stay out of the principals' way.
 */
#include "access/access.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/unit.h"

#define QUOTA 500

static const char yaml[] =
	"roles:\n  small:\n    rights: [a.read]\n  large:\n    rights: [a.read]\n"
	"  free:\n    rights: [a.read]\n  plain:\n    rights: [a.read]\n";
static struct access_roles *roles;
static struct access *access_object;

static void
setup(void)
{
	struct yaml_errors e;
	yaml_errors_init(&e);
	ck_assert_int_eq(access_roles_parse("roles.yaml", str_of(yaml), &roles, &e), ERR_OK);
	yaml_errors_free(&e);
	access_limits_map();
	const struct access_conf conf = {
		.roles = roles,
		.limits = { .window = 60 * USEC_PER_SEC,
			    .other = 7,
			    .of = { { "small", 5 }, { "large", QUOTA }, { "free", 0 } },
			    .n = 3 }
	};
	ck_assert_int_eq(access_create(&conf, &access_object, NULL), ERR_OK);
}

static void
teardown(void)
{
	access_destroy(access_object);
	access_roles_free(roles);
}

static bool
limit_of(const char *principal, const char *names, struct access_limit *l)
{
	struct access_actor actor;
	access_actor_of_roles(access_object, str_of(principal), STR("x"), str_of(names), &actor);
	return access_limit_of(access_object, &actor, l);
}

static int
takes(struct access_limit *l, int n, int64_t cost)
{
	int got = 0;
	for (int i = 0; i < n; i++)
		got += access_limit_take(l, cost);
	return got;
}

START_TEST(largest_role_holds)
{
	static const struct {
		const char *roles, *policy;
		int64_t quota; /* 0: no limit */
	} rows[] = {
		{ "small", "small", 5 },   { "small,large", "large", QUOTA },
		{ "plain", "plain", 7 },   { "", "none", 7 },
		{ "small,free", NULL, 0 }, { "plain,small", "plain", 7 },
		{ "unknown", "none", 7 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct access_limit l;
		const bool limited = limit_of("p-1", rows[i].roles, &l);
		ck_assert_msg(limited == (rows[i].quota > 0), "%s", rows[i].roles);
		if (!limited)
			continue;
		ck_assert_int_eq(l.quota, rows[i].quota);
		ck_assert(str_is(l.policy, rows[i].policy));
	}
}
END_TEST

START_TEST(used_up_and_told)
{
	struct access_limit l, other;
	ck_assert(limit_of("p-2", "small", &l));
	ck_assert_int_eq(takes(&l, 5, 1), 5);
	ck_assert_int_eq(l.left, 0);
	ck_assert(!access_limit_take(&l, 1));
	/* 60 s for 5: the next one is there in 12 s, all of them in 60. */
	ck_assert_int_ge(l.wait, 11);
	ck_assert_int_le(l.wait, 12);
	ck_assert_int_ge(l.reset, 59);
	ck_assert_int_le(l.reset, 60);
	ck_assert(access_limit_take(&l, 0) || l.left == 0);
	ck_assert(limit_of("p-3", "small", &other));
	ck_assert_int_eq(takes(&other, 1, 1), 1);
	ck_assert_int_eq(other.left, 4);
	/* Looking takes nothing. */
	(void)takes(&other, 10, 0);
	ck_assert_int_eq(takes(&other, 9, 1), 4);
}
END_TEST

START_TEST(costs_of_batches)
{
	struct access_limit l;
	ck_assert(limit_of("p-4", "large", &l));
	ck_assert(access_limit_take(&l, 300));
	ck_assert(!access_limit_take(&l, 300)); /* nothing is taken */
	ck_assert(access_limit_take(&l, 190));
	/* More than the quota is let in when nothing else was asked, and only then. */
	ck_assert(limit_of("p-5", "large", &l));
	ck_assert(access_limit_take(&l, 10 * QUOTA));
	ck_assert(!access_limit_take(&l, 1));
	ck_assert(limit_of("p-6", "large", &l));
	ck_assert(access_limit_take(&l, 1));
	ck_assert(!access_limit_take(&l, 10 * QUOTA));
}
END_TEST

START_TEST(fills_again)
{
	struct access_limit l = { .key = 77, .quota = 1000, .window = USEC_PER_SEC };
	ck_assert(access_limit_take(&l, 1000));
	ck_assert(!access_limit_take(&l, 100));
	const usec_t began = clock_now_us();
	while (!access_limit_take(&l, 100))
		ck_assert_int_lt(clock_now_us() - began, 20 * USEC_PER_SEC);
	ck_assert_int_ge(clock_now_us() - began, 50 * USEC_PER_MS);
}
END_TEST

/* Four processes at once: what they get together is the quota, and what came back meanwhile. */
START_TEST(one_quota_over_processes)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	const usec_t began = clock_now_us();
	for (int i = 0; i < 4; i++) {
		const pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid > 0)
			continue;
		struct access_limit l;
		const bool limited = limit_of("p-7", "large", &l);
		const int got = limited ? takes(&l, 2000, 1) : -1;
		_exit(write(ends[1], &got, sizeof(got)) == sizeof(got) ? 0 : 1);
	}
	int total = 0, one = 0;
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(read(ends[0], &one, sizeof(one)), sizeof(one));
		ck_assert_int_ge(one, 0);
		total += one;
		ck_assert_int_gt(wait(NULL), 0);
	}
	const int64_t back = (clock_now_us() - began) * QUOTA / (60 * USEC_PER_SEC);
	ck_assert_int_ge(total, QUOTA);
	ck_assert_int_le(total, QUOTA + back + 4);
}
END_TEST

START_TEST(strangers_do_not_push_principals_out)
{
	struct access_limit mine;
	ck_assert(limit_of("p-8", "small", &mine));
	ck_assert_int_eq(takes(&mine, 9, 1), 5);
	for (uint64_t i = 1; i < 200000; i++) {
		struct access_limit l = { .key = i * UINT64_C(0x9e3779b97f4a7c15),
					  .quota = 5,
					  .window = 60 * USEC_PER_SEC,
					  .is_address = true };
		ck_assert(access_limit_take(&l, 1));
	}
	ck_assert(!access_limit_take(&mine, 1));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("limit");
	TCase *tc = tcase_create("all");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, largest_role_holds);
	tcase_add_test(tc, used_up_and_told);
	tcase_add_test(tc, costs_of_batches);
	tcase_add_test(tc, fills_again);
	tcase_add_test(tc, one_quota_over_processes);
	tcase_add_test(tc, strangers_do_not_push_principals_out);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
