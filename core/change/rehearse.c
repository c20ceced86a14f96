/*
 * rehearse.c — tries a change where nothing can be harmed: a fresh database of the rehearsal cluster that is as core's is, with made-up
 * rows. Here what its parts share and how it begins; ground.c, trial.c and report.c follow.
 *
 * Roles are cluster-wide, so one rehearsal runs at a time.
 */
#include <string.h>

#include "base/log.h"
#include "core/change/rehearsal.h"

#define STATEMENT_TIMEOUT (60 * USEC_PER_SEC)

#define run core_change_run
#define r core_change_rehearsed

struct change_rehearsal core_change_rehearsed;

const char *
core_change_keep(struct str s)
{
	const char *p = arena_strdup(&run.arena, s);
	return p != NULL ? p : "";
}

void
core_change_rehearse_close(void)
{
	postgres_pool_destroy(r.pool);
	postgres_pool_destroy(r.server);
	r.pool = NULL;
	r.server = NULL;
}

enum err
core_change_rehearse_open(struct task *t, const char *dbname, const char *label,
			  struct postgres_pool **out, struct err_info *info)
{
	const struct core_change_rehearsal *c = &core_change_conf.rehearsal;
	static const struct postgres_stmt *const none[] = { NULL };

	return postgres_pool_create(
		core_change_conf.loop, core_change_conf.engine,
		&(struct postgres_conf) {
			.label = label,
			.conninfo = postgres_conninfo(&t->t_arena, c->host, c->port, dbname,
						      c->user, c->password, "connect_timeout=5"),
			.lanes = { [POSTGRES_SLOW] = { .connections = 1,
						       .depth = 1,
						       .queue_max = 10,
						       .statement_timeout = STATEMENT_TIMEOUT } },
			.stmts = none,
			.worker = -2,
		},
		out, info);
}

enum step
core_change_give_up(struct task *t, const char *where, const struct err_info *info)
{
	if (run.error == NULL) {
		const char *msg = info->msg[0] != '\0' ? info->msg : err_row(info->code)->title;
		run.error = arena_printf(&run.arena, "%s%s%s", where, where[0] != '\0' ? ": " : "",
					 msg);
		if (run.error == NULL)
			run.error = "the rehearsal ran out of memory";
		log_info("change.rehearsal", "change %lld: %s", (long long)run.number, run.error);
	}
	return task_continue(t, core_change_report_steps);
}

bool
core_change_well(struct task *t, const char *where, enum step *next)
{
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) == ERR_OK)
		return true;
	*next = core_change_give_up(t, where, info);
	return false;
}

enum step
core_change_script(struct task *t, struct postgres_pool *pool, const char *sql)
{
	task_wait_soft(t);
	const enum step next = postgres_script(pool, t, sql);
	if (next != STEP_DONE)
		return next;
	const struct err_info info = t->t_err;
	err_clear(&t->t_err);
	return r.clearing ? task_jump(t, core_change_report_write)
			  : core_change_give_up(t, "a server is away", &info);
}

enum step
core_change_apply_as_executor(struct task *t, const struct change_plan *plan, const char *up)
{
	task_wait_soft(t);
	return change_apply(t, &(struct change_order) {
				       .pool = r.pool,
				       .login = core_change_conf.executor_user,
				       .role = plan->role,
				       .id = run.request,
				       .actor = run.actor,
				       .up = up,
				       .verify = plan->verify,
				       .after = plan->after,
				       .lock_budget = 5 * USEC_PER_SEC,
				       .tries = 1,
			       });
}

enum step
core_change_rehearse_publish(struct task *t)
{
	static const struct change_plan plan = { .role = CHANGE_OWNER, .verify = "", .after = "" };

	return core_change_apply_as_executor(t, &plan, "SELECT change.publish()");
}

/* ---- the beginning ---- */

static enum step
begin(struct task *t)
{
	core_change_rehearse_close(); /* of one that ran out of time */
	memset(&r, 0, sizeof(r));
	r.name = arena_printf(&run.arena, "rehearsal_%.8s", run.request);
	return postgres_wait(core_change_conf.executor, t, &sql_change_base_state, NULL, 0);
}

static enum step
open_server(struct task *t)
{
	struct err_info info = { .code = ERR_OK };

	r.fingerprint = core_change_keep(postgres_value(t, 0, 0, 0));
	r.guard_owner = core_change_keep(postgres_value(t, 0, 0, 1));
	r.all_applied = str_of(core_change_keep(postgres_value(t, 0, 0, 2)));
	r.lines = str_of(core_change_keep(postgres_value(t, 0, 0, 3)));
	r.day = core_change_keep(postgres_value(t, 0, 0, 4));
	if (core_change_rehearse_open(t, core_change_conf.rehearsal.name, "core/rehearsal",
				      &r.server, &info) != ERR_OK)
		return core_change_give_up(t, "the rehearsal server", &info);
	return task_continue(t, core_change_ground_steps);
}

const struct step_row core_change_rehearse_steps[] = {
	{ "begin", begin },
	{ "server", open_server },
	{ NULL, NULL },
};
