/*
 * ofrep_ticket.c — the ticket in the address of an event stream: which token evaluated, and when, signed.
 *
 * A token's ticket is the same for a whole period (ofrep.ticket_lifetime), so that a client that evaluates again keeps its stream. It
 * is good in its own period and the next one. It holds the token's hash, which opens nothing, and it opens a stream of hints alone;
 * whether the token is still good is asked when the stream is opened and while it lasts.
 */
#include <string.h>

#include "flag/ofrep_parts.h"

#define PERIOD_BYTES 4
#define MAC_BYTES 16
#define TICKET_BYTES (SHA256_BYTES + PERIOD_BYTES + MAC_BYTES)
#define TICKET_SIZE 80
#define KEPT 64 /* a power of two */
#define PURPOSE "ofrep.events"

static struct kept {
	uint8_t token[SHA256_BYTES];
	uint32_t period;
	char text[TICKET_SIZE]; /* empty: nothing is kept here */
} kept[KEPT];

uint32_t
ofrep_ticket_period(usec_t now)
{
	return (uint32_t)(now / flag_ofrep_conf.ticket_lifetime);
}

static void
sign(const uint8_t *payload, uint8_t mac[SHA256_BYTES])
{
	uint8_t text[sizeof(PURPOSE) + SHA256_BYTES + PERIOD_BYTES] = PURPOSE;
	memcpy(text + sizeof(PURPOSE), payload, SHA256_BYTES + PERIOD_BYTES);
	hmac_sha256(flag_ofrep_conf.key.p, flag_ofrep_conf.key.len, text, sizeof(text), mac);
}

struct str
ofrep_ticket_of(const uint8_t token[SHA256_BYTES], uint32_t period)
{
	struct kept *k = &kept[token[0] & (KEPT - 1)];
	uint8_t bytes[SHA256_BYTES + PERIOD_BYTES + SHA256_BYTES];

	if (k->text[0] != '\0' && k->period == period && memcmp(k->token, token, SHA256_BYTES) == 0)
		return str_of(k->text);
	memcpy(bytes, token, SHA256_BYTES);
	for (unsigned i = 0; i < PERIOD_BYTES; i++)
		bytes[SHA256_BYTES + i] = (uint8_t)(period >> (8 * (PERIOD_BYTES - 1 - i)));
	sign(bytes, bytes + SHA256_BYTES + PERIOD_BYTES);
	memcpy(k->token, token, SHA256_BYTES);
	k->period = period;
	(void)base64url_encode(bytes, TICKET_BYTES, k->text, sizeof(k->text));
	return str_of(k->text);
}

bool
ofrep_ticket_read(struct str text, usec_t now, uint8_t token[SHA256_BYTES])
{
	uint8_t bytes[TICKET_BYTES];
	uint8_t mac[SHA256_BYTES];
	size_t n = 0;
	uint32_t period = 0;

	if (flag_ofrep_conf.key.len == 0 ||
	    base64url_decode(text, bytes, sizeof(bytes), &n) != ERR_OK || n != sizeof(bytes))
		return false;
	sign(bytes, mac);
	if (!secret_equal(mac, bytes + SHA256_BYTES + PERIOD_BYTES, MAC_BYTES))
		return false;
	for (unsigned i = 0; i < PERIOD_BYTES; i++)
		period = period << 8 | bytes[SHA256_BYTES + i];
	/* Another instance's clock may be a little ahead. */
	const uint32_t present = ofrep_ticket_period(now);
	if (period > present + 1 || period + 1 < present)
		return false;
	memcpy(token, bytes, SHA256_BYTES);
	return true;
}
