/*
 * guard.c — the step before every route: who is asking, may they, and is the copy fresh enough to
 * write? See access.h.
 *
 * Place: http_conf.guard; it hands over to the route's own steps. Invariant: a route that names a
 * right is never run without an actor that has it.
 */
#include "access/access.h"

#include <string.h>

#include "access/internal.h"
#include "http/http.h"

#define RIGHT_SIZE 128

const struct access_actor *
access_actor_of(const struct task *t)
{
	return t->t_actor;
}

const char *
access_principal_of(const struct task *t)
{
	const struct access_actor *actor = access_actor_of(t);
	return actor != NULL ? actor->principal : NULL;
}

/* Whoever shows something of the form of our tokens is worth a line in the log; the rest is noise. */
static void
stranger_note(struct task *t, const char *reason)
{
	enum access_daemon audience;
	uint8_t hash[SHA256_BYTES];
	const struct str token = http_bearer(t);
	if (access_token_hash(token, &audience, hash) == ERR_OK)
		access_refusal_add(
			access_here(), t,
			&(struct access_refusal_who) { .token = access_token_shown(token),
						       .request = http_request_id(t) },
			reason);
}

static enum step
unauthorized(struct task *t, const struct access *a, const char *reason)
{
	if (t->t_err.code != ERR_UNAUTHORIZED)
		return task_fail(t);
	stranger_note(t, reason);
	const char *daemon = access_daemon_name(a->conf.daemon);
	if (strcmp(reason, "missing") == 0)
		http_reply_header_fmt(t, "WWW-Authenticate", "Bearer realm=\"bimodal-%s\"", daemon);
	else
		http_reply_header_fmt(t, "WWW-Authenticate",
				      "Bearer realm=\"bimodal-%s\", error=\"invalid_token\"",
				      daemon);
	t->t_err_members = str_of(arena_printf(&t->t_arena, "\"reason\":\"%s\"", reason));
	return task_fail(t);
}

bool
access_right_fill(const char *pattern, struct str value, char *out, size_t size)
{
	const char *open = strchr(pattern, '{');
	const char *close = open == NULL ? NULL : strchr(open, '}');
	if (close == NULL)
		return str_copy(out, size, str_of(pattern));
	struct buf b;
	buf_init(&b, size - 1);
	buf_add(&b, pattern, (size_t)(open - pattern));
	if (value.p != NULL)
		buf_add_str(&b, value);
	buf_add_cstr(&b, close + 1);
	const bool ok = !b.failed && str_copy(out, size, buf_str(&b));
	buf_free(&b);
	return ok;
}

/* The right of the route with the path parameter in place; false if it does not fit. */
static bool
right_of(struct task *t, const char *pattern, char out[RIGHT_SIZE])
{
	const char *open = strchr(pattern, '{');
	const char *close = open == NULL ? NULL : strchr(open, '}');
	char name[32] = "";
	if (close != NULL &&
	    !str_copy(name, sizeof(name), (struct str) { open + 1, (size_t)(close - open - 1) }))
		return false;
	return access_right_fill(pattern, close == NULL ? STR_NONE : http_param(t, name), out,
				 RIGHT_SIZE);
}

static bool
is_write(enum http_method m)
{
	return m != HTTP_GET && m != HTTP_HEAD && m != HTTP_OPTIONS;
}

bool
access_allows(const struct task *t, struct str right)
{
	const struct access *a = access_here();
	const struct access_actor *actor = access_actor_of(t);
	return actor != NULL && a != NULL && access_may(a, actor, right);
}

enum err
access_require(struct task *t, struct str right)
{
	const struct access *a = access_here();
	const struct access_actor *actor = access_actor_of(t);
	if (actor != NULL && a != NULL && access_may(a, actor, right))
		return ERR_OK;
	/* The name of a resource in it may be the client's own text. */
	struct buf member;
	buf_init(&member, 8 * RIGHT_SIZE);
	buf_add_cstr(&member, "\"right\":");
	buf_json_str(&member, right);
	t->t_err_members = member.failed ? STR_NONE : arena_str(&t->t_arena, buf_str(&member));
	buf_free(&member);
	return err_set(&t->t_err, ERR_FORBIDDEN, NULL, "this needs the right %.*s, which %s",
		       STR_FMT(right),
		       actor != NULL && actor->scoped
			       ? "this token's scopes or its principal's roles leave out"
			       : "no role of this principal grants");
}

bool
access_token_of(struct task *t, uint8_t hash[SHA256_BYTES])
{
	const struct access_actor *actor = access_actor_of(t);
	enum access_daemon audience;
	return actor != NULL && actor->session[0] == '\0' &&
	       access_token_hash(http_bearer(t), &audience, hash) == ERR_OK;
}

enum err
access_token_may(const uint8_t hash[SHA256_BYTES], const char *right,
		 char principal[UUID_TEXT_SIZE], usec_t *ends)
{
	const struct access *a = access_here();
	struct access_actor actor;
	if (a == NULL || !access_check_again(a, hash, &actor, ends))
		return ERR_UNAUTHORIZED;
	(void)str_copy(principal, UUID_TEXT_SIZE, str_of(actor.principal));
	return access_may(a, &actor, str_of(right)) ? ERR_OK : ERR_FORBIDDEN;
}

static const struct access_cookie *cookie_in_use;

void
access_use_cookie(const struct access_cookie *cookie)
{
	cookie_in_use = cookie;
}

/* The actor is known: may it? */
static enum step
guard_pass(struct task *t, const struct access *a)
{
	const struct http_route *route = http_route_of(t);
	char right[RIGHT_SIZE];
	if (!right_of(t, route->right, right))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no such resource");
	if (access_require(t, str_of(right)) != ERR_OK)
		return task_fail(t);
	if (is_write(http_method_of(t)) && a->conf.stale != NULL && a->conf.stale(a->conf.arg))
		return task_fail_set(t, ERR_COPY_STALE, NULL,
				     "the copy of tokens and rights is too old to write by; "
				     "nothing was changed");
	return task_continue(t, route->steps);
}

static enum step
by_token(struct task *t, struct access *a, struct access_actor *actor)
{
	const struct http_route *route = http_route_of(t);
	const char *reason = NULL;
	struct err_info info = { 0 };
	const enum err err = access_check(a, http_bearer(t), actor, &reason, &info);
	if (err == ERR_OK)
		t->t_actor = actor;
	if (access_charge_request(t, a) != ERR_OK)
		return task_fail(t);
	if (route->right == NULL)
		return task_continue(t, route->steps);
	if (err != ERR_OK) {
		t->t_err = info;
		return unauthorized(t, a, reason);
	}
	return guard_pass(t, a);
}

static enum step
by_cookie(struct task *t, struct access *a, struct access_actor *actor, bool answered)
{
	const char *reason = "session";
	switch (answered ? cookie_in_use->answer(t, actor, &reason)
			 : cookie_in_use->look(t, actor, &reason)) {
	case ACCESS_COOKIE_KNOWN:
		t->t_actor = actor;
		return access_charge_request(t, a) == ERR_OK ? guard_pass(t, a) : task_fail(t);
	case ACCESS_COOKIE_WAIT:
		return STEP_WAIT;
	case ACCESS_COOKIE_REFUSED:
		if (t->t_err.code == ERR_RATE)
			return task_fail(t);
		if (actor->principal[0] != '\0')
			t->t_actor = actor;
		/* Known, and yet not believed to have sent it. */
		if (t->t_err.code == ERR_FORBIDDEN)
			access_refused(t, "csrf");
		return access_charge_request(t, a) == ERR_OK ? unauthorized(t, a, reason)
							     : task_fail(t);
	case ACCESS_COOKIE_NONE:
		break;
	}
	return by_token(t, a, actor);
}

static enum step
guard_ask(struct task *t, bool answered)
{
	struct access *a = access_here();
	struct access_actor *actor = arena_alloc(&t->t_arena, sizeof(*actor));
	if (a == NULL || actor == NULL)
		return task_fail_set(t, a == NULL ? ERR_DOWN : ERR_NO_MEMORY, NULL,
				     "the request cannot be checked");
	/* Who sends a token is judged by it alone, whatever cookies come along. */
	if (cookie_in_use != NULL && http_route_of(t)->right != NULL && !http_shows_token(t))
		return by_cookie(t, a, actor, answered);
	return by_token(t, a, actor);
}

static enum step
guard_check(struct task *t)
{
	return guard_ask(t, false);
}

/* Reached only after a cookie had to be asked for. */
static enum step
guard_session(struct task *t)
{
	return guard_ask(t, true);
}

const struct step_row access_guard[] = {
	{ "guard", guard_check },
	{ "session", guard_session },
	{ NULL, NULL },
};
