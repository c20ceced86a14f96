/*
 * oidc.c — sign-in by OpenID Connect, the way there: the settings and their checks, what ways of signing in there are, a browser that is
 * sent to the provider, and whom the provider says a user is. The way back is in oidc_return.c.
 *
 * Invariant: nobody is sent anywhere but to the provider and to a page of ours.
 */
#include "core/session/oidc.h"

#include <stdio.h>
#include <string.h>

#include "core/session/internal.h"
#include "gen/sql_core.h"

#define SIGN_IN_PAGE "/console/sign-in?refused="

/* ---- start and stop ---- */

struct session_oidc session_oidc;

static bool
text_plain(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return true;
}

/* A scheme and a host, with one slash behind them at most. */
static bool
is_origin(const char *url)
{
	const char *host = strstr(url, "://");
	const char *end = host != NULL ? strpbrk(host + 3, "/?# ") : NULL;

	return host != NULL && (end == NULL || strcmp(end, "/") == 0);
}

enum err
core_session_oidc_check(const struct core_oidc_conf *c, const struct access_roles *roles,
			struct err_info *info)
{
	static struct oidc_groups groups;

	if (c->issuer[0] == '\0')
		return ERR_OK;
	if (!http_client_is_safe(c->issuer) || strpbrk(c->issuer, "?# ") != NULL ||
	    !text_plain(c->issuer))
		return err_set(info, ERR_CONFIG, "oidc.issuer",
			       "must be an https:// address without query (http:// on this machine "
			       "alone)");
	if (c->client_id[0] == '\0' || !text_plain(c->client_id))
		return err_set(info, ERR_CONFIG, "oidc.client_id",
			       "is required with oidc.issuer, in plain characters");
	if (!http_client_is_safe(c->base) || !text_plain(c->base) || !is_origin(c->base))
		return err_set(info, ERR_CONFIG, "oidc.redirect_base",
			       "must be https:// and a host without a path (http:// on this "
			       "machine alone)");
	struct str rest = str_of(c->scopes);
	bool openid = false;
	while (rest.p != NULL)
		openid = str_is(str_cut(&rest, ' '), "openid") || openid;
	if (!openid || !text_plain(c->scopes))
		return err_set(info, ERR_CONFIG, "oidc.scopes",
			       "must hold \"openid\", and words apart by one space");
	if (c->login_claim[0] == '\0')
		return err_set(info, ERR_CONFIG, "oidc.login_claim", "must name a claim");
	const enum err err = oidc_groups_parse(c->roles, &groups, info);
	for (size_t i = 0; err == ERR_OK && i < groups.n; i++) {
		if (!access_roles_know(roles, groups.pair[i].role))
			return err_set(info, ERR_CONFIG, "oidc.roles", "there is no role \"%.*s\"",
				       (int)MIN(groups.pair[i].role.len, 64),
				       groups.pair[i].role.p);
	}
	return err;
}

enum err
session_oidc_start(struct err_info *info)
{
	static const char label[] = "bimodal sign-in by openid connect";
	const struct core_session_conf *c = &core_session.conf;

	if (c->oidc.issuer[0] == '\0')
		return ERR_OK;
	const enum err err = oidc_groups_parse(c->oidc.roles, &session_oidc.groups, info);
	if (err != ERR_OK)
		return err;
	session_oidc.conf = &c->oidc;
	const size_t len = strlen(c->oidc.base);
	(void)snprintf(session_oidc.back, sizeof(session_oidc.back), "%.*s" OIDC_RETURN_PATH,
		       (int)(len - (str_ends(str_of(c->oidc.base), "/") ? 1 : 0)), c->oidc.base);
	hmac_sha256(c->key, strlen(c->key), label, sizeof(label) - 1, session_oidc.key);
	(void)snprintf(session_oidc.lifetime, sizeof(session_oidc.lifetime), "%lld s",
		       (long long)(c->oidc.flow_lifetime / USEC_PER_SEC));
	oidc_provider_start(c->loop, c->engine, session_oidc.conf);
	return ERR_OK;
}

void
session_oidc_stop(void)
{
	if (session_oidc.conf == NULL)
		return;
	oidc_provider_stop();
	session_oidc.conf = NULL;
}

/* ---- GET /v1/session/methods ---- */

static enum step
methods_answer(struct task *t)
{
	struct buf body;

	buf_init(&body, OIDC_ADDRESS_BYTES_MAX);
	buf_add_cstr(&body, "{\"password\":true,\"oidc\":");
	if (session_oidc.conf == NULL) {
		buf_add_cstr(&body, "null}");
	} else {
		buf_add_cstr(&body, "{\"name\":");
		buf_json_cstr(&body, session_oidc.conf->name);
		buf_add_cstr(&body, ",\"start\":\"/v1/session/oidc\"}}");
	}
	const enum step done = session_reply(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

const struct step_row session_methods_steps[] = {
	{ "answer", methods_answer },
	{ NULL, NULL },
};

/* ---- cookie and redirects ---- */

const char *
oidc_cookie_name(void)
{
	return core_session.conf.secure ? "__Host-bimodal-oidc" : "bimodal-oidc";
}

/* Lax, or the browser would not bring it along from the provider. NULL takes it away. */
void
oidc_cookie_set(struct task *t, const char *value)
{
	http_reply_header_fmt(
		t, "Set-Cookie", "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s",
		oidc_cookie_name(), value == NULL ? "" : value,
		value == NULL ? 0LL : (long long)(session_oidc.conf->flow_lifetime / USEC_PER_SEC),
		core_session.conf.secure ? "; Secure" : "");
}

enum step
oidc_redirect(struct task *t, int status, struct str to)
{
	http_reply_header(t, "Location", to);
	/* The address that we were called by holds a code; it goes no further. */
	http_reply_header(t, "Referrer-Policy", STR("no-referrer"));
	return session_reply(t, status, STR(""));
}

static bool
is_browser(struct task *t)
{
	const struct str accept = http_header(t, "Accept");

	for (size_t i = 0; i + sizeof("text/html") - 1 <= accept.len; i++) {
		if (str_starts((struct str) { accept.p + i, accept.len - i }, "text/html"))
			return true;
	}
	return false;
}

/* A person is shown the sign-in page, which says the reason in his language; a program gets a problem. */
enum step
oidc_tell(struct task *t, const char *reason, enum err code, const char *detail)
{
	if (is_browser(t))
		return oidc_redirect(t, 303,
				     str_of(arena_printf(&t->t_arena, SIGN_IN_PAGE "%s", reason)));
	t->t_err_members = str_of(arena_printf(&t->t_arena, "\"reason\":\"%s\"", reason));
	return task_fail_set(t, code, NULL, "%s", detail);
}

enum step
oidc_not_configured(struct task *t)
{
	return task_fail_set(t, ERR_NOT_FOUND, NULL,
			     "sign-in by OpenID Connect is not configured here");
}

/* ---- GET /v1/session/oidc ---- */

/* The address of the provider's page for one flow. */
static void
authorization(struct buf *out, const struct oidc_provider *p, const struct oidc_flow *f)
{
	const struct {
		const char *name, *value;
	} params[] = {
		{ "response_type", "code" },
		{ "client_id", session_oidc.conf->client_id },
		{ "redirect_uri", session_oidc.back },
		{ "scope", session_oidc.conf->scopes },
		{ "state", f->state },
		{ "nonce", f->nonce },
		{ "code_challenge", f->challenge },
		{ "code_challenge_method", "S256" },
	};

	buf_add_cstr(out, p->authorization);
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		buf_printf(out,
			   "%c%s=", i == 0 && strchr(p->authorization, '?') == NULL ? '?' : '&',
			   params[i].name);
		oidc_encode(out, str_of(params[i].value));
	}
}

static enum step
start_send(struct task *t, const struct oidc_provider *p, struct str return_to)
{
	struct oidc_flow flow;
	struct buf to;

	oidc_flow_make(session_oidc.key, return_to, clock_wall_us(), &flow);
	buf_init(&to, OIDC_ADDRESS_BYTES_MAX);
	authorization(&to, p, &flow);
	enum step done = STEP_DONE;
	if (to.failed) {
		done = task_fail_set(t, ERR_UPSTREAM, NULL,
				     "the provider's address is longer than can be sent");
	} else {
		oidc_cookie_set(t, flow.cookie);
		done = oidc_redirect(t, 302, buf_str(&to));
	}
	buf_free(&to);
	return done;
}

static enum step
start_look(struct task *t)
{
	const struct oidc_provider *p = NULL;
	const struct err_info *why = NULL;
	struct str to = http_query(t, "return_to");

	if (session_oidc.conf == NULL)
		return oidc_not_configured(t);
	if (to.p == NULL)
		to = STR("/");
	if (!oidc_return_valid(to))
		return task_fail_set(t, ERR_BAD_REQUEST, "return_to",
				     "must be a path of this server, of at most %d bytes",
				     OIDC_RETURN_BYTES_MAX);
	switch (oidc_provider_look(0, &p, &why)) {
	case OIDC_READY:
		return start_send(t, p, to);
	case OIDC_WAIT:
		return task_sleep(t, OIDC_LOOK_PERIOD);
	case OIDC_AWAY:
		break;
	}
	return oidc_tell(t, "provider", why->code, why->msg);
}

static enum step
start_again(struct task *t)
{
	return task_jump(t, start_look);
}

const struct step_row session_oidc_start_steps[] = {
	{ "look", start_look },
	{ "again", start_again },
	{ NULL, NULL },
};

/* ---- GET and DELETE /v1/users/{id}/identity ---- */

static enum step
identity_read(struct task *t)
{
	return postgres_wait(core_session.conf.pool, t, &sql_session_identity_get,
			     (struct postgres_param[]) { P_STR(http_param(t, "id")) }, 1);
}

static enum step
identity_answer(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no such user");
	const char *body =
		arena_printf(&t->t_arena, "{\"data\":%.*s}", STR_FMT(postgres_value(t, 0, 0, 0)));
	return session_reply(t, 200, str_of(body));
}

const struct step_row session_identity_get_steps[] = {
	{ "read", identity_read },
	{ "answer", identity_answer },
	{ NULL, NULL },
};

static enum step
forget_write(struct task *t)
{
	const struct postgres_param params[] = {
		P_TEXT(access_actor_of(t)->principal),
		P_STR(http_request_id(t)),
		P_STR(http_param(t, "id")),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_session_identity_forget, params,
			     ARRAY_LEN(params));
}

static enum step
forget_answer(struct task *t)
{
	if (postgres_int(t, 0, 0, 0, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "there is no such user, or no provider has vouched for him");
	return session_reply(t, 204, STR(""));
}

const struct step_row session_identity_forget_steps[] = {
	{ "write", forget_write },
	{ "answer", forget_answer },
	{ NULL, NULL },
};
