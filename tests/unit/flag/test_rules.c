/*
 * test_rules.c — rules in a snapshot: what GrowthBook's published cases (tests/data) do not show, because it is ours:
 * what is refused and where, missing units, kept and forced variations, segments, flags that wait for others.
 */
#include <stdio.h>
#include <string.h>

#include "flag/flag.h"
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

#define V                                                                                          \
	"\"variations\":[{\"key\":\"off\",\"value\":false},{\"key\":\"on\",\"value\":true},"       \
	"{\"key\":\"also\",\"value\":true}]"
#define DOC(rules) "{\"unit\":\"visitor\"," V ",\"rules\":[" rules "],\"default\":\"off\"}"
#define FORCE(more) DOC("{\"force\":\"on\"" more "}")
#define EXP(more) DOC("{\"experiment\":{\"variations\":[\"off\",\"on\"]" more "}}")
#define WAIT(flag, gate)                                                                           \
	"\"prerequisites\":[{\"flag\":\"" flag "\",\"condition\":{\"value\":true},\"gate\":" gate  \
	"}]"

/* clang-format off: a table */
static const struct {
	const char *text, *field;
} BAD[] = {
	{ FORCE(",\"condition\":{\"a\":{\"$no\":1}}"), "/rules/0/condition/a/$no" },
	{ FORCE(",\"hashAttribute\":\"x\""), "/rules/0/hashAttribute" },
	{ FORCE(",\"coverage\":0.5,\"range\":[0,1]"), "/rules/0/coverage" },
	{ FORCE(",\"range\":[0.5,0.4]"), "/rules/0/range" },
	{ FORCE(",\"range\":[0,1.1]"), "/rules/0/range/1" },
	{ FORCE(",\"range\":[0]"), "/rules/0/range" },
	{ FORCE(",\"coverage\":1,\"hashVersion\":3"), "/rules/0/hashVersion" },
	{ FORCE(",\"coverage\":1,\"hashVersion\":1.5"), "/rules/0/hashVersion" },
	{ FORCE(",\"coverage\":1,\"fallbackAttribute\":\"\""), "/rules/0/fallbackAttribute" },
	{ FORCE(",\"coverage\":1,\"hashAttribute\":\"x\",\"fallbackAttribute\":\"x\""),
	  "/rules/0/fallbackAttribute" },
	{ FORCE(",\"active\":1"), "/rules/0/active" },
	{ FORCE(",\"id\":7"), "/rules/0/id" },
	{ FORCE(",\"filters\":{}"), "/rules/0/filters" },
	{ FORCE(",\"filters\":[]"), "/rules/0/filters" },
	{ FORCE(",\"filters\":[{\"seed\":\"s\"}]"), "/rules/0/filters/0/ranges" },
	{ FORCE(",\"filters\":[{\"ranges\":[[0,1]]}]"), "/rules/0/filters/0/seed" },
	{ FORCE(",\"filters\":[{\"seed\":\"s\",\"ranges\":[[0,0.5],[0.4,1]]}]"),
	  "/rules/0/filters/0/ranges/1" },
	{ FORCE(",\"filters\":[{\"seed\":\"s\",\"ranges\":[0.5]}]"),
	  "/rules/0/filters/0/ranges/0" },
	{ FORCE(",\"prerequisites\":[]"), "/rules/0/prerequisites" },
	{ FORCE(",\"prerequisites\":[{\"flag\":\"x\"}]"), "/rules/0/prerequisites/0/condition" },
	{ FORCE(",\"prerequisites\":[{\"condition\":{}}]"), "/rules/0/prerequisites/0/flag" },
	{ FORCE(",\"prerequisites\":[{\"flag\":\"X\",\"condition\":{}}]"),
	  "/rules/0/prerequisites/0/flag" },
	{ FORCE(",\"prerequisites\":[{\"flag\":\"me\",\"condition\":{}}]"),
	  "/rules/0/prerequisites/0/flag" },
	{ FORCE(",\"prerequisites\":[{\"flag\":\"x\",\"condition\":{\"value\":{\"$x\":1}}}]"),
	  "/rules/0/prerequisites/0/condition/value/$x" },
	{ FORCE("," WAIT("x", "1")), "/rules/0/prerequisites/0/gate" },
	{ DOC("{" WAIT("x", "false") "}"), "/rules/0/prerequisites/0" },
	{ DOC("{" WAIT("x", "true") ",\"condition\":{}}"), "/rules/0/condition" },
	{ DOC("{" WAIT("x", "true") ",\"seed\":\"s\"}"), "/rules/0/seed" },
	{ DOC("{\"condition\":{}}"), "/rules/0" },
	{ EXP(",\"ranges\":[[0,1]]"), "/rules/0/experiment/ranges" },
	{ EXP(",\"ranges\":[[0,0.5],[0.5,1]],\"weights\":[0.5,0.5]"),
	  "/rules/0/experiment/weights" },
	{ EXP(",\"ranges\":[[0,0.5],[0.5,1]],\"coverage\":1"), "/rules/0/experiment/coverage" },
	{ EXP(",\"ranges\":[[0,0.5],[0.5,1]],\"contexts\":[]"), "/rules/0/experiment/contexts" },
	{ EXP(",\"namespace\":[\"n\",0]"), "/rules/0/experiment/namespace" },
	{ EXP(",\"namespace\":[\"n\",0,2]"), "/rules/0/experiment/namespace/2" },
	{ EXP(",\"namespace\":[\"n\",0.5,0.4]"), "/rules/0/experiment/namespace" },
	{ EXP(",\"namespace\":[7,0,1]"), "/rules/0/experiment/namespace/0" },
	{ DOC("{\"filters\":[{\"seed\":\"s\",\"ranges\":[[0,1]]}],\"experiment\":{\"variations\":["
	      "\"off\",\"on\"],\"namespace\":[\"n\",0,1]}}"),
	  "/rules/0/filters" },
	{ EXP(",\"force\":\"no\""), "/rules/0/experiment/force" },
	{ EXP(",\"force\":\"also\""), "/rules/0/experiment/force" },
	{ EXP(",\"passthrough\":[\"also\"]"), "/rules/0/experiment/passthrough/0" },
	{ EXP(",\"sticky\":true"), "/rules/0/experiment/sticky" },
	{ EXP(",\"sticky\":{\"version\":-1}"), "/rules/0/experiment/sticky/version" },
	{ EXP(",\"sticky\":{\"version\":1,\"minVersion\":2}"),
	  "/rules/0/experiment/sticky/minVersion" },
	{ EXP(",\"contexts\":[{\"condition\":{}}]"), "/rules/0/experiment/contexts/0/weights" },
	{ EXP(",\"contexts\":[{\"weights\":[0,1]}]"), "/rules/0/experiment/contexts/0/condition" },
	{ EXP(",\"contexts\":[{\"condition\":{},\"weights\":[1,1]}]"),
	  "/rules/0/experiment/contexts/0/weights" },
	{ EXP(",\"hashAttribut\":\"x\""), "/rules/0/experiment/hashAttribut" },
	{ DOC("{\"experiment\":{\"variations\":[\"off\",\"on\"]},\"hashAttribute\":\"x\"}"),
	  "/rules/0/hashAttribute" },
	{ DOC("{\"experiment\":{\"variations\":[\"off\",\"on\"]},\"range\":[0,1]}"),
	  "/rules/0/range" },
};
/* clang-format on */

START_TEST(refused)
{
	const struct flag_document *d = NULL;
	ck_assert_msg(flag_document_compile(&arena, STR("me"), str_of(BAD[_i].text), "/document",
					    &d, &info) != ERR_OK,
		      "%s", BAD[_i].text);
	ck_assert_msg(strncmp(info.field, "/document", 9) == 0 &&
			      strcmp(info.field + 9, BAD[_i].field) == 0,
		      "%s: at \"%s\"", BAD[_i].text, info.field);
	ck_assert_int_gt((int)strlen(info.msg), 0);
}
END_TEST

/* ---- evaluation ---- */

struct flag_row {
	const char *key, *document;
};

static struct flag_snapshot *
snapshot_of(const struct flag_row *rows, size_t n, PGresult *segments)
{
	struct flag_snapshot *s = NULL;
	PGresult *flags = flag_rows_make();

	flag_row_add(flags, NULL, "{}");
	for (size_t i = 0; i < n; i++)
		flag_row_add(flags, rows[i].key, rows[i].document);
	ck_assert_msg(flag_snapshot_build_with(flags, segments, &s, &info) == ERR_OK, "%s",
		      info.msg);
	PQclear(flags);
	PQclear(segments);
	return s;
}

static struct flag_context
context_of(const char *text)
{
	struct flag_context c;
	ck_assert_msg(flag_context_read(&arena, str_of(text), "", &c, &info) == ERR_OK, "%s", text);
	return c;
}

static struct flag_result
ask(const struct flag_snapshot *s, const char *key, const struct flag_context *c)
{
	struct flag_result r;
	flag_evaluate_in(s, str_of(key), c, 0, &r);
	return r;
}

/* One flag, one context. */
static struct flag_result
once(const char *document, const char *attributes)
{
	const struct flag_row row = { "me", document };
	struct flag_snapshot *s = snapshot_of(&row, 1, NULL);
	const struct flag_context c = context_of(attributes);
	struct flag_result r = ask(s, "me", &c);

	r.variation = arena_str(&arena, r.variation);
	r.rule_id = arena_str(&arena, r.rule_id);
	flag_snapshot_unref(s);
	return r;
}

#define HALF "\"force\":\"on\",\"coverage\":0.5,\"seed\":\"s\""

/* clang-format off: a table; under the seed "s" u1 is at 0.9481, u2 at 0.0165 */
static const struct {
	const char *document, *attributes;
	enum flag_outcome outcome;
	enum flag_source source;
	const char *variation;
	int rule;
} ROW[] = {
	/* the unit is only missed where it is needed */
	{ DOC("{" HALF ",\"condition\":{\"plan\":\"pro\"}}"), "{\"plan\":\"pro\"}",
	  FLAG_UNIT_MISSING, FLAG_BY_NOTHING, NULL, 0 },
	{ DOC("{" HALF ",\"condition\":{\"plan\":\"pro\"}}"), "{\"plan\":\"free\"}", FLAG_EVALUATED,
	  FLAG_BY_DEFAULT, "off", -1 },
	{ EXP(",\"hashAttribute\":\"company\""), "{}", FLAG_EVALUATED, FLAG_BY_DEFAULT, "off", -1 },
	{ EXP(",\"hashAttribute\":\"company\",\"fallbackAttribute\":\"targetingKey\""), "{}",
	  FLAG_UNIT_MISSING, FLAG_BY_NOTHING, NULL, 0 },
	{ EXP(",\"hashAttribute\":\"company\",\"fallbackAttribute\":\"targetingKey\",\"weights\":["
	      "0,1]"),
	  "{\"targetingKey\":\"u\"}", FLAG_EVALUATED, FLAG_BY_EXPERIMENT, "on", 0 },
	{ EXP(",\"hashAttribute\":\"company\",\"weights\":[0,1]"), "{\"company\":7}",
	  FLAG_EVALUATED, FLAG_BY_EXPERIMENT, "on", 0 },
	{ EXP(",\"hashAttribute\":\"company\",\"weights\":[0,1]"), "{\"company\":[7]}",
	  FLAG_EVALUATED, FLAG_BY_DEFAULT, "off", -1 },
	{ DOC("{\"filters\":[{\"seed\":\"s\",\"ranges\":[[0,1]]}],\"force\":\"on\"}"), "{}",
	  FLAG_UNIT_MISSING, FLAG_BY_NOTHING, NULL, 0 },
	{ DOC("{\"filters\":[{\"seed\":\"s\",\"ranges\":[[0,1]]}],\"force\":\"on\"}"),
	  "{\"targetingKey\":\"u\"}", FLAG_EVALUATED, FLAG_BY_FORCE, "on", 0 },
	{ DOC("{\"filters\":[{\"seed\":\"s\",\"ranges\":[[0,0.5]]}],\"force\":\"on\"}"),
	  "{\"targetingKey\":\"u1\"}", FLAG_EVALUATED, FLAG_BY_DEFAULT, "off", -1 },
	{ DOC("{\"filters\":[{\"seed\":\"s\",\"ranges\":[[0,0.5]]}],\"force\":\"on\"}"),
	  "{\"targetingKey\":\"u2\"}", FLAG_EVALUATED, FLAG_BY_FORCE, "on", 0 },
	/* rules that are passed over */
	{ DOC("{\"force\":\"also\",\"active\":false},{\"force\":\"on\"}"), "{}", FLAG_EVALUATED,
	  FLAG_BY_FORCE, "on", 1 },
	{ DOC("{\"active\":false," WAIT("gone", "true") "}"), "{}", FLAG_EVALUATED, FLAG_BY_DEFAULT,
	  "off", -1 },
	{ DOC("{" HALF "},{\"force\":\"also\"}"), "{\"targetingKey\":\"u1\"}", FLAG_EVALUATED,
	  FLAG_BY_FORCE, "also", 1 },
	{ DOC("{" HALF "},{\"force\":\"also\"}"), "{\"targetingKey\":\"u2\"}", FLAG_EVALUATED,
	  FLAG_BY_FORCE, "on", 0 },
	{ DOC("{\"force\":\"on\",\"range\":[0.5,1],\"seed\":\"s\"}"), "{\"targetingKey\":\"u1\"}",
	  FLAG_EVALUATED, FLAG_BY_FORCE, "on", 0 },
	{ DOC("{\"force\":\"on\",\"range\":[0.5,1],\"seed\":\"s\"}"), "{\"targetingKey\":\"u2\"}",
	  FLAG_EVALUATED, FLAG_BY_DEFAULT, "off", -1 },
	/* a flag that is not there closes a gate, or its rule */
	{ DOC("{" WAIT("gone", "true") "},{\"force\":\"on\"}"), "{}", FLAG_EVALUATED,
	  FLAG_BY_PREREQUISITE, NULL, 0 },
	{ DOC("{" WAIT("gone", "false") ",\"force\":\"also\"},{\"force\":\"on\"}"), "{}",
	  FLAG_EVALUATED, FLAG_BY_FORCE, "on", 1 },
	{ DOC("{\"prerequisites\":[{\"flag\":\"gone\",\"condition\":{\"value\":null}}],\"force\":"
	      "\"also\"}"),
	  "{}", FLAG_EVALUATED, FLAG_BY_FORCE, "also", 0 },
};
/* clang-format on */

START_TEST(rules)
{
	const struct flag_result r = once(ROW[_i].document, ROW[_i].attributes);
	ck_assert_msg(r.outcome == ROW[_i].outcome && r.source == ROW[_i].source &&
			      r.rule == ROW[_i].rule,
		      "%s: outcome %d, source %d, rule %d", ROW[_i].document, r.outcome, r.source,
		      r.rule);
	if (ROW[_i].variation != NULL)
		ck_assert_msg(str_is(r.variation, ROW[_i].variation), "%s: %.*s", ROW[_i].document,
			      STR_FMT(r.variation));
	else
		ck_assert_int_eq((int)r.variation.len, 0);
	if (r.source == FLAG_BY_PREREQUISITE)
		ck_assert_int_eq(r.reason, FLAG_DISABLED);
}
END_TEST

START_TEST(explained)
{
	const struct flag_result r =
		once(DOC("{\"id\":\"half\"," HALF "}"), "{\"targetingKey\":\"u2\"}");
	ck_assert(str_is(r.rule_id, "half") && str_is(r.attribute, "targetingKey"));
	ck_assert(r.bucket >= 0 && r.bucket <= 0.5 && !r.in_experiment && r.arm == -1);
	ck_assert(r.bucket == flag_hash(STR("s"), STR("u2")));
}
END_TEST

/* What the database knows fills in what the request does not say; the request's own word goes first. */
START_TEST(record)
{
	const struct flag_row row = { "me", DOC("{\"force\":\"on\",\"condition\":{\"plan\":\"pro\","
						"\"company.size\":{\"$gt\":10}}}") };
	struct flag_snapshot *s = snapshot_of(&row, 1, NULL);
	struct flag_context c = context_of("{\"plan\":\"pro\"}");

	ck_assert(str_is(ask(s, "me", &c).variation, "off"));
	ck_assert_int_eq(flag_context_record(&arena,
					     STR("{\"plan\":\"free\",\"company\":{\"size\":11}}"),
					     &c, &info),
			 ERR_OK);
	ck_assert(str_is(ask(s, "me", &c).variation, "on"));
	const struct flag_document *d = flag_document_of(s, STR("me"));
	ck_assert_int_eq((int)d->attributes.n, 2);
	ck_assert(str_is(d->attributes.names[1], "company.size"));
	flag_snapshot_unref(s);
}
END_TEST

START_TEST(segments)
{
	const struct flag_row row = {
		"me", DOC("{\"force\":\"on\",\"condition\":{\"id\":{\"$inGroup\":\"listed\"}}},"
			  "{\"force\":\"also\",\"condition\":{\"targetingKey\":{\"$inGroup\":"
			  "\"told\"},\"id\":{\"$notInGroup\":\"unknown\"}}}")
	};
	const struct str told[] = { STR("other"), STR("told") };
	PGresult *rows = flag_segments_make();

	flag_segment_add(rows, "listed", "[3,1,\"2\",\"ä\"]");
	flag_segment_add(rows, "told", NULL);
	struct flag_snapshot *s = snapshot_of(&row, 1, rows);
	struct flag_context c = context_of("{\"id\":\"2\"}");
	ck_assert(str_is(ask(s, "me", &c).variation, "on"));
	c = context_of("{\"id\":[9,3]}");
	ck_assert(str_is(ask(s, "me", &c).variation, "on"));
	c = context_of("{\"id\":2}");
	ck_assert(str_is(ask(s, "me", &c).variation, "off"));
	c.segments = told;
	c.n_segments = 1;
	ck_assert(str_is(ask(s, "me", &c).variation, "off"));
	c.n_segments = 2;
	ck_assert(str_is(ask(s, "me", &c).variation, "also"));
	ck_assert_int_eq((int)flag_document_of(s, STR("me"))->segments.n, 3);
	flag_snapshot_unref(s);
}
END_TEST

START_TEST(segments_refused)
{
	struct flag_snapshot *s = NULL;
	PGresult *flags = flag_rows_make();
	PGresult *rows = flag_segments_make();

	flag_row_add(flags, NULL, "{}");
	flag_segment_add(rows, "bad", "{}");
	ck_assert_int_eq(flag_snapshot_build_with(flags, rows, &s, &info), ERR_INVALID);
	ck_assert(strstr(info.msg, "\"bad\"") != NULL);
	ck_assert_ptr_null(s);
	PQclear(flags);
	PQclear(rows);
}
END_TEST

/* A kept variation outlives the condition and the weights, not its version; a forced one goes before everything but the
 * switch of all experiments. */
START_TEST(kept_and_forced)
{
	const struct flag_row row = {
		"me", DOC("{\"condition\":{\"in\":true},\"experiment\":{\"key\":\"e\","
			  "\"variations\":[\"off\",\"on\"],\"weights\":[1,0],\"sticky\":{"
			  "\"version\":2,\"minVersion\":1}}}")
	};
	struct flag_sticky kept = { STR(FLAG_UNIT_ATTRIBUTE), STR("u"), STR("e"), 2, STR("on") };
	const struct flag_forced forced = { STR("e"), STR("on") };
	struct flag_snapshot *s = snapshot_of(&row, 1, NULL);
	struct flag_context c = context_of("{\"targetingKey\":\"u\",\"in\":true}");

	struct flag_result r = ask(s, "me", &c);
	ck_assert(str_is(r.variation, "off") && r.sticky_new && !r.sticky_used && r.hashed);
	c = context_of("{\"targetingKey\":\"u\"}");
	c.sticky = &kept;
	c.n_sticky = 1;
	r = ask(s, "me", &c);
	ck_assert(str_is(r.variation, "on") && r.sticky_used && !r.sticky_new &&
		  r.bucket_version == 2 && r.arm == 1);
	kept.version = 1;
	ck_assert_int_eq(ask(s, "me", &c).source, FLAG_BY_DEFAULT);
	kept.version = 0;
	c = context_of("{\"targetingKey\":\"u\",\"in\":true}");
	c.sticky = &kept;
	c.n_sticky = 1;
	ck_assert_int_eq(ask(s, "me", &c).source, FLAG_BY_DEFAULT);
	c.n_sticky = 0;
	c.forced = &forced;
	c.n_forced = 1;
	r = ask(s, "me", &c);
	ck_assert(str_is(r.variation, "on") && r.in_experiment && !r.hashed && !r.sticky_new);
	c.forced_only = true;
	ck_assert(str_is(ask(s, "me", &c).variation, "on"));
	c.n_forced = 0;
	ck_assert_int_eq(ask(s, "me", &c).source, FLAG_BY_DEFAULT);
	c.n_forced = 1;
	c.experiments_off = true;
	ck_assert_int_eq(ask(s, "me", &c).source, FLAG_BY_DEFAULT);
	flag_snapshot_unref(s);
}
END_TEST

/* What PostgreSQL gives back may be longer than what was saved, and a later version may have stored it. */
START_TEST(stored)
{
	char *document = arena_alloc(&arena, 2 * FLAG_DOCUMENT_BYTES_MAX);
	const char *const head = DOC("{\"condition\":{\"$or\":[{\"a\":{\"$later\":1}},{\"b\":1}]},"
				     "\"force\":\"on\"}");
	const size_t blanks = FLAG_DOCUMENT_BYTES_MAX + 10;

	memset(document, ' ', blanks);
	memcpy(document + blanks, head, strlen(head));
	const struct flag_row row = { "me", document };
	struct flag_snapshot *s = snapshot_of(&row, 1, NULL);
	struct flag_context c = context_of("{\"a\":1}");
	ck_assert_int_eq(ask(s, "me", &c).source, FLAG_BY_DEFAULT);
	c = context_of("{\"b\":1}");
	ck_assert(str_is(ask(s, "me", &c).variation, "on"));
	flag_snapshot_unref(s);
}
END_TEST

/* What is saved is compiled in memory of its own, and a document that needs too much of it is refused. */
START_TEST(checked)
{
	static char text[FLAG_DOCUMENT_BYTES_MAX];
	size_t n = 0;
	double coverage = -1;

	ck_assert_int_eq(flag_document_check(STR("me"), STR(EXP(",\"coverage\":0.3")), "/d",
					     &coverage, &info),
			 ERR_OK);
	ck_assert(coverage == 0.3);
	ck_assert_int_eq(
		flag_document_check(STR("me"), STR(FORCE(",\"x\":1")), "/d", &coverage, &info),
		ERR_INVALID);
	ck_assert_str_eq(info.field, "/d/rules/0/x");
	info = (struct err_info) { .code = ERR_OK };
	for (int i = 0; i < 400; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      ",{\"a\":{\"$regex\":\"(ab){900}%d\"}}", i);
	const char *document = arena_printf(
		&arena, DOC("{\"force\":\"on\",\"condition\":{\"$or\":[{}%s]}}"), text);
	ck_assert_msg(flag_document_check(STR("me"), str_of(document), "/d", &coverage, &info) ==
			      ERR_TOO_LARGE,
		      "%s: %s", info.field, info.msg);
	ck_assert_str_eq(info.field, "/d");
}
END_TEST

/* ---- flags that wait for flags ---- */

START_TEST(cycles)
{
	const struct flag_row rows[] = {
		{ "a", DOC("{" WAIT("b", "true") "},{\"force\":\"on\"}") },
		{ "b", DOC("{" WAIT("c", "false") ",\"force\":\"on\"}") },
		{ "c", DOC("{" WAIT("a", "true") "},{\"force\":\"on\"}") },
		{ "d", DOC("{" WAIT("a", "false") ",\"force\":\"on\"}") },
	};
	struct flag_snapshot *s = snapshot_of(rows, ARRAY_LEN(rows), NULL);
	const struct flag_context c = context_of("{}");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct flag_result r = ask(s, rows[i].key, &c);
		ck_assert_int_eq(r.outcome, FLAG_EVALUATED);
		ck_assert_int_eq(r.source, FLAG_BY_CYCLE);
		ck_assert(r.reason == FLAG_DISABLED && r.value.p == NULL);
	}
	flag_snapshot_unref(s);
}
END_TEST

/* Each flag of a ladder names the next one twice: 2^n ways, and each flag is asked once. Past the limit there is no
 * value, and no hang. */
static void
ladder(int n, enum flag_source want)
{
	struct flag_row *rows = arena_alloc(&arena, (size_t)(n + 1) * sizeof(*rows));
	const struct flag_context c = context_of("{\"targetingKey\":\"u\"}");
	enum flag_unit unit = FLAG_PERSON;
	bool needed = false;

	for (int i = 0; i < n; i++) {
		rows[i].key = arena_printf(&arena, "f%d", i);
		rows[i].document = arena_printf(
			&arena,
			DOC("{\"prerequisites\":[{\"flag\":\"f%d\",\"condition\":{\"value\":true}},"
			    "{\"flag\":\"f%d\",\"condition\":{\"variation\":\"on\"}}],\"force\":"
			    "\"on\"}"),
			i + 1, i + 1);
	}
	rows[n] = (struct flag_row) { arena_printf(&arena, "f%d", n),
				      DOC("{\"force\":\"on\",\"coverage\":1}") };
	struct flag_snapshot *s = snapshot_of(rows, (size_t)n + 1, NULL);
	ck_assert_int_eq(ask(s, "f0", &c).source, want);
	ck_assert(flag_unit_of(s, STR("f0"), 0, &unit, &needed));
	ck_assert(unit == FLAG_VISITOR && needed);
	flag_snapshot_unref(s);
}

START_TEST(ladders)
{
	ladder(FLAG_VISITED_MAX - 1, FLAG_BY_FORCE);
	ladder(FLAG_VISITED_MAX, FLAG_BY_CYCLE);
}
END_TEST

/* What a prerequisite needs the one who asks for it needs: its unit; a flag of another kind of unit is never divided by
 * this one's. */
START_TEST(units)
{
	const struct flag_row rows[] = {
		{ "child", DOC("{" WAIT("parent", "false") ",\"force\":\"on\"}") },
		{ "parent", DOC("{\"force\":\"on\",\"coverage\":1}") },
		{ "stranger", DOC("{" WAIT("company", "false") ",\"force\":\"on\"}") },
		{ "company", "{\"unit\":\"organization\"," V ",\"rules\":[{\"force\":\"on\","
			     "\"coverage\":1}],\"default\":\"off\"}" },
	};
	struct flag_snapshot *s = snapshot_of(rows, ARRAY_LEN(rows), NULL);
	struct flag_context c = context_of("{}");

	ck_assert_int_eq(ask(s, "child", &c).outcome, FLAG_UNIT_MISSING);
	ck_assert_int_eq(ask(s, "stranger", &c).source, FLAG_BY_DEFAULT);
	c = context_of("{\"targetingKey\":\"u\"}");
	ck_assert(str_is(ask(s, "child", &c).variation, "on"));
	ck_assert_int_eq(ask(s, "stranger", &c).source, FLAG_BY_DEFAULT);
	ck_assert(str_is(ask(s, "company", &c).variation, "on"));
	flag_snapshot_unref(s);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("flag rules");
	TCase *c = tcase_create("rules");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, refused, 0, (int)ARRAY_LEN(BAD));
	tcase_add_loop_test(c, rules, 0, (int)ARRAY_LEN(ROW));
	tcase_add_test(c, explained);
	tcase_add_test(c, record);
	tcase_add_test(c, segments);
	tcase_add_test(c, segments_refused);
	tcase_add_test(c, kept_and_forced);
	tcase_add_test(c, stored);
	tcase_add_test(c, checked);
	tcase_add_test(c, cycles);
	tcase_add_test(c, ladders);
	tcase_add_test(c, units);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
