/*
 * many.c — several calls at once over libcurl's multi interface. A request that may be repeated (it has an Idempotency-Key, or
 * reads) is sent again when the daemon is overloaded or the reply was lost.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/call.h"

#define TRIES 6
#define PAUSE_US (250 * 1000)
#define WAIT_MS 1000

void
cli_request_init(struct cli_request *r, enum cli_daemon daemon, const char *method)
{
	*r = (struct cli_request) { .daemon = daemon, .method = method };
	buf_init(&r->path, CLI_PATH_BYTES_MAX);
	buf_init(&r->body, CLI_BODY_BYTES_MAX);
	buf_init(&r->reply.body, CLI_REPLY_BYTES_MAX);
}

void
cli_request_free(struct cli_request *r)
{
	buf_free(&r->path);
	buf_free(&r->body);
	cli_reply_free(&r->reply);
}

/* A place in the multi handle. */
struct slot {
	struct call call;
	struct cli_request *request; /* NULL: free */
	CURL *curl;
	char extra[128];
};

struct many {
	struct cli *c;
	CURLM *multi;
	struct slot slots[CLI_PARALLEL];
	unsigned running;
};

static bool
slot_start(struct many *m, struct slot *s, struct cli_request *r)
{
	s->extra[0] = '\0';
	if (r->key[0] != '\0')
		snprintf(s->extra, sizeof(s->extra), "Idempotency-Key: %s", r->key);
	const struct call_order order = {
		.daemon = r->daemon,
		.method = r->method,
		.path = buf_cstr(&r->path),
		.extra = s->extra,
		.body = r->body.len > 0 ? buf_str(&r->body) : STR_NONE,
	};
	if (r->path.failed || r->body.failed) {
		fprintf(stderr, "bimodal: a request is too large to be sent\n");
		return false;
	}
	cli_reply_free(&r->reply);
	if (!call_open(m->c, &order, s->curl, &r->reply, &s->call))
		return false;
	curl_easy_setopt(s->curl, CURLOPT_PRIVATE, (void *)s);
	if (curl_multi_add_handle(m->multi, s->curl) != CURLM_OK) {
		call_close(&s->call, CURLE_FAILED_INIT);
		return false;
	}
	s->request = r;
	r->started = true;
	m->running++;
	return true;
}

/* Start what has not been, as far as there are free places. */
static bool
fill(struct many *m, struct cli_request *requests, size_t n, size_t *next)
{
	for (size_t i = 0; i < CLI_PARALLEL; i++) {
		while (*next < n && requests[*next].started)
			(*next)++;
		if (*next == n)
			return true;
		if (m->slots[i].request == NULL &&
		    !slot_start(m, &m->slots[i], &requests[(*next)++]))
			return false;
	}
	return true;
}

static void
reap(struct many *m)
{
	int left = 0;
	CURLMsg *msg;

	while ((msg = curl_multi_info_read(m->multi, &left)) != NULL) {
		char *mine = NULL;
		if (msg->msg != CURLMSG_DONE)
			continue;
		const CURLcode code = msg->data.result;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &mine);
		struct slot *s = (struct slot *)(void *)mine;
		curl_multi_remove_handle(m->multi, s->curl);
		call_close(&s->call, code);
		s->request = NULL;
		m->running--;
	}
}

static bool
run_once(struct many *m, struct cli_request *requests, size_t n)
{
	size_t next = 0;
	bool ok = fill(m, requests, n, &next);

	while (m->running > 0) {
		int running = 0;
		if (curl_multi_perform(m->multi, &running) != CURLM_OK ||
		    (running > 0 && curl_multi_poll(m->multi, NULL, 0, WAIT_MS, NULL) != CURLM_OK))
			return false;
		reap(m);
		ok = ok && fill(m, requests, n, &next);
	}
	return ok;
}

static bool
again(const struct cli_request *r)
{
	const long status = r->reply.status;
	const bool harmless = r->key[0] != '\0' || strcmp(r->method, "GET") == 0;
	return status == 503 || status == 429 || (status == 0 && harmless);
}

static bool
run_all(struct many *m, struct cli_request *requests, size_t n)
{
	for (unsigned try = 0;; try++) {
		const struct cli_request *lost = NULL;
		if (!run_once(m, requests, n))
			return false;
		for (size_t i = 0; i < n; i++) {
			requests[i].started = !again(&requests[i]) || try + 1 == TRIES;
			if (again(&requests[i]))
				lost = &requests[i];
		}
		if (lost == NULL)
			return true;
		if (try + 1 == TRIES)
			return lost->reply.status != 0;
		(void)usleep(PAUSE_US << try);
	}
}

static void
slots_end(struct many *m)
{
	for (size_t i = 0; i < CLI_PARALLEL; i++) {
		struct slot *s = &m->slots[i];
		if (s->request != NULL) { /* broken off */
			curl_multi_remove_handle(m->multi, s->curl);
			call_close(&s->call, CURLE_ABORTED_BY_CALLBACK);
		}
		curl_easy_cleanup(s->curl);
	}
	curl_multi_cleanup(m->multi);
}

bool
cli_call_many(struct cli *c, struct cli_request *requests, size_t n)
{
	struct many m = { .c = c, .multi = curl_multi_init() };
	bool ok = m.multi != NULL;

	for (size_t i = 0; i < CLI_PARALLEL; i++) {
		m.slots[i].curl = curl_easy_init();
		ok = ok && m.slots[i].curl != NULL;
	}
	for (size_t i = 0; i < n; i++)
		requests[i].started = false;
	ok = ok && run_all(&m, requests, n);
	slots_end(&m);
	for (size_t i = 0; i < n; i++) {
		if (requests[i].reply.status == 0) {
			fprintf(stderr, "bimodal: %s\n",
				requests[i].reply.error[0] != '\0' ? requests[i].reply.error
								   : "a call was not made");
			return false;
		}
	}
	return ok;
}
