/*
 * tls.h — TLS for the HTTP server: a certificate with its key, which may be exchanged while connections last, and the row of
 * struct http_io behind which OpenSSL reads and writes.
 *
 * Modern settings only, and none to choose: TLS 1.3, or 1.2 with ECDHE and an AEAD; X25519, P-256 or P-384; ALPN http/1.1; no
 * renegotiation, no compression, no early data. No session is resumed: connections are kept alive, a worker does not know those
 * of its neighbours, and so nothing is kept that could open a recorded session later.
 */
#ifndef BIMODAL_HTTP_TLS_H
#define BIMODAL_HTTP_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"

struct http_tls;

/*
 * `certificate`: PEM, ours first, then those up to the root. `key`: PEM, without a passphrase. Blocks: it reads files. On an error
 * info->field says which of the two is at fault ("certificate", "key"). Errors: ERR_CONFIG, ERR_NO_MEMORY.
 */
MUST_CHECK enum err http_tls_create(const char *certificate, const char *key, struct http_tls **out,
				    struct err_info *info);
/* After the servers that were given it; NULL is fine. Connections that are open go on. */
void http_tls_destroy(struct http_tls *tls);

/* `to` serves with what `from` holds from the next connection on, and the other way round. */
void http_tls_swap(struct http_tls *to, struct http_tls *from);

/* From when until when the certificate is valid (wall clock). */
void http_tls_validity(const struct http_tls *tls, usec_t *from, usec_t *until);

/* For connection.c: the ctx of http_io_tls for an accepted socket; NULL without memory. Ended by the row's close. */
void *http_tls_session(const struct http_tls *tls, int fd);

#endif
