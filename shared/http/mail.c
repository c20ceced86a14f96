/*
 * mail.c — see mail.h. A finished message wakes its task; if the task has gone there is nobody to tell.
 *
 * Invariant: a call is in the list exactly while its easy handle is in the multi handle.
 */
#include "http/mail.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "http/multi.h"

#define TIMEOUT_DEFAULT (30 * USEC_PER_SEC)
#define CONNECTIONS_MAX 4
#define SMTP_LOGIN_FIRST 530 /* RFC 4954; RFC 3207 for STARTTLS */

struct http_mail {
	struct task_engine *engine;
	struct http_multi *multi;
	char *url, *user, *password, *from, *ca_file;
	bool tls_needed;
	usec_t timeout;
	struct call *calls;
	unsigned n_calls;
};

struct call {
	struct http_mail *mail;
	CURL *easy;
	struct curl_slist *to;
	char *message;
	size_t len, sent;
	struct task_handle task;
	unsigned slot;
	char error[CURL_ERROR_SIZE];
	struct call *prev, *next;
};

bool
http_mail_address_valid(struct str address)
{
	const size_t at = str_find(address, '@');

	if (at == 0 || at + 1 >= address.len || address.len > HTTP_MAIL_ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < address.len; i++) {
		const char c = address.p[i];
		if (c <= ' ' || c > '~' || strchr("<>\"\\,;:()[]", c) != NULL ||
		    (c == '@' && i != at))
			return false;
	}
	return true;
}

static void
call_free(struct call *k)
{
	if (k->easy != NULL)
		curl_easy_cleanup(k->easy);
	curl_slist_free_all(k->to);
	free(k->message);
	free(k);
}

static void
call_unlink(struct call *k)
{
	http_multi_remove(k->mail->multi, k->easy);
	if (k->prev != NULL)
		k->prev->next = k->next;
	else
		k->mail->calls = k->next;
	if (k->next != NULL)
		k->next->prev = k->prev;
	k->mail->n_calls--;
}

/*
 * A greeting, a login or STARTTLS that is refused is our matter, not the message's: it may go another time. Curl has one code for an
 * odd answer to a greeting and to a message; only a message was given away before.
 */
static bool
is_session(const struct call *k, CURLcode code, long status)
{
	return code == CURLE_LOGIN_DENIED || code == CURLE_REMOTE_ACCESS_DENIED ||
	       code == CURLE_USE_SSL_FAILED || status == SMTP_LOGIN_FIRST ||
	       (code == CURLE_WEIRD_SERVER_REPLY && k->sent == 0);
}

static void
call_done(void *private, CURLcode code)
{
	struct call *k = private;
	struct http_mail *m = k->mail;
	struct err_info info = { .code = ERR_OK };
	long status = 0;

	(void)curl_easy_getinfo(k->easy, CURLINFO_RESPONSE_CODE, &status);
	call_unlink(k);
	const char *why = k->error[0] != '\0' ? k->error : curl_easy_strerror(code);
	if (code == CURLE_OPERATION_TIMEDOUT)
		(void)err_set(&info, ERR_TIMEOUT, NULL, "the mail server did not answer in time");
	else if (code != CURLE_OK)
		(void)err_set(&info,
			      status >= 500 && status < 600 && !is_session(k, code, status)
				      ? ERR_INVALID
				      : ERR_UPSTREAM,
			      NULL, "the mail server did not take the message: %s (%ld)", why,
			      status);
	task_wake(m->engine, k->task, k->slot, info.code, &info, NULL, NULL);
	call_free(k);
}

static size_t
message_give(char *p, size_t size, size_t n, void *arg)
{
	struct call *k = arg;
	const size_t give = MIN(size * n, k->len - k->sent);

	memcpy(p, k->message + k->sent, give);
	k->sent += give;
	return give;
}

/* Called when curl must send the message anew on another connection. */
static int
message_seek(void *arg, curl_off_t offset, int origin)
{
	struct call *k = arg;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > k->len)
		return CURL_SEEKFUNC_FAIL;
	k->sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static bool
options_set(struct call *k, usec_t timeout)
{
	const struct http_mail *m = k->mail;
	CURL *e = k->easy;
	const bool login = m->user != NULL;
	const long tls = (long)(m->tls_needed ? CURLUSESSL_ALL : CURLUSESSL_TRY);
	bool good = curl_easy_setopt(e, CURLOPT_PRIVATE, k) == CURLE_OK;

	good = good && curl_easy_setopt(e, CURLOPT_ERRORBUFFER, k->error) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_URL, m->url) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_USE_SSL, tls) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
	if (m->ca_file != NULL)
		good = good && curl_easy_setopt(e, CURLOPT_CAINFO, m->ca_file) == CURLE_OK;
	if (login) {
		good = good && curl_easy_setopt(e, CURLOPT_USERNAME, m->user) == CURLE_OK;
		good = good && curl_easy_setopt(e, CURLOPT_PASSWORD, m->password) == CURLE_OK;
	}
	good = good && curl_easy_setopt(e, CURLOPT_MAIL_FROM, m->from) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_MAIL_RCPT, k->to) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_READFUNCTION, message_give) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_READDATA, k) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, message_seek) == CURLE_OK;
	good = good && curl_easy_setopt(e, CURLOPT_SEEKDATA, k) == CURLE_OK;
	good = good &&
	       curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)k->len) == CURLE_OK;
	return good &&
	       curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(timeout / USEC_PER_MS)) == CURLE_OK;
}

static struct call *
call_make(struct http_mail *m, const struct task *t, const char *to, struct str message)
{
	struct call *k = calloc(1, sizeof(*k));
	const usec_t left = t->t_deadline > 0 ? t->t_deadline - clock_now_us() : m->timeout;

	if (k == NULL)
		return NULL;
	k->mail = m;
	k->easy = curl_easy_init();
	k->to = curl_slist_append(NULL, to);
	k->message = malloc(message.len + 1);
	k->len = message.len;
	if (k->message != NULL)
		memcpy(k->message, message.p, message.len);
	if (k->easy != NULL && k->to != NULL && k->message != NULL &&
	    options_set(k, MAX(MIN(left, m->timeout), USEC_PER_MS)))
		return k;
	call_free(k);
	return NULL;
}

enum step
http_mail_wait(struct http_mail *m, struct task *t, const char *to, struct str message)
{
	if (!http_mail_address_valid(str_of(to)))
		return task_fail_set(t, ERR_INVALID, NULL,
				     "the recipient's address cannot be written to");
	if (m->n_calls >= HTTP_MAIL_CALLS_MAX)
		return task_fail_set(t, ERR_BUSY, NULL, "%d messages are under way already",
				     HTTP_MAIL_CALLS_MAX);
	struct call *k = call_make(m, t, to, message);
	if (k == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for a message");
	k->task = t->t_handle;
	if (task_wait_begin(t, &k->slot) != ERR_OK) {
		call_free(k);
		return task_fail_set(t, ERR_BUSY, NULL, "the step waits for too many things");
	}
	if (http_multi_add(m->multi, k->easy) != ERR_OK) {
		task_wait_undo(t, k->slot);
		call_free(k);
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for a message");
	}
	k->next = m->calls;
	if (m->calls != NULL)
		m->calls->prev = k;
	m->calls = k;
	m->n_calls++;
	return STEP_WAIT;
}

/* ---- life ---- */

static char *
copy(const char *s)
{
	if (s == NULL || s[0] == '\0')
		return NULL;
	char *p = strdup(s);
	BUG_ON(p == NULL);
	return p;
}

static bool
is_here(const char *url)
{
	return strncmp(url, "smtp://127.0.0.1:", 17) == 0 ||
	       strncmp(url, "smtp://[::1]:", 13) == 0 || strncmp(url, "smtp://localhost:", 17) == 0;
}

struct http_mail *
http_mail_create(struct loop *l, struct task_engine *e, const struct http_mail_conf *conf)
{
	struct http_mail *m = calloc(1, sizeof(*m));

	BUG_ON(m == NULL);
	m->engine = e;
	m->url = copy(conf->url);
	m->user = copy(conf->user);
	m->password = copy(conf->password);
	m->from = copy(conf->from);
	m->ca_file = copy(conf->ca_file);
	BUG_ON(m->url == NULL || m->from == NULL);
	m->tls_needed = m->user != NULL && !is_here(m->url);
	m->timeout = conf->timeout > 0 ? conf->timeout : TIMEOUT_DEFAULT;
	m->multi = http_multi_create(l, CONNECTIONS_MAX, call_done);
	return m;
}

void
http_mail_destroy(struct http_mail *m)
{
	if (m == NULL)
		return;
	while (m->calls != NULL) {
		struct call *k = m->calls;
		const struct err_info info = { .code = ERR_STOPPING,
					       .msg = "the server is stopping" };
		call_unlink(k);
		task_wake(m->engine, k->task, k->slot, ERR_STOPPING, &info, NULL, NULL);
		call_free(k);
	}
	http_multi_destroy(m->multi);
	if (m->password != NULL)
		explicit_bzero(m->password, strlen(m->password));
	free(m->password);
	free(m->url);
	free(m->user);
	free(m->from);
	free(m->ca_file);
	free(m);
}
