/*
 * flag_request.c — commands on protected flags: protect, and what somebody asked of them: list, approve, reject, withdraw. An approval
 * names the hash of what was shown: given with --sha256, or that of the request as it is read and printed here.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/json_in.h"
#include "cli/flag.h"
#include "cli/show.h"

#define REQUESTS "/v1/flag-requests"

int
flag_protect(struct cli *c)
{
	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	const int exit_code =
		cli_call_one(c, CLI_CORE, "POST", "/v1/flags/", c->argv[0], "/protect", STR_NONE);
	if (exit_code == 0 && !c->raw && !c->quiet)
		printf("%s changes only by two people from now on\n", c->argv[0]);
	return exit_code;
}

/* POST with one text member, which may be absent. */
static int
tell(struct cli *c, const char *before, const char *after, const char *member, const char *text)
{
	struct buf path, body;

	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, before);
	cli_escape(&path, c->argv[0]);
	buf_add_cstr(&path, after);
	if (text != NULL) {
		buf_add_char(&body, '{');
		buf_json_cstr(&body, member);
		buf_add_char(&body, ':');
		buf_json_cstr(&body, text);
		buf_add_char(&body, '}');
	}
	const int exit_code = body.failed || path.failed
				      ? 2
				      : flag_change(c, "POST", buf_cstr(&path),
						    text != NULL ? buf_str(&body) : STR_NONE);
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}

int
flag_unprotect(struct cli *c)
{
	const char *comment = NULL;
	const struct cli_option options[] = { { "--comment", CLI_OPTION_TEXT, &comment, 0, 0 } };

	return cli_options(c, options, ARRAY_LEN(options), 1, 1)
		       ? tell(c, "/v1/flags/", "/unprotect", "comment", comment)
		       : 2;
}

int
flag_requests(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "flag", "key", SHOW_TEXT },        { "wants to", "kind", SHOW_TEXT },
		{ "who", "author_name", SHOW_TEXT }, { "since", "filed_at", SHOW_TIME },
		{ "is", "state", SHOW_TEXT },        { "request", "id", SHOW_TEXT },
		{ "comment", "comment", SHOW_TEXT }, { NULL, NULL, SHOW_TEXT },
	};
	const char *state = "waiting", *key = NULL;
	const struct cli_option options[] = { { "--state", CLI_OPTION_TEXT, &state, 0, 0 },
					      { "--flag", CLI_OPTION_TEXT, &key, 0, 0 } };
	struct buf path;

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, REQUESTS "?state=");
	cli_escape(&path, state);
	if (key != NULL) {
		buf_add_cstr(&path, "&key=");
		cli_escape(&path, key);
	}
	const int exit_code = show_list(c, CLI_CORE, buf_cstr(&path), columns);
	buf_free(&path);
	return exit_code;
}

/* The hash of the request as it is now; what it changes is printed. False: printed why not. */
static bool
request_look(struct cli *c, struct buf *sha256)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	struct buf path;
	bool known = false;

	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, REQUESTS "/");
	cli_escape(&path, c->argv[0]);
	if (cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply)) {
		if (reply.status != 200 || json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK) {
			(void)cli_reply_print(c, &reply);
		} else {
			flag_changes_print(json_get(j, "changes"));
			buf_add_cstr(sha256, cJSON_GetStringValue(json_get(j, "sha256")));
			known = sha256->len > 0;
		}
	}
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&path);
	return known;
}

int
flag_approve(struct cli *c)
{
	const char *note = "", *given = NULL;
	const struct cli_option options[] = { { "--note", CLI_OPTION_TEXT, &note, 0, 0 },
					      { "--sha256", CLI_OPTION_TEXT, &given, 0, 0 } };
	struct buf path, body, sha256;
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_init(&sha256, CLI_PATH_BYTES_MAX);
	if (given != NULL)
		buf_add_cstr(&sha256, given);
	if (given != NULL || request_look(c, &sha256)) {
		buf_add_cstr(&path, REQUESTS "/");
		cli_escape(&path, c->argv[0]);
		buf_add_cstr(&path, "/approve");
		buf_add_cstr(&body, "{\"sha256\":");
		buf_json_str(&body, buf_str(&sha256));
		buf_add_cstr(&body, ",\"note\":");
		buf_json_cstr(&body, note);
		buf_add_char(&body, '}');
		exit_code = flag_change(c, "POST", buf_cstr(&path), buf_str(&body));
	}
	buf_free(&sha256);
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}

int
flag_reject(struct cli *c)
{
	const char *reason = NULL;
	const struct cli_option options[] = { { "--reason", CLI_OPTION_TEXT, &reason, 0, 0 } };

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	return reason == NULL ? cli_usage(c) : tell(c, REQUESTS "/", "/reject", "reason", reason);
}

int
flag_withdraw(struct cli *c)
{
	const char *comment = NULL;
	const struct cli_option options[] = { { "--comment", CLI_OPTION_TEXT, &comment, 0, 0 } };

	return cli_options(c, options, ARRAY_LEN(options), 1, 1)
		       ? tell(c, REQUESTS "/", "/withdraw", "comment", comment)
		       : 2;
}
