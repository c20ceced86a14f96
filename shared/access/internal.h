/*
 * internal.h — private to shared/access: tokens in memory.
 */
#ifndef BIMODAL_ACCESS_INTERNAL_H
#define BIMODAL_ACCESS_INTERNAL_H

#include "access/access.h"
#include "access/roles.h"

struct token {
	uint8_t hash[SHA256_BYTES];
	char principal[UUID_TEXT_SIZE];
	char name[ACCESS_NAME_SIZE];
	uint32_t roles;
	const char *scopes; /* in the snapshot's text; NULL = all of the roles */
	bool used;          /* since access_used_take             */
	usec_t expires;     /* wall clock; INT64_MAX = never       */
};

struct snapshot {
	struct token *tokens; /* sorted by hash */
	size_t n;
	int64_t generation;
	struct arena text; /* the scopes */
};

/* ---- refusal.c ---- */
#define ACCESS_REFUSALS_MAX 192
#define ACCESS_STRANGERS_MAX 64
struct refusal {
	char who[UUID_TEXT_SIZE];     /* principal, or what lists show of the token */
	char request[UUID_TEXT_SIZE]; /* the first one */
	char since[CLOCK_RFC3339_SIZE];
	const char *route; /* static texts */
	const char *reason;
	uint64_t count;
	bool is_token;
};
struct refusals {
	struct refusal of[ACCESS_REFUSALS_MAX];
	size_t n;
};
struct access_refusal_who {
	struct str principal; /* this or … */
	struct str token;     /* … the shown part of a token */
	struct str request;
};
void access_refusal_add(struct access *a, const struct task *t,
			const struct access_refusal_who *who, const char *reason);

/* ---- limit.c ---- */
/* One charge of the guard: ERR_OK or ERR_RATE in the task. */
MUST_CHECK enum err access_charge_request(struct task *t, const struct access *a);

struct members; /* reach.c */
void access_members_free(struct members *m);

struct access {
	struct access_conf conf;
	struct members *members; /* NULL before the first ones */
	struct refusals known, strangers;
	struct snapshot *snapshot; /* NULL before the first one */
};

void access_actor_fill(const struct access *a, const struct token *token, struct access_actor *out);
uint32_t access_roles_bits(const struct access_roles *r, struct str list);
/* {"read":[…],"write":[…]} */
void access_classes_json(const struct access_actor *actor, struct buf *out);

/* The one of this process (access_use). */
struct access *access_here(void);
const char *access_daemon_name(enum access_daemon d);

#endif
