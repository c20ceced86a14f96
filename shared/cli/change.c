/*
 * change.c — commands on change requests, the ledger and drift, all in core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/change.h"
#include "cli/show.h"

#define TEXT_BYTES_MAX ((size_t)256 * 1024)
#define BODY_BYTES_MAX ((size_t)2 * 1024 * 1024)

/* A list with query parameters: state=approved limit=5 */
static int
list(struct cli *c, const char *what, const struct show_column *columns)
{
	struct buf path;

	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, what);
	if (!cli_query(c, 0, '?', &path)) {
		buf_free(&path);
		return 2;
	}
	const int exit_code = path.failed ? 2 : show_list(c, CLI_CORE, buf_cstr(&path), columns);
	buf_free(&path);
	return exit_code;
}

static int
change_list(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "number", "number", SHOW_TEXT },
		{ "state", "state", SHOW_TEXT },
		{ "kind", "kind", SHOW_TEXT },
		{ "approvals", "approvals", SHOW_TEXT },
		{ "filed", "created_at", SHOW_TIME },
		{ "title", "title", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	return cli_options(c, NULL, 0, 0, 16) ? list(c, "/v1/changes", columns) : 2;
}

static int
change_get(struct cli *c)
{
	char id[CLI_ID_SIZE];

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	return change_id(c, c->argv[0], id) ? change_call(c, "GET", id, "", STR_NONE, 0) : 1;
}

/* A step of the request; words are members of the body: note=TEXT, reason=TEXT. */
static int
act(struct cli *c, const char *rest)
{
	int64_t wait_s = 0;
	const struct cli_option options[] = { { "--wait", CLI_OPTION_INT, &wait_s, 0,
						CHANGE_WAIT_S_MAX } };
	char id[CLI_ID_SIZE];
	struct buf body;
	int exit_code = 2;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 8))
		return 2;
	buf_init(&body, CLI_PATH_BYTES_MAX * 4);
	if (cli_object(&body, c->argc - 1, c->argv + 1))
		exit_code = change_id(c, c->argv[0], id)
				    ? change_call(c, "POST", id, rest, buf_str(&body), wait_s)
				    : 1;
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

/* ---- file ---- */

static void
member_add(struct buf *body, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_add_char(body, ',');
	buf_json_cstr(body, name);
	buf_add_char(body, ':');
	buf_json_cstr(body, value);
}

/* The text of a file of the folder; verify.sql may be absent. */
static bool
text_add(struct buf *body, const char *folder, const char *name, bool required)
{
	char path[1024];
	char *text = NULL;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/%s.sql", folder, name);
	if (!required && access(path, F_OK) != 0)
		return true;
	if (!cli_file(path, TEXT_BYTES_MAX, &text, &len))
		return false;
	member_add(body, name, text);
	free(text);
	return true;
}

static int
change_file(struct cli *c)
{
	const char *title = NULL, *why = NULL, *benefit = NULL, *risk = NULL, *business = NULL,
		   *technical = NULL;
	int64_t wait_s = 0;
	const struct cli_option options[] = {
		{ "--title", CLI_OPTION_TEXT, &title, 0, 0 },
		{ "--why", CLI_OPTION_TEXT, &why, 0, 0 },
		{ "--benefit", CLI_OPTION_TEXT, &benefit, 0, 0 },
		{ "--risk", CLI_OPTION_TEXT, &risk, 0, 0 },
		{ "--business-owner", CLI_OPTION_TEXT, &business, 0, 0 },
		{ "--technical-owner", CLI_OPTION_TEXT, &technical, 0, 0 },
		{ "--wait", CLI_OPTION_INT, &wait_s, 0, CHANGE_WAIT_S_MAX },
	};
	struct buf body;
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	if (title == NULL || why == NULL || business == NULL || technical == NULL) {
		fputs("bimodal: a change needs a title, a reason (--why) and two owners\n", stderr);
		return cli_usage(c);
	}
	buf_init(&body, BODY_BYTES_MAX);
	buf_add_cstr(&body, "{\"kind\":\"schema\"");
	member_add(&body, "title", title);
	member_add(&body, "why", why);
	member_add(&body, "benefit", benefit);
	member_add(&body, "risk", risk);
	member_add(&body, "business_owner", business);
	member_add(&body, "technical_owner", technical);
	if (text_add(&body, c->argv[0], "up", true) && text_add(&body, c->argv[0], "down", true) &&
	    text_add(&body, c->argv[0], "verify", false)) {
		buf_add_char(&body, '}');
		exit_code = change_call(c, "POST", NULL, "", buf_str(&body), wait_s);
	}
	buf_free(&body);
	return exit_code;
}

/* ---- the ledger and drift ---- */

static int
ledger(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "seq", "seq", SHOW_TEXT },   { "at", "at", SHOW_TIME },
		{ "what", "kind", SHOW_TEXT }, { "of", "ref", SHOW_TEXT },
		{ "hash", "hash", SHOW_TEXT }, { NULL, NULL, SHOW_TEXT },
	};
	return cli_options(c, NULL, 0, 0, 16) ? list(c, "/v1/ledger", columns) : 2;
}

static int
drift(struct cli *c)
{
	return cli_options(c, NULL, 0, 0, 0) ? change_drift(c) : 2;
}

const struct cli_command cli_change_commands[] = {
	{ "change list", "[state=STATE …]", "change requests", change_list, "operator" },
	{ "change file",
	  "FOLDER --title TEXT --why TEXT --business-owner NAME --technical-owner NAME [--benefit "
	  "TEXT] [--risk TEXT] [--wait SECONDS]",
	  "ask for a change of the schema: FOLDER has up.sql, down.sql and perhaps verify.sql",
	  change_file, "operator" },
	{ "change get", "CHANGE", "one (its number or id), and what comes next; --raw: all of it",
	  change_get, "operator" },
	{ "change rehearse", "CHANGE [--wait SECONDS]",
	  "run it up and down on the rehearsal cluster", change_rehearse, "operator" },
	{ "change approve", "CHANGE [note=TEXT]", "approve it; never one's own", change_approve,
	  "operator" },
	{ "change reject", "CHANGE [note=TEXT]", "reject it", change_reject, "operator" },
	{ "change apply", "CHANGE [--wait SECONDS]", "apply it to core", change_apply, "operator" },
	{ "change rollback", "CHANGE [--wait SECONDS]",
	  "take it back: flag off at once, then the schema", change_rollback, "operator" },
	{ "ledger", "[limit=N …]", "what was done to the system, in a chain of hashes", ledger,
	  "operator" },
	{ "drift", "", "is the catalog what the ledger says? exit code 3 if not", drift,
	  "operator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
