/*
 * explain.c — GET /v1/access/explain?principal=…&method=…&path=…: may this principal do that, and why? It asks the same tables that
 * serve: the router for the route, roles.yaml for rights, classes and scopes, the shared table for the quota.
 */
#include "core/rights/internal.h"

#include "gen/sql_core.h"

#define BODY_BYTES_MAX (64 * 1024)
#define RIGHT_SIZE 128
#define FOLLOWED_MAX 4

struct question {
	const struct http_route *route; /* NULL: no such route */
	struct str resource;            /* of a record's route, else none */
	char right[RIGHT_SIZE];
	enum http_method method;
	struct str path;
	struct str token; /* what lists show of it, or none */
};

static bool
method_read(struct str name, enum http_method *out)
{
	for (enum http_method m = HTTP_GET; m < HTTP_METHODS; m++) {
		if (str_is(name, http_method_name(m))) {
			*out = m;
			return true;
		}
	}
	return false;
}

/* Anybody asks about himself; about others only who has the right. */
static bool
may_ask(struct task *t, struct str principal)
{
	const struct access_actor *actor = access_actor_of(t);
	return str_ieq(principal, str_of(actor->principal)) ||
	       (actor->name[0] != '\0' && str_is(principal, actor->name)) ||
	       access_require(t, STR("access.explain")) == ERR_OK;
}

static enum step
explain_ask(struct task *t)
{
	struct question *q = task_state(t, sizeof(*q));
	const struct str principal = http_query(t, "principal");
	if (q == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	q->path = http_query(t, "path");
	q->token = http_query(t, "token");
	if (principal.len == 0)
		return task_fail_set(t, ERR_BAD_REQUEST, "principal", "give a name or an id");
	if (!method_read(http_query(t, "method"), &q->method))
		return task_fail_set(t, ERR_BAD_REQUEST, "method", "give a method such as PATCH");
	if (q->path.len == 0 || q->path.p[0] != '/')
		return task_fail_set(t, ERR_BAD_REQUEST, "path",
				     "give a path such as /v1/people/<id>");
	if (!may_ask(t, principal))
		return task_fail(t);
	const struct str param = STR("resource");
	q->route = http_server_match(core_rights_served, q->method, q->path, param, &t->t_arena,
				     &q->resource);
	if (q->route != NULL && q->route->right != NULL &&
	    !access_right_fill(q->route->right, q->resource, q->right, sizeof(q->right)))
		q->route = NULL;
	const struct postgres_param params[] = {
		P_STR(principal), { .value = q->token, .is_null = q->token.p == NULL }
	};
	return postgres_wait(core_rights_conf.pool, t, &sql_access_explain, params,
			     ARRAY_LEN(params));
}

static void
route_json(const struct question *q, struct buf *out)
{
	buf_add_cstr(out, ",\"route\":");
	if (q->route == NULL) {
		buf_add_cstr(out, "null");
		return;
	}
	buf_printf(out, "{\"method\":\"%s\",\"pattern\":", http_method_name(q->method));
	buf_json_cstr(out, q->route->pattern);
	buf_add_cstr(out, ",\"name\":");
	buf_json_cstr(out, q->route->name);
	buf_add_cstr(out, ",\"right\":");
	buf_json_cstr(out, q->route->right == NULL ? NULL : q->right);
	buf_add_char(out, '}');
}

static void
principal_json(struct task *t, struct buf *out)
{
	buf_add_cstr(out, ",\"principal\":{\"id\":");
	buf_json_str(out, postgres_value(t, 0, 0, 0));
	buf_add_cstr(out, ",\"name\":");
	buf_json_str(out, postgres_value(t, 0, 0, 1));
	buf_add_cstr(out, ",\"kind\":");
	buf_json_str(out, postgres_value(t, 0, 0, 2));
	buf_printf(out, ",\"disabled\":%s,", postgres_bool(t, 0, 0, 3) ? "true" : "false");
	buf_add_str(out, postgres_value(t, 0, 0, 5));
	buf_add_char(out, '}');
}

/* Whose records: only where the route is that of a record. */
static void
scope_json(const struct question *q, const struct access_actor *actor, struct buf *out)
{
	const struct record_catalog *c = record_engine_catalog(core_rights_conf.records);
	const struct record_resource *r =
		c == NULL || q->resource.p == NULL ? NULL : record_catalog_find(c, q->resource);
	const struct record_field *followed[FOLLOWED_MAX];
	struct str names[FOLLOWED_MAX];
	if (r == NULL) {
		buf_add_cstr(out, ",\"scope\":null");
		return;
	}
	struct access_resource asked = { .name = r->name, .follows = names };
	if (record_owner_field(r) == NULL)
		asked.n_follows = record_owner_references(c, r, followed, FOLLOWED_MAX);
	for (size_t i = 0; i < asked.n_follows; i++)
		names[i] = str_of(followed[i]->reference);
	buf_printf(
		out, ",\"scope\":{\"read\":\"%s\",\"write\":\"%s\"}",
		access_scope_name(access_scope_of(core_rights_conf.access, actor, &asked, false)),
		access_scope_name(access_scope_of(core_rights_conf.access, actor, &asked, true)));
}

static void
limit_json(const struct access_actor *actor, struct buf *out)
{
	struct access_limit l;
	if (!access_limit_of(core_rights_conf.access, actor, &l)) {
		buf_add_cstr(out, ",\"limit\":null");
		return;
	}
	(void)access_limit_take(&l, 0);
	buf_add_cstr(out, ",\"limit\":{\"policy\":");
	buf_json_str(out, l.policy);
	buf_printf(out, ",\"quota\":%lld,\"window_s\":%lld,\"left\":%lld,\"whole_in_s\":%lld}",
		   (long long)l.quota, (long long)(l.window / USEC_PER_SEC), (long long)l.left,
		   (long long)l.reset);
}

static const char *
verdict(struct task *t, const struct question *q, const struct access_actor *actor)
{
	if (q->route == NULL)
		return "there is no such route";
	if (q->route->right == NULL)
		return "the route is open to all";
	if (postgres_bool(t, 0, 0, 3))
		return "the principal is disabled";
	if (actor->roles == 0)
		return "the principal has no role";
	if (q->token.p != NULL && !postgres_bool(t, 0, 0, 6))
		return "the principal has no such live token";
	if (access_may(core_rights_conf.access, actor, str_of(q->right)))
		return "a role grants the right";
	struct access_actor whole = *actor;
	whole.scoped = false;
	return access_may(core_rights_conf.access, &whole, str_of(q->right))
		       ? "a role grants the right, but the scopes of the token leave it out"
		       : "no role of the principal grants the right";
}

static enum step
explain_answer(struct task *t)
{
	const struct question *q = task_state(t, sizeof(*q));
	struct access_actor actor;
	struct buf out;
	if (postgres_rows(t, 0) != 1)
		return task_fail_set(t, ERR_NOT_FOUND, "principal", "there is no such principal");
	access_actor_of_roles(core_rights_conf.access, postgres_value(t, 0, 0, 0),
			      postgres_value(t, 0, 0, 1), postgres_value(t, 0, 0, 4), &actor);
	if (!postgres_is_null(t, 0, 0, 7))
		actor.scoped =
			str_copy(actor.scopes, sizeof(actor.scopes), postgres_value(t, 0, 0, 7));
	const bool known =
		!postgres_bool(t, 0, 0, 3) && (q->token.p == NULL || postgres_bool(t, 0, 0, 6));
	const bool allowed =
		q->route != NULL &&
		(q->route->right == NULL ||
		 (known && access_may(core_rights_conf.access, &actor, str_of(q->right))));
	buf_init(&out, BODY_BYTES_MAX);
	buf_printf(&out, "{\"allowed\":%s,\"why\":", allowed ? "true" : "false");
	buf_json_cstr(&out, verdict(t, q, &actor));
	principal_json(t, &out);
	route_json(q, &out);
	access_explain_json(core_rights_conf.access, &actor,
			    q->route == NULL ? STR_NONE : str_of(q->right), &out);
	scope_json(q, &actor, &out);
	limit_json(&actor, &out);
	buf_add_char(&out, '}');
	const enum step step =
		out.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL, "the answer is too large")
			   : http_reply_json(t, 200, buf_str(&out));
	buf_free(&out);
	return step;
}

const struct step_row core_rights_explain[] = {
	{ "explain", explain_ask },
	{ "answer", explain_answer },
	{ NULL, NULL },
};
