/*
 * test_process.c — a real parent with real children: start, serve, restart, give up, drain, kill,
 * lock, foreground.
 *
 * The daemon of the test runs in a forked process; its workers answer each connection with "WORKER
 * PID\n".
 */
#include "base/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/listen.h"
#include "base/log.h"

#include "../../support/unit.h"

static char dir[] = "/tmp/test-process-XXXXXX";
static char port_file[64];
static char pid_file[64];
static char mark_file[64]; /* children append a letter for what happened to them */
static struct process_conf conf;
static pid_t daemon_pid;
static enum { NORMAL, BAD_CONFIG, CRASH, CRASHING_JOBS, STUBBORN } mode;
static struct event *accept_event;

static void
mark(char c)
{
	FILE *f = fopen(mark_file, "ae");
	if (f == NULL)
		_exit(99);
	(void)fputc(c, f);
	(void)fclose(f);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	const struct process_role *role = arg;
	const int client = accept(fd, NULL, NULL);
	if (client < 0)
		return;
	(void)dprintf(client, "%u %d %d\n", role->worker, (int)getpid(), role->is_jobs);
	(void)close(client);
}

static enum err
child_start(const struct process_role *role, void *arg, struct err_info *info)
{
	ck_assert_ptr_eq(arg, &conf);
	if (mode == BAD_CONFIG)
		return err_set(info, ERR_CONFIG, NULL, "this will never work");
	if ((mode == CRASH && role->is_worker && role->worker == 1) ||
	    (mode == CRASHING_JOBS && role->is_jobs)) {
		mark('c');
		_exit(3);
	}
	mark(role->is_jobs && !role->is_worker ? 'j' : 's');
	if (!role->is_worker)
		return ERR_OK;
	accept_event = event_new(loop_base(role->loop), role->listen_fd, EV_READ | EV_PERSIST,
				 on_accept, (void *)(uintptr_t)role);
	return event_add(accept_event, NULL) == 0 ? ERR_OK : ERR_SYSTEM;
}

static void
child_stop(const struct process_role *role, void *arg)
{
	(void)arg;
	mark('t');
	if (mode != STUBBORN)
		loop_stop(role->loop);
}

static void
child_finish(const struct process_role *role, void *arg)
{
	(void)role;
	(void)arg;
	mark('f');
	if (accept_event != NULL)
		event_free(accept_event);
}

static void
child_reload(const struct process_role *role, void *arg)
{
	(void)role;
	(void)arg;
	mark('h');
}

static void
child_dump(const struct process_role *role, void *arg)
{
	(void)role;
	(void)arg;
	mark('u');
}

static void
setup(void)
{
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_lt(snprintf(port_file, sizeof(port_file), "%s/port", dir), 64);
	ck_assert_int_lt(snprintf(pid_file, sizeof(pid_file), "%s/pid", dir), 64);
	ck_assert_int_lt(snprintf(mark_file, sizeof(mark_file), "%s/mark", dir), 64);
	mode = NORMAL;
	daemon_pid = 0;
	accept_event = NULL;
	conf = (struct process_conf) {
		.name = "test",
		.address = "127.0.0.1",
		.port_file = port_file,
		.pid_file = pid_file,
		.workers = 2,
		.backlog = 16,
		.grace_us = 5 * USEC_PER_SEC,
		.restart_max = 3,
		.restart_window = 60 * USEC_PER_SEC,
		.start = child_start,
		.stop = child_stop,
		.finish = child_finish,
		.reload = child_reload,
		.dump = child_dump,
		.arg = &conf,
	};
}

static void
teardown(void)
{
	if (daemon_pid > 0) {
		(void)kill(daemon_pid, SIGKILL);
		(void)waitpid(daemon_pid, NULL, 0);
	}
	(void)unlink(port_file);
	(void)unlink(pid_file);
	(void)unlink(mark_file);
	(void)rmdir(dir);
}

static void
daemon_start(void)
{
	(void)fflush(NULL);
	daemon_pid = fork();
	ck_assert_int_ge(daemon_pid, 0);
	if (daemon_pid == 0) {
		log_init("test", -1, LOG_ERROR);
		exit(process_run(&conf));
	}
}

/* The exit code, or 1000 + signal; fails the test after 10 s. */
static int
daemon_wait(void)
{
	int status = 0;
	for (int i = 0; i < 1000; i++) {
		if (waitpid(daemon_pid, &status, WNOHANG) == daemon_pid) {
			daemon_pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
		}
		usleep(10000);
	}
	ck_abort_msg("the daemon did not end");
}

static size_t
marks(char c)
{
	char *text = NULL;
	size_t len = 0;
	size_t n = 0;
	if (file_read(mark_file, 10000, false, &text, &len, NULL) != ERR_OK)
		return 0;
	for (size_t i = 0; i < len; i++)
		n += text[i] == c;
	free(text);
	return n;
}

static void
marks_await(char c, size_t n)
{
	for (int i = 0; i < 1000 && marks(c) < n; i++)
		usleep(10000);
	ck_assert_uint_eq(marks(c), n);
}

static unsigned
port_read(void)
{
	char *text = NULL;
	size_t len = 0;
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(file_read(port_file, 100, true, &text, &len, &info), ERR_OK);
	const unsigned port = (unsigned)strtoul(text, NULL, 10);
	free(text);
	ck_assert_uint_gt(port, 1023);
	return port;
}

/* Connects once; returns the answering worker and its pid. */
static unsigned
ask(unsigned port, pid_t *pid)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	ck_assert_int_eq(inet_pton(AF_INET, "127.0.0.1", &at.sin_addr), 1);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = { .tv_sec = 5 };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	char text[64] = "";
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	(void)close(fd);
	unsigned worker = 99;
	int answered = 0;
	ck_assert_int_eq(sscanf(text, "%u %d", &worker, &answered), 2);
	*pid = answered;
	return worker;
}

START_TEST(workers_share_one_port_and_drain)
{
	daemon_start();
	marks_await('s', 2);
	marks_await('j', 1);
	const unsigned port = port_read();
	unsigned seen = 0;
	pid_t pid = 0;
	for (int i = 0; i < 200 && seen != 3; i++)
		seen |= 1u << ask(port, &pid);
	ck_assert_uint_eq(seen, 3);
	ck_assert_int_ne(pid, daemon_pid);
	(void)kill(daemon_pid, SIGHUP);
	marks_await('h', 4); /* the parent, too */
	(void)kill(daemon_pid, SIGUSR1);
	marks_await('u', 3);
	(void)kill(daemon_pid, SIGTERM);
	ck_assert_int_eq(daemon_wait(), 0);
	ck_assert_uint_eq(marks('t'), 3);
	ck_assert_uint_eq(marks('f'), 3);
	ck_assert_int_ne(access(port_file, F_OK), 0);
	struct stat st;
	ck_assert_int_eq(stat(pid_file, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
}
END_TEST

START_TEST(a_killed_worker_is_restarted_and_its_socket_lives)
{
	conf.workers = 1;
	daemon_start();
	marks_await('s', 1);
	const unsigned port = port_read();
	pid_t first = 0;
	pid_t second = 0;
	ck_assert_uint_eq(ask(port, &first), 0);
	ck_assert_int_eq(kill(first, SIGKILL), 0);
	/* At once: whoever connects while no worker lives is queued on the parent's socket, not
	 * refused. */
	ck_assert_uint_eq(ask(port, &second), 0);
	ck_assert_int_ne(first, second);
	ck_assert_uint_eq(marks('s'), 2);
	(void)kill(daemon_pid, SIGTERM);
	ck_assert_int_eq(daemon_wait(), 0);
}
END_TEST

START_TEST(restarts_are_limited)
{
	mode = CRASH;
	daemon_start();
	ck_assert_int_eq(daemon_wait(), 1);
	ck_assert_uint_eq(marks('c'), 1 + conf.restart_max);
	ck_assert_uint_eq(marks('s') + marks('j'), marks('f')); /* the others were drained */
}
END_TEST

START_TEST(crashing_jobs_do_not_stop_the_workers)
{
	mode = CRASHING_JOBS;
	conf.restart_max = 2;
	daemon_start();
	marks_await('c', 4); /* more often than workers may */
	pid_t pid = 0;
	(void)ask(port_read(), &pid);
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_uint_eq(marks('s'), 2);
	(void)kill(daemon_pid, SIGTERM);
	ck_assert_int_eq(daemon_wait(), 0);
}
END_TEST

START_TEST(restarts_outside_the_window_do_not_count)
{
	conf.workers = 1;
	conf.restart_max = 1;
	conf.restart_window = 50 * USEC_PER_MS;
	daemon_start();
	marks_await('s', 1);
	const unsigned port = port_read();
	for (int i = 0; i < 3; i++) {
		pid_t pid = 0;
		(void)ask(port, &pid);
		(void)kill(pid, SIGKILL);
		usleep(100000);
	}
	marks_await('s', 4);
	(void)kill(daemon_pid, SIGTERM);
	ck_assert_int_eq(daemon_wait(), 0);
}
END_TEST

START_TEST(a_bad_configuration_is_not_retried)
{
	mode = BAD_CONFIG;
	daemon_start();
	ck_assert_int_eq(daemon_wait(), 2);
}
END_TEST

START_TEST(who_does_not_drain_is_killed_after_the_grace)
{
	mode = STUBBORN;
	conf.grace_us = 200 * USEC_PER_MS;
	daemon_start();
	marks_await('s', 2);
	marks_await('j', 1);
	const usec_t begin = clock_now_us();
	(void)kill(daemon_pid, SIGTERM);
	ck_assert_int_eq(daemon_wait(), 0);
	ck_assert_int_ge(clock_now_us() - begin, 200 * USEC_PER_MS);
	ck_assert_uint_eq(marks('t'), 3);
	ck_assert_uint_eq(marks('f'), 0);
}
END_TEST

START_TEST(children_die_with_their_parent)
{
	daemon_start();
	marks_await('s', 2);
	pid_t pid = 0;
	(void)ask(port_read(), &pid);
	(void)kill(daemon_pid, SIGKILL);
	ck_assert_int_eq(daemon_wait(), 1000 + SIGKILL);
	/* The orphan is reaped by init or stays a zombie of it: it must not answer any more. */
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)pid);
	for (int i = 0; i < 500 && access(path, F_OK) == 0; i++)
		usleep(10000);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_second_start_fails)
{
	daemon_start();
	marks_await('s', 2);
	const pid_t first = daemon_pid;
	/* The same pid file. */
	daemon_start();
	ck_assert_int_eq(daemon_wait(), 2);
	/* Another pid file, the same port. */
	conf.pid_file = NULL;
	conf.port = port_read();
	conf.port_file = NULL;
	daemon_start();
	ck_assert_int_eq(daemon_wait(), 2);
	ck_assert_uint_eq(marks('s'), 2);
	daemon_pid = first;
	ck_assert_int_eq(access(port_file, F_OK), 0);
	(void)kill(daemon_pid, SIGTERM);
	ck_assert_int_eq(daemon_wait(), 0);
}
END_TEST

START_TEST(a_restart_takes_the_same_port_and_lock)
{
	daemon_start();
	marks_await('s', 2);
	conf.port = port_read();
	(void)kill(daemon_pid, SIGTERM);
	ck_assert_int_eq(daemon_wait(), 0);
	daemon_start();
	marks_await('s', 4);
	ck_assert_uint_eq(port_read(), conf.port);
	(void)kill(daemon_pid, SIGINT);
	ck_assert_int_eq(daemon_wait(), 0);
}
END_TEST

START_TEST(foreground_is_one_process)
{
	conf.workers = 0;
	daemon_start();
	marks_await('s', 1);
	pid_t pid = 0;
	(void)ask(port_read(), &pid);
	ck_assert_int_eq(pid, daemon_pid);
	(void)kill(daemon_pid, SIGHUP);
	marks_await('h', 1);
	(void)kill(daemon_pid, SIGINT);
	ck_assert_int_eq(daemon_wait(), 0);
	ck_assert_uint_eq(marks('f'), 1);
	ck_assert_uint_eq(marks('j'), 0);
}
END_TEST

START_TEST(foreground_ends_after_the_grace)
{
	mode = STUBBORN;
	conf.workers = 0;
	conf.grace_us = 100 * USEC_PER_MS;
	daemon_start();
	marks_await('s', 1);
	(void)kill(daemon_pid, SIGTERM);
	ck_assert_int_eq(daemon_wait(), 0);
	ck_assert_uint_eq(marks('f'), 1);
}
END_TEST

START_TEST(bad_addresses_and_paths_fail_plainly)
{
	if (_i == 0)
		conf.address = "localhost";
	else if (_i == 1)
		conf.address = "192.0.2.1"; /* not ours */
	else if (_i == 2)
		conf.pid_file = "/nowhere/pid";
	else
		conf.port_file = "/nowhere/port";
	daemon_start();
	ck_assert_int_eq(daemon_wait(), 2);
	ck_assert_uint_eq(marks('s'), 0);
}
END_TEST

START_TEST(ipv6_works_where_there_is_one)
{
	int fd = -1;
	unsigned port = 0;
	struct err_info info = { .code = ERR_OK };
	const enum err err = listen_open("::1", &port, 1, &fd, 1, &info);
	if (err == ERR_OK) {
		ck_assert_uint_gt(port, 1023);
		(void)close(fd);
	} else {
		ck_assert_int_eq(err, ERR_SYSTEM);
	}
}
END_TEST

START_TEST(files_are_read_whole_within_the_limit)
{
	char *text = NULL;
	size_t len = 0;
	struct err_info info = { .code = ERR_OK };
	ck_assert_int_eq(file_write(port_file, "hello\n", &info), ERR_OK);
	ck_assert_int_eq(file_read(port_file, 6, false, &text, &len, &info), ERR_OK);
	ck_assert_str_eq(text, "hello\n");
	ck_assert_uint_eq(len, 6);
	free(text);
	ck_assert_int_eq(file_read(port_file, 6, true, &text, &len, &info), ERR_OK);
	ck_assert_str_eq(text, "hello");
	free(text);
	ck_assert_int_eq(file_read(port_file, 5, true, &text, &len, &info), ERR_TOO_LARGE);
	ck_assert_ptr_null(text);
	err_clear(&info);
	ck_assert_int_eq(file_read(dir, 5, true, &text, &len, &info), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(info.msg, "folder"));
}
END_TEST

static Suite *
process_suite(void)
{
	Suite *s = suite_create("process");
	TCase *tc = tcase_create("process");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, workers_share_one_port_and_drain);
	tcase_add_test(tc, a_killed_worker_is_restarted_and_its_socket_lives);
	tcase_add_test(tc, restarts_are_limited);
	tcase_add_test(tc, crashing_jobs_do_not_stop_the_workers);
	tcase_add_test(tc, restarts_outside_the_window_do_not_count);
	tcase_add_test(tc, a_bad_configuration_is_not_retried);
	tcase_add_test(tc, who_does_not_drain_is_killed_after_the_grace);
	tcase_add_test(tc, children_die_with_their_parent);
	tcase_add_test(tc, a_second_start_fails);
	tcase_add_test(tc, a_restart_takes_the_same_port_and_lock);
	tcase_add_test(tc, foreground_is_one_process);
	tcase_add_test(tc, foreground_ends_after_the_grace);
	tcase_add_loop_test(tc, bad_addresses_and_paths_fail_plainly, 0, 4);
	tcase_add_test(tc, ipv6_works_where_there_is_one);
	tcase_add_test(tc, files_are_read_whole_within_the_limit);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(process_suite)
