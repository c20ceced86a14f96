/*
 * test_check.c — what the check lets through, and what it must refuse: a row is one SQL text.
 */
#include "feature/check.h"

#include <stdio.h>
#include <string.h>

#include "feature/template.h"
#include "tests/support/unit.h"
#include "tests/unit/feature/columns.h"

#define QUERY "-- $1 uuid unit\n-- $2 int n\n"
#define METRIC "-- $1 uuid[] units\n-- $2 timestamptz[] exposed_at\n-- $3 timestamptz until\n"

static struct arena arena;
static struct feature_findings findings;

static void
setup(void)
{
	arena_init(&arena, 16 * 1024 * 1024);
	feature_findings_init(&findings, &arena);
}

static void
teardown(void)
{
	arena_release(&arena);
	arena_trim();
}

static enum err
check(enum feature_check_kind kind, const char *sql)
{
	return feature_check_sql(kind, "x1x", "f.sql", str_of(sql), &columns, &findings);
}

static const char *
told(void)
{
	return findings.n > 0 ? findings.items[0].reason : "no finding";
}

/* ---- accepted ---- */

static const struct {
	enum feature_check_kind kind;
	const char *sql;
} good[] = {
	{ FEATURE_CHECK_QUERY, QUERY "select 1" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select p.country, p.stage from crm.person p where p.pseudonym = $1 limit $2;" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select country from crm.person where pseudonym = $1 -- done" },
	{ FEATURE_CHECK_QUERY, QUERY "select crm_p.country, now() from crm.person crm_p" },
	{ FEATURE_CHECK_QUERY, QUERY "with q as (select kind, count(*) as n from crm.interaction "
				     "group by kind) select * from q order by n desc" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select q.* from (select id, stage from crm.opportunity) q where q.stage = 'won'" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select t.anything, feature_x1x.score(t.a) from feature_x1x.t as t" },
	{ FEATURE_CHECK_QUERY, QUERY "select * from feature_x1x.t" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select row_to_json(q) from (select stage from crm.opportunity) q" },
	{ FEATURE_CHECK_QUERY, QUERY "select o.stage, sum(o.amount) over (partition by o.stage "
				     "order by o.opened_at) from crm.opportunity o" },
	{ FEATURE_CHECK_QUERY, QUERY "select extract(year from o.opened_at)::int, "
				     "o.amount::numeric(10,2) from crm.opportunity o" },
	{ FEATURE_CHECK_QUERY, QUERY "select g.n from generate_series(1, 10) as g (n)" },
	{ FEATURE_CHECK_QUERY, QUERY
	  "select i.kind from crm.interaction i join crm.opportunity o using (person_pseudonym)" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1 where 'drop table crm.person; --' <> ''" },
	{ FEATURE_CHECK_QUERY, QUERY "select kind from crm.interaction union all select stage from "
				     "crm.opportunity order by 1" },
	{ FEATURE_CHECK_QUERY, QUERY
	  "select case when exists (select 1 from crm.person) then 1 else coalesce($2, 0) end" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select current_date - o.opened_at as days from crm.opportunity o" },
	{ FEATURE_CHECK_METRIC, METRIC
	  "select e.unit, 1::bigint as value from unnest($1, $2) as e (unit, at) where e.at < $3" },
	{ FEATURE_CHECK_VERIFY, "select 'gone' where to_regclass('feature_x1x.t') is null" },
	{ FEATURE_CHECK_UP, "" },
	{ FEATURE_CHECK_UP,
	  "create table feature_x1x.t (id uuid primary key default gen_random_uuid(), n int not "
	  "null check (n > 0), at timestamptz default now())" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a int primary key); create table "
			    "feature_x1x.u (a int references feature_x1x.t (a));" },
	{ FEATURE_CHECK_UP, "create index on feature_x1x.t (lower(name)) where n > 1" },
	{ FEATURE_CHECK_UP,
	  "create view feature_x1x.v as select o.id, o.stage from crm.opportunity o" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f(p_n int, b text) returns numeric language sql stable as "
	  "$$ select sum(o.amount) from crm.opportunity o where o.stage = b limit p_n $$" },
	{ FEATURE_CHECK_UP, "create function feature_x1x.f(int) returns int language sql immutable "
			    "strict parallel safe as 'select $1 + 1'" },
	{ FEATURE_CHECK_UP, "insert into feature_x1x.t (a, b) values (1, 'x') on conflict (a) do "
			    "update set b = excluded.b" },
	{ FEATURE_CHECK_UP, "insert into feature_x1x.t (a) select count(*) from crm.opportunity" },
	{ FEATURE_CHECK_UP,
	  "comment on table feature_x1x.t is 'x'; comment on column feature_x1x.t.a is 'y'; "
	  "comment on function feature_x1x.f(int) is 'z'" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (id bigint generated always as identity, a "
			    "text collate \"C\")" },
	{ FEATURE_CHECK_DOWN,
	  "drop view if exists feature_x1x.v; drop function feature_x1x.f(int); drop table "
	  "feature_x1x.t, feature_x1x.u cascade" },
};

START_TEST(accepts)
{
	ck_assert_msg(check(good[_i].kind, good[_i].sql) == ERR_OK, "%s\n%s", good[_i].sql, told());
}
END_TEST

/* ---- refused: the reason must name what is wrong ---- */

static const struct {
	enum feature_check_kind kind;
	const char *sql;
	const char *says;
} bad[] = {
	/* more than reading */
	{ FEATURE_CHECK_QUERY, QUERY "select 1 into temp t", "SELECT INTO" },
	{ FEATURE_CHECK_QUERY, QUERY "select country from crm.person for update", "FOR UPDATE" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select q.country from (select country from crm.person for share) q",
	  "FOR UPDATE" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "with q as (delete from crm.person returning country) select * from q", "DELETE" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "with q as (insert into feature_x1x.t values (1) returning 1 as a) select a from q",
	  "INSERT" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "with q as (update feature_x1x.t set a = 1 returning 1 as a) select a from q",
	  "UPDATE" },
	{ FEATURE_CHECK_QUERY, QUERY "insert into feature_x1x.t values (1)", "INSERT" },
	{ FEATURE_CHECK_QUERY, QUERY "do $$ begin perform 1; end $$", "DO is not" },
	{ FEATURE_CHECK_QUERY, QUERY "copy crm.person to program 'cat'", "COPY" },
	{ FEATURE_CHECK_QUERY, QUERY "set role feature_x1x_owner", "SET is not" },
	{ FEATURE_CHECK_QUERY, QUERY "reset role", "SET is not" },
	{ FEATURE_CHECK_QUERY, QUERY "begin", "BEGIN" },
	{ FEATURE_CHECK_QUERY, QUERY "explain analyze select 1", "EXPLAIN" },
	{ FEATURE_CHECK_QUERY, QUERY "call feature_x1x.p()", "CALL" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1; select 2", "2 statements" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1; -- ; \n drop table crm.person", "2 statements" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1 /* ; */ ; /* select */ drop schema crm /* */",
	  "2 statements" },
	{ FEATURE_CHECK_QUERY, QUERY "/* select 1 */ -- select 1", "0 statements" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1) q; drop table crm.person; select (1", "parser" },
	{ FEATURE_CHECK_QUERY, QUERY "select 'x", "parser" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1 /* open", "parser" },
	{ FEATURE_CHECK_QUERY, QUERY "\\! id", "parser" },
	/* functions */
	{ FEATURE_CHECK_QUERY, QUERY "select pg_sleep(10)", "pg_sleep" },
	{ FEATURE_CHECK_QUERY, QUERY "select pg_catalog.pg_sleep(10)", "pg_sleep" },
	{ FEATURE_CHECK_QUERY, QUERY "select \"pg_sleep\"(10)", "pg_sleep" },
	{ FEATURE_CHECK_QUERY, QUERY "select U&\"pg\\005fsleep\"(10)", "pg_sleep" },
	{ FEATURE_CHECK_QUERY, QUERY "select PG_SLEEP(10)", "pg_sleep" },
	{ FEATURE_CHECK_QUERY, QUERY "select set_config('role', 'none', false)", "set_config" },
	{ FEATURE_CHECK_QUERY, QUERY "select current_setting('bimodal.actor')", "current_setting" },
	{ FEATURE_CHECK_QUERY, QUERY "select pg_read_file('/etc/passwd')", "pg_read_file" },
	{ FEATURE_CHECK_QUERY, QUERY "select lo_import('/etc/passwd')", "lo_import" },
	{ FEATURE_CHECK_QUERY, QUERY "select lo_get(1)", "lo_get" },
	{ FEATURE_CHECK_QUERY, QUERY "select d.a from dblink('host=x', 'select 1') as d (a int)",
	  "dblink" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select query_to_xml('select * from crm.person', true, true, '')", "query_to_xml" },
	{ FEATURE_CHECK_QUERY, QUERY "select nextval('feature_x1x.s')", "nextval" },
	{ FEATURE_CHECK_QUERY, QUERY "select pg_advisory_lock(1)", "pg_advisory_lock" },
	{ FEATURE_CHECK_QUERY, QUERY "select pg_notify('a', 'b')", "pg_notify" },
	{ FEATURE_CHECK_QUERY, QUERY "select pg_terminate_backend(1)", "pg_terminate_backend" },
	{ FEATURE_CHECK_QUERY, QUERY "select repeat('x', 1000000000)", "repeat" },
	{ FEATURE_CHECK_QUERY, QUERY "select random()", "random" },
	{ FEATURE_CHECK_QUERY, QUERY "select gen_random_uuid()", "gen_random_uuid" },
	{ FEATURE_CHECK_QUERY, QUERY "select crm.uuid_v7()", "functions of PostgreSQL" },
	{ FEATURE_CHECK_QUERY, QUERY "select bimodal.crm.uuid_v7()", "functions of PostgreSQL" },
	{ FEATURE_CHECK_QUERY, QUERY "select has_table_privilege('crm.person', 'select')",
	  "has_table_privilege" },
	{ FEATURE_CHECK_QUERY, QUERY "select to_regclass('crm.person')", "verify.sql" },
	{ FEATURE_CHECK_QUERY, QUERY "select current_user", "CURRENT_USER" },
	{ FEATURE_CHECK_QUERY, QUERY "select session_user", "CURRENT_USER" },
	{ FEATURE_CHECK_QUERY, QUERY "select current_schema", "CURRENT_USER" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1 operator(crm.+) 2", "operators" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select count(*) filter (where pg_sleep(1) is null) from crm.person", "pg_sleep" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1 order by pg_sleep(1)", "pg_sleep" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1 limit (select pg_sleep(1)::text::int)", "pg_sleep" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select sum(1) over w from crm.person window w as (order by pg_sleep(1))",
	  "pg_sleep" },
	{ FEATURE_CHECK_QUERY, QUERY "values (pg_sleep(1))", "pg_sleep" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1 union select pg_sleep(1)::text::int", "pg_sleep" },
	/* types */
	{ FEATURE_CHECK_QUERY, QUERY "select 'pg_authid'::regclass", "regclass" },
	{ FEATURE_CHECK_QUERY, QUERY "select '1'::crm.thing", "type crm" },
	{ FEATURE_CHECK_QUERY, QUERY "select xmlparse(document '<a/>')", "XML" },
	/* relations */
	{ FEATURE_CHECK_QUERY, QUERY "select a.x from access.token a", "only crm and feature_x1x" },
	{ FEATURE_CHECK_QUERY, QUERY "select a.x from feature_other.t a",
	  "only crm and feature_x1x" },
	{ FEATURE_CHECK_QUERY, QUERY "select a.rolname from pg_catalog.pg_authid a",
	  "only crm and feature_x1x" },
	{ FEATURE_CHECK_QUERY, QUERY "select a.rolname from pg_authid a", "with their schema" },
	{ FEATURE_CHECK_QUERY, QUERY "select a.usename from pg_stat_activity a",
	  "with their schema" },
	{ FEATURE_CHECK_QUERY, QUERY "select a.x from information_schema.tables a", "only crm" },
	{ FEATURE_CHECK_QUERY, QUERY "select country from person", "with their schema" },
	{ FEATURE_CHECK_QUERY, QUERY "select a.x from bimodal.crm.person a", "another database" },
	{ FEATURE_CHECK_QUERY, QUERY "select a.x from \"CRM\".person a", "only crm" },
	{ FEATURE_CHECK_QUERY, QUERY "select a.id from crm.feed_control a",
	  "not a published table" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "with pg_authid as (select 1 as rolname) select a.rolname from pg_authid a",
	  "pg_" },
	{ FEATURE_CHECK_QUERY, QUERY "select stage from only crm.opportunity", "ONLY" },
	{ FEATURE_CHECK_QUERY, QUERY "select country from crm.person tablesample system (1)",
	  "TABLESAMPLE" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "with recursive q as (select 1 as n union all select n + 1 from q) select n from q",
	  "RECURSIVE" },
	/* columns */
	{ FEATURE_CHECK_QUERY, QUERY "select email from crm.person",
	  "column email is not published" },
	{ FEATURE_CHECK_QUERY, QUERY "select p.email from crm.person p",
	  "column email of crm.person" },
	{ FEATURE_CHECK_QUERY, QUERY "select person.given_name from crm.person",
	  "column given_name" },
	{ FEATURE_CHECK_QUERY, QUERY "select crm.person.email from crm.person", "alias.column" },
	{ FEATURE_CHECK_QUERY, QUERY "select p.\"email\" from crm.person p", "column email" },
	{ FEATURE_CHECK_QUERY, QUERY "select p.U&\"em\\0061il\" from crm.person p",
	  "column email" },
	{ FEATURE_CHECK_QUERY, QUERY "select country from crm.person p order by p.email",
	  "column email" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select country from crm.person p where exists (select 1 where p.email like 'a%')",
	  "column email" },
	{ FEATURE_CHECK_QUERY, QUERY "select * from crm.person", "SELECT *" },
	{ FEATURE_CHECK_QUERY, QUERY "table crm.person", "SELECT *" },
	{ FEATURE_CHECK_QUERY, QUERY "select p.* from crm.person p", "name the columns" },
	{ FEATURE_CHECK_QUERY, QUERY "select 1 union all (select * from crm.person)", "SELECT *" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select j.* from (crm.person p join crm.opportunity o on true) as j",
	  "alias of a join" },
	{ FEATURE_CHECK_QUERY, QUERY "select p from crm.person p", "whole row" },
	{ FEATURE_CHECK_QUERY, QUERY "select row_to_json(p) from crm.person p", "whole row" },
	{ FEATURE_CHECK_QUERY, QUERY "select (p).email from crm.person p", "whole row" },
	{ FEATURE_CHECK_QUERY, QUERY "select email(p) from crm.person p", "email" },
	{ FEATURE_CHECK_QUERY, QUERY "select p.a from crm.person as p (a, b, c, d)",
	  "renamed by position" },
	{ FEATURE_CHECK_QUERY, QUERY "select country from crm.person natural join crm.opportunity",
	  "NATURAL" },
	{ FEATURE_CHECK_QUERY,
	  QUERY "select kind from crm.interaction join crm.person using (email)", "USING (email)" },
	{ FEATURE_CHECK_QUERY, QUERY "select p.ctid from crm.person p", "column ctid" },
	{ FEATURE_CHECK_QUERY, QUERY "select tableoid from crm.person", "column tableoid" },
	{ FEATURE_CHECK_QUERY, QUERY "select q.a from crm.person p", "no relation is named q" },
	/* parameters and headers */
	{ FEATURE_CHECK_QUERY, QUERY "select $3", "parameter $3" },
	{ FEATURE_CHECK_QUERY, QUERY "select $0", "parameter $0" },
	{ FEATURE_CHECK_QUERY, "select 1", "$1 uuid unit" },
	{ FEATURE_CHECK_QUERY, "-- $1 text unit\nselect 1", "$1 uuid unit" },
	{ FEATURE_CHECK_QUERY, "-- $1 uuid unit\n-- $3 int n\nselect 1", "without gaps" },
	{ FEATURE_CHECK_QUERY, "-- $1 uuid unit\n-- $2 regclass n\nselect 1", "not a type" },
	{ FEATURE_CHECK_QUERY, "-- $1 uuid unit\n-- $2 int unit\nselect 1", "a name of its own" },
	{ FEATURE_CHECK_METRIC, "-- $1 uuid unit\nselect 1", "header of a metric" },
	{ FEATURE_CHECK_METRIC,
	  METRIC "select e.unit, 1 as value from unnest($1, $2) as e (unit, at) where e.at < now()",
	  "now()" },
	{ FEATURE_CHECK_METRIC,
	  METRIC "select e.unit, 1 as value from unnest($1, $2) as e (unit, at) where e.at < "
		 "current_timestamp",
	  "current time" },
	{ FEATURE_CHECK_VERIFY, "drop table feature_x1x.t", "DROP" },
	{ FEATURE_CHECK_VERIFY, "", "0 statements" },
	/* definitions */
	{ FEATURE_CHECK_UP, "create table crm.t (a int)", "feature's schema" },
	{ FEATURE_CHECK_UP, "create table t (a int)", "feature's schema" },
	{ FEATURE_CHECK_UP, "create table feature_other.t (a int)", "feature's schema" },
	{ FEATURE_CHECK_UP, "create temp table t (a int)", "feature's schema" },
	{ FEATURE_CHECK_UP, "create unlogged table feature_x1x.t (a int)", "UNLOGGED" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (like crm.person)", "LIKE" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t () inherits (crm.person)", "inhRelations" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a int) tablespace x", "tablespace" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a int) with (fillfactor = 10)",
	  "storage option" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a uuid references crm.person (id))",
	  "referenced" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a int default pg_sleep(1)::text::int)",
	  "pg_sleep" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a regclass)", "regclass" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a serial)", "type serial" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a int, exclude using gist (a with =))",
	  "constraints are" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t as select 1", "CREATE TABLE AS" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t partition of crm.interaction default",
	  "inhRelations" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a int) partition by range (a)",
	  "PARTITION BY" },
	{ FEATURE_CHECK_UP, "create index on crm.person (country)", "feature's schema" },
	{ FEATURE_CHECK_UP, "create index concurrently on feature_x1x.t (a)", "CONCURRENTLY" },
	{ FEATURE_CHECK_UP, "create index on feature_x1x.t ((pg_sleep(1)))", "pg_sleep" },
	{ FEATURE_CHECK_UP, "create view crm.v as select 1", "feature's schema" },
	{ FEATURE_CHECK_UP, "create view feature_x1x.v as select email from crm.person",
	  "column email" },
	{ FEATURE_CHECK_UP, "create view feature_x1x.v as select * from crm.person", "SELECT *" },
	{ FEATURE_CHECK_UP, "create view feature_x1x.v as select now() as t", "now()" },
	{ FEATURE_CHECK_UP, "create materialized view feature_x1x.v as select 1",
	  "CREATE TABLE AS" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f() returns int language plpgsql as $$ begin return 1; end "
	  "$$",
	  "LANGUAGE sql" },
	{ FEATURE_CHECK_UP, "do language plpgsql $$ begin end $$", "DO is not" },
	{ FEATURE_CHECK_UP, "create function feature_x1x.f() returns int language c as 'a', 'b'",
	  "LANGUAGE sql" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f() returns int language sql security definer as 'select 1'",
	  "SECURITY DEFINER" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f() returns int language sql set role = 'x' as 'select 1'",
	  "set is not" },
	{ FEATURE_CHECK_UP, "create function crm.f() returns int language sql as 'select 1'",
	  "feature's schema" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f() returns int language sql as 'select pg_sleep(1); select "
	  "1'",
	  "2 statements" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f() returns int language sql as 'select "
	  "pg_sleep(1)::text::int'",
	  "pg_sleep" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f() returns int language sql as 'delete from crm.person "
	  "returning 1'",
	  "DELETE" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f() returns text language sql as 'select email from "
	  "crm.person'",
	  "column email" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f() returns int language sql begin atomic select 1; end",
	  "AS $$" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f(a int default pg_sleep(1)::text::int) returns int "
	  "language sql as 'select 1'",
	  "pg_sleep" },
	{ FEATURE_CHECK_UP,
	  "create function feature_x1x.f(a crm.person) returns int language sql as 'select 1'",
	  "type crm" },
	{ FEATURE_CHECK_UP, "create procedure feature_x1x.f() language sql as 'select 1'",
	  "procedures" },
	{ FEATURE_CHECK_UP, "insert into crm.person (country) values ('x')", "feature's schema" },
	{ FEATURE_CHECK_UP, "insert into feature_x1x.t select email from crm.person",
	  "column email" },
	{ FEATURE_CHECK_UP, "insert into feature_x1x.t values (1) returning pg_sleep(1)",
	  "returningList" },
	{ FEATURE_CHECK_UP, "update feature_x1x.t set a = 1", "UPDATE" },
	{ FEATURE_CHECK_UP, "grant select on crm.person to public", "GRANT" },
	{ FEATURE_CHECK_UP, "alter table crm.person add column x int", "ALTER TABLE" },
	{ FEATURE_CHECK_UP, "alter role feature_x1x superuser", "ALTER ROLE" },
	{ FEATURE_CHECK_UP,
	  "create trigger t after insert on crm.person execute function feature_x1x.f()",
	  "CREATE TRIGGER" },
	{ FEATURE_CHECK_UP, "create rule r as on select to feature_x1x.t do instead select 1",
	  "CREATE RULE" },
	{ FEATURE_CHECK_UP, "create extension dblink", "CREATE EXTENSION" },
	{ FEATURE_CHECK_UP, "create schema y", "CREATE SCHEMA" },
	{ FEATURE_CHECK_UP, "reset role; set role bimodal_owner; drop schema crm cascade",
	  "SET is not" },
	{ FEATURE_CHECK_UP, "commit; drop table crm.person", "BEGIN" },
	{ FEATURE_CHECK_UP, "set search_path = crm; create table t (a int)", "SET is not" },
	{ FEATURE_CHECK_UP, "create table feature_x1x.t (a int); /* -- */ truncate crm.person",
	  "TRUNCATE" },
	{ FEATURE_CHECK_UP, "select 1", "SELECT is not" },
	{ FEATURE_CHECK_UP, "comment on table crm.person is 'x'", "comments go to" },
	{ FEATURE_CHECK_UP, "comment on role bimodal_app is 'x'", "comments go to" },
	{ FEATURE_CHECK_UP, "drop table feature_x1x.t", "DROP is not" },
	{ FEATURE_CHECK_DOWN, "drop table crm.person", "only objects of feature_x1x" },
	{ FEATURE_CHECK_DOWN, "drop table feature_x1x.t, crm.person",
	  "only objects of feature_x1x" },
	{ FEATURE_CHECK_DOWN, "drop table t", "only objects of feature_x1x" },
	{ FEATURE_CHECK_DOWN, "drop schema feature_x1x", "may be dropped" },
	{ FEATURE_CHECK_DOWN, "drop owned by bimodal_app", "not allowed" },
	{ FEATURE_CHECK_DOWN, "drop role bimodal_app", "not allowed" },
	{ FEATURE_CHECK_DOWN, "create table feature_x1x.t (a int)", "CREATE TABLE" },
};

START_TEST(refuses)
{
	bool named = false;
	ck_assert_msg(check(bad[_i].kind, bad[_i].sql) == ERR_INVALID, "accepted: %s", bad[_i].sql);
	for (size_t i = 0; i < findings.n; i++)
		named = named || strstr(findings.items[i].reason, bad[_i].says) != NULL;
	ck_assert_msg(named, "%s\nsays: %s\nnot: %s", bad[_i].sql, told(), bad[_i].says);
	ck_assert_str_eq(findings.items[0].file, "f.sql");
}
END_TEST

START_TEST(tells_the_place)
{
	(void)check(
		FEATURE_CHECK_QUERY,
		"-- $1 uuid unit\nselect p.country,\n\tp.email,\n  pg_sleep(1) from crm.person p");
	ck_assert_uint_eq(findings.n, 2);
	ck_assert_uint_eq(findings.items[0].line, 3);
	ck_assert_uint_eq(findings.items[0].column, 2);
	ck_assert_uint_eq(findings.items[1].line, 4);
	ck_assert_uint_eq(findings.items[1].column, 3);
}
END_TEST

START_TEST(tells_the_place_in_up)
{
	(void)check(FEATURE_CHECK_UP, "-- é\ncreate table feature_x1x.t (a int);\n\ngrant select "
				      "on crm.person to public;\n"
				      "create function feature_x1x.f() returns int language sql as "
				      "$$\nselect pg_sleep(1)\n$$;\nselec 1");
	ck_assert_uint_eq(findings.n, 1);
	ck_assert_uint_eq(findings.items[0].line,
			  8); /* one that cannot be parsed hides the others */
	feature_findings_init(&findings, &arena);
	(void)check(FEATURE_CHECK_UP, "-- é\ncreate table feature_x1x.t (a int);\n\ngrant select "
				      "on crm.person to public;\n"
				      "create function feature_x1x.f() returns int language sql as "
				      "$$\nselect pg_sleep(1)\n$$;\n");
	ck_assert_uint_eq(findings.n, 2);
	ck_assert_uint_eq(findings.items[0].line, 4);
	ck_assert_uint_eq(findings.items[1].line, 5);
}
END_TEST

START_TEST(refuses_bytes_that_are_no_text)
{
	static const char zero[] = "-- $1 uuid unit\nselect 1\0; drop table crm.person";
	static const char latin[] = "-- $1 uuid unit\nselect '\xe9'";
	ck_assert_int_eq(feature_check_sql(FEATURE_CHECK_QUERY, "x1x", "f.sql",
					   (struct str) { zero, sizeof(zero) - 1 }, &columns,
					   &findings),
			 ERR_INVALID);
	ck_assert_int_eq(check(FEATURE_CHECK_QUERY, latin), ERR_INVALID);
}
END_TEST

START_TEST(bounds_depth_and_size)
{
	struct buf b;
	buf_init(&b, 1024 * 1024);
	buf_add_cstr(&b, QUERY "select ");
	for (int i = 0; i < 5000; i++)
		buf_add_cstr(&b, "(1 + ");
	buf_add_cstr(&b, "1");
	for (int i = 0; i < 5000; i++)
		buf_add_cstr(&b, ")");
	ck_assert_int_eq(check(FEATURE_CHECK_QUERY, buf_cstr(&b)), ERR_INVALID);
	buf_reset(&b);
	for (int i = 0; i < 300; i++)
		buf_add_cstr(&b, "create table feature_x1x.t (a int);\n");
	ck_assert_int_eq(check(FEATURE_CHECK_UP, buf_cstr(&b)), ERR_INVALID);
	buf_free(&b);
}
END_TEST

/* ---- packages ---- */

START_TEST(template_is_good)
{
	struct feature_archive archive;
	struct feature_package package;
	struct err_info info = { .code = ERR_OK };
	ck_assert_msg(feature_template_make(&arena, "advice_open", &archive, &info) == ERR_OK, "%s",
		      info.msg);
	const enum err err = feature_package_check(&arena, &archive, &columns, &package, &findings);
	ck_assert_msg(err == ERR_OK, "%s: %s", findings.n > 0 ? findings.items[0].file : "",
		      told());
	ck_assert_str_eq(package.manifest.flag_key, "feature-advice-open");
	ck_assert_uint_eq(package.manifest.n_guardrails, 1);
}
END_TEST

START_TEST(package_findings_all_at_once)
{
	struct feature_archive archive;
	struct feature_archive broken = { .n = 0 };
	struct feature_package package;
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(feature_template_make(&arena, "advice_open", &archive, &info), ERR_OK);
	for (size_t i = 0; i < archive.n; i++) {
		struct feature_file f = archive.files[i];
		if (str_is(f.path, "metrics/won.sql"))
			continue; /* named, not there */
		if (str_is(f.path, "down.sql"))
			f.content = STR("drop table crm.person");
		ck_assert_int_eq(feature_archive_add(&broken, f.path, f.content, &info), ERR_OK);
	}
	ck_assert_int_eq(
		feature_archive_add(&broken, STR("queries/unused.sql"), STR("select 1"), &info),
		ERR_OK);
	ck_assert_int_eq(feature_package_check(&arena, &broken, &columns, &package, &findings),
			 ERR_INVALID);
	ck_assert_uint_eq(findings.n, 3);
	struct buf b;
	buf_init(&b, 64 * 1024);
	feature_findings_text(&findings, &b);
	const char *text = buf_cstr(&b);
	ck_assert_ptr_nonnull(
		strstr(text, "feature.yaml: metrics/won.sql is named but not in the package\n"));
	ck_assert_ptr_nonnull(strstr(text, "down.sql:1:1: only objects of feature_advice_open"));
	ck_assert_ptr_nonnull(
		strstr(text, "queries/unused.sql: the file is not named in feature.yaml\n"));
	buf_reset(&b);
	feature_findings_json(&findings, &b);
	ck_assert_ptr_nonnull(
		strstr(buf_cstr(&b), "{\"file\":\"down.sql\",\"line\":1,\"column\":1,\"reason\":"));
	buf_free(&b);
}
END_TEST

static Suite *
check_suite(void)
{
	Suite *s = suite_create("feature/check");
	TCase *t = tcase_create("sql");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, accepts, 0, ARRAY_LEN(good));
	tcase_add_loop_test(t, refuses, 0, ARRAY_LEN(bad));
	tcase_add_test(t, tells_the_place);
	tcase_add_test(t, tells_the_place_in_up);
	tcase_add_test(t, refuses_bytes_that_are_no_text);
	tcase_add_test(t, bounds_depth_and_size);
	tcase_add_test(t, template_is_good);
	tcase_add_test(t, package_findings_all_at_once);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(check_suite)
