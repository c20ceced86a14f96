/*
 * snapshot.h — read a snapshot by one statement in a task of its own and hand its rows over. Calls while one read runs are folded
 * into one further read, so a storm of notifications costs two.
 */
#ifndef BIMODAL_DAEMON_SNAPSHOT_H
#define BIMODAL_DAEMON_SNAPSHOT_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/task.h"
#include "postgres/postgres.h"

struct daemon_snapshot {
	const char *name; /* of the task, in logs: "access.load" */
	struct postgres_pool *pool;
	const struct postgres_stmt *stmt; /* no parameters */
	/* Take the rows over, in one go. On an error the old snapshot must stay in use. */
	enum err (*apply)(const PGresult *rows, void *arg, struct err_info *info);
	void *arg;
	/* private */
	bool loading;
	bool again;
};

void daemon_snapshot_load(struct daemon_snapshot *s, struct task_engine *e);

#endif
