/*
 * daemon.h — what both daemons do alike: command-line arguments, the configuration modes, one-off commands that run a task and
 * exit, and the open routes /healthz, /readyz, /metrics.
 */
#ifndef BIMODAL_DAEMON_DAEMON_H
#define BIMODAL_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "base/task.h"
#include "http/http.h"
#include "postgres/postgres.h"

#define DAEMON_VERSION "0.1.0"
#define DAEMON_FILES_MAX 8

/* A one-off command of the daemon, such as --migrate. Its steps run on a private loop without HTTP; t_owner is the daemon's argument. */
struct daemon_command {
	const char *name;     /* "migrate": called as --migrate     */
	const char *argument; /* "NAME:ROLE:AUDIENCE" or NULL: none */
	const char *help;
	const struct step_row *steps;
};

struct daemon_args {
	const char *files[DAEMON_FILES_MAX];
	size_t n_files;
	bool foreground;
	bool check_config;
	bool print_config;
	bool print_routes;
	const struct daemon_command *command; /* NULL: serve            */
	const char *command_argument;
	bool force; /* --force: for the command, if it knows it */
};

/* Parse argv. Returns true to go on; false when the program should exit with *exit_code (help, version, a wrong argument). */
bool daemon_args_parse(int argc, char **argv, const char *program,
		       const struct daemon_command *commands, size_t n_commands,
		       struct daemon_args *out, int *exit_code);

/* What is read, and by which rules over several keys beside the common ones (errors by conf_error; NULL: none). */
struct daemon_config;
struct daemon_conf_plan {
	const struct conf_key *keys;
	size_t n_keys;
	void (*rules)(const struct conf *c, const struct daemon_config *config,
		      struct yaml_errors *e);
};

/* Load the configuration into `values`; on errors print all of them and return ERR_CONFIG. Prints it for --print-config. */
MUST_CHECK enum err daemon_conf_load(const struct daemon_args *args, struct conf *c,
				     const struct daemon_conf_plan *plan,
				     struct daemon_config *values);

/*
 * SIGHUP: read the configuration into `scratch` (a zeroed struct of the daemon's) and take over what may change while it runs: the
 * log level, certificate and key. With errors they are logged and everything stays as it is. Keys that need a restart are left
 * alone.
 */
void daemon_conf_reload(const struct daemon_args *args, const struct daemon_conf_plan *plan,
			struct daemon_config *scratch);

/*
 * --print-routes: the routes of one room as JSON objects, one a line; `first` is taken back with the first one. What is tested against
 * the rights table (tests/api/rights.yaml).
 */
void daemon_routes_print(const struct http_route *routes, size_t n, bool *first);

/* Run the command's steps to their end within `deadline`. Returns the exit code; the error is printed on stderr. */
int daemon_command_run(const struct daemon_command *command, usec_t deadline, struct loop *l,
		       struct task_engine *e, void *owner);

/*
 * The open routes. `ready` says whether the process can serve and, if not, which part is missing (a JSON object into `detail`).
 * Source: RFC 9110 503 for "not ready", so that a proxy takes the instance out.
 */
typedef bool daemon_ready_fn(struct buf *detail, void *arg);
void daemon_health_set(daemon_ready_fn *ready, void *arg);
/*
 * Listen once `ready` says yes for the first time, so that nobody is answered 503 by a worker that has just been started while its
 * neighbours could serve; after DAEMON_OPEN_WAIT in any case, so that /readyz can say what is missing. Errors are logged.
 */
#define DAEMON_OPEN_WAIT (3 * USEC_PER_SEC)
MUST_CHECK enum err daemon_listen_when_ready(struct task_engine *e, struct http_server *s,
					     int listen_fd);
extern const struct http_route daemon_health_routes[];
extern const size_t daemon_health_routes_count;

/*
 * The access line of a finished request: id, route, status, ms, actor's id, error. Pass as http_conf.on_end; `arg` points to
 * a struct daemon_access: this floor does not know who principals are, so it asks.
 */
struct daemon_access {
	const char *(*actor)(const struct task *t); /* the principal's id, or NULL */
};
void daemon_access_line(struct task *t, int status, size_t bytes, void *arg);

#endif
