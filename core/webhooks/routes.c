/*
 * routes.c — webhooks over HTTP: a principal's own and those of his teams; their log, replay, secrets. A secret is shown once, in the
 * answer that makes it; nothing the workers may read holds it.
 */
#include "core/webhooks/body.h"

#include <string.h>

#include "base/json_scan.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define ANSWER_MAX ((size_t)8 * 1024 * 1024)
#define OVERLAP_DEFAULT_S "86400"
#define OVERLAP_MAX_S 604800

static struct postgres_pool *app;
static const struct core_webhooks_nets *allowed;

static struct postgres_param
actor(struct task *t)
{
	return (struct postgres_param)P_TEXT(access_actor_of(t)->principal);
}

static struct postgres_param
optional(struct str s)
{
	return (struct postgres_param) { .value = s, .is_null = s.p == NULL };
}

static enum step
missing(struct task *t)
{
	return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no webhook %.*s of yours",
			     STR_FMT(http_param(t, "id")));
}

/* ---- reading ---- */

static enum step
list_read(struct task *t)
{
	const struct postgres_param params[] = { actor(t), P_NULL };

	return postgres_wait(app, t, &sql_webhook_list, params, ARRAY_LEN(params));
}

static enum step
list_answer(struct task *t)
{
	struct buf body;

	buf_init(&body, ANSWER_MAX);
	buf_add_cstr(&body, "{\"data\":");
	buf_add_str(&body, postgres_value(t, 0, 0, 0));
	buf_add_char(&body, '}');
	const enum step done = http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

static const struct step_row list_steps[] = {
	{ "read", list_read },
	{ "answer", list_answer },
	{ NULL, NULL },
};

static enum step
one_read(struct task *t)
{
	const struct postgres_param params[] = { actor(t), P_STR(http_param(t, "id")) };

	return postgres_wait(app, t, &sql_webhook_list, params, ARRAY_LEN(params));
}

static enum step
one_answer(struct task *t)
{
	/* An array of none or one. */
	const struct str list = str_trim(postgres_value(t, 0, 0, 0));

	if (list.len <= 2)
		return missing(t);
	return http_reply_json(t, 200, (struct str) { list.p + 1, list.len - 2 });
}

static const struct step_row one_steps[] = {
	{ "read", one_read },
	{ "answer", one_answer },
	{ NULL, NULL },
};

/* ---- making, altering, removing ---- */

struct made {
	char id[UUID_TEXT_SIZE];
	unsigned char secret[WEBHOOKS_SECRET_BYTES];
	char hex[2 * WEBHOOKS_SECRET_BYTES + 1];
};

static struct made *
made_new(struct task *t)
{
	struct made *m = task_state(t, sizeof(*m));
	struct uuid id;

	if (m == NULL)
		return NULL;
	uuid_v7(&id);
	uuid_text(&id, m->id);
	random_bytes(m->secret, sizeof(m->secret));
	hex_encode(m->secret, sizeof(m->secret), m->hex);
	return m;
}

/* {"id":…,"secret":"whsec_…"}: the only time it is shown. */
static enum step
secret_answer(struct task *t, struct str id, int status)
{
	struct made *m = task_state(t, sizeof(*m));
	char text[64];
	struct buf body;

	(void)base64_encode(m->secret, sizeof(m->secret), text, sizeof(text));
	buf_init(&body, 1024);
	buf_add_cstr(&body, "{\"id\":");
	buf_json_str(&body, id);
	buf_printf(&body, ",\"secret\":\"whsec_%s\"}", text);
	http_reply_header(t, "Cache-Control", STR("no-store"));
	const enum step done = http_reply_json(t, status, buf_str(&body));
	buf_free(&body);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(m, sizeof(*m));
	return done;
}

static enum step
create_write(struct task *t)
{
	struct webhooks_body b;
	const struct made *m = made_new(t);

	if (m == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (core_webhooks_body_read(http_body(t), true, allowed, &t->t_arena, &b, &t->t_err) !=
	    ERR_OK)
		return task_fail(t);
	const struct postgres_param params[] = {
		P_TEXT(m->id),
		actor(t),
		optional(b.team),
		P_STR(b.url),
		P_STR(b.description.p != NULL ? b.description : STR("")),
		P_STR(b.types.p != NULL ? b.types : STR("{*}")),
		P_TEXT(m->hex),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(app, t, &sql_webhook_create, params, ARRAY_LEN(params));
}

static enum step
create_answer(struct task *t)
{
	const struct made *m = task_state(t, sizeof(*m));
	const struct str outcome = postgres_value(t, 0, 0, 0);

	if (str_is(outcome, "team"))
		return task_fail_set(t, ERR_INVALID, "/team", "is not a team of yours");
	if (str_is(outcome, "full"))
		return task_fail_set(t, ERR_CONFLICT, NULL, "there are 20 webhooks already");
	http_reply_header_fmt(t, "Location", "/v1/webhooks/%s", m->id);
	const struct str id = arena_str(&t->t_arena, str_of(m->id));
	return secret_answer(t, id, 201);
}

static const struct step_row create_steps[] = {
	{ "write", create_write },
	{ "answer", create_answer },
	{ NULL, NULL },
};

static enum step
edit_write(struct task *t)
{
	struct webhooks_body b;

	if (core_webhooks_body_read(http_body(t), false, allowed, &t->t_arena, &b, &t->t_err) !=
	    ERR_OK)
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(http_param(t, "id")), actor(t),          optional(b.url),
		optional(b.description),    optional(b.types), optional(b.enabled),
		P_STR(http_request_id(t)),
	};
	return postgres_wait(app, t, &sql_webhook_edit, params, ARRAY_LEN(params));
}

static enum step
edit_look(struct task *t)
{
	return postgres_bool(t, 0, 0, 0) ? task_continue(t, one_steps) : missing(t);
}

static const struct step_row edit_steps[] = {
	{ "write", edit_write },
	{ "look", edit_look },
	{ NULL, NULL },
};

static enum step
delete_write(struct task *t)
{
	const struct postgres_param params[] = { P_STR(http_param(t, "id")), actor(t),
						 P_STR(http_request_id(t)) };

	return postgres_wait(app, t, &sql_webhook_delete, params, ARRAY_LEN(params));
}

static enum step
delete_answer(struct task *t)
{
	return postgres_bool(t, 0, 0, 0) ? http_reply_empty(t, 204) : missing(t);
}

static const struct step_row delete_steps[] = {
	{ "write", delete_write },
	{ "answer", delete_answer },
	{ NULL, NULL },
};

/* Body {"overlap_s":…}; may be left out. The text is that of the number. */
static bool
overlap_read(struct task *t, struct str *out)
{
	struct json_member m[2];
	size_t n = ARRAY_LEN(m);
	int64_t seconds = 0;

	*out = STR(OVERLAP_DEFAULT_S);
	if (http_body(t).len == 0)
		return true;
	if (json_scan_object(http_body(t), &t->t_arena, m, &n, &t->t_err) != ERR_OK)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_is(m[i].key, "overlap_s") || m[i].kind != JSON_NUMBER ||
		    str_int(m[i].value, 0, OVERLAP_MAX_S, &seconds) != ERR_OK) {
			(void)err_set(&t->t_err, ERR_INVALID, "/overlap_s",
				      "the one member is \"overlap_s\", from 0 to %d seconds",
				      OVERLAP_MAX_S);
			return false;
		}
	if (n > 0)
		*out = m[0].value;
	return true;
}

static enum step
rotate_write(struct task *t)
{
	const struct made *m = made_new(t);
	struct str overlap;

	if (m == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (!overlap_read(t, &overlap))
		return task_fail(t);
	const struct postgres_param params[] = { P_STR(http_param(t, "id")), actor(t),
						 P_TEXT(m->hex), P_STR(overlap),
						 P_STR(http_request_id(t)) };
	return postgres_wait(app, t, &sql_webhook_rotate, params, ARRAY_LEN(params));
}

static enum step
rotate_answer(struct task *t)
{
	const struct str outcome = postgres_value(t, 0, 0, 0);

	if (str_is(outcome, "missing"))
		return missing(t);
	if (str_is(outcome, "full"))
		return task_fail_set(t, ERR_CONFLICT, NULL,
				     "there are five live secrets already: wait for one to end");
	return secret_answer(t, http_param(t, "id"), 200);
}

static const struct step_row rotate_steps[] = {
	{ "write", rotate_write },
	{ "answer", rotate_answer },
	{ NULL, NULL },
};

/* ---- messages ---- */

static enum step
test_write(struct task *t)
{
	const struct postgres_param params[] = { P_STR(http_param(t, "id")), actor(t),
						 P_STR(http_request_id(t)) };

	return postgres_wait(app, t, &sql_webhook_test, params, ARRAY_LEN(params));
}

static enum step
test_answer(struct task *t)
{
	struct buf body;

	if (postgres_rows(t, 0) == 0)
		return missing(t);
	buf_init(&body, 256);
	buf_add_cstr(&body, "{\"delivery\":");
	buf_json_str(&body, postgres_value(t, 0, 0, 0));
	buf_add_char(&body, '}');
	const enum step done = http_reply_json(t, 202, buf_str(&body));
	buf_free(&body);
	return done;
}

static const struct step_row test_steps[] = {
	{ "write", test_write },
	{ "answer", test_answer },
	{ NULL, NULL },
};

static enum step
replay_write(struct task *t)
{
	const struct postgres_param params[] = { P_STR(http_param(t, "id")),
						 P_STR(http_param(t, "delivery")), actor(t),
						 P_STR(http_request_id(t)) };

	return postgres_wait(app, t, &sql_webhook_replay, params, ARRAY_LEN(params));
}

static enum step
replay_answer(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return missing(t);
	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no delivery %.*s",
				     STR_FMT(http_param(t, "delivery")));
	return http_reply_empty(t, 202);
}

static const struct step_row replay_steps[] = {
	{ "write", replay_write },
	{ "answer", replay_answer },
	{ NULL, NULL },
};

static enum step
log_read(struct task *t)
{
	const struct str state = http_query(t, "state");
	const struct str after = http_query(t, "after");
	const char *limit = http_page_limit(t, PAGE_DEFAULT, PAGE_MAX);
	struct uuid id;

	if (state.p != NULL && !str_is(state, "waiting") && !str_is(state, "delivered") &&
	    !str_is(state, "dead"))
		return task_fail_set(t, ERR_BAD_REQUEST, "state",
				     "must be waiting, delivered or dead");
	if (limit == NULL)
		return task_fail(t);
	if (after.p != NULL && uuid_parse(after, &id) != ERR_OK)
		return task_fail_set(t, ERR_BAD_CURSOR, "after",
				     "must be the \"next\" of the page before");
	const struct postgres_param params[] = {
		P_STR(http_param(t, "id")),
		actor(t),
		optional(state),
		optional(after),
		P_TEXT(limit),
	};
	return postgres_wait(app, t, &sql_webhook_deliveries, params, ARRAY_LEN(params));
}

static enum step
log_answer(struct task *t)
{
	if (!postgres_bool(t, 0, 0, 0))
		return missing(t);
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 1),
							 .has_more = postgres_bool(t, 0, 0, 2),
							 .next = postgres_value(t, 0, 0, 3) });
}

static const struct step_row log_steps[] = {
	{ "read", log_read },
	{ "answer", log_answer },
	{ NULL, NULL },
};

#define ONE "/v1/webhooks/{id:uuid}"

const struct http_route core_webhooks_routes[] = {
	{ HTTP_GET, "/v1/webhooks", "webhook.list", list_steps, .right = "webhook.write" },
	{ HTTP_POST, "/v1/webhooks", "webhook.create", create_steps, .right = "webhook.write",
	  .body_max = 64 * 1024 },
	{ HTTP_GET, ONE, "webhook.get", one_steps, .right = "webhook.write" },
	{ HTTP_PATCH, ONE, "webhook.edit", edit_steps, .right = "webhook.write",
	  .body_max = 64 * 1024 },
	{ HTTP_DELETE, ONE, "webhook.delete", delete_steps, .right = "webhook.write" },
	{ HTTP_POST, ONE "/rotate", "webhook.rotate", rotate_steps, .right = "webhook.write" },
	{ HTTP_POST, ONE "/test", "webhook.test", test_steps, .right = "webhook.write" },
	{ HTTP_GET, ONE "/deliveries", "webhook.deliveries", log_steps, .right = "webhook.write" },
	{ HTTP_POST, ONE "/deliveries/{delivery:uuid}/replay", "webhook.replay", replay_steps,
	  .right = "webhook.write" },
};
const size_t core_webhooks_routes_count = ARRAY_LEN(core_webhooks_routes);

void
core_webhooks_use(struct postgres_pool *pool, const struct core_webhooks_nets *nets)
{
	app = pool;
	allowed = nets;
}
