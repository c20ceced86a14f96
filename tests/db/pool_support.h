/*
 * pool_support.h — for tests of the pool against a real server: a loop, an engine and a pool; jobs
 * that submit statements in one step and keep what they got in the next; a plain blocking
 * connection that looks on and interferes.
 *
 * BIMODAL_TEST_CONNINFO names the server (a superuser of it); a test fails without it.
 * BIMODAL_TEST_PGDATA, the data folder of the same server, is needed by the test that restarts it.
 */
#ifndef BIMODAL_TESTS_POOL_SUPPORT_H
#define BIMODAL_TESTS_POOL_SUPPORT_H

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/metric.h"
#include "postgres/postgres.h"
#include "tests/support/unit.h"

#define JOB_OPS 8

struct op {
	const struct postgres_stmt *stmt;
	const char *params[3]; /* NULL is SQL's null */
};

/* One task: its statements, and what came of them. */
struct job {
	struct op ops[JOB_OPS];
	unsigned n;
	const char *script; /* instead of statements */
	bool soft;
	bool ended;
	struct err_info err;
	enum err wait_err[JOB_OPS];
	int rows[JOB_OPS];
	char value[JOB_OPS][256]; /* row 0, column 0 */
	unsigned order;           /* as it ended: 1, 2, … */
};

static struct loop *test_loop;
static struct task_engine *test_engine;
static struct postgres_pool *test_pool;
static PGconn *control;
static unsigned jobs_ended;

static const char *
test_conninfo(void)
{
	const char *conninfo = getenv("BIMODAL_TEST_CONNINFO");
	ck_assert_msg(conninfo != NULL, "BIMODAL_TEST_CONNINFO is not set");
	return conninfo;
}

static UNUSED void
control_do(const char *sql)
{
	PGresult *r = PQexec(control, sql);
	ck_assert_msg(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK,
		      "%s: %s", sql, PQerrorMessage(control));
	PQclear(r);
}

static UNUSED int
control_int(const char *sql)
{
	PGresult *r = PQexec(control, sql);
	ck_assert_msg(PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1, "%s: %s", sql,
		      PQerrorMessage(control));
	int v = (int)strtol(PQgetvalue(r, 0, 0), NULL, 10);
	PQclear(r);
	return v;
}

static enum step
job_submit(struct task *t)
{
	struct job *j = t->t_owner;
	if (j->script != NULL)
		return postgres_script(test_pool, t, j->script);
	if (j->soft)
		task_wait_soft(t);
	for (unsigned i = 0; i < j->n; i++) {
		struct postgres_param params[3];
		for (unsigned k = 0; k < 3; k++)
			params[k] = P_TEXT(j->ops[i].params[k]);
		enum err err = postgres_add(test_pool, t, j->ops[i].stmt, params,
					    j->ops[i].stmt->n_params);
		if (err != ERR_OK)
			return task_fail_set(t, err, NULL, "not submitted");
	}
	return STEP_WAIT;
}

static enum step
job_read(struct task *t)
{
	struct job *j = t->t_owner;
	for (unsigned i = 0; i < (j->script == NULL ? j->n : 1u); i++) {
		j->wait_err[i] = task_wait_err(t, i, NULL);
		j->rows[i] = postgres_rows(t, i);
		(void)str_copy(j->value[i], sizeof(j->value[i]), postgres_value(t, i, 0, 0));
	}
	return STEP_DONE;
}

static const struct step_row job_steps[] = { { "submit", job_submit },
					     { "read", job_read },
					     { NULL, NULL } };

static void
job_end(struct task *t, void *arg)
{
	struct job *j = arg;
	j->err = t->t_err;
	j->ended = true;
	jobs_ended++;
	j->order = jobs_ended;
}

static void
job_start_for(struct job *j, usec_t us)
{
	struct task *t = NULL;
	j->ended = false;
	ck_assert_int_eq(task_start(test_engine, "job", job_steps, clock_now_us() + us,
				    ARENA_CAP_BYTES, job_end, j, &t),
			 ERR_OK);
	t->t_owner = j;
}

static void
job_start(struct job *j)
{
	job_start_for(j, 20 * USEC_PER_SEC);
}

static struct job
job_of(const struct postgres_stmt *stmt, const char *a, const char *b)
{
	return (struct job) { .ops = { { stmt, { a, b, NULL } } }, .n = 1 };
}

static UNUSED void
turns_for(usec_t us)
{
	usec_t end = clock_now_us() + us;
	while (clock_now_us() < end)
		loop_turn(test_loop, true);
}

static void
job_finish(struct job *j)
{
	usec_t end = clock_now_us() + 25 * USEC_PER_SEC;
	while (!j->ended && clock_now_us() < end)
		loop_turn(test_loop, true);
	ck_assert_msg(j->ended, "the task did not end");
}

static UNUSED void
job_run(struct job *j)
{
	job_start(j);
	job_finish(j);
}

static UNUSED void
assert_ok(const struct job *j, const char *value)
{
	ck_assert_msg(j->err.code == ERR_OK, "failed: %d %s %s", (int)j->err.code, j->err.sqlstate,
		      j->err.msg);
	if (value != NULL)
		ck_assert_str_eq(j->value[0], value);
}

static UNUSED void
wait_ready(bool ready)
{
	usec_t end = clock_now_us() + 20 * USEC_PER_SEC;
	while (postgres_pool_ready(test_pool) != ready && clock_now_us() < end)
		loop_turn(test_loop, true);
	ck_assert(postgres_pool_ready(test_pool) == ready);
}

/* One connection a lane, so that tests know who shares it. */
static struct postgres_conf
test_conf(const struct postgres_stmt *const *stmts)
{
	return (struct postgres_conf) {
		.label = "test/app",
		.conninfo = test_conninfo(),
		.lanes = {
			[POSTGRES_READ] = { 1, 16, 64, 2 * USEC_PER_SEC, 0 },
			[POSTGRES_WRITE] = { 1, 1, 64, 2 * USEC_PER_SEC, 200 * USEC_PER_MS },
			[POSTGRES_SLOW] = { 1, 1, 64, 5 * USEC_PER_SEC, 0 },
		},
		.stmts = stmts,
		.max_dynamic = 4,
		.worker = 1,
	};
}

static void
pool_open(const struct postgres_conf *conf)
{
	struct err_info info = { .code = ERR_OK };
	enum err err = postgres_pool_create(test_loop, test_engine, conf, &test_pool, &info);
	ck_assert_msg(err == ERR_OK, "%s", info.msg);
	wait_ready(true);
}

static void
support_begin(void)
{
	log_init("test", 0, getenv("BIMODAL_TEST_DEBUG") == NULL ? LOG_ERROR : LOG_DEBUG);
	test_loop = loop_create();
	test_engine = task_engine_create(test_loop, 256);
	control = PQconnectdb(test_conninfo());
	ck_assert_msg(PQstatus(control) == CONNECTION_OK, "%s", PQerrorMessage(control));
	control_do("set client_min_messages = error");
	control_do("drop table if exists pool_t cascade; create table pool_t (id int primary key, "
		   "name text,"
		   " unique (name) deferrable initially deferred)");
}

static void
support_end(void)
{
	postgres_pool_destroy(test_pool);
	test_pool = NULL;
	task_engine_destroy(test_engine);
	loop_destroy(test_loop);
	PQfinish(control);
	arena_trim();
}

#endif
