/*
 * tree.h — reading libpg_query's parse tree (JSON), shared by the files of this folder only. An object's member whose name begins with a
 * capital is a node of that type; others are fields; "location" is the byte in the text.
 */
#ifndef BIMODAL_CHANGE_TREE_H
#define BIMODAL_CHANGE_TREE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* *out NULL: it does not parse; *at and *message say where and why. Errors: ERR_TOO_LARGE, ERR_NO_MEMORY. cJSON_Delete frees it. */
MUST_CHECK enum err change_tree_parse(struct arena *arena, struct str text, cJSON **out, size_t *at,
				      const char **message, struct err_info *info);
const cJSON *change_tree_node(const cJSON *object, const char *key); /* NULL if absent */
const char *change_tree_text(const cJSON *object, const char *key);  /* "" if absent   */
bool change_tree_flag(const cJSON *object, const char *key);
const char *change_tree_name(const cJSON *list, int i); /* i-th String; "" behind the last */
/* First byte of what stands at `at`, behind space and comments; its line and column. */
size_t change_tree_skip(struct str text, size_t at);
void change_tree_place(struct str text, size_t at, unsigned *line, unsigned *column);

#endif
