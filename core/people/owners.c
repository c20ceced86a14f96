/*
 * owners.c — GET /v1/owners: are these two names an owner pair? For who has only names and must know before he goes on: the sandbox, before
 * it deploys a hypothesis. What is written checks its pair itself, in the transaction that writes.
 */
#include "core/people/internal.h"

static enum step
owners_read(struct task *t)
{
	static const char *const sides[] = { "business_owner", "technical_owner" };
	struct postgres_param params[ARRAY_LEN(sides)];

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		const struct str name = http_query(t, sides[i]);
		if (name.p == NULL || name.len > PEOPLE_TEXT_MAX)
			return task_fail_set(t, ERR_BAD_REQUEST, sides[i], "must be a user's name");
		params[i] = (struct postgres_param)P_STR(name);
	}
	if (str_eq(http_query(t, sides[0]), http_query(t, sides[1])))
		return task_fail_set(t, ERR_INVALID, "/technical_owner",
				     "the business and the technical owner must be two people");
	return postgres_wait(core_people_conf.pool, t, &sql_people_owners, params,
			     ARRAY_LEN(params));
}

static enum step
owners_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

const struct step_row core_people_owners_steps[] = {
	{ "read", owners_read },
	{ "answer", owners_answer },
	{ NULL, NULL },
};
