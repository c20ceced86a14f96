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
#include "core/console/console.h"
#include "core/core.h"
#include "core/document/document.h"
#include "core/events/events.h"
#include "core/feed/feed.h"
#include "core/flags/flags.h"
#include "core/install/install.h"
#include "core/live/live.h"
#include "core/notices/notices.h"
#include "core/principals/principals.h"
#include "core/promotion/promotion.h"
#include "core/session/session.h"
#include "core/webhooks/webhooks.h"
#include "daemon/program.h"
#include "http/mail.h"

#define COMMAND_DEADLINE (600 * USEC_PER_SEC)

static struct core core;

static const struct daemon_command commands[] = {
	{ .name = "migrate",
	  .help = "bring core's and the airlock's databases to this version's base schema, exit",
	  .steps = core_install_migrate },
	{ .name = "create-token",
	  .argument = "NAME:ROLE:AUDIENCE",
	  .help = "make a principal with a role and print a token for core or sandbox, exit",
	  .steps = core_principals_create_token },
	{ .name = "create-admin",
	  .argument = "LOGIN",
	  .help = "make an operator and print a one-time secret that sets his password, exit; "
		  "refused if one can\n"
		  "                       sign in already, unless with --force",
	  .steps = core_session_create_admin },
	{ .name = "print-openapi",
	  .help = "print the whole description of the API (OpenAPI 3.1, JSON), exit",
	  .steps = core_document_print },
};

/* ---- one-off commands ---- */

static int
document_print(const struct daemon_args *args)
{
	struct err_info info = { .code = ERR_OK };
	const enum err err = core_worker_describe(&info);
	if (err != ERR_OK)
		fprintf(stderr, "%s\n", info.msg);
	const int exit_code = err == ERR_OK
				      ? daemon_command_run(args->command, COMMAND_DEADLINE,
							   core.loop, core.tasks, core.executor)
				      : 1;
	core_document_stop();
	return exit_code;
}

static int
command_run(const struct daemon_args *args)
{
	struct err_info info = { .code = ERR_OK };
	const struct daemon_login executor = core_executor_login(&core);

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
	} else if (strcmp(args->command->name, "create-admin") == 0) {
		struct core_session_order order = { .pool = core.executor,
						    .login = args->command_argument,
						    .lifetime = core.config.session_reset_lifetime,
						    .force = args->force };
		exit_code = daemon_command_run(args->command, COMMAND_DEADLINE, core.loop,
					       core.tasks, &order);
	} else if (strcmp(args->command->name, "print-openapi") == 0) {
		exit_code = document_print(args);
	} else {
		struct core_principals_order order = { .pool = core.executor,
						       .argument = args->command_argument };
		exit_code = daemon_command_run(args->command, COMMAND_DEADLINE, core.loop,
					       core.tasks, &order);
	}
	postgres_pool_destroy(core.executor);
	postgres_pool_destroy(core.airlock);
	return exit_code;
}

/* ---- serving ---- */

/* What tasks use until their end. */
static void
ended(void *arg)
{
	struct core *c = arg;

	record_engine_destroy(c->records);
	daemon_generations_stop(c->generations);
	daemon_jobs_destroy(c->jobs);
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
	core_notices_metrics();
	core_webhooks_metrics();
	core_live_metrics();
	core_worker_metrics();
}

/* What the types of the keys cannot say. */
static enum err
config_check(void)
{
	struct err_info info = { .code = ERR_OK };
	const char *smtp = core.config.smtp_url;
	enum err err = access_roles_read(core.config.common.roles_file, &core.roles);

	if (err != ERR_OK)
		return err;
	err = core_webhooks_nets_parse(core.config.webhook_allow, &core.webhook_nets, &info);
	if (err == ERR_OK && smtp[0] != '\0' && strncmp(smtp, "smtp://", 7) != 0 &&
	    strncmp(smtp, "smtps://", 8) != 0)
		err = err_set(&info, ERR_CONFIG, "smtp.url", "must begin with smtp:// or smtps://");
	if (err == ERR_OK && !http_mail_address_valid(str_of(core.config.smtp_from)))
		err = err_set(&info, ERR_CONFIG, "smtp.from", "\"%s\" is not an e-mail address",
			      core.config.smtp_from);
	if (err == ERR_OK)
		err = core_session_oidc_check(&core.config.oidc, core.roles, &info);
	if (err == ERR_OK)
		err = core_console_load(
			&(struct core_console_conf) {
				.folder = core.config.console_folder,
				.sandbox_origin = core.config.console_sandbox_origin,
			},
			&info);
	if (err != ERR_OK)
		fprintf(stderr, "%s: %s\n", info.field, info.msg);
	return err;
}

static void
release(void)
{
	access_roles_free(core.roles);
	core_console_free();
}

/* What would let a worker change the schema, or speak for the installation. */
static const char **const jobs_secrets[] = {
	&core.config.executor_password,
	&core.config.airlock.password,
	&core.config.rehearsal.password,
	&core.config.smtp_password,
	NULL,
};
static const char **const worker_secrets[] = { &core.config.oidc.client_secret, NULL };

int
main(int argc, char **argv)
{
	return daemon_program_run(argc, argv,
				  &(struct daemon_program) {
					  .name = "core",
					  .commands = commands,
					  .n_commands = ARRAY_LEN(commands),
					  .defaults = { .instance = "core-1",
							.http_port = "7410",
							.database_port = "7401" },
					  .keys = core_config_keys,
					  .n_keys = core_config_keys_count,
					  .config = &core.config.common,
					  .config_bytes = sizeof(core.config),
					  .check = config_check,
					  .print_routes = core_worker_routes,
					  .metrics = metrics_register,
					  .command = command_run,
					  .loop = &core.loop,
					  .tasks = &core.tasks,
					  .strings = &core.strings,
					  .jobs_secrets = jobs_secrets,
					  .worker_secrets = worker_secrets,
					  .arg = &core,
					  .jobs_start = core_jobs_start,
					  .worker_start = core_worker_start,
					  .worker_stop = core_worker_stop,
					  .worker_finish = core_worker_finish,
					  .jobs_finish = core_jobs_finish,
					  .ended = ended,
					  .release = release,
				  });
}
