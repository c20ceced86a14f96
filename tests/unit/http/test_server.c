/*
 * test_server.c — the server over real sockets: order, limits, deadlines, hang-ups, the graceful
 * stop, and no malloc for an ordinary request.
 */
#include <stdio.h>

#include "http/server.h"
#include "tests/unit/http/talk.h"

#define H "Host: x\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" H "\r\n"
#define SLEEP_US (20 * USEC_PER_MS)

/* ---- allocations, counted where no sanitizer has its own malloc ---- */
#if defined(__SANITIZE_ADDRESS__)
#define COUNTS_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTS_MALLOC 0
#endif
#endif
#ifndef COUNTS_MALLOC
#define COUNTS_MALLOC 1
#endif

static unsigned long mallocs;

#if COUNTS_MALLOC
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	mallocs++;
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	mallocs++;
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	mallocs++;
	return __libc_realloc(p, n);
}
#endif

/* ---- the routes of the test ---- */

static struct {
	unsigned n;
	int status;
	enum task_cancel cancel;
	enum err err;
	size_t bytes;
} ended;

static void
on_end(struct task *t, int status, size_t bytes, void *arg)
{
	(void)arg;
	ended.n++;
	ended.status = status;
	ended.cancel = t->t_cancel;
	ended.err = t->t_err.code;
	ended.bytes = bytes;
}

static enum step
hello(struct task *t)
{
	return http_reply(t, 200, "text/plain", STR("hello"));
}

static enum step
number(struct task *t)
{
	const struct str n = http_param(t, "n");
	const char *text = arena_printf(&t->t_arena, "<%.*s>", STR_FMT(n));
	if (text == NULL)
		return task_fail_set(t, ERR_NO_MEMORY, NULL, "no room for the number");
	return http_reply_json(t, 200, str_of(text));
}

static enum step
doze(struct task *t)
{
	return task_sleep(t, SLEEP_US);
}

static enum step
sleep_long(struct task *t)
{
	return task_sleep(t, 60 * USEC_PER_SEC);
}

/* Length and a sum of the body, so that a wrong byte is seen. */
static enum step
body_sum(struct task *t)
{
	const struct str b = http_body(t);
	uint32_t sum = 0;
	for (size_t i = 0; i < b.len; i++)
		sum = sum * 31 + (unsigned char)b.p[i];
	return http_reply_json(t, 200, str_of(arena_printf(&t->t_arena, "<%zu:%u>", b.len, sum)));
}

static char big[8 * 1024 * 1024];

static enum step
big_reply(struct task *t)
{
	return http_reply(t, 200, "text/plain", (struct str) { big, sizeof(big) });
}

static char too_big[HTTP_OUTPUT_BYTES_MAX];

static enum step
too_big_reply(struct task *t)
{
	return http_reply(t, 200, "text/plain", (struct str) { too_big, sizeof(too_big) });
}

static enum step
not_modified(struct task *t)
{
	http_reply_header(t, "ETag", STR("\"v42\""));
	return http_reply_empty(t, 304);
}

static enum step
no_content(struct task *t)
{
	return http_reply_empty(t, 204);
}

static enum step
refusal(struct task *t)
{
	static const struct {
		const char *name;
		enum err code;
	} codes[] = { { "stale", ERR_STALE },
		      { "busy", ERR_BUSY },
		      { "rate", ERR_RATE },
		      { "login", ERR_UNAUTHORIZED } };
	http_reply_header_fmt(t, "RateLimit", "r=%d", 7);
	if (str_is(http_param(t, "why"), "rate"))
		http_reply_header(t, "Retry-After", STR("30"));
	t->t_err_members = STR("\"current_version\":43");
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (str_is(http_param(t, "why"), codes[i].name))
			return task_fail_set(t, codes[i].code, NULL, "on purpose");
	}
	return STEP_DONE;
}

static enum step
twice(struct task *t)
{
	(void)http_reply(t, 200, "text/plain", STR("first"));
	return http_reply(t, 500, "text/plain", STR("second"));
}

static enum step
split(struct task *t)
{
	http_reply_header(t, "X-Bad", STR("a\r\nX-Injected: b"));
	return http_reply_empty(t, 204);
}

static enum step
everything(struct task *t)
{
	struct str name;
	struct str value;
	struct uuid id;
	ck_assert_int_eq(http_param_uuid(t, "id", &id), ERR_OK);
	http_query_at(t, 1, &name, &value);
	struct buf b;
	buf_init(&b, 4096);
	buf_printf(&b, "[%s|%s|%.*s|%.*s|%.*s|%.*s|%.*s|%zu|%.*s=%.*s|%.*s|%.*s|%s]",
		   http_method_name(http_method_of(t)), http_route_of(t)->name,
		   STR_FMT(http_target(t)), STR_FMT(http_path(t)),
		   STR_FMT(http_header(t, "x-some")), STR_FMT(http_param(t, "rest")),
		   STR_FMT(http_query(t, "q")), http_query_count(t), STR_FMT(name), STR_FMT(value),
		   STR_FMT(http_bearer(t)), STR_FMT(http_peer(t)),
		   http_header(t, "absent").p == NULL ? "none" : "some");
	const enum step step = http_reply(t, 200, "text/plain", buf_str(&b));
	buf_free(&b);
	return step;
}

#define STEPS(name, ...) static const struct step_row name##_steps[] = { __VA_ARGS__, { 0 } }
STEPS(hello, { "hello", hello });
STEPS(number, { "number", number });
STEPS(slow, { "doze", doze }, { "number", number });
STEPS(forever, { "sleep", sleep_long }, { "hello", hello });
STEPS(sum, { "sum", body_sum });
STEPS(big, { "big", big_reply });
STEPS(too_big, { "too_big", too_big_reply });
STEPS(not_modified, { "not_modified", not_modified });
STEPS(no_content, { "no_content", no_content });
STEPS(refusal, { "refusal", refusal });
STEPS(twice, { "twice", twice });
STEPS(split, { "split", split });
STEPS(everything, { "everything", everything });

static const struct http_route routes[] = {
	{ .method = HTTP_GET, .pattern = "/hello", .name = "test.hello", .steps = hello_steps },
	{ .method = HTTP_GET,
	  .pattern = "/n/{n:int}",
	  .name = "test.number",
	  .steps = number_steps },
	{ .method = HTTP_GET,
	  .pattern = "/slow/{n:int}",
	  .name = "test.slow",
	  .steps = slow_steps },
	{ .method = HTTP_GET,
	  .pattern = "/forever",
	  .name = "test.forever",
	  .steps = forever_steps,
	  .deadline_ms = 60000 },
	{ .method = HTTP_GET,
	  .pattern = "/late",
	  .name = "test.late",
	  .steps = forever_steps,
	  .deadline_ms = 30 },
	{ .method = HTTP_POST, .pattern = "/sum", .name = "test.sum", .steps = sum_steps },
	{ .method = HTTP_POST,
	  .pattern = "/big-sum",
	  .name = "test.big_sum",
	  .steps = sum_steps,
	  .body_max = 4 * 1024 * 1024 },
	{ .method = HTTP_POST,
	  .pattern = "/small",
	  .name = "test.small",
	  .steps = sum_steps,
	  .body_max = 10 },
	{ .method = HTTP_GET, .pattern = "/big", .name = "test.big", .steps = big_steps },
	{ .method = HTTP_GET,
	  .pattern = "/too-big",
	  .name = "test.too_big",
	  .steps = too_big_steps },
	{ .method = HTTP_GET,
	  .pattern = "/same",
	  .name = "test.same",
	  .steps = not_modified_steps },
	{ .method = HTTP_DELETE,
	  .pattern = "/hello",
	  .name = "test.delete",
	  .steps = no_content_steps },
	{ .method = HTTP_GET,
	  .pattern = "/fail/{why:slug}",
	  .name = "test.fail",
	  .steps = refusal_steps },
	{ .method = HTTP_GET, .pattern = "/twice", .name = "test.twice", .steps = twice_steps },
	{ .method = HTTP_GET, .pattern = "/split", .name = "test.split", .steps = split_steps },
	{ .method = HTTP_GET,
	  .pattern = "/all/{id:uuid}/{rest:rest}",
	  .name = "test.all",
	  .steps = everything_steps },
};

static void
start(const struct http_conf *conf)
{
	struct http_conf c = *conf;
	c.on_end = on_end;
	memset(&ended, 0, sizeof(ended));
	server_start_with(&c, routes, ARRAY_LEN(routes), 64);
}

static void
setup(void)
{
	start(&(struct http_conf) { 0 });
}

/* ---- plain requests ---- */

START_TEST(one_request)
{
	const int fd = client();
	say(fd, GET("/hello"));
	const char *text = hear(fd, "hello");
	HAS(text, "HTTP/1.1 200 OK\r\nDate: ");
	HAS(text, " GMT\r\nRequest-Id: ");
	HAS(text, "\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
	HAS(text, "\r\nX-Content-Type-Options: nosniff\r\n");
	HAS_NOT(text, "Strict-Transport-Security:");
	HAS_NOT(text, "Server:");
	HAS_NOT(text, "Connection:");
	ck_assert_uint_eq(ended.n, 1);
	ck_assert_int_eq(ended.status, 200);
	ck_assert_uint_eq(ended.bytes, 5);
	/* kept alive, and an idle connection holds no buffer */
	pump(1000);
	ck_assert_uint_eq(http_server_connections(server), 1);
	ck_assert_ptr_null(server->live->in.p);
	ck_assert_ptr_null(server->live->out.p);
	say(fd, GET("/hello"));
	HAS(hear(fd, "hello"), "200 OK");
	close(fd);
	pump(5000);
	ck_assert_uint_eq(http_server_connections(server), 0);
}
END_TEST

START_TEST(getters)
{
	const int fd = client();
	say(fd, "GET /all/01890A5D-ac96-774b-bcce-b302099a8057/a%2Fb/c?q=1+2&r=%26 HTTP/1.1\r\n" H
		"X-Some:  v \r\nAuthorization: bearer  tok.en\r\n\r\n");
	HAS(hear(fd, "]"),
	    "[GET|test.all|/all/01890A5D-ac96-774b-bcce-b302099a8057/a%2Fb/c?q=1+2&r=%26"
	    "|/all/01890A5D-ac96-774b-bcce-b302099a8057/a/b/c|v|a/b/c|1 "
	    "2|2|r=&|tok.en|127.0.0.1|none]");
	close(fd);
}
END_TEST

START_TEST(byte_by_byte)
{
	static const char text[] =
		"POST /sum HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc" GET("/n/7");
	const int fd = client();
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		say_bytes(fd, text + i, 1);
		pump(0);
	}
	HAS(hear(fd, "<7>"), "<3:96354>");
	close(fd);
}
END_TEST

START_TEST(without_body)
{
	const int fd = client();
	say(fd, "HEAD /hello HTTP/1.1\r\n" H "\r\n" GET("/same") "DELETE /hello HTTP/1.1\r\n" H
								 "\r\n" GET("/n/1"));
	const char *text = hear(fd, "<1>");
	const char *same = strstr(text, "HTTP/1.1 304 Not Modified");
	const char *gone = strstr(text, "HTTP/1.1 204 No Content");
	const char *last = strstr(text, "HTTP/1.1 200 OK\r\nDate: ");
	ck_assert_ptr_nonnull(same);
	ck_assert_ptr_nonnull(gone);
	ck_assert_ptr_eq(last, text);
	const char *length = strstr(text, "Content-Length: 5\r\n\r\nHTTP/1.1 304");
	ck_assert_msg(length != NULL, "HEAD: %s", text);
	const char *second = strstr(same, "Content-Length");
	ck_assert_msg(second > strstr(gone, "HTTP/1.1 200"), "a length on 304 or 204: %s", text);
	HAS(same, "ETag: \"v42\"\r\n\r\nHTTP/1.1 204");
	close(fd);
}
END_TEST

START_TEST(http_1_0)
{
	int fd = client();
	say(fd, "GET /hello HTTP/1.0\r\n\r\n");
	HAS(hear_end(fd), "Connection: close\r\n\r\nhello");
	close(fd);
	fd = client();
	say(fd, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	HAS(hear(fd, "hello"), "Connection: keep-alive\r\n");
	say(fd, GET("/n/2"));
	(void)hear(fd, "<2>");
	close(fd);
}
END_TEST

/* ---- routing answers and failures ---- */

static const struct {
	const char *in;
	const char *has[6];
	bool closes;
} answers[] = {
	{ GET("/nowhere"),
	  { "404 Not Found", "application/problem+json", "\"code\":\"no-route\"",
	    "\"request_id\":\"", "Request-Id: " },
	  false },
	{ "PUT /hello HTTP/1.1\r\n" H "\r\n",
	  { "405 Method Not Allowed", "Allow: GET, HEAD, DELETE, OPTIONS\r\n" },
	  false },
	{ "PUT /hello HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc",
	  { "405 ", "Connection: close" },
	  true },
	{ "OPTIONS /hello HTTP/1.1\r\n" H "\r\n",
	  { "204 No Content", "Allow: GET, HEAD, DELETE, OPTIONS\r\n" },
	  false },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n",
	  { "204 No Content", "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" },
	  false },
	{ "BREW /hello HTTP/1.1\r\n" H "\r\n",
	  { "501 Not Implemented", "\"code\":\"not-implemented\"", "Connection: close" },
	  true },
	{ "GET /hello HTTP/2.0\r\n" H "\r\n",
	  { "505 HTTP Version", "\"code\":\"http-version\"", "Connection: close" },
	  true },
	{ "GET /hello HTTP/1.1\r\n\r\n",
	  { "400 Bad Request", "\"name\":\"Host\"", "Request-Id: ", "Connection: close" },
	  true },
	{ "GET /a%zz HTTP/1.1\r\n" H "\r\n",
	  { "400 Bad Request", "broken escape", "Connection: close" },
	  true },
	{ "POST /small HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\n",
	  { "413 Content Too Large", "\"code\":\"too-large\"", "Connection: close" },
	  true },
	{ "POST /small HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nb\r\n",
	  { "413 Content Too Large", "Connection: close" },
	  true },
	{ GET("/fail/stale"),
	  { "412 Precondition Failed", "on purpose", "\"current_version\":43",
	    "RateLimit: r=7\r\n" },
	  false },
	{ GET("/fail/busy"),
	  { "503 Service Unavailable", "Retry-After: 1\r\n", "RateLimit: r=7\r\n",
	    "\"retryable\":true" },
	  false },
	{ GET("/fail/rate"), { "429 Too Many Requests", "Retry-After: 30\r\n" }, false },
	{ GET("/fail/login"), { "401 Unauthorized", "WWW-Authenticate: Bearer\r\n" }, false },
	{ GET("/fail/silent"), { "500 Internal Server Error", "\"code\":\"internal\"" }, false },
	{ GET("/late"), { "504 Gateway Timeout", "\"code\":\"timeout\"", "\\\"sleep\\\"" }, false },
	{ GET("/too-big"), { "503 Service Unavailable", "larger than the server's limit" }, false },
	{ GET("/twice"), { "200 OK", "first" }, false },
	{ GET("/split"), { "204 No Content" }, false },
};

START_TEST(answer)
{
	const int fd = client();
	log_init("test", 0, LOG_ERROR);
	say(fd, answers[_i].in);
	if (!answers[_i].closes)
		say(fd, GET("/n/99"));
	const char *text = answers[_i].closes ? hear_end(fd) : hear(fd, "<99>");
	for (size_t i = 0; answers[_i].has[i] != NULL; i++)
		HAS(text, answers[_i].has[i]);
	HAS_NOT(text, "second");
	HAS_NOT(text, "Injected");
	close(fd);
}
END_TEST

/* ---- order and amount ---- */

START_TEST(pipelining)
{
	struct buf b;
	buf_init(&b, 100000);
	const unsigned n = 60;
	for (unsigned i = 0; i < n; i++)
		buf_printf(&b, "GET /%s/%u HTTP/1.1\r\n" H "\r\n",
			   i % 20 == 7   ? "slow"
			   : i % 20 == 9 ? "nowhere"
					 : "n",
			   i);
	const int fd = client();
	say_bytes(fd, b.p, b.len);
	const char *p = hear_times(fd, "HTTP/1.1 ", n);
	pump(1000);
	(void)read_some(fd);
	p = buf_cstr(&seen);
	for (unsigned i = 0; i < n; i++) {
		char want[32];
		(void)snprintf(want, sizeof(want), i % 20 == 9 ? "no-route" : "<%u>", i);
		p = strstr(p, want);
		ck_assert_msg(p != NULL, "answer %u is missing or out of order", i);
		p += strlen(want);
	}
	buf_free(&b);
	close(fd);
}
END_TEST

START_TEST(burst_is_bounded)
{
	struct buf b;
	buf_init(&b, 100000);
	for (unsigned i = 0; i < 50; i++)
		buf_add_cstr(&b, GET("/hello"));
	const int fd = client();
	pump(2000);
	ck_assert_int_eq(send(fd, b.p, b.len, MSG_NOSIGNAL), (ssize_t)b.len);
	(void)usleep(2000);
	unsigned turns = 0;
	for (unsigned before = 0; ended.n < 50 && turns < 100; turns++) {
		loop_turn(loop, false);
		ck_assert_uint_le(ended.n - before, HTTP_PIPELINED_PER_TURN);
		before = ended.n;
	}
	ck_assert_uint_eq(ended.n, 50);
	ck_assert_uint_ge(turns, 4);
	buf_free(&b);
	close(fd);
}
END_TEST

START_TEST(requests_per_connection)
{
	struct buf b;
	buf_init(&b, 1000000);
	for (unsigned i = 0; i < HTTP_REQUESTS_PER_CONNECTION + 5; i++)
		buf_add_cstr(&b, GET("/hello"));
	const int fd = client();
	say_bytes(fd, b.p, b.len);
	(void)hear_end(fd);
	ck_assert_uint_eq(count("\r\n\r\nhello"), HTTP_REQUESTS_PER_CONNECTION);
	ck_assert_uint_eq(count("Connection: close"), 1);
	buf_free(&b);
	close(fd);
}
END_TEST

/* ---- bodies ---- */

static uint32_t
sum_of(const char *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + (unsigned char)p[i];
	return sum;
}

START_TEST(big_body)
{
	const size_t n = 3 * 1024 * 1024;
	char want[64];
	char head[128];
	for (size_t i = 0; i < n; i++)
		big[i] = (char)(i * 7 + i / 251);
	const int fd = client();
	(void)snprintf(head, sizeof(head),
		       "POST /big-sum HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n", n);
	(void)snprintf(want, sizeof(want), "<%zu:%u>", n, sum_of(big, n));
	say(fd, head);
	say_bytes(fd, big, n);
	(void)hear(fd, want);
	/* the same in chunks, with the next request behind it */
	say(fd, "POST /big-sum HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0; at < n;) {
		const size_t part = MIN(n - at, 100001 + at % 777);
		(void)snprintf(head, sizeof(head), "%zx\r\n", part);
		say(fd, head);
		say_bytes(fd, big + at, part);
		say(fd, "\r\n");
		at += part;
	}
	say(fd, "0\r\n\r\n" GET("/n/5"));
	HAS(hear(fd, "<5>"), want);
	close(fd);
}
END_TEST

/* The client is still sending when it is refused, and must be able to read why. */
START_TEST(refused_body_is_answered)
{
	const int fd = client();
	say(fd, "POST /sum HTTP/1.1\r\n" H "Content-Length: 4000000\r\n\r\n");
	say_bytes(fd, big, 500000);
	HAS(hear_end(fd), "413 Content Too Large");
	close(fd);
}
END_TEST

START_TEST(continue_100)
{
	int fd = client();
	say(fd, "POST /sum HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	ck_assert_str_eq(hear(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, "abc");
	HAS(hear(fd, ">"), "<3:96354>");
	close(fd);
	fd = client();
	say(fd, "POST /small HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 30\r\n\r\n");
	HAS_NOT(hear_end(fd), "100 Continue");
	HAS(buf_cstr(&seen), "413 ");
	close(fd);
}
END_TEST

/* ---- deadlines ---- */

static const struct http_conf hasty = {
	.head_deadline = 60 * USEC_PER_MS,
	.body_deadline = 60 * USEC_PER_MS,
	.idle_deadline = 120 * USEC_PER_MS,
	.write_deadline = 100 * USEC_PER_MS,
};

static void
setup_hasty(void)
{
	start(&hasty);
}

static int64_t
timeouts(enum http_timeout kind)
{
	return metric_value(http_metrics()->timeouts[kind]);
}

START_TEST(slow_head)
{
	const int fd = client();
	const int64_t before = timeouts(HTTP_TIMEOUT_HEAD);
	const usec_t begin = clock_now_us();
	/* a byte now and then does not help: the deadline is of the whole head */
	for (const char *p =
		     "GET /hello HTTP/1.1\r\nHost: x\r\nA: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	     *p != '\0'; p++) {
		say_bytes(fd, p, 1);
		pump(3 * USEC_PER_MS);
	}
	HAS(hear_end(fd), "408 Request Timeout");
	ck_assert_int_ge(clock_now_us() - begin, hasty.head_deadline);
	ck_assert_int_eq(timeouts(HTTP_TIMEOUT_HEAD), before + 1);
	close(fd);
}
END_TEST

START_TEST(slow_body)
{
	const int fd = client();
	const int64_t before = timeouts(HTTP_TIMEOUT_BODY);
	say(fd, "POST /sum HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\n");
	for (unsigned i = 0; i < 40; i++) {
		say(fd, "x");
		pump(3 * USEC_PER_MS);
	}
	HAS(hear_end(fd), "408 Request Timeout");
	ck_assert_int_eq(timeouts(HTTP_TIMEOUT_BODY), before + 1);
	close(fd);
}
END_TEST

START_TEST(idle)
{
	const int fd = client();
	const int64_t before = timeouts(HTTP_TIMEOUT_IDLE);
	say(fd, GET("/hello"));
	(void)hear(fd, "hello");
	ck_assert_str_eq(hear_end(fd), "");
	ck_assert_int_eq(timeouts(HTTP_TIMEOUT_IDLE), before + 1);
	close(fd);
}
END_TEST

START_TEST(reader_that_stops)
{
	const int fd = client_with(4096);
	const int64_t before = timeouts(HTTP_TIMEOUT_WRITE);
	say(fd, GET("/big"));
	for (unsigned i = 0; i < 30 && timeouts(HTTP_TIMEOUT_WRITE) == before; i++)
		pump(100 * USEC_PER_MS);
	ck_assert_int_eq(timeouts(HTTP_TIMEOUT_WRITE), before + 1);
	ck_assert_uint_eq(http_server_connections(server), 0);
	close(fd);
}
END_TEST

/* Slower than the deadline on the whole, but always making progress. */
START_TEST(reader_that_is_slow)
{
	const int fd = client_with(512 * 1024);
	say(fd, GET("/big"));
	const usec_t end = clock_now_us() + 250 * USEC_PER_MS;
	buf_reset(&seen);
	while (clock_now_us() < end) {
		char part[20000];
		const ssize_t n = recv(fd, part, sizeof(part), MSG_DONTWAIT);
		if (n > 0)
			buf_add(&seen, part, (size_t)n);
		pump(2 * USEC_PER_MS);
	}
	const size_t head = (size_t)(strstr(buf_cstr(&seen), "\r\n\r\n") - seen.p) + 4;
	ck_assert_uint_lt(seen.len, head + sizeof(big));
	while (seen.len < head + sizeof(big)) {
		ck_assert(read_some(fd));
		loop_turn(loop, false);
	}
	ck_assert_int_eq(memcmp(seen.p + head, big, sizeof(big)), 0);
	close(fd);
}
END_TEST

/* ---- leaving ---- */

START_TEST(hang_up)
{
	const int fd = client();
	say(fd, GET("/forever"));
	pump(5 * USEC_PER_MS);
	ck_assert_uint_eq(task_count(engine), 1);
	close(fd);
	pump(10 * USEC_PER_MS);
	ck_assert_uint_eq(task_count(engine), 0);
	ck_assert_uint_eq(ended.n, 1);
	ck_assert_int_eq(ended.cancel, TASK_HANGUP);
	ck_assert_int_eq(ended.status, 499);
	ck_assert_uint_eq(server->n_objects, 0);
}
END_TEST

START_TEST(half_close)
{
	struct buf b;
	buf_init(&b, 100000);
	for (unsigned i = 0; i < 40; i++)
		buf_add_cstr(&b, GET("/hello"));
	const int fd = client();
	ck_assert_int_eq(send(fd, b.p, b.len, MSG_NOSIGNAL), (ssize_t)b.len);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	(void)hear_end(fd);
	ck_assert_uint_eq(count("\r\n\r\nhello"), 40);
	buf_free(&b);
	close(fd);
}
END_TEST

START_TEST(half_close_inside)
{
	static const char *const parts[] = { "", "GET", "GET /hello HTTP/1.1\r\n" H,
					     "POST /sum HTTP/1.1\r\n" H
					     "Content-Length: 3\r\n\r\na" };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const int fd = client();
		say(fd, parts[i]);
		pump(2 * USEC_PER_MS);
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		ck_assert_str_eq(hear_end(fd), "");
		close(fd);
	}
	ck_assert_uint_eq(ended.n, 0);
	ck_assert_uint_eq(http_server_connections(server), 0);
}
END_TEST

/* While a task is parked only a little is read ahead; the rest waits in the kernel, and is served
 * afterwards. */
START_TEST(read_ahead_is_bounded)
{
	struct buf b;
	buf_init(&b, 1000000);
	buf_add_cstr(&b, GET("/slow/1"));
	for (unsigned i = 0; i < 900; i++)
		buf_add_cstr(
			&b,
			"GET /hello HTTP/1.1\r\n" H
			"A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n");
	const int fd = client();
	ck_assert_int_gt(send(fd, b.p, b.len, MSG_NOSIGNAL), 0);
	pump(10 * USEC_PER_MS);
	ck_assert_uint_eq(ended.n, 0);
	ck_assert_uint_lt(server->live->in.len, 40000);
	(void)hear_times(fd, "\r\n\r\nhello", 900);
	buf_free(&b);
	close(fd);
}
END_TEST

/* ---- limits ---- */

START_TEST(too_many_connections)
{
	start(&(struct http_conf) { .max_connections = 2 });
	const int a = client();
	const int b = client();
	pump(2000);
	const int c = client();
	const char *text = hear_end(c);
	HAS(text, "503 Service Unavailable");
	HAS(text, "Retry-After: 1\r\n");
	HAS(text, "\"code\":\"overloaded\"");
	close(a);
	close(c);
	pump(2000);
	const int d = client();
	say(d, GET("/hello"));
	(void)hear(d, "hello");
	close(b);
	close(d);
	server_stop();
}
END_TEST

START_TEST(too_many_of_one_address)
{
	start(&(struct http_conf) { .max_per_address = 2 });
	const int a = client();
	const int b = client();
	pump(2000);
	const int c = client();
	HAS(hear_end(c), "503 Service Unavailable");
	close(b);
	close(c);
	pump(2000);
	const int d = client();
	say(d, GET("/hello"));
	(void)hear(d, "hello");
	close(a);
	close(d);
	server_stop();
}
END_TEST

START_TEST(too_many_tasks)
{
	const struct http_conf conf = { .on_end = on_end };
	server_start_with(&conf, routes, ARRAY_LEN(routes), 1);
	const int a = client();
	const int b = client();
	say(a, GET("/forever"));
	pump(2000);
	say(b, GET("/hello"));
	HAS(hear(b, "}"), "503 Service Unavailable");
	close(a);
	pump(5000);
	say(b, GET("/hello"));
	(void)hear(b, "\r\n\r\nhello");
	close(b);
	server_stop();
}
END_TEST

START_TEST(small_arena)
{
	unsigned refused = 0;
	unsigned served = 0;
	for (size_t cap = 16; cap < 1600; cap += 48) {
		start(&(struct http_conf) { .arena_cap = cap });
		const int fd = client();
		say(fd, GET("/n/1?a=b") "OPTIONS /hello HTTP/1.1\r\n" H "\r\n");
		const char *text = hear(fd, "Allow: ");
		refused += strstr(text, "HTTP/1.1 503") != NULL &&
			   strstr(text, "\"code\":\"out-of-memory\"") != NULL;
		served += strstr(text, "<1>") != NULL;
		close(fd);
		server_stop();
	}
	ck_assert_uint_gt(refused, 5);
	ck_assert_uint_gt(served, 5);
	ck_assert_uint_eq(refused + served, (1600 - 16 + 47) / 48);
}
END_TEST

START_TEST(peers)
{
	struct http_peers *p = http_peers_create(64);
	unsigned counts[64] = { 0 };
	uint32_t x = 1;
	for (unsigned i = 0; i < 20000; i++) {
		x = x * 1664525u + 1013904223u;
		struct http_address a = { { 1, (uint8_t)(x >> 24) % 64 } };
		unsigned *n = &counts[a.b[1]];
		if ((x >> 8) % 2 == 0) {
			ck_assert(http_peers_enter(p, &a, 3) == (*n < 3));
			*n += *n < 3;
		} else if (*n > 0) {
			http_peers_leave(p, &a);
			(*n)--;
		}
	}
	http_peers_destroy(p);
}
END_TEST

/* ---- the guard ---- */

static enum step
guard(struct task *t)
{
	const struct http_route *route = http_route_of(t);
	http_reply_header(t, "X-Guard", str_of(route->right == NULL ? "open" : route->right));
	if (route->right != NULL && http_bearer(t).p == NULL)
		return task_fail_set(t, ERR_UNAUTHORIZED, "Authorization", "A token is needed.");
	return task_continue(t, route->steps);
}

STEPS(guard, { "guard", guard });

START_TEST(guarded)
{
	static const struct http_route table[] = {
		{ .method = HTTP_GET, .pattern = "/open", .name = "g.open", .steps = hello_steps },
		{ .method = HTTP_GET,
		  .pattern = "/closed",
		  .name = "g.closed",
		  .steps = slow_steps,
		  .right = "x.read" },
	};
	const struct http_conf conf = { .guard = guard_steps };
	server_start_with(&conf, table, ARRAY_LEN(table), 8);
	const int fd = client();
	say(fd, GET("/open"));
	HAS(hear(fd, "hello"), "X-Guard: open\r\n");
	say(fd, GET("/closed"));
	HAS(hear(fd, "}"), "401 Unauthorized");
	HAS(buf_cstr(&seen), "X-Guard: x.read\r\n");
	say(fd, "GET /closed HTTP/1.1\r\n" H "Authorization: Bearer t\r\n\r\n");
	HAS(hear(fd, "<"), "200 OK");
	close(fd);
	server_stop();
}
END_TEST

/* ---- the end ---- */

static void
on_drained(void *arg)
{
	(*(unsigned *)arg)++;
}

START_TEST(drain)
{
	unsigned drained = 0;
	const int quiet = client();
	const int busy = client();
	const int begun = client();
	say(quiet, GET("/hello"));
	(void)hear(quiet, "hello");
	say(busy, GET("/slow/3"));
	say(begun, "GET /n/4 HTTP/1.1\r\n");
	pump(3000);
	http_server_drain(server, on_drained, &drained);
	ck_assert_str_eq(hear_end(quiet), "");
	ck_assert_uint_eq(drained, 0);
	say(begun, H "\r\n");
	HAS(hear_end(begun), "Connection: close\r\n\r\n<4>");
	close(begun);
	HAS(hear_end(busy), "Connection: close\r\n\r\n<3>");
	close(busy);
	pump(5000);
	ck_assert_uint_eq(drained, 1);
	ck_assert_uint_eq(http_server_connections(server), 0);
	close(quiet);
}
END_TEST

START_TEST(drain_when_empty)
{
	unsigned drained = 0;
	http_server_drain(server, on_drained, &drained);
	pump(2000);
	ck_assert_uint_eq(drained, 1);
}
END_TEST

/* The server goes first: a running task is cancelled and ends without it. */
START_TEST(destroy_under_load)
{
	const int a = client();
	const int b = client();
	say(a, GET("/forever"));
	say(b, GET("/forever"));
	pump(3000);
	ck_assert_uint_eq(task_count(engine), 2);
	close(b);
	loop_turn(loop, false);
	close(a);
}
END_TEST

/* ---- whose account an answer without a task goes on ---- */

static struct {
	unsigned n;
	char peer[32];
	char token[32]; /* "-": none */
	bool refuses;
} early;

static bool
on_early(struct str peer, struct str token, struct http_early *out, struct err_info *info)
{
	early.n++;
	ck_assert(str_copy(early.peer, sizeof(early.peer), peer));
	ck_assert(str_copy(early.token, sizeof(early.token), token.p != NULL ? token : STR("-")));
	out->headers[0].name = "RateLimit";
	out->headers[0].value = STR("left");
	out->n = 1;
	out->members = STR("\"member\":1");
	return !early.refuses || err_set(info, ERR_RATE, NULL, "used up") == ERR_OK;
}

#define AUTH "Authorization: Bearer abc.def\r\n"
static const struct {
	const char *request, *status, *token;
} unrouted[] = {
	{ "GET /nowhere HTTP/1.1\r\n" H AUTH "\r\n", "404 ", "abc.def" },
	{ "GET /nowhere HTTP/1.1\r\n" H "\r\n", "404 ", "-" },
	{ "GET /nowhere HTTP/1.1\r\n" H "authorization: Basic abc\r\n\r\n", "404 ", "-" },
	{ "PUT /hello HTTP/1.1\r\n" H AUTH "\r\n", "405 ", "abc.def" },
	{ "OPTIONS /hello HTTP/1.1\r\n" H AUTH "\r\n", "204 ", "abc.def" },
	{ "GET /hel%0alo HTTP/1.1\r\n" H AUTH "\r\n", "400 ", "abc.def" },
	{ "GET /hello HTTP/1.1\r\n" H AUTH "X : y\r\n\r\n", "400 ", "-" },
	{ "POST /small HTTP/1.1\r\n" H AUTH "Content-Length: 11\r\n\r\n", "413 ", "abc.def" },
	{ "POST /small HTTP/1.1\r\n" H AUTH "Transfer-Encoding: chunked\r\n\r\nb\r\n", "413 ",
	  "abc.def" },
};

START_TEST(answers_without_a_task_are_charged)
{
	memset(&early, 0, sizeof(early));
	start(&(struct http_conf) { .early = on_early });
	int fd = client();
	say(fd, GET("/hello"));
	(void)hear(fd, "hello");
	ck_assert_uint_eq(early.n, 0);
	close(fd);
	for (size_t i = 0; i < 2 * ARRAY_LEN(unrouted); i++) {
		early.refuses = i >= ARRAY_LEN(unrouted);
		fd = client();
		say(fd, unrouted[i % ARRAY_LEN(unrouted)].request);
		const char *text = hear(fd, "\r\n\r\n");
		HAS(text, early.refuses ? "HTTP/1.1 429 " : unrouted[i].status);
		HAS(text, "\r\nRateLimit: left\r\n");
		ck_assert_str_eq(early.token, unrouted[i % ARRAY_LEN(unrouted)].token);
		ck_assert_str_eq(early.peer, "127.0.0.1");
		ck_assert_uint_eq(early.n, i + 1);
		close(fd);
	}
	fd = client();
	say(fd, "PUT /hello HTTP/1.1\r\n" H "\r\n");
	HAS(hear(fd, "}"), "\"detail\":\"used up\"");
	HAS(buf_cstr(&seen), "\"member\":1");
	close(fd);
	server_stop();
}
END_TEST

/* ---- cost ---- */

START_TEST(no_malloc_a_request)
{
	const int fd = client();
	for (unsigned i = 0; i < 20; i++) {
		say(fd, GET("/n/12?q=a%20b"));
		(void)hear(fd, "<12>");
	}
	/* `hear` allocates nothing once `seen` has grown */
	const unsigned long before = mallocs;
	for (unsigned i = 0; i < 500; i++) {
		say(fd, GET("/n/12?q=a%20b"));
		(void)hear(fd, "<12>");
	}
	const unsigned long used = mallocs - before;
	ck_assert_msg(used == 0, "%lu allocations for 500 requests", used);
	close(fd);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http/server");
	TCase *c = tcase_create("server");
	tcase_add_checked_fixture(c, setup, server_stop);
	tcase_set_timeout(c, 30);
	tcase_add_test(c, one_request);
	tcase_add_test(c, getters);
	tcase_add_test(c, byte_by_byte);
	tcase_add_test(c, without_body);
	tcase_add_test(c, http_1_0);
	tcase_add_loop_test(c, answer, 0, ARRAY_LEN(answers));
	tcase_add_test(c, pipelining);
	tcase_add_test(c, burst_is_bounded);
	tcase_add_test(c, requests_per_connection);
	tcase_add_test(c, big_body);
	tcase_add_test(c, refused_body_is_answered);
	tcase_add_test(c, continue_100);
	tcase_add_test(c, hang_up);
	tcase_add_test(c, half_close);
	tcase_add_test(c, half_close_inside);
	tcase_add_test(c, read_ahead_is_bounded);
	tcase_add_test(c, drain);
	tcase_add_test(c, drain_when_empty);
	tcase_add_test(c, destroy_under_load);
	tcase_add_test(c, no_malloc_a_request);
	suite_add_tcase(s, c);
	c = tcase_create("deadlines");
	tcase_add_checked_fixture(c, setup_hasty, server_stop);
	tcase_set_timeout(c, 30);
	tcase_add_test(c, slow_head);
	tcase_add_test(c, slow_body);
	tcase_add_test(c, idle);
	tcase_add_test(c, reader_that_stops);
	tcase_add_test(c, reader_that_is_slow);
	suite_add_tcase(s, c);
	c = tcase_create("limits");
	tcase_set_timeout(c, 30);
	tcase_add_test(c, too_many_connections);
	tcase_add_test(c, too_many_of_one_address);
	tcase_add_test(c, too_many_tasks);
	tcase_add_test(c, small_arena);
	tcase_add_test(c, peers);
	tcase_add_test(c, guarded);
	tcase_add_test(c, answers_without_a_task_are_charged);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
