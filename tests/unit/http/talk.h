/*
 * talk.h — a server on a real loopback socket inside the test's own loop, and blocking-looking
 * clients that turn the loop while they wait. For the tests of the HTTP room.
 */
#ifndef BIMODAL_TESTS_HTTP_TALK_H
#define BIMODAL_TESTS_HTTP_TALK_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http.h"
#include "tests/support/unit.h"

#define WAIT_US (20 * USEC_PER_SEC) /* only ever used up by a failure */

static struct loop *loop;
static struct task_engine *engine;
static struct http_server *server;
static int listen_fd = -1;
static struct buf seen; /* what the last client read */

static inline void
server_start_with(const struct http_conf *conf, const struct http_route *routes, size_t n,
		  unsigned max_tasks)
{
	struct err_info info = { .code = ERR_OK };
	const struct sockaddr_in in = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	log_init("test", 0, LOG_ERROR);
	loop = loop_create();
	engine = task_engine_create(loop, max_tasks);
	ck_assert_int_eq(http_server_create(loop, engine, conf, &server, &info), ERR_OK);
	ck_assert_msg(http_server_routes(server, routes, n, &info) == ERR_OK, "%s", info.msg);
	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listen_fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(listen_fd, 128), 0);
	ck_assert_int_eq(http_server_listen(server, listen_fd, &info), ERR_OK);
	buf_init(&seen, 64 * 1024 * 1024);
}

static inline void
server_stop(void)
{
	http_server_destroy(server);
	task_engine_destroy(engine);
	loop_destroy(loop);
	(void)close(listen_fd);
	buf_free(&seen);
	arena_trim();
}

static inline void
pump(usec_t us)
{
	const usec_t end = clock_now_us() + us;
	do {
		loop_turn(loop, false);
		(void)usleep(100);
	} while (clock_now_us() < end);
}

static inline int
client_with(int receive_bytes)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	ck_assert_int_eq(getsockname(listen_fd, (struct sockaddr *)&in, &len), 0);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (receive_bytes != 0)
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
					    sizeof(receive_bytes)),
				 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static inline int
client(void)
{
	return client_with(0);
}

/* Sends all of it, turning the loop where the socket is full. Stops quietly if the server has
 * closed. */
static inline void
say_bytes(int fd, const char *p, size_t n)
{
	const usec_t end = clock_now_us() + WAIT_US;
	while (n > 0 && clock_now_us() < end) {
		const ssize_t sent = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
		} else if (errno != EAGAIN) {
			return;
		}
		loop_turn(loop, false);
	}
}

static inline void
say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* What is there now. False at the end (or a reset). */
static inline bool
read_some(int fd)
{
	char part[65536];
	const ssize_t n = recv(fd, part, sizeof(part), MSG_DONTWAIT);
	if (n > 0)
		buf_add(&seen, part, (size_t)n);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static inline unsigned
count(const char *what)
{
	unsigned n = 0;
	for (const char *p = buf_cstr(&seen); (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

/* Turns the loop until `what` has been read n times. */
static inline const char *
hear_times(int fd, const char *what, unsigned n)
{
	const usec_t end = clock_now_us() + WAIT_US;
	buf_reset(&seen);
	for (;;) {
		const bool open = read_some(fd);
		if (count(what) >= n)
			return buf_cstr(&seen);
		ck_assert_msg(open, "closed before \"%s\" came %u times: %s", what, n,
			      buf_cstr(&seen));
		ck_assert_msg(clock_now_us() < end, "\"%s\" did not come %u times: %s", what, n,
			      buf_cstr(&seen));
		loop_turn(loop, false);
	}
}

static inline const char *
hear(int fd, const char *what)
{
	return hear_times(fd, what, 1);
}

/* All until the server closes. */
static inline const char *
hear_end(int fd)
{
	const usec_t end = clock_now_us() + WAIT_US;
	buf_reset(&seen);
	while (read_some(fd)) {
		ck_assert_msg(clock_now_us() < end, "not closed: %s", buf_cstr(&seen));
		loop_turn(loop, false);
	}
	return buf_cstr(&seen);
}

#define HAS(text, part) ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in: %s", part, text)
#define HAS_NOT(text, part) ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in: %s", part, text)

#endif
