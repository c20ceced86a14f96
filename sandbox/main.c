/*
 * main.c — bimodal-sandbox, the Mode 2 service: arguments, configuration, one-off commands, and the parent with its workers and jobs
 * child. What a worker and the jobs child hold is in worker.c and jobs.c.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "flag/flag.h"
#include "sandbox/sandbox.h"
#include "sandbox/install/install.h"
#include "sandbox/replica/heal.h"
#include "sandbox/replica/replica.h"
#include "daemon/daemon.h"

#define MAX_TASKS 16384
#define COMMAND_DEADLINE (600 * USEC_PER_SEC)
#define RESTART_MAX 10
#define RESTART_WINDOW (60 * USEC_PER_SEC)

static struct sandbox sandbox;
static struct daemon_args arguments;

static const struct daemon_command commands[] = {
	{ .name = "migrate",
	  .help = "bring the sandbox's database to this version's base schema, exit",
	  .steps = sandbox_install_migrate },
};

const char *
sandbox_conninfo(struct sandbox *c, const struct sandbox_login *login)
{
	return postgres_conninfo(&c->strings, login->host, login->port, login->name, login->user,
				 login->password,
				 "connect_timeout=5 target_session_attrs=read-write "
				 "keepalives_idle=10 keepalives_interval=5 tcp_user_timeout=15000");
}

struct sandbox_login
sandbox_deployer_login(const struct sandbox *c)
{
	struct sandbox_login login = c->config.database;
	login.user = c->config.deployer_user;
	login.password = c->config.deployer_password;
	return login;
}

enum err
sandbox_job_pool(struct sandbox *c, const char *label, const struct sandbox_login *login,
		 unsigned connections, const char *extra, usec_t statement_timeout,
		 struct postgres_pool **out, struct err_info *info)
{
	const char *conninfo = sandbox_conninfo(c, login);
	if (extra != NULL && conninfo != NULL)
		conninfo = arena_printf(&c->strings, "%s %s", conninfo, extra);
	static const struct postgres_stmt *const none[] = { NULL };
	return postgres_pool_create(
		c->loop, c->tasks,
		&(struct postgres_conf) {
			.label = label,
			.conninfo = conninfo,
			.lanes = { [POSTGRES_SLOW] = { .connections = connections,
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
	const struct sandbox_login deployer = sandbox_deployer_login(&sandbox);
	int exit_code = 1;

	sandbox.loop = loop_create();
	sandbox.tasks = task_engine_create(sandbox.loop, 64);
	arena_init(&sandbox.strings, ARENA_CAP_BYTES);
	if (sandbox_job_pool(&sandbox, "sandbox/command", &deployer, 1, NULL, COMMAND_DEADLINE,
			     &sandbox.lead, &info) != ERR_OK)
		fprintf(stderr, "could not connect: %s\n", info.msg);
	else
		exit_code = daemon_command_run(args->command, COMMAND_DEADLINE, sandbox.loop,
					       sandbox.tasks, sandbox.lead);
	postgres_pool_destroy(sandbox.lead);
	task_engine_destroy(sandbox.tasks);
	loop_destroy(sandbox.loop);
	arena_release(&sandbox.strings);
	return exit_code;
}

/* ---- serving ---- */

void
sandbox_core_start(struct sandbox *c)
{
	if (c->core == NULL)
		c->core = http_client_create(c->loop, c->tasks,
					     &(struct http_client_conf) {
						     .base = c->config.core_url,
						     .token = c->config.core_token,
						     .timeout = c->config.core_timeout,
					     });
}

struct feature_runtime *
sandbox_runtime(struct sandbox *c, int worker, bool measures)
{
	return feature_runtime_create(c->loop, c->tasks,
				      &(struct feature_runtime_conf) {
					      .label = SANDBOX_FEATURE_LABEL,
					      .worker = worker,
					      .statement_timeout = c->config.feature_query_timeout,
					      .metric_timeout = c->config.feature_metric_timeout,
					      .measures = measures,
				      });
}

void
sandbox_shared_finish(struct sandbox *c)
{
	feature_runtime_destroy(c->features);
	feature_runtime_destroy(c->metrics);
	c->features = NULL;
	c->metrics = NULL;
	http_client_destroy(c->core);
	c->core = NULL;
}

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
	sandbox.loop = role->loop;
	sandbox.tasks = task_engine_create(sandbox.loop, MAX_TASKS);
	arena_init(&sandbox.strings, ARENA_CAP_BYTES);
	if (role->is_worker && !role->is_jobs)
		forget_secret(&sandbox.config.deployer_password);
	enum err err = ERR_OK;
	if (role->is_jobs)
		err = sandbox_jobs_start(&sandbox, info);
	if (err == ERR_OK && role->is_worker)
		err = sandbox_worker_start(&sandbox, role, info);
	return err;
}

static void
process_stop(const struct process_role *role, void *arg UNUSED)
{
	if (role->is_worker)
		sandbox_worker_stop(&sandbox); /* ends the loop once drained */
	else
		loop_stop(sandbox.loop);
}

static void
process_finish(const struct process_role *role, void *arg UNUSED)
{
	if (role->is_worker)
		sandbox_worker_finish(&sandbox);
	if (role->is_jobs)
		sandbox_jobs_finish(&sandbox);
	sandbox_shared_finish(&sandbox);
	task_engine_destroy(sandbox.tasks);
	/* What tasks use until their end: */
	record_engine_destroy(sandbox.records);
	daemon_generations_stop(sandbox.generations);
	daemon_jobs_destroy(sandbox.jobs);
	arena_release(&sandbox.strings);
}

static void
process_reload(const struct process_role *role UNUSED, void *arg UNUSED)
{
	static struct sandbox_config fresh;
	daemon_conf_reload(&arguments, sandbox_config_keys, sandbox_config_keys_count, &fresh,
			   &fresh.log_level);
}

static void
process_dump(const struct process_role *role UNUSED, void *arg UNUSED)
{
	struct buf out;
	buf_init(&out, 1024 * 1024);
	task_dump(sandbox.tasks, &out);
	fprintf(stderr, "%.*s\n", STR_FMT(buf_str(&out)));
	buf_free(&out);
}

static void
metrics_register(void)
{
	postgres_metrics("sandbox/app");
	postgres_metrics("sandbox/lead");
	postgres_metrics("sandbox/deployer");
	postgres_metrics("sandbox/apply");
	feature_runtime_metrics(SANDBOX_FEATURE_LABEL);
	flag_metrics();
	daemon_jobs_metrics();
	sandbox_replica_metrics();
	sandbox_heal_metrics();
	sandbox_worker_metrics();
}

static int
serve(const struct daemon_args *args)
{
	const struct sandbox_config *config = &sandbox.config;

	metrics_register();
	return process_run(&(struct process_conf) {
		.name = "sandbox",
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
	const enum err err = access_roles_load(sandbox.config.roles_file, &sandbox.roles, &errors);
	if (err != ERR_OK)
		fprintf(stderr, "%.*s", STR_FMT(buf_str(&errors.text)));
	yaml_errors_free(&errors);
	return err;
}

int
main(int argc, char **argv)
{
	int exit_code = 0;

	if (!daemon_args_parse(argc, argv, "bimodal-sandbox", commands, ARRAY_LEN(commands),
			       &arguments, &exit_code))
		return exit_code;
	if (daemon_conf_load(&arguments, &sandbox.conf, sandbox_config_keys,
			     sandbox_config_keys_count, &sandbox.config) != ERR_OK ||
	    roles_load() != ERR_OK) {
		conf_free(&sandbox.conf);
		return 2;
	}
	enum log_level level = LOG_INFO;
	if (log_level_parse(sandbox.config.log_level, &level) != ERR_OK) {
		fprintf(stderr,
			"log.level: \"%s\" is not a level (error, warn, info, debug, trace)\n",
			sandbox.config.log_level);
		exit_code = 2;
	} else if (arguments.check_config) {
		printf("configuration OK\n");
	} else if (!arguments.print_config) {
		log_init("sandbox", -1, level);
		signal(SIGPIPE, SIG_IGN);
		exit_code = arguments.command != NULL ? command_run(&arguments) : serve(&arguments);
	}
	access_roles_free(sandbox.roles);
	conf_free(&sandbox.conf);
	return exit_code;
}
