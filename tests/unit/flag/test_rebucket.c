/*
 * test_rebucket.c — which edits move units that have been divided already, and which do not; and the shares against the evaluator:
 * the part of a thousand units that moves is the part that was told.
 */
#include "flag/rebucket.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

#define V                                                                                          \
	"\"variations\":[{\"key\":\"a\",\"value\":1},{\"key\":\"b\",\"value\":2},{\"key\":\"c\","  \
	"\"value\":3}]"
#define DOC(rules) "{\"unit\":\"visitor\"," V ",\"rules\":[" rules "],\"default\":\"c\"}"
#define EXP(more) DOC("{\"experiment\":{\"variations\":[\"a\",\"b\"]" more "}}")
#define HALF DOC("{\"force\":\"a\",\"coverage\":0.5}")
#define STICKY(v, more) EXP(",\"sticky\":{\"version\":" v "}" more)

static struct arena arena;

static const struct flag_document *
compiled(const char *text)
{
	const struct flag_document *d = NULL;
	struct err_info info = { .code = ERR_OK };

	ck_assert_msg(flag_document_compile(&arena, STR("f"), str_of(text), "", &d, &info) ==
			      ERR_OK,
		      "%s: %s %s", text, info.field, info.msg);
	return d;
}

static void
set_up(void)
{
	arena_init(&arena, ARENA_CAP_BYTES);
}

static void
tear_down(void)
{
	arena_release(&arena);
	arena_trim();
}

/* clang-format off: a table */
static const struct {
	const char *now, *would;
	const char *names; /* what is told, with blanks between */
	double share;      /* of the first one */
} CASES[] = {
	{ EXP(""), EXP(""), "", 0 },
	{ EXP(""), EXP(",\"seed\":\"x\""), "seed", 1 },
	{ EXP(""), EXP(",\"key\":\"other\""), "seed", 1 },
	{ EXP(",\"seed\":\"x\""), EXP(",\"seed\":\"x\",\"key\":\"other\""), "", 0 },
	{ EXP(""), EXP(",\"hashVersion\":1"), "hashVersion", 1 },
	{ EXP(""), EXP(",\"hashAttribute\":\"company\""), "hashAttribute", 1 },
	{ EXP(",\"hashAttribute\":\"company\",\"fallbackAttribute\":\"targetingKey\""),
	  EXP(",\"hashAttribute\":\"company\""), "fallbackAttribute", 1 },
	{ EXP(",\"hashAttribute\":\"company\""),
	  EXP(",\"hashAttribute\":\"company\",\"fallbackAttribute\":\"targetingKey\""), "", 0 },
	/* weights, order, names */
	{ EXP(""), EXP(",\"weights\":[0.4,0.6]"), "weights", 0.1 },
	{ EXP(""), EXP(",\"weights\":[0.9,0.1]"), "weights", 0.4 },
	{ EXP(""), DOC("{\"experiment\":{\"variations\":[\"b\",\"a\"]}}"), "weights", 1 },
	{ EXP(""), DOC("{\"experiment\":{\"variations\":[\"a\",\"c\"]}}"), "weights", 0.5 },
	{ EXP(",\"coverage\":0.5"),
	  DOC("{\"experiment\":{\"variations\":[\"a\",\"b\"],\"ranges\":[[0,0.5],[0.5,1]]}}"), "",
	  0 },
	/* coverage */
	{ EXP(",\"coverage\":0.2"), EXP(",\"coverage\":0.6"), "", 0 },
	{ EXP(",\"coverage\":0.6"), EXP(",\"coverage\":0.2"), "coverage", 0.4 },
	{ EXP(""), EXP(",\"coverage\":0"), "", 0 }, /* divides nobody: an end */
	{ HALF, DOC("{\"force\":\"a\",\"coverage\":0.75}"), "", 0 },
	{ HALF, DOC("{\"force\":\"a\",\"coverage\":0.25}"), "coverage", 0.25 },
	{ HALF, DOC("{\"force\":\"b\",\"coverage\":0.5}"), "weights", 0.5 },
	{ HALF, DOC("{\"force\":\"a\",\"range\":[0,0.5]}"), "", 0 },
	{ HALF, DOC("{\"force\":\"a\",\"range\":[0.25,0.75]}"), "coverage", 0.25 },
	{ HALF, DOC("{\"force\":\"a\"}"), "", 0 }, /* for all: meant */
	/* namespaces and filters */
	{ EXP(""), EXP(",\"namespace\":[\"n\",0,0.5]"), "namespace", 1 },
	{ EXP(",\"namespace\":[\"n\",0,0.5]"), EXP(""), "", 0 },
	{ EXP(",\"namespace\":[\"n\",0.2,0.5]"), EXP(",\"namespace\":[\"n\",0.1,0.6]"), "", 0 },
	{ EXP(",\"namespace\":[\"n\",0.1,0.5]"), EXP(",\"namespace\":[\"n\",0.2,0.5]"), "namespace",
	  1 },
	{ EXP(",\"namespace\":[\"n\",0,0.5]"), EXP(",\"namespace\":[\"m\",0,0.5]"), "namespace",
	  1 },
	{ HALF,
	  DOC("{\"force\":\"a\",\"coverage\":0.5,\"filters\":[{\"seed\":\"l\",\"ranges\":[[0,0.5]]}"
	      "]}"),
	  "filters", 1 },
	{ DOC("{\"force\":\"a\",\"coverage\":0.5,\"filters\":[{\"seed\":\"l\",\"ranges\":[[0,0.5]]}"
	      "]}"),
	  DOC("{\"force\":\"a\",\"coverage\":0.5,\"filters\":[{\"seed\":\"l\",\"ranges\":[[0,0.6]]}"
	      "]}"),
	  "", 0 },
	/* rules that come and go */
	{ EXP(""), DOC(""), "", 0 },
	{ EXP(""), DOC("{\"force\":\"a\"}"), "", 0 },
	{ EXP(""), HALF, "rule", 1 },
	{ EXP(""), EXP(",\"force\":\"b\""), "", 0 },
	{ HALF, DOC("{\"force\":\"b\",\"coverage\":0.5},{\"force\":\"a\",\"coverage\":0.5}"), "",
	  0 },
	{ DOC("{\"force\":\"a\",\"coverage\":0.5},{\"experiment\":{\"variations\":[\"a\",\"b\"]}}"),
	  EXP(""), "rule", 1 },
	{ DOC("{\"id\":\"x\",\"force\":\"a\",\"coverage\":0.5},{\"id\":\"y\",\"force\":\"a\","
	      "\"coverage\":0.1}"),
	  DOC("{\"id\":\"y\",\"force\":\"a\",\"coverage\":0.1},{\"id\":\"x\",\"force\":\"a\","
	      "\"coverage\":0.5}"),
	  "", 0 },
	{ DOC("{\"id\":\"x\",\"force\":\"a\",\"coverage\":0.5},{\"force\":\"b\",\"coverage\":0.5}"),
	  DOC("{\"id\":\"x\",\"active\":false,\"force\":\"a\",\"coverage\":0.5},{\"force\":\"b\","
	      "\"coverage\":0.5}"),
	  "rule", 1 },
	{ EXP(",\"passthrough\":[\"b\"]"), EXP(""), "passthrough", 1 },
	/* contexts */
	{ EXP(",\"contexts\":[{\"condition\":{\"x\":1},\"weights\":[0.5,0.5]}]"),
	  EXP(",\"contexts\":[{\"condition\":{\"x\":1},\"weights\":[1,0]}]"), "contexts", 0.5 },
	/* sticky */
	{ STICKY("1", ""), STICKY("1", ",\"weights\":[0.9,0.1]"), "", 0 },
	{ STICKY("1", ""), STICKY("1", ",\"seed\":\"x\""), "", 0 },
	{ STICKY("1", ""), STICKY("2", ""), "sticky", 1 },
	{ STICKY("1", ""), STICKY("1", ",\"key\":\"k\",\"hashVersion\":1"),
	  "sticky hashVersion seed", 1 },
	{ EXP(""), STICKY("1", ""), "", 0 },
};
/* clang-format on */

START_TEST(tells)
{
	struct flag_rebucket r[FLAG_REBUCKETS_MAX];
	char told[200] = "";
	const size_t n =
		flag_rebuckets(compiled(CASES[_i].now), compiled(CASES[_i].would), r, ARRAY_LEN(r));

	for (size_t i = 0; i < n; i++) {
		const size_t len = strlen(told);
		(void)snprintf(told + len, sizeof(told) - len, "%s%s", i > 0 ? " " : "",
			       flag_rebucket_name(r[i].kind));
		ck_assert_uint_gt(strlen(flag_rebucket_why(r[i].kind)), 0);
	}
	ck_assert_msg(strcmp(told, CASES[_i].names) == 0, "%s → %s: %s, not %s", CASES[_i].now,
		      CASES[_i].would, told, CASES[_i].names);
	if (n > 0)
		ck_assert_msg(fabs(r[0].share - CASES[_i].share) < 1e-6, "%s → %s: %g, not %g",
			      CASES[_i].now, CASES[_i].would, r[0].share, CASES[_i].share);
}
END_TEST

START_TEST(tells_of_another_unit)
{
	struct flag_rebucket r[FLAG_REBUCKETS_MAX];
	const struct flag_document *const now = compiled(EXP(""));
	const struct flag_document *const would =
		compiled("{\"unit\":\"person\"," V
			 ",\"rules\":[{\"experiment\":{\"variations\":[\"a\",\"b\"]"
			 "}}],\"default\":\"c\"}");

	ck_assert_uint_eq(flag_rebuckets(now, would, r, ARRAY_LEN(r)), 1);
	ck_assert_int_eq(r[0].kind, FLAG_REBUCKET_UNIT);
	ck_assert_uint_eq(flag_rebuckets(now, would, r, 0), 0);
}
END_TEST

/* What the evaluator does to units is what was told, for the cases in which all are divided by one rule. */
START_TEST(agrees_with_the_evaluator)
{
	const struct flag_document *const now = compiled(CASES[_i].now);
	const struct flag_document *const would = compiled(CASES[_i].would);
	struct flag_rebucket r[FLAG_REBUCKETS_MAX];
	const size_t n = flag_rebuckets(now, would, r, ARRAY_LEN(r));
	unsigned moved = 0;

	if (now->n_rules != 1 || would->n_rules != 1 || now->rules[0].sticky ||
	    !flag_document_divides(would))
		return;
	for (unsigned i = 0; i < 1000; i++) {
		struct flag_result before, after;
		char unit[32];
		(void)snprintf(unit, sizeof(unit), "unit-%u", i);
		flag_document_evaluate(now, str_of(unit), &before);
		flag_document_evaluate(would, str_of(unit), &after);
		moved += before.reason == FLAG_SPLIT && !str_eq(before.variation, after.variation);
	}
	ck_assert_msg(n > 0 || moved == 0, "%s → %s moves %u", CASES[_i].now, CASES[_i].would,
		      moved);
	if (n == 1 && r[0].share < 1 && r[0].kind != FLAG_REBUCKET_CONTEXTS)
		ck_assert_msg(fabs(moved / 1000.0 - r[0].share) < 0.06, "%s → %s moves %u, not %g",
			      CASES[_i].now, CASES[_i].would, moved, r[0].share);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("rebucket");
	TCase *t = tcase_create("edits");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, tells, 0, ARRAY_LEN(CASES));
	tcase_add_loop_test(t, agrees_with_the_evaluator, 0, ARRAY_LEN(CASES));
	tcase_add_test(t, tells_of_another_unit);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite)
