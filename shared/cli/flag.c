/*
 * flag.c — commands on flags. Turning one on or off says how many workers serve it already, and names those that do not.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_in.h"
#include "cli/flag.h"
#include "cli/show.h"

/* The flag that most people want: on or off for a person, and for nobody until it is ramped. */
#define SWITCH                                                                                     \
	"{\"unit\":\"person\",\"variations\":[{\"key\":\"off\",\"value\":false},{\"key\":\"on\","  \
	"\"value\":true}],\"rules\":[{\"force\":\"on\",\"coverage\":0}],\"default\":\"off\"}"

void
flag_path(struct buf *path, const char *key, const char *rest)
{
	buf_init(path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(path, "/v1/flags/");
	cli_escape(path, key);
	buf_add_cstr(path, rest);
}

static int
flag_list(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "flag", "key", SHOW_TEXT },
		{ "is", "enabled", SHOW_SWITCH },
		{ "state", "state", SHOW_TEXT },
		{ "kind", "kind", SHOW_TEXT },
		{ "expires", "expires_at", SHOW_TIME },
		{ "business owner", "business_owner", SHOW_TEXT },
		{ "technical owner", "technical_owner", SHOW_TEXT },
		{ "purpose", "purpose", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	const char *state = NULL, *q = NULL;
	const struct cli_option options[] = { { "--state", CLI_OPTION_TEXT, &state, 0, 0 },
					      { "--search", CLI_OPTION_TEXT, &q, 0, 0 } };
	struct buf path;

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/flags");
	if (state != NULL) {
		buf_add_cstr(&path, "?state=");
		cli_escape(&path, state);
	}
	if (q != NULL) {
		buf_add_cstr(&path, state != NULL ? "&q=" : "?q=");
		cli_escape(&path, q);
	}
	const int exit_code = show_list(c, CLI_CORE, buf_cstr(&path), columns);
	buf_free(&path);
	return exit_code;
}

static int
flag_get(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1) ? flag_show(c, c->argv[0]) : 2;
}

static int
flag_revisions(struct cli *c)
{
	struct buf path;

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	flag_path(&path, c->argv[0], "/revisions");
	const int exit_code = cli_call_print(c, CLI_CORE, "GET", buf_cstr(&path), STR_NONE);
	buf_free(&path);
	return exit_code;
}

/* "revision 3 applied by 2 of 2 workers in 7 ms", then who is missing and what the sandbox says. */
bool
flag_applied_print(const struct cJSON *j)
{
	const struct cJSON *applied = json_get(j, "applied");
	const struct cJSON *sandbox = json_get(j, "sandbox");
	int64_t revision = -1, workers = 0, of = 0, ms = 0, sandbox_ms = -1;
	bool acknowledged = false;

	if (!cJSON_IsObject(applied) ||
	    json_int(j, "revision", false, 0, INT64_MAX, &revision, NULL) != ERR_OK ||
	    json_int(applied, "workers", true, 0, 100000, &workers, NULL) != ERR_OK ||
	    json_int(applied, "of", true, 0, 100000, &of, NULL) != ERR_OK ||
	    json_int(applied, "ms", false, 0, INT64_MAX, &ms, NULL) != ERR_OK)
		return false;
	if (revision >= 0)
		printf("revision %lld ", (long long)revision);
	printf("applied by %lld of %lld workers in %lld ms\n", (long long)workers, (long long)of,
	       (long long)ms);
	const struct cJSON *item;
	cJSON_ArrayForEach(item, json_get(applied, "missing"))
	{
		char *text = cJSON_IsString(item) ? NULL : cJSON_PrintUnformatted(item);
		printf("missing: %s\n", cJSON_IsString(item) ? item->valuestring
					: text != NULL       ? text
							     : "");
		cJSON_free(text);
	}
	if (!cJSON_IsObject(sandbox) ||
	    json_bool(sandbox, "acknowledged", true, &acknowledged, NULL) != ERR_OK ||
	    json_int(sandbox, "ms", false, 0, INT64_MAX, &sandbox_ms, NULL) != ERR_OK)
		return true;
	if (!acknowledged)
		puts("sandbox: not acknowledged yet");
	else if (sandbox_ms >= 0)
		printf("sandbox: acknowledged within %lld ms\n", (long long)sandbox_ms);
	else
		puts("sandbox: acknowledged");
	return true;
}

/* A protected flag: it waits for somebody else. */
static int
request_print(struct cli *c, struct cli_reply *reply)
{
	struct cJSON *j = NULL;
	const char *id = NULL;

	if (json_parse(buf_str(&reply->body), &j, NULL) == ERR_OK)
		id = cJSON_GetStringValue(json_get(j, "id"));
	if (id != NULL)
		printf("waits for another person: bimodal flag approve %s\n", id);
	const int exit_code = id != NULL ? 0 : cli_reply_print(c, reply);
	json_free(j);
	return exit_code;
}

int
flag_change(struct cli *c, const char *method, const char *path, struct str body)
{
	return flag_change_if(c, method, path, NULL, body);
}

int
flag_change_if(struct cli *c, const char *method, const char *path, const char *extra,
	       struct str body)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	int exit_code = 1;

	if (!cli_call(c, CLI_CORE, method, path, extra, body, &reply)) {
		cli_reply_free(&reply);
		return 1;
	}
	const bool good = reply.status >= 200 && reply.status < 300;
	if (!c->raw && reply.status == 202)
		exit_code = request_print(c, &reply);
	else if (!good || c->raw || json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK ||
		 !flag_applied_print(j)) {
		exit_code = cli_reply_print(c, &reply);
	} else {
		flag_applications_print(j);
		int64_t workers = 0, of = 0;
		const struct cJSON *applied = json_get(j, "applied");
		exit_code =
			json_int(applied, "workers", true, 0, 100000, &workers, NULL) == ERR_OK &&
					json_int(applied, "of", true, 0, 100000, &of, NULL) ==
						ERR_OK &&
					workers >= of
				? 0
				: 3;
	}
	json_free(j);
	cli_reply_free(&reply);
	return exit_code;
}

static int
toggle(struct cli *c, const char *method, const char *rest)
{
	const char *comment = NULL;
	const struct cli_option options[] = { { "--comment", CLI_OPTION_TEXT, &comment, 0, 0 } };
	struct buf path;
	struct buf body;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	flag_path(&path, c->argv[0], rest);
	buf_init(&body, CLI_PATH_BYTES_MAX);
	if (comment != NULL) {
		buf_add_cstr(&body, "{\"comment\":");
		buf_json_cstr(&body, comment);
		buf_add_char(&body, '}');
	}
	const int exit_code = body.failed
				      ? 2
				      : flag_change(c, method, buf_cstr(&path),
						    comment != NULL ? buf_str(&body) : STR_NONE);
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}

static int
flag_enable(struct cli *c)
{
	return toggle(c, "POST", "/enable");
}

static int
flag_disable(struct cli *c)
{
	return toggle(c, "POST", "/disable");
}

static int
flag_kill(struct cli *c)
{
	return toggle(c, "POST", "/kill");
}

static int
flag_archive(struct cli *c)
{
	return toggle(c, "DELETE", "");
}

/* Here, because core would name the place in the body that the text becomes a part of. */
bool
flag_json_good(struct str text, const char *name)
{
	struct err_info info = { .code = ERR_OK };
	struct cJSON *j = NULL;
	const bool good = json_parse(text, &j, &info) == ERR_OK;

	if (!good)
		fprintf(stderr, "bimodal: %s: %s\n", name, info.msg);
	json_free(j);
	return good;
}

bool
flag_document_add(struct buf *body, const char *text)
{
	char *file = NULL;
	size_t len = strlen(text);

	if (text[0] != '{' && !cli_file(text, FLAG_FILE_BYTES_MAX, &file, &len))
		return false;
	const struct str document = { file != NULL ? file : text, len };
	const bool good = flag_json_good(document, file != NULL ? text : "the document");
	buf_add_cstr(body, "\"document\":");
	buf_add_str(body, document);
	free(file);
	return good;
}

static void
member_add(struct buf *body, const char *name, const char *value)
{
	buf_json_cstr(body, name);
	buf_add_char(body, ':');
	buf_json_cstr(body, value);
	buf_add_char(body, ',');
}

static int
flag_create(struct cli *c)
{
	const char *kind = "release", *purpose = NULL, *business = NULL, *technical = NULL,
		   *expires = NULL, *document = NULL, *team = NULL;
	char in_days[CLOCK_RFC3339_SIZE];
	int64_t days = 0;
	bool enabled = false;
	const struct cli_option options[] = {
		{ "--kind", CLI_OPTION_TEXT, &kind, 0, 0 },
		{ "--purpose", CLI_OPTION_TEXT, &purpose, 0, 0 },
		{ "--business-owner", CLI_OPTION_TEXT, &business, 0, 0 },
		{ "--technical-owner", CLI_OPTION_TEXT, &technical, 0, 0 },
		{ "--expires-at", CLI_OPTION_TEXT, &expires, 0, 0 },
		{ "--days", CLI_OPTION_INT, &days, 1, 3650 },
		{ "--document", CLI_OPTION_TEXT, &document, 0, 0 },
		{ "--team", CLI_OPTION_TEXT, &team, 0, 0 },
		{ "--enabled", CLI_OPTION_SWITCH, &enabled, 0, 0 },
	};
	struct buf body;
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	if (days > 0 && expires == NULL) {
		clock_rfc3339(clock_wall_us() + days * INT64_C(86400) * USEC_PER_SEC, in_days);
		expires = in_days;
	}
	if (purpose == NULL || business == NULL || technical == NULL || expires == NULL) {
		fputs("bimodal: a flag needs a purpose, two owners and an expiry\n", stderr);
		return cli_usage(c);
	}
	buf_init(&body, FLAG_FILE_BYTES_MAX + CLI_PATH_BYTES_MAX);
	buf_add_char(&body, '{');
	member_add(&body, "key", c->argv[0]);
	member_add(&body, "kind", kind);
	member_add(&body, "purpose", purpose);
	member_add(&body, "business_owner", business);
	member_add(&body, "technical_owner", technical);
	member_add(&body, "expires_at", expires);
	if (team != NULL)
		member_add(&body, "team", team);
	if (enabled)
		buf_add_cstr(&body, "\"enabled\":true,");
	if (flag_document_add(&body, document != NULL ? document : SWITCH)) {
		buf_add_char(&body, '}');
		exit_code = flag_change(c, "POST", "/v1/flags", buf_str(&body));
	}
	buf_free(&body);
	return exit_code;
}

static int
flag_revise(struct cli *c)
{
	const char *comment = "";
	bool rebucket = false;
	const struct cli_option options[] = { { "--comment", CLI_OPTION_TEXT, &comment, 0, 0 },
					      { "--rebucket", CLI_OPTION_SWITCH, &rebucket, 0,
						0 } };
	struct buf path;
	struct buf body;
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 2))
		return 2;
	flag_path(&path, c->argv[0], "/revisions");
	buf_init(&body, FLAG_FILE_BYTES_MAX + CLI_PATH_BYTES_MAX);
	buf_add_cstr(&body, rebucket ? "{\"rebucket\":true," : "{");
	member_add(&body, "comment", comment);
	if (flag_document_add(&body, c->argv[1])) {
		buf_add_char(&body, '}');
		exit_code = flag_change(c, "POST", buf_cstr(&path), buf_str(&body));
	}
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}

static int
flag_evaluate(struct cli *c)
{
	const char *in = "core";
	const struct cli_option options[] = { { "--in", CLI_OPTION_TEXT, &in, 0, 0 } };
	struct buf path;
	struct buf body;

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 2))
		return 2;
	const bool sandbox = strcmp(in, "sandbox") == 0;
	if (!sandbox && strcmp(in, "core") != 0)
		return cli_usage(c);
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/ofrep/v1/evaluate/flags/");
	cli_escape(&path, c->argv[0]);
	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&body, "{\"context\":{\"targetingKey\":");
	buf_json_cstr(&body, c->argv[1]);
	buf_add_cstr(&body, "}}");
	const int exit_code = cli_call_print(c, sandbox ? CLI_SANDBOX : CLI_CORE, "POST",
					     buf_cstr(&path), buf_str(&body));
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}

const struct cli_command cli_flag_commands[] = {
	{ "flag list", "[--state new|live|stale|expired|archived] [--search TEXT]",
	  "all flags, or those in a state, or with a part of their key or purpose", flag_list,
	  "product_owner" },
	{ "flag get", "KEY", "one flag: who gets what, until when; --raw: with its document",
	  flag_get, "product_owner" },
	{ "flag revisions", "KEY", "what it was before", flag_revisions, "product_owner" },
	{ "flag create",
	  "KEY --purpose TEXT --business-owner NAME --technical-owner NAME --days N|--expires-at "
	  "TIME "
	  "[--document FILE|JSON] [--kind release|experiment] [--team SLUG] [--enabled]",
	  "a new flag; without a document a switch that nobody has until it is ramped", flag_create,
	  "product_owner" },
	{ "flag ramp", "KEY PERCENT [--comment TEXT] [--force] [--rebucket]",
	  "give it to so many of its people; who has it keeps it when the share grows", flag_ramp,
	  "product_owner" },
	{ "flag revise", "KEY FILE|JSON [--comment TEXT] [--rebucket]",
	  "a new document; --rebucket: those who have met a variation may be given another one",
	  flag_revise, "product_owner" },
	{ "flag preview", "KEY FILE|JSON [--enabled] [--seconds N]",
	  "how many people or organizations that document would move between variations",
	  flag_preview, "product_owner" },
	{ "flag draft", "KEY [FILE|JSON [--comment TEXT] [--base REVISION] [--replace]] [--drop]",
	  "a new document that serves nobody until it is published; without one show it",
	  flag_draft, "product_owner" },
	{ "flag diff", "KEY [--from REVISION] [--to REVISION]",
	  "what the draft changes, or what two revisions differ in", flag_diff, "product_owner" },
	{ "flag publish", "KEY [--comment TEXT] [--over REVISION] [--rebucket]",
	  "the draft becomes the next revision; --over: the present one, if its rules have "
	  "changed since",
	  flag_publish, "product_owner" },
	{ "flag rollback", "KEY REVISION [--comment TEXT] [--rebucket]",
	  "the rules of an earlier revision again", flag_rollback, "product_owner" },
	{ "flag protect", "KEY", "from now on it changes only by two people; off needs nobody",
	  flag_protect, "operator" },
	{ "flag unprotect", "KEY [--comment TEXT]", "ask another person to end that",
	  flag_unprotect, "operator" },
	{ "flag requests", "[--state waiting|approved|rejected|withdrawn] [--flag KEY]",
	  "what is asked of protected flags", flag_requests, "product_owner" },
	{ "flag approve", "REQUEST [--sha256 HASH] [--note TEXT]",
	  "agree to what somebody else asked; it happens at once", flag_approve, "product_owner" },
	{ "flag reject", "REQUEST --reason TEXT", "refuse it", flag_reject, "product_owner" },
	{ "flag withdraw", "REQUEST [--comment TEXT]", "take your own request back", flag_withdraw,
	  "product_owner" },
	{ "flag enable", "KEY [--comment TEXT]", "turn it on, and see how many workers have it",
	  flag_enable, "product_owner" },
	{ "flag disable", "KEY [--comment TEXT]", "turn it off", flag_disable, "product_owner" },
	{ "flag kill", "KEY [--comment TEXT]", "turn it off at once", flag_kill, "product_owner" },
	{ "flag archive", "KEY [--comment TEXT]", "end it", flag_archive, "product_owner" },
	{ "flag export", "[KEY] [--dir DIR]", "one flag, or all of them, as YAML, one file a flag",
	  flag_export, "product_owner" },
	{ "flag plan", "DIR [--prune] [--detailed-exitcode]",
	  "what the files in DIR would make and change; with --detailed-exitcode 2 if anything",
	  flag_plan, "product_owner" },
	{ "flag apply", "DIR [--prune] [--comment TEXT] [--rebucket]",
	  "make the flags what the files say; --prune archives releases without a file", flag_apply,
	  "product_owner" },
	{ "flag usage", "KEY", "who asks for it and with which program, and what else uses it",
	  flag_usage, "product_owner" },
	{ "flag unknown", "", "keys that are asked for though there is no such flag", flag_unknown,
	  "product_owner" },
	{ "flag evaluate", "KEY UNIT [--in core|sandbox]",
	  "what a person (id), pseudonym or visitor gets", flag_evaluate, "product_owner" },
	{ "flag explain", "KEY [UNIT|CONTEXT] [--at TIME|--revision N]",
	  "what somebody gets, or got then: which revision, rule, condition and bucket decided",
	  flag_explain, "product_owner" },
	{ NULL, NULL, NULL, NULL, NULL },
};
