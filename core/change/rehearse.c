/*
 * rehearse.c — tries a change where nothing can be harmed: a fresh database of the rehearsal cluster, built from the embedded base schema
 * and the changes applied so far (its fingerprint must be core's), with made-up rows. Up is measured statement by statement, down
 * must lead back to the fingerprint before. The database goes, whatever happened; the report stays with the request.
 *
 * Roles are cluster-wide, so one rehearsal runs at a time, and what a killed one has left is removed first.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/change/internal.h"

#define STATEMENT_TIMEOUT (60 * USEC_PER_SEC)
#define REPORT_BYTES_MAX ((size_t)4 * 1024 * 1024)

#define run core_change_run

/* What one rehearsal holds; texts in the run's arena. */
static struct {
	struct postgres_pool *server; /* the cluster's maintenance database */
	struct postgres_pool *pool;   /* the rehearsal's own database       */
	const char *name;
	const char *fingerprint; /* core's, accepted */
	const char *guard_owner;
	struct str applied; /* ids still to replay */
	struct str lines;   /* hashes of core's accepted lines, as SQL literals */
	struct change_texts replay;
	struct change_plan up, down;
	const char *part; /* whose statements run: "up", "down"; NULL: none */
	const char *main, *after, *down_main, *end;
	const char *statements, *changed, *objects, *stop, *risk;
	bool replayed_registry;
	bool clearing; /* what fails now is left to the next rehearsal */
	struct change_count counts[CHANGE_COUNTS_MAX];
	size_t n_counts, counted;
} r;

static step_fn failed_drop, drop_pool, create_pool, replay_next, up_main, up_publish, down_main,
	down_publish, down_read, place_look, record, count_ask;

static const char *
keep(struct str s)
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

/* The rehearsal has failed: remember why, once, and clear up. */
static enum step
give_up(struct task *t, const char *where, const struct err_info *info)
{
	if (run.error == NULL) {
		const char *msg = info->msg[0] != '\0' ? info->msg : err_row(info->code)->title;
		run.error = arena_printf(&run.arena, "%s%s%s", where, where[0] != '\0' ? ": " : "",
					 msg);
		if (run.error == NULL)
			run.error = "the rehearsal ran out of memory";
		log_info("change.rehearsal", "change %lld: %s", (long long)run.number, run.error);
	}
	return task_jump(t, failed_drop);
}

/* True if the previous step's wait went well; else the rehearsal is given up and *next says how to go on. */
static bool
well(struct task *t, const char *where, enum step *next)
{
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) == ERR_OK)
		return true;
	*next = give_up(t, where, info);
	return false;
}

/* A script that cannot even be sent (the server is away) ends the rehearsal like one that fails. */
static enum step
script(struct task *t, struct postgres_pool *pool, const char *sql)
{
	task_wait_soft(t);
	const enum step next = postgres_script(pool, t, sql);
	if (next != STEP_DONE)
		return next;
	const struct err_info info = t->t_err;
	err_clear(&t->t_err);
	return r.clearing ? task_jump(t, record) : give_up(t, "a server is away", &info);
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

	r.fingerprint = keep(postgres_value(t, 0, 0, 0));
	r.guard_owner = keep(postgres_value(t, 0, 0, 1));
	r.applied = str_of(keep(postgres_value(t, 0, 0, 2)));
	r.lines = str_of(keep(postgres_value(t, 0, 0, 3)));
	if (open_pool(t, core_change_conf.rehearsal.name, "core/rehearsal", &r.server, &info) !=
	    ERR_OK)
		return give_up(t, "the rehearsal server", &info);
	return STEP_NEXT;
}

/* What a killed rehearsal has left: its databases one by one, then the roles of features. */
static enum step
clean_ask(struct task *t)
{
	return script(t, r.server,
		      "SELECT coalesce((SELECT 'DROP DATABASE ' || quote_ident(datname) || ' WITH "
		      "(FORCE)' FROM pg_database"
		      " WHERE datname ~ '^rehearsal_' LIMIT 1), '')");
}

static enum step
clean_drop(struct task *t)
{
	enum step next;

	if (!well(t, "the rehearsal server", &next))
		return next;
	const char *sql = keep(postgres_value(t, 0, 0, 0));
	if (sql[0] == '\0')
		return script(t, r.server,
			      "DO $$ DECLARE r record; BEGIN FOR r IN SELECT rolname FROM pg_roles "
			      "WHERE rolname ~ '^feature_'"
			      " LOOP EXECUTE format('DROP ROLE %I', r.rolname); END LOOP; END $$");
	(void)task_jump(t, clean_ask);
	return script(t, r.server, sql);
}

static enum step
create_database(struct task *t)
{
	enum step next;

	if (!well(t, "the rehearsal server", &next))
		return next;
	return script(t, r.server,
		      arena_printf(&run.arena, "CREATE DATABASE %s TEMPLATE template0", r.name));
}

/* Change 0 runs as the superuser whose name core's has, since owners are part of the fingerprint. */
static enum step
create_pool(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	enum step next;

	if (!well(t, "the rehearsal database", &next))
		return next;
	if (open_pool(t, r.name, "core/rehearsed", &r.pool, &info) != ERR_OK)
		return give_up(t, "the rehearsal database", &info);
	return script(t, r.pool,
		      arena_printf(&run.arena,
				   "SET bimodal.change = 'genesis';\n"
				   "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname "
				   "= '%s') THEN CREATE ROLE %s SUPERUSER NOLOGIN;"
				   " END IF; END $$;\nSET ROLE %s;\n%s",
				   r.guard_owner, r.guard_owner, r.guard_owner,
				   change_genesis_core));
}

static enum step
base(struct task *t)
{
	enum step next;

	if (!well(t, "change 0", &next))
		return next;
	task_wait_soft(t);
	return change_install_as(t, r.pool, changes_core, change_genesis_core, CHANGE_OWNER,
				 core_change_conf.executor_user);
}

static enum step
base_done(struct task *t)
{
	enum step next;
	return well(t, "the base schema", &next) ? STEP_NEXT : next;
}

/* ---- the changes applied so far ---- */

static enum step
apply_as_executor(struct task *t, const struct change_plan *plan, const char *up)
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
		.slug = str_of(keep(postgres_value(t, 0, 0, 1))),
		.up = str_of(keep(postgres_value(t, 0, 0, 2))),
		.down = str_of(keep(postgres_value(t, 0, 0, 3))),
		.verify = STR(""),
		.package = core_change_unhex(&run.arena, postgres_value(t, 0, 0, 5)),
	};
	if (core_change_plan(&run.arena, &r.replay, CHANGE_FORWARD, false, run.password,
			     core_change_conf.workers, &plan, &info) != ERR_OK)
		return give_up(t, "an applied change", &info);
	r.replayed_registry = plan.registry;
	return apply_as_executor(t, &plan,
				 arena_printf(&run.arena, "%s\n;\n%s",
					      plan.withdraw != NULL ? plan.withdraw : "",
					      plan.main));
}

static const struct change_plan publish_plan = { .role = CHANGE_OWNER, .verify = "", .after = "" };

static enum step
replay_publish(struct task *t)
{
	enum step next;

	if (!well(t, "an applied change", &next))
		return next;
	if (!r.replayed_registry)
		return task_jump(t, replay_next);
	return apply_as_executor(t, &publish_plan, "SELECT change.publish()");
}

static enum step
replay_done(struct task *t)
{
	enum step next;
	return well(t, "an applied change", &next) ? task_jump(t, replay_next) : next;
}

/* ---- is it core's? ---- */

static enum step
place_look(struct task *t)
{
	/* If it is not core's: the lines core has accepted, and ours, so that what differs names itself. */
	return script(t, r.pool,
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

	if (!well(t, "the catalog", &next))
		return next;
	if (!str_is(postgres_value(t, 0, 0, 0), r.fingerprint)) {
		const struct str lines = postgres_value(t, 0, 0, 1);
		(void)err_set(&info, ERR_CONFLICT, NULL,
			      "base schema and applied changes do not give core's catalog (%.*s)",
			      (int)MIN(lines.len, 200), lines.len > 0 ? lines.p : "");
		return give_up(t, "", &info);
	}
	return script(
		t, r.pool,
		arena_printf(
			&run.arena,
			"SET bimodal.change = 'rehearsal'; SET bimodal.actor = 'rehearsal';\n%s",
			sql_rehearsal_rows.text));
}

static enum step
probe(struct task *t)
{
	enum step next;

	if (!well(t, "made-up rows", &next))
		return next;
	return script(t, r.pool,
		      arena_printf(&run.arena, "SET bimodal.change = 'rehearsal';\n%s",
				   sql_rehearsal_probe.text));
}

/* ---- up ---- */

static enum step
plans(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	enum step next;

	if (!well(t, "the probes", &next))
		return next;
	enum err err = core_change_plan(&run.arena, &run.texts, CHANGE_FORWARD, true, run.password,
					core_change_conf.workers, &r.up, &info);
	if (err == ERR_OK)
		err = core_change_plan(&run.arena, &run.texts, CHANGE_BACK, true, run.password,
				       core_change_conf.workers, &r.down, &info);
	return err != ERR_OK ? give_up(t, "", &info) : STEP_NEXT;
}

/* A statement of up or down failed: which one stands in the sequence that no rollback touches. */
static enum step
place_ask(struct task *t, const char *part, const struct err_info *info)
{
	r.part = part;
	if (run.error == NULL)
		run.error = keep(str_of(info->msg));
	return script(t, r.pool, "SELECT last_value FROM pg_temp.place");
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
	return give_up(t, "", &info);
}

static enum step
up_withdraw(struct task *t)
{
	if (r.up.withdraw == NULL)
		return task_jump(t, up_main);
	const struct change_plan lead = { .role = r.up.role, .verify = "", .after = "" };
	return apply_as_executor(t, &lead, r.up.withdraw);
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
	return failed ? next : apply_as_executor(t, &r.up, r.up.main);
}

static const char fingerprint_sql[] = "SET search_path = '';\nSELECT change.fingerprint()";

static enum step
up_read(struct task *t)
{
	bool failed = false;
	const enum step next = part_failed(t, "up", &failed);
	return failed ? next : script(t, r.pool, fingerprint_sql);
}

static enum step
up_publish(struct task *t)
{
	enum step next;

	if (!well(t, "the catalog after up", &next))
		return next;
	r.main = keep(postgres_value(t, 0, 0, 0));
	if (!r.up.registry)
		return STEP_NEXT;
	return apply_as_executor(t, &publish_plan, "SELECT change.publish()");
}

static enum step
up_report(struct task *t)
{
	enum step next;

	if (t->t_n_results > 0 && !well(t, "publication", &next))
		return next;
	return script(t, r.pool,
		      arena_printf(&run.arena, "SET bimodal.change = 'rehearsal';\n%s",
				   sql_rehearsal_report.text));
}

static enum step
up_judge(struct task *t)
{
	enum step next;

	if (!well(t, "the report", &next))
		return next;
	r.statements = keep(postgres_value(t, 0, 0, 0));
	r.changed = keep(postgres_value(t, 0, 0, 1));
	r.objects = keep(postgres_value(t, 0, 0, 2));
	r.after = keep(postgres_value(t, 0, 0, 3));
	r.stop = postgres_is_null(t, 0, 0, 4) ? NULL : keep(postgres_value(t, 0, 0, 4));
	r.risk = keep(postgres_value(t, 0, 0, 5));
	if (r.stop != NULL)
		return give_up(t, "refused", &(struct err_info) { .code = ERR_INVALID, .msg = "" });
	return STEP_NEXT;
}

/* ---- down ---- */

static enum step
down_withdraw(struct task *t)
{
	if (r.down.withdraw == NULL)
		return task_jump(t, down_main);
	const struct change_plan lead = { .role = r.down.role, .verify = "", .after = "" };
	return apply_as_executor(t, &lead, r.down.withdraw);
}

static enum step
down_main(struct task *t)
{
	bool failed = false;
	const enum step next = part_failed(t, "down", &failed);
	return failed ? next : apply_as_executor(t, &r.down, r.down.main);
}

static enum step
down_middle(struct task *t)
{
	bool failed = false;
	const enum step next = part_failed(t, "down", &failed);
	return failed ? next : script(t, r.pool, fingerprint_sql);
}

static enum step
down_publish(struct task *t)
{
	enum step next;

	if (!well(t, "the catalog after down", &next))
		return next;
	r.down_main = keep(postgres_value(t, 0, 0, 0));
	if (!r.down.registry)
		return task_jump(t, down_read);
	return apply_as_executor(t, &publish_plan, "SELECT change.publish()");
}

static enum step
down_read(struct task *t)
{
	enum step next;

	if (t->t_n_results > 0 && !well(t, "publication", &next))
		return next;
	return script(
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

	if (!well(t, "the catalog after down", &next))
		return next;
	r.end = keep(postgres_value(t, 0, 0, 0));
	if (strcmp(r.end, r.fingerprint) == 0) {
		if (!run.texts.promotion &&
		    change_counts(&run.arena, run.texts.up, r.counts, &r.n_counts, &info) != ERR_OK)
			return give_up(t, "", &info);
		return STEP_NEXT;
	}
	const struct str lines = postgres_value(t, 0, 0, 1);
	(void)err_set(&info, ERR_INVALID, NULL,
		      "after up and down the catalog is not as it was before (%.*s)",
		      (int)MIN(lines.len, 200), lines.len > 0 ? lines.p : "");
	return give_up(t, "not reversible", &info);
}

/* ---- what made-up rows cannot show: counted in core, reading only ---- */

static enum step
count_ask(struct task *t)
{
	if (r.counted == r.n_counts)
		return task_jump(t, drop_pool);
	return script(t, core_change_conf.executor,
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
	return give_up(t, arena_printf(&run.arena, "/up, line %u", c->line), &info);
}

/* ---- the end ---- */

static enum step
failed_drop(struct task *t)
{
	if (r.stop != NULL)
		run.error = arena_printf(&run.arena, "refused: %s", r.stop);
	return task_jump(t, drop_pool);
}

static enum step
drop_pool(struct task *t)
{
	r.clearing = true;
	postgres_pool_destroy(r.pool);
	r.pool = NULL;
	if (r.server == NULL)
		return task_jump(t, record);
	return script(t, r.server,
		      arena_printf(&run.arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", r.name));
}

static enum step
drop_roles(struct task *t)
{
	if (task_wait_err(t, 0, NULL) != ERR_OK)
		return task_jump(t, record);
	return script(t, r.server,
		      "DO $$ DECLARE r record; BEGIN FOR r IN SELECT rolname FROM pg_roles WHERE "
		      "rolname ~ '^feature_'"
		      " LOOP EXECUTE format('DROP ROLE %I', r.rolname); END LOOP; END $$");
}

static void
json_member(struct buf *b, const char *name, const char *json)
{
	buf_printf(b, ",\"%s\":%s", name, json != NULL && json[0] != '\0' ? json : "null");
}

static void
report_write(struct buf *b)
{
	buf_printf(b, "{\"passed\":%s,\"ms\":%lld", run.error == NULL ? "true" : "false",
		   (long long)((clock_now_us() - run.begun) / USEC_PER_MS));
	buf_printf(b, ",\"reversible\":%s",
		   r.end == NULL                       ? "null"
		   : strcmp(r.end, r.fingerprint) == 0 ? "true"
						       : "false");
	buf_add_cstr(b, ",\"fingerprints\":{\"before\":");
	buf_json_cstr(b, r.fingerprint);
	buf_add_cstr(b, ",\"main\":");
	buf_json_cstr(b, r.main);
	buf_add_cstr(b, ",\"after\":");
	buf_json_cstr(b, r.after);
	buf_add_cstr(b, ",\"down_main\":");
	buf_json_cstr(b, r.down_main);
	buf_add_cstr(b, ",\"end\":");
	buf_json_cstr(b, r.end);
	buf_add_char(b, '}');
	json_member(b, "statements", r.statements);
	json_member(b, "risk", r.risk);
	json_member(b, "lines", r.changed);
	buf_add_char(b, '}');
}

static enum step
record(struct task *t)
{
	struct buf report;

	core_change_rehearse_close();
	buf_init(&report, REPORT_BYTES_MAX);
	report_write(&report);
	const struct postgres_param params[] = {
		P_TEXT(run.intent),
		P_TEXT(run.sha),
		P_TEXT(run.error),
		P_STR(report.failed ? STR("{}") : buf_str(&report)),
		P_TEXT(r.objects != NULL ? r.objects : "{}"),
		P_TEXT(r.fingerprint),
		P_TEXT(r.after),
	};
	const enum step next = postgres_wait(core_change_conf.executor, t,
					     &sql_change_run_rehearsed, params, ARRAY_LEN(params));
	buf_free(&report);
	return next;
}

static enum step
done(struct task *t UNUSED)
{
	log_info("change.rehearsed", "change %lld: %s after %lld ms", (long long)run.number,
		 run.error == NULL ? "passed" : "failed",
		 (long long)((clock_now_us() - run.begun) / USEC_PER_MS));
	return STEP_DONE;
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
	{ "drop", drop_pool },
	{ "drop roles", drop_roles },
	{ "record", record },
	{ "done", done },
	{ "place", place_name },
	{ "give up", failed_drop },
	{ NULL, NULL },
};
