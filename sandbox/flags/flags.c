/*
 * flags.c — keeps the worker's snapshot of the replicated flags. Core's counter arrives in the same transaction as the rows, so a
 * generation that is served has been read whole.
 */
#include "sandbox/flags/flags.h"

#include "access/access.h"
#include "base/log.h"
#include "daemon/snapshot.h"
#include "flag/ofrep.h"
#include "flag/usage.h"
#include "sandbox/flags/usage.h"
#include "gen/sql_sandbox.h"

#define FORGET_PERIOD (10 * USEC_PER_SEC)
#define FORGOTTEN 10000
#define FORGOTTEN_AT_ONCE "10000"

static struct {
	struct record_engine *records;
	struct flag_store *store;
	struct flag_exposures *exposures;
	struct flag_stickies *stickies;
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
		flag_ofrep_swapped();
		flags.swapped(flags.arg);
	}
	return ERR_OK;
}

static struct daemon_snapshot snapshot = { .name = "flag.load",
					   .stmt = &sql_sandbox_flag_snapshot,
					   .apply = snapshot_apply };

/* ---- the record: open fields of the copy, people by their pseudonyms ---- */

static bool
record_has(enum flag_unit unit, struct str attribute)
{
	return unit != FLAG_VISITOR &&
	       record_knows(flags.records,
			    unit == FLAG_PERSON ? STR("people") : STR("organizations"), attribute,
			    RECORD_OPEN);
}

static struct record_unit
part_of(const struct flag_look_part *part, const char *resource)
{
	return (struct record_unit) {
		.resource = part->wanted ? resource : NULL,
		.fields = part->attributes.names,
		.n_fields = part->attributes.n,
	};
}

/* What experiments keep here: sql/sandbox/functions/lab_sticky.sql. */
#define KEPT "lab.kept($4, $5, a.unit, array[a.known::jsonb, b.known::jsonb], $6, $7)"

static enum err
record_look(struct task *t, const struct flag_look *look)
{
	const struct flag_look_kept *kept = &look->kept;
	const struct str params[] = { kept->attributes, kept->values, kept->of_record,
				      kept->experiments };

	return record_units(
		t, flags.records,
		&(struct record_units) { .id = look->id,
					 .classes = RECORD_OPEN,
					 .of = { part_of(&look->person, "people"),
						 part_of(&look->organization, "organizations") },
					 .more = kept->wanted ? KEPT : NULL,
					 .params = params,
					 .n_params = kept->wanted ? ARRAY_LEN(params) : 0 });
}

void
sandbox_flags_use(const struct sandbox_flags_conf *conf)
{
	flags.records = conf->records;
	flags.store = flag_store_create();
	flags.exposures =
		flag_exposures_create(conf->loop, conf->engine, conf->pool, &sql_lab_exposure_add);
	flags.stickies =
		flag_stickies_create(conf->loop, conf->engine, conf->pool, &sql_lab_sticky_add);
	flags.swapped = conf->swapped;
	flags.arg = conf->arg;
	snapshot.pool = conf->pool;
	flag_ofrep_start(&(struct flag_ofrep_conf) {
		.loop = conf->loop,
		.store = flags.store,
		.exposures = flags.exposures,
		.stickies = flags.stickies,
		.pool = conf->pool,
		.knows = record_has,
		.look = record_look,
		.refresh = sandbox_flags_load,
		.wait = conf->ofrep_wait,
		.token_of = access_token_of,
		.token_may = access_token_may,
		.principal_of = access_principal_of,
		.key = conf->ofrep_key,
		.ticket_lifetime = conf->ofrep_ticket_lifetime,
		.heartbeat = conf->ofrep_heartbeat,
		.streams = conf->ofrep_streams,
		.per_principal = conf->ofrep_per_principal,
	});
	sandbox_usage_start(conf);
}

void
sandbox_flags_access_changed(void)
{
	flag_ofrep_access_changed();
}

void
sandbox_flags_drain(void)
{
	flag_exposures_flush(flags.exposures);
	flag_usage_flush();
	flag_stickies_flush(flags.stickies);
}

void
sandbox_flags_finish(void)
{
	flag_usage_stop();
	flag_ofrep_stop();
	flag_exposures_destroy(flags.exposures);
	flag_stickies_destroy(flags.stickies);
	flag_store_destroy(flags.store);
	flags.exposures = NULL;
	flags.stickies = NULL;
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

/* ---- what was kept for flags that have ended ---- */

static enum step
forget_write(struct task *t)
{
	return postgres_wait(t->t_owner, t, &sql_lab_sticky_forget,
			     (struct postgres_param[]) { P_TEXT(FORGOTTEN_AT_ONCE) }, 1);
}

/* A full share: there may be more. */
static enum step
forget_again(struct task *t)
{
	return postgres_int(t, 0, 0, 0, 0) == FORGOTTEN ? task_jump(t, forget_write) : STEP_DONE;
}

static const struct step_row forget_steps[] = {
	{ "write", forget_write },
	{ "again", forget_again },
	{ NULL, NULL },
};

void
sandbox_flags_jobs(struct daemon_jobs *jobs, struct postgres_pool *pool)
{
	daemon_jobs_add(jobs, &(struct daemon_job) { .name = "flags.forget",
						     .period = FORGET_PERIOD,
						     .steps = forget_steps,
						     .owner = pool });
}

const struct http_route sandbox_flags_routes[] = {
	{ HTTP_POST, "/ofrep/v1/evaluate/flags/{key:rest}", "flag.evaluate", flag_ofrep_steps,
	  .right = FLAG_OFREP_RIGHT },
	{ HTTP_POST, "/ofrep/v1/evaluate/flags", "flag.evaluate_all", flag_ofrep_bulk_steps,
	  .right = FLAG_OFREP_RIGHT },
	{ HTTP_GET, FLAG_OFREP_EVENTS, "flag.events", flag_ofrep_events_steps, .right = NULL },
};
const size_t sandbox_flags_routes_count = ARRAY_LEN(sandbox_flags_routes);
