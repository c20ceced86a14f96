/*
 * json_scan.c — the scanner of customer payloads: one pass, no tree, no recursion, no copy.
 *
 * Runs on every request body before it goes to PostgreSQL as text. Invariants: a pointer only moves
 * forward and never past `end`; the path holds one step a level, so depth is bounded by its size;
 * the first error stops everything and is the only thing that costs time (line, column and JSON
 * pointer are worked out then).
 */
#include "base/json_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* One open container: where we are in it, for the error's pointer. */
struct path_step {
	bool is_object;
	const char *key; /* raw, after its quote; NULL before the first */
	size_t key_len;
	size_t index; /* of the element in an array */
};

struct scan {
	const char *begin;
	const char *end;
	struct err_info *info;
	enum err err;
	size_t depth;
	struct path_step path[JSON_DEPTH_MAX];
};

static void
scan_init(struct scan *s, struct str text, struct err_info *info)
{
	s->begin = text.len == 0 ? "" : text.p;
	s->end = s->begin + text.len;
	s->info = info;
	s->err = ERR_OK;
	s->depth = 0;
}

/* The JSON pointer of the present place, cut at a whole step if it does not fit. Keys as they stand
 * in the text. */
static void
path_text(const struct scan *s, char *out, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < s->depth; i++) {
		const struct path_step *step = &s->path[i];
		size_t at = len;
		if (step->is_object && step->key == NULL)
			break;
		if (!step->is_object) {
			const int n = snprintf(out + at, size - at, "/%zu", step->index);
			if (n < 0 || (size_t)n >= size - at)
				break;
			len = at + (size_t)n;
			continue;
		}
		/* a key's byte takes two at most */
		if (2 * step->key_len + 2 > size - at)
			break;
		out[at++] = '/';
		for (size_t k = 0; k < step->key_len; k++) {
			const char c = step->key[k];
			if (c == '~' || c == '/')
				out[at++] = '~';
			out[at++] = c == '~' ? '0' : c == '/' ? '1' : c;
		}
		len = at;
	}
	out[len] = '\0';
}

/* Note the error at `p`. Returns NULL, so that a failing step is one line. */
static const char *
scan_fail(struct scan *s, const char *p, enum err err, const char *what)
{
	size_t line = 1;
	size_t column = 1;
	s->err = err;
	if (s->info == NULL)
		return NULL;
	for (const char *q = s->begin; q < p; q++) {
		if (*q == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*q & 0xc0) != 0x80) {
			column++;
		}
	}
	char field[sizeof(s->info->field)];
	path_text(s, field, sizeof(field));
	(void)err_set(s->info, err, field, "line %zu, column %zu: %s", line, column, what);
	return NULL;
}

static const char *
bad(struct scan *s, const char *p, const char *what)
{
	return scan_fail(s, p, ERR_BAD_JSON, p == s->end ? "the text ends too early" : what);
}

static inline const char *
skip_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* Four hexadecimal digits at p, or -1. */
static int
hex4(const char *p, const char *end)
{
	int v = 0;
	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const int digit = bytes_hex(p[i]);
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

static inline bool
is_high_surrogate(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static inline bool
is_low_surrogate(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* p at the backslash; returns the place behind the whole escape. */
static const char *
scan_escape(struct scan *s, const char *p)
{
	if (s->end - p < 2)
		return bad(s, s->end, "");
	if (p[1] != 'u') {
		if (p[1] == '\0' || strchr("\"\\/bfnrt", p[1]) == NULL)
			return bad(s, p, "this escape is not known");
		return p + 2;
	}
	const int unit = hex4(p + 2, s->end);
	if (unit < 0)
		return bad(s, p, "\\u needs four hexadecimal digits");
	if (unit == 0)
		return bad(s, p, "\\u0000 cannot be stored");
	if (is_low_surrogate(unit))
		return bad(s, p, "the second half of a surrogate pair stands alone");
	if (!is_high_surrogate(unit))
		return p + 6;
	if (s->end - p < 12 || p[6] != '\\' || p[7] != 'u' ||
	    !is_low_surrogate(hex4(p + 8, s->end)))
		return bad(s, p, "the first half of a surrogate pair stands alone");
	return p + 12;
}

/* p behind the opening quote; returns the place behind the closing one. */
static const char *
scan_string(struct scan *s, const char *p)
{
	for (;;) {
		p = bytes_plain_run(p, s->end);
		if (p == s->end)
			return bad(s, p, "");
		const unsigned char c = (unsigned char)*p;
		if (c == '"')
			return p + 1;
		if (c == '\\') {
			p = scan_escape(s, p);
			if (p == NULL)
				return NULL;
		} else if (c < 0x20) {
			return bad(s, p, "a control character must be escaped");
		} else {
			const size_t n = bytes_utf8_step(p, (size_t)(s->end - p));
			if (n == 0)
				return bad(s, p, "this is not valid UTF-8");
			p += n;
		}
	}
}

static inline const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static const char *
scan_number(struct scan *s, const char *p)
{
	if (*p == '-')
		p++;
	const char *from = p;
	/* a leading zero stands alone; a digit behind it is then refused as "expected , or the end"
	 */
	p = p < s->end && *p == '0' ? p + 1 : skip_digits(p, s->end);
	if (p == from)
		return bad(s, p, "a number needs a digit here");
	if (p < s->end && *p == '.') {
		from = ++p;
		p = skip_digits(p, s->end);
		if (p == from)
			return bad(s, p, "a number needs a digit after the point");
	}
	if (p < s->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		from = p;
		p = skip_digits(p, s->end);
		if (p == from)
			return bad(s, p, "a number needs a digit in its exponent");
	}
	return p;
}

static const char *
scan_word(struct scan *s, const char *p, const char *word, size_t n)
{
	if ((size_t)(s->end - p) < n || memcmp(p, word, n) != 0)
		return bad(s, p, "expected a value");
	return p + n;
}

/* A value that is not a container. */
static const char *
scan_scalar(struct scan *s, const char *p)
{
	switch (*p) {
	case '"':
		return scan_string(s, p + 1);
	case 't':
		return scan_word(s, p, "true", 4);
	case 'f':
		return scan_word(s, p, "false", 5);
	case 'n':
		return scan_word(s, p, "null", 4);
	default:
		if (*p == '-' || (*p >= '0' && *p <= '9'))
			return scan_number(s, p);
		return bad(s, p, "expected a value");
	}
}

static const char *
scan_open(struct scan *s, const char *p)
{
	if (s->depth == JSON_DEPTH_MAX)
		return scan_fail(s, p, ERR_TOO_LARGE, "the value is nested too deeply");
	s->path[s->depth++] = (struct path_step) { .is_object = *p == '{' };
	return skip_blank(p + 1, s->end);
}

/* A key, its colon and the blanks around; p at the quote. Returns the start of the value. */
static const char *
scan_key(struct scan *s, const char *p)
{
	struct path_step *step = &s->path[s->depth - 1];
	step->key = NULL;
	if (p == s->end || *p != '"')
		return bad(s, p, "expected a key in quotes");
	const char *raw = p + 1;
	p = scan_string(s, raw);
	if (p == NULL)
		return NULL;
	step->key = raw;
	step->key_len = (size_t)(p - 1 - raw);
	p = skip_blank(p, s->end);
	if (p == s->end || *p != ':')
		return bad(s, p, "expected a colon after the key");
	return skip_blank(p + 1, s->end);
}

/*
 * Behind a value, or behind the opening of a container (`opened`): close what ends here down to
 * `base`, and move to the next value. *at_value tells whether the place returned is the start of a
 * value or the end of everything above base.
 */
static const char *
scan_between(struct scan *s, const char *p, size_t base, bool opened, bool *at_value)
{
	while (s->depth > base) {
		struct path_step *step = &s->path[s->depth - 1];
		p = skip_blank(p, s->end);
		if (p < s->end && *p == (step->is_object ? '}' : ']')) {
			s->depth--;
			p++;
			opened = false;
			continue;
		}
		if (!opened) {
			if (p == s->end || *p != ',')
				return bad(s, p,
					   step->is_object ? "expected a comma or }"
							   : "expected a comma or ]");
			p = skip_blank(p + 1, s->end);
			step->index++;
		}
		*at_value = true;
		return step->is_object ? scan_key(s, p) : p;
	}
	*at_value = false;
	return p;
}

static enum json_kind
kind_of(char first)
{
	switch (first) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

/* A whole value of any depth; p at its first byte. Returns the place behind it. */
static const char *
scan_value(struct scan *s, const char *p)
{
	const size_t base = s->depth;
	bool at_value = true;
	while (at_value) {
		if (p == s->end)
			return bad(s, p, "");
		const bool opens = *p == '{' || *p == '[';
		p = opens ? scan_open(s, p) : scan_scalar(s, p);
		if (p != NULL)
			p = scan_between(s, p, base, opens, &at_value);
		if (p == NULL)
			return NULL;
	}
	return p;
}

static enum err
scan_end(struct scan *s, const char *p)
{
	p = skip_blank(p, s->end);
	if (p != s->end)
		(void)bad(s, p, "expected the end of the text");
	return s->err;
}

enum err
json_scan_any(struct str text, enum json_kind *kind, struct err_info *info)
{
	struct scan s;
	scan_init(&s, text, info);
	const char *first = skip_blank(s.begin, s.end);
	const char *p = scan_value(&s, first);
	if (p == NULL || scan_end(&s, p) != ERR_OK)
		return s.err;
	*kind = kind_of(*first);
	return ERR_OK;
}

/* Reads the code point of a \u escape that scan_escape has accepted; p behind the "\u". */
static const char *
unescape_unit(const char *p, const char *end, char **to)
{
	const int unit = hex4(p, end);
	if (unit <= 0 || is_low_surrogate(unit))
		return NULL;
	uint32_t c = (uint32_t)unit;
	p += 4;
	if (is_high_surrogate(unit)) {
		const int low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;
		if (!is_low_surrogate(low))
			return NULL;
		c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
		p += 6;
	}
	char *o = *to;
	if (c < 0x80) {
		*o++ = (char)c;
	} else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 0x3f));
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	}
	*to = o;
	return p;
}

enum err
json_unescape(struct str raw, struct arena *a, struct str *out)
{
	static const char plain[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	if (raw.len < 2 || raw.p[0] != '"' || raw.p[raw.len - 1] != '"')
		return ERR_INVALID;
	/* no escape is shorter than what it stands for */
	char *text = arena_strdup(a, (struct str) { raw.p + 1, raw.len - 2 });
	if (text == NULL)
		return ERR_NO_MEMORY;
	const char *p = text;
	const char *end = text + (raw.len - 2);
	char *to = text;
	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		const size_t run = (size_t)((slash == NULL ? end : slash) - p);
		if (to != p)
			memmove(to, p, run);
		to += run;
		p += run;
		if (p == end)
			break;
		if (end - p < 2 || p[1] == '\0')
			return ERR_INVALID;
		const char *letter = strchr(plain, p[1]);
		if (letter != NULL)
			*to++ = meant[letter - plain];
		p = letter != NULL ? p + 2 : p[1] == 'u' ? unescape_unit(p + 2, end, &to) : NULL;
		if (p == NULL)
			return ERR_INVALID;
	}
	*to = '\0';
	*out = (struct str) { text, (size_t)(to - text) };
	return ERR_OK;
}

/* The key just scanned, unescaped. The text itself serves if it has no escape. */
static enum err
member_key(struct scan *s, struct arena *a, struct str *key)
{
	const struct path_step *step = &s->path[s->depth - 1];
	*key = (struct str) { step->key, step->key_len };
	if (memchr(step->key, '\\', step->key_len) == NULL)
		return ERR_OK;
	const enum err err =
		json_unescape((struct str) { step->key - 1, step->key_len + 2 }, a, key);
	if (err != ERR_OK)
		(void)scan_fail(s, step->key - 1, err, "the key is too long");
	return err;
}

/* Seen keys by a 256-bit filter, so that a new key is compared with the others only if its bit is
 * taken. */
struct key_filter {
	uint64_t bits[4];
};

static bool
is_duplicate(struct key_filter *f, struct str key, const struct json_member *members, size_t n)
{
	uint32_t h = (uint32_t)key.len * 0x9e3779b1u;
	for (size_t i = 0; i < MIN(key.len, 16); i++)
		h = (h ^ (unsigned char)key.p[i]) * 0x01000193u;
	const uint64_t bit = UINT64_C(1) << (h >> 8 & 63);
	uint64_t *word = &f->bits[h >> 14 & 3];
	if ((*word & bit) != 0) {
		for (size_t i = 0; i < n; i++) {
			if (str_eq(members[i].key, key))
				return true;
		}
	}
	*word |= bit;
	return false;
}

/*
 * The first level of a container is walked here, value by value, so that each span can be handed
 * out; `scan_between` with its base below the container moves from one value to the next and closes
 * it.
 */
static const char *
scan_first(struct scan *s, char opening, const char *what, bool *at_value)
{
	const char *p = skip_blank(s->begin, s->end);
	if (p == s->end || *p != opening)
		return bad(s, p, what);
	p = scan_open(s, p);
	return scan_between(s, p, 0, true, at_value);
}

static const char *
scan_members(struct scan *s, struct arena *a, struct json_member *members, size_t room, size_t *n)
{
	struct key_filter filter = { { 0 } };
	bool at_value;
	const char *p = scan_first(s, '{', "expected an object", &at_value);
	while (p != NULL && at_value) {
		struct str key;
		if (member_key(s, a, &key) != ERR_OK)
			return NULL;
		if (is_duplicate(&filter, key, members, *n))
			return scan_fail(s, s->path[0].key - 1, ERR_INVALID,
					 "the key occurs twice");
		if (*n == room)
			return scan_fail(s, s->path[0].key - 1, ERR_INVALID,
					 "the object has too many members");
		const char *value = p;
		p = scan_value(s, p);
		if (p == NULL)
			return NULL;
		members[(*n)++] = (struct json_member) {
			.key = key,
			.value = { value, (size_t)(p - value) },
			.kind = kind_of(*value),
		};
		p = scan_between(s, p, 0, false, &at_value);
	}
	return p;
}

enum err
json_scan_object(struct str text, struct arena *a, struct json_member *members, size_t *n,
		 struct err_info *info)
{
	struct scan s;
	const size_t room = *n;
	size_t count = 0;
	*n = 0;
	scan_init(&s, text, info);
	const char *p = scan_members(&s, a, members, room, &count);
	if (p == NULL || scan_end(&s, p) != ERR_OK)
		return s.err;
	*n = count;
	return ERR_OK;
}

enum err
json_scan_array(struct str text, struct json_element *elements, size_t *n, struct err_info *info)
{
	struct scan s;
	const size_t room = *n;
	size_t count = 0;
	bool at_value;
	*n = 0;
	scan_init(&s, text, info);
	const char *p = scan_first(&s, '[', "expected an array", &at_value);
	while (p != NULL && at_value) {
		if (count == room) {
			(void)scan_fail(&s, p, ERR_INVALID, "the array has too many elements");
			return s.err;
		}
		const char *value = p;
		p = scan_value(&s, p);
		if (p == NULL)
			return s.err;
		elements[count++] = (struct json_element) {
			.value = { value, (size_t)(p - value) },
			.kind = kind_of(*value),
		};
		p = scan_between(&s, p, 0, false, &at_value);
	}
	if (p == NULL || scan_end(&s, p) != ERR_OK)
		return s.err;
	*n = count;
	return ERR_OK;
}
