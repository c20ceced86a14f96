/*
 * log.c — one JSON line an event on stderr, written with one write(2) so that lines of several
 * processes do not mix; while the log is held, as many lines a write as a pipe takes in one piece.
 *
 * Every module reports through here. Invariants: a line is at most LINE_MAX_BYTES; errno is kept; a
 * line that cannot be written is counted and the count is told in the next one; what is held goes
 * out before any later line. No thread but the process's own logs.
 */
#include "base/log.h"

#include <errno.h>
#include <execinfo.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define LINE_MAX_BYTES (16 * 1024)
#define MSG_MAX_BYTES 2048
#define STACK_FRAMES 24

static const char *const level_names[] = {
	[LOG_ERROR] = "error", [LOG_WARN] = "warn",   [LOG_INFO] = "info",
	[LOG_DEBUG] = "debug", [LOG_TRACE] = "trace",
};

static enum log_level max_level = LOG_INFO;
static char proc_name[32] = "bimodal";
static int proc_worker = -1;
static uint64_t lost;   /* lines that could not be written since the last that could */
static struct buf line; /* reused; grows once to its limit at most */
static struct buf held; /* whole lines, PIPE_BUF bytes at most */
static uint64_t n_held;
static bool holding;
static struct buf origin; /* the members that are the same in each line; empty: to be made */

void
log_init(const char *proc, int worker, enum log_level level)
{
	(void)str_copy(proc_name, sizeof(proc_name), str_of(proc));
	proc_worker = worker;
	max_level = level;
	buf_reset(&origin);
	buf_reset(&held);
	n_held = 0;
	holding = false;
}

void
log_set_level(enum log_level level)
{
	max_level = level;
}

bool
log_enabled(enum log_level level)
{
	return level <= max_level;
}

enum err
log_level_parse(const char *text, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (str_is(str_of(text), level_names[i])) {
			*out = (enum log_level)i;
			return ERR_OK;
		}
	}
	return ERR_INVALID;
}

static void
origin_make(void)
{
	if (origin.limit == 0)
		buf_init(&origin, LINE_MAX_BYTES);
	buf_add_cstr(&origin, ",\"proc\":");
	buf_json_cstr(&origin, proc_name);
	buf_printf(&origin, ",\"worker\":%d", proc_worker);
}

static void
begin_line(enum log_level level, const char *event, struct str msg)
{
	char ts[CLOCK_RFC3339_SIZE];
	clock_rfc3339(clock_wall_us(), ts);
	if (line.limit == 0)
		buf_init(&line, LINE_MAX_BYTES);
	if (origin.len == 0)
		origin_make();
	buf_reset(&line);
	buf_add_cstr(&line, "{\"ts\":\"");
	buf_add_cstr(&line, ts);
	buf_add_cstr(&line, "\",\"level\":\"");
	buf_add_cstr(&line, level_names[level]);
	buf_add_char(&line, '"');
	buf_add_str(&line, buf_str(&origin));
	buf_add_cstr(&line, ",\"event\":");
	buf_json_cstr(&line, event);
	buf_add_cstr(&line, ",\"msg\":");
	buf_json_str(&line, msg);
	if (lost > 0)
		buf_printf(&line, ",\"lines_lost\":%llu", (unsigned long long)lost);
}

static bool
write_all(struct str rest)
{
	while (rest.len > 0) {
		const ssize_t n = write(STDERR_FILENO, rest.p, rest.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		rest.p += n;
		rest.len -= (size_t)n;
	}
	return true;
}

static void
held_write(void)
{
	if (n_held > 0) {
		if (write_all(buf_str(&held)))
			lost = 0;
		else
			lost += n_held;
	}
	buf_reset(&held);
	n_held = 0;
}

/* False: the line does not fit, or there is no memory; it is to be written by itself. */
static bool
held_add(struct str text)
{
	if (held.limit == 0)
		buf_init(&held, PIPE_BUF);
	if (text.len > held.limit - held.len)
		held_write();
	if (text.len > held.limit || buf_room(&held, text.len) == NULL)
		return false;
	buf_add_str(&held, text);
	n_held++;
	return true;
}

static void
write_line(enum log_level level)
{
	buf_add_cstr(&line, "}\n");
	if (line.failed) {
		lost++;
		return;
	}
	if (holding && level > LOG_WARN && held_add(buf_str(&line)))
		return;
	held_write();
	if (write_all(buf_str(&line)))
		lost = 0;
	else
		lost++;
}

void
log_hold(void)
{
	holding = true;
}

void
log_release(void)
{
	const int saved = errno;
	holding = false;
	held_write();
	errno = saved;
}

void
log_text(enum log_level level, const char *event, struct str msg, struct str members)
{
	if (!log_enabled(level))
		return;
	const int saved = errno;
	begin_line(level, event, msg);
	if (members.len > 0) {
		/* a comma before, two bytes of closing behind */
		if (!line.failed && members.len + 3 <= line.limit - line.len) {
			buf_add_char(&line, ',');
			buf_add_str(&line, members);
		} else {
			buf_add_cstr(&line, ",\"fields_lost\":true");
		}
	}
	write_line(level);
	errno = saved;
}

PRINTF(4, 0)
static void
write_event(enum log_level level, const char *event, const char *members_json, const char *fmt,
	    va_list ap)
{
	char msg[MSG_MAX_BYTES];
	const int saved = errno;
	if (vsnprintf(msg, sizeof(msg), fmt, ap) < 0)
		msg[0] = '\0';
	errno = saved;
	log_text(level, event, str_of(msg), str_of(members_json));
}

void
log_write(enum log_level level, const char *event, const char *fmt, ...)
{
	if (!log_enabled(level))
		return;
	va_list ap;
	va_start(ap, fmt);
	write_event(level, event, NULL, fmt, ap);
	va_end(ap);
}

void
log_fields(enum log_level level, const char *event, const char *members_json, const char *fmt, ...)
{
	if (!log_enabled(level))
		return;
	va_list ap;
	va_start(ap, fmt);
	write_event(level, event, members_json, fmt, ap);
	va_end(ap);
}

void
log_bug(const char *file, int line_number, const char *what)
{
	static bool dying;
	void *frames[STACK_FRAMES];
	char msg[512];
	/* a bug within this very function must not come back here */
	if (dying)
		abort();
	dying = true;
	(void)snprintf(msg, sizeof(msg), "%s:%d: %s", file, line_number, what);
	begin_line(LOG_ERROR, "bug", str_of(msg));
	const int n = backtrace(frames, STACK_FRAMES);
	char **names = backtrace_symbols(frames, n);
	buf_add_cstr(&line, ",\"stack\":[");
	for (int i = 0; names != NULL && i < n; i++) {
		if (i > 0)
			buf_add_char(&line, ',');
		buf_json_cstr(&line, names[i]);
	}
	buf_add_char(&line, ']');
	write_line(LOG_ERROR);
	free(names);
	abort();
}
