/*
 * install.c — the sandbox's base schema, through the same executor as every later change of it.
 */
#include "sandbox/install/install.h"

#include "change/change.h"

static enum step
migrate(struct task *t)
{
	return change_install(t, t->t_owner, changes_sandbox, change_genesis_sandbox,
			      "bimodal_owner");
}

static enum step
migrate_done(struct task *t UNUSED)
{
	return STEP_DONE;
}

const struct step_row sandbox_install_migrate[] = {
	{ "migrate", migrate },
	{ "done", migrate_done },
	{ NULL, NULL },
};
