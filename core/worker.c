/*
 * worker.c — one worker of core: the application pool, the record engine, the snapshots of access and schema, the HTTP server
 * with the routes of every room.
 */
#include "core/core.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/change/change.h"
#include "core/console/console.h"
#include "core/customer/customer.h"
#include "core/document/document.h"
#include "core/feed/feed.h"
#include "core/flags/flags.h"
#include "core/live/live.h"
#include "core/notices/notices.h"
#include "core/people/people.h"
#include "core/principals/principals.h"
#include "core/promotion/promotion.h"
#include "core/rights/rights.h"
#include "core/views/views.h"
#include "core/session/session.h"
#include "core/webhooks/webhooks.h"
#include "daemon/rooms.h"
#include "gen/sql_core.h"

#define USED_PERIOD (5 * USEC_PER_SEC)
#define REFUSED_PERIOD (2 * USEC_PER_SEC)

/* ---- generations: what this worker serves ---- */

static int64_t
access_served(void *arg)
{
	const struct core *c = arg;
	return MIN(access_generation(c->access), access_members_generation(c->access));
}

static void
access_load(struct task_engine *e, void *arg UNUSED)
{
	core_principals_load(e);
	core_rights_load(e);
}

static void
swapped(void *arg)
{
	const struct core *c = arg;
	core_live_access_changed();
	core_flags_access_changed();
	daemon_generations_swapped(c->generations);
}

static int64_t
schema_served(void *arg)
{
	const struct core *c = arg;
	return MIN(record_engine_generation(c->records), core_promotion_generation());
}

static void
schema_load(struct task_engine *e, void *arg)
{
	const struct core *c = arg;
	if (record_load_start(c->records, e) != ERR_OK)
		log_warn("schema.load",
			 "could not start to read the registry; it is tried again in a second");
	core_promotion_load(e);
}

static void
schema_swapped(struct record_engine *e UNUSED, int64_t generation, void *arg)
{
	log_info("schema.swap", "serving schema generation %lld", (long long)generation);
	swapped(arg);
}

static bool
feature_variant(const char *flag_key, struct str unit, char out[CORE_PROMOTION_VARIANT_SIZE],
		void *arg UNUSED)
{
	return core_flags_variant(flag_key, unit, out, CORE_PROMOTION_VARIANT_SIZE);
}

/* ---- readiness ---- */

static bool
ready(struct buf *detail, void *arg)
{
	const struct core *c = arg;
	const struct daemon_part parts[] = {
		{ "database", postgres_pool_ready(c->app) },
		{ "schema", record_engine_generation(c->records) >= 0 },
		{ "access", access_served(arg) >= 0 },
		{ "flags", core_flags_served(NULL) >= 0 },
	};
	return daemon_ready_say(detail, c->config.common.instance, parts, ARRAY_LEN(parts));
}

static void
flush_used(void *arg)
{
	const struct core *c = arg;
	core_principals_flush_used(c->tasks);
	core_session_flush_used(c->tasks);
}

static void
flush_refused(void *arg)
{
	const struct core *c = arg;
	core_rights_flush(c->tasks);
}

/* ---- start ---- */

static void
live_use(struct core *c)
{
	core_live_start(&(struct core_live_conf) {
		.loop = c->loop,
		.engine = c->tasks,
		.pool = c->app,
		.access = c->access,
		.records = c->records,
		.period = c->config.live_period,
		.heartbeat = c->config.live_heartbeat,
		.feed_late = c->config.live_feed_late,
		.streams = c->config.live_streams,
		.per_principal = c->config.live_per_principal,
		.buffer = c->config.live_buffer,
		.replay = c->config.live_replay,
	});
}

static void
flags_use(struct core *c, unsigned worker)
{
	core_flags_use(&(struct core_flags_conf) {
		.loop = c->loop,
		.engine = c->tasks,
		.pool = c->app,
		.access = c->access,
		.records = c->records,
		.experiment_coverage_max = (double)c->config.flags_experiment_share / 100.0,
		.experiment_max = c->config.flags_experiment_max,
		.stale_days = c->config.flags_stale_days,
		.ofrep_key = str_of(c->config.common.cursor_key),
		.ofrep_wait = c->config.common.ofrep_wait,
		.ofrep_ticket_lifetime = c->config.common.ofrep_ticket_lifetime,
		.ofrep_heartbeat = c->config.common.ofrep_heartbeat,
		.ofrep_streams = c->config.common.ofrep_streams,
		.ofrep_per_principal = c->config.common.ofrep_per_principal,
		.instance = c->config.common.instance,
		.worker = worker,
		.usage_period = c->config.common.ofrep_usage_period,
		.usage_keep = c->config.flags_usage_keep,
		.usage_recent = c->config.flags_usage_recent,
		.swapped = swapped,
		.arg = c,
	});
}

/* Each room gets what it stands on; none of them asks for anything yet. */
static void
rooms_use(struct core *c, unsigned worker)
{
	core_customer_use(c->records, c->app, c->access);
	core_document_use(c->records);
	core_views_use(c->records, c->app);
	core_rights_use(&(struct core_rights_conf) {
		.access = c->access,
		.pool = c->app,
		.records = c->records,
		.swapped = swapped,
		.arg = c,
	});
	core_feed_use(c->app);
	core_change_use(c->app);
	core_people_use(&(struct core_people_conf) {
		.pool = c->app,
		.access = c->access,
		.token_lifetime = c->config.token_lifetime,
	});
	core_notices_use(c->app);
	core_webhooks_use(c->app, &c->webhook_nets);
	live_use(c);
	core_promotion_use(&(struct core_promotion_conf) {
		.loop = c->loop,
		.engine = c->tasks,
		.app = c->app,
		.worker = (int)worker,
		.host = c->config.common.database.host,
		.port = c->config.common.database.port,
		.name = c->config.common.database.name,
		.variant = feature_variant,
		.swapped = swapped,
		.swapped_arg = c,
	});
	flags_use(c, worker);
}

static enum err
snapshots_start(struct core *c, unsigned worker, struct err_info *info)
{
	enum err err = access_create(
		&(struct access_conf) { .daemon = ACCESS_CORE,
					.roles = c->roles,
					.limits = { DAEMON_LIMITS(&c->config.common) } },
		&c->access, info);
	if (err != ERR_OK)
		return err;
	access_use(c->access);
	core_principals_use(c->access, c->app, swapped, c);
	err = record_engine_create(
		&(struct record_conf) {
			.pool = c->app,
			.catalog = &sql_core_catalog,
			.idempotency = &sql_record_idempotency_get,
			.cursor_secret = str_of(c->config.common.cursor_key),
			.on_swap = schema_swapped,
			.arg = c,
		},
		&c->records, info);
	if (err != ERR_OK)
		return err;
	rooms_use(c, worker);
	const char *label = arena_printf(&c->strings, "bimodal-core/w%u/listen", worker);
	return daemon_generations_start(
		c->loop, c->tasks,
		&(struct daemon_generations_conf) {
			.pool = c->app,
			.seen = &sql_worker_seen,
			.conninfo = daemon_conninfo(&c->strings, &c->config.common.database, NULL),
			.instance = c->config.common.instance,
			.label = label,
			.worker = worker,
			.flag = { core_flags_served, core_flags_load, c },
			.schema = { schema_served, schema_load, c },
			.access = { access_served, access_load, c },
		},
		&c->generations, info);
}

static enum err
sessions_start(struct core *c, struct err_info *info)
{
	const struct core_config *k = &c->config;

	return core_session_start(
		&(struct core_session_conf) {
			.loop = c->loop,
			.engine = c->tasks,
			.pool = c->app,
			.access = c->access,
			.key = k->common.cursor_key,
			.secure = k->session_secure || k->common.tls_certificate[0] != '\0',
			.idle = k->session_idle,
			.lifetime = k->session_lifetime,
			.reset_lifetime = k->session_reset_lifetime,
			.token_lifetime = k->session_token_lifetime,
			.argon2_memory = k->session_argon2_memory,
			.argon2_passes = k->session_argon2_passes,
			.hash_threads = k->session_hash_threads,
			.hash_queue = k->session_hash_queue,
			.lock_after = k->session_lock_after,
			.lock_address_after = k->session_lock_address_after,
			.lock_longest = k->session_lock_longest,
			.oidc = k->oidc,
		},
		info);
}

/* Every route of the daemon. */
static const struct daemon_room rooms[] = {
	{ daemon_health_routes, &daemon_health_routes_count },
	{ core_principals_routes, &core_principals_routes_count },
	{ core_people_routes, &core_people_routes_count },
	{ core_session_routes, &core_session_routes_count },
	{ core_feed_routes, &core_feed_routes_count },
	{ core_change_routes, &core_change_routes_count },
	{ core_promotion_routes, &core_promotion_routes_count },
	{ core_flags_routes, &core_flags_routes_count },
	{ core_notices_routes, &core_notices_routes_count },
	{ core_webhooks_routes, &core_webhooks_routes_count },
	{ core_rights_routes, &core_rights_routes_count },
	{ core_customer_routes, &core_customer_routes_count },
	{ core_views_routes, &core_views_routes_count },
	{ core_console_routes, &core_console_routes_count },
	{ core_live_routes, &core_live_routes_count },
	{ core_document_routes, &core_document_routes_count },
};

void
core_worker_routes(bool *first)
{
	daemon_rooms_print(rooms, ARRAY_LEN(rooms), first);
}

void
core_worker_metrics(void)
{
	access_limits_map();
	access_refusal_metrics();
	daemon_rooms_metrics(rooms, ARRAY_LEN(rooms));
}

enum err
core_worker_describe(struct err_info *info)
{
	enum err err = core_document_start(info);
	for (size_t i = 0; i < ARRAY_LEN(rooms) && err == ERR_OK; i++)
		err = core_document_routes_add(rooms[i].routes, *rooms[i].n, info);
	return err;
}

static enum err
http_start(struct core *c, int listen_fd, struct err_info *info)
{
	const enum err err = core_worker_describe(info);
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
			.secure = c->config.session_secure,
			.ended = access_request_ended,
			.actor = access_principal_of,
			.ready = ready,
			.ready_arg = c,
			.listen_fd = listen_fd,
		},
		&c->http, info);
}

enum err
core_worker_start(void *arg, const struct process_role *role, struct err_info *info)
{
	struct core *c = arg;
	enum err err = daemon_app_pool(c->loop, c->tasks, &c->strings, &c->config.common,
				       "core/app", sql_core_all, role->worker, &c->app, info);
	if (err == ERR_OK)
		err = snapshots_start(c, role->worker, info);
	if (err == ERR_OK)
		err = sessions_start(c, info);
	if (err == ERR_OK)
		err = http_start(c, role->listen_fd, info);
	core_rights_server(c->http);
	if (err == ERR_OK)
		c->used_timer = loop_every(c->loop, USED_PERIOD, flush_used, c);
	if (err == ERR_OK)
		c->refused_timer = loop_every(c->loop, REFUSED_PERIOD, flush_refused, c);
	return err;
}

void
core_worker_stop(void *arg)
{
	struct core *c = arg;

	core_flags_drain();
	core_rights_flush(c->tasks);
	daemon_drain(c->http, c->loop);
}

void
core_worker_finish(void *arg)
{
	struct core *c = arg;

	loop_timer_destroy(c->used_timer);
	loop_timer_destroy(c->refused_timer);
	http_server_destroy(c->http);
	core_live_stop();
	core_document_stop();
	core_session_stop();
	core_promotion_finish();
	core_flags_finish();
	access_use(NULL);
	access_destroy(c->access);
	postgres_pool_destroy(c->app);
}
