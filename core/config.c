/*
 * config.c — every key of config/core.yaml: type, default, bounds, whether SIGHUP may change it, and its unit.
 */
#include "core/config.h"

#include <stddef.h>

#define AT(field) offsetof(struct core_config, field)

/* One key a line, so that it reads as the table it is. */
/* clang-format off */
const struct conf_key core_config_keys[] = {
	{ "instance.name", CONF_TEXT, AT(instance), "core-1", "1", "60", false, "name of this instance in acknowledgements and logs" },
	{ "log.level", CONF_TEXT, AT(log_level), "info", "1", "10", true, "error, warn, info, debug or trace" },

	{ "http.address", CONF_TEXT, AT(http_address), "127.0.0.1", "1", "60", false, "address to listen on" },
	{ "http.port", CONF_INT, AT(http_port), "7410", "0", "65535", false, "TCP port; 0 takes a free one (see http.port_file)" },
	{ "http.port_file", CONF_TEXT, AT(http_port_file), "", NULL, "200", false, "file that receives the port once listening; empty: none" },
	{ "http.workers", CONF_INT, AT(http_workers), "2", "1", "64", false, "worker processes" },
	{ "http.max_connections", CONF_INT, AT(http_max_connections), "4000", "1", "60000", false, "connections a worker" },
	{ "http.max_per_address", CONF_INT, AT(http_max_per_address), "0", "0", "60000", false, "connections a worker of one client address; 0: no limit" },
	{ "http.head_deadline", CONF_DURATION, AT(http_head_deadline), "10s", "100ms", "5min", false, "time to receive the whole request head" },
	{ "http.body_deadline", CONF_DURATION, AT(http_body_deadline), "10s", "100ms", "5min", false, "time to receive the body, plus one second for each 32 KiB" },
	{ "http.idle_deadline", CONF_DURATION, AT(http_idle_deadline), "65s", "1s", "1h", false, "a kept-alive connection without a request" },
	{ "http.write_deadline", CONF_DURATION, AT(http_write_deadline), "30s", "100ms", "5min", false, "a client that reads nothing" },
	{ "http.task_deadline", CONF_DURATION, AT(http_task_deadline), "5s", "100ms", "5min", false, "time for one request, unless its route says otherwise" },
	{ "http.grace", CONF_DURATION, AT(http_grace), "10s", "0", "5min", false, "time to finish running requests when stopping" },

	{ "process.pid_file", CONF_TEXT, AT(pid_file), "", NULL, "200", false, "file that holds the parent's pid while it runs; empty: none" },

	{ "database.host", CONF_TEXT, AT(database.host), "127.0.0.1", "1", "500", false, "host, socket folder, or several hosts with commas" },
	{ "database.port", CONF_TEXT, AT(database.port), "7401", "1", "100", false, "port, or one for each host" },
	{ "database.name", CONF_TEXT, AT(database.name), "bimodal", "1", "63", false, "database" },
	{ "database.user", CONF_TEXT, AT(database.user), "bimodal_app", "1", "63", false, "the workers' role: no DDL rights" },
	{ "database.password_file", CONF_SECRET, AT(database.password), "", NULL, NULL, false, "file with its password, readable by us alone" },
	{ "database.read_connections", CONF_INT, AT(read_connections), "2", "1", "64", false, "connections a worker for short reads" },
	{ "database.read_depth", CONF_INT, AT(read_depth), "16", "1", "64", false, "reads in flight a connection" },
	{ "database.write_connections", CONF_INT, AT(write_connections), "4", "1", "64", false, "connections a worker for writes, one write in flight each" },
	{ "database.slow_connections", CONF_INT, AT(slow_connections), "1", "1", "16", false, "connections a worker for searches and exports" },
	{ "database.queue_max", CONF_INT, AT(queue_max), "1000", "1", "100000", false, "statements of one lane waiting for a connection before 503" },
	{ "database.read_timeout", CONF_DURATION, AT(read_timeout), "1s", "10ms", "5min", false, "one short read" },
	{ "database.write_timeout", CONF_DURATION, AT(write_timeout), "5s", "10ms", "5min", false, "one write" },
	{ "database.slow_timeout", CONF_DURATION, AT(slow_timeout), "30s", "10ms", "1h", false, "one search or export" },
	{ "database.lock_timeout", CONF_DURATION, AT(lock_timeout), "500ms", "10ms", "1min", false, "a write waiting for a row that another one holds" },

	{ "executor.user", CONF_TEXT, AT(executor_user), "bimodal_executor", "1", "63", false, "the change executor's role, used by the jobs child alone" },
	{ "executor.password_file", CONF_SECRET, AT(executor_password), "", NULL, NULL, false, "file with its password (core and airlock)" },
	{ "airlock.host", CONF_TEXT, AT(airlock.host), "127.0.0.1", "1", "500", false, "the airlock's PostgreSQL" },
	{ "airlock.port", CONF_TEXT, AT(airlock.port), "7402", "1", "100", false, "port" },
	{ "airlock.name", CONF_TEXT, AT(airlock.name), "bimodal", "1", "63", false, "database" },
	{ "airlock.user", CONF_TEXT, AT(airlock.user), "bimodal_executor", "1", "63", false, "role that follows core's changes there" },
	{ "airlock.password_file", CONF_SECRET, AT(airlock.password), "", NULL, NULL, false, "file with its password" },
	{ "rehearsal.host", CONF_TEXT, AT(rehearsal.host), "127.0.0.1", "1", "500", false, "the disposable PostgreSQL on which changes are rehearsed" },
	{ "rehearsal.port", CONF_TEXT, AT(rehearsal.port), "7404", "1", "100", false, "port" },
	{ "rehearsal.name", CONF_TEXT, AT(rehearsal.name), "postgres", "1", "63", false, "database to connect to when making another" },
	{ "rehearsal.user", CONF_TEXT, AT(rehearsal.user), "bimodal_rehearsal", "1", "63", false, "role that owns that cluster" },
	{ "rehearsal.password_file", CONF_SECRET, AT(rehearsal.password), "", NULL, NULL, false, "file with its password" },

	{ "access.roles_file", CONF_FILE, AT(roles_file), "roles.yaml", NULL, NULL, false, "which role may do what; the same file for both daemons" },
	{ "cursor.key_file", CONF_SECRET, AT(cursor_key), "", NULL, NULL, false, "file with the key that signs list cursors" },

	{ "flags.experiment_share", CONF_INT, AT(flags_experiment_share), "100", "1", "100", false, "largest part of all units, in percent, that an experiment made through the sandbox may take in" },
	{ "flags.experiment_max", CONF_INT, AT(flags_experiment_max), "100", "0", "10000", false, "live experiment flags at most" },

	{ "events.seal_period", CONF_DURATION, AT(events_seal_period), "1s", "100ms", "1min", false, "how often new rows of the event log are sealed into the hash chain" },
	{ "feed.heartbeat_period", CONF_DURATION, AT(feed_heartbeat_period), "1s", "100ms", "1min", false, "how often a heartbeat row goes into the feed" },
	{ "drift.period", CONF_DURATION, AT(drift_period), "30s", "1s", "1h", false, "how often the catalog's fingerprint is compared with the ledger's" },
	{ "change.lock_budget", CONF_DURATION, AT(change_lock_budget), "50ms", "5ms", "10s", false, "how long a change waits for a lock, and everybody behind it, in one try" },
	{ "change.lock_tries", CONF_INT, AT(change_lock_tries), "60", "1", "1000", false, "tries, 100 to 400 ms apart, before a change gives up" },
};
/* clang-format on */
const size_t core_config_keys_count = sizeof(core_config_keys) / sizeof(core_config_keys[0]);
