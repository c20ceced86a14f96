/*
 * value.c — lexical checks of values by the kind of their field. See value.h.
 *
 * Place: called by input.c (bodies) and query.c (filters). Invariant: what passes here is accepted
 * by the PostgreSQL input function of the column's type, except for what only the database can know
 * (constraints, references).
 */
#include "record/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"

#define EXPONENT_MAX 1000 /* of a decimal without declared precision */
#define DIGITS_MAX 1000
#define YEAR_1_US (INT64_C(-62135596800) * USEC_PER_SEC) /* 0001-01-01T00:00:00Z */

static bool fault_set(struct record_fault *fault, const char *code, const char *fmt, ...)
	PRINTF(3, 4);

static bool
fault_set(struct record_fault *fault, const char *code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fault->code = code;
	(void)vsnprintf(fault->detail, sizeof(fault->detail), fmt, ap);
	va_end(ap);
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
integer_ok(const struct record_field *f, struct str s, struct record_fault *fault)
{
	const int64_t max = f->integer_bytes == 2   ? INT16_MAX
			    : f->integer_bytes == 4 ? INT32_MAX
						    : INT64_MAX;
	const size_t first = s.len > 0 && s.p[0] == '-' ? 1 : 0;
	bool digits = s.len > first;
	for (size_t i = first; i < s.len; i++)
		digits = digits && is_digit(s.p[i]);
	if (!digits)
		return fault_set(fault, "bad_format", "must be a whole number");
	int64_t v;
	if (str_int(s, -max - 1, max, &v) != ERR_OK)
		return fault_set(fault, "out_of_range", "must be between %lld and %lld",
				 (long long)(-max - 1), (long long)max);
	return true;
}

/* A decimal taken apart: value = digits × 10^(point - number of digits), without zeros at either
 * end. */
struct decimal {
	size_t digits; /* significant ones                        */
	int64_t point; /* digits before the decimal point, may be negative */
};

static size_t
digit_run(struct str s, size_t from)
{
	size_t i = from;
	while (i < s.len && is_digit(s.p[i]))
		i++;
	return i;
}

static bool
decimal_parse(struct str s, struct decimal *d)
{
	const size_t begin = s.len > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
	const size_t whole_end = digit_run(s, begin);
	size_t end = whole_end;
	if (end < s.len && s.p[end] == '.') {
		end = digit_run(s, end + 1);
		if (end == whole_end + 1)
			return false;
	}
	if (whole_end == begin || end - begin > DIGITS_MAX)
		return false;
	int64_t exponent = 0;
	if (end < s.len && (s.p[end] == 'e' || s.p[end] == 'E')) {
		struct str e = { s.p + end + 1, s.len - end - 1 };
		if (e.len > 0 && e.p[0] == '+')
			e = (struct str) { e.p + 1, e.len - 1 };
		if (str_int(e, -INT32_MAX, INT32_MAX, &exponent) != ERR_OK)
			return false;
	} else if (end != s.len) {
		return false;
	}
	/* First and last significant digit, counted without the point. */
	size_t n = 0, first = SIZE_MAX, last = 0;
	for (size_t i = begin; i < end; i++) {
		if (s.p[i] == '.')
			continue;
		if (s.p[i] != '0') {
			first = first == SIZE_MAX ? n : first;
			last = n;
		}
		n++;
	}
	if (first == SIZE_MAX) {
		*d = (struct decimal) { .digits = 0, .point = exponent };
		return true;
	}
	d->digits = last - first + 1;
	d->point = (int64_t)(whole_end - begin) - (int64_t)first + exponent;
	return true;
}

static bool
decimal_ok(const struct record_field *f, struct str s, struct record_fault *fault)
{
	struct decimal d;
	if (!decimal_parse(s, &d))
		return fault_set(fault, "bad_format", "must be a decimal number such as 12.50");
	/* Zero has no digits to count, but PostgreSQL refuses its exponent all the same. */
	if (d.digits == 0)
		return (d.point >= -EXPONENT_MAX && d.point <= EXPONENT_MAX) ||
		       fault_set(fault, "out_of_range", "has an exponent beyond %d", EXPONENT_MAX);
	const int64_t fraction = (int64_t)d.digits - d.point;
	if (f->precision == 0) {
		if (d.point > EXPONENT_MAX || fraction > EXPONENT_MAX)
			return fault_set(fault, "out_of_range", "has more than %d digits",
					 EXPONENT_MAX);
		return true;
	}
	if (d.point > f->precision - f->scale)
		return fault_set(fault, "out_of_range",
				 "must have at most %d digits before the decimal point",
				 f->precision - f->scale);
	if (fraction > f->scale)
		return fault_set(fault, "out_of_range", "must have at most %d decimals", f->scale);
	return true;
}

static int
two_digits(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

static bool
date_ok(struct str s, struct record_fault *fault)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool form = s.len == 10 && s.p[4] == '-' && s.p[7] == '-';
	for (size_t i = 0; form && i < s.len; i++)
		form = i == 4 || i == 7 || is_digit(s.p[i]);
	if (!form)
		return fault_set(fault, "bad_format", "must be a date such as 2026-05-01");
	const int year = two_digits(s.p) * 100 + two_digits(s.p + 2);
	const int month = two_digits(s.p + 5);
	const int day = two_digits(s.p + 8);
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > days[month - 1] + (month == 2 && leap ? 1 : 0))
		return fault_set(fault, "out_of_range", "is not a day of the calendar");
	return true;
}

static size_t
characters(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool
text_ok(const struct record_field *f, struct str s, struct record_fault *fault)
{
	if (!str_utf8_valid(s) || memchr(s.p == NULL ? "" : s.p, '\0', s.len) != NULL)
		return fault_set(fault, "bad_format", "must be valid UTF-8 without NUL");
	if (f->max_length > 0 && characters(s) > (size_t)f->max_length)
		return fault_set(fault, "too_long", "must have at most %lld characters",
				 (long long)f->max_length);
	return true;
}

static bool
choice_ok(const struct record_field *f, struct str s, struct record_fault *fault)
{
	for (size_t i = 0; i < f->n_choices; i++) {
		if (str_eq(f->choices[i], s))
			return true;
	}
	if (f->n_choices == 0)
		return text_ok(f, s, fault);
	char list[RECORD_DETAIL_SIZE - 32];
	size_t used = 0;
	list[0] = '\0';
	for (size_t i = 0; i < f->n_choices && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%.*s",
					 i > 0 ? ", " : "", STR_FMT(f->choices[i]));
	return fault_set(fault, "not_a_choice", "must be one of: %s", list);
}

static bool
timestamp_ok(struct str s, struct record_fault *fault)
{
	usec_t t;
	if (clock_parse_rfc3339(s, &t) != ERR_OK)
		return fault_set(fault, "bad_format",
				 "must be a time such as 2026-05-01T10:00:00Z");
	/* RFC 3339 can write the year 0; PostgreSQL has none. */
	if (str_starts(s, "0000") || t < YEAR_1_US)
		return fault_set(fault, "out_of_range", "must not be before the year 1");
	return true;
}

bool
record_value_ok(const struct record_field *f, struct str s, struct record_fault *fault)
{
	struct uuid u;
	*fault = (struct record_fault) { 0 };
	switch (f->kind) {
	case RECORD_TEXT:
		return text_ok(f, s, fault);
	case RECORD_ENUM:
		return choice_ok(f, s, fault);
	case RECORD_INTEGER:
		return integer_ok(f, s, fault);
	case RECORD_DECIMAL:
		return decimal_ok(f, s, fault);
	case RECORD_BOOLEAN:
		return str_is(s, "true") || str_is(s, "false") ||
		       fault_set(fault, "bad_format", "must be true or false");
	case RECORD_DATE:
		return date_ok(s, fault);
	case RECORD_TIMESTAMP:
		return timestamp_ok(s, fault);
	case RECORD_UUID:
		return uuid_parse(s, &u) == ERR_OK ||
		       fault_set(fault, "bad_format",
				 "must be a UUID such as 01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f");
	case RECORD_JSON:
		return true;
	}
	return fault_set(fault, "wrong_type", "is of a kind this program does not know");
}

bool
record_json_ok(const struct record_field *f, enum json_kind kind, struct str s,
	       struct record_fault *fault)
{
	bool fits = kind == JSON_STRING;
	const char *want = "a string";
	switch (f->kind) {
	case RECORD_INTEGER:
		fits = kind == JSON_NUMBER;
		want = "a number";
		break;
	case RECORD_DECIMAL: /* a string keeps the digits for clients whose numbers are doubles */
		fits = kind == JSON_NUMBER || kind == JSON_STRING;
		want = "a number";
		break;
	case RECORD_BOOLEAN:
		fits = kind == JSON_TRUE || kind == JSON_FALSE;
		want = "true or false";
		break;
	case RECORD_JSON:
		fits = true;
		break;
	default:
		break;
	}
	*fault = (struct record_fault) { 0 };
	if (!fits)
		return fault_set(fault, "wrong_type", "must be %s", want);
	return record_value_ok(f, s, fault);
}
