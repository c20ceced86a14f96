/*
 * features.c — keeps the runtime of this process at what is deployed. A deployment and a removal raise the schema generation in their own
 * transaction; whoever sees a new one reads the whole set and lets go of what is no longer in it.
 */
#include "sandbox/hypothesis/internal.h"

#include <string.h>

#include "base/log.h"
#include "daemon/snapshot.h"

static enum err features_apply(const PGresult *rows, void *arg, struct err_info *info);

static struct set {
	struct sandbox_features_conf conf;
	struct daemon_snapshot snapshot;
	int64_t generation;
} sets[SANDBOX_FEATURES] = {
	[SANDBOX_FEATURES_CALLS] = { .generation = -1 },
	[SANDBOX_FEATURES_METRICS] = { .generation = -1 },
};

enum { SLUG, SHA256, PASSWORD, PACKAGE, GENERATION };

static struct str
cell(const PGresult *rows, int row, int col)
{
	return (struct str) { PQgetvalue(rows, row, col), (size_t)PQgetlength(rows, row, col) };
}

static void
feature_load(const struct set *set, const PGresult *rows, int row)
{
	struct err_info info = { .code = ERR_OK };
	struct feature_findings findings;
	struct feature_package package;
	char login[FEATURE_ROLE_SIZE];
	struct arena arena;

	arena_init(&arena, HYPOTHESIS_ARENA_BYTES);
	feature_findings_init(&findings, &arena);
	enum err err =
		feature_package_open(&arena, cell(rows, row, PACKAGE), &package, &findings, &info);
	if (err == ERR_OK) {
		feature_role_login(package.manifest.slug, login);
		const char *conninfo = postgres_conninfo(
			&arena, set->conf.host, set->conf.port, set->conf.database, login,
			PQgetvalue(rows, row, PASSWORD),
			"connect_timeout=5 keepalives_idle=10 keepalives_interval=5 "
			"tcp_user_timeout=15000");
		err = feature_runtime_load(set->conf.runtime, &package, conninfo, &info);
	}
	if (err != ERR_OK)
		log_error("feature.load", "feature %s cannot be served: %s",
			  PQgetvalue(rows, row, SLUG),
			  findings.n > 0 ? findings.items[0].reason : info.msg);
	arena_release(&arena);
}

static enum err
features_apply(const PGresult *rows, void *arg, struct err_info *info)
{
	struct set *set = arg;
	int64_t newest = 0;

	if (PQntuples(rows) == 0 ||
	    str_int(cell(rows, 0, GENERATION), 0, INT64_MAX, &newest) != ERR_OK)
		return err_set(info, ERR_INTERNAL, NULL, "the list of features has no generation");
	feature_runtime_mark(set->conf.runtime);
	for (int i = 0; i < PQntuples(rows); i++)
		if (!PQgetisnull(rows, i, SLUG))
			feature_load(set, rows, i);
	feature_runtime_sweep(set->conf.runtime);
	const bool is_new = newest != set->generation;
	set->generation = newest;
	if (is_new)
		feature_runtime_forget(set->conf.runtime); /* crm may have another shape now */
	if (is_new && set->conf.swapped != NULL)
		set->conf.swapped(set->conf.arg);
	return ERR_OK;
}

void
sandbox_features_use(enum sandbox_features which, const struct sandbox_features_conf *conf)
{
	struct set *set = &sets[which];

	set->conf = *conf;
	set->snapshot = (struct daemon_snapshot) {
		.name = "feature.load",
		.pool = conf->pool,
		.stmt = &sql_lab_features,
		.apply = features_apply,
		.arg = set,
	};
}

void
sandbox_features_load(enum sandbox_features which, struct task_engine *e)
{
	daemon_snapshot_load(&sets[which].snapshot, e);
}

int64_t
sandbox_features_generation(enum sandbox_features which)
{
	return sets[which].generation;
}
