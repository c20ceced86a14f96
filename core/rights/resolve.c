/*
 * resolve.c — POST /v1/people/resolve {"pseudonym":…,"reason":…}: the person behind a pseudonym of the sandbox. The look and its reason
 * are in the event log before the answer is: both come from one statement.
 */
#include "core/rights/internal.h"

#include <cjson/cJSON.h>

#include "base/json_in.h"
#include "gen/sql_core.h"

#define REASON_MIN 3
#define REASON_MAX 500

/* The body has these two and nothing else. */
static bool
body_read(struct task *t, struct str *pseudonym, struct str *reason)
{
	struct cJSON *j = NULL;
	struct uuid u;
	bool ok = json_parse(http_body(t), &j, &t->t_err) == ERR_OK;
	for (const struct cJSON *m = ok ? j->child : NULL; m != NULL && ok; m = m->next)
		ok = str_is(str_of(m->string), "pseudonym") || str_is(str_of(m->string), "reason");
	const struct cJSON *p = ok ? json_get(j, "pseudonym") : NULL;
	const struct cJSON *r = ok ? json_get(j, "reason") : NULL;
	if (!ok || !cJSON_IsString(p) || uuid_parse(str_of(p->valuestring), &u) != ERR_OK) {
		(void)err_set(&t->t_err, ERR_INVALID, ok ? "/pseudonym" : NULL,
			      "give the pseudonym (a UUID) and the reason, and nothing else");
		ok = false;
	}
	const struct str why =
		ok && cJSON_IsString(r) ? str_trim(str_of(r->valuestring)) : STR_NONE;
	if (ok && (why.len < REASON_MIN || why.len > REASON_MAX)) {
		(void)err_set(&t->t_err, ERR_INVALID, "/reason",
			      "say in %d to %d bytes why the person must be known", REASON_MIN,
			      REASON_MAX);
		ok = false;
	}
	if (ok) {
		*pseudonym = arena_str(&t->t_arena, str_of(p->valuestring));
		*reason = arena_str(&t->t_arena, why);
	}
	json_free(j);
	return ok;
}

/* The owners whose people this principal may read, as the text of an array; STR_NONE: all. */
static bool
owners_text(struct task *t, struct str *out)
{
	static const struct access_resource people = { .name = { "people", 6 } };
	const struct access_actor *actor = access_actor_of(t);
	const enum access_scope scope =
		access_scope_of(core_rights_conf.access, actor, &people, false);
	struct record_owners owners = { .self = str_of(actor->name) };
	*out = STR_NONE;
	if (scope == ACCESS_SCOPE_ALL)
		return true;
	if (scope == ACCESS_SCOPE_OWN) {
		owners.names = &owners.self;
		owners.n = 1;
	} else if (!access_team_names(core_rights_conf.access, actor, &t->t_arena, &owners.names,
				      &owners.n)) {
		return false;
	}
	*out = record_owners_text(&owners, &t->t_arena);
	return out->p != NULL;
}

static enum step
resolve_ask(struct task *t)
{
	const struct access_actor *actor = access_actor_of(t);
	struct str pseudonym = STR_NONE, reason = STR_NONE, owners = STR_NONE;
	if (!body_read(t, &pseudonym, &reason))
		return task_fail(t);
	if (reason.p == NULL || !owners_text(t, &owners))
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	const struct postgres_param params[] = { P_TEXT(actor->principal),
						 P_STR(http_request_id(t)),
						 P_STR(pseudonym),
						 P_STR(reason),
						 { .value = owners, .is_null = owners.p == NULL } };
	return postgres_wait(core_rights_conf.pool, t, &sql_person_resolve, params,
			     ARRAY_LEN(params));
}

static enum step
resolve_answer(struct task *t)
{
	if (postgres_rows(t, 0) != 1 || postgres_is_null(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "nobody has this pseudonym");
	const char *body =
		arena_printf(&t->t_arena, "{\"id\":\"%.*s\"}", STR_FMT(postgres_value(t, 0, 0, 0)));
	if (body == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	return http_reply_json(t, 200, str_of(body));
}

const struct step_row core_rights_resolve[] = {
	{ "resolve", resolve_ask },
	{ "answer", resolve_answer },
	{ NULL, NULL },
};
