/*
 * test_condition.c — conditions: what each operator answers beyond GrowthBook's published cases (tests/data), what is
 * refused when a condition is saved and where, and that no condition can cost more than its limits.
 */
#include <stdio.h>
#include <string.h>

#include "flag/internal.h"
#include "flag/condition.h"
#include "tests/support/flag_rows.h"
#include "tests/support/unit.h"

static struct arena arena;
static struct err_info info;

static void
setup(void)
{
	arena_init(&arena, 4 * ARENA_CAP_BYTES);
	info = (struct err_info) { .code = ERR_OK };
}

static void
teardown(void)
{
	arena_release(&arena);
}

static enum err
compile(struct str text, bool lenient, const struct flag_condition **out)
{
	const struct flag_condition_compiler how = { .arena = &arena, .lenient = lenient };
	return flag_condition_compile(&how, text, "/c", out, &info);
}

static bool
holds(const struct flag_condition *c, struct str attributes, unsigned *left)
{
	struct flag_context context;
	ck_assert_int_eq(flag_context_read(&arena, attributes, "", &context, &info), ERR_OK);
	struct flag_scope scope = { .context = &context, .work = FLAG_WORK_MAX };
	const bool r = flag_condition_holds(c, &scope, NULL);
	*left = scope.work;
	return r;
}

#define A(x) "{\"a\":" x "}"

/* clang-format off: a table */
static const struct {
	const char *condition, *attributes;
	bool holds;
} ROW[] = {
	/* the same without regard to case, beyond ASCII */
	{ A("{\"$ini\":[\"ÄPFEL\"]}"), A("\"äpfel\""), true },
	{ A("{\"$ini\":[\"ΣΊΣΥΦΟΣ\"]}"), A("\"σίσυφοσ\""), true },
	{ A("{\"$regexi\":\"^привет$\"}"), A("\"ПРИВЕТ\""), true },
	{ A("{\"$alli\":[\"Ä\",\"b\"]}"), A("[\"B\",\"ä\"]"), true },
	{ A("{\"$ini\":[1,null]}"), A("1"), true },
	{ A("{\"$ini\":[1,null]}"), "{}", true },
	/* texts */
	{ A("{\"$sw\":\"ab\"}"), A("\"abc\""), true },
	{ A("{\"$sw\":\"ab\"}"), A("\"Abc\""), false },
	{ A("{\"$swi\":\"aB\"}"), A("\"Abc\""), true },
	{ A("{\"$ew\":[\"x\",\"bc\"]}"), A("\"abc\""), true },
	{ A("{\"$ewi\":\"@EXAMPLE.com\"}"), A("\"ada@Example.COM\""), true },
	{ A("{\"$ew\":\"abcd\"}"), A("\"abc\""), false },
	{ A("{\"$co\":\"b\"}"), A("\"abc\""), true },
	{ A("{\"$coi\":\"Ö\"}"), A("\"größe\""), true },
	{ A("{\"$co\":\"b\"}"), A("[\"b\"]"), false },
	{ A("{\"$co\":\"b\"}"), "{}", false },
	{ A("{\"$sw\":\"1\"}"), A("12"), false },
	{ A("{\"$sw\":[]}"), A("\"a\""), false },
	/* times */
	{ A("{\"$before\":\"2026-05-01T10:00:00Z\"}"), A("\"2026-05-01T11:59:59+02:00\""), true },
	{ A("{\"$before\":\"2026-05-01T10:00:00Z\"}"), A("\"2026-05-01T10:00:00Z\""), false },
	{ A("{\"$after\":\"2026-05-01T10:00:00Z\"}"), A("\"2026-05-01T10:00:00.000001Z\""), true },
	{ A("{\"$after\":\"2026-05-01\"}"), A("\"yesterday\""), false },
	{ A("{\"$after\":\"2026-05-01\"}"), A("1893456000"), false },
	/* networks */
	{ A("{\"$cidr\":\"10.0.0.0/8\"}"), A("\"10.255.1.2\""), true },
	{ A("{\"$cidr\":\"10.0.0.0/8\"}"), A("\"11.0.0.1\""), false },
	{ A("{\"$cidr\":\"10.0.0.0/9\"}"), A("\"10.128.0.1\""), false },
	{ A("{\"$cidr\":\"192.0.2.7\"}"), A("\"192.0.2.7\""), true },
	{ A("{\"$cidr\":[\"192.0.2.0/24\",\"2001:db8::/33\"]}"), A("\"2001:db8:7fff::1\""), true },
	{ A("{\"$cidr\":[\"192.0.2.0/24\",\"2001:db8::/33\"]}"), A("\"2001:db8:8000::1\""), false },
	{ A("{\"$cidr\":\"10.0.0.0/8\"}"), A("\"::ffff:10.1.1.1\""), true },
	{ A("{\"$cidr\":\"0.0.0.0/0\"}"), A("\"::1\""), false },
	{ A("{\"$cidr\":\"::/0\"}"), A("\"10.0.0.1\""), true },
	{ A("{\"$cidr\":\"10.0.0.0/8\"}"), A("\"10.0.0.01\""), false },
	{ A("{\"$cidr\":\"10.0.0.0/8\"}"), A("\"host\""), false },
	/* versions */
	{ A("{\"$semverGt\":\"1.0.0-rc.9\"}"), A("\"1.0.0-rc.10\""), true },
	{ A("{\"$semverGt\":\"1.0.0-rc.10\"}"), A("\"1.0.0\""), true },
	{ A("{\"$semverEq\":\"1.2.3\"}"), A("\"1.2.3+build.7\""), true },
	{ A("{\"$semverEq\":\"1.2.3\"}"), A("\"v1.2.3\""), false },
	{ A("{\"$semverNe\":\"1.2.3\"}"), A("\"1.2\""), false },
	{ A("{\"$semverLt\":\"1.100000.0\"}"), A("\"1.99999.9\""), true },
	{ A("{\"$semverLte\":\"1.0.0-alpha.beta\"}"), A("\"1.0.0-alpha.1\""), true },
	{ A("{\"$semverGte\":\"1.0.0\"}"), A("\"1.0.0-x\""), false },
	{ A("{\"$semverGte\":\"1.0.0\"}"), A("\"01.0.0\""), false },
	{ A("{\"$semverLt\":\"9.0.0\"}"), A("\"1.0.0-01\""), false },
	{ A("{\"$semverLt\":\"9.0.0\"}"), A("\"1.0.0-\""), false },
	{ A("{\"$semverLt\":\"9.0.0\"}"), A("\"1.0.0.0\""), false },
	{ A("{\"$semverGt\":\"18446744073709551.0.0\"}"), A("\"99999999999999999999.0.0\""),
	  false },
	{ A("{\"$veq\":2}"), A("2"), true },
	{ A("{\"$vgt\":\"0\"}"), A("[1]"), false },
	/* regular expressions */
	{ A("{\"$regex\":\"^a.c$\"}"), A("\"abc\""), true },
	{ A("{\"$regex\":\"^a$\"}"), A("\"a\\n\""), false },
	{ A("{\"$regex\":\"[)(?=]\"}"), A("\"=\""), true },
	{ A("{\"$regex\":\"^1\"}"), A("12"), true },
	{ A("{\"$regex\":\"\\\\d{3}\"}"), A("\"a123\""), true },
	{ A("{\"$regex\":\"(?i:X)y\"}"), A("\"xy\""), true },
	{ A("{\"$notRegex\":\"^a\"}"), A("\"b\""), true },
	{ A("{\"$notRegex\":\"^a\"}"), "{}", true },
	{ A("{\"$regex\":\".*\"}"), "{}", false },
	{ A("{\"$notRegexi\":\"^A\"}"), A("\"a\""), false },
	{ A("{\"$regex\":\"\"}"), A("\"\""), true },
	{ A("{\"$regex\":\"\\\\u00e4\"}"), A("\"ä\""), true },
	{ A("{\"$regex\":\"^[^ä]$\"}"), A("\"ö\""), true },
	/* how JavaScript compares */
	{ A("8"), A("\"8\""), true },
	{ A("\"8\""), A("8"), true },
	{ A("\"true\""), A("true"), true },
	{ A("1"), A("true"), true },
	{ A("0"), A("[]"), false },
	{ A("true"), A("\"x\""), true },
	{ A("false"), A("0"), true },
	{ A("{\"$eq\":8}"), A("\"8\""), false },
	{ A("{\"$ne\":8}"), A("\"8\""), true },
	{ A("{\"$gt\":\"a\"}"), A("5"), false },
	{ A("{\"$lt\":\"a\"}"), A("5"), false },
	{ A("{\"$gte\":0}"), A("{}"), false },
	{ A("{\"$gt\":\"B\"}"), A("\"a\""), true },
	/* groups */
	{ A("{\"$not\":{\"$not\":{\"$not\":{\"$eq\":1}}}}"), A("2"), true },
	{ "{\"$not\":{}}", "{}", false },
	{ "{\"$nor\":[]}", "{}", false },
	{ "{\"$or\":[{\"a\":1},{\"$and\":[{\"a\":2},{\"b\":{\"$not\":{\"$in\":[3]}}}]}]}",
	  "{\"a\":2,\"b\":4}", true },
	{ "{\"$or\":[{\"a\":1},{\"$and\":[{\"a\":2},{\"b\":{\"$not\":{\"$in\":[3]}}}]}]}",
	  "{\"a\":2,\"b\":3}", false },
	{ A("{\"$elemMatch\":{\"x\":{\"$elemMatch\":{\"$gt\":2}}}}"),
	  A("[{\"x\":[1]},{\"x\":[1,3]}]"), true },
	{ A("{\"$elemMatch\":{\"x\":{\"$elemMatch\":{\"$gt\":3}}}}"),
	  A("[{\"x\":[1]},{\"x\":[1,3]}]"), false },
	{ A("{\"$elemMatch\":{\"$gt\":1,\"$lt\":3}}"), A("[0,9,2]"), true },
	{ A("{\"$elemMatch\":{\"$lt\":3}}"), A("[0]"), false },
	{ A("{\"$elemMatch\":{\"$not\":{\"$eq\":1}}}"), A("[1,1,2]"), true },
	{ A("{\"$all\":[]}"), A("[]"), true },
	{ A("{\"$all\":[{\"$gt\":5},{\"$lt\":2}]}"), A("[1,9]"), true },
	{ A("{\"$all\":[{\"$gt\":5},{\"$lt\":1}]}"), A("[1,9]"), false },
	{ A("{\"$size\":{\"$in\":[2,3]}}"), A("[1,9]"), true },
	{ A("{\"$size\":{\"$not\":2}}"), A("[1,9]"), false },
	{ A("{\"$size\":\"2\"}"), A("[1,9]"), true },
	/* paths, and the unit by its own name */
	{ "{\"a.b.c\":1,\"a.b\":{\"c\":1}}", A("{\"b\":{\"c\":1}}"), true },
	{ "{\"a.0\":1}", A("[1]"), false },
	{ "{\"targetingKey\":\"u\"}", "{\"targetingKey\":\"u\"}", true },
	{ "{\"targetingKey\":{\"$exists\":false}}", "{\"targetingKey\":7}", true },
	{ A("{\"$in\":[[1],{\"b\":1}]}"), A("[1]"), false },
};

#define DEEP5(x) "{\"$not\":{\"$not\":{\"$not\":{\"$not\":{\"$not\":" x "}}}}}"
static const struct {
	const char *condition, *field, *says;
} BAD[] = {
	{ "[]", "/c", "must be an object" },
	{ "7", "/c", "object" },
	{ "{", "/c", "" },
	{ A("{\"$gtt\":1}"), "/c/a/$gtt", "did you mean \"$gt\"" },
	{ "{\"$xor\":[]}", "/c/$xor", "attribute" },
	{ "{\"x/y\":{\"$in\":3}}", "/c/x~1y/$in", "array" },
	{ A("{\"$in\":[[1]]}"), "/c/a/$in", "texts" },
	{ A("{\"$nin\":{}}"), "/c/a/$nin", "array" },
	{ "{\"$or\":{}}", "/c/$or", "array" },
	{ "{\"$and\":[1]}", "/c/$and/0", "object" },
	{ "{\"$not\":1}", "/c/$not", "object" },
	{ A("{\"$eq\":[1]}"), "/c/a/$eq", "without the operator" },
	{ A("{\"$lt\":true}"), "/c/a/$lt", "number" },
	{ A("{\"$exists\":1}"), "/c/a/$exists", "true or false" },
	{ A("{\"$type\":\"text\"}"), "/c/a/$type", "\"string\"" },
	{ A("{\"$size\":{\"$x\":1}}"), "/c/a/$size/$x", "no such operator" },
	{ A("{\"$elemMatch\":3}"), "/c/a/$elemMatch", "object" },
	{ A("{\"$all\":3}"), "/c/a/$all", "array" },
	{ A("{\"$inGroup\":3}"), "/c/a/$inGroup", "segment" },
	{ A("{\"$veq\":\"\"}"), "/c/a/$veq", "version" },
	{ A("{\"$semverGt\":\"1.2\"}"), "/c/a/$semverGt", "Semantic" },
	{ A("{\"$before\":\"soon\"}"), "/c/a/$before", "time" },
	{ A("{\"$cidr\":\"10.0.0.0/33\"}"), "/c/a/$cidr", "network" },
	{ A("{\"$cidr\":[\"10.0.0.0/8\",5]}"), "/c/a/$cidr", "network" },
	{ A("{\"$sw\":\"\"}"), "/c/a/$sw", "1 to 256" },
	{ A("{\"$co\":[1]}"), "/c/a/$co", "text" },
	{ A("{\"$gt\":1,\"b\":2}"), "/c/a/$gt", "mixed" },
	{ A("{\"b\":1,\"b\":2}"), "/c/a/b", "twice" },
	{ "{\"a\":1,\"b\":1,\"a\":2}", "/c/a", "twice" },
	{ "{\"a..b\":1}", "/c/a..b", "empty" },
	{ "{\"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q\":1}", "/c/a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q",
	  "more than 16" },
	{ A("1e999"), "/c", "cannot be represented" },
	{ DEEP5(DEEP5(DEEP5(DEEP5(DEEP5(DEEP5(DEEP5("{}"))))))), NULL, "nested deeper than 32" },
	{ A("{\"$regex\":7}"), "/c/a/$regex", "regular expression" },
	{ A("{\"$regex\":\"(\"}"), "/c/a/$regex", "at byte 1" },
	{ A("{\"$regex\":\"(?=a)\"}"), "/c/a/$regex", "look-around" },
	{ A("{\"$regex\":\"(?<!a)b\"}"), "/c/a/$regex", "look-around" },
	{ A("{\"$regex\":\"(a)\\\\1\"}"), "/c/a/$regex", "backreferences" },
	{ A("{\"$regex\":\"(?<n>a)\\\\k<n>\"}"), "/c/a/$regex", "references" },
	{ A("{\"$regex\":\"(?<n>a)(?P=n)\"}"), "/c/a/$regex", "group" },
	{ A("{\"$regex\":\"(?R)\"}"), "/c/a/$regex", "group" },
	{ A("{\"$regex\":\"(?x)#[\\n(?=a)]\"}"), "/c/a/$regex", "group" },
	{ A("{\"$regex\":\"(*ACCEPT)\"}"), "/c/a/$regex", "verbs" },
	{ A("{\"$regex\":\"\\\\Q[\\\\E(?=a)]\"}"), "/c/a/$regex", "escape" },
	{ A("{\"$regex\":\"\\\\c[(?=a)]\"}"), "/c/a/$regex", "escape" },
	{ A("{\"$regex\":\"(?#[)(?=a)]\"}"), "/c/a/$regex", "group" },
	{ A("{\"$regex\":\"[]](?!a)\"}"), "/c/a/$regex", "look-around" },
	{ A("{\"$regex\":\"[[:alpha:](?=a)]\"}"), "/c/a/$regex", "look-around" },
	{ A("{\"$regex\":\"(?C1)a\"}"), "/c/a/$regex", "group" },
	{ A("{\"$regex\":\"(((((((((((((((((((((a)))))))))))))))))))))\"}"), "/c/a/$regex",
	  "nested" },
	{ A("{\"$regex\":\"((a{200}){200}){200}\"}"), "/c/a/$regex", "large" },
	{ A("{\"$regex\":\"(?(1)a|b)\"}"), "/c/a/$regex", "group" },
};
/* clang-format on */

START_TEST(answers)
{
	const struct flag_condition *c = NULL;
	unsigned left = 0;
	const bool strict = compile(str_of(ROW[_i].condition), false, &c) == ERR_OK;
	if (!strict) /* the last row alone: arrays in a set are left out of what is stored */
		ck_assert_int_eq(compile(str_of(ROW[_i].condition), true, &c), ERR_OK);
	ck_assert_msg(strict == (_i != (int)ARRAY_LEN(ROW) - 1), "%s: %s", ROW[_i].condition,
		      info.msg);
	info = (struct err_info) { .code = ERR_OK };
	ck_assert_msg(holds(c, str_of(ROW[_i].attributes), &left) == ROW[_i].holds, "%s of %s",
		      ROW[_i].condition, ROW[_i].attributes);
}
END_TEST

START_TEST(refused)
{
	const struct flag_condition *c = NULL;
	ck_assert_msg(compile(str_of(BAD[_i].condition), false, &c) != ERR_OK, "%s",
		      BAD[_i].condition);
	ck_assert_ptr_null(c);
	if (BAD[_i].field != NULL)
		ck_assert_msg(strcmp(info.field, BAD[_i].field) == 0, "%s: at \"%s\", not \"%s\"",
			      BAD[_i].condition, info.field, BAD[_i].field);
	ck_assert_msg(strstr(info.msg, BAD[_i].says) != NULL, "%s: %s", BAD[_i].condition,
		      info.msg);
}
END_TEST

/* What a later version stored, and this one does not know, is false; the rest of the condition holds. */
START_TEST(stored)
{
	const struct flag_condition *c = NULL;
	unsigned left = 0;
	ck_assert_int_eq(compile(STR("{\"$or\":[{\"a\":{\"$new\":1}},{\"a\":1}]}"), true, &c),
			 ERR_OK);
	ck_assert(holds(c, STR("{\"a\":1}"), &left));
	ck_assert(!holds(c, STR("{\"a\":2}"), &left));
	ck_assert_int_eq(compile(STR("{\"a\":{\"$regex\":\"(?=a)\"}}"), true, &c), ERR_OK);
	ck_assert(!holds(c, STR("{\"a\":\"a\"}"), &left));
}
END_TEST

/* ---- hostile ---- */

static struct str
filled(size_t n, const char *before, const char *unit, const char *after)
{
	char *text = arena_alloc(&arena, n + strlen(before) + strlen(after) + 1);
	size_t used = strlen(before);

	ck_assert_ptr_nonnull(text);
	memcpy(text, before, used);
	while (used + strlen(unit) <= n) {
		memcpy(text + used, unit, strlen(unit));
		used += strlen(unit);
	}
	memcpy(text + used, after, strlen(after));
	return (struct str) { text, used + strlen(after) };
}

START_TEST(large_conditions)
{
	const struct flag_condition *c = NULL;
	const size_t mib = 1024 * 1024;

	ck_assert_int_eq(compile(filled(mib, "{\"a\":{\"$in\":[", "1,", "1]}}"), false, &c),
			 ERR_TOO_LARGE);
	info = (struct err_info) { .code = ERR_OK };
	ck_assert_int_eq(compile(filled(20000, "{\"$or\":[", "{\"a\":1},", "{}]}"), false, &c),
			 ERR_TOO_LARGE);
	ck_assert(strstr(info.msg, "1024") != NULL);
	info = (struct err_info) { .code = ERR_OK };
	ck_assert_int_eq(compile(filled(mib, "", "[", ""), false, &c), ERR_TOO_LARGE);
	info = (struct err_info) { .code = ERR_OK };
	ck_assert_int_eq(compile(filled(600, "{\"a\":{\"$regex\":\"", "a", "\"}}"), false, &c),
			 ERR_INVALID);
	info = (struct err_info) { .code = ERR_OK };
	ck_assert_int_eq(compile(filled(15000, "{\"a\":{\"$in\":[", "1,", "1]}}"), false, &c),
			 ERR_OK);
}
END_TEST

/* clang-format off: a table */
static const struct {
	const char *pattern, *unit, *end;
	size_t len;
	bool is_limited;
} HOSTILE[] = {
	{ "^(a+)+$", "a", "!", 60, true },
	{ "(a|a)*b?c", "a", "", 2000, false }, /* PCRE2 sees that a c is missing */
	{ "(a|a)*b?[cd]", "a", "", 2000, true },
	{ "(.*a){12}", "a", "!", 60, true },
	{ "a*a*a*a*c", "a", "", 100, false },
	{ "a*a*a*a*[cd]", "a", "", 100, true },
	{ "(x+x+)+y*z?$", "x", "-", 80, true },
	{ "[ab]*[cd]", "a", "", 4000, false },
	{ "(?:a?){30}a{30}$", "a", "!", 40, true },
	{ "^(?:a|ab|b)*$", "ab", "c", 3000, true },
	{ ".*.*=.*", "x", "", 4000, false },
	{ "x", "y", "", 5000, true }, /* a text longer than any pattern is put to */
};
/* clang-format on */

START_TEST(hostile_patterns)
{
	const struct flag_condition *c = NULL;
	char text[120];
	unsigned left = 0;
	const int64_t before = metric_value(flag_metric_set()->conditions_limited);

	(void)snprintf(text, sizeof(text), "{\"$not\":{\"$not\":{\"a\":{\"$%s\":\"%s\"}}}}",
		       "regex", HOSTILE[_i].pattern);
	ck_assert_int_eq(compile(str_of(text), false, &c), ERR_OK);
	const struct str attributes =
		filled(HOSTILE[_i].len, "{\"a\":\"", HOSTILE[_i].unit, HOSTILE[_i].end);
	const struct str closed = str_of(arena_printf(&arena, "%.*s\"}", STR_FMT(attributes)));
	ck_assert_msg(!holds(c, closed, &left), "%s", HOSTILE[_i].pattern);
	ck_assert_msg((metric_value(flag_metric_set()->conditions_limited) > before) ==
			      HOSTILE[_i].is_limited,
		      "%s: %u steps", HOSTILE[_i].pattern, FLAG_WORK_MAX - left);
	ck_assert_uint_ge(left, FLAG_WORK_MAX - FLAG_PATTERN_STEPS_MAX - 10);
}
END_TEST

/* 4,000 elements under 40 patterns: the work of all of them together is bounded, and the whole is false then, also
 * under a "not". */
START_TEST(work)
{
	const struct flag_condition *c = NULL;
	unsigned left = 0;
	const struct str text = filled(1900, "{\"$not\":{\"a\":{\"$all\":[",
				       "{\"$regex\":\"(x|y)*z?[ab]\"},", "{\"$regex\":\"q\"}]}}}");
	const struct str attributes = filled(24000, "{\"a\":[", "\"xyxyx\",", "1]}");

	ck_assert_int_eq(compile(text, false, &c), ERR_OK);
	ck_assert(!holds(c, attributes, &left));
	ck_assert_uint_eq(left, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("flag condition");
	TCase *c = tcase_create("condition");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, answers, 0, (int)ARRAY_LEN(ROW));
	tcase_add_loop_test(c, refused, 0, (int)ARRAY_LEN(BAD));
	tcase_add_test(c, stored);
	tcase_add_test(c, large_conditions);
	tcase_add_loop_test(c, hostile_patterns, 0, (int)ARRAY_LEN(HOSTILE));
	tcase_add_test(c, work);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
