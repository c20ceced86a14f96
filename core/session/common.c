/*
 * common.c — what every route of this room needs: the settings, secrets and their hashes, the cookie, the address, the body, and the
 * check that a write comes from our own console.
 */
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_in.h"
#include "core/session/internal.h"
#include "core/session/oidc.h"
#include "gen/sql_core.h"
#include "http/cookie.h"

#define FIELDS_MAX 3
#define THREADS_NICE 10

struct core_session core_session;

/* ---- start and stop ---- */

static void
seconds(char *out, size_t size, usec_t us)
{
	(void)snprintf(out, size, "%lld s", (long long)(us / USEC_PER_SEC));
}

static void
settings(struct core_session *s)
{
	static const char label[] = "bimodal csrf of sessions";
	const struct core_session_conf *c = &s->conf;

	s->cost = (struct password_cost) { .memory_kib = (uint32_t)(c->argon2_memory / 1024),
					   .passes = (uint32_t)c->argon2_passes };
	password_nobody(&s->cost, s->nobody);
	hmac_sha256(c->key, strlen(c->key), label, sizeof(label) - 1, s->csrf_key);
	s->cookie = c->secure ? "__Host-bimodal" : "bimodal";
	seconds(s->idle, sizeof(s->idle), c->idle);
	seconds(s->lifetime, sizeof(s->lifetime), c->lifetime);
	seconds(s->reset_lifetime, sizeof(s->reset_lifetime), c->reset_lifetime);
	seconds(s->token_lifetime, sizeof(s->token_lifetime), c->token_lifetime);
	seconds(s->lock_longest, sizeof(s->lock_longest), c->lock_longest);
	(void)snprintf(s->lock_after, sizeof(s->lock_after), "%lld", (long long)c->lock_after);
	(void)snprintf(s->lock_address_after, sizeof(s->lock_address_after), "%lld",
		       (long long)c->lock_address_after);
}

enum err
core_session_start(const struct core_session_conf *conf, struct err_info *info)
{
	core_session.conf = *conf;
	settings(&core_session);
	enum err err = session_cache_create(info);
	if (err == ERR_OK)
		err = offload_create(
			conf->loop, conf->engine,
			&(struct offload_conf) { .threads = (unsigned)conf->hash_threads,
						 .queue_max = (unsigned)conf->hash_queue,
						 .nice = THREADS_NICE },
			&core_session.threads, info);
	if (err == ERR_OK)
		err = session_oidc_start(info);
	if (err == ERR_OK)
		access_use_cookie(&session_cookie_hook);
	return err;
}

void
core_session_stop(void)
{
	access_use_cookie(NULL);
	session_oidc_stop();
	offload_destroy(core_session.threads);
	core_session.threads = NULL;
	session_cache_destroy();
}

/* ---- secrets ---- */

void
session_secret_make(struct session_secret *out)
{
	uint8_t secret[SHA256_BYTES];
	random_bytes(secret, sizeof(secret));
	(void)base64url_encode(secret, sizeof(secret), out->text, sizeof(out->text));
	sha256_hex(out->text, SESSION_SECRET_CHARS, out->hash);
	explicit_bzero(secret, sizeof(secret));
}

bool
session_secret_hash(struct str text, char hash[SHA256_HEX_SIZE])
{
	uint8_t secret[SHA256_BYTES];
	size_t n = 0;
	const bool ok = text.len == SESSION_SECRET_CHARS &&
			base64url_decode(text, secret, sizeof(secret), &n) == ERR_OK;
	explicit_bzero(secret, sizeof(secret));
	if (ok)
		sha256_hex(text.p, text.len, hash);
	return ok;
}

struct str
session_cookie(struct task *t)
{
	const struct str value = http_cookie_find(http_header(t, "Cookie"), core_session.cookie);
	return value.len == SESSION_SECRET_CHARS ? value : STR_NONE;
}

void
session_cookie_set(struct task *t, const char *secret)
{
	http_reply_header_fmt(
		t, "Set-Cookie", "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
		core_session.cookie, secret == NULL ? "" : secret,
		secret == NULL ? 0LL : (long long)(core_session.conf.lifetime / USEC_PER_SEC),
		core_session.conf.secure ? "; Secure" : "");
}

/* ---- requests ---- */

void
session_address(struct task *t, char out[SESSION_ADDRESS_SIZE])
{
	struct in6_addr six;
	char net[INET6_ADDRSTRLEN];
	if (!str_copy(out, SESSION_ADDRESS_SIZE, http_peer(t)))
		out[0] = '\0';
	if (strchr(out, ':') == NULL || inet_pton(AF_INET6, out, &six) != 1)
		return;
	memset(six.s6_addr + 8, 0, 8);
	if (inet_ntop(AF_INET6, &six, net, sizeof(net)) != NULL)
		(void)snprintf(out, SESSION_ADDRESS_SIZE, "%s/64", net);
}

const char *
session_agent(struct task *t)
{
	char *agent = arena_alloc(&t->t_arena, SESSION_AGENT_SIZE);
	if (agent == NULL)
		return "";
	(void)str_copy(agent, SESSION_AGENT_SIZE, http_header(t, "User-Agent"));
	for (char *c = agent; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return agent;
}

static enum err
forbidden(struct task *t, const char *field, const char *reason, const char *why)
{
	t->t_err_members = str_of(arena_printf(&t->t_arena, "\"reason\":\"%s\"", reason));
	return err_set(&t->t_err, ERR_FORBIDDEN, field, "the request was not carried out: %s", why);
}

enum err
session_origin_check(struct task *t, struct str secret)
{
	const char *wrong =
		csrf_origin_wrong(http_header(t, "Origin"), http_header(t, "Sec-Fetch-Site"),
				  http_header(t, "Host"), core_session.conf.secure);
	if (wrong != NULL)
		return forbidden(t, "Origin", "origin", wrong);
	if (secret.p == NULL)
		return ERR_OK;
	const struct str given = http_header(t, "X-CSRF-Token");
	if (given.p == NULL)
		return forbidden(
			t, "X-CSRF-Token", "csrf-missing",
			"a write by a session needs the header X-CSRF-Token (GET /v1/session)");
	if (!csrf_token_fits(core_session.csrf_key, secret, given))
		return forbidden(t, "X-CSRF-Token", "csrf-wrong",
				 "its X-CSRF-Token is not that of this session");
	return ERR_OK;
}

static enum err
field_read(struct task *t, const struct cJSON *body, const struct session_field *f)
{
	const char *text = NULL;
	const enum err err = json_string(body, f->name, true, &text, &t->t_err);
	if (err != ERR_OK)
		return err;
	const char *place = arena_printf(&t->t_arena, "/%s", f->name);
	const struct str s = str_of(text);
	if (s.len == 0 || s.len > f->max)
		return err_set(&t->t_err, ERR_INVALID, place, "must have 1 to %zu bytes", f->max);
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return err_set(&t->t_err, ERR_INVALID, place,
				       "must not hold control characters");
	}
	*f->out = arena_str(&t->t_arena, s);
	return f->out->p != NULL
		       ? ERR_OK
		       : err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
}

enum err
session_body(struct task *t, const struct session_field *fields, size_t n)
{
	const char *known[FIELDS_MAX + 1] = { NULL };
	struct cJSON *body = NULL;

	/* A form of another site can send text, but never this type without being asked for leave. */
	if (!str_starts(http_header(t, "Content-Type"), "application/json"))
		return err_set(&t->t_err, ERR_MEDIA_TYPE, "Content-Type",
			       "must be application/json");
	enum err err = json_parse(http_body(t), &body, &t->t_err);
	if (err == ERR_OK && !cJSON_IsObject(body))
		err = err_set(&t->t_err, ERR_INVALID, "", "the body must be an object");
	for (size_t i = 0; i < n; i++)
		known[i] = fields[i].name;
	if (err == ERR_OK)
		err = json_only(body, known, &t->t_err);
	for (size_t i = 0; i < n && err == ERR_OK; i++)
		err = field_read(t, body, &fields[i]);
	json_free(body);
	return err;
}

enum step
session_enter(struct task *t, struct str login, const char *address)
{
	const struct postgres_param params[] = {
		P_STR(login),
		P_TEXT(address),
		P_TEXT(core_session.lock_after),
		P_TEXT(core_session.lock_longest),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_session_enter, params,
			     ARRAY_LEN(params));
}

enum step
session_refuse(struct task *t, struct str login, const char *principal, const char *address)
{
	const struct postgres_param params[] = {
		P_STR(login),
		P_TEXT(principal[0] != '\0' ? principal : NULL),
		P_TEXT(address),
		P_TEXT(core_session.lock_address_after),
		P_TEXT(core_session.lock_longest),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(core_session.conf.pool, t, &sql_session_refuse, params,
			     ARRAY_LEN(params));
}

bool
session_must_wait(struct task *t, int64_t wait)
{
	if (wait <= 0)
		return false;
	http_reply_header_fmt(t, "Retry-After", "%lld", (long long)wait);
	(void)err_set(&t->t_err, ERR_RATE, NULL,
		      "there were too many wrong passwords; try again in %lld s", (long long)wait);
	return true;
}

enum step
session_reply(struct task *t, int status, struct str json)
{
	http_reply_header(t, "Cache-Control", STR("no-store"));
	return json.len == 0 ? http_reply_empty(t, status) : http_reply_json(t, status, json);
}

/* ---- password jobs ---- */

struct password_job *
session_compare_job(struct str phc, struct str given)
{
	struct password_job *j = password_job_create(&core_session.cost);
	if (j == NULL)
		return NULL;
	/* Nobody, or somebody without a password: the same work, and never right. */
	if (!str_copy(j->phc, sizeof(j->phc), phc.len > 0 ? phc : str_of(core_session.nobody)) ||
	    !str_copy(j->given, sizeof(j->given), given)) {
		password_job_free(j);
		return NULL;
	}
	j->given_len = given.len;
	return j;
}

enum step
session_hash(struct task *t, struct password_job *job)
{
	if (job == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the password's hash");
	return offload_wait(core_session.threads, t, password_run, job, password_job_free);
}

const struct password_job *
session_hashed(struct task *t)
{
	const struct password_job *j = task_result(t, 0);
	if (!j->failed)
		return j;
	(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the password could not be hashed");
	return NULL;
}
