/*
 * change.c — commands on change requests, the ledger and drift, all in core.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static int
one(struct cli *c, const char *method, const char *rest, struct str body)
{
	struct buf path;

	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/changes/");
	cli_escape(&path, c->argv[0]);
	buf_add_cstr(&path, rest);
	const int exit_code = cli_call_print(c, CLI_CORE, method, buf_cstr(&path), body);
	buf_free(&path);
	return exit_code;
}

/* A list with query parameters: state=approved limit=5 */
static int
list(struct cli *c, const char *what)
{
	struct buf path;

	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, what);
	for (int i = 0; i < c->argc; i++) {
		const char *value = strchr(c->argv[i], '=');
		if (value == NULL) {
			buf_free(&path);
			return cli_usage(c);
		}
		buf_add_char(&path, i == 0 ? '?' : '&');
		buf_add(&path, c->argv[i], (size_t)(value + 1 - c->argv[i]));
		cli_escape(&path, value + 1);
	}
	const int exit_code =
		path.failed ? 2 : cli_call_print(c, CLI_CORE, "GET", buf_cstr(&path), STR_NONE);
	buf_free(&path);
	return exit_code;
}

static int
change_list(struct cli *c)
{
	return cli_options(c, NULL, 0, 0, 16) ? list(c, "/v1/changes") : 2;
}

static int
change_get(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1) ? one(c, "GET", "", STR_NONE) : 2;
}

/* A step of the request; words are members of the body: note=TEXT, reason=TEXT. */
static int
act(struct cli *c, const char *rest)
{
	struct buf body;
	int exit_code = 2;

	if (!cli_options(c, NULL, 0, 1, 8))
		return 2;
	buf_init(&body, CLI_PATH_BYTES_MAX * 4);
	if (cli_object(&body, c->argc - 1, c->argv + 1))
		exit_code = one(c, "POST", rest, buf_str(&body));
	buf_free(&body);
	return exit_code;
}

static int
change_rehearse(struct cli *c)
{
	return act(c, "/rehearse");
}

static int
change_approve(struct cli *c)
{
	return act(c, "/approve");
}

static int
change_reject(struct cli *c)
{
	return act(c, "/reject");
}

static int
change_apply(struct cli *c)
{
	return act(c, "/apply");
}

static int
change_rollback(struct cli *c)
{
	return act(c, "/rollback");
}

static int
ledger(struct cli *c)
{
	return cli_options(c, NULL, 0, 0, 16) ? list(c, "/v1/ledger") : 2;
}

static int
drift(struct cli *c)
{
	return cli_options(c, NULL, 0, 0, 0)
		       ? cli_call_print(c, CLI_CORE, "GET", "/v1/drift", STR_NONE)
		       : 2;
}

const struct cli_command cli_change_commands[] = {
	{ "change list", "[state=STATE …]", "change requests", change_list, "operator" },
	{ "change get", "ID", "one, with its report", change_get, "operator" },
	{ "change rehearse", "ID", "run it up and down on the rehearsal cluster", change_rehearse,
	  "operator" },
	{ "change approve", "ID [note=TEXT]", "approve it; never one's own", change_approve,
	  "operator" },
	{ "change reject", "ID [note=TEXT]", "reject it", change_reject, "operator" },
	{ "change apply", "ID", "apply it to core", change_apply, "operator" },
	{ "change rollback", "ID", "take it back: flag off at once, then the schema",
	  change_rollback, "operator" },
	{ "ledger", "[limit=N …]", "what was done to the system, in a chain of hashes", ledger,
	  "operator" },
	{ "drift", "", "is the catalog what the ledger says?", drift, "operator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
