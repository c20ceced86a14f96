/*
 * oidc.h — private to core/session: sign-in by OpenID Connect (authorization code with PKCE). The flow, what a token must say, the groups
 * and their roles are pure functions; the provider's document and keys live in oidc_provider.c, the routes in oidc.c.
 */
#ifndef BIMODAL_CORE_SESSION_OIDC_H
#define BIMODAL_CORE_SESSION_OIDC_H

#include "base/arena.h"
#include "base/id.h"
#include "base/jws.h"
#include "core/session/session.h"
#include "http/client.h"

#define OIDC_RETURN_BYTES_MAX 512
#define OIDC_COOKIE_SIZE 800
#define OIDC_VALUE_SIZE 44 /* base64url of a SHA-256 */
#define OIDC_GROUPS_MAX 100
#define OIDC_ENDPOINT_BYTES_MAX 1000

/* ---- oidc_flow.c: one way to the provider and back ---- */

/*
 * All that is known of a flow is in the cookie of the browser that began it: when, 32 random bytes, where to go afterwards, under a MAC.
 * State, nonce and code verifier are made from it under the daemon's key, so nothing is stored, and any worker can go on.
 */
struct oidc_flow {
	char cookie[OIDC_COOKIE_SIZE];
	char state[OIDC_VALUE_SIZE];
	char nonce[OIDC_VALUE_SIZE];
	char verifier[OIDC_VALUE_SIZE];
	char challenge[OIDC_VALUE_SIZE];
	char hash[SHA256_HEX_SIZE]; /* by which it is remembered that it was used */
	usec_t begun;               /* wall */
	char return_to[OIDC_RETURN_BYTES_MAX + 1];
};
/* A page of our own console: a path that no browser takes for another host. */
bool oidc_return_valid(struct str path);
/* `return_to` must be valid. */
void oidc_flow_make(const uint8_t key[SHA256_BYTES], struct str return_to, usec_t now,
		    struct oidc_flow *out);
/* False: not made by us, or older than `lifetime`. */
bool oidc_flow_open(const uint8_t key[SHA256_BYTES], struct str cookie, usec_t now, usec_t lifetime,
		    struct oidc_flow *out);

/* Appends text as a value of a query or form. */
void oidc_encode(struct buf *out, struct str text);

/* ---- oidc_claims.c: what a token must say ---- */

struct oidc_group {
	struct str group;
	struct str role;
};
struct oidc_groups {
	struct oidc_group pair[OIDC_GROUPS_MAX];
	size_t n;
};
/* "group = role; group = role"; the last '=' of a pair counts. The views point into `text`. Errors: ERR_CONFIG. */
MUST_CHECK enum err oidc_groups_parse(const char *text, struct oidc_groups *out,
				      struct err_info *info);

struct oidc_expected {
	const char *issuer;
	const char *client_id;
	const char *nonce;
	const char *login_claim;
	const char *group_claim; /* "": groups are not looked at */
	const struct oidc_groups *groups;
	usec_t begun; /* of the flow; wall */
	usec_t now;   /* wall */
	usec_t skew;
};
/* In the arena. */
struct oidc_claims {
	const char *subject;
	const char *login;
	bool by_email;       /* the login is an e-mail address, which the provider has proven */
	const char *email;   /* proven; or NULL */
	const char *display; /* or NULL */
	const char *roles;   /* text of a text[] */
};
/* A payload whose signature was good. Errors: ERR_UNAUTHORIZED with what is wrong, ERR_NO_MEMORY. */
MUST_CHECK enum err oidc_claims_read(struct str payload, const struct oidc_expected *e,
				     struct arena *a, struct oidc_claims *out,
				     struct err_info *info);

/* ---- oidc_provider.c: the provider's document and keys, as this worker has them ---- */

enum oidc_client_auth { OIDC_AUTH_NONE, OIDC_AUTH_BASIC, OIDC_AUTH_POST };
struct oidc_provider {
	char *authorization;
	char *token;
	char *jwks;
	bool names_issuer; /* its answers must say whose they are (RFC 9207) */
	enum oidc_client_auth auth;
	struct jws_keys *keys;
	usec_t loaded; /* monotonic */
};
/* The document of GET /.well-known/openid-configuration, without keys. Errors: ERR_UPSTREAM, ERR_NO_MEMORY. Release in any case. */
MUST_CHECK enum err oidc_provider_read(struct str text, const char *issuer, bool has_secret,
				       struct oidc_provider *out, struct err_info *info);
void oidc_provider_release(struct oidc_provider *p);

void oidc_provider_start(struct loop *l, struct task_engine *e, const struct core_oidc_conf *conf);
void oidc_provider_stop(void);
struct http_client *oidc_provider_client(void);
enum oidc_seen {
	OIDC_READY, /* *out is it; until the step returns   */
	OIDC_WAIT,  /* it is being asked: look again        */
	OIDC_AWAY   /* it could not be asked: *why          */
};
/* `since`: what was read before that is too old; 0 = oidc.keys_max_age alone decides. */
enum oidc_seen oidc_provider_look(usec_t since, const struct oidc_provider **out,
				  const struct err_info **why);
/* A token names a key that is not there: may the provider be asked again already? */
bool oidc_provider_may_renew(void);

/* ---- oidc.c ---- */

#define OIDC_RETURN_PATH "/v1/session/oidc/callback"
#define OIDC_LOOK_PERIOD (20 * USEC_PER_MS)
#define OIDC_ADDRESS_BYTES_MAX ((size_t)4096)

struct session_oidc {
	const struct core_oidc_conf *conf; /* NULL: there is none of this */
	struct oidc_groups groups;
	uint8_t key[SHA256_BYTES];
	char lifetime[32]; /* of a flow, as PostgreSQL reads it */
	char back[600];    /* where the provider sends browsers to */
};
extern struct session_oidc session_oidc;
/* With the room: after core_session is filled. Errors: ERR_CONFIG. */
MUST_CHECK enum err session_oidc_start(struct err_info *info);
void session_oidc_stop(void);

const char *oidc_cookie_name(void);
/* Set-Cookie of a flow; NULL takes it away. */
void oidc_cookie_set(struct task *t, const char *value);
enum step oidc_redirect(struct task *t, int status, struct str to);
/*
 * Why nobody is signed in: a person is sent to the sign-in page, which says the reason (a word) in his language; a program gets a
 * problem of this error.
 */
enum step oidc_tell(struct task *t, const char *reason, enum err code, const char *detail);
enum step oidc_not_configured(struct task *t);

extern const struct step_row session_methods_steps[], session_oidc_start_steps[],
	session_oidc_return_steps[], session_identity_get_steps[], session_identity_forget_steps[];

#endif
