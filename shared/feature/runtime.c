/*
 * runtime.c — the features a process knows, their pools and breakers.
 *
 * Flow: a room loads features → a call enters (breaker, pool; the least recently used idle pool
 * makes room) → run.c runs the query as a task of its own → the call leaves (breaker counts,
 * retired features are freed). Invariants: a pool is closed only while none of its queries is
 * under way, or when its feature goes; under_way counts exactly the tasks of run.c.
 */
#include "feature/runtime_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"

#define LOADED_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define DEFAULT_LABEL "feature"
#define DEFAULT_TIMEOUT (250 * USEC_PER_MS)
#define DEFAULT_METRIC_TIMEOUT (10 * USEC_PER_SEC)
#define DEFAULT_FAILURES 5
#define DEFAULT_PAUSE (10 * USEC_PER_SEC)
#define LANE_DEPTH 1
#define LANE_QUEUE_MAX 64

static struct metric *
metric_breaker(void)
{
	return metric_counter("bimodal_feature_breaker_total", NULL,
			      "Times a feature was paused after consecutive failures");
}

static struct metric *
metric_pools(void)
{
	return metric_gauge("bimodal_feature_pools", NULL, "Open pools of features");
}

void
feature_runtime_metrics(const char *label)
{
	postgres_metrics(label);
	(void)metric_breaker();
	(void)metric_pools();
}

struct feature_runtime *
feature_runtime_create(struct loop *l, struct task_engine *e,
		       const struct feature_runtime_conf *conf)
{
	struct feature_runtime *rt = calloc(1, sizeof(*rt));
	BUG_ON(rt == NULL);
	rt->loop = l;
	rt->engine = e;
	rt->conf = *conf;
	if (rt->conf.label == NULL)
		rt->conf.label = DEFAULT_LABEL;
	if (rt->conf.statement_timeout == 0)
		rt->conf.statement_timeout = DEFAULT_TIMEOUT;
	if (rt->conf.metric_timeout == 0)
		rt->conf.metric_timeout = DEFAULT_METRIC_TIMEOUT;
	if (rt->conf.breaker_failures == 0)
		rt->conf.breaker_failures = DEFAULT_FAILURES;
	if (rt->conf.breaker_pause == 0)
		rt->conf.breaker_pause = DEFAULT_PAUSE;
	feature_runtime_metrics(rt->conf.label);
	return rt;
}

struct loaded *
feature_runtime_find(const struct feature_runtime *rt, struct str slug)
{
	struct loaded *f = rt->first;
	while (f != NULL && !str_is(slug, f->manifest.slug))
		f = f->next;
	return f;
}

const struct feature_manifest *
feature_runtime_manifest(const struct feature_runtime *rt, struct str slug)
{
	const struct loaded *f = feature_runtime_find(rt, slug);
	return f != NULL ? &f->manifest : NULL;
}

/* ---- load and unload ---- */

static void
loaded_free(struct loaded *f)
{
	arena_release(&f->arena);
	free(f);
}

static void
pool_close(struct loaded *f)
{
	if (f->pool == NULL)
		return;
	struct postgres_pool *pool = f->pool;
	f->pool = NULL;
	f->rt->n_pools--;
	metric_set(metric_pools(), f->rt->n_pools);
	postgres_pool_destroy(pool);
}

static void
retire(struct loaded *f)
{
	struct loaded **at = &f->rt->first;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->rt->n_loaded--;
	f->retired = true;
	pool_close(f);
	if (f->under_way == 0)
		loaded_free(f);
}

void
feature_runtime_unload(struct feature_runtime *rt, struct str slug)
{
	struct loaded *f = feature_runtime_find(rt, slug);
	if (f != NULL)
		retire(f);
}

void
feature_runtime_mark(struct feature_runtime *rt)
{
	for (struct loaded *f = rt->first; f != NULL; f = f->next)
		f->marked = false;
}

void
feature_runtime_sweep(struct feature_runtime *rt)
{
	struct loaded *next = NULL;
	for (struct loaded *f = rt->first; f != NULL; f = next) {
		next = f->next;
		if (!f->marked)
			retire(f);
	}
}

void
feature_runtime_forget(struct feature_runtime *rt)
{
	for (struct loaded *f = rt->first; f != NULL; f = f->next) {
		if (f->pool != NULL)
			postgres_pool_forget(f->pool);
	}
}

/* The tasks of run.c end with the engine, after this: what is under way then frees its feature
 * itself. */
void
feature_runtime_destroy(struct feature_runtime *rt)
{
	if (rt == NULL)
		return;
	while (rt->first != NULL)
		retire(rt->first);
	free(rt);
}

static enum err
file_read_query(struct loaded *f, const struct feature_archive *archive, const char *path,
		bool as_metric, struct feature_query *out, struct err_info *info)
{
	struct feature_findings findings;
	feature_findings_init(&findings, &f->arena);
	const struct str text = feature_archive_get(archive, str_of(path));
	enum err err = ERR_INVALID;
	if (text.p != NULL)
		err = feature_query_read(&f->arena, path, text, as_metric, out, &findings);
	if (err == ERR_OK)
		return ERR_OK;
	return err_set(info, err, NULL, "%s of feature %s: %s", path, f->manifest.slug,
		       findings.n > 0 ? findings.items[0].reason : "the file is missing");
}

static enum err
endpoints_load(struct loaded *f, const struct feature_archive *archive, struct err_info *info)
{
	const struct feature_manifest *m = &f->manifest;
	for (size_t i = 0; i < m->n_endpoints; i++) {
		const struct feature_endpoint *e = &m->endpoints[i];
		for (size_t v = 0; v < m->n_variations; v++) {
			enum err err = file_read_query(f, archive, e->queries[v], false,
						       &f->queries[i][v], info);
			if (err == ERR_OK)
				err = feature_query_answer(&f->arena, &f->queries[i][v], m->slug,
							   e->name, m->variations[v],
							   &f->answers[i][v]);
			if (err != ERR_OK)
				return err_set(info, err, NULL, "no memory for feature %s",
					       m->slug);
		}
	}
	return ERR_OK;
}

static enum err
metrics_load(struct loaded *f, const struct feature_archive *archive, struct err_info *info)
{
	for (size_t i = 0; feature_metric_at(&f->manifest, i) != NULL; i++) {
		const struct feature_metric *metric = feature_metric_at(&f->manifest, i);
		struct feature_query query;
		enum err err = file_read_query(f, archive, metric->file, true, &query, info);
		if (err == ERR_OK)
			err = feature_query_metric(&f->arena, &query, f->manifest.slug, metric,
						   &f->metrics[i]);
		if (err != ERR_OK)
			return err_set(info, err, NULL, "no memory for feature %s",
				       f->manifest.slug);
	}
	return ERR_OK;
}

static enum err
loaded_fill(struct loaded *f, const struct feature_archive *archive, const char *conninfo,
	    struct err_info *info)
{
	struct feature_findings findings;
	feature_findings_init(&findings, &f->arena);
	memcpy(f->sha256, archive->sha256, sizeof(f->sha256));
	f->conninfo = arena_strdup(&f->arena, str_of(conninfo));
	if (f->conninfo == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for a feature");
	enum err err = feature_manifest_read(
		&f->arena, feature_archive_get(archive, STR(FEATURE_MANIFEST_FILE)), &f->manifest,
		&findings);
	if (err != ERR_OK)
		return err_set(info, err, NULL, "the manifest of a feature is not valid: %s",
			       findings.n > 0 ? findings.items[0].reason : "no memory");
	err = endpoints_load(f, archive, info);
	return err != ERR_OK ? err : metrics_load(f, archive, info);
}

enum err
feature_runtime_load(struct feature_runtime *rt, const struct feature_package *package,
		     const char *conninfo, struct err_info *info)
{
	struct loaded *old = feature_runtime_find(rt, str_of(package->manifest.slug));
	if (old != NULL)
		old->marked = true; /* also if the new one cannot be loaded: the old one stays */
	if (old != NULL && strcmp(old->sha256, package->archive.sha256) == 0 &&
	    strcmp(old->conninfo, conninfo) == 0)
		return ERR_OK;
	if (old == NULL && rt->n_loaded == FEATURE_LOADED_MAX)
		return err_set(info, ERR_BUSY, NULL, "there are %d features already",
			       FEATURE_LOADED_MAX);
	struct loaded *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for a feature");
	f->rt = rt;
	f->marked = true;
	arena_init(&f->arena, LOADED_BYTES_MAX);
	const enum err err = loaded_fill(f, &package->archive, conninfo, info);
	if (err != ERR_OK) {
		loaded_free(f);
		return err;
	}
	if (old != NULL)
		retire(old);
	f->next = rt->first;
	rt->first = f;
	rt->n_loaded++;
	return ERR_OK;
}

/* ---- pools ---- */

static struct loaded *
idle_oldest(const struct feature_runtime *rt)
{
	struct loaded *oldest = NULL;
	for (struct loaded *f = rt->first; f != NULL; f = f->next) {
		if (f->pool != NULL && f->under_way == 0 &&
		    (oldest == NULL || f->used_at < oldest->used_at))
			oldest = f;
	}
	return oldest;
}

static enum err
pool_open(struct loaded *f, struct err_info *info)
{
	struct feature_runtime *rt = f->rt;
	if (rt->n_pools == FEATURE_POOLS_MAX) {
		struct loaded *idle = idle_oldest(rt);
		if (idle == NULL)
			return err_set(info, ERR_BUSY, NULL,
				       "the connections of %d other features are all in use",
				       FEATURE_POOLS_MAX);
		pool_close(idle);
	}
	struct postgres_conf conf = { .label = rt->conf.label,
				      .conninfo = f->conninfo,
				      .worker = rt->conf.worker };
	const struct postgres_lane_conf lane = {
		.connections = FEATURE_CONNECTIONS,
		.depth = LANE_DEPTH,
		.queue_max = LANE_QUEUE_MAX,
		.statement_timeout =
			rt->conf.measures ? rt->conf.metric_timeout : rt->conf.statement_timeout,
	};
	conf.lanes[rt->conf.measures ? POSTGRES_SLOW : POSTGRES_READ] = lane;
	const enum err err = postgres_pool_create(rt->loop, rt->engine, &conf, &f->pool, info);
	if (err != ERR_OK)
		return err;
	rt->n_pools++;
	metric_set(metric_pools(), rt->n_pools);
	return ERR_OK;
}

/* ---- the breaker ---- */

enum err
feature_runtime_enter(struct loaded *f, struct err_info *info)
{
	const struct feature_runtime_conf *conf = &f->rt->conf;
	const bool tripped = f->failures >= conf->breaker_failures;
	if (tripped && (f->probing || loop_now(f->rt->loop) < f->open_until))
		return err_set(info, ERR_BUSY, NULL,
			       "feature %s is paused after %u failures in a row", f->manifest.slug,
			       f->failures);
	if (f->pool == NULL) {
		const enum err err = pool_open(f, info);
		if (err != ERR_OK)
			return err;
	}
	f->probing = tripped;
	f->used_at = ++f->rt->calls;
	f->under_way++;
	return ERR_OK;
}

static bool
own_fault(enum err err)
{
	switch (err) {
	case ERR_OK:
	case ERR_INVALID: /* of the arguments */
	case ERR_BUSY:
	case ERR_STOPPING:
	case ERR_CANCELLED:
	case ERR_NO_MEMORY:
		return false;
	default:
		return true;
	}
}

void
feature_runtime_leave(struct loaded *f, enum err err)
{
	f->under_way--;
	if (f->retired) {
		if (f->under_way == 0)
			loaded_free(f);
		return;
	}
	f->probing = false;
	if (err == ERR_OK)
		f->failures = 0;
	if (!own_fault(err))
		return;
	f->failures++;
	if (f->failures < f->rt->conf.breaker_failures)
		return;
	f->open_until = loop_now(f->rt->loop) + f->rt->conf.breaker_pause;
	metric_add(metric_breaker(), 1);
	log_warn("feature.breaker", "feature %s is paused after %u failures in a row",
		 f->manifest.slug, f->failures);
}

void
feature_runtime_dump(const struct feature_runtime *rt, struct buf *out)
{
	buf_add_char(out, '[');
	for (const struct loaded *f = rt->first; f != NULL; f = f->next) {
		const bool tripped = f->failures >= rt->conf.breaker_failures;
		buf_printf(out,
			   "%s{\"feature\":\"%s\",\"sha256\":\"%s\",\"failures\":%u,\"paused\":%s,"
			   "\"under_way\":%u,\"pool\":",
			   f == rt->first ? "" : ",", f->manifest.slug, f->sha256, f->failures,
			   tripped && loop_now(rt->loop) < f->open_until ? "true" : "false",
			   f->under_way);
		if (f->pool != NULL)
			postgres_pool_dump(f->pool, out);
		else
			buf_add_cstr(out, "null");
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}
