/*
 * rights.h — what stands behind a right in core: who is in which team, what was refused (into the event log), why somebody may or
 * may not do something, and the one way to look behind a pseudonym.
 */
#ifndef BIMODAL_CORE_RIGHTS_H
#define BIMODAL_CORE_RIGHTS_H

#include <stddef.h>

#include "access/access.h"
#include "base/task.h"
#include "http/http.h"
#include "postgres/postgres.h"
#include "record/record.h"

/* Before anything else of this room. Owner of all remains the caller. `swapped`: after each new list of members. */
struct core_rights_conf {
	struct access *access;
	struct postgres_pool *pool; /* the workers' role */
	struct record_engine *records;
	void (*swapped)(void *arg);
	void *arg;
};
void core_rights_use(const struct core_rights_conf *conf);
/* Whose routes are explained; once the server has them. */
void core_rights_server(struct http_server *server);

/* Read who is in which team in a task of its own and swap it in. */
void core_rights_load(struct task_engine *e);
/* Write what was refused lately, if anything was: called by a timer every few seconds, and once more before the end. */
void core_rights_flush(struct task_engine *e);

extern const struct http_route core_rights_routes[];
extern const size_t core_rights_routes_count;

#endif
