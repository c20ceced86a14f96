/*
 * access.h — who is asking and what may they do: live tokens by hash, roles, rights, class masks,
 * and the guard step that runs before every route. A token check is a look into this worker's
 * snapshot, never a query.
 *
 * Token text: "bm_core_" or "bm_sandbox_" and 43 characters base64url of 32 random bytes; only its
 * SHA-256 is stored. The prefix says which daemon it is for; the other daemon refuses it and says
 * so.
 *
 * Wiring: access_roles_load(config/roles.yaml) → access_create → access_use (the one of this
 * process) → a task with the snapshot statement whose result goes to access_swap_rows, at start, on
 * NOTIFY 'access …' and on reconnect; http_conf.guard = access_guard. Rooms read the actor with
 * access_actor_of(t) and hand its masks to record as plain values.
 */
#ifndef BIMODAL_ACCESS_ACCESS_H
#define BIMODAL_ACCESS_ACCESS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/id.h"
#include "base/str.h"
#include "base/task.h"

#define ACCESS_RIGHTS_MAX 256
#define ACCESS_ROLES_MAX 16
#define ACCESS_ROLE_SCOPES_MAX 64 /* of one role */
#define ACCESS_TOKENS_MAX 100000
#define ACCESS_MEMBERS_MAX 1000000
#define ACCESS_NAME_SIZE 101
#define ACCESS_TOKEN_SIZE 64  /* text with NUL                          */
#define ACCESS_PREFIX_SIZE 20 /* what lists show of a token: 8 + of it  */
#define ACCESS_SCOPES_MAX 32
#define ACCESS_SCOPES_SIZE 1001 /* all of a token, comma-separated, with NUL */

/* Bits of a class mask; the same values as in the record engine, which does not know this module.
 */
#define ACCESS_OPEN 1u
#define ACCESS_INTERNAL 2u
#define ACCESS_PERSONAL 4u

enum access_daemon { ACCESS_CORE, ACCESS_SANDBOX };

/* Whose records: those the principal owns, those that members of its teams own, or all. Ordered: the wider one is greater. */
enum access_scope { ACCESS_SCOPE_OWN = 1, ACCESS_SCOPE_TEAM, ACCESS_SCOPE_ALL };
const char *access_scope_name(enum access_scope s);

/* ---- roles.yaml: role → rights and class masks ---- */
struct access_roles;
/* Every error of the file is added to `e` with its place. Owner: access_roles_free. Errors:
 * ERR_CONFIG. */
MUST_CHECK enum err access_roles_load(const char *path, struct access_roles **out,
				      struct yaml_errors *e);
/* The same for a daemon that starts: the errors go to stderr. */
MUST_CHECK enum err access_roles_read(const char *path, struct access_roles **out);
MUST_CHECK enum err access_roles_parse(const char *name, struct str text, struct access_roles **out,
				       struct yaml_errors *e);
void access_roles_free(struct access_roles *r);
/* SHA-256 of the file as read, in hex: goes into the ledger. */
const char *access_roles_hash(const struct access_roles *r);
/* Is there a role of this name? */
bool access_roles_know(const struct access_roles *r, struct str role);
/* {"change.approve":["operator",…],"*.read":[…],…}: the roles that give each right as the file writes it. */
void access_roles_holders_json(const struct access_roles *r, struct buf *out);

struct access_rights {
	uint64_t w[ACCESS_RIGHTS_MAX / 64];
};

/* The principal of one request; lives in the task's arena. */
struct access_actor {
	char principal[UUID_TEXT_SIZE]; /* uuid text: bimodal.actor                       */
	char name[ACCESS_NAME_SIZE];    /* empty in the sandbox: names do not go there     */
	struct access_rights rights;
	uint32_t read_classes; /* ACCESS_OPEN | …                                */
	uint32_t write_classes;
	uint32_t roles;                  /* bit i = i-th role of roles.yaml                */
	bool scoped;                     /* else the token gives all that the roles do     */
	char scopes[ACCESS_SCOPES_SIZE]; /* comma-separated patterns */
	char session[UUID_TEXT_SIZE]; /* known by a cookie: the session's id; empty: by a token */
	const char *refused;          /* by access_refused: why, once it was said         */
};

/* ---- the one access object of a process ---- */
struct access;
/* Requests (a batch counts its rows) a principal may make in any window; of several roles the largest holds. 0 = no limit. */
struct access_limits {
	usec_t window;
	int64_t address; /* of one client address, for requests of nobody we know */
	int64_t other;   /* of roles that are not listed, and of principals without a role */
	struct {
		const char *role;
		int64_t quota;
	} of[ACCESS_ROLES_MAX];
	size_t n;
};

struct access_conf {
	enum access_daemon daemon;
	struct access_limits limits;
	const struct access_roles *roles; /* must outlive the object */
	/* Sandbox: true while the copy is older than its limit; writes are then refused
	 * (ERR_COPY_STALE). NULL in core. */
	bool (*stale)(void *arg);
	void *arg;
};
MUST_CHECK enum err access_create(const struct access_conf *conf, struct access **out,
				  struct err_info *info);
void access_destroy(struct access *a);
void access_use(
	struct access *a); /* the guard of this process asks this one; NULL before destroying it */

/*
 * Swap in the live tokens. Columns of the rows: hash (64 hex), principal, name (may be NULL), roles
 * (comma separated), audience, expires_us (bigint since 1970 or NULL), generation, scopes
 * (comma separated, NULL = all that the roles give) (sql/core/queries/access_snapshot.sql, sql/sandbox/queries/sandbox_access_snapshot.sql). Rows for
 * the other daemon are left out, unknown roles give no right. On error the old snapshot stays.
 * Errors: ERR_INTERNAL, ERR_NO_MEMORY.
 */
MUST_CHECK enum err access_swap_rows(struct access *a, const PGresult *rows, struct err_info *info);
int64_t access_generation(const struct access *a); /* -1 before the first snapshot */
size_t access_token_count(const struct access *a);

/*
 * Check a token (the text after "Bearer "). Errors: ERR_UNAUTHORIZED with a reason for people in
 * `info`; ERR_DOWN while there is no snapshot. `reason` gets a stable word: "missing", "malformed",
 * "other-daemon", "unknown", "expired".
 */
MUST_CHECK enum err access_check(struct access *a, struct str token, struct access_actor *out,
				 const char **reason, struct err_info *info);

/*
 * The same for what goes on after its request: is the token with this hash still good, what does it give now, and until when (wall
 * clock; INT64_MAX: for ever)? It does not count as a use. False: revoked, expired, or its principal was disabled.
 */
bool access_check_again(const struct access *a, const uint8_t hash[SHA256_BYTES],
			struct access_actor *out, usec_t *expires);

/*
 * For what goes on after its request and is not of this floor: the hash of the token that a request was let in by (false: none, or a
 * cookie), and later whether it is still good and gives a right: ERR_OK with its principal and end (wall clock; INT64_MAX: for ever),
 * ERR_UNAUTHORIZED, ERR_FORBIDDEN.
 */
bool access_token_of(struct task *t, uint8_t hash[SHA256_BYTES]);
MUST_CHECK enum err access_token_may(const uint8_t hash[SHA256_BYTES], const char *right,
				     char principal[UUID_TEXT_SIZE], usec_t *ends);

/*
 * Does the actor have this right? "people.read" is granted by itself or by "*.read"; with a scoped
 * token a scope must name it too: "people.read", "people.*", "*.read" or "*.*".
 */
/* An actor that was found in another way than by a token; `roles` are names with commas, unknown ones give no right. */
void access_actor_make(const struct access *a, struct str principal, struct str name,
		       struct str roles, struct access_actor *out);

bool access_may(const struct access *a, const struct access_actor *actor, struct str right);
/* Is this text such a scope? */
bool access_scope_valid(struct str scope);
/*
 * Has `giver` all that a token of these roles (comma separated) under these scopes (NULL: all) would
 * give? If not, `missing` names the first thing that he lacks.
 */
bool access_covers(const struct access *a, const struct access_actor *giver, struct str roles,
		   const char *scopes, char *missing, size_t size);
/* The roles of roles.yaml, in its order. */
size_t access_role_count(const struct access *a);
struct str access_role_name(const struct access *a, size_t i);
/*
 * Whose records of a resource the actor may read or write: the widest scope of the roles that grant the right. A role's row for the
 * resource decides; without one, what has no owner of its own takes the narrowest scope of the resources it `follows`, and the rest
 * the role's row "*", or all.
 */
struct access_resource {
	struct str name;
	const struct str *follows;
	size_t n_follows;
};
enum access_scope access_scope_of(const struct access *a, const struct access_actor *actor,
				  const struct access_resource *r, bool write);
/* Is any role limited at all? If not, every scope is all, and nobody needs to ask. */
bool access_scoped(const struct access *a);

/*
 * Names of everybody in the actor's teams, itself first; in the arena. Returns false without memory.
 */
bool access_team_names(const struct access *a, const struct access_actor *actor,
		       struct arena *arena, const struct str **names, size_t *n);
/* Is this the actor's own name, or that of somebody in one of its teams? */
bool access_in_team(const struct access *a, const struct access_actor *actor, struct str name);
/*
 * Swap in who is in which team. Columns: team, principal, name, generation; ordered by team. One row with NULLs but the generation
 * says that there is none. On error the old ones stay. Errors: ERR_INTERNAL, ERR_NO_MEMORY.
 */
MUST_CHECK enum err access_swap_members(struct access *a, const PGresult *rows,
					struct err_info *info);
int64_t access_members_generation(const struct access *a); /* -1 before the first */

/* {"principal":…,"name":…,"roles":[…],"rights":[…],"classes":{"read":[…],"write":[…]},"scopes":[…]}
 * for /v1/me; scopes is null if the token is not narrowed, and rights is what is left under them.
 */
void access_actor_json(const struct access *a, const struct access_actor *actor, struct buf *out);

/* ---- for explanations (explain.c) ---- */
/* An actor with these roles (comma separated), as if it had shown a token. */
void access_actor_of_roles(const struct access *a, struct str principal, struct str name,
			   struct str roles, struct access_actor *out);
/* ,"roles":[{"role":…,"grants":…}],"classes":{…}: which role grants `right`, and by which of its own. */
void access_explain_json(const struct access *a, const struct access_actor *actor, struct str right,
			 struct buf *out);
/* "{resource}.read" with the parameter in place; false if it does not fit. */
bool access_right_fill(const char *pattern, struct str value, char *out, size_t size);

/*
 * Tokens used since the last call, as the text of a bytea[] parameter ({"\\x…","\\x…"}); returns
 * how many. The room calls it every few seconds and writes last_used_at in one statement.
 */
size_t access_used_take(struct access *a, struct buf *out);

/* ---- the guard ---- */
/*
 * Steps before every route. A route without `right` passes (a valid token is still recognised, a
 * bad one is ignored). Else 401 with WWW-Authenticate, or 403 that names the right. "{name}" in a
 * route's right stands for the path parameter: "{resource}.write". Writes (all but GET, HEAD,
 * OPTIONS) are refused while the copy is stale. Ends with the route's own steps.
 */
extern const struct step_row access_guard[];
/*
 * Cookies: a request without an Authorization header may say by a cookie who it is from. What a session is and where it is kept is
 * not known here: a room gives two functions. `look` answers at once or submits a query (ACCESS_COOKIE_WAIT); `answer` is then asked
 * when its result is there, and never waits. Routes without a right never look.
 */
enum access_cookie_seen {
	ACCESS_COOKIE_NONE,    /* no cookie of ours: as without a token                          */
	ACCESS_COOKIE_KNOWN,   /* `out` is filled                                                */
	ACCESS_COOKIE_WAIT,    /* submitted                                                      */
	ACCESS_COOKIE_REFUSED, /* t_err says why (ERR_UNAUTHORIZED: `reason` too)                */
};
struct access_cookie {
	enum access_cookie_seen (*look)(struct task *t, struct access_actor *out,
					const char **reason);
	enum access_cookie_seen (*answer)(struct task *t, struct access_actor *out,
					  const char **reason);
};
void access_use_cookie(const struct access_cookie *cookie); /* of this process; NULL: none */

/* NULL if nobody is known. */
const struct access_actor *access_actor_of(const struct task *t);
/* His id; NULL if nobody is known. */
const char *access_principal_of(const struct task *t);
/* Ask for one more right inside a step: ERR_OK, or ERR_FORBIDDEN set in the task. */
MUST_CHECK enum err access_require(struct task *t, struct str right);
/* The same question without an error: what an answer may hold besides what was asked for. */
bool access_allows(const struct task *t, struct str right);

/* ---- rate limits (limit.c) ---- */
/* Before the fork, and once: the tables that all workers of the instance share, and their metrics. */
void access_limits_map(void);
/* Ask for `cost` more of the actor's quota inside a step: ERR_OK, or ERR_RATE set in the task (429, Retry-After). */
MUST_CHECK enum err access_charge(struct task *t, unsigned cost);
/* Before something is asked for a client that nobody knows yet: on the account of its address. ERR_OK or ERR_RATE in the task. */
MUST_CHECK enum err access_charge_unknown(struct task *t);
/*
 * http_conf.early: a request that is answered before it meets a route goes on the account of the token's principal, else of the address.
 * False: its quota is used up, and `info` says so.
 */
struct http_early;
bool access_charge_early(struct str peer, struct str token, struct http_early *out,
			 struct err_info *info);
/* A quota and how it stands. */
struct access_limit {
	uint64_t key;
	int64_t quota;
	usec_t window;
	struct str policy; /* the role whose quota it is, "address", or "none" */
	bool is_address;
	/* by access_limit_take */
	int64_t left;
	int64_t reset; /* seconds until all of it is there again */
	int64_t wait;  /* seconds until this cost would be allowed; 0 if it was */
};
/* False: this actor has no limit. */
bool access_limit_of(const struct access *a, const struct access_actor *actor,
		     struct access_limit *out);
/* Take `cost` (0: only look). False: refused, and nothing was taken. */
bool access_limit_take(struct access_limit *l, int64_t cost);

/* ---- refusals (refusal.c): what is written to the event log ---- */
void access_refusal_metrics(void); /* before the fork */
/* At the end of every request. */
void access_request_ended(struct task *t);
/* Says that the "class" of a field, the "scope" of the principal or the lack of proof that a cookie's owner sent it ("csrf") was the reason. */
void access_refused(struct task *t, const char *what);
/*
 * Refusals since the last call as a JSON array of {"actor"|"token", "request", "route", "reason", "count", "since"}; returns how
 * many. The room writes them within a few seconds; what it cannot write it reports as lost.
 */
size_t access_refusals_take(struct access *a, struct buf *out);
void access_refusal_lost(size_t n);

/* ---- making tokens ---- */
struct access_token {
	char text[ACCESS_TOKEN_SIZE];    /* shown once       */
	char prefix[ACCESS_PREFIX_SIZE]; /* kept for lists   */
	uint8_t hash[SHA256_BYTES];
};
void access_token_make(enum access_daemon audience, struct access_token *out);
/* The part of a token text that lists may show. */
struct str access_token_shown(struct str text);
/* Hash of a token text; ERR_INVALID if it is not of the form. */
MUST_CHECK enum err access_token_hash(struct str text, enum access_daemon *audience,
				      uint8_t hash[SHA256_BYTES]);

#endif
