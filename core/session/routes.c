/*
 * routes.c — the API of this room on one screen, the exchange of a session for a token of the sandbox, what is done every few seconds
 * or minutes, and the command that makes the first administrator.
 */
#include <stdio.h>

#include "core/session/internal.h"
#include "core/session/oidc.h"
#include "gen/sql_core.h"

#define USED_BYTES_MAX (1024 * 1024)
#define USED_DEADLINE (10 * USEC_PER_SEC)
#define CARE_PERIOD (60 * USEC_PER_SEC)
#define HASH_DEADLINE_MS 15000
#define LOGIN_BYTES_MAX 200
#define OIDC_DEADLINE_MS 20000

/* ---- POST /v1/session/sandbox-token ---- */

static enum step
token_write(struct task *t)
{
	const struct access_actor *actor = access_actor_of(t);
	struct access_token *token = task_state(t, sizeof(*token));
	struct uuid id;
	char text[UUID_TEXT_SIZE];
	char hash[SHA256_HEX_SIZE];

	if (actor->session[0] == '\0')
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "this request is made by a token, not by a session");
	if (token == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	access_token_make(ACCESS_SANDBOX, token);
	uuid_v7(&id);
	uuid_text(&id, text);
	hex_encode(token->hash, SHA256_BYTES, hash);
	const struct postgres_param params[] = {
		P_TEXT(text),
		P_TEXT(actor->session),
		P_TEXT(actor->principal),
		P_TEXT(hash),
		P_TEXT(token->prefix),
		P_TEXT(core_session.token_lifetime),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_session_token, params,
			     ARRAY_LEN(params));
}

static enum step
token_answer(struct task *t)
{
	const struct access_token *token = task_state(t, sizeof(*token));
	if (postgres_is_null(t, 0, 0, 0))
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL, "the session has ended");
	const char *body = arena_printf(&t->t_arena, "{\"token\":\"%s\",\"expires_at\":\"%.*s\"}",
					token->text, STR_FMT(postgres_value(t, 0, 0, 0)));
	return session_reply(t, 201, str_of(body));
}

const struct step_row session_token_steps[] = {
	{ "write", token_write },
	{ "answer", token_answer },
	{ NULL, NULL },
};

/* ---- last seen ---- */

static enum step
used_write(struct task *t)
{
	struct buf hashes;
	buf_init(&hashes, USED_BYTES_MAX);
	const size_t n = session_cache_used_take(&hashes);
	enum step next = STEP_DONE;
	if (n > 0)
		next = postgres_wait(core_session.conf.pool, t, &sql_session_used,
				     (struct postgres_param[]) { P_STR(buf_str(&hashes)) }, 1);
	buf_free(&hashes);
	return next;
}

static const struct step_row used_steps[] = { { "write", used_write }, { NULL, NULL } };

void
core_session_flush_used(struct task_engine *e)
{
	struct task *t = NULL;
	(void)!task_start(e, "session.used", used_steps, clock_now_us() + USED_DEADLINE,
			  ARENA_CAP_BYTES, NULL, NULL, &t);
}

/* ---- the jobs child ---- */

static enum step
care_write(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_session_care, NULL, 0);
}

static const struct step_row care_steps[] = { { "write", care_write }, { NULL, NULL } };

void
core_session_jobs(struct daemon_jobs *jobs, struct postgres_pool *lead)
{
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "session.care",
						     .period = CARE_PERIOD,
						     .steps = care_steps,
						     .owner = lead });
}

/* ---- --create-admin ---- */

static enum step
admin_write(struct task *t)
{
	const struct core_session_order *order = t->t_owner;
	struct session_secret *secret = task_state(t, sizeof(*secret));
	const struct str login = str_of(order->login);
	struct uuid id;
	char text[UUID_TEXT_SIZE];
	char lifetime[32];

	if (secret == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory");
	if (login.len == 0 || login.len > LOGIN_BYTES_MAX || !str_utf8_valid(login))
		return task_fail_set(t, ERR_INVALID, NULL,
				     "--create-admin takes a login of 1 to %d bytes",
				     LOGIN_BYTES_MAX);
	for (size_t i = 0; i < login.len; i++) {
		if ((unsigned char)login.p[i] < ' ' || login.p[i] == 0x7f)
			return task_fail_set(t, ERR_INVALID, NULL,
					     "a login has no control characters");
	}
	session_secret_make(secret);
	uuid_v7(&id);
	uuid_text(&id, text);
	(void)snprintf(lifetime, sizeof(lifetime), "%lld s",
		       (long long)(order->lifetime / USEC_PER_SEC));
	const struct postgres_param params[] = {
		P_TEXT(text),
		P_STR(login),
		P_TEXT(secret->hash),
		P_TEXT(lifetime),
		P_TEXT(order->force ? "true" : "false"),
	};
	return postgres_wait(order->pool, t, &sql_admin_make, params, ARRAY_LEN(params));
}

static enum step
admin_print(struct task *t)
{
	const struct session_secret *secret = task_state(t, sizeof(*secret));
	const struct str until = postgres_value(t, 0, 0, 0);
	printf("%s\n", secret->text);
	fprintf(stderr,
		"Set the password with this secret, once, until %.*s:\n"
		"bimodal password set\n",
		STR_FMT(until));
	return STEP_DONE;
}

const struct step_row core_session_create_admin[] = {
	{ "write", admin_write },
	{ "print", admin_print },
	{ NULL, NULL },
};

/* One route a line, so that it reads as the table it is. */
/* clang-format off */
const struct http_route core_session_routes[] = {
	{ HTTP_POST, "/v1/session", "session.begin", session_sign_in_steps, .deadline_ms = HASH_DEADLINE_MS, .body_max = SESSION_BODY_MAX },
	{ HTTP_GET, "/v1/session", "session.get", session_get_steps, .right = "me.read" },
	{ HTTP_DELETE, "/v1/session", "session.end", session_sign_out_steps, .right = "me.read" },
	{ HTTP_GET, "/v1/session/methods", "session.methods", session_methods_steps, .right = NULL },
	{ HTTP_GET, "/v1/session/oidc", "session.oidc", session_oidc_start_steps, .deadline_ms = OIDC_DEADLINE_MS },
	{ HTTP_GET, "/v1/session/oidc/callback", "session.oidc_return", session_oidc_return_steps, .deadline_ms = OIDC_DEADLINE_MS },
	{ HTTP_POST, "/v1/session/sandbox-token", "session.token", session_token_steps, .right = "me.read", .body_max = SESSION_BODY_MAX },
	{ HTTP_GET, "/v1/sessions", "session.list", session_list_steps, .right = "me.read" },
	{ HTTP_DELETE, "/v1/sessions/{id:uuid}", "session.revoke", session_revoke_steps, .right = "me.write" },
	{ HTTP_DELETE, "/v1/users/{id:uuid}/sessions", "session.revoke_all", session_revoke_all_steps, .right = "me.write" },
	{ HTTP_GET, "/v1/users/{id:uuid}/identity", "identity.get", session_identity_get_steps, .right = "user.write" },
	{ HTTP_DELETE, "/v1/users/{id:uuid}/identity", "identity.forget", session_identity_forget_steps, .right = "user.write", .body_max = SESSION_BODY_MAX },
	{ HTTP_PUT, "/v1/me/password", "password.change", session_password_steps, .right = "me.write", .deadline_ms = HASH_DEADLINE_MS, .body_max = SESSION_BODY_MAX },
	{ HTTP_POST, "/v1/users/{id:uuid}/password-reset", "password.reset", session_reset_make_steps, .right = "user.reset_password", .body_max = SESSION_BODY_MAX },
	{ HTTP_POST, "/v1/password-reset", "password.set", session_reset_use_steps, .deadline_ms = HASH_DEADLINE_MS, .body_max = SESSION_BODY_MAX },
};
/* clang-format on */
const size_t core_session_routes_count = ARRAY_LEN(core_session_routes);
