/*
 * config.c — the own keys of config/core.yaml: type, default, bounds, whether SIGHUP may change it, and its unit.
 */
#include "core/config.h"

#include <stddef.h>

#define AT(field) offsetof(struct core_config, field)

/* One key a line, so that it reads as the table it is. */
/* clang-format off */
const struct conf_key core_config_keys[] = {
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
	{ "rehearsal.rows", CONF_INT, AT(rehearsal_rows), "1000", "10", "100000", false, "made-up rows of each resource that a change is tried on" },
	{ "rehearsal.password_file", CONF_SECRET, AT(rehearsal.password), "", NULL, NULL, false, "file with its password" },

	{ "access.token_lifetime", CONF_DURATION, AT(token_lifetime), "365d", "1h", "3650d", false, "how long a token made through the API lives at most" },
	{ "session.secure", CONF_BOOL, AT(session_secure), "false", NULL, NULL, false, "the cookie is for TLS alone although we speak none: behind a proxy that does; with http.tls it always is" },
	{ "session.idle", CONF_DURATION, AT(session_idle), "30min", "2min", "7d", false, "a console session without a request for so long ends" },
	{ "session.lifetime", CONF_DURATION, AT(session_lifetime), "12h", "5min", "30d", false, "a console session ends after this in any case" },
	{ "session.reset_lifetime", CONF_DURATION, AT(session_reset_lifetime), "24h", "5min", "7d", false, "how long a one-time secret can set a password" },
	{ "session.token_lifetime", CONF_DURATION, AT(session_token_lifetime), "15min", "1min", "15min", false, "life of a sandbox token that a session is exchanged for" },
	{ "session.argon2_memory", CONF_SIZE, AT(session_argon2_memory), "9MiB", "9MiB", "1GiB", false, "memory of one password hash (argon2id); in use at most: workers × hash_threads × this" },
	{ "session.argon2_passes", CONF_INT, AT(session_argon2_passes), "4", "4", "100", false, "passes over it; stored hashes below these two are made anew at the next sign-in" },
	{ "session.hash_threads", CONF_INT, AT(session_hash_threads), "1", "1", "16", false, "threads a worker that hash passwords" },
	{ "session.hash_queue", CONF_INT, AT(session_hash_queue), "64", "0", "4096", false, "sign-ins a worker that wait for a thread; more are told 503 with Retry-After" },
	{ "session.lock_after", CONF_INT, AT(session_lock_after), "5", "1", "100", false, "wrong passwords of one account before each further one doubles a delay of 1 s" },
	{ "session.lock_address_after", CONF_INT, AT(session_lock_address_after), "20", "0", "10000", false, "the same for one client address, over all accounts; 0: never (a proxy makes all clients one)" },
	{ "session.lock_longest", CONF_DURATION, AT(session_lock_longest), "5min", "1s", "1h", false, "longest such delay" },

	{ "oidc.issuer", CONF_TEXT, AT(oidc.issuer), "", "0", "500", false, "identity provider by which people sign in, as it names itself: https://… ; empty: passwords alone" },
	{ "oidc.name", CONF_TEXT, AT(oidc.name), "single sign-on", "1", "100", false, "what people know the provider by" },
	{ "oidc.client_id", CONF_TEXT, AT(oidc.client_id), "", "0", "200", false, "our name there" },
	{ "oidc.client_secret_file", CONF_SECRET, AT(oidc.client_secret), "", NULL, NULL, false, "file with our secret there; empty: a public client" },
	{ "oidc.scopes", CONF_TEXT, AT(oidc.scopes), "openid profile email", "6", "500", false, "what is asked for, with one space between" },
	{ "oidc.redirect_base", CONF_TEXT, AT(oidc.base), "", "0", "500", false, "where browsers reach this server: https://… ; the provider must know <this>/v1/session/oidc/callback" },
	{ "oidc.ca_file", CONF_FILE, AT(oidc.ca_file), "", NULL, NULL, false, "certificates to trust instead of the system's; empty: the system's" },
	{ "oidc.login_claim", CONF_TEXT, AT(oidc.login_claim), "preferred_username", "1", "100", false, "claim that is the login here; email: the user's e-mail address, which the provider must have proven" },
	{ "oidc.group_claim", CONF_TEXT, AT(oidc.group_claim), "groups", "0", "100", false, "claim with the groups; empty: groups give no roles" },
	{ "oidc.roles", CONF_TEXT, AT(oidc.roles), "", "0", "8000", false, "which group gives which role: \"group = role; group = role\"" },
	{ "oidc.create_users", CONF_BOOL, AT(oidc.create), "false", NULL, NULL, false, "make users who are not known here, if a group gives them a role" },
	{ "oidc.sign_in_time", CONF_DURATION, AT(oidc.flow_lifetime), "10min", "1min", "1h", false, "time to come back from the provider" },
	{ "oidc.timeout", CONF_DURATION, AT(oidc.timeout), "5s", "100ms", "9s", false, "the provider's time to answer one call" },
	{ "oidc.keys_max_age", CONF_DURATION, AT(oidc.keys_max_age), "10min", "10s", "1d", false, "the provider's keys and addresses are asked for anew after that; a key that it took away holds no longer" },
	{ "oidc.keys_pause", CONF_DURATION, AT(oidc.keys_pause), "10s", "1s", "10min", false, "pause between two looks for a key that is not known" },
	{ "oidc.clock_skew", CONF_DURATION, AT(oidc.skew), "1min", "0", "5min", false, "difference of the provider's clock and ours that is put up with" },

	{ "flags.experiment_share", CONF_INT, AT(flags_experiment_share), "100", "1", "100", false, "largest part of all units, in percent, that an experiment made through the sandbox may take in" },
	{ "flags.experiment_max", CONF_INT, AT(flags_experiment_max), "100", "0", "10000", false, "live experiment flags at most" },
	{ "flags.ramp_period", CONF_DURATION, AT(flags_ramp_period), "1s", "100ms", "1min", false, "how often ramps and schedules are looked at" },
	{ "flags.guardrail_period", CONF_DURATION, AT(flags_guardrail_period), "1min", "100ms", "1h", false, "how often the guardrails of a ramp are judged on the record" },
	{ "flags.usage_keep", CONF_DURATION, AT(flags_usage_keep), "30d", "1d", "3650d", false, "how long it is known who asked for which flag" },
	{ "flags.usage_recent", CONF_DURATION, AT(flags_usage_recent), "6h", "1min", "7d", false, "a kill names the applications that asked for the flag in such a time and hold no event stream" },
	{ "flags.stale_days", CONF_INT, AT(flags_stale_days), "30", "1", "3650", false, "a flag is stale when for so many days it was off, or neither changed nor met by somebody new, days" },
	{ "flags.expiry_notice", CONF_INT, AT(flags_expiry_notice), "7", "1", "365", false, "so long before a flag expires its owners are told, days" },
	{ "flags.expiry_notice_last", CONF_INT, AT(flags_expiry_notice_last), "1", "1", "365", false, "and so long before once more, days" },

	{ "events.seal_period", CONF_DURATION, AT(events_seal_period), "1s", "100ms", "1min", false, "how often new rows of the event log are sealed into the hash chain" },
	{ "feed.heartbeat_period", CONF_DURATION, AT(feed_heartbeat_period), "1s", "100ms", "1min", false, "how often a heartbeat row goes into the feed" },
	{ "drift.period", CONF_DURATION, AT(drift_period), "30s", "1s", "1h", false, "how often the catalog's fingerprint is compared with the ledger's" },
	{ "change.lock_budget", CONF_DURATION, AT(change_lock_budget), "50ms", "5ms", "10s", false, "how long a change waits for a lock, and everybody behind it, in one try" },
	{ "change.lock_tries", CONF_INT, AT(change_lock_tries), "60", "1", "1000", false, "tries, 100 to 400 ms apart, before a change gives up" },

	{ "notices.period", CONF_DURATION, AT(notices_period), "500ms", "50ms", "1min", false, "how often the event log is looked at for notices, and what is due is sent" },
	{ "notices.keep", CONF_DURATION, AT(notices_keep), "90d", "1d", "3650d", false, "notices older than that are forgotten, but for tasks that still wait" },
	{ "notices.max", CONF_INT, AT(notices_max), "1000", "10", "100000", false, "notices of one principal; the oldest go first" },
	{ "notices.url", CONF_TEXT, AT(console_url), "", "0", "500", false, "where people reach the console, put before the links in e-mails; empty: the path alone" },

	{ "console.folder", CONF_FILE, AT(console_folder), "", NULL, NULL, false, "folder of the built console, served at /console/; empty: none" },
	{ "console.sandbox_origin", CONF_TEXT, AT(console_sandbox_origin), "", "0", "250", false, "the sandbox's address as browsers reach it, https://host[:port]: the console may speak to it; empty: Mode 1 only" },

	{ "smtp.url", CONF_TEXT, AT(smtp_url), "", "0", "500", false, "mail server, smtp://host:port (STARTTLS where it is offered, always with a user) or smtps://host:port; empty: no e-mail" },
	{ "smtp.user", CONF_TEXT, AT(smtp_user), "", "0", "200", false, "login there; empty: none" },
	{ "smtp.password_file", CONF_SECRET, AT(smtp_password), "", NULL, NULL, false, "file with its password" },
	{ "smtp.from", CONF_TEXT, AT(smtp_from), "bimodal@localhost", "3", "200", false, "address of the sender" },
	{ "smtp.ca_file", CONF_FILE, AT(smtp_ca_file), "", NULL, NULL, false, "certificates to trust instead of the system's; empty: the system's" },
	{ "smtp.retry", CONF_DURATION, AT(smtp_retry), "30s", "10ms", "1h", false, "pause after the first failure; doubled after each, ten attempts" },

	{ "live.period", CONF_DURATION, AT(live_period), "250ms", "50ms", "10s", false, "how often a worker with open streams looks at the event log" },
	{ "live.heartbeat", CONF_DURATION, AT(live_heartbeat), "15s", "1s", "5min", false, "a comment to a stream that was told nothing for so long" },
	{ "live.feed_late", CONF_DURATION, AT(live_feed_late), "10s", "100ms", "1h", false, "a copy that is further behind is told as late" },
	{ "live.streams", CONF_INT, AT(live_streams), "1000", "0", "100000", false, "streams a worker" },
	{ "live.per_principal", CONF_INT, AT(live_per_principal), "20", "1", "100000", false, "of these, those of one principal" },
	{ "live.buffer", CONF_SIZE, AT(live_buffer), "64KiB", "16KiB", "1MiB", false, "bytes that may wait for one client; who is slower is told to read everything, and cut off" },
	{ "live.replay", CONF_INT, AT(live_replay), "1000", "0", "2000", false, "events that are gone through for a client that comes back; past that it reads everything" },

	{ "webhook.allow", CONF_TEXT, AT(webhook_allow), "", "0", "2000", false, "private networks that webhooks may reach, as 10.1.0.0/16, fd00::/8; others are refused, and http:// everywhere else" },
	{ "webhook.timeout", CONF_DURATION, AT(webhook_timeout), "15s", "100ms", "1min", false, "a receiver's time to answer" },
	{ "webhook.retry", CONF_DURATION, AT(webhook_retry), "5s", "10ms", "1h", false, "pause after the first failure; then 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h in proportion to it" },
	{ "webhook.disable_after", CONF_DURATION, AT(webhook_disable_after), "5d", "1s", "90d", false, "a webhook that has only failed for so long is switched off" },
};
/* clang-format on */
const size_t core_config_keys_count = sizeof(core_config_keys) / sizeof(core_config_keys[0]);
