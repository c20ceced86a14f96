/*
 * config.h — the configuration of bimodal-core: one struct, filled from config/core.yaml by the table in config.c.
 */
#ifndef BIMODAL_CORE_CONFIG_H
#define BIMODAL_CORE_CONFIG_H

#include <stdint.h>

#include "base/clock.h"
#include "base/conf.h"

/* One PostgreSQL login: where, as whom. */
struct core_login {
	const char *host; /* name, address or socket folder; several with commas */
	const char *port;
	const char *name; /* database */
	const char *user;
	const char *password; /* content of the password file */
};

struct core_config {
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

	struct core_login database;
	int64_t read_connections;
	int64_t read_depth;
	int64_t write_connections;
	int64_t slow_connections;
	int64_t queue_max;
	usec_t read_timeout;
	usec_t write_timeout;
	usec_t slow_timeout;
	usec_t lock_timeout;

	const char *executor_user;
	const char *executor_password;
	struct core_login airlock;
	struct core_login rehearsal;

	const char *roles_file;
	const char *cursor_key;

	int64_t flags_experiment_share;
	int64_t flags_experiment_max;

	usec_t events_seal_period;
	usec_t feed_heartbeat_period;
	usec_t drift_period;
	usec_t change_lock_budget;
	int64_t change_lock_tries;
};

extern const struct conf_key core_config_keys[];
extern const size_t core_config_keys_count;

#endif
