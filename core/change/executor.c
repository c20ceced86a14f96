/*
 * executor.c — does what was ordered: takes the next intention, applies or rolls back; rehearsals are in rehearse.c. Watches for drift.
 *
 * Phases of an application or a rollback, each one transaction of core (or of the airlock) that also moves the intention on:
 *	begin    registry statements in front that withdraw something; then the workers must have acknowledged
 *	main     the other statements, verification, comparison with the rehearsal's prediction
 *	airlock  (if the registry was touched) it has the registry's rows; its tables and lists follow
 *	         and then core's lists
 *	finish   the workers have acknowledged
 * Up to the first commit a failure means that nothing has changed; after it the run goes on until it is through.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "core/change/internal.h"

#define RUN_PERIOD (100 * USEC_PER_MS)
#define RUN_DEADLINE (600 * USEC_PER_SEC)
#define RUN_ATTEMPTS_MAX 5
#define ACKNOWLEDGE_MAX (2 * USEC_PER_SEC)
#define AIRLOCK_MAX (20 * USEC_PER_SEC)
#define POLL (20 * USEC_PER_MS)
#define MARK_SHAPE "SELECT crm.feed_mark('shape', change.shape());\n"

struct change_run core_change_run;
struct core_change_conf core_change_conf;
#define run core_change_run

static struct metric *drifting;

static step_fn run_begin, main_apply, main_look, ack_ask, airlock_ask, publish_apply, finish_ask,
	run_end, run_failed;

/* ---- helpers ---- */

static const char *
keep(struct str s)
{
	const char *p = arena_strdup(&run.arena, s);
	return p != NULL ? p : "";
}

static bool
back(void)
{
	return strcmp(run.kind, "rollback") == 0;
}

static enum step
fail_run(struct task *t, const struct err_info *info, bool locked)
{
	run.error = keep(str_of(info->msg[0] != '\0' ? info->msg : err_row(info->code)->title));
	run.locked = locked || strcmp(info->sqlstate, "CR024") ==
				       0; /* drift: the approval stands once it is gone */
	log_warn("change.failed", "change %lld: could not %s: %s", (long long)run.number, run.kind,
		 run.error);
	return task_jump(t, run_failed);
}

static bool
is_lock(const struct err_info *info)
{
	return info->code == ERR_LOCKED || strcmp(info->sqlstate, "55P03") == 0;
}

/* A transaction of the run on core: what is common to all. */
static struct change_order
order_make(const char *before, const char *up, const char *after)
{
	return (struct change_order) {
		.pool = core_change_conf.executor,
		.role = CHANGE_OWNER,
		.id = run.request,
		.actor = run.actor,
		.before = before,
		.up = up,
		.after = after,
		.lock_budget = core_change_conf.lock_budget,
		.tries = core_change_conf.lock_tries,
	};
}

static const char *
begin_sql(bool first)
{
	return arena_printf(&run.arena, "SELECT change.run_begin(%s, '%s', %s);\n", run.intent,
			    run.sha, first ? "true" : "false");
}

/* ---- take ---- */

static enum step
run_take(struct task *t)
{
	return postgres_wait(core_change_conf.executor, t, &sql_change_run_take, NULL, 0);
}

/* Columns of change_run_take.sql. */
enum {
	INTENT,
	INTENT_KIND,
	PHASE,
	ATTEMPTS,
	ACTOR,
	REQUEST,
	NUMBER,
	KIND,
	SLUG,
	SHA,
	UP,
	DOWN,
	VERIFY,
	PACKAGE,
	EXACT,
	MAIN
};

static enum step
run_look(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return STEP_DONE;
	arena_release(&run.arena);
	run = (struct change_run) { .begun = clock_now_us() };
	arena_init(&run.arena, CHANGE_RUN_BYTES_MAX);
	run.intent = keep(postgres_value(t, 0, 0, INTENT));
	run.kind = keep(postgres_value(t, 0, 0, INTENT_KIND));
	run.phase = keep(postgres_value(t, 0, 0, PHASE));
	run.attempts = postgres_int(t, 0, 0, ATTEMPTS, 1);
	run.actor = keep(postgres_value(t, 0, 0, ACTOR));
	run.request = keep(postgres_value(t, 0, 0, REQUEST));
	run.number = postgres_int(t, 0, 0, NUMBER, 0);
	run.texts.promotion = str_is(postgres_value(t, 0, 0, KIND), "promotion");
	run.texts.slug = str_of(keep(postgres_value(t, 0, 0, SLUG)));
	run.texts.up = str_of(keep(postgres_value(t, 0, 0, UP)));
	run.texts.down = str_of(keep(postgres_value(t, 0, 0, DOWN)));
	run.texts.verify = str_of(keep(postgres_value(t, 0, 0, VERIFY)));
	run.texts.package = core_change_unhex(&run.arena, postgres_value(t, 0, 0, PACKAGE));
	(void)str_copy(run.was_sha, sizeof(run.was_sha), postgres_value(t, 0, 0, SHA));
	run.exact = postgres_bool(t, 0, 0, EXACT);
	run.expect = run.exact && !postgres_is_null(t, 0, 0, MAIN)
			     ? keep(postgres_value(t, 0, 0, MAIN))
			     : NULL;
	core_change_sha(&run.arena, &run.texts, run.sha);
	log_info("change.run", "change %lld: %s, phase %s, try %lld", (long long)run.number,
		 run.kind, run.phase, (long long)run.attempts);
	if (run.attempts > RUN_ATTEMPTS_MAX && strcmp(run.phase, "begin") == 0)
		return fail_run(
			t,
			&(struct err_info) { .code = ERR_INTERNAL,
					     .msg = "it was begun several times and never ended" },
			false);
	return postgres_wait(core_change_conf.executor, t, &sql_change_columns, NULL, 0);
}

/* The worker that filed it has checked it; this process trusts only what it has checked itself. */
static enum err
run_check(struct task *t, struct err_info *info)
{
	const char *findings = NULL;

	if (strcmp(run.sha, run.was_sha) != 0)
		return err_set(info, ERR_CONFLICT, NULL,
			       "the texts do not have the SHA-256 of the request");
	const enum err err = core_change_columns(t, 0, &run.arena, &run.columns, info);
	return err != ERR_OK
		       ? err
		       : core_change_check(&run.arena, &run.texts, &run.columns, &findings, info);
}

static enum step
run_prepare(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	char password[FEATURE_PASSWORD_SIZE];

	if (strcmp(run.phase, "finish") == 0)
		return task_jump(t, finish_ask);
	enum err err = run_check(t, &info);
	if (err == ERR_OK) {
		feature_password_make(password);
		run.password = keep(str_of(password));
		explicit_bzero(password, sizeof(password));
		if (strcmp(run.kind, "rehearse") == 0)
			return task_continue(t, core_change_rehearse_steps);
		err = core_change_plan(&run.arena, &run.texts,
				       back() ? CHANGE_BACK : CHANGE_FORWARD, false, run.password,
				       core_change_conf.workers, &run.plan, &info);
	}
	return err != ERR_OK ? fail_run(t, &info, false) : STEP_NEXT;
}

/* ---- begin: withdraw, acknowledge ---- */

static enum step
run_begin(struct task *t)
{
	if (strcmp(run.phase, "airlock") == 0)
		return task_jump(t, airlock_ask);
	if (strcmp(run.phase, "main") == 0 || run.plan.withdraw == NULL)
		return task_jump(t, main_apply);
	struct change_order order =
		order_make(begin_sql(true), run.plan.withdraw,
			   arena_printf(&run.arena, "SELECT change.run_step(%s, 'main', NULL);\n",
					run.intent));
	task_wait_soft(t);
	return change_apply(t, &order);
}

static enum step
withdraw_look(struct task *t)
{
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) != ERR_OK)
		return fail_run(t, info, is_lock(info));
	run.phase = "main";
	run.waited = clock_now_us() + ACKNOWLEDGE_MAX;
	return STEP_NEXT;
}

static enum step
ack_ask(struct task *t)
{
	return postgres_wait(core_change_conf.executor, t, &sql_change_acknowledged, NULL, 0);
}

static enum step
ack_look(struct task *t)
{
	if (postgres_int(t, 0, 0, 0, 0) == 0)
		return task_jump(t, main_apply);
	if (clock_now_us() < run.waited)
		return task_sleep(t, POLL);
	log_warn("change.acknowledge",
		 "change %lld: not every worker serves the new schema after 2 s; going on",
		 (long long)run.number);
	return task_jump(t, main_apply);
}

static enum step
ack_again(struct task *t)
{
	return task_jump(t, ack_ask);
}

/* ---- main ---- */

static void
feature_sql(struct buf *b)
{
	struct feature_package *package = arena_alloc(&run.arena, sizeof(*package));
	struct feature_findings *findings = arena_alloc(&run.arena, sizeof(*findings));
	struct err_info info = { .code = ERR_OK };
	char key[FEATURE_KEY_SIZE];
	struct buf document;

	if (package == NULL || findings == NULL) {
		b->failed = true;
		return;
	}
	feature_findings_init(findings, &run.arena);
	if (feature_package_open(&run.arena, run.texts.package, package, findings, &info) !=
	    ERR_OK) {
		b->failed = true;
		return;
	}
	feature_flag_key(package->manifest.slug, key);
	buf_init(&document, 256 * 1024);
	feature_flag_document(&package->manifest, &document);
	buf_printf(b, "SELECT change.feature_put('%s', '%s', '%s', ", run.request, key,
		   run.password);
	change_quote(b, buf_str(&document));
	buf_add_cstr(b, ");\n");
	buf_free(&document);
}

static const char *
main_after(void)
{
	struct buf b;

	buf_init(&b, CHANGE_SCRIPT_MAX);
	buf_add_cstr(&b, run.plan.after);
	if (run.texts.promotion && back())
		buf_printf(&b, "SELECT change.feature_drop('%.*s');\n", STR_FMT(run.texts.slug));
	else if (run.texts.promotion)
		feature_sql(&b);
	if (!run.plan.registry)
		buf_printf(&b, "SELECT change.run_finish(%s, %s);\n", run.intent,
			   run.exact ? "true" : "false");
	else if (run.expect != NULL)
		buf_printf(&b, MARK_SHAPE "SELECT change.run_step(%s, 'airlock', '%s');\n",
			   run.intent, run.expect);
	else
		buf_printf(&b, MARK_SHAPE "SELECT change.run_step(%s, 'airlock', NULL);\n",
			   run.intent);
	const char *text = b.failed ? NULL : arena_strdup(&run.arena, buf_str(&b));
	buf_free(&b);
	return text;
}

static enum step
main_apply(struct task *t)
{
	const char *after = main_after();
	struct change_order order =
		order_make(begin_sql(strcmp(run.phase, "begin") == 0), run.plan.main, after);

	if (after == NULL)
		return fail_run(t,
				&(struct err_info) { .code = ERR_TOO_LARGE,
						     .msg = "the change is too large" },
				false);
	order.role = run.plan.role;
	order.verify = run.plan.verify;
	task_wait_soft(t);
	return change_apply(t, &order);
}

/* After a withdrawal there is no way but on: a lock that is not had is tried again until it is. */
static enum step
later(struct task *t, const struct err_info *info)
{
	const struct postgres_param params[] = { P_TEXT(run.intent), P_TEXT(info->msg) };

	log_warn("change.later", "change %lld: %s at phase %s waits: %s", (long long)run.number,
		 run.kind, run.phase, info->msg);
	(void)task_jump(t, run_end);
	run.error = "";
	return postgres_wait(core_change_conf.executor, t, &sql_change_run_later, params,
			     ARRAY_LEN(params));
}

static enum step
main_look(struct task *t)
{
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) != ERR_OK) {
		const bool locked = is_lock(info);
		return locked && strcmp(run.phase, "main") == 0 ? later(t, info)
								: fail_run(t, info, locked);
	}
	if (!run.plan.registry) {
		run.phase = "finish";
		return task_jump(t, finish_ask);
	}
	run.phase = "airlock";
	run.waited = clock_now_us() + AIRLOCK_MAX;
	return STEP_NEXT;
}

/* ---- airlock ---- */

/* The airlock follows once it has the registry's rows and, in crm, every row of before the change: one of these that names a
 * column that is gone there would stop the feed for good. */
static const char core_shape[] =
	"SET ROLE " CHANGE_OWNER ";\nSELECT change.shape()::pg_catalog.text";
static const char airlock_shape[] =
	"SET ROLE " CHANGE_OWNER
	";\nSELECT change.shape()::pg_catalog.text, change.shape_arrived()";

static enum step
airlock_ask(struct task *t)
{
	if (run.waited < clock_now_us())
		run.waited = clock_now_us() + AIRLOCK_MAX;
	return postgres_script(core_change_conf.executor, t, core_shape);
}

static enum step
airlock_compare(struct task *t)
{
	run.expect = keep(postgres_value(t, 0, 0, 0));
	task_wait_soft(t);
	const enum step next = postgres_script(core_change_conf.airlock, t, airlock_shape);
	if (next != STEP_DONE)
		return next;
	/* It cannot even be asked. */
	const struct err_info info = t->t_err;
	err_clear(&t->t_err);
	return later(t, &info);
}

static enum step
airlock_look(struct task *t)
{
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) != ERR_OK)
		return later(t, info);
	const bool registry = str_is(postgres_value(t, 0, 0, 0), run.expect);
	if (registry && postgres_bool(t, 0, 0, 1))
		return STEP_NEXT;
	if (clock_now_us() > run.waited - POLL) {
		struct err_info late = { .code = ERR_TIMEOUT };
		(void)str_copy(late.msg, sizeof(late.msg),
			       registry ? STR("rows of before the change are still on their way "
					      "to the airlock")
					: STR("the registry has not arrived at the airlock yet"));
		return later(t, &late);
	}
	(void)task_jump(t, airlock_ask);
	return task_sleep(t, POLL);
}

static enum step
airlock_project(struct task *t)
{
	struct change_order order = order_make(NULL, "SELECT change.projection_apply()", NULL);
	order.pool = core_change_conf.airlock;
	task_wait_soft(t);
	return change_apply(t, &order);
}

/* ---- publish, finish ---- */

static enum step
publish_apply(struct task *t)
{
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) != ERR_OK)
		return later(t, info);
	struct change_order order =
		order_make(begin_sql(false), "SELECT change.publish()",
			   arena_printf(&run.arena, "SELECT change.run_finish(%s, %s);\n",
					run.intent, run.exact ? "true" : "false"));
	task_wait_soft(t);
	return change_apply(t, &order);
}

static enum step
publish_look(struct task *t)
{
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) != ERR_OK)
		return is_lock(info) ? later(t, info) : fail_run(t, info, false);
	run.phase = "finish";
	return STEP_NEXT;
}

static enum step
finish_ask(struct task *t)
{
	if (run.waited == 0 || strcmp(run.phase, "finished") != 0)
		run.waited = clock_now_us() + ACKNOWLEDGE_MAX;
	run.phase = "finished";
	return postgres_wait(core_change_conf.executor, t, &sql_change_acknowledged, NULL, 0);
}

static enum step
finish_look(struct task *t)
{
	if (postgres_int(t, 0, 0, 0, 0) == 0 || clock_now_us() > run.waited)
		return STEP_NEXT;
	(void)task_jump(t, finish_ask);
	return task_sleep(t, POLL);
}

static enum step
finish_write(struct task *t)
{
	log_info("change.done", "change %lld: %s done after %lld ms", (long long)run.number,
		 run.kind, (long long)((clock_now_us() - run.begun) / USEC_PER_MS));
	(void)task_jump(t, run_end);
	return postgres_wait(core_change_conf.executor, t, &sql_change_run_end,
			     (struct postgres_param[]) { P_TEXT(run.intent) }, 1);
}

static enum step
run_failed(struct task *t)
{
	const struct postgres_param params[] = { P_TEXT(run.intent), P_TEXT(run.error),
						 P_TEXT(run.locked ? "true" : "false") };
	return postgres_wait(core_change_conf.executor, t, &sql_change_run_fail, params,
			     ARRAY_LEN(params));
}

static enum step
run_end(struct task *t UNUSED)
{
	return STEP_DONE;
}

static const struct step_row run_steps[] = {
	{ "take", run_take },
	{ "look", run_look },
	{ "prepare", run_prepare },
	{ "begin", run_begin },
	{ "withdrawn", withdraw_look },
	{ "acknowledge", ack_ask },
	{ "acknowledged", ack_look },
	{ "again", ack_again },
	{ "main", main_apply },
	{ "main done", main_look },
	{ "airlock", airlock_ask },
	{ "airlock compare", airlock_compare },
	{ "airlock look", airlock_look },
	{ "airlock project", airlock_project },
	{ "publish", publish_apply },
	{ "published", publish_look },
	{ "finish", finish_ask },
	{ "finish look", finish_look },
	{ "finish write", finish_write },
	{ "failed", run_failed },
	{ "end", run_end },
	{ NULL, NULL },
};

/* ---- drift ---- */

static enum step
drift_ask(struct task *t)
{
	return postgres_wait(core_change_conf.executor, t, &sql_change_drift_check, NULL, 0);
}

static enum step
drift_look(struct task *t)
{
	const bool found = !postgres_is_null(t, 0, 0, 0);

	if (found && metric_value(drifting) == 0)
		log_error("change.drift",
			  "the catalog is not the approved one; nothing is applied until that is "
			  "resolved: %.*s",
			  (int)MIN(postgres_value(t, 0, 0, 0).len, 500),
			  postgres_value(t, 0, 0, 0).p);
	metric_set(drifting, found);
	return STEP_DONE;
}

static const struct step_row drift_steps[] = {
	{ "ask", drift_ask },
	{ "look", drift_look },
	{ NULL, NULL },
};

void
core_change_metrics(void)
{
	drifting = metric_gauge_max("bimodal_change_drift", NULL,
				    "1 while the catalog is not the approved one");
}

void
core_change_jobs(struct daemon_jobs *jobs, const struct core_change_conf *conf)
{
	core_change_conf = *conf;
	core_change_metrics();
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "change.run",
						     .period = RUN_PERIOD,
						     .deadline = RUN_DEADLINE,
						     .steps = run_steps });
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "change.drift",
						     .period = conf->drift_period,
						     .steps = drift_steps });
}

void
core_change_jobs_finish(void)
{
	core_change_rehearse_close();
	arena_release(&run.arena);
}
