/*
 * metrics.h — the counters of this room. Registered once a process, before the fork
 * (http_metrics_register in http.h).
 */
#ifndef BIMODAL_HTTP_METRICS_H
#define BIMODAL_HTTP_METRICS_H

#include "base/metric.h"
#include "http/http.h"
#include "http/router.h"

enum http_timeout {
	HTTP_TIMEOUT_HANDSHAKE,
	HTTP_TIMEOUT_HEAD,
	HTTP_TIMEOUT_BODY,
	HTTP_TIMEOUT_IDLE,
	HTTP_TIMEOUT_WRITE,
	HTTP_TIMEOUTS
};

/* Why TLS was not agreed upon, or broke. */
enum http_tls_failure {
	HTTP_TLS_PLAIN,   /* the client speaks HTTP in the clear                           */
	HTTP_TLS_VERSION, /* it offers no version that is taken                            */
	HTTP_TLS_SUITE,   /* nor a suite, group or signature                               */
	HTTP_TLS_ALPN,    /* nor http/1.1                                                  */
	HTTP_TLS_ALERT,   /* it sent an alert: it does not like our certificate, say       */
	HTTP_TLS_LEFT,    /* it closed the connection                                      */
	HTTP_TLS_OTHER,   /* what came is not TLS, or wrong TLS                            */
	HTTP_TLS_RECORD,  /* the same, after the handshake                                 */
	HTTP_TLS_FAILURES
};

struct http_metrics {
	struct metric *open; /* connections now                            */
	struct metric *accepted;
	struct metric *refused_worker;  /* max_connections                            */
	struct metric *refused_address; /* max_per_address                            */
	struct metric *accept_failed;   /* out of descriptors or memory               */
	struct metric *parse_errors;
	struct metric *hangups; /* the client left while its task ran         */
	struct metric *timeouts[HTTP_TIMEOUTS];
	struct metric *tls_1_2, *tls_1_3; /* handshakes, by version */
	struct metric *tls_failed[HTTP_TLS_FAILURES];
	struct metric *duration;               /* of tasks, from the complete request        */
	struct metric *unrouted[HTTP_CLASSES]; /* answered without a task             */
};

/* Idempotent. */
const struct http_metrics *http_metrics(void);
/* The four counters of one route name; routes of one name share them. */
void http_metrics_route(const char *name, struct metric *by_class[HTTP_CLASSES]);
/* 0 for 2xx … 3 for 5xx; what is below counts as 2xx. */
unsigned http_metrics_class(int status);

#endif
