/*
 * snapshot.c — see snapshot.h.
 */
#include "daemon/snapshot.h"

#include "base/log.h"

#define LOAD_DEADLINE (10 * USEC_PER_SEC)

static enum step
load_read(struct task *t)
{
	const struct daemon_snapshot *s = t->t_owner;
	return postgres_wait(s->pool, t, s->stmt, NULL, 0);
}

static enum step
load_apply(struct task *t)
{
	const struct daemon_snapshot *s = t->t_owner;
	if (s->apply(postgres_result(t, 0), s->arg, &t->t_err) != ERR_OK)
		return task_fail(t);
	return STEP_DONE;
}

static const struct step_row load_steps[] = {
	{ "read", load_read },
	{ "apply", load_apply },
	{ NULL, NULL },
};

static void
load_end(struct task *t, void *arg)
{
	struct daemon_snapshot *s = arg;
	const bool stopping = t->t_cancel == TASK_SHUTDOWN;

	s->loading = false;
	if (t->t_err.code != ERR_OK && !stopping)
		log_warn("snapshot.load", "%s: the snapshot could not be read: %s", s->name,
			 t->t_err.msg);
	if (s->again && !stopping)
		daemon_snapshot_load(s, t->t_engine);
}

void
daemon_snapshot_load(struct daemon_snapshot *s, struct task_engine *e)
{
	struct task *t = NULL;

	s->again = s->loading;
	if (s->loading || task_start(e, s->name, load_steps, clock_now_us() + LOAD_DEADLINE,
				     ARENA_CAP_BYTES, load_end, s, &t) != ERR_OK)
		return;
	t->t_owner = s;
	s->loading = true;
}
