/*
 * loop.h — one event loop a process, over libevent's event_base, with a fixed order inside a turn:
 *
 *   timers and I/O callbacks → ready tasks → flush database connections → flush HTTP connections → deferred frees
 *
 * Callbacks only mark; the phases do the work. So nothing is re-entered and nothing is freed under a caller.
 */
#ifndef BIMODAL_BASE_LOOP_H
#define BIMODAL_BASE_LOOP_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/compiler.h"

struct event_base;
struct loop;

enum loop_phase {
	LOOP_TASKS, /* the task engine runs ready tasks                      */
	LOOP_DB,    /* database connections flush what was submitted         */
	LOOP_HTTP,  /* HTTP connections write what is ready                  */
	LOOP_FREE,  /* objects that ended this turn are freed                */
	LOOP_PHASES
};

/* A hook may return true: "there is more to do now"; the phases then run again before the loop may sleep (bounded). */
typedef bool loop_hook(void *arg);

struct loop *loop_create(void);
void loop_destroy(struct loop *l);
struct event_base *loop_base(struct loop *l);
void loop_add_hook(struct loop *l, enum loop_phase phase, loop_hook *fn, void *arg);
void loop_remove_hook(struct loop *l, loop_hook *fn, void *arg);

void loop_run(struct loop *l);                  /* until loop_stop */
void loop_turn(struct loop *l, bool may_sleep); /* one turn (tests, start-up) */
void loop_stop(
	struct
	loop *l); /* from a callback: finish this turn, then return; before loop_run: it returns at once */
/* There is work for the phases: run them (again) before the loop may sleep. From anywhere, also before the first turn. */
void loop_again(struct loop *l);
usec_t loop_now(const struct loop *l); /* monotonic, read at most once a turn (after the sleep) */

/* A repeating timer. Owner: the caller destroys it (NULL is fine), before the loop; not from inside its own callback. */
struct loop_timer;
typedef void loop_timer_fn(void *arg);
struct loop_timer *loop_every(struct loop *l, usec_t period, loop_timer_fn *fn, void *arg);
void loop_timer_destroy(struct loop_timer *t);

/* Signals through the loop (SIGTERM, SIGHUP, SIGUSR1). Lives as long as the loop. */
typedef void loop_signal_fn(int sig, void *arg);
void loop_on_signal(struct loop *l, int sig, loop_signal_fn *fn, void *arg);

#endif
