/*
 * peers.c — connections by client address: open addressing with linear probing, at most half full,
 * never growing.
 *
 * There are at most as many addresses as connections, so a slot is always found. Removal closes the
 * gap by moving later entries of the same run back, so no tombstones pile up.
 */
#include "http/peers.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"

struct peer {
	struct http_address address;
	unsigned count; /* 0 = free slot */
};

struct http_peers {
	uint32_t mask;
	uint64_t seed; /* an outsider cannot aim for one slot */
	struct peer *slots;
};

struct http_peers *
http_peers_create(unsigned max_connections)
{
	struct http_peers *p = calloc(1, sizeof(*p));
	BUG_ON(p == NULL);
	uint32_t n = 16;
	while (n < 2 * (uint64_t)max_connections && n < (UINT32_C(1) << 30))
		n *= 2;
	p->mask = n - 1;
	random_bytes(&p->seed, sizeof(p->seed));
	p->slots = calloc(n, sizeof(*p->slots));
	BUG_ON(p->slots == NULL);
	return p;
}

void
http_peers_destroy(struct http_peers *p)
{
	if (p == NULL)
		return;
	free(p->slots);
	free(p);
}

struct http_address
http_address_of(const struct sockaddr_storage *sa)
{
	struct http_address a = { { 0 } };
	if (sa->ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		a.b[10] = 0xff;
		a.b[11] = 0xff;
		memcpy(a.b + 12, &in.sin_addr, 4);
	} else if (sa->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		const bool mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ||
				    IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
		memcpy(a.b, &in6.sin6_addr, mapped ? 16 : 8);
	}
	return a;
}

static bool
is_zero(const struct http_address *a)
{
	static const struct http_address zero;
	return memcmp(a, &zero, sizeof(zero)) == 0;
}

static uint32_t
home(const struct http_peers *p, const struct http_address *a)
{
	uint64_t h = p->seed ^ UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < sizeof(a->b); i++)
		h = (h ^ a->b[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32) & p->mask;
}

/* The slot of the address, or the free one where it would go. */
static uint32_t
find(const struct http_peers *p, const struct http_address *a)
{
	uint32_t i = home(p, a);
	while (p->slots[i].count != 0 && memcmp(&p->slots[i].address, a, sizeof(*a)) != 0)
		i = (i + 1) & p->mask;
	return i;
}

bool
http_peers_enter(struct http_peers *p, const struct http_address *a, unsigned limit)
{
	if (is_zero(a))
		return true;
	struct peer *peer = &p->slots[find(p, a)];
	if (limit != 0 && peer->count >= limit)
		return false;
	peer->address = *a;
	peer->count++;
	return true;
}

void
http_peers_leave(struct http_peers *p, const struct http_address *a)
{
	if (is_zero(a))
		return;
	uint32_t gap = find(p, a);
	BUG_ON(p->slots[gap].count == 0);
	p->slots[gap].count--;
	if (p->slots[gap].count != 0)
		return;
	for (uint32_t i = (gap + 1) & p->mask; p->slots[i].count != 0; i = (i + 1) & p->mask) {
		/* Movable if its home is not between the gap and itself. */
		const uint32_t from_home = (i - home(p, &p->slots[i].address)) & p->mask;
		if (from_home < ((i - gap) & p->mask))
			continue;
		p->slots[gap] = p->slots[i];
		p->slots[i].count = 0;
		gap = i;
	}
}
