/*
 * oidc_claims.c — see oidc.h: what an ID token says, after its signature was found good, and which roles its groups are. Pure functions.
 *
 * Invariant: nothing of a token is used before its issuer, audience, times and nonce have been found to be those of this flow.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/json_in.h"
#include "core/session/oidc.h"

#define GROUPS_OF_ONE_MAX 1000
#define TEXT_BYTES_MAX 200
#define SUBJECT_BYTES_MAX 255
#define SECONDS_MAX 1e11

/* ---- groups and roles ---- */

enum err
oidc_groups_parse(const char *text, struct oidc_groups *out, struct err_info *info)
{
	struct str rest = str_of(text);

	out->n = 0;
	while (rest.p != NULL) {
		const struct str pair = str_trim(str_cut(&rest, ';'));
		size_t at = pair.len;
		if (pair.len == 0)
			continue;
		while (at > 0 && pair.p[at - 1] != '=')
			at--;
		if (at == 0 || out->n == OIDC_GROUPS_MAX)
			return at == 0 ? err_set(info, ERR_CONFIG, "oidc.roles",
						 "\"%.*s\" is not of the form \"group = role\"",
						 (int)MIN(pair.len, 64), pair.p)
				       : err_set(info, ERR_CONFIG, "oidc.roles",
						 "there are more than %d pairs", OIDC_GROUPS_MAX);
		struct oidc_group *g = &out->pair[out->n++];
		g->group = str_trim((struct str) { pair.p, at - 1 });
		g->role = str_trim((struct str) { pair.p + at, pair.len - at });
		if (g->group.len == 0 || g->role.len == 0)
			return err_set(info, ERR_CONFIG, "oidc.roles",
				       "\"%.*s\" is not of the form \"group = role\"",
				       (int)MIN(pair.len, 64), pair.p);
	}
	return ERR_OK;
}

static void
group_mark(const struct oidc_groups *groups, const struct cJSON *one, bool *held)
{
	for (size_t i = 0; cJSON_IsString(one) && i < groups->n; i++)
		held[i] = held[i] || str_is(groups->pair[i].group, one->valuestring);
}

static bool
said_before(const struct oidc_groups *groups, const bool *held, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (held[i] && str_eq(groups->pair[i].role, groups->pair[n].role))
			return true;
	}
	return false;
}

/* A list of names, or one name. A claim that is not there is no group at all: the roles that came by groups go. */
static enum err
roles_read(const struct cJSON *doc, const struct oidc_expected *e, struct arena *a,
	   struct oidc_claims *out, struct err_info *info)
{
	bool held[OIDC_GROUPS_MAX] = { false };
	const struct cJSON *claim =
		e->group_claim[0] != '\0' ? json_get(doc, e->group_claim) : NULL;
	const struct cJSON *one = NULL;
	struct buf roles;

	if (cJSON_IsArray(claim) && cJSON_GetArraySize(claim) > GROUPS_OF_ONE_MAX)
		return err_set(info, ERR_UNAUTHORIZED, NULL, "the token names more than %d groups",
			       GROUPS_OF_ONE_MAX);
	group_mark(e->groups, claim, held);
	if (cJSON_IsArray(claim)) {
		cJSON_ArrayForEach(one, claim) group_mark(e->groups, one, held);
	}
	buf_init(&roles, 4096);
	for (size_t i = 0; i < e->groups->n; i++) {
		if (!held[i] || said_before(e->groups, held, i))
			continue;
		buf_add_char(&roles, roles.len > 0 ? ',' : '{');
		buf_add_str(&roles, e->groups->pair[i].role);
	}
	buf_add_cstr(&roles, roles.len > 0 ? "}" : "{}");
	out->roles = roles.failed ? NULL : arena_strdup(a, buf_str(&roles));
	buf_free(&roles);
	return out->roles != NULL ? ERR_OK
				  : err_set(info, ERR_NO_MEMORY, NULL, "no memory for the token");
}

/* ---- claims ---- */

/* A text claim of 1 to `max` bytes without control characters, in the arena; NULL if it is not there or not so. */
static const char *
text_claim(const struct cJSON *doc, const char *name, size_t max, struct arena *a)
{
	const struct cJSON *claim = json_get(doc, name);

	if (!cJSON_IsString(claim))
		return NULL;
	const struct str s = str_of(claim->valuestring);
	if (s.len == 0 || s.len > max)
		return NULL;
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return NULL;
	}
	return arena_strdup(a, s);
}

static bool
claim_is(const struct cJSON *doc, const char *name, const char *want)
{
	const struct cJSON *claim = json_get(doc, name);
	return cJSON_IsString(claim) && strcmp(claim->valuestring, want) == 0;
}

static bool
nonce_is(const struct cJSON *doc, const char *want)
{
	const struct cJSON *claim = json_get(doc, "nonce");
	return cJSON_IsString(claim) && strlen(claim->valuestring) == strlen(want) &&
	       secret_equal(claim->valuestring, want, strlen(want));
}

/* Ours alone, or several of which we are the one that it was made for. */
static bool
audience_is(const struct cJSON *doc, const char *client)
{
	const struct cJSON *aud = json_get(doc, "aud");
	const struct cJSON *azp = json_get(doc, "azp");
	const struct cJSON *one = NULL;
	bool in = claim_is(doc, "aud", client);

	if (cJSON_IsArray(aud)) {
		cJSON_ArrayForEach(one, aud)
		{
			if (!cJSON_IsString(one))
				return false;
			in = in || strcmp(one->valuestring, client) == 0;
		}
		if (cJSON_GetArraySize(aud) > 1 && azp == NULL)
			return false;
	}
	return in && (azp == NULL || claim_is(doc, "azp", client));
}

/* Seconds since 1970, as microseconds; false if the claim is not there or no such number. */
static bool
time_claim(const struct cJSON *doc, const char *name, usec_t *out)
{
	double seconds = 0;

	if (json_number(doc, name, true, &seconds, NULL) != ERR_OK || seconds < 0 ||
	    seconds > SECONDS_MAX)
		return false;
	*out = (usec_t)(seconds * (double)USEC_PER_SEC);
	return true;
}

static const char *
times_wrong(const struct cJSON *doc, const struct oidc_expected *e)
{
	usec_t exp = 0;
	usec_t iat = 0;
	usec_t nbf = 0;

	if (!time_claim(doc, "exp", &exp) || !time_claim(doc, "iat", &iat) ||
	    (json_get(doc, "nbf") != NULL && !time_claim(doc, "nbf", &nbf)))
		return "the token does not say when it was made and until when it holds";
	if (exp + e->skew <= e->now)
		return "the token has expired";
	if (iat - e->skew > e->now || nbf - e->skew > e->now)
		return "the token is of the future";
	if (iat + e->skew < e->begun)
		return "the token is older than this sign-in";
	return NULL;
}

static enum err
login_read(const struct cJSON *doc, const struct oidc_expected *e, struct arena *a,
	   struct oidc_claims *out, struct err_info *info)
{
	const bool proven = cJSON_IsTrue(json_get(doc, "email_verified"));

	out->email = proven ? text_claim(doc, "email", TEXT_BYTES_MAX, a) : NULL;
	out->display = text_claim(doc, "name", TEXT_BYTES_MAX, a);
	out->subject = text_claim(doc, "sub", SUBJECT_BYTES_MAX, a);
	out->by_email = strcmp(e->login_claim, "email") == 0;
	out->login =
		out->by_email ? out->email : text_claim(doc, e->login_claim, TEXT_BYTES_MAX, a);
	if (out->subject == NULL)
		return err_set(info, ERR_UNAUTHORIZED, NULL, "the token does not say who it is");
	if (out->login == NULL)
		return err_set(info, ERR_UNAUTHORIZED, NULL,
			       "the token has no claim \"%s\" with a login%s", e->login_claim,
			       out->by_email ? " that is proven" : "");
	return ERR_OK;
}

static enum err
claims_take(const struct cJSON *doc, const struct oidc_expected *e, struct arena *a,
	    struct oidc_claims *out, struct err_info *info)
{
	const char *wrong = NULL;

	if (!cJSON_IsObject(doc))
		wrong = "the token holds no claims";
	else if (!claim_is(doc, "iss", e->issuer))
		wrong = "the token is of another issuer";
	else if (!audience_is(doc, e->client_id))
		wrong = "the token was made for somebody else";
	else if (!nonce_is(doc, e->nonce))
		wrong = "the token is not of this sign-in";
	else
		wrong = times_wrong(doc, e);
	if (wrong != NULL)
		return err_set(info, ERR_UNAUTHORIZED, NULL, "%s", wrong);
	const enum err err = login_read(doc, e, a, out, info);
	return err != ERR_OK ? err : roles_read(doc, e, a, out, info);
}

enum err
oidc_claims_read(struct str payload, const struct oidc_expected *e, struct arena *a,
		 struct oidc_claims *out, struct err_info *info)
{
	struct cJSON *doc = NULL;
	struct err_info ignored = { .code = ERR_OK };

	*out = (struct oidc_claims) { .subject = NULL };
	if (json_parse(payload, &doc, &ignored) != ERR_OK)
		return err_set(info, ERR_UNAUTHORIZED, NULL, "the token holds no claims");
	const enum err err = claims_take(doc, e, a, out, info);
	json_free(doc);
	return err;
}
