/*
 * install.h — `bimodal-core --migrate`: bring core's and the airlock's databases to the embedded base schema.
 */
#ifndef BIMODAL_CORE_INSTALL_H
#define BIMODAL_CORE_INSTALL_H

#include "base/task.h"
#include "postgres/postgres.h"

/* t_owner of the steps. */
struct core_install_order {
	struct postgres_pool *core;    /* the executor's login */
	struct postgres_pool *airlock; /* the executor's login there; NULL: core alone */
};

extern const struct step_row core_install_migrate[];

#endif
