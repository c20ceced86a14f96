/*
 * live.c — follows GET /v1/live: a line an event. A stream that ends is asked for again from the last event on, until core refuses it.
 *
 * Place: call.c makes the request; here are the lines of text/event-stream (WHATWG HTML, 9.2) as far as core writes them: event, id,
 * data, retry, comments; one data line an event.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/call.h"
#include "cli/trace.h"

#define LINE_BYTES_MAX ((size_t)64 * 1024)
#define SILENCE_S 60L /* a heartbeat comes every 15 s */
#define RETRY_MS_MAX 60000
#define PATH "/v1/live"

struct follow {
	CURL *curl;
	struct cli_reply *reply;
	struct buf line;
	struct buf data;
	char event[64];
	char id[256];
	int64_t retry_ms;
	int64_t left; /* events to print; below 0: all */
	bool over;    /* as many as were asked for, or the last word */
};

static void
dispatch(struct follow *f)
{
	const struct str data = buf_str(&f->data);

	if (data.len > 0 && !f->over) {
		const char *event = f->event[0] != '\0' ? f->event : "message";
		printf("%-7s %.*s\n", event, STR_FMT(data));
		trace_event(&(struct trace_event) { .daemon = cli_daemon_name[CLI_CORE],
						    .target = PATH,
						    .event = event,
						    .id = f->id,
						    .data = data });
		(void)fflush(stdout);
		if (f->left > 0)
			f->left--;
		f->over = f->left == 0 || strcmp(f->event, "end") == 0;
	}
	buf_reset(&f->data);
	f->event[0] = '\0';
}

static void
line_take(struct follow *f, struct str line)
{
	if (line.len == 0) {
		dispatch(f);
		return;
	}
	struct str value = line;
	int64_t ms = 0;
	const struct str name = str_cut(&value, ':');
	if (str_starts(value, " "))
		value = (struct str) { value.p + 1, value.len - 1 };
	if (str_is(name, "event"))
		(void)str_copy(f->event, sizeof(f->event), value);
	else if (str_is(name, "id"))
		(void)str_copy(f->id, sizeof(f->id), value);
	else if (str_is(name, "data"))
		buf_add_str(&f->data, value);
	else if (str_is(name, "retry") && str_int(value, 0, RETRY_MS_MAX, &ms) == ERR_OK)
		f->retry_ms = ms;
}

static size_t
bytes_take(char *p, size_t size, size_t n, void *arg)
{
	struct follow *f = arg;
	struct str rest = { p, size * n };
	long status = 0;

	(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		buf_add_str(&f->reply->body, rest);
		return f->reply->body.failed ? 0 : size * n;
	}
	while (rest.p != NULL) {
		const struct str part = str_cut(&rest, '\n');
		buf_add_str(&f->line, part);
		if (rest.p == NULL)
			break;
		line_take(f, buf_str(&f->line));
		buf_reset(&f->line);
	}
	return f->over || f->line.failed || f->data.failed ? 0 : size * n;
}

/* One stream. False: core refused it, and that was said. */
static bool
follow_once(struct cli *c, struct follow *f)
{
	struct cli_reply reply;
	struct call call;
	char extra[sizeof(f->id) + 64] = "Accept: text/event-stream";
	const struct call_order order = {
		.daemon = CLI_CORE, .method = "GET", .path = PATH, .extra = extra
	};

	if (f->id[0] != '\0')
		snprintf(extra, sizeof(extra), "Accept: text/event-stream\nLast-Event-ID: %s",
			 f->id);
	f->reply = &reply;
	buf_reset(&f->line);
	buf_reset(&f->data);
	f->event[0] = '\0';
	bool good = call_open(c, &order, f->curl, &reply, &call);
	if (good) {
		curl_easy_setopt(f->curl, CURLOPT_TIMEOUT, 0L);
		curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_TIME, SILENCE_S);
		curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, bytes_take);
		curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f);
		const CURLcode code = curl_easy_perform(f->curl);
		long status = 0;
		(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
		/* Ended by us: the stream itself was well. */
		call_close(&call, f->over ? CURLE_OK : code);
		/* Over capacity or stopping: worth another try. */
		if (status != 200 && status != 429 && status != 503) {
			good = false;
			reply.status = status;
			if (status == 0)
				fprintf(stderr, "bimodal: %s\n", reply.error);
			else
				(void)cli_reply_print(c, &reply);
		}
	}
	cli_reply_free(&reply);
	return good;
}

static int
live_run(struct cli *c)
{
	struct follow f = { .retry_ms = 1000, .left = -1 };
	const char *after = NULL;
	const struct cli_option options[] = {
		{ "--after", CLI_OPTION_TEXT, &after, 0, 0 },
		{ "--count", CLI_OPTION_INT, &f.left, 1, INT64_MAX },
	};
	bool good = true;

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	if (after != NULL &&
	    (!str_copy(f.id, sizeof(f.id), str_of(after)) || strpbrk(after, "\r\n") != NULL)) {
		fprintf(stderr, "bimodal: --after takes the id of an event\n");
		return 2;
	}
	f.curl = curl_easy_init();
	buf_init(&f.line, LINE_BYTES_MAX);
	buf_init(&f.data, LINE_BYTES_MAX);
	while (good && !f.over) {
		good = f.curl != NULL && follow_once(c, &f);
		if (good && !f.over)
			(void)usleep((useconds_t)(f.retry_ms * USEC_PER_MS));
	}
	buf_free(&f.line);
	buf_free(&f.data);
	curl_easy_cleanup(f.curl);
	return good ? 0 : 1;
}

const struct cli_command cli_live_commands[] = {
	{ "live", "[--count N] [--after ID]",
	  "what changes, a line each as it happens: records, flags, changes, my notices, the feed",
	  live_run, "product_owner" },
	{ NULL, NULL, NULL, NULL, NULL },
};
