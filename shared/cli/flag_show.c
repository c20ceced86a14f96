/*
 * flag_show.c — one flag in words, and how its share is changed: `flag ramp` reads the document, sets the coverage of its one rule and
 * stores it as a new revision. Everything else of the document goes back byte for byte, since values keep the form they were written in.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json_in.h"
#include "base/json_scan.h"
#include "cli/flag.h"
#include "cli/show.h"

#define SHOWN_BYTES_MAX ((size_t)64 * 1024)
#define ARENA_BYTES ((size_t)1024 * 1024)
#define DOCUMENT_BYTES_MAX ((size_t)1024 * 1024)
#define MEMBERS_MAX 64
#define PERCENT 100.0

/* ---- showing ---- */

static double
coverage_of(const struct cJSON *rule)
{
	double coverage = 1;

	return json_number(rule, "coverage", false, &coverage, NULL) == ERR_OK ? coverage : 1;
}

/* "30 %: control 50 %, treatment 50 %" */
static void
experiment_add(struct buf *out, const struct cJSON *x)
{
	const struct cJSON *arms = json_get(x, "variations");
	const struct cJSON *weights = json_get(x, "weights");
	const int n = cJSON_GetArraySize(arms);

	if (json_get(x, "ranges") != NULL)
		buf_add_cstr(out, "those in ranges take part:");
	else
		buf_printf(out, "%.4g %% take part:", coverage_of(x) * PERCENT);
	for (int i = 0; i < n; i++) {
		const struct cJSON *w = cJSON_GetArrayItem(weights, i);
		buf_add_cstr(out, i > 0 ? ", " : " ");
		show_value(out, cJSON_GetArrayItem(arms, i), SHOW_TEXT);
		buf_printf(out, " %.4g %%",
			   (cJSON_IsNumber(w) ? w->valuedouble : 1.0 / n) * PERCENT);
	}
}

/* What lines of words do not say as it is; the document itself has it all. */
static bool
is_told(const char *member)
{
	static const char *const told[] = { "id",          "force",      "experiment", "coverage",
					    "condition",   "variations", "weights",    "seed",
					    "hashVersion", "key" };
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (strcmp(member, told[i]) == 0)
			return true;
	return false;
}

static void
untold_add(struct buf *out, const struct cJSON *j, const char **lead)
{
	const struct cJSON *member;

	cJSON_ArrayForEach(member, j)
	{
		if (is_told(member->string))
			continue;
		buf_printf(out, "%s%s", *lead, member->string);
		*lead = ", ";
	}
}

/* "if {"country":"AT"}: 30 % get treatment, and see namespace" */
static void
rule_add(struct buf *out, const struct cJSON *rule)
{
	const struct cJSON *x = json_get(rule, "experiment");
	const struct cJSON *condition = json_get(rule, "condition");
	char *text = condition != NULL ? cJSON_PrintUnformatted(condition) : NULL;
	const char *lead = "; see also ";

	if (text != NULL)
		buf_printf(out, "if %s: ", text);
	cJSON_free(text);
	if (x != NULL) {
		experiment_add(out, x);
	} else if (json_get(rule, "force") == NULL) {
		buf_add_cstr(out, "goes on, or gives nothing");
	} else {
		if (json_get(rule, "range") != NULL)
			buf_add_cstr(out, "a range gets ");
		else
			buf_printf(out, "%.4g %% get ", coverage_of(rule) * PERCENT);
		show_value(out, json_get(rule, "force"), SHOW_TEXT);
	}
	untold_add(out, rule, &lead);
	untold_add(out, x, &lead);
}

static void
rules_print(const struct cJSON *document)
{
	const struct cJSON *rule;
	struct buf text;

	buf_init(&text, SHOWN_BYTES_MAX);
	cJSON_ArrayForEach(rule, json_get(document, "rules"))
	{
		buf_reset(&text);
		rule_add(&text, rule);
		show_line("rule", "%s", buf_cstr(&text));
	}
	show_member(document, "default", "the others", SHOW_TEXT);
	buf_free(&text);
}

static void
flag_print(const struct cJSON *j)
{
	struct buf a, b;
	int64_t workers = 0, of = 0;
	const struct cJSON *applied = json_get(j, "applied");
	const struct cJSON *document = json_get(j, "document");

	buf_init(&a, SHOWN_BYTES_MAX);
	buf_init(&b, SHOWN_BYTES_MAX);
	const char *key = show_text(j, "key", &a);
	printf("%s: %s, revision %s\n", key,
	       !cJSON_IsNull(json_get(j, "archived_at")) ? "archived"
	       : cJSON_IsTrue(json_get(j, "expired"))    ? "expired"
	       : cJSON_IsTrue(json_get(j, "enabled"))    ? "on"
							 : "off",
	       show_text(j, "revision", &b));
	show_member(j, "purpose", "purpose", SHOW_TEXT);
	const char *business = show_text(j, "business_owner", &a);
	show_line("owners", "%s (business), %s (technical)", business,
		  show_text(j, "technical_owner", &b));
	show_member(j, "kind", "kind", SHOW_TEXT);
	show_member(j, "expires_at", "expires", SHOW_TIME);
	show_member(document, "unit", "divides", SHOW_TEXT);
	rules_print(document);
	if (json_int(applied, "workers", true, 0, 100000, &workers, NULL) == ERR_OK &&
	    json_int(applied, "of", true, 0, 100000, &of, NULL) == ERR_OK)
		show_line("served", "by %lld of %lld workers", (long long)workers, (long long)of);
	buf_free(&a);
	buf_free(&b);
}

/* GET of the flag; its JSON, NULL after a failure (printed). The reply is released by the caller in any case. */
static struct cJSON *
flag_read(struct cli *c, const char *key, struct cli_reply *reply)
{
	struct cJSON *j = NULL;
	struct buf path;

	flag_path(&path, key, "");
	if (cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, reply) &&
	    (reply->status != 200 || json_parse(buf_str(&reply->body), &j, NULL) != ERR_OK))
		(void)cli_reply_print(c, reply);
	buf_free(&path);
	return j;
}

int
flag_show(struct cli *c, const char *key)
{
	struct cli_reply reply;
	struct cJSON *j = flag_read(c, key, &reply);
	int exit_code = 1;

	if (j != NULL && c->raw) {
		exit_code = cli_reply_print(c, &reply);
	} else if (j != NULL) {
		flag_print(j);
		exit_code = 0;
	}
	json_free(j);
	cli_reply_free(&reply);
	return exit_code;
}

/* ---- ramp ---- */

/* The members of an object as they are, but `key`: that one gets `value`, at the end if it was not there. */
static bool
replace(struct arena *arena, struct str object, const char *key, struct str value, struct buf *out)
{
	struct json_member m[MEMBERS_MAX];
	size_t n = ARRAY_LEN(m);
	bool found = false;

	if (json_scan_object(object, arena, m, &n, NULL) != ERR_OK)
		return false;
	buf_add_char(out, '{');
	for (size_t i = 0; i < n; i++) {
		const bool is_it = str_is(m[i].key, key);
		found = found || is_it;
		buf_add_cstr(out, i > 0 ? "," : "");
		buf_json_str(out, m[i].key);
		buf_add_char(out, ':');
		buf_add_str(out, is_it ? value : m[i].value);
	}
	if (!found) {
		buf_add_cstr(out, n > 0 ? "," : "");
		buf_json_cstr(out, key);
		buf_add_char(out, ':');
		buf_add_str(out, value);
	}
	buf_add_char(out, '}');
	return !out->failed;
}

static struct str
member_of(struct arena *arena, struct str object, const char *key)
{
	struct json_member m[MEMBERS_MAX];
	size_t n = ARRAY_LEN(m);

	if (object.p == NULL || json_scan_object(object, arena, m, &n, NULL) != ERR_OK)
		return STR_NONE;
	for (size_t i = 0; i < n; i++)
		if (str_is(m[i].key, key))
			return m[i].value;
	return STR_NONE;
}

/* The document with the coverage of its one rule; false: it has none or several. */
static bool
document_ramp(struct arena *arena, struct str document, struct str coverage, struct buf *out)
{
	struct json_element rules[2];
	size_t n = ARRAY_LEN(rules);
	struct buf rule, inner;
	const struct str list = member_of(arena, document, "rules");

	if (list.p == NULL || json_scan_array(list, rules, &n, NULL) != ERR_OK || n != 1)
		return false;
	const struct str experiment = member_of(arena, rules[0].value, "experiment");
	buf_init(&rule, DOCUMENT_BYTES_MAX);
	buf_init(&inner, DOCUMENT_BYTES_MAX);
	buf_add_char(&rule, '[');
	const bool ok =
		(experiment.p == NULL ? replace(arena, rules[0].value, "coverage", coverage, &rule)
				      : replace(arena, experiment, "coverage", coverage, &inner) &&
						replace(arena, rules[0].value, "experiment",
							buf_str(&inner), &rule));
	buf_add_char(&rule, ']');
	const bool made = ok && replace(arena, document, "rules", buf_str(&rule), out);
	buf_free(&inner);
	buf_free(&rule);
	return made;
}

static int
ramp(struct cli *c, struct str flag, double percent, const char *comment, bool rebucket)
{
	struct arena arena;
	struct buf body, path, coverage;
	int exit_code = 1;

	arena_init(&arena, ARENA_BYTES);
	buf_init(&body, DOCUMENT_BYTES_MAX + CLI_PATH_BYTES_MAX);
	buf_init(&coverage, 64);
	buf_printf(&coverage, "%.6g", percent / PERCENT);
	flag_path(&path, c->argv[0], "/revisions");
	buf_add_cstr(&body, rebucket ? "{\"rebucket\":true,\"document\":" : "{\"document\":");
	if (document_ramp(&arena, member_of(&arena, flag, "document"), buf_str(&coverage), &body)) {
		buf_add_cstr(&body, ",\"comment\":");
		if (comment != NULL)
			buf_json_cstr(&body, comment);
		else
			buf_printf(&body, "\"ramped to %.4g %%\"", percent);
		buf_add_char(&body, '}');
		exit_code = flag_change(c, "POST", buf_cstr(&path), buf_str(&body));
	} else {
		fputs("bimodal: only a flag of one rule can be ramped; write its document and use "
		      "bimodal flag revise\n",
		      stderr);
	}
	buf_free(&path);
	buf_free(&coverage);
	buf_free(&body);
	arena_release(&arena);
	return exit_code;
}

int
flag_ramp(struct cli *c)
{
	const char *comment = NULL;
	bool force = false, rebucket = false;
	const struct cli_option options[] = { { "--comment", CLI_OPTION_TEXT, &comment, 0, 0 },
					      { "--force", CLI_OPTION_SWITCH, &force, 0, 0 },
					      { "--rebucket", CLI_OPTION_SWITCH, &rebucket, 0,
						0 } };
	struct cli_reply reply;
	double percent = 0;
	const char *kind = "";
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 2))
		return 2;
	if (str_double(str_of(c->argv[1]), &percent) != ERR_OK || percent < 0 ||
	    percent > PERCENT) {
		fprintf(stderr, "bimodal: the share is a number from 0 to 100, not \"%s\"\n",
			c->argv[1]);
		return 2;
	}
	struct cJSON *j = flag_read(c, c->argv[0], &reply);
	if (j != NULL && !force && json_string(j, "kind", true, &kind, NULL) == ERR_OK &&
	    strcmp(kind, "experiment") == 0)
		fputs("bimodal: this flag is an experiment's: with another share its figures would "
		      "say "
		      "nothing. --force does it all the same\n",
		      stderr);
	else if (j != NULL)
		exit_code = ramp(c, buf_str(&reply.body), percent, comment, rebucket);
	json_free(j);
	cli_reply_free(&reply);
	return exit_code;
}
