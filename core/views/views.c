/*
 * views.c — see views.h. Everything a view says is checked by the record engine when it is saved and again for each reader: a shared view
 * that names a field of a class its reader may not see is not shown to him, because its values would tell what the field holds.
 */
#include "core/views/views.h"

#include "access/access.h"
#include "base/json_scan.h"
#include "gen/sql_core.h"

#define LIST_BYTES_MAX (2 * 1024 * 1024)
#define BODY_MEMBERS_MAX 8

static struct record_engine *engine;
static struct postgres_pool *pool;

void
core_views_use(struct record_engine *e, struct postgres_pool *app)
{
	engine = e;
	pool = app;
}

static bool
fail(struct task *t, enum err code, const char *field, const char *message)
{
	(void)err_set(&t->t_err, code, field, "%s", message);
	return false;
}

/* ---- bodies ---- */

/* STR_NONE where the body does not name it. */
struct view {
	struct str resource, name, query, shared;
};

static bool
text_member(struct task *t, const struct json_member *m, const char *at, size_t max,
	    struct str *out)
{
	if (m->kind != JSON_STRING)
		return fail(t, ERR_INVALID, at, "must be a string");
	if (json_unescape(m->value, &t->t_arena, out) != ERR_OK)
		return fail(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	if (out->len > max) {
		(void)err_set(&t->t_err, ERR_INVALID, at, "has more than %zu bytes", max);
		return false;
	}
	return true;
}

static bool
member_read(struct task *t, const struct json_member *m, struct view *v)
{
	if (str_is(m->key, "resource"))
		return text_member(t, m, "/resource", RECORD_NAME_MAX, &v->resource);
	if (str_is(m->key, "query"))
		return text_member(t, m, "/query", CORE_VIEWS_QUERY_MAX, &v->query);
	if (str_is(m->key, "shared")) {
		if (!text_member(t, m, "/shared", 16, &v->shared))
			return false;
		return str_is(v->shared, "private") || str_is(v->shared, "team") ||
		       str_is(v->shared, "all") ||
		       fail(t, ERR_INVALID, "/shared", "must be \"private\", \"team\" or \"all\"");
	}
	if (str_is(m->key, "name")) {
		if (!text_member(t, m, "/name", 4 * CORE_VIEWS_NAME_MAX, &v->name))
			return false;
		size_t chars = 0;
		for (size_t i = 0; i < v->name.len; i++)
			chars += ((unsigned char)v->name.p[i] & 0xc0) != 0x80;
		return (chars >= 1 && chars <= CORE_VIEWS_NAME_MAX) ||
		       fail(t, ERR_INVALID, "/name", "must have 1 to 100 characters");
	}
	(void)err_set(
		&t->t_err, ERR_INVALID,
		arena_printf(&t->t_arena, "/%.*s", (int)MIN(m->key.len, (size_t)60), m->key.p),
		"a view has resource, name, query and shared");
	return false;
}

static bool
body_read(struct task *t, struct view *v)
{
	struct json_member m[BODY_MEMBERS_MAX];
	size_t n = ARRAY_LEN(m);
	*v = (struct view) { 0 };
	if (json_scan_object(http_body(t), &t->t_arena, m, &n, &t->t_err) != ERR_OK)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!member_read(t, &m[i], v))
			return false;
	return true;
}

/* May the principal list this resource with this query string? */
static bool
usable(struct task *t, struct str resource, struct str query, struct err_info *info)
{
	const struct access_actor *actor = access_actor_of(t);
	struct arena arena; /* of its own: a list asks for every view */
	arena_init(&arena, ARENA_CAP_BYTES);
	const char *right = arena_printf(&arena, "%.*s.read", STR_FMT(resource));
	const bool yes = right != NULL && access_allows(t, str_of(right)) &&
			 record_query_check(engine, resource, actor->read_classes, query, &arena,
					    info) == ERR_OK;
	arena_release(&arena);
	return yes;
}

static bool
query_checked(struct task *t, struct str resource, struct str query)
{
	struct err_info info = { 0 };
	if (usable(t, resource, query, &info))
		return true;
	if (info.code == ERR_OK) {
		const char *right = arena_printf(&t->t_arena, "%.*s.read", STR_FMT(resource));
		return right != NULL && access_require(t, str_of(right)) == ERR_OK;
	}
	(void)err_set(&t->t_err, info.code == ERR_BAD_REQUEST ? ERR_INVALID : info.code,
		      info.code == ERR_NOT_FOUND ? "/resource" : "/query", "%s%s%s", info.field,
		      info.field[0] != '\0' ? ": " : "", info.msg);
	return false;
}

static const char *
principal(struct task *t)
{
	const struct access_actor *actor = access_actor_of(t);
	return actor == NULL ? NULL : actor->principal;
}

/* ---- create ---- */
static enum step
create_ask(struct task *t)
{
	struct view v;
	if (principal(t) == NULL)
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL, "no principal");
	if (!body_read(t, &v))
		return task_fail(t);
	if (v.resource.p == NULL || v.name.p == NULL)
		return task_fail_set(t, ERR_INVALID, v.resource.p == NULL ? "/resource" : "/name",
				     "a view needs a resource and a name");
	if (v.query.p == NULL)
		v.query = STR("");
	if (v.shared.p == NULL)
		v.shared = STR("private");
	if (!query_checked(t, v.resource, v.query))
		return task_fail(t);
	const char *most = arena_printf(&t->t_arena, "%d", CORE_VIEWS_OWN_MAX);
	return postgres_wait(
		pool, t, &sql_view_create,
		(struct postgres_param[]) { P_TEXT(principal(t)), P_STR(http_request_id(t)),
					    P_STR(v.resource), P_STR(v.name), P_STR(v.query),
					    P_STR(v.shared), P_TEXT(most) },
		7);
}

static enum step
name_taken(struct task *t)
{
	return task_fail_set(t, ERR_CONFLICT, "/name", "there is a view of this name already");
}

static enum step
create_answer(struct task *t)
{
	if (postgres_int(t, 0, 0, 0, 0) == 422)
		return name_taken(t);
	if (postgres_int(t, 0, 0, 0, 0) != 201)
		return task_fail_set(t, ERR_CONFLICT, NULL,
				     "there are %d views already: that is the limit",
				     CORE_VIEWS_OWN_MAX);
	const struct str id = postgres_value(t, 0, 0, 1);
	http_reply_header_fmt(t, "Location", "/v1/views/%.*s", STR_FMT(id));
	http_reply_header(t, "ETag", STR("\"v1\""));
	return http_reply_json(t, 201, postgres_value(t, 0, 0, 2));
}

/* ---- list and get ---- */
static enum step
list_ask(struct task *t)
{
	const struct str resource = http_query(t, "resource");
	if (principal(t) == NULL)
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL, "no principal");
	if (http_query_count(t) > (resource.p != NULL ? 1u : 0u))
		return task_fail_set(t, ERR_BAD_REQUEST, NULL,
				     "this list takes only the parameter resource");
	const char *own = arena_printf(&t->t_arena, "%d", CORE_VIEWS_OWN_MAX);
	const char *others = arena_printf(&t->t_arena, "%d", CORE_VIEWS_SHOWN_MAX);
	return postgres_wait(
		pool, t, &sql_view_list,
		(struct postgres_param[]) {
			P_TEXT(principal(t)),
			{ .value = resource, .is_null = resource.p == NULL },
			{ .value = http_param(t, "id"), .is_null = http_param(t, "id").p == NULL },
			P_TEXT(own),
			P_TEXT(others) },
		5);
}

/* One's own always, so that it can be mended; another's only if one could use it. */
static bool
is_shown(struct task *t, int row)
{
	return postgres_bool(t, 0, row, 3) ||
	       usable(t, postgres_value(t, 0, row, 1), postgres_value(t, 0, row, 2), NULL);
}

static enum step
list_answer(struct task *t)
{
	struct buf b;
	bool first = true;
	buf_init(&b, LIST_BYTES_MAX);
	buf_add_cstr(&b, "{\"data\":[");
	for (int i = 0; i < postgres_rows(t, 0); i++) {
		if (!is_shown(t, i))
			continue;
		if (!first)
			buf_add_char(&b, ',');
		buf_add_str(&b, postgres_value(t, 0, i, 0));
		first = false;
	}
	buf_add_cstr(&b, "]}");
	const enum step step =
		b.failed ? task_fail_set(t, ERR_TOO_LARGE, "resource", "ask for one resource")
			 : http_reply_json(t, 200, buf_str(&b));
	buf_free(&b);
	return step;
}

static enum step
no_view(struct task *t)
{
	return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no such view, or it is not shared");
}

static enum step
get_answer(struct task *t)
{
	if (postgres_rows(t, 0) == 0 || !is_shown(t, 0))
		return no_view(t);
	http_reply_header_fmt(t, "ETag", "\"v%lld\"", (long long)postgres_int(t, 0, 0, 4, 0));
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

/* ---- change: the resource is that of the view, so it is read first ---- */
static enum step
change_ask(struct task *t)
{
	struct view v;
	int64_t version = 0;
	struct str match = http_header(t, "If-Match");
	if (match.p == NULL)
		return task_fail_set(t, ERR_PRECONDITION, "If-Match",
				     "give the ETag of the view as you read it, or *");
	if (match.len >= 2 && match.p[0] == '"')
		match = (struct str) { match.p + 1, match.len - 2 };
	const bool any = str_is(match, "*");
	if (!any && (!str_starts(match, "v") || str_int((struct str) { match.p + 1, match.len - 1 },
							1, INT32_MAX, &version) != ERR_OK))
		return task_fail_set(t, ERR_BAD_REQUEST, "If-Match",
				     "must be one entity tag such as \"v4\", or *");
	if (!body_read(t, &v))
		return task_fail(t);
	if (postgres_rows(t, 0) == 0 || !postgres_bool(t, 0, 0, 3))
		return no_view(t);
	if (v.resource.p != NULL)
		return task_fail_set(t, ERR_INVALID, "/resource", "a view stays with its resource");
	const struct str resource = arena_str(&t->t_arena, postgres_value(t, 0, 0, 1));
	if (v.query.p != NULL && !query_checked(t, resource, v.query))
		return task_fail(t);
	const char *expected = arena_printf(&t->t_arena, "%lld", (long long)version);
	return postgres_wait(
		pool, t, &sql_view_change,
		(struct postgres_param[]) { P_TEXT(principal(t)),
					    P_STR(http_request_id(t)),
					    P_STR(http_param(t, "id")),
					    { .value = str_of(expected), .is_null = any },
					    { .value = v.name, .is_null = v.name.p == NULL },
					    { .value = v.query, .is_null = v.query.p == NULL },
					    { .value = v.shared, .is_null = v.shared.p == NULL } },
		7);
}

static enum step
change_answer(struct task *t)
{
	const int64_t status = postgres_int(t, 0, 0, 0, 0);
	const int64_t version = postgres_int(t, 0, 0, 1, 0);
	if (status == 404)
		return no_view(t);
	if (status == 412)
		return task_fail_set(t, ERR_STALE, "If-Match", "the view is at version %lld now",
				     (long long)version);
	if (status == 422)
		return name_taken(t);
	http_reply_header_fmt(t, "ETag", "\"v%lld\"", (long long)version);
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 2));
}

/* ---- delete ---- */
static enum step
delete_ask(struct task *t)
{
	if (principal(t) == NULL)
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL, "no principal");
	return postgres_wait(pool, t, &sql_view_delete,
			     (struct postgres_param[]) { P_TEXT(principal(t)),
							 P_STR(http_request_id(t)),
							 P_STR(http_param(t, "id")) },
			     3);
}

static enum step
delete_answer(struct task *t)
{
	return postgres_int(t, 0, 0, 0, 0) == 1 ? http_reply_empty(t, 204) : no_view(t);
}

static const struct step_row create_steps[] = {
	{ "create", create_ask },
	{ "answer", create_answer },
	{ NULL, NULL },
};
static const struct step_row list_steps[] = {
	{ "list", list_ask },
	{ "answer", list_answer },
	{ NULL, NULL },
};
static const struct step_row get_steps[] = {
	{ "get", list_ask },
	{ "answer", get_answer },
	{ NULL, NULL },
};
static const struct step_row change_steps[] = {
	{ "read", list_ask },
	{ "change", change_ask },
	{ "answer", change_answer },
	{ NULL, NULL },
};
static const struct step_row delete_steps[] = {
	{ "delete", delete_ask },
	{ "answer", delete_answer },
	{ NULL, NULL },
};

/* What a view is about has its own right, which is asked for in the step; these are everybody's who is known. */
const struct http_route core_views_routes[] = {
	{ HTTP_GET, "/v1/views", "view.list", list_steps, .right = "me.read" },
	{ HTTP_POST, "/v1/views", "view.create", create_steps, .right = "me.read" },
	{ HTTP_GET, "/v1/views/{id:uuid}", "view.get", get_steps, .right = "me.read" },
	{ HTTP_PATCH, "/v1/views/{id:uuid}", "view.change", change_steps, .right = "me.read" },
	{ HTTP_DELETE, "/v1/views/{id:uuid}", "view.delete", delete_steps, .right = "me.read" },
};
const size_t core_views_routes_count = ARRAY_LEN(core_views_routes);
