/*
 * experiment.c — commands on experiments, all in the sandbox.
 */
#include <stdio.h>

#include "cli/cli.h"

static int
one(struct cli *c, const char *method, const char *rest, struct str body)
{
	struct buf path;

	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/experiments/");
	cli_escape(&path, c->argv[0]);
	buf_add_cstr(&path, rest);
	const int exit_code = cli_call_print(c, CLI_SANDBOX, method, buf_cstr(&path), body);
	buf_free(&path);
	return exit_code;
}

static int
experiment_list(struct cli *c)
{
	return cli_options(c, NULL, 0, 0, 0)
		       ? cli_call_print(c, CLI_SANDBOX, "GET", "/v1/experiments", STR_NONE)
		       : 2;
}

static int
experiment_get(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1) ? one(c, "GET", "", STR_NONE) : 2;
}

static int
experiment_results(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1) ? one(c, "GET", "/results", STR_NONE) : 2;
}

static int
experiment_verdict(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1) ? one(c, "GET", "/verdict", STR_NONE) : 2;
}

/* Further words are members of the body: reason, or title, why, … of the change request. */
static int
with_members(struct cli *c, const char *rest)
{
	struct buf body;
	int exit_code = 2;

	if (!cli_options(c, NULL, 0, 1, 32))
		return 2;
	buf_init(&body, CLI_PATH_BYTES_MAX * 4);
	if (cli_object(&body, c->argc - 1, c->argv + 1))
		exit_code = one(c, "POST", rest, buf_str(&body));
	buf_free(&body);
	return exit_code;
}

static int
experiment_stop(struct cli *c)
{
	return with_members(c, "/stop");
}

static int
experiment_promote(struct cli *c)
{
	return with_members(c, "/promote");
}

const struct cli_command cli_experiment_commands[] = {
	{ "experiment list", "", "all experiments", experiment_list, "innovator" },
	{ "experiment get", "SLUG", "one, with its frozen rule", experiment_get, "innovator" },
	{ "experiment results", "SLUG", "figures an arm, as they stand", experiment_results,
	  "innovator" },
	{ "experiment verdict", "SLUG", "the verdict and its reasons", experiment_verdict,
	  "innovator" },
	{ "experiment stop", "SLUG [reason=TEXT]", "stop it; the flag goes off", experiment_stop,
	  "innovator" },
	{ "experiment promote", "SLUG [why=TEXT …]",
	  "file a change request in core with package and evidence", experiment_promote,
	  "innovator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
