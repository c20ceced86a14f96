/*
 * value.c — from JSON text to the flat tree of value.h. The text is validated as a whole first (base/json_scan), so
 * that the reader below only has to find where each value begins.
 *
 * Invariants: sizes and counts are those of the text; no node is written past the number counted before.
 */
#include "flag/value.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const struct flag_value flag_value_null = { .kind = JSON_NULL, .text = { "null", 4 }, .size = 1 };

/* ---- numbers as JavaScript writes them ---- */

/* The shortest digits that give the same double; "%e" form split into digits and exponent. */
static int
shortest(double v, char digits[24])
{
	char text[40];
	int exponent = 0;
	size_t n = 0;

	/* Fifteen digits are never too many but for the smallest numbers of all. */
	for (int precision = v < DBL_MIN ? 0 : 14; precision <= 16; precision++) {
		double back = 0;
		const int len = snprintf(text, sizeof(text), "%.*e", precision, v);
		if (str_double((struct str) { text, (size_t)len }, &back) == ERR_OK && back == v)
			break;
	}
	const char *e = strchr(text, 'e');
	for (const char *p = text; p < e; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	int64_t parsed = 0;
	const bool minus = e[1] == '-';
	if (str_int(str_of(e + 2), 0, 400, &parsed) == ERR_OK)
		exponent = minus ? -(int)parsed : (int)parsed;
	return exponent;
}

size_t
flag_number_text(double v, char out[FLAG_NUMBER_TEXT_SIZE])
{
	char d[24];
	int len = 0;
	const char *const sign = v < 0 ? "-" : "";
	const double abs = fabs(v);

	if (v == 0) {
		memcpy(out, "0", 2);
		return 1;
	}
	if (abs < 1e15 && floor(abs) == abs)
		return (size_t)snprintf(out, FLAG_NUMBER_TEXT_SIZE, "%.0f", v);
	const int e = shortest(abs, d);
	const int n = (int)strlen(d);
	if (e >= n - 1 && e < 21)
		len = snprintf(out, FLAG_NUMBER_TEXT_SIZE, "%s%s%.*s", sign, d, e - n + 1,
			       "00000000000000000000");
	else if (e >= 0 && e < 21)
		len = snprintf(out, FLAG_NUMBER_TEXT_SIZE, "%s%.*s.%s", sign, e + 1, d, d + e + 1);
	else if (e < 0 && e > -7)
		len = snprintf(out, FLAG_NUMBER_TEXT_SIZE, "%s0.%.*s%s", sign, -e - 1, "000000", d);
	else
		len = snprintf(out, FLAG_NUMBER_TEXT_SIZE, "%s%.1s%s%se%+d", sign, d,
			       n > 1 ? "." : "", d + 1, e);
	return len < FLAG_NUMBER_TEXT_SIZE ? (size_t)len : FLAG_NUMBER_TEXT_SIZE - 1;
}

/* ---- reading ---- */

struct reader {
	struct arena *arena;
	const char *p;
	const char *end;
	struct flag_value *nodes;
	uint32_t n;
	uint32_t open[JSON_DEPTH_MAX + 1]; /* the containers around this place */
	uint32_t depth;
	struct str key; /* read, and its value not yet */
	bool has_key;
};

/* An upper bound of the values in the text. */
static size_t
count(struct str text)
{
	size_t n = 1;
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		const char c = text.p[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted)
			n += c == ',' || c == '{' || c == '[';
	}
	return n;
}

static const char *
string_end(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

static enum err
string_read(struct reader *r, struct str *out)
{
	const char *const end = string_end(r->p);
	const struct str raw = { r->p, (size_t)(end - r->p) };

	r->p = end;
	if (memchr(raw.p, '\\', raw.len) != NULL)
		return json_unescape(raw, r->arena, out);
	*out = (struct str) { raw.p + 1, raw.len - 2 };
	return ERR_OK;
}

static struct flag_value *
node_add(struct reader *r, enum json_kind kind)
{
	struct flag_value *v = &r->nodes[r->n++];

	*v = (struct flag_value) { .kind = kind, .size = 1, .key = r->key };
	r->key = STR_NONE;
	r->has_key = false;
	if (r->depth > 0)
		r->nodes[r->open[r->depth - 1]].n++;
	return v;
}

static enum err
number_read(struct reader *r, struct err_info *info)
{
	const char *const start = r->p;
	char text[FLAG_NUMBER_TEXT_SIZE];
	struct flag_value *v = node_add(r, JSON_NUMBER);

	while (r->p < r->end && strchr("+-.0123456789eE", *r->p) != NULL && *r->p != '\0')
		r->p++;
	const struct str raw = { start, (size_t)(r->p - start) };
	if (str_double(raw, &v->number) != ERR_OK)
		return err_set(info, ERR_INVALID, NULL, "the number %.*s cannot be represented",
			       raw.len < 40 ? (int)raw.len : 40, raw.p);
	v->number += 0.0; /* -0 is 0 */
	text[flag_number_text(v->number, text)] = '\0';
	v->text = str_is(raw, text) ? raw : arena_str(r->arena, str_of(text));
	return v->text.p != NULL ? ERR_OK : ERR_NO_MEMORY;
}

static void
word_read(struct reader *r)
{
	static const struct {
		struct str text;
		enum json_kind kind;
	} words[] = { { { "true", 4 }, JSON_TRUE },
		      { { "false", 5 }, JSON_FALSE },
		      { { "null", 4 }, JSON_NULL } };
	const unsigned i = *r->p == 't' ? 0 : *r->p == 'f' ? 1 : 2;

	node_add(r, words[i].kind)->text = words[i].text;
	r->p += words[i].text.len;
}

static enum err
quoted_read(struct reader *r)
{
	const bool in_object = r->depth > 0 && r->nodes[r->open[r->depth - 1]].kind == JSON_OBJECT;

	if (in_object && !r->has_key) {
		r->has_key = true;
		return string_read(r, &r->key);
	}
	return string_read(r, &node_add(r, JSON_STRING)->text);
}

static enum err
nodes_read(struct reader *r, struct err_info *info)
{
	enum err err = ERR_OK;

	while (r->p < r->end && err == ERR_OK) {
		switch (*r->p) {
		case '{':
		case '[': {
			const enum json_kind kind = *r->p++ == '{' ? JSON_OBJECT : JSON_ARRAY;
			(void)node_add(r, kind);
			r->open[r->depth++] = r->n - 1;
			break;
		}
		case '}':
		case ']':
			r->depth--;
			r->nodes[r->open[r->depth]].size = r->n - r->open[r->depth];
			r->p++;
			break;
		case '"':
			err = quoted_read(r);
			break;
		case 't':
		case 'f':
		case 'n':
			word_read(r);
			break;
		case ' ':
		case '\t':
		case '\r':
		case '\n':
		case ',':
		case ':':
			r->p++;
			break;
		default:
			err = number_read(r, info);
			break;
		}
	}
	return err;
}

enum err
flag_value_read(struct arena *a, struct str text, const char *at, size_t nodes_max,
		const struct flag_value **out, struct err_info *info)
{
	struct err_info inner = { .code = ERR_OK };
	enum json_kind kind = JSON_NULL;

	*out = NULL;
	enum err err = json_scan_any(text, &kind, &inner);
	if (err == ERR_OK) {
		const size_t n = count(text);
		struct reader r = { .arena = a, .p = text.p, .end = text.p + text.len };
		if (n > nodes_max)
			return err_set(info, ERR_TOO_LARGE, at,
				       "holds more than the %zu values that are allowed",
				       nodes_max);
		r.nodes = arena_alloc(a, n * sizeof(*r.nodes));
		err = r.nodes == NULL ? ERR_NO_MEMORY : nodes_read(&r, &inner);
		if (err == ERR_OK)
			*out = r.nodes;
	}
	if (err == ERR_NO_MEMORY)
		return err_set(info, err, NULL, "no memory for the values");
	if (err != ERR_OK) {
		char place[sizeof(inner.field) + 96];
		(void)snprintf(place, sizeof(place), "%s%s", at, inner.field);
		return err_set(info, err, place, "%s", inner.msg);
	}
	return ERR_OK;
}

/* ---- looking ---- */

const struct flag_value *
flag_value_member(const struct flag_value *object, struct str key)
{
	if (object->kind != JSON_OBJECT)
		return NULL;
	const struct flag_value *v = flag_value_first(object);
	for (uint32_t i = 0; i < object->n; i++, v = flag_value_next(v))
		if (v->key.len == key.len &&
		    (key.len == 0 ||
		     (v->key.p[0] == key.p[0] && memcmp(v->key.p, key.p, key.len) == 0)))
			return v;
	return NULL;
}

/* The pairs of containers around the present place; a member's partner is found by its name, an element's by its place. */
struct pair {
	const struct flag_value *a, *b; /* the containers          */
	const struct flag_value *next;  /* the next child of a     */
	const struct flag_value *other; /* of b, if it is an array */
	uint32_t left;
};

static bool
alike(const struct flag_value *a, const struct flag_value *b)
{
	return a->kind == b->kind && a->n == b->n &&
	       (a->kind >= JSON_ARRAY || str_eq(a->text, b->text));
}

/* The next two nodes to compare; false: there are none. *b is NULL where the partner is missing. */
static bool
pair_next(struct pair *open, unsigned *depth, const struct flag_value **a,
	  const struct flag_value **b)
{
	while (*depth > 0 && open[*depth - 1].left == 0)
		(*depth)--;
	if (*depth == 0)
		return false;
	struct pair *p = &open[*depth - 1];
	*a = p->next;
	p->left--;
	if (p->a->kind == JSON_OBJECT) {
		*b = flag_value_member(p->b, (*a)->key);
	} else {
		*b = p->other;
		p->other = flag_value_next(p->other);
	}
	p->next = flag_value_next(p->next);
	return true;
}

bool
flag_value_equal(const struct flag_value *a, const struct flag_value *b)
{
	struct pair open[JSON_DEPTH_MAX + 1];
	unsigned depth = 0;

	do {
		if (b == NULL || !alike(a, b))
			return false;
		if (a->n > 0)
			open[depth++] = (struct pair) { .a = a,
							.b = b,
							.next = flag_value_first(a),
							.other = flag_value_first(b),
							.left = a->n };
	} while (pair_next(open, &depth, &a, &b));
	return true;
}

double
flag_value_number(const struct flag_value *v)
{
	double n = 0;
	struct str s = v->text;

	switch (v->kind) {
	case JSON_NULL:
	case JSON_FALSE:
		return 0;
	case JSON_TRUE:
		return 1;
	case JSON_NUMBER:
		return v->number;
	case JSON_STRING:
		while (s.len > 0 && strchr(" \t\r\n\f\v", s.p[0]) != NULL && s.p[0] != '\0') {
			s.p++;
			s.len--;
		}
		while (s.len > 0 && strchr(" \t\r\n\f\v", s.p[s.len - 1]) != NULL &&
		       s.p[s.len - 1] != '\0')
			s.len--;
		if (s.len == 0)
			return 0;
		return str_double(s, &n) == ERR_OK ? n : (double)NAN;
	default:
		return (double)NAN;
	}
}

bool
flag_value_truthy(const struct flag_value *v)
{
	switch (v->kind) {
	case JSON_NULL:
	case JSON_FALSE:
		return false;
	case JSON_NUMBER:
		return v->number != 0;
	case JSON_STRING:
		return v->text.len > 0;
	default:
		return true;
	}
}

/* ---- places ---- */

static size_t
segment_add(char *out, size_t size, size_t used, struct str s)
{
	if (used + 1 < size)
		out[used++] = '/';
	for (size_t i = 0; i < s.len && used + 2 < size; i++) {
		if (s.p[i] == '~' || s.p[i] == '/') {
			out[used++] = '~';
			out[used++] = s.p[i] == '~' ? '0' : '1';
		} else {
			out[used++] = s.p[i];
		}
	}
	return used;
}

void
flag_value_pointer(const struct flag_value *root, const struct flag_value *target, const char *at,
		   char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "%s", at);

	used = used < size ? used : size - 1;
	while (root != target) {
		const struct flag_value *v = flag_value_first(root);
		uint32_t i = 0;
		for (; i + 1 < root->n && flag_value_next(v) <= target; i++)
			v = flag_value_next(v);
		char index[16];
		const int len = snprintf(index, sizeof(index), "%u", i);
		used = segment_add(out, size, used,
				   root->kind == JSON_OBJECT ? v->key
							     : (struct str) { index, (size_t)len });
		root = v;
	}
	out[used] = '\0';
}
