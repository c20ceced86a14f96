/*
 * split.c — the text of a change as its statements, in order, each with its line. See check.h.
 */
#include <string.h>

#include "change/check.h"
#include "change/tree.h"

static void
classify(const cJSON *node, struct change_statement *s)
{
	const cJSON *body = node->child;
	const cJSON *r = change_tree_node(body, "relation");

	s->registry = (strcmp(body->string, "InsertStmt") == 0 ||
		       strcmp(body->string, "UpdateStmt") == 0 ||
		       strcmp(body->string, "DeleteStmt") == 0) &&
		      strcmp(change_tree_text(r, "schemaname"), "change") == 0;
	s->withdraws = s->registry && strcmp(body->string, "InsertStmt") != 0;
}

enum err
change_split(struct arena *arena, struct str text, struct change_statement **out, size_t *n,
	     struct err_info *info)
{
	cJSON *tree = NULL;
	size_t at = 0;
	const char *message = NULL;
	enum err err = change_tree_parse(arena, text, &tree, &at, &message, info);

	*n = 0;
	if (err != ERR_OK)
		return err;
	if (tree == NULL)
		return err_set(info, ERR_INVALID, NULL, "%s",
			       message != NULL ? message : "syntax error");
	const cJSON *stmts = change_tree_node(tree, "stmts");
	const size_t count = (size_t)cJSON_GetArraySize(stmts);
	*out = arena_alloc(arena, (count + 1) * sizeof(**out));
	if (*out == NULL) {
		cJSON_Delete(tree);
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for %zu statements", count);
	}
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, stmts)
	{
		const cJSON *from = change_tree_node(item, "stmt_location");
		const cJSON *len = change_tree_node(item, "stmt_len");
		struct change_statement *s = &(*out)[*n];
		const size_t begin = cJSON_IsNumber(from) ? (size_t)from->valuedouble : 0;
		const size_t end =
			cJSON_IsNumber(len) ? begin + (size_t)len->valuedouble : text.len;
		const size_t first = change_tree_skip(text, begin);
		unsigned column = 0;
		*s = (struct change_statement) { .text = { text.p + first,
							   MIN(end, text.len) - first } };
		change_tree_place(text, first, &s->line, &column);
		classify(change_tree_node(item, "stmt"), s);
		(*n)++;
	}
	cJSON_Delete(tree);
	return err;
}
