/*
 * process.h — the shape of a daemon: a small parent that owns the listening sockets (one SO_REUSEPORT socket a worker), forks N
 * workers and one jobs child, restarts them within an intensity limit, and forwards signals. No libpq here.
 *
 * The jobs child is restarted with a growing pause and never makes the parent give up: serving does not depend on it.
 *
 * SIGTERM/SIGINT stop gracefully (workers drain within grace_us), SIGHUP is passed on, SIGUSR1 dumps tasks. With
 * workers = 0 (--foreground) everything runs in this one process: worker 0 and the jobs on the same loop.
 */
#ifndef BIMODAL_BASE_PROCESS_H
#define BIMODAL_BASE_PROCESS_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/loop.h"

#define PROCESS_WORKERS_MAX 64

struct process_role {
	bool is_worker;  /* serves HTTP on `listen_fd`        */
	bool is_jobs;    /* runs the background jobs          */
	unsigned worker; /* 0…N-1; meaningless for jobs alone */
	int listen_fd;   /* -1 for the jobs child             */
	struct loop *loop;
};

struct process_conf {
	const char *name;    /* "core"                         */
	const char *address; /* numeric: "127.0.0.1", "::1"; TCP only */
	unsigned port;       /* 0 picks one; logged and written to port_file */
	const char *
		port_file; /* NULL or a path that receives "PORT\n" once listening, before the fork */
	const char *
		pid_file; /* NULL or a path; locked (flock) while we live, so a second start fails plainly */
	unsigned workers; /* 0 = foreground                  */
	unsigned backlog;
	usec_t grace_us;       /* time to drain before SIGKILL    */
	unsigned restart_max;  /* MaxR: restarts …                */
	usec_t restart_window; /* … within MaxT, else the parent gives up and exits non-zero */
	/*
	 * Run one process: set up on role->loop and return; then the loop runs until SIGTERM calls `stop`. On an error it has
	 * cleaned up after itself (`finish` is not called) and the process ends with code 2 (ERR_CONFIG: not restarted, the
	 * whole daemon ends with 2) or 1 (restarted within the limit). `reload` and `dump` may be NULL; SIGTERM comes once.
	 */
	enum err (*start)(const struct process_role *role, void *arg, struct err_info *info);
	void (*stop)(const struct process_role *role,
		     void *arg); /* begin to drain; call loop_stop(role->loop) when drained */
	void (*finish)(const struct process_role *role,
		       void *arg); /* loop has ended: free everything (leak checkers) */
	void (*reload)(const struct process_role *role,
		       void *arg); /* SIGHUP; in the parent, too: neither worker nor jobs */
	void (*dump)(const struct process_role *role, void *arg); /* SIGUSR1 */
	void *arg;
};

/*
 * Runs until stopped. Returns the exit code: 0 clean, 1 a child failed for good, 2 could not start. Registers the metric
 * process_restarts_total and makes the shared mapping (metric_map), so all other metrics are registered before.
 * TERM, INT, HUP and USR1 stay blocked on return: a late one must not change the exit code.
 */
int process_run(const struct process_conf *pc);

#endif
