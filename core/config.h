/*
 * config.h — the configuration of bimodal-core: what it has beside the common part, filled from config/core.yaml by the table in config.c.
 */
#ifndef BIMODAL_CORE_CONFIG_H
#define BIMODAL_CORE_CONFIG_H

#include <stdint.h>

#include "base/clock.h"
#include "base/conf.h"
#include "core/session/session.h"
#include "daemon/config.h"

struct core_config {
	struct daemon_config common;

	const char *executor_user;
	const char *executor_password;
	struct daemon_login airlock;
	struct daemon_login rehearsal;
	int64_t rehearsal_rows;

	usec_t token_lifetime;
	bool session_secure;
	usec_t session_idle;
	usec_t session_lifetime;
	usec_t session_reset_lifetime;
	usec_t session_token_lifetime;
	int64_t session_argon2_memory;
	int64_t session_argon2_passes;
	int64_t session_hash_threads;
	int64_t session_hash_queue;
	int64_t session_lock_after;
	int64_t session_lock_address_after;
	usec_t session_lock_longest;
	struct core_oidc_conf oidc;

	int64_t flags_experiment_share;
	int64_t flags_experiment_max;
	usec_t flags_ramp_period;
	usec_t flags_guardrail_period;
	usec_t flags_usage_keep;
	usec_t flags_usage_recent;
	int64_t flags_stale_days;
	int64_t flags_expiry_notice;
	int64_t flags_expiry_notice_last;

	usec_t events_seal_period;
	usec_t feed_heartbeat_period;
	usec_t drift_period;
	usec_t change_lock_budget;
	int64_t change_lock_tries;

	usec_t notices_period;
	usec_t notices_keep;
	int64_t notices_max;
	const char *console_url;

	const char *console_folder;
	const char *console_sandbox_origin;

	const char *smtp_url;
	const char *smtp_user;
	const char *smtp_password;
	const char *smtp_from;
	const char *smtp_ca_file;
	usec_t smtp_retry;

	usec_t live_period;
	usec_t live_heartbeat;
	usec_t live_feed_late;
	int64_t live_streams;
	int64_t live_per_principal;
	int64_t live_buffer;
	int64_t live_replay;

	const char *webhook_allow;
	usec_t webhook_timeout;
	usec_t webhook_retry;
	usec_t webhook_disable_after;
};

extern const struct conf_key core_config_keys[];
extern const size_t core_config_keys_count;

#endif
