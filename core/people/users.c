/*
 * users.c — users and service principals: list, show, make, change, disable, roles, hand-over. The private part (e-mail and
 * language) is for those who administer people, and for oneself.
 */
#include "core/people/internal.h"

#define QUERY_BYTES_MAX 100

/* ---- reading ---- */

static enum step
list_read(struct task *t)
{
	const struct str q = http_query(t, "q");
	const struct str after = http_query(t, "after");
	const struct str name = http_query(t, "name");
	const char *limit = people_limit(t);
	struct str kind, state, team;

	if (limit == NULL || !people_query_word(t, "kind", "user", "service", &kind) ||
	    !people_query_word(t, "state", "active", "disabled", &state) ||
	    !people_query_uuid(t, "team", &team))
		return task_fail(t);
	if (q.len > QUERY_BYTES_MAX)
		return task_fail_set(t, ERR_BAD_REQUEST, "q", "must have at most %d bytes",
				     QUERY_BYTES_MAX);
	const struct postgres_param params[] = {
		P_STR(after.p != NULL ? after : STR("")),
		{ .value = kind, .is_null = kind.p == NULL },
		{ .value = state, .is_null = state.p == NULL },
		{ .value = q, .is_null = q.p == NULL },
		{ .value = name, .is_null = name.p == NULL },
		{ .value = team, .is_null = team.p == NULL },
		P_TEXT(people_may(t, "user.write") ? "true" : "false"),
		P_TEXT(limit),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_user_list, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_user_list_steps[] = {
	{ "read", list_read },
	{ "answer", people_answer_page },
	{ NULL, NULL },
};

static enum step
get_read(struct task *t)
{
	const struct str id = http_param(t, "id");
	const bool private = people_is_self(t, id) || people_may(t, "user.write");
	const struct postgres_param params[] = { P_STR(id), P_TEXT(private ? "true" : "false") };
	return postgres_wait(core_people_conf.pool, t, &sql_people_user_get, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_user_get_steps[] = {
	{ "read", get_read },
	{ "answer", people_answer },
	{ NULL, NULL },
};

/* ---- roles ---- */

static bool
role_known(struct str word)
{
	for (size_t i = 0; i < access_role_count(core_people_conf.access); i++)
		if (str_eq(word, access_role_name(core_people_conf.access, i)))
			return true;
	return false;
}

/* The roles that the one who asks may give and take, as a text[] parameter. */
static const char *
grantable(struct task *t)
{
	const char *list = "";
	for (size_t i = 0; i < access_role_count(core_people_conf.access) && list != NULL; i++) {
		const struct str role = access_role_name(core_people_conf.access, i);
		const char *right = arena_printf(&t->t_arena, "role.grant_%.*s", STR_FMT(role));
		if (right != NULL && people_may(t, right))
			list = arena_printf(&t->t_arena, "%s%s%.*s", list,
					    list[0] != '\0' ? "," : "", STR_FMT(role));
	}
	return list == NULL ? "{}" : arena_printf(&t->t_arena, "{%s}", list);
}

/* ---- writing ---- */

static enum step
create_write(struct task *t)
{
	static const struct people_member known[] = {
		{ "name", PEOPLE_TEXT, PEOPLE_REQUIRED },
		{ "kind", PEOPLE_TEXT, PEOPLE_OPTIONAL },
		{ "email", PEOPLE_TEXT, PEOPLE_NULLABLE },
		{ "display_name", PEOPLE_TEXT, PEOPLE_NULLABLE },
		{ "locale", PEOPLE_TEXT, PEOPLE_NULLABLE },
		{ "business_owner", PEOPLE_UUID, PEOPLE_NULLABLE },
		{ "technical_owner", PEOPLE_UUID, PEOPLE_NULLABLE },
		{ "roles", PEOPLE_LIST, PEOPLE_OPTIONAL },
		{ NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL },
	};
	const char **id = task_state(t, sizeof(const char *));
	struct people_body b;
	struct str roles;

	if (id == NULL || (*id = people_id(t)) == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (!people_body(t, known, &b) ||
	    !people_list(t, &b, "roles", role_known, "there is no such role", &roles))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_TEXT(people_actor(t)), P_STR(http_request_id(t)), P_TEXT(*id),
		P_STR(people_raw(t)),    P_TEXT(grantable(t)),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_user_create, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_user_create_steps[] = {
	{ "write", create_write },
	{ "answer", people_answer_created },
	{ NULL, NULL },
};

static enum step
change(struct task *t, const struct people_member *known, struct str id, struct str version)
{
	struct people_body b;

	if (!people_body(t, known, &b))
		return task_fail(t);
	if (b.n == 0)
		return task_fail_set(t, ERR_INVALID, NULL, "the body names nothing to change");
	const struct postgres_param params[] = {
		P_TEXT(people_actor(t)),
		P_STR(http_request_id(t)),
		P_STR(id),
		{ .value = version, .is_null = version.p == NULL },
		P_STR(http_body(t)),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_user_change, params,
			     ARRAY_LEN(params));
}

static enum step
change_write(struct task *t)
{
	static const struct people_member known[] = {
		{ "email", PEOPLE_TEXT, PEOPLE_NULLABLE },
		{ "display_name", PEOPLE_TEXT, PEOPLE_NULLABLE },
		{ "locale", PEOPLE_TEXT, PEOPLE_NULLABLE },
		{ "business_owner", PEOPLE_UUID, PEOPLE_NULLABLE },
		{ "technical_owner", PEOPLE_UUID, PEOPLE_NULLABLE },
		{ NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL },
	};
	struct str version;

	if (!people_if_match(t, &version))
		return task_fail(t);
	return change(t, known, http_param(t, "id"), version);
}

const struct step_row core_people_user_change_steps[] = {
	{ "write", change_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};

static enum step
me_write(struct task *t)
{
	static const struct people_member known[] = {
		{ "display_name", PEOPLE_TEXT, PEOPLE_NULLABLE },
		{ "locale", PEOPLE_TEXT, PEOPLE_NULLABLE },
		{ NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL },
	};
	return change(t, known, str_of(people_actor(t)), STR_NONE);
}

const struct step_row core_people_me_change_steps[] = {
	{ "write", me_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};

static enum step
able(struct task *t, const char *enable)
{
	static const struct people_member known[] = { { NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL } };
	struct people_body b;

	if (!people_body(t, known, &b))
		return task_fail(t);
	const struct postgres_param params[] = { P_TEXT(people_actor(t)), P_STR(http_request_id(t)),
						 P_STR(http_param(t, "id")), P_TEXT(enable) };
	return postgres_wait(core_people_conf.pool, t, &sql_people_user_able, params,
			     ARRAY_LEN(params));
}

static enum step
disable_write(struct task *t)
{
	return able(t, "false");
}

static enum step
enable_write(struct task *t)
{
	return able(t, "true");
}

const struct step_row core_people_user_disable_steps[] = {
	{ "write", disable_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};

const struct step_row core_people_user_enable_steps[] = {
	{ "write", enable_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};

static enum step
roles_write(struct task *t)
{
	static const struct people_member known[] = { { "roles", PEOPLE_LIST, PEOPLE_REQUIRED },
						      { NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL } };
	struct people_body b;
	struct str roles;

	if (!people_body(t, known, &b) ||
	    !people_list(t, &b, "roles", role_known, "there is no such role", &roles))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_TEXT(people_actor(t)),    P_STR(http_request_id(t)),
		P_STR(http_param(t, "id")), P_STR(roles),
		P_TEXT(grantable(t)),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_user_roles, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_user_roles_steps[] = {
	{ "write", roles_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};

/* ---- hand-over ---- */

static enum step
hand_over_write(struct task *t)
{
	static const struct people_member known[] = {
		{ "successor", PEOPLE_UUID, PEOPLE_REQUIRED },
		{ "reason", PEOPLE_TEXT, PEOPLE_REQUIRED },
		{ NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL },
	};
	struct people_body b;
	bool dry = false;

	if (!people_query_flag(t, "dry_run", &dry) || !people_body(t, known, &b))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_TEXT(people_actor(t)),
		P_STR(http_request_id(t)),
		P_STR(http_param(t, "id")),
		P_STR(people_text(t, &b, "successor")),
		P_STR(people_text(t, &b, "reason")),
		P_TEXT(dry ? "true" : "false"),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_hand_over, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_hand_over_steps[] = {
	{ "write", hand_over_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};
