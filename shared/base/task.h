/*
 * task.h — one unit of asynchronous work: a table of named steps, an arena, a deadline. An HTTP request is a task; so is a
 * background job. http and postgres both stand on this and do not know each other: a step submits a query and parks; the
 * query wakes the task by its handle.
 *
 * Rules. A step must not block and runs well under 1 ms. Wakes never run a step: they mark the task, and the loop runs it
 * in the LOOP_TASKS phase. What a step waited for is readable (task_result) until that step returns. Everything of the task
 * lives in its arena and dies with it. A late wake of an ended task is a no-op: handles carry a generation.
 */
#ifndef BIMODAL_BASE_TASK_H
#define BIMODAL_BASE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/loop.h"

#define TASK_MAGIC 0x5441534bu
#define TASK_WAITS_MAX 8 /* things one step may wait for at once */

struct task;
struct task_engine;

enum step {
	STEP_NEXT, /* go on with the next row (or the one named by task_jump)      */
	STEP_WAIT, /* parked: at least one wait is outstanding; resumes at the next row */
	STEP_DONE  /* finished, well or with t_err set                              */
};
typedef enum step step_fn(struct task *t);

struct step_row {
	const char *name; /* logged, shown in /debug/tasks */
	step_fn *run;     /* NULL ends the table           */
};

struct task_handle {
	uint32_t slot;
	uint32_t gen;
};

/* Why a task ends before its steps do. */
enum task_cancel { TASK_LIVE, TASK_DEADLINE, TASK_HANGUP, TASK_SHUTDOWN };

/* One thing waited for. `result` belongs to the engine, which calls `release` after the step that read it. */
struct task_wait {
	bool done;
	enum err
		err; /* of this wait; also copied to t_err if the step does not look (see task_wait_soft) */
	struct err_info info;
	void *result;
	void (*release)(void *result);
};

/* Called once, in the LOOP_TASKS phase, when the task has ended; t is freed after it returns. */
typedef void task_end_fn(struct task *t, void *arg);

struct task {
	uint32_t t_magic;
	struct task_handle t_handle;
	struct task_engine *t_engine;
	const char *t_name; /* route or job name: metric and log label  */
	const struct step_row *t_steps;
	unsigned t_step; /* next row to run                          */
	struct arena t_arena;
	struct err_info t_err; /* why it failed; ERR_OK in .code if not     */
	struct str
		t_err_members; /* extra JSON members for the problem body, e.g. "\"current_version\":43" (arena) */
	usec_t t_begin; /* monotonic                                */
	usec_t t_deadline; /* monotonic, 0 = none; inherited by every wait; may be changed while the task lives */
	enum task_cancel t_cancel;
	void *t_state;       /* task_state()                             */
	void *t_owner;       /* who started it: the HTTP request, or the job's object */
	const void *t_route; /* the row that was matched, if any         */
	void *t_actor;       /* the principal, set by the guard (shared/access) */
	task_end_fn *t_end;
	void *t_end_arg;
	usec_t t_waited_us; /* time spent parked, for the access line   */
	/* private to task.c */
	struct task_wait t_results[TASK_WAITS_MAX]; /* readable by the running step  */
	unsigned t_n_results;
	struct task_wait t_pending[TASK_WAITS_MAX]; /* being waited for               */
	unsigned t_n_pending, t_n_outstanding;
	unsigned t_sleep_slot; /* of task_sleep, while t_sleep_until is not 0 */
	usec_t t_sleep_until;
	usec_t t_parked_at;
	size_t t_state_size;
	bool t_soft, t_ready, t_ended, t_running;
	struct task *t_prev, *t_next;
	struct task *t_ready_next;
};

/* `max_tasks` bounds the live tasks of this process. Dies if it cannot be made. */
struct task_engine *task_engine_create(struct loop *l, unsigned max_tasks);
/* Cancels what is left (TASK_SHUTDOWN) and runs their end. After the modules that wake tasks (postgres), before the loop. */
void task_engine_destroy(struct task_engine *e);
void task_cancel_all(struct task_engine *e, enum task_cancel why);
struct loop *task_loop(struct task_engine *e);
unsigned task_count(const struct task_engine *e);

/*
 * Create a task and mark it ready; its first step runs in the next LOOP_TASKS phase. Errors: ERR_BUSY when max_tasks are
 * live. The caller may fill t_owner, t_route, t_actor before the loop turns.
 */
/* `deadline`: absolute, on the monotonic clock (clock_now_us() + …); 0 = none. */
MUST_CHECK enum err task_start(struct task_engine *e, const char *name,
			       const struct step_row *steps, usec_t deadline, size_t arena_cap,
			       task_end_fn *end, void *end_arg, struct task **out);
/*
 * Replace the remaining steps (the guard hands over to the route's own table) and return STEP_NEXT, or STEP_WAIT if waits are
 * outstanding. The new table starts with a state of its own: task_state then gives a fresh zeroed block.
 */
enum step task_continue(struct task *t, const struct step_row *steps);
/* Zeroed state of n bytes in the arena; the same block on every call of one step table (same n). NULL past the cap. */
void *task_state(struct task *t, size_t n);
/* Make the next row the one whose function is `fn`, then return STEP_NEXT (or STEP_WAIT if waits are outstanding). */
enum step task_jump(struct task *t, step_fn *fn);

/* Fail: detail into t_err (kept if one is there already), and end. `task_fail_set` formats; `task_fail` keeps what is set. */
enum step task_fail(struct task *t);
enum step task_fail_set(struct task *t, enum err code, const char *field, const char *fmt, ...)
	PRINTF(4, 5);

/* Cancel from outside; the end runs in the next LOOP_TASKS phase. Late results are received and released. */
void task_cancel(struct task *t, enum task_cancel why);
struct task *task_find(struct task_engine *e, struct task_handle h); /* NULL if it has ended */

/* ---- waits: used by modules that complete things (postgres, timers, HTTP client) ---- */
/* Reserve a wait; ERR_BUSY when TASK_WAITS_MAX are taken. The step must then return STEP_WAIT. */
MUST_CHECK enum err task_wait_begin(struct task *t, unsigned *slot);
/* Undo a reservation made in this step because the submission failed. Only the latest one. */
void task_wait_undo(struct task *t, unsigned slot);
/* Complete it, from the loop or within the step itself. If the task is gone `release(result)` runs at once. `info` may be NULL when err is ERR_OK. */
void task_wake(struct task_engine *e, struct task_handle h, unsigned slot, enum err err,
	       const struct err_info *info, void *result, void (*release)(void *result));
/*
 * By default a failed wait fails the task with its detail before the next step runs. After task_wait_soft in the same step
 * the next step runs in any case and looks at task_wait_err itself.
 */
void task_wait_soft(struct task *t);
void *task_result(struct task *t,
		  unsigned i); /* i-th wait of the previous step; NULL if it failed */
enum err task_wait_err(struct task *t, unsigned i,
		       const struct err_info **info); /* info may be NULL */

/* Park for a while: `return task_sleep(t, 100 * USEC_PER_MS);` Once a step; exact to TASK_SWEEP_US. */
#define TASK_SWEEP_US (20 * USEC_PER_MS) /* how often deadlines and sleeps are looked at */
enum step task_sleep(struct task *t, usec_t us);

/* Every live task as a JSON array: name, step, age, waits (for /debug/tasks and SIGUSR1). */
void task_dump(const struct task_engine *e, struct buf *out);

#endif
