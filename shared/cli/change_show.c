/*
 * change_show.c — one change request as people read it: what it is, how its rehearsal went, who approved it, what comes next. What takes
 * its time in core (rehearse, apply, roll back) is asked about again until it is settled, where the caller wants to wait.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json_in.h"
#include "cli/change.h"
#include "cli/show.h"

#define EXIT_UNDER_WAY 3
#define EXIT_DRIFT 3
#define PAUSE_MS 100
#define SHOWN_BYTES_MAX ((size_t)64 * 1024)

bool
change_id(struct cli *c, const char *word, char id[CLI_ID_SIZE])
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	char path[64];
	int64_t wanted = 0;
	int64_t found = 0;
	const char *text = NULL;

	if (str_int(str_of(word), 1, INT32_MAX - 1, &wanted) != ERR_OK) {
		if (str_copy(id, CLI_ID_SIZE, str_of(word)))
			return true;
		fputs("bimodal: a change is named by its number or id\n", stderr);
		return false;
	}
	(void)snprintf(path, sizeof(path), "/v1/changes?limit=1&after=%lld",
		       (long long)(wanted + 1));
	bool ok = cli_call(c, CLI_CORE, "GET", path, NULL, STR_NONE, &reply);
	if (ok && reply.status != 200) {
		(void)cli_reply_print(c, &reply);
		ok = false;
	} else if (ok) {
		ok = json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK;
		const struct cJSON *first = cJSON_GetArrayItem(json_get(j, "data"), 0);
		ok = ok && first != NULL &&
		     json_int(first, "number", true, 1, INT32_MAX, &found, NULL) == ERR_OK &&
		     found == wanted && json_string(first, "id", true, &text, NULL) == ERR_OK &&
		     str_copy(id, CLI_ID_SIZE, str_of(text));
		if (!ok)
			fprintf(stderr, "bimodal: there is no change %s\n", word);
	}
	json_free(j);
	cli_reply_free(&reply);
	return ok;
}

/* ---- showing ---- */

/* "passed: 2 statements, and the way back is proven", or why not. */
static void
rehearsal_print(const struct cJSON *report)
{
	unsigned up = 0;
	unsigned rewrites = 0;
	double ms = 0;
	const struct cJSON *s;

	if (!cJSON_IsObject(report))
		return;
	cJSON_ArrayForEach(s, json_get(report, "statements"))
	{
		const char *part = NULL;
		double took = 0;
		if (json_string(s, "part", true, &part, NULL) != ERR_OK || strcmp(part, "up") != 0)
			continue;
		up++;
		rewrites +=
			json_get(s, "rewrites") != NULL && json_get(s, "rewrites")->child != NULL;
		if (json_number(s, "ms", false, &took, NULL) == ERR_OK)
			ms += took;
	}
	if (!cJSON_IsTrue(json_get(report, "passed")))
		show_line("rehearsal", "did not pass");
	else
		show_line("rehearsal",
			  "passed: %u statements in %.0f ms, %s, and the way back is proven", up,
			  ms, rewrites == 0 ? "no table rewritten" : "with rewritten tables");
}

static void
approvals_print(const struct cJSON *approvals)
{
	struct buf note;
	const struct cJSON *a;

	buf_init(&note, SHOWN_BYTES_MAX);
	if (cJSON_IsArray(approvals) && approvals->child == NULL)
		show_line("approvals", "none");
	cJSON_ArrayForEach(a, approvals)
	{
		struct buf at;
		buf_init(&at, SHOWN_BYTES_MAX);
		show_value(&at, json_get(a, "at"), SHOW_TIME);
		const char *text = show_text(a, "note", &note);
		show_line("approved", "%s%s%s", buf_cstr(&at), text[0] != '\0' ? ": " : "", text);
		buf_free(&at);
	}
	buf_free(&note);
}

static void
next_print(const char *state, const char *number)
{
	if (strcmp(state, "rehearsed") == 0)
		show_line("next", "another person decides: bimodal change approve %s", number);
	else if (strcmp(state, "approved") == 0)
		show_line("next", "bimodal change apply %s", number);
	else if (strcmp(state, "applied") == 0)
		show_line("next", "if need be: bimodal change rollback %s", number);
	else if (strcmp(state, "failed") == 0)
		show_line("next", "alter it, or bimodal change rehearse %s", number);
}

static bool
under_way(const struct cJSON *j)
{
	const char *state = "";
	const struct cJSON *intent = json_get(j, "intent");

	return cJSON_IsObject(intent) &&
	       json_string(intent, "state", false, &state, NULL) == ERR_OK &&
	       (strcmp(state, "waiting") == 0 || strcmp(state, "running") == 0);
}

static void
change_print(const struct cJSON *j)
{
	struct buf a, b, number;

	buf_init(&a, SHOWN_BYTES_MAX);
	buf_init(&b, SHOWN_BYTES_MAX);
	buf_init(&number, SHOWN_BYTES_MAX);
	const char *of = show_text(j, "number", &number);
	printf("change %s: %s\n", of, show_text(j, "title", &a));
	const char *doing = show_text(json_get(j, "intent"), "kind", &b);
	if (under_way(j))
		show_line("state", "%s; the order to %s is under way", show_text(j, "state", &a),
			  doing);
	else
		show_member(j, "state", "state", SHOW_TEXT);
	show_member(j, "why", "why", SHOW_TEXT);
	show_member(j, "benefit", "benefit", SHOW_TEXT);
	show_member(j, "risk", "risk", SHOW_TEXT);
	const char *business = show_text(j, "business_owner", &a);
	show_line("owners", "%s (business), %s (technical)", business,
		  show_text(j, "technical_owner", &b));
	show_member(j, "slug", "feature", SHOW_TEXT);
	show_member(j, "sha256", "sha256", SHOW_TEXT);
	rehearsal_print(json_get(j, "report"));
	approvals_print(json_get(j, "approvals"));
	show_member(j, "error", "error", SHOW_TEXT);
	if (!under_way(j))
		next_print(show_text(j, "state", &a), of);
	buf_free(&a);
	buf_free(&b);
	buf_free(&number);
}

/* ---- asking ---- */

/* What was waited for: 0 well, 1 failed, 3 still under way. Without waiting it is well that it was asked for. */
static int
outcome(const struct cJSON *j, bool waited)
{
	const char *state = "";

	if (!waited)
		return 0;
	if (under_way(j))
		return EXIT_UNDER_WAY;
	return json_string(json_get(j, "intent"), "state", false, &state, NULL) == ERR_OK &&
			       strcmp(state, "failed") == 0
		       ? 1
		       : 0;
}

/* Ask again until nothing is under way or the time is over. The reply is that of the last call. */
static bool
settle(struct cli *c, struct cli_reply *reply, struct cJSON **j, int64_t wait_s)
{
	const usec_t until = clock_now_us() + wait_s * USEC_PER_SEC;
	const struct timespec pause = { .tv_nsec = PAUSE_MS * USEC_PER_MS * 1000 };
	char path[128];
	const char *id = NULL;

	while (under_way(*j) && clock_now_us() < until) {
		if (json_string(*j, "id", true, &id, NULL) != ERR_OK)
			return false;
		(void)snprintf(path, sizeof(path), "/v1/changes/%.40s", id);
		(void)nanosleep(&pause, NULL);
		cli_reply_free(reply);
		json_free(*j);
		*j = NULL;
		if (!cli_call(c, CLI_CORE, "GET", path, NULL, STR_NONE, reply) ||
		    reply->status != 200 || json_parse(buf_str(&reply->body), j, NULL) != ERR_OK)
			return false;
	}
	return true;
}

int
change_show(struct cli *c, struct cli_reply *reply, int64_t wait_s)
{
	struct cJSON *j = NULL;
	int exit_code = 1;

	if (reply->status < 200 || reply->status >= 300 ||
	    json_parse(buf_str(&reply->body), &j, NULL) != ERR_OK ||
	    !settle(c, reply, &j, wait_s)) {
		exit_code = cli_reply_print(c, reply);
	} else if (c->raw) {
		exit_code = cli_reply_print(c, reply) | outcome(j, wait_s > 0);
	} else {
		struct buf text;
		buf_init(&text, SHOWN_BYTES_MAX);
		if (c->quiet)
			puts(show_text(j, "number", &text));
		else
			change_print(j);
		buf_free(&text);
		exit_code = outcome(j, wait_s > 0);
	}
	json_free(j);
	return exit_code;
}

int
change_call(struct cli *c, const char *method, const char *id, const char *rest, struct str body,
	    int64_t wait_s)
{
	struct cli_reply reply;
	struct buf path;
	int exit_code = 1;

	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/changes");
	if (id != NULL) {
		buf_add_char(&path, '/');
		cli_escape(&path, id);
	}
	buf_add_cstr(&path, rest);
	if (cli_call(c, CLI_CORE, method, buf_cstr(&path), NULL, body, &reply))
		exit_code = change_show(c, &reply, wait_s);
	cli_reply_free(&reply);
	buf_free(&path);
	return exit_code;
}

int
change_drift(struct cli *c)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	const struct cJSON *line;
	int exit_code = 1;

	if (!cli_call(c, CLI_CORE, "GET", "/v1/drift", NULL, STR_NONE, &reply) ||
	    reply.status != 200 || c->raw || json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK) {
		exit_code = reply.status != 0 ? cli_reply_print(c, &reply) : 1;
	} else {
		const bool frozen = cJSON_IsTrue(json_get(j, "frozen"));
		exit_code = frozen ? EXIT_DRIFT : 0;
		puts(frozen ? "the catalog differs from what was approved; no change is applied "
			      "until "
			      "that is resolved:"
			    : "no drift: the catalog is what the ledger says");
		struct buf a, b, d;
		buf_init(&a, SHOWN_BYTES_MAX);
		buf_init(&b, SHOWN_BYTES_MAX);
		buf_init(&d, SHOWN_BYTES_MAX);
		cJSON_ArrayForEach(line, json_get(j, "lines"))
		{
			const char *what = show_text(line, "what", &a);
			const char *class = show_text(line, "class", &b);
			printf("  %s: %s %s\n", what, class, show_text(line, "id", &d));
		}
		buf_free(&a);
		buf_free(&b);
		buf_free(&d);
		show_member(j, "fingerprint", "fingerprint", SHOW_TEXT);
		show_member(j, "checked_at", "looked at", SHOW_TIME);
	}
	json_free(j);
	cli_reply_free(&reply);
	return exit_code;
}
