/*
 * flags.c — keeps the worker's snapshot of flags, and the table of the room's routes. Every change
 * of a flag raises one generation and notifies; the snapshot is then read anew as a whole in one
 * statement, so it is always that of one moment, and swapped as a pointer.
 */
#include "core/flags/flags.h"

#include "base/log.h"
#include "core/flags/internal.h"
#include "core/flags/ramp.h"
#include "daemon/snapshot.h"
#include "flag/ofrep.h"
#include "flag/usage.h"

struct core_flags_conf core_flags_conf;

static struct flag_store *store;
static struct flag_exposures *exposures;
static struct flag_stickies *stickies;
static struct daemon_snapshot snapshots;

/* ---- the snapshot ---- */

struct flag_snapshot *
core_flags_now(void)
{
	return store != NULL ? flag_store_now(store) : NULL;
}

int64_t
core_flags_served(void *arg UNUSED)
{
	return store != NULL ? flag_store_generation(store) : -1;
}

static enum err
load_apply(const PGresult *rows, void *arg UNUSED, struct err_info *info)
{
	struct flag_snapshot *snapshot = NULL;
	const int64_t before = flag_store_generation(store);

	const enum err err = flag_snapshot_build(rows, &snapshot, info);
	if (err != ERR_OK)
		return err;
	flag_store_swap(store, snapshot);
	if (flag_snapshot_generation(snapshot) == before)
		return ERR_OK;
	flag_ofrep_swapped();
	log_info("flag.swap", "serving %zu flags of generation %lld", flag_snapshot_count(snapshot),
		 (long long)flag_snapshot_generation(snapshot));
	if (core_flags_conf.swapped != NULL)
		core_flags_conf.swapped(core_flags_conf.arg);
	return ERR_OK;
}

void
core_flags_load(struct task_engine *e, void *arg UNUSED)
{
	if (store != NULL)
		daemon_snapshot_load(&snapshots, e);
}

/* ---- wiring ---- */

void
core_flags_metrics(void)
{
	flag_metrics();
	core_flags_mode2_metrics();
}

void
core_flags_use(const struct core_flags_conf *conf)
{
	core_flags_conf = *conf;
	store = flag_store_create();
	snapshots = (struct daemon_snapshot) { .name = "flag.load",
					       .pool = conf->pool,
					       .stmt = &sql_flag_snapshot,
					       .apply = load_apply };
	exposures =
		flag_exposures_create(conf->loop, conf->engine, conf->pool, &sql_flag_exposure_add);
	stickies = flag_stickies_create(conf->loop, conf->engine, conf->pool, &sql_flag_sticky_add);
	flag_ofrep_start(&(struct flag_ofrep_conf) {
		.loop = conf->loop,
		.store = store,
		.exposures = exposures,
		.stickies = stickies,
		.pool = conf->pool,
		.lookup = &sql_flag_person_pseudonym,
		.knows = core_flags_knows,
		.look = core_flags_look,
		.refresh = core_flags_load,
		.wait = conf->ofrep_wait,
		.token_of = access_token_of,
		.token_may = access_token_may,
		.principal_of = access_principal_of,
		.key = conf->ofrep_key,
		.ticket_lifetime = conf->ofrep_ticket_lifetime,
		.heartbeat = conf->ofrep_heartbeat,
		.streams = conf->ofrep_streams,
		.per_principal = conf->ofrep_per_principal,
	});
	core_flags_usage_start();
}

void
core_flags_drain(void)
{
	flag_exposures_flush(exposures);
	flag_usage_flush();
	flag_stickies_flush(stickies);
}

void
core_flags_access_changed(void)
{
	flag_ofrep_access_changed();
}

void
core_flags_finish(void)
{
	flag_usage_stop();
	flag_ofrep_stop();
	flag_exposures_destroy(exposures);
	flag_stickies_destroy(stickies);
	flag_store_destroy(store);
	exposures = NULL;
	stickies = NULL;
	store = NULL;
}

bool
core_flags_variant(const char *key, struct str unit, char *out, size_t size)
{
	const struct flag_snapshot *s = store != NULL ? flag_store_now(store) : NULL;
	struct flag_result result;

	out[0] = '\0';
	if (s == NULL)
		return false;
	flag_evaluate(s, str_of(key), unit, clock_wall_us(), &result);
	if (result.outcome != FLAG_EVALUATED || result.variation.p == NULL ||
	    !str_copy(out, size, result.variation))
		return false;
	if (result.reason == FLAG_SPLIT)
		flag_exposures_add(exposures, str_of(key), unit, result.variation, result.revision);
	return true;
}

/* ---- routes ---- */

#define ONE "/v1/flags/{key:slug}"
#define ONE_RAMP ONE "/ramps/{id:uuid}"
#define REQUEST "/v1/flag-requests/{id:uuid}"

const struct http_route core_flags_routes[] = {
	{ HTTP_GET, "/v1/flags", "flag.list", core_flags_list_steps, .right = "flag.read" },
	{ HTTP_POST, "/v1/flags", "flag.create", core_flags_create_steps, .right = "flag.read",
	  .deadline_ms = FLAGS_DEADLINE_MS, .body_max = FLAGS_BODY_MAX },
	{ HTTP_GET, ONE, "flag.get", core_flags_get_steps, .right = "flag.read" },
	{ HTTP_DELETE, ONE, "flag.archive", core_flags_archive_steps, .right = "flag.read",
	  .deadline_ms = FLAGS_DEADLINE_MS },
	{ HTTP_GET, ONE "/usage", "flag.usage", core_flags_usage_steps, .right = "flag.read" },
	{ HTTP_GET, "/v1/unknown-flags", "flag.unknown", core_flags_unknown_steps,
	  .right = "flag.read" },
	{ HTTP_POST, "/v1/flag-usage", "flag.report_usage", core_flags_report_steps,
	  .right = "flag.acknowledge", .body_max = FLAG_USAGE_BYTES_MAX * 2 },
	{ HTTP_GET, ONE "/revisions", "flag.revisions", core_flags_revisions_steps,
	  .right = "flag.read" },
	{ HTTP_POST, ONE "/revisions", "flag.revise", core_flags_revise_steps,
	  .right = "flag.write", .deadline_ms = FLAGS_DEADLINE_MS, .body_max = FLAGS_BODY_MAX },
	{ HTTP_POST, ONE "/explain", "flag.explain", core_flags_explain_steps, .right = "flag.read",
	  .body_max = FLAGS_BODY_MAX },
	{ HTTP_POST, ONE "/preview", "flag.preview", core_flags_preview_steps, .right = "flag.read",
	  .deadline_ms = FLAGS_PREVIEW_DEADLINE_MS, .body_max = FLAGS_BODY_MAX },
	{ HTTP_GET, "/v1/people/{id:uuid}/flags", "flag.seen", core_flags_seen_steps,
	  .right = "exposure.read" },
	{ HTTP_GET, ONE "/draft", "flag.draft", core_flags_draft_get_steps, .right = "flag.read" },
	{ HTTP_PUT, ONE "/draft", "flag.draft_put", core_flags_draft_put_steps,
	  .right = "flag.write", .body_max = FLAGS_BODY_MAX },
	{ HTTP_DELETE, ONE "/draft", "flag.draft_delete", core_flags_draft_delete_steps,
	  .right = "flag.write" },
	{ HTTP_GET, ONE "/diff", "flag.diff", core_flags_diff_steps, .right = "flag.read" },
	{ HTTP_POST, ONE "/publish", "flag.publish", core_flags_publish_steps,
	  .right = "flag.write", .deadline_ms = FLAGS_DEADLINE_MS },
	{ HTTP_POST, ONE "/rollback", "flag.rollback", core_flags_rollback_steps,
	  .right = "flag.write", .deadline_ms = FLAGS_DEADLINE_MS },
	{ HTTP_POST, ONE "/enable", "flag.enable", core_flags_enable_steps, .right = "flag.toggle",
	  .deadline_ms = FLAGS_DEADLINE_MS },
	{ HTTP_POST, ONE "/disable", "flag.disable", core_flags_disable_steps, .right = "flag.read",
	  .deadline_ms = FLAGS_DEADLINE_MS },
	{ HTTP_POST, ONE "/kill", "flag.kill", core_flags_kill_steps, .right = "flag.read",
	  .deadline_ms = FLAGS_DEADLINE_MS },
	{ HTTP_GET, ONE "/ramps", "flag.ramps", core_flags_ramp_list_steps, .right = "flag.read" },
	{ HTTP_POST, ONE "/ramps", "flag.ramp_start", core_flags_ramp_start_steps,
	  .right = "flag.write" },
	{ HTTP_GET, ONE_RAMP, "flag.ramp", core_flags_ramp_get_steps, .right = "flag.read" },
	{ HTTP_POST, ONE_RAMP "/hold", "flag.ramp_hold", core_flags_ramp_hold_steps,
	  .right = "flag.read" },
	{ HTTP_POST, ONE_RAMP "/resume", "flag.ramp_resume", core_flags_ramp_resume_steps,
	  .right = "flag.toggle" },
	{ HTTP_POST, ONE_RAMP "/approve", "flag.ramp_approve", core_flags_ramp_approve_steps,
	  .right = "flag.approve" },
	{ HTTP_POST, ONE_RAMP "/back", "flag.ramp_back", core_flags_ramp_back_steps,
	  .right = "flag.toggle" },
	{ HTTP_POST, ONE_RAMP "/cancel", "flag.ramp_cancel", core_flags_ramp_cancel_steps,
	  .right = "flag.write" },
	{ HTTP_GET, ONE "/schedules", "flag.schedules", core_flags_schedule_list_steps,
	  .right = "flag.read" },
	{ HTTP_POST, ONE "/schedules", "flag.schedule", core_flags_schedule_make_steps,
	  .right = "flag.write" },
	{ HTTP_DELETE, ONE "/schedules/{id:uuid}", "flag.schedule_cancel",
	  core_flags_schedule_cancel_steps, .right = "flag.write" },
	{ HTTP_GET, "/v1/segments", "segment.list", core_flags_segment_list_steps,
	  .right = "flag.read" },
	{ HTTP_POST, "/v1/segments", "segment.create", core_flags_segment_create_steps,
	  .right = "flag.write" },
	{ HTTP_GET, "/v1/segments/{name:slug}", "segment.get", core_flags_segment_get_steps,
	  .right = "flag.read" },
	{ HTTP_PATCH, "/v1/segments/{name:slug}", "segment.change", core_flags_segment_change_steps,
	  .right = "flag.write" },
	{ HTTP_DELETE, "/v1/segments/{name:slug}", "segment.delete",
	  core_flags_segment_delete_steps, .right = "flag.write" },
	{ HTTP_POST, ONE "/protect", "flag.protect", core_flags_protect_steps,
	  .right = "flag.protect" },
	{ HTTP_POST, ONE "/unprotect", "flag.unprotect", core_flags_unprotect_steps,
	  .right = "flag.protect" },
	{ HTTP_GET, "/v1/flag-requests", "flag.requests", core_flags_requests_steps,
	  .right = "flag.read" },
	{ HTTP_GET, REQUEST, "flag.request", core_flags_request_steps, .right = "flag.read" },
	{ HTTP_POST, REQUEST "/approve", "flag.approve", core_flags_approve_steps,
	  .right = "flag.approve", .deadline_ms = FLAGS_DEADLINE_MS },
	{ HTTP_POST, REQUEST "/reject", "flag.reject", core_flags_reject_steps,
	  .right = "flag.approve" },
	{ HTTP_POST, REQUEST "/withdraw", "flag.withdraw", core_flags_withdraw_steps,
	  .right = "flag.read" },
	{ HTTP_GET, "/v1/mode2", "mode2.get", core_flags_mode2_steps, .right = "flag.read" },
	{ HTTP_POST, "/v1/mode2/stop", "mode2.stop", core_flags_stop_steps, .right = "mode2.stop",
	  .deadline_ms = FLAGS_DEADLINE_MS },
	{ HTTP_POST, "/v1/mode2/start", "mode2.start", core_flags_start_steps,
	  .right = "mode2.start", .deadline_ms = FLAGS_DEADLINE_MS },
	{ HTTP_POST, "/v1/workers", "worker.acknowledge", core_flags_worker_steps,
	  .right = "flag.acknowledge" },
	{ HTTP_POST, "/ofrep/v1/evaluate/flags/{key:rest}", "flag.evaluate", flag_ofrep_steps,
	  .right = FLAG_OFREP_RIGHT },
	{ HTTP_POST, "/ofrep/v1/evaluate/flags", "flag.evaluate_all", flag_ofrep_bulk_steps,
	  .right = FLAG_OFREP_RIGHT },
	{ HTTP_GET, FLAG_OFREP_EVENTS, "flag.events", flag_ofrep_events_steps, .right = NULL },
};
const size_t core_flags_routes_count = ARRAY_LEN(core_flags_routes);
