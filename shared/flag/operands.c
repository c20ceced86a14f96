/*
 * operands.c — what leaves of a condition compare with: texts without regard to case, versions, networks, sets. Parsed
 * and sorted when the condition is compiled; the comparisons are pure and allocate nothing.
 */
#include <arpa/inet.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "flag/predicate.h"

/* ---- texts without regard to case ---- */

static wint_t
lower(wint_t c)
{
	static locale_t unicode;

	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
	if (unicode == (locale_t)0)
		unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return unicode != (locale_t)0 ? towlower_l(c, unicode) : c;
}

/* One character; a byte that is not the beginning of a whole one stands for itself. Returns its bytes. */
static size_t
decode(const unsigned char *p, size_t left, wint_t *c)
{
	*c = p[0];
	if (p[0] >= 0xf0 && left >= 4) {
		*c = (wint_t)((p[0] & 0x07) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 |
			      (p[3] & 0x3f));
		return 4;
	}
	if (p[0] >= 0xe0 && left >= 3) {
		*c = (wint_t)((p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f));
		return 3;
	}
	if (p[0] >= 0xc0 && left >= 2) {
		*c = (wint_t)((p[0] & 0x1f) << 6 | (p[1] & 0x3f));
		return 2;
	}
	return 1;
}

static size_t
encode(wint_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* ASCII at the beginning of text, as far as it fits. */
static size_t
fold_ascii(struct str text, char *out, size_t size)
{
	const size_t most = text.len < size ? text.len : size;
	size_t i = 0;

	for (; i < most && (unsigned char)text.p[i] < 0x80; i++) {
		const unsigned c = (unsigned char)text.p[i];
		out[i] = (char)(c - 'A' < 26 ? c + ('a' - 'A') : c);
	}
	return i;
}

size_t
flag_fold(struct str text, char *out, size_t size)
{
	size_t i = fold_ascii(text, out, size);
	size_t used = i;

	while (i < text.len) {
		wint_t c = 0;
		char bytes[4];
		i += decode((const unsigned char *)text.p + i, text.len - i, &c);
		const size_t n = encode(lower(c), bytes);
		if (used + n > size)
			return size + 1;
		memcpy(out + used, bytes, n);
		used += n;
	}
	return used;
}

enum err
flag_fold_in(struct arena *a, struct str text, struct str *out)
{
	/* The table of characters is fetched now, so that evaluation finds it there. */
	(void)lower(0xc4);
	/* No character's lower case takes more than four bytes. */
	char *const p = arena_alloc(a, 4 * text.len + 1);

	if (p == NULL)
		return ERR_NO_MEMORY;
	*out = (struct str) { p, flag_fold(text, p, 4 * text.len) };
	return ERR_OK;
}

/* ---- versions ---- */

static bool
all_digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return n > 0;
}

size_t
flag_version_pad(struct str version, char out[FLAG_VERSION_PADDED_MAX])
{
	size_t used = 0;
	unsigned parts = 0;

	if (version.len > FLAG_VERSION_BYTES_MAX)
		return 0;
	if (version.len == 0)
		version = STR("0");
	if (version.p[0] == 'v')
		version = (struct str) { version.p + 1, version.len - 1 };
	version.len = str_find(version, '+');
	for (size_t from = 0; from <= version.len; parts++) {
		size_t to = from;
		while (to < version.len && version.p[to] != '.' && version.p[to] != '-')
			to++;
		if (parts > 0)
			out[used++] = '-';
		if (all_digits(version.p + from, to - from))
			for (size_t pad = to - from; pad < 5; pad++)
				out[used++] = ' ';
		memcpy(out + used, version.p + from, to - from);
		used += to - from;
		from = to + 1;
	}
	/* Without a pre-release it comes after all of them. */
	if (parts == 3) {
		out[used++] = '-';
		out[used++] = '~';
	}
	return used;
}

static bool
identifier_ok(struct str s, bool numeric_without_zeros)
{
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if ((c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    c != '-')
			return false;
	}
	return s.len > 0 &&
	       (!numeric_without_zeros || !all_digits(s.p, s.len) || s.len == 1 || s.p[0] != '0');
}

static bool
identifiers_ok(struct str s, bool numeric_without_zeros)
{
	while (s.p != NULL)
		if (!identifier_ok(str_cut(&s, '.'), numeric_without_zeros))
			return false;
	return true;
}

bool
flag_semver_parse(struct str text, struct flag_semver *out)
{
	const size_t build = str_find(text, '+');

	*out = (struct flag_semver) { .pre = STR_NONE };
	if (build < text.len &&
	    !identifiers_ok((struct str) { text.p + build + 1, text.len - build - 1 }, false))
		return false;
	text.len = build;
	const size_t dash = str_find(text, '-');
	if (dash < text.len) {
		out->pre = (struct str) { text.p + dash + 1, text.len - dash - 1 };
		if (!identifiers_ok(out->pre, true))
			return false;
		text.len = dash;
	}
	for (unsigned i = 0; i < 3; i++) {
		const struct str part = str_cut(&text, '.');
		int64_t n = 0;
		if (!all_digits(part.p, part.len) || (part.len > 1 && part.p[0] == '0') ||
		    str_int(part, 0, INT64_MAX, &n) != ERR_OK || (text.p == NULL) != (i == 2))
			return false;
		out->part[i] = (uint64_t)n;
	}
	return true;
}

static int
bytes_compare(struct str a, struct str b)
{
	const size_t n = a.len < b.len ? a.len : b.len;
	const int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static int
identifier_compare(struct str a, struct str b)
{
	const bool a_number = all_digits(a.p, a.len);
	const bool b_number = all_digits(b.p, b.len);

	if (a_number != b_number)
		return a_number ? -1 : 1;
	if (a_number && a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return bytes_compare(a, b);
}

int
flag_semver_compare(const struct flag_semver *a, const struct flag_semver *b)
{
	struct str x = a->pre;
	struct str y = b->pre;

	for (unsigned i = 0; i < 3; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	if (x.p == NULL || y.p == NULL)
		return (x.p == NULL) - (y.p == NULL);
	while (x.p != NULL && y.p != NULL) {
		const struct str i = str_cut(&x, '.');
		const struct str k = str_cut(&y, '.');
		const int c = identifier_compare(i, k);
		if (c != 0)
			return c;
	}
	return (x.p != NULL) - (y.p != NULL);
}

/* ---- networks ---- */

static bool
address_parse(struct str text, unsigned char out[16], bool *is_v4)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char copy[INET6_ADDRSTRLEN];

	if (text.len == 0 || !str_copy(copy, sizeof(copy), text))
		return false;
	memcpy(out, mapped, sizeof(mapped));
	*is_v4 = inet_pton(AF_INET, copy, out + 12) == 1;
	return *is_v4 || inet_pton(AF_INET6, copy, out) == 1;
}

bool
flag_network_parse(struct str text, struct flag_network *out)
{
	struct str rest = text;
	const struct str address = str_cut(&rest, '/');
	bool is_v4 = false;
	int64_t bits = 0;

	if (!address_parse(address, out->address, &is_v4))
		return false;
	const int64_t most = is_v4 ? 32 : 128;
	if (rest.p == NULL)
		bits = most;
	else if (str_int(rest, 0, most, &bits) != ERR_OK)
		return false;
	out->bits = (unsigned)(is_v4 ? bits + 96 : bits);
	return true;
}

bool
flag_network_has(const struct flag_network *n, struct str address)
{
	unsigned char a[16];
	bool is_v4 = false;
	const unsigned whole = n->bits / 8;
	const unsigned rest = n->bits % 8;

	if (!address_parse(address, a, &is_v4) || memcmp(a, n->address, whole) != 0)
		return false;
	return rest == 0 || (unsigned)(a[whole] ^ n->address[whole]) >> (8 - rest) == 0;
}

/* ---- sets ---- */

struct member {
	struct str text;
	enum json_kind kind;
};

struct flag_set {
	size_t n;
	const struct member *members;
	bool folded;
};

static int
member_compare(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return bytes_compare(x->text, y->text);
}

enum err
flag_set_make(struct arena *a, const struct flag_value *array, bool folded,
	      const struct flag_set **out)
{
	struct flag_set *s = arena_alloc(a, sizeof(*s));
	struct member *m = arena_alloc(a, ((size_t)array->n + 1) * sizeof(*m));
	const struct flag_value *v = flag_value_first(array);

	if (s == NULL || m == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < array->n; i++, v = flag_value_next(v)) {
		if (v->kind >= JSON_ARRAY)
			continue;
		m[s->n] = (struct member) { .text = v->text, .kind = v->kind };
		if (folded && v->kind == JSON_STRING &&
		    flag_fold_in(a, v->text, &m[s->n].text) != ERR_OK)
			return ERR_NO_MEMORY;
		s->n++;
	}
	qsort(m, s->n, sizeof(*m), member_compare);
	s->members = m;
	s->folded = folded;
	*out = s;
	return ERR_OK;
}

bool
flag_set_has(const struct flag_set *s, const struct flag_value *v)
{
	char folded[4 * FLAG_FOLDED_OPERAND_MAX];
	struct member m = { .text = v->text, .kind = v->kind };

	if (v->kind >= JSON_ARRAY)
		return false;
	if (s->folded && v->kind == JSON_STRING) {
		const size_t len = flag_fold(v->text, folded, sizeof(folded));
		if (len > sizeof(folded))
			return false;
		m.text = (struct str) { folded, len };
	}
	return s->n > 0 &&
	       bsearch(&m, s->members, s->n, sizeof(*s->members), member_compare) != NULL;
}
