/*
 * io.c — bytes in the clear: the row of struct http_io for a socket without TLS. The other row is in tls.c.
 */
#include "http/server.h"

#include <sys/socket.h>
#include <unistd.h>

static ssize_t
plain_recv(void *ctx, int fd, void *p, size_t n)
{
	(void)ctx;
	return recv(fd, p, n, 0);
}

static ssize_t
plain_send(void *ctx, int fd, const void *p, size_t n)
{
	(void)ctx;
	return send(fd, p, n, MSG_NOSIGNAL);
}

static int
plain_finish(void *ctx, int fd)
{
	(void)ctx;
	return shutdown(fd, SHUT_WR) == 0 ? 1 : -1;
}

static void
plain_close(void *ctx, int fd)
{
	(void)ctx;
	(void)close(fd);
}

const struct http_io http_io_plain = {
	.recv = plain_recv,
	.send = plain_send,
	.finish = plain_finish,
	.close = plain_close,
};
