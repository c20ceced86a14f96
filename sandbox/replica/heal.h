/*
 * heal.h — a subscription of the sandbox whose slot on the airlock was lost is copied anew by itself. For the jobs child.
 */
#ifndef BIMODAL_SANDBOX_REPLICA_HEAL_H
#define BIMODAL_SANDBOX_REPLICA_HEAL_H

#include "daemon/jobs.h"
#include "http/client.h"
#include "postgres/postgres.h"

/* Before the fork. */
void sandbox_heal_metrics(void);
/* `apply`: the deployer's login as the owner of the subscriptions; `core`: the way into core, with the sandbox's own token. */
void sandbox_heal_jobs(struct daemon_jobs *jobs, struct postgres_pool *apply,
		       struct http_client *core);

#endif
