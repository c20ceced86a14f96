/*
 * principals.c — the worker's snapshot of live tokens and /v1/me. Read-only: tokens are made and revoked in core, and arrive
 * with the lag of the feed; when the copy is old the guard refuses writes (decided by the replica room).
 */
#include "sandbox/principals/principals.h"

#include "daemon/snapshot.h"
#include "gen/sql_sandbox.h"

static struct access *access_here;
static void (*swapped_here)(void *arg);
static void *swapped_arg;

static enum err
snapshot_apply(const PGresult *rows, void *arg UNUSED, struct err_info *info)
{
	const enum err err = access_swap_rows(access_here, rows, info);
	if (err == ERR_OK)
		swapped_here(swapped_arg);
	return err;
}

static struct daemon_snapshot snapshot = { .name = "access.load",
					   .stmt = &sql_sandbox_access_snapshot,
					   .apply = snapshot_apply };

void
sandbox_principals_use(struct access *access, struct postgres_pool *pool,
		       void (*swapped)(void *arg), void *arg)
{
	access_here = access;
	snapshot.pool = pool;
	swapped_here = swapped;
	swapped_arg = arg;
}

void
sandbox_principals_load(struct task_engine *e)
{
	daemon_snapshot_load(&snapshot, e);
}

static enum step
me(struct task *t)
{
	const struct access_actor *actor = access_actor_of(t);
	struct buf body;

	buf_init(&body, 64 * 1024);
	access_actor_json(access_here, actor, &body);
	const enum step done = http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

static const struct step_row me_steps[] = { { "me", me }, { NULL, NULL } };

const struct http_route sandbox_principals_routes[] = {
	{ HTTP_GET, "/v1/me", "access.me", me_steps, .right = "me.read" },
};
const size_t sandbox_principals_routes_count = ARRAY_LEN(sandbox_principals_routes);
