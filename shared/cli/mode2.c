/*
 * mode2.c — `bimodal mode2`: all experiments off at once and back, and whether they are.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/flag.h"
#include "cli/show.h"

static void
state_print(const struct cJSON *j)
{
	struct buf since, by, reason;
	bool stopped = false;

	if (json_bool(j, "stopped", true, &stopped, NULL) != ERR_OK)
		return;
	buf_init(&since, CLI_PATH_BYTES_MAX);
	buf_init(&by, CLI_PATH_BYTES_MAX);
	buf_init(&reason, CLI_PATH_BYTES_MAX);
	show_value(&since, json_get(j, "since"), SHOW_TIME);
	if (stopped)
		printf("Mode 2 is stopped since %s by %s: %s\n",
		       buf_cstr(&since) != NULL ? buf_cstr(&since) : "-",
		       show_text(j, "by_name", &by), show_text(j, "reason", &reason));
	else
		puts("Mode 2 is not stopped");
	buf_free(&reason);
	buf_free(&by);
	buf_free(&since);
}

static void
flags_print(const struct cJSON *j, const char *lead)
{
	const struct cJSON *item;
	struct buf text, why;

	buf_init(&text, CLI_PATH_BYTES_MAX);
	buf_init(&why, CLI_PATH_BYTES_MAX);
	cJSON_ArrayForEach(item, json_get(j, "flags"))
		printf("  %s %s\n", lead, show_text(item, "key", &text));
	cJSON_ArrayForEach(item, json_get(j, "left_off"))
		printf("  stays off: %s, because %s\n", show_text(item, "key", &text),
		       show_text(item, "why", &why));
	buf_free(&why);
	buf_free(&text);
}

/* Exit code 3 if a live worker does not serve it yet. */
static int
turned_print(const struct cJSON *j, bool start)
{
	const struct cJSON *applied = json_get(j, "applied");
	int64_t workers = 0, of = 0;
	bool changed = false;

	if (json_bool(j, "changed", true, &changed, NULL) != ERR_OK ||
	    json_int(applied, "workers", true, 0, INT64_MAX, &workers, NULL) != ERR_OK ||
	    json_int(applied, "of", true, 0, INT64_MAX, &of, NULL) != ERR_OK)
		return 1;
	if (!changed)
		puts(start ? "it was not stopped" : "it was stopped already");
	state_print(j);
	flags_print(j, start ? "on again:" : "off:");
	(void)flag_applied_print(j);
	return workers >= of ? 0 : 3;
}

static int
turn(struct cli *c, const char *path, bool start)
{
	const char *reason = NULL;
	const struct cli_option options[] = { { "--reason", CLI_OPTION_TEXT, &reason, 0, 0 } };
	struct cli_reply reply;
	struct cJSON *j = NULL;
	struct buf body;
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	if (reason == NULL) {
		fputs("bimodal: this needs --reason TEXT\n", stderr);
		return cli_usage(c);
	}
	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&body, "{\"reason\":");
	buf_json_cstr(&body, reason);
	buf_add_char(&body, '}');
	if (!cli_call(c, CLI_CORE, "POST", path, NULL, buf_str(&body), &reply))
		exit_code = 1;
	else if (reply.status != 200 || c->raw ||
		 json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK)
		exit_code = cli_reply_print(c, &reply);
	else
		exit_code = turned_print(j, start);
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&body);
	return exit_code;
}

static int
mode2_stop(struct cli *c)
{
	return turn(c, "/v1/mode2/stop", false);
}

static int
mode2_start(struct cli *c)
{
	return turn(c, "/v1/mode2/start", true);
}

static int
mode2_status(struct cli *c)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	int exit_code = 0;

	if (!cli_options(c, NULL, 0, 0, 0))
		return 2;
	if (!cli_call(c, CLI_CORE, "GET", "/v1/mode2", NULL, STR_NONE, &reply)) {
		exit_code = 1;
	} else if (reply.status != 200 || c->raw ||
		   json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK) {
		exit_code = cli_reply_print(c, &reply);
	} else {
		state_print(j);
		flags_print(j, "will be on again:");
	}
	json_free(j);
	cli_reply_free(&reply);
	return exit_code;
}

const struct cli_command cli_mode2_commands[] = {
	{ "mode2 stop", "--reason TEXT",
	  "every experiment off at once, and nothing is proposed, until the start", mode2_stop,
	  "operator" },
	{ "mode2 start", "--reason TEXT", "bring back exactly what the stop has turned off",
	  mode2_start, "operator" },
	{ "mode2 status", "", "is it stopped, by whom and why", mode2_status, "operator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
