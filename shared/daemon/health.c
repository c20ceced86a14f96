/*
 * health.c — /healthz (the process lives), /readyz (it can serve), /metrics (Prometheus text), and the access line.
 */
#include "daemon/daemon.h"
#include "daemon/internal.h"

#include "base/log.h"
#include "base/metric.h"

#define METRICS_BYTES_MAX (512 * 1024)

static daemon_ready_fn *ready_fn;
static void *ready_arg;

void
daemon_health_set(daemon_ready_fn *ready, void *arg)
{
	ready_fn = ready;
	ready_arg = arg;
}

bool
daemon_ready(void)
{
	struct buf detail;
	buf_init(&detail, 16 * 1024);
	const bool ready = ready_fn == NULL || ready_fn(&detail, ready_arg);
	buf_free(&detail);
	return ready;
}

static enum step
health_live(struct task *t)
{
	return http_reply_json(t, 200,
			       STR("{\"status\":\"ok\",\"version\":\"" DAEMON_VERSION "\"}"));
}

static enum step
health_ready(struct task *t)
{
	struct buf detail;
	buf_init(&detail, 16 * 1024);
	const bool ready = ready_fn == NULL || ready_fn(&detail, ready_arg);
	const enum step done = http_reply_json(t, ready ? 200 : 503, buf_str(&detail));
	buf_free(&detail);
	return done;
}

static enum step
health_metrics(struct task *t)
{
	struct buf text;
	buf_init(&text, METRICS_BYTES_MAX);
	metric_render(&text);
	const enum step done = http_reply(t, 200, "text/plain; version=0.0.4", buf_str(&text));
	buf_free(&text);
	return done;
}

static const struct step_row live_steps[] = { { "live", health_live }, { NULL, NULL } };
static const struct step_row ready_steps[] = { { "ready", health_ready }, { NULL, NULL } };
static const struct step_row metrics_steps[] = { { "metrics", health_metrics }, { NULL, NULL } };

const struct http_route daemon_health_routes[] = {
	{ HTTP_GET, "/healthz", "health.live", .steps = live_steps },
	{ HTTP_GET, "/readyz", "health.ready", .steps = ready_steps },
	{ HTTP_GET, "/metrics", "health.metrics", .steps = metrics_steps },
};
const size_t daemon_health_routes_count = ARRAY_LEN(daemon_health_routes);

/* Milliseconds with two decimals. */
static void
add_ms(struct buf *out, usec_t us)
{
	const usec_t hundredths = (MAX(us, 0) + 5) / 10;
	buf_add_int(out, hundredths / 100);
	buf_add_char(out, '.');
	buf_add_char(out, (char)('0' + hundredths / 10 % 10));
	buf_add_char(out, (char)('0' + hundredths % 10));
}

void
daemon_access_line(struct task *t, int status, size_t bytes, void *arg)
{
	const struct daemon_access *a = arg;
	const enum log_level level =
		t->t_err.code != ERR_OK && status >= 500 ? LOG_ERROR : LOG_INFO;
	const char *actor = a != NULL && a->actor != NULL ? a->actor(t) : NULL;
	/* Kept: nothing is allocated for the line of an ordinary request. */
	static struct buf members = { .limit = 4096 };
	static struct buf msg = { .limit = 1024 };

	if (!log_enabled(level))
		return;
	buf_reset(&members);
	buf_reset(&msg);
	buf_add_cstr(&members, "\"request\":");
	buf_json_str(&members, http_request_id(t));
	buf_add_cstr(&members, ",\"route\":");
	buf_json_cstr(&members, t->t_name);
	buf_add_cstr(&members, ",\"status\":");
	buf_add_int(&members, status);
	buf_add_cstr(&members, ",\"bytes\":");
	buf_add_int(&members, (int64_t)bytes);
	buf_add_cstr(&members, ",\"ms\":");
	add_ms(&members, clock_now_us() - t->t_begin);
	buf_add_cstr(&members, ",\"waited_ms\":");
	add_ms(&members, t->t_waited_us);
	buf_add_cstr(&members, ",\"actor\":");
	buf_json_cstr(&members, actor);
	if (t->t_err.code != ERR_OK) {
		buf_add_cstr(&members, ",\"err\":");
		buf_json_cstr(&members, err_row(t->t_err.code)->slug);
		if (t->t_err.sqlstate[0] != '\0')
			buf_printf(&members, ",\"sqlstate\":\"%s\"", t->t_err.sqlstate);
	}
	buf_add_cstr(&msg, t->t_name);
	buf_add_char(&msg, ' ');
	buf_add_int(&msg, status);
	log_text(level, "http.request", buf_str(&msg),
		 members.failed ? STR_NONE : buf_str(&members));
}
