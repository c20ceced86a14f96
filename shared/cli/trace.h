/*
 * trace.h — the trace of a run: one line of JSON for each exchange with a daemon, in a file that its owner alone can read. Internal to
 * cli; main.c opens it (--trace FILE, $BIMODAL_TRACE), call.c and live.c write to it. See trace.c for what a line holds.
 */
#ifndef BIMODAL_CLI_TRACE_H
#define BIMODAL_CLI_TRACE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

/* Append to `path` from now on, until the process ends. False: why was printed. */
MUST_CHECK bool trace_open(const char *path);
/* Is there a trace? If not, the calls below do nothing. */
bool trace_on(void);

struct trace_exchange {
	const char *daemon; /* its name */
	const char *method;
	const char *target;
	long status;       /* 0: no reply */
	struct str head;   /* the reply's header lines as they came */
	struct str body;   /* of the reply */
	const char *error; /* of the transport; "" or NULL: none */
	double seconds;
};
void trace_exchange(const struct trace_exchange *x);

/* One server-sent event of a stream that goes on. */
struct trace_event {
	const char *daemon;
	const char *target; /* of the stream */
	const char *event;
	const char *id;
	struct str data;
};
void trace_event(const struct trace_event *e);

/* Append JSON text with the values of secret members left out: "…" stands for each. */
void trace_masked(struct buf *out, struct str json);

#endif
