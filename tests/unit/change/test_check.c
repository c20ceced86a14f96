/*
 * test_check.c — what a schema change may say: good texts with how they are divided, hostile ones with line and reason.
 */
#include "change/check.h"

#include <string.h>

#include "tests/support/unit.h"

static struct arena arena;
static struct err_info info;

static void
set_up(void)
{
	arena_init(&arena, 4 * ARENA_CAP_BYTES);
	err_clear(&info);
}

static void
tear_down(void)
{
	arena_release(&arena);
	arena_trim();
}

static struct change_findings *
check(enum change_part part, const char *text)
{
	struct change_findings *f = arena_alloc(&arena, sizeof(*f));
	change_findings_init(f, &arena);
	err_clear(&info);
	const enum err err = change_check(part, str_of(text), f, &info);
	ck_assert_int_eq(err, f->total > 0 ? ERR_INVALID : ERR_OK);
	return f;
}

/* clang-format off: tables */
static const char *const good[] = {
	"ALTER TABLE crm.person ADD COLUMN x text, ALTER COLUMN x SET DEFAULT 'a';",
	"CREATE TABLE crm.plan (id uuid PRIMARY KEY); INSERT INTO crm.plan VALUES "
	"(gen_random_uuid()); GRANT SELECT ON crm.plan TO bimodal_app",
	"INSERT INTO change.field (resource, name) SELECT r.name, 'x' FROM change.resource r",
	"WITH x AS (SELECT 1) INSERT INTO change.field (position) SELECT * FROM x",
	"UPDATE change.field SET label = 'x' WHERE name = 'y'; DELETE FROM change.resource WHERE "
	"name = 'z'",
	"CREATE UNIQUE INDEX i ON crm.person (email) WHERE email IS NOT NULL; DROP INDEX crm.i",
	"CREATE VIEW crm.v AS SELECT p.id FROM crm.person p; DROP VIEW crm.v",
	"CREATE FUNCTION crm.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
	"CREATE TRIGGER t BEFORE INSERT ON crm.person FOR EACH ROW EXECUTE FUNCTION crm.f()",
	"SELECT crm.triggers_ensure('plan')",
	"CREATE TYPE crm.colour AS ENUM ('red'); COMMENT ON TYPE crm.colour IS 'x'",
	"ALTER TABLE crm.plan REPLICA IDENTITY USING INDEX plan_identity",
};

static const struct {
	const char *text;
	unsigned line;
	const char *reason; /* part of it */
} bad[] = {
	{ "", 1, "no statement" },
	{ "-- only a comment", 1, "no statement" },
	{ "ALTER TABLE crm.person ADD COLUM", 1, "syntax error" },
	{ "ALTER TABLE crm.person\n ADD COLUMN x text;\n\nLOCK TABLE crm.person", 4, "LOCK TABLE" },
	{ "ALTER SYSTEM SET fsync = off", 1, "ALTER SYSTEM" },
	{ "ALTER ROLE bimodal_app SUPERUSER", 1, "ALTER ROLE" },
	{ "CREATE ROLE x", 1, "CREATE ROLE" },
	{ "GRANT bimodal_owner TO bimodal_app", 1, "GRANT of a role" },
	{ "GRANT SELECT ON crm.person TO bimodal_feed", 1, "bimodal_feed" },
	{ "GRANT SELECT ON crm.person TO PUBLIC", 1, "PUBLIC" },
	{ "GRANT SELECT ON crm.person TO bimodal_app WITH GRANT OPTION", 1, "GRANT OPTION" },
	{ "COPY crm.person TO PROGRAM 'cat'", 1, "COPY" },
	{ "CREATE EXTENSION dblink", 1, "CREATE EXTENSION" },
	{ "CREATE LANGUAGE plperlu", 1, "" },
	{ "ALTER TABLE crm.person DISABLE TRIGGER ALL", 1, "DISABLE TRIGGER" },
	{ "SET session_replication_role = replica", 1, "SET" },
	{ "CREATE PUBLICATION p FOR ALL TABLES", 1, "publication" },
	{ "ALTER PUBLICATION bimodal_crm DROP TABLE crm.person", 1, "publication" },
	{ "DROP PUBLICATION bimodal_crm", 1, "publication" },
	{ "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", 1, "publication" },
	{ "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION crm.f()", 1,
	  "EVENT TRIGGER" },
	{ "DROP EVENT TRIGGER bimodal_guard", 1, "DROP" },
	{ "BEGIN", 1, "transaction" },
	{ "COMMIT", 1, "transaction" },
	{ "TRUNCATE crm.person", 1, "TRUNCATE" },
	{ "DO $$ BEGIN END $$", 1, "DO" },
	{ "VACUUM crm.person", 1, "VACUUM" },
	{ "CREATE INDEX CONCURRENTLY i ON crm.person (email)", 1, "CONCURRENTLY" },
	{ "ALTER TABLE person ADD COLUMN x text", 1, "crm.person" },
	{ "CREATE VIEW crm.v AS\nSELECT * FROM person", 2, "crm.person" },
	{ "ALTER TABLE change.ledger ADD COLUMN x text", 1, "base schema" },
	{ "DROP TABLE event.log", 1, "base schema" },
	{ "DROP TABLE crm.person CASCADE", 1, "CASCADE" },
	{ "ALTER TABLE crm.person DROP COLUMN email CASCADE", 1, "CASCADE" },
	{ "ALTER TABLE crm.person RENAME COLUMN email TO mail", 1, "RENAME" },
	{ "ALTER TABLE crm.person SET SCHEMA public", 1, "SET SCHEMA" },
	{ "ALTER TABLE crm.person OWNER TO bimodal_app", 1, "OWNER" },
	{ "ALTER TABLE crm.person ENABLE ROW LEVEL SECURITY", 1, "SECURITY" },
	{ "ALTER TABLE crm.person SET UNLOGGED", 1, "UNLOGGED" },
	{ "ALTER TABLE crm.person REPLICA IDENTITY FULL", 1, "REPLICA IDENTITY" },
	{ "CREATE UNLOGGED TABLE crm.x (id int)", 1, "unlogged" },
	{ "UPDATE crm.person SET stage = 'x'", 1, "data" },
	{ "DELETE FROM change.ledger", 1, "data" },
	{ "WITH x AS (DELETE FROM crm.person RETURNING 1) INSERT INTO change.field (position) "
	  "SELECT * FROM x",
	  1, "inside another" },
	{ "SELECT pg_sleep(10)", 1, "SELECT" },
	{ "SELECT crm.triggers_ensure('a') FROM crm.person", 1, "SELECT" },
	{ "CREATE FUNCTION crm.f() RETURNS int LANGUAGE c AS 'x'", 1, "language c" },
	{ "CREATE FUNCTION crm.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", 1,
	  "search_path" },
	{ "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", 1, "crm.f" },
	{ "CREATE TABLE crm.x PARTITION OF crm.interaction DEFAULT", 1, "partitions" },
};
/* clang-format on */

START_TEST(allows)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct change_findings *f = check(CHANGE_UP, good[i]);
		ck_assert_msg(f->total == 0, "%s: %s", good[i],
			      f->total > 0 ? f->items[0].reason : "");
	}
}
END_TEST

START_TEST(refuses)
{
	const struct change_findings *f = check(CHANGE_UP, bad[_i].text);
	ck_assert_msg(f->total > 0, "%s was allowed", bad[_i].text);
	ck_assert_msg(f->items[0].line == bad[_i].line, "%s: line %u", bad[_i].text,
		      f->items[0].line);
	bool found = false;
	for (size_t i = 0; i < f->n; i++)
		found = found || strstr(f->items[i].reason, bad[_i].reason) != NULL;
	ck_assert_msg(found, "%s: %s", bad[_i].text, f->items[0].reason);
}
END_TEST

START_TEST(verifications)
{
	ck_assert_uint_eq(check(CHANGE_VERIFY, "")->total, 0);
	ck_assert_uint_eq(
		check(CHANGE_VERIFY, "SELECT 1 FROM crm.person p WHERE p.email IS NULL")->total, 0);
	ck_assert_uint_gt(check(CHANGE_VERIFY, "SELECT 1; SELECT 2")->total, 0);
	ck_assert_uint_gt(check(CHANGE_VERIFY, "DELETE FROM crm.person")->total, 0);
	ck_assert_uint_gt(check(CHANGE_VERIFY,
				"WITH x AS (DELETE FROM crm.person RETURNING 1) SELECT * FROM x")
				  ->total,
			  0);
	ck_assert_uint_gt(check(CHANGE_VERIFY, "SELECT 1 INTO crm.x")->total, 0);
	ck_assert_uint_gt(check(CHANGE_VERIFY, "SELECT 1 FROM crm.person FOR UPDATE")->total, 0);
}
END_TEST

START_TEST(splits)
{
	struct change_statement *s = NULL;
	size_t n = 0;
	const struct str text = STR("-- head\nDELETE FROM change.field WHERE name = 'a;b';\n\n/* x "
				    "*/ ALTER TABLE crm.person DROP COLUMN a;\n"
				    "INSERT INTO change.resource (name) VALUES ('z')\n");

	ck_assert_int_eq(change_split(&arena, text, &s, &n, &info), ERR_OK);
	ck_assert_uint_eq(n, 3);
	ck_assert(str_is(s[0].text, "DELETE FROM change.field WHERE name = 'a;b'"));
	ck_assert(s[0].line == 2 && s[0].registry && s[0].withdraws);
	ck_assert(str_is(s[1].text, "ALTER TABLE crm.person DROP COLUMN a"));
	ck_assert(s[1].line == 4 && !s[1].registry);
	ck_assert(s[2].line == 5 && s[2].registry && !s[2].withdraws);
	ck_assert_int_eq(change_split(&arena, STR("SELEC"), &s, &n, &info), ERR_INVALID);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(keeps_its_limits)
{
	struct change_findings *f = arena_alloc(&arena, sizeof(*f));
	const size_t len = CHANGE_TEXT_BYTES_MAX + 1;
	char *text = arena_alloc(&arena, len + 1);
	struct buf json;

	memset(text, ' ', len);
	change_findings_init(f, &arena);
	ck_assert_int_eq(change_check(CHANGE_UP, (struct str) { text, len }, f, &info),
			 ERR_TOO_LARGE);
	text[0] = '\0';
	for (int i = 0; i < CHANGE_STATEMENTS_MAX + 1; i++)
		memcpy(text + 6 * i, "BEGIN;", 7);
	f = check(CHANGE_UP, text);
	ck_assert_uint_eq(f->n, CHANGE_FINDINGS_MAX);
	ck_assert_uint_gt(f->total, CHANGE_STATEMENTS_MAX);
	buf_init(&json, 1024 * 1024);
	f = check(CHANGE_DOWN, "\n BEGIN");
	change_findings_json(f, &json);
	ck_assert(str_starts(buf_str(&json),
			     "[{\"pointer\":\"/down\",\"code\":\"not_allowed\",\"line\":2,\"column\":2,\"detail\":\"BEGIN"));
	buf_free(&json);
}
END_TEST

START_TEST(counts)
{
	static const char text[] = "ALTER TABLE crm.a ADD CONSTRAINT c CHECK (x > 0) NOT VALID, "
				   "ADD CHECK (y IN ('a)', 'b'));\n"
				   "ALTER TABLE crm.a ALTER COLUMN \"e\"\"f\" SET NOT NULL, ADD "
				   "FOREIGN KEY (q) REFERENCES crm.z;\n"
				   "CREATE UNIQUE INDEX i ON crm.a (b, c); CREATE UNIQUE INDEX j "
				   "ON crm.a (lower(b)); CREATE INDEX k ON crm.a (b)";
	static const char *const expected[] = {
		"FROM \"crm\".\"a\" WHERE NOT (y IN ('a)', 'b')) LIMIT",
		"FROM \"crm\".\"a\" WHERE \"e\"\"f\" IS NULL LIMIT",
		"NOT EXISTS (SELECT FROM \"crm\".\"z\" o WHERE o.\"id\" = m.\"q\")",
		"GROUP BY \"b\", \"c\" HAVING",
	};
	static const unsigned lines[] = { 1, 2, 2, 3 };
	struct change_count c[CHANGE_COUNTS_MAX];
	size_t n = 0;

	ck_assert_int_eq(change_counts(&arena, str_of(text), c, &n, &info), ERR_OK);
	ck_assert_uint_eq(n, ARRAY_LEN(expected));
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(strstr(c[i].sql, expected[i]) != NULL, "%s", c[i].sql);
		ck_assert_uint_eq(c[i].line, lines[i]);
	}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("change/check");
	TCase *c = tcase_create("check");
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, allows);
	tcase_add_loop_test(c, refuses, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(c, verifications);
	tcase_add_test(c, splits);
	tcase_add_test(c, counts);
	tcase_add_test(c, keeps_its_limits);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(make_suite)
