/*
 * rooms.h — the HTTP side of a worker: one server with the routes of every room. What this floor does not know (who asks, who may) comes
 * in as functions.
 */
#ifndef BIMODAL_DAEMON_ROOMS_H
#define BIMODAL_DAEMON_ROOMS_H

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "http/http.h"

/* A row of the daemon's table of rooms. */
struct daemon_room {
	const struct http_route *routes;
	const size_t *n;
};

/* For --print-routes. */
void daemon_rooms_print(const struct daemon_room *rooms, size_t n, bool *first);
/* Before the fork. */
void daemon_rooms_metrics(const struct daemon_room *rooms, size_t n);

struct daemon_serve {
	struct loop *loop;
	struct task_engine *tasks;
	const struct daemon_config *config;
	const struct daemon_room *rooms;
	size_t n_rooms;
	const struct step_row *guard; /* this and the next three as in struct http_conf */
	bool (*early)(struct str peer, struct str token, struct http_early *out,
		      struct err_info *info);
	bool secure; /* a proxy on this host speaks TLS for us: http_conf.secure */
	const char *cors_origin;
	void (*ended)(struct task *t);              /* before the access line is written */
	const char *(*actor)(const struct task *t); /* the principal's id, or NULL       */
	daemon_ready_fn *ready;
	void *ready_arg;
	int listen_fd;
};
/* Makes the server and has it listen once the worker is ready. `conf` is copied. *out is there even on an error, unless it is NULL. */
MUST_CHECK enum err daemon_serve(const struct daemon_serve *conf, struct http_server **out,
				 struct err_info *info);
/* No new requests; the loop stops once those under way are answered. */
void daemon_drain(struct http_server *server, struct loop *l);

/* The answer of a daemon_ready_fn: each part of the worker and whether it can serve. True if all can. */
struct daemon_part {
	const char *name;
	bool is_ready;
};
bool daemon_ready_say(struct buf *detail, const char *instance, const struct daemon_part *parts,
		      size_t n);

#endif
