/*
 * task.c — the task engine: runs the steps of ready tasks in the LOOP_TASKS phase and parks them
 * while they wait.
 *
 * Flow: task_start/task_wake/task_cancel put a task on the ready list → engine_run (hook) takes the
 * list → task_run runs steps until one parks or the task ends → task_end calls t_end and puts the
 * object on the free list. Invariants: a task is on the ready list at most once (t_ready); steps
 * never nest; a step's waits are all complete before the next step runs, so a slot of t_pending is
 * never reused under a late wake; a handle's generation changes when its task ends. Objects are
 * made on first need and reused with their arena chunk: no malloc in steady state.
 */
#include "base/task.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/log.h"

#define STEPS_PER_RUN                                                                              \
	32 /* then others get their turn: a loop of task_jump cannot hold the process */

struct task_engine {
	struct loop *loop;
	struct task **slots; /* by handle; the first n_slots exist */
	unsigned n_slots, max_tasks, n_live;
	struct task *free_first;
	struct task *live_first;
	struct task *ready_first, *ready_last;
	struct event sweep; /* armed while tasks live */
	bool closing;
};

/* The magic is checked at every border: a stale pointer ends the process with a dump, not with a
 * wrong answer. */
static void
task_check(const struct task *t)
{
	BUG_ON(t == NULL || t->t_magic != TASK_MAGIC);
}

static void
ready_add(struct task *t)
{
	if (t->t_ready || t->t_ended || t->t_running)
		return;
	struct task_engine *e = t->t_engine;
	t->t_ready = true;
	t->t_ready_next = NULL;
	if (e->ready_last != NULL)
		e->ready_last->t_ready_next = t;
	else
		e->ready_first = t;
	e->ready_last = t;
	loop_again(e->loop);
}

static void
wait_release(struct task_wait *w)
{
	if (w->result != NULL && w->release != NULL)
		w->release(w->result);
	w->result = NULL;
	w->release = NULL;
}

static void
results_release(struct task *t)
{
	for (unsigned i = 0; i < t->t_n_results; i++)
		wait_release(&t->t_results[i]);
	t->t_n_results = 0;
}

static void
live_remove(struct task *t)
{
	struct task_engine *e = t->t_engine;
	if (t->t_prev != NULL)
		t->t_prev->t_next = t->t_next;
	else
		e->live_first = t->t_next;
	if (t->t_next != NULL)
		t->t_next->t_prev = t->t_prev;
	t->t_prev = NULL;
	e->n_live--;
}

/* The task is over, whatever the reason. It is on no list but the live one. */
static void
task_end(struct task *t)
{
	struct task_engine *e = t->t_engine;
	t->t_ended = true;
	results_release(t);
	for (unsigned i = 0; i < t->t_n_pending; i++)
		wait_release(&t->t_pending[i]);
	t->t_n_pending = 0;
	t->t_n_outstanding = 0;
	if (t->t_end != NULL)
		t->t_end(t, t->t_end_arg);
	arena_release(&t->t_arena);
	live_remove(t);
	t->t_handle.gen++;
	if (t->t_handle.gen == 0)
		t->t_handle.gen = 1;
	t->t_magic = 0;
	t->t_next = e->free_first;
	e->free_first = t;
}

static void
task_set_cancelled(struct task *t)
{
	const char *step = t->t_step == 0 ? "start" : t->t_steps[t->t_step - 1].name;
	switch (t->t_cancel) {
	case TASK_LIVE:
		break;
	case TASK_DEADLINE:
		(void)err_set(&t->t_err, ERR_TIMEOUT, NULL,
			      "The request did not finish in time; it had reached the step \"%s\".",
			      step);
		break;
	case TASK_HANGUP:
		(void)err_set(&t->t_err, ERR_CANCELLED, NULL, "The client left at the step \"%s\".",
			      step);
		break;
	case TASK_SHUTDOWN:
		(void)err_set(&t->t_err, ERR_STOPPING, NULL, "The server is stopping.");
		break;
	}
}

/* What was waited for becomes readable. False: a wait failed and the step had not asked to look
 * itself. */
static bool
results_take(struct task *t)
{
	const struct task_wait *failed = NULL;
	for (unsigned i = 0; i < t->t_n_pending; i++) {
		struct task_wait *from = &t->t_pending[i];
		struct task_wait *to = &t->t_results[i];
		to->done = true;
		to->err = from->err;
		to->result = from->result;
		to->release = from->release;
		/* err_info is half a KiB: copied only when it says something. */
		if (from->err != ERR_OK)
			to->info = from->info;
		if (from->err != ERR_OK && failed == NULL)
			failed = to;
	}
	t->t_n_results = t->t_n_pending;
	t->t_n_pending = 0;
	const bool soft = t->t_soft;
	t->t_soft = false;
	if (failed == NULL || soft)
		return true;
	if (t->t_err.code == ERR_OK)
		t->t_err = failed->info;
	return false;
}

/* True: the task goes on (parked, or ready again). False: it is to be ended. */
static bool
task_steps_run(struct task *t)
{
	for (unsigned n = 0; n < STEPS_PER_RUN; n++) {
		if (t->t_cancel != TASK_LIVE || !results_take(t))
			return false;
		const struct step_row *row = &t->t_steps[t->t_step];
		if (row->run == NULL)
			return false; /* the table has ended: well done */
		t->t_step++;
		const enum step step = row->run(t);
		results_release(t);
		if (step == STEP_DONE)
			return false;
		/* A step that leaves waits behind must park, and one that parks must have something
		 * to wake it. */
		BUG_ON(step == STEP_NEXT && t->t_n_pending != 0);
		BUG_ON(step == STEP_WAIT && t->t_n_pending == 0);
		if (t->t_n_outstanding != 0) {
			t->t_parked_at = loop_now(t->t_engine->loop);
			return t->t_cancel == TASK_LIVE;
		}
	}
	t->t_running = false;
	ready_add(t);
	return true;
}

static void
task_run(struct task *t)
{
	task_check(t);
	t->t_running = true;
	if (t->t_parked_at != 0) {
		t->t_waited_us += loop_now(t->t_engine->loop) - t->t_parked_at;
		t->t_parked_at = 0;
	}
	const bool goes_on = task_steps_run(t);
	t->t_running = false;
	if (goes_on)
		return;
	task_set_cancelled(t);
	task_end(t);
}

/* One round: the tasks that were ready when it began. Those made ready meanwhile come in the next
 * round. */
static bool
engine_run(void *arg)
{
	struct task_engine *e = arg;
	struct task *t = e->ready_first;
	e->ready_first = NULL;
	e->ready_last = NULL;
	while (t != NULL) {
		struct task *next = t->t_ready_next;
		t->t_ready = false;
		t->t_ready_next = NULL;
		task_run(t);
		t = next;
	}
	return e->ready_first != NULL;
}

static void
sweep_arm(struct task_engine *e)
{
	if (e->n_live == 0 || event_pending(&e->sweep, EV_TIMEOUT, NULL))
		return;
	const struct timeval tv = { .tv_sec = 0, .tv_usec = TASK_SWEEP_US };
	BUG_ON(event_add(&e->sweep, &tv) != 0);
}

/* Only marks, so that the live list does not change under the walk. */
static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct task_engine *e = arg;
	const usec_t now = loop_now(e->loop);
	for (struct task *t = e->live_first; t != NULL; t = t->t_next) {
		if (t->t_deadline != 0 && now >= t->t_deadline) {
			task_cancel(t, TASK_DEADLINE);
		} else if (t->t_sleep_until != 0 && now >= t->t_sleep_until) {
			t->t_sleep_until = 0;
			task_wake(e, t->t_handle, t->t_sleep_slot, ERR_OK, NULL, NULL, NULL);
		}
	}
	sweep_arm(e);
}

struct task_engine *
task_engine_create(struct loop *l, unsigned max_tasks)
{
	BUG_ON(max_tasks == 0);
	struct task_engine *e = calloc(1, sizeof(*e));
	BUG_ON(e == NULL);
	e->slots = calloc(max_tasks, sizeof(struct task *));
	BUG_ON(e->slots == NULL);
	e->loop = l;
	e->max_tasks = max_tasks;
	BUG_ON(event_assign(&e->sweep, loop_base(l), -1, 0, on_sweep, e) != 0);
	loop_add_hook(l, LOOP_TASKS, engine_run, e);
	return e;
}

void
task_engine_destroy(struct task_engine *e)
{
	if (e == NULL)
		return;
	e->closing = true; /* no end may start a new task */
	task_cancel_all(e, TASK_SHUTDOWN);
	while (e->ready_first != NULL)
		(void)engine_run(e);
	BUG_ON(e->n_live != 0);
	loop_remove_hook(e->loop, engine_run, e);
	(void)event_del(&e->sweep);
	for (unsigned i = 0; i < e->n_slots; i++)
		free(e->slots[i]);
	free(e->slots);
	free(e);
}

struct loop *
task_loop(struct task_engine *e)
{
	return e->loop;
}

unsigned
task_count(const struct task_engine *e)
{
	return e->n_live;
}

static struct task *
task_object(struct task_engine *e)
{
	struct task *t = e->free_first;
	if (t != NULL) {
		e->free_first = t->t_next;
		return t;
	}
	if (e->n_slots == e->max_tasks)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->t_engine = e;
	t->t_handle = (struct task_handle) { .slot = e->n_slots, .gen = 1 };
	e->slots[e->n_slots] = t;
	e->n_slots++;
	return t;
}

enum err
task_start(struct task_engine *e, const char *name, const struct step_row *steps, usec_t deadline,
	   size_t arena_cap, task_end_fn *end, void *end_arg, struct task **out)
{
	if (e->closing)
		return ERR_STOPPING;
	struct task *t = task_object(e);
	if (t == NULL)
		return ERR_BUSY;
	/* All but the arrays of waits, which are 8 KiB and are set when used. */
	memset(&t->t_name, 0, offsetof(struct task, t_results) - offsetof(struct task, t_name));
	memset(&t->t_sleep_slot, 0, sizeof(*t) - offsetof(struct task, t_sleep_slot));
	t->t_magic = TASK_MAGIC;
	t->t_name = name;
	t->t_steps = steps;
	t->t_begin = loop_now(e->loop);
	t->t_deadline = deadline;
	t->t_end = end;
	t->t_end_arg = end_arg;
	t->t_n_results = 0;
	t->t_n_pending = 0;
	t->t_n_outstanding = 0;
	arena_init(&t->t_arena, arena_cap);
	t->t_next = e->live_first;
	if (e->live_first != NULL)
		e->live_first->t_prev = t;
	e->live_first = t;
	e->n_live++;
	ready_add(t);
	sweep_arm(e);
	*out = t;
	return ERR_OK;
}

enum step
task_continue(struct task *t, const struct step_row *steps)
{
	task_check(t);
	t->t_steps = steps;
	t->t_step = 0;
	t->t_state = NULL;
	t->t_state_size = 0;
	return t->t_n_pending != 0 ? STEP_WAIT : STEP_NEXT;
}

void *
task_state(struct task *t, size_t n)
{
	task_check(t);
	if (t->t_state != NULL) {
		BUG_ON(n > t->t_state_size);
		return t->t_state;
	}
	t->t_state = arena_alloc(&t->t_arena, n);
	t->t_state_size = n;
	return t->t_state;
}

enum step
task_jump(struct task *t, step_fn *fn)
{
	task_check(t);
	unsigned i = 0;
	while (t->t_steps[i].run != NULL && t->t_steps[i].run != fn)
		i++;
	BUG_ON(t->t_steps[i].run == NULL);
	t->t_step = i;
	return t->t_n_pending != 0 ? STEP_WAIT : STEP_NEXT;
}

enum step
task_fail(struct task *t)
{
	task_check(t);
	return task_fail_set(t, ERR_INTERNAL, NULL, "A step failed without saying why.");
}

enum step
task_fail_set(struct task *t, enum err code, const char *field, const char *fmt, ...)
{
	task_check(t);
	if (t->t_err.code != ERR_OK)
		return STEP_DONE;
	char msg[sizeof(t->t_err.msg)];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	(void)err_set(&t->t_err, code, field, "%s", msg);
	return STEP_DONE;
}

void
task_cancel(struct task *t, enum task_cancel why)
{
	task_check(t);
	if (t->t_ended || t->t_cancel != TASK_LIVE)
		return;
	t->t_cancel = why;
	ready_add(t);
}

void
task_cancel_all(struct task_engine *e, enum task_cancel why)
{
	for (struct task *t = e->live_first; t != NULL; t = t->t_next)
		task_cancel(t, why);
}

struct task *
task_find(struct task_engine *e, struct task_handle h)
{
	if (h.slot >= e->n_slots)
		return NULL;
	struct task *t = e->slots[h.slot];
	if (t->t_handle.gen != h.gen || t->t_ended || t->t_magic != TASK_MAGIC)
		return NULL;
	return t;
}

enum err
task_wait_begin(struct task *t, unsigned *slot)
{
	task_check(t);
	if (t->t_n_pending == TASK_WAITS_MAX)
		return ERR_BUSY;
	struct task_wait *w = &t->t_pending[t->t_n_pending];
	w->done = false;
	w->err = ERR_OK;
	w->result = NULL;
	w->release = NULL;
	*slot = t->t_n_pending;
	t->t_n_pending++;
	t->t_n_outstanding++;
	return ERR_OK;
}

void
task_wait_undo(struct task *t, unsigned slot)
{
	task_check(t);
	BUG_ON(t->t_n_pending == 0 || slot != t->t_n_pending - 1 || t->t_pending[slot].done);
	t->t_n_pending--;
	t->t_n_outstanding--;
}

void
task_wake(struct task_engine *e, struct task_handle h, unsigned slot, enum err err,
	  const struct err_info *info, void *result, void (*release)(void *result))
{
	struct task *t = task_find(e, h);
	if (t == NULL) {
		if (result != NULL && release != NULL)
			release(result);
		return;
	}
	BUG_ON(slot >= t->t_n_pending || t->t_pending[slot].done);
	struct task_wait *w = &t->t_pending[slot];
	w->done = true;
	w->err = err;
	w->result = result;
	w->release = release;
	if (err != ERR_OK) {
		err_clear(&w->info);
		if (info != NULL && info->code != ERR_OK)
			w->info = *info;
		else
			(void)err_set(&w->info, err, NULL, "%s.", err_row(err)->title);
	}
	t->t_n_outstanding--;
	if (t->t_n_outstanding == 0)
		ready_add(t);
}

void
task_wait_soft(struct task *t)
{
	task_check(t);
	t->t_soft = true;
}

void *
task_result(struct task *t, unsigned i)
{
	task_check(t);
	BUG_ON(i >= t->t_n_results);
	return t->t_results[i].err == ERR_OK ? t->t_results[i].result : NULL;
}

enum err
task_wait_err(struct task *t, unsigned i, const struct err_info **info)
{
	task_check(t);
	BUG_ON(i >= t->t_n_results);
	const struct task_wait *w = &t->t_results[i];
	if (info != NULL)
		*info = w->err == ERR_OK ? NULL : &w->info;
	return w->err;
}

enum step
task_sleep(struct task *t, usec_t us)
{
	unsigned slot = 0;
	BUG_ON(t->t_sleep_until != 0);
	if (task_wait_begin(t, &slot) != ERR_OK)
		return task_fail_set(t, ERR_BUSY, NULL, "A step waits for too many things.");
	t->t_sleep_slot = slot;
	t->t_sleep_until = loop_now(t->t_engine->loop) + MAX(us, 0);
	return STEP_WAIT;
}

void
task_dump(const struct task_engine *e, struct buf *out)
{
	const usec_t now = clock_now_us();
	buf_add_char(out, '[');
	for (const struct task *t = e->live_first; t != NULL; t = t->t_next) {
		const char *step = t->t_step == 0 ? "start" : t->t_steps[t->t_step - 1].name;
		if (t != e->live_first)
			buf_add_char(out, ',');
		buf_add_cstr(out, "{\"name\":");
		buf_json_cstr(out, t->t_name);
		buf_add_cstr(out, ",\"step\":");
		buf_json_cstr(out, step);
		buf_printf(out, ",\"age_ms\":%lld,\"left_ms\":",
			   (long long)((now - t->t_begin) / USEC_PER_MS));
		if (t->t_deadline == 0)
			buf_add_cstr(out, "null");
		else
			buf_add_int(out, (t->t_deadline - now) / USEC_PER_MS);
		buf_printf(out, ",\"waits\":%u,\"cancelled\":%s}", t->t_n_outstanding,
			   t->t_cancel != TASK_LIVE ? "true" : "false");
	}
	buf_add_char(out, ']');
}
