/*
 * worker.c — one worker of the sandbox: the application pool, the record engine, the snapshots of access and schema, the HTTP server
 * with the routes of every room.
 */
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sandbox/document/document.h"
#include "sandbox/experiment/experiment.h"
#include "sandbox/flags/flags.h"
#include "sandbox/hypothesis/hypothesis.h"
#include "sandbox/principals/principals.h"
#include "sandbox/principals/report.h"
#include "sandbox/replica/acknowledge.h"
#include "sandbox/replica/replica.h"
#include "daemon/rooms.h"
#include "gen/sql_sandbox.h"

/* ---- generations: what this worker serves ---- */

static int64_t
access_served(void *arg)
{
	const struct sandbox *c = arg;
	return access_generation(c->access);
}

static void
access_load(struct task_engine *e, void *arg UNUSED)
{
	sandbox_principals_load(e);
}

/* Something newer is served: say so here and in core. */
static void
swapped(void *arg)
{
	const struct sandbox *c = arg;
	sandbox_flags_access_changed();
	daemon_generations_swapped(c->generations);
	sandbox_acknowledge_now();
}

/* Resources and features are read apart from each other; what both have reached is served. */
static int64_t
schema_served(void *arg)
{
	const struct sandbox *c = arg;
	return MIN(record_engine_generation(c->records),
		   sandbox_features_generation(SANDBOX_FEATURES_CALLS));
}

static void
schema_load(struct task_engine *e, void *arg)
{
	const struct sandbox *c = arg;
	if (record_load_start(c->records, e) != ERR_OK)
		log_warn("schema.load",
			 "could not start to read the registry; it is tried again in a second");
	sandbox_features_load(SANDBOX_FEATURES_CALLS, e);
}

static void
schema_swapped(struct record_engine *e UNUSED, int64_t generation, void *arg)
{
	log_info("schema.swap", "serving schema generation %lld", (long long)generation);
	swapped(arg);
}

/* ---- readiness ---- */

static bool
ready(struct buf *detail, void *arg)
{
	const struct sandbox *c = arg;
	const struct daemon_part parts[] = {
		{ "database", postgres_pool_ready(c->app) },
		{ "schema", record_engine_generation(c->records) >= 0 },
		{ "access", access_generation(c->access) >= 0 },
		{ "features", sandbox_features_generation(SANDBOX_FEATURES_CALLS) >= 0 },
		{ "flags", sandbox_flags_served(NULL) >= 0 },
	};
	return daemon_ready_say(detail, c->config.common.instance, parts, ARRAY_LEN(parts));
}

/* ---- start ---- */

/* Flags, features and experiments of this worker. */
static void
rooms_start(struct sandbox *c, unsigned worker)
{
	sandbox_core_start(c);
	c->features = sandbox_runtime(c, (int)worker, false);
	sandbox_flags_use(&(struct sandbox_flags_conf) {
		.loop = c->loop,
		.engine = c->tasks,
		.pool = c->app,
		.records = c->records,
		.ofrep_key = str_of(c->config.common.cursor_key),
		.ofrep_wait = c->config.common.ofrep_wait,
		.ofrep_ticket_lifetime = c->config.common.ofrep_ticket_lifetime,
		.ofrep_heartbeat = c->config.common.ofrep_heartbeat,
		.ofrep_streams = c->config.common.ofrep_streams,
		.ofrep_per_principal = c->config.common.ofrep_per_principal,
		.core = c->core,
		.instance = c->config.common.instance,
		.worker = worker,
		.usage_period = c->config.common.ofrep_usage_period,
		.swapped = swapped,
		.arg = c,
	});
	sandbox_features_use(SANDBOX_FEATURES_CALLS,
			     &(struct sandbox_features_conf) {
				     .runtime = c->features,
				     .pool = c->app,
				     .host = c->config.common.database.host,
				     .port = c->config.common.database.port,
				     .database = c->config.common.database.name,
				     .swapped = swapped,
				     .arg = c,
			     });
	sandbox_hypothesis_use(&(struct sandbox_hypothesis_conf) {
		.pool = c->app,
		.core = c->core,
		.runtime = c->features,
		.flags = sandbox_flags_store(),
		.exposures = sandbox_flags_exposures(),
		.stale = sandbox_replica_stale,
		.held = sandbox_mode2_check,
		.features_max = c->config.features_max,
	});
	sandbox_experiment_use(c->app, c->core, sandbox_mode2_check);
	sandbox_report_start(c->loop, c->tasks, c->access, c->core);
	sandbox_acknowledge_start(c->loop, c->tasks,
				  &(struct sandbox_acknowledge_conf) {
					  .core = c->core,
					  .instance = c->config.common.instance,
					  .worker = worker,
					  .flag = sandbox_flags_served,
					  .schema = schema_served,
					  .access = access_served,
					  .arg = c,
				  });
}

static enum err
snapshots_start(struct sandbox *c, unsigned worker, struct err_info *info)
{
	enum err err = access_create(
		&(struct access_conf) { .daemon = ACCESS_SANDBOX,
					.roles = c->roles,
					.limits = { DAEMON_LIMITS(&c->config.common) },
					.stale = sandbox_replica_stale },
		&c->access, info);
	if (err != ERR_OK)
		return err;
	access_use(c->access);
	sandbox_principals_use(c->access, c->app, swapped, c);
	err = record_engine_create(
		&(struct record_conf) {
			.pool = c->app,
			.catalog = &sql_sandbox_catalog,
			.copy = true,
			.cursor_secret = str_of(c->config.common.cursor_key),
			.on_swap = schema_swapped,
			.arg = c,
		},
		&c->records, info);
	if (err != ERR_OK)
		return err;
	sandbox_document_use(c->records);
	sandbox_replica_start(c->loop, c->tasks,
			      &(struct sandbox_replica_conf) {
				      .pool = c->app,
				      .records = c->records,
				      .access = c->access,
				      .poll_period = c->config.feed_poll_period,
				      .stale_after = c->config.feed_stale_after,
			      });
	rooms_start(c, worker);
	const char *label = arena_printf(&c->strings, "bimodal-sandbox/w%u/listen", worker);
	return daemon_generations_start(
		c->loop, c->tasks,
		&(struct daemon_generations_conf) {
			.pool = c->app,
			.seen = &sql_sandbox_generations,
			.conninfo = daemon_conninfo(&c->strings, &c->config.common.database, NULL),
			.instance = c->config.common.instance,
			.label = label,
			.worker = worker,
			.flag = { sandbox_flags_served, sandbox_flags_load, c },
			.schema = { schema_served, schema_load, c },
			.access = { access_served, access_load, c },
		},
		&c->generations, info);
}

/* Every route of the daemon. */
static const struct daemon_room rooms[] = {
	{ daemon_health_routes, &daemon_health_routes_count },
	{ sandbox_principals_routes, &sandbox_principals_routes_count },
	{ sandbox_flags_routes, &sandbox_flags_routes_count },
	{ sandbox_hypothesis_routes, &sandbox_hypothesis_routes_count },
	{ sandbox_experiment_routes, &sandbox_experiment_routes_count },
	{ sandbox_replica_routes, &sandbox_replica_routes_count },
	{ sandbox_document_routes, &sandbox_document_routes_count },
};

void
sandbox_worker_routes(bool *first)
{
	daemon_rooms_print(rooms, ARRAY_LEN(rooms), first);
}

void
sandbox_worker_metrics(void)
{
	access_limits_map();
	access_refusal_metrics();
	daemon_rooms_metrics(rooms, ARRAY_LEN(rooms));
}

enum err
sandbox_worker_describe(struct err_info *info)
{
	enum err err = sandbox_document_start(info);
	for (size_t i = 0; i < ARRAY_LEN(rooms) && err == ERR_OK; i++)
		err = sandbox_document_routes_add(rooms[i].routes, *rooms[i].n, info);
	return err;
}

static enum err
http_start(struct sandbox *c, int listen_fd, struct err_info *info)
{
	const enum err err = sandbox_worker_describe(info);
	if (err != ERR_OK)
		return err;
	return daemon_serve(
		&(struct daemon_serve) {
			.loop = c->loop,
			.tasks = c->tasks,
			.config = &c->config.common,
			.rooms = rooms,
			.n_rooms = ARRAY_LEN(rooms),
			.guard = access_guard,
			.early = access_charge_early,
			.cors_origin = c->config.console_origin,
			.ended = access_request_ended,
			.actor = access_principal_of,
			.ready = ready,
			.ready_arg = c,
			.listen_fd = listen_fd,
		},
		&c->http, info);
}

enum err
sandbox_worker_start(void *arg, const struct process_role *role, struct err_info *info)
{
	struct sandbox *c = arg;
	enum err err = daemon_app_pool(c->loop, c->tasks, &c->strings, &c->config.common,
				       "sandbox/app", sql_sandbox_all, role->worker, &c->app, info);
	if (err == ERR_OK)
		err = snapshots_start(c, role->worker, info);
	if (err == ERR_OK)
		err = http_start(c, role->listen_fd, info);
	return err;
}

void
sandbox_worker_stop(void *arg)
{
	struct sandbox *c = arg;

	sandbox_flags_drain();
	daemon_drain(c->http, c->loop);
}

void
sandbox_worker_finish(void *arg)
{
	struct sandbox *c = arg;

	sandbox_replica_stop();
	sandbox_acknowledge_stop();
	sandbox_report_stop();
	http_server_destroy(c->http);
	sandbox_document_stop();
	sandbox_flags_finish();
	access_use(NULL);
	access_destroy(c->access);
	postgres_pool_destroy(c->app);
}
