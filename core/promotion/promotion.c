/*
 * promotion.c — see promotion.h. The whole set is read anew by one statement for each schema generation; features that are gone are
 * forgotten with their connections, before the change that removes them drops their roles' schema for good.
 */
#include "core/promotion/promotion.h"

#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "daemon/snapshot.h"
#include "feature/runtime.h"
#include "gen/sql_core.h"

#define LABEL "core/feature"
#define PACKAGE_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define ARGS_MAX 32

static struct core_promotion_conf conf;
static struct feature_runtime *runtime;
static int64_t generation = -1;

/* ---- the set ---- */

/* Columns of promotion_features.sql. */
enum { GENERATION, SLUG, SHA, FLAG_KEY, PASSWORD, PACKAGE };

static struct str
cell(const PGresult *rows, int row, int col)
{
	return (struct str) { PQgetvalue(rows, row, col), (size_t)PQgetlength(rows, row, col) };
}

static enum err
load_one(const PGresult *rows, int row, struct arena *arena, struct err_info *info)
{
	struct feature_package *package = arena_alloc(arena, sizeof(*package));
	struct feature_findings *findings = arena_alloc(arena, sizeof(*findings));
	const struct str hex = cell(rows, row, PACKAGE);
	char *bytes = arena_alloc(arena, hex.len / 2 + 1);
	const char *user = arena_printf(arena, "feature_%.*s", STR_FMT(cell(rows, row, SLUG)));

	if (package == NULL || findings == NULL || bytes == NULL || user == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the feature");
	feature_findings_init(findings, arena);
	enum err err = hex_decode(hex, bytes, hex.len / 2);
	if (err == ERR_OK)
		err = feature_package_open(arena, (struct str) { bytes, hex.len / 2 }, package,
					   findings, info);
	if (err != ERR_OK)
		return err_set(info, err, NULL, "its package cannot be read");
	const char *conninfo =
		postgres_conninfo(arena, conf.host, conf.port, conf.name, user,
				  PQgetvalue(rows, row, PASSWORD), "connect_timeout=5");
	return feature_runtime_load(runtime, package, conninfo, info);
}

/* One feature that cannot be loaded must not keep the others, or the new schema, from being served. */
static enum err
set_apply(const PGresult *rows, void *arg UNUSED, struct err_info *info)
{
	int64_t newest = -1;

	if (PQntuples(rows) == 0 ||
	    str_int(cell(rows, 0, GENERATION), 0, INT64_MAX, &newest) != ERR_OK)
		return err_set(info, ERR_INTERNAL, NULL, "the list of features has no generation");
	feature_runtime_mark(runtime);
	for (int row = 0; row < PQntuples(rows); row++) {
		struct err_info why = { .code = ERR_OK };
		struct arena arena;

		if (PQgetisnull(rows, row, SLUG))
			continue;
		arena_init(&arena, PACKAGE_BYTES_MAX);
		if (load_one(rows, row, &arena, &why) != ERR_OK)
			log_error("promotion.load", "feature %s is not served: %s",
				  PQgetvalue(rows, row, SLUG), why.msg);
		arena_release(&arena);
	}
	feature_runtime_sweep(runtime);
	if (newest != generation)
		feature_runtime_forget(runtime);
	generation = newest;
	if (conf.swapped != NULL)
		conf.swapped(conf.swapped_arg);
	return ERR_OK;
}

static struct daemon_snapshot snapshot = { .name = "promotion.load",
					   .stmt = &sql_promotion_features,
					   .apply = set_apply };

void
core_promotion_metrics(void)
{
	feature_runtime_metrics(LABEL);
}

void
core_promotion_use(const struct core_promotion_conf *c)
{
	conf = *c;
	snapshot.pool = c->app;
	runtime = feature_runtime_create(
		c->loop, c->engine,
		&(struct feature_runtime_conf) { .label = LABEL, .worker = c->worker });
}

void
core_promotion_finish(void)
{
	feature_runtime_destroy(runtime);
	runtime = NULL;
}

int64_t
core_promotion_generation(void)
{
	return generation;
}

void
core_promotion_load(struct task_engine *e)
{
	if (runtime != NULL)
		daemon_snapshot_load(&snapshot, e);
}

/* ---- GET /v1/features ---- */

static enum step
list_read(struct task *t)
{
	return postgres_wait(conf.app, t, &sql_promotion_list, NULL, 0);
}

static enum step
list_answer(struct task *t)
{
	const char *body =
		arena_printf(&t->t_arena, "{\"data\":%.*s}", STR_FMT(postgres_value(t, 0, 0, 0)));
	if (body == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the answer");
	return http_reply_json(t, 200, str_of(body));
}

static const struct step_row list_steps[] = {
	{ "read", list_read },
	{ "answer", list_answer },
	{ NULL, NULL },
};

/* ---- GET /v1/features/{slug}/{endpoint}?unit=… ---- */

struct call {
	struct str unit;
	struct feature_arg args[ARGS_MAX];
	size_t n_args;
};

static step_fn call_run;

/* A person's id is looked up, since features know pseudonyms only; a pseudonym is taken as it is. */
static enum step
call_read(struct task *t)
{
	struct call *c = task_state(t, sizeof(*c));
	struct uuid id;

	if (c == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the call");
	for (size_t i = 0; i < http_query_count(t); i++) {
		struct str name;
		struct str value;
		http_query_at(t, i, &name, &value);
		if (str_is(name, "unit") && c->unit.p == NULL)
			c->unit = value;
		else if (c->n_args == ARGS_MAX)
			return task_fail_set(t, ERR_BAD_REQUEST, NULL, "more than %d parameters",
					     ARGS_MAX);
		else
			c->args[c->n_args++] =
				(struct feature_arg) { .name = name, .value = value };
	}
	if (c->unit.p == NULL)
		return task_fail_set(t, ERR_BAD_REQUEST, "unit",
				     "\"unit\" is required: a person's id or pseudonym");
	if (uuid_parse(c->unit, &id) != ERR_OK)
		return task_fail_set(t, ERR_BAD_REQUEST, "unit",
				     "\"unit\" must be a person's id or pseudonym");
	if (feature_runtime_manifest(runtime, http_param(t, "slug")) == NULL)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "core serves no feature \"%.*s\"",
				     STR_FMT(http_param(t, "slug")));
	if (uuid_version(&id) != 7)
		return task_jump(t, call_run);
	return postgres_wait(conf.app, t, &sql_promotion_person,
			     (struct postgres_param[]) { P_STR(c->unit) }, 1);
}

static enum step
call_person(struct task *t)
{
	struct call *c = task_state(t, sizeof(*c));

	if (postgres_rows(t, 0) == 0)
		return task_fail_set(t, ERR_NOT_FOUND, NULL,
				     "there is no such person for features");
	c->unit = arena_str(&t->t_arena, postgres_value(t, 0, 0, 0));
	return STEP_NEXT;
}

static enum step
call_run(struct task *t)
{
	const struct call *c = task_state(t, sizeof(*c));
	const struct str slug = http_param(t, "slug");
	const struct feature_manifest *m = feature_runtime_manifest(runtime, slug);
	char *variant = arena_alloc(&t->t_arena, CORE_PROMOTION_VARIANT_SIZE);

	if (m == NULL)
		return task_fail_set(t, ERR_NOT_FOUND, NULL, "core serves no feature \"%.*s\"",
				     STR_FMT(slug));
	if (variant == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the call");
	if (conf.variant == NULL ||
	    !conf.variant(m->flag_key, c->unit, variant, conf.variant_arg) ||
	    feature_variation_find(m, str_of(variant)) == m->n_variations)
		(void)str_copy(variant, CORE_PROMOTION_VARIANT_SIZE, str_of(m->variations[0]));
	return feature_runtime_call(runtime, t,
				    &(struct feature_call) {
					    .slug = slug,
					    .endpoint = http_param(t, "endpoint"),
					    .variant = str_of(variant),
					    .unit = c->unit,
					    .args = c->args,
					    .n_args = c->n_args,
				    });
}

static enum step
call_answer(struct task *t)
{
	return http_reply_json(t, 200, feature_runtime_body(t, 0));
}

static const struct step_row call_steps[] = {
	{ "read", call_read }, { "person", call_person },
	{ "run", call_run },   { "answer", call_answer },
	{ NULL, NULL },
};

const struct http_route core_promotion_routes[] = {
	{ HTTP_GET, "/v1/features", "feature.list", list_steps, .right = "feature.read" },
	{ HTTP_GET, "/v1/features/{slug:slug}/{endpoint:slug}", "feature.call", call_steps,
	  .right = "feature.call" },
};
const size_t core_promotion_routes_count = ARRAY_LEN(core_promotion_routes);
