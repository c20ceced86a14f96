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
#include "sandbox/document/document.h"
#include "sandbox/install/install.h"
#include "sandbox/replica/heal.h"
#include "sandbox/replica/replica.h"
#include "daemon/program.h"

#define COMMAND_DEADLINE (600 * USEC_PER_SEC)

static struct sandbox sandbox;

static const struct daemon_command commands[] = {
	{ .name = "migrate",
	  .help = "bring the sandbox's database to this version's base schema, exit",
	  .steps = sandbox_install_migrate },
	{ .name = "print-openapi",
	  .help = "print the whole description of the API (OpenAPI 3.1, JSON), exit",
	  .steps = sandbox_document_print },
};

/* ---- one-off commands ---- */

static int
command_run(const struct daemon_args *args)
{
	struct err_info info = { .code = ERR_OK };
	const struct daemon_login deployer = sandbox_deployer_login(&sandbox);
	int exit_code = 1;

	if (sandbox_job_pool(&sandbox, "sandbox/command", &deployer, 1, NULL, COMMAND_DEADLINE,
			     &sandbox.lead, &info) != ERR_OK)
		fprintf(stderr, "could not connect: %s\n", info.msg);
	else if (strcmp(args->command->name, "print-openapi") == 0 &&
		 sandbox_worker_describe(&info) != ERR_OK)
		fprintf(stderr, "%s\n", info.msg);
	else
		exit_code = daemon_command_run(args->command, COMMAND_DEADLINE, sandbox.loop,
					       sandbox.tasks, sandbox.lead);
	sandbox_document_stop();
	postgres_pool_destroy(sandbox.lead);
	return exit_code;
}

/* ---- serving ---- */

/* What tasks use until their end. */
static void
ended(void *arg)
{
	struct sandbox *c = arg;

	record_engine_destroy(c->records);
	daemon_generations_stop(c->generations);
	daemon_jobs_destroy(c->jobs);
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
config_check(void)
{
	return access_roles_read(sandbox.config.common.roles_file, &sandbox.roles);
}

static void
release(void)
{
	access_roles_free(sandbox.roles);
}

/* What would let a worker change the schema. */
static const char **const jobs_secrets[] = { &sandbox.config.deployer_password, NULL };

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
					  .check = config_check,
					  .print_routes = sandbox_worker_routes,
					  .metrics = metrics_register,
					  .command = command_run,
					  .loop = &sandbox.loop,
					  .tasks = &sandbox.tasks,
					  .strings = &sandbox.strings,
					  .jobs_secrets = jobs_secrets,
					  .arg = &sandbox,
					  .jobs_start = sandbox_jobs_start,
					  .worker_start = sandbox_worker_start,
					  .worker_stop = sandbox_worker_stop,
					  .worker_finish = sandbox_worker_finish,
					  .jobs_finish = sandbox_jobs_finish,
					  .finish = sandbox_shared_finish,
					  .ended = ended,
					  .release = release,
				  });
}
