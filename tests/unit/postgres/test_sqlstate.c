/*
 * test_sqlstate.c — the table from SQLSTATE to our errors: exact rows win over class rows, what is
 * unknown is our fault.
 */
#include "postgres/postgres.h"

#include <string.h>

#include "tests/support/unit.h"

static const struct {
	const char *sqlstate;
	enum err want;
	const char *why;
} rows[] = {
	{ "23505", ERR_CONFLICT, "unique violation" },
	{ "23P01", ERR_CONFLICT, "exclusion violation" },
	{ "23503", ERR_INVALID, "foreign key, by its class" },
	{ "23502", ERR_INVALID, "not null, by its class" },
	{ "22P02", ERR_INVALID, "bad text for a type" },
	{ "22021", ERR_INVALID, "bad encoding" },
	{ "22012", ERR_INTERNAL, "division by zero is a bug of a query" },
	{ "40001", ERR_RETRY, "serialization failure" },
	{ "40P01", ERR_RETRY, "deadlock" },
	{ "40002", ERR_INVALID, "exact row before its class" },
	{ "42501", ERR_FORBIDDEN, "no privilege" },
	{ "42P01", ERR_INTERNAL, "no such table" },
	{ "42601", ERR_INTERNAL, "syntax error" },
	{ "53300", ERR_DOWN, "too many connections" },
	{ "55P03", ERR_IN_PROGRESS, "lock_timeout" },
	{ "57014", ERR_TIMEOUT, "statement_timeout" },
	{ "57P01", ERR_DOWN, "terminated by an administrator" },
	{ "57P03", ERR_DOWN, "starting up" },
	{ "08006", ERR_DOWN, "connection failure" },
	{ "25006", ERR_DOWN, "the primary is elsewhere" },
	{ "25P02", ERR_INTERNAL, "a failed transaction was left open" },
	{ "26000", ERR_REPREPARE, "the server lost a statement" },
	{ "0A000", ERR_UNIMPLEMENTED, "a gap of the server" },
	{ "P0001", ERR_INVALID, "a bare RAISE" },
	{ "P0002", ERR_NOT_FOUND, "no data found" },
	{ "CR002", ERR_FORBIDDEN, "append only" },
	{ "CR003", ERR_FORBIDDEN, "schema is closed" },
	{ "CR099", ERR_CONFLICT, "a law without a row" },
	{ "CR412", ERR_STALE, "our 412" },
	{ "CR404", ERR_NOT_FOUND, "our 404" },
	{ "CR423", ERR_LOCKED, "our 423" },
	{ "XX000", ERR_INTERNAL, "unknown" },
	{ "", ERR_INTERNAL, "empty" },
	{ "235", ERR_INTERNAL, "too short" },
	{ "235055", ERR_INTERNAL, "too long" },
	{ NULL, ERR_INTERNAL, "none" },
};

START_TEST(maps)
{
	ck_assert_msg(postgres_sqlstate_err(rows[_i].sqlstate) == rows[_i].want, "%s: got %d",
		      rows[_i].why, (int)postgres_sqlstate_err(rows[_i].sqlstate));
}
END_TEST

static const struct {
	const char *host, *port, *dbname, *user, *password, *extra, *want;
} infos[] = {
	{ "/run/pg", "5432", "crm", "app", NULL, NULL,
	  "host='/run/pg' port='5432' dbname='crm' user='app'" },
	{ NULL, NULL, "crm", NULL, "a'b\\c d", NULL, "dbname='crm' password='a\\'b\\\\c d'" },
	{ NULL, NULL, NULL, NULL, NULL, "sslmode=require", "sslmode=require" },
	{ "a,b", NULL, NULL, NULL, NULL, "target_session_attrs=primary",
	  "host='a,b' target_session_attrs=primary" },
};

START_TEST(conninfo_quotes)
{
	struct arena a;
	arena_init(&a, ARENA_CAP_BYTES);
	const char *got = postgres_conninfo(&a, infos[_i].host, infos[_i].port, infos[_i].dbname,
					    infos[_i].user, infos[_i].password, infos[_i].extra);
	ck_assert_str_eq(got, infos[_i].want);
	PQconninfoOption *parsed = PQconninfoParse(got, NULL);
	ck_assert_ptr_nonnull(parsed);
	for (const PQconninfoOption *o = parsed; o->keyword != NULL; o++) {
		if (infos[_i].password != NULL && strcmp(o->keyword, "password") == 0)
			ck_assert_str_eq(o->val, infos[_i].password);
	}
	PQconninfoFree(parsed);
	arena_release(&a);
	arena_trim();
}
END_TEST

static Suite *
sqlstate_suite(void)
{
	Suite *s = suite_create("postgres_sqlstate");
	TCase *tc = tcase_create("tables");
	tcase_add_loop_test(tc, maps, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, conninfo_quotes, 0, (int)ARRAY_LEN(infos));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(sqlstate_suite)
