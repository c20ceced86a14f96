/*
 * metrics.c — registers the counters of the HTTP room; base/metric gives the same counter for the
 * same name and labels.
 */
#include "http/metrics.h"

#include <stdio.h>

static const char *const classes[HTTP_CLASSES] = { "2xx", "3xx", "4xx", "5xx" };
static struct http_metrics all;

const struct http_metrics *
http_metrics(void)
{
	static const char *const kinds[HTTP_TIMEOUTS] = {
		[HTTP_TIMEOUT_HANDSHAKE] = "kind=\"handshake\"",
		[HTTP_TIMEOUT_HEAD] = "kind=\"head\"",
		[HTTP_TIMEOUT_BODY] = "kind=\"body\"",
		[HTTP_TIMEOUT_IDLE] = "kind=\"idle\"",
		[HTTP_TIMEOUT_WRITE] = "kind=\"write\"",
	};
	static const char *const failures[HTTP_TLS_FAILURES] = {
		[HTTP_TLS_PLAIN] = "reason=\"plain\"", [HTTP_TLS_VERSION] = "reason=\"version\"",
		[HTTP_TLS_SUITE] = "reason=\"suite\"", [HTTP_TLS_ALPN] = "reason=\"alpn\"",
		[HTTP_TLS_ALERT] = "reason=\"alert\"", [HTTP_TLS_LEFT] = "reason=\"left\"",
		[HTTP_TLS_OTHER] = "reason=\"other\"", [HTTP_TLS_RECORD] = "reason=\"record\"",
	};
	if (all.open != NULL)
		return &all;
	all.open = metric_gauge("http_connections", NULL, "Open client connections.");
	all.accepted = metric_counter("http_accepted_total", NULL, "Client connections accepted.");
	all.refused_worker = metric_counter("http_refused_total", "limit=\"worker\"",
					    "Connections refused at a limit.");
	all.refused_address = metric_counter("http_refused_total", "limit=\"address\"",
					     "Connections refused at a limit.");
	all.accept_failed = metric_counter("http_accept_failed_total", NULL,
					   "Connections that could not be accepted.");
	all.parse_errors =
		metric_counter("http_parse_errors_total", NULL, "Requests refused as malformed.");
	all.hangups = metric_counter("http_hangups_total", NULL,
				     "Clients that left while their request ran.");
	for (unsigned i = 0; i < HTTP_TIMEOUTS; i++)
		all.timeouts[i] = metric_counter("http_timeouts_total", kinds[i],
						 "Connections that missed a deadline.");
	all.tls_1_2 = metric_counter("http_tls_handshakes_total", "version=\"1.2\"",
				     "TLS handshakes completed.");
	all.tls_1_3 = metric_counter("http_tls_handshakes_total", "version=\"1.3\"",
				     "TLS handshakes completed.");
	for (unsigned i = 0; i < HTTP_TLS_FAILURES; i++)
		all.tls_failed[i] =
			metric_counter("http_tls_failed_total", failures[i],
				       "Connections that ended because TLS could not go on.");
	all.duration = metric_histogram("http_request_duration_seconds", NULL,
					"From the complete request to the end of its task.");
	http_metrics_route("none", all.unrouted);
	return &all;
}

void
http_metrics_route(const char *name, struct metric *by_class[HTTP_CLASSES])
{
	for (unsigned i = 0; i < HTTP_CLASSES; i++) {
		char labels[128];
		(void)snprintf(labels, sizeof(labels), "route=\"%s\",class=\"%s\"", name,
			       classes[i]);
		by_class[i] =
			metric_counter("http_requests_total", labels,
				       "Requests answered, by route and class of the status.");
	}
}

unsigned
http_metrics_class(int status)
{
	return status >= 500 ? 3 : status >= 400 ? 2 : status >= 300 ? 1 : 0;
}

void
http_metrics_register(const struct http_route *routes, size_t n)
{
	struct metric *by_class[HTTP_CLASSES];
	(void)http_metrics();
	for (size_t i = 0; i < n; i++)
		http_metrics_route(routes[i].name, by_class);
}
