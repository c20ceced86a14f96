/*
 * routes.c — reading requests, the ledger and drift, and the orders: rehearse, approve, reject, apply, roll back. An order is answered
 * with 202 as soon as it is written down; GET shows how far it is.
 */
#include <string.h>

#include "base/json_member.h"
#include "core/change/internal.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define NOTE_BYTES_MAX 5000

struct postgres_pool *core_change_app;

/* ---- one request ---- */

struct answer {
	struct str id;
	int status;
};

static enum step
answer_read(struct task *t)
{
	const struct answer *const *a = task_state(t, sizeof(struct answer *));
	return postgres_wait(core_change_app, t, &sql_change_get,
			     (struct postgres_param[]) { P_STR((*a)->id) }, 1);
}

static enum step
answer_write(struct task *t)
{
	const struct answer *const *a = task_state(t, sizeof(struct answer *));

	if (postgres_is_null(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no change %.*s",
				     STR_FMT((*a)->id));
	if ((*a)->status == 201)
		http_reply_header_fmt(t, "Location", "/v1/changes/%.*s", STR_FMT((*a)->id));
	return http_reply_json(t, (*a)->status, postgres_value(t, 0, 0, 0));
}

const struct step_row core_change_answer_steps[] = {
	{ "read", answer_read },
	{ "answer", answer_write },
	{ NULL, NULL },
};

enum step
core_change_answer(struct task *t, struct str id, int status)
{
	struct answer *kept = arena_alloc(&t->t_arena, sizeof(*kept));

	if (kept == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	*kept = (struct answer) { .id = arena_str(&t->t_arena, id), .status = status };
	const enum step next = task_continue(t, core_change_answer_steps);
	struct answer **state = task_state(t, sizeof(struct answer *));
	if (state == NULL || kept->id.p == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	*state = kept;
	return next;
}

static enum step
get_begin(struct task *t)
{
	return core_change_answer(t, http_param(t, "id"), 200);
}

static const struct step_row get_steps[] = {
	{ "begin", get_begin },
	{ NULL, NULL },
};

/* ---- lists ---- */

static bool
query_int(struct task *t, const char *name, int64_t min, int64_t max, int64_t absent, int64_t *out)
{
	const struct str s = http_query(t, name);

	*out = absent;
	if (s.p == NULL || str_int(s, min, max, out) == ERR_OK)
		return true;
	(void)err_set(&t->t_err, ERR_BAD_REQUEST, name, "\"%s\" must be a number from %lld to %lld",
		      name, (long long)min, (long long)max);
	return false;
}

static enum step
list_read(struct task *t)
{
	const struct str state = http_query(t, "state");
	const struct str kind = http_query(t, "kind");
	const char *limit = http_page_limit(t, PAGE_DEFAULT, PAGE_MAX);
	int64_t below = 0;

	if (limit == NULL || !query_int(t, "after", 1, INT32_MAX, 0, &below))
		return task_fail(t);
	const struct postgres_param params[] = {
		{ .value = http_query(t, "after"), .is_null = below == 0 },
		{ .value = state, .is_null = state.p == NULL },
		{ .value = kind, .is_null = kind.p == NULL },
		P_TEXT(limit),
	};
	return postgres_wait(core_change_app, t, &sql_change_list, params, ARRAY_LEN(params));
}

static enum step
list_answer(struct task *t)
{
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 0),
							 .has_more = postgres_bool(t, 0, 0, 1),
							 .next = postgres_value(t, 0, 0, 2) });
}

static const struct step_row list_steps[] = {
	{ "read", list_read },
	{ "answer", list_answer },
	{ NULL, NULL },
};

static enum step
ledger_read(struct task *t)
{
	const char *limit = http_page_limit(t, PAGE_DEFAULT, PAGE_MAX);
	int64_t after = 0;

	if (limit == NULL || !query_int(t, "after", 0, INT64_MAX / 2, 0, &after))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_TEXT(arena_printf(&t->t_arena, "%lld", (long long)after)),
		P_TEXT(limit),
		P_TEXT(str_is(http_query(t, "verify"), "true") ? "true" : "false"),
	};
	return postgres_wait(core_change_app, t, &sql_change_ledger, params, ARRAY_LEN(params));
}

static enum step
ledger_answer(struct task *t)
{
	const struct str head = postgres_value(t, 0, 0, 3);
	const struct str broken = postgres_value(t, 0, 0, 4);
	struct buf members;

	buf_init(&members, CHANGE_ANSWER_MAX);
	if (head.p != NULL) {
		buf_add_cstr(&members, ",\"head\":");
		buf_add_str(&members, head);
	}
	if (broken.p != NULL) {
		buf_printf(&members,
			   ",\"intact\":%s,\"broken\":", str_is(broken, "[]") ? "true" : "false");
		buf_add_str(&members, broken);
	}
	const enum step done =
		http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 0),
							  .has_more = postgres_bool(t, 0, 0, 1),
							  .next = postgres_value(t, 0, 0, 2),
							  .members = buf_str(&members) });
	buf_free(&members);
	return done;
}

static const struct step_row ledger_steps[] = {
	{ "read", ledger_read },
	{ "answer", ledger_answer },
	{ NULL, NULL },
};

static enum step
drift_read(struct task *t)
{
	return postgres_wait(core_change_app, t, &sql_change_drift, NULL, 0);
}

static enum step
drift_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

static const struct step_row drift_steps[] = {
	{ "read", drift_read },
	{ "answer", drift_answer },
	{ NULL, NULL },
};

/* ---- decisions and orders ---- */

/* Body {"sha256":…, "note":…}; may be left out. */
static bool
note_read(struct task *t, bool with_sha, struct str *sha, struct str *note)
{
	static const char *const decision[] = { "note", "sha256", NULL };
	static const char *const note_only[] = { "note", NULL };
	struct json_member m[4];
	size_t n = ARRAY_LEN(m);

	*sha = STR_NONE;
	*note = STR("");
	if (http_body(t).len == 0)
		return true;
	return json_scan_object(http_body(t), &t->t_arena, m, &n, &t->t_err) == ERR_OK &&
	       json_members_known(m, n, with_sha ? decision : note_only, "", &t->t_err) == ERR_OK &&
	       json_member_text(m, n, "note", 0, NOTE_BYTES_MAX, "", &t->t_arena, note,
				&t->t_err) == ERR_OK &&
	       json_member_text(m, n, "sha256", 0, NOTE_BYTES_MAX, "", &t->t_arena, sha,
				&t->t_err) == ERR_OK;
}

static enum step
approve_write(struct task *t)
{
	struct str sha;
	struct str note;

	if (!note_read(t, true, &sha, &note))
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(http_param(t, "id")),
		P_TEXT(access_actor_of(t)->principal),
		{ .value = sha, .is_null = sha.p == NULL },
		P_STR(note),
	};
	return postgres_wait(core_change_app, t, &sql_change_approve, params, ARRAY_LEN(params));
}

static enum step
reject_write(struct task *t)
{
	struct str sha;
	struct str note;

	if (!note_read(t, false, &sha, &note))
		return task_fail(t);
	const struct postgres_param params[] = { P_STR(http_param(t, "id")),
						 P_TEXT(access_actor_of(t)->principal),
						 P_STR(note) };
	return postgres_wait(core_change_app, t, &sql_change_reject, params, ARRAY_LEN(params));
}

static enum step
decided(struct task *t)
{
	return core_change_answer(t, http_param(t, "id"), 200);
}

static const struct step_row approve_steps[] = {
	{ "write", approve_write },
	{ "answer", decided },
	{ NULL, NULL },
};

static const struct step_row reject_steps[] = {
	{ "write", reject_write },
	{ "answer", decided },
	{ NULL, NULL },
};

/* The order's name is the route's data. */
static enum step
order_write(struct task *t)
{
	const char *kind = http_route_of(t)->data;
	const struct postgres_param params[] = { P_STR(http_param(t, "id")),
						 P_TEXT(access_actor_of(t)->principal),
						 P_TEXT(kind) };
	return postgres_wait(core_change_app, t, &sql_change_intend, params, ARRAY_LEN(params));
}

static enum step
ordered(struct task *t)
{
	return core_change_answer(t, http_param(t, "id"), 202);
}

static const struct step_row order_steps[] = {
	{ "write", order_write },
	{ "answer", ordered },
	{ NULL, NULL },
};

#define ONE "/v1/changes/{id:uuid}"

const struct http_route core_change_routes[] = {
	{ HTTP_GET, "/v1/changes", "change.list", list_steps, .right = "change.read" },
	{ HTTP_POST, "/v1/changes", "change.create", core_change_file_steps,
	  .right = "change.create", .body_max = CHANGE_BODY_MAX },
	{ HTTP_GET, ONE, "change.get", get_steps, .right = "change.read" },
	{ HTTP_PATCH, ONE, "change.edit", core_change_edit_steps, .right = "change.create",
	  .body_max = CHANGE_BODY_MAX },
	{ HTTP_POST, ONE "/rehearse", "change.rehearse", order_steps, .right = "change.rehearse",
	  .data = "rehearse" },
	{ HTTP_POST, ONE "/approve", "change.approve", approve_steps, .right = "change.approve" },
	{ HTTP_POST, ONE "/reject", "change.reject", reject_steps, .right = "change.reject" },
	{ HTTP_POST, ONE "/apply", "change.apply", order_steps, .right = "change.apply",
	  .data = "apply" },
	{ HTTP_POST, ONE "/rollback", "change.rollback", order_steps, .right = "change.rollback",
	  .data = "rollback" },
	{ HTTP_GET, "/v1/ledger", "ledger.list", ledger_steps, .right = "ledger.read" },
	{ HTTP_GET, "/v1/drift", "drift.get", drift_steps, .right = "drift.read" },
};
const size_t core_change_routes_count = ARRAY_LEN(core_change_routes);

void
core_change_use(struct postgres_pool *app)
{
	core_change_app = app;
}
