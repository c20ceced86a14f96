/*
 * tls.c — see tls.h. One daemon a process, so what it serves with is kept here; servers hold a pointer to it, and a renewal changes
 * what it points to.
 */
#include "daemon/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"

#define LOOK_PERIOD (3600 * USEC_PER_SEC)
#define DAY (24 * 3600 * USEC_PER_SEC)
#define NEAR (14 * DAY) /* or a third of a life that is shorter */

static struct http_tls *held;
static bool forgotten;
static struct loop_timer *timer;
static bool watching, warning;
static struct metric *expires;

/* ---- rules ---- */

/* False for what is no address, too: listening will say so. */
static bool
is_open_address(const char *text)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 != IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&v6))
		return v6.s6_addr[12] != IN_LOOPBACKNET;
	return !IN6_IS_ADDR_LOOPBACK(&v6);
}

void
daemon_tls_rules(const struct conf *c, const struct daemon_config *config, struct http_tls **tls,
		 struct yaml_errors *e)
{
	const bool certificate = config->tls_certificate[0] != '\0';
	const bool key = config->tls_key[0] != '\0';
	struct err_info info = { .code = ERR_OK };

	*tls = NULL;
	if (certificate != key) {
		conf_error(c, certificate ? "http.tls.certificate" : "http.tls.key", e,
			   "%s is missing: certificate and key are given together",
			   certificate ? "http.tls.key" : "http.tls.certificate");
		return;
	}
	if (!certificate) {
		if (is_open_address(config->http_address))
			conf_error(c, "http.address", e,
				   "%s is not a loopback address: http.tls.certificate and "
				   "http.tls.key are required",
				   config->http_address);
		return;
	}
	if (http_tls_create(config->tls_certificate, config->tls_key, tls, &info) != ERR_OK)
		conf_error(c,
			   strcmp(info.field, "key") == 0 ? "http.tls.key" : "http.tls.certificate",
			   e, "%s", info.msg);
}

/* ---- the end of the certificate ---- */

/* "12 days", for a message; what is past is 0 days. */
static long long
days_left(usec_t until)
{
	return MAX((until - clock_wall_us()) / DAY, 0);
}

static void
look(void *arg UNUSED)
{
	usec_t from = 0;
	usec_t until = 0;

	if (held == NULL)
		return;
	http_tls_validity(held, &from, &until);
	metric_set(expires, until / USEC_PER_SEC);
	const usec_t left = until - clock_wall_us();
	if (!warning || left > MIN(NEAR, (until - from) / 3))
		return;
	char text[CLOCK_RFC3339_SIZE];
	clock_rfc3339(until, text);
	if (left <= 0)
		log_error("tls.expired",
			  "the certificate ended at %s: put a new pair in place and send SIGHUP",
			  text);
	else
		log_warn("tls.expires",
			 "the certificate ends in %lld days, at %s: put a new pair in place and "
			 "send SIGHUP",
			 days_left(until), text);
}

void
daemon_tls_metrics(void)
{
	expires = metric_gauge_max("http_tls_certificate_expires_seconds", NULL,
				   "When the certificate ends, in seconds since 1970; 0: no TLS.");
}

void
daemon_tls_watch(struct loop *l, bool warns)
{
	if (held == NULL)
		return;
	watching = true;
	warning = warns;
	look(NULL);
	timer = loop_every(l, LOOK_PERIOD, look, NULL);
}

void
daemon_tls_unwatch(void)
{
	watching = false;
	loop_timer_destroy(timer);
	timer = NULL;
}

/* ---- the pair of this process ---- */

struct http_tls *
daemon_tls(void)
{
	return held;
}

void
daemon_tls_begin(struct http_tls *tls)
{
	held = tls;
}

static bool
is_step_back(const struct http_tls *tls)
{
	const usec_t now = clock_wall_us();
	usec_t from = 0;
	usec_t old = 0;
	usec_t fresh = 0;

	http_tls_validity(held, &from, &old);
	http_tls_validity(tls, &from, &fresh);
	return old > now && (fresh <= now || from > now);
}

void
daemon_tls_reload(struct http_tls *tls)
{
	if (!forgotten && (tls != NULL) != (held != NULL)) {
		log_warn("tls.reload", "TLS is switched %s at the next start, not before",
			 tls != NULL ? "on" : "off");
	} else if (held != NULL && is_step_back(tls)) {
		log_error("tls.reload",
			  "the new certificate is not valid now; the old one stays in use");
	} else if (held != NULL) {
		http_tls_swap(held, tls);
		log_info("tls.reload", "new connections get the certificate as it is now on disk");
		if (watching)
			look(NULL);
	}
	http_tls_destroy(tls);
}

void
daemon_tls_forget(void)
{
	http_tls_destroy(held);
	held = NULL;
	forgotten = true;
}
