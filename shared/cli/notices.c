/*
 * notices.c — commands on the caller's notices, how he wants to be told, and his webhooks, all in core.
 */
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json_in.h"
#include "cli/show.h"

#define BODY_BYTES_MAX ((size_t)64 * 1024)

/* One notice on two lines: when, its id, and whether it still waits; then what it says and where it leads. */
static bool
notice_print(const struct cJSON *n)
{
	const char *at = NULL, *id = NULL, *title = NULL, *link = NULL;
	bool task = false;

	if (json_string(n, "at", true, &at, NULL) != ERR_OK ||
	    json_string(n, "id", true, &id, NULL) != ERR_OK ||
	    json_string(n, "title", true, &title, NULL) != ERR_OK ||
	    json_string(n, "link", true, &link, NULL) != ERR_OK ||
	    json_bool(n, "task", true, &task, NULL) != ERR_OK)
		return false;
	const bool done = !cJSON_IsNull(json_get(n, "done_at"));
	const bool read = !cJSON_IsNull(json_get(n, "read_at"));
	printf("%.19s  %s  %s\n    %s  %s\n", at, id,
	       done   ? "done"
	       : task ? "waits for you"
	       : read ? "read"
		      : "new",
	       title, link);
	return true;
}

static int
notices_print(const struct cli *c, const struct cli_reply *reply)
{
	struct cJSON *j = NULL;
	const struct cJSON *n;
	int64_t unread = 0, open = 0;
	bool good = !c->raw && json_parse(buf_str(&reply->body), &j, NULL) == ERR_OK;
	const struct cJSON *counts = good ? json_get(j, "counts") : NULL;

	good = good && cJSON_IsObject(counts) &&
	       json_int(counts, "unread", true, 0, INT64_MAX, &unread, NULL) == ERR_OK &&
	       json_int(counts, "open", true, 0, INT64_MAX, &open, NULL) == ERR_OK;
	if (good)
		printf("%lld wait for you, %lld unread\n", (long long)open, (long long)unread);
	if (good)
		cJSON_ArrayForEach(n, json_get(j, "data")) good = good && notice_print(n);
	json_free(j);
	return good ? 0 : cli_reply_print(c, reply);
}

static int
notices_list(struct cli *c)
{
	const char *after = NULL;
	int64_t limit = 50;
	const struct cli_option options[] = {
		{ "--after", CLI_OPTION_TEXT, &after, 0, 0 },
		{ "--limit", CLI_OPTION_INT, &limit, 1, 200 },
	};
	struct cli_reply reply;
	struct buf path;

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 1))
		return 2;
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_printf(&path, "/v1/notices?limit=%lld&state=", (long long)limit);
	cli_escape(&path, c->argc > 0 ? c->argv[0] : "all");
	if (after != NULL) {
		buf_add_cstr(&path, "&after=");
		cli_escape(&path, after);
	}
	int exit_code = 1;
	if (cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply))
		exit_code =
			reply.status == 200 ? notices_print(c, &reply) : cli_reply_print(c, &reply);
	cli_reply_free(&reply);
	buf_free(&path);
	return exit_code;
}

static int
notices_read(struct cli *c)
{
	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	if (strcmp(c->argv[0], "all") == 0)
		return cli_call_print(c, CLI_CORE, "POST", "/v1/notices/read-all", STR_NONE);
	return cli_call_one(c, CLI_CORE, "POST", "/v1/notices/", c->argv[0], "/read", STR_NONE);
}

/* Without words what is chosen; else all of it anew: time_zone=Europe/Berlin digest:='{"hour":8}'. */
static int
notices_settings(struct cli *c)
{
	struct buf body;
	int exit_code = 2;

	if (!cli_options(c, NULL, 0, 0, 8))
		return 2;
	if (c->argc == 0)
		return cli_call_print(c, CLI_CORE, "GET", "/v1/me/notices", STR_NONE);
	buf_init(&body, BODY_BYTES_MAX);
	if (cli_object(&body, c->argc, c->argv))
		exit_code = cli_call_print(c, CLI_CORE, "PUT", "/v1/me/notices", buf_str(&body));
	buf_free(&body);
	return exit_code;
}

static int
webhook_list(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "id", "id", SHOW_TEXT },
		{ "is", "enabled", SHOW_SWITCH },
		{ "types", "types", SHOW_TEXT },
		{ "url", "url", SHOW_TEXT },
		{ "description", "description", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	return cli_options(c, NULL, 0, 0, 0) ? show_list(c, CLI_CORE, "/v1/webhooks", columns) : 2;
}

static int
webhook_create(struct cli *c)
{
	struct buf body;
	int exit_code = 2;

	if (!cli_options(c, NULL, 0, 1, 8))
		return 2;
	buf_init(&body, BODY_BYTES_MAX);
	if (cli_object(&body, c->argc, c->argv))
		exit_code = cli_call_print(c, CLI_CORE, "POST", "/v1/webhooks", buf_str(&body));
	buf_free(&body);
	return exit_code;
}

static int
webhook_edit(struct cli *c)
{
	struct buf body;
	int exit_code = 2;

	if (!cli_options(c, NULL, 0, 2, 8))
		return 2;
	buf_init(&body, BODY_BYTES_MAX);
	if (cli_object(&body, c->argc - 1, c->argv + 1))
		exit_code = cli_call_one(c, CLI_CORE, "PATCH", "/v1/webhooks/", c->argv[0], "",
					 buf_str(&body));
	buf_free(&body);
	return exit_code;
}

static int
webhook_rotate(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1) ? cli_call_one(c, CLI_CORE, "POST", "/v1/webhooks/",
							    c->argv[0], "/rotate", STR_NONE)
					     : 2;
}

static int
webhook_test(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1) ? cli_call_one(c, CLI_CORE, "POST", "/v1/webhooks/",
							    c->argv[0], "/test", STR_NONE)
					     : 2;
}

static int
webhook_log(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1) ? cli_call_one(c, CLI_CORE, "GET", "/v1/webhooks/",
							    c->argv[0], "/deliveries", STR_NONE)
					     : 2;
}

static int
webhook_replay(struct cli *c)
{
	struct buf before;
	int exit_code = 2;

	if (!cli_options(c, NULL, 0, 2, 2))
		return 2;
	buf_init(&before, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&before, "/v1/webhooks/");
	cli_escape(&before, c->argv[0]);
	buf_add_cstr(&before, "/deliveries/");
	if (!before.failed)
		exit_code = cli_call_one(c, CLI_CORE, "POST", buf_cstr(&before), c->argv[1],
					 "/replay", STR_NONE);
	buf_free(&before);
	return exit_code;
}

static int
webhook_delete(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1) ? cli_call_one(c, CLI_CORE, "DELETE", "/v1/webhooks/",
							    c->argv[0], "", STR_NONE)
					     : 2;
}

const struct cli_command cli_notices_commands[] = {
	{ "notices read", "ID|all", "it has been read", notices_read, "product_owner" },
	{ "notices settings", "[time_zone=ZONE hours:=JSON days:=JSON digest:=JSON channels:=JSON]",
	  "how and when to be told; given, all of it anew", notices_settings, "product_owner" },
	{ "notices list", "[unread|open|all] [--limit N] [--after ID]",
	  "what waits for me and what happened to mine", notices_list, "product_owner" },
	{ "notices", "[unread|open|all] [--limit N] [--after ID]", "the same", notices_list,
	  "product_owner" },
	{ "webhook list", "", "my webhooks and my teams'", webhook_list, "product_owner" },
	{ "webhook create", "url=URL [description=TEXT] [types:='[\"notice.*\"]'] [team=ID]",
	  "a new one; its secret is shown once", webhook_create, "product_owner" },
	{ "webhook edit", "ID NAME=VALUE …", "alter it: url, description, types, enabled:=true",
	  webhook_edit, "product_owner" },
	{ "webhook rotate", "ID", "a new secret; the old one signs along for a day", webhook_rotate,
	  "product_owner" },
	{ "webhook test", "ID", "send it a test message", webhook_test, "product_owner" },
	{ "webhook log", "ID", "its deliveries, with every attempt", webhook_log, "product_owner" },
	{ "webhook replay", "ID DELIVERY", "send one once more, under the same id", webhook_replay,
	  "product_owner" },
	{ "webhook delete", "ID", "remove it", webhook_delete, "product_owner" },
	{ NULL, NULL, NULL, NULL, NULL },
};
