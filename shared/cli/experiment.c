/*
 * experiment.c — commands on experiments, all in the sandbox.
 */
#include <stdio.h>

#include "cli/change.h"
#include "cli/show.h"
#include "cli/verdict.h"

static void
path_make(struct buf *path, const char *slug, const char *rest)
{
	buf_init(path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(path, "/v1/experiments/");
	cli_escape(path, slug);
	buf_add_cstr(path, rest);
}

static int
one(struct cli *c, const char *method, const char *rest, struct str body)
{
	struct buf path;

	path_make(&path, c->argv[0], rest);
	const int exit_code = cli_call_print(c, CLI_SANDBOX, method, buf_cstr(&path), body);
	buf_free(&path);
	return exit_code;
}

static int
experiment_list(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "experiment", "slug", SHOW_TEXT },
		{ "state", "state", SHOW_TEXT },
		{ "verdict", "verdict", SHOW_TEXT },
		{ "started", "started_at", SHOW_TIME },
		{ "planned end", "planned_end", SHOW_TIME },
		{ "ended by", "stop_reason", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	return cli_options(c, NULL, 0, 0, 0) ? show_list(c, CLI_SANDBOX, "/v1/experiments", columns)
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
	int64_t wait_s = 0;
	const struct cli_option options[] = { { "--wait", CLI_OPTION_INT, &wait_s, 0, 86400 } };

	return cli_options(c, options, ARRAY_LEN(options), 1, 1)
		       ? verdict_show(c, c->argv[0], wait_s)
		       : 2;
}

/* Further words are members of the body: reason, or risk of the change request. */
static int
with_members(struct cli *c, const char *rest, bool makes_change)
{
	int64_t wait_s = 0;
	const struct cli_option options[] = { { "--wait", CLI_OPTION_INT, &wait_s, 0,
						CHANGE_WAIT_S_MAX } };
	struct cli_reply reply;
	struct buf path;
	struct buf body;
	int exit_code = 2;

	if (!cli_options(c, options, makes_change ? ARRAY_LEN(options) : 0, 1, 32))
		return 2;
	buf_init(&body, CLI_PATH_BYTES_MAX * 4);
	if (cli_object(&body, c->argc - 1, c->argv + 1)) {
		path_make(&path, c->argv[0], rest);
		exit_code = 1;
		if (cli_call(c, CLI_SANDBOX, "POST", buf_cstr(&path), NULL, buf_str(&body), &reply))
			exit_code = makes_change ? change_show(c, &reply, wait_s)
						 : cli_reply_print(c, &reply);
		cli_reply_free(&reply);
		buf_free(&path);
	}
	buf_free(&body);
	return exit_code;
}

static int
experiment_stop(struct cli *c)
{
	return with_members(c, "/stop", false);
}

static int
experiment_promote(struct cli *c)
{
	return with_members(c, "/promote", true);
}

const struct cli_command cli_experiment_commands[] = {
	{ "experiment list", "", "all experiments", experiment_list, "innovator" },
	{ "experiment get", "SLUG", "one, with its frozen rule", experiment_get, "innovator" },
	{ "experiment results", "SLUG", "figures an arm, as they stand", experiment_results,
	  "innovator" },
	{ "experiment verdict", "SLUG [--wait SECONDS]",
	  "the verdict and its reasons in words; --raw: with all its evidence", experiment_verdict,
	  "innovator" },
	{ "experiment stop", "SLUG [reason=TEXT]", "stop it; the flag goes off", experiment_stop,
	  "innovator" },
	{ "experiment promote", "SLUG [risk=TEXT] [--wait SECONDS]",
	  "file a change request in core with package and evidence", experiment_promote,
	  "innovator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
