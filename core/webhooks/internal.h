/*
 * internal.h — what the files of this room share. Not for other rooms; they see nothing of it.
 */
#ifndef BIMODAL_CORE_WEBHOOKS_INTERNAL_H
#define BIMODAL_CORE_WEBHOOKS_INTERNAL_H

#include "access/access.h"
#include "core/webhooks/webhooks.h"
#include "gen/sql_core.h"

#define WEBHOOKS_SECRET_BYTES 32
#define WEBHOOKS_SECRETS_MAX 8
#define WEBHOOKS_TRIES_MAX 10

struct webhooks_secret {
	unsigned char bytes[64];
	size_t len;
};

/* "v1,<base64> v1,<base64>": one signature a secret, in their order. */
void core_webhooks_sign(struct str id, struct str timestamp, struct str body,
			const struct webhooks_secret *secrets, size_t n, struct buf *out);
/* Hex with commas, as the database gives them; returns how many were well. */
size_t core_webhooks_secrets_parse(struct str text,
				   struct webhooks_secret out[WEBHOOKS_SECRETS_MAX]);
/*
 * The pause after attempt `tries` (from 1), or -1 when there is no further one: 1, 60, 360, … times the first, as Standard Webhooks
 * recommends for a first pause of 5 s. chance: 0 … 65535; a fifth of the pause is left to it.
 */
usec_t core_webhooks_pause(usec_t first, int64_t tries, unsigned chance);

/* What is wrong with a URL as far as it can be seen without resolving its name; NULL: nothing. */
const char *core_webhooks_url_wrong(struct str url, const struct core_webhooks_nets *nets,
				    struct arena *arena);

#endif
