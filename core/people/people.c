/*
 * people.c — the routes of the room, and what its requests have in common: who asks, If-Match, pages, answers.
 */
#include "core/people/internal.h"

#include "record/engine.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 200

struct core_people_conf core_people_conf;

void
core_people_use(const struct core_people_conf *conf)
{
	core_people_conf = *conf;
}

/* ---- requests ---- */

const char *
people_actor(struct task *t)
{
	return access_actor_of(t)->principal;
}

bool
people_may(struct task *t, const char *right)
{
	return access_may(core_people_conf.access, access_actor_of(t), str_of(right));
}

bool
people_is_self(struct task *t, struct str id)
{
	return str_ieq(id, str_of(people_actor(t)));
}

bool
people_if_match(struct task *t, struct str *version)
{
	const struct str header = http_header(t, "If-Match");

	if (header.p == NULL)
		(void)err_set(&t->t_err, ERR_PRECONDITION, "If-Match",
			      "give the ETag of the record as you read it, or *");
	else if (record_version_parse(header, version) != ERR_OK)
		(void)err_set(&t->t_err, ERR_BAD_REQUEST, "If-Match",
			      "must be one entity tag such as \"v42\", or *");
	else
		return true;
	return false;
}

const char *
people_id(struct task *t)
{
	struct uuid id;
	char *text = arena_alloc(&t->t_arena, UUID_TEXT_SIZE);

	uuid_v7(&id);
	if (text != NULL)
		uuid_text(&id, text);
	return text;
}

const char *
people_limit(struct task *t)
{
	return http_page_limit(t, LIMIT_DEFAULT, LIMIT_MAX);
}

bool
people_query_uuid(struct task *t, const char *name, struct str *out)
{
	struct uuid u;

	*out = http_query(t, name);
	if (out->p == NULL || uuid_parse(*out, &u) == ERR_OK)
		return true;
	(void)err_set(&t->t_err, ERR_BAD_REQUEST, name, "must be an id");
	return false;
}

bool
people_query_word(struct task *t, const char *name, const char *one, const char *other,
		  struct str *out)
{
	*out = http_query(t, name);
	if (out->p == NULL || str_is(*out, one) || str_is(*out, other))
		return true;
	(void)err_set(&t->t_err, ERR_BAD_REQUEST, name, "must be %s or %s", one, other);
	return false;
}

bool
people_query_flag(struct task *t, const char *name, bool *out)
{
	struct str text;

	if (!people_query_word(t, name, "true", "false", &text))
		return false;
	*out = str_is(text, "true");
	return true;
}

/* ---- answers ---- */

enum step
people_answer_page(struct task *t)
{
	if (postgres_is_null(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no %.*s",
				     STR_FMT(http_path(t)));
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 0),
							 .has_more = postgres_bool(t, 0, 0, 1),
							 .next = postgres_value(t, 0, 0, 2) });
}

static enum step
answer(struct task *t, int status)
{
	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no %.*s",
				     STR_FMT(http_path(t)));
	if (!postgres_is_null(t, 0, 0, 1))
		http_reply_header_fmt(t, "ETag", "\"v%lld\"",
				      (long long)postgres_int(t, 0, 0, 1, 0));
	return http_reply_json(t, status, postgres_value(t, 0, 0, 0));
}

enum step
people_answer(struct task *t)
{
	return answer(t, 200);
}

enum step
people_answer_created(struct task *t)
{
	const char *const *id = task_state(t, sizeof(const char *));
	http_reply_header_fmt(t, "Location", "%s/%s", http_route_of(t)->pattern, *id);
	return answer(t, 201);
}

/* ---- routes ---- */

#define USER "/v1/users/{id:uuid}"
#define TEAM "/v1/teams/{id:uuid}"
#define MEMBER TEAM "/members/{user:uuid}"
#define TOKEN "/v1/tokens/{id:uuid}"

#define WRITE(method, pattern, name, steps, what)                                                  \
	{                                                                                          \
		method, pattern, name, steps, .right = what, .body_max = PEOPLE_BODY_MAX           \
	}
#define READ(pattern, name, steps, what)                                                           \
	{                                                                                          \
		HTTP_GET, pattern, name, steps, .right = what                                      \
	}

const struct http_route core_people_routes[] = {
	READ("/v1/users", "user.list", core_people_user_list_steps, "user.read"),
	WRITE(HTTP_POST, "/v1/users", "user.create", core_people_user_create_steps, "user.write"),
	READ(USER, "user.get", core_people_user_get_steps, "user.read"),
	WRITE(HTTP_PATCH, USER, "user.change", core_people_user_change_steps, "user.write"),
	WRITE(HTTP_POST, USER "/disable", "user.disable", core_people_user_disable_steps,
	      "user.write"),
	WRITE(HTTP_POST, USER "/enable", "user.enable", core_people_user_enable_steps,
	      "user.write"),
	WRITE(HTTP_PUT, USER "/roles", "user.roles", core_people_user_roles_steps, "user.write"),
	{ HTTP_POST, USER "/hand-over", "user.hand-over", core_people_hand_over_steps,
	  .right = "user.hand_over", .deadline_ms = PEOPLE_HAND_OVER_MS,
	  .body_max = PEOPLE_BODY_MAX },
	READ("/v1/owners", "owner.get", core_people_owners_steps, "owner.read"),
	WRITE(HTTP_PATCH, "/v1/me", "access.me.change", core_people_me_change_steps, "me.write"),

	READ("/v1/teams", "team.list", core_people_team_list_steps, "team.read"),
	WRITE(HTTP_POST, "/v1/teams", "team.create", core_people_team_create_steps, "team.write"),
	READ(TEAM, "team.get", core_people_team_get_steps, "team.read"),
	WRITE(HTTP_PATCH, TEAM, "team.change", core_people_team_change_steps, "team.write"),
	WRITE(HTTP_DELETE, TEAM, "team.archive", core_people_team_archive_steps, "team.write"),
	WRITE(HTTP_POST, TEAM "/restore", "team.restore", core_people_team_restore_steps,
	      "team.write"),
	READ(TEAM "/members", "team.members", core_people_member_list_steps, "team.read"),
	WRITE(HTTP_PUT, MEMBER, "team.member.put", core_people_member_put_steps, "team.write"),
	WRITE(HTTP_DELETE, MEMBER, "team.member.delete", core_people_member_delete_steps,
	      "team.write"),

	READ("/v1/tokens", "token.list", core_people_token_list_steps, "me.read"),
	WRITE(HTTP_POST, "/v1/tokens", "token.create", core_people_token_create_steps, "me.token"),
	READ(TOKEN, "token.get", core_people_token_get_steps, "me.read"),
	WRITE(HTTP_POST, TOKEN "/rotate", "token.rotate", core_people_token_rotate_steps,
	      "me.token"),
	WRITE(HTTP_DELETE, TOKEN, "token.revoke", core_people_token_revoke_steps, "me.token"),
};
const size_t core_people_routes_count = ARRAY_LEN(core_people_routes);
