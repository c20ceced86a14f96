/*
 * program.h — the main of a daemon: arguments, configuration, one-off commands, the parent with its workers and jobs child. A daemon
 * gives what is its own in one struct.
 */
#ifndef BIMODAL_DAEMON_PROGRAM_H
#define BIMODAL_DAEMON_PROGRAM_H

#include <stddef.h>

#include "base/process.h"
#include "daemon/config.h"
#include "daemon/daemon.h"

struct daemon_program {
	const char *name; /* "core": of the processes and in logs; the program is bimodal-<name> */
	const struct daemon_command *commands;
	size_t n_commands;

	struct daemon_config_defaults defaults;
	const struct conf_key *keys; /* the daemon's own */
	size_t n_keys;
	struct daemon_config *config; /* begins the daemon's configuration struct … */
	size_t config_bytes;          /* … which is so large */

	/* Rules over several of its own keys; NULL: none. */
	void (*rules)(const struct conf *c, const struct daemon_config *config,
		      struct yaml_errors *e);
	/* After the configuration is read: whatever else must be right before anything starts (printed by itself). */
	MUST_CHECK enum err (*check)(void);
	/* For --print-routes: all routes of the daemon, by daemon_routes_print. */
	void (*print_routes)(bool *first);
	/* Before the fork: every process must know the same metrics in the same order. */
	void (*metrics)(void);
	/* Run one of the commands; returns the exit code. Loop, engine and strings are there, and are ended afterwards. */
	int (*command)(const struct daemon_args *args);

	/* What every process has stands in the daemon's own struct; it is made before anything else, and ended after everything. */
	struct loop **loop;
	struct task_engine **tasks;
	struct arena *strings; /* texts that live as long as the process */
	/* Of the configuration, NULL ends them (or is none): for the jobs child alone, because a worker answers the outside and must not
	 * even hold them; and for the workers alone. */
	const char **const *jobs_secrets;
	const char **const *worker_secrets;

	void *arg; /* of all below */
	/* A process may be both. Each part is finished although its start has failed. */
	MUST_CHECK enum err (*jobs_start)(void *arg, struct err_info *info);
	MUST_CHECK enum err (*worker_start)(void *arg, const struct process_role *role,
					    struct err_info *info);
	void (*worker_stop)(void *arg); /* ends the loop once drained: daemon_drain */
	void (*worker_finish)(void *arg);
	void (*jobs_finish)(void *arg);
	void (*finish)(void *arg); /* what both parts share; NULL: nothing */
	/* After the last task has ended: what tasks use until then. */
	void (*ended)(void *arg);
	/* At the end, in every case. */
	void (*release)(void);
};

/* Returns the exit code of main. */
int daemon_program_run(int argc, char **argv, const struct daemon_program *program);

#endif
