/*
 * test_manifest.c — feature.yaml: one good file with one line changed a row, and the place of what
 * is wrong.
 */
#include "feature/manifest.h"

#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "tests/support/unit.h"

static const char base[] = "slug: won_more\n"     /* 1 */
			   "title: T\n"           /* 2 */
			   "statement: S\n"       /* 3 */
			   "benefit: B\n"         /* 4 */
			   "business_owner: b\n"  /* 5 */
			   "technical_owner: t\n" /* 6 */
			   "expires: 20s\n"       /* 7 */
			   "unit: person\n"       /* 8 */
			   "flag: {coverage: 0.5, variations: [control, treatment], weights: [0.4, "
			   "0.6]}\n" /* 9 */
			   "endpoints: [{name: advice, queries: {control: queries/c.sql, "
			   "treatment: queries/t.sql}}]\n" /* 10 */
			   "experiment: {planned_units: 2000, runs: \"30d\", alpha: 0.05, "
			   "minimum_effect: 0.01}\n" /* 11 */
			   "metrics:\n"              /* 12 */
			   "  primary: {name: won, file: metrics/won.sql, kind: proportion, "
			   "direction: increase, maturity: 0s}\n" /* 13 */
			   "  guardrails: [{name: bad, file: metrics/bad.sql, kind: mean, "
			   "direction: decrease, margin: 0.02}]\n"; /* 14 */

static struct arena arena;
static struct feature_findings findings;
static struct feature_manifest m;
static char text[8192];

static void
setup(void)
{
	arena_init(&arena, 4 * 1024 * 1024);
	feature_findings_init(&findings, &arena);
}

static void
teardown(void)
{
	arena_release(&arena);
	arena_trim();
}

/* The good file with line `n` replaced (NULL: left out). */
static enum err
read_with(unsigned n, const char *line)
{
	struct str rest = str_of(base);
	size_t len = 0;
	for (unsigned i = 1; rest.p != NULL && rest.len > 0; i++) {
		const struct str old = str_cut(&rest, '\n');
		if (i != n)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s\n",
						STR_FMT(old));
		else if (line != NULL)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", line);
	}
	return feature_manifest_read(&arena, (struct str) { text, len }, &m, &findings);
}

START_TEST(reads)
{
	ck_assert_msg(read_with(0, NULL) == ERR_OK, "%s",
		      findings.n > 0 ? findings.items[0].reason : "");
	ck_assert_str_eq(m.slug, "won_more");
	ck_assert_str_eq(m.flag_key, "feature-won-more");
	ck_assert_int_eq(m.expires, 20 * USEC_PER_SEC);
	ck_assert_double_eq(m.coverage, 0.5);
	ck_assert_uint_eq(m.n_variations, 2);
	ck_assert_double_eq(m.weights[1], 0.6);
	ck_assert_str_eq(m.endpoints[0].queries[1], "queries/t.sql");
	ck_assert_int_eq(m.planned_units, 2000);
	ck_assert_int_eq(m.runs, 30 * 24 * 3600 * USEC_PER_SEC);
	ck_assert_str_eq(m.primary.name, "won");
	ck_assert_int_eq(m.guardrails[0].kind, FEATURE_MEAN);
	ck_assert_int_eq(m.guardrails[0].direction, FEATURE_DECREASE);
	ck_assert_double_eq(m.guardrails[0].margin, 0.02);
	ck_assert_ptr_eq(feature_metric_at(&m, 1), &m.guardrails[0]);
	ck_assert_ptr_null(feature_metric_at(&m, 2));
}
END_TEST

START_TEST(json_is_json)
{
	struct buf b;
	struct cJSON *j = NULL;
	buf_init(&b, 64 * 1024);
	ck_assert_int_eq(read_with(2, "title: \"a \\\"quoted\\\" title\""), ERR_OK);
	feature_manifest_json(&m, &b);
	ck_assert_int_eq(json_parse(buf_str(&b), &j, NULL), ERR_OK);
	json_free(j);
	buf_reset(&b);
	feature_flag_document(&m, &b);
	ck_assert_str_eq(buf_cstr(&b), "{\"unit\":\"person\",\"variations\":[{\"key\":\"control\","
				       "\"value\":false},{\"key\":\"treatment\",\"value\":true}],"
				       "\"rules\":[{\"experiment\":{\"variations\":[\"control\","
				       "\"treatment\"],\"weights\":[0.4,0.6],\"coverage\":0.5,"
				       "\"seed\":\"feature-won-more\"}}],\"default\":\"control\"}");
	buf_free(&b);
}
END_TEST

static const struct {
	unsigned line;
	const char *text;
	unsigned at_line;
	const char *says;
} bad[] = {
	{ 1, NULL, 1, "slug is missing" },
	{ 1, "slug: Won", 1, "a slug has" },
	{ 1, "slug: ab", 1, "a slug has" },
	{ 1, "slug: won_owner", 1, "_owner" },
	{ 1, "slug: won-more", 1, "a slug has" },
	{ 1, "slug: [x]", 1, "one value is expected, not a list" },
	{ 1, "slugg: won", 1, "did you mean slug" },
	{ 2, "title: ''", 2, "a text is expected" },
	{ 3, "statement: \"a\\tb\"", 3, "control character" },
	{ 6, NULL, 1, "technical_owner is missing" },
	{ 6, "technical_owner: b", 6, "must be two people" },
	{ 7, "expires: 91d", 7, "not between" },
	{ 7, "expires: soon", 7, "a duration" },
	{ 8, "unit: organization", 8, "the unit of a feature is person" },
	{ 9, "flag: {variations: [control]}", 9, "two variations" },
	{ 9, "flag: {variations: [a, a, treatment, control]}", 9, "a is there twice" },
	{ 9, "flag: {variations: [control, treatment], weights: [0.5, 0.6]}", 9, "add up to 1.1" },
	{ 9, "flag: {variations: [control, treatment], weights: [0.5]}", 9, "1 weights for 2" },
	{ 9, "flag: {variations: [control, treatment], coverage: 1.5}", 9, "not between 0 and 1" },
	{ 9, "flag: {variations: [control, treatment], coverage: '1'}", 9, "a number is expected" },
	{ 9, "flag: {variations: [control, treatment, 'x\"y']}", 9, "a variation is named" },
	{ 9, "flag: {variations: [control, treatment], rollout: 1}", 9,
	  "there is no key 'rollout'" },
	{ 10, "endpoints: [{name: advice, queries: {control: queries/c.sql}}]", 10,
	  "no query for variation treatment" },
	{ 10,
	  "endpoints: [{name: a b, queries: {control: queries/c.sql, treatment: queries/t.sql}}]",
	  10, "an endpoint is named" },
	{ 10,
	  "endpoints: [{name: advice, queries: {control: /etc/passwd, treatment: queries/t.sql}}]",
	  10, "a file queries/" },
	{ 10,
	  "endpoints: [{name: advice, queries: {control: queries/c.sql, treatment: queries/t.sql, "
	  "third: queries/t.sql}}]",
	  10, "third is not a variation" },
	{ 10, "endpoints: advice", 10, "a list is expected" },
	{ 11, "experiment: {planned_units: 1, runs: 1d, minimum_effect: 0.1}", 11,
	  "a whole number between 2" },
	{ 11, "experiment: {planned_units: 10, runs: 1d, minimum_effect: 0}", 11, "not between" },
	{ 11, "experiment: {planned_units: 10, runs: 1d, minimum_effect: 1, alpha: 0.5}", 11,
	  "not between" },
	{ 13, "  primary: {name: won, file: metrics/won.sql, kind: ratio, direction: increase}", 13,
	  "proportion or mean" },
	{ 13,
	  "  primary: {name: won, file: metrics/won.sql, kind: mean, direction: increase, margin: "
	  "1}",
	  13, "no key 'margin'" },
	{ 14,
	  "  guardrails: [{name: won, file: metrics/b.sql, kind: mean, direction: decrease, "
	  "margin: 1}]",
	  14, "two metrics named won" },
	{ 14, "  guardrails: [{name: bad, file: metrics/b.sql, kind: mean, direction: decrease}]",
	  14, "margin is missing" },
	{ 14, "slug: again", 14, "slug" },
	{ 4, "benefit: &a B", 4, "anchor" },
	{ 4, "benefit: \"B", 4, "" },
};

START_TEST(refuses)
{
	ck_assert_msg(read_with(bad[_i].line, bad[_i].text) == ERR_INVALID, "accepted: %s",
		      bad[_i].text);
	const struct feature_finding *f = &findings.items[0];
	ck_assert_uint_ge(findings.n, 1);
	ck_assert_msg(strstr(f->reason, bad[_i].says) != NULL, "'%s' says: %s", bad[_i].text,
		      f->reason);
	ck_assert_str_eq(f->file, "feature.yaml");
	if (bad[_i].says[0] != '\0')
		ck_assert_msg(f->line == bad[_i].at_line && f->column > 0,
			      "'%s': line %u, column %u", bad[_i].text, f->line, f->column);
}
END_TEST

START_TEST(tells_all_at_once)
{
	static const struct str many =
		STR("slug: X\ntitle: ''\nunit: dog\nflag: {variations: []}\nexperiment: {runs: "
		    "x}\nmetrics: {}\ncolour: red\n");
	ck_assert_int_eq(feature_manifest_read(&arena, many, &m, &findings), ERR_INVALID);
	ck_assert_uint_ge(findings.n, 12);
	ck_assert_uint_eq(findings.n, findings.total);
}
END_TEST

START_TEST(empty_is_refused)
{
	ck_assert_int_eq(feature_manifest_read(&arena, STR(""), &m, &findings), ERR_INVALID);
	ck_assert_int_eq(feature_manifest_read(&arena, STR("- a\n"), &m, &findings), ERR_INVALID);
}
END_TEST

static Suite *
manifest_suite(void)
{
	Suite *s = suite_create("feature/manifest");
	TCase *t = tcase_create("manifest");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, reads);
	tcase_add_test(t, json_is_json);
	tcase_add_loop_test(t, refuses, 0, ARRAY_LEN(bad));
	tcase_add_test(t, tells_all_at_once);
	tcase_add_test(t, empty_is_refused);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(manifest_suite)
