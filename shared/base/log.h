/*
 * log.h — one JSON line an event on stderr: ts, level, proc, worker, event, msg, then the fields given.
 *
 * Never log bodies, names, e-mail addresses or tokens: ids only. `event` is a stable dotted name ("feed.stopped").
 */
#ifndef BIMODAL_BASE_LOG_H
#define BIMODAL_BASE_LOG_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* `proc` is copied ("core", "sandbox", "bimodal"); worker -1 = parent, -2 = jobs. Call again after fork. */
void log_init(const char *proc, int worker, enum log_level level);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
MUST_CHECK enum err log_level_parse(const char *text, enum log_level *out);

void log_write(enum log_level level, const char *event, const char *fmt, ...) PRINTF(3, 4);
/* Extra fields as finished JSON members without braces: "\"status\":200,\"ms\":1.5". */
void log_fields(enum log_level level, const char *event, const char *members_json, const char *fmt,
		...) PRINTF(4, 5);

/* The same with a message that is not formatted: for lines that are written for each request. `members` may be empty. */
void log_text(enum log_level level, const char *event, struct str msg, struct str members);

/*
 * Between the two, lines below LOG_WARN wait and go out together, in writes that a pipe keeps whole. For the loop, around the work
 * of one turn: a line waits for no longer than that. A child made meanwhile drops what waits (log_init): its parent writes it.
 */
void log_hold(void);
void log_release(void);

#define log_error(event, ...) log_write(LOG_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_WARN, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...)                                                                      \
	do {                                                                                       \
		if (log_enabled(LOG_DEBUG))                                                        \
			log_write(LOG_DEBUG, event, __VA_ARGS__);                                  \
	} while (0)

/* A bug in our program: log with file and line, abort with a dump. The parent restarts the worker and counts it. */
void log_bug(const char *file, int line, const char *what) NORETURN;
#define BUG_ON(cond)                                                                               \
	do {                                                                                       \
		if (cond)                                                                          \
			log_bug(__FILE__, __LINE__, #cond);                                        \
	} while (0)

#endif
