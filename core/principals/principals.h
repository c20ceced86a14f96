/*
 * principals.h — who may use core: the live snapshot of tokens in each worker, /v1/me, when a token was last used, and the
 * command that makes a principal with a token.
 */
#ifndef BIMODAL_CORE_PRINCIPALS_H
#define BIMODAL_CORE_PRINCIPALS_H

#include <stddef.h>

#include "access/access.h"
#include "base/task.h"
#include "http/http.h"
#include "postgres/postgres.h"

/* Before anything else of this room. `pool`: the workers' role; owner of both remains the caller. `swapped`: after each new snapshot. */
void core_principals_use(struct access *access, struct postgres_pool *pool,
			 void (*swapped)(void *arg), void *arg);

/* Read the snapshot in a task of its own and swap it in. */
void core_principals_load(struct task_engine *e);
/* Write when tokens were last used, if any were: called by a timer every few seconds. */
void core_principals_flush_used(struct task_engine *e);

extern const struct http_route core_principals_routes[];
extern const size_t core_principals_routes_count;

/*
 * --create-token NAME:ROLE:AUDIENCE — make the principal if it is new, give it the role, print a fresh token on standard output (the only
 * time it is seen). t_owner is a struct core_principals_order.
 */
struct core_principals_order {
	struct postgres_pool *pool; /* the executor's */
	const char *argument;
};
extern const struct step_row core_principals_create_token[];

#endif
