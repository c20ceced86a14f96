/*
 * cookie.c — see cookie.h. One pass, nothing is copied.
 */
#include "http/cookie.h"

static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_'))
			return false;
	}
	return s.len > 0;
}

struct str
http_cookie_find(struct str header, const char *name)
{
	struct str found = STR_NONE;
	while (header.p != NULL) {
		struct str value = str_trim(str_cut(&header, ';'));
		if (!str_is(str_cut(&value, '='), name) || value.p == NULL)
			continue;
		if (found.p != NULL)
			return STR_NONE;
		found = value;
	}
	return is_plain(found) ? found : STR_NONE;
}
