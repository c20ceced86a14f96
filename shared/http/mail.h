/*
 * mail.h — e-mail on the event loop: one message to one address by SMTP, over libcurl. A step sends and parks; when the next one runs
 * the server has taken the message, or the wait says why not.
 *
 * smtps:// is TLS from the start; smtp:// takes STARTTLS where the server offers it, and insists on it where there is a login to
 * protect and the server is not this machine. Certificates are verified. No proxy is taken from the environment.
 */
#ifndef BIMODAL_HTTP_MAIL_H
#define BIMODAL_HTTP_MAIL_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/task.h"

#define HTTP_MAIL_ADDRESS_MAX 254
#define HTTP_MAIL_CALLS_MAX 16 /* under way; more are ERR_BUSY */

/* Copied. */
struct http_mail_conf {
	const char *url;  /* smtp://host:port or smtps://host:port */
	const char *user; /* NULL or "": no login                  */
	const char *password;
	const char *from;    /* address of the envelope               */
	const char *ca_file; /* NULL or "": the system's              */
	usec_t timeout;      /* of one message; 0 = 30 s              */
};

struct http_mail;
/* Dies if it cannot be made. */
struct http_mail *http_mail_create(struct loop *l, struct task_engine *e,
				   const struct http_mail_conf *conf);
/* Messages under way end with ERR_STOPPING. Before the task engine; NULL is fine. */
void http_mail_destroy(struct http_mail *m);

/* An address that can stand in an SMTP command: printable ASCII, one '@', none of <>"\,;:()[] nor a space. */
bool http_mail_address_valid(struct str address);

/*
 * Send, as one wait of the calling step: returns STEP_WAIT, or the task failed (ERR_BUSY, ERR_INVALID an address that is none,
 * ERR_NO_MEMORY). `message`: head and body as RFC 5322 has them, lines ended by CRLF; copied. The wait fails with ERR_INVALID (the
 * server refused it for good, 5xx), ERR_UPSTREAM (it could not be reached, or refused it for now), ERR_TIMEOUT, ERR_STOPPING.
 */
enum step http_mail_wait(struct http_mail *m, struct task *t, const char *to, struct str message);

#endif
