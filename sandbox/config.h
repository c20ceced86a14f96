/*
 * config.h — the configuration of bimodal-sandbox: what it has beside the common part, filled from config/sandbox.yaml by the table in config.c.
 */
#ifndef BIMODAL_SANDBOX_CONFIG_H
#define BIMODAL_SANDBOX_CONFIG_H

#include <stdint.h>

#include "base/clock.h"
#include "base/conf.h"
#include "daemon/config.h"

struct sandbox_config {
	struct daemon_config common;

	const char *deployer_user;
	const char *deployer_password;

	const char *core_url;
	const char *core_token;
	const char *core_ca_file;
	usec_t core_timeout;

	const char *console_origin;

	usec_t feed_poll_period;
	usec_t feed_stale_after;

	int64_t features_max;
	usec_t feature_query_timeout;
	usec_t feature_metric_timeout;
	usec_t experiment_period;
};

extern const struct conf_key sandbox_config_keys[];
extern const size_t sandbox_config_keys_count;
/* What the types cannot say: what goes to core must not be readable on the way, and the console's origin is one. */
void sandbox_config_rules(const struct conf *c, const struct daemon_config *config,
			  struct yaml_errors *e);

#endif
