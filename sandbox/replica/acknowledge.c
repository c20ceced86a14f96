/*
 * acknowledge.c — see acknowledge.h. One report at a time; a swap during a report asks for one more. A core that is away is logged once
 * and told again each second.
 */
#include "sandbox/replica/acknowledge.h"

#include <string.h>

#include "base/json_in.h"
#include "base/log.h"

#define PERIOD USEC_PER_SEC
#define DEADLINE (5 * USEC_PER_SEC)
#define BODY_BYTES_MAX 1024

static struct {
	struct sandbox_acknowledge_conf conf;
	struct task_engine *engine;
	struct loop_timer *timer;
	bool running;
	bool again;
	bool failing;
	bool stopped;
} ack;

static enum step
tell(struct task *t)
{
	const struct sandbox_acknowledge_conf *c = &ack.conf;
	struct buf body;

	buf_init(&body, BODY_BYTES_MAX);
	buf_add_cstr(&body, "{\"instance\":");
	buf_json_cstr(&body, c->instance);
	buf_printf(&body,
		   ",\"worker\":%u,\"flag_generation\":%lld,\"schema_generation\":%lld,\"access_"
		   "generation\":%lld}",
		   c->worker, (long long)c->flag(c->arg), (long long)c->schema(c->arg),
		   (long long)c->access(c->arg));
	const enum step next = http_client_wait(
		c->core, t,
		&(struct http_client_call) {
			.method = HTTP_POST, .url = STR("/v1/workers"), .body = buf_str(&body) });
	buf_free(&body);
	return next;
}

static enum step
told(struct task *t)
{
	const struct http_client_reply *r = http_client_reply(t, 0);

	if (http_client_status(r) >= 300)
		return task_fail_set(t, ERR_UPSTREAM, NULL, "core answers %d: %.*s",
				     http_client_status(r), (int)MIN(http_client_body(r).len, 200),
				     http_client_body(r).p);
	struct cJSON *j = NULL;
	bool stopped = false;
	struct err_info ignored = { .code = ERR_OK };
	if (json_parse(http_client_body(r), &j, &ignored) == ERR_OK &&
	    json_bool(j, "mode2_stopped", true, &stopped, &ignored) == ERR_OK) {
		if (stopped != ack.stopped)
			log_info("mode2", "%s",
				 stopped ? "stopped: proposals are held" : "started again");
		ack.stopped = stopped;
	}
	json_free(j);
	return STEP_DONE;
}

enum err
sandbox_mode2_check(struct task *t)
{
	if (!ack.stopped)
		return ERR_OK;
	return err_set(&t->t_err, ERR_HELD, NULL,
		       "Mode 2 is stopped: nothing is proposed until it is started again in core");
}

static const struct step_row tell_steps[] = { { "tell", tell }, { "told", told }, { NULL, NULL } };

static void tell_start(void *arg);

static void
tell_end(struct task *t, void *arg UNUSED)
{
	const bool failed = t->t_err.code != ERR_OK;

	ack.running = false;
	if (t->t_cancel == TASK_SHUTDOWN || ack.timer == NULL)
		return;
	if (failed != ack.failing)
		log_info("core.tell", "%s%s",
			 failed ? "core is not told what is served here: "
				: "core is told again what is served here",
			 t->t_err.msg);
	ack.failing = failed;
	if (ack.again) {
		ack.again = false;
		tell_start(NULL);
	}
}

static void
tell_start(void *arg UNUSED)
{
	struct task *t = NULL;

	if (!ack.running && ack.timer != NULL &&
	    task_start(ack.engine, "core.tell", tell_steps, clock_now_us() + DEADLINE,
		       ARENA_CAP_BYTES, tell_end, NULL, &t) == ERR_OK)
		ack.running = true;
}

void
sandbox_acknowledge_now(void)
{
	ack.again = ack.running;
	tell_start(NULL);
}

void
sandbox_acknowledge_start(struct loop *l, struct task_engine *e,
			  const struct sandbox_acknowledge_conf *conf)
{
	memset(&ack, 0, sizeof(ack));
	ack.conf = *conf;
	ack.engine = e;
	ack.timer = loop_every(l, PERIOD, tell_start, NULL);
}

void
sandbox_acknowledge_stop(void)
{
	loop_timer_destroy(ack.timer);
	ack.timer = NULL;
}
