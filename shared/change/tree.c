/*
 * tree.c — see tree.h. Parsing and the small readers that check.c and counts.c stand on.
 */
#include "change/tree.h"

#include <pg_query.h>
#include <string.h>

#include "change/check.h"

void
change_tree_place(struct str text, size_t at, unsigned *line, unsigned *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at && i < text.len; i++) {
		if (text.p[i] == '\n') {
			(*line)++;
			*column = 1;
		} else {
			(*column)++;
		}
	}
}

const char *
change_tree_text(const cJSON *object, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsString(v) ? v->valuestring : "";
}

bool
change_tree_flag(const cJSON *object, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

const cJSON *
change_tree_node(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *
change_tree_name(const cJSON *list, int i)
{
	const cJSON *v =
		change_tree_node(change_tree_node(cJSON_GetArrayItem(list, i), "String"), "sval");
	return cJSON_IsString(v) ? v->valuestring : "";
}

size_t
change_tree_skip(struct str text, size_t at)
{
	while (at < text.len) {
		const char *p = text.p + at;
		const size_t left = text.len - at;
		if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == ';' ||
		    *p == '\f') {
			at++;
		} else if (left >= 2 && p[0] == '-' && p[1] == '-') {
			const char *end = memchr(p, '\n', left);
			at = end != NULL ? (size_t)(end - text.p) : text.len;
		} else if (left >= 2 && p[0] == '/' && p[1] == '*') {
			const char *end = memmem(p + 2, left - 2, "*/", 2);
			at = end != NULL ? (size_t)(end + 2 - text.p) : text.len;
		} else {
			break;
		}
	}
	return at;
}

/* The parse tree, or NULL with *at and *message set. Freed by cJSON_Delete. */
enum err
change_tree_parse(struct arena *arena, struct str text, cJSON **out, size_t *at,
		  const char **message, struct err_info *info)
{
	if (text.len > CHANGE_TEXT_BYTES_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL,
			       "a text of a change has at most %zu bytes", CHANGE_TEXT_BYTES_MAX);
	const char *copy = arena_strdup(arena, text);
	if (copy == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the check");
	PgQueryParseResult result = pg_query_parse(copy);
	enum err err = ERR_OK;
	*out = NULL;
	if (result.error != NULL) {
		*at = result.error->cursorpos > 0 ? (size_t)result.error->cursorpos - 1 : 0;
		*message = arena_strdup(arena, str_of(result.error->message));
	} else {
		*out = cJSON_Parse(result.parse_tree);
		if (*out == NULL)
			err = err_set(info, ERR_TOO_LARGE, NULL,
				      "a statement is nested too deeply for the check");
	}
	pg_query_free_parse_result(result);
	return err;
}
