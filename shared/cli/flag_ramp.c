/*
 * flag_ramp.c — commands on ramps and schedules of flags. A step is written PERCENT[:WAIT[+WAIT…]], and each WAIT is a duration ("24h"), a
 * sample ("n=500") or "approval": 1:24h 5:24h+n=500 25:approval 100.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_in.h"
#include "cli/flag.h"
#include "cli/show.h"

#define PERCENT 100.0
#define STEPS_MAX 20
#define RAMP_BYTES_MAX ((size_t)64 * 1024)

/* ---- what is written ---- */

static bool
wrong(const char *what, struct str text, const char *want)
{
	fprintf(stderr, "bimodal: \"%.*s\" is no %s: %s\n", STR_FMT(text), what, want);
	return false;
}

/* One thing that a step waits for, as a member. */
static bool
wait_add(struct buf *body, struct str wait)
{
	usec_t time = 0;
	int64_t n = 0;

	if (str_is(wait, "approval")) {
		buf_add_cstr(body, ",\"approval\":true");
		return true;
	}
	if (wait.len > 2 && strncmp(wait.p, "n=", 2) == 0 &&
	    str_int((struct str) { wait.p + 2, wait.len - 2 }, 1, INT64_MAX, &n) == ERR_OK) {
		buf_printf(body, ",\"sample\":%lld", (long long)n);
		return true;
	}
	if (clock_parse_duration(wait, &time) != ERR_OK || time < USEC_PER_SEC)
		return wrong("wait", wait, "a duration such as 24h, n=COUNT or approval");
	buf_printf(body, ",\"after_seconds\":%lld", (long long)(time / USEC_PER_SEC));
	return true;
}

static bool
step_add(struct buf *body, const char *text, bool first)
{
	struct str rest = str_of(text);
	const struct str share = str_cut(&rest, ':');
	double percent = 0;

	if (str_double(share, &percent) != ERR_OK || percent <= 0 || percent > PERCENT)
		return wrong("step", str_of(text), "PERCENT[:WAIT[+WAIT]], as in 5:24h+n=500");
	buf_printf(body, "%s{\"coverage\":%.6g", first ? "" : ",", percent / PERCENT);
	while (rest.p != NULL)
		if (!wait_add(body, str_cut(&rest, '+')))
			return false;
	buf_add_char(body, '}');
	return true;
}

/* METRIC, METRIC+MARGIN or METRIC=LIMIT, in percent. */
static bool
guardrail_add(struct buf *body, struct str text, bool first)
{
	const size_t name = strcspn(text.p, "+=,");
	const size_t len = MIN(name, text.len);
	double percent = 0;

	buf_add_cstr(body, first ? "{\"metric\":" : ",{\"metric\":");
	buf_json_str(body, (struct str) { text.p, len });
	if (len < text.len) {
		if (str_double((struct str) { text.p + len + 1, text.len - len - 1 }, &percent) !=
		    ERR_OK)
			return wrong("guardrail", text,
				     "METRIC, METRIC+MARGIN or METRIC=LIMIT, in percent");
		buf_printf(body, ",\"%s\":%.6g", text.p[len] == '+' ? "margin" : "limit",
			   percent / PERCENT);
	}
	buf_add_char(body, '}');
	return true;
}

/* A rule by its place where that is a number, else by its id. */
static void
rule_add(struct buf *body, const char *rule)
{
	int64_t number = 0;

	if (rule == NULL)
		return;
	buf_add_cstr(body, ",\"rule\":");
	if (str_int(str_of(rule), 0, INT32_MAX, &number) == ERR_OK)
		buf_printf(body, "%lld", (long long)number);
	else
		buf_json_cstr(body, rule);
}

/* ---- what is shown ---- */

static void
step_print(const struct cJSON *step, bool present)
{
	const struct cJSON *coverage = json_get(step, "coverage");
	const bool begun = !cJSON_IsNull(json_get(step, "begun_at"));
	struct buf at, by, waits;
	int64_t n = 0;

	buf_init(&at, CLI_PATH_BYTES_MAX);
	buf_init(&by, CLI_PATH_BYTES_MAX);
	buf_init(&waits, CLI_PATH_BYTES_MAX);
	show_value(&at, json_get(step, begun ? "begun_at" : "planned_at"), SHOW_TIME);
	if (cJSON_IsNumber(json_get(step, "after_seconds")) &&
	    json_int(step, "after_seconds", true, 0, INT64_MAX, &n, NULL) == ERR_OK)
		buf_printf(&waits, "  %lld s", (long long)n);
	if (cJSON_IsNumber(json_get(step, "sample")) &&
	    json_int(step, "sample", true, 0, INT64_MAX, &n, NULL) == ERR_OK)
		buf_printf(&waits, "  %lld people", (long long)n);
	if (cJSON_IsTrue(json_get(step, "approval")))
		buf_add_cstr(&waits, "  approval");
	const char *name = show_text(step, "by_name", &by);
	printf("%s %6.4g %%  %s %s%s%s%s\n", present ? ">" : " ",
	       cJSON_IsNumber(coverage) ? coverage->valuedouble * PERCENT : 0,
	       begun ? "since" : "not before", buf_cstr(&at), name[0] != '\0' ? " by " : "", name,
	       waits.len > 0 ? buf_cstr(&waits) : "");
	buf_free(&waits);
	buf_free(&by);
	buf_free(&at);
}

static void
guardrail_print(const struct cJSON *rail)
{
	const struct cJSON *judged;
	struct buf metric, state;

	buf_init(&metric, CLI_PATH_BYTES_MAX);
	buf_init(&state, CLI_PATH_BYTES_MAX);
	const char *name = show_text(rail, "metric", &metric);
	if (!cJSON_IsArray(json_get(rail, "judged")))
		show_line("guardrail", "%s: not looked at yet", name);
	cJSON_ArrayForEach(judged, json_get(rail, "judged"))
	{
		const struct cJSON *share = json_get(judged, "share");
		const struct cJSON *against = json_get(judged, "against");
		show_line("guardrail", "%s %s: %.3g %% against %.3g %%", name,
			  show_text(judged, "state", &state),
			  cJSON_IsNumber(share) ? share->valuedouble * PERCENT : 0,
			  cJSON_IsNumber(against) ? against->valuedouble * PERCENT : 0);
	}
	buf_free(&state);
	buf_free(&metric);
}

static void
ramp_print(const struct cJSON *j)
{
	const struct cJSON *item;
	const struct cJSON *held = json_get(j, "held");
	int64_t step = 0, nth = 0;

	show_member(j, "id", "ramp", SHOW_TEXT);
	show_member(j, "rule", "rule", SHOW_TEXT);
	show_member(j, "state", "is", SHOW_TEXT);
	if (cJSON_IsObject(held)) {
		show_member(held, "reason", "because", SHOW_TEXT);
		show_member(held, "by_name", "held by", SHOW_TEXT);
	}
	if (cJSON_GetArraySize(json_get(j, "waits_for")) > 0)
		show_member(j, "waits_for", "waits for", SHOW_TEXT);
	show_member(j, "seen", "seen", SHOW_TEXT);
	if (json_int(j, "step", true, 0, INT64_MAX, &step, NULL) != ERR_OK)
		step = 0;
	cJSON_ArrayForEach(item, json_get(j, "steps")) step_print(item, ++nth == step);
	cJSON_ArrayForEach(item, json_get(j, "guardrails")) guardrail_print(item);
}

/* Call, and print the ramp that comes back, or all of a page. */
static int
ramp_call(struct cli *c, const char *method, const char *path, struct str body)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	int exit_code = 1;

	if (cli_call(c, CLI_CORE, method, path, NULL, body, &reply)) {
		const bool good = reply.status >= 200 && reply.status < 300;
		if (c->raw || !good || json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK) {
			exit_code = cli_reply_print(c, &reply);
		} else {
			const struct cJSON *page = json_get(j, "data");
			const struct cJSON *item;
			exit_code = 0;
			if (!cJSON_IsArray(page))
				ramp_print(j);
			else if (cJSON_GetArraySize(page) == 0)
				puts("no ramps");
			cJSON_ArrayForEach(item, page) ramp_print(item);
		}
	}
	json_free(j);
	cli_reply_free(&reply);
	return exit_code;
}

/* ---- commands on ramps ---- */

static bool
guardrails_add(struct buf *body, const char *text)
{
	struct str rest = str_of(text);
	bool first = true;

	buf_add_cstr(body, ",\"guardrails\":[");
	while (rest.p != NULL) {
		if (!guardrail_add(body, str_cut(&rest, ','), first))
			return false;
		first = false;
	}
	buf_add_char(body, ']');
	return true;
}

static int
ramp_start(struct cli *c)
{
	const char *rule = NULL, *guardrails = NULL, *on_breach = "hold", *comment = "";
	int64_t units = 0;
	const struct cli_option options[] = {
		{ "--rule", CLI_OPTION_TEXT, &rule, 0, 0 },
		{ "--guardrails", CLI_OPTION_TEXT, &guardrails, 0, 0 },
		{ "--on-breach", CLI_OPTION_TEXT, &on_breach, 0, 0 },
		{ "--planned-units", CLI_OPTION_INT, &units, 100, 1000000 },
		{ "--comment", CLI_OPTION_TEXT, &comment, 0, 0 },
	};
	struct buf path, body;

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 1 + STEPS_MAX))
		return 2;
	buf_init(&body, RAMP_BYTES_MAX);
	buf_add_cstr(&body, "{\"steps\":[");
	bool good = true;
	for (int i = 1; i < c->argc && good; i++)
		good = step_add(&body, c->argv[i], i == 1);
	buf_add_char(&body, ']');
	rule_add(&body, rule);
	good = good && (guardrails == NULL || guardrails_add(&body, guardrails));
	buf_add_cstr(&body, ",\"on_breach\":");
	buf_json_cstr(&body, on_breach);
	if (units > 0)
		buf_printf(&body, ",\"planned_units\":%lld", (long long)units);
	buf_add_cstr(&body, ",\"comment\":");
	buf_json_cstr(&body, comment);
	buf_add_char(&body, '}');
	flag_path(&path, c->argv[0], "/ramps");
	const int exit_code = good ? ramp_call(c, "POST", buf_cstr(&path), buf_str(&body)) : 2;
	buf_free(&path);
	buf_free(&body);
	return exit_code;
}

static int
ramp_show(struct cli *c)
{
	struct buf path;

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	flag_path(&path, c->argv[0], "/ramps");
	const int exit_code = ramp_call(c, "GET", buf_cstr(&path), STR_NONE);
	buf_free(&path);
	return exit_code;
}

/* The one ramp of the flag that has not ended; false: there is none or several, said so. */
static bool
ramp_only(struct cli *c, char id[CLI_ID_SIZE])
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	const char *text = "";
	struct buf path;
	bool found = false;

	flag_path(&path, c->argv[0], "/ramps?active=true");
	if (cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply)) {
		if (reply.status != 200 || json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK) {
			(void)cli_reply_print(c, &reply);
		} else {
			const struct cJSON *page = json_get(j, "data");
			const int n = cJSON_GetArraySize(page);
			found = n == 1 &&
				json_string(cJSON_GetArrayItem(page, 0), "id", true, &text, NULL) ==
					ERR_OK &&
				str_copy(id, CLI_ID_SIZE, str_of(text));
			if (!found)
				fprintf(stderr, "bimodal: %s has %s\n", c->argv[0],
					n > 0 ? "several ramps: name one by --ramp ID"
					      : "no ramp that goes on");
		}
	}
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&path);
	return found;
}

static int
ramp_turn(struct cli *c, const char *what, const char *note_name)
{
	const char *note = NULL, *ramp = NULL;
	char option_name[16];
	const struct cli_option options[] = {
		{ option_name, CLI_OPTION_TEXT, &note, 0, 0 },
		{ "--ramp", CLI_OPTION_TEXT, &ramp, 0, 0 },
	};
	char id[CLI_ID_SIZE];
	struct buf path, body;

	(void)snprintf(option_name, sizeof(option_name), "--%s", note_name);
	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	if (ramp == NULL && !ramp_only(c, id))
		return 1;
	flag_path(&path, c->argv[0], "/ramps/");
	cli_escape(&path, ramp != NULL ? ramp : id);
	buf_printf(&path, "/%s", what);
	buf_init(&body, RAMP_BYTES_MAX);
	if (note != NULL) {
		buf_printf(&body, "{\"%s\":", note_name);
		buf_json_cstr(&body, note);
		buf_add_char(&body, '}');
	} else {
		buf_add_cstr(&body, "{}");
	}
	const int exit_code = ramp_call(c, "POST", buf_cstr(&path), buf_str(&body));
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}

static int
ramp_hold(struct cli *c)
{
	return ramp_turn(c, "hold", "reason");
}

static int
ramp_resume(struct cli *c)
{
	return ramp_turn(c, "resume", "comment");
}

static int
ramp_approve(struct cli *c)
{
	return ramp_turn(c, "approve", "comment");
}

static int
ramp_back(struct cli *c)
{
	return ramp_turn(c, "back", "comment");
}

static int
ramp_cancel(struct cli *c)
{
	return ramp_turn(c, "cancel", "comment");
}

/* ---- commands on schedules ---- */

static int
schedule_add(struct cli *c)
{
	const char *at = NULL, *in = NULL, *rule = NULL, *comment = "";
	double percent = -1;
	const struct cli_option options[] = {
		{ "--at", CLI_OPTION_TEXT, &at, 0, 0 },
		{ "--in", CLI_OPTION_TEXT, &in, 0, 0 },
		{ "--rule", CLI_OPTION_TEXT, &rule, 0, 0 },
		{ "--percent", CLI_OPTION_DECIMAL, &percent, 0, 100 },
		{ "--comment", CLI_OPTION_TEXT, &comment, 0, 0 },
	};
	char time[CLOCK_RFC3339_SIZE];
	struct buf path, body;
	usec_t ahead = 0;

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 2))
		return 2;
	if ((at == NULL) == (in == NULL) ||
	    (in != NULL && clock_parse_duration(str_of(in), &ahead) != ERR_OK)) {
		fputs("bimodal: say when, by --at TIME or --in DURATION\n", stderr);
		return 2;
	}
	if (in != NULL) {
		clock_rfc3339(clock_wall_us() + ahead, time);
		at = time;
	}
	buf_init(&body, RAMP_BYTES_MAX);
	buf_add_cstr(&body, "{\"action\":");
	buf_json_cstr(&body, c->argv[1]);
	buf_add_cstr(&body, ",\"at\":");
	buf_json_cstr(&body, at);
	rule_add(&body, rule);
	if (percent >= 0)
		buf_printf(&body, ",\"coverage\":%.6g", percent / PERCENT);
	buf_add_cstr(&body, ",\"comment\":");
	buf_json_cstr(&body, comment);
	buf_add_char(&body, '}');
	flag_path(&path, c->argv[0], "/schedules");
	const int exit_code = cli_call_print(c, CLI_CORE, "POST", buf_cstr(&path), buf_str(&body));
	buf_free(&path);
	buf_free(&body);
	return exit_code;
}

static int
schedule_list(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "schedule", "id", SHOW_TEXT }, { "at", "at", SHOW_TIME },
		{ "what", "action", SHOW_TEXT }, { "part", "coverage", SHOW_TEXT },
		{ "is", "state", SHOW_TEXT },    { "by", "made_by_name", SHOW_TEXT },
		{ "note", "note", SHOW_TEXT },   { NULL, NULL, SHOW_TEXT },
	};
	struct buf path;

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	flag_path(&path, c->argv[0], "/schedules");
	const int exit_code = show_list(c, CLI_CORE, buf_cstr(&path), columns);
	buf_free(&path);
	return exit_code;
}

static int
schedule_cancel(struct cli *c)
{
	struct buf path;

	if (!cli_options(c, NULL, 0, 2, 2))
		return 2;
	flag_path(&path, c->argv[0], "/schedules/");
	cli_escape(&path, c->argv[1]);
	const int exit_code = cli_call_print(c, CLI_CORE, "DELETE", buf_cstr(&path), STR_NONE);
	buf_free(&path);
	return exit_code;
}

const struct cli_command cli_ramp_commands[] = {
	{ "flag ramp start",
	  "KEY PERCENT[:WAIT[+WAIT]]… [--rule ID|PLACE] [--guardrails METRIC[+MARGIN|=LIMIT],…] "
	  "[--on-breach hold|back|kill] [--planned-units N] [--comment TEXT]",
	  "give it to more and more, by time, sample or approval: 1:24h 5:24h+n=500 25:approval "
	  "100",
	  ramp_start, "product_owner" },
	{ "flag ramp show", "KEY", "its ramps: what has come and what is to come", ramp_show,
	  "product_owner" },
	{ "flag ramp hold", "KEY --reason TEXT [--ramp ID]", "go no further until it is resumed",
	  ramp_hold, "product_owner" },
	{ "flag ramp resume", "KEY [--comment TEXT] [--ramp ID]", "go on", ramp_resume,
	  "product_owner" },
	{ "flag ramp approve", "KEY [--comment TEXT] [--ramp ID]",
	  "let it go on from a step that waits for that", ramp_approve, "product_owner" },
	{ "flag ramp back", "KEY [--comment TEXT] [--ramp ID]", "take it back by one step",
	  ramp_back, "product_owner" },
	{ "flag ramp cancel", "KEY [--comment TEXT] [--ramp ID]", "end it: whoever has it keeps it",
	  ramp_cancel, "product_owner" },
	{ "flag schedule add",
	  "KEY enable|disable|publish|coverage --at TIME|--in DURATION [--percent N] [--rule "
	  "ID|PLACE] [--comment TEXT]",
	  "plan it for a time; publish takes the draft as it is now", schedule_add,
	  "product_owner" },
	{ "flag schedule list", "KEY", "what is planned, and what came of it", schedule_list,
	  "product_owner" },
	{ "flag schedule cancel", "KEY ID", "call it off", schedule_cancel, "product_owner" },
	{ NULL, NULL, NULL, NULL, NULL },
};
