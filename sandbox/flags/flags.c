/*
 * flags.c — keeps the worker's snapshot of the replicated flags. Core's counter arrives in the same transaction as the rows, so a
 * generation that is served has been read whole.
 */
#include "sandbox/flags/flags.h"

#include "base/log.h"
#include "daemon/snapshot.h"
#include "gen/sql_sandbox.h"

static struct {
	struct flag_store *store;
	struct flag_exposures *exposures;
	void (*swapped)(void *arg);
	void *arg;
} flags;

static enum err
snapshot_apply(const PGresult *rows, void *arg UNUSED, struct err_info *info)
{
	struct flag_snapshot *snapshot = NULL;

	if (flags.store == NULL)
		return ERR_OK; /* stopping */
	const enum err err = flag_snapshot_build(rows, &snapshot, info);
	if (err != ERR_OK)
		return err;
	const int64_t before = flag_store_generation(flags.store);
	flag_store_swap(flags.store, snapshot);
	if (flag_snapshot_generation(snapshot) != before) {
		log_info("flag.swap", "serving %zu flags of generation %lld",
			 flag_snapshot_count(snapshot),
			 (long long)flag_snapshot_generation(snapshot));
		flags.swapped(flags.arg);
	}
	return ERR_OK;
}

static struct daemon_snapshot snapshot = { .name = "flag.load",
					   .stmt = &sql_sandbox_flag_snapshot,
					   .apply = snapshot_apply };

void
sandbox_flags_use(struct loop *l, struct task_engine *e, struct postgres_pool *pool,
		  void (*swapped)(void *arg), void *arg)
{
	flags.store = flag_store_create();
	flags.exposures = flag_exposures_create(l, e, pool, &sql_lab_exposure_add);
	flags.swapped = swapped;
	flags.arg = arg;
	snapshot.pool = pool;
	flag_ofrep_use(&(struct flag_ofrep_conf) {
		.store = flags.store, .exposures = flags.exposures, .pool = pool });
}

void
sandbox_flags_drain(void)
{
	flag_exposures_flush(flags.exposures);
}

void
sandbox_flags_finish(void)
{
	flag_exposures_destroy(flags.exposures);
	flag_store_destroy(flags.store);
	flags.exposures = NULL;
	flags.store = NULL;
}

int64_t
sandbox_flags_served(void *arg UNUSED)
{
	return flags.store != NULL ? flag_store_generation(flags.store) : -1;
}

void
sandbox_flags_load(struct task_engine *e, void *arg UNUSED)
{
	daemon_snapshot_load(&snapshot, e);
}

const struct flag_store *
sandbox_flags_store(void)
{
	return flags.store;
}

struct flag_exposures *
sandbox_flags_exposures(void)
{
	return flags.exposures;
}

const struct http_route sandbox_flags_routes[] = {
	{ HTTP_POST, "/ofrep/v1/evaluate/flags/{key:rest}", "flag.evaluate", flag_ofrep_steps,
	  .right = "flag.evaluate" },
};
const size_t sandbox_flags_routes_count = ARRAY_LEN(sandbox_flags_routes);
