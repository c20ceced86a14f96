/*
 * server.c — the server of one worker: listeners, limits, the pool of connections and buffers, the
 * graceful stop.
 *
 * Flow: on_accept → http_connection_open → (connection.c) → on_http_phase writes → on_free_phase
 * recycles. Everything a connection needs is lent or recycled from here, so that a steady load
 * neither mallocs nor frees. Invariants: n_open ≤ max_connections; a connection object is reused
 * only when it is on no list of a later turn.
 */
#include "http/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define ACCEPTS_PER_EVENT 64
#define ACCEPT_PAUSE_US (100 * USEC_PER_MS)
#define CONNECTIONS_DEFAULT 1024
#define SCRATCH_BYTES_MAX (64 * 1024)

/* ---- what connections borrow ---- */

void
http_buffer_take(struct http_server *s, struct buf *b, size_t limit)
{
	if (b->p != NULL)
		return;
	if (s->n_buffers > 0)
		*b = s->buffers[--s->n_buffers];
	else
		buf_init(b, limit);
	b->limit = limit;
}

void
http_buffer_give(struct http_server *s, struct buf *b)
{
	if (b->p != NULL && b->cap <= HTTP_SPARE_BYTES_MAX && s->n_buffers < HTTP_SPARE_BUFFERS) {
		buf_reset(b);
		s->buffers[s->n_buffers++] = *b;
	} else {
		buf_free(b);
	}
	*b = (struct buf) { .p = NULL };
}

const char *
http_server_date(struct http_server *s)
{
	const usec_t now = clock_wall_us();
	if (now >= s->date_until || now < s->date_until - USEC_PER_SEC) {
		clock_http_date(now, s->date);
		s->date_until = now - now % USEC_PER_SEC + USEC_PER_SEC;
	}
	return s->date;
}

/* ---- accepting ---- */

/* Best effort: one send into an empty socket buffer. */
static void
refuse(struct http_server *s, int fd, const char *why)
{
	struct buf out;
	struct uuid id;
	char id_text[UUID_TEXT_SIZE];
	struct err_info info = { .code = ERR_OK };
	struct http_answer a = { .close = true, .request_id = { id_text, UUID_TEXT_SIZE - 1 } };
	/* Under TLS nothing can be said before the handshake, and that is what is saved here. */
	if (s->conf.tls != NULL) {
		(void)close(fd);
		return;
	}
	buf_init(&out, SCRATCH_BYTES_MAX);
	uuid_v7(&id);
	uuid_text(&id, id_text);
	(void)err_set(&info, ERR_BUSY, NULL, "%s", why);
	if (http_problem_write(s, &out, &info, STR_NONE, &a)) {
		const struct str text = buf_str(&out);
		(void)send(fd, text.p, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)shutdown(fd, SHUT_WR);
	}
	buf_free(&out);
	(void)close(fd);
}

static void
peer_text(const struct sockaddr_storage *sa, char *out, size_t size)
{
	if (sa->ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, out, (socklen_t)size);
	} else if (sa->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		(void)inet_ntop(AF_INET6, &in6.sin6_addr, out, (socklen_t)size);
	} else {
		(void)str_copy(out, size, STR("unix"));
	}
}

static void
accepted(struct http_server *s, int fd, const struct sockaddr_storage *sa)
{
	const struct http_address address = http_address_of(sa);
	char peer[HTTP_PEER_SIZE];
	if (s->n_open >= s->conf.max_connections) {
		metric_add(s->metrics->refused_worker, 1);
		refuse(s, fd, "The server has too many connections.");
		return;
	}
	if (!http_peers_enter(s->peers, &address, s->conf.max_per_address)) {
		metric_add(s->metrics->refused_address, 1);
		refuse(s, fd, "This address has too many connections.");
		return;
	}
	peer_text(sa, peer, sizeof(peer));
	if (!http_connection_open(s, fd, &address, peer)) {
		http_peers_leave(s->peers, &address);
		metric_add(s->metrics->accept_failed, 1);
		(void)close(fd);
		return;
	}
	metric_add(s->metrics->accepted, 1);
}

static void
listeners_arm(struct http_server *s, bool on)
{
	for (unsigned i = 0; i < s->n_listeners; i++) {
		if (on)
			BUG_ON(event_add(&s->listeners[i].event, NULL) != 0);
		else
			(void)event_del(&s->listeners[i].event);
	}
}

/* Out of descriptors or memory: the socket would stay readable and the loop would spin. Pause. */
static void
accept_failed(struct http_server *s)
{
	const struct timeval tv = { .tv_sec = 0, .tv_usec = ACCEPT_PAUSE_US };
	log_warn("http.accept", "could not accept a connection: %s", strerror(errno));
	metric_add(s->metrics->accept_failed, 1);
	listeners_arm(s, false);
	BUG_ON(event_add(&s->resume, &tv) != 0);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	(void)fd;
	(void)what;
	if (!s->draining)
		listeners_arm(s, true);
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	const struct http_listener *l = arg;
	struct http_server *s = l->server;
	(void)what;
	for (unsigned i = 0; i < ACCEPTS_PER_EVENT; i++) {
		struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof(sa);
		const int fd = accept4(listen_fd, (struct sockaddr *)&sa, &len,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			accepted(s, fd, &sa);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			accept_failed(s);
			return;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		/* ECONNABORTED and the network errors of accept(2) belong to that one client. */
	}
}

/* ---- phases of the loop ---- */

static bool
on_http_phase(void *arg)
{
	struct http_server *s = arg;
	bool more = false;
	struct http_connection *c = s->dirty;
	s->dirty = NULL;
	s->handshakes = 0;
	while (c != NULL) {
		struct http_connection *next = c->dirty_next;
		c->dirty_next = NULL;
		more = http_connection_turn(c) || more;
		c = next;
	}
	return more;
}

static bool
on_free_phase(void *arg)
{
	struct http_server *s = arg;
	struct http_connection *c = s->ended;
	s->ended = NULL;
	while (c != NULL) {
		struct http_connection *next = c->next;
		/* Still on a list of a later turn: kept for then. */
		struct http_connection **list = c->is_dirty || c->is_later ? &s->ended : &s->spare;
		if (list == &s->spare)
			s->n_objects--;
		c->next = *list;
		*list = c;
		c = next;
	}
	if (s->draining && s->n_objects == 0 && s->drained != NULL) {
		void (*drained)(void *) = s->drained;
		s->drained = NULL;
		drained(s->drained_arg);
	}
	return false;
}

/* Connections that used up their share of the last turn go on in this one. */
static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	(void)fd;
	(void)what;
	struct http_connection *c = s->later;
	s->later = NULL;
	while (c != NULL) {
		struct http_connection *next = c->later_next;
		c->is_later = false;
		c->burst = 0;
		http_connection_mark(c);
		c = next;
	}
}

/* ---- life ---- */

static void
conf_defaults(struct http_conf *c)
{
	if (c->head_deadline == 0)
		c->head_deadline = 10 * USEC_PER_SEC;
	if (c->body_deadline == 0)
		c->body_deadline = 10 * USEC_PER_SEC;
	if (c->idle_deadline == 0)
		c->idle_deadline = 65 * USEC_PER_SEC;
	if (c->write_deadline == 0)
		c->write_deadline = 30 * USEC_PER_SEC;
	if (c->task_deadline == 0)
		c->task_deadline = 5 * USEC_PER_SEC;
	if (c->max_connections == 0)
		c->max_connections = CONNECTIONS_DEFAULT;
	if (c->arena_cap == 0)
		c->arena_cap = 4 * 1024 * 1024;
}

enum err
http_server_create(struct loop *l, struct task_engine *e, const struct http_conf *conf,
		   struct http_server **out, struct err_info *info)
{
	if (conf->head_deadline < 0 || conf->body_deadline < 0 || conf->idle_deadline < 0 ||
	    conf->write_deadline < 0 || conf->task_deadline < 0)
		return err_set(info, ERR_CONFIG, NULL,
			       "A deadline of the HTTP server is negative.");
	struct http_server *s = calloc(1, sizeof(*s));
	BUG_ON(s == NULL);
	s->loop = l;
	s->engine = e;
	s->conf = *conf;
	conf_defaults(&s->conf);
	s->router = http_router_create();
	s->peers = http_peers_create(s->conf.max_connections);
	s->metrics = http_metrics();
	buf_init(&s->scratch, SCRATCH_BYTES_MAX);
	BUG_ON(event_assign(&s->resume, loop_base(l), -1, 0, on_resume, s) != 0);
	BUG_ON(event_assign(&s->kick, loop_base(l), -1, 0, on_kick, s) != 0);
	loop_add_hook(l, LOOP_HTTP, on_http_phase, s);
	loop_add_hook(l, LOOP_FREE, on_free_phase, s);
	*out = s;
	return ERR_OK;
}

enum err
http_server_routes(struct http_server *s, const struct http_route *routes, size_t n,
		   struct err_info *info)
{
	for (size_t i = 0; i < n; i++) {
		struct http_row *row = NULL;
		if (routes[i].body_max > HTTP_BODY_BYTES_MAX)
			return err_set(
				info, ERR_CONFIG, NULL,
				"The route \"%s\" takes bodies above the maximum of %d bytes.",
				routes[i].pattern, HTTP_BODY_BYTES_MAX);
		const enum err e = http_router_add(s->router, &routes[i], &row, info);
		if (e != ERR_OK)
			return e;
		http_metrics_route(routes[i].name, row->by_class);
	}
	return ERR_OK;
}

enum err
http_server_listen(struct http_server *s, int listen_fd, struct err_info *info)
{
	if (s->n_listeners == HTTP_LISTENERS_MAX)
		return err_set(info, ERR_CONFIG, NULL,
			       "The HTTP server has more than %d listeners.", HTTP_LISTENERS_MAX);
	if (evutil_make_socket_nonblocking(listen_fd) != 0)
		return err_set(info, ERR_SYSTEM, NULL, "could not use the listening socket: %s",
			       strerror(errno));
	struct http_listener *l = &s->listeners[s->n_listeners++];
	l->server = s;
	l->fd = listen_fd;
	BUG_ON(event_assign(&l->event, loop_base(s->loop), listen_fd, EV_READ | EV_PERSIST,
			    on_accept, l) != 0);
	BUG_ON(event_add(&l->event, NULL) != 0);
	return ERR_OK;
}

void
http_server_drain(struct http_server *s, void (*drained)(void *arg), void *arg)
{
	if (s->draining)
		return;
	s->draining = true;
	s->drained = drained;
	s->drained_arg = arg;
	listeners_arm(s, false);
	(void)event_del(&s->resume);
	for (struct http_connection *c = s->live; c != NULL;) {
		struct http_connection *next = c->next;
		http_connection_drain(c);
		c = next;
	}
	loop_again(s->loop);
}

static void
list_free(struct http_connection *c)
{
	while (c != NULL) {
		struct http_connection *next = c->next;
		http_connection_free(c);
		c = next;
	}
}

void
http_server_destroy(struct http_server *s)
{
	if (s == NULL)
		return;
	listeners_arm(s, false);
	(void)event_del(&s->resume);
	(void)event_del(&s->kick);
	loop_remove_hook(s->loop, on_http_phase, s);
	loop_remove_hook(s->loop, on_free_phase, s);
	while (s->live != NULL)
		http_connection_orphan(s->live);
	list_free(s->ended);
	list_free(s->spare);
	for (unsigned i = 0; i < s->n_buffers; i++)
		buf_free(&s->buffers[i]);
	buf_free(&s->scratch);
	http_peers_destroy(s->peers);
	http_router_destroy(s->router);
	free(s);
}

unsigned
http_server_connections(const struct http_server *s)
{
	return s->n_open;
}

const struct http_route *const *
http_server_route_list(const struct http_server *s, size_t *n)
{
	return http_router_list(s->router, n);
}
