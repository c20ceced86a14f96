/*
 * trial.c — the change on the ground of a rehearsal: up, measured statement by statement, down, which must lead back to the fingerprint
 * before, and what core has that made-up rows cannot show.
 */
#include <string.h>

#include "core/change/rehearsal.h"

#define run core_change_run
#define r core_change_rehearsed

static step_fn up_main, up_report, down_main, down_read, place_name, count_ask;

/* ---- up ---- */

static enum step
plans(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	enum err err = core_change_plan(&run.arena, &run.texts, CHANGE_FORWARD, true, run.password,
					core_change_conf.workers, &r.up, &info);
	if (err == ERR_OK)
		err = core_change_plan(&run.arena, &run.texts, CHANGE_BACK, true, run.password,
				       core_change_conf.workers, &r.down, &info);
	return err != ERR_OK ? core_change_give_up(t, "", &info) : STEP_NEXT;
}

/* A statement of up or down failed: which one stands in the sequence that no rollback touches. */
static enum step
place_ask(struct task *t, const char *part, const struct err_info *info)
{
	r.part = part;
	if (run.error == NULL)
		run.error = core_change_keep(str_of(info->msg));
	return core_change_script(t, r.pool, "SELECT last_value FROM pg_temp.place");
}

static enum step
place_name(struct task *t)
{
	const struct change_plan *plan = strcmp(r.part, "up") == 0 ? &r.up : &r.down;
	const int64_t n = task_wait_err(t, 0, NULL) == ERR_OK ? postgres_int(t, 0, 0, 0, 0) : 0;
	const struct err_info info = { .code = ERR_INVALID };

	if (str_starts(str_of(run.error), "verification failed"))
		run.error = arena_printf(&run.arena, "/verify: %s", run.error);
	else if (n > 0 && (size_t)n <= plan->n_lines && !run.texts.promotion)
		run.error = arena_printf(&run.arena, "/%s, line %u (statement %lld): %s", r.part,
					 plan->lines[n - 1], (long long)n, run.error);
	else
		run.error = arena_printf(&run.arena, "/%s: %s", r.part, run.error);
	return core_change_give_up(t, "", &info);
}

static enum step
up_withdraw(struct task *t)
{
	if (r.up.withdraw == NULL)
		return task_jump(t, up_main);
	const struct change_plan lead = { .role = r.up.role, .verify = "", .after = "" };
	return core_change_apply_as_executor(t, &lead, r.up.withdraw);
}

static enum step
part_failed(struct task *t, const char *part, bool *failed)
{
	const struct err_info *info = NULL;

	*failed = t->t_n_results > 0 && task_wait_err(t, 0, &info) != ERR_OK;
	if (!*failed)
		return STEP_NEXT;
	(void)task_jump(t, place_name);
	return place_ask(t, part, info);
}

static enum step
up_main(struct task *t)
{
	bool failed = false;
	const enum step next = part_failed(t, "up", &failed);
	return failed ? next : core_change_apply_as_executor(t, &r.up, r.up.main);
}

static const char fingerprint_sql[] = "SET search_path = '';\nSELECT change.fingerprint()";

static enum step
up_read(struct task *t)
{
	bool failed = false;
	const enum step next = part_failed(t, "up", &failed);
	if (failed)
		return next;
	return r.up.registry ? core_change_script(t, r.pool, fingerprint_sql)
			     : task_jump(t, up_report);
}

static enum step
up_publish(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the catalog after up", &next))
		return next;
	r.main = core_change_keep(postgres_value(t, 0, 0, 0));
	return core_change_rehearse_publish(t);
}

static enum step
up_report(struct task *t)
{
	enum step next;

	if (t->t_n_results > 0 && !core_change_well(t, "publication", &next))
		return next;
	return core_change_script(t, r.pool,
				  arena_printf(&run.arena, "SET bimodal.change = 'rehearsal';\n%s",
					       sql_rehearsal_report.text));
}

static enum step
up_judge(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the report", &next))
		return next;
	r.statements = core_change_keep(postgres_value(t, 0, 0, 0));
	r.changed = core_change_keep(postgres_value(t, 0, 0, 1));
	r.objects = core_change_keep(postgres_value(t, 0, 0, 2));
	r.after = core_change_keep(postgres_value(t, 0, 0, 3));
	if (!r.up.registry)
		r.main = r.after;
	r.stop = postgres_is_null(t, 0, 0, 4) ? NULL : core_change_keep(postgres_value(t, 0, 0, 4));
	r.risk = core_change_keep(postgres_value(t, 0, 0, 5));
	if (r.stop != NULL)
		return core_change_give_up(t, "refused",
					   &(struct err_info) { .code = ERR_INVALID, .msg = "" });
	return STEP_NEXT;
}

/* ---- down ---- */

static enum step
down_withdraw(struct task *t)
{
	if (r.down.withdraw == NULL)
		return task_jump(t, down_main);
	const struct change_plan lead = { .role = r.down.role, .verify = "", .after = "" };
	return core_change_apply_as_executor(t, &lead, r.down.withdraw);
}

static enum step
down_main(struct task *t)
{
	bool failed = false;
	const enum step next = part_failed(t, "down", &failed);
	return failed ? next : core_change_apply_as_executor(t, &r.down, r.down.main);
}

static enum step
down_middle(struct task *t)
{
	bool failed = false;
	const enum step next = part_failed(t, "down", &failed);
	if (failed)
		return next;
	return r.down.registry ? core_change_script(t, r.pool, fingerprint_sql)
			       : task_jump(t, down_read);
}

static enum step
down_publish(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the catalog after down", &next))
		return next;
	r.down_main = core_change_keep(postgres_value(t, 0, 0, 0));
	return core_change_rehearse_publish(t);
}

static enum step
down_read(struct task *t)
{
	enum step next;

	if (t->t_n_results > 0 && !core_change_well(t, "publication", &next))
		return next;
	return core_change_script(
		t, r.pool,
		arena_printf(&run.arena,
			     "SET search_path = '';\n"
			     "SELECT f.now, CASE WHEN f.now <> '%s' THEN (SELECT "
			     "pg_catalog.string_agg(d.line, ', ') "
			     "FROM (SELECT DISTINCT x.class || ' ' || x.id AS line"
			     " FROM ((TABLE pg_temp.line0 EXCEPT SELECT class, object, id, "
			     "coalesce(definition, '') FROM change.catalog_lines())"
			     " UNION (SELECT class, object, id, coalesce(definition, '') FROM "
			     "change.catalog_lines() EXCEPT TABLE pg_temp.line0)) x"
			     " ORDER BY 1 LIMIT 5) d) END FROM (SELECT change.fingerprint() AS now "
			     "OFFSET 0) f",
			     r.fingerprint));
}

static enum step
down_compare(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	enum step next;

	if (!core_change_well(t, "the catalog after down", &next))
		return next;
	r.end = core_change_keep(postgres_value(t, 0, 0, 0));
	if (!r.down.registry)
		r.down_main = r.end;
	if (strcmp(r.end, r.fingerprint) == 0) {
		if (!run.texts.promotion &&
		    change_counts(&run.arena, run.texts.up, r.counts, &r.n_counts, &info) != ERR_OK)
			return core_change_give_up(t, "", &info);
		return STEP_NEXT;
	}
	const struct str lines = postgres_value(t, 0, 0, 1);
	(void)err_set(&info, ERR_INVALID, NULL,
		      "after up and down the catalog is not as it was before (%.*s)",
		      (int)MIN(lines.len, 200), lines.len > 0 ? lines.p : "");
	return core_change_give_up(t, "not reversible", &info);
}

/* ---- what made-up rows cannot show: counted in core, reading only ---- */

static enum step
count_ask(struct task *t)
{
	if (r.counted == r.n_counts)
		return task_continue(t, core_change_report_steps);
	return core_change_script(
		t, core_change_conf.executor,
		arena_printf(&run.arena,
			     "SET statement_timeout = '10s'; SET search_path = ''; SET "
			     "ROLE " CHANGE_OWNER "; SET transaction_read_only = on; %s",
			     r.counts[r.counted].sql));
}

/* A query that fails asks for what the change itself will make: there is nothing to count yet. */
static enum step
count_look(struct task *t)
{
	const struct change_count *c = &r.counts[r.counted++];
	const int64_t rows = task_wait_err(t, 0, NULL) == ERR_OK ? postgres_int(t, 0, 0, 0, 0) : 0;
	struct err_info info = { .code = ERR_OK };

	if (rows == 0)
		return task_jump(t, count_ask);
	(void)err_set(&info, ERR_INVALID, NULL, "core has %s%lld %s",
		      rows >= 1000 ? "at least " : "", (long long)rows, c->what);
	return core_change_give_up(t, arena_printf(&run.arena, "/up, line %u", c->line), &info);
}

const struct step_row core_change_trial_steps[] = {
	{ "plans", plans },
	{ "up withdraw", up_withdraw },
	{ "up", up_main },
	{ "up done", up_read },
	{ "publish", up_publish },
	{ "report", up_report },
	{ "judge", up_judge },
	{ "down withdraw", down_withdraw },
	{ "down", down_main },
	{ "down done", down_middle },
	{ "down publish", down_publish },
	{ "end", down_read },
	{ "end compare", down_compare },
	{ "count", count_ask },
	{ "counted", count_look },
	{ "place", place_name },
	{ NULL, NULL },
};
