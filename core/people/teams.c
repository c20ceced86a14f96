/*
 * teams.c — teams (departments) and their members. A team is archived, never deleted: what happened in it keeps its name.
 */
#include "core/people/internal.h"

static enum step
list_read(struct task *t)
{
	const struct str after = http_query(t, "after");
	const struct str slug = http_query(t, "slug");
	const char *limit = people_limit(t);
	struct str parent;
	bool archived = false;

	if (limit == NULL || !people_query_flag(t, "archived", &archived) ||
	    !people_query_uuid(t, "parent", &parent))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(after.p != NULL ? after : STR("")),
		P_TEXT(archived ? "true" : "false"),
		{ .value = parent, .is_null = parent.p == NULL },
		{ .value = slug, .is_null = slug.p == NULL },
		P_TEXT(limit),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_team_list, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_team_list_steps[] = {
	{ "read", list_read },
	{ "answer", people_answer_page },
	{ NULL, NULL },
};

static enum step
get_read(struct task *t)
{
	return postgres_wait(core_people_conf.pool, t, &sql_people_team_get,
			     (struct postgres_param[]) { P_STR(http_param(t, "id")) }, 1);
}

const struct step_row core_people_team_get_steps[] = {
	{ "read", get_read },
	{ "answer", people_answer },
	{ NULL, NULL },
};

static enum step
create_write(struct task *t)
{
	static const struct people_member known[] = {
		{ "name", PEOPLE_TEXT, PEOPLE_REQUIRED },
		{ "slug", PEOPLE_TEXT, PEOPLE_REQUIRED },
		{ "parent", PEOPLE_UUID, PEOPLE_NULLABLE },
		{ NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL },
	};
	const char **id = task_state(t, sizeof(const char *));
	struct people_body b;

	if (id == NULL || (*id = people_id(t)) == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (!people_body(t, known, &b))
		return task_fail(t);
	const struct postgres_param params[] = { P_TEXT(people_actor(t)), P_STR(http_request_id(t)),
						 P_TEXT(*id), P_STR(http_body(t)) };
	return postgres_wait(core_people_conf.pool, t, &sql_people_team_create, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_team_create_steps[] = {
	{ "write", create_write },
	{ "answer", people_answer_created },
	{ NULL, NULL },
};

static enum step
change(struct task *t, struct str version, const char *archived)
{
	const struct postgres_param params[] = {
		P_TEXT(people_actor(t)),    P_STR(http_request_id(t)),
		P_STR(http_param(t, "id")), { .value = version, .is_null = version.p == NULL },
		P_STR(people_raw(t)),       P_TEXT(archived),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_team_change, params,
			     ARRAY_LEN(params));
}

static enum step
change_write(struct task *t)
{
	static const struct people_member known[] = {
		{ "name", PEOPLE_TEXT, PEOPLE_OPTIONAL },
		{ "slug", PEOPLE_TEXT, PEOPLE_OPTIONAL },
		{ "parent", PEOPLE_UUID, PEOPLE_NULLABLE },
		{ NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL },
	};
	struct people_body b;
	struct str version;

	if (!people_if_match(t, &version) || !people_body(t, known, &b))
		return task_fail(t);
	if (b.n == 0)
		return task_fail_set(t, ERR_INVALID, NULL, "the body names nothing to change");
	return change(t, version, NULL);
}

const struct step_row core_people_team_change_steps[] = {
	{ "write", change_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};

static enum step
archive(struct task *t, const char *archived)
{
	static const struct people_member known[] = { { NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL } };
	struct people_body b;

	return people_body(t, known, &b) ? change(t, STR_NONE, archived) : task_fail(t);
}

static enum step
archive_write(struct task *t)
{
	return archive(t, "true");
}

static enum step
restore_write(struct task *t)
{
	return archive(t, "false");
}

const struct step_row core_people_team_archive_steps[] = {
	{ "write", archive_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};

const struct step_row core_people_team_restore_steps[] = {
	{ "write", restore_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};

/* ---- members ---- */

static enum step
member_list_read(struct task *t)
{
	const struct str after = http_query(t, "after");
	const char *limit = people_limit(t);

	if (limit == NULL)
		return task_fail(t);
	const struct postgres_param params[] = { P_STR(http_param(t, "id")),
						 P_STR(after.p != NULL ? after : STR("")),
						 P_TEXT(limit) };
	return postgres_wait(core_people_conf.pool, t, &sql_people_member_list, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_member_list_steps[] = {
	{ "read", member_list_read },
	{ "answer", people_answer_page },
	{ NULL, NULL },
};

static enum step
member(struct task *t, const char *is_lead)
{
	const struct postgres_param params[] = {
		P_TEXT(people_actor(t)),      P_STR(http_request_id(t)), P_STR(http_param(t, "id")),
		P_STR(http_param(t, "user")), P_TEXT(is_lead),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_team_member, params,
			     ARRAY_LEN(params));
}

static enum step
member_put_write(struct task *t)
{
	static const struct people_member known[] = { { "is_lead", PEOPLE_BOOL, PEOPLE_OPTIONAL },
						      { NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL } };
	struct people_body b;

	if (!people_body(t, known, &b))
		return task_fail(t);
	const struct json_member *lead = people_get(&b, "is_lead");
	return member(t, lead != NULL && lead->kind == JSON_TRUE ? "true" : "false");
}

const struct step_row core_people_member_put_steps[] = {
	{ "write", member_put_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};

static enum step
member_delete_write(struct task *t)
{
	static const struct people_member known[] = { { NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL } };
	struct people_body b;

	return people_body(t, known, &b) ? member(t, NULL) : task_fail(t);
}

const struct step_row core_people_member_delete_steps[] = {
	{ "write", member_delete_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};
