/*
 * change.c — set a password: by who knows the old one, or once by a secret that an operator has made. Every other session ends.
 */
#include <string.h>

#include "core/session/internal.h"
#include "gen/sql_core.h"

struct change {
	struct str old, wanted; /* by secret: `old` is the secret */
	char address[SESSION_ADDRESS_SIZE];
	char hash[SHA256_HEX_SIZE]; /* of the secret */
	struct str phc;
	bool wrong;
};

static struct change *
state_of(struct task *t)
{
	return task_state(t, sizeof(struct change));
}

/* The new password into the job. */
static struct password_job *
with_new(struct password_job *j, struct str password)
{
	if (j == NULL)
		return NULL;
	memcpy(j->wanted, password.p, password.len);
	j->wanted_len = password.len;
	return j;
}

/* ---- PUT /v1/me/password ---- */

static enum step
own_read(struct task *t)
{
	struct change *s = state_of(t);
	if (s == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	const struct session_field fields[] = { { "old", PASSWORD_BYTES_MAX, &s->old },
						{ "new", PASSWORD_BYTES_MAX, &s->wanted } };
	if (session_body(t, fields, ARRAY_LEN(fields)) != ERR_OK)
		return task_fail(t);
	session_address(t, s->address);
	return postgres_wait(core_session.conf.pool, t, &sql_password_of,
			     (struct postgres_param[]) { P_TEXT(access_actor_of(t)->principal) },
			     1);
}

/* Guessing the old password is slowed down as signing in is. */
static enum step
own_enter(struct task *t)
{
	struct change *s = state_of(t);
	const struct str name = postgres_value(t, 0, 0, 0);
	s->phc = arena_str(&t->t_arena, postgres_value(t, 0, 0, 2));
	if (postgres_is_null(t, 0, 0, 2))
		return task_fail_set(
			t, ERR_CONFLICT, NULL,
			"this principal has no password; an operator can make a reset");
	if (password_check(s->wanted, name, postgres_value(t, 0, 0, 1), "/new", &t->t_err) !=
	    ERR_OK)
		return task_fail(t);
	return session_enter(t, name, s->address);
}

static enum step
own_hash(struct task *t)
{
	const struct change *s = state_of(t);
	if (session_must_wait(t, postgres_int(t, 0, 0, 0, 0)))
		return task_fail(t);
	return session_hash(t, with_new(session_compare_job(s->phc, s->old), s->wanted));
}

static enum step
own_write(struct task *t)
{
	struct change *s = state_of(t);
	const struct access_actor *actor = access_actor_of(t);
	const struct password_job *job = session_hashed(t);
	if (job == NULL)
		return task_fail(t);
	s->wrong = !job->right;
	if (s->wrong)
		return session_refuse(t, STR(""), actor->principal, s->address);
	const struct postgres_param params[] = {
		P_TEXT(actor->principal),
		P_TEXT(job->made),
		P_TEXT(actor->session[0] != '\0' ? actor->session : NULL),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_password_set, params,
			     ARRAY_LEN(params));
}

static enum step
own_answer(struct task *t)
{
	const struct change *s = state_of(t);
	if (s->wrong)
		return task_fail_set(t, ERR_FORBIDDEN, "/old", "is not the present password");
	return session_applied(t, postgres_int(t, 0, 0, 0, 0), 204, STR(""));
}

const struct step_row session_password_steps[] = {
	{ "read", own_read },   { "enter", own_enter },   { "hash", own_hash },
	{ "write", own_write }, { "answer", own_answer }, { NULL, NULL },
};

/* ---- POST /v1/users/{id}/password-reset ---- */

struct made {
	struct session_secret secret;
};

static enum step
make_write(struct task *t)
{
	struct made *m = task_state(t, sizeof(*m));
	struct uuid id;
	char text[UUID_TEXT_SIZE];
	if (m == NULL || http_param_uuid(t, "id", &id) != ERR_OK)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	uuid_text(&id, text);
	/* Who has the secret becomes that person, with all his rights. */
	if (access_actor_of(t)->scoped)
		return task_fail_set(t, ERR_FORBIDDEN, NULL,
				     "a token that is narrowed by scopes resets no password");
	/* Or a stolen session would need no old password. */
	if (str_is(str_of(text), access_actor_of(t)->principal))
		return task_fail_set(t, ERR_FORBIDDEN, "id",
				     "the own password is changed with the old one: PUT "
				     "/v1/me/password");
	session_secret_make(&m->secret);
	const struct postgres_param params[] = {
		P_TEXT(text),
		P_TEXT(m->secret.hash),
		P_TEXT(core_session.reset_lifetime),
		P_TEXT(access_actor_of(t)->principal),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_password_reset, params,
			     ARRAY_LEN(params));
}

static enum step
make_answer(struct task *t)
{
	const struct made *m = task_state(t, sizeof(*m));
	if (postgres_is_null(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "there is no such user, or he was disabled");
	const char *body = arena_printf(&t->t_arena, "{\"secret\":\"%s\",\"expires_at\":\"%.*s\"}",
					m->secret.text, STR_FMT(postgres_value(t, 0, 0, 0)));
	return session_reply(t, 201, str_of(body));
}

const struct step_row session_reset_make_steps[] = {
	{ "write", make_write },
	{ "answer", make_answer },
	{ NULL, NULL },
};

/* ---- POST /v1/password-reset ---- */

static enum step
secret_refused(struct task *t)
{
	return task_fail_set(t, ERR_FORBIDDEN, "/secret", "is not known, was used, or is over");
}

static enum step
use_look(struct task *t)
{
	struct change *s = state_of(t);
	if (s == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	const struct session_field fields[] = { { "secret", 100, &s->old },
						{ "password", PASSWORD_BYTES_MAX, &s->wanted } };
	if (session_origin_check(t, STR_NONE) != ERR_OK ||
	    session_body(t, fields, ARRAY_LEN(fields)) != ERR_OK)
		return task_fail(t);
	if (!session_secret_hash(s->old, s->hash))
		return secret_refused(t);
	return postgres_wait(core_session.conf.pool, t, &sql_password_reset_look,
			     (struct postgres_param[]) { P_TEXT(s->hash) }, 1);
}

/* Nothing is hashed for who has no secret. */
static enum step
use_hash(struct task *t)
{
	const struct change *s = state_of(t);
	if (postgres_rows(t, 0) == 0 || postgres_is_null(t, 0, 0, 0))
		return secret_refused(t);
	if (password_check(s->wanted, postgres_value(t, 0, 0, 1), postgres_value(t, 0, 0, 2),
			   "/password", &t->t_err) != ERR_OK)
		return task_fail(t);
	return session_hash(t, with_new(password_job_create(&core_session.cost), s->wanted));
}

static enum step
use_write(struct task *t)
{
	const struct change *s = state_of(t);
	const struct password_job *job = session_hashed(t);
	if (job == NULL)
		return task_fail(t);
	const struct postgres_param params[] = {
		P_TEXT(s->hash),
		P_TEXT(job->made),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_password_reset_use, params,
			     ARRAY_LEN(params));
}

static enum step
use_answer(struct task *t)
{
	if (postgres_is_null(t, 0, 0, 0))
		return secret_refused(t);
	return session_applied(t, postgres_int(t, 0, 0, 0, 0), 204, STR(""));
}

const struct step_row session_reset_use_steps[] = {
	{ "look", use_look },     { "hash", use_hash }, { "write", use_write },
	{ "answer", use_answer }, { NULL, NULL },
};
