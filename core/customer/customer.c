/*
 * customer.c — routes of the record and the one decision they take: what of it this principal may see and change. All else is
 * the record engine's. Children ("/v1/people/{id}/consents") are served by the same steps.
 */
#include "core/customer/customer.h"

#include "access/access.h"

static struct record_engine *engine;

void
core_customer_use(struct record_engine *e)
{
	engine = e;
}

/* The engine takes the actor as plain values: it does not know who principals are (ARCHITECTURE.md, siblings). */
static enum step
serve(struct task *t, const struct step_row *steps)
{
	struct record_call *call = record_call_begin(t, engine);
	if (call == NULL)
		return task_fail(t);
	const struct access_actor *actor = access_actor_of(t);
	if (actor == NULL)
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL, "no principal");
	call->actor = str_of(actor->principal);
	call->read_classes = actor->read_classes;
	call->write_classes = actor->write_classes;
	return task_continue(t, steps);
}

static enum step
customer_list(struct task *t)
{
	return serve(t, record_list);
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

static const struct step_row list_steps[] = { { "list", customer_list }, { NULL, NULL } };
static const struct step_row get_steps[] = { { "get", customer_get }, { NULL, NULL } };
static const struct step_row create_steps[] = { { "create", customer_create }, { NULL, NULL } };
static const struct step_row patch_steps[] = { { "patch", customer_patch }, { NULL, NULL } };
static const struct step_row delete_steps[] = { { "delete", customer_delete }, { NULL, NULL } };
static const struct step_row batch_steps[] = { { "batch", customer_batch }, { NULL, NULL } };

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
};
const size_t core_customer_routes_count = ARRAY_LEN(core_customer_routes);
