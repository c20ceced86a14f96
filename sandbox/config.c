/*
 * config.c — every key of config/sandbox.yaml: type, default, bounds, whether SIGHUP may change it, and its unit.
 */
#include "sandbox/config.h"

#include <stddef.h>

#define AT(field) offsetof(struct sandbox_config, field)

/* One key a line, so that it reads as the table it is. */
/* clang-format off */
const struct conf_key sandbox_config_keys[] = {
	{ "instance.name", CONF_TEXT, AT(instance), "sandbox-1", "1", "60", false, "name of this instance in acknowledgements and logs" },
	{ "log.level", CONF_TEXT, AT(log_level), "info", "1", "10", true, "error, warn, info, debug or trace" },

	{ "http.address", CONF_TEXT, AT(http_address), "127.0.0.1", "1", "60", false, "address to listen on" },
	{ "http.port", CONF_INT, AT(http_port), "7420", "0", "65535", false, "TCP port; 0 takes a free one (see http.port_file)" },
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
	{ "database.port", CONF_TEXT, AT(database.port), "7403", "1", "100", false, "port, or one for each host" },
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

	{ "deployer.user", CONF_TEXT, AT(deployer_user), "bimodal_deployer", "1", "63", false, "role that makes and removes features' schemas, used by the jobs child alone" },
	{ "deployer.password_file", CONF_SECRET, AT(deployer_password), "", NULL, NULL, false, "file with its password" },

	{ "core.url", CONF_TEXT, AT(core_url), "http://127.0.0.1:7410", "8", "200", false, "core's HTTP address; the only way into core" },
	{ "core.token_file", CONF_SECRET, AT(core_token), "", NULL, NULL, false, "file with the sandbox's own token for core (role service)" },
	{ "core.timeout", CONF_DURATION, AT(core_timeout), "5s", "100ms", "1min", false, "one call to core" },

	{ "access.roles_file", CONF_FILE, AT(roles_file), "roles.yaml", NULL, NULL, false, "which role may do what; the same file for both daemons" },
	{ "cursor.key_file", CONF_SECRET, AT(cursor_key), "", NULL, NULL, false, "file with the key that signs list cursors" },

	{ "feed.poll_period", CONF_DURATION, AT(feed_poll_period), "1s", "100ms", "1min", false, "how often the state of the subscriptions is looked at" },
	{ "feature.max", CONF_INT, AT(features_max), "200", "1", "1000", false, "hypothesis features alive at once" },
	{ "feature.query_timeout", CONF_DURATION, AT(feature_query_timeout), "250ms", "10ms", "10s", false, "one query of an endpoint" },
	{ "feature.metric_timeout", CONF_DURATION, AT(feature_metric_timeout), "10s", "100ms", "5min", false, "one query of a metric, for at most 2000 people" },
	{ "experiment.period", CONF_DURATION, AT(experiment_period), "1s", "100ms", "1h", false, "how often outcomes are folded and guardrails looked at" },

	{ "feed.stale_after", CONF_DURATION, AT(feed_stale_after), "60s", "1s", "1h", false, "age of the copy from which on the sandbox refuses writes" },
};
/* clang-format on */
const size_t sandbox_config_keys_count = sizeof(sandbox_config_keys) / sizeof(sandbox_config_keys[0]);
