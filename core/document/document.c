/*
 * document.c — the document of core's API. The text is made by shared/openapi from the routes that are served and from the records
 * of the catalog; here it is said what the caller may see of both: the routes of his rights, the resources he may read, the
 * fields of his classes.
 */
#include "core/document/document.h"

#include <stdio.h>

#include "access/access.h"
#include "gen/sql_core.h"
#include "openapi/openapi.h"
#include "record/schema.h"

#define EVERY_CLASS ((uint32_t)(RECORD_OPEN | RECORD_INTERNAL | RECORD_PERSONAL))

static struct openapi *api;
static const struct record_engine *engine;

enum err
core_document_start(struct err_info *info)
{
	return openapi_create(
		&(struct openapi_conf) {
			.title = "Bimodal core",
			.description = "The canonical customer record, its schema under change "
				       "control, flags and people. "
				       "Every reply names its request in Request-Id; every error "
				       "is application/problem+json (RFC "
				       "9457). A write to a record needs the entity tag of what "
				       "was read in If-Match. A reader "
				       "sees here what he may use: his routes, his resources, the "
				       "fields of his classes.",
			.version = "1",
			.parts = openapi_parts,
		},
		&api, info);
}

enum err
core_document_routes_add(const struct http_route *routes, size_t n, struct err_info *info)
{
	return openapi_routes(api, routes, n, info);
}

void
core_document_use(const struct record_engine *e)
{
	engine = e;
}

void
core_document_stop(void)
{
	openapi_destroy(api);
	api = NULL;
}

/* The resources of the catalog as somebody with these classes sees them; false without memory. */
static bool
view_fill(const struct record_catalog *c, uint32_t read, uint32_t write, struct arena *a,
	  struct openapi_view *view)
{
	const size_t n = record_catalog_count(c);
	struct openapi_resource *out = arena_alloc(a, (n + 1) * sizeof(*out));
	for (size_t i = 0; out != NULL && i < n; i++) {
		const struct record_resource *r = record_catalog_at(c, i);
		struct record_schema s;
		if (record_schema_of(r, read, write, a, &s) != ERR_OK)
			return false;
		out[i] = (struct openapi_resource) {
			.name = r->name,
			.parent = r->parent_field != NULL ? r->parent : NULL,
			.record = s.record,
			.part = s.part,
			.create = s.create,
			.child = s.child,
			.patch = s.patch,
			.filters = s.filters,
			.fields = s.fields,
		};
	}
	view->resources = out;
	view->n_resources = n;
	view->seen = str_of(arena_printf(a, "%lld/%u/%u", (long long)record_catalog_generation(c),
					 read, write));
	return out != NULL && view->seen.p != NULL;
}

/* ---- GET /v1/openapi.json ---- */

static enum step
document_get(struct task *t)
{
	const struct record_catalog *c = record_engine_catalog(engine);
	const struct access_actor *actor = access_actor_of(t);
	struct openapi_view view = { .may = access_allows, .task = t };
	if (c == NULL)
		return task_fail_set(t, ERR_DOWN, NULL, "the field registry has not been read yet");
	if (actor == NULL)
		return task_fail_set(t, ERR_UNAUTHORIZED, NULL, "no principal");
	if (!view_fill(c, actor->read_classes, actor->write_classes, &t->t_arena, &view))
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "the request needs too much memory");
	return openapi_answer(t, api, &view);
}

static const struct step_row get_steps[] = { { "get", document_get }, { NULL, NULL } };

const struct http_route core_document_routes[] = {
	{ HTTP_GET, "/v1/openapi.json", "document.get", get_steps, .right = "me.read" },
};
const size_t core_document_routes_count = ARRAY_LEN(core_document_routes);

/* ---- --print-openapi ---- */

static enum step
print_read(struct task *t)
{
	/* The pools of commands have one lane only. */
	static struct postgres_stmt catalog;
	catalog = sql_core_catalog;
	catalog.lane = POSTGRES_SLOW;
	return postgres_wait(t->t_owner, t, &catalog, NULL, 0);
}

static enum step
print_write(struct task *t)
{
	const struct record_catalog_conf conf = { .copy = false };
	struct record_catalog *c = NULL;
	struct openapi_view view = { .may = NULL };
	struct openapi_list *list = NULL;
	struct buf text;

	if (record_catalog_build(postgres_result(t, 0), &conf, &c, &t->t_err) != ERR_OK)
		return task_fail(t);
	buf_init(&text, OPENAPI_BYTES_MAX);
	if (!view_fill(c, EVERY_CLASS, EVERY_CLASS, &t->t_arena, &view))
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the document needs too much memory");
	else if (openapi_list(api, &view, &t->t_arena, &list, &t->t_err) == ERR_OK)
		openapi_write(list, &t->t_arena, &text);
	if (t->t_err.code == ERR_OK && text.failed)
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the document is too large");
	if (t->t_err.code == ERR_OK)
		printf("%.*s", STR_FMT(buf_str(&text)));
	buf_free(&text);
	record_catalog_unref(c);
	return t->t_err.code == ERR_OK ? STEP_DONE : task_fail(t);
}

const struct step_row core_document_print[] = {
	{ "read", print_read },
	{ "write", print_write },
	{ NULL, NULL },
};
