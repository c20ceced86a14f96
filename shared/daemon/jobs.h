/*
 * jobs.h — periodic work of a jobs child: each job is a task started every period, never twice at once. Among several instances
 * only the leader runs them; leadership is a polled advisory lock on a connection of its own, so it ends with the process.
 */
#ifndef BIMODAL_DAEMON_JOBS_H
#define BIMODAL_DAEMON_JOBS_H

#include "base/clock.h"
#include "base/loop.h"
#include "base/task.h"
#include "postgres/postgres.h"

#define DAEMON_JOBS_MAX 32

struct daemon_jobs;

/* Before the fork. */
void daemon_jobs_metrics(void);

/* `lead` must be a pool of exactly one connection (the session holds the lock). Dies if it cannot be made. */
struct daemon_jobs *daemon_jobs_create(struct loop *l, struct task_engine *e,
				       struct postgres_pool *lead);
void daemon_jobs_destroy(struct daemon_jobs *jobs); /* after the task engine; NULL is fine */

struct daemon_job {
	const char *name;
	usec_t period;
	usec_t deadline;              /* of one run; 0 = ten periods, at least 10 s */
	const struct step_row *steps; /* t_owner = owner                             */
	void *owner;
};
/* The row is copied. A run that fails is logged (each first failure and each recovery) and tried again at its period. */
void daemon_jobs_add(struct daemon_jobs *jobs, const struct daemon_job *job);

bool daemon_jobs_leading(const struct daemon_jobs *jobs);

#endif
