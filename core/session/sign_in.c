/*
 * sign_in.c — POST /v1/session: login and password for a cookie. The try is counted, the password compared on another thread, then a
 * session made or a refusal written down. Invariant: who does not exist, has no password, was disabled or gave a wrong one takes the
 * same steps and gets the same answer.
 */
#include <stdio.h>
#include <string.h>

#include "core/session/internal.h"
#include "gen/sql_core.h"

#define LOGIN_BYTES_MAX 200

struct sign_in {
	struct str login, password;
	char address[SESSION_ADDRESS_SIZE];
	char principal[UUID_TEXT_SIZE]; /* empty: nobody */
	char id[UUID_TEXT_SIZE];
	char phc[PASSWORD_PHC_SIZE];
	struct session_secret secret;
	bool refused;
};

static struct sign_in *
state_of(struct task *t)
{
	return task_state(t, sizeof(struct sign_in));
}

static enum step
sign_in_enter(struct task *t)
{
	struct sign_in *s = state_of(t);
	if (s == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	const struct session_field fields[] = { { "login", LOGIN_BYTES_MAX, &s->login },
						{ "password", PASSWORD_BYTES_MAX, &s->password } };
	if (session_origin_check(t, STR_NONE) != ERR_OK ||
	    session_body(t, fields, ARRAY_LEN(fields)) != ERR_OK)
		return task_fail(t);
	session_address(t, s->address);
	return session_enter(t, s->login, s->address);
}

static enum step
sign_in_hash(struct task *t)
{
	struct sign_in *s = state_of(t);
	if (session_must_wait(t, postgres_int(t, 0, 0, 0, 0)))
		return task_fail(t);
	(void)str_copy(s->principal, sizeof(s->principal), postgres_value(t, 0, 0, 1));
	(void)str_copy(s->phc, sizeof(s->phc), postgres_value(t, 0, 0, 2));
	return session_hash(t, session_compare_job(str_of(s->phc), s->password));
}

static enum step
begin(struct task *t, struct sign_in *s, const struct password_job *job)
{
	char presented[SHA256_HEX_SIZE];
	struct uuid id;

	uuid_v7(&id);
	uuid_text(&id, s->id);
	session_secret_make(&s->secret);
	const bool has = session_secret_hash(session_cookie(t), presented);
	const struct postgres_param params[] = {
		P_TEXT(s->id),
		P_TEXT(s->principal),
		P_TEXT(s->secret.hash),
		P_TEXT(s->address),
		P_TEXT(session_agent(t)),
		P_TEXT(core_session.idle),
		P_TEXT(core_session.lifetime),
		P_TEXT(has ? presented : NULL),
		P_TEXT(s->phc),
		P_TEXT(job->made[0] != '\0' ? job->made : NULL),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_session_begin, params,
			     ARRAY_LEN(params));
}

static enum step
sign_in_decide(struct task *t)
{
	struct sign_in *s = state_of(t);
	const struct password_job *job = session_hashed(t);
	if (job == NULL)
		return task_fail(t);
	explicit_bzero((char *)(uintptr_t)s->password.p, s->password.len);
	s->refused = !job->right || s->principal[0] == '\0';
	return s->refused ? session_refuse(t, s->login, s->principal, s->address)
			  : begin(t, s, job);
}

static enum step
sign_in_read(struct task *t)
{
	const struct sign_in *s = state_of(t);
	if (s->refused || postgres_is_null(t, 0, 0, 0)) {
		t->t_err_members = STR("\"reason\":\"sign-in\"");
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL,
				     "the login or the password is wrong");
	}
	return postgres_wait(core_session.conf.pool, t, &sql_session_get,
			     (struct postgres_param[]) { P_TEXT(s->id) }, 1);
}

/* The session as JSON, with its CSRF token. */
static enum step
answer(struct task *t, int status, struct str secret)
{
	char token[CSRF_TOKEN_SIZE];
	struct buf body;

	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "the session has ended");
	csrf_token(core_session.csrf_key, secret, token);
	buf_init(&body, SESSION_ANSWER_MAX);
	buf_add_str(&body, postgres_value(t, 0, 0, 0));
	buf_printf(&body, ",\"csrf_token\":\"%s\"}", token);
	const enum step done = session_reply(t, status, buf_str(&body));
	buf_free(&body);
	return done;
}

static enum step
sign_in_answer(struct task *t)
{
	struct sign_in *s = state_of(t);
	session_cookie_set(t, s->secret.text);
	return answer(t, 201, str_of(s->secret.text));
}

const struct step_row session_sign_in_steps[] = {
	{ "enter", sign_in_enter }, { "hash", sign_in_hash },     { "decide", sign_in_decide },
	{ "read", sign_in_read },   { "answer", sign_in_answer }, { NULL, NULL },
};

/* ---- GET /v1/session ---- */

static enum step
get_read(struct task *t)
{
	const struct access_actor *actor = access_actor_of(t);
	if (actor->session[0] == '\0')
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "this request is made by a token, not by a session");
	return postgres_wait(core_session.conf.pool, t, &sql_session_get,
			     (struct postgres_param[]) { P_TEXT(actor->session) }, 1);
}

static enum step
get_answer(struct task *t)
{
	return answer(t, 200, session_cookie(t));
}

const struct step_row session_get_steps[] = {
	{ "read", get_read },
	{ "answer", get_answer },
	{ NULL, NULL },
};
