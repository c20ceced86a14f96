/*
 * report.c — the end of a rehearsal, whatever happened: its database and the roles of features go, the report stays with the request.
 */
#include <string.h>

#include "base/log.h"
#include "core/change/rehearsal.h"

#define REPORT_BYTES_MAX ((size_t)4 * 1024 * 1024)

#define run core_change_run
#define r core_change_rehearsed

static enum step
failed_drop(struct task *t UNUSED)
{
	if (r.stop != NULL)
		run.error = arena_printf(&run.arena, "refused: %s", r.stop);
	return STEP_NEXT;
}

static enum step
drop_pool(struct task *t)
{
	r.clearing = true;
	postgres_pool_destroy(r.pool);
	r.pool = NULL;
	if (r.server == NULL)
		return task_jump(t, core_change_report_write);
	return core_change_script(
		t, r.server,
		arena_printf(&run.arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", r.name));
}

static enum step
drop_roles(struct task *t)
{
	if (task_wait_err(t, 0, NULL) != ERR_OK)
		return task_jump(t, core_change_report_write);
	return core_change_script(
		t, r.server,
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

enum step
core_change_report_write(struct task *t)
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

const struct step_row core_change_report_steps[] = {
	{ "give up", failed_drop },
	{ "drop", drop_pool },
	{ "drop roles", drop_roles },
	{ "record", core_change_report_write },
	{ "done", done },
	{ NULL, NULL },
};
