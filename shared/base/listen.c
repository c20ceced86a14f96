/*
 * listen.c — listening TCP sockets, several on one port (SO_REUSEPORT): the kernel spreads
 * connections over them.
 *
 * Used once, by process_run. A socket shared by SO_REUSEPORT would let a second daemon of the same
 * user join the port unseen and steal a part of the connections, so the port is first tried without
 * sharing.
 */
#include "base/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static socklen_t
address_make(const char *address, unsigned port, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1) {
		memcpy(out, &in6, sizeof(in6));
		return sizeof(in6);
	}
	return 0;
}

static unsigned
socket_port(int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	memset(&at, 0, sizeof(at));
	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return 0;
	in_port_t port = 0;
	if (at.ss_family == AF_INET6)
		memcpy(&port, (const char *)&at + offsetof(struct sockaddr_in6, sin6_port),
		       sizeof(port));
	else
		memcpy(&port, (const char *)&at + offsetof(struct sockaddr_in, sin_port),
		       sizeof(port));
	return ntohs(port);
}

/* -1 with errno. Not shared: fails if anybody listens there, which SO_REUSEPORT of our own user
 * would hide. */
static int
socket_bind(const char *address, unsigned port, bool share)
{
	struct sockaddr_storage at;
	const socklen_t len = address_make(address, port, &at);
	const int on = 1;
	const int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (!share || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
	    bind(fd, (const struct sockaddr *)&at, len) == 0)
		return fd;
	const int saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

enum err
listen_open(const char *address, unsigned *port, unsigned backlog, int *fds, unsigned n,
	    struct err_info *info)
{
	unsigned opened = 0;
	bool ok = true;
	struct sockaddr_storage at;
	if (address_make(address, *port, &at) == 0)
		return err_set(info, ERR_CONFIG, NULL, "%s is not a numeric IPv4 or IPv6 address",
			       address);
	if (*port != 0) {
		const int probe = socket_bind(address, *port, false);
		ok = probe >= 0;
		if (ok)
			(void)close(probe);
	}
	while (ok && opened < n) {
		const int fd = socket_bind(address, *port, true);
		ok = fd >= 0;
		if (!ok)
			break;
		fds[opened] = fd;
		opened++;
		ok = listen(fd, (int)backlog) == 0;
		if (*port == 0)
			*port = socket_port(fd);
	}
	if (ok)
		return ERR_OK;
	const int saved = errno;
	while (opened > 0) {
		opened--;
		(void)close(fds[opened]);
	}
	return err_set(info, ERR_SYSTEM, NULL, "could not listen on %s port %u: %s", address, *port,
		       strerror(saved));
}
