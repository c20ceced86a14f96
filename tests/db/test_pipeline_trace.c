/*
 * test_pipeline_trace.c — the bytes on the wire, as libpq traces them: one Sync a request, a
 * PREPARE in front of the first named use within the same unit, an error that stops at its own
 * Sync. A change of libpq or of ours shows here first.
 */
#include "tests/db/pool_support.h"

#include "postgres/internal.h"

static const Oid t_int[] = { 23 };
static const struct postgres_stmt fixed = { "fixed", "select $1", POSTGRES_READ, 1,
					    t_int,   true,        false };
static const struct postgres_stmt ratio = { "ratio", "select 1 / $1", POSTGRES_READ, 1, t_int, true,
					    false };
static const struct postgres_stmt late = {
	"late", "select 7", POSTGRES_READ, 0, NULL, false, false
};
static const struct postgres_stmt *const stmts[] = { &fixed, &ratio, NULL };

static char trace[16384];

static void
setup(void)
{
	support_begin();
	struct postgres_conf conf = test_conf(stmts);
	conf.lanes[POSTGRES_WRITE].connections = 0;
	conf.lanes[POSTGRES_SLOW].connections = 0;
	pool_open(&conf);
}

/* Runs the jobs in one turn and keeps the trace of their connection. */
static void
traced(struct job *jobs, unsigned n)
{
	PGconn *pg = test_pool->lanes[POSTGRES_READ].connections[0].link.pg;
	FILE *f = fmemopen(trace, sizeof(trace), "w");
	ck_assert_ptr_nonnull(f);
	PQtrace(pg, f);
	PQsetTraceFlags(pg, PQTRACE_SUPPRESS_TIMESTAMPS | PQTRACE_REGRESS_MODE);
	for (unsigned i = 0; i < n; i++)
		job_start(&jobs[i]);
	for (unsigned i = 0; i < n; i++)
		job_finish(&jobs[i]);
	PQuntrace(pg);
	(void)fclose(f);
}

/* The kinds of messages in their order; lines are "F<tab>size<tab>kind<tab>…". Sizes and values are
 * left out. */
static void
assert_messages(const char *want)
{
	char got[2048] = "";
	size_t n = 0;
	struct str rest = str_of(trace);
	while (rest.p != NULL) {
		struct str line = str_cut(&rest, '\n');
		if (line.len == 0)
			continue;
		(void)str_cut(&line, '\t');
		(void)str_cut(&line, '\t');
		struct str kind = str_cut(&line, '\t');
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%.*s", n == 0 ? "" : " ",
				      STR_FMT(kind));
		ck_assert_uint_lt(n, sizeof(got));
	}
	ck_assert_str_eq(got, want);
}

#define SENT_NAMED "Bind Describe Execute Sync"
#define SENT_UNNAMED "Parse Bind Describe Execute Sync"
#define GOT_ROW "BindComplete RowDescription DataRow CommandComplete ReadyForQuery"

START_TEST(one_sync_a_request)
{
	struct job j[2] = { job_of(&fixed, "1", NULL), job_of(&fixed, "2", NULL) };
	traced(j, 2);
	assert_messages(SENT_NAMED " " SENT_NAMED " " GOT_ROW " " GOT_ROW);
}
END_TEST

START_TEST(an_error_ends_at_its_sync)
{
	struct job j[3] = { job_of(&fixed, "1", NULL), job_of(&ratio, "0", NULL),
			    job_of(&fixed, "2", NULL) };
	traced(j, 3);
	ck_assert_str_eq(j[1].err.sqlstate, "22012");
	assert_messages(SENT_NAMED " " SENT_NAMED " " SENT_NAMED " " GOT_ROW
				   " ErrorResponse ReadyForQuery " GOT_ROW);
}
END_TEST

START_TEST(named_on_the_second_use)
{
	struct job j = job_of(&late, NULL, NULL);
	traced(&j, 1);
	assert_messages(SENT_UNNAMED " ParseComplete " GOT_ROW);
	traced(&j, 1);
	assert_messages("Parse " SENT_NAMED " ParseComplete " GOT_ROW);
	ck_assert_ptr_nonnull(strstr(trace, "\"late\" \"select 7\""));
	traced(&j, 1);
	assert_messages(SENT_NAMED " " GOT_ROW);
}
END_TEST

START_TEST(forgotten_statements_are_replaced_in_the_same_unit)
{
	struct job j = job_of(&fixed, "1", NULL);
	postgres_pool_forget(test_pool);
	traced(&j, 1);
	assert_messages(
		"Parse Bind Describe Execute Parse " SENT_NAMED
		" ParseComplete BindComplete NoData CommandComplete ParseComplete " GOT_ROW);
	ck_assert_ptr_nonnull(strstr(trace, "deallocate \"fixed\""));
}
END_TEST

static Suite *
trace_suite(void)
{
	Suite *s = suite_create("postgres_trace");
	TCase *tc = tcase_create("wire");
	tcase_add_checked_fixture(tc, setup, support_end);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, one_sync_a_request);
	tcase_add_test(tc, an_error_ends_at_its_sync);
	tcase_add_test(tc, named_on_the_second_use);
	tcase_add_test(tc, forgotten_statements_are_replaced_in_the_same_unit);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(trace_suite)
