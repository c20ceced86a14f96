/*
 * program.c — see program.h. One daemon a process, so what is being run is kept here.
 */
#include "daemon/program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define BACKLOG 1024
#define RESTART_MAX 10
#define RESTART_WINDOW (60 * USEC_PER_SEC)
#define DUMP_BYTES_MAX (1024 * 1024)

static const struct daemon_program *program;
static struct daemon_args arguments;
static struct conf_key keys[DAEMON_KEYS_MAX];
static size_t n_keys;

void
daemon_secret_forget(const char **secret)
{
	char *p = (char *)(uintptr_t)*secret;
	explicit_bzero(p, strlen(p));
	*secret = "";
}

static void
reload(const struct process_role *role UNUSED, void *arg UNUSED)
{
	struct daemon_config *fresh = calloc(1, program->config_bytes);
	if (fresh == NULL)
		return;
	daemon_conf_reload(&arguments, keys, n_keys, fresh, &fresh->log_level);
	free(fresh);
}

static void
dump(const struct process_role *role UNUSED, void *arg UNUSED)
{
	struct buf out;
	buf_init(&out, DUMP_BYTES_MAX);
	task_dump(*program->tasks, &out);
	fprintf(stderr, "%.*s\n", STR_FMT(buf_str(&out)));
	buf_free(&out);
}

static int
serve(void)
{
	const struct daemon_config *config = program->config;

	program->metrics();
	return process_run(&(struct process_conf) {
		.name = program->name,
		.address = config->http_address,
		.port = (unsigned)config->http_port,
		.port_file = config->http_port_file[0] != '\0' ? config->http_port_file : NULL,
		.pid_file = config->pid_file[0] != '\0' ? config->pid_file : NULL,
		.workers = arguments.foreground ? 0 : (unsigned)config->http_workers,
		.backlog = BACKLOG,
		.grace_us = config->http_grace,
		.restart_max = RESTART_MAX,
		.restart_window = RESTART_WINDOW,
		.start = program->start,
		.stop = program->stop,
		.finish = program->finish,
		.reload = reload,
		.dump = dump,
	});
}

static int
run(void)
{
	enum log_level level = LOG_INFO;

	if (log_level_parse(program->config->log_level, &level) != ERR_OK) {
		fprintf(stderr,
			"log.level: \"%s\" is not a level (error, warn, info, debug, trace)\n",
			program->config->log_level);
		return 2;
	}
	if (program->check() != ERR_OK)
		return 2;
	if (arguments.check_config)
		printf("configuration OK\n");
	if (arguments.check_config || arguments.print_config)
		return 0;
	log_init(program->name, -1, level);
	signal(SIGPIPE, SIG_IGN);
	return arguments.command != NULL ? program->command(&arguments) : serve();
}

int
daemon_program_run(int argc, char **argv, const struct daemon_program *p)
{
	struct conf conf;
	char name[64];
	int exit_code = 0;

	program = p;
	snprintf(name, sizeof(name), "bimodal-%s", p->name);
	if (!daemon_args_parse(argc, argv, name, p->commands, p->n_commands, &arguments,
			       &exit_code))
		return exit_code;
	n_keys = daemon_config_join(&p->defaults, p->keys, p->n_keys, keys);
	exit_code =
		daemon_conf_load(&arguments, &conf, keys, n_keys, p->config) == ERR_OK ? run() : 2;
	p->release();
	conf_free(&conf);
	return exit_code;
}
