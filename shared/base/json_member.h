/*
 * json_member.h — the members of an object that json_scan_object has taken apart: which are there, are all of them known, what text one
 * holds. Errors are ERR_INVALID with the JSON pointer of the place, `at` being that of the object ("" for the body itself).
 */
#ifndef BIMODAL_BASE_JSON_MEMBER_H
#define BIMODAL_BASE_JSON_MEMBER_H

#include "base/json_scan.h"

/* NULL: it is not there. */
const struct json_member *json_member_find(const struct json_member *members, size_t n,
					   const char *key);
/* Each is one of `known` (NULL ends it); the message names the nearest of them. */
MUST_CHECK enum err json_members_known(const struct json_member *members, size_t n,
				       const char *const *known, const char *at,
				       struct err_info *info);
/* What json_members_known says of one key; `known` may be NULL. */
enum err json_member_unknown(struct str key, const char *const *known, const char *at,
			     struct err_info *info);
/*
 * The text of member `key`: a string of min to max bytes, not blank unless min is 0. Where it is absent *out is left alone, and that is
 * an error unless min is 0. In the arena; ERR_NO_MEMORY past its cap.
 */
MUST_CHECK enum err json_member_text(const struct json_member *members, size_t n, const char *key,
				     size_t min, size_t max, const char *at, struct arena *a,
				     struct str *out, struct err_info *info);

#endif
