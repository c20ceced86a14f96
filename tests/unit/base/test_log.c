/* The log: each event is one valid JSON line, whatever goes in; a bug ends the process with a line.
 */
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json_scan.h"
#include "tests/support/unit.h"

static char captured[64 * 1024];
static int saved_stderr;
static FILE *capture_file;

static void
capture_begin(void)
{
	capture_file = tmpfile();
	ck_assert_ptr_nonnull(capture_file);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(fileno(capture_file), STDERR_FILENO), 0);
}

/* The text written since capture_begin. */
static const char *
capture_end(void)
{
	ck_assert_int_ge(dup2(saved_stderr, STDERR_FILENO), 0);
	close(saved_stderr);
	const ssize_t n = pread(fileno(capture_file), captured, sizeof(captured) - 1, 0);
	ck_assert_int_ge(n, 0);
	captured[n] = '\0';
	fclose(capture_file);
	return captured;
}

static void
assert_one_json_line(const char *text)
{
	const struct str all = str_of(text);
	enum json_kind kind;
	struct err_info info = { .code = ERR_OK };
	ck_assert_uint_eq(str_find(all, '\n'), all.len - 1);
	ck_assert_msg(json_scan_any(all, &kind, &info) == ERR_OK, "%s: %s", info.msg, text);
	ck_assert_int_eq(kind, JSON_OBJECT);
}

START_TEST(line_has_its_members)
{
	log_init("core", 3, LOG_INFO);
	capture_begin();
	errno = EPIPE;
	log_info("test.event", "hello %s", "wor\"ld\n");
	ck_assert_int_eq(errno, EPIPE);
	const char *text = capture_end();
	assert_one_json_line(text);
	ck_assert_ptr_nonnull(strstr(text, "{\"ts\":\"20"));
	ck_assert_ptr_nonnull(strstr(
		text, ",\"level\":\"info\",\"proc\":\"core\",\"worker\":3,\"event\":\"test.event\","
		      "\"msg\":\"hello wor\\\"ld\\n\"}"));
}
END_TEST

START_TEST(fields_are_added)
{
	log_init("sandbox", -1, LOG_INFO);
	capture_begin();
	log_fields(LOG_WARN, "test.event", "\"status\":200,\"ms\":1.5", "x");
	log_fields(LOG_DEBUG, "test.event", "\"a\":1", "hidden");
	const char *text = capture_end();
	assert_one_json_line(text);
	ck_assert_ptr_nonnull(strstr(text, "\"worker\":-1,"));
	ck_assert_ptr_nonnull(strstr(text, "\"msg\":\"x\",\"status\":200,\"ms\":1.5}"));
	capture_begin();
	log_fields(LOG_WARN, "test.event", "", "x");
	log_fields(LOG_DEBUG, "test.event", NULL, "hidden");
	assert_one_json_line(capture_end());
}
END_TEST

static char *
text_of(char c, size_t n)
{
	char *p = malloc(n + 1);
	ck_assert_ptr_nonnull(p);
	memset(p, c, n);
	p[n] = '\0';
	return p;
}

/* Too long, not UTF-8, all control characters: still one valid line. */
START_TEST(bad_input_gives_a_good_line)
{
	static const char bytes[] = { 'a', '\x01', '\xff', '"' };
	char *msg = text_of(bytes[_i], 100000);
	char *fields = text_of(' ', 100000);
	log_init("core", 0, LOG_INFO);
	capture_begin();
	log_fields(LOG_ERROR, "test.event", fields, "%s", msg);
	const char *text = capture_end();
	assert_one_json_line(text);
	ck_assert_ptr_nonnull(strstr(text, "\"fields_lost\":true}"));
	free(msg);
	free(fields);
}
END_TEST

START_TEST(levels)
{
	static const char *const names[] = { "error", "warn", "info", "debug", "trace" };
	enum log_level level;
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(log_level_parse(names[i], &level), ERR_OK);
		ck_assert_int_eq((int)level, i);
		log_set_level(level);
		ck_assert(log_enabled(level));
		ck_assert(i == 4 || !log_enabled((enum log_level)(i + 1)));
	}
	ck_assert_int_eq(log_level_parse("INFO", &level), ERR_INVALID);
	ck_assert_int_eq(log_level_parse("", &level), ERR_INVALID);
	ck_assert_int_eq(log_level_parse(NULL, &level), ERR_INVALID);
	log_set_level(LOG_WARN);
	capture_begin();
	log_info("test.event", "x");
	log_debug("test.event", "x");
	ck_assert_str_eq(capture_end(), "");
}
END_TEST

/* A line that could not be written is told by the next one. */
START_TEST(lost_lines_are_told)
{
	log_init("core", 0, LOG_INFO);
	const int keep = dup(STDERR_FILENO);
	close(STDERR_FILENO);
	log_info("test.event", "x");
	log_info("test.event", "y");
	ck_assert_int_ge(dup2(keep, STDERR_FILENO), 0);
	close(keep);
	capture_begin();
	log_info("test.event", "z");
	const char *text = capture_end();
	assert_one_json_line(text);
	ck_assert_ptr_nonnull(strstr(text, "\"lines_lost\":2"));
	capture_begin();
	log_info("test.event", "z");
	ck_assert_ptr_null(strstr(capture_end(), "lines_lost"));
}
END_TEST

static size_t
captured_now(void)
{
	return (size_t)lseek(fileno(capture_file), 0, SEEK_END);
}

static unsigned
lines_of(const char *text)
{
	unsigned n = 0;
	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* Held lines wait, keep their order, and go out before one that does not wait. */
START_TEST(held_lines_wait)
{
	log_init("core", 0, LOG_INFO);
	capture_begin();
	log_hold();
	log_info("test.first", "x");
	log_text(LOG_INFO, "test.second", STR("a\"b"), STR("\"n\":1"));
	ck_assert_uint_eq(captured_now(), 0);
	log_warn("test.third", "x");
	ck_assert_uint_gt(captured_now(), 0);
	log_info("test.fourth", "x");
	const size_t before = captured_now();
	log_release();
	ck_assert_uint_gt(captured_now(), before);
	log_info("test.fifth", "x");
	const char *text = capture_end();
	ck_assert_uint_eq(lines_of(text), 5);
	static const char *const order[] = {
		"test.first", "test.second", "\"msg\":\"a\\\"b\",\"n\":1}",
		"test.third", "test.fourth", "test.fifth"
	};
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		const char *at = strstr(text, order[i]);
		ck_assert_msg(at != NULL, "%s is missing or out of order", order[i]);
		text = at;
	}
}
END_TEST

/* More than a pipe takes in one piece goes out in between, and a line longer than that by itself. */
START_TEST(held_lines_are_bounded)
{
	const int n = _i == 0 ? 100 : 20;
	char *msg = text_of('m', _i == 0 ? 200 : 1800);
	log_init("core", 0, LOG_INFO);
	capture_begin();
	log_hold();
	for (int i = 0; i < n; i++)
		log_info("test.event", "%s", msg);
	ck_assert_uint_gt(captured_now(), 0);
	char *longer = text_of('z', 6000);
	log_text(LOG_INFO, "test.long", str_of(longer), STR(""));
	log_release();
	const char *text = capture_end();
	ck_assert_int_eq((int)lines_of(text), n + 1);
	ck_assert_ptr_nonnull(strstr(text, "zzzz\"}"));
	free(msg);
	free(longer);
}
END_TEST

/* What waits is the parent's to write. */
START_TEST(a_child_drops_what_waits)
{
	log_init("core", 0, LOG_INFO);
	capture_begin();
	log_hold();
	log_info("test.parent", "x");
	const pid_t pid = fork();
	if (pid == 0) {
		log_init("core", 1, LOG_INFO);
		log_info("test.child", "x");
		_exit(0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	log_release();
	const char *text = capture_end();
	ck_assert_uint_eq(lines_of(text), 2);
	ck_assert_ptr_nonnull(strstr(text, "\"worker\":1,\"event\":\"test.child\""));
	ck_assert_ptr_nonnull(strstr(text, "\"worker\":0,\"event\":\"test.parent\""));
}
END_TEST

START_TEST(bug_aborts)
{
	capture_begin();
	const pid_t pid = fork();
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };
		(void)setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		BUG_ON(1 + 1 == 2);
		_exit(0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	const char *text = capture_end();
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_one_json_line(text);
	ck_assert_ptr_nonnull(strstr(text, "\"event\":\"bug\""));
	ck_assert_ptr_nonnull(strstr(text, "test_log.c:"));
	ck_assert_ptr_nonnull(strstr(text, ": 1 + 1 == 2\",\"stack\":["));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");
	tcase_add_test(tc, line_has_its_members);
	tcase_add_test(tc, fields_are_added);
	tcase_add_loop_test(tc, bad_input_gives_a_good_line, 0, 4);
	tcase_add_test(tc, levels);
	tcase_add_test(tc, lost_lines_are_told);
	tcase_add_test(tc, held_lines_wait);
	tcase_add_loop_test(tc, held_lines_are_bounded, 0, 2);
	tcase_add_test(tc, a_child_drops_what_waits);
	tcase_add_test(tc, bug_aborts);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
