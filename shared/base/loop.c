/*
 * loop.c — the event loop of one process: libevent polls, then the phases of loop.h run in their
 * fixed order.
 *
 * Flow: loop_run → loop_turn → event_base_loop (callbacks only mark) → hooks of each phase,
 * repeated while one of them asks for more or loop_again was called, at most ROUNDS_MAX times; what
 * is left then makes the next poll not sleep. Invariants: hooks run only from loop_turn and are
 * never nested; the time is read at most once a turn.
 */
#include "base/loop.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/log.h"

#define HOOKS_MAX 8   /* a phase; each is one module, known when the code is written     */
#define SIGNALS_MAX 8 /* TERM, INT, HUP, USR1 and room                                   */
#define ROUNDS_MAX 16 /* of the phases before I/O gets its turn again, however busy      */

struct hook {
	loop_hook *fn; /* NULL: free place */
	void *arg;
};

struct loop_signal {
	struct event event;
	loop_signal_fn *fn;
	void *arg;
};

struct loop_time {
	usec_t now;
	bool in_turn;
	bool fresh; /* read in this turn, after the sleep */
};

struct loop {
	struct event_base *base;
	struct hook hooks[LOOP_PHASES][HOOKS_MAX];
	unsigned n_hooks[LOOP_PHASES]; /* places ever used */
	struct loop_signal signals[SIGNALS_MAX];
	unsigned n_signals;
	struct loop_time
		*time; /* apart, so that reading the time through a const loop may refresh it */
	bool again;
	bool stop;
};

struct loop_timer {
	struct event event;
	loop_timer_fn *fn;
	void *arg;
};

static void
on_libevent_log(int severity, const char *msg)
{
	enum log_level level = LOG_DEBUG;
	if (severity == EVENT_LOG_ERR)
		level = LOG_ERROR;
	else if (severity == EVENT_LOG_WARN)
		level = LOG_WARN;
	log_write(level, "loop.libevent", "%s", msg);
}

static void
on_libevent_fatal(int err)
{
	log_error("loop.fatal", "libevent gave up with code %d", err);
	log_bug(__FILE__, __LINE__, "libevent: fatal error");
}

struct loop *
loop_create(void)
{
	event_set_log_callback(on_libevent_log);
	event_set_fatal_callback(on_libevent_fatal);
	struct loop *l = calloc(1, sizeof(*l));
	BUG_ON(l == NULL);
	l->time = calloc(1, sizeof(*l->time));
	BUG_ON(l->time == NULL);
	struct event_config *config = event_config_new();
	BUG_ON(config == NULL);
	/* One thread, no locks. Not PRECISE_TIMER: it costs a timerfd_settime each turn, and 4 ms
	 * are good enough. */
	BUG_ON(event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) != 0);
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	BUG_ON(l->base == NULL);
	return l;
}

void
loop_destroy(struct loop *l)
{
	if (l == NULL)
		return;
	for (unsigned i = 0; i < l->n_signals; i++)
		(void)event_del(&l->signals[i].event);
	event_base_free(l->base);
	free(l->time);
	free(l);
}

struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}

void
loop_add_hook(struct loop *l, enum loop_phase phase, loop_hook *fn, void *arg)
{
	for (unsigned i = 0; i < HOOKS_MAX; i++) {
		if (l->hooks[phase][i].fn != NULL)
			continue;
		l->hooks[phase][i] = (struct hook) { fn, arg };
		l->n_hooks[phase] = MAX(l->n_hooks[phase], i + 1);
		return;
	}
	log_bug(__FILE__, __LINE__, "too many hooks in one phase of the loop");
}

void
loop_remove_hook(struct loop *l, loop_hook *fn, void *arg)
{
	for (unsigned phase = 0; phase < LOOP_PHASES; phase++) {
		for (unsigned i = 0; i < HOOKS_MAX; i++) {
			struct hook *h = &l->hooks[phase][i];
			if (h->fn == fn && h->arg == arg)
				*h = (struct hook) { NULL, NULL };
		}
	}
}

static void
phases_run(struct loop *l)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		l->again = false;
		for (unsigned phase = 0; phase < LOOP_PHASES; phase++) {
			for (unsigned i = 0; i < l->n_hooks[phase]; i++) {
				/* Copied: a hook may remove itself. */
				struct hook h = l->hooks[phase][i];
				if (h.fn != NULL && h.fn(h.arg))
					l->again = true;
			}
		}
		if (!l->again)
			return;
	}
}

void
loop_turn(struct loop *l, bool may_sleep)
{
	/* NONBLOCK alone would keep polling inside one call while any event is ready: the phases must run in between. */
	int flags = EVLOOP_NONBLOCK | EVLOOP_ONCE;
	if (may_sleep && !l->again && !l->stop)
		flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
	l->time->in_turn = true;
	l->time->fresh = false;
	if (event_base_loop(l->base, flags) < 0)
		log_bug(__FILE__, __LINE__, "event_base_loop failed");
	/* Whoever read the time in a callback did so after the sleep; the phases share that
	 * reading. */
	log_hold();
	phases_run(l);
	log_release();
	l->time->in_turn = false;
}

void
loop_run(struct loop *l)
{
	while (!l->stop)
		loop_turn(l, true);
	l->stop = false;
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
}

void
loop_again(struct loop *l)
{
	l->again = true;
}

usec_t
loop_now(const struct loop *l)
{
	if (!l->time->fresh || !l->time->in_turn) {
		l->time->now = clock_now_us();
		l->time->fresh = true;
	}
	return l->time->now;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct loop_timer *t = arg;
	t->fn(t->arg);
}

struct loop_timer *
loop_every(struct loop *l, usec_t period, loop_timer_fn *fn, void *arg)
{
	BUG_ON(period <= 0);
	struct loop_timer *t = calloc(1, sizeof(*t));
	BUG_ON(t == NULL);
	t->fn = fn;
	t->arg = arg;
	const struct timeval tv = {
		.tv_sec = (time_t)(period / USEC_PER_SEC),
		.tv_usec = (suseconds_t)(period % USEC_PER_SEC),
	};
	BUG_ON(event_assign(&t->event, l->base, -1, EV_PERSIST, on_timer, t) != 0);
	BUG_ON(event_add(&t->event, &tv) != 0);
	return t;
}

void
loop_timer_destroy(struct loop_timer *t)
{
	if (t == NULL)
		return;
	(void)event_del(&t->event);
	free(t);
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	struct loop_signal *s = arg;
	s->fn((int)sig, s->arg);
}

void
loop_on_signal(struct loop *l, int sig, loop_signal_fn *fn, void *arg)
{
	BUG_ON(l->n_signals == SIGNALS_MAX);
	struct loop_signal *s = &l->signals[l->n_signals];
	l->n_signals++;
	s->fn = fn;
	s->arg = arg;
	BUG_ON(event_assign(&s->event, l->base, sig, EV_SIGNAL | EV_PERSIST, on_signal, s) != 0);
	BUG_ON(event_add(&s->event, NULL) != 0);
}
