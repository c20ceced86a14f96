/*
 * main.c — bimodal-core, the Mode 1 service: arguments, configuration, one-off commands, and the parent with its workers and jobs
 * child. What a worker and the jobs child hold is in worker.c and jobs.c.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "core/change/change.h"
#include "core/core.h"
#include "core/events/events.h"
#include "core/feed/feed.h"
#include "core/flags/flags.h"
#include "core/install/install.h"
#include "core/principals/principals.h"
#include "core/promotion/promotion.h"
#include "daemon/daemon.h"

#define MAX_TASKS 16384
#define COMMAND_DEADLINE (600 * USEC_PER_SEC)
#define RESTART_MAX 10
#define RESTART_WINDOW (60 * USEC_PER_SEC)

static struct core core;
static struct daemon_args arguments;

static const struct daemon_command commands[] = {
	{ .name = "migrate",
	  .help = "bring core's and the airlock's databases to this version's base schema, exit",
	  .steps = core_install_migrate },
	{ .name = "create-token",
	  .argument = "NAME:ROLE:AUDIENCE",
	  .help = "make a principal with a role and print a token for core or sandbox, exit",
	  .steps = core_principals_create_token },
};

const char *
core_conninfo(struct core *c, const struct core_login *login)
{
	return postgres_conninfo(&c->strings, login->host, login->port, login->name, login->user,
				 login->password,
				 "connect_timeout=5 target_session_attrs=read-write "
				 "keepalives_idle=10 keepalives_interval=5 tcp_user_timeout=15000");
}

struct core_login
core_executor_login(const struct core *c)
{
	struct core_login login = c->config.database;
	login.user = c->config.executor_user;
	login.password = c->config.executor_password;
	return login;
}

enum err
core_job_pool(struct core *c, const char *label, const struct core_login *login,
	      usec_t statement_timeout, struct postgres_pool **out, struct err_info *info)
{
	static const struct postgres_stmt *const none[] = { NULL };
	return postgres_pool_create(
		c->loop, c->tasks,
		&(struct postgres_conf) {
			.label = label,
			.conninfo = core_conninfo(c, login),
			.lanes = { [POSTGRES_SLOW] = { .connections = 1,
						       .depth = 1,
						       .queue_max = 100,
						       .statement_timeout = statement_timeout } },
			.stmts = none,
			.worker = -2,
		},
		out, info);
}

/* ---- one-off commands ---- */

static int
command_run(const struct daemon_args *args)
{
	struct err_info info = { .code = ERR_OK };
	const struct core_login executor = core_executor_login(&core);

	core.loop = loop_create();
	core.tasks = task_engine_create(core.loop, 64);
	arena_init(&core.strings, ARENA_CAP_BYTES);
	enum err err = core_job_pool(&core, "core/command", &executor, COMMAND_DEADLINE,
				     &core.executor, &info);
	if (err == ERR_OK && core.config.airlock.password[0] != '\0')
		err = core_job_pool(&core, "airlock/command", &core.config.airlock,
				    COMMAND_DEADLINE, &core.airlock, &info);
	int exit_code = 1;
	if (err != ERR_OK) {
		fprintf(stderr, "could not connect: %s\n", info.msg);
	} else if (strcmp(args->command->name, "migrate") == 0) {
		struct core_install_order order = { .core = core.executor,
						    .airlock = core.airlock };
		exit_code = daemon_command_run(args->command, COMMAND_DEADLINE, core.loop,
					       core.tasks, &order);
	} else {
		struct core_principals_order order = { .pool = core.executor,
						       .argument = args->command_argument };
		exit_code = daemon_command_run(args->command, COMMAND_DEADLINE, core.loop,
					       core.tasks, &order);
	}
	postgres_pool_destroy(core.executor);
	postgres_pool_destroy(core.airlock);
	task_engine_destroy(core.tasks);
	loop_destroy(core.loop);
	arena_release(&core.strings);
	return exit_code;
}

/* ---- serving ---- */

/* A worker answers the outside: it must not even hold what would let it change the schema. */
static void
forget_secret(const char **secret)
{
	char *p = (char *)(uintptr_t)*secret;
	explicit_bzero(p, strlen(p));
	*secret = "";
}

static enum err
process_start(const struct process_role *role, void *arg UNUSED, struct err_info *info)
{
	core.loop = role->loop;
	core.tasks = task_engine_create(core.loop, MAX_TASKS);
	arena_init(&core.strings, ARENA_CAP_BYTES);
	if (role->is_worker && !role->is_jobs) {
		forget_secret(&core.config.executor_password);
		forget_secret(&core.config.airlock.password);
		forget_secret(&core.config.rehearsal.password);
	}
	enum err err = ERR_OK;
	if (role->is_jobs)
		err = core_jobs_start(&core, info);
	if (err == ERR_OK && role->is_worker)
		err = core_worker_start(&core, role, info);
	return err;
}

static void
process_stop(const struct process_role *role, void *arg UNUSED)
{
	if (role->is_worker)
		core_worker_stop(&core); /* ends the loop once drained */
	else
		loop_stop(core.loop);
}

static void
process_finish(const struct process_role *role, void *arg UNUSED)
{
	if (role->is_worker)
		core_worker_finish(&core);
	if (role->is_jobs)
		core_jobs_finish(&core);
	task_engine_destroy(core.tasks);
	/* What tasks use until their end: */
	record_engine_destroy(core.records);
	daemon_generations_stop(core.generations);
	daemon_jobs_destroy(core.jobs);
	arena_release(&core.strings);
}

static void
process_reload(const struct process_role *role UNUSED, void *arg UNUSED)
{
	static struct core_config fresh;
	daemon_conf_reload(&arguments, core_config_keys, core_config_keys_count, &fresh,
			   &fresh.log_level);
}

static void
process_dump(const struct process_role *role UNUSED, void *arg UNUSED)
{
	struct buf out;
	buf_init(&out, 1024 * 1024);
	task_dump(core.tasks, &out);
	fprintf(stderr, "%.*s\n", STR_FMT(buf_str(&out)));
	buf_free(&out);
}

static void
metrics_register(void)
{
	postgres_metrics("core/app");
	postgres_metrics("core/lead");
	postgres_metrics("core/executor");
	postgres_metrics("core/airlock");
	postgres_metrics("core/rehearsal");
	postgres_metrics("core/rehearsed");
	core_promotion_metrics();
	core_change_metrics();
	daemon_jobs_metrics();
	core_events_metrics();
	core_feed_metrics();
	core_flags_metrics();
	core_worker_metrics();
}

static int
serve(const struct daemon_args *args)
{
	const struct core_config *config = &core.config;

	metrics_register();
	return process_run(&(struct process_conf) {
		.name = "core",
		.address = config->http_address,
		.port = (unsigned)config->http_port,
		.port_file = config->http_port_file[0] != '\0' ? config->http_port_file : NULL,
		.pid_file = config->pid_file[0] != '\0' ? config->pid_file : NULL,
		.workers = args->foreground ? 0 : (unsigned)config->http_workers,
		.backlog = 1024,
		.grace_us = config->http_grace,
		.restart_max = RESTART_MAX,
		.restart_window = RESTART_WINDOW,
		.start = process_start,
		.stop = process_stop,
		.finish = process_finish,
		.reload = process_reload,
		.dump = process_dump,
	});
}

static enum err
roles_load(void)
{
	struct yaml_errors errors;
	yaml_errors_init(&errors);
	const enum err err = access_roles_load(core.config.roles_file, &core.roles, &errors);
	if (err != ERR_OK)
		fprintf(stderr, "%.*s", STR_FMT(buf_str(&errors.text)));
	yaml_errors_free(&errors);
	return err;
}

int
main(int argc, char **argv)
{
	int exit_code = 0;

	if (!daemon_args_parse(argc, argv, "bimodal-core", commands, ARRAY_LEN(commands),
			       &arguments, &exit_code))
		return exit_code;
	if (daemon_conf_load(&arguments, &core.conf, core_config_keys, core_config_keys_count,
			     &core.config) != ERR_OK ||
	    roles_load() != ERR_OK) {
		conf_free(&core.conf);
		return 2;
	}
	enum log_level level = LOG_INFO;
	if (log_level_parse(core.config.log_level, &level) != ERR_OK) {
		fprintf(stderr,
			"log.level: \"%s\" is not a level (error, warn, info, debug, trace)\n",
			core.config.log_level);
		exit_code = 2;
	} else if (arguments.check_config) {
		printf("configuration OK\n");
	} else if (!arguments.print_config) {
		log_init("core", -1, level);
		signal(SIGPIPE, SIG_IGN);
		exit_code = arguments.command != NULL ? command_run(&arguments) : serve(&arguments);
	}
	access_roles_free(core.roles);
	conf_free(&core.conf);
	return exit_code;
}
