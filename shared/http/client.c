/*
 * client.c — calls over libcurl (multi.c drives it). A finished call wakes its task with the reply; if the task has gone the reply is
 * dropped.
 *
 * Invariant: a call is in the list exactly while its easy handle is in the multi handle.
 */
#include "http/client.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/json_in.h"
#include "base/log.h"
#include "http/multi.h"

#define TIMEOUT_DEFAULT (5 * USEC_PER_SEC)
#define CONNECTIONS_DEFAULT 4
#define TEXT_BYTES_MAX 8192
#define CA_CACHE_S 60L /* a new file of roots is seen after that */

struct http_client {
	struct task_engine *engine;
	struct http_client_conf conf;
	char *origin;
	char *token;
	char *ca_file;
	struct http_multi *multi;
	struct call *calls;
	unsigned n_calls;
};

struct http_client_reply {
	int status;
	struct buf head;
	struct buf body;
};

struct call {
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	char *sent;
	struct task_handle task;
	unsigned slot;
	bool writes;
	bool too_large;
	bool refused; /* by peer_allowed */
	bool tried;   /* an address that is allowed was connected to */
	char error[CURL_ERROR_SIZE];
	struct http_client_reply *reply;
	struct call *prev, *next;
};

/* ---- replies ---- */

static void
reply_release(void *result)
{
	struct http_client_reply *r = result;
	if (r == NULL)
		return;
	buf_free(&r->head);
	buf_free(&r->body);
	free(r);
}

const struct http_client_reply *
http_client_reply(struct task *t, unsigned i)
{
	return task_result(t, i);
}

int
http_client_status(const struct http_client_reply *r)
{
	return r->status;
}

struct str
http_client_body(const struct http_client_reply *r)
{
	return buf_str(&r->body);
}

void
http_client_problem_read(const struct http_client_reply *r, struct http_client_problem *out)
{
	struct cJSON *j = NULL;
	const char *detail = NULL, *pointer = NULL;

	*out = (struct http_client_problem) { .detail = "" };
	if (json_parse(buf_str(&r->body), &j, NULL) == ERR_OK && cJSON_IsObject(j) &&
	    json_string(j, "detail", false, &detail, NULL) == ERR_OK && detail != NULL)
		(void)snprintf(out->detail, sizeof(out->detail), "%s", detail);
	const struct cJSON *first = cJSON_GetArrayItem(json_get(j, "errors"), 0);
	if (cJSON_IsObject(first) &&
	    json_string(first, "pointer", false, &pointer, NULL) == ERR_OK && pointer != NULL)
		(void)snprintf(out->pointer, sizeof(out->pointer), "%s", pointer);
	json_free(j);
}

struct str
http_client_header(const struct http_client_reply *r, const char *name)
{
	struct str rest = buf_str(&r->head);

	while (rest.p != NULL) {
		struct str line = str_cut(&rest, '\n');
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		struct str value = line;
		const struct str key = str_cut(&value, ':');
		if (value.p != NULL && str_ieq(key, str_of(name)))
			return str_trim(value);
	}
	return STR_NONE;
}

/* ---- one call ---- */

static void
call_free(struct call *k)
{
	if (k->easy != NULL)
		curl_easy_cleanup(k->easy);
	curl_slist_free_all(k->headers);
	free(k->sent);
	reply_release(k->reply);
	free(k);
}

static void
call_unlink(struct call *k)
{
	struct http_client *c = k->client;

	http_multi_remove(c->multi, k->easy);
	if (k->prev != NULL)
		k->prev->next = k->next;
	else
		c->calls = k->next;
	if (k->next != NULL)
		k->next->prev = k->prev;
	c->n_calls--;
}

static void
call_finish(struct call *k, CURLcode code)
{
	struct http_client *c = k->client;
	struct err_info info = { .code = ERR_OK };
	long status = 0;
	long request_bytes = 0;

	(void)curl_easy_getinfo(k->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(k->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	call_unlink(k);
	const char *why = k->error[0] != '\0' ? k->error : curl_easy_strerror(code);
	if (code == CURLE_OK) {
		struct http_client_reply *r = k->reply;
		r->status = (int)status;
		k->reply = NULL;
		task_wake(c->engine, k->task, k->slot, ERR_OK, NULL, r, reply_release);
	} else {
		if (k->too_large)
			(void)err_set(&info, ERR_UPSTREAM, NULL,
				      "the reply is larger than %zu bytes", c->conf.reply_max);
		else if (k->refused && !k->tried && code == CURLE_COULDNT_CONNECT)
			(void)err_set(&info, ERR_FORBIDDEN, NULL,
				      "the address of the other server may not be reached");
		else if (code == CURLE_OPERATION_TIMEDOUT)
			(void)err_set(&info, ERR_TIMEOUT, NULL, "no reply in time: %s", why);
		else if (k->writes && request_bytes > 0)
			(void)err_set(&info, ERR_UNKNOWN_END, NULL,
				      "the connection was lost after the request was sent: %s",
				      why);
		else
			(void)err_set(&info, ERR_UPSTREAM, NULL,
				      "could not ask the other server: %s", why);
		task_wake(c->engine, k->task, k->slot, info.code, &info, NULL, NULL);
	}
	call_free(k);
}

static void
call_done(void *private, CURLcode code)
{
	call_finish(private, code);
}

/* ---- what curl asks and brings ---- */

/*
 * The address of every connection that is really opened is judged here, after the name was resolved: what a name pointed to when
 * somebody looked before does not matter.
 */
static curl_socket_t
socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call *k = arg;
	const struct http_client_conf *conf = &k->client->conf;

	if (purpose != CURLSOCKTYPE_IPCXN || !conf->peer_allowed(&address->addr, conf->arg)) {
		k->refused = true;
		return CURL_SOCKET_BAD;
	}
	k->tried = true;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
head_take(char *p, size_t size, size_t n, void *arg)
{
	struct call *k = arg;

	/* A new status line (after 100 Continue) begins a new head. */
	if (n * size > 5 && memcmp(p, "HTTP/", 5) == 0)
		buf_reset(&k->reply->head);
	buf_add(&k->reply->head, p, n * size);
	k->too_large = k->too_large || k->reply->head.failed;
	return k->reply->head.failed ? 0 : n * size;
}

static size_t
body_take(char *p, size_t size, size_t n, void *arg)
{
	struct call *k = arg;

	buf_add(&k->reply->body, p, n * size);
	k->too_large = k->too_large || k->reply->body.failed;
	return k->reply->body.failed ? 0 : n * size;
}

/* ---- asking ---- */

static bool
header_add(struct call *k, struct str name, struct str value)
{
	struct buf b;

	if (memchr(name.p, '\n', name.len) != NULL || memchr(name.p, '\r', name.len) != NULL ||
	    memchr(name.p, '\0', name.len) != NULL ||
	    (value.len > 0 && (memchr(value.p, '\n', value.len) != NULL ||
			       memchr(value.p, '\r', value.len) != NULL ||
			       memchr(value.p, '\0', value.len) != NULL)))
		return false;
	buf_init(&b, TEXT_BYTES_MAX);
	buf_add_str(&b, name);
	/* "Name;" is how curl is told to send a header without a value. */
	buf_add_cstr(&b, value.len > 0 ? ": " : ";");
	buf_add_str(&b, value);
	const char *line = buf_cstr(&b);
	struct curl_slist *more = line != NULL ? curl_slist_append(k->headers, line) : NULL;
	buf_free(&b);
	if (more == NULL)
		return false;
	k->headers = more;
	return true;
}

static bool
headers_set(struct call *k, const struct http_client_call *call, bool own)
{
	const struct http_client *c = k->client;
	bool good = true;

	for (size_t i = 0; i < call->n_headers && good; i++)
		good = header_add(k, call->headers[i].name, call->headers[i].value);
	if (good && call->body.p != NULL)
		good = header_add(k, STR("Content-Type"),
				  str_of(call->content_type != NULL ? call->content_type
								    : "application/json"));
	if (good && own && c->token != NULL) {
		struct buf b;
		buf_init(&b, TEXT_BYTES_MAX);
		buf_add_cstr(&b, "Bearer ");
		buf_add_cstr(&b, c->token);
		good = !b.failed && header_add(k, STR("Authorization"), buf_str(&b));
		buf_free(&b);
	}
	/* A small body needs no 100 Continue first. */
	struct curl_slist *more = good ? curl_slist_append(k->headers, "Expect:") : NULL;
	if (more != NULL)
		k->headers = more;
	return more != NULL;
}

static bool
url_set(struct call *k, struct str url, bool own)
{
	struct buf b;

	if (url.len == 0 || memchr(url.p, '\0', url.len) != NULL ||
	    (own && k->client->origin == NULL))
		return false;
	buf_init(&b, TEXT_BYTES_MAX);
	if (own)
		buf_add_cstr(&b, k->client->origin);
	buf_add_str(&b, url);
	const char *text = buf_cstr(&b);
	const bool good = text != NULL && curl_easy_setopt(k->easy, CURLOPT_URL, text) == CURLE_OK;
	buf_free(&b);
	return good;
}

static usec_t
time_left(const struct http_client *c, const struct task *t, const struct http_client_call *call)
{
	const usec_t wanted = call->timeout > 0 ? call->timeout : c->conf.timeout;
	const usec_t task = t->t_deadline > 0 ? t->t_deadline - clock_now_us() : wanted;
	const usec_t left = task < wanted ? task : wanted;

	return left > USEC_PER_MS ? left : USEC_PER_MS;
}

static bool
tls_set(CURL *e, const struct http_client *c)
{
	bool good = curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;

	good = good && curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
	good = good &&
	       curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
	if (c->ca_file == NULL)
		return good;
	good = good && curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
	return good && curl_easy_setopt(e, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_S) == CURLE_OK;
}

static bool
options_set(struct call *k, const struct task *t, const struct http_client_call *call)
{
	CURL *e = k->easy;
	bool good = curl_easy_setopt(e, CURLOPT_PRIVATE, k) == CURLE_OK;

	good = good && curl_easy_setopt(e, CURLOPT_ERRORBUFFER, k->error) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	good = good &&
	       curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	good = good && tls_set(e, k->client);
	good = good && curl_easy_setopt(e, CURLOPT_USERAGENT, "bimodal") == CURLE_OK;
	good = good &&
	       curl_easy_setopt(e, CURLOPT_TIMEOUT_MS,
				(long)(time_left(k->client, t, call) / USEC_PER_MS)) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, head_take) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_HEADERDATA, k) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, body_take) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_WRITEDATA, k) == CURLE_OK;
	if (k->client->conf.peer_allowed != NULL) {
		good = good &&
		       curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, socket_open) == CURLE_OK;
		good = good && curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, k) == CURLE_OK;
	}
	good = good && curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, http_method_name(call->method)) ==
			       CURLE_OK;
	if (call->method == HTTP_HEAD)
		good = good && curl_easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK;
	if (call->body.p != NULL) {
		k->sent = malloc(call->body.len + 1);
		good = good && k->sent != NULL;
		if (good)
			memcpy(k->sent, call->body.p, call->body.len);
		good = good && curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
						(curl_off_t)call->body.len) == CURLE_OK;
		good = good && curl_easy_setopt(e, CURLOPT_POSTFIELDS, k->sent) == CURLE_OK;
	} else if (call->method == HTTP_POST || call->method == HTTP_PUT ||
		   call->method == HTTP_PATCH) {
		good = good &&
		       curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0) == CURLE_OK;
		good = good && curl_easy_setopt(e, CURLOPT_POSTFIELDS, "") == CURLE_OK;
	}
	return good;
}

static struct call *
call_make(struct http_client *c, const struct task *t, const struct http_client_call *call,
	  struct err_info *info)
{
	const bool own = str_starts(call->url, "/");
	struct call *k = calloc(1, sizeof(*k));
	struct http_client_reply *r = calloc(1, sizeof(*r));

	if (k == NULL || r == NULL) {
		free(k);
		free(r);
		(void)err_set(info, ERR_NO_MEMORY, NULL, "no memory to ask another server");
		return NULL;
	}
	buf_init(&r->head, HTTP_CLIENT_HEAD_BYTES_MAX);
	buf_init(&r->body, c->conf.reply_max);
	k->client = c;
	k->reply = r;
	k->writes = call->method != HTTP_GET && call->method != HTTP_HEAD &&
		    call->method != HTTP_OPTIONS;
	k->easy = curl_easy_init();
	if (k->easy == NULL || !options_set(k, t, call)) {
		(void)err_set(info, ERR_NO_MEMORY, NULL, "no memory to ask another server");
	} else if (call->n_headers > HTTP_CLIENT_HEADERS_MAX || !url_set(k, call->url, own) ||
		   !headers_set(k, call, own) ||
		   curl_easy_setopt(k->easy, CURLOPT_HTTPHEADER, k->headers) != CURLE_OK) {
		(void)err_set(info, ERR_INVALID, NULL,
			      "the request to the other server has an address or header that "
			      "cannot be sent");
	} else {
		return k;
	}
	call_free(k);
	return NULL;
}

enum step
http_client_wait(struct http_client *c, struct task *t, const struct http_client_call *call)
{
	if (c->n_calls >= HTTP_CLIENT_CALLS_MAX)
		return task_fail_set(t, ERR_BUSY, NULL,
				     "%d calls to other servers are under way already",
				     HTTP_CLIENT_CALLS_MAX);
	struct call *k = call_make(c, t, call, &t->t_err);
	if (k == NULL)
		return task_fail(t);
	k->task = t->t_handle;
	if (task_wait_begin(t, &k->slot) != ERR_OK) {
		call_free(k);
		return task_fail_set(t, ERR_BUSY, NULL, "the step waits for too many things");
	}
	if (http_multi_add(c->multi, k->easy) != ERR_OK) {
		task_wait_undo(t, k->slot);
		call_free(k);
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory to ask another server");
	}
	k->next = c->calls;
	if (c->calls != NULL)
		c->calls->prev = k;
	c->calls = k;
	c->n_calls++;
	return STEP_WAIT;
}

bool
http_client_is_safe(const char *url)
{
	static const char *const here[] = { "localhost", "[::1]", NULL };
	CURLU *u = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	bool safe = false;

	if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		struct in_addr v4;
		bool is_here = inet_pton(AF_INET, host, &v4) == 1 &&
			       ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
		for (size_t i = 0; here[i] != NULL && !is_here; i++)
			is_here = strcmp(host, here[i]) == 0;
		safe = strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_here);
	}
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return safe;
}

/* ---- life ---- */

struct http_client *
http_client_create(struct loop *l, struct task_engine *e, const struct http_client_conf *conf)
{
	struct http_client *c = calloc(1, sizeof(*c));

	BUG_ON(c == NULL);
	c->engine = e;
	c->conf = *conf;
	c->conf.timeout = conf->timeout > 0 ? conf->timeout : TIMEOUT_DEFAULT;
	c->conf.reply_max = conf->reply_max > 0 ? conf->reply_max : HTTP_CLIENT_REPLY_DEFAULT;
	if (conf->base != NULL && conf->base[0] != '\0') {
		c->origin = strdup(conf->base);
		BUG_ON(c->origin == NULL);
		/* "http://host/" and "/path" must not meet in two slashes. */
		const size_t len = strlen(c->origin);
		if (len > 0 && c->origin[len - 1] == '/')
			c->origin[len - 1] = '\0';
	}
	if (conf->token != NULL && conf->token[0] != '\0') {
		c->token = strdup(conf->token);
		BUG_ON(c->token == NULL);
	}
	if (conf->ca_file != NULL && conf->ca_file[0] != '\0') {
		c->ca_file = strdup(conf->ca_file);
		BUG_ON(c->ca_file == NULL);
	}
	c->multi = http_multi_create(
		l, conf->connections_max > 0 ? conf->connections_max : CONNECTIONS_DEFAULT,
		call_done);
	return c;
}

void
http_client_destroy(struct http_client *c)
{
	if (c == NULL)
		return;
	while (c->calls != NULL) {
		struct call *k = c->calls;
		const struct err_info info = { .code = ERR_STOPPING,
					       .msg = "the server is stopping" };
		call_unlink(k);
		task_wake(c->engine, k->task, k->slot, ERR_STOPPING, &info, NULL, NULL);
		call_free(k);
	}
	http_multi_destroy(c->multi);
	if (c->token != NULL)
		explicit_bzero(c->token, strlen(c->token));
	free(c->token);
	free(c->ca_file);
	free(c->origin);
	free(c);
}
