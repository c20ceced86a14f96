/*
 * principals.h — who may use the sandbox: hashes of the tokens meant for it, with ids and roles and no names, as the feed brings them.
 */
#ifndef BIMODAL_SANDBOX_PRINCIPALS_H
#define BIMODAL_SANDBOX_PRINCIPALS_H

#include <stddef.h>

#include "access/access.h"
#include "base/task.h"
#include "http/http.h"
#include "postgres/postgres.h"

/* Before anything else of this room; owner of both remains the caller. `swapped`: after each new snapshot. */
void sandbox_principals_use(struct access *access, struct postgres_pool *pool,
			    void (*swapped)(void *arg), void *arg);
/* Read the snapshot in a task of its own and swap it in. */
void sandbox_principals_load(struct task_engine *e);

extern const struct http_route sandbox_principals_routes[];
extern const size_t sandbox_principals_routes_count;

#endif
