/*
 * inbox.c — the inbox over HTTP: a principal's own notices, newest first, and that they have been read; for operators the e-mails that
 * were sent. Every statement names the principal, so another one's notice is simply not found.
 */
#include "core/notices/internal.h"

struct postgres_pool *core_notices_app;

/* ---- pages ---- */

/* limit and after of the query; false: the error is set. */
static bool
page_read(struct task *t, struct postgres_param *after, struct postgres_param *limit)
{
	const char *n = http_page_limit(t, NOTICES_PAGE_DEFAULT, NOTICES_PAGE_MAX);
	const struct str after_text = http_query(t, "after");
	struct uuid id;

	if (n == NULL)
		return false;
	if (after_text.p != NULL && uuid_parse(after_text, &id) != ERR_OK) {
		(void)err_set(&t->t_err, ERR_BAD_CURSOR, "after",
			      "must be the \"next\" of the page before");
		return false;
	}
	*after = (struct postgres_param) { .value = after_text, .is_null = after_text.p == NULL };
	*limit = (struct postgres_param)P_TEXT(n);
	return true;
}

/* Columns 0 to 2 of the first wait. */
static enum step
page_answer(struct task *t, const char *members)
{
	return http_page_answer(t, &(struct http_page) { .data = postgres_value(t, 0, 0, 0),
							 .has_more = postgres_bool(t, 0, 0, 1),
							 .next = postgres_value(t, 0, 0, 2),
							 .members = str_of(members) });
}

/* ---- the inbox ---- */

static enum step
list_read(struct task *t)
{
	struct str state = http_query(t, "state");
	struct postgres_param after;
	struct postgres_param limit;

	if (state.p == NULL)
		state = STR("all");
	if (!str_is(state, "unread") && !str_is(state, "open") && !str_is(state, "all"))
		return task_fail_set(t, ERR_BAD_REQUEST, "state", "must be unread, open or all");
	if (!page_read(t, &after, &limit))
		return task_fail(t);
	const struct postgres_param params[] = { P_TEXT(access_actor_of(t)->principal),
						 P_STR(state), after, limit };
	return postgres_wait(core_notices_app, t, &sql_notice_list, params, ARRAY_LEN(params));
}

static enum step
list_answer(struct task *t)
{
	const char *counts = arena_printf(
		&t->t_arena, ",\"counts\":{\"unread\":%lld,\"open\":%lld}",
		(long long)postgres_int(t, 0, 0, 3, 0), (long long)postgres_int(t, 0, 0, 4, 0));

	return counts == NULL ? task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer")
			      : page_answer(t, counts);
}

static const struct step_row list_steps[] = {
	{ "read", list_read },
	{ "answer", list_answer },
	{ NULL, NULL },
};

static enum step
read_write(struct task *t)
{
	const struct postgres_param params[] = { P_TEXT(access_actor_of(t)->principal),
						 P_STR(http_param(t, "id")),
						 P_STR(http_request_id(t)) };

	return postgres_wait(core_notices_app, t, &sql_notice_read, params, ARRAY_LEN(params));
}

static enum step
read_answer(struct task *t)
{
	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no notice %.*s for you",
				     STR_FMT(http_param(t, "id")));
	return http_reply_empty(t, 204);
}

static const struct step_row read_steps[] = {
	{ "write", read_write },
	{ "answer", read_answer },
	{ NULL, NULL },
};

static enum step
read_all_write(struct task *t)
{
	const struct postgres_param params[] = { P_TEXT(access_actor_of(t)->principal),
						 P_STR(http_request_id(t)) };

	return postgres_wait(core_notices_app, t, &sql_notice_read_all, params, ARRAY_LEN(params));
}

static enum step
read_all_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

static const struct step_row read_all_steps[] = {
	{ "write", read_all_write },
	{ "answer", read_all_answer },
	{ NULL, NULL },
};

/* ---- e-mails, for operators ---- */

static enum step
mails_read(struct task *t)
{
	const struct str state = http_query(t, "state");
	struct postgres_param after;
	struct postgres_param limit;

	if (state.p != NULL && !str_is(state, "waiting") && !str_is(state, "sent") &&
	    !str_is(state, "dead"))
		return task_fail_set(t, ERR_BAD_REQUEST, "state", "must be waiting, sent or dead");
	if (!page_read(t, &after, &limit))
		return task_fail(t);
	const struct postgres_param params[] = {
		{ .value = state, .is_null = state.p == NULL },
		after,
		limit,
	};
	return postgres_wait(core_notices_app, t, &sql_notice_mail_list, params, ARRAY_LEN(params));
}

static enum step
mails_answer(struct task *t)
{
	return page_answer(t, "");
}

static const struct step_row mails_steps[] = {
	{ "read", mails_read },
	{ "answer", mails_answer },
	{ NULL, NULL },
};

static enum step
again_write(struct task *t)
{
	const struct postgres_param params[] = { P_STR(http_param(t, "id")),
						 P_TEXT(access_actor_of(t)->principal),
						 P_STR(http_request_id(t)) };

	return postgres_wait(core_notices_app, t, &sql_notice_mail_again, params,
			     ARRAY_LEN(params));
}

static enum step
again_answer(struct task *t)
{
	if (!postgres_bool(t, 0, 0, 0))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no dead e-mail %.*s",
				     STR_FMT(http_param(t, "id")));
	return http_reply_empty(t, 204);
}

static const struct step_row again_steps[] = {
	{ "write", again_write },
	{ "answer", again_answer },
	{ NULL, NULL },
};

/* me.read and me.write are the rights of everybody who signs in: what is read and written here is his own. */
const struct http_route core_notices_routes[] = {
	{ HTTP_GET, "/v1/notices", "notice.list", list_steps, .right = "me.read" },
	{ HTTP_POST, "/v1/notices/{id:uuid}/read", "notice.read", read_steps, .right = "me.write" },
	{ HTTP_POST, "/v1/notices/read-all", "notice.read_all", read_all_steps,
	  .right = "me.write" },
	{ HTTP_GET, "/v1/me/notices", "notice.settings", core_notices_settings_get_steps,
	  .right = "me.read" },
	{ HTTP_PUT, "/v1/me/notices", "notice.settings_put", core_notices_settings_put_steps,
	  .right = "me.write", .body_max = 64 * 1024 },
	{ HTTP_GET, "/v1/mails", "mail.list", mails_steps, .right = "mail.manage" },
	{ HTTP_POST, "/v1/mails/{id:uuid}/retry", "mail.retry", again_steps,
	  .right = "mail.manage" },
};
const size_t core_notices_routes_count = ARRAY_LEN(core_notices_routes);

void
core_notices_use(struct postgres_pool *app)
{
	core_notices_app = app;
}
