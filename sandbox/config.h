/*
 * config.h — the configuration of bimodal-sandbox: one struct, filled from config/sandbox.yaml by the table in config.c.
 */
#ifndef BIMODAL_SANDBOX_CONFIG_H
#define BIMODAL_SANDBOX_CONFIG_H

#include <stdint.h>

#include "base/clock.h"
#include "base/conf.h"

/* One PostgreSQL login: where, as whom. */
struct sandbox_login {
	const char *host; /* name, address or socket folder; several with commas */
	const char *port;
	const char *name; /* database */
	const char *user;
	const char *password; /* content of the password file */
};

struct sandbox_config {
	const char *instance;
	const char *log_level;

	const char *http_address;
	int64_t http_port;
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

	struct sandbox_login database;
	int64_t read_connections;
	int64_t read_depth;
	int64_t write_connections;
	int64_t slow_connections;
	int64_t queue_max;
	usec_t read_timeout;
	usec_t write_timeout;
	usec_t slow_timeout;
	usec_t lock_timeout;

	const char *deployer_user;
	const char *deployer_password;

	const char *core_url;
	const char *core_token;
	usec_t core_timeout;

	const char *roles_file;
	const char *cursor_key;

	usec_t feed_poll_period;
	usec_t feed_stale_after;

	int64_t features_max;
	usec_t feature_query_timeout;
	usec_t feature_metric_timeout;
	usec_t experiment_period;
};

extern const struct conf_key sandbox_config_keys[];
extern const size_t sandbox_config_keys_count;

#endif
