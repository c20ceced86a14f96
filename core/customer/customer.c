/*
 * customer.c — routes of the record and the one decision they take: what of it this principal may see and change. All else is
 * the record engine's. Children ("/v1/people/{id}/consents") are served by the same steps. A list may follow a saved view, which is
 * read first; a list without one costs nothing more.
 */
#include "core/customer/customer.h"

#include "access/access.h"
#include "core/customer/internal.h"
#include "gen/sql_core.h"

#define FOLLOWED_MAX 4

static struct record_engine *engine;
static struct postgres_pool *pool;
static const struct access *access;

void
core_customer_use(struct record_engine *e, struct postgres_pool *app, const struct access *a)
{
	engine = e;
	pool = app;
	access = a;
}

/* What has no owner of its own goes with the person or organization it is about. */
static struct access_resource
resource_of(struct task *t, struct str name)
{
	const struct record_catalog *c = record_engine_catalog(engine);
	const struct record_resource *r = record_catalog_find(c, name);
	const struct record_field *followed[FOLLOWED_MAX];
	struct access_resource out = { .name = name };
	struct str *names = arena_alloc(&t->t_arena, FOLLOWED_MAX * sizeof(*names));
	if (r == NULL || names == NULL || record_owner_field(r) != NULL)
		return out;
	out.n_follows = record_owner_references(c, r, followed, FOLLOWED_MAX);
	for (size_t i = 0; i < out.n_follows; i++)
		names[i] = str_of(followed[i]->reference);
	out.follows = names;
	return out;
}

/* The narrowest scope of all that the call shows; a write is never wider than a read. */
bool
customer_scope(struct task *t, struct record_call *call, const struct str *resources, size_t n)
{
	const struct access_actor *actor = access_actor_of(t);
	enum access_scope scope = ACCESS_SCOPE_ALL;
	call->owners = NULL;
	for (size_t i = 0; i < n && access_scoped(access); i++) {
		const struct access_resource r = resource_of(t, resources[i]);
		scope = MIN(scope, access_scope_of(access, actor, &r, false));
		if (http_method_of(t) != HTTP_GET && http_method_of(t) != HTTP_HEAD)
			scope = MIN(scope, access_scope_of(access, actor, &r, true));
	}
	if (scope == ACCESS_SCOPE_ALL)
		return true;
	struct record_owners *owners = arena_alloc(&t->t_arena, sizeof(*owners));
	if (owners == NULL)
		return false;
	*owners = (struct record_owners) { .self = str_of(actor->name) };
	call->owners = owners;
	if (scope == ACCESS_SCOPE_TEAM)
		return access_team_names(access, actor, &t->t_arena, &owners->names, &owners->n);
	owners->names = &owners->self;
	owners->n = 1;
	return true;
}

/* The engine takes the actor as plain values: it does not know who principals are (ARCHITECTURE.md, siblings). */
struct record_call *
customer_begin(struct task *t)
{
	struct record_call *call = record_call_begin(t, engine);
	if (call == NULL)
		return NULL;
	const struct access_actor *actor = access_actor_of(t);
	if (actor == NULL) {
		(void)err_set(&t->t_err, ERR_UNAUTHORIZED, NULL, "no principal");
		return NULL;
	}
	call->actor = str_of(actor->principal);
	call->read_classes = actor->read_classes;
	call->write_classes = actor->write_classes;
	call->charge = access_charge;
	call->refused = access_refused;
	if (customer_scope(t, call, &call->resource, call->resource.p == NULL ? 0 : 1))
		return call;
	(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	return NULL;
}

static enum step
serve(struct task *t, const struct step_row *steps)
{
	return customer_begin(t) == NULL ? task_fail(t) : task_continue(t, steps);
}

/* ---- lists, with or without a saved view ---- */
static enum step
customer_list(struct task *t)
{
	const struct str view = http_query(t, "view");
	const struct access_actor *actor = access_actor_of(t);
	struct uuid id;
	if (view.p == NULL)
		return serve(t, record_list);
	if (uuid_parse(view, &id) != ERR_OK)
		return task_fail_set(t, ERR_BAD_REQUEST, "view", "must be the id of a saved view");
	if (actor == NULL)
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL, "no principal");
	return postgres_wait(pool, t, &sql_view_list,
			     (struct postgres_param[]) { P_TEXT(actor->principal),
							 P_STR(http_param(t, "resource")),
							 P_STR(view), P_TEXT("1"), P_TEXT("1") },
			     5);
}

static enum step
customer_list_view(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, "view",
				     "there is no such view of this resource, or it is not shared");
	struct record_call *call = customer_begin(t);
	if (call == NULL)
		return task_fail(t);
	call->preset = arena_str(&t->t_arena, postgres_value(t, 0, 0, 2));
	if (call->preset.p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	return task_continue(t, record_list);
}

static enum step
customer_get(struct task *t)
{
	return serve(t, record_get);
}

static enum step
customer_create(struct task *t)
{
	return serve(t, record_create);
}

static enum step
customer_patch(struct task *t)
{
	return serve(t, record_patch);
}

static enum step
customer_delete(struct task *t)
{
	return serve(t, record_delete);
}

static enum step
customer_batch(struct task *t)
{
	return serve(t, record_batch);
}

/* ---- what happened to a record ---- */
static enum step
customer_history(struct task *t)
{
	return serve(t, record_history);
}

static enum step
customer_undo(struct task *t)
{
	return serve(t, record_undo);
}

static enum step
customer_restore(struct task *t)
{
	return serve(t, record_restore);
}

static const struct step_row list_steps[] = {
	{ "list", customer_list },
	{ "list-view", customer_list_view },
	{ NULL, NULL },
};
static const struct step_row get_steps[] = { { "get", customer_get }, { NULL, NULL } };
static const struct step_row create_steps[] = { { "create", customer_create }, { NULL, NULL } };
static const struct step_row patch_steps[] = { { "patch", customer_patch }, { NULL, NULL } };
static const struct step_row delete_steps[] = { { "delete", customer_delete }, { NULL, NULL } };
static const struct step_row batch_steps[] = { { "batch", customer_batch }, { NULL, NULL } };
static const struct step_row history_steps[] = { { "history", customer_history }, { NULL, NULL } };
static const struct step_row undo_steps[] = { { "undo", customer_undo }, { NULL, NULL } };
static const struct step_row restore_steps[] = { { "restore", customer_restore }, { NULL, NULL } };

#define ONE "/v1/{resource:slug}/{id:uuid}"
#define CHILDREN "/v1/{parent:slug}/{parent_id:uuid}/{resource:slug}"
#define CHILD CHILDREN "/{id:uuid}"
#define READ "{resource}.read"
#define WRITE "{resource}.write"
#define BATCH_BODY_MAX ((size_t)8 * 1024 * 1024)
#define BATCH_DEADLINE_MS 30000

const struct http_route core_customer_routes[] = {
	{ HTTP_GET, "/v1/{resource:slug}", "record.list", list_steps, .right = READ },
	{ HTTP_POST, "/v1/{resource:slug}", "record.create", create_steps, .right = WRITE },
	{ HTTP_POST, "/v1/{resource:slug}/batch", "record.batch", batch_steps, .right = WRITE,
	  .body_max = BATCH_BODY_MAX, .deadline_ms = BATCH_DEADLINE_MS },
	{ HTTP_GET, ONE, "record.get", get_steps, .right = READ },
	{ HTTP_PATCH, ONE, "record.patch", patch_steps, .right = WRITE },
	{ HTTP_DELETE, ONE, "record.delete", delete_steps, .right = WRITE },
	{ HTTP_GET, CHILDREN, "record.child_list", list_steps, .right = READ },
	{ HTTP_POST, CHILDREN, "record.child_create", create_steps, .right = WRITE },
	{ HTTP_GET, CHILD, "record.child_get", get_steps, .right = READ },
	{ HTTP_PATCH, CHILD, "record.child_patch", patch_steps, .right = WRITE },
	{ HTTP_DELETE, CHILD, "record.child_delete", delete_steps, .right = WRITE },
	{ HTTP_GET, ONE "/history", "record.history", history_steps, .right = READ },
	{ HTTP_POST, ONE "/undo", "record.undo", undo_steps, .right = WRITE },
	{ HTTP_POST, ONE "/restore", "record.restore", restore_steps, .right = WRITE },
	{ HTTP_GET, "/v1/people/{id:uuid}/360", "record.person_360", customer_person_steps,
	  .right = "people.read" },
	{ HTTP_GET, "/v1/organizations/{id:uuid}/360", "record.organization_360",
	  customer_organization_steps, .right = "organizations.read" },
	{ HTTP_GET, "/v1/search", "record.search", customer_search_steps, .right = "me.read" },
};
const size_t core_customer_routes_count = ARRAY_LEN(core_customer_routes);
