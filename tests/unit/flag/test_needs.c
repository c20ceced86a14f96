/*
 * test_needs.c — what rules ask for that a caller may leave to the record, worked out for a flag and for all; and what becomes of rules
 * while that is unknown.
 */
#include <stdio.h>
#include <string.h>

#include "flag/flag.h"
#include "tests/support/flag_rows.h"
#include "tests/support/unit.h"

#define NOW INT64_C(0)
#define DOC(unit, rules)                                                                           \
	"{\"unit\":\"" unit "\",\"variations\":[{\"key\":\"off\",\"value\":false},"                \
	"{\"key\":\"on\",\"value\":true}],\"rules\":[" rules "],\"default\":\"off\"}"
#define IF(condition) "{\"force\":\"on\",\"condition\":" condition "}"
#define EXP(more) "{\"experiment\":{\"variations\":[\"off\",\"on\"]" more "}}"
#define WAIT(flag)                                                                                 \
	"{\"force\":\"on\",\"prerequisites\":[{\"flag\":\"" flag                                   \
	"\",\"condition\":{\"value\":true}}]}"

static struct arena arena;
static struct err_info info;
static struct flag_snapshot *flags;

static void
setup(void)
{
	PGresult *rows = flag_rows_make();
	PGresult *segments = flag_segments_make();

	arena_init(&arena, 4 * ARENA_CAP_BYTES);
	flag_row_add(rows, NULL, "{}");
	flag_row_add(rows, "plain", DOC("person", EXP("")));
	flag_row_add(rows, "place",
		     DOC("person", IF("{\"country\":\"at\",\"targetingKey\":\"x\","
				      "\"firm.size\":{\"$gt\":5}}")));
	flag_row_add(rows, "not-there", DOC("person", IF("{\"country\":{\"$ne\":\"at\"}}")));
	flag_row_add(rows, "hashes",
		     DOC("person", EXP(",\"hashAttribute\":\"firm\","
				       "\"fallbackAttribute\":\"targetingKey\"")));
	flag_row_add(rows, "member",
		     DOC("person", IF("{\"a\":{\"$inGroup\":\"told\"}},"
				      "\"prerequisites\":[{\"flag\":\"not-there\","
				      "\"condition\":{\"a\":{\"$inGroup\":"
				      "\"listed\"}}}]")));
	flag_row_add(rows, "no-member", DOC("person", IF("{\"a\":{\"$notInGroup\":\"told\"}}")));
	flag_row_add(rows, "waits", DOC("person", WAIT("place") "," WAIT("waits-too")));
	flag_row_add(rows, "waits-too", DOC("person", WAIT("waits") "," IF("{\"stage\":\"won\"}")));
	flag_row_add(rows, "stays",
		     DOC("person", EXP(",\"key\":\"e1\",\"sticky\":{\"version\":1},"
				       "\"hashAttribute\":\"firm\","
				       "\"fallbackAttribute\":\"targetingKey\"")));
	flag_row_add(rows, "firm", DOC("organization", IF("{\"sector\":\"it\"}")));
	flag_row_add(rows, "either",
		     DOC("person", IF("{\"$or\":[{\"plan\":\"pro\"},"
				      "{\"country\":\"at\"}]}")));
	flag_segment_add(segments, "told", NULL);
	flag_segment_add(segments, "listed", "[1]");
	ck_assert_msg(flag_snapshot_build_with(rows, segments, &flags, &info) == ERR_OK, "%s",
		      info.msg);
	PQclear(rows);
	PQclear(segments);
}

static void
teardown(void)
{
	flag_snapshot_unref(flags);
	arena_release(&arena);
}

static const char *
said(const struct flag_needs *n)
{
	char *out = arena_strdup(&arena, STR(""));
	for (unsigned i = 0; n != NULL && i < n->attributes.n; i++)
		out = arena_printf(&arena, "%s%.*s ", out, STR_FMT(n->attributes.names[i]));
	for (unsigned i = 0; n != NULL && i < n->segments.n; i++)
		out = arena_printf(&arena, "%s@%.*s ", out, STR_FMT(n->segments.names[i]));
	for (unsigned i = 0; n != NULL && i < n->experiments.n; i++)
		out = arena_printf(&arena, "%s%.*s: ", out, STR_FMT(n->experiments.names[i]));
	for (unsigned i = 0; n != NULL && i < n->kept_by.n; i++)
		out = arena_printf(&arena, "%s~%.*s ", out, STR_FMT(n->kept_by.names[i]));
	return out;
}

static const char *
of(const char *key)
{
	return said(flag_needs_of(flags, str_of(key), NOW));
}

START_TEST(asked_for)
{
	ck_assert_ptr_null(flag_needs_of(flags, STR("plain"), NOW));
	ck_assert_ptr_null(flag_needs_of(flags, STR("nothing"), NOW));
	ck_assert_ptr_null(flag_needs_of(flags, STR("place"), INT64_MAX)); /* expired */
	ck_assert_str_eq(of("place"), "country ");
	ck_assert_str_eq(of("hashes"), "firm ");
	/* A list of members is of the snapshot itself. */
	ck_assert_str_eq(of("member"), "a country @told ");
	ck_assert_str_eq(of("stays"), "firm e1: ~firm ~targetingKey ");
	/* Flags that wait for each other ask for the same. */
	ck_assert_str_eq(of("waits"), "country stage ");
	ck_assert_str_eq(of("waits-too"), "stage country ");
	ck_assert_str_eq(said(flag_needs_of_all(flags, FLAG_ORGANIZATION)), "sector ");
	ck_assert_ptr_null(flag_needs_of_all(flags, FLAG_VISITOR));
	const struct flag_needs *all = flag_needs_of_all(flags, FLAG_PERSON);
	ck_assert_uint_eq(all->attributes.n, 5);
	ck_assert_uint_eq(all->segments.n, 1);
	ck_assert(flag_names_have(&all->attributes, STR("plan")));
	ck_assert(!flag_names_have(&all->attributes, STR("sector")));
	ck_assert(all->kept_by.n == 2 && all->experiments.n == 0);
}
END_TEST

/* "on", "off", and with "?" where a rule was passed over because of what is unknown. */
static const char *
got(const char *key, const struct flag_context *c)
{
	struct flag_result r;
	flag_evaluate_in(flags, str_of(key), c, NOW, &r);
	ck_assert_int_eq(r.outcome, FLAG_EVALUATED);
	return arena_printf(&arena, "%.*s%s", STR_FMT(r.variation), r.record_missed ? "?" : "");
}

START_TEST(unknown)
{
	static const struct str names[] = { { "country", 7 }, { "firm", 4 } };
	static const struct flag_names country = { ARRAY_LEN(names), names };
	struct flag_context c;

	ck_assert_int_eq(flag_context_read(&arena, STR("{\"targetingKey\":\"u\",\"plan\":\"pro\"}"),
					   "", &c, &info),
			 ERR_OK);
	ck_assert_str_eq(got("not-there", &c), "on");
	ck_assert_str_eq(got("no-member", &c), "on");
	c.unknown = &country;
	c.segments_unknown = true;
	/* Neither what is asked for holds nor its opposite. */
	ck_assert_str_eq(got("place", &c), "off?");
	ck_assert_str_eq(got("not-there", &c), "off?");
	ck_assert_str_eq(got("member", &c), "off?");
	ck_assert_str_eq(got("no-member", &c), "off?");
	/* Nothing is hashed in the place of what is unknown. */
	ck_assert_str_eq(got("hashes", &c), "off?");
	ck_assert_str_eq(got("waits", &c), "?"); /* it waits for itself: no value */
	/* Who did not have to ask knows. */
	ck_assert_str_eq(got("either", &c), "on");
	ck_assert_str_eq(got("firm", &c), "off");
	ck_assert(strchr(got("plain", &c), '?') == NULL);
	/* Of what was kept nothing is known: the hash decides, and nothing is kept in its place. */
	c.unknown = NULL;
	struct flag_result r;
	flag_evaluate_in(flags, STR("stays"), &c, NOW, &r);
	ck_assert(r.sticky_new && !r.record_missed);
	c.sticky_unknown = true;
	const struct str before = r.variation;
	flag_evaluate_in(flags, STR("stays"), &c, NOW, &r);
	ck_assert(!r.sticky_new && r.record_missed && str_eq(r.variation, before));
	/* What the caller says is known. */
	ck_assert_int_eq(flag_context_read(&arena,
					   STR("{\"targetingKey\":\"u\",\"country\":\"de\","
					       "\"firm\":\"f\"}"),
					   "", &c, &info),
			 ERR_OK);
	c.unknown = &country;
	ck_assert_str_eq(got("not-there", &c), "on");
	ck_assert_str_eq(got("place", &c), "off");
	ck_assert(strchr(got("hashes", &c), '?') == NULL);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("flag needs");
	TCase *c = tcase_create("needs");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, asked_for);
	tcase_add_test(c, unknown);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
