/*
 * ground.c — what a rehearsal stands on: a database built from the embedded base schema and the changes applied so far (its fingerprint must
 * be core's), with made-up rows, and the probes in it.
 *
 * Two grounds are kept in the cluster and copied, since to build one takes most of a rehearsal: the base schema alone, and all of it for as
 * long as nothing else is applied. A ground's name is a digest of what it was made from and of the day (later ones need later partitions).
 * It gets that name when it is whole, nobody can connect to it, and a copy that is not as core's is ends with both made afresh. A promoted
 * feature has roles, which are the cluster's, so with one only the base schema is kept.
 */
#include <stdio.h>
#include <string.h>

#include "core/change/rehearsal.h"

#define run core_change_run
#define r core_change_rehearsed

static step_fn clean_ask, create_database, copy_database, replay_next, rows, probe;

/* ---- what is kept ---- */

static void
digest_add(uint8_t digest[SHA256_BYTES], const char *text)
{
	uint8_t was[SHA256_BYTES];

	memcpy(was, digest, sizeof(was));
	sha256_two(was, sizeof(was), text, strlen(text) + 1, digest);
}

static const char *
ground_name(const uint8_t digest[SHA256_BYTES])
{
	char hex[SHA256_HEX_SIZE];

	sha256_hex(digest, SHA256_BYTES, hex);
	return arena_printf(&run.arena, "ground_%.24s", hex);
}

static enum step
name_grounds(struct task *t UNUSED)
{
	uint8_t digest[SHA256_BYTES] = { 0 };
	char made_up[24];

	digest_add(digest, change_genesis_core);
	for (const struct change_base *c = changes_core; c->name != NULL; c++) {
		digest_add(digest, c->name);
		digest_add(digest, c->up);
		digest_add(digest, c->verify);
	}
	digest_add(digest, r.guard_owner);
	digest_add(digest, core_change_conf.executor_user);
	digest_add(digest, r.day);
	r.base = ground_name(digest);
	digest_add(digest, r.all_applied.p);
	digest_add(digest, r.fingerprint);
	(void)snprintf(made_up, sizeof(made_up), "%lld",
		       (long long)core_change_conf.rehearsal.rows);
	digest_add(digest, made_up);
	r.whole = ground_name(digest);
	return STEP_NEXT;
}

/* What a killed rehearsal has left and grounds of another time: databases one by one, then the roles of features. */
static enum step
clean_ask(struct task *t)
{
	return core_change_script(
		t, r.server,
		arena_printf(&run.arena,
			     "SELECT coalesce((SELECT 'DROP DATABASE ' || quote_ident(datname) || "
			     "' WITH (FORCE)' FROM pg_database WHERE datname ~ '^rehearsal_'"
			     " OR datname ~ '^ground_' AND (%s OR datname NOT IN ('%s', '%s')) "
			     "LIMIT 1), '')",
			     r.afresh ? "true" : "false", r.base, r.whole));
}

static enum step
clean_drop(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the rehearsal server", &next))
		return next;
	const char *sql = core_change_keep(postgres_value(t, 0, 0, 0));
	if (sql[0] == '\0')
		return core_change_script(
			t, r.server,
			"DO $$ DECLARE r record; BEGIN FOR r IN SELECT rolname FROM pg_roles "
			"WHERE rolname ~ '^feature_'"
			" LOOP EXECUTE format('DROP ROLE %I', r.rolname); END LOOP; END $$");
	(void)task_jump(t, clean_ask);
	return core_change_script(t, r.server, sql);
}

static enum step
kept_ask(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the rehearsal server", &next))
		return next;
	return core_change_script(
		t, r.server,
		arena_printf(&run.arena,
			     "SELECT coalesce((SELECT datname FROM pg_database WHERE datname IN "
			     "('%s', '%s') ORDER BY datname = '%s' LIMIT 1), '')",
			     r.base, r.whole, r.base));
}

static enum step
kept_look(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the rehearsal server", &next))
		return next;
	const struct str name = postgres_value(t, 0, 0, 0);
	r.kept = name.len > 0;
	r.applied = r.all_applied;
	r.promoted = false;
	if (!r.kept)
		return task_jump(t, create_database);
	r.source = str_is(name, r.whole) ? r.whole : r.base;
	return task_jump(t, copy_database);
}

/* The database as it is now is a ground, and the rehearsal goes on in a copy. Whoever is still leaving it is waited for. */
static enum step
keep_as(struct task *t, const char *name)
{
	postgres_pool_destroy(r.pool);
	r.pool = NULL;
	r.source = name;
	(void)task_jump(t, copy_database);
	return core_change_script(
		t, r.server,
		arena_printf(&run.arena,
			     "ALTER DATABASE %s RENAME TO %s;\nALTER DATABASE %s WITH "
			     "ALLOW_CONNECTIONS false",
			     r.name, name, name));
}

static enum step
copy_database(struct task *t)
{
	enum step next;

	if (t->t_n_results > 0 && !core_change_well(t, "the ground of rehearsals", &next))
		return next;
	return core_change_script(t, r.server,
				  arena_printf(&run.arena,
					       "CREATE DATABASE %s TEMPLATE %s STRATEGY file_copy",
					       r.name, r.source));
}

/* A copy does not bring the rights on the database itself. */
static enum step
copy_grants(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the rehearsal database", &next))
		return next;
	return core_change_script(
		t, r.server,
		arena_printf(&run.arena,
			     "DO $$ DECLARE r record; BEGIN REVOKE ALL ON DATABASE %s FROM PUBLIC;"
			     " FOR r IN SELECT a.privilege_type AS what, a.grantee::regrole AS who"
			     " FROM pg_database d CROSS JOIN aclexplode(d.datacl) a"
			     " WHERE d.datname = '%s' AND a.grantee <> d.datdba"
			     " LOOP EXECUTE format('GRANT %%s ON DATABASE %s TO %%s', r.what, "
			     "r.who); END LOOP; END $$",
			     r.name, r.source, r.name));
}

static enum step
copy_open(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	enum step next;

	if (!core_change_well(t, "the rehearsal database", &next))
		return next;
	if (core_change_rehearse_open(t, r.name, "core/rehearsed", &r.pool, &info) != ERR_OK)
		return core_change_give_up(t, "the rehearsal database", &info);
	return task_jump(t, r.source == r.whole ? probe : replay_next);
}

/* ---- the base schema ---- */

static enum step
create_database(struct task *t)
{
	return core_change_script(
		t, r.server,
		arena_printf(&run.arena, "CREATE DATABASE %s TEMPLATE template0 STRATEGY file_copy",
			     r.name));
}

/* Change 0 runs as the superuser whose name core's has, since owners are part of the fingerprint. */
static enum step
create_pool(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	enum step next;

	if (!core_change_well(t, "the rehearsal database", &next))
		return next;
	if (core_change_rehearse_open(t, r.name, "core/rehearsed", &r.pool, &info) != ERR_OK)
		return core_change_give_up(t, "the rehearsal database", &info);
	return core_change_script(
		t, r.pool,
		arena_printf(&run.arena,
			     "SET bimodal.change = 'genesis';\n"
			     "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname "
			     "= '%s') THEN CREATE ROLE %s SUPERUSER NOLOGIN;"
			     " END IF; END $$;\nSET ROLE %s;\n%s",
			     r.guard_owner, r.guard_owner, r.guard_owner, change_genesis_core));
}

static enum step
base(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "change 0", &next))
		return next;
	task_wait_soft(t);
	return change_install_as(t, r.pool, changes_core, change_genesis_core, CHANGE_OWNER,
				 core_change_conf.executor_user);
}

static enum step
base_keep(struct task *t)
{
	enum step next;
	return core_change_well(t, "the base schema", &next) ? keep_as(t, r.base) : next;
}

/* ---- the changes applied so far ---- */

static enum step
replay_next(struct task *t)
{
	const struct str id = str_cut(&r.applied, ',');

	if (id.len == 0)
		return task_jump(t, rows);
	return postgres_wait(core_change_conf.executor, t, &sql_change_applied_get,
			     (struct postgres_param[]) { P_STR(id) }, 1);
}

static enum step
replay_apply(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	struct change_plan plan;

	r.replay = (struct change_texts) {
		.promotion = str_is(postgres_value(t, 0, 0, 0), "promotion"),
		.slug = str_of(core_change_keep(postgres_value(t, 0, 0, 1))),
		.up = str_of(core_change_keep(postgres_value(t, 0, 0, 2))),
		.down = str_of(core_change_keep(postgres_value(t, 0, 0, 3))),
		.verify = STR(""),
		.package = core_change_unhex(&run.arena, postgres_value(t, 0, 0, 5)),
	};
	if (core_change_plan(&run.arena, &r.replay, CHANGE_FORWARD, false, run.password,
			     core_change_conf.workers, &plan, &info) != ERR_OK)
		return core_change_give_up(t, "an applied change", &info);
	r.promoted = r.promoted || r.replay.promotion;
	r.replayed_registry = plan.registry;
	return core_change_apply_as_executor(
		t, &plan,
		arena_printf(&run.arena, "%s\n;\n%s", plan.withdraw != NULL ? plan.withdraw : "",
			     plan.main));
}

static enum step
replay_publish(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "an applied change", &next))
		return next;
	if (!r.replayed_registry)
		return task_jump(t, replay_next);
	return core_change_rehearse_publish(t);
}

static enum step
replay_done(struct task *t)
{
	enum step next;
	return core_change_well(t, "an applied change", &next) ? task_jump(t, replay_next) : next;
}

static enum step
rows(struct task *t)
{
	return core_change_script(
		t, r.pool,
		arena_printf(&run.arena,
			     "SET bimodal.change = 'rehearsal'; SET bimodal.actor = 'rehearsal';\n"
			     "SET bimodal.rehearsal_rows = %lld;\n%s",
			     (long long)core_change_conf.rehearsal.rows, sql_rehearsal_rows.text));
}

static enum step
whole_keep(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "made-up rows", &next))
		return next;
	return r.promoted ? STEP_NEXT : keep_as(t, r.whole);
}

/* ---- is it core's? ---- */

static enum step
probe(struct task *t)
{
	return core_change_script(
		t, r.pool,
		arena_printf(&run.arena,
			     "SET bimodal.change = 'rehearsal'; SET bimodal.actor "
			     "= 'rehearsal';\n%s",
			     sql_rehearsal_probe.text));
}

static enum step
place_look(struct task *t)
{
	enum step next;

	if (!core_change_well(t, "the probes", &next))
		return next;
	/* If it is not core's: the lines core has accepted, and ours, so that what differs names itself. */
	return core_change_script(
		t, r.pool,
		arena_printf(
			&run.arena,
			"SET search_path = '';\n"
			"SELECT f.now, CASE WHEN f.now <> '%s' THEN (SELECT "
			"string_agg(l.class || ' ' "
			"|| l.id, ', ') FROM (SELECT class, id FROM"
			" change.fingerprint_lines() WHERE "
			"pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to("
			"pg_catalog.concat_ws(E'\\x1f', class, id, definition), "
			"'UTF8')), 'hex') NOT IN ('', %.*s%s) LIMIT 5) l) END"
			" FROM (SELECT pg_temp.fingerprint_of('pg_temp.line0') AS now OFFSET 0) f",
			r.fingerprint, STR_FMT(r.lines), r.lines.len == 0 ? "''" : ""));
}

static enum step
ground_compare(struct task *t)
{
	struct err_info info = { .code = ERR_OK };
	enum step next;

	if (!core_change_well(t, "the catalog", &next))
		return next;
	if (str_is(postgres_value(t, 0, 0, 0), r.fingerprint))
		return task_continue(t, core_change_trial_steps);
	if (r.kept) {
		postgres_pool_destroy(r.pool);
		r.pool = NULL;
		r.afresh = true;
		return task_jump(t, clean_ask);
	}
	const struct str lines = postgres_value(t, 0, 0, 1);
	(void)err_set(&info, ERR_CONFLICT, NULL,
		      "base schema and applied changes do not give core's catalog (%.*s)",
		      (int)MIN(lines.len, 200), lines.len > 0 ? lines.p : "");
	return core_change_give_up(t, "", &info);
}

const struct step_row core_change_ground_steps[] = {
	{ "names", name_grounds },
	{ "left over", clean_ask },
	{ "clean", clean_drop },
	{ "kept", kept_ask },
	{ "kept look", kept_look },
	{ "create", create_database },
	{ "open", create_pool },
	{ "base", base },
	{ "base keep", base_keep },
	{ "copy", copy_database },
	{ "grants", copy_grants },
	{ "copy open", copy_open },
	{ "applied", replay_next },
	{ "replay", replay_apply },
	{ "replay publish", replay_publish },
	{ "replayed", replay_done },
	{ "rows", rows },
	{ "keep", whole_keep },
	{ "probe", probe },
	{ "ground", place_look },
	{ "compare", ground_compare },
	{ NULL, NULL },
};
