/*
 * rooms.c — see rooms.h. One server a process, so what ends its requests is kept here.
 */
#include "daemon/rooms.h"

static struct {
	struct daemon_access line;
	void (*ended)(struct task *t);
} requests;

void
daemon_rooms_print(const struct daemon_room *rooms, size_t n, bool *first)
{
	for (size_t i = 0; i < n; i++)
		daemon_routes_print(rooms[i].routes, *rooms[i].n, first);
}

void
daemon_rooms_metrics(const struct daemon_room *rooms, size_t n)
{
	for (size_t i = 0; i < n; i++)
		http_metrics_register(rooms[i].routes, *rooms[i].n);
}

static void
request_ended(struct task *t, int status, size_t bytes, void *arg)
{
	requests.ended(t);
	daemon_access_line(t, status, bytes, arg);
}

enum err
daemon_serve(const struct daemon_serve *c, struct http_server **out, struct err_info *info)
{
	struct http_conf conf = daemon_http_conf(c->config);

	requests.line.actor = c->actor;
	requests.ended = c->ended;
	conf.guard = c->guard;
	conf.early = c->early;
	conf.secure = c->secure;
	conf.cors_origin = c->cors_origin;
	conf.on_end = request_ended;
	conf.arg = &requests.line;
	enum err err = http_server_create(c->loop, c->tasks, &conf, out, info);
	for (size_t i = 0; i < c->n_rooms && err == ERR_OK; i++)
		err = http_server_routes(*out, c->rooms[i].routes, *c->rooms[i].n, info);
	if (err != ERR_OK)
		return err;
	daemon_health_set(c->ready, c->ready_arg);
	return daemon_listen_when_ready(c->tasks, *out, c->listen_fd);
}

static void
drained(void *arg)
{
	loop_stop(arg);
}

void
daemon_drain(struct http_server *server, struct loop *l)
{
	http_server_drain(server, drained, l);
}

bool
daemon_ready_say(struct buf *detail, const char *instance, const struct daemon_part *parts,
		 size_t n)
{
	bool all = true;

	for (size_t i = 0; i < n; i++)
		all = all && parts[i].is_ready;
	buf_printf(detail, "{\"status\":\"%s\",\"instance\":", all ? "ready" : "not ready");
	buf_json_cstr(detail, instance);
	for (size_t i = 0; i < n; i++)
		buf_printf(detail, ",\"%s\":%s", parts[i].name,
			   parts[i].is_ready ? "true" : "false");
	buf_add_char(detail, '}');
	return all;
}
