/*
 * trace.c — what the command line asked and was answered, a line of JSON an exchange: to see what a command does, or to send along with
 * a question.
 *
 * Place: call.c tells of every exchange when it has ended, live.c of every event. A line is {"at","daemon","method","target",
 * "request_id","status","ms","headers":[[name, value], …],"bytes","body"}, or with "error" where there was no reply; an event of a
 * stream is {"at","daemon","method","target","event","id","data"}.
 *
 * Invariants: no credential is written. Nothing of the request but method and target is; of the reply, the values of members whose
 * names end in token, secret or password, and those of cookies, are "…". One write a line, so that several processes may share a file.
 */
#include "cli/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

#define LINE_BYTES_MAX (2 * CLI_REPLY_BYTES_MAX)
#define LEFT_OUT "…"

static int trace_fd = -1;

bool
trace_on(void)
{
	return trace_fd >= 0;
}

bool
trace_open(const char *path)
{
	struct stat st;
	const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0 || fstat(fd, &st) != 0) {
		fprintf(stderr, "bimodal: --trace %s: %s\n", path, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	/* It will hold customers' data. What is no file (a terminal, a pipe) is its owner's affair. */
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
		fprintf(stderr, "bimodal: --trace %s: others may read it; chmod 0600 it\n", path);
		(void)close(fd);
		return false;
	}
	trace_fd = fd;
	return true;
}

/* ---- secrets ---- */

static bool
is_secret(struct str name)
{
	static const char *const ends[] = { "token", "secret", "password" };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (str_ends(name, ends[i]))
			return true;
	return false;
}

/* Behind the string that begins at `at`, or the end of the text. */
static size_t
string_end(struct str text, size_t at)
{
	for (size_t i = at + 1; i < text.len; i++) {
		if (text.p[i] == '\\')
			i++;
		else if (text.p[i] == '"')
			return i + 1;
	}
	return text.len;
}

static size_t
blanks_end(struct str text, size_t at)
{
	while (at < text.len && strchr(" \t\r\n", text.p[at]) != NULL && text.p[at] != '\0')
		at++;
	return at;
}

void
trace_masked(struct buf *out, struct str json)
{
	size_t copied = 0;

	for (size_t i = 0; i < json.len;) {
		if (json.p[i] != '"') {
			i++;
			continue;
		}
		const size_t end = string_end(json, i);
		const struct str name = { json.p + i + 1, end - i - 1 };
		size_t value = blanks_end(json, end);
		i = end;
		if (value >= json.len || json.p[value] != ':')
			continue;
		value = blanks_end(json, value + 1);
		/* The closing quote is not of the name. */
		if (value >= json.len || json.p[value] != '"' || name.len == 0 ||
		    !is_secret((struct str) { name.p, name.len - 1 }))
			continue;
		buf_add(out, json.p + copied, value - copied);
		buf_add_cstr(out, "\"" LEFT_OUT "\"");
		i = copied = string_end(json, value);
	}
	if (copied < json.len)
		buf_add(out, json.p + copied, json.len - copied);
}

/* "name=value; Path=/" keeps its name and its attributes. */
static void
cookie_masked(struct buf *out, struct str value)
{
	const struct str name = str_cut(&value, '=');
	struct buf shown;

	buf_init(&shown, CLI_PATH_BYTES_MAX);
	/* Without a name all of it is the value. */
	if (value.p != NULL) {
		buf_add_str(&shown, name);
		buf_add_char(&shown, '=');
		(void)str_cut(&value, ';');
	}
	buf_add_cstr(&shown, value.p != NULL ? LEFT_OUT ";" : LEFT_OUT);
	buf_add_str(&shown, value);
	buf_json_str(out, buf_str(&shown));
	buf_free(&shown);
}

/* ---- lines ---- */

static void
line_begin(struct buf *line, const char *daemon, const char *method, const char *target)
{
	char at[CLOCK_RFC3339_SIZE];

	clock_rfc3339(clock_wall_us(), at);
	buf_printf(line, "{\"at\":\"%s\",\"daemon\":\"%s\",\"method\":\"%s\",\"target\":", at,
		   daemon, method);
	buf_json_cstr(line, target);
}

static void
line_end(struct buf *line)
{
	static bool told;
	size_t done = 0;

	buf_add_cstr(line, "}\n");
	const struct str text = line->failed ? STR_NONE : buf_str(line);
	while (done < text.len) {
		const ssize_t n = write(trace_fd, text.p + done, text.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if ((line->failed || done < text.len) && !told) {
		fprintf(stderr, "bimodal: the trace is not whole: %s\n",
			line->failed ? "a line is too large" : strerror(errno));
		told = true;
	}
}

/* The lines "name: value" as pairs; *id is the request's id. */
static void
headers_add(struct buf *line, struct str head, struct str *id)
{
	bool first = true;

	buf_add_cstr(line, ",\"headers\":[");
	for (struct str rest = head; rest.p != NULL;) {
		struct str value = str_trim(str_cut(&rest, '\n'));
		const struct str name = str_cut(&value, ':');
		if (value.p == NULL)
			continue;
		value = str_trim(value);
		buf_add_cstr(line, first ? "[" : ",[");
		first = false;
		buf_json_str(line, name);
		buf_add_char(line, ',');
		if (str_ieq(name, STR("Set-Cookie")))
			cookie_masked(line, value);
		else
			buf_json_str(line, value);
		buf_add_char(line, ']');
		if (str_ieq(name, STR("Request-Id")))
			*id = value;
	}
	buf_add_char(line, ']');
}

static void
body_add(struct buf *line, struct str body)
{
	struct buf shown;

	buf_init(&shown, LINE_BYTES_MAX);
	trace_masked(&shown, body);
	buf_printf(line, ",\"bytes\":%zu,\"body\":", body.len);
	buf_json_str(line, buf_str(&shown));
	buf_free(&shown);
}

void
trace_exchange(const struct trace_exchange *x)
{
	struct str id = STR_NONE;
	struct buf line;

	if (!trace_on())
		return;
	buf_init(&line, LINE_BYTES_MAX);
	line_begin(&line, x->daemon, x->method, x->target);
	buf_printf(&line, ",\"status\":%ld,\"ms\":%.3f", x->status, x->seconds * 1000);
	if (x->error != NULL && x->error[0] != '\0') {
		buf_add_cstr(&line, ",\"error\":");
		buf_json_cstr(&line, x->error);
	}
	if (x->status != 0) {
		headers_add(&line, x->head, &id);
		buf_add_cstr(&line, ",\"request_id\":");
		if (id.p != NULL)
			buf_json_str(&line, id);
		else
			buf_add_cstr(&line, "null");
		body_add(&line, x->body);
	}
	line_end(&line);
	buf_free(&line);
}

void
trace_event(const struct trace_event *e)
{
	struct buf line;

	if (!trace_on())
		return;
	buf_init(&line, LINE_BYTES_MAX);
	line_begin(&line, e->daemon, "GET", e->target);
	buf_add_cstr(&line, ",\"event\":");
	buf_json_cstr(&line, e->event);
	buf_add_cstr(&line, ",\"id\":");
	buf_json_cstr(&line, e->id);
	buf_add_cstr(&line, ",\"data\":");
	struct buf shown;
	buf_init(&shown, LINE_BYTES_MAX);
	trace_masked(&shown, e->data);
	buf_json_str(&line, buf_str(&shown));
	buf_free(&shown);
	line_end(&line);
	buf_free(&line);
}
