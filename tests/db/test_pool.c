/*
 * test_pool.c — the pool against a real PostgreSQL: order, isolation of errors, lost backends,
 * plans out of date, limits.
 */
#include "tests/db/pool_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INT4 23
#define TEXT 25
static const Oid t_int[] = { INT4 };
static const Oid t_int_text[] = { INT4, TEXT };
static const Oid t_text[] = { TEXT };

#define STMT(ident, lane_, text_, n, types_, start)                                                \
	static const struct postgres_stmt ident = { #ident, text_, lane_, n, types_, start, false }
STMT(add_one, POSTGRES_READ, "select $1 + 1", 1, t_int, true);
STMT(echo, POSTGRES_READ, "select $1", 1, t_text, true);
STMT(divide, POSTGRES_READ, "select 100 / $1", 1, t_int, true);
STMT(nap, POSTGRES_READ, "select $1::text from pg_sleep($1 / 1000.0)", 1, t_int, true);
STMT(read_all, POSTGRES_READ, "select * from pool_t order by id", 0, NULL, true);
STMT(copy_out, POSTGRES_READ, "copy (select 1) to stdout", 0, NULL, false);
STMT(broken, POSTGRES_READ, "select no_such_column from pool_t", 0, NULL, true);
STMT(held, POSTGRES_READ, "select count(*) from pg_prepared_statements", 0, NULL, false);
STMT(insert, POSTGRES_WRITE, "insert into pool_t values ($1, $2) returning *", 2, t_int_text, true);
STMT(rename_row, POSTGRES_WRITE, "update pool_t set name = $2 where id = $1", 2, t_int_text, true);
STMT(slow_insert, POSTGRES_WRITE,
     "with n as (select pg_sleep(0.4)) insert into pool_t select $1, 'slow' from n", 1, t_int,
     true);
STMT(begin_open, POSTGRES_WRITE, "begin", 0, NULL, false);
STMT(read_only_from_now, POSTGRES_WRITE, "set session characteristics as transaction read only", 0,
     NULL, false);
STMT(own_timeout, POSTGRES_SLOW,
     "select current_setting('statement_timeout') || ' ' || current_setting('application_name')", 0,
     NULL, true);

/* Short reads of one turn, which go with one Sync. */
#define SHARED(ident, text_)                                                                       \
	static const struct postgres_stmt ident = { #ident, text_, POSTGRES_READ,      1,          \
						    t_int,  true,  .shares_sync = true }
SHARED(shared_begin, "select transaction_timestamp()::text from (select $1) x");
SHARED(shared_divide, "select 100 / $1");
SHARED(shared_nap, "select $1::text from pg_sleep($1 / 1000.0)");
SHARED(shared_backend, "select pg_backend_pid()::text from (select $1) x");

static const struct postgres_stmt *const stmts[] = { &add_one,
						     &echo,
						     &divide,
						     &nap,
						     &read_all,
						     &copy_out,
						     &broken,
						     &held,
						     &insert,
						     &rename_row,
						     &slow_insert,
						     &begin_open,
						     &read_only_from_now,
						     &own_timeout,
						     &shared_begin,
						     &shared_divide,
						     &shared_nap,
						     &shared_backend,
						     NULL };

static void
setup(void)
{
	support_begin();
	struct postgres_conf conf = test_conf(stmts);
	pool_open(&conf);
}

/* Ends the backends of one lane from outside. */
static void
terminate(const char *lane)
{
	char sql[200];
	(void)snprintf(sql, sizeof(sql),
		       "select count(pg_terminate_backend(pid)) from pg_stat_activity where "
		       "application_name = "
		       "'bimodal-test/app/w1/%s'",
		       lane);
	ck_assert_int_ge(control_int(sql), 1);
}

START_TEST(basic)
{
	struct job j = job_of(&add_one, "41", NULL);
	job_run(&j);
	assert_ok(&j, "42");
	j = job_of(&echo, "it's \"quoted\" \\ text", NULL);
	job_run(&j);
	assert_ok(&j, "it's \"quoted\" \\ text");
	j = job_of(&echo, NULL, NULL);
	job_run(&j);
	assert_ok(&j, "");
	ck_assert_int_eq(j.rows[0], 1);
	j = job_of(&own_timeout, NULL, NULL);
	job_run(&j);
	assert_ok(&j, "5s bimodal-test/app/w1/slow");
}
END_TEST

START_TEST(pipelined_in_order)
{
	struct job jobs[40];
	char numbers[40][16];
	for (int i = 0; i < 40; i++) {
		(void)snprintf(numbers[i], sizeof(numbers[i]), "%d", i);
		jobs[i] = job_of(&add_one, numbers[i], NULL);
		job_start(&jobs[i]);
	}
	for (int i = 0; i < 40; i++) {
		char want[16];
		(void)snprintf(want, sizeof(want), "%d", i + 1);
		job_finish(&jobs[i]);
		assert_ok(&jobs[i], want);
		ck_assert_uint_eq(jobs[i].order, (unsigned)i + 1);
	}
}
END_TEST

START_TEST(parallel_waits)
{
	struct job j = {
		.ops = { { &add_one, { "1" } }, { &echo, { "two" } }, { &own_timeout, { NULL } } },
		.n = 3
	};
	job_run(&j);
	assert_ok(&j, "2");
	ck_assert_str_eq(j.value[1], "two");
	ck_assert_str_eq(j.value[2], "5s bimodal-test/app/w1/slow");
}
END_TEST

START_TEST(soft_waits_show_each_error)
{
	struct job j = { .ops = { { &add_one, { "1" } }, { &divide, { "0" } }, { &echo, { "c" } } },
			 .n = 3,
			 .soft = true };
	job_run(&j);
	assert_ok(&j, "2");
	ck_assert_int_eq(j.wait_err[1], ERR_INTERNAL);
	ck_assert_str_eq(j.value[2], "c");
}
END_TEST

START_TEST(errors_stay_with_their_request)
{
	struct job reads[3] = { job_of(&divide, "4", NULL), job_of(&divide, "0", NULL),
				job_of(&divide, "5", NULL) };
	for (int i = 0; i < 3; i++)
		job_start(&reads[i]);
	for (int i = 0; i < 3; i++)
		job_finish(&reads[i]);
	assert_ok(&reads[0], "25");
	ck_assert_str_eq(reads[1].err.sqlstate, "22012");
	assert_ok(&reads[2], "20");
}
END_TEST

/* One transaction a Sync: the server's own word for which of them shared one. */
START_TEST(short_reads_of_a_turn_share_a_sync)
{
	struct job reads[10];
	for (int i = 0; i < 10; i++) {
		reads[i] = job_of(&shared_begin, "1", NULL);
		job_start(&reads[i]);
	}
	for (int i = 0; i < 10; i++) {
		job_finish(&reads[i]);
		assert_ok(&reads[i], NULL);
		ck_assert_uint_eq(reads[i].order, (unsigned)i + 1);
	}
	for (int i = 1; i < 8; i++)
		ck_assert_str_eq(reads[i].value[0], reads[0].value[0]);
	ck_assert_str_ne(reads[8].value[0], reads[0].value[0]);
	ck_assert_str_eq(reads[9].value[0], reads[8].value[0]);

	/* One that shares nothing closes the group. */
	struct job mixed[3] = { job_of(&shared_begin, "1", NULL), job_of(&add_one, "1", NULL),
				job_of(&shared_begin, "1", NULL) };
	for (int i = 0; i < 3; i++)
		job_start(&mixed[i]);
	for (int i = 0; i < 3; i++) {
		job_finish(&mixed[i]);
		assert_ok(&mixed[i], NULL);
	}
	ck_assert_str_ne(mixed[0].value[0], mixed[2].value[0]);
}
END_TEST

/* Of two idle connections one does them all for one wake-up, up to half its depth; a silent one is left to what it does. */
START_TEST(reads_of_a_turn_go_to_the_connection_that_answers)
{
	struct postgres_conf conf = test_conf(stmts);
	struct job reads[8];
	postgres_pool_destroy(test_pool);
	conf.lanes[POSTGRES_READ].connections = 2;
	pool_open(&conf);
	for (int i = 0; i < 8; i++) {
		reads[i] = job_of(&shared_backend, "1", NULL);
		job_start(&reads[i]);
	}
	for (int i = 0; i < 8; i++) {
		job_finish(&reads[i]);
		assert_ok(&reads[i], reads[0].value[0]);
	}

	/* One that sleeps has answered nothing for more than a millisecond: the next read does not queue behind it. */
	struct job sleeps = job_of(&nap, "1500", NULL);
	struct job next = job_of(&shared_backend, "1", NULL);
	job_start(&sleeps);
	turns_for(20 * USEC_PER_MS);
	job_run(&next);
	assert_ok(&next, NULL);
	ck_assert(!sleeps.ended);
	job_finish(&sleeps);
	assert_ok(&sleeps, NULL);
}
END_TEST

START_TEST(an_error_in_a_shared_sync_stays_with_its_request)
{
	static const char *const in[] = { "4", "0", "5", "0", "10" };
	static const char *const want[] = { "25", NULL, "20", NULL, "10" };
	struct job reads[5];
	for (int i = 0; i < 5; i++) {
		reads[i] = job_of(&shared_divide, in[i], NULL);
		job_start(&reads[i]);
	}
	for (int i = 0; i < 5; i++) {
		job_finish(&reads[i]);
		if (want[i] != NULL)
			assert_ok(&reads[i], want[i]);
		else
			ck_assert_str_eq(reads[i].err.sqlstate, "22012");
	}
}
END_TEST

START_TEST(a_shared_sync_survives_a_lost_backend)
{
	struct job r[3] = { job_of(&shared_divide, "50", NULL), job_of(&shared_nap, "300", NULL),
			    job_of(&shared_divide, "20", NULL) };
	static const char *const want[] = { "2", "300", "5" };
	for (int i = 0; i < 3; i++)
		job_start(&r[i]);
	turns_for(100 * USEC_PER_MS);
	terminate("read");
	for (int i = 0; i < 3; i++) {
		job_finish(&r[i]);
		assert_ok(&r[i], want[i]);
	}
	/* Statements that must be made anew close the group; those behind them share again. */
	postgres_pool_forget(test_pool);
	for (int i = 0; i < 3; i++) {
		r[i] = job_of(&shared_divide, "50", NULL);
		job_start(&r[i]);
	}
	for (int i = 0; i < 3; i++) {
		job_finish(&r[i]);
		assert_ok(&r[i], "2");
	}
}
END_TEST

/* Writes that share one connection eight deep: what went before an error and after it is committed.
 */
START_TEST(writes_are_transactions_of_their_own)
{
	postgres_pool_destroy(test_pool);
	struct postgres_conf conf = test_conf(stmts);
	conf.lanes[POSTGRES_WRITE].depth = 8;
	pool_open(&conf);
	struct job w[4] = { job_of(&insert, "1", "a"), job_of(&insert, "1", "b"),
			    job_of(&insert, "2", "c"), job_of(&insert, "3", "a") };
	for (int i = 0; i < 4; i++)
		job_start(&w[i]);
	for (int i = 0; i < 4; i++)
		job_finish(&w[i]);
	assert_ok(&w[0], "1");
	ck_assert_int_eq(w[1].err.code, ERR_CONFLICT);
	ck_assert_str_eq(w[1].err.field, "pool_t_pkey");
	assert_ok(&w[2], "2");
	/* The unique name is checked at the Sync, after the execution has answered well. */
	ck_assert_int_eq(w[3].err.code, ERR_CONFLICT);
	ck_assert_str_eq(w[3].err.field, "/name");
	ck_assert_int_eq(control_int("select sum(id) from pool_t"), 3);
}
END_TEST

START_TEST(reads_survive_a_lost_backend)
{
	struct job r[4] = { job_of(&nap, "300", NULL), job_of(&add_one, "1", NULL),
			    job_of(&add_one, "2", NULL), job_of(&nap, "1", NULL) };
	for (int i = 0; i < 4; i++)
		job_start(&r[i]);
	turns_for(100 * USEC_PER_MS);
	terminate("read");
	static const char *const want[] = { "300", "2", "3", "1" };
	for (int i = 0; i < 4; i++) {
		job_finish(&r[i]);
		assert_ok(&r[i], want[i]);
	}
}
END_TEST

START_TEST(a_read_is_sent_again_only_once)
{
	struct job r = job_of(&nap, "500", NULL);
	job_start(&r);
	turns_for(150 * USEC_PER_MS);
	terminate("read");
	turns_for(20 * USEC_PER_MS);
	wait_ready(true);
	turns_for(50 * USEC_PER_MS);
	terminate("read");
	job_finish(&r);
	ck_assert_int_eq(r.err.code, ERR_DOWN);
}
END_TEST

START_TEST(a_sent_write_has_an_unknown_end)
{
	struct job sent = job_of(&slow_insert, "1", NULL);
	struct job queued = job_of(&insert, "2", "q");
	job_start(&sent);
	job_start(&queued);
	turns_for(100 * USEC_PER_MS);
	terminate("write");
	job_finish(&sent);
	job_finish(&queued);
	ck_assert_int_eq(sent.err.code, ERR_UNKNOWN_END);
	assert_ok(&queued, "2");
	ck_assert_int_eq(control_int("select count(*) from pool_t"), 1);
}
END_TEST

START_TEST(an_idle_connection_comes_back)
{
	terminate("read");
	turns_for(300 * USEC_PER_MS);
	struct job j = job_of(&add_one, "1", NULL);
	job_run(&j);
	assert_ok(&j, "2");
}
END_TEST

/* pg_ctl runs as the owner of the data folder, in a child; the loop goes on turning meanwhile. */
static pid_t
restart_begin(void)
{
	struct stat st;
	char bindir[256] = "";
	char pg_ctl[300];
	const char *data = getenv("BIMODAL_TEST_PGDATA");
	ck_assert_msg(data != NULL, "BIMODAL_TEST_PGDATA is not set");
	ck_assert_int_eq(stat(data, &st), 0);
	FILE *f = popen("pg_config --bindir", "r");
	ck_assert_ptr_nonnull(fgets(bindir, sizeof(bindir), f));
	(void)pclose(f);
	bindir[strcspn(bindir, "\n")] = '\0';
	(void)snprintf(pg_ctl, sizeof(pg_ctl), "%s/pg_ctl", bindir);
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		bool ok = dup2(null, 1) == 1 && dup2(null, 2) == 2;
		if (getuid() == 0)
			ok = ok && setgid(st.st_gid) == 0 && setuid(st.st_uid) == 0;
		if (ok && chdir("/") == 0)
			execl(pg_ctl, "pg_ctl", "-D", data, "-m", "immediate", "-w", "restart",
			      (char *)NULL);
		_exit(127);
	}
	return pid;
}

START_TEST(the_server_restarts)
{
	struct job w = job_of(&slow_insert, "1", NULL);
	job_start(&w);
	turns_for(50 * USEC_PER_MS);
	pid_t pid = restart_begin();
	int status = 0;
	unsigned down = 0;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		struct job j = job_of(&add_one, "1", NULL);
		job_start_for(&j, 2 * USEC_PER_SEC);
		job_finish(&j);
		if (j.err.code == ERR_DOWN)
			down++;
		else
			assert_ok(&j, "2");
		turns_for(2 * USEC_PER_MS);
	}
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "pg_ctl restart failed");
	ck_assert_uint_gt(down, 0);
	job_finish(&w);
	ck_assert_int_eq(w.err.code, ERR_UNKNOWN_END);
	wait_ready(true);
	struct job after = job_of(&add_one, "5", NULL);
	job_run(&after);
	assert_ok(&after, "6");
	PQreset(control);
}
END_TEST

START_TEST(plans_are_made_anew_after_ddl)
{
	struct job j = job_of(&read_all, NULL, NULL);
	job_run(&j);
	assert_ok(&j, "");
	control_do("alter table pool_t add column more int default 7");
	struct job r[3] = { job_of(&read_all, NULL, NULL), job_of(&read_all, NULL, NULL),
			    job_of(&read_all, NULL, NULL) };
	for (int i = 0; i < 3; i++)
		job_start(&r[i]);
	for (int i = 0; i < 3; i++) {
		job_finish(&r[i]);
		assert_ok(&r[i], NULL);
	}
	struct job w = job_of(&insert, "1", "after");
	job_run(&w);
	assert_ok(&w, "1");
	/* Somebody else dropped them all on the server: 26000. */
	j = (struct job) { .script = "deallocate all" };
	job_run(&j);
	assert_ok(&j, NULL);
	j = job_of(&own_timeout, NULL, NULL);
	job_run(&j);
	assert_ok(&j, "5s bimodal-test/app/w1/slow");
}
END_TEST

START_TEST(a_row_lock_ends_in_in_progress)
{
	control_do("insert into pool_t values (1, 'x')");
	control_do("begin; select * from pool_t where id = 1 for update");
	struct job j = job_of(&rename_row, "1", "y");
	job_run(&j);
	ck_assert_int_eq(j.err.code, ERR_IN_PROGRESS);
	ck_assert_str_eq(j.err.sqlstate, "55P03");
	control_do("rollback");
	job_run(&j);
	assert_ok(&j, NULL);
}
END_TEST

START_TEST(a_statement_that_takes_too_long)
{
	struct job j = job_of(&nap, "4000", NULL);
	struct job behind = job_of(&add_one, "1", NULL);
	job_start(&j);
	job_start(&behind);
	job_finish(&j);
	ck_assert_int_eq(j.err.code, ERR_TIMEOUT);
	ck_assert_str_eq(j.err.sqlstate, "57014");
	job_finish(&behind);
	assert_ok(&behind, "2");
}
END_TEST

START_TEST(a_full_queue_is_busy)
{
	postgres_pool_destroy(test_pool);
	struct postgres_conf conf = test_conf(stmts);
	conf.lanes[POSTGRES_READ].depth = 1;
	conf.lanes[POSTGRES_READ].queue_max = 2;
	pool_open(&conf);
	struct job j[5];
	for (int i = 0; i < 5; i++) {
		j[i] = job_of(&nap, "30", NULL);
		job_start(&j[i]);
	}
	unsigned busy = 0;
	for (int i = 0; i < 5; i++) {
		job_finish(&j[i]);
		if (j[i].err.code == ERR_BUSY)
			busy++;
		else
			assert_ok(&j[i], "30");
	}
	ck_assert_uint_eq(busy, 2); /* one is sent, two wait */
}
END_TEST

START_TEST(a_deadline_passes_and_the_late_answer_is_dropped)
{
	struct job j = job_of(&nap, "500", NULL);
	job_start_for(&j, 100 * USEC_PER_MS);
	job_finish(&j);
	ck_assert_int_eq(j.err.code, ERR_TIMEOUT);
	struct job next = job_of(&add_one, "1", NULL);
	job_run(&next); /* behind it in the same pipeline: gets its own answer */
	assert_ok(&next, "2");
}
END_TEST

START_TEST(queued_work_of_a_dead_task_is_not_sent)
{
	struct job first = job_of(&slow_insert, "1", NULL);
	struct job late = job_of(&insert, "2", "late");
	job_start(&first);
	turns_for(20 * USEC_PER_MS);
	job_start_for(&late, 60 * USEC_PER_MS);
	job_finish(&late);
	ck_assert_int_eq(late.err.code, ERR_TIMEOUT);
	job_finish(&first);
	assert_ok(&first, NULL);
	turns_for(150 * USEC_PER_MS);
	ck_assert_int_eq(control_int("select count(*) from pool_t"), 1);
}
END_TEST

START_TEST(run_time_statements_are_named_late_and_evicted)
{
	struct postgres_stmt dynamic[10];
	char names[10][32];
	char texts[10][40];
	struct job count = job_of(&held, NULL, NULL);
	job_run(&count);
	job_run(&count); /* named from its second use on */
	job_run(&count);
	int before = (int)strtol(count.value[0], NULL, 10);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10; i++) {
			(void)snprintf(names[i], sizeof(names[i]), "dyn \"%d\"", i);
			(void)snprintf(texts[i], sizeof(texts[i]), "select $1 + %d", i * 100);
			dynamic[i] = (struct postgres_stmt) { names[i], texts[i], POSTGRES_READ, 1,
							      t_int,    false,    false };
			struct job j = job_of(&dynamic[i], "1", NULL);
			char want[16];
			(void)snprintf(want, sizeof(want), "%d", i * 100 + 1);
			job_run(&j);
			assert_ok(&j, want);
		}
		job_run(&count);
		ck_assert_int_eq((int)strtol(count.value[0], NULL, 10),
				 round == 0 ? before : before + 4);
	}
	/* The struct may go after forget: the same place and name, another text. */
	postgres_pool_forget(test_pool);
	(void)snprintf(texts[9], sizeof(texts[9]), "select $1 + 5000");
	for (int round = 0; round < 3; round++) {
		struct job j = job_of(&dynamic[9], "1", NULL);
		job_run(&j);
		assert_ok(&j, "5001");
	}
}
END_TEST

START_TEST(a_broken_statement_fails_by_itself)
{
	for (int round = 0; round < 3; round++) {
		struct job j = job_of(&broken, NULL, NULL);
		struct job other = job_of(&add_one, "1", NULL);
		job_start(&j);
		job_start(&other);
		job_finish(&j);
		job_finish(&other);
		ck_assert_int_eq(j.err.code, ERR_INTERNAL);
		ck_assert_str_eq(j.err.sqlstate, "42703");
		ck_assert_ptr_null(strstr(j.err.msg, "no_such_column"));
		assert_ok(&other, "2");
	}
	control_do("alter table pool_t add column no_such_column int");
	struct job j = job_of(&broken, NULL, NULL);
	job_run(&j);
	assert_ok(&j, NULL);
}
END_TEST

START_TEST(copy_costs_the_connection_only)
{
	struct job r[3] = { job_of(&add_one, "1", NULL), job_of(&copy_out, NULL, NULL),
			    job_of(&add_one, "2", NULL) };
	for (int i = 0; i < 3; i++)
		job_start(&r[i]);
	for (int i = 0; i < 3; i++)
		job_finish(&r[i]);
	assert_ok(&r[0], "2");
	ck_assert_int_eq(r[1].err.code, ERR_INTERNAL);
	assert_ok(&r[2], "3");
}
END_TEST

START_TEST(an_open_transaction_is_not_inherited)
{
	struct job j = job_of(&begin_open, NULL, NULL);
	job_run(&j);
	struct job w = job_of(&insert, "1", "kept");
	job_run(&w);
	assert_ok(&w, "1");
	ck_assert_int_eq(control_int("select count(*) from pool_t"), 1);
}
END_TEST

/* As after a failover: the server no longer takes writes, so the connection is opened anew and may
 * find the new primary. */
START_TEST(a_read_only_server_is_left)
{
	struct job j = job_of(&read_only_from_now, NULL, NULL);
	job_run(&j);
	assert_ok(&j, NULL);
	struct job w = job_of(&insert, "1", "a");
	job_run(&w);
	ck_assert_str_eq(w.err.sqlstate, "25006");
	ck_assert_int_eq(w.err.code, ERR_DOWN);
	wait_ready(true);
	job_run(&w);
	assert_ok(&w, "1");
}
END_TEST

/* A stopped process neither answers nor closes: only our own watch ends it. */
START_TEST(a_wedged_backend_is_left)
{
	postgres_pool_destroy(test_pool);
	struct postgres_conf conf = test_conf(stmts);
	conf.lanes[POSTGRES_READ].statement_timeout = 100 * USEC_PER_MS;
	pool_open(&conf);
	int pid = control_int("select pid from pg_stat_activity where application_name = "
			      "'bimodal-test/app/w1/read'");
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	struct job j = job_of(&add_one, "1", NULL);
	usec_t begin = clock_now_us();
	job_run(&j);
	usec_t took = clock_now_us() - begin;
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	assert_ok(&j, "2"); /* sent again over the new connection */
	ck_assert_int_ge(took, 2 * USEC_PER_SEC);
	ck_assert_int_le(took, 4 * USEC_PER_SEC);
}
END_TEST

/* More than a socket holds in both directions at once: 16 requests and answers of 1 MiB in one
 * turn. */
START_TEST(full_sockets_do_not_stall)
{
	static char large[1024 * 1024 + 1];
	memset(large, 'x', sizeof(large) - 1);
	struct job jobs[16];
	for (int i = 0; i < 16; i++) {
		jobs[i] = job_of(&echo, large, NULL);
		job_start(&jobs[i]);
	}
	for (int i = 0; i < 16; i++) {
		job_finish(&jobs[i]);
		assert_ok(&jobs[i], NULL);
		ck_assert_uint_eq(strlen(jobs[i].value[0]), sizeof(jobs[i].value[0]) - 1);
	}
}
END_TEST

START_TEST(bad_parameters)
{
	static const char zero[] = { 'a', '\0', 'b' };
	const struct postgres_param p = P_STR(((struct str) { zero, sizeof(zero) }));
	struct task *t = NULL;
	struct job j = job_of(&echo, "x", NULL);
	ck_assert_int_eq(task_start(test_engine, "params", job_steps, clock_now_us() + USEC_PER_SEC,
				    ARENA_CAP_BYTES, job_end, &j, &t),
			 ERR_OK);
	t->t_owner = &j;
	ck_assert_int_eq(postgres_add(test_pool, t, &echo, &p, 1), ERR_INVALID);
	ck_assert_int_eq(postgres_add(test_pool, t, &echo, &p, 0), ERR_INTERNAL);
	job_finish(&j);
	assert_ok(&j, "x");
	struct job bad = job_of(&echo, "\xff\xfe", NULL);
	job_run(&bad);
	ck_assert_int_eq(bad.err.code, ERR_INVALID);
	ck_assert_str_eq(bad.err.sqlstate, "22021");
}
END_TEST

START_TEST(scripts)
{
	struct job j = {
		.script = "create table if not exists pool_s (a int); set statement_timeout = 1234;"
			  "insert into pool_s values (1); select count(*) from pool_s; drop table "
			  "pool_s; select 'last'"
	};
	job_run(&j);
	assert_ok(&j, "last");
	struct job after = job_of(&own_timeout, NULL, NULL);
	job_run(&after);
	assert_ok(&after, "5s bimodal-test/app/w1/slow"); /* what it SET is put back */
	j = (struct job) { .script = "insert into pool_t values (1, 'x'); select 1/0; insert into "
				     "pool_t values (2, 'y')" };
	job_run(&j);
	ck_assert_str_eq(j.err.sqlstate, "22012");
	ck_assert_str_eq(j.err.msg, "division by zero");
	ck_assert_int_eq(control_int("select count(*) from pool_t"), 0);
	j = (struct job) { .script = "begin; insert into pool_t values (1, 'x')" };
	job_run(&j);
	ck_assert_int_eq(j.err.code, ERR_INVALID);
	ck_assert_int_eq(control_int("select count(*) from pool_t"), 0);
	j = (struct job) { .script = "copy pool_t to stdout" };
	job_run(&j);
	ck_assert_int_eq(j.err.code, ERR_INTERNAL);
	wait_ready(true);
	j = (struct job) { .script = "select pg_sleep(0.3)" };
	job_start(&j);
	turns_for(100 * USEC_PER_MS);
	terminate("slow");
	job_finish(&j);
	ck_assert_int_eq(j.err.code, ERR_UNKNOWN_END);
	job_run(&after);
	assert_ok(&after, "5s bimodal-test/app/w1/slow");
}
END_TEST

START_TEST(stopping_fails_what_waits)
{
	struct job sent = job_of(&slow_insert, "1", NULL);
	struct job queued = job_of(&insert, "2", "q");
	struct job read = job_of(&nap, "300", NULL);
	job_start(&sent);
	job_start(&queued);
	job_start(&read);
	turns_for(50 * USEC_PER_MS);
	postgres_pool_destroy(test_pool);
	test_pool = NULL;
	job_finish(&sent);
	job_finish(&queued);
	job_finish(&read);
	ck_assert_int_eq(sent.err.code, ERR_UNKNOWN_END);
	ck_assert_int_eq(queued.err.code, ERR_STOPPING);
	ck_assert_int_eq(read.err.code, ERR_STOPPING);
}
END_TEST

START_TEST(nobody_there)
{
	postgres_pool_destroy(test_pool);
	struct postgres_conf conf = test_conf(stmts);
	struct err_info info = { .code = ERR_OK };
	conf.conninfo = "host=/nonexistent dbname=x";
	ck_assert_int_eq(postgres_pool_create(test_loop, test_engine, &conf, &test_pool, &info),
			 ERR_OK);
	struct job j = job_of(&add_one, "1", NULL);
	job_run(&j);
	ck_assert_int_eq(j.err.code, ERR_DOWN);
	postgres_pool_destroy(test_pool);
	test_pool = NULL;
	conf.conninfo = "password=secret nonsense";
	ck_assert_int_eq(postgres_pool_create(test_loop, test_engine, &conf, &test_pool, &info),
			 ERR_CONFIG);
	ck_assert_ptr_null(strstr(info.msg, "secret"));
}
END_TEST

START_TEST(dump_and_metrics)
{
	struct job j = job_of(&add_one, "1", NULL);
	struct buf b;
	job_run(&j);
	buf_init(&b, 1024 * 1024);
	postgres_pool_dump(test_pool, &b);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "\"pool\":\"test/app\",\"ready\":true"));
	ck_assert_ptr_nonnull(
		strstr(buf_cstr(&b), "\"lane\":\"read\",\"up\":1,\"down\":false,\"queued\":0"));
	buf_reset(&b);
	metric_render(&b);
	ck_assert_ptr_nonnull(
		strstr(buf_cstr(&b), "postgres_in_flight{pool=\"test/app\",lane=\"read\"} 0"));
	ck_assert_ptr_nonnull(strstr(
		buf_cstr(&b), "postgres_query_seconds_count{pool=\"test/app\",lane=\"read\"} 1"));
	/* Each statement that was prepared at the start had one too. */
	ck_assert_ptr_nonnull(
		strstr(buf_cstr(&b), "postgres_syncs_total{pool=\"test/app\",lane=\"read\"} "));
	ck_assert_ptr_null(
		strstr(buf_cstr(&b), "postgres_syncs_total{pool=\"test/app\",lane=\"read\"} 0\n"));
	buf_free(&b);
}
END_TEST

/* ---- LISTEN ---- */

static unsigned ups;
static char last_payload[64];

static void
on_up(void *arg)
{
	(void)arg;
	ups++;
}

static void
on_notify(const char *channel, const char *payload, void *arg)
{
	(void)arg;
	ck_assert_str_eq(channel, "Pool test");
	(void)str_copy(last_payload, sizeof(last_payload), str_of(payload));
}

static void
notify_and_wait(const char *payload)
{
	char sql[100];
	(void)snprintf(sql, sizeof(sql), "select pg_notify('Pool test', '%s')", payload);
	control_do(sql);
	for (int i = 0; i < 50 && strcmp(last_payload, payload) != 0; i++)
		turns_for(20 * USEC_PER_MS);
	ck_assert_str_eq(last_payload, payload);
}

START_TEST(listen_again_after_a_loss)
{
	struct postgres_listen *pl = NULL;
	struct err_info info = { .code = ERR_OK };
	ups = 0;
	ck_assert_int_eq(postgres_listen_create(test_loop, test_conninfo(), "test/app", "Pool test",
						on_notify, on_up, NULL, &pl, &info),
			 ERR_OK);
	for (int i = 0; i < 50 && ups == 0; i++)
		turns_for(20 * USEC_PER_MS);
	ck_assert_uint_eq(ups, 1);
	notify_and_wait("one");
	control_do("select pg_terminate_backend(pid) from pg_stat_activity where application_name "
		   "= 'bimodal-test/app/listen'");
	for (int i = 0; i < 100 && ups == 1; i++)
		turns_for(20 * USEC_PER_MS);
	ck_assert_uint_eq(ups, 2);
	notify_and_wait("two");
	postgres_listen_destroy(pl);
}
END_TEST

static Suite *
pool_suite(void)
{
	Suite *s = suite_create("postgres_pool");
	TCase *tc = tcase_create("server");
	tcase_add_checked_fixture(tc, setup, support_end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, basic);
	tcase_add_test(tc, pipelined_in_order);
	tcase_add_test(tc, parallel_waits);
	tcase_add_test(tc, soft_waits_show_each_error);
	tcase_add_test(tc, errors_stay_with_their_request);
	tcase_add_test(tc, short_reads_of_a_turn_share_a_sync);
	tcase_add_test(tc, reads_of_a_turn_go_to_the_connection_that_answers);
	tcase_add_test(tc, an_error_in_a_shared_sync_stays_with_its_request);
	tcase_add_test(tc, a_shared_sync_survives_a_lost_backend);
	tcase_add_test(tc, writes_are_transactions_of_their_own);
	tcase_add_test(tc, reads_survive_a_lost_backend);
	tcase_add_test(tc, a_read_is_sent_again_only_once);
	tcase_add_test(tc, a_sent_write_has_an_unknown_end);
	tcase_add_test(tc, an_idle_connection_comes_back);
	tcase_add_test(tc, the_server_restarts);
	tcase_add_test(tc, plans_are_made_anew_after_ddl);
	tcase_add_test(tc, a_row_lock_ends_in_in_progress);
	tcase_add_test(tc, a_statement_that_takes_too_long);
	tcase_add_test(tc, a_full_queue_is_busy);
	tcase_add_test(tc, a_deadline_passes_and_the_late_answer_is_dropped);
	tcase_add_test(tc, queued_work_of_a_dead_task_is_not_sent);
	tcase_add_test(tc, run_time_statements_are_named_late_and_evicted);
	tcase_add_test(tc, a_broken_statement_fails_by_itself);
	tcase_add_test(tc, copy_costs_the_connection_only);
	tcase_add_test(tc, an_open_transaction_is_not_inherited);
	tcase_add_test(tc, a_read_only_server_is_left);
	tcase_add_test(tc, a_wedged_backend_is_left);
	tcase_add_test(tc, full_sockets_do_not_stall);
	tcase_add_test(tc, bad_parameters);
	tcase_add_test(tc, scripts);
	tcase_add_test(tc, stopping_fails_what_waits);
	tcase_add_test(tc, nobody_there);
	tcase_add_test(tc, dump_and_metrics);
	tcase_add_test(tc, listen_again_after_a_loss);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(pool_suite)
