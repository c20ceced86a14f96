/*
 * sandbox.c — what the worker and the jobs child of the sandbox both need: the deployer's login, pools for jobs, the way into core, a
 * runtime of features.
 */
#include "sandbox/sandbox.h"

struct daemon_login
sandbox_deployer_login(const struct sandbox *c)
{
	struct daemon_login login = c->config.common.database;
	login.user = c->config.deployer_user;
	login.password = c->config.deployer_password;
	return login;
}

enum err
sandbox_job_pool(struct sandbox *c, const char *label, const struct daemon_login *login,
		 unsigned connections, const char *extra, usec_t statement_timeout,
		 struct postgres_pool **out, struct err_info *info)
{
	return daemon_job_pool(c->loop, c->tasks, &c->strings,
			       &(struct daemon_job_pool_conf) {
				       .label = label,
				       .login = login,
				       .extra = extra,
				       .connections = connections,
				       .statement_timeout = statement_timeout,
			       },
			       out, info);
}

void
sandbox_core_start(struct sandbox *c)
{
	if (c->core == NULL)
		c->core = http_client_create(c->loop, c->tasks,
					     &(struct http_client_conf) {
						     .base = c->config.core_url,
						     .token = c->config.core_token,
						     .ca_file = c->config.core_ca_file,
						     .timeout = c->config.core_timeout,
					     });
}

struct feature_runtime *
sandbox_runtime(struct sandbox *c, int worker, bool measures)
{
	return feature_runtime_create(c->loop, c->tasks,
				      &(struct feature_runtime_conf) {
					      .label = SANDBOX_FEATURE_LABEL,
					      .worker = worker,
					      .statement_timeout = c->config.feature_query_timeout,
					      .metric_timeout = c->config.feature_metric_timeout,
					      .measures = measures,
				      });
}

void
sandbox_shared_finish(void *arg)
{
	struct sandbox *c = arg;

	feature_runtime_destroy(c->features);
	feature_runtime_destroy(c->metrics);
	c->features = NULL;
	c->metrics = NULL;
	http_client_destroy(c->core);
	c->core = NULL;
}
