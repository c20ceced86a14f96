/*
 * test_task.c — steps, waits, results, errors, deadlines, cancelling, handles, recycling.
 */
#include "base/task.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"

#include "../../support/unit.h"

static struct loop *loop;
static struct task_engine *engine;

static struct {
	char text[128]; /* the letters of what ran       */
	unsigned ended, released;
	struct err_info err; /* of the last task that ended   */
	enum task_cancel cancel;
	struct task_handle handle;
	unsigned slots[TASK_WAITS_MAX];
	usec_t waited;
	unsigned loops;
	int seen;
} seen;

static void
note(char c)
{
	const size_t n = strlen(seen.text);
	ck_assert_uint_lt(n, sizeof(seen.text) - 1);
	seen.text[n] = c;
}

static void
on_end(struct task *t, void *arg)
{
	ck_assert_ptr_eq(arg, &seen);
	ck_assert_ptr_null(task_find(engine, t->t_handle));
	task_cancel(t, TASK_HANGUP); /* of an ended task: nothing */
	seen.ended++;
	seen.err = t->t_err;
	seen.cancel = t->t_cancel;
	seen.waited = t->t_waited_us;
	note('.');
}

static void
release(void *result)
{
	(void)result;
	seen.released++;
}

static void
setup(void)
{
	memset(&seen, 0, sizeof(seen));
	loop = loop_create();
	engine = task_engine_create(loop, 3);
}

static void
teardown(void)
{
	task_engine_destroy(engine);
	loop_destroy(loop);
	arena_trim();
}

static struct task *
start(const struct step_row *steps, usec_t us)
{
	struct task *t = NULL;
	const usec_t deadline = us == 0 ? 0 : clock_now_us() + us;
	ck_assert_int_eq(
		task_start(engine, "test", steps, deadline, ARENA_CAP_BYTES, on_end, &seen, &t),
		ERR_OK);
	return t;
}

static void
turns(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		loop_turn(loop, false);
}

static void
turn_until_end(void)
{
	const usec_t limit = clock_now_us() + 3 * USEC_PER_SEC;
	while (seen.ended == 0 && clock_now_us() < limit)
		loop_turn(loop, true);
	ck_assert_uint_eq(seen.ended, 1);
}

static enum step
step_a(struct task *t)
{
	int *n = task_state(t, sizeof(*n));
	ck_assert_ptr_nonnull(n);
	ck_assert_int_eq(*n, 0);
	*n = 41;
	note('a');
	return STEP_NEXT;
}

static enum step
step_b(struct task *t)
{
	int *n = task_state(t, sizeof(*n));
	ck_assert_int_eq(*n, 41);
	note('b');
	return STEP_NEXT;
}

static enum step
step_wait_two(struct task *t)
{
	note('w');
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(task_wait_begin(t, &seen.slots[i]), ERR_OK);
	seen.handle = t->t_handle;
	return STEP_WAIT;
}

static enum step
step_wait_two_soft(struct task *t)
{
	task_wait_soft(t);
	return step_wait_two(t);
}

static enum step
step_read_two(struct task *t)
{
	note('r');
	const char *one = task_result(t, 0);
	const char *two = task_result(t, 1);
	ck_assert_str_eq(one, "one");
	ck_assert_str_eq(two, "two");
	ck_assert_uint_eq(seen.released, 0);
	return STEP_NEXT;
}

static enum step
step_released(struct task *t)
{
	ck_assert_uint_eq(t->t_n_results, 0);
	ck_assert_uint_eq(seen.released, 2);
	note('x');
	return STEP_NEXT;
}

static enum step
step_read_soft(struct task *t)
{
	note('r');
	const struct err_info *info = NULL;
	ck_assert_int_eq(task_wait_err(t, 0, &info), ERR_OK);
	ck_assert_ptr_null(info);
	ck_assert_int_eq(task_wait_err(t, 1, &info), ERR_DOWN);
	ck_assert_str_eq(info->msg, "gone");
	ck_assert_ptr_null(task_result(t, 1));
	ck_assert_int_eq(t->t_err.code, ERR_OK);
	return STEP_DONE;
}

static enum step
step_never(struct task *t)
{
	(void)t;
	note('!');
	return STEP_DONE;
}

static enum step
step_fail(struct task *t)
{
	note('f');
	return task_fail_set(t, ERR_INVALID, "/x", "must be %d", 7);
}

static enum step
step_fail_twice(struct task *t)
{
	(void)err_set(&t->t_err, ERR_STALE, NULL, "first");
	(void)task_fail_set(t, ERR_INVALID, NULL, "second");
	return task_fail(t);
}

static enum step
step_count(struct task *t)
{
	seen.loops++;
	return seen.loops < 1000 ? task_jump(t, step_count) : STEP_NEXT;
}

static enum step
step_sleep(struct task *t)
{
	note('s');
	return task_sleep(t, 60 * USEC_PER_MS);
}

static enum step
step_wake_self(struct task *t)
{
	unsigned slot = 0;
	ck_assert_int_eq(task_wait_begin(t, &slot), ERR_OK);
	static char two[] = "now";
	task_wake(engine, t->t_handle, slot, ERR_OK, NULL, two, release);
	return STEP_WAIT;
}

static enum step
step_read_now(struct task *t)
{
	ck_assert_str_eq(task_result(t, 0), "now");
	note('n');
	return STEP_DONE;
}

static enum step
step_all_slots(struct task *t)
{
	unsigned slot = 0;
	for (unsigned i = 0; i < TASK_WAITS_MAX; i++)
		ck_assert_int_eq(task_wait_begin(t, &slot), ERR_OK);
	ck_assert_int_eq(task_wait_begin(t, &slot), ERR_BUSY);
	for (unsigned i = TASK_WAITS_MAX; i > 0; i--)
		task_wait_undo(t, i - 1);
	note('u');
	return STEP_NEXT;
}

static const struct step_row route_steps[] = { { "a", step_a },
					       { "end", step_never },
					       { NULL, NULL } };

static enum step
step_guard(struct task *t)
{
	char *mine = task_state(t, 100);
	mine[0] = 'x';
	note('g');
	return task_continue(t, route_steps);
}

START_TEST(steps_run_in_order_and_share_state)
{
	static const struct step_row steps[] = { { "a", step_a }, { "b", step_b }, { NULL, NULL } };
	start(steps, 0);
	ck_assert_str_eq(seen.text, ""); /* not before the loop turns */
	ck_assert_uint_eq(task_count(engine), 1);
	loop_turn(loop, true); /* must not sleep: a task is ready */
	ck_assert_str_eq(seen.text, "ab.");
	ck_assert_int_eq(seen.err.code, ERR_OK);
	ck_assert_uint_eq(task_count(engine), 0);
}
END_TEST

START_TEST(a_guard_hands_over_to_another_table)
{
	static const struct step_row steps[] = { { "guard", step_guard }, { NULL, NULL } };
	start(steps, 0);
	turns(1);
	ck_assert_str_eq(seen.text, "ga!.");
}
END_TEST

START_TEST(waits_are_all_awaited_then_readable_then_released)
{
	static const struct step_row steps[] = { { "wait", step_wait_two },
						 { "read", step_read_two },
						 { "released", step_released },
						 { NULL, NULL } };
	static char one[] = "one";
	static char two[] = "two";
	start(steps, 0);
	turns(1);
	task_wake(engine, seen.handle, seen.slots[1], ERR_OK, NULL, two, release);
	turns(1);
	ck_assert_str_eq(seen.text, "w");
	usleep(10000);
	task_wake(engine, seen.handle, seen.slots[0], ERR_OK, NULL, one, release);
	ck_assert_str_eq(seen.text, "w"); /* a wake runs nothing */
	loop_turn(loop, true);
	ck_assert_str_eq(seen.text, "wrx.");
	ck_assert_uint_eq(seen.released, 2);
	ck_assert_int_ge(seen.waited, 10000);
}
END_TEST

START_TEST(a_failed_wait_fails_the_task)
{
	static const struct step_row steps[] = { { "wait", step_wait_two },
						 { "never", step_never },
						 { NULL, NULL } };
	static char one[] = "one";
	const struct err_info info = { .code = ERR_CONFLICT, .field = "/email", .msg = "taken" };
	start(steps, 0);
	turns(1);
	task_wake(engine, seen.handle, seen.slots[0], ERR_OK, NULL, one, release);
	task_wake(engine, seen.handle, seen.slots[1], ERR_CONFLICT, &info, NULL, NULL);
	turns(1);
	ck_assert_str_eq(seen.text, "w.");
	ck_assert_int_eq(seen.err.code, ERR_CONFLICT);
	ck_assert_str_eq(seen.err.field, "/email");
	ck_assert_uint_eq(seen.released, 1);
}
END_TEST

START_TEST(a_soft_wait_leaves_the_error_to_the_step)
{
	static const struct step_row steps[] = { { "wait", step_wait_two_soft },
						 { "read", step_read_soft },
						 { NULL, NULL } };
	const struct err_info info = { .code = ERR_DOWN, .msg = "gone" };
	start(steps, 0);
	turns(1);
	task_wake(engine, seen.handle, seen.slots[1], ERR_DOWN, &info, NULL, NULL);
	task_wake(engine, seen.handle, seen.slots[0], ERR_OK, NULL, NULL, NULL);
	turns(1);
	ck_assert_str_eq(seen.text, "wr.");
	ck_assert_int_eq(seen.err.code, ERR_OK);
}
END_TEST

START_TEST(failing_keeps_the_first_detail)
{
	static const struct step_row one[] = { { "f", step_fail },
					       { "n", step_never },
					       { NULL, NULL } };
	static const struct step_row two[] = { { "f", step_fail_twice }, { NULL, NULL } };
	start(one, 0);
	turns(1);
	ck_assert_str_eq(seen.text, "f.");
	ck_assert_int_eq(seen.err.code, ERR_INVALID);
	ck_assert_str_eq(seen.err.field, "/x");
	ck_assert_str_eq(seen.err.msg, "must be 7");
	start(two, 0);
	turns(1);
	ck_assert_int_eq(seen.err.code, ERR_STALE);
	ck_assert_str_eq(seen.err.msg, "first");
}
END_TEST

START_TEST(deadline_ends_a_parked_task_and_late_results_are_released)
{
	static const struct step_row steps[] = { { "wait", step_wait_two },
						 { "never", step_never },
						 { NULL, NULL } };
	static char late[] = "late";
	start(steps, 50 * USEC_PER_MS);
	turns(1);
	task_wake(engine, seen.handle, seen.slots[0], ERR_OK, NULL, late, release);
	turn_until_end();
	ck_assert_int_eq(seen.err.code, ERR_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(seen.err.msg, "\"wait\""));
	ck_assert_int_eq(seen.cancel, TASK_DEADLINE);
	ck_assert_uint_eq(seen.released, 1);
	task_wake(engine, seen.handle, seen.slots[1], ERR_OK, NULL, late, release);
	ck_assert_uint_eq(seen.released, 2);
	turns(2);
	ck_assert_str_eq(seen.text, "w.");
}
END_TEST

static const struct {
	enum task_cancel why;
	enum err err;
} cancels[] = { { TASK_DEADLINE, ERR_TIMEOUT },
		{ TASK_HANGUP, ERR_CANCELLED },
		{ TASK_SHUTDOWN, ERR_STOPPING } };

START_TEST(cancel_ends_in_the_next_turn_with_its_error)
{
	static const struct step_row steps[] = { { "wait", step_wait_two },
						 { "never", step_never },
						 { NULL, NULL } };
	struct task *t = start(steps, 0);
	turns(1);
	task_cancel(t, cancels[_i].why);
	ck_assert_uint_eq(seen.ended, 0);
	loop_turn(loop, true);
	ck_assert_uint_eq(seen.ended, 1);
	ck_assert_int_eq(seen.err.code, cancels[_i].err);
}
END_TEST

START_TEST(a_stale_handle_finds_nothing)
{
	static const struct step_row steps[] = { { "wait", step_wait_two },
						 { "never", step_never },
						 { NULL, NULL } };
	static char late[] = "late";
	struct task *t = start(steps, 0);
	turns(1);
	const struct task_handle old = seen.handle;
	ck_assert_ptr_eq(task_find(engine, old), t);
	task_cancel(t, TASK_HANGUP);
	turns(1);
	struct task *again = start(steps, 0); /* the same object, another generation */
	ck_assert_ptr_eq(again, t);
	turns(1);
	ck_assert_ptr_null(task_find(engine, old));
	ck_assert_ptr_null(task_find(engine, (struct task_handle) { 0, 0 }));
	ck_assert_ptr_null(task_find(engine, (struct task_handle) { 99, 1 }));
	task_wake(engine, old, 0, ERR_OK, NULL, late, release);
	ck_assert_uint_eq(seen.released, 1);
	ck_assert_uint_eq(again->t_n_outstanding, 2);
}
END_TEST

START_TEST(jumps_do_not_hold_the_loop)
{
	static const struct step_row steps[] = { { "count", step_count }, { NULL, NULL } };
	start(steps, 0);
	loop_turn(loop, true);
	ck_assert_uint_lt(seen.loops, 1000);
	for (unsigned i = 0; i < 100 && seen.ended == 0; i++)
		loop_turn(loop, true);
	ck_assert_uint_eq(seen.loops, 1000);
	ck_assert_uint_eq(seen.ended, 1);
}
END_TEST

START_TEST(sleep_parks_for_a_while)
{
	static const struct step_row steps[] = { { "sleep", step_sleep },
						 { "sleep", step_sleep },
						 { NULL, NULL } };
	const usec_t begin = clock_now_us();
	start(steps, 0);
	turn_until_end();
	ck_assert_str_eq(seen.text, "ss.");
	ck_assert_int_ge(clock_now_us() - begin, 115 * USEC_PER_MS);
	ck_assert_int_le(clock_now_us() - begin, 2 * USEC_PER_SEC);
}
END_TEST

START_TEST(a_wake_inside_the_step_is_taken)
{
	static const struct step_row steps[] = { { "self", step_wake_self },
						 { "read", step_read_now },
						 { NULL, NULL } };
	start(steps, 0);
	loop_turn(loop, true);
	ck_assert_str_eq(seen.text, "n.");
	ck_assert_uint_eq(seen.released, 1);
}
END_TEST

START_TEST(waits_are_limited_and_can_be_undone)
{
	static const struct step_row steps[] = { { "all", step_all_slots }, { NULL, NULL } };
	start(steps, 0);
	turns(1);
	ck_assert_str_eq(seen.text, "u.");
}
END_TEST

START_TEST(live_tasks_are_limited_and_shown)
{
	static const struct step_row steps[] = { { "sleep", step_sleep }, { NULL, NULL } };
	struct task *t = NULL;
	struct buf out;
	for (int i = 0; i < 3; i++)
		start(steps, 10 * USEC_PER_SEC);
	ck_assert_int_eq(task_start(engine, "x", steps, 0, ARENA_CAP_BYTES, on_end, &seen, &t),
			 ERR_BUSY);
	turns(1);
	buf_init(&out, 10000);
	task_dump(engine, &out);
	const char *text = buf_cstr(&out);
	ck_assert_ptr_nonnull(strstr(text, "{\"name\":\"test\",\"step\":\"sleep\",\"age_ms\":"));
	ck_assert_ptr_nonnull(strstr(text, "\"waits\":1,\"cancelled\":false},{"));
	buf_free(&out);
	/* teardown ends the three with TASK_SHUTDOWN */
}
END_TEST

START_TEST(destroy_ends_what_is_left)
{
	static const struct step_row steps[] = { { "wait", step_wait_two }, { NULL, NULL } };
	start(steps, 0);
	start(steps, 0);
	turns(1);
	task_engine_destroy(engine);
	ck_assert_uint_eq(seen.ended, 2);
	ck_assert_int_eq(seen.err.code, ERR_STOPPING);
	engine = task_engine_create(loop, 1);
}
END_TEST

START_TEST(a_programming_error_ends_the_process)
{
	static const struct step_row steps[] = { { "wait", step_wait_two },
						 { "never", step_never },
						 { NULL, NULL } };
	start(steps, 0);
	turns(1);
	/* Woken twice. */
	task_wake(engine, seen.handle, 0, ERR_OK, NULL, NULL, NULL);
	task_wake(engine, seen.handle, 0, ERR_OK, NULL, NULL, NULL);
}
END_TEST

static Suite *
task_suite(void)
{
	Suite *s = suite_create("task");
	TCase *tc = tcase_create("task");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 10);
	tcase_add_test(tc, steps_run_in_order_and_share_state);
	tcase_add_test(tc, a_guard_hands_over_to_another_table);
	tcase_add_test(tc, waits_are_all_awaited_then_readable_then_released);
	tcase_add_test(tc, a_failed_wait_fails_the_task);
	tcase_add_test(tc, a_soft_wait_leaves_the_error_to_the_step);
	tcase_add_test(tc, failing_keeps_the_first_detail);
	tcase_add_test(tc, deadline_ends_a_parked_task_and_late_results_are_released);
	tcase_add_loop_test(tc, cancel_ends_in_the_next_turn_with_its_error, 0,
			    (int)ARRAY_LEN(cancels));
	tcase_add_test(tc, a_stale_handle_finds_nothing);
	tcase_add_test(tc, jumps_do_not_hold_the_loop);
	tcase_add_test(tc, sleep_parks_for_a_while);
	tcase_add_test(tc, a_wake_inside_the_step_is_taken);
	tcase_add_test(tc, waits_are_limited_and_can_be_undone);
	tcase_add_test(tc, live_tasks_are_limited_and_shown);
	tcase_add_test(tc, destroy_ends_what_is_left);
	const char *fork_mode = getenv("CK_FORK");
	if (fork_mode == NULL || strcmp(fork_mode, "no") != 0)
		tcase_add_test_raise_signal(tc, a_programming_error_ends_the_process, SIGABRT);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(task_suite)
