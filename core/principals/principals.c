/*
 * principals.c — keeps the worker's snapshot of live tokens. Every change of principals, roles or tokens bumps a generation
 * and notifies; the snapshot is then read anew as a whole, so a revocation never waits for a cache entry to grow old.
 */
#include "core/principals/principals.h"

#include "daemon/snapshot.h"
#include "gen/sql_core.h"

#define LOAD_DEADLINE (10 * USEC_PER_SEC)
#define USED_BYTES_MAX (8 * 1024 * 1024)

static struct access *access_here;
static void (*swapped_here)(void *arg);
static void *swapped_arg;

/* ---- the snapshot ---- */

static enum err
snapshot_apply(const PGresult *rows, void *arg UNUSED, struct err_info *info)
{
	const enum err err = access_swap_rows(access_here, rows, info);
	if (err == ERR_OK && swapped_here != NULL)
		swapped_here(swapped_arg);
	return err;
}

static struct daemon_snapshot snapshot = { .name = "access.load",
					   .stmt = &sql_access_snapshot,
					   .apply = snapshot_apply };

void
core_principals_use(struct access *access, struct postgres_pool *pool, void (*swapped)(void *arg),
		    void *arg)
{
	access_here = access;
	snapshot.pool = pool;
	swapped_here = swapped;
	swapped_arg = arg;
}

void
core_principals_load(struct task_engine *e)
{
	daemon_snapshot_load(&snapshot, e);
}

/* ---- last used ---- */

static enum step
used_write(struct task *t)
{
	struct buf hashes;
	buf_init(&hashes, USED_BYTES_MAX);
	const size_t n = access_used_take(access_here, &hashes);
	enum step next = STEP_DONE;
	if (n > 0)
		next = postgres_wait(snapshot.pool, t, &sql_access_used,
				     (struct postgres_param[]) { P_STR(buf_str(&hashes)) }, 1);
	buf_free(&hashes);
	return next;
}

static const struct step_row used_steps[] = { { "write", used_write }, { NULL, NULL } };

void
core_principals_flush_used(struct task_engine *e)
{
	struct task *t = NULL;
	(void)!task_start(e, "access.used", used_steps, clock_now_us() + LOAD_DEADLINE,
			  ARENA_CAP_BYTES, NULL, NULL, &t);
}

/* ---- routes ---- */

#define ME_BYTES_MAX ((size_t)1024 * 1024)

/* What the snapshot knows is answered even while the database is away. */
static enum step
me_read(struct task *t)
{
	const struct access_actor *actor = access_actor_of(t);
	if (actor == NULL)
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL, "no principal");
	bool *asked = task_state(t, sizeof(bool));
	if (asked == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	*asked = postgres_add(snapshot.pool, t, &sql_people_me,
			      (struct postgres_param[]) { P_TEXT(actor->principal) }, 1) == ERR_OK;
	if (!*asked) {
		err_clear(&t->t_err);
		return STEP_NEXT;
	}
	task_wait_soft(t);
	return STEP_WAIT;
}

static enum step
me(struct task *t)
{
	static const char *const members[] = { "display_name", "email", "locale", "kind" };
	const struct access_actor *actor = access_actor_of(t);
	const bool *asked = task_state(t, sizeof(bool));
	struct buf who;
	struct buf body;

	buf_init(&who, ME_BYTES_MAX);
	buf_init(&body, ME_BYTES_MAX);
	access_actor_json(access_here, actor, &who);
	/* Without its brace: more members follow. */
	buf_add_str(&body, (struct str) { buf_str(&who).p, buf_str(&who).len - 1 });
	buf_free(&who);
	if (*asked && task_wait_err(t, 0, NULL) == ERR_OK && postgres_rows(t, 0) == 1) {
		for (size_t i = 0; i < ARRAY_LEN(members); i++) {
			buf_printf(&body, ",\"%s\":", members[i]);
			if (postgres_is_null(t, 0, 0, (int)i))
				buf_add_cstr(&body, "null");
			else
				buf_json_str(&body, postgres_value(t, 0, 0, (int)i));
		}
		buf_add_cstr(&body, ",\"teams\":");
		buf_add_str(&body, postgres_value(t, 0, 0, (int)ARRAY_LEN(members)));
	}
	buf_add_char(&body, '}');
	const enum step done = http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

static const struct step_row me_steps[] = { { "read", me_read }, { "me", me }, { NULL, NULL } };

const struct http_route core_principals_routes[] = {
	{ HTTP_GET, "/v1/me", "access.me", me_steps, .right = "me.read" },
};
const size_t core_principals_routes_count = ARRAY_LEN(core_principals_routes);
