/*
 * webhooks.h — signed messages to other people's servers, by Standard Webhooks: endpoints of a person or a team, deliveries with
 * retries over days, a log, replay. Who has something to say writes it with webhook.enqueue in SQL; this room brings it there.
 *
 * What a receiver gets: POST with webhook-id (the same for every attempt and replay), webhook-timestamp and webhook-signature: for
 * each live secret "v1," and the base64 of HMAC-SHA256 over "<id>.<timestamp>.<body>". 2xx is well; 410 switches the endpoint off.
 */
#ifndef BIMODAL_CORE_WEBHOOKS_H
#define BIMODAL_CORE_WEBHOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/task.h"
#include "daemon/jobs.h"
#include "http/http.h"
#include "postgres/postgres.h"

/* ---- which addresses may be reached (address.c) ---- */

#define CORE_WEBHOOKS_NETS_MAX 64

struct sockaddr;
struct core_webhooks_net {
	unsigned char bytes[16]; /* IPv6; IPv4 as ::ffff:a.b.c.d */
	unsigned bits;
};
/* Networks that are allowed though they are private. */
struct core_webhooks_nets {
	struct core_webhooks_net net[CORE_WEBHOOKS_NETS_MAX];
	size_t n;
};
/* "10.1.0.0/16, fd00::/8", "" is none. Errors: ERR_CONFIG that names the part. */
MUST_CHECK enum err core_webhooks_nets_parse(const char *text, struct core_webhooks_nets *out,
					     struct err_info *info);
bool core_webhooks_in_nets(const struct core_webhooks_nets *nets, const struct sockaddr *address);
/*
 * Does everybody's internet reach it? Not: this machine, private, shared, link-local (where clouds keep their metadata), multicast,
 * reserved and documentation ranges, and what wraps an IPv4 address of those (mapped, NAT64, 6to4, Teredo).
 */
bool core_webhooks_is_public(const struct sockaddr *address);

/* ---- a worker ---- */

/* `nets` must outlive it: a URL that names a forbidden address is refused at once. Names are judged when they are connected to. */
void core_webhooks_use(struct postgres_pool *app, const struct core_webhooks_nets *nets);
extern const struct http_route core_webhooks_routes[];
extern const size_t core_webhooks_routes_count;

/* ---- the jobs child ---- */

struct core_webhooks_conf {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *pool; /* the executor's login */
	const struct core_webhooks_nets *nets;
	usec_t period;
	usec_t timeout;       /* of one attempt                                      */
	usec_t retry;         /* pause after the first failure                       */
	usec_t disable_after; /* an endpoint that only failed for so long is switched off */
};

/* Before the fork, in every process. */
void core_webhooks_metrics(void);
/* Adds the job; `conf` is copied. */
void core_webhooks_jobs(struct daemon_jobs *jobs, const struct core_webhooks_conf *conf);
/* Before the task engine goes. */
void core_webhooks_jobs_finish(void);

#endif
