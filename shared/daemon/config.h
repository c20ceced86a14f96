/*
 * config.h — the part of the configuration that both daemons have: instance, log, HTTP, process, database, roles, cursors. A daemon's own
 * struct begins with a `struct daemon_config`, and its table of keys is joined to the one here.
 */
#ifndef BIMODAL_DAEMON_CONFIG_H
#define BIMODAL_DAEMON_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "http/http.h"
#include "postgres/postgres.h"

#define DAEMON_KEYS_MAX 128

/* One PostgreSQL login: where, as whom. */
struct daemon_login {
	const char *host; /* name, address or socket folder; several with commas */
	const char *port;
	const char *name; /* database */
	const char *user;
	const char *password; /* content of the password file */
};

struct daemon_config {
	const char *instance;
	const char *log_level;

	const char *http_address;
	int64_t http_port;
	const char *tls_certificate; /* paths; both or none */
	const char *tls_key;
	const char *http_port_file;
	int64_t http_workers;
	int64_t http_max_connections;
	int64_t http_max_per_address;
	usec_t http_head_deadline;
	usec_t http_body_deadline;
	usec_t http_idle_deadline;
	usec_t http_write_deadline;
	usec_t http_task_deadline;
	usec_t http_grace;

	const char *pid_file;

	struct daemon_login database;
	int64_t read_connections;
	int64_t read_depth;
	int64_t write_connections;
	int64_t slow_connections;
	int64_t queue_max;
	usec_t read_timeout;
	usec_t write_timeout;
	usec_t slow_timeout;
	usec_t lock_timeout;

	usec_t limit_window;
	int64_t limit_address;
	int64_t limit_operator;
	int64_t limit_innovator;
	int64_t limit_product_owner;
	int64_t limit_agent;
	int64_t limit_service;
	int64_t limit_other;

	const char *roles_file;
	const char *cursor_key;

	const char *ofrep_origins;
	usec_t ofrep_wait;
	int64_t ofrep_streams;
	int64_t ofrep_per_principal;
	usec_t ofrep_heartbeat;
	usec_t ofrep_ticket_lifetime;
	usec_t ofrep_usage_period;
};

/* Where the daemons differ in what they share. */
struct daemon_config_defaults {
	const char *instance;
	const char *http_port;
	const char *database_port;
};

/*
 * Write the common keys, with these defaults, and the daemon's own into `out` (room for DAEMON_KEYS_MAX); returns how many. Dies if
 * there are more.
 */
size_t daemon_config_join(const struct daemon_config_defaults *defaults, const struct conf_key *own,
			  size_t n_own, struct conf_key *out);

/* The quotas, as the members of the struct they are for, which this floor does not know: struct access_limits. */
#define DAEMON_LIMITS(c)                                                                           \
	.window = (c)->limit_window, .address = (c)->limit_address, .other = (c)->limit_other,     \
	.of = { { "operator", (c)->limit_operator },                                               \
		{ "innovator", (c)->limit_innovator },                                             \
		{ "product_owner", (c)->limit_product_owner },                                     \
		{ "agent", (c)->limit_agent },                                                     \
		{ "service", (c)->limit_service } },                                               \
	.n = 5

/* conninfo of one login, in the arena; `extra` is put behind it, or NULL. */
const char *daemon_conninfo(struct arena *a, const struct daemon_login *login, const char *extra);

/* The workers' pool: lanes and limits as configured. */
MUST_CHECK enum err daemon_app_pool(struct loop *l, struct task_engine *e, struct arena *strings,
				    const struct daemon_config *config, const char *label,
				    const struct postgres_stmt *const *stmts, unsigned worker,
				    struct postgres_pool **out, struct err_info *info);

/* A pool of SLOW connections for jobs and commands. */
struct daemon_job_pool_conf {
	const char *label;
	const struct daemon_login *login;
	const char *extra;    /* behind the conninfo, or NULL */
	unsigned connections; /* 0 = 1 */
	usec_t statement_timeout;
};
MUST_CHECK enum err daemon_job_pool(struct loop *l, struct task_engine *e, struct arena *strings,
				    const struct daemon_job_pool_conf *conf,
				    struct postgres_pool **out, struct err_info *info);

/* What the HTTP server is configured with; guard and access line are the daemon's. */
struct http_conf daemon_http_conf(const struct daemon_config *config);

#endif
