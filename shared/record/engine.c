/*
 * engine.c — the engine of a process: catalog, statements, and the start of each call. See
 * record.h.
 *
 * Place: a room begins a call here and continues with one of the step tables of read.c, write.c,
 * batch.c. Invariants: a call holds a reference on the catalog it began with until its task ends,
 * however it ends; what it builds names that catalog's generation, so a swap in the middle of a
 * call mixes nothing.
 */
#include "record/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "http/http.h"

#define LOAD_DEADLINE (10 * USEC_PER_SEC)
#define LOAD_ARENA_BYTES (64 * 1024)

enum err
record_engine_create(const struct record_conf *conf, struct record_engine **out,
		     struct err_info *info)
{
	*out = NULL;
	if (conf->cursor_secret.len < RECORD_CURSOR_KEY_MIN)
		return err_set(info, ERR_CONFIG, NULL,
			       "the cursor secret must have at least %d bytes",
			       RECORD_CURSOR_KEY_MIN);
	struct record_engine *e = calloc(1, sizeof(*e));
	struct record_cache *cache = record_cache_create();
	if (e == NULL || cache == NULL) {
		free(e);
		record_cache_destroy(cache);
		return err_set(info, ERR_NO_MEMORY, NULL, "could not make the record engine");
	}
	e->conf = *conf;
	e->cache = cache;
	sha256(conf->cursor_secret.p, conf->cursor_secret.len, e->cursor_key.b);
	e->conf.cursor_secret = STR_NONE; /* the caller's memory; only the key is needed */
	*out = e;
	return ERR_OK;
}

void
record_engine_destroy(struct record_engine *e)
{
	if (e == NULL)
		return;
	record_catalog_unref(e->catalog);
	record_cache_destroy(e->cache);
	record_tail_free(e->tail);
	explicit_bzero(&e->cursor_key, sizeof(e->cursor_key));
	free(e);
}

int64_t
record_engine_generation(const struct record_engine *e)
{
	return e->catalog == NULL ? -1 : record_catalog_generation(e->catalog);
}

struct record_catalog *
record_engine_catalog(const struct record_engine *e)
{
	return e->catalog;
}

void
record_engine_swap(struct record_engine *e, struct record_catalog *c)
{
	struct record_catalog *old = e->catalog;
	const bool changed =
		old == NULL || record_catalog_generation(old) != record_catalog_generation(c);
	e->catalog = c;
	record_catalog_unref(old);
	record_cache_clear(e->cache);
	if (changed && e->conf.pool != NULL)
		postgres_pool_forget(e->conf.pool);
	if (e->conf.on_swap != NULL)
		e->conf.on_swap(e, record_catalog_generation(c), e->conf.arg);
}

/* ---- loading ---- */
static enum step
load_read(struct task *t)
{
	struct record_engine *e = t->t_owner;
	return postgres_wait(e->conf.pool, t, e->conf.catalog, NULL, 0);
}

static enum step
load_build(struct task *t)
{
	struct record_engine *e = t->t_owner;
	struct record_catalog *c = NULL;
	const struct record_catalog_conf conf = { .copy = e->conf.copy };
	if (record_catalog_build(postgres_result(t, 0), &conf, &c, &t->t_err) != ERR_OK)
		return task_fail(t);
	record_engine_swap(e, c);
	return STEP_DONE;
}

static const struct step_row record_load[] = {
	{ "registry-read", load_read },
	{ "registry-build", load_build },
	{ NULL, NULL },
};

/* A failed load keeps the old catalog; a notification that came meanwhile starts one more. */
static void
load_end(struct task *t, void *arg)
{
	struct record_engine *e = arg;
	e->loading = false;
	if (t->t_cancel == TASK_SHUTDOWN)
		return;
	if (t->t_err.code != ERR_OK)
		log_error("record.load", "could not read the field registry: %s", t->t_err.msg);
	if (e->load_again && record_load_start(e, t->t_engine) != ERR_OK)
		log_error("record.load", "could not start reading the field registry again");
}

enum err
record_load_start(struct record_engine *e, struct task_engine *tasks)
{
	if (e->loading) {
		e->load_again = true;
		return ERR_OK;
	}
	struct task *t;
	const enum err err =
		task_start(tasks, "record.load", record_load, clock_now_us() + LOAD_DEADLINE,
			   LOAD_ARENA_BYTES, load_end, e, &t);
	if (err != ERR_OK)
		return err;
	t->t_owner = e;
	e->loading = true;
	e->load_again = false;
	return ERR_OK;
}

/* ---- calls ---- */
/* Ours first, then the end that was there: the reference is given back however the task ends. */
static void
call_end(struct task *t, void *arg)
{
	struct record_state *s = arg;
	record_catalog_unref(s->catalog);
	s->catalog = NULL;
	if (s->end != NULL)
		s->end(t, s->end_arg);
}

/* The end of the task names our state: task_state() starts afresh with each step table, and belongs
 * to the room. */
struct record_state *
record_state_of(struct task *t)
{
	BUG_ON(t->t_end != call_end);
	return t->t_end_arg;
}

struct record_call *
record_call_begin(struct task *t, struct record_engine *e)
{
	if (e->catalog == NULL) {
		(void)err_set(&t->t_err, ERR_DOWN, NULL,
			      "the field registry has not been read yet");
		return NULL;
	}
	struct record_state *s = arena_alloc(&t->t_arena, sizeof(*s));
	if (s == NULL) {
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "the request needs too much memory");
		return NULL;
	}
	s->engine = e;
	s->catalog = record_catalog_ref(e->catalog);
	s->end = t->t_end;
	s->end_arg = t->t_end_arg;
	t->t_end = call_end;
	t->t_end_arg = s;
	s->call = (struct record_call) {
		.resource = http_param(t, "resource"),
		.id = http_param(t, "id"),
		.parent = http_param(t, "parent"),
		.parent_id = http_param(t, "parent_id"),
	};
	return &s->call;
}

static bool
no_resource(struct task *t, const struct record_state *s)
{
	const struct str name = s->call.resource;
	const struct str near = record_resource_nearest(s->catalog, name);
	const int n = (int)MIN(name.len, (size_t)60);
	if (near.p != NULL)
		(void)err_set(&t->t_err, ERR_NOT_FOUND, NULL,
			      "there is no resource \"%.*s\"; did you mean \"%.*s\"?", n,
			      name.p == NULL ? "" : name.p, STR_FMT(near));
	else
		(void)err_set(&t->t_err, ERR_NOT_FOUND, NULL, "there is no resource \"%.*s\"", n,
			      name.p == NULL ? "" : name.p);
	return false;
}

bool
record_resolve(struct task *t, struct record_state *s)
{
	const struct record_call *c = &s->call;
	s->resource = record_catalog_find(s->catalog, c->resource);
	if (s->resource == NULL)
		return no_resource(t, s);
	if (c->parent.p == NULL)
		return record_scope_settle(t, s);
	if (s->resource->parent == NULL || !str_is(c->parent, s->resource->parent) ||
	    s->resource->parent_field == NULL) {
		(void)err_set(&t->t_err, ERR_NOT_FOUND, NULL, "%.*s are not found below %.*s",
			      STR_FMT(s->resource->name), (int)MIN(c->parent.len, (size_t)60),
			      c->parent.p);
		return false;
	}
	s->scope = s->resource->parent_field;
	s->values.scope = c->parent_id;
	return record_scope_settle(t, s);
}

struct record_shape
record_shape_of(const struct record_state *s, enum record_sql what)
{
	return (struct record_shape) {
		.catalog = s->catalog,
		.resource = s->resource,
		.what = what,
		.read_classes = s->call.read_classes,
		.write_classes =
			record_sql_lane(what) == POSTGRES_WRITE ? s->call.write_classes : 0,
		.scope = s->scope,
		.owned = s->call.owners != NULL,
		.keyed = s->keyed,
	};
}

enum err
record_add(struct task *t, struct record_state *s, const struct record_shape *shape,
	   const struct record_values *v)
{
	struct record_out out;
	const struct postgres_stmt *stmt = NULL;
	const enum err err = record_cache_get(s->engine->cache, shape, v, &out, &stmt);
	if (err != ERR_OK)
		return err;
	return postgres_add(s->engine->conf.pool, t, stmt, out.params, out.n);
}

enum step
record_submit(struct task *t, struct record_state *s, const struct record_shape *shape,
	      const struct record_values *v)
{
	struct record_out out;
	const struct postgres_stmt *stmt = NULL;
	const enum err err = record_cache_get(s->engine->cache, shape, v, &out, &stmt);
	if (err != ERR_OK)
		return task_fail_set(t, err, NULL, "could not make the statement for %.*s",
				     STR_FMT(s->resource->name));
	return postgres_wait(s->engine->conf.pool, t, stmt, out.params, out.n);
}
