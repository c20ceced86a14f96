/*
 * clock.h — time. Monotonic microseconds for deadlines, wall microseconds since 1970 (UTC) for people and records.
 */
#ifndef BIMODAL_BASE_CLOCK_H
#define BIMODAL_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

typedef int64_t usec_t;

#define USEC_PER_MS INT64_C(1000)
#define USEC_PER_SEC INT64_C(1000000)

usec_t clock_now_us(void);  /* monotonic */
usec_t clock_wall_us(void); /* since 1970-01-01T00:00:00Z */

/* RFC 3339 with milliseconds, "2026-05-01T10:00:00.123Z" (25 bytes with NUL). Clamped to the years 0000 to 9999. */
#define CLOCK_RFC3339_SIZE 32
void clock_rfc3339(usec_t wall_us, char out[CLOCK_RFC3339_SIZE]);
/*
 * RFC 3339 date-time with offset, or a date alone (midnight UTC). Digits past the microsecond are dropped; a leap second
 * counts as the first second of the next day. ERR_INVALID otherwise.
 */
MUST_CHECK enum err clock_parse_rfc3339(struct str s, usec_t *wall_us);
/* "Sun, 06 Nov 1994 08:49:37 GMT" for HTTP. */
void clock_http_date(usec_t wall_us, char out[CLOCK_RFC3339_SIZE]);

/* Durations "250ms", "10s", "5min", "2h", "7d" and bare 0. ERR_INVALID otherwise. */
MUST_CHECK enum err clock_parse_duration(struct str s, usec_t *out);

#endif
