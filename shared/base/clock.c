/*
 * clock.c — reading the clocks and turning wall time into text and back.
 *
 * Used by deadlines, logs, headers and records. Calendar arithmetic is done here on days since
 * 1970, proleptic Gregorian, so no time zone data and no libc state is involved.
 */
#include "base/clock.h"

#include <string.h>
#include <time.h>

#define USEC_PER_DAY (INT64_C(86400) * USEC_PER_SEC)
/* the years 0000 to 9999, all that RFC 3339 can write */
#define WALL_MIN (INT64_C(-719528) * USEC_PER_DAY)
#define WALL_MAX (INT64_C(2932897) * USEC_PER_DAY - 1)

struct civil {
	int64_t day; /* since 1970-01-01 */
	unsigned year, month, mday;
	unsigned hour, minute, second, us;
};

static usec_t
read_clock(clockid_t id)
{
	struct timespec ts;
	/* cannot fail for these clocks on Linux */
	(void)clock_gettime(id, &ts);
	return (usec_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

usec_t
clock_now_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

usec_t
clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* Years are counted from 1 March, so that the leap day is the last of its year; eras of 400 years
 * have 146,097 days. */
static int64_t
days_of_date(unsigned year, unsigned month, unsigned mday)
{
	const int64_t y = (int64_t)year - (month <= 2);
	const int64_t era = (y >= 0 ? y : y - 399) / 400;
	const int64_t year_of_era = y - era * 400;
	const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + mday - 1;
	const int64_t day_of_era =
		year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static struct civil
civil_of(usec_t wall_us)
{
	const usec_t t = MIN(MAX(wall_us, WALL_MIN), WALL_MAX);
	struct civil c = { .day = (t - WALL_MIN) / USEC_PER_DAY + WALL_MIN / USEC_PER_DAY };
	const int64_t of_day = t - c.day * USEC_PER_DAY;
	c.us = (unsigned)(of_day % USEC_PER_SEC);
	c.second = (unsigned)(of_day / USEC_PER_SEC % 60);
	c.minute = (unsigned)(of_day / (60 * USEC_PER_SEC) % 60);
	c.hour = (unsigned)(of_day / (3600 * USEC_PER_SEC));
	/* from 1 March of the year -400, so that every number is positive */
	const int64_t z = c.day + 719468 + 146097;
	const int64_t era = z / 146097;
	const int64_t doe = z % 146097;
	const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int64_t mp = (5 * doy + 2) / 153;
	c.mday = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	c.year = (unsigned)(yoe + era * 400 - 400 + (c.month <= 2));
	return c;
}

/* Writes `width` decimal digits and returns the place behind them. */
static char *
put(char *p, unsigned v, unsigned width)
{
	for (unsigned i = width; i > 0; i--) {
		p[i - 1] = (char)('0' + v % 10);
		v /= 10;
	}
	return p + width;
}

void
clock_rfc3339(usec_t wall_us, char out[CLOCK_RFC3339_SIZE])
{
	const struct civil c = civil_of(wall_us);
	char *p = put(out, c.year, 4);
	*p++ = '-';
	p = put(p, c.month, 2);
	*p++ = '-';
	p = put(p, c.mday, 2);
	*p++ = 'T';
	p = put(p, c.hour, 2);
	*p++ = ':';
	p = put(p, c.minute, 2);
	*p++ = ':';
	p = put(p, c.second, 2);
	*p++ = '.';
	p = put(p, c.us / 1000, 3);
	*p++ = 'Z';
	*p = '\0';
}

void
clock_http_date(usec_t wall_us, char out[CLOCK_RFC3339_SIZE])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const struct civil c = civil_of(wall_us);
	/* 1970-01-01 was a Thursday; 7 × 150,000 makes days before it positive */
	const size_t weekday = (size_t)((c.day + 4 + 7 * INT64_C(150000)) % 7);
	char *p = out;
	memcpy(p, days + 3 * weekday, 3);
	memcpy(p + 3, ", ", 2);
	p = put(p + 5, c.mday, 2);
	*p++ = ' ';
	memcpy(p, months + 3 * (size_t)(c.month - 1), 3);
	p += 3;
	*p++ = ' ';
	p = put(p, c.year, 4);
	*p++ = ' ';
	p = put(p, c.hour, 2);
	*p++ = ':';
	p = put(p, c.minute, 2);
	*p++ = ':';
	p = put(p, c.second, 2);
	memcpy(p, " GMT", 5);
}

/* Takes exactly `width` digits off the front, then `sep` unless it is NUL. */
static bool
take(struct str *s, unsigned width, char sep, unsigned *out)
{
	const size_t need = width + (sep != '\0');
	if (s->len < need || (sep != '\0' && s->p[width] != sep))
		return false;
	unsigned v = 0;
	for (unsigned i = 0; i < width; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s->p[i] - '0');
	}
	s->p += need;
	s->len -= need;
	*out = v;
	return true;
}

static bool
take_char(struct str *s, const char *any_of)
{
	if (s->len == 0 || s->p[0] == '\0' || strchr(any_of, s->p[0]) == NULL)
		return false;
	s->p++;
	s->len--;
	return true;
}

/* Digits behind the point; those past the microsecond are dropped. */
static bool
take_fraction(struct str *s, unsigned *us)
{
	unsigned scale = 100000;
	size_t n = 0;
	*us = 0;
	for (; n < s->len && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
		*us += (unsigned)(s->p[n] - '0') * scale;
		scale /= 10;
	}
	s->p += n;
	s->len -= n;
	return n > 0;
}

/* "Z" or "+hh:mm", which must be the end. */
static bool
take_offset(struct str *s, int64_t *seconds)
{
	*seconds = 0;
	if (take_char(s, "Zz"))
		return s->len == 0;
	const bool minus = s->len > 0 && s->p[0] == '-';
	unsigned hour;
	unsigned minute;
	if (!take_char(s, "+-") || !take(s, 2, ':', &hour) || !take(s, 2, '\0', &minute))
		return false;
	if (hour > 23 || minute > 59 || s->len != 0)
		return false;
	*seconds = (int64_t)(hour * 3600 + minute * 60) * (minus ? -1 : 1);
	return true;
}

static bool
date_valid(unsigned year, unsigned month, unsigned mday)
{
	static const unsigned char length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (month < 1 || month > 12 || mday < 1)
		return false;
	const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return mday <= length[month - 1] + (unsigned)(leap && month == 2);
}

enum err
clock_parse_rfc3339(struct str s, usec_t *wall_us)
{
	struct civil c = { 0 };
	if (!take(&s, 4, '-', &c.year) || !take(&s, 2, '-', &c.month) ||
	    !take(&s, 2, '\0', &c.mday))
		return ERR_INVALID;
	if (!date_valid(c.year, c.month, c.mday))
		return ERR_INVALID;
	c.day = days_of_date(c.year, c.month, c.mday);
	if (s.len == 0) {
		*wall_us = c.day * USEC_PER_DAY;
		return ERR_OK;
	}
	if (!take_char(&s, "Tt") || !take(&s, 2, ':', &c.hour) || !take(&s, 2, ':', &c.minute) ||
	    !take(&s, 2, '\0', &c.second))
		return ERR_INVALID;
	if (c.hour > 23 || c.minute > 59 || c.second > 60)
		return ERR_INVALID;
	if (take_char(&s, ".") && !take_fraction(&s, &c.us))
		return ERR_INVALID;
	int64_t offset;
	if (!take_offset(&s, &offset))
		return ERR_INVALID;
	const int64_t seconds = c.day * 86400 + c.hour * 3600 + c.minute * 60 + c.second - offset;
	/* a leap second exists only at the end of a UTC day; it counts as the first second of the
	 * next */
	if (c.second == 60 && seconds % 86400 != 0)
		return ERR_INVALID;
	*wall_us = seconds * USEC_PER_SEC + c.us;
	return ERR_OK;
}

enum err
clock_parse_duration(struct str s, usec_t *out)
{
	static const struct {
		const char *name;
		usec_t us;
	} units[] = {
		{ "ms", USEC_PER_MS },        { "s", USEC_PER_SEC }, { "min", 60 * USEC_PER_SEC },
		{ "h", 3600 * USEC_PER_SEC }, { "d", USEC_PER_DAY },
	};
	size_t n = 0;
	while (n < s.len && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	int64_t v;
	if (str_int((struct str) { s.p, n }, 0, INT64_MAX, &v) != ERR_OK)
		return ERR_INVALID;
	const struct str unit = { s.p + n, s.len - n };
	if (unit.len == 0 && v == 0) {
		*out = 0;
		return ERR_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (!str_is(unit, units[i].name))
			continue;
		usec_t us;
		if (__builtin_mul_overflow(v, units[i].us, &us))
			return ERR_INVALID;
		*out = us;
		return ERR_OK;
	}
	return ERR_INVALID;
}
