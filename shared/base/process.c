/*
 * process.c — the parent of a daemon and the frame in which each of its processes runs.
 *
 * Flow: process_run → sockets, pid lock, port file → fork N workers and the jobs child → supervise
 * (sigtimedwait: no event loop here, so nothing of a loop is inherited) → SIGTERM to all → SIGKILL
 * after the grace → exit code. A child: own page of metrics, own loop, pc->start, loop, pc->finish.
 * It dies with its parent (PR_SET_PDEATHSIG). Invariants: the listening sockets belong to the
 * parent and outlive every worker, so connections queued on one are taken by its successor; the
 * parent handles no request, no database and no outside bytes, and so has no reason to die.
 */
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/listen.h"
#include "base/log.h"
#include "base/metric.h"

#define EXIT_FAILED 1
#define EXIT_CONFIG 2
#define RESTARTS_MAX 64 /* restart times remembered; caps restart_max */
#define SLOT_PARENT 0   /* pages of metric.h */
#define SLOT_JOBS 1
#define SLOT_WORKERS 2
#define CHILDREN_MAX (PROCESS_WORKERS_MAX + 1)

#define JOBS_PAUSE_MIN (100 * USEC_PER_MS)
#define JOBS_PAUSE_MAX (30 * USEC_PER_SEC)

struct parent {
	const struct process_conf *pc;
	enum log_level level;
	unsigned n_sockets;
	int sockets[PROCESS_WORKERS_MAX];
	int pid_fd;
	unsigned n_children;           /* workers, then the jobs child */
	pid_t children[CHILDREN_MAX];  /* 0: not running */
	usec_t restarts[RESTARTS_MAX]; /* a ring of the last restart_max times */
	unsigned n_restarts;
	struct metric *restart_count;
	bool stopping;
	usec_t kill_at;
	int code;
	usec_t jobs_started_at;
	usec_t jobs_restart_at; /* 0: it runs         */
	usec_t jobs_pause;
};

/* What the signal handlers of one process need. */
struct frame {
	const struct process_conf *pc;
	struct process_role role;
	bool stopping;
	struct loop_timer *grace; /* foreground: there is no parent to end what does not drain */
};

static enum log_level
level_now(void)
{
	int level = LOG_TRACE;
	while (level > LOG_ERROR && !log_enabled((enum log_level)level))
		level--;
	return (enum log_level)level;
}

/* ---- one process ---- */

static void
signal_set(sigset_t *set)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };
	(void)sigemptyset(set);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		(void)sigaddset(set, ours[i]);
}

static void
on_grace(void *arg)
{
	struct frame *f = arg;
	log_warn("process.grace", "not drained in time; ending anyway");
	loop_stop(f->role.loop);
}

static void
on_frame_signal(int sig, void *arg)
{
	struct frame *f = arg;
	const struct process_conf *pc = f->pc;
	if (sig == SIGHUP) {
		if (pc->reload != NULL)
			pc->reload(&f->role, pc->arg);
	} else if (sig == SIGUSR1) {
		if (pc->dump != NULL)
			pc->dump(&f->role, pc->arg);
	} else if (!f->stopping) {
		f->stopping = true;
		if (pc->workers == 0)
			f->grace = loop_every(f->role.loop, MAX(pc->grace_us, 1), on_grace, f);
		pc->stop(&f->role, pc->arg);
	}
}

/* Signals are blocked when this begins; the loop takes what came meanwhile. Returns the exit code.
 */
static int
frame_run(const struct process_conf *pc, struct process_role role)
{
	struct frame f = { .pc = pc, .role = role };
	f.role.loop = loop_create();
	loop_on_signal(f.role.loop, SIGTERM, on_frame_signal, &f);
	loop_on_signal(f.role.loop, SIGHUP, on_frame_signal, &f);
	loop_on_signal(f.role.loop, SIGUSR1, on_frame_signal, &f);
	if (pc->workers == 0)
		loop_on_signal(f.role.loop, SIGINT, on_frame_signal, &f);
	else
		(void)signal(
			SIGINT,
			SIG_IGN); /* Ctrl-C reaches the whole group; the parent says what follows */
	sigset_t set;
	signal_set(&set);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	struct err_info info = { .code = ERR_OK };
	const enum err err = pc->start(&f.role, pc->arg, &info);
	if (err == ERR_OK) {
		loop_run(f.role.loop);
		if (pc->finish != NULL)
			pc->finish(&f.role, pc->arg);
	} else {
		log_error("process.start", "%s",
			  info.msg[0] != '\0' ? info.msg : err_row(err)->title);
	}
	loop_timer_destroy(f.grace);
	/* With the loop its handlers go: a late signal must not end a process that is just leaving
	 * in order. */
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	loop_destroy(f.role.loop);
	if (err == ERR_OK)
		return EXIT_SUCCESS;
	return err == ERR_CONFIG ? EXIT_CONFIG : EXIT_FAILED;
}

static void
child_main(struct parent *p, unsigned i, pid_t parent_pid)
{
	/* SIGKILL: a child that has lost its parent has nobody to enforce its grace, nor to answer
	 * for its port. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent_pid)
		_exit(EXIT_FAILED);
	const struct process_conf *pc = p->pc;
	const bool jobs = i == pc->workers;
	log_init(pc->name, jobs ? -2 : (int)i, p->level);
	metric_process(jobs ? SLOT_JOBS : SLOT_WORKERS + i);
	for (unsigned s = 0; s < p->n_sockets; s++) {
		if (jobs || s != i)
			(void)close(p->sockets[s]);
	}
	if (p->pid_fd >= 0)
		(void)close(p->pid_fd);
	const struct process_role role = {
		.is_worker = !jobs,
		.is_jobs = jobs,
		.worker = jobs ? 0 : i,
		.listen_fd = jobs ? -1 : p->sockets[i],
	};
	exit(frame_run(pc, role));
}

static bool
child_start(struct parent *p, unsigned i)
{
	(void)fflush(NULL);
	const pid_t parent_pid = getpid();
	const pid_t pid = fork();
	if (pid == 0)
		child_main(p, i, parent_pid);
	if (pid < 0) {
		log_error("process.fork", "could not fork: %s", strerror(errno));
		return false;
	}
	p->children[i] = pid;
	return true;
}

/* ---- the parent ---- */

static bool
parent_open(struct parent *p)
{
	const struct process_conf *pc = p->pc;
	struct err_info info = { .code = ERR_OK };
	const unsigned n = MAX(pc->workers, 1);
	unsigned port = pc->port;
	enum err err = ERR_OK;
	if (pc->pid_file != NULL)
		err = file_pid_lock(pc->pid_file, &p->pid_fd, &info);
	if (err == ERR_OK)
		err = listen_open(pc->address, &port, pc->backlog, p->sockets, n, &info);
	if (err == ERR_OK)
		p->n_sockets = n;
	char text[16];
	(void)snprintf(text, sizeof(text), "%u\n", port);
	if (err == ERR_OK && pc->port_file != NULL)
		err = file_write(pc->port_file, text, &info);
	if (err != ERR_OK) {
		log_error("process.start", "%s", info.msg);
		return false;
	}
	log_info("process.ready", "listening on %s port %u with %u workers", pc->address, port,
		 pc->workers);
	return true;
}

static void
parent_close(struct parent *p)
{
	/* Only who got as far as the sockets has written the port file. */
	if (p->n_sockets > 0 && p->pc->port_file != NULL)
		(void)unlink(p->pc->port_file);
	for (unsigned i = 0; i < p->n_sockets; i++)
		(void)close(p->sockets[i]);
	file_pid_unlock(p->pid_fd);
}

static void
children_signal(const struct parent *p, int sig)
{
	for (unsigned i = 0; i < p->n_children; i++) {
		if (p->children[i] != 0)
			(void)kill(p->children[i], sig);
	}
}

static void
parent_stop(struct parent *p, int code)
{
	if (p->stopping)
		return;
	p->stopping = true;
	p->code = code;
	p->kill_at = clock_now_us() + p->pc->grace_us;
	children_signal(p, SIGTERM);
}

/* May one more child be restarted now? Remembers that it was. */
static bool
restart_allowed(struct parent *p)
{
	const unsigned max = MIN(p->pc->restart_max, RESTARTS_MAX);
	if (max == 0)
		return false;
	const usec_t now = clock_now_us();
	usec_t *oldest = &p->restarts[p->n_restarts % max];
	if (p->n_restarts >= max && now - *oldest < p->pc->restart_window)
		return false;
	*oldest = now;
	p->n_restarts++;
	return true;
}

/*
 * A jobs child that keeps dying must not take the workers with it: customers are served without jobs. It is started again after a
 * pause that doubles, and from the shortest one again once it has lived for a while.
 */
static void
jobs_ended(struct parent *p)
{
	const usec_t now = clock_now_us();
	const bool lived = now - p->jobs_started_at > JOBS_PAUSE_MAX;

	p->jobs_pause = lived || p->jobs_pause == 0 ? JOBS_PAUSE_MIN
						    : MIN(2 * p->jobs_pause, JOBS_PAUSE_MAX);
	p->jobs_restart_at = now + p->jobs_pause;
}

static void
jobs_restart(struct parent *p)
{
	p->jobs_restart_at = 0;
	p->jobs_started_at = clock_now_us();
	metric_add(p->restart_count, 1);
	if (!child_start(p, p->pc->workers))
		jobs_ended(p);
}

static void
child_ended(struct parent *p, unsigned i, int status)
{
	char who[24];
	(void)snprintf(who, sizeof(who), i == p->pc->workers ? "jobs" : "worker %u", i);
	p->children[i] = 0;
	const bool by_itself = WIFEXITED(status);
	const int code = by_itself ? WEXITSTATUS(status) : WTERMSIG(status);
	if (p->stopping) {
		if (code != 0)
			log_warn("process.ended", "%s ended with %s %d while stopping", who,
				 by_itself ? "code" : "signal", code);
		return;
	}
	log_error("process.ended", "%s ended with %s %d", who, by_itself ? "code" : "signal", code);
	if (by_itself && code == EXIT_CONFIG) {
		parent_stop(p, EXIT_CONFIG);
	} else if (i == p->pc->workers) {
		jobs_ended(p);
	} else if (!restart_allowed(p)) {
		log_error("process.gave_up", "more than %u restarts in %lld s; giving up",
			  p->pc->restart_max, (long long)(p->pc->restart_window / USEC_PER_SEC));
		parent_stop(p, EXIT_FAILED);
	} else {
		metric_add(p->restart_count, 1);
		if (!child_start(p, i))
			parent_stop(p, EXIT_FAILED);
	}
}

static unsigned
children_reap(struct parent *p)
{
	int status = 0;
	pid_t pid = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < p->n_children; i++) {
			if (p->children[i] == pid)
				child_ended(p, i, status);
		}
	}
	unsigned live = 0;
	for (unsigned i = 0; i < p->n_children; i++)
		live += p->children[i] != 0;
	return live;
}

/* The parent first: what a child started later inherits is not older than what its neighbours have read. */
static void
parent_reload(struct parent *p)
{
	const struct process_role role = { .listen_fd = -1 };
	if (p->pc->reload != NULL)
		p->pc->reload(&role, p->pc->arg);
	p->level = level_now();
	children_signal(p, SIGHUP);
}

static void
supervise(struct parent *p)
{
	sigset_t set;
	signal_set(&set);
	while (children_reap(p) > 0) {
		usec_t left = 60 * USEC_PER_SEC;
		if (!p->stopping && p->jobs_restart_at != 0) {
			left = p->jobs_restart_at - clock_now_us();
			if (left <= 0) {
				jobs_restart(p);
				continue;
			}
		}
		if (p->stopping) {
			left = p->kill_at - clock_now_us();
			if (left <= 0) {
				log_warn("process.grace",
					 "a child did not drain in time; killing it");
				children_signal(p, SIGKILL);
				left = USEC_PER_SEC;
			}
		}
		const struct timespec wait = {
			.tv_sec = (time_t)(left / USEC_PER_SEC),
			.tv_nsec = (long)(left % USEC_PER_SEC * 1000),
		};
		const int sig = sigtimedwait(&set, NULL, &wait);
		if (sig == SIGTERM || sig == SIGINT)
			parent_stop(p, EXIT_SUCCESS);
		else if (sig == SIGHUP)
			parent_reload(p);
		else if (sig == SIGUSR1)
			children_signal(p, sig);
	}
}

static void
parent_run(struct parent *p)
{
	metric_process(SLOT_PARENT);
	p->n_children = p->pc->workers + 1;
	for (unsigned i = 0; i < p->n_children && !p->stopping; i++) {
		if (!child_start(p, i))
			parent_stop(p, EXIT_CONFIG);
	}
	supervise(p);
}

int
process_run(const struct process_conf *pc)
{
	BUG_ON(pc->workers > PROCESS_WORKERS_MAX);
	struct parent p = { .pc = pc, .level = level_now(), .pid_fd = -1, .code = EXIT_SUCCESS };
	p.restart_count =
		metric_counter("process_restarts_total", NULL, "Children restarted by the parent.");
	metric_map();
	log_init(pc->name, pc->workers == 0 ? 0 : -1, p.level);
	sigset_t set;
	signal_set(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD,
		     SIG_DFL); /* may have been inherited as ignored: nothing to wait for then */
	if (!parent_open(&p)) {
		p.code = EXIT_CONFIG;
	} else if (pc->workers == 0) {
		metric_process(SLOT_WORKERS);
		const struct process_role role = { .is_worker = true,
						   .is_jobs = true,
						   .listen_fd = p.sockets[0] };
		p.code = frame_run(pc, role);
	} else {
		parent_run(&p);
	}
	log_info("process.stopped", "stopped with code %d", p.code);
	parent_close(&p);
	return p.code;
}
