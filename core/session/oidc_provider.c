/*
 * oidc_provider.c — see oidc.h: what the provider says of itself, and its keys. Asked by a task of its own when a sign-in needs it and what
 * is there is too old, never by two at once; whoever needs it looks again every few milliseconds.
 *
 * Invariants: what is in use is whole and checked, and replaced in one go, so a key that the provider has taken away is gone with the next
 * answer. After a failure the provider is left alone for a second; unknown keys make it be asked once in oidc.keys_pause at most.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_in.h"
#include "base/log.h"
#include "core/session/oidc.h"

#define DOCUMENT_PATH "/.well-known/openid-configuration"
#define FAILED_PAUSE USEC_PER_SEC
#define REPLY_BYTES_MAX ((size_t)256 * 1024)
#define CONNECTIONS_MAX 4

static struct {
	const struct core_oidc_conf *conf;
	struct task_engine *engine;
	struct http_client *client;
	struct oidc_provider now; /* keys NULL: there is none yet */
	struct oidc_provider next;
	bool asking;
	usec_t failed;
	struct err_info why;
	usec_t renewed;
} provider;

/* ---- its document ---- */

static enum err
wrong(struct err_info *info, const char *what)
{
	return err_set(info, ERR_UPSTREAM, NULL, "the provider's document %s", what);
}

/* An address that nobody reads along, in characters that can stand in a header. */
static char *
endpoint(const struct cJSON *doc, const char *name)
{
	const struct cJSON *url = json_get(doc, name);

	if (!cJSON_IsString(url) || strlen(url->valuestring) > OIDC_ENDPOINT_BYTES_MAX ||
	    !http_client_is_safe(url->valuestring))
		return NULL;
	for (const char *c = url->valuestring; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~' || *c == '"' || *c == '<' || *c == '>' || *c == '\\' ||
		    *c == '#')
			return NULL;
	}
	return strdup(url->valuestring);
}

/* `absent`: what it means if the provider does not say. */
static bool
lists(const struct cJSON *doc, const char *name, const char *word, bool absent)
{
	const struct cJSON *list = json_get(doc, name);
	const struct cJSON *one = NULL;

	if (list == NULL)
		return absent;
	cJSON_ArrayForEach(one, list)
	{
		if (cJSON_IsString(one) && strcmp(one->valuestring, word) == 0)
			return true;
	}
	return false;
}

static enum err
document_take(const struct cJSON *doc, const char *issuer, bool has_secret,
	      struct oidc_provider *out, struct err_info *info)
{
	static const char methods[] = "token_endpoint_auth_methods_supported";
	const struct cJSON *iss = cJSON_IsObject(doc) ? json_get(doc, "issuer") : NULL;

	if (!cJSON_IsString(iss) || strcmp(iss->valuestring, issuer) != 0)
		return wrong(info, "names another issuer than oidc.issuer");
	out->authorization = endpoint(doc, "authorization_endpoint");
	out->token = endpoint(doc, "token_endpoint");
	out->jwks = endpoint(doc, "jwks_uri");
	if (out->authorization == NULL || out->token == NULL || out->jwks == NULL)
		return wrong(info,
			     "lacks an authorization_endpoint, token_endpoint or jwks_uri that is "
			     "https");
	if (!lists(doc, "code_challenge_methods_supported", "S256", true))
		return wrong(info, "says that it does not know PKCE with S256");
	out->names_issuer =
		cJSON_IsTrue(json_get(doc, "authorization_response_iss_parameter_supported"));
	if (!has_secret)
		out->auth = OIDC_AUTH_NONE;
	else if (lists(doc, methods, "client_secret_basic", true))
		out->auth = OIDC_AUTH_BASIC;
	else if (lists(doc, methods, "client_secret_post", false))
		out->auth = OIDC_AUTH_POST;
	else
		return wrong(info, "takes no client secret, neither by basic nor by post");
	return ERR_OK;
}

enum err
oidc_provider_read(struct str text, const char *issuer, bool has_secret, struct oidc_provider *out,
		   struct err_info *info)
{
	struct cJSON *doc = NULL;
	struct err_info ignored = { .code = ERR_OK };

	*out = (struct oidc_provider) { .authorization = NULL };
	if (json_parse(text, &doc, &ignored) != ERR_OK)
		return wrong(info, "is no JSON");
	const enum err err = document_take(doc, issuer, has_secret, out, info);
	json_free(doc);
	return err;
}

void
oidc_provider_release(struct oidc_provider *p)
{
	free(p->authorization);
	free(p->token);
	free(p->jwks);
	jws_keys_free(p->keys);
	*p = (struct oidc_provider) { .authorization = NULL };
}

/* ---- asking ---- */

static enum step
ask(struct task *t, const char *url)
{
	return http_client_wait(provider.client, t,
				&(struct http_client_call) { .method = HTTP_GET,
							     .url = str_of(url),
							     .timeout = provider.conf->timeout });
}

/* The body of the previous step's call; false: the task has its error. */
static bool
answered(struct task *t, const char *what, struct str *body)
{
	const struct http_client_reply *r = http_client_reply(t, 0);

	*body = http_client_body(r);
	if (http_client_status(r) == 200)
		return true;
	(void)err_set(&t->t_err, ERR_UPSTREAM, NULL, "the provider answered %d for its %s",
		      http_client_status(r), what);
	return false;
}

static enum step
ask_document(struct task *t)
{
	const struct str issuer = str_of(provider.conf->issuer);
	const size_t n = str_ends(issuer, "/") ? issuer.len - 1 : issuer.len;
	const char *url = arena_printf(&t->t_arena, "%.*s" DOCUMENT_PATH, (int)n, issuer.p);

	return url != NULL ? ask(t, url)
			   : task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the address");
}

static enum step
ask_keys(struct task *t)
{
	struct str body;

	oidc_provider_release(&provider.next);
	if (!answered(t, "document", &body) ||
	    oidc_provider_read(body, provider.conf->issuer, provider.conf->client_secret[0] != '\0',
			       &provider.next, &t->t_err) != ERR_OK)
		return task_fail(t);
	return ask(t, provider.next.jwks);
}

static enum step
swap(struct task *t)
{
	struct str body;

	if (!answered(t, "keys", &body) ||
	    jws_keys_parse(body, &provider.next.keys, &t->t_err) != ERR_OK)
		return task_fail(t);
	oidc_provider_release(&provider.now);
	provider.now = provider.next;
	provider.now.loaded = clock_now_us();
	provider.next = (struct oidc_provider) { .authorization = NULL };
	provider.failed = 0;
	return STEP_DONE;
}

static const struct step_row ask_steps[] = {
	{ "document", ask_document },
	{ "keys", ask_keys },
	{ "swap", swap },
	{ NULL, NULL },
};

static void
asked(struct task *t, void *arg UNUSED)
{
	provider.asking = false;
	oidc_provider_release(&provider.next);
	if (t->t_err.code == ERR_OK || t->t_err.code == ERR_STOPPING || provider.client == NULL)
		return;
	provider.failed = clock_now_us();
	provider.why = (struct err_info) { .code = ERR_OK };
	(void)err_set(&provider.why, ERR_UPSTREAM, NULL, "the identity provider is away: %s",
		      t->t_err.msg);
	log_warn("oidc.provider", "could not read what the identity provider is: %s", t->t_err.msg);
}

static void
ask_start(void)
{
	struct task *t = NULL;
	const usec_t deadline = clock_now_us() + 2 * provider.conf->timeout;

	provider.asking = task_start(provider.engine, "oidc.provider", ask_steps, deadline,
				     ARENA_CAP_BYTES, asked, NULL, &t) == ERR_OK;
	if (provider.asking)
		return;
	provider.failed = clock_now_us();
	provider.why = (struct err_info) { .code = ERR_BUSY,
					   .msg = "there is no room to ask the identity provider" };
}

/* ---- for the routes ---- */

enum oidc_seen
oidc_provider_look(usec_t since, const struct oidc_provider **out, const struct err_info **why)
{
	const usec_t now = clock_now_us();

	*out = &provider.now;
	*why = &provider.why;
	if (provider.now.keys != NULL && provider.now.loaded >= since &&
	    now - provider.now.loaded < provider.conf->keys_max_age)
		return OIDC_READY;
	if (!provider.asking && provider.failed != 0 && now - provider.failed < FAILED_PAUSE)
		return OIDC_AWAY;
	if (!provider.asking)
		ask_start();
	return provider.asking ? OIDC_WAIT : OIDC_AWAY;
}

bool
oidc_provider_may_renew(void)
{
	const usec_t now = clock_now_us();

	if (provider.renewed != 0 && now - provider.renewed < provider.conf->keys_pause)
		return false;
	provider.renewed = now;
	return true;
}

struct http_client *
oidc_provider_client(void)
{
	return provider.client;
}

void
oidc_provider_start(struct loop *l, struct task_engine *e, const struct core_oidc_conf *conf)
{
	provider.conf = conf;
	provider.engine = e;
	provider.client = http_client_create(
		l, e,
		&(struct http_client_conf) { .ca_file = conf->ca_file,
					     .timeout = conf->timeout,
					     .reply_max = REPLY_BYTES_MAX,
					     .connections_max = CONNECTIONS_MAX });
	/* So that what is wrong with it stands in the log from the start. */
	ask_start();
}

void
oidc_provider_stop(void)
{
	http_client_destroy(provider.client);
	provider.client = NULL;
	oidc_provider_release(&provider.now);
}
