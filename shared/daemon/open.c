/*
 * open.c — when a worker begins to take connections: see daemon_listen_when_ready.
 */
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/internal.h"

#define LOOK_PERIOD (20 * USEC_PER_MS)

struct opening {
	struct http_server *server;
	int listen_fd;
	usec_t since;
};

static enum step
open_look(struct task *t)
{
	const struct opening *o = t->t_owner;
	struct err_info info = { .code = ERR_OK };

	if (!daemon_ready() && clock_now_us() - o->since < DAEMON_OPEN_WAIT) {
		const enum step parked = task_sleep(t, LOOK_PERIOD);
		if (parked == STEP_WAIT)
			(void)task_jump(t, open_look);
		return parked;
	}
	if (http_server_listen(o->server, o->listen_fd, &info) != ERR_OK)
		log_error("http.listen", "%s", info.msg);
	return STEP_DONE;
}

static const struct step_row open_steps[] = { { "look", open_look }, { NULL, NULL } };

enum err
daemon_listen_when_ready(struct task_engine *e, struct http_server *s, int listen_fd)
{
	static struct opening opening; /* one a process */
	struct task *t = NULL;

	opening = (struct opening) { .server = s, .listen_fd = listen_fd, .since = clock_now_us() };
	const enum err err =
		task_start(e, "http.open", open_steps, 0, ARENA_CAP_BYTES, NULL, NULL, &t);
	if (err == ERR_OK)
		t->t_owner = &opening;
	return err;
}
