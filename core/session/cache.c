/*
 * cache.c — the sessions this worker has met, so that a request with a cookie costs no query: see access.h, struct access_cookie.
 *
 * Invariants: an entry counts only while its generation is at least the one the worker serves, for a minute, and until the session
 * expires. The statement reads session and generation in one snapshot, so an answer that crossed a revocation carries the older
 * generation and is void by the time the worker has heard of the newer. The table is fixed: 4,096 sessions, the oldest of four
 * makes room.
 */
#include <stdlib.h>
#include <string.h>

#include "core/session/internal.h"
#include "gen/sql_core.h"

#define SETS 1024
#define WAYS 4
#define AGE_MAX (60 * USEC_PER_SEC)

struct entry {
	uint8_t hash[SHA256_BYTES];
	struct access_actor actor;
	int64_t generation;
	usec_t loaded;  /* monotonic; 0: free          */
	usec_t expires; /* wall                        */
	bool used;      /* since session_cache_used_take */
};

enum { COL_GENERATION, COL_SESSION, COL_PRINCIPAL, COL_NAME, COL_ROLES, COL_EXPIRES };

static struct entry (*table)[WAYS];

enum err
session_cache_create(struct err_info *info)
{
	table = calloc(SETS, sizeof(*table));
	return table != NULL
		       ? ERR_OK
		       : err_set(info, ERR_NO_MEMORY, NULL, "no memory for the known sessions");
}

void
session_cache_destroy(void)
{
	free(table);
	table = NULL;
}

static struct entry *
set_of(const uint8_t hash[SHA256_BYTES])
{
	return table[(hash[0] | (unsigned)hash[1] << 8) % SETS];
}

static struct entry *
find(const uint8_t hash[SHA256_BYTES])
{
	struct entry *set = set_of(hash);
	for (int i = 0; i < WAYS; i++) {
		if (set[i].loaded != 0 && memcmp(set[i].hash, hash, SHA256_BYTES) == 0)
			return &set[i];
	}
	return NULL;
}

static struct entry *
place_for(const uint8_t hash[SHA256_BYTES])
{
	struct entry *e = find(hash);
	struct entry *set = set_of(hash);
	for (int i = 0; i < WAYS && (e == NULL || memcmp(e->hash, hash, SHA256_BYTES) != 0); i++) {
		if (e == NULL || set[i].loaded < e->loaded)
			e = &set[i];
	}
	return e;
}

/* ---- the guard's questions ---- */

static enum access_cookie_seen
known(struct task *t, struct str secret, struct entry *e, struct access_actor *out)
{
	const enum http_method m = http_method_of(t);
	const bool reads = m == HTTP_GET || m == HTTP_HEAD || m == HTTP_OPTIONS;

	*out = e->actor; /* of a refused write too: it is known whose session was used */
	if (!reads && session_origin_check(t, secret) != ERR_OK)
		return ACCESS_COOKIE_REFUSED;
	e->used = true;
	return ACCESS_COOKIE_KNOWN;
}

static enum access_cookie_seen
cookie_look(struct task *t, struct access_actor *out, const char **reason UNUSED)
{
	const struct str secret = session_cookie(t);
	if (secret.p == NULL)
		return ACCESS_COOKIE_NONE;
	uint8_t hash[SHA256_BYTES];
	sha256(secret.p, secret.len, hash);
	struct entry *e = find(hash);
	if (e != NULL && e->generation >= access_generation(core_session.conf.access) &&
	    clock_now_us() - e->loaded < AGE_MAX && clock_wall_us() < e->expires)
		return known(t, secret, e, out);
	char hex[SHA256_HEX_SIZE];
	if (access_charge_unknown(t) != ERR_OK)
		return ACCESS_COOKIE_REFUSED;
	hex_encode(hash, sizeof(hash), hex);
	return postgres_add(core_session.conf.pool, t, &sql_session_look,
			    (struct postgres_param[]) { P_TEXT(hex) }, 1) == ERR_OK
		       ? ACCESS_COOKIE_WAIT
		       : ACCESS_COOKIE_REFUSED;
}

static void
entry_fill(struct task *t, const uint8_t hash[SHA256_BYTES], struct entry *e)
{
	const bool used = e->used && memcmp(e->hash, hash, SHA256_BYTES) == 0;
	*e = (struct entry) { .generation = postgres_int(t, 0, 0, COL_GENERATION, 0),
			      .loaded = clock_now_us(),
			      .expires = postgres_int(t, 0, 0, COL_EXPIRES, 0),
			      .used = used };
	memcpy(e->hash, hash, SHA256_BYTES);
	access_actor_make(core_session.conf.access, postgres_value(t, 0, 0, COL_PRINCIPAL),
			  postgres_value(t, 0, 0, COL_NAME), postgres_value(t, 0, 0, COL_ROLES),
			  &e->actor);
	(void)str_copy(e->actor.session, sizeof(e->actor.session),
		       postgres_value(t, 0, 0, COL_SESSION));
}

static enum access_cookie_seen
cookie_answer(struct task *t, struct access_actor *out, const char **reason)
{
	const struct str secret = session_cookie(t);
	uint8_t hash[SHA256_BYTES];
	*reason = "session";
	if (postgres_is_null(t, 0, 0, COL_SESSION)) {
		(void)err_set(&t->t_err, ERR_UNAUTHORIZED, "Cookie",
			      "the session is not known, or has ended: sign in");
		return ACCESS_COOKIE_REFUSED;
	}
	sha256(secret.p, secret.len, hash);
	struct entry *e = place_for(hash);
	entry_fill(t, hash, e);
	return known(t, secret, e, out);
}

const struct access_cookie session_cookie_hook = { cookie_look, cookie_answer };

/* ---- last seen ---- */

size_t
session_cache_used_take(struct buf *out)
{
	size_t n = 0;
	buf_add_char(out, '{');
	for (size_t i = 0; i < (size_t)SETS * WAYS; i++) {
		struct entry *e = &table[i / WAYS][i % WAYS];
		if (!e->used)
			continue;
		char hex[SHA256_HEX_SIZE];
		hex_encode(e->hash, sizeof(e->hash), hex);
		buf_printf(out, "%s\"\\\\x%s\"", n > 0 ? "," : "", hex);
		e->used = false;
		n++;
	}
	buf_add_char(out, '}');
	return out->failed ? 0 : n;
}
