/*
 * rehearse.c — tries a change where nothing can be harmed: a fresh database of the rehearsal cluster, built from the embedded base schema
 * and the changes applied so far (its fingerprint must be core's), with made-up rows. Here the ground; trial.c and report.c follow.
 *
 * Roles are cluster-wide, so one rehearsal runs at a time, and what a killed one has left is removed first.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/change/rehearsal.h"

#define STATEMENT_TIMEOUT (60 * USEC_PER_SEC)

#define run core_change_run
#define r core_change_rehearsed

struct change_rehearsal core_change_rehearsed;

static step_fn replay_next, place_look;

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

static enum err
open_pool(struct task *t, const char *dbname, const char *label, struct postgres_pool **out,
	  struct err_info *info)
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

/* ---- the ground ---- */

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
	r.applied = str_of(core_change_keep(postgres_value(t, 0, 0, 2)));
	r.lines = str_of(core_change_keep(postgres_value(t, 0, 0, 3)));
	if (open_pool(t, core_change_conf.rehearsal.name, "core/rehearsal", &r.server, &info) !=
	    ERR_OK)
		return core_change_give_up(t, "the rehearsal server", &info);
	return STEP_NEXT;
}

/* What a killed rehearsal has left: its databases one by one, then the roles of features. */
static enum step
clean_ask(struct task *t)
{
	return core_change_script(
		t, r.server,
		"SELECT coalesce((SELECT 'DROP DATABASE ' || quote_ident(datname) || ' WITH "
		"(FORCE)' FROM pg_database"
		" WHERE datname ~ '^rehearsal_' LIMIT 1), '')");
}

static enum step
clean_drop(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the rehearsal server", &next))
		return next;
	const char *sql = core_change_keep(postgres_value(t, 0, 0, 0));
	if (sql[0] == '\0')
		return core_change_script(
			t, r.server,
			"DO $$ DECLARE r record; BEGIN FOR r IN SELECT rolname FROM pg_roles "
			"WHERE rolname ~ '^feature_'"
			" LOOP EXECUTE format('DROP ROLE %I', r.rolname); END LOOP; END $$");
	(void)task_jump(t, clean_ask);
	return core_change_script(t, r.server, sql);
}

static enum step
create_database(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the rehearsal server", &next))
		return next;
	return core_change_script(
		t, r.server,
		arena_printf(&run.arena, "CREATE DATABASE %s TEMPLATE template0", r.name));
}

/* Change 0 runs as the superuser whose name core's has, since owners are part of the fingerprint. */
static enum step
create_pool(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	enum step next;

	if (!core_change_well(t, "the rehearsal database", &next))
		return next;
	if (open_pool(t, r.name, "core/rehearsed", &r.pool, &info) != ERR_OK)
		return core_change_give_up(t, "the rehearsal database", &info);
	return core_change_script(
		t, r.pool,
		arena_printf(&run.arena,
			     "SET bimodal.change = 'genesis';\n"
			     "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname "
			     "= '%s') THEN CREATE ROLE %s SUPERUSER NOLOGIN;"
			     " END IF; END $$;\nSET ROLE %s;\n%s",
			     r.guard_owner, r.guard_owner, r.guard_owner, change_genesis_core));
}

static enum step
base(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "change 0", &next))
		return next;
	task_wait_soft(t);
	return change_install_as(t, r.pool, changes_core, change_genesis_core, CHANGE_OWNER,
				 core_change_conf.executor_user);
}

static enum step
base_done(struct task *t)
{
	enum step next;
	return core_change_well(t, "the base schema", &next) ? STEP_NEXT : next;
}

/* ---- the changes applied so far ---- */

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

static enum step
replay_next(struct task *t)
{
	const struct str id = str_cut(&r.applied, ',');

	if (id.len == 0)
		return task_jump(t, place_look);
	return postgres_wait(core_change_conf.executor, t, &sql_change_applied_get,
			     (struct postgres_param[]) { P_STR(id) }, 1);
}

static enum step
replay_apply(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	struct change_plan plan;

	r.replay = (struct change_texts) {
		.promotion = str_is(postgres_value(t, 0, 0, 0), "promotion"),
		.slug = str_of(core_change_keep(postgres_value(t, 0, 0, 1))),
		.up = str_of(core_change_keep(postgres_value(t, 0, 0, 2))),
		.down = str_of(core_change_keep(postgres_value(t, 0, 0, 3))),
		.verify = STR(""),
		.package = core_change_unhex(&run.arena, postgres_value(t, 0, 0, 5)),
	};
	if (core_change_plan(&run.arena, &r.replay, CHANGE_FORWARD, false, run.password,
			     core_change_conf.workers, &plan, &info) != ERR_OK)
		return core_change_give_up(t, "an applied change", &info);
	r.replayed_registry = plan.registry;
	return core_change_apply_as_executor(
		t, &plan,
		arena_printf(&run.arena, "%s\n;\n%s", plan.withdraw != NULL ? plan.withdraw : "",
			     plan.main));
}

enum step
core_change_rehearse_publish(struct task *t)
{
	static const struct change_plan plan = { .role = CHANGE_OWNER, .verify = "", .after = "" };

	return core_change_apply_as_executor(t, &plan, "SELECT change.publish()");
}

static enum step
replay_publish(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "an applied change", &next))
		return next;
	if (!r.replayed_registry)
		return task_jump(t, replay_next);
	return core_change_rehearse_publish(t);
}

static enum step
replay_done(struct task *t)
{
	enum step next;
	return core_change_well(t, "an applied change", &next) ? task_jump(t, replay_next) : next;
}

/* ---- is it core's? ---- */

static enum step
place_look(struct task *t)
{
	/* If it is not core's: the lines core has accepted, and ours, so that what differs names itself. */
	return core_change_script(
		t, r.pool,
		arena_printf(&run.arena,
			     "SET search_path = '';\n"
			     "SELECT f.now, CASE WHEN f.now <> '%s' THEN (SELECT "
			     "string_agg(l.class || ' ' "
			     "|| l.id, ', ') FROM (SELECT class, id FROM"
			     " change.fingerprint_lines() WHERE "
			     "pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to("
			     "pg_catalog.concat_ws(E'\\x1f', class, id, definition), "
			     "'UTF8')), 'hex') NOT IN ('', %.*s%s) LIMIT 5) l) END"
			     " FROM (SELECT change.fingerprint() AS now OFFSET 0) f",
			     r.fingerprint, STR_FMT(r.lines), r.lines.len == 0 ? "''" : ""));
}

static enum step
ground_compare(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	enum step next;

	if (!core_change_well(t, "the catalog", &next))
		return next;
	if (!str_is(postgres_value(t, 0, 0, 0), r.fingerprint)) {
		const struct str lines = postgres_value(t, 0, 0, 1);
		(void)err_set(&info, ERR_CONFLICT, NULL,
			      "base schema and applied changes do not give core's catalog (%.*s)",
			      (int)MIN(lines.len, 200), lines.len > 0 ? lines.p : "");
		return core_change_give_up(t, "", &info);
	}
	return core_change_script(
		t, r.pool,
		arena_printf(&run.arena,
			     "SET bimodal.change = 'rehearsal'; SET bimodal.actor = 'rehearsal';\n"
			     "SET bimodal.rehearsal_rows = %lld;\n%s",
			     (long long)core_change_conf.rehearsal.rows, sql_rehearsal_rows.text));
}

static enum step
probe(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "made-up rows", &next))
		return next;
	return core_change_script(t, r.pool,
				  arena_printf(&run.arena, "SET bimodal.change = 'rehearsal';\n%s",
					       sql_rehearsal_probe.text));
}

static enum step
tried(struct task *t)
{
	enum step next;
	return core_change_well(t, "the probes", &next) ? task_continue(t, core_change_trial_steps)
							: next;
}

const struct step_row core_change_rehearse_steps[] = {
	{ "begin", begin },
	{ "server", open_server },
	{ "left over", clean_ask },
	{ "clean", clean_drop },
	{ "create", create_database },
	{ "open", create_pool },
	{ "base", base },
	{ "base done", base_done },
	{ "applied", replay_next },
	{ "replay", replay_apply },
	{ "replay publish", replay_publish },
	{ "replayed", replay_done },
	{ "ground", place_look },
	{ "compare", ground_compare },
	{ "probe", probe },
	{ "tried", tried },
	{ NULL, NULL },
};
