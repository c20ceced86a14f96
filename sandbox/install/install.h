/*
 * install.h — `bimodal-sandbox --migrate`: bring the sandbox's database to the embedded base schema.
 */
#ifndef BIMODAL_SANDBOX_INSTALL_H
#define BIMODAL_SANDBOX_INSTALL_H

#include "base/task.h"
#include "postgres/postgres.h"

/* t_owner of the steps: the deployer's pool. */
extern const struct step_row sandbox_install_migrate[];

#endif
