/*
 * rights.c — see rights.h. The list of members is read anew as a whole with each generation of access, like the tokens; refusals
 * are written in one statement every few seconds, whatever their number.
 */
#include "core/rights/internal.h"

#include "base/json_scan.h"
#include "daemon/snapshot.h"
#include "gen/sql_core.h"

#define FLUSH_DEADLINE (5 * USEC_PER_SEC)
#define FLUSH_BYTES_MAX ((size_t)256 * 1024)
#define REPORT_MAX 256

struct core_rights_conf core_rights_conf;
struct http_server *core_rights_served;

static enum err
members_apply(const PGresult *rows, void *arg UNUSED, struct err_info *info)
{
	const enum err err = access_swap_members(core_rights_conf.access, rows, info);
	if (err == ERR_OK && core_rights_conf.swapped != NULL)
		core_rights_conf.swapped(core_rights_conf.arg);
	return err;
}

static struct daemon_snapshot members = { .name = "access.members",
					  .stmt = &sql_access_members,
					  .apply = members_apply };

void
core_rights_use(const struct core_rights_conf *conf)
{
	core_rights_conf = *conf;
	members.pool = conf->pool;
}

void
core_rights_server(struct http_server *server)
{
	core_rights_served = server;
}

void
core_rights_load(struct task_engine *e)
{
	daemon_snapshot_load(&members, e);
}

/* ---- refusals ---- */

struct flush {
	size_t n;
};

static enum step
flush_write(struct task *t)
{
	struct flush *flush = task_state(t, sizeof(*flush));
	struct buf list;
	enum step next = STEP_DONE;
	if (flush == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the refusals");
	buf_init(&list, FLUSH_BYTES_MAX);
	flush->n = access_refusals_take(core_rights_conf.access, &list);
	task_wait_soft(t);
	if (flush->n > 0)
		next = postgres_wait(
			core_rights_conf.pool, t, &sql_access_refused,
			(struct postgres_param[]) { P_STR(buf_str(&list)), { .is_null = true } },
			2);
	buf_free(&list);
	return next;
}

static enum step
flush_check(struct task *t)
{
	const struct flush *flush = task_state(t, sizeof(*flush));
	if (task_wait_err(t, 0, NULL) != ERR_OK)
		access_refusal_lost(flush->n);
	return STEP_DONE;
}

static const struct step_row flush_steps[] = {
	{ "write", flush_write },
	{ "check", flush_check },
	{ NULL, NULL },
};

void
core_rights_flush(struct task_engine *e)
{
	struct task *t = NULL;
	(void)!task_start(e, "access.refused", flush_steps, clock_now_us() + FLUSH_DEADLINE,
			  2 * FLUSH_BYTES_MAX, NULL, NULL, &t);
}

/* ---- POST /v1/access/refusals: what the sandbox has refused; it has no log of its own ---- */

static enum step
report_write(struct task *t)
{
	struct json_element *elements = arena_alloc(&t->t_arena, REPORT_MAX * sizeof(*elements));
	size_t n = REPORT_MAX;
	if (elements == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	if (json_scan_array(http_body(t), elements, &n, &t->t_err) != ERR_OK)
		return task_fail(t);
	for (size_t i = 0; i < n; i++) {
		if (elements[i].kind != JSON_OBJECT)
			return task_fail_set(t, ERR_INVALID, NULL,
					     "give a list of at most %d refusals", REPORT_MAX);
	}
	return postgres_wait(core_rights_conf.pool, t, &sql_access_refused,
			     (struct postgres_param[]) { P_STR(http_body(t)),
							 P_TEXT(access_actor_of(t)->principal) },
			     2);
}

static enum step
report_answer(struct task *t)
{
	const char *body = arena_printf(&t->t_arena, "{\"written\":%lld}",
					(long long)postgres_int(t, 0, 0, 0, 0));
	if (body == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	return http_reply_json(t, 200, str_of(body));
}

static const struct step_row report_steps[] = {
	{ "write", report_write },
	{ "answer", report_answer },
	{ NULL, NULL },
};

const struct http_route core_rights_routes[] = {
	{ HTTP_POST, "/v1/access/refusals", "access.report", report_steps, .right = "access.report",
	  .body_max = FLUSH_BYTES_MAX },
	{ HTTP_GET, "/v1/access/explain", "access.explain", core_rights_explain,
	  .right = "me.read" },
	{ HTTP_POST, "/v1/people/resolve", "people.resolve", core_rights_resolve,
	  .right = "people.resolve" },
};
const size_t core_rights_routes_count = ARRAY_LEN(core_rights_routes);
