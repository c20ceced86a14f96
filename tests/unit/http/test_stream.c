/*
 * test_stream.c — replies that go on: what goes out and when, whom the end is told, slow clients, clients that vanish, the graceful
 * stop, and that a quiet stream holds nothing.
 */
#include "http/server.h"
#include "tests/unit/http/talk.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define WAITING_MAX 4096

static struct http_stream *stream;
static unsigned ended, tasks_ended;
static bool close_at_once;

static void
on_ended(void *arg)
{
	ck_assert_ptr_eq(arg, &ended);
	ended++;
	stream = NULL;
}

static enum step
open_stream(struct task *t)
{
	http_reply_header(t, "Cache-Control", STR("no-store"));
	stream = http_stream_begin(t,
				   &(struct http_stream_conf) { .content_type = "text/event-stream",
								.waiting_max = WAITING_MAX,
								.ended = on_ended,
								.arg = &ended });
	if (stream == NULL)
		return t->t_err.code != ERR_OK ? task_fail(t) : STEP_DONE;
	ck_assert(http_stream_write(stream, STR("first\n")));
	if (close_at_once)
		http_stream_close(stream, STR("last\n"));
	return STEP_DONE;
}

static enum step
hello(struct task *t)
{
	return http_reply(t, 200, "text/plain", STR("hello"));
}

static const struct step_row open_steps[] = { { "open", open_stream }, { 0 } };
static const struct step_row hello_steps[] = { { "hello", hello }, { 0 } };
static const struct http_route routes[] = {
	{ .method = HTTP_GET, .pattern = "/open", .name = "test.open", .steps = open_steps },
	{ .method = HTTP_GET, .pattern = "/hello", .name = "test.hello", .steps = hello_steps },
};

static void
on_end(struct task *t, int status, size_t bytes, void *arg)
{
	(void)t;
	(void)bytes;
	(void)arg;
	ck_assert_int_eq(status, 200);
	tasks_ended++;
}

static void
start_with(const struct http_conf *conf)
{
	struct http_conf c = *conf;
	c.on_end = on_end;
	stream = NULL;
	ended = 0;
	tasks_ended = 0;
	close_at_once = false;
	server_start_with(&c, routes, ARRAY_LEN(routes), 16);
}

static void
start(void)
{
	start_with(&(struct http_conf) { .idle_deadline = 50 * USEC_PER_MS,
					 .task_deadline = 50 * USEC_PER_MS,
					 .write_deadline = 200 * USEC_PER_MS });
}

static void
wait_ended(void)
{
	const usec_t end = clock_now_us() + WAIT_US;
	while (ended == 0) {
		ck_assert_msg(clock_now_us() < end, "the end was not told");
		loop_turn(loop, false);
	}
}

START_TEST(it_outlives_its_task_and_every_deadline)
{
	start();
	const int fd = client();
	say(fd, GET("/open"));
	const char *head = hear(fd, "first\n");
	HAS(head, "HTTP/1.1 200 OK\r\n");
	HAS(head, "Content-Type: text/event-stream\r\n");
	HAS(head, "Cache-Control: no-store\r\n");
	HAS(head, "Connection: close\r\n");
	HAS_NOT(head, "Content-Length");
	ck_assert_uint_eq(task_count(engine), 0);
	ck_assert_uint_eq(tasks_ended, 1);
	pump(120 * USEC_PER_MS);
	ck_assert_uint_eq(ended, 0);
	ck_assert_ptr_null(stream->connection->out.p);
	ck_assert(http_stream_write(stream, STR("second\n")));
	ck_assert_str_eq(hear(fd, "second\n"), "second\n");
	http_stream_close(stream, STR("third\n"));
	ck_assert_str_eq(hear_end(fd), "third\n");
	ck_assert_uint_eq(ended, 0);
	(void)close(fd);
	server_stop();
}
END_TEST

START_TEST(it_is_the_last_answer_of_its_connection)
{
	start();
	const int fd = client();
	say(fd, GET("/hello") GET("/open") GET("/hello"));
	HAS(hear(fd, "first\n"), "hello");
	say(fd, GET("/hello"));
	pump(30 * USEC_PER_MS);
	ck_assert(http_stream_write(stream, STR("second\n")));
	ck_assert_str_eq(hear(fd, "second\n"), "second\n");
	ck_assert_uint_eq(tasks_ended, 2);
	http_stream_close(stream, STR(""));
	ck_assert_str_eq(hear_end(fd), "");
	(void)close(fd);
	server_stop();
}
END_TEST

START_TEST(it_may_end_within_its_step)
{
	start();
	close_at_once = true;
	const int fd = client();
	say(fd, GET("/open"));
	HAS(hear_end(fd), "\r\n\r\nfirst\nlast\n");
	ck_assert_uint_eq(ended, 0);
	ck_assert_uint_eq(tasks_ended, 1);
	(void)close(fd);
	server_stop();
}
END_TEST

START_TEST(a_client_that_leaves_is_told)
{
	start();
	for (int how = 0; how < 3; how++) {
		const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
		const int fd = client();
		ended = 0;
		say(fd, GET("/open"));
		(void)hear(fd, "first\n");
		if (how == 0)
			ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		if (how == 1)
			ck_assert_int_eq(
				setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
		if (how > 0)
			(void)close(fd);
		wait_ended();
		ck_assert_uint_eq(ended, 1);
		ck_assert_uint_eq(http_server_connections(server), 0);
		if (how == 0)
			(void)close(fd);
	}
	server_stop();
}
END_TEST

/* A client that sends for ever behind its request is cut off, without any of it being kept. */
START_TEST(what_comes_behind_it_is_dropped)
{
	static char junk[256 * 1024];
	start();
	const int fd = client();
	say(fd, GET("/open"));
	(void)hear(fd, "first\n");
	memset(junk, 'x', sizeof(junk));
	for (int i = 0; i < 3; i++)
		say_bytes(fd, junk, sizeof(junk));
	pump(20 * USEC_PER_MS);
	ck_assert_uint_eq(ended, 0);
	ck_assert_ptr_null(stream->connection->in.p);
	for (int i = 0; i < 8 && ended == 0; i++)
		say_bytes(fd, junk, sizeof(junk));
	wait_ended();
	(void)close(fd);
	server_stop();
}
END_TEST

/* What waits is bounded; the last word goes out all the same, or the client is cut off in time. */
START_TEST(a_slow_client)
{
	static char part[1024];
	memset(part, 'p', sizeof(part));
	for (int reads = 0; reads < 2; reads++) {
		start_with(&(struct http_conf) {
			.write_deadline = reads == 0 ? 200 * USEC_PER_MS : 20 * USEC_PER_SEC });
		const int fd = client_with(2048);
		unsigned written = 0;
		say(fd, GET("/open"));
		(void)hear(fd, "first\n");
		while (http_stream_write(stream, (struct str) { part, sizeof(part) })) {
			written++;
			ck_assert_uint_lt(written, 10000);
			loop_turn(loop, false);
		}
		ck_assert_uint_le(stream->connection->out.len, WAITING_MAX);
		ck_assert(!http_stream_write(stream, (struct str) { part, sizeof(part) }));
		http_stream_close(stream, STR("reset\n"));
		if (reads == 1) {
			const char *got = hear_end(fd);
			ck_assert_uint_eq(buf_str(&seen).len, written * sizeof(part) + 6);
			ck_assert_str_eq(got + written * sizeof(part), "reset\n");
		}
		const usec_t end = clock_now_us() + WAIT_US;
		while (http_server_connections(server) > 0) {
			ck_assert_msg(clock_now_us() < end, "a frozen client is kept");
			loop_turn(loop, false);
			if (reads == 1)
				(void)shutdown(fd, SHUT_RDWR);
		}
		ck_assert_uint_eq(ended, 0);
		(void)close(fd);
		server_stop();
	}
}
END_TEST

/* The same client while nobody notices: the room writes little, and is told. */
START_TEST(a_frozen_client_is_cut_off)
{
	static char part[1024];
	start();
	memset(part, 'p', sizeof(part));
	const int fd = client_with(2048);
	say(fd, GET("/open"));
	(void)hear(fd, "first\n");
	while (stream->connection->out.len == 0) {
		ck_assert(http_stream_write(stream, (struct str) { part, sizeof(part) }));
		loop_turn(loop, false);
	}
	wait_ended();
	ck_assert_uint_eq(http_server_connections(server), 0);
	(void)close(fd);
	server_stop();
}
END_TEST

static bool drained;

static void
on_drained(void *arg)
{
	(void)arg;
	drained = true;
}

START_TEST(a_graceful_stop_ends_it)
{
	start();
	drained = false;
	const int fd = client();
	const int late = client();
	say(fd, GET("/open"));
	(void)hear(fd, "first\n");
	ck_assert(http_stream_write(stream, STR("second\n")));
	http_server_drain(server, on_drained, NULL);
	ck_assert_uint_eq(ended, 1);
	ck_assert_str_eq(hear_end(fd), "second\n");
	(void)close(fd);
	(void)close(late);
	pump(20 * USEC_PER_MS);
	ck_assert(drained);
	server_stop();
}
END_TEST

START_TEST(destroying_the_server_ends_it)
{
	start();
	const int fd = client();
	say(fd, GET("/open"));
	(void)hear(fd, "first\n");
	server_stop();
	ck_assert_uint_eq(ended, 1);
	(void)close(fd);
}
END_TEST

START_TEST(http_1_0)
{
	start();
	const int fd = client();
	say(fd, "GET /open HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	const char *head = hear(fd, "first\n");
	HAS(head, "Connection: close\r\n");
	HAS_NOT(head, "Transfer-Encoding");
	http_stream_close(stream, STR(""));
	(void)hear_end(fd);
	(void)close(fd);
	server_stop();
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http stream");
	TCase *tc = tcase_create("stream");
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, it_outlives_its_task_and_every_deadline);
	tcase_add_test(tc, it_is_the_last_answer_of_its_connection);
	tcase_add_test(tc, it_may_end_within_its_step);
	tcase_add_test(tc, a_client_that_leaves_is_told);
	tcase_add_test(tc, what_comes_behind_it_is_dropped);
	tcase_add_test(tc, a_slow_client);
	tcase_add_test(tc, a_frozen_client_is_cut_off);
	tcase_add_test(tc, a_graceful_stop_ends_it);
	tcase_add_test(tc, destroying_the_server_ends_it);
	tcase_add_test(tc, http_1_0);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
