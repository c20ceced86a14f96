/*
 * usage.c — see usage.h. A report that core did not take waits in this worker's fixed table and is sent again; while core is away for
 * long, what does not fit is lost and counted, so that the sandbox does not fill up.
 */
#include "sandbox/flags/usage.h"

#include "flag/ofrep.h"
#include "flag/usage.h"

static struct {
	struct http_client *core;
	const char *instance;
	unsigned worker;
} usage;

static enum step
usage_send(struct task *t, struct str asked, struct str streams)
{
	struct buf body;

	buf_init(&body, 3 * FLAG_USAGE_BYTES_MAX);
	buf_add_cstr(&body, "{\"instance\":");
	buf_json_cstr(&body, usage.instance);
	buf_printf(&body, ",\"worker\":%u,\"asked\":", usage.worker);
	buf_add_str(&body, asked);
	buf_add_cstr(&body, ",\"streams\":");
	buf_add_str(&body, streams);
	buf_add_char(&body, '}');
	const enum step next =
		http_client_wait(usage.core, t,
				 &(struct http_client_call) { .method = HTTP_POST,
							      .url = STR("/v1/flag-usage"),
							      .body = buf_str(&body) });
	buf_free(&body);
	return next;
}

static enum err
usage_sent(struct task *t)
{
	const enum err err = task_wait_err(t, 0, NULL);

	if (err != ERR_OK)
		return err;
	const int status = http_client_status(http_client_reply(t, 0));
	if (status < 300)
		return ERR_OK;
	return status >= 500 || status == 429 || status == 401 ? ERR_UPSTREAM : ERR_INVALID;
}

void
sandbox_usage_start(const struct sandbox_flags_conf *conf)
{
	usage.core = conf->core;
	usage.instance = conf->instance;
	usage.worker = conf->worker;
	flag_usage_start(&(struct flag_usage_conf) { .loop = conf->loop,
						     .engine = conf->engine,
						     .period = conf->usage_period,
						     .streams = flag_ofrep_streams_tell,
						     .send = usage_send,
						     .sent = usage_sent });
}
