/*
 * tokens.c — personal and service tokens: list, show, make, rotate, revoke. The text is in one answer and nowhere else.
 *
 * Before a token is shown or made the database says whose it is (people_token_target). Rules: a person's token is made by that
 * person alone; a service's by its owners, or with the right token.create; and none gives more than its maker has, roles and
 * scopes of both counted. Tokens of others are not there for who may not see them.
 */
#include "core/people/internal.h"

#include <string.h>

enum target {
	TARGET_PRINCIPAL,
	TARGET_KIND,
	TARGET_ROLES,
	TARGET_SCOPES,
	TARGET_AUDIENCE,
	TARGET_MINE,
	TARGET_TOKEN
};

struct making {
	struct access_token token;
	const char *id;
	struct str old;       /* the token that is rotated; STR_NONE: a new one */
	struct str principal; /* whose                                          */
	struct str scopes;    /* of the new token as a text[]; STR_NONE: all    */
	struct str label;
	enum access_daemon audience;
	int64_t overlap;
	char expires[CLOCK_RFC3339_SIZE]; /* empty: the span of the old one */
	char latest[CLOCK_RFC3339_SIZE];
};

/* ---- whose is it ---- */

static enum step
target_read(struct task *t, struct str token, struct str principal)
{
	const struct postgres_param params[] = {
		{ .value = token, .is_null = token.p == NULL },
		{ .value = principal, .is_null = principal.p == NULL },
		P_TEXT(people_actor(t)),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_token_target, params,
			     ARRAY_LEN(params));
}

static bool
may_see_all(struct task *t)
{
	return people_may(t, "token.create") || people_may(t, "token.revoke");
}

static bool
target_seen(struct task *t)
{
	return postgres_rows(t, 0) == 1 && (postgres_bool(t, 0, 0, TARGET_MINE) || may_see_all(t));
}

static enum step
not_there(struct task *t)
{
	return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no token %.*s",
			     STR_FMT(http_param(t, "id")));
}

/* ---- reading ---- */

static enum step
list_begin(struct task *t)
{
	const struct str of = http_query(t, "principal");
	struct uuid u;

	if (of.p == NULL || people_is_self(t, of) || str_is(of, "all"))
		return STEP_NEXT;
	if (uuid_parse(of, &u) != ERR_OK)
		return task_fail_set(t, ERR_BAD_REQUEST, "principal", "must be an id, or all");
	return target_read(t, STR_NONE, of);
}

static enum step
list_read(struct task *t)
{
	const struct str of = http_query(t, "principal");
	const bool all = str_is(of, "all");
	const bool self = of.p == NULL || people_is_self(t, of);
	const char *limit = people_limit(t);
	bool ended = false;
	struct str after;

	if (limit == NULL || !people_query_flag(t, "ended", &ended) ||
	    !people_query_uuid(t, "after", &after))
		return task_fail(t);
	if (all && !may_see_all(t))
		return task_fail_set(t, ERR_FORBIDDEN, "principal",
				     "this needs the right token.create or token.revoke");
	if (!all && !self && !target_seen(t))
		return task_fail_set(t, ERR_NOT_FOUND, "principal", "there is no such principal");
	const struct postgres_param params[] = {
		{ .value = after, .is_null = after.p == NULL },
		{ .value = self ? str_of(people_actor(t)) : of, .is_null = all },
		P_TEXT(ended ? "true" : "false"),
		P_TEXT(limit),
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_token_list, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_token_list_steps[] = {
	{ "whose", list_begin },
	{ "read", list_read },
	{ "answer", people_answer_page },
	{ NULL, NULL },
};

static enum step
get_read(struct task *t)
{
	return target_read(t, http_param(t, "id"), STR_NONE);
}

static enum step
get_answer(struct task *t)
{
	return target_seen(t) ? http_reply_json(t, 200, postgres_value(t, 0, 0, TARGET_TOKEN))
			      : not_there(t);
}

const struct step_row core_people_token_get_steps[] = {
	{ "read", get_read },
	{ "answer", get_answer },
	{ NULL, NULL },
};

/* ---- may it be made ---- */

/* A text[] of scopes without its braces, for access_covers; NULL: all. */
static const char *
scopes_plain(struct task *t, struct str list)
{
	return list.p == NULL ? NULL
			      : arena_printf(&t->t_arena, "%.*s", (int)list.len - 2, list.p + 1);
}

static bool
may_make_for(struct task *t, const struct making *m)
{
	if (postgres_rows(t, 0) == 1 &&
	    (people_is_self(t, postgres_value(t, 0, 0, TARGET_PRINCIPAL)) ||
	     postgres_bool(t, 0, 0, TARGET_MINE)))
		return true;
	if (!target_seen(t)) {
		if (m->old.p != NULL)
			(void)err_set(&t->t_err, ERR_NOT_FOUND, NULL, "there is no token %.*s",
				      STR_FMT(m->old));
		else
			(void)err_set(&t->t_err, ERR_INVALID, "/principal",
				      "there is no such principal of yours");
	} else if (str_is(postgres_value(t, 0, 0, TARGET_KIND), "user")) {
		(void)err_set(&t->t_err, ERR_FORBIDDEN, "/principal",
			      "a person's token is made by that person alone");
	} else if (access_require(t, STR("token.create")) == ERR_OK) {
		return true;
	}
	return false;
}

static enum step
make_decide(struct task *t)
{
	struct making *m = task_state(t, sizeof(*m));
	const struct access_actor *actor = access_actor_of(t);
	char missing[128] = "";

	if (!may_make_for(t, m))
		return task_fail(t);
	m->principal = arena_str(&t->t_arena, postgres_value(t, 0, 0, TARGET_PRINCIPAL));
	const char *scopes = scopes_plain(t, m->scopes);
	if (m->old.p != NULL) {
		const struct str of_old = postgres_value(t, 0, 0, TARGET_SCOPES);
		scopes = of_old.p == NULL ? NULL : arena_strdup(&t->t_arena, of_old);
		m->audience = str_is(postgres_value(t, 0, 0, TARGET_AUDIENCE), "core")
				      ? ACCESS_CORE
				      : ACCESS_SANDBOX;
	} else if (scopes == NULL && actor->scoped) {
		/* Nothing was said: what the maker's own token has. */
		scopes = actor->scopes;
		m->scopes = str_of(arena_printf(&t->t_arena, "{%s}", actor->scopes));
	}
	if (!access_covers(core_people_conf.access, actor, postgres_value(t, 0, 0, TARGET_ROLES),
			   scopes, missing, sizeof(missing)))
		return task_fail_set(t, ERR_FORBIDDEN, "/scopes",
				     "the token would give %s, which its maker has not", missing);
	access_token_make(m->audience, &m->token);
	return STEP_NEXT;
}

/* A new token, or one that takes the place of the old. */
static enum step
make_write(struct task *t)
{
	const struct making *m = task_state(t, sizeof(*m));
	const bool rotates = m->old.p != NULL;
	char hash[SHA256_HEX_SIZE];

	hex_encode(m->token.hash, sizeof(m->token.hash), hash);
	const struct postgres_param created[] = {
		P_TEXT(people_actor(t)),
		P_STR(http_request_id(t)),
		P_TEXT(m->id),
		P_STR(m->principal),
		P_TEXT(m->audience == ACCESS_CORE ? "core" : "sandbox"),
		P_TEXT(hash),
		P_TEXT(m->token.prefix),
		P_STR(m->label.p != NULL ? m->label : STR("")),
		{ .value = m->scopes, .is_null = m->scopes.p == NULL },
		P_TEXT(m->expires),
	};
	const struct postgres_param rotated[] = {
		P_TEXT(people_actor(t)),
		P_STR(http_request_id(t)),
		P_STR(m->old),
		P_TEXT(m->id),
		P_TEXT(hash),
		P_TEXT(m->token.prefix),
		P_TEXT(arena_printf(&t->t_arena, "%lld", (long long)m->overlap)),
		{ .value = str_of(m->expires), .is_null = m->expires[0] == '\0' },
		P_TEXT(m->latest),
	};
	return rotates ? postgres_wait(core_people_conf.pool, t, &sql_people_token_rotate, rotated,
				       ARRAY_LEN(rotated))
		       : postgres_wait(core_people_conf.pool, t, &sql_people_token_create, created,
				       ARRAY_LEN(created));
}

/* The answer with the text, the only time it is seen. */
static enum step
make_answer(struct task *t)
{
	struct making *m = task_state(t, sizeof(*m));
	const struct str made = postgres_value(t, 0, 0, 0);
	struct buf body;

	buf_init(&body, PEOPLE_BODY_MAX);
	buf_add_str(&body, (struct str) { made.p, made.len - 1 });
	buf_printf(&body, ",\"token\":\"%s\"}", m->token.text);
	http_reply_header_fmt(t, "Location", "/v1/tokens/%s", m->id);
	http_reply_header(t, "Cache-Control", STR("no-store"));
	const enum step done = http_reply_json(t, 201, buf_str(&body));
	explicit_bzero(m->token.text, sizeof(m->token.text));
	buf_free(&body);
	return done;
}

static bool
expiry_read(struct task *t, const struct people_body *b, struct making *m)
{
	const struct str text = people_text(t, b, "expires_at");
	const usec_t latest = clock_wall_us() + core_people_conf.token_lifetime;
	usec_t at = 0;

	clock_rfc3339(latest, m->latest);
	if (text.p == NULL)
		return true;
	if (clock_parse_rfc3339(text, &at) != ERR_OK)
		(void)err_set(&t->t_err, ERR_INVALID, "/expires_at",
			      "must be a date-time as in 2026-05-01T10:00:00Z");
	else if (at <= clock_wall_us())
		(void)err_set(&t->t_err, ERR_INVALID, "/expires_at", "must be in the future");
	else if (at > latest)
		(void)err_set(&t->t_err, ERR_INVALID, "/expires_at",
			      "a token ends at the latest at %s", m->latest);
	else {
		clock_rfc3339(at, m->expires);
		return true;
	}
	return false;
}

static struct making *
making_of(struct task *t)
{
	struct making *m = task_state(t, sizeof(*m));

	if (m != NULL && m->id == NULL)
		m->id = people_id(t);
	if (m != NULL && m->id != NULL)
		return m;
	(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
	return NULL;
}

/* ---- make ---- */

static enum step
create_read(struct task *t)
{
	static const struct people_member known[] = {
		{ "audience", PEOPLE_TEXT, PEOPLE_REQUIRED },
		{ "expires_at", PEOPLE_TEXT, PEOPLE_REQUIRED },
		{ "principal", PEOPLE_UUID, PEOPLE_OPTIONAL },
		{ "scopes", PEOPLE_LIST, PEOPLE_NULLABLE },
		{ "label", PEOPLE_TEXT, PEOPLE_OPTIONAL },
		{ NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL },
	};
	struct making *m = making_of(t);
	struct people_body b;

	if (m == NULL || !people_body(t, known, &b) || !expiry_read(t, &b, m) ||
	    !people_list(t, &b, "scopes", access_scope_valid,
			 "must be <what>.<verb>, such as people.read, people.* or *.read",
			 &m->scopes))
		return task_fail(t);
	if (m->scopes.p != NULL && (m->scopes.len <= 2 || m->scopes.len >= ACCESS_SCOPES_SIZE))
		return task_fail_set(t, ERR_INVALID, "/scopes",
				     "must be 1 to %d scopes of together at most %d bytes",
				     ACCESS_SCOPES_MAX, ACCESS_SCOPES_SIZE - 1);
	const struct str audience = people_text(t, &b, "audience");
	if (!str_is(audience, "core") && !str_is(audience, "sandbox"))
		return task_fail_set(t, ERR_INVALID, "/audience", "must be core or sandbox");
	m->audience = str_is(audience, "core") ? ACCESS_CORE : ACCESS_SANDBOX;
	m->label = people_text(t, &b, "label");
	const struct str principal = people_text(t, &b, "principal");
	return target_read(t, STR_NONE, principal.p != NULL ? principal : str_of(people_actor(t)));
}

const struct step_row core_people_token_create_steps[] = {
	{ "whose", create_read }, { "decide", make_decide },
	{ "write", make_write },  { "answer", make_answer },
	{ NULL, NULL },
};

/* ---- rotate ---- */

static enum step
rotate_read(struct task *t)
{
	static const struct people_member known[] = {
		{ "overlap_minutes", PEOPLE_INT, PEOPLE_OPTIONAL },
		{ "expires_at", PEOPLE_TEXT, PEOPLE_OPTIONAL },
		{ NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL },
	};
	struct making *m = making_of(t);
	struct people_body b;

	if (m == NULL || !people_body(t, known, &b) || !expiry_read(t, &b, m))
		return task_fail(t);
	const struct json_member *overlap = people_get(&b, "overlap_minutes");
	m->overlap = PEOPLE_OVERLAP_MINUTES;
	if (overlap != NULL &&
	    str_int(overlap->value, 0, PEOPLE_OVERLAP_MINUTES_MAX, &m->overlap) != ERR_OK)
		return task_fail_set(t, ERR_INVALID, "/overlap_minutes",
				     "must be a number from 0 to %d", PEOPLE_OVERLAP_MINUTES_MAX);
	m->old = http_param(t, "id");
	return target_read(t, m->old, STR_NONE);
}

const struct step_row core_people_token_rotate_steps[] = {
	{ "whose", rotate_read }, { "decide", make_decide },
	{ "write", make_write },  { "answer", make_answer },
	{ NULL, NULL },
};

/* ---- revoke ---- */

static enum step
revoke_write(struct task *t)
{
	static const struct people_member known[] = { { NULL, PEOPLE_TEXT, PEOPLE_OPTIONAL } };
	struct people_body b;

	if (!people_body(t, known, &b))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_TEXT(people_actor(t)), P_STR(http_request_id(t)), P_STR(http_param(t, "id")),
		P_TEXT(people_may(t, "token.revoke") ? "true" : "false")
	};
	return postgres_wait(core_people_conf.pool, t, &sql_people_token_revoke, params,
			     ARRAY_LEN(params));
}

const struct step_row core_people_token_revoke_steps[] = {
	{ "write", revoke_write },
	{ "answer", people_answer },
	{ NULL, NULL },
};
