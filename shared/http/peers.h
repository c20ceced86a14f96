/*
 * peers.h — how many connections each client address has. A fixed table, sized for the connections
 * of one worker.
 */
#ifndef BIMODAL_HTTP_PEERS_H
#define BIMODAL_HTTP_PEERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Zero for a socket without an address (unix). An IPv6 client counts by its /64, which is what one
 * customer is given. */
struct http_address {
	uint8_t b[16];
};

struct http_peers;
struct http_peers *http_peers_create(unsigned max_connections); /* dies without memory */
void http_peers_destroy(struct http_peers *p);

struct http_address http_address_of(const struct sockaddr_storage *sa);
/* False: `limit` are there already (0 = no limit), nothing is counted. A zero address is always let
 * in. */
bool http_peers_enter(struct http_peers *p, const struct http_address *a, unsigned limit);
void http_peers_leave(struct http_peers *p, const struct http_address *a);

#endif
