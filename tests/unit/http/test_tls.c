/*
 * test_tls.c — the server under TLS, with OpenSSL as the client in the same loop: pairs that are refused, partial writes, bytes that
 * OpenSSL holds, a handshake and a close that wait for the socket, key updates, renewal, deadlines.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "http/client.h"
#include "http/server.h"
#include "tests/unit/http/talk.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define SLEEP_US (300 * USEC_PER_MS)
#define SMALL_BUFFER 4096

static char dir[] = "/tmp/test-tls-XXXXXX";
static char paths[8][64];
static struct http_tls *tls;
static SSL_CTX *client_ctx;
static char big[4 * 1024 * 1024];

/* ---- certificates ---- */

static EVP_PKEY *
key_make(bool rsa)
{
	EVP_PKEY *k = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	ck_assert_ptr_nonnull(k);
	return k;
}

static void
extension_add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* `pad` bytes of comment make a chain that does not fit into a small socket buffer. */
static X509 *
certificate_make(EVP_PKEY *k, long serial, long days, size_t pad)
{
	X509 *x = X509_new();
	ck_assert_int_eq(X509_set_version(x, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), days * 86400);
	X509_NAME *name = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
				   0);
	X509_set_issuer_name(x, name);
	extension_add(x, NID_subject_alt_name, "IP:127.0.0.1");
	if (pad > 0) {
		char *text = malloc(pad + 1);
		ck_assert_ptr_nonnull(text);
		memset(text, 'x', pad);
		text[pad] = '\0';
		extension_add(x, NID_netscape_comment, text);
		free(text);
	}
	X509_set_pubkey(x, k);
	ck_assert_int_gt(X509_sign(x, k, EVP_sha256()), 0);
	return x;
}

static const char *
path_of(unsigned i)
{
	(void)snprintf(paths[i], sizeof(paths[i]), "%s/%u.pem", dir, i);
	return paths[i];
}

/* Pair n: certificate in file 2n, key in file 2n + 1. */
static void
pair_write(unsigned n, bool rsa, long serial, long days, size_t pad)
{
	EVP_PKEY *k = key_make(rsa);
	X509 *x = certificate_make(k, serial, days, pad);
	FILE *f = fopen(path_of(2 * n), "we");
	ck_assert(f != NULL && PEM_write_X509(f, x) == 1 && fclose(f) == 0);
	f = fopen(path_of(2 * n + 1), "we");
	ck_assert(f != NULL && PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1 &&
		  fclose(f) == 0);
	X509_free(x);
	EVP_PKEY_free(k);
}

static struct http_tls *
pair_read(unsigned n)
{
	struct err_info info = { .code = ERR_OK };
	struct http_tls *t = NULL;
	ck_assert_msg(http_tls_create(path_of(2 * n), path_of(2 * n + 1), &t, &info) == ERR_OK,
		      "%s", info.msg);
	return t;
}

/* ---- the server of the test ---- */

static enum step
hello(struct task *t)
{
	return http_reply(t, 200, "text/plain", STR("hello"));
}

static enum step
number(struct task *t)
{
	const struct str n = http_param(t, "n");
	return http_reply_json(t, 200, str_of(arena_printf(&t->t_arena, "<%.*s>", STR_FMT(n))));
}

static enum step
doze(struct task *t)
{
	return task_sleep(t, SLEEP_US);
}

static uint32_t
sum_of(const char *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + (unsigned char)p[i];
	return sum;
}

static enum step
body_sum(struct task *t)
{
	const struct str b = http_body(t);
	return http_reply_json(
		t, 200, str_of(arena_printf(&t->t_arena, "<%zu:%u>", b.len, sum_of(b.p, b.len))));
}

static enum step
big_reply(struct task *t)
{
	return http_reply(t, 200, "text/plain", (struct str) { big, sizeof(big) });
}

static struct http_stream *stream;
static unsigned streams_ended;

static void
stream_ended(void *arg)
{
	(void)arg;
	streams_ended++;
	stream = NULL;
}

static enum step
stream_open(struct task *t)
{
	stream = http_stream_begin(
		t, &(struct http_stream_conf) { .content_type = "text/event-stream",
						.waiting_max = HTTP_STREAM_WAITING_MAX,
						.ended = stream_ended });
	ck_assert_ptr_nonnull(stream);
	return STEP_DONE;
}

static const struct step_row hello_steps[] = { { "hello", hello }, { 0 } };
static const struct step_row number_steps[] = { { "number", number }, { 0 } };
static const struct step_row slow_steps[] = { { "doze", doze }, { "number", number }, { 0 } };
static const struct step_row sum_steps[] = { { "sum", body_sum }, { 0 } };
static const struct step_row big_steps[] = { { "big", big_reply }, { 0 } };
static const struct step_row stream_steps[] = { { "open", stream_open }, { 0 } };

static const struct http_route routes[] = {
	{ .method = HTTP_GET, .pattern = "/hello", .name = "test.hello", .steps = hello_steps },
	{ .method = HTTP_GET, .pattern = "/n/{n:int}", .name = "test.n", .steps = number_steps },
	{ .method = HTTP_GET,
	  .pattern = "/slow/{n:int}",
	  .name = "test.slow",
	  .steps = slow_steps },
	{ .method = HTTP_POST, .pattern = "/sum", .name = "test.sum", .steps = sum_steps },
	{ .method = HTTP_GET, .pattern = "/big", .name = "test.big", .steps = big_steps },
	{ .method = HTTP_GET, .pattern = "/stream", .name = "test.stream", .steps = stream_steps },
};

static void
up(unsigned pair, const struct http_conf *conf)
{
	struct http_conf c = *conf;
	(void)signal(SIGPIPE, SIG_IGN);
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	pair_write(0, false, 1, 30, 0);
	pair_write(1, false, 2, 30, 0);
	if (pair == 2)
		pair_write(2, false, 3, 30, 60000);
	tls = pair_read(pair);
	c.tls = tls;
	server_start_with(&c, routes, ARRAY_LEN(routes), 64);
	client_ctx = SSL_CTX_new(TLS_client_method());
	ck_assert_ptr_nonnull(client_ctx);
	(void)SSL_CTX_set_mode(client_ctx,
			       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)('a' + i % 23);
}

static void
setup(void)
{
	up(0, &(struct http_conf) { 0 });
}

static void
teardown(void)
{
	server_stop();
	http_tls_destroy(tls);
	SSL_CTX_free(client_ctx);
	for (unsigned i = 0; i < ARRAY_LEN(paths); i++)
		(void)unlink(path_of(i));
	(void)rmdir(dir);
}

/* Turns the loop until it is so. */
#define AWAIT(cond)                                                                                \
	do {                                                                                       \
		const usec_t await_end = clock_now_us() + WAIT_US;                                 \
		while (!(cond)) {                                                                  \
			ck_assert_msg(clock_now_us() < await_end, "not in time: %s", #cond);       \
			loop_turn(loop, false);                                                    \
		}                                                                                  \
	} while (0)

/* ---- a client ---- */

/* Turns the loop until `call` neither wants to read nor to write. */
#define TURN(ssl, result, call)                                                                    \
	do {                                                                                       \
		const usec_t turn_end = clock_now_us() + WAIT_US;                                  \
		for (;;) {                                                                         \
			ERR_clear_error();                                                         \
			result = (call);                                                           \
			const int turn_error = SSL_get_error(ssl, result);                         \
			if (turn_error != SSL_ERROR_WANT_READ &&                                   \
			    turn_error != SSL_ERROR_WANT_WRITE)                                    \
				break;                                                             \
			ck_assert_msg(clock_now_us() < turn_end, "%s takes too long", #call);      \
			loop_turn(loop, false);                                                    \
		}                                                                                  \
	} while (0)

static SSL *
tls_client_on(int fd)
{
	int done = 0;
	SSL *ssl = SSL_new(client_ctx);
	ck_assert_int_eq(evutil_make_socket_nonblocking(fd), 0);
	ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
	SSL_set_connect_state(ssl);
	TURN(ssl, done, SSL_do_handshake(ssl));
	ck_assert_int_eq(done, 1);
	return ssl;
}

static SSL *
tls_client(void)
{
	return tls_client_on(client());
}

static void
tls_end(SSL *ssl)
{
	const int fd = SSL_get_fd(ssl);
	SSL_free(ssl);
	(void)close(fd);
}

static void
tls_say_bytes(SSL *ssl, const char *p, size_t n)
{
	while (n > 0) {
		int sent = 0;
		TURN(ssl, sent, SSL_write(ssl, p, (int)MIN(n, 65536)));
		ck_assert_int_gt(sent, 0);
		p += sent;
		n -= (size_t)sent;
	}
}

static void
tls_say(SSL *ssl, const char *text)
{
	tls_say_bytes(ssl, text, strlen(text));
}

static const char *
tls_hear_times(SSL *ssl, const char *what, unsigned n)
{
	buf_reset(&seen);
	while (count(what) < n) {
		char part[16384];
		int got = 0;
		TURN(ssl, got, SSL_read(ssl, part, sizeof(part)));
		ck_assert_msg(got > 0, "ended before \"%s\" came %u times: %s", what, n,
			      buf_cstr(&seen));
		buf_add(&seen, part, (size_t)got);
	}
	return buf_cstr(&seen);
}

static const char *
tls_hear(SSL *ssl, const char *what)
{
	return tls_hear_times(ssl, what, 1);
}

/* All until the server closes; it must do so with close_notify. */
static const char *
tls_hear_end(SSL *ssl)
{
	buf_reset(&seen);
	for (;;) {
		char part[16384];
		int got = 0;
		TURN(ssl, got, SSL_read(ssl, part, sizeof(part)));
		if (got <= 0) {
			ck_assert_int_eq(SSL_get_error(ssl, got), SSL_ERROR_ZERO_RETURN);
			return buf_cstr(&seen);
		}
		buf_add(&seen, part, (size_t)got);
	}
}

static long
serial_of(SSL *ssl)
{
	return ASN1_INTEGER_get(X509_get0_serialNumber(SSL_get0_peer_certificate(ssl)));
}

/* Small buffers on both sides: what is written waits for what is read. */
static int
narrow_client(void)
{
	const int small = SMALL_BUFFER;
	ck_assert_int_eq(setsockopt(listen_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	return client_with(SMALL_BUFFER);
}

/* ---- pairs ---- */

START_TEST(pairs_are_checked)
{
	const struct {
		const char *certificate, *key, *field, *has;
	} rows[] = {
		{ path_of(0), path_of(3), "key", "is not that of" },        /* another key */
		{ path_of(0), path_of(5), "key", "is not that of" },        /* of another kind */
		{ path_of(1), path_of(1), "certificate", "could not use" }, /* no certificate */
		{ path_of(0), path_of(0), "key", "could not use" },         /* no key */
		{ "/nowhere", path_of(1), "certificate", "No such file" },
		{ path_of(0), "/nowhere", "key", "No such file" },
	};
	pair_write(2, true, 3, 30, 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err_info info = { .code = ERR_OK };
		struct http_tls *t = tls;
		ck_assert_int_eq(http_tls_create(rows[i].certificate, rows[i].key, &t, &info),
				 ERR_CONFIG);
		ck_assert_ptr_null(t);
		ck_assert_str_eq(info.field, rows[i].field);
		ck_assert_msg(strstr(info.msg, rows[i].has) != NULL, "row %zu: %s", i, info.msg);
		ck_assert_uint_eq(ERR_peek_error(), 0);
	}
	usec_t from = 0;
	usec_t until = 0;
	http_tls_validity(tls, &from, &until);
	const usec_t now = clock_wall_us();
	ck_assert(from < now && from > now - 2 * 3600 * USEC_PER_SEC);
	ck_assert(until > now + 29 * 86400 * USEC_PER_SEC &&
		  until < now + 31 * 86400 * USEC_PER_SEC);
}
END_TEST

/* ---- requests ---- */

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

START_TEST(a_connection_lasts)
{
	SSL_CTX_set_min_proto_version(client_ctx, versions[_i]);
	SSL_CTX_set_max_proto_version(client_ctx, versions[_i]);
	SSL *ssl = tls_client();
	ck_assert_int_eq(SSL_version(ssl), versions[_i]);
	for (int i = 0; i < 3; i++) {
		tls_say(ssl, GET("/hello"));
		HAS(tls_hear(ssl, "hello"), "HTTP/1.1 200 OK\r\n");
	}
	ck_assert_uint_eq(http_server_connections(server), 1);
	ck_assert_int_eq(server->live->state, HTTP_IDLE);
	ck_assert_ptr_null(server->live->in.p);
	ck_assert_ptr_null(server->live->out.p);
	tls_say(ssl, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	HAS(tls_hear_end(ssl), "Connection: close\r\n\r\nhello");
	tls_end(ssl);
	AWAIT(http_server_connections(server) == 0);
}
END_TEST

/* Each request in a record of its own, all there at once: far more than one read takes. */
START_TEST(nothing_stays_unread)
{
	enum { MANY = 400 };
	char text[96];
	SSL *ssl = tls_client();
	/* While this one sleeps, reading stops with the read-ahead full. */
	tls_say(ssl, GET("/slow/1"));
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(text, sizeof(text), "GET /n/%u HTTP/1.1\r\nHost: %060d\r\n\r\n",
			       1000 + i, 0);
		tls_say(ssl, text);
	}
	const char *all = tls_hear_times(ssl, "HTTP/1.1 200 OK", MANY + 1);
	if (strstr(all, "<1399>") == NULL)
		all = tls_hear(ssl, "<1399>");
	/* In order to the last, and then nobody spins on bytes that are not there. */
	HAS(all, "<1399>");
	static const char last[] = GET("/hello");
	tls_say_bytes(ssl, last, 10);
	AWAIT(server->live->state == HTTP_IN_HEAD);
	tls_say_bytes(ssl, &last[10], sizeof(last) - 11);
	HAS(tls_hear(ssl, "hello"), "200 OK");
	tls_end(ssl);
}
END_TEST

START_TEST(a_record_may_come_byte_by_byte)
{
	BIO *in = BIO_new(BIO_s_mem());
	BIO *out = BIO_new(BIO_s_mem());
	const int fd = client();
	SSL *ssl = SSL_new(client_ctx);
	int done = 0;
	char part[16384];
	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	const usec_t end = clock_now_us() + WAIT_US;
	bool asked = false;
	buf_reset(&seen);
	while (strstr(buf_cstr(&seen), "hello") == NULL) {
		ck_assert(clock_now_us() < end);
		if (done != 1)
			done = SSL_do_handshake(ssl);
		if (done == 1 && !asked)
			asked = SSL_write(ssl, GET("/hello"), sizeof(GET("/hello")) - 1) > 0;
		char one;
		while (BIO_read(out, &one, 1) == 1) {
			say_bytes(fd, &one, 1);
			loop_turn(loop, false);
		}
		loop_turn(loop, false);
		const ssize_t n = recv(fd, part, sizeof(part), MSG_DONTWAIT);
		if (n > 0)
			(void)BIO_write(in, part, (int)n);
		const int got = SSL_read(ssl, part, sizeof(part));
		if (got > 0)
			buf_add(&seen, part, (size_t)got);
	}
	SSL_free(ssl);
	(void)close(fd);
}
END_TEST

START_TEST(bodies_and_partial_writes)
{
	char want[64];
	const size_t n = 1024 * 1024;
	SSL *ssl = tls_client_on(narrow_client());
	(void)snprintf(want, sizeof(want),
		       "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", n);
	tls_say(ssl, want);
	tls_say_bytes(ssl, big, n);
	(void)snprintf(want, sizeof(want), "<%zu:%u>", n, sum_of(big, n));
	(void)tls_hear(ssl, want);
	/* The answer waits in pieces; what is asked meanwhile comes behind it. */
	tls_say(ssl, GET("/big") GET("/n/7"));
	AWAIT(server->live->writing);
	ck_assert_uint_gt(server->live->out.len, sizeof(big) / 2);
	const char *all = tls_hear(ssl, "<7>");
	const char *body = strstr(all, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	ck_assert_uint_gt(seen.len, sizeof(big));
	ck_assert_int_eq(memcmp(body + 4, big, sizeof(big)), 0);
	tls_end(ssl);
}
END_TEST

/* ---- waiting both ways ---- */

START_TEST(a_handshake_waits_for_the_socket)
{
	const int fd = narrow_client();
	SSL *ssl = SSL_new(client_ctx);
	ck_assert_int_eq(evutil_make_socket_nonblocking(fd), 0);
	ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
	SSL_set_connect_state(ssl);
	ck_assert_int_le(SSL_do_handshake(ssl), 0);
	/* The hello is out; nobody reads the certificate, which is larger than all buffers. */
	AWAIT(server->live != NULL && server->live->recv_blocked);
	ck_assert_int_eq(server->live->state, HTTP_HANDSHAKE);
	ck_assert(server->live->writing);
	int done = 0;
	TURN(ssl, done, SSL_do_handshake(ssl));
	ck_assert_int_eq(done, 1);
	tls_say(ssl, GET("/hello"));
	(void)tls_hear(ssl, "hello");
	ck_assert(!server->live->recv_blocked && !server->live->writing);
	tls_end(ssl);
}
END_TEST

/* All hellos are there at once: each turn goes on with a few, and every one is served. */
START_TEST(many_come_at_once)
{
	enum { MANY = 40 };
	SSL *ssl[MANY];
	unsigned agreed = 0;
	for (unsigned i = 0; i < MANY; i++) {
		ssl[i] = SSL_new(client_ctx);
		const int fd = client();
		ck_assert_int_eq(evutil_make_socket_nonblocking(fd), 0);
		ck_assert_int_eq(SSL_set_fd(ssl[i], fd), 1);
		SSL_set_connect_state(ssl[i]);
		ck_assert_int_le(SSL_do_handshake(ssl[i]), 0);
	}
	AWAIT(http_server_connections(server) == MANY);
	const usec_t end = clock_now_us() + WAIT_US;
	while (agreed < MANY) {
		ck_assert(clock_now_us() < end);
		loop_turn(loop, false);
		const unsigned before = agreed;
		agreed = 0;
		for (unsigned i = 0; i < MANY; i++)
			agreed += SSL_do_handshake(ssl[i]) == 1;
		ck_assert_uint_le(agreed - before, 2 * HTTP_HANDSHAKES_PER_TURN);
	}
	for (unsigned i = 0; i < MANY; i++) {
		tls_say(ssl[i], GET("/hello"));
		(void)tls_hear(ssl[i], "hello");
		tls_end(ssl[i]);
	}
}
END_TEST

START_TEST(a_close_waits_for_the_socket)
{
	SSL *ssl = tls_client_on(narrow_client());
	tls_say(ssl, "GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	AWAIT(server->live->state == HTTP_CLOSING && server->live->writing);
	const char *all = tls_hear_end(ssl);
	ck_assert_uint_gt(seen.len, sizeof(big));
	ck_assert_int_eq(memcmp(strstr(all, "\r\n\r\n") + 4, big, sizeof(big)), 0);
	tls_end(ssl);
}
END_TEST

START_TEST(keys_are_changed_on_the_way)
{
	SSL_CTX_set_min_proto_version(client_ctx, TLS1_3_VERSION);
	SSL *ssl = tls_client();
	for (unsigned i = 0; i < 50; i++) {
		int done = 0;
		ck_assert_int_eq(SSL_key_update(ssl, i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED
								: SSL_KEY_UPDATE_NOT_REQUESTED),
				 1);
		TURN(ssl, done, SSL_do_handshake(ssl));
		ck_assert_int_eq(done, 1);
		if (i % 3 == 0) {
			tls_say(ssl, GET("/hello"));
			(void)tls_hear(ssl, "hello");
		}
	}
	tls_end(ssl);
}
END_TEST

START_TEST(nobody_renegotiates)
{
	SSL_CTX_set_max_proto_version(client_ctx, TLS1_2_VERSION);
	SSL *ssl = tls_client();
	int done = 0;
	ck_assert_int_eq(SSL_renegotiate(ssl), 1);
	TURN(ssl, done, SSL_do_handshake(ssl));
	ck_assert_int_ne(done, 1);
	ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	tls_end(ssl);
	ssl = tls_client();
	tls_say(ssl, GET("/hello"));
	(void)tls_hear(ssl, "hello");
	tls_end(ssl);
}
END_TEST

/* Keys change while nothing is said, requests behind it are not looked at, a piece larger than the socket's buffer arrives whole, and
 * the end is said. */
START_TEST(a_stream)
{
	SSL_CTX_set_min_proto_version(client_ctx, TLS1_3_VERSION);
	SSL *ssl = tls_client_on(narrow_client());
	tls_say(ssl, GET("/stream") GET("/hello"));
	HAS(tls_hear(ssl, "\r\n\r\n"), "text/event-stream");
	for (unsigned i = 0; i < 10; i++) {
		int done = 0;
		ck_assert(http_stream_write(stream, STR("one\n")));
		HAS_NOT(tls_hear(ssl, "one\n"), "hello");
		ck_assert_int_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		TURN(ssl, done, SSL_do_handshake(ssl));
		ck_assert_int_eq(done, 1);
		tls_say(ssl, GET("/hello"));
		pump(2 * USEC_PER_MS);
	}
	ck_assert(http_stream_write(stream, (struct str) { big, 200000 }));
	loop_turn(loop, false);
	ck_assert(http_stream_write(stream, (struct str) { big + 200000, 200000 }));
	http_stream_close(stream, STR("last"));
	(void)tls_hear_end(ssl);
	ck_assert_uint_eq(buf_str(&seen).len, 400004);
	ck_assert_uint_eq(sum_of(buf_str(&seen).p, 400000), sum_of(big, 400000));
	ck_assert_uint_eq(streams_ended, 0);
	tls_end(ssl);
	/* One that closes its side, and one that cuts the connection. */
	for (unsigned i = 0; i < 2; i++) {
		ssl = tls_client();
		tls_say(ssl, GET("/stream"));
		(void)tls_hear(ssl, "\r\n\r\n");
		if (i == 0)
			ck_assert_int_eq(SSL_shutdown(ssl), 0);
		else
			(void)shutdown(SSL_get_fd(ssl), SHUT_RDWR);
		AWAIT(streams_ended == i + 1);
		tls_end(ssl);
	}
}
END_TEST

/* ---- ends ---- */

START_TEST(a_client_that_closes_its_side_is_answered)
{
	SSL *ssl = tls_client();
	tls_say(ssl, GET("/n/1") GET("/n/2"));
	ck_assert_int_eq(SSL_shutdown(ssl), 0);
	const char *all = tls_hear_end(ssl);
	HAS(all, "<1>");
	HAS(all, "<2>");
	tls_end(ssl);
}
END_TEST

START_TEST(a_client_that_cuts_the_connection_has_left)
{
	SSL *ssl = tls_client();
	const int64_t before = metric_value(http_metrics()->hangups);
	tls_say(ssl, GET("/slow/1"));
	AWAIT(server->live->state == HTTP_IN_TASK);
	(void)shutdown(SSL_get_fd(ssl), SHUT_WR);
	AWAIT(metric_value(http_metrics()->hangups) == before + 1);
	ck_assert_uint_eq(http_server_connections(server), 0);
	tls_end(ssl);
}
END_TEST

static const struct {
	const char *bytes;
	size_t n;
	enum http_tls_failure why;
} junk[] = {
	{ GET("/hello"), sizeof(GET("/hello")) - 1, HTTP_TLS_PLAIN },
	{ "PATCH /hello HTTP/1.1\r\nHost: x\r\n\r\n", 34, HTTP_TLS_OTHER },
	{ "\x16\x03\x01\xff\xff", 5, HTTP_TLS_OTHER },
	{ "\x17\x03\x03\x00\x05xxxxx", 10, HTTP_TLS_OTHER },
	{ "\x15\x03\x03\x00\x02\x02\x28", 7, HTTP_TLS_OTHER },
	{ "", 0, HTTP_TLS_LEFT },
};

START_TEST(what_is_not_tls_is_closed_and_counted)
{
	const struct metric *m = http_metrics()->tls_failed[junk[_i].why];
	const int64_t before = metric_value(m);
	const int fd = client();
	say_bytes(fd, junk[_i].bytes, junk[_i].n);
	if (junk[_i].n == 0)
		(void)shutdown(fd, SHUT_WR);
	HAS_NOT(hear_end(fd), "HTTP");
	ck_assert_int_eq(metric_value(m), before + 1);
	AWAIT(http_server_connections(server) == 0);
	(void)close(fd);
}
END_TEST

START_TEST(a_handshake_has_a_deadline)
{
	const struct metric *m = http_metrics()->timeouts[HTTP_TIMEOUT_HANDSHAKE];
	const int64_t before = metric_value(m);
	server->conf.head_deadline = 50 * USEC_PER_MS;
	const int fd = client();
	say_bytes(fd, "\x16\x03\x01", 3);
	(void)hear_end(fd);
	ck_assert_int_eq(metric_value(m), before + 1);
	(void)close(fd);
	/* Once it is through, the idle deadline holds. */
	SSL *ssl = tls_client();
	pump(100 * USEC_PER_MS);
	tls_say(ssl, GET("/hello"));
	(void)tls_hear(ssl, "hello");
	tls_end(ssl);
}
END_TEST

START_TEST(a_new_pair_holds_for_new_connections)
{
	SSL *old = tls_client();
	ck_assert_int_eq(serial_of(old), 1);
	struct http_tls *fresh = pair_read(1);
	http_tls_swap(tls, fresh);
	http_tls_destroy(fresh);
	SSL *new = tls_client();
	ck_assert_int_eq(serial_of(new), 2);
	tls_say(old, GET("/hello"));
	(void)tls_hear(old, "hello");
	tls_say(new, GET("/hello"));
	(void)tls_hear(new, "hello");
	tls_end(old);
	tls_end(new);
}
END_TEST

/* ---- our own client ---- */

static struct {
	struct http_client *client;
	bool ended;
	int status;
	enum err err;
	char why[sizeof(((struct err_info *)NULL)->msg)];
} asked;

static enum step
ask(struct task *t)
{
	return http_client_wait(
		asked.client, t,
		&(struct http_client_call) { .method = HTTP_GET, .url = STR("/hello") });
}

static enum step
answer(struct task *t)
{
	asked.status = http_client_status(http_client_reply(t, 0));
	return STEP_DONE;
}

static void
ask_end(struct task *t, void *arg)
{
	(void)arg;
	asked.ended = true;
	asked.err = t->t_err.code;
	memcpy(asked.why, t->t_err.msg, sizeof(asked.why));
}

static const struct {
	int ca; /* pair, -1: the system's roots */
	const char *host;
	enum err err;
} asks[] = {
	{ 0, "127.0.0.1", ERR_OK },
	{ 1, "127.0.0.1", ERR_UPSTREAM },
	{ -1, "127.0.0.1", ERR_UPSTREAM },
	{ 0, "localhost", ERR_UPSTREAM }, /* not a name of the certificate */
};

START_TEST(our_client_verifies)
{
	static const struct step_row steps[] = { { "ask", ask }, { "answer", answer }, { 0 } };
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	char base[64];
	struct task *t = NULL;
	ck_assert_int_eq(getsockname(listen_fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(base, sizeof(base), "https://%s:%u", asks[_i].host, ntohs(in.sin_port));
	memset(&asked, 0, sizeof(asked));
	asked.client = http_client_create(
		loop, engine,
		&(struct http_client_conf) {
			.base = base,
			.ca_file = asks[_i].ca < 0 ? NULL : path_of(2 * (unsigned)asks[_i].ca),
		});
	ck_assert_int_eq(task_start(engine, "ask", steps, clock_now_us() + WAIT_US, ARENA_CAP_BYTES,
				    ask_end, NULL, &t),
			 ERR_OK);
	AWAIT(asked.ended);
	ck_assert_msg(asked.err == asks[_i].err, "%s", asked.why);
	ck_assert_int_eq(asked.status, asked.err == ERR_OK ? 200 : 0);
	if (asked.err != ERR_OK)
		HAS(asked.why, "certificate");
	http_client_destroy(asked.client);
}
END_TEST

static const struct {
	const char *url;
	bool safe;
} places[] = {
	{ "http://127.0.0.1:7410", true },
	{ "http://127.9.9.9", true },
	{ "http://localhost:7410/", true },
	{ "http://[::1]:7410", true },
	{ "https://core.example.org", true },
	{ "http://core.example.org", false },
	{ "http://10.0.0.1:7410", false },
	{ "http://127.0.0.1.example.org", false },
	{ "http://127.0.0.1@example.org", false },
	{ "http://localhost.example.org", false },
	{ "core.example.org", false },
	{ "ftp://127.0.0.1", false },
	{ "", false },
};

START_TEST(a_token_is_not_sent_in_the_clear)
{
	ck_assert_msg(http_client_is_safe(places[_i].url) == places[_i].safe, "%s", places[_i].url);
}
END_TEST

static void
drained(void *arg)
{
	*(bool *)arg = true;
}

START_TEST(a_stop_closes_in_order)
{
	bool done = false;
	SSL *idle = tls_client();
	const int half = client();
	AWAIT(http_server_connections(server) == 2);
	http_server_drain(server, drained, &done);
	ck_assert_str_eq(tls_hear_end(idle), "");
	(void)hear_end(half);
	AWAIT(done);
	tls_end(idle);
	(void)close(half);
}
END_TEST

START_TEST(a_full_server_closes)
{
	server->conf.max_connections = 1;
	SSL *ssl = tls_client();
	const int fd = client();
	HAS_NOT(hear_end(fd), "HTTP");
	(void)close(fd);
	tls_end(ssl);
}
END_TEST

static void
setup_large(void)
{
	up(2, &(struct http_conf) { 0 });
}

static Suite *
suite(void)
{
	Suite *s = suite_create("http/tls");
	TCase *c = tcase_create("tls");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, pairs_are_checked);
	tcase_add_loop_test(c, a_connection_lasts, 0, ARRAY_LEN(versions));
	tcase_add_test(c, nothing_stays_unread);
	tcase_add_test(c, a_record_may_come_byte_by_byte);
	tcase_add_test(c, bodies_and_partial_writes);
	tcase_add_test(c, many_come_at_once);
	tcase_add_test(c, a_close_waits_for_the_socket);
	tcase_add_test(c, keys_are_changed_on_the_way);
	tcase_add_test(c, nobody_renegotiates);
	tcase_add_test(c, a_stream);
	tcase_add_test(c, a_client_that_closes_its_side_is_answered);
	tcase_add_test(c, a_client_that_cuts_the_connection_has_left);
	tcase_add_loop_test(c, what_is_not_tls_is_closed_and_counted, 0, ARRAY_LEN(junk));
	tcase_add_test(c, a_handshake_has_a_deadline);
	tcase_add_test(c, a_new_pair_holds_for_new_connections);
	tcase_add_loop_test(c, our_client_verifies, 0, ARRAY_LEN(asks));
	tcase_add_loop_test(c, a_token_is_not_sent_in_the_clear, 0, ARRAY_LEN(places));
	tcase_add_test(c, a_stop_closes_in_order);
	tcase_add_test(c, a_full_server_closes);
	suite_add_tcase(s, c);
	c = tcase_create("large certificate");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup_large, teardown);
	tcase_add_test(c, a_handshake_waits_for_the_socket);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
