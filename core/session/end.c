/*
 * end.c — sign out, list sessions, end one or all of somebody. An answer is given when every live worker refuses what was ended.
 */
#include <stdio.h>

#include "core/session/internal.h"
#include "gen/sql_core.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200

/* ---- end ---- */

static enum step
end_write(struct task *t, const char *session, const char *principal, bool others, const char *op)
{
	const struct postgres_param params[] = {
		P_TEXT(session),
		P_TEXT(principal),
		P_NULL,
		P_TEXT(others ? "true" : "false"),
		P_TEXT(op),
		P_TEXT(access_actor_of(t)->principal),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_session_end, params,
			     ARRAY_LEN(params));
}

static enum step
sign_out_write(struct task *t)
{
	const struct access_actor *actor = access_actor_of(t);
	if (actor->session[0] == '\0')
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "this request is made by a token, not by a session");
	return end_write(t, actor->session, NULL, false, "session.end");
}

static enum step
sign_out_answer(struct task *t)
{
	session_cookie_set(t, NULL);
	return session_applied(t, postgres_int(t, 0, 0, 1, 0), 204, STR(""));
}

const struct step_row session_sign_out_steps[] = {
	{ "write", sign_out_write },
	{ "answer", sign_out_answer },
	{ NULL, NULL },
};

static bool
may_end_others(const struct task *t)
{
	return access_may(core_session.conf.access, access_actor_of(t), STR("session.revoke"));
}

static enum step
revoke_write(struct task *t)
{
	struct uuid id;
	char text[UUID_TEXT_SIZE];
	if (http_param_uuid(t, "id", &id) != ERR_OK)
		return task_fail(t);
	uuid_text(&id, text);
	return end_write(t, text, NULL, may_end_others(t), "session.revoke");
}

/* Whether it belongs to somebody else or to nobody is not told apart. */
static enum step
revoke_answer(struct task *t)
{
	if (postgres_int(t, 0, 0, 0, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "there is no such session of yours, or it has ended");
	return session_applied(t, postgres_int(t, 0, 0, 1, 0), 204, STR(""));
}

const struct step_row session_revoke_steps[] = {
	{ "write", revoke_write },
	{ "answer", revoke_answer },
	{ NULL, NULL },
};

static enum step
revoke_all_write(struct task *t)
{
	struct uuid id;
	char text[UUID_TEXT_SIZE];
	if (http_param_uuid(t, "id", &id) != ERR_OK)
		return task_fail(t);
	uuid_text(&id, text);
	if (!str_is(str_of(text), access_actor_of(t)->principal) &&
	    access_require(t, STR("session.revoke")) != ERR_OK)
		return task_fail(t);
	return end_write(t, NULL, text, true, "session.revoke");
}

static enum step
revoke_all_answer(struct task *t)
{
	char body[64];
	const int n = snprintf(body, sizeof(body), "{\"ended\":%lld}",
			       (long long)postgres_int(t, 0, 0, 0, 0));
	return session_applied(t, postgres_int(t, 0, 0, 1, 0), 200,
			       (struct str) { body, (size_t)n });
}

const struct step_row session_revoke_all_steps[] = {
	{ "write", revoke_all_write },
	{ "answer", revoke_all_answer },
	{ NULL, NULL },
};

/* ---- list ---- */

/* Whose sessions: one's own, those of `principal`, or with all=true everybody's. */
static enum err
whose(struct task *t, const char **principal)
{
	const struct access_actor *actor = access_actor_of(t);
	const struct str wanted = http_query(t, "principal");
	const struct str all = http_query(t, "all");
	struct uuid id;

	*principal = actor->principal;
	if (all.p != NULL && !str_is(all, "true") && !str_is(all, "false"))
		return err_set(&t->t_err, ERR_BAD_REQUEST, "all", "must be true or false");
	if (wanted.p != NULL && uuid_parse(wanted, &id) != ERR_OK)
		return err_set(&t->t_err, ERR_BAD_REQUEST, "principal", "must be a UUID");
	if (wanted.p != NULL)
		*principal = arena_strdup(&t->t_arena, wanted);
	if (str_is(all, "true"))
		*principal = NULL;
	return *principal == actor->principal ? ERR_OK : access_require(t, STR("session.list"));
}

static enum step
list_read(struct task *t)
{
	const struct access_actor *actor = access_actor_of(t);
	const char *limit = http_page_limit(t, PAGE_DEFAULT, PAGE_MAX);
	const struct str after = http_query(t, "after");
	const char *principal = NULL;
	struct uuid id;

	if (limit == NULL)
		return task_fail(t);
	if (after.p != NULL && uuid_parse(after, &id) != ERR_OK)
		return task_fail_set(t, ERR_BAD_REQUEST, "after", "must be page.next of a list");
	if (whose(t, &principal) != ERR_OK)
		return task_fail(t);
	const struct postgres_param params[] = {
		P_TEXT(principal),
		P_TEXT(actor->session[0] != '\0' ? actor->session : NULL),
		{ .value = after, .is_null = after.p == NULL },
		P_TEXT(limit),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_session_list, params,
			     ARRAY_LEN(params));
}

static enum step
list_answer(struct task *t)
{
	http_reply_header(t, "Cache-Control", STR("no-store"));
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 0),
							 .has_more = postgres_bool(t, 0, 0, 1),
							 .next = postgres_value(t, 0, 0, 2) });
}

const struct step_row session_list_steps[] = {
	{ "read", list_read },
	{ "answer", list_answer },
	{ NULL, NULL },
};
