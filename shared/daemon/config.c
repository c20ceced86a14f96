/*
 * config.c — the keys both daemons have, and what is made from them: pools and the HTTP server's settings.
 */
#include "daemon/config.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/tls.h"

#define AT(field) offsetof(struct daemon_config, field)
#define ARENA_BYTES_A_REQUEST ((size_t)16 * 1024 * 1024)

/* One key a line, so that it reads as the table it is. Defaults that differ are set in daemon_config_join. */
/* clang-format off */
static const struct conf_key common_keys[] = {
	{ "instance.name", CONF_TEXT, AT(instance), NULL, "1", "60", false, "name of this instance in acknowledgements and logs" },

	{ "log.level", CONF_TEXT, AT(log_level), "info", "1", "10", true, "error, warn, info, debug or trace" },

	{ "http.address", CONF_TEXT, AT(http_address), "127.0.0.1", "1", "60", false, "address to listen on" },
	{ "http.port", CONF_INT, AT(http_port), NULL, "0", "65535", false, "TCP port; 0 takes a free one (see http.port_file)" },
	{ "http.tls.certificate", CONF_FILE, AT(tls_certificate), "", NULL, NULL, true, "PEM file: the certificate, then those up to the root; empty: no TLS, on loopback alone" },
	{ "http.tls.key", CONF_PRIVATE, AT(tls_key), "", NULL, NULL, true, "PEM file with its private key, readable by us alone, without a passphrase" },
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
	{ "database.port", CONF_TEXT, AT(database.port), NULL, "1", "100", false, "port, or one for each host" },
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

	{ "limits.window", CONF_DURATION, AT(limit_window), "10s", "1s", "1h", false, "the quotas below are requests in any such time; a batch counts its rows" },
	{ "limits.address", CONF_INT, AT(limit_address), "100000", "0", "1000000000", false, "of one client address without a valid token; 0: no limit" },
	{ "limits.operator", CONF_INT, AT(limit_operator), "100000", "0", "1000000000", false, "of a principal with this role; of several roles the largest holds; 0: no limit" },
	{ "limits.innovator", CONF_INT, AT(limit_innovator), "100000", "0", "1000000000", false, "likewise" },
	{ "limits.product_owner", CONF_INT, AT(limit_product_owner), "100000", "0", "1000000000", false, "likewise" },
	{ "limits.agent", CONF_INT, AT(limit_agent), "5000000", "0", "1000000000", false, "likewise; applications that import are agents" },
	{ "limits.service", CONF_INT, AT(limit_service), "5000000", "0", "1000000000", false, "likewise" },
	{ "limits.other", CONF_INT, AT(limit_other), "100000", "0", "1000000000", false, "of a principal with other roles, or none" },

	{ "access.roles_file", CONF_FILE, AT(roles_file), "roles.yaml", NULL, NULL, false, "which role may do what; the same file for both daemons" },

	{ "cursor.key_file", CONF_SECRET, AT(cursor_key), "", NULL, NULL, false, "file with the key that signs list cursors and the tickets of event streams" },

	{ "ofrep.origins", CONF_TEXT, AT(ofrep_origins), "", "0", "4000", false, "web pages of these origins may evaluate flags (CORS): https://host[:port], with a space between; empty: none" },
	{ "ofrep.wait", CONF_DURATION, AT(ofrep_wait), "3s", "0", "4s", false, "how long an evaluation waits for flags that the client was told of and this worker has not read yet" },
	{ "ofrep.streams", CONF_INT, AT(ofrep_streams), "1000", "0", "100000", false, "event streams a worker" },
	{ "ofrep.per_principal", CONF_INT, AT(ofrep_per_principal), "1000", "1", "100000", false, "of these, those of one principal: every page of an application may be one" },
	{ "ofrep.heartbeat", CONF_DURATION, AT(ofrep_heartbeat), "15s", "1s", "5min", false, "a comment to a stream that was told nothing for so long" },
	{ "ofrep.ticket_lifetime", CONF_DURATION, AT(ofrep_ticket_lifetime), "10min", "1s", "1d", false, "an event stream can be opened so long, at most twice, by the address that an evaluation gave" },
	{ "ofrep.usage_period", CONF_DURATION, AT(ofrep_usage_period), "5s", "100ms", "1min", false, "how often a worker tells who asked for which flags, and which event streams are open" },
};
/* clang-format on */

static void
default_set(struct conf_key *keys, size_t n, const char *name, const char *def)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i].name, name) == 0)
			keys[i].def = def;
}

size_t
daemon_config_join(const struct daemon_config_defaults *defaults, const struct conf_key *own,
		   size_t n_own, struct conf_key *out)
{
	const size_t n = ARRAY_LEN(common_keys);

	BUG_ON(n + n_own > DAEMON_KEYS_MAX);
	memcpy(out, common_keys, sizeof(common_keys));
	memcpy(out + n, own, n_own * sizeof(*own));
	default_set(out, n, "instance.name", defaults->instance);
	default_set(out, n, "http.port", defaults->http_port);
	default_set(out, n, "database.port", defaults->database_port);
	return n + n_own;
}

const char *
daemon_conninfo(struct arena *a, const struct daemon_login *login, const char *extra)
{
	const char *conninfo = postgres_conninfo(
		a, login->host, login->port, login->name, login->user, login->password,
		"connect_timeout=5 target_session_attrs=read-write "
		"keepalives_idle=10 keepalives_interval=5 tcp_user_timeout=15000");
	return extra != NULL && conninfo != NULL ? arena_printf(a, "%s %s", conninfo, extra)
						 : conninfo;
}

enum err
daemon_app_pool(struct loop *l, struct task_engine *e, struct arena *strings,
		const struct daemon_config *config, const char *label,
		const struct postgres_stmt *const *stmts, unsigned worker,
		struct postgres_pool **out, struct err_info *info)
{
	const unsigned queue_max = (unsigned)config->queue_max;
	const struct postgres_conf conf = {
		.label = label,
		.conninfo = daemon_conninfo(strings, &config->database, NULL),
		.lanes = {
			[POSTGRES_READ] = { .connections = (unsigned)config->read_connections,
			                    .depth = (unsigned)config->read_depth,
			                    .queue_max = queue_max,
			                    .statement_timeout = config->read_timeout },
			[POSTGRES_WRITE] = { .connections = (unsigned)config->write_connections,
			                     .depth = 1,
			                     .queue_max = queue_max,
			                     .statement_timeout = config->write_timeout,
			                     .lock_timeout = config->lock_timeout },
			[POSTGRES_SLOW] = { .connections = (unsigned)config->slow_connections,
			                    .depth = 1,
			                    .queue_max = queue_max,
			                    .statement_timeout = config->slow_timeout },
		},
		.stmts = stmts,
		.worker = (int)worker,
	};
	return postgres_pool_create(l, e, &conf, out, info);
}

enum err
daemon_job_pool(struct loop *l, struct task_engine *e, struct arena *strings,
		const struct daemon_job_pool_conf *job, struct postgres_pool **out,
		struct err_info *info)
{
	static const struct postgres_stmt *const none[] = { NULL };
	const struct postgres_conf conf = {
		.label = job->label,
		.conninfo = daemon_conninfo(strings, job->login, job->extra),
		.lanes = { [POSTGRES_SLOW] = { .connections = MAX(job->connections, 1),
					       .depth = 1,
					       .queue_max = 100,
					       .statement_timeout = job->statement_timeout } },
		.stmts = none,
		.worker = -2,
	};
	return postgres_pool_create(l, e, &conf, out, info);
}

struct http_conf
daemon_http_conf(const struct daemon_config *config)
{
	return (struct http_conf) {
		.head_deadline = config->http_head_deadline,
		.body_deadline = config->http_body_deadline,
		.idle_deadline = config->http_idle_deadline,
		.write_deadline = config->http_write_deadline,
		.task_deadline = config->http_task_deadline,
		.max_connections = (unsigned)config->http_max_connections,
		.max_per_address = (unsigned)config->http_max_per_address,
		.arena_cap = ARENA_BYTES_A_REQUEST,
		.tls = daemon_tls(),
		.cors_prefix = "/ofrep/",
		.cors_origins = config->ofrep_origins,
	};
}
