/*
 * test_document.c — what a rule document may say: good ones with what they become, bad ones with
 * the place of the error.
 */
#include "flag/flag.h"

#include <string.h>

#include "tests/support/unit.h"

#define V "\"variations\":[{\"key\":\"a\",\"value\":false},{\"key\":\"b\",\"value\":true}]"
#define DOC(rules) "{\"unit\":\"person\"," V ",\"rules\":[" rules "],\"default\":\"a\"}"
#define EXP(more) DOC("{\"experiment\":{\"variations\":[\"a\",\"b\"]" more "}}")

static struct arena arena;
static struct err_info info;

static enum err
compile(const char *text, const char *at, const struct flag_document **out)
{
	err_clear(&info);
	return flag_document_compile(&arena, STR("my-flag"), str_of(text), at, out, &info);
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
	const char *text;
	enum err err;
	const char *field;
} BAD[] = {
	{ "", ERR_BAD_JSON, "" },
	{ "{\"unit\":\"person\",}", ERR_BAD_JSON, NULL },
	{ "[]", ERR_INVALID, "" },
	{ "{}", ERR_INVALID, "/unit" },
	{ "{\"unit\":\"person\"}", ERR_INVALID, "/variations" },
	{ "{\"unit\":\"person\"," V "}", ERR_INVALID, "/default" },
	{ "{\"unit\":\"device\"," V ",\"default\":\"a\"}", ERR_INVALID, "/unit" },
	{ "{\"unit\":1," V ",\"default\":\"a\"}", ERR_INVALID, "/unit" },
	{ "{\"unit\":\"person\"," V ",\"default\":\"a\",\"conditions\":{}}", ERR_INVALID,
	  "/conditions" },
	{ "{\"unit\":\"person\",\"unit\":\"person\"," V ",\"default\":\"a\"}", ERR_INVALID, "" },
	{ "{\"unit\":\"person\"," V ",\"default\":\"c\"}", ERR_INVALID, "/default" },
	{ "{\"unit\":\"person\"," V ",\"default\":0}", ERR_INVALID, "/default" },
	{ "{\"unit\":\"person\",\"variations\":[],\"default\":\"a\"}", ERR_INVALID, "/variations" },
	{ "{\"unit\":\"person\",\"variations\":{},\"default\":\"a\"}", ERR_INVALID, "/variations" },
	{ "{\"unit\":\"person\",\"variations\":[1],\"default\":\"a\"}", ERR_INVALID,
	  "/variations/0" },
	{ "{\"unit\":\"person\",\"variations\":[{\"key\":\"a\"}],\"default\":\"a\"}", ERR_INVALID,
	  "/variations/0/value" },
	{ "{\"unit\":\"person\",\"variations\":[{\"value\":1}],\"default\":\"a\"}", ERR_INVALID,
	  "/variations/0/key" },
	{ "{\"unit\":\"person\",\"variations\":[{\"key\":\"a b\",\"value\":1}],\"default\":\"a "
	  "b\"}",
	  ERR_INVALID, "/variations/0/key" },
	{ "{\"unit\":\"person\",\"variations\":[{\"key\":\"\",\"value\":1}],\"default\":\"\"}",
	  ERR_INVALID, "/variations/0/key" },
	{ "{\"unit\":\"person\",\"variations\":[{\"key\":\"a\",\"value\":null}],\"default\":\"a\"}",
	  ERR_INVALID, "/variations/0/value" },
	{ "{\"unit\":\"person\",\"variations\":[{\"key\":\"a\",\"value\":[1]}],\"default\":\"a\"}",
	  ERR_INVALID, "/variations/0/value" },
	{ "{\"unit\":\"person\",\"variations\":[{\"key\":\"a\",\"value\":1},{\"key\":\"a\","
	  "\"value\":2}],\"default\":\"a\"}",
	  ERR_INVALID, "/variations/1/key" },
	{ "{\"unit\":\"person\",\"variations\":[{\"key\":\"a\",\"value\":1},{\"key\":\"b\","
	  "\"value\":\"2\"}],\"default\":\"a\"}",
	  ERR_INVALID, "/variations/1/value" },
	{ "{\"unit\":\"person\",\"variations\":[{\"key\":\"a\",\"value\":1,\"weight\":1}],"
	  "\"default\":\"a\"}",
	  ERR_INVALID, "/variations/0/weight" },
	{ "{\"unit\":\"person\"," V ",\"rules\":{},\"default\":\"a\"}", ERR_INVALID, "/rules" },
	{ DOC("1"), ERR_INVALID, "/rules/0" },
	{ DOC("{}"), ERR_INVALID, "/rules/0" },
	{ DOC("{\"force\":\"c\"}"), ERR_INVALID, "/rules/0/force" },
	{ DOC("{\"force\":\"b\"},{\"force\":true}"), ERR_INVALID, "/rules/1/force" },
	{ DOC("{\"force\":\"b\",\"coverage\":1.1}"), ERR_INVALID, "/rules/0/coverage" },
	{ DOC("{\"force\":\"b\",\"coverage\":-0.1}"), ERR_INVALID, "/rules/0/coverage" },
	{ DOC("{\"force\":\"b\",\"coverage\":\"1\"}"), ERR_INVALID, "/rules/0/coverage" },
	{ DOC("{\"force\":\"b\",\"seed\":\"x\"}"), ERR_INVALID, "/rules/0/seed" },
	{ DOC("{\"force\":\"b\",\"coverage\":1,\"seed\":\"\"}"), ERR_INVALID, "/rules/0/seed" },
	{ DOC("{\"force\":\"b\",\"condition\":7}"), ERR_INVALID, "/rules/0/condition" },
	{ DOC("{\"force\":\"b\",\"experiment\":{}}"), ERR_INVALID, "/rules/0" },
	{ DOC("{\"experiment\":{\"variations\":[\"a\",\"b\"]},\"coverage\":1}"), ERR_INVALID,
	  "/rules/0/coverage" },
	{ DOC("{\"experiment\":{\"variations\":[\"a\",\"b\"]},\"seed\":\"x\"}"), ERR_INVALID,
	  "/rules/0/seed" },
	{ DOC("{\"experiment\":1}"), ERR_INVALID, "/rules/0/experiment" },
	{ DOC("{\"experiment\":{}}"), ERR_INVALID, "/rules/0/experiment/variations" },
	{ DOC("{\"experiment\":{\"variations\":[\"a\"]}}"), ERR_INVALID,
	  "/rules/0/experiment/variations" },
	{ DOC("{\"experiment\":{\"variations\":[\"a\",\"c\"]}}"), ERR_INVALID,
	  "/rules/0/experiment/variations/1" },
	{ DOC("{\"experiment\":{\"variations\":[\"a\",\"a\"]}}"), ERR_INVALID,
	  "/rules/0/experiment/variations/1" },
	{ EXP(",\"weights\":[1]"), ERR_INVALID, "/rules/0/experiment/weights" },
	{ EXP(",\"weights\":[0.5,0.6]"), ERR_INVALID, "/rules/0/experiment/weights" },
	{ EXP(",\"weights\":[0.5,0.4998]"), ERR_INVALID, "/rules/0/experiment/weights" },
	{ EXP(",\"weights\":[1.5,-0.5]"), ERR_INVALID, "/rules/0/experiment/weights/0" },
	{ EXP(",\"weights\":[0.5,null]"), ERR_INVALID, "/rules/0/experiment/weights/1" },
	{ EXP(",\"weights\":0.5"), ERR_INVALID, "/rules/0/experiment/weights" },
	{ EXP(",\"coverage\":2"), ERR_INVALID, "/rules/0/experiment/coverage" },
	{ EXP(",\"seed\":7"), ERR_INVALID, "/rules/0/experiment/seed" },
	{ EXP(",\"hashVersion\":3"), ERR_INVALID, "/rules/0/experiment/hashVersion" },
};
/* clang-format on */

START_TEST(bad)
{
	const struct flag_document *d = NULL;
	ck_assert_msg(compile(BAD[_i].text, "", &d) == BAD[_i].err, "%s: %s", BAD[_i].text,
		      err_row(info.code)->name);
	ck_assert_ptr_null(d);
	ck_assert_int_gt((int)strlen(info.msg), 0);
	if (BAD[_i].field != NULL)
		ck_assert_msg(strcmp(info.field, BAD[_i].field) == 0, "%s: at \"%s\", not \"%s\"",
			      BAD[_i].text, info.field, BAD[_i].field);
}
END_TEST

/* The place is that in the whole request; unknown names come with a proposal. */
START_TEST(place_and_proposal)
{
	const struct flag_document *d = NULL;
	ck_assert_int_eq(compile(DOC("{\"force\":\"b\",\"covrage\":1}"), "/document", &d),
			 ERR_INVALID);
	ck_assert_str_eq(info.field, "/document/rules/0/covrage");
	ck_assert_ptr_nonnull(strstr(info.msg, "\"coverage\""));
}
END_TEST

START_TEST(compiled)
{
	const struct flag_document *d = NULL;
	ck_assert_int_eq(
		compile(DOC("{\"force\":\"b\",\"coverage\":0.25,\"seed\":\"x\"},{\"force\":\"a\"},"
			    "{\"experiment\":{\"variations\":[\"b\",\"a\"],\"weights\":[0.9,0.1],"
			    "\"coverage\":0.5}}"),
			"", &d),
		ERR_OK);
	ck_assert_int_eq(d->unit, FLAG_PERSON);
	ck_assert_uint_eq(d->n_variations, 2);
	ck_assert_uint_eq(d->n_rules, 3);
	ck_assert(d->hashes);
	ck_assert(d->rules[0].kind == FLAG_RULE_FORCE && d->rules[0].hashes &&
		  d->rules[0].arms[0] == 1);
	ck_assert(str_is(d->rules[0].hasher.seed, "x"));
	ck_assert(d->rules[1].kind == FLAG_RULE_FORCE && !d->rules[1].hashes);
	ck_assert(d->rules[2].kind == FLAG_RULE_EXPERIMENT && d->rules[2].n_arms == 2);
	ck_assert(str_is(d->rules[2].hasher.seed, "my-flag"));
	ck_assert_double_eq_tol(d->rules[2].ranges[0].end, 0.45, 1e-12);
	ck_assert_double_eq_tol(d->rules[2].ranges[1].start, 0.9, 1e-12);
	ck_assert_double_eq_tol(d->rules[2].ranges[1].end, 0.95, 1e-12);
	ck_assert_double_eq_tol(flag_document_coverage(d), 1, 1e-12);
}
END_TEST

/* Numbers and objects stay the text they were: 1 is not 1.0, and no digit of a large integer is
 * lost. */
START_TEST(values_are_kept)
{
	const struct flag_document *d = NULL;
	ck_assert_int_eq(compile("{\"unit\":\"visitor\",\"variations\":[{\"key\":\"i\",\"value\":1}"
				 ",{\"key\":\"f\",\"value\":1.0},"
				 "{\"key\":\"l\",\"value\":9007199254740993}],\"default\":\"i\"}",
				 "", &d),
			 ERR_OK);
	ck_assert(str_is(d->variations[0].value, "1"));
	ck_assert(str_is(d->variations[1].value, "1.0"));
	ck_assert(str_is(d->variations[2].value, "9007199254740993"));
	ck_assert(!d->hashes);
}
END_TEST

START_TEST(limits)
{
	const struct flag_document *d = NULL;
	struct buf b;
	buf_init(&b, 1024 * 1024);
	buf_add_cstr(&b, "{\"unit\":\"person\",\"variations\":[");
	for (int i = 0; i <= FLAG_VARIATIONS_MAX; i++)
		buf_printf(&b, "%s{\"key\":\"v%d\",\"value\":%d}", i > 0 ? "," : "", i, i);
	buf_add_cstr(&b, "],\"default\":\"v0\"}");
	ck_assert_int_eq(compile(buf_cstr(&b), "", &d), ERR_INVALID);
	ck_assert_str_eq(info.field, "/variations");
	buf_reset(&b);
	for (int i = 0; i <= FLAG_DOCUMENT_BYTES_MAX; i++)
		buf_add_char(&b, ' ');
	ck_assert_int_eq(compile(buf_cstr(&b), "/document", &d), ERR_TOO_LARGE);
	ck_assert_str_eq(info.field, "/document");
	buf_free(&b);
}
END_TEST

START_TEST(keys)
{
	ck_assert(flag_key_valid(STR("feature-price_2.1")));
	ck_assert(flag_key_valid(STR("9lives")));
	ck_assert(!flag_key_valid(STR("")));
	ck_assert(!flag_key_valid(STR("-x")));
	ck_assert(!flag_key_valid(STR("Upper")));
	ck_assert(!flag_key_valid(STR("a/b")));
	char longest[FLAG_KEY_MAX + 1];
	memset(longest, 'k', sizeof(longest));
	ck_assert(flag_key_valid((struct str) { longest, FLAG_KEY_MAX }));
	ck_assert(!flag_key_valid((struct str) { longest, FLAG_KEY_MAX + 1 }));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("flag document");
	TCase *c = tcase_create("compile");
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, bad, 0, (int)ARRAY_LEN(BAD));
	tcase_add_test(c, place_and_proposal);
	tcase_add_test(c, compiled);
	tcase_add_test(c, values_are_kept);
	tcase_add_test(c, limits);
	tcase_add_test(c, keys);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
