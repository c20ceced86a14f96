/*
 * call.h — one exchange over libcurl while it runs: shared by call.c (one at a time) and many.c (several at once). Internal to cli.
 */
#ifndef BIMODAL_CLI_CALL_H
#define BIMODAL_CLI_CALL_H

#include <curl/curl.h>

#include "cli/cli.h"

/* What to ask; all texts live until call_close. */
struct call_order {
	enum cli_daemon daemon;
	const char *method;
	const char *path;
	const char *extra;
	struct str body; /* STR_NONE: none */
};

struct call {
	CURL *curl;
	struct call_order order;
	struct curl_slist *headers;
	struct buf url;
	struct cli_reply *reply;
};

/* How https is spoken: verified, against the system's roots or those of --ca alone. */
void call_tls(const struct cli *c, CURL *curl);
/* Make ready on `curl` (taken back by call_close). False when address or token cannot be read (printed). */
MUST_CHECK bool call_open(struct cli *c, const struct call_order *order, CURL *curl,
			  struct cli_reply *reply, struct call *call);
/* Take status, time and the transport's error into the reply, and tell the trace. The handle stays the caller's. */
void call_close(struct call *call, CURLcode code);

#endif
