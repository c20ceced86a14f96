/*
 * internal.h — what the files of this room share.
 */
#ifndef BIMODAL_CORE_SESSION_INTERNAL_H
#define BIMODAL_CORE_SESSION_INTERNAL_H

#include "base/id.h"
#include "base/offload.h"
#include "core/session/csrf.h"
#include "core/session/password.h"
#include "core/session/session.h"

#define SESSION_SECRET_CHARS 43 /* base64url of 32 bytes: cookies and one-time secrets alike */
#define SESSION_SECRET_SIZE (SESSION_SECRET_CHARS + 1)
#define SESSION_ADDRESS_SIZE 64
#define SESSION_AGENT_SIZE 201
#define SESSION_BODY_MAX ((size_t)4096)
#define SESSION_ANSWER_MAX ((size_t)1024 * 1024)

struct core_session {
	struct core_session_conf conf;
	struct offload *threads;
	struct password_cost cost;
	char nobody[PASSWORD_PHC_SIZE];
	uint8_t csrf_key[SHA256_BYTES];
	const char *cookie;
	/* Intervals as PostgreSQL reads them. */
	char idle[32], lifetime[32], reset_lifetime[32], token_lifetime[32], lock_longest[32];
	char lock_after[24], lock_address_after[24];
};
extern struct core_session core_session;

/* ---- secrets: cookies and one-time secrets ---- */
struct session_secret {
	char text[SESSION_SECRET_SIZE];
	char hash[SHA256_HEX_SIZE];
};
void session_secret_make(struct session_secret *out);
/* SHA-256 of a text of the form, in hex; false if it is not of the form. */
bool session_secret_hash(struct str text, char hash[SHA256_HEX_SIZE]);
/* What the request's cookie holds, of the right form; STR_NONE. */
struct str session_cookie(struct task *t);
/* Set-Cookie; NULL takes it away. */
void session_cookie_set(struct task *t, const char *secret);

/* ---- requests ---- */
/* The client's address as counted and kept: an IPv6 client by its /64. */
void session_address(struct task *t, char out[SESSION_ADDRESS_SIZE]);
/* The client program as kept: plain characters, in the arena. */
const char *session_agent(struct task *t);
/* A write must come from our own console: ERR_FORBIDDEN with a reason in the task. `secret`: the cookie's, or STR_NONE before sign-in. */
MUST_CHECK enum err session_origin_check(struct task *t, struct str secret);
/* The body: an object of texts. Each is copied into the arena, or fails the task. */
struct session_field {
	const char *name;
	size_t max; /* bytes */
	struct str *out;
};
MUST_CHECK enum err session_body(struct task *t, const struct session_field *fields, size_t n);
/* Count a try for this login from this address (session_enter.sql), and write down a refused one; `principal` empty: nobody. */
enum step session_enter(struct task *t, struct str login, const char *address);
enum step session_refuse(struct task *t, struct str login, const char *principal,
			 const char *address);
/* 429 with Retry-After if `seconds` is not 0. */
bool session_must_wait(struct task *t, int64_t seconds);
enum step session_reply(struct task *t, int status, struct str json); /* never kept by a cache */

/* ---- cache.c: sessions this worker has met ---- */
extern const struct access_cookie session_cookie_hook;
MUST_CHECK enum err session_cache_create(struct err_info *info);
void session_cache_destroy(void);
size_t session_cache_used_take(struct buf *out);

/* ---- applied.c: answer when every live worker has heard of a generation ---- */
enum step session_applied(struct task *t, int64_t generation, int status, struct str json);

/* ---- password jobs ---- */
/* Submit and wait; the job is the pool's. NULL fails the task. */
enum step session_hash(struct task *t, struct password_job *job);
/* The job of the previous step; NULL after failing the task because argon2 failed. */
const struct password_job *session_hashed(struct task *t);
struct password_job *session_compare_job(struct str phc, struct str given);

extern const struct step_row session_sign_in_steps[], session_sign_out_steps[], session_get_steps[],
	session_list_steps[], session_revoke_steps[], session_revoke_all_steps[],
	session_token_steps[], session_password_steps[], session_reset_make_steps[],
	session_reset_use_steps[];

#endif
