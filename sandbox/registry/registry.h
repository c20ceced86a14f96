/*
 * registry.h — the copy follows core's schema: when the replicated registry describes another shape, crm is brought to it, new tables are
 * taken into the subscription, and the workers are told.
 */
#ifndef BIMODAL_SANDBOX_REGISTRY_H
#define BIMODAL_SANDBOX_REGISTRY_H

#include "daemon/jobs.h"
#include "postgres/postgres.h"

/* `deployer`: its login. `apply`: the same login with the role of the subscription's owner, since a refresh cannot be run inside a transaction. */
void sandbox_registry_jobs(struct daemon_jobs *jobs, struct postgres_pool *deployer,
			   struct postgres_pool *apply);

#endif
