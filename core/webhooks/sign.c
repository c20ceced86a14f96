/*
 * sign.c — what a message is signed with and when a failed one is tried again, by Standard Webhooks. No I/O.
 */
#include "core/webhooks/internal.h"

#include "base/id.h"
#include "base/str.h"

#define SIGNED_BYTES_MAX ((size_t)128 * 1024)

void
core_webhooks_sign(struct str id, struct str timestamp, struct str body,
		   const struct webhooks_secret *secrets, size_t n, struct buf *out)
{
	struct buf text;

	buf_init(&text, SIGNED_BYTES_MAX);
	buf_add_str(&text, id);
	buf_add_char(&text, '.');
	buf_add_str(&text, timestamp);
	buf_add_char(&text, '.');
	buf_add_str(&text, body);
	/* A buffer that failed must not be signed as if it were whole. */
	out->failed = out->failed || text.failed;
	for (size_t i = 0; i < n; i++) {
		uint8_t mac[SHA256_BYTES];
		char mac_text[64];
		hmac_sha256(secrets[i].bytes, secrets[i].len, buf_str(&text).p, text.len, mac);
		(void)base64_encode(mac, sizeof(mac), mac_text, sizeof(mac_text));
		if (i > 0)
			buf_add_char(out, ' ');
		buf_add_cstr(out, "v1,");
		buf_add_cstr(out, mac_text);
	}
	buf_free(&text);
}

size_t
core_webhooks_secrets_parse(struct str text, struct webhooks_secret out[WEBHOOKS_SECRETS_MAX])
{
	size_t n = 0;

	while (text.p != NULL && n < WEBHOOKS_SECRETS_MAX) {
		const struct str part = str_cut(&text, ',');
		struct webhooks_secret *s = &out[n];
		s->len = part.len / 2;
		if (s->len > 0 && s->len <= sizeof(s->bytes) &&
		    hex_decode(part, s->bytes, s->len) == ERR_OK)
			n++;
	}
	return n;
}

usec_t
core_webhooks_pause(usec_t first, int64_t tries, unsigned chance)
{
	/* 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h */
	static const int64_t times[WEBHOOKS_TRIES_MAX - 1] = { 1,    60,    360,   1440, 3600,
							       7200, 10080, 14400, 17280 };

	if (tries < 1 || tries > (int64_t)ARRAY_LEN(times))
		return -1;
	const usec_t pause = first * times[tries - 1];
	return pause - pause / 10 + pause / 5 * (usec_t)(chance & 0xffff) / 65536;
}
