/*
 * test_client.c — the client against our own server in the same loop: replies, headers, limits, times, keep-alive, and what is
 * refused before it is sent.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/client.h"
#include "tests/unit/http/talk.h"

static struct http_client *asker;

/* ---- the server's side ---- */

static enum step
echo(struct task *t)
{
	struct buf b;

	buf_init(&b, 1024 * 1024);
	buf_printf(&b, "%s|%.*s|%.*s|%.*s|%.*s", http_method_name(http_method_of(t)),
		   STR_FMT(http_target(t)),
		   STR_FMT(http_header(t, "Content-Type").p != NULL ? http_header(t, "Content-Type")
								    : STR("-")),
		   STR_FMT(http_header(t, "Authorization").p != NULL
				   ? http_header(t, "Authorization")
				   : STR("-")),
		   STR_FMT(http_body(t)));
	http_reply_header(t, "X-Echo", STR("yes"));
	const enum step done = http_reply(t, 202, "text/plain", buf_str(&b));
	buf_free(&b);
	return done;
}

static enum step
slow(struct task *t)
{
	return task_sleep(t, 2 * USEC_PER_SEC);
}

static enum step
large(struct task *t)
{
	static char bytes[100 * 1024];
	memset(bytes, 'x', sizeof(bytes));
	return http_reply(t, 200, "text/plain", (struct str) { bytes, sizeof(bytes) });
}

static const struct step_row echo_steps[] = { { "echo", echo }, { NULL, NULL } };
static const struct step_row slow_steps[] = { { "slow", slow }, { "echo", echo }, { NULL, NULL } };
static const struct step_row large_steps[] = { { "large", large }, { NULL, NULL } };
static const struct http_route routes[] = {
	{ .method = HTTP_GET, .pattern = "/echo", .name = "t.get", .steps = echo_steps },
	{ .method = HTTP_POST, .pattern = "/echo", .name = "t.post", .steps = echo_steps },
	{ .method = HTTP_DELETE, .pattern = "/echo", .name = "t.delete", .steps = echo_steps },
	{ .method = HTTP_GET, .pattern = "/slow", .name = "t.slow", .steps = slow_steps },
	{ .method = HTTP_GET, .pattern = "/large", .name = "t.large", .steps = large_steps },
};

/* ---- the client's side ---- */

static struct {
	struct http_client_call call;
	bool ended;
	enum err err;
	int status;
	char body[512];
	char echo[16];
} got;

static enum step
ask(struct task *t)
{
	return http_client_wait(asker, t, &got.call);
}

static enum step
look(struct task *t)
{
	const struct http_client_reply *r = http_client_reply(t, 0);
	ck_assert_ptr_nonnull(r);
	got.status = http_client_status(r);
	(void)str_copy(got.body, sizeof(got.body), http_client_body(r));
	(void)str_copy(got.echo, sizeof(got.echo), http_client_header(r, "x-echo"));
	ck_assert_ptr_null(http_client_header(r, "x-none").p);
	return STEP_DONE;
}

static const struct step_row ask_steps[] = { { "ask", ask }, { "look", look }, { NULL, NULL } };

static void
asked(struct task *t, void *arg)
{
	(void)arg;
	got.ended = true;
	got.err = t->t_cancel == TASK_DEADLINE ? ERR_TIMEOUT : t->t_err.code;
}

static void
start(const struct http_client_call *call, usec_t deadline)
{
	struct task *t = NULL;

	memset(&got, 0, sizeof(got));
	got.call = *call;
	ck_assert_int_eq(task_start(engine, "ask", ask_steps, clock_now_us() + deadline,
				    ARENA_CAP_BYTES, asked, NULL, &t),
			 ERR_OK);
}

static void
run(const struct http_client_call *call)
{
	start(call, 4 * USEC_PER_SEC);
	const usec_t end = clock_now_us() + WAIT_US;
	while (!got.ended && clock_now_us() < end)
		pump(USEC_PER_MS);
	ck_assert(got.ended);
}

static char base[64];

static void
up(void)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	server_start_with(&(struct http_conf) { .max_connections = 10 }, routes,
			  sizeof(routes) / sizeof(routes[0]), 100);
	ck_assert_int_eq(getsockname(listen_fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(base, sizeof(base), "http://127.0.0.1:%u", ntohs(in.sin_port));
	asker = http_client_create(loop, engine,
				   &(struct http_client_conf) { .base = base,
								.token = "secret",
								.reply_max = 64 * 1024 });
}

static void
down(void)
{
	http_client_destroy(asker);
	server_stop();
}

START_TEST(test_asks)
{
	const struct http_client_header headers[] = { { STR("X-Empty"), STR("") } };
	static const struct {
		enum http_method method;
		const char *body;
		const char *want;
	} rows[] = {
		{ HTTP_GET, NULL, "GET|/echo?a=1|-|Bearer secret|" },
		{ HTTP_POST, "{\"x\":1}",
		  "POST|/echo?a=1|application/json|Bearer secret|{\"x\":1}" },
		{ HTTP_POST, "", "POST|/echo?a=1|application/json|Bearer secret|" },
		{ HTTP_DELETE, NULL, "DELETE|/echo?a=1|-|Bearer secret|" },
	};
	up();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(&(struct http_client_call) { .method = rows[i].method,
						 .url = STR("/echo?a=1"),
						 .body = str_of(rows[i].body),
						 .headers = headers,
						 .n_headers = 1 });
		ck_assert_int_eq(got.err, ERR_OK);
		ck_assert_int_eq(got.status, 202);
		ck_assert_str_eq(got.body, rows[i].want);
		ck_assert_str_eq(got.echo, "yes");
	}
	/* One connection served them all. */
	ck_assert_uint_eq(http_server_connections(server), 1);
	down();
}
END_TEST

START_TEST(test_a_status_is_no_error)
{
	up();
	run(&(struct http_client_call) { .method = HTTP_GET, .url = STR("/nothing") });
	ck_assert_int_eq(got.err, ERR_OK);
	ck_assert_int_eq(got.status, 404);
	down();
}
END_TEST

START_TEST(test_token_stays_at_home)
{
	char url[80];

	up();
	(void)snprintf(url, sizeof(url), "%s/echo", base);
	run(&(struct http_client_call) { .method = HTTP_GET, .url = str_of(url) });
	ck_assert_str_eq(got.body, "GET|/echo|-|-|");
	down();
}
END_TEST

START_TEST(test_no_proxy_from_the_environment)
{
	ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	up();
	run(&(struct http_client_call) { .method = HTTP_GET, .url = STR("/echo") });
	ck_assert_int_eq(got.err, ERR_OK);
	down();
	ck_assert_int_eq(unsetenv("http_proxy"), 0);
}
END_TEST

START_TEST(test_failures)
{
	static const struct {
		const char *url;
		usec_t timeout;
		enum err want;
	} rows[] = {
		{ "http://127.0.0.1:1/x", 0, ERR_UPSTREAM }, /* nobody there        */
		{ "file:///etc/passwd", 0, ERR_UPSTREAM },   /* not a protocol of ours */
		{ "/large", 0, ERR_UPSTREAM },               /* past the limit      */
		{ "/slow", 200 * USEC_PER_MS, ERR_TIMEOUT },
		{ "", 0, ERR_INVALID },
	};
	up();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(&(struct http_client_call) { .method = HTTP_GET,
						 .url = str_of(rows[i].url),
						 .timeout = rows[i].timeout });
		ck_assert_msg(got.err == rows[i].want, "%s: %d", rows[i].url, got.err);
	}
	down();
}
END_TEST

START_TEST(test_a_header_cannot_be_split)
{
	static const struct http_client_header bad[] = { { STR("X-A"), STR("b\r\nX-C: d") } };

	up();
	run(&(struct http_client_call) {
		.method = HTTP_GET, .url = STR("/echo"), .headers = bad, .n_headers = 1 });
	ck_assert_int_eq(got.err, ERR_INVALID);
	down();
}
END_TEST

START_TEST(test_task_ends_first)
{
	up();
	start(&(struct http_client_call) { .method = HTTP_GET, .url = STR("/slow") },
	      100 * USEC_PER_MS);
	pump(400 * USEC_PER_MS);
	ck_assert(got.ended);
	ck_assert_int_eq(got.err, ERR_TIMEOUT);
	down();
}
END_TEST

START_TEST(test_stopping)
{
	up();
	start(&(struct http_client_call) { .method = HTTP_GET, .url = STR("/slow") },
	      4 * USEC_PER_SEC);
	pump(50 * USEC_PER_MS);
	http_client_destroy(asker);
	asker = NULL;
	pump(20 * USEC_PER_MS);
	ck_assert(got.ended);
	ck_assert_int_eq(got.err, ERR_STOPPING);
	down();
}
END_TEST

START_TEST(test_too_many)
{
	up();
	for (unsigned i = 0; i < HTTP_CLIENT_CALLS_MAX; i++)
		start(&(struct http_client_call) { .method = HTTP_GET, .url = STR("/slow") },
		      USEC_PER_SEC);
	pump(10 * USEC_PER_MS);
	start(&(struct http_client_call) { .method = HTTP_GET, .url = STR("/slow") }, USEC_PER_SEC);
	pump(10 * USEC_PER_MS);
	ck_assert_int_eq(got.err, ERR_BUSY);
	down();
}
END_TEST

static bool
only_documentation(const struct sockaddr *address, void *arg)
{
	unsigned *asked = arg;
	const struct sockaddr_in *in = (const void *)address;

	(*asked)++;
	return address->sa_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 8 == 0xc00002;
}

/* What counts is the address that is connected to, however the URL writes it. */
START_TEST(test_a_peer_may_be_refused)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "2130706433", "0x7f.1" };
	unsigned asked = 0;
	char url[64];

	up();
	http_client_destroy(asker);
	asker = http_client_create(
		loop, engine,
		&(struct http_client_conf) { .peer_allowed = only_documentation, .arg = &asked });
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		(void)snprintf(url, sizeof(url), "http://%s%s/echo", hosts[i], strrchr(base, ':'));
		run(&(struct http_client_call) { .method = HTTP_POST, .url = str_of(url) });
		ck_assert_msg(got.err == ERR_FORBIDDEN, "%s: %d", url, got.err);
	}
	ck_assert_uint_ge(asked, sizeof(hosts) / sizeof(hosts[0]));
	down();
}
END_TEST

/* ---- a name with two addresses: the resolver's answer, in place of one that the network would have to give ---- */

static struct addrinfo *
one_address(const char *host, const char *port, struct addrinfo *next)
{
	struct addrinfo *a = calloc(1, sizeof(*a) + sizeof(struct sockaddr_in));
	struct sockaddr_in *in = (struct sockaddr_in *)(a + 1);
	*in = (struct sockaddr_in) { .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)strtol(port, NULL, 10)) };
	ck_assert_int_eq(inet_pton(AF_INET, host, &in->sin_addr), 1);
	*a = (struct addrinfo) { .ai_family = AF_INET,
				 .ai_socktype = SOCK_STREAM,
				 .ai_addrlen = sizeof(*in),
				 .ai_addr = (struct sockaddr *)in,
				 .ai_next = next };
	return a;
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints UNUSED,
	    struct addrinfo **out)
{
	const bool two = strcmp(node, "two.test") == 0;
	*out = one_address(two ? "127.0.0.2" : "127.0.0.1", service, NULL);
	if (two)
		*out = one_address("127.0.0.1", service, *out);
	return 0;
}

void
freeaddrinfo(struct addrinfo *a)
{
	while (a != NULL) {
		struct addrinfo *next = a->ai_next;
		free(a);
		a = next;
	}
}

static bool
but_for(const struct sockaddr *address, void *arg)
{
	char text[INET_ADDRSTRLEN];
	const struct sockaddr_in *in = (const void *)address;
	ck_assert_ptr_nonnull(inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)));
	return strstr(arg, text) == NULL;
}

/* Our server listens on 127.0.0.1 alone. */
START_TEST(test_of_two_addresses_the_allowed_one_alone_is_reached)
{
	static const struct {
		const char *refused;
		enum err want;
	} rows[] = {
		{ "127.0.0.2", ERR_OK },
		{ "127.0.0.1", ERR_UPSTREAM }, /* nobody there now; there may be another time */
		{ "127.0.0.1 127.0.0.2", ERR_FORBIDDEN },
	};
	char url[64];

	up();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		http_client_destroy(asker);
		asker = http_client_create(
			loop, engine,
			&(struct http_client_conf) { .peer_allowed = but_for,
						     .arg = (void *)(uintptr_t)rows[i].refused });
		(void)snprintf(url, sizeof(url), "http://two.test%s/echo", strrchr(base, ':'));
		run(&(struct http_client_call) { .method = HTTP_GET, .url = str_of(url) });
		ck_assert_msg(got.err == rows[i].want, "%s: %d", rows[i].refused, got.err);
		pump(20 * USEC_PER_MS);
		ck_assert_uint_eq(http_server_connections(server), rows[i].want == ERR_OK ? 1 : 0);
	}
	down();
}
END_TEST

static Suite *
client_suite(void)
{
	Suite *s = suite_create("http client");
	TCase *c = tcase_create("client");
	tcase_set_timeout(c, 30);
	tcase_add_test(c, test_asks);
	tcase_add_test(c, test_a_status_is_no_error);
	tcase_add_test(c, test_token_stays_at_home);
	tcase_add_test(c, test_no_proxy_from_the_environment);
	tcase_add_test(c, test_failures);
	tcase_add_test(c, test_a_header_cannot_be_split);
	tcase_add_test(c, test_task_ends_first);
	tcase_add_test(c, test_stopping);
	tcase_add_test(c, test_too_many);
	tcase_add_test(c, test_a_peer_may_be_refused);
	tcase_add_test(c, test_of_two_addresses_the_allowed_one_alone_is_reached);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(client_suite)
