/*
 * address.c — which addresses a webhook may reach. A name is judged by the address that is really connected to, so it does not matter
 * what it pointed to before. Everything is looked at as IPv6, an IPv4 address as ::ffff:a.b.c.d.
 */
#include "core/webhooks/webhooks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/str.h"

static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* One a line, so that it reads as the table it is. */
/* clang-format off */
static const struct core_webhooks_net forbidden4[] = {
	{ { 0, 0, 0, 0 }, 8 },          /* this network                          */
	{ { 10, 0, 0, 0 }, 8 },         /* private                               */
	{ { 100, 64, 0, 0 }, 10 },      /* shared by carriers                    */
	{ { 127, 0, 0, 0 }, 8 },        /* this machine                          */
	{ { 169, 254, 0, 0 }, 16 },     /* link-local; metadata of clouds        */
	{ { 172, 16, 0, 0 }, 12 },      /* private                               */
	{ { 192, 0, 0, 0 }, 24 },       /* protocol assignments                  */
	{ { 192, 0, 2, 0 }, 24 },       /* documentation                         */
	{ { 192, 88, 99, 0 }, 24 },     /* 6to4 relays                           */
	{ { 192, 168, 0, 0 }, 16 },     /* private                               */
	{ { 198, 18, 0, 0 }, 15 },      /* benchmarks                            */
	{ { 198, 51, 100, 0 }, 24 },    /* documentation                         */
	{ { 203, 0, 113, 0 }, 24 },     /* documentation                         */
	{ { 224, 0, 0, 0 }, 3 },        /* multicast, reserved, broadcast        */
};
/* Of 2000::/3; nothing outside of it is public. */
static const struct core_webhooks_net forbidden6[] = {
	{ { 0x20, 0x01, 0x00, 0x00 }, 23 },             /* protocol assignments, Teredo  */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },             /* documentation                 */
	{ { 0x20, 0x02 }, 16 },                         /* 6to4 wraps IPv4               */
	{ { 0x3f, 0xff, 0x00 }, 20 },                   /* documentation                 */
};
/* clang-format on */

static bool
bytes_of(const struct sockaddr *address, unsigned char out[16])
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + 12, &in->sin_addr, 4);
		return true;
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;
		memcpy(out, &in6->sin6_addr, 16);
		return true;
	}
	return false;
}

static bool
begins_with(const unsigned char *bytes, const unsigned char *net, unsigned bits)
{
	const unsigned whole = bits / 8;
	const unsigned char rest = (unsigned char)(0xff00 >> bits % 8);

	return memcmp(bytes, net, whole) == 0 &&
	       (bits % 8 == 0 || ((bytes[whole] ^ net[whole]) & rest) == 0);
}

bool
core_webhooks_is_public(const struct sockaddr *address)
{
	unsigned char b[16];

	if (!bytes_of(address, b))
		return false;
	if (memcmp(b, mapped, sizeof(mapped)) == 0) {
		for (size_t i = 0; i < ARRAY_LEN(forbidden4); i++)
			if (begins_with(b + 12, forbidden4[i].bytes, forbidden4[i].bits))
				return false;
		return true;
	}
	if ((b[0] & 0xe0) != 0x20)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(forbidden6); i++)
		if (begins_with(b, forbidden6[i].bytes, forbidden6[i].bits))
			return false;
	return true;
}

bool
core_webhooks_in_nets(const struct core_webhooks_nets *nets, const struct sockaddr *address)
{
	unsigned char b[16];

	if (!bytes_of(address, b))
		return false;
	for (size_t i = 0; i < nets->n; i++)
		if (begins_with(b, nets->net[i].bytes, nets->net[i].bits))
			return true;
	return false;
}

static bool
net_parse(struct str text, struct core_webhooks_net *out)
{
	char host[INET6_ADDRSTRLEN];
	struct str bits = text;
	int64_t n = 0;
	const struct str address = str_cut(&bits, '/');

	if (bits.p == NULL || !str_copy(host, sizeof(host), address))
		return false;
	if (inet_pton(AF_INET, host, out->bytes + 12) == 1) {
		memcpy(out->bytes, mapped, sizeof(mapped));
		if (str_int(bits, 0, 32, &n) != ERR_OK)
			return false;
		out->bits = 96 + (unsigned)n;
		return true;
	}
	if (inet_pton(AF_INET6, host, out->bytes) != 1 || str_int(bits, 0, 128, &n) != ERR_OK)
		return false;
	out->bits = (unsigned)n;
	return true;
}

enum err
core_webhooks_nets_parse(const char *text, struct core_webhooks_nets *out, struct err_info *info)
{
	struct str rest = str_of(text);

	out->n = 0;
	while (rest.p != NULL && str_trim(rest).len > 0) {
		const struct str part = str_trim(str_cut(&rest, ','));
		if (out->n == CORE_WEBHOOKS_NETS_MAX)
			return err_set(info, ERR_CONFIG, "webhook.allow",
				       "there are more than %d networks", CORE_WEBHOOKS_NETS_MAX);
		if (!net_parse(part, &out->net[out->n]))
			return err_set(info, ERR_CONFIG, "webhook.allow",
				       "\"%.*s\" is not a network as 10.1.0.0/16 or fd00::/8",
				       (int)MIN(part.len, 64), part.p);
		out->n++;
	}
	return ERR_OK;
}
