/*
 * json_member.c — see json_member.h. A key is the sender's: no more than KEY_SHOWN bytes of it are repeated.
 */
#include "base/json_member.h"

#include <stdio.h>

#define KEY_SHOWN 64

const struct json_member *
json_member_find(const struct json_member *members, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(members[i].key, key))
			return &members[i];
	return NULL;
}

enum err
json_member_unknown(struct str key, const char *const *known, const char *at, struct err_info *info)
{
	const char *near = known != NULL ? str_nearest(key, known) : NULL;
	const int len = (int)MIN(key.len, (size_t)KEY_SHOWN);
	char place[sizeof(info->field)];

	(void)snprintf(place, sizeof(place), "%s/%.*s", at, len, key.p);
	return err_set(info, ERR_INVALID, place,
		       "\"%.*s\" is not a member that is known here%s%s%s", len, key.p,
		       near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		       near != NULL ? "\"?" : "");
}

enum err
json_members_known(const struct json_member *members, size_t n, const char *const *known,
		   const char *at, struct err_info *info)
{
	for (size_t i = 0; i < n; i++) {
		bool is_known = false;
		for (const char *const *k = known; *k != NULL; k++)
			is_known = is_known || str_is(members[i].key, *k);
		if (!is_known)
			return json_member_unknown(members[i].key, known, at, info);
	}
	return ERR_OK;
}

enum err
json_member_text(const struct json_member *members, size_t n, const char *key, size_t min,
		 size_t max, const char *at, struct arena *a, struct str *out,
		 struct err_info *info)
{
	const struct json_member *m = json_member_find(members, n, key);
	char place[sizeof(info->field)];

	if (m == NULL && min == 0)
		return ERR_OK;
	(void)snprintf(place, sizeof(place), "%s/%s", at, key);
	if (m == NULL)
		return err_set(info, ERR_INVALID, place, "\"%s\" is required", key);
	if (m->kind != JSON_STRING)
		return err_set(info, ERR_INVALID, place, "must be a string");
	if (json_unescape(m->value, a, out) != ERR_OK)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the request");
	if (out->len < min || out->len > max || (min > 0 && str_trim(*out).len == 0))
		return err_set(info, ERR_INVALID, place, "must have %zu to %zu bytes, not %zu", min,
			       max, out->len);
	return ERR_OK;
}
