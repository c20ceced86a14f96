/*
 * message.h — one e-mail with the notices of one recipient, as RFC 5322 has it. Plain text. Nothing that a notice says can become a
 * header: titles are put on one line and encoded, the body is base64.
 */
#ifndef BIMODAL_CORE_NOTICES_MESSAGE_H
#define BIMODAL_CORE_NOTICES_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#define NOTICES_MESSAGE_MAX ((size_t)512 * 1024)

struct notices_message {
	const char *from; /* addresses that http_mail_address_valid accepts */
	const char *to;
	const char *id;     /* the same for every attempt, so that a server can tell a repeat */
	const char *url;    /* put before links; "" = the path alone */
	usec_t at;          /* wall clock */
	struct str notices; /* JSON: [{"title":…,"body":…,"link":…}], at most 50 */
};

/* Appends to `out`. Errors: ERR_BAD_JSON and such of the scanner, ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err core_notices_message(const struct notices_message *m, struct arena *arena,
					 struct buf *out, struct err_info *info);
/* "Subject: …\r\n", folded, encoded where it is not short printable ASCII. */
void core_notices_subject(struct str text, struct buf *out);

#endif
