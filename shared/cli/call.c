/*
 * call.c — one HTTP call of the command line, over libcurl: address, token, headers, reply. One handle is kept for all calls of
 * a run, so that they share a connection.
 */
#include "cli/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/trace.h"

#define TIMEOUT_S 60L
#define SECRET_SIZE 512 /* a token or a port in its file */
#define URL_BYTES_MAX 8192
#define HEAD_BYTES_MAX ((size_t)64 * 1024)

const char *const cli_daemon_name[CLI_DAEMONS] = { [CLI_CORE] = "core", [CLI_SANDBOX] = "sandbox" };

/* A one-line file of the var folder; false (printed why) when it cannot be read. */
static bool
var_file(const struct cli *c, const char *path, char out[SECRET_SIZE])
{
	char *text = NULL;
	size_t len = 0;
	struct err_info info = { .code = ERR_OK };

	if (file_read(path, SECRET_SIZE - 1, true, &text, &len, &info) == ERR_OK) {
		(void)str_copy(out, SECRET_SIZE, (struct str) { text, len });
		free(text);
		return true;
	}
	fprintf(stderr, "bimodal: %s\n", info.msg);
	if (strncmp(path, c->var, strlen(c->var)) == 0)
		fprintf(stderr, "hint: `make run` writes it, into the folder var of the checkout: "
				"go there, or name it "
				"with --var or $BIMODAL_VAR;\n"
				"      a token of one's own comes from `bimodal sign-in`\n");
	return false;
}

/* An installation that speaks TLS by a root of its own keeps that in the var folder (deploy/tls.sh). */
static bool
own_root(struct cli *c)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/tls/ca.pem", c->var);
	if (access(path, R_OK) != 0)
		return false;
	if (c->ca_file == NULL)
		c->ca_file = path;
	return true;
}

static const char *
address(struct cli *c, enum cli_daemon daemon)
{
	static char made[CLI_DAEMONS][64];
	char path[1024];
	char port[SECRET_SIZE];

	if (c->url[daemon] != NULL)
		return c->url[daemon];
	snprintf(path, sizeof(path), "%s/run/%s/port", c->var, cli_daemon_name[daemon]);
	if (!var_file(c, path, port))
		return NULL;
	snprintf(made[daemon], sizeof(made[daemon]), "%s://127.0.0.1:%.10s",
		 own_root(c) ? "https" : "http", port);
	c->url[daemon] = made[daemon];
	return c->url[daemon];
}

static const char *
token(struct cli *c, enum cli_daemon daemon)
{
	static char read[CLI_DAEMONS][SECRET_SIZE];
	char path[1024];

	if (c->token[daemon] != NULL)
		return c->token[daemon];
	if (c->token_file != NULL)
		snprintf(path, sizeof(path), "%s", c->token_file);
	else
		snprintf(path, sizeof(path), "%s/tokens/%s%s", c->var, c->as,
			 daemon == CLI_SANDBOX ? ".sandbox" : "");
	if (!var_file(c, path, read[daemon]))
		return NULL;
	c->token[daemon] = read[daemon];
	return c->token[daemon];
}

static size_t
body_take(char *p, size_t size, size_t n, void *arg)
{
	struct cli_reply *reply = arg;
	buf_add(&reply->body, p, size * n);
	return reply->body.failed ? 0 : size * n;
}

static size_t
header_take(char *p, size_t size, size_t n, void *arg)
{
	struct cli_reply *reply = arg;
	struct str value = { p, size * n };
	const struct str name = str_cut(&value, ':');

	if (value.p != NULL) {
		while (value.len > 0 &&
		       (value.p[value.len - 1] == '\r' || value.p[value.len - 1] == '\n'))
			value.len--;
		if (trace_on()) {
			buf_add_str(&reply->head, name);
			buf_add_char(&reply->head, ':');
			buf_add_str(&reply->head, value);
			buf_add_char(&reply->head, '\n');
		}
		if (str_ieq(name, STR("ETag")))
			str_copy(reply->etag, sizeof(reply->etag), str_trim(value));
		else if (str_ieq(name, STR("Location")))
			str_copy(reply->location, sizeof(reply->location), str_trim(value));
		else if (str_ieq(name, STR("Set-Cookie")))
			str_copy(reply->cookie, sizeof(reply->cookie),
				 str_trim(str_cut(&value, ';')));
		else if (str_ieq(name, STR("Date")))
			str_copy(reply->date, sizeof(reply->date), str_trim(value));
	}
	return size * n;
}

static struct curl_slist *
headers_make(const char *secret, const struct call_order *order)
{
	struct buf line;
	buf_init(&line, 4096);
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	bool typed = order->body.p == NULL;

	/* A request with a token is judged by it alone, whatever cookie it has. */
	if (order->extra == NULL || strncmp(order->extra, "Cookie:", 7) != 0) {
		buf_printf(&line, "Authorization: Bearer %s", secret);
		list = curl_slist_append(list, buf_cstr(&line));
	}
	for (struct str rest = str_of(order->extra), one; rest.p != NULL;) {
		one = str_cut(&rest, '\n');
		if (one.len == 0)
			continue;
		typed = typed || str_starts(one, "Content-Type:");
		buf_reset(&line);
		buf_add_str(&line, one);
		list = curl_slist_append(list, buf_cstr(&line));
	}
	if (!typed)
		list = curl_slist_append(list,
					 strcmp(order->method, "PATCH") == 0
						 ? "Content-Type: application/merge-patch+json"
						 : "Content-Type: application/json");
	buf_free(&line);
	return list;
}

void
call_tls(const struct cli *c, CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->ca_file == NULL)
		return;
	curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

bool
call_open(struct cli *c, const struct call_order *order, CURL *curl, struct cli_reply *reply,
	  struct call *call)
{
	*reply = (struct cli_reply) { .status = 0 };
	buf_init(&reply->body, CLI_REPLY_BYTES_MAX);
	buf_init(&reply->head, HEAD_BYTES_MAX);
	const char *base = address(c, order->daemon);
	const char *secret = base != NULL ? token(c, order->daemon) : NULL;
	if (secret == NULL || curl == NULL) {
		snprintf(reply->error, sizeof(reply->error), "no address or token of %s",
			 cli_daemon_name[order->daemon]);
		return false;
	}
	*call = (struct call) { .curl = curl,
				.order = *order,
				.reply = reply,
				.headers = headers_make(secret, order) };
	buf_init(&call->url, URL_BYTES_MAX);
	buf_printf(&call->url, "%s%s", base, order->path);
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, buf_cstr(&call->url));
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, order->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	call_tls(c, curl);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_take);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
	if (order->body.p != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, order->body.p);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)order->body.len);
	}
	return true;
}

void
call_close(struct call *call, CURLcode code)
{
	struct cli_reply *reply = call->reply;

	curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_easy_getinfo(call->curl, CURLINFO_TOTAL_TIME, &reply->seconds);
	if (code != CURLE_OK) {
		reply->status = 0;
		snprintf(reply->error, sizeof(reply->error), "%s: %s%s", buf_cstr(&call->url),
			 curl_easy_strerror(code),
			 code == CURLE_PEER_FAILED_VERIFICATION
				 ? "; name the roots it goes back to with --ca FILE"
				 : "");
	}
	long status = 0;
	curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
	trace_exchange(&(struct trace_exchange) {
		.daemon = cli_daemon_name[call->order.daemon],
		.method = call->order.method,
		.target = call->order.path,
		.status = status,
		.head = buf_str(&reply->head),
		.body = buf_str(&reply->body),
		.error = reply->error,
		.seconds = reply->seconds,
	});
	curl_slist_free_all(call->headers);
	buf_free(&call->url);
}

static CURL *kept;

static void
kept_end(void)
{
	curl_easy_cleanup(kept);
}

bool
cli_call_quiet(struct cli *c, enum cli_daemon daemon, const char *method, const char *path,
	       const char *extra, struct str body, struct cli_reply *reply)
{
	struct call call;

	if (kept == NULL) {
		kept = curl_easy_init();
		(void)atexit(kept_end);
	}
	const struct call_order order = {
		.daemon = daemon, .method = method, .path = path, .extra = extra, .body = body
	};
	if (!call_open(c, &order, kept, reply, &call))
		return false;
	call_close(&call, curl_easy_perform(kept));
	return reply->error[0] == '\0';
}

bool
cli_call(struct cli *c, enum cli_daemon daemon, const char *method, const char *path,
	 const char *extra, struct str body, struct cli_reply *reply)
{
	if (cli_call_quiet(c, daemon, method, path, extra, body, reply))
		return true;
	fprintf(stderr, "bimodal: %s\n", reply->error);
	return false;
}

int
cli_call_print(struct cli *c, enum cli_daemon daemon, const char *method, const char *path,
	       struct str body)
{
	struct cli_reply reply;
	const int exit_code = cli_call(c, daemon, method, path, NULL, body, &reply)
				      ? cli_reply_print(c, &reply)
				      : 1;

	cli_reply_free(&reply);
	return exit_code;
}

int
cli_call_one(struct cli *c, enum cli_daemon daemon, const char *method, const char *before,
	     const char *word, const char *after, struct str body)
{
	struct buf path;

	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, before);
	cli_escape(&path, word);
	buf_add_cstr(&path, after);
	const int exit_code = path.failed ? 2
					  : cli_call_print(c, daemon, method, buf_cstr(&path),
							   body.len > 0 ? body : STR_NONE);
	buf_free(&path);
	return exit_code;
}

void
cli_reply_free(struct cli_reply *reply)
{
	buf_free(&reply->body);
	buf_free(&reply->head);
}
