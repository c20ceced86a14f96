/*
 * flag_explain.c — why somebody gets what a flag gives, now or then, and whom another document would move. Core counts and decides; here
 * its answer is put into lines.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/flag.h"
#include "cli/show.h"

#define SECONDS_MAX 25

/* POST to the flag, and show what comes back. */
static int
ask(struct cli *c, const char *rest, struct str body, void (*print)(const struct cJSON *))
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	struct buf path;
	int exit_code = 1;

	flag_path(&path, c->argv[0], rest);
	if (cli_call(c, CLI_CORE, "POST", buf_cstr(&path), NULL, body, &reply)) {
		if (c->raw || reply.status != 200 ||
		    json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK) {
			exit_code = cli_reply_print(c, &reply);
		} else {
			print(j);
			exit_code = 0;
		}
	}
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&path);
	return exit_code;
}

/* ---- explain ---- */

/* "2 (staff)" */
static void
rule_name(const struct cJSON *rule, struct buf *out)
{
	buf_reset(out);
	show_value(out, json_get(rule, "index"), SHOW_TEXT);
	if (!cJSON_IsNull(json_get(rule, "id"))) {
		buf_add_cstr(out, " (");
		show_value(out, json_get(rule, "id"), SHOW_TEXT);
		buf_add_char(out, ')');
	}
}

static void
json_line(const struct cJSON *j, const char *member, const char *name)
{
	const struct cJSON *value = json_get(j, member);
	char *text = value != NULL && !cJSON_IsNull(value) ? cJSON_PrintUnformatted(value) : NULL;

	if (text != NULL)
		show_line(name, "%s", text);
	cJSON_free(text);
}

static void
explanation_print(const struct cJSON *j)
{
	const struct cJSON *rule = json_get(j, "rule");
	const struct cJSON *passed;
	struct buf a, b;

	buf_init(&a, CLI_PATH_BYTES_MAX);
	buf_init(&b, CLI_PATH_BYTES_MAX);
	const char *key = show_text(j, "key", &a);
	printf("%s: revision %s, %s\n", key, show_text(j, "revision", &b),
	       cJSON_IsTrue(json_get(j, "archived"))  ? "archived"
	       : cJSON_IsTrue(json_get(j, "enabled")) ? "on"
						      : "off");
	show_member(j, "since", "since", SHOW_TIME);
	show_member(j, "at", "at", SHOW_TIME);
	show_member(j, "variation", "variation", SHOW_TEXT);
	json_line(j, "value", "value");
	show_member(j, "outcome", "outcome", SHOW_TEXT);
	show_member(j, "reason", "reason", SHOW_TEXT);
	show_member(j, "decided_by", "decided by", SHOW_TEXT);
	if (cJSON_IsObject(rule)) {
		rule_name(rule, &a);
		show_line("rule", "%s", buf_cstr(&a));
		json_line(rule, "condition", "condition");
		json_line(rule, "prerequisites", "prerequisites");
		show_member(rule, "attribute", "hashed", SHOW_TEXT);
		show_member(rule, "bucket", "bucket", SHOW_TEXT);
		show_member(rule, "experiment", "experiment", SHOW_TEXT);
	}
	cJSON_ArrayForEach(passed, json_get(j, "passed"))
	{
		rule_name(passed, &a);
		const char *because = show_text(passed, "because", &b);
		show_line("passed over", "rule %s: %s", buf_cstr(&a), because);
	}
	buf_free(&b);
	buf_free(&a);
}

int
flag_explain(struct cli *c)
{
	const char *at = NULL;
	int64_t revision = 0;
	const struct cli_option options[] = {
		{ "--at", CLI_OPTION_TEXT, &at, 0, 0 },
		{ "--revision", CLI_OPTION_INT, &revision, 1, INT64_MAX },
	};
	struct buf body;
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 2))
		return 2;
	const char *who = c->argc > 1 ? c->argv[1] : "{}";
	const bool context = who[0] == '{';
	buf_init(&body, FLAG_FILE_BYTES_MAX);
	buf_add_char(&body, '{');
	if (at != NULL) {
		buf_add_cstr(&body, "\"at\":");
		buf_json_cstr(&body, at);
		buf_add_char(&body, ',');
	}
	if (revision > 0)
		buf_printf(&body, "\"revision\":%lld,", (long long)revision);
	buf_add_cstr(&body, context ? "\"context\":" : "\"context\":{\"targetingKey\":");
	if (context)
		buf_add_cstr(&body, who);
	else
		buf_json_cstr(&body, who);
	buf_add_cstr(&body, context ? "}" : "}}");
	if (!context || flag_json_good(str_of(who), "the context"))
		exit_code = ask(c, "/explain", buf_str(&body), explanation_print);
	buf_free(&body);
	return exit_code;
}

/* ---- preview ---- */

static void
units_print(const struct cJSON *j, const char *member, const char *name)
{
	const struct cJSON *one;
	struct buf text;

	buf_init(&text, FLAG_FILE_BYTES_MAX);
	cJSON_ArrayForEach(one, json_get(j, member))
	{
		buf_add_cstr(&text, text.len > 0 ? ", " : "");
		show_value(&text, json_get(one, "variation"), SHOW_TEXT);
		buf_add_char(&text, ' ');
		show_value(&text, json_get(one, "units"), SHOW_TEXT);
	}
	show_line(name, "%s", buf_cstr(&text));
	buf_free(&text);
}

static void
moves_print(const struct cJSON *j)
{
	const struct cJSON *move;
	struct buf from, to, units;

	buf_init(&from, CLI_PATH_BYTES_MAX);
	buf_init(&to, CLI_PATH_BYTES_MAX);
	buf_init(&units, CLI_PATH_BYTES_MAX);
	cJSON_ArrayForEach(move, json_get(j, "moves"))
	{
		buf_reset(&from);
		buf_reset(&to);
		buf_reset(&units);
		show_value(&from, json_get(move, "from"), SHOW_TEXT);
		show_value(&to, json_get(move, "to"), SHOW_TEXT);
		show_value(&units, json_get(move, "units"), SHOW_TEXT);
		show_line("move", "%s from %s to %s", buf_cstr(&units), buf_cstr(&from),
			  buf_cstr(&to));
	}
	buf_free(&units);
	buf_free(&to);
	buf_free(&from);
}

static long long
count_of(const struct cJSON *j, const char *member)
{
	int64_t n = 0;

	return json_int(j, member, true, 0, INT64_MAX, &n, NULL) == ERR_OK ? (long long)n : 0;
}

static void
preview_print(const struct cJSON *j)
{
	const struct cJSON *estimate = json_get(j, "estimate");
	struct buf a, b;

	buf_init(&a, CLI_PATH_BYTES_MAX);
	buf_init(&b, CLI_PATH_BYTES_MAX);
	const char *key = show_text(j, "key", &a);
	printf("%s: %lld of %lld would move\n", key, count_of(j, "moved"), count_of(j, "counted"));
	show_member(j, "unit", "each", SHOW_TEXT);
	if (!cJSON_IsTrue(json_get(j, "complete"))) {
		show_line("counted", "%lld of %lld, then the time was over", count_of(j, "counted"),
			  count_of(j, "of"));
		if (cJSON_IsNumber(json_get(estimate, "within")))
			show_line("of all", "about %lld, give or take %lld",
				  count_of(estimate, "moved"), count_of(estimate, "within"));
		else
			show_line("of all", "perhaps %lld: those counted are no sample",
				  count_of(estimate, "moved"));
	}
	units_print(j, "now", "now");
	units_print(j, "would", "then");
	moves_print(j);
	if (cJSON_GetArraySize(json_get(j, "not_in_record")) > 0)
		show_member(j, "not_in_record", "not counted", SHOW_TEXT);
	buf_free(&b);
	buf_free(&a);
}

int
flag_preview(struct cli *c)
{
	bool enabled = false;
	int64_t seconds = 0;
	const struct cli_option options[] = {
		{ "--enabled", CLI_OPTION_SWITCH, &enabled, 0, 0 },
		{ "--seconds", CLI_OPTION_INT, &seconds, 1, SECONDS_MAX },
	};
	struct buf body;
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 2))
		return 2;
	buf_init(&body, FLAG_FILE_BYTES_MAX + CLI_PATH_BYTES_MAX);
	buf_add_char(&body, '{');
	if (enabled)
		buf_add_cstr(&body, "\"enabled\":true,");
	if (seconds > 0)
		buf_printf(&body, "\"seconds\":%lld,", (long long)seconds);
	if (flag_document_add(&body, c->argv[1])) {
		buf_add_char(&body, '}');
		exit_code = ask(c, "/preview", buf_str(&body), preview_print);
	}
	buf_free(&body);
	return exit_code;
}
