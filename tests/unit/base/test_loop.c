/*
 * test_loop.c — order of the phases, repetition, signals, timers, stopping.
 */
#include "base/loop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "../../support/unit.h"

struct trace {
	struct loop *loop;
	char text[64];
	unsigned again; /* how often the hook still says "more" */
	unsigned calls;
};

static struct trace trace;

static void
trace_add(char c)
{
	const size_t n = strlen(trace.text);
	ck_assert_uint_lt(n, sizeof(trace.text) - 1);
	trace.text[n] = c;
}

static bool
hook_letter(void *arg)
{
	trace_add(*(const char *)arg);
	return false;
}

static bool
hook_again(void *arg)
{
	struct trace *t = arg;
	t->calls++;
	if (t->again == 0)
		return false;
	t->again--;
	return true;
}

static bool
hook_remove_self(void *arg)
{
	trace_add('r');
	loop_remove_hook(trace.loop, hook_remove_self, arg);
	return false;
}

static void
on_tick(void *arg)
{
	struct trace *t = arg;
	t->calls++;
	if (t->calls == 3)
		loop_stop(t->loop);
}

static void
on_pipe(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	char c = 0;
	ck_assert_int_eq(read(fd, &c, 1), 1);
	trace_add(c);
}

static void
on_sig(int sig, void *arg)
{
	(void)arg;
	trace_add(sig == SIGUSR1 ? 'u' : 't');
	if (sig == SIGTERM)
		loop_stop(trace.loop);
}

static void
setup(void)
{
	memset(&trace, 0, sizeof(trace));
	trace.loop = loop_create();
}

static void
teardown(void)
{
	loop_destroy(trace.loop);
}

START_TEST(phases_follow_io_in_order)
{
	static char h[] = "h";
	static char d[] = "d";
	static char t[] = "t";
	static char f[] = "f";
	int fds[2];
	ck_assert_int_eq(pipe(fds), 0);
	loop_add_hook(trace.loop, LOOP_FREE, hook_letter, f);
	loop_add_hook(trace.loop, LOOP_HTTP, hook_letter, h);
	loop_add_hook(trace.loop, LOOP_TASKS, hook_letter, t);
	loop_add_hook(trace.loop, LOOP_DB, hook_letter, d);
	struct event *ev = event_new(loop_base(trace.loop), fds[0], EV_READ, on_pipe, NULL);
	event_add(ev, NULL);
	ck_assert_int_eq(write(fds[1], "i", 1), 1);
	loop_turn(trace.loop, true);
	ck_assert_str_eq(trace.text, "itdhf");
	loop_remove_hook(trace.loop, hook_letter, d);
	loop_turn(trace.loop, false);
	ck_assert_str_eq(trace.text, "itdhfthf");
	event_free(ev);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_hook_may_ask_for_more)
{
	trace.again = 3;
	loop_add_hook(trace.loop, LOOP_DB, hook_again, &trace);
	loop_turn(trace.loop, false);
	ck_assert_uint_eq(trace.calls, 4);
}
END_TEST

START_TEST(more_is_bounded_and_remembered)
{
	trace.again = 1000;
	loop_add_hook(trace.loop, LOOP_DB, hook_again, &trace);
	loop_turn(trace.loop, false);
	ck_assert_uint_gt(trace.calls, 1);
	ck_assert_uint_lt(trace.calls, 1000);
	/* Work is left, so the next turns must not sleep: there is no event that could end the
	 * sleep. */
	for (int i = 0; i < 100 && trace.again > 0; i++)
		loop_turn(trace.loop, true);
	ck_assert_uint_eq(trace.again, 0);
}
END_TEST

START_TEST(again_before_the_first_turn_prevents_sleep)
{
	static char t[] = "t";
	loop_add_hook(trace.loop, LOOP_TASKS, hook_letter, t);
	loop_again(trace.loop);
	loop_turn(trace.loop, true);
	ck_assert_str_eq(trace.text, "t");
}
END_TEST

START_TEST(a_hook_may_remove_itself)
{
	static char x[] = "x";
	loop_add_hook(trace.loop, LOOP_TASKS, hook_remove_self, NULL);
	loop_add_hook(trace.loop, LOOP_TASKS, hook_letter, x);
	loop_turn(trace.loop, false);
	loop_turn(trace.loop, false);
	ck_assert_str_eq(trace.text, "rxx");
}
END_TEST

START_TEST(timer_repeats_and_stops)
{
	const usec_t begin = clock_now_us();
	struct loop_timer *t = loop_every(trace.loop, 20 * USEC_PER_MS, on_tick, &trace);
	loop_run(trace.loop);
	ck_assert_uint_eq(trace.calls, 3);
	ck_assert_int_ge(clock_now_us() - begin, 50 * USEC_PER_MS);
	ck_assert_int_le(clock_now_us() - begin, 2 * USEC_PER_SEC);
	loop_timer_destroy(t);
	loop_timer_destroy(NULL);
}
END_TEST

START_TEST(time_is_fresh_after_a_sleep_and_outside_of_turns)
{
	const usec_t before = loop_now(trace.loop);
	usleep(5000);
	ck_assert_int_ge(loop_now(trace.loop), before + 5000);
}
END_TEST

START_TEST(signals_come_through_the_loop)
{
	loop_on_signal(trace.loop, SIGUSR1, on_sig, NULL);
	loop_on_signal(trace.loop, SIGTERM, on_sig, NULL);
	raise(SIGUSR1);
	loop_turn(trace.loop, true);
	ck_assert_str_eq(trace.text, "u");
	raise(SIGTERM);
	loop_run(trace.loop);
	ck_assert_str_eq(trace.text, "ut");
}
END_TEST

START_TEST(stop_before_run_returns_at_once)
{
	loop_stop(trace.loop);
	loop_run(trace.loop);
	ck_assert_str_eq(trace.text, "");
}
END_TEST

static Suite *
loop_suite(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = tcase_create("loop");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 10);
	tcase_add_test(tc, phases_follow_io_in_order);
	tcase_add_test(tc, a_hook_may_ask_for_more);
	tcase_add_test(tc, more_is_bounded_and_remembered);
	tcase_add_test(tc, again_before_the_first_turn_prevents_sleep);
	tcase_add_test(tc, a_hook_may_remove_itself);
	tcase_add_test(tc, timer_repeats_and_stops);
	tcase_add_test(tc, time_is_fresh_after_a_sleep_and_outside_of_turns);
	tcase_add_test(tc, signals_come_through_the_loop);
	tcase_add_test(tc, stop_before_run_returns_at_once);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(loop_suite)
