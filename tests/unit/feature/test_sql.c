/*
 * test_sql.c — headers as typed parameters, the statement cut out of its file, and the texts made
 * of it.
 */
#include "feature/sql.h"

#include <string.h>

#include "feature/install.h"
#include "feature/template.h"
#include "tests/support/unit.h"

static struct arena arena;
static struct feature_findings findings;
static struct feature_query q;

static void
setup(void)
{
	arena_init(&arena, 1024 * 1024);
	feature_findings_init(&findings, &arena);
}

static void
teardown(void)
{
	arena_release(&arena);
	arena_trim();
}

static const struct {
	const char *text;
	const char *statement;
	size_t params;
} cut[] = {
	{ "-- $1 uuid unit\nselect 1", "select 1", 1 },
	{ "-- purpose\n\n-- $1 uuid unit (a pseudonym)\r\n--\n-- $2 int limit\n\nselect $2;\n",
	  "select $2", 2 },
	{ "-- $1 uuid unit\nselect 1 -- end", "select 1 -- end", 1 },
	{ "-- $1 uuid unit\nselect ';' ; -- $2 int n", "select ';'", 1 },
	{ "-- $1 uuid unit\n/* a */ select 1;;", "/* a */ select 1", 1 },
	{ "--$1 uuid unit\nselect /* -- $2 int x */ 1\n-- $2 int n\n",
	  "select /* -- $2 int x */ 1\n-- $2 int n\n", 1 },
};

START_TEST(cuts)
{
	const enum err err =
		feature_query_read(&arena, "q.sql", str_of(cut[_i].text), false, &q, &findings);
	ck_assert_msg(err == ERR_OK, "%s: %s", cut[_i].text,
		      findings.n > 0 ? findings.items[0].reason : "");
	ck_assert_msg(str_is(q.text, cut[_i].statement), "'%.*s' is not '%s'", STR_FMT(q.text),
		      cut[_i].statement);
	ck_assert_uint_eq(q.n_params, cut[_i].params);
}
END_TEST

START_TEST(types)
{
	ck_assert_int_eq(feature_query_read(&arena, "q.sql",
					    STR("-- $1 uuid unit\n-- $2 numeric a\n-- $3 "
						"timestamptz b\n-- $4 double c\nselect 1"),
					    false, &q, &findings),
			 ERR_OK);
	ck_assert_uint_eq(q.params[0].oid, 2950);
	ck_assert_uint_eq(q.params[1].oid, 1700);
	ck_assert_uint_eq(q.params[2].oid, 1184);
	ck_assert_uint_eq(q.params[3].oid, 701);
	ck_assert_str_eq(q.params[2].name, "b");
}
END_TEST

START_TEST(arrays_are_for_metrics)
{
	static const struct str two = STR("-- $1 uuid unit\n-- $2 uuid[] more\nselect 1");
	ck_assert_int_eq(feature_query_read(&arena, "q.sql", two, false, &q, &findings),
			 ERR_INVALID);
	ck_assert_uint_eq(findings.items[0].line, 2);
}
END_TEST

START_TEST(answer_wraps)
{
	struct postgres_stmt a;
	struct postgres_stmt b;
	ck_assert_int_eq(feature_query_read(&arena, "q.sql",
					    STR("-- $1 uuid unit\nselect 1 as n -- end"), false, &q,
					    &findings),
			 ERR_OK);
	ck_assert_int_eq(feature_query_answer(&arena, &q, "abc", "advice", "control", &a), ERR_OK);
	ck_assert_int_eq(feature_query_answer(&arena, &q, "abc", "advice", "treatment", &b),
			 ERR_OK);
	ck_assert_ptr_nonnull(strstr(
		a.text,
		"(\nselect 1 as n -- end\n)")); /* a comment at its end does not eat the bracket */
	ck_assert_ptr_nonnull(strstr(a.text, "limit 1001"));
	ck_assert_uint_eq(a.n_params, 1);
	ck_assert_uint_le(strlen(a.name), 63);
	ck_assert_str_ne(a.name, b.name);
}
END_TEST

START_TEST(metric_wraps)
{
	static const struct feature_metric metric = { .name = "won", .maturity = 3 * USEC_PER_SEC };
	struct postgres_stmt s;
	ck_assert_int_eq(
		feature_query_read(
			&arena, "m.sql",
			STR("-- $1 uuid[] units\n-- $2 timestamptz[] exposed_at (same order)\n-- "
			    "$3 timestamptz until\n"
			    "select e.unit, 1 as value from unnest($1, $2) as e (unit, at)"),
			true, &q, &findings),
		ERR_OK);
	ck_assert_int_eq(feature_query_metric(&arena, &q, "abc", &metric, &s), ERR_OK);
	ck_assert_ptr_nonnull(strstr(s.text, "interval '3000000 microseconds'"));
	ck_assert_uint_eq(s.n_params, 3);
	ck_assert_int_eq(s.lane, POSTGRES_SLOW);
}
END_TEST

/* ---- install.c ---- */

static const struct {
	const char *slug, *password;
	unsigned connections;
} unsafe[] = {
	{ "x; drop schema crm", "0123456789abcdef0123", 4 },
	{ "Abc", "0123456789abcdef0123", 4 },
	{ "abc_owner", "0123456789abcdef0123", 4 },
	{ "abc", "0123456789abcdef'; --", 4 },
	{ "abc", "short", 4 },
	{ "abc", "0123456789abcdef0123", 0 },
};

START_TEST(install_refuses_unsafe_texts)
{
	struct err_info info = { .code = ERR_OK };
	struct buf b;
	buf_init(&b, 64 * 1024);
	const struct feature_install in = { .slug = unsafe[_i].slug,
					    .password = unsafe[_i].password,
					    .connections = unsafe[_i].connections,
					    .statement_timeout = USEC_PER_SEC };
	ck_assert_int_eq(feature_install_up(&b, &in, &info), ERR_INVALID);
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
}
END_TEST

START_TEST(install_closes_up_sql)
{
	struct err_info info = { .code = ERR_OK };
	char password[FEATURE_PASSWORD_SIZE];
	char again[FEATURE_PASSWORD_SIZE];
	struct buf b;
	buf_init(&b, 64 * 1024);
	feature_password_make(password);
	feature_password_make(again);
	ck_assert_str_ne(password, again);
	const struct feature_install in = { .slug = "abc",
					    .password = password,
					    .connections = 6,
					    .statement_timeout = USEC_PER_SEC,
					    .up = STR(
						    "create table feature_abc.t (a int) -- end") };
	ck_assert_int_eq(feature_install_up(&b, &in, &info), ERR_OK);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "SET LOCAL ROLE feature_abc_owner;\ncreate "
						   "table feature_abc.t (a int) -- end\n;\n"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "CONNECTION LIMIT 6"));
	buf_free(&b);
	struct buf small;
	buf_init(&small, 100);
	ck_assert_int_eq(feature_install_up(&small, &in, &info), ERR_TOO_LARGE);
	buf_free(&small);
}
END_TEST

START_TEST(template_needs_a_slug)
{
	struct err_info info = { .code = ERR_OK };
	struct feature_archive a;
	ck_assert_int_eq(feature_template_make(&arena, "No Slug", &a, &info), ERR_INVALID);
	err_clear(&info);
	ck_assert_int_eq(feature_template_write("good_slug", "/tmp", &info), ERR_CONFLICT);
}
END_TEST

static Suite *
sql_suite(void)
{
	Suite *s = suite_create("feature/sql");
	TCase *t = tcase_create("sql");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, cuts, 0, ARRAY_LEN(cut));
	tcase_add_test(t, types);
	tcase_add_test(t, arrays_are_for_metrics);
	tcase_add_test(t, answer_wraps);
	tcase_add_test(t, metric_wraps);
	tcase_add_loop_test(t, install_refuses_unsafe_texts, 0, ARRAY_LEN(unsafe));
	tcase_add_test(t, install_closes_up_sql);
	tcase_add_test(t, template_needs_a_slug);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(sql_suite)
