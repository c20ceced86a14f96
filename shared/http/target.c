/*
 * target.c — request targets. Between the parser, which has checked that only visible characters
 * are in it, and the router.
 *
 * A path is cut at '/' before it is decoded, so an escaped slash stays inside its segment. Nothing
 * is normalised: "." and
 * ".." are refused, an empty segment matches no route. Escapes, forbidden bytes and UTF-8 of the
 * query are checked here, before a task exists; http_query_read then only copies.
 */
#include "http/target.h"

#include <string.h>

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte at *i, decoded; *i moves behind it. -1: a broken escape, or the escape of NUL. */
static int
byte_decode(struct str s, size_t *i, bool plus_is_space)
{
	const char c = s.p[(*i)++];
	if (c == '+' && plus_is_space)
		return ' ';
	if (c != '%')
		return (unsigned char)c;
	if (s.len - *i < 2)
		return -1;
	const int high = hex_value(s.p[*i]);
	const int low = hex_value(s.p[*i + 1]);
	*i += 2;
	if (high < 0 || low < 0 || (high == 0 && low == 0))
		return -1;
	return high * 16 + low;
}

/* Printable ASCII that may stand in a path or query as it is; what browsers leave unescaped in a
 * query is let pass. */
static bool
chars_are_allowed(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if (c <= ' ' || c > '~' || c == '"' || c == '#' || c == '<' || c == '>' ||
		    c == '\\')
			return false;
	}
	return true;
}

/* The part behind scheme and authority. False: not origin-form, nor absolute-form with a plain
 * authority. */
static bool
path_and_query(struct str raw, struct str *out)
{
	*out = raw;
	if (raw.len > 0 && raw.p[0] == '/')
		return true;
	const size_t scheme =
		raw.len > 8 && str_ieq((struct str) { raw.p, 8 }, STR("https://")) ? 8 : 7;
	if (raw.len <= scheme ||
	    (scheme == 7 && !str_ieq((struct str) { raw.p, 7 }, STR("http://"))))
		return false;
	size_t i = scheme;
	while (i < raw.len && raw.p[i] != '/' && raw.p[i] != '?') {
		if (raw.p[i] == '@')
			return false;
		i++;
	}
	*out = (struct str) { raw.p + i, raw.len - i };
	return i > scheme;
}

static enum err
segment_read(struct http_target *t, struct str raw, size_t *used, struct err_info *info)
{
	if (t->n_segments == HTTP_SEGMENTS_MAX)
		return err_set(info, ERR_NO_ROUTE, NULL, "The path has more than %d segments.",
			       HTTP_SEGMENTS_MAX);
	char *begin = t->text + *used;
	size_t n = 0;
	size_t i = 0;
	/* Without an escape it stands for itself: its characters have been checked. */
	if (str_find(raw, '%') == raw.len && raw.len > 0) {
		memcpy(begin, raw.p, raw.len);
		n = raw.len;
		i = raw.len;
	}
	while (i < raw.len) {
		const int c = byte_decode(raw, &i, false);
		if (c < ' ' || c == 0x7f)
			return err_set(info, ERR_BAD_REQUEST, NULL,
				       "The path holds a broken escape or a control character.");
		begin[n++] = (char)c;
	}
	const struct str s = { begin, n };
	if (str_is(s, ".") || str_is(s, ".."))
		return err_set(info, ERR_BAD_REQUEST, NULL,
			       "The path must not hold \".\" or \"..\".");
	t->segments[t->n_segments++] = s;
	*used += n;
	return ERR_OK;
}

static enum err
query_check(struct str query, struct err_info *info)
{
	char text[HTTP_TARGET_BYTES_MAX];
	size_t n = 0;
	unsigned pairs = 0;
	if (query.len == 0)
		return ERR_OK;
	for (size_t i = 0; i < query.len;) {
		pairs += query.p[i] == '&';
		const int c = byte_decode(query, &i, true);
		if (c < 0)
			return err_set(info, ERR_BAD_REQUEST, NULL,
				       "The query holds a broken escape or an escaped NUL.");
		text[n++] = (char)c;
	}
	if (!str_utf8_valid((struct str) { text, n }))
		return err_set(info, ERR_BAD_REQUEST, NULL, "The query is not UTF-8.");
	if (pairs >= HTTP_QUERY_MAX)
		return err_set(info, ERR_BAD_REQUEST, NULL,
			       "The query has more than %d parameters.", HTTP_QUERY_MAX);
	return ERR_OK;
}

enum err
http_target_read(struct str raw, enum http_method method, struct http_target *out,
		 struct err_info *info)
{
	out->is_asterisk = str_is(raw, "*");
	out->n_segments = 0;
	out->query = STR_NONE;
	out->path = STR_NONE;
	if (out->is_asterisk && method == HTTP_OPTIONS)
		return ERR_OK;
	struct str rest;
	if (raw.len > HTTP_TARGET_BYTES_MAX || !path_and_query(raw, &rest))
		return err_set(info, ERR_BAD_REQUEST, NULL,
			       "The request target is neither a path nor an http URI.");
	if (!chars_are_allowed(rest))
		return err_set(info, ERR_BAD_REQUEST, NULL,
			       "The request target holds a character that must be escaped.");
	struct str path = str_cut(&rest, '?');
	if (rest.p != NULL)
		out->query = rest;
	/* An absolute URI may end behind its authority. */
	if (path.len > 0) {
		path.p++;
		path.len--;
	}
	size_t used = 0;
	while (path.p != NULL) {
		out->text[used++] = '/';
		const enum err e = segment_read(out, str_cut(&path, '/'), &used, info);
		if (e != ERR_OK)
			return e;
	}
	out->text[used] = '\0';
	out->path = (struct str) { out->text, used };
	if (!str_utf8_valid(out->path))
		return err_set(info, ERR_BAD_REQUEST, NULL, "The path is not UTF-8.");
	return query_check(out->query, info);
}

static struct str
part_decode(struct str raw, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < raw.len;)
		out[n++] = (char)byte_decode(raw, &i, true);
	return (struct str) { out, n };
}

enum err
http_query_read(struct str query, struct arena *a, struct http_pair **out, size_t *n)
{
	*n = 0;
	if (query.len == 0)
		return ERR_OK;
	size_t pairs = 1;
	for (size_t i = 0; i < query.len; i++)
		pairs += query.p[i] == '&';
	struct http_pair *list = arena_alloc(a, pairs * sizeof(*list));
	char *text = arena_alloc(a, query.len);
	if (list == NULL || text == NULL)
		return ERR_NO_MEMORY;
	struct str rest = query;
	while (rest.p != NULL) {
		struct str value = str_cut(&rest, '&');
		if (value.len == 0)
			continue;
		const struct str name = str_cut(&value, '=');
		list[*n].name = part_decode(name, text);
		text += list[*n].name.len;
		/* "?a" is a parameter with an empty value */
		list[*n].value = part_decode(value.p == NULL ? STR("") : value, text);
		text += list[*n].value.len;
		(*n)++;
	}
	*out = list;
	return ERR_OK;
}
