/*
 * report.h — what this worker has refused goes to core, which has the event log: every few seconds, in one call of its API.
 */
#ifndef BIMODAL_SANDBOX_REPORT_H
#define BIMODAL_SANDBOX_REPORT_H

#include "access/access.h"
#include "base/loop.h"
#include "base/task.h"
#include "http/client.h"

/* Once a worker; all of it must live until the stop. */
void sandbox_report_start(struct loop *l, struct task_engine *e, struct access *access,
			  struct http_client *core);
void sandbox_report_stop(void);

#endif
