/*
 * report.c — see report.h. What core cannot be told is counted as lost and not kept: the sandbox must not fill up because core is away.
 */
#include "sandbox/principals/report.h"

#include <string.h>

#define PERIOD (2 * USEC_PER_SEC)
#define DEADLINE (5 * USEC_PER_SEC)
#define BYTES_MAX ((size_t)256 * 1024)

static struct {
	struct task_engine *engine;
	struct access *access;
	struct http_client *core;
	struct loop_timer *timer;
} report;

struct told {
	size_t n;
};

static enum step
tell(struct task *t)
{
	struct told *told = task_state(t, sizeof(*told));
	struct buf list;
	enum step next = STEP_DONE;
	if (told == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no memory for the refusals");
	buf_init(&list, BYTES_MAX);
	told->n = access_refusals_take(report.access, &list);
	task_wait_soft(t);
	if (told->n > 0)
		next = http_client_wait(
			report.core, t,
			&(struct http_client_call) { .method = HTTP_POST,
						     .url = STR("/v1/access/refusals"),
						     .body = buf_str(&list) });
	buf_free(&list);
	return next;
}

static enum step
check(struct task *t)
{
	const struct told *told = task_state(t, sizeof(*told));
	if (task_wait_err(t, 0, NULL) != ERR_OK ||
	    http_client_status(http_client_reply(t, 0)) >= 300)
		access_refusal_lost(told->n);
	return STEP_DONE;
}

static const struct step_row steps[] = { { "tell", tell }, { "check", check }, { NULL, NULL } };

static void
tell_start(void *arg UNUSED)
{
	struct task *t = NULL;
	(void)!task_start(report.engine, "access.refused", steps, clock_now_us() + DEADLINE,
			  2 * BYTES_MAX, NULL, NULL, &t);
}

void
sandbox_report_start(struct loop *l, struct task_engine *e, struct access *access,
		     struct http_client *core)
{
	report.engine = e;
	report.access = access;
	report.core = core;
	report.timer = loop_every(l, PERIOD, tell_start, NULL);
}

void
sandbox_report_stop(void)
{
	loop_timer_destroy(report.timer);
	report.timer = NULL;
}
