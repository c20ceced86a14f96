/*
 * flag_draft.c — commands on the draft of a flag and on its earlier revisions: save, look at what it changes, publish, go back. A
 * difference is a line: what happens, where in the document, and the values before and after as JSON.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/flag.h"
#include "cli/show.h"

static void
comment_add(struct buf *body, const char *comment)
{
	buf_add_cstr(body, "\"comment\":");
	buf_json_cstr(body, comment);
}

static int
draft_save(struct cli *c, const char *comment, int64_t base, bool replace)
{
	struct buf path, body;
	int exit_code = 1;

	flag_path(&path, c->argv[0], "/draft");
	buf_init(&body, FLAG_FILE_BYTES_MAX + CLI_PATH_BYTES_MAX);
	buf_add_char(&body, '{');
	comment_add(&body, comment);
	if (base > 0)
		buf_printf(&body, ",\"base\":%lld", (long long)base);
	buf_add_cstr(&body, replace ? ",\"replace\":true," : ",");
	if (flag_document_add(&body, c->argv[1])) {
		buf_add_char(&body, '}');
		exit_code = cli_call_print(c, CLI_CORE, "PUT", buf_cstr(&path), buf_str(&body));
	}
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}

int
flag_draft(struct cli *c)
{
	const char *comment = "";
	int64_t base = 0;
	bool replace = false, drop = false;
	const struct cli_option options[] = {
		{ "--comment", CLI_OPTION_TEXT, &comment, 0, 0 },
		{ "--base", CLI_OPTION_INT, &base, 1, INT64_MAX },
		{ "--replace", CLI_OPTION_SWITCH, &replace, 0, 0 },
		{ "--drop", CLI_OPTION_SWITCH, &drop, 0, 0 },
	};

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 2))
		return 2;
	if (c->argc == 2)
		return drop ? cli_usage(c) : draft_save(c, comment, base, replace);
	return cli_call_one(c, CLI_CORE, drop ? "DELETE" : "GET", "/v1/flags/", c->argv[0],
			    "/draft", STR_NONE);
}

/* ---- diff ---- */

/* "revision 7, on", "the draft, made from revision 7" */
static void
state_print(const char *name, const struct cJSON *state)
{
	int64_t number = 0;

	if (cJSON_IsNumber(json_get(state, "revision")) &&
	    json_int(state, "revision", true, 0, INT64_MAX, &number, NULL) == ERR_OK)
		show_line(name, "revision %lld, %s%s", (long long)number,
			  cJSON_IsTrue(json_get(state, "enabled")) ? "on" : "off",
			  cJSON_IsTrue(json_get(state, "rebucket")) ? ", divided anew" : "");
	else if (json_int(state, "base", true, 0, INT64_MAX, &number, NULL) == ERR_OK)
		show_line(name, "the draft, made from revision %lld", (long long)number);
}

/* A value as JSON; nothing where the member is not there. */
static void
side_print(const struct cJSON *change, const char *member, const char *mark)
{
	const struct cJSON *value = json_get(change, member);
	char *text = value != NULL ? cJSON_PrintUnformatted(value) : NULL;

	if (text != NULL)
		printf("  %s %s\n", mark, text);
	cJSON_free(text);
}

void
flag_changes_print(const struct cJSON *changes)
{
	const struct cJSON *change;
	struct buf op, pointer;

	buf_init(&op, CLI_PATH_BYTES_MAX);
	buf_init(&pointer, FLAG_FILE_BYTES_MAX);
	if (cJSON_GetArraySize(changes) == 0)
		puts("the rules are the same");
	cJSON_ArrayForEach(change, changes)
	{
		const char *what = show_text(change, "op", &op);
		printf("%s %s\n", what, show_text(change, "pointer", &pointer));
		side_print(change, "before", "-");
		side_print(change, "after", "+");
	}
	buf_free(&pointer);
	buf_free(&op);
}

static void
diff_print(const struct cJSON *j)
{
	const struct cJSON *change;
	struct buf op, pointer;

	buf_init(&op, CLI_PATH_BYTES_MAX);
	buf_init(&pointer, FLAG_FILE_BYTES_MAX);
	state_print("from", json_get(j, "from"));
	state_print("to", json_get(j, "to"));
	flag_changes_print(json_get(j, "changes"));
	cJSON_ArrayForEach(change, json_get(j, "rebuckets"))
	{
		const char *what = show_text(change, "pointer", &pointer);
		printf("moves people: %s: %s\n", what, show_text(change, "why", &op));
	}
	buf_free(&pointer);
	buf_free(&op);
}

int
flag_diff(struct cli *c)
{
	int64_t from = 0, to = 0;
	const struct cli_option options[] = {
		{ "--from", CLI_OPTION_INT, &from, 1, INT64_MAX },
		{ "--to", CLI_OPTION_INT, &to, 1, INT64_MAX },
	};
	struct cli_reply reply;
	struct cJSON *j = NULL;
	struct buf path;
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	flag_path(&path, c->argv[0], "/diff");
	if (from > 0)
		buf_printf(&path, "?from=%lld", (long long)from);
	if (to > 0)
		buf_printf(&path, "%cto=%lld", from > 0 ? '&' : '?', (long long)to);
	if (cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply)) {
		if (c->raw || reply.status != 200 ||
		    json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK) {
			exit_code = cli_reply_print(c, &reply);
		} else {
			diff_print(j);
			exit_code = 0;
		}
	}
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&path);
	return exit_code;
}

/* ---- publish and roll back ---- */

int
flag_publish(struct cli *c)
{
	const char *comment = "";
	int64_t over = 0;
	bool rebucket = false;
	const struct cli_option options[] = {
		{ "--comment", CLI_OPTION_TEXT, &comment, 0, 0 },
		{ "--rebucket", CLI_OPTION_SWITCH, &rebucket, 0, 0 },
		{ "--over", CLI_OPTION_INT, &over, 1, INT64_MAX },
	};
	struct buf path, body, match;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	flag_path(&path, c->argv[0], "/publish");
	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_init(&match, CLI_ID_SIZE);
	buf_add_cstr(&body, rebucket ? "{\"rebucket\":true," : "{");
	comment_add(&body, comment);
	buf_add_char(&body, '}');
	buf_printf(&match, "If-Match: \"v%lld\"", (long long)over);
	const int exit_code =
		body.failed ? 2
			    : flag_change_if(c, "POST", buf_cstr(&path),
					     over > 0 ? buf_cstr(&match) : NULL, buf_str(&body));
	buf_free(&match);
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}

int
flag_rollback(struct cli *c)
{
	const char *comment = "";
	bool rebucket = false;
	const struct cli_option options[] = { { "--comment", CLI_OPTION_TEXT, &comment, 0, 0 },
					      { "--rebucket", CLI_OPTION_SWITCH, &rebucket, 0,
						0 } };
	struct buf path, body;
	int64_t revision = 0;

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 2))
		return 2;
	if (str_int(str_of(c->argv[1]), 1, INT64_MAX, &revision) != ERR_OK) {
		fprintf(stderr, "bimodal: \"%s\" is not the number of a revision\n", c->argv[1]);
		return 2;
	}
	flag_path(&path, c->argv[0], "/rollback");
	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_printf(&body, "{\"revision\":%lld,%s", (long long)revision,
		   rebucket ? "\"rebucket\":true," : "");
	comment_add(&body, comment);
	buf_add_char(&body, '}');
	const int exit_code =
		body.failed ? 2 : flag_change(c, "POST", buf_cstr(&path), buf_str(&body));
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}
