/*
 * json_in.h — strict reader for small control bodies (flags, change requests, replies of our own daemons) over cJSON.
 *
 * Strict means: exact end of text, valid UTF-8, no duplicate keys, depth limit, no raw control characters, no \u0000,
 * case-sensitive look-up. Never for customer payloads or money: cJSON keeps numbers as doubles. Errors carry the place
 * as a JSON pointer in err_info.field.
 */
#ifndef BIMODAL_BASE_JSON_IN_H
#define BIMODAL_BASE_JSON_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct cJSON;

#define JSON_IN_BYTES_MAX (4 * 1024 * 1024)

/*
 * Owner: the caller frees *out with json_free (NULL on error). Errors: ERR_BAD_JSON with line and column in the message
 * (older cJSON also refuses a number of more than 63 characters), ERR_INVALID for a duplicate key at any level,
 * ERR_TOO_LARGE when too deep or longer than JSON_IN_BYTES_MAX, ERR_NO_MEMORY.
 */
MUST_CHECK enum err json_parse(struct str text, struct cJSON **out, struct err_info *info);
void json_free(struct cJSON *j);

/*
 * Members of an object. `required` missing → ERR_INVALID at "/key"; wrong type (null too) → ERR_INVALID. *out is left
 * alone if the member is absent, so it may hold a default. Values live as long as the tree. Integers are exact: nothing
 * above 2^53 is accepted.
 */
const struct cJSON *json_get(const struct cJSON *obj, const char *key);
MUST_CHECK enum err json_string(const struct cJSON *obj, const char *key, bool required,
				const char **out, struct err_info *info);
MUST_CHECK enum err json_int(const struct cJSON *obj, const char *key, bool required, int64_t min,
			     int64_t max, int64_t *out, struct err_info *info);
MUST_CHECK enum err json_number(const struct cJSON *obj, const char *key, bool required,
				double *out, struct err_info *info);
MUST_CHECK enum err json_bool(const struct cJSON *obj, const char *key, bool required, bool *out,
			      struct err_info *info);
/* Refuses members not in `known` (NULL-terminated): ERR_INVALID at "/key", with the nearest known name. */
MUST_CHECK enum err json_only(const struct cJSON *obj, const char *const *known,
			      struct err_info *info);

#endif
