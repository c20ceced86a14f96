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
#include "daemon/program.h"

#define MAX_TASKS 16384
#define COMMAND_DEADLINE (600 * USEC_PER_SEC)

static struct sandbox sandbox;

static const struct daemon_command commands[] = {
	{ .name = "migrate",
	  .help = "bring the sandbox's database to this version's base schema, exit",
	  .steps = sandbox_install_migrate },
};

/* ---- one-off commands ---- */

static int
command_run(const struct daemon_args *args)
{
	struct err_info info = { .code = ERR_OK };
	const struct daemon_login deployer = sandbox_deployer_login(&sandbox);
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

static enum err
process_start(const struct process_role *role, void *arg UNUSED, struct err_info *info)
{
	sandbox.loop = role->loop;
	sandbox.tasks = task_engine_create(sandbox.loop, MAX_TASKS);
	arena_init(&sandbox.strings, ARENA_CAP_BYTES);
	/* A worker answers the outside: it must not even hold what would let it change the schema. */
	if (role->is_worker && !role->is_jobs)
		daemon_secret_forget(&sandbox.config.deployer_password);
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

static enum err
roles_load(void)
{
	struct yaml_errors errors;
	yaml_errors_init(&errors);
	const enum err err =
		access_roles_load(sandbox.config.common.roles_file, &sandbox.roles, &errors);
	if (err != ERR_OK)
		fprintf(stderr, "%.*s", STR_FMT(buf_str(&errors.text)));
	yaml_errors_free(&errors);
	return err;
}

static void
release(void)
{
	access_roles_free(sandbox.roles);
}

int
main(int argc, char **argv)
{
	return daemon_program_run(argc, argv,
				  &(struct daemon_program) {
					  .name = "sandbox",
					  .commands = commands,
					  .n_commands = ARRAY_LEN(commands),
					  .defaults = { .instance = "sandbox-1",
							.http_port = "7420",
							.database_port = "7403" },
					  .keys = sandbox_config_keys,
					  .n_keys = sandbox_config_keys_count,
					  .config = &sandbox.config.common,
					  .config_bytes = sizeof(sandbox.config),
					  .rules = sandbox_config_rules,
					  .check = roles_load,
					  .print_routes = sandbox_worker_routes,
					  .metrics = metrics_register,
					  .command = command_run,
					  .start = process_start,
					  .stop = process_stop,
					  .finish = process_finish,
					  .release = release,
					  .tasks = &sandbox.tasks,
				  });
}
