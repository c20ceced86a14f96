/*
 * config.c — the own keys of config/sandbox.yaml: type, default, bounds, whether SIGHUP may change it, and its unit.
 */
#include "sandbox/config.h"

#include <stddef.h>

#include "http/client.h"
#include "http/http.h"

#define AT(field) offsetof(struct sandbox_config, field)

/* One key a line, so that it reads as the table it is. */
/* clang-format off */
const struct conf_key sandbox_config_keys[] = {
	{ "deployer.user", CONF_TEXT, AT(deployer_user), "bimodal_deployer", "1", "63", false, "role that makes and removes features' schemas, used by the jobs child alone" },
	{ "deployer.password_file", CONF_SECRET, AT(deployer_password), "", NULL, NULL, false, "file with its password" },

	{ "core.url", CONF_TEXT, AT(core_url), "http://127.0.0.1:7410", "8", "200", false, "core's address, https unless it is on this machine; the only way into core" },
	{ "core.ca_file", CONF_FILE, AT(core_ca_file), "", NULL, NULL, false, "PEM file: the only roots that core's certificate may go back to; empty: those of the system" },
	{ "core.token_file", CONF_SECRET, AT(core_token), "", NULL, NULL, false, "file with the sandbox's own token for core (role service)" },
	{ "core.timeout", CONF_DURATION, AT(core_timeout), "5s", "100ms", "1min", false, "one call to core" },

	{ "console.origin", CONF_TEXT, AT(console_origin), "", "0", "250", false, "address of core's console as browsers reach it, https://host[:port]: its pages may read our answers (CORS); empty: none may" },

	{ "feed.poll_period", CONF_DURATION, AT(feed_poll_period), "1s", "100ms", "1min", false, "how often the state of the subscriptions is looked at" },
	{ "feature.max", CONF_INT, AT(features_max), "200", "1", "1000", false, "hypothesis features alive at once" },
	{ "feature.query_timeout", CONF_DURATION, AT(feature_query_timeout), "250ms", "10ms", "10s", false, "one query of an endpoint" },
	{ "feature.metric_timeout", CONF_DURATION, AT(feature_metric_timeout), "10s", "100ms", "5min", false, "one query of a metric, for at most 2000 people" },
	{ "experiment.period", CONF_DURATION, AT(experiment_period), "1s", "100ms", "1h", false, "how often outcomes are folded and guardrails looked at" },

	{ "feed.stale_after", CONF_DURATION, AT(feed_stale_after), "60s", "1s", "1h", false, "age of the copy from which on the sandbox refuses writes" },
};
/* clang-format on */
const size_t sandbox_config_keys_count =
	sizeof(sandbox_config_keys) / sizeof(sandbox_config_keys[0]);

void
sandbox_config_rules(const struct conf *c, const struct daemon_config *config,
		     struct yaml_errors *e)
{
	const struct sandbox_config *own = (const struct sandbox_config *)(const void *)config;

	if (!http_client_is_safe(own->core_url))
		conf_error(c, "core.url", e,
			   "%s would send our token in the clear to another machine: https is "
			   "required",
			   own->core_url);
	if (own->console_origin[0] != '\0' && !http_origin_valid(own->console_origin))
		conf_error(c, "console.origin", e,
			   "%s is not an origin such as https://core.example.org:7410",
			   own->console_origin);
}
