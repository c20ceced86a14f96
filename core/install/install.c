/*
 * install.c — the base schema, through the same executor as every later change: first core, then the airlock. The
 * fingerprint that the catalog has afterwards becomes the one that drift is measured against.
 */
#include "core/install/install.h"

#include "change/change.h"
#include "gen/sql_core.h"

#define OWNER "bimodal_owner"

static enum step
migrate_core(struct task *t)
{
	const struct core_install_order *order = t->t_owner;
	return change_install(t, order->core, changes_core, change_genesis_core, OWNER);
}

static enum step
migrate_fingerprint(struct task *t)
{
	const struct core_install_order *order = t->t_owner;
	return postgres_wait(order->core, t, &sql_change_fingerprint_accept, NULL, 0);
}

static enum step
migrate_airlock(struct task *t)
{
	const struct core_install_order *order = t->t_owner;
	if (order->airlock == NULL)
		return STEP_DONE;
	return change_install(t, order->airlock, changes_airlock, change_genesis_airlock, OWNER);
}

static enum step
migrate_done(struct task *t)
{
	(void)t;
	return STEP_DONE;
}

const struct step_row core_install_migrate[] = {
	{ "core", migrate_core },
	{ "fingerprint", migrate_fingerprint },
	{ "airlock", migrate_airlock },
	{ "done", migrate_done },
	{ NULL, NULL },
};
