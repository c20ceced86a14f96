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
	/* Run one of the commands; returns the exit code. */
	int (*command)(const struct daemon_args *args);
	/* As in struct process_conf. */
	enum err (*start)(const struct process_role *role, void *arg, struct err_info *info);
	void (*stop)(const struct process_role *role, void *arg);
	void (*finish)(const struct process_role *role, void *arg);
	/* At the end, in every case. */
	void (*release)(void);
	struct task_engine *const *tasks; /* where the engine of this process stands, for SIGUSR1 */
};

/* Returns the exit code of main. */
int daemon_program_run(int argc, char **argv, const struct daemon_program *program);

/* Overwrite a secret of the configuration that this process must not hold. */
void daemon_secret_forget(const char **secret);

#endif
