/*
 * offload.h — work that takes longer than a step may, such as a password hash, on a few threads of its own. A step hands over a
 * function with its memory and parks; the next step reads the same memory.
 *
 * The function runs on another thread: it may touch `arg` and nothing else of ours — no task, no arena, no log, no libevent. The
 * memory changes hands twice, both times under one mutex: to the thread when it takes the job, back to the loop when it is done.
 * So nothing is ever shared, and the queue is the only thing that is locked.
 *
 * Bounds: `threads` jobs run, `queue_max` wait, more are ERR_BUSY (503 with Retry-After). A task that ends meanwhile (deadline,
 * hang-up) leaves its job behind: one that waits is dropped when its place is needed, one that runs is finished; both are released.
 */
#ifndef BIMODAL_BASE_OFFLOAD_H
#define BIMODAL_BASE_OFFLOAD_H

#include "base/err.h"
#include "base/loop.h"
#include "base/task.h"

#define OFFLOAD_THREADS_MAX 16
#define OFFLOAD_QUEUE_MAX 4096

struct offload;
struct offload_conf {
	unsigned threads;   /* 1 … OFFLOAD_THREADS_MAX                                         */
	unsigned queue_max; /* jobs waiting for a thread; 0 … OFFLOAD_QUEUE_MAX                */
	int nice;           /* added to the priority of the threads, so that the loop goes first */
};

/* After the fork: threads do not survive one. Signals stay with the loop's thread. Errors: ERR_SYSTEM, ERR_NO_MEMORY. */
MUST_CHECK enum err offload_create(struct loop *l, struct task_engine *e,
				   const struct offload_conf *conf, struct offload **out,
				   struct err_info *info);
/* Waits for what runs, drops what waits (ERR_STOPPING). Before the task engine; NULL is fine. */
void offload_destroy(struct offload *o);

typedef void offload_fn(void *arg);
/*
 * Run fn(arg) as one wait of the calling step: STEP_WAIT, or the task failed with ERR_BUSY. `arg` (malloc'd or static, never of the
 * arena) is the pool's from here on in either case; the next step reads it as task_result(t, i), and `release` gets it afterwards.
 */
enum step offload_wait(struct offload *o, struct task *t, offload_fn *fn, void *arg,
		       void (*release)(void *arg));
/* Jobs that wait or run. */
unsigned offload_count(const struct offload *o);

#endif
