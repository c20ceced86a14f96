/*
 * program.c — see program.h. One daemon a process, so what is being run is kept here.
 */
#include "daemon/program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/tls.h"

#define BACKLOG 1024
#define RESTART_MAX 10
#define RESTART_WINDOW (60 * USEC_PER_SEC)
#define MAX_TASKS 16384
#define COMMAND_TASKS 64
#define DUMP_BYTES_MAX (1024 * 1024)

static const struct daemon_program *program;
static struct daemon_args arguments;
static struct conf_key keys[DAEMON_KEYS_MAX];
static struct daemon_conf_plan plan = { .keys = keys };

static void
secrets_forget(const char **const *secrets)
{
	for (; secrets != NULL && *secrets != NULL; secrets++) {
		char *p = (char *)(uintptr_t) * *secrets;
		explicit_bzero(p, strlen(p));
		**secrets = "";
	}
}

static void
reload(const struct process_role *role UNUSED, void *arg UNUSED)
{
	struct daemon_config *fresh = calloc(1, program->config_bytes);
	if (fresh == NULL)
		return;
	daemon_conf_reload(&arguments, &plan, fresh);
	free(fresh);
}

static void
begin(struct loop *l, unsigned max_tasks)
{
	*program->loop = l;
	*program->tasks = task_engine_create(l, max_tasks);
	arena_init(program->strings, ARENA_CAP_BYTES);
}

static enum err
start(const struct process_role *role, void *arg UNUSED, struct err_info *info)
{
	enum err err = ERR_OK;

	begin(role->loop, MAX_TASKS);
	/* The jobs child serves nobody: it must not hold the private key. */
	if (!role->is_worker)
		daemon_tls_forget();
	if (!role->is_jobs)
		secrets_forget(program->jobs_secrets);
	if (!role->is_worker)
		secrets_forget(program->worker_secrets);
	if (role->is_jobs)
		err = program->jobs_start(program->arg, info);
	if (err == ERR_OK && role->is_worker)
		err = program->worker_start(program->arg, role, info);
	if (err == ERR_OK && role->is_worker)
		daemon_tls_watch(role->loop, role->worker == 0);
	return err;
}

static void
stop(const struct process_role *role, void *arg UNUSED)
{
	if (role->is_worker)
		program->worker_stop(program->arg);
	else
		loop_stop(*program->loop);
}

static void
finish(const struct process_role *role, void *arg UNUSED)
{
	daemon_tls_unwatch();
	if (role->is_worker)
		program->worker_finish(program->arg);
	if (role->is_jobs)
		program->jobs_finish(program->arg);
	if (program->finish != NULL)
		program->finish(program->arg);
	task_engine_destroy(*program->tasks);
	program->ended(program->arg);
	arena_release(program->strings);
}

static int
command(void)
{
	struct loop *l = loop_create();

	begin(l, COMMAND_TASKS);
	const int exit_code = program->command(&arguments);
	task_engine_destroy(*program->tasks);
	loop_destroy(l);
	arena_release(program->strings);
	return exit_code;
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
	daemon_tls_metrics();
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
		.start = start,
		.stop = stop,
		.finish = finish,
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
	if (arguments.print_routes) {
		bool first = true;
		program->print_routes(&first);
		puts(first ? "[]" : "]");
	}
	if (arguments.check_config || arguments.print_config || arguments.print_routes)
		return 0;
	log_init(program->name, -1, level);
	signal(SIGPIPE, SIG_IGN);
	return arguments.command != NULL ? command() : serve();
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
	plan.n_keys = daemon_config_join(&p->defaults, p->keys, p->n_keys, keys);
	plan.rules = p->rules;
	exit_code = daemon_conf_load(&arguments, &conf, &plan, p->config) == ERR_OK ? run() : 2;
	p->release();
	daemon_tls_forget();
	conf_free(&conf);
	return exit_code;
}
