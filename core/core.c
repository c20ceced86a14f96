/*
 * core.c — what the worker and the jobs child of core, and its one-off commands, all need: the executor's login and pools of one connection.
 */
#include "core/core.h"

struct daemon_login
core_executor_login(const struct core *c)
{
	struct daemon_login login = c->config.common.database;
	login.user = c->config.executor_user;
	login.password = c->config.executor_password;
	return login;
}

enum err
core_job_pool(struct core *c, const char *label, const struct daemon_login *login,
	      usec_t statement_timeout, struct postgres_pool **out, struct err_info *info)
{
	return daemon_job_pool(
		c->loop, c->tasks, &c->strings,
		&(struct daemon_job_pool_conf) {
			.label = label, .login = login, .statement_timeout = statement_timeout },
		out, info);
}
