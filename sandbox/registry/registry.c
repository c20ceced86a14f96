/*
 * registry.c — see registry.h. What was last done is kept in lab.registry in the transaction that did it, so a change is followed once, and one
 * that failed (a feature still uses a column that is going) is tried again until it can be.
 */
#include "sandbox/registry/registry.h"

#include "base/log.h"
#include "change/change.h"
#include "gen/sql_sandbox.h"

#define LOOK_PERIOD USEC_PER_SEC
#define FOLLOW_DEADLINE (60 * USEC_PER_SEC)
#define REFRESH_PERIOD (5 * USEC_PER_SEC)
#define LOOKS_TRUSTED 30 /* then the catalog is compared again, whatever the stamp says */
#define STAMP_BYTES 40

static struct {
	struct postgres_pool *deployer;
	struct postgres_pool *apply;
	usec_t refreshed_at;
	char stamp[STAMP_BYTES]; /* of the last look, if that found nothing to do; else '' */
	unsigned trusted;        /* looks since the catalog was compared                  */
} registry;

struct look {
	const char *after;
	bool is_missing;
};

static step_fn follow_refresh;

static enum step
follow_ask(struct task *t)
{
	if (++registry.trusted >= LOOKS_TRUSTED)
		registry.stamp[0] = '\0';
	return postgres_wait(registry.deployer, t, &sql_lab_registry_look,
			     (struct postgres_param[]) { P_TEXT(registry.stamp) }, 1);
}

static enum step
follow_apply(struct task *t)
{
	struct look *l = task_state(t, sizeof(*l));

	if (l == NULL || postgres_rows(t, 0) != 1 || postgres_is_null(t, 0, 0, 1))
		return STEP_DONE;
	const bool is_changed = postgres_bool(t, 0, 0, 2);
	l->is_missing = postgres_bool(t, 0, 0, 3);
	registry.trusted = 0;
	(void)str_copy(registry.stamp, sizeof(registry.stamp),
		       is_changed || l->is_missing ? STR("") : postgres_value(t, 0, 0, 0));
	if (!is_changed)
		return task_jump(t, follow_refresh);
	struct buf after;
	buf_init(&after, 1024);
	buf_add_cstr(&after, "UPDATE lab.registry SET hash = ");
	change_quote(&after, postgres_value(t, 0, 0, 1));
	buf_add_cstr(&after, ";\nSELECT change.schema_bump()");
	l->after = after.failed ? NULL : arena_strdup(&t->t_arena, buf_str(&after));
	buf_free(&after);
	if (l->after == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory to follow the registry");
	log_info("registry.follow", "bringing the copy to the registry that has arrived");
	return change_apply(t, &(struct change_order) {
				       .pool = registry.deployer,
				       .role = "bimodal_owner",
				       .id = "registry.follow",
				       .actor = "system:registry",
				       .up = "SELECT change.projection_apply()",
				       .after = l->after,
			       });
}

/* A table is fetched once the airlock publishes it, which may be later than its registry arrives: asked for again until it is there. */
static enum step
follow_refresh(struct task *t)
{
	const struct look *l = task_state(t, sizeof(*l));

	if (!l->is_missing && l->after == NULL)
		return STEP_DONE;
	if (l->after == NULL && clock_now_us() - registry.refreshed_at < REFRESH_PERIOD)
		return STEP_DONE;
	registry.refreshed_at = clock_now_us();
	return postgres_script(registry.apply, t,
			       "ALTER SUBSCRIPTION sandbox_crm REFRESH PUBLICATION");
}

static enum step
follow_done(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row follow_steps[] = {
	{ "ask", follow_ask },
	{ "apply", follow_apply },
	{ "refresh", follow_refresh },
	{ "done", follow_done },
	{ NULL, NULL },
};

void
sandbox_registry_jobs(struct daemon_jobs *jobs, struct postgres_pool *deployer,
		      struct postgres_pool *apply)
{
	registry.deployer = deployer;
	registry.apply = apply;
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "registry.follow",
						     .period = LOOK_PERIOD,
						     .deadline = FOLLOW_DEADLINE,
						     .steps = follow_steps });
}
