/*
 * print.c — how replies, problems and progress are shown.
 */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_in.h"

#define PROGRESS_TERMINAL_US (USEC_PER_SEC / 10)
#define PROGRESS_FILE_US (10 * USEC_PER_SEC)

static void
problem_print(struct str body, long status)
{
	struct cJSON *j = NULL;
	const char *title = NULL;
	const char *detail = NULL;

	if (json_parse(body, &j, NULL) != ERR_OK ||
	    json_string(j, "title", false, &title, NULL) != ERR_OK ||
	    json_string(j, "detail", false, &detail, NULL) != ERR_OK) {
		fprintf(stderr, "bimodal: status %ld: %.*s\n", status, STR_FMT(body));
		json_free(j);
		return;
	}
	fprintf(stderr, "bimodal: %ld %s%s%s\n", status, title != NULL ? title : "",
		detail != NULL ? ": " : "", detail != NULL ? detail : "");
	const struct cJSON *item;
	cJSON_ArrayForEach(item, json_get(j, "errors"))
	{
		/* A place in the body, or the name of a parameter. */
		const char *pointer = NULL;
		const char *name = NULL;
		const char *why = NULL;
		if (json_string(item, "pointer", false, &pointer, NULL) == ERR_OK &&
		    json_string(item, "name", false, &name, NULL) == ERR_OK &&
		    json_string(item, "detail", false, &why, NULL) == ERR_OK)
			fprintf(stderr, "  %s: %s\n",
				pointer != NULL ? pointer
				: name != NULL  ? name
						: "",
				why != NULL ? why : "");
	}
	json_free(j);
}

/* Indents without re-reading numbers, so that what is shown is what was sent. */
static void
indented_print(struct str text)
{
	int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		const char ch = text.p[i];
		if (in_string) {
			putchar(ch);
			if (ch == '\\' && i + 1 < text.len)
				putchar(text.p[++i]);
			else if (ch == '"')
				in_string = false;
			continue;
		}
		const bool closes = ch == '}' || ch == ']';
		const bool empty =
			closes && i > 0 && (text.p[i - 1] == '{' || text.p[i - 1] == '[');
		if (closes && depth > 0)
			depth--;
		if (closes && !empty)
			printf("\n%*s", 2 * depth, "");
		if (ch != ' ' && ch != '\n')
			putchar(ch);
		in_string = ch == '"';
		if (ch == ':')
			putchar(' ');
		if (ch == '{' || ch == '[')
			depth++;
		if (ch == ',' || ((ch == '{' || ch == '[') && i + 1 < text.len &&
				  text.p[i + 1] != '}' && text.p[i + 1] != ']'))
			printf("\n%*s", 2 * depth, "");
	}
	putchar('\n');
}

int
cli_reply_print(const struct cli *c, const struct cli_reply *reply)
{
	const struct str body = buf_str(&reply->body);

	if (reply->status < 200 || reply->status >= 300) {
		if (reply->status != 0)
			problem_print(body, reply->status);
		return 1;
	}
	if (c->raw)
		printf("%.*s\n", STR_FMT(body));
	else if (body.len > 0)
		indented_print(body);
	return 0;
}

bool
cli_reply_member(const struct cli_reply *reply, const char *name, char *out, size_t size)
{
	struct cJSON *j = NULL;
	bool found = false;

	if (json_parse(buf_str(&reply->body), &j, NULL) != ERR_OK)
		return false;
	const struct cJSON *item = json_get(j, name);
	if (cJSON_IsString(item)) {
		found = str_copy(out, size, str_of(item->valuestring));
	} else if (item != NULL) {
		char *text = cJSON_PrintUnformatted(item);
		found = text != NULL && str_copy(out, size, str_of(text));
		cJSON_free(text);
	}
	json_free(j);
	return found;
}

static usec_t progress_last;

void
cli_progress(const struct cli *c, const char *what, size_t done, size_t total)
{
	const bool terminal = isatty(STDERR_FILENO) == 1;
	const usec_t now = clock_now_us();

	if (c->quiet || now - progress_last < (terminal ? PROGRESS_TERMINAL_US : PROGRESS_FILE_US))
		return;
	/* A file sees the first line after a while only: short work needs none. */
	if (progress_last != 0 || terminal) {
		fprintf(stderr, terminal ? "\r%s: %zu" : "%s: %zu", what, done);
		if (total > 0)
			fprintf(stderr, " of %zu", total);
		fputs(terminal ? "  " : "\n", stderr);
	}
	progress_last = now;
}

void
cli_progress_end(const struct cli *c)
{
	if (!c->quiet && progress_last != 0 && isatty(STDERR_FILENO) == 1)
		fputc('\n', stderr);
	progress_last = 0;
}
