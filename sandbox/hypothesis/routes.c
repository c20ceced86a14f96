/*
 * routes.c — packages in, lists out. A package is checked here, while its sender waits, and put down as an intention; the answer is given
 * when the jobs child has deployed it, or after a while with what is known by then (202).
 */
#include "sandbox/hypothesis/internal.h"

#include <stdio.h>

#include "stats/verdict.h"

#define WAIT_MAX (5 * USEC_PER_SEC)
#define FLAG_WAIT_MAX (2 * USEC_PER_SEC)
#define LOOK_PERIOD (50 * USEC_PER_MS)
#define DEADLINE_MS 20000
#define COLUMNS_MAX 2000
#define LIMIT_DEFAULT 100
#define LIMIT_MAX 500
#define OWNERS_WAIT_MAX (2 * USEC_PER_SEC)
#define URL_BYTES 4096
#define ONE "/v1/features/{slug:slug}"

struct sandbox_hypothesis_conf sandbox_hypothesis_conf;

void
sandbox_hypothesis_use(const struct sandbox_hypothesis_conf *conf)
{
	sandbox_hypothesis_conf = *conf;
}

/* ---- the frozen rule ---- */

void
sandbox_hypothesis_freeze(const struct feature_package *package, struct buf *out)
{
	const struct feature_manifest *m = &package->manifest;

	buf_add_cstr(out, "{\"version\":1,\"package\":");
	buf_json_cstr(out, package->archive.sha256);
	buf_add_cstr(out, ",\"flag\":{\"key\":");
	buf_json_cstr(out, m->flag_key);
	buf_add_cstr(out, ",\"document\":");
	feature_flag_document(m, out);
	buf_add_cstr(out, "},\"manifest\":");
	feature_manifest_json(m, out);
	buf_add_char(out, '}');
}

/* ---- waiting for the jobs child ---- */

struct waiting {
	struct str slug;
	bool removal;
	usec_t since;
};

static step_fn wait_ask;

static enum step
wait_ask(struct task *t)
{
	const struct waiting *w = task_state(t, sizeof(*w));
	return postgres_wait(sandbox_hypothesis_conf.pool, t, &sql_lab_hypothesis_get,
			     (struct postgres_param[]) { P_STR(w->slug) }, 1);
}

enum { BODY, STATE, IS_DEPLOYED, FLAG_STATE, ERROR };

static enum step
wait_look(struct task *t)
{
	struct waiting *w = task_state(t, sizeof(*w));
	const usec_t waited = clock_now_us() - w->since;

	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no feature \"%.*s\"",
				     STR_FMT(w->slug));
	const struct str state = postgres_value(t, 0, 0, STATE);
	const struct str flag = postgres_value(t, 0, 0, FLAG_STATE);
	const bool deploying = str_is(state, "deploying");
	bool done = !deploying;
	if (w->removal)
		done = !deploying && !postgres_bool(t, 0, 0, IS_DEPLOYED) &&
		       (str_is(flag, "archived") || str_is(flag, "none") ||
			waited >= FLAG_WAIT_MAX);
	else if (str_is(state, "failed") || (!postgres_is_null(t, 0, 0, ERROR) && deploying))
		return task_fail_set(t, ERR_CONFLICT, NULL,
				     "the feature could not be deployed: %.*s",
				     STR_FMT(postgres_value(t, 0, 0, ERROR)));
	if (!done && waited < WAIT_MAX)
		return task_sleep(t, LOOK_PERIOD);
	if (!w->removal)
		http_reply_header_fmt(t, "Location", "/v1/features/%.*s", STR_FMT(w->slug));
	return http_reply_json(t,
			       !done        ? 202
			       : w->removal ? 200
					    : 201,
			       postgres_value(t, 0, 0, BODY));
}

static enum step
wait_again(struct task *t)
{
	return task_jump(t, wait_ask);
}

static const struct step_row wait_steps[] = {
	{ "ask", wait_ask },
	{ "look", wait_look },
	{ "again", wait_again },
	{ NULL, NULL },
};

static enum step
wait_begin(struct task *t, struct str slug, bool removal)
{
	const enum step next = task_continue(t, wait_steps);
	struct waiting *w = task_state(t, sizeof(*w));

	if (w == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the request");
	w->slug = slug;
	w->removal = removal;
	w->since = clock_now_us();
	return next;
}

/* ---- create ---- */

static enum step
create_columns(struct task *t)
{
	const struct str type = http_header(t, "Content-Type");

	if (sandbox_hypothesis_conf.held(t) != ERR_OK)
		return task_fail(t);
	if (!str_is(type, FEATURE_MEDIA_TYPE))
		return task_fail_set(t, ERR_MEDIA_TYPE, "Content-Type", "a package is sent as %s",
				     FEATURE_MEDIA_TYPE);
	return postgres_wait(sandbox_hypothesis_conf.pool, t, &sql_lab_columns, NULL, 0);
}

/* The columns of wait 0; views into the result and the arena. */
static bool
columns_read(struct task *t, struct arena *arena, struct feature_columns *out)
{
	const PGresult *rows = postgres_result(t, 0);
	const int n = MIN(PQntuples(rows), COLUMNS_MAX);
	struct feature_column *items = arena_alloc(arena, ((size_t)n + 1) * sizeof(*items));

	if (items == NULL)
		return false;
	for (int i = 0; i < n; i++)
		items[i] = (struct feature_column) { .table = PQgetvalue(rows, i, 0),
						     .name = PQgetvalue(rows, i, 1) };
	*out = (struct feature_columns) { .items = items, .n = (size_t)n };
	return true;
}

static enum step
findings_fail(struct task *t, const struct feature_findings *f)
{
	const struct feature_finding *first = f->n > 0 ? &f->items[0] : NULL;
	struct buf members;

	buf_init(&members, HYPOTHESIS_JSON_BYTES);
	buf_add_cstr(&members, "\"findings\":");
	feature_findings_json(f, &members);
	if (!members.failed)
		t->t_err_members = arena_str(&t->t_arena, buf_str(&members));
	buf_free(&members);
	if (first == NULL)
		return task_fail_set(t, ERR_INVALID, NULL,
				     "the package is not one that may be deployed");
	return task_fail_set(
		t, ERR_INVALID,
		arena_printf(&t->t_arena, "%s:%u:%u", first->file, first->line, first->column),
		"%s:%u:%u: %s (%zu finding%s)", first->file, first->line, first->column,
		first->reason, f->total, f->total == 1 ? "" : "s");
}

/* What is kept of a checked package while core is asked for its owners. */
struct creation {
	struct str slug, flag_key, manifest;
};

/* Whether its owners are people who are here is known to core alone. */
static enum step
owners_ask(struct task *t, const struct feature_manifest *m)
{
	struct buf url;

	buf_init(&url, URL_BYTES);
	buf_add_cstr(&url, "/v1/owners?business_owner=");
	buf_add_url(&url, str_of(m->business_owner));
	buf_add_cstr(&url, "&technical_owner=");
	buf_add_url(&url, str_of(m->technical_owner));
	task_wait_soft(t);
	const enum step next =
		url.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL, "the owners' names are too long")
			   : http_client_wait(
				     sandbox_hypothesis_conf.core, t,
				     &(struct http_client_call) { .method = HTTP_GET,
								  .url = buf_str(&url),
								  .timeout = OWNERS_WAIT_MAX });
	buf_free(&url);
	return next;
}

static enum step
create_keep(struct task *t, const struct feature_package *p)
{
	struct creation *c = task_state(t, sizeof(*c));
	struct buf manifest;

	buf_init(&manifest, HYPOTHESIS_JSON_BYTES);
	feature_manifest_json(&p->manifest, &manifest);
	if (c != NULL && !manifest.failed) {
		c->slug = arena_str(&t->t_arena, str_of(p->manifest.slug));
		c->flag_key = arena_str(&t->t_arena, str_of(p->manifest.flag_key));
		c->manifest = arena_str(&t->t_arena, buf_str(&manifest));
	}
	buf_free(&manifest);
	return c == NULL || c->slug.p == NULL || c->flag_key.p == NULL || c->manifest.p == NULL
		       ? task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the package")
		       : owners_ask(t, &p->manifest);
}

static enum step
create_check(struct task *t)
{
	struct feature_archive archive;
	struct feature_findings findings;
	struct feature_columns columns;
	struct feature_package package;
	struct arena arena;
	enum step next;

	if (feature_archive_read(http_body(t), &archive, &t->t_err) != ERR_OK)
		return task_fail(t);
	arena_init(&arena, HYPOTHESIS_ARENA_BYTES);
	feature_findings_init(&findings, &arena);
	enum err err = columns_read(t, &arena, &columns) ? ERR_OK : ERR_NO_MEMORY;
	if (err == ERR_OK)
		err = feature_package_check(&arena, &archive, &columns, &package, &findings);
	if (err == ERR_OK && str_is(str_of(package.manifest.slug), "columns"))
		next = task_fail_set(t, ERR_INVALID, "feature.yaml",
				     "\"columns\" is the name of a route and no slug");
	else if (err == ERR_OK &&
		 (package.manifest.n_variations - 1) * (package.manifest.n_guardrails + 1) >
			 STATS_METRICS_MAX)
		next = task_fail_set(
			t, ERR_INVALID, "feature.yaml",
			"metrics times treatments are more than the %d that one rule may judge",
			STATS_METRICS_MAX);
	else if (err == ERR_OK)
		next = create_keep(t, &package);
	else if (err == ERR_INVALID)
		next = findings_fail(t, &findings);
	else
		next = task_fail_set(t, err, NULL,
				     "the package needs too much memory to be checked");
	arena_release(&arena);
	return next;
}

/* Core's refusal, with the side it names as the place. */
static enum step
owners_refused(struct task *t, const struct http_client_reply *r)
{
	struct http_client_problem p;

	http_client_problem_read(r, &p);
	const bool has_place = p.pointer[0] == '/';
	return task_fail_set(t, ERR_INVALID, has_place ? p.pointer : NULL, "feature.yaml: %s%s%s",
			     has_place ? p.pointer + 1 : "", has_place ? ": " : "",
			     p.detail[0] != '\0' ? p.detail : "core knows no such owners");
}

/* A core that cannot say is no reason to wait: the flag's making decides then. */
static enum step
create_propose(struct task *t)
{
	const struct creation *c = task_state(t, sizeof(*c));
	const struct err_info *info = NULL;
	char deployment[UUID_TEXT_SIZE];
	char max[24];
	struct uuid id;

	if (task_wait_err(t, 0, &info) == ERR_OK &&
	    http_client_status(http_client_reply(t, 0)) == 422)
		return owners_refused(t, http_client_reply(t, 0));
	uuid_v4(&id);
	uuid_text(&id, deployment);
	(void)snprintf(max, sizeof(max), "%lld", (long long)sandbox_hypothesis_conf.features_max);
	const struct postgres_param params[] = {
		P_STR(c->slug),     P_TEXT(deployment),  P_STR(c->manifest),
		P_STR(c->flag_key), P_STR(http_body(t)), P_TEXT(access_actor_of(t)->principal),
		P_TEXT(max),
	};
	return postgres_wait(sandbox_hypothesis_conf.pool, t, &sql_lab_propose, params,
			     ARRAY_LEN(params));
}

static enum step
create_proposed(struct task *t)
{
	const struct str outcome = postgres_value(t, 0, 0, 0);
	const struct str slug = ((struct creation *)task_state(t, sizeof(struct creation)))->slug;

	if (str_is(outcome, "exists"))
		return task_fail_set(t, ERR_CONFLICT, "/slug",
				     "there is a feature \"%.*s\" already; remove it first",
				     STR_FMT(slug));
	if (str_is(outcome, "full"))
		return task_fail_set(t, ERR_CONFLICT, NULL,
				     "there are %lld features already: that is the limit",
				     (long long)sandbox_hypothesis_conf.features_max);
	return wait_begin(t, slug, false);
}

static const struct step_row create_steps[] = {
	{ "columns", create_columns },
	{ "check", create_check },
	{ "propose", create_propose },
	{ "proposed", create_proposed },
	{ NULL, NULL },
};

/* ---- remove ---- */

static enum step
remove_ask(struct task *t)
{
	const struct postgres_param params[] = { P_STR(http_param(t, "slug")),
						 P_TEXT(access_actor_of(t)->principal) };
	return postgres_wait(sandbox_hypothesis_conf.pool, t, &sql_lab_want_remove, params,
			     ARRAY_LEN(params));
}

static enum step
remove_asked(struct task *t)
{
	const struct str slug = http_param(t, "slug");
	const struct str outcome = postgres_value(t, 0, 0, 0);

	if (str_is(outcome, "missing"))
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no feature \"%.*s\"",
				     STR_FMT(slug));
	if (str_is(outcome, "ended"))
		return task_fail_set(t, ERR_GONE, NULL, "the feature \"%.*s\" has ended already",
				     STR_FMT(slug));
	return wait_begin(t, slug, true);
}

static const struct step_row remove_steps[] = {
	{ "ask", remove_ask },
	{ "asked", remove_asked },
	{ NULL, NULL },
};

/* ---- lists ---- */

static enum step
list_read(struct task *t)
{
	const struct str after = http_query(t, "after");
	const struct str state = http_query(t, "state");
	const char *limit = http_page_limit(t, LIMIT_DEFAULT, LIMIT_MAX);

	if (limit == NULL)
		return task_fail(t);
	const struct postgres_param params[] = {
		P_STR(after.p != NULL ? after : STR("")),
		P_TEXT(limit),
		{ .value = state, .is_null = state.p == NULL },
	};
	return postgres_wait(sandbox_hypothesis_conf.pool, t, &sql_lab_hypothesis_list, params,
			     ARRAY_LEN(params));
}

static enum step
list_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

static enum step
get_read(struct task *t)
{
	return postgres_wait(sandbox_hypothesis_conf.pool, t, &sql_lab_hypothesis_get,
			     (struct postgres_param[]) { P_STR(http_param(t, "slug")) }, 1);
}

static enum step
get_answer(struct task *t)
{
	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "there is no feature \"%.*s\"",
				     STR_FMT(http_param(t, "slug")));
	return http_reply_json(t, 200, postgres_value(t, 0, 0, BODY));
}

static enum step
columns_ask(struct task *t)
{
	return postgres_wait(sandbox_hypothesis_conf.pool, t, &sql_lab_columns, NULL, 0);
}

static enum step
columns_answer(struct task *t)
{
	static const char *const names[] = { "table", "name", "type" };
	struct buf body;

	buf_init(&body, HYPOTHESIS_JSON_BYTES);
	buf_add_cstr(&body, "{\"data\":[");
	for (int i = 0; i < postgres_rows(t, 0); i++) {
		buf_add_cstr(&body, i > 0 ? ",{" : "{");
		for (int k = 0; k < (int)ARRAY_LEN(names); k++) {
			buf_printf(&body, "%s\"%s\":", k > 0 ? "," : "", names[k]);
			buf_json_str(&body, postgres_value(t, 0, i, k));
		}
		buf_add_char(&body, '}');
	}
	buf_add_cstr(&body, "]}");
	const enum step done = body.failed ? task_fail_set(t, ERR_NO_MEMORY, NULL,
							   "the list of columns is too long")
					   : http_reply_json(t, 200, buf_str(&body));
	buf_free(&body);
	return done;
}

static const struct step_row list_steps[] = { { "read", list_read },
					      { "answer", list_answer },
					      { NULL, NULL } };
static const struct step_row get_steps[] = { { "read", get_read },
					     { "answer", get_answer },
					     { NULL, NULL } };
static const struct step_row columns_steps[] = { { "ask", columns_ask },
						 { "answer", columns_answer },
						 { NULL, NULL } };

const struct http_route sandbox_hypothesis_routes[] = {
	{ HTTP_GET, "/v1/features", "feature.list", list_steps, .right = "feature.read" },
	{ HTTP_POST, "/v1/features", "feature.deploy", create_steps, .right = "feature.deploy",
	  .deadline_ms = DEADLINE_MS, .body_max = FEATURE_ARCHIVE_BYTES_MAX },
	{ HTTP_GET, "/v1/features/columns", "feature.columns", columns_steps,
	  .right = "feature.read" },
	{ HTTP_GET, ONE, "feature.get", get_steps, .right = "feature.read" },
	{ HTTP_DELETE, ONE, "feature.remove", remove_steps, .right = "feature.remove",
	  .deadline_ms = DEADLINE_MS },
	{ HTTP_GET, ONE "/{endpoint:slug}", "feature.call", sandbox_hypothesis_call_steps,
	  .right = "feature.call" },
};
const size_t sandbox_hypothesis_routes_count = ARRAY_LEN(sandbox_hypothesis_routes);
