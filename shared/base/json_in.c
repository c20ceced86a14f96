/*
 * json_in.c — the strict reader of small control bodies.
 *
 * json_scan judges the text first; cJSON then only builds the tree, so none of its leniencies
 * (trailing text, control characters, bad UTF-8, \u0000, a byte order mark) can be reached, and its
 * recursion is bounded by the scanner's depth. What is left to do here is what a tree is needed
 * for: duplicate keys at every level, and typed look-ups.
 */
#include "base/json_in.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"

#define EXACT_INT_MAX (INT64_C(1) << 53)
#define FEW_KEYS 16 /* up to here comparing all pairs is cheaper than sorting */

/* Appends "/key" with the escapes of RFC 6901; a key that does not fit whole is left out. */
static void
pointer_add(char *pointer, size_t size, const char *key)
{
	const size_t before = strlen(pointer);
	size_t at = before;
	if (2 * strlen(key) + 2 > size - at)
		return;
	pointer[at++] = '/';
	for (; *key != '\0'; key++) {
		if (*key == '~' || *key == '/')
			pointer[at++] = '~';
		pointer[at++] = *key == '~' ? '0' : *key == '/' ? '1' : *key;
	}
	pointer[at] = '\0';
}

static int
by_key(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;
	return strcmp(*left, *right);
}

/* First key of `object` that occurs twice, or NULL. *no_memory if that could not be found out. */
static const char *
twice(const struct cJSON *object, bool *no_memory)
{
	size_t n = 0;
	for (const struct cJSON *m = object->child; m != NULL; m = m->next) {
		if (++n > FEW_KEYS)
			break;
		for (const struct cJSON *before = object->child; before != m;
		     before = before->next) {
			if (strcmp(before->string, m->string) == 0)
				return m->string;
		}
	}
	if (n <= FEW_KEYS)
		return NULL;
	n = (size_t)cJSON_GetArraySize(object);
	const char **keys = malloc(n * sizeof(*keys));
	if (keys == NULL) {
		*no_memory = true;
		return NULL;
	}
	size_t i = 0;
	for (const struct cJSON *m = object->child; m != NULL; m = m->next)
		keys[i++] = m->string;
	qsort(keys, n, sizeof(*keys), by_key);
	const char *found = NULL;
	for (i = 1; i < n && found == NULL; i++) {
		if (strcmp(keys[i - 1], keys[i]) == 0)
			found = keys[i];
	}
	free(keys);
	return found;
}

static enum err
refuse_duplicate(const struct cJSON *const *path, size_t depth, const char *key,
		 struct err_info *info)
{
	char pointer[128] = "";
	for (size_t i = 1; i <= depth; i++) {
		char index[24];
		size_t at = 0;
		for (const struct cJSON *e = path[i - 1]->child; e != path[i]; e = e->next)
			at++;
		(void)snprintf(index, sizeof(index), "%zu", at);
		pointer_add(pointer, sizeof(pointer),
			    path[i]->string != NULL ? path[i]->string : index);
	}
	pointer_add(pointer, sizeof(pointer), key);
	return err_set(info, ERR_INVALID, pointer, "the key \"%.64s\" occurs twice", key);
}

/* Walks every container of the tree; path[0 … depth] leads to the present one. */
static enum err
check_duplicates(const struct cJSON *root, struct err_info *info)
{
	const struct cJSON *path[JSON_DEPTH_MAX + 1] = { root };
	size_t depth = 0;
	bool no_memory = false;
	for (;;) {
		const struct cJSON *at = path[depth];
		const char *key = cJSON_IsObject(at) ? twice(at, &no_memory) : NULL;
		if (key != NULL)
			return refuse_duplicate(path, depth, key, info);
		if (no_memory)
			return err_set(info, ERR_NO_MEMORY, NULL,
				       "could not check the keys of an object");
		if (at->child != NULL) {
			path[++depth] = at->child;
			continue;
		}
		while (depth > 0 && path[depth]->next == NULL)
			depth--;
		if (depth == 0)
			return ERR_OK;
		path[depth] = path[depth]->next;
	}
}

enum err
json_parse(struct str text, struct cJSON **out, struct err_info *info)
{
	enum json_kind kind;
	*out = NULL;
	if (text.len > JSON_IN_BYTES_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL,
			       "the JSON text has %zu bytes, more than %d", text.len,
			       JSON_IN_BYTES_MAX);
	enum err err = json_scan_any(text, &kind, info);
	if (err != ERR_OK)
		return err;
	const char *end = NULL;
	struct cJSON *tree = cJSON_ParseWithLengthOpts(text.p, text.len, &end, 0);
	if (tree == NULL) {
		/* the text is valid, so cJSON stops only without memory or, before its fix of
		 * CVE-2023-26819, at the 64th character of a number */
		if (end != NULL && end < text.p + text.len && *end != '\0' &&
		    strchr("0123456789.eE+-", *end) != NULL)
			return err_set(info, ERR_BAD_JSON, NULL,
				       "offset %zu: a number has more than 63 characters",
				       (size_t)(end - text.p));
		return err_set(info, ERR_NO_MEMORY, NULL, "could not build the JSON tree");
	}
	while (end < text.p + text.len && strchr(" \t\r\n", *end) != NULL)
		end++;
	err = end == text.p + text.len
		      ? check_duplicates(tree, info)
		      : err_set(info, ERR_BAD_JSON, NULL,
				"offset %zu: expected the end of the text", (size_t)(end - text.p));
	if (err != ERR_OK) {
		cJSON_Delete(tree);
		return err;
	}
	*out = tree;
	return ERR_OK;
}

void
json_free(struct cJSON *j)
{
	cJSON_Delete(j);
}

const struct cJSON *
json_get(const struct cJSON *obj, const char *key)
{
	return cJSON_IsObject(obj) ? cJSON_GetObjectItemCaseSensitive(obj, key) : NULL;
}

PRINTF(3, 4) static enum err invalid(struct err_info *info, const char *key, const char *fmt, ...)
{
	char pointer[128] = "";
	char msg[256];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	pointer_add(pointer, sizeof(pointer), key);
	return err_set(info, ERR_INVALID, pointer, "%s", msg);
}

/* The member, or NULL if it is absent; then `err` says whether that is allowed. */
static const struct cJSON *
find(const struct cJSON *obj, const char *key, bool required, enum err *err, struct err_info *info)
{
	const struct cJSON *m = json_get(obj, key);
	*err = m != NULL || !required ? ERR_OK
				      : invalid(info, key, "the member \"%s\" is missing", key);
	return m;
}

enum err
json_string(const struct cJSON *obj, const char *key, bool required, const char **out,
	    struct err_info *info)
{
	enum err err;
	const struct cJSON *m = find(obj, key, required, &err, info);
	if (m == NULL)
		return err;
	if (!cJSON_IsString(m))
		return invalid(info, key, "\"%s\" must be a string", key);
	*out = m->valuestring;
	return ERR_OK;
}

enum err
json_int(const struct cJSON *obj, const char *key, bool required, int64_t min, int64_t max,
	 int64_t *out, struct err_info *info)
{
	enum err err;
	const struct cJSON *m = find(obj, key, required, &err, info);
	if (m == NULL)
		return err;
	if (!cJSON_IsNumber(m) || trunc(m->valuedouble) != m->valuedouble)
		return invalid(info, key, "\"%s\" must be a whole number", key);
	/* 2^53 itself is also what 2^53 + 1 is read as */
	const double v = m->valuedouble;
	if (!(v > -(double)EXACT_INT_MAX && v < (double)EXACT_INT_MAX))
		return invalid(info, key, "\"%s\" is too large to be exact", key);
	if ((int64_t)v < min || (int64_t)v > max)
		return invalid(info, key,
			       "\"%s\" is %" PRId64 ", not between %" PRId64 " and %" PRId64, key,
			       (int64_t)v, min, max);
	*out = (int64_t)v;
	return ERR_OK;
}

enum err
json_number(const struct cJSON *obj, const char *key, bool required, double *out,
	    struct err_info *info)
{
	enum err err;
	const struct cJSON *m = find(obj, key, required, &err, info);
	if (m == NULL)
		return err;
	if (!cJSON_IsNumber(m) || !isfinite(m->valuedouble))
		return invalid(info, key, "\"%s\" must be a finite number", key);
	*out = m->valuedouble;
	return ERR_OK;
}

enum err
json_bool(const struct cJSON *obj, const char *key, bool required, bool *out, struct err_info *info)
{
	enum err err;
	const struct cJSON *m = find(obj, key, required, &err, info);
	if (m == NULL)
		return err;
	if (!cJSON_IsBool(m))
		return invalid(info, key, "\"%s\" must be true or false", key);
	*out = cJSON_IsTrue(m);
	return ERR_OK;
}

enum err
json_only(const struct cJSON *obj, const char *const *known, struct err_info *info)
{
	if (!cJSON_IsObject(obj))
		return err_set(info, ERR_INVALID, NULL, "expected an object");
	for (const struct cJSON *m = obj->child; m != NULL; m = m->next) {
		size_t i = 0;
		while (known[i] != NULL && strcmp(known[i], m->string) != 0)
			i++;
		if (known[i] != NULL)
			continue;
		const char *near = str_nearest(str_of(m->string), known);
		if (near != NULL)
			return invalid(info, m->string,
				       "\"%.64s\" is not known; did you mean \"%s\"?", m->string,
				       near);
		return invalid(info, m->string, "\"%.64s\" is not known", m->string);
	}
	return ERR_OK;
}
