/*
 * listen.h — n listening TCP sockets on one address and port, for n worker processes.
 */
#ifndef BIMODAL_BASE_LISTEN_H
#define BIMODAL_BASE_LISTEN_H

#include "base/compiler.h"
#include "base/err.h"

/*
 * Opens n sockets (non-blocking, close-on-exec, SO_REUSEPORT) into fds; the caller closes them. `address` is a numeric
 * IPv4 or IPv6 address. *port 0 takes a free one for all and returns it. Errors: ERR_SYSTEM (somebody else listens there,
 * not an address of this machine), ERR_CONFIG (not an address); nothing is left open then.
 */
MUST_CHECK enum err listen_open(const char *address, unsigned *port, unsigned backlog, int *fds,
				unsigned n, struct err_info *info);

#endif
