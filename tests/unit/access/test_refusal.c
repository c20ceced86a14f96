/*
 * test_refusal.c — refusals are summed up, bounded, and handed out once; strangers have places of their own.
 */
#include "access/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/metric.h"
#include "tests/support/unit.h"

static struct access_roles *roles;
static struct access *object;

static void
setup(void)
{
	struct yaml_errors e;
	yaml_errors_init(&e);
	ck_assert_int_eq(access_roles_parse("r.yaml", STR("roles:\n  a: { rights: [a.read] }\n"),
					    &roles, &e),
			 ERR_OK);
	yaml_errors_free(&e);
	access_refusal_metrics();
	ck_assert_int_eq(access_create(&(struct access_conf) { .roles = roles }, &object, NULL),
			 ERR_OK);
}

static void
teardown(void)
{
	access_destroy(object);
	access_roles_free(roles);
}

static void
add(const char *route, const char *principal, const char *token, const char *reason)
{
	const struct task t = { .t_name = route };
	access_refusal_add(object, &t,
			   &(struct access_refusal_who) { .principal = str_of(principal),
							  .token = str_of(token),
							  .request = STR("r-1") },
			   reason);
}

static size_t
taken(const char *wanted[], size_t n)
{
	struct buf b;
	buf_init(&b, 256 * 1024);
	const size_t got = access_refusals_take(object, &b);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(strstr(buf_cstr(&b), wanted[i]) != NULL, "%s in %s", wanted[i],
			      buf_cstr(&b));
	buf_free(&b);
	return got;
}

START_TEST(sums_up_and_hands_out_once)
{
	static const char list[] = "record.list", get[] = "record.get", right[] = "right",
			  rate[] = "rate";
	for (int i = 0; i < 1000; i++)
		add(list, "p-1", NULL, right);
	add(list, "p-1", NULL, rate);
	add(get, "p-1", NULL, right);
	add(list, "p-2\"\n", NULL, right);
	add(list, NULL, "bm_core_abcdefgh", right);
	const char *wanted[] = { "\"actor\":\"p-1\"", "\"count\":1000", "\"reason\":\"rate\"",
				 "\"token\":\"bm_core_abcdefgh\"", "\"p-2\\\"\\n\"" };
	ck_assert_uint_eq(taken(wanted, ARRAY_LEN(wanted)), 5);
	ck_assert_uint_eq(taken(NULL, 0), 0);
}
END_TEST

START_TEST(bounded)
{
	static const char route[] = "record.list", reason[] = "unknown";
	char name[32];
	const int64_t lost =
		metric_value(metric_counter("access_refusals_dropped_total", NULL, ""));
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "bm_core_%08d", i);
		add(route, NULL, name, reason);
	}
	add(route, "p-1", NULL, reason); /* the noise takes nobody's place */
	const char *wanted[] = { "\"actor\":\"p-1\"" };
	ck_assert_uint_eq(taken(wanted, 1), ACCESS_STRANGERS_MAX + 1);
	ck_assert_int_eq(metric_value(metric_counter("access_refusals_dropped_total", NULL, "")),
			 lost + 5000 - ACCESS_STRANGERS_MAX);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "p-%d", i);
		add(route, name, NULL, reason);
	}
	ck_assert_uint_eq(taken(NULL, 0), ACCESS_REFUSALS_MAX);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("refusal");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sums_up_and_hands_out_once);
	tcase_add_test(tc, bounded);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
