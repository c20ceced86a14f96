/*
 * notices.h — what waits for a principal and what happened to what is his: the inbox, everybody's choices, and the jobs that make
 * notices from the event log and send them by e-mail. Which event makes which notice for whom is declared in one table, notice.kind:
 * another room declares its notices there and needs nothing of this one.
 */
#ifndef BIMODAL_CORE_NOTICES_H
#define BIMODAL_CORE_NOTICES_H

#include <stddef.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/task.h"
#include "daemon/jobs.h"
#include "http/http.h"
#include "postgres/postgres.h"

/* ---- a worker ---- */

/* The workers' pool; before the server listens. */
void core_notices_use(struct postgres_pool *app);
extern const struct http_route core_notices_routes[];
extern const size_t core_notices_routes_count;

/* ---- the jobs child ---- */

/* Texts must outlive the jobs. */
struct core_notices_conf {
	struct loop *loop;
	struct task_engine *engine;
	struct postgres_pool *pool; /* the executor's login, a connection of its own */
	const struct access_roles *roles;
	usec_t period; /* between two looks at the log and the mails */
	usec_t keep;   /* notices are forgotten after it             */
	int64_t max;   /* notices of one principal                   */
	const char
		*url; /* where the console is: put before links in e-mails; "" = the path alone */
	struct {
		const char *url; /* smtp://host:port or smtps://host:port; "" = no e-mail */
		const char *user;
		const char *password;
		const char *from;    /* address of the sender */
		const char *ca_file; /* "" = the system's     */
		usec_t retry;        /* first pause after a failure */
	} smtp;
};

/* Before the fork, in every process. */
void core_notices_metrics(void);
/* Adds the jobs; `conf` is copied. */
void core_notices_jobs(struct daemon_jobs *jobs, const struct core_notices_conf *conf);
/* Before the task engine goes. */
void core_notices_jobs_finish(void);

#endif
