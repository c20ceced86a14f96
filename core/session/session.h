/*
 * session.h — people sign in: passwords, OpenID Connect, console sessions by cookie, CSRF defence, delays against guessing, one-time secrets that set
 * a password, and the exchange of a session for a short-lived token of the sandbox.
 *
 * A session is known by a cookie with 32 random bytes; the database has their SHA-256 only. Workers remember a session they have met
 * for a minute, or until the generation of access moves: a revocation is a generation. Passwords are hashed by argon2id on threads of
 * their own; memory in use is workers × session.hash_threads × session.argon2_memory at most.
 */
#ifndef BIMODAL_CORE_SESSION_H
#define BIMODAL_CORE_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "access/access.h"
#include "base/loop.h"
#include "base/task.h"
#include "daemon/jobs.h"
#include "http/http.h"
#include "postgres/postgres.h"

/* Sign-in by OpenID Connect. Texts are never NULL; what is not given is "". */
struct core_oidc_conf {
	const char *issuer; /* "": there is none of this                            */
	const char *name;   /* of the provider, for people                          */
	const char *client_id;
	const char *client_secret; /* "": a public client; PKCE holds in any case          */
	const char *scopes;        /* apart by one space                                   */
	const char *base;          /* where browsers reach this server                     */
	const char *ca_file;       /* "": the system's roots                               */
	const char *login_claim;
	const char *group_claim;
	const char *roles; /* "group = role; …"                                    */
	bool create;       /* make users who are not known, if a group gives a role */
	usec_t flow_lifetime;
	usec_t timeout; /* of one call to the provider                          */
	usec_t keys_max_age;
	usec_t keys_pause; /* between two looks for a key that is not there        */
	usec_t skew;       /* of the provider's clock and ours                     */
};
/* What the types of the keys cannot say. Errors: ERR_CONFIG with the key. */
MUST_CHECK enum err core_session_oidc_check(const struct core_oidc_conf *c,
					    const struct access_roles *roles,
					    struct err_info *info);

struct core_session_conf {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *pool; /* the workers' */
	struct access *access;
	const char *
		key; /* secret of the daemon, the same in every worker and instance: signs CSRF tokens */
	bool secure; /* the cookie may only travel over TLS: Secure and __Host- */
	usec_t idle;
	usec_t lifetime;
	usec_t reset_lifetime;
	usec_t token_lifetime;
	int64_t argon2_memory; /* bytes a hash */
	int64_t argon2_passes;
	int64_t hash_threads; /* of this worker */
	int64_t hash_queue;
	int64_t lock_after;         /* wrong passwords of one account before delays begin */
	int64_t lock_address_after; /* of one client address; 0: never                    */
	usec_t lock_longest;
	struct core_oidc_conf oidc;
};

/* Once a worker, after its pool and access object; from then on the guard knows cookies. Owner of all in `conf` remains the caller. */
MUST_CHECK enum err core_session_start(const struct core_session_conf *conf, struct err_info *info);
/* Joins the threads. Before the task engine goes. */
void core_session_stop(void);
/* Write when sessions were last used, if any were: called by a timer every few seconds. */
void core_session_flush_used(struct task_engine *e);

extern const struct http_route core_session_routes[];
extern const size_t core_session_routes_count;

/* Cleaning up, in the jobs child. */
void core_session_jobs(struct daemon_jobs *jobs, struct postgres_pool *lead);

/*
 * --create-admin LOGIN — an operator with a one-time secret that sets his password, printed on standard output (the only time it is
 * seen). Refused if an operator can sign in already, unless `force`. t_owner is a struct core_session_order.
 */
struct core_session_order {
	struct postgres_pool *pool; /* the executor's */
	const char *login;
	usec_t lifetime; /* of the secret */
	bool force;
};
extern const struct step_row core_session_create_admin[];

#endif
