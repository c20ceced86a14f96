/*
 * seen.c — GET /v1/people/{id}/flags: what the flags have given to a person, for those who are asked "why did I see this?". A row is the
 * first exposure to a flag: variation, revision, moment; explain tells of that moment what decided. Exposures are kept under the person's
 * pseudonym, which is in no answer; people outside the caller's scope are not there.
 */
#include "core/flags/internal.h"

#define SEEN_DEFAULT 50
#define SEEN_MAX 200

static enum step
seen_read(struct task *t)
{
	const struct str after = http_query(t, "after");
	struct str owners = STR_NONE;
	const char *limit = http_page_limit(t, SEEN_DEFAULT, SEEN_MAX);

	if (limit == NULL || access_require(t, STR("people.read")) != ERR_OK ||
	    access_require(t, STR("flag.read")) != ERR_OK)
		return task_fail(t);
	if (!core_flags_owners(t, STR("people"), &owners))
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	const struct postgres_param params[] = {
		P_STR(http_param(t, "id")),
		{ .value = owners, .is_null = owners.p == NULL },
		P_STR(after.p != NULL ? after : STR("")),
		P_TEXT(limit),
	};
	return postgres_wait(core_flags_conf.pool, t, &sql_flag_given, params, ARRAY_LEN(params));
}

static enum step
seen_answer(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no such person");
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 0),
							 .has_more = postgres_bool(t, 0, 0, 1),
							 .next = postgres_value(t, 0, 0, 2) });
}

const struct step_row core_flags_seen_steps[] = {
	{ "read", seen_read },
	{ "answer", seen_answer },
	{ NULL, NULL },
};
