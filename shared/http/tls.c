/*
 * tls.c — OpenSSL under a connection: makes the context from two files, and is the row http_io_tls of struct http_io, whose ctx is
 * the SSL itself.
 *
 * Invariants: no call blocks; the queue of OpenSSL's errors is empty before each call, so that the error of one connection is never
 * taken for that of another; after an error that cannot be recovered from the session counts as shut down, and OpenSSL is not
 * asked for anything any more. A record that has been read as a whole may hold more than the caller took, and with read-ahead
 * there may be more records: `pending` says so.
 */
#include "http/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "http/server.h"

#define SECURITY_LEVEL 2 /* 112 bits: RSA from 2048, no SHA-1 */
#define SUITES_1_3 "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
#define SUITES_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"
static char groups[] = "X25519:P-256:P-384"; /* OpenSSL takes no const here, and writes nothing */

struct http_tls {
	SSL_CTX *ctx;
	usec_t from, until;
};

/* ---- the context ---- */

/* The first reason OpenSSL gives, which is the deepest, for a message. Empties its queue. */
static const char *
reason_text(void)
{
	const unsigned long e = ERR_peek_error();
	const char *why =
		ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) : ERR_reason_error_string(e);
	ERR_clear_error();
	return why != NULL ? why : "unknown reason";
}

/* A passphrase cannot be asked for: nobody may be there, and the daemon restarts by itself. */
static int
no_passphrase(char *buf UNUSED, int size UNUSED, int writing UNUSED, void *arg UNUSED)
{
	return 0;
}

/* RFC 7301: a client that names protocols but not ours is told so. One that names none speaks HTTP/1.1. */
static int
alpn_choose(SSL *ssl UNUSED, const unsigned char **out, unsigned char *out_len,
	    const unsigned char *in, unsigned in_len, void *arg UNUSED)
{
	static const unsigned char ours[] = "\x08http/1.1";
	const unsigned n = sizeof(ours) - 1;

	for (unsigned i = 0; i < in_len; i += 1u + in[i]) {
		if (in_len - i >= n && memcmp(in + i, ours, n) == 0) {
			*out = in + i + 1;
			*out_len = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Set one by one, so that nothing of a system-wide openssl.cnf holds here. */
static bool
settings(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					       SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					    SSL_MODE_RELEASE_BUFFERS);
	/* A call ends after a message that is not data, so that a stream of those cannot hold the loop. */
	(void)SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	SSL_CTX_set_alpn_select_cb(ctx, alpn_choose, NULL);
	return SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
	       SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, 0) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, SUITES_1_2) == 1 &&
	       SSL_CTX_set_ciphersuites(ctx, SUITES_1_3) == 1 &&
	       SSL_CTX_set1_groups_list(ctx, groups) == 1;
}

static enum err
pair_load(SSL_CTX *ctx, const char *certificate, const char *key, struct err_info *info)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
		return err_set(info, ERR_CONFIG, "certificate",
			       "could not use the certificate %s: %s", certificate, reason_text());
	const bool usable = SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1;
	const unsigned long e = ERR_peek_last_error();
	const bool differs = !usable && ERR_GET_LIB(e) == ERR_LIB_X509 &&
			     ERR_GET_REASON(e) == X509_R_KEY_VALUES_MISMATCH;
	if (!usable && !differs)
		return err_set(info, ERR_CONFIG, "key", "could not use the private key %s: %s", key,
			       reason_text());
	if (differs || SSL_CTX_check_private_key(ctx) != 1) {
		ERR_clear_error();
		return err_set(info, ERR_CONFIG, "key",
			       "the private key %s is not that of the certificate %s", key,
			       certificate);
	}
	return ERR_OK;
}

static usec_t
wall_of(const ASN1_TIME *at)
{
	struct tm tm = { 0 };
	return ASN1_TIME_to_tm(at, &tm) == 1 ? (usec_t)timegm(&tm) * USEC_PER_SEC : 0;
}

enum err
http_tls_create(const char *certificate, const char *key, struct http_tls **out,
		struct err_info *info)
{
	struct http_tls *tls = calloc(1, sizeof(*tls));
	*out = NULL;
	ERR_clear_error();
	if (tls != NULL)
		tls->ctx = SSL_CTX_new(TLS_server_method());
	if (tls == NULL || tls->ctx == NULL || !settings(tls->ctx)) {
		http_tls_destroy(tls);
		return err_set(info, ERR_NO_MEMORY, NULL, "could not set up TLS: %s",
			       reason_text());
	}
	const enum err e = pair_load(tls->ctx, certificate, key, info);
	if (e != ERR_OK) {
		http_tls_destroy(tls);
		return e;
	}
	const X509 *x = SSL_CTX_get0_certificate(tls->ctx);
	tls->from = wall_of(X509_get0_notBefore(x));
	tls->until = wall_of(X509_get0_notAfter(x));
	*out = tls;
	return ERR_OK;
}

void
http_tls_destroy(struct http_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

void
http_tls_swap(struct http_tls *to, struct http_tls *from)
{
	const struct http_tls kept = *to;
	*to = *from;
	*from = kept;
}

void
http_tls_validity(const struct http_tls *tls, usec_t *from, usec_t *until)
{
	*from = tls->from;
	*until = tls->until;
}

/* ---- one connection ---- */

void *
http_tls_session(const struct http_tls *tls, int fd)
{
	ERR_clear_error();
	SSL *ssl = SSL_new(tls->ctx);
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}

static bool
would_go_on(int error)
{
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* Nothing more is asked of this session, and nothing said by it. */
static void
session_break(SSL *ssl)
{
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	ERR_clear_error();
}

static enum http_tls_failure
failure_of(int error, unsigned long e)
{
	const int reason = ERR_GET_REASON(e);

	if (error == SSL_ERROR_SYSCALL || error == SSL_ERROR_ZERO_RETURN)
		return HTTP_TLS_LEFT;
	if (ERR_GET_LIB(e) != ERR_LIB_SSL)
		return HTTP_TLS_OTHER;
	if (reason >= SSL_AD_REASON_OFFSET)
		return HTTP_TLS_ALERT;
	switch (reason) {
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
		return HTTP_TLS_PLAIN;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
		return HTTP_TLS_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SUITABLE_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
		return HTTP_TLS_SUITE;
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return HTTP_TLS_ALPN;
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return HTTP_TLS_LEFT;
	default:
		return HTTP_TLS_OTHER;
	}
}

static int
tls_handshake(void *ctx)
{
	SSL *ssl = ctx;
	const struct http_metrics *m = http_metrics();

	ERR_clear_error();
	const int done = SSL_do_handshake(ssl);
	if (done == 1) {
		metric_add(SSL_version(ssl) == TLS1_2_VERSION ? m->tls_1_2 : m->tls_1_3, 1);
		return 1;
	}
	const int error = SSL_get_error(ssl, done);
	if (would_go_on(error))
		return 0;
	metric_add(m->tls_failed[failure_of(error, ERR_peek_error())], 1);
	session_break(ssl);
	return -1;
}

/* A recv or send that moved nothing. A client that closes its socket without closing TLS has left: what it sent may be cut. */
static ssize_t
nothing_moved(SSL *ssl)
{
	const int error = SSL_get_error(ssl, 0);

	if (would_go_on(error)) {
		errno = EAGAIN;
		return -1;
	}
	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	const enum http_tls_failure why = failure_of(error, ERR_peek_error());
	metric_add(http_metrics()->tls_failed[why == HTTP_TLS_OTHER ? HTTP_TLS_RECORD : why], 1);
	session_break(ssl);
	errno = ECONNRESET;
	return -1;
}

static ssize_t
tls_recv(void *ctx, int fd, void *p, size_t n)
{
	size_t got = 0;

	(void)fd;
	ERR_clear_error();
	return SSL_read_ex(ctx, p, n, &got) == 1 ? (ssize_t)got : nothing_moved(ctx);
}

static ssize_t
tls_send(void *ctx, int fd, const void *p, size_t n)
{
	size_t sent = 0;

	(void)fd;
	ERR_clear_error();
	if (SSL_write_ex(ctx, p, n, &sent) == 1)
		return (ssize_t)sent;
	if (nothing_moved(ctx) == 0)
		errno = EPIPE;
	return -1;
}

static enum http_wait
tls_waits(void *ctx)
{
	return SSL_want_write((SSL *)ctx) ? HTTP_WAIT_WRITE : HTTP_WAIT_READ;
}

static bool
tls_pending(void *ctx)
{
	return SSL_has_pending(ctx) == 1;
}

/* close_notify, then the end of TCP: a client that minds knows that nothing was cut. */
static int
tls_finish(void *ctx, int fd)
{
	SSL *ssl = ctx;

	ERR_clear_error();
	const int told = SSL_shutdown(ssl);
	if (told < 0 && SSL_get_error(ssl, told) == SSL_ERROR_WANT_WRITE)
		return 0;
	if (told < 0)
		session_break(ssl);
	return shutdown(fd, SHUT_WR) == 0 ? 1 : -1;
}

static void
tls_close(void *ctx, int fd)
{
	SSL *ssl = ctx;

	ERR_clear_error();
	/* As far as the socket takes it. Before the end of the handshake it would be an error. */
	if (SSL_is_init_finished(ssl))
		(void)SSL_shutdown(ssl);
	ERR_clear_error();
	SSL_free(ssl);
	(void)close(fd);
}

const struct http_io http_io_tls = {
	.handshake = tls_handshake,
	.recv = tls_recv,
	.send = tls_send,
	.waits = tls_waits,
	.pending = tls_pending,
	.finish = tls_finish,
	.close = tls_close,
};
