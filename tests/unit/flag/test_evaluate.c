/*
 * test_evaluate.c — the hash against its published vectors, ranges, choice, and what each kind of
 * rule answers.
 */
#include "flag/flag.h"

#include <stdio.h>

#include "tests/support/unit.h"

/* clang-format off: a table */
static const struct {
	const char *seed, *value;
	double n;
} HASH[] = {
	{ "seed", "a", 0.0505 },
	{ "seed", "b", 0.2696 },
	{ "foo", "ab", 0.2575 },
	{ "foo", "def", 0.2019 },
	{ "89123klj", "8952klfjas09ujkasdf", 0.124 },
	{ "90850943850283058242805", "123", 0.7516 },
	{ "()**(%$##$%#$#", "___)((*\":&", 0.0128 },
};
/* clang-format on */

START_TEST(hash)
{
	ck_assert_double_eq_tol(flag_hash(str_of(HASH[_i].seed), str_of(HASH[_i].value)),
				HASH[_i].n, 1e-12);
}
END_TEST

START_TEST(ranges)
{
	struct flag_range r[3];
	flag_bucket_ranges(2, 1, (const double[]) { 0.4, 0.5999 }, 2, r);
	ck_assert_double_eq_tol(r[1].end, 0.9999, 1e-12);
	flag_bucket_ranges(3, 0.2, (const double[]) { 0.2, 0.3, 0.5 }, 3, r);
	ck_assert_double_eq_tol(r[0].end, 0.04, 1e-12);
	ck_assert_double_eq_tol(r[1].start, 0.2, 1e-12);
	ck_assert_double_eq_tol(r[1].end, 0.26, 1e-12);
	flag_bucket_ranges(2, -1, NULL, 0, r);
	ck_assert_int_eq(flag_bucket_choose(0, r, 2), -1);
	flag_bucket_ranges(2, 9, NULL, 0, r);
	ck_assert_int_eq(flag_bucket_choose(0, r, 2), 0);
	ck_assert_int_eq(flag_bucket_choose(0.5, r, 2), 1);
	ck_assert_int_eq(flag_bucket_choose(0.9999, r, 2), 1);
}
END_TEST

#define V "\"variations\":[{\"key\":\"off\",\"value\":false},{\"key\":\"on\",\"value\":true}]"
#define DOC(rules) "{\"unit\":\"visitor\"," V ",\"rules\":[" rules "],\"default\":\"off\"}"
#define SPLIT "{\"experiment\":{\"variations\":[\"off\",\"on\"]}}"

/* clang-format off: a table; hash version 2 under the seed "feature": user2 0.134, user3 0.7035 */
static const struct {
	const char *document, *unit;
	enum flag_outcome outcome;
	enum flag_reason reason;
	const char *variation;
} ROW[] = {
	{ DOC(""), "", FLAG_EVALUATED, FLAG_STATIC, "off" },
	{ DOC("{\"force\":\"on\"}"), "", FLAG_EVALUATED, FLAG_TARGETING_MATCH, "on" },
	{ DOC("{\"force\":\"on\",\"coverage\":0.5}"), "user2", FLAG_EVALUATED, FLAG_SPLIT, "on" },
	{ DOC("{\"force\":\"on\",\"coverage\":0.5}"), "user3", FLAG_EVALUATED, FLAG_DEFAULT,
	  "off" },
	{ DOC("{\"force\":\"on\",\"coverage\":0.5}"), "", FLAG_UNIT_MISSING, FLAG_STATIC, NULL },
	{ DOC("{\"force\":\"on\",\"coverage\":1}"), "user3", FLAG_EVALUATED, FLAG_SPLIT, "on" },
	{ DOC("{\"force\":\"on\",\"coverage\":0}"), "user2", FLAG_EVALUATED, FLAG_DEFAULT, "off" },
	{ DOC(SPLIT), "user2", FLAG_EVALUATED, FLAG_SPLIT, "off" },
	{ DOC(SPLIT), "user3", FLAG_EVALUATED, FLAG_SPLIT, "on" },
	{ DOC(SPLIT), "", FLAG_UNIT_MISSING, FLAG_STATIC, NULL },
	{ DOC("{\"force\":\"on\"}," SPLIT), "", FLAG_EVALUATED, FLAG_TARGETING_MATCH, "on" },
	{ DOC("{\"experiment\":{\"variations\":[\"off\",\"on\"],\"coverage\":0}},{\"force\":"
	      "\"on\"}"),
	  "user2", FLAG_EVALUATED, FLAG_TARGETING_MATCH, "on" },
	{ DOC("{\"experiment\":{\"variations\":[\"off\",\"on\"],\"coverage\":0}}"), "user2",
	  FLAG_EVALUATED, FLAG_DEFAULT, "off" },
	{ DOC("{\"experiment\":{\"variations\":[\"off\",\"on\"],\"weights\":[0,1]}}"), "user2",
	  FLAG_EVALUATED, FLAG_SPLIT, "on" },
};
/* clang-format on */

START_TEST(rules)
{
	struct arena a;
	struct err_info info = { .code = ERR_OK };
	const struct flag_document *d = NULL;
	struct flag_result r = { .revision = 7 };

	arena_init(&a, ARENA_CAP_BYTES);
	ck_assert_int_eq(
		flag_document_compile(&a, STR("feature"), str_of(ROW[_i].document), "", &d, &info),
		ERR_OK);
	flag_document_evaluate(d, str_of(ROW[_i].unit), &r);
	ck_assert_msg(r.outcome == ROW[_i].outcome, "%s: outcome %d", ROW[_i].document, r.outcome);
	if (ROW[_i].variation != NULL) {
		ck_assert_msg(str_is(r.variation, ROW[_i].variation), "%s: %.*s", ROW[_i].document,
			      STR_FMT(r.variation));
		ck_assert_msg(r.reason == ROW[_i].reason, "%s: %s", ROW[_i].document,
			      flag_reason_text(r.reason));
		ck_assert(str_is(r.value, str_is(r.variation, "on") ? "true" : "false"));
	}
	ck_assert_int_eq(r.revision, 7);
	arena_release(&a);
}
END_TEST

/* 20,000 units over uneven weights: each arm's share within five standard deviations; and twice the
 * same answer. */
START_TEST(shares)
{
	struct arena a;
	const struct flag_document *d = NULL;
	int count[2] = { 0, 0 };
	int outside = 0;

	arena_init(&a, ARENA_CAP_BYTES);
	ck_assert_int_eq(
		flag_document_compile(&a, STR("shares"),
				      STR(DOC("{\"experiment\":{\"variations\":[\"off\",\"on\"],"
					      "\"weights\":[0.8,0.2],\"coverage\":0.5}}")),
				      "", &d, NULL),
		ERR_OK);
	for (int i = 0; i < 20000; i++) {
		char unit[16];
		struct flag_result r, again;
		const int len = snprintf(unit, sizeof(unit), "unit-%d", i);
		flag_document_evaluate(d, (struct str) { unit, (size_t)len }, &r);
		flag_document_evaluate(d, (struct str) { unit, (size_t)len }, &again);
		ck_assert(r.reason == again.reason && str_eq(r.variation, again.variation));
		if (r.reason == FLAG_DEFAULT)
			outside++;
		else
			count[str_is(r.variation, "on")]++;
	}
	ck_assert_int_gt(outside, 10000 - 354);
	ck_assert_int_lt(outside, 10000 + 354);
	ck_assert_int_gt(count[0], 8000 - 347);
	ck_assert_int_lt(count[0], 8000 + 347);
	ck_assert_int_gt(count[1], 2000 - 213);
	ck_assert_int_lt(count[1], 2000 + 213);
	arena_release(&a);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("flag evaluate");
	TCase *c = tcase_create("evaluate");
	tcase_add_loop_test(c, hash, 0, (int)ARRAY_LEN(HASH));
	tcase_add_test(c, ranges);
	tcase_add_loop_test(c, rules, 0, (int)ARRAY_LEN(ROW));
	tcase_add_test(c, shares);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
