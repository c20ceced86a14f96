/*
 * oidc_return.c — sign-in by OpenID Connect, the way back: a browser comes with a code, which is exchanged for a token, which says who it
 * is. What follows is the session of every sign-in: the same cookie, from the same function of the database.
 *
 * Invariants: who comes back must be the browser that went (cookie and state), a flow is good for one return, whatever came of it, and
 * nothing but the provider's own answer over its own connection is believed. Every return that gets this far leaves a row in the event
 * log: a session, or why there is none.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/json_in.h"
#include "core/session/internal.h"
#include "core/session/oidc.h"
#include "gen/sql_core.h"
#include "http/cookie.h"

#define BASIC_BYTES_MAX 1024
#define FORM_BYTES_MAX ((size_t)16 * 1024)

struct comeback {
	struct oidc_flow flow;
	struct str code;
	struct str issuer;  /* of the answer (RFC 9207), or STR_NONE */
	struct str token;   /* in the arena */
	const char *reason; /* why he is refused, a word; NULL: he is not */
	const char *detail; /* for people */
	enum err status;
	bool ours;    /* it is the flow that this browser began: it is over, whatever comes of it */
	usec_t since; /* the keys must be younger than that */
	bool renewed;
	char address[SESSION_ADDRESS_SIZE];
	struct session_secret secret;
};

static step_fn come_refused, come_begun, come_exchange, come_provider, come_verify;

static struct comeback *
state_of(struct task *t)
{
	return task_state(t, sizeof(struct comeback));
}

static void
refusal(struct comeback *s, const char *reason, enum err status, const char *detail)
{
	s->reason = reason;
	s->status = status;
	s->detail = detail;
}

/* Written down, then told. Counted for the address unless it was not his fault. */
static enum step
refuse(struct task *t, const struct comeback *s)
{
	const bool fault = s->status == ERR_UNAUTHORIZED || s->status == ERR_BAD_REQUEST;
	const struct postgres_param params[] = {
		P_TEXT(s->reason),
		P_TEXT(s->detail),
		P_TEXT(s->address),
		P_TEXT(fault ? core_session.lock_address_after : "0"),
		P_TEXT(core_session.lock_longest),
		P_STR(http_request_id(t)),
	};
	const enum step next = postgres_wait(core_session.conf.pool, t, &sql_session_oidc_refuse,
					     params, ARRAY_LEN(params));
	return next == STEP_WAIT ? task_jump(t, come_refused) : next;
}

static enum step
come_refused(struct task *t)
{
	const struct comeback *s = state_of(t);

	/* Or another site could end what this browser has begun. */
	if (s->ours)
		oidc_cookie_set(t, NULL);
	return oidc_tell(t, s->reason, s->status, s->detail);
}

/* The value of a parameter that may be there once; false if it is there twice. */
static bool
single(struct task *t, const char *name, struct str *out)
{
	struct str n, v;
	size_t found = 0;

	*out = http_query(t, name);
	for (size_t i = 0; i < http_query_count(t); i++) {
		http_query_at(t, i, &n, &v);
		found += str_is(n, name) ? 1 : 0;
	}
	return found <= 1;
}

/* A word of the provider's own list (RFC 6749, 4.1.2.1), or "error": nothing that a stranger chose goes into the log. */
static const char *
error_word(struct task *t, struct str error)
{
	bool plain = error.len > 0 && error.len <= 40;

	for (size_t i = 0; plain && i < error.len; i++)
		plain = (error.p[i] >= 'a' && error.p[i] <= 'z') || error.p[i] == '_';
	return arena_printf(&t->t_arena, "the provider let nobody in: %.*s",
			    plain ? (int)error.len : 5, plain ? error.p : "error");
}

static void
come_check(struct task *t, struct comeback *s)
{
	const struct str cookie = http_cookie_find(http_header(t, "Cookie"), oidc_cookie_name());
	struct str state, error;

	if (!single(t, "state", &state) || !single(t, "code", &s->code) ||
	    !single(t, "error", &error) || !single(t, "iss", &s->issuer) ||
	    (s->code.p == NULL && error.p == NULL)) {
		refusal(s, "form", ERR_BAD_REQUEST, "this is no answer of an identity provider");
	} else if (!oidc_flow_open(session_oidc.key, cookie, clock_wall_us(),
				   session_oidc.conf->flow_lifetime, &s->flow)) {
		refusal(s, "flow", ERR_UNAUTHORIZED,
			"this browser has not begun to sign in, or too long ago: begin again");
	} else if (state.len != OIDC_VALUE_SIZE - 1 ||
		   !secret_equal(state.p, s->flow.state, OIDC_VALUE_SIZE - 1)) {
		refusal(s, "state", ERR_UNAUTHORIZED,
			"this answer is not that of the sign-in which this browser began last");
	} else {
		s->ours = true;
		if (s->issuer.p != NULL && !str_is(s->issuer, session_oidc.conf->issuer))
			refusal(s, "issuer", ERR_UNAUTHORIZED,
				"this is the answer of another provider");
		else if (error.p != NULL)
			refusal(s, "denied", ERR_FORBIDDEN, error_word(t, error));
	}
}

static enum step
come_open(struct task *t)
{
	struct comeback *s = state_of(t);

	if (session_oidc.conf == NULL)
		return oidc_not_configured(t);
	if (s == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	session_address(t, s->address);
	come_check(t, s);
	const struct postgres_param params[] = {
		P_TEXT(s->ours ? s->flow.hash : NULL),
		P_TEXT(session_oidc.lifetime),
		P_TEXT(s->address),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_session_oidc_enter, params,
			     ARRAY_LEN(params));
}

static enum step
come_entered(struct task *t)
{
	struct comeback *s = state_of(t);

	if (session_must_wait(t, postgres_int(t, 0, 0, 0, 0)))
		return task_fail(t);
	if (s->ours && !postgres_bool(t, 0, 0, 1))
		refusal(s, "used", ERR_UNAUTHORIZED,
			"this answer was used already: begin to sign in again");
	return s->reason != NULL ? refuse(t, s) : STEP_NEXT;
}

static enum step
come_provider(struct task *t)
{
	const struct oidc_provider *p = NULL;
	const struct err_info *why = NULL;
	struct comeback *s = state_of(t);

	switch (oidc_provider_look(0, &p, &why)) {
	case OIDC_READY:
		if (!p->names_issuer || s->issuer.p != NULL)
			return task_jump(t, come_exchange);
		refusal(s, "issuer", ERR_UNAUTHORIZED,
			"this answer does not say which provider it is of");
		break;
	case OIDC_WAIT:
		return task_sleep(t, OIDC_LOOK_PERIOD);
	case OIDC_AWAY:
		refusal(s, "provider", why->code, arena_strdup(&t->t_arena, str_of(why->msg)));
		break;
	}
	return refuse(t, s);
}

static enum step
come_provider_again(struct task *t)
{
	return task_jump(t, come_provider);
}

/* ---- the code for a token ---- */

static void
form_add(struct buf *out, const char *name, struct str value)
{
	buf_printf(out, "%s%s=", out->len > 0 ? "&" : "", name);
	oidc_encode(out, value);
}

/* RFC 6749, 2.3.1: both parts are encoded before they are put together. */
static struct str
basic(struct task *t)
{
	char text[BASIC_BYTES_MAX * 4 / 3 + 8];
	struct buf both;

	buf_init(&both, BASIC_BYTES_MAX);
	oidc_encode(&both, str_of(session_oidc.conf->client_id));
	buf_add_char(&both, ':');
	oidc_encode(&both, str_of(session_oidc.conf->client_secret));
	(void)base64_encode(both.p, both.failed ? 0 : both.len, text, sizeof(text));
	buf_free(&both);
	const char *header = arena_printf(&t->t_arena, "Basic %s", text);
	explicit_bzero(text, sizeof(text));
	return str_of(header);
}

static void
form_make(struct buf *out, const struct comeback *s, enum oidc_client_auth auth)
{
	form_add(out, "grant_type", STR("authorization_code"));
	form_add(out, "code", s->code);
	form_add(out, "redirect_uri", str_of(session_oidc.back));
	form_add(out, "code_verifier", str_of(s->flow.verifier));
	if (auth != OIDC_AUTH_BASIC)
		form_add(out, "client_id", str_of(session_oidc.conf->client_id));
	if (auth == OIDC_AUTH_POST)
		form_add(out, "client_secret", str_of(session_oidc.conf->client_secret));
}

static enum step
come_exchange(struct task *t)
{
	const struct oidc_provider *p = NULL;
	const struct err_info *why = NULL;
	const struct comeback *s = state_of(t);
	struct buf form;

	if (oidc_provider_look(0, &p, &why) != OIDC_READY)
		return task_jump(t, come_provider);
	buf_init(&form, FORM_BYTES_MAX);
	form_make(&form, s, p->auth);
	const struct http_client_header headers[] = {
		{ STR("Accept"), STR("application/json") },
		{ STR("Authorization"), p->auth == OIDC_AUTH_BASIC ? basic(t) : STR("") },
	};
	task_wait_soft(t);
	const enum step next = http_client_wait(
		oidc_provider_client(), t,
		&(struct http_client_call) { .method = HTTP_POST,
					     .url = str_of(p->token),
					     .headers = headers,
					     .n_headers = p->auth == OIDC_AUTH_BASIC ? 2 : 1,
					     .content_type = "application/x-www-form-urlencoded",
					     .body = buf_str(&form) });
	buf_free(&form);
	return next;
}

static enum err
token_take(struct task *t, struct str body, struct str *out)
{
	struct cJSON *doc = NULL;
	const char *text = NULL;
	struct err_info ignored = { .code = ERR_OK };
	enum err err = json_parse(body, &doc, &ignored);

	if (err == ERR_OK)
		err = json_string(doc, "id_token", true, &text, &ignored);
	*out = err == ERR_OK ? arena_str(&t->t_arena, str_of(text)) : STR_NONE;
	json_free(doc);
	return out->p != NULL ? ERR_OK : ERR_UPSTREAM;
}

static enum step
come_read(struct task *t)
{
	struct comeback *s = state_of(t);
	const struct err_info *info = NULL;

	if (task_wait_err(t, 0, &info) != ERR_OK) {
		refusal(s, "provider", ERR_UPSTREAM,
			arena_printf(&t->t_arena, "the identity provider is away: %s", info->msg));
		return refuse(t, s);
	}
	const struct http_client_reply *r = http_client_reply(t, 0);
	const int status = http_client_status(r);
	if (status >= 400 && status < 500)
		refusal(s, "code", ERR_UNAUTHORIZED, "the identity provider refused the code");
	else if (status != 200 || token_take(t, http_client_body(r), &s->token) != ERR_OK)
		refusal(s, "provider", ERR_UPSTREAM,
			arena_printf(&t->t_arena,
				     "the identity provider gave no token but an answer %d",
				     status));
	return s->reason != NULL ? refuse(t, s) : STEP_NEXT;
}

/* ---- the token for a session ---- */

static enum step
begin(struct task *t, struct comeback *s, const struct oidc_claims *c)
{
	char presented[SHA256_HEX_SIZE];
	char person[UUID_TEXT_SIZE], session[UUID_TEXT_SIZE];
	struct uuid id;

	uuid_v7(&id);
	uuid_text(&id, person);
	uuid_v7(&id);
	uuid_text(&id, session);
	session_secret_make(&s->secret);
	const bool has = session_secret_hash(session_cookie(t), presented);
	const struct postgres_param params[] = {
		P_TEXT(session_oidc.conf->issuer),
		P_TEXT(c->subject),
		P_TEXT(c->login),
		P_TEXT(c->by_email ? "true" : "false"),
		P_TEXT(c->email),
		P_TEXT(c->display),
		P_TEXT(c->roles),
		P_TEXT(session_oidc.conf->create ? "true" : "false"),
		P_TEXT(person),
		P_TEXT(session),
		P_TEXT(s->secret.hash),
		P_TEXT(s->address),
		P_TEXT(session_agent(t)),
		P_TEXT(core_session.idle),
		P_TEXT(core_session.lifetime),
		P_TEXT(has ? presented : NULL),
		P_STR(http_request_id(t)),
	};
	const enum step next = postgres_wait(core_session.conf.pool, t, &sql_session_oidc_begin,
					     params, ARRAY_LEN(params));
	return next == STEP_WAIT ? task_jump(t, come_begun) : next;
}

static enum err
claims_of(struct task *t, const struct comeback *s, const struct oidc_provider *p,
	  struct oidc_claims *out, struct err_info *info)
{
	const struct oidc_expected expected = {
		.issuer = session_oidc.conf->issuer,
		.client_id = session_oidc.conf->client_id,
		.nonce = s->flow.nonce,
		.login_claim = session_oidc.conf->login_claim,
		.group_claim = session_oidc.conf->group_claim,
		.groups = &session_oidc.groups,
		.begun = s->flow.begun,
		.now = clock_wall_us(),
		.skew = session_oidc.conf->skew,
	};
	struct str payload;
	const enum err err = jws_verify(p->keys, s->token, &t->t_arena, &payload, info);
	return err != ERR_OK ? err : oidc_claims_read(payload, &expected, &t->t_arena, out, info);
}

/* The key may be newer than what we have of the provider: asked once, if others have not just done so. */
static enum step
come_verify(struct task *t)
{
	const struct oidc_provider *p = NULL;
	const struct err_info *why = NULL;
	struct err_info info = { .code = ERR_OK };
	struct oidc_claims claims;
	struct comeback *s = state_of(t);

	switch (oidc_provider_look(s->since, &p, &why)) {
	case OIDC_READY:
		break;
	case OIDC_WAIT:
		return task_sleep(t, OIDC_LOOK_PERIOD);
	case OIDC_AWAY:
		refusal(s, "provider", why->code, arena_strdup(&t->t_arena, str_of(why->msg)));
		return refuse(t, s);
	}
	const enum err err = claims_of(t, s, p, &claims, &info);
	if (err == ERR_OK)
		return begin(t, s, &claims);
	if (err == ERR_NO_MEMORY)
		return task_fail_set(t, err, NULL, "%s", info.msg);
	if (err == ERR_NOT_FOUND && !s->renewed && oidc_provider_may_renew()) {
		s->renewed = true;
		s->since = clock_now_us();
		return task_sleep(t, OIDC_LOOK_PERIOD);
	}
	refusal(s, "token", ERR_UNAUTHORIZED, arena_strdup(&t->t_arena, str_of(info.msg)));
	return refuse(t, s);
}

static enum step
come_verify_again(struct task *t)
{
	return task_jump(t, come_verify);
}

/* What access.oidc_begin() says, for people. It has written it down. */
static const struct {
	const char *reason, *detail;
} refusals[] = {
	{ "unknown", "there is no user of this login here: ask an operator for one" },
	{ "disabled", "this user was disabled here" },
	{ "no-role", "none of this user's groups has a role here: ask an operator for one" },
	{ "other-subject",
	  "this login belongs to another account of the provider: ask an operator" },
	{ "login", "a user cannot be made here under this login: ask an operator" },
	{ "too-many-users", "there are as many users here as there may be" },
};

static enum step
come_begun(struct task *t)
{
	const struct comeback *s = state_of(t);
	const struct str reason = postgres_value(t, 0, 0, 1);

	oidc_cookie_set(t, NULL);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (str_is(reason, refusals[i].reason))
			return oidc_tell(t, refusals[i].reason, ERR_FORBIDDEN, refusals[i].detail);
	}
	if (postgres_is_null(t, 0, 0, 0))
		return task_fail_set(t, ERR_INTERNAL, NULL, "no session was made");
	session_cookie_set(t, s->secret.text);
	return oidc_redirect(t, 303, str_of(s->flow.return_to));
}

const struct step_row session_oidc_return_steps[] = {
	{ "open", come_open },
	{ "entered", come_entered },
	{ "provider", come_provider },
	{ "provider-again", come_provider_again },
	{ "exchange", come_exchange },
	{ "read", come_read },
	{ "verify", come_verify },
	{ "verify-again", come_verify_again },
	{ "begun", come_begun },
	{ "refused", come_refused },
	{ NULL, NULL },
};
