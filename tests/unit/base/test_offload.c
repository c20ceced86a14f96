/*
 * test_offload.c — work on other threads: its memory comes back, the queue is bounded, tasks that leave, stopping while it runs.
 */
#include "base/offload.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../../support/unit.h"

static struct loop *loop;
static struct task_engine *engine;
static struct offload *pool;
static atomic_uint released;
static atomic_bool gate; /* jobs of `stands` end when it is open */
static unsigned ended, refused, passed;
static enum err last;

struct work {
	unsigned in, out;
	pthread_t where;
};

static void
setup(void)
{
	loop = loop_create();
	engine = task_engine_create(loop, 64);
	ended = refused = passed = 0;
	last = ERR_OK;
	released = 0;
	gate = false;
}

static void
teardown(void)
{
	offload_destroy(pool);
	pool = NULL;
	task_engine_destroy(engine);
	loop_destroy(loop);
	arena_trim();
}

static void
pool_of(unsigned threads, unsigned queue)
{
	struct err_info info = { .code = ERR_OK };
	const struct offload_conf conf = { .threads = threads, .queue_max = queue, .nice = 5 };
	ck_assert_int_eq(offload_create(loop, engine, &conf, &pool, &info), ERR_OK);
}

static void
release(void *arg)
{
	released++;
	free(arg);
}

static void
square(void *arg)
{
	struct work *w = arg;
	w->out = w->in * w->in;
	w->where = pthread_self();
}

static void
stands(void *arg)
{
	while (!gate)
		;
	square(arg);
}

static step_fn begin, look;
static offload_fn *job = square;

static enum step
begin(struct task *t)
{
	struct work *w = calloc(1, sizeof(*w));
	w->in = (unsigned)(uintptr_t)t->t_owner;
	return offload_wait(pool, t, job, w, release);
}

static enum step
look(struct task *t)
{
	const struct work *w = task_result(t, 0);
	ck_assert_uint_eq(w->in, (unsigned)(uintptr_t)t->t_owner);
	ck_assert_uint_eq(w->out, w->in * w->in);
	ck_assert(!pthread_equal(w->where, pthread_self()));
	passed++;
	return STEP_DONE;
}

static const struct step_row steps[] = {
	{ "begin", begin },
	{ "look", look },
	{ NULL, NULL },
};

static void
on_end(struct task *t, void *arg)
{
	(void)arg;
	ended++;
	refused += t->t_err.code != ERR_OK;
	if (t->t_err.code != ERR_OK)
		last = t->t_err.code;
}

static struct task *
start(unsigned n, usec_t deadline)
{
	struct task *t = NULL;
	ck_assert_int_eq(task_start(engine, "square", steps,
				    deadline == 0 ? 0 : clock_now_us() + deadline, ARENA_CAP_BYTES,
				    on_end, NULL, &t),
			 ERR_OK);
	t->t_owner = (void *)(uintptr_t)n;
	return t;
}

static void
until_ended(unsigned n)
{
	while (ended < n)
		loop_turn(loop, true);
}

START_TEST(runs_elsewhere_and_comes_back)
{
	job = square;
	pool_of(3, 64);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 50; i++)
			(void)start(i, 0);
		until_ended(50 * (round + 1));
	}
	ck_assert_uint_eq(passed, 1000);
	ck_assert_uint_eq(released, 1000);
	ck_assert_uint_eq(offload_count(pool), 0);
}
END_TEST

START_TEST(the_queue_is_bounded)
{
	job = stands;
	pool_of(1, 2);
	for (unsigned i = 0; i < 5; i++)
		(void)start(i, 0);
	until_ended(2);
	ck_assert_uint_eq(refused, 2);
	ck_assert_int_eq(last, ERR_BUSY);
	ck_assert_uint_eq(offload_count(pool), 3);
	gate = true;
	until_ended(5);
	ck_assert_uint_eq(passed, 3);
	ck_assert_uint_eq(released, 5);
}
END_TEST

START_TEST(who_left_gives_his_place)
{
	job = stands;
	pool_of(1, 1);
	(void)start(1, 0);
	loop_turn(loop, false);
	(void)start(2, 30 * USEC_PER_MS);
	until_ended(1);
	ck_assert_int_eq(last, ERR_TIMEOUT);
	/* Whether the thread has taken the first one or not, one place is free again. */
	(void)start(3, 0);
	loop_turn(loop, false);
	ck_assert_uint_eq(ended, 1);
	gate = true;
	until_ended(3);
	ck_assert_uint_eq(passed, 2);
	ck_assert_uint_eq(released, 3);
}
END_TEST

static void *
open_soon(void *arg)
{
	(void)arg;
	while (ended == 0 && !gate)
		gate = true;
	return NULL;
}

START_TEST(stops_while_it_works)
{
	pthread_t opener;
	job = stands;
	pool_of(2, 8);
	for (unsigned i = 0; i < 6; i++)
		(void)start(i, 0);
	loop_turn(loop, false);
	ck_assert_int_eq(pthread_create(&opener, NULL, open_soon, NULL), 0);
	offload_destroy(pool);
	pool = NULL;
	ck_assert_int_eq(pthread_join(opener, NULL), 0);
	until_ended(6);
	ck_assert_uint_eq(passed + refused, 6);
	ck_assert(refused == 0 || last == ERR_STOPPING);
	ck_assert_uint_eq(released, 6);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("offload");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, runs_elsewhere_and_comes_back);
	tcase_add_test(tc, the_queue_is_bounded);
	tcase_add_test(tc, who_left_gives_his_place);
	tcase_add_test(tc, stops_while_it_works);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
