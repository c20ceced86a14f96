/*
 * check_tree.c — text to parse tree, the walk over it, and places for findings.
 *
 * The tree is read with cJSON directly, not with base/json_in: its writer is the parser library,
 * and expressions nest deeper than a request's body may. Invariants: bounded by cJSON's nesting
 * limit and TREE_BYTES_MAX; no recursion of ours.
 */
#include "feature/check_tree.h"

#include <ctype.h>
#include <pg_query.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TREE_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define DEPTH_MAX 1024 /* cJSON stops at 1000 */
#define REASON_MAX 400

/* Line and column (both from 1) of a byte. */
static void
place(const char *text, size_t at, unsigned *line, unsigned *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at && text[i] != '\0'; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}

/* The parser counts characters, from 1. */
static size_t
byte_of_character(const char *text, int n)
{
	size_t i = 0;
	for (int seen = 1; text[i] != '\0' && seen < n; seen++) {
		i++;
		while (((unsigned char)text[i] & 0xc0) == 0x80)
			i++;
	}
	return i;
}

void
feature_check_find(struct check *c, const cJSON *node, const char *fmt, ...)
{
	char reason[REASON_MAX];
	unsigned line = c->line;
	unsigned column = 1;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	const cJSON *location = node != NULL ? feature_check_get(node, "location") : NULL;
	size_t at = c->from;
	if (location != NULL && location->valueint > 0)
		at = (size_t)location->valueint;
	while (location == NULL && c->text[at] != '\0' && isspace((unsigned char)c->text[at]))
		at++;
	if (line == 0)
		place(c->text, at, &line, &column);
	feature_find(c->findings, c->file, line, column, "%s", reason);
}

cJSON *
feature_check_parse(struct check *c, bool *no_memory)
{
	PgQueryParseResult parsed = pg_query_parse(c->text);
	cJSON *tree = NULL;
	if (parsed.error != NULL) {
		unsigned line = c->line;
		unsigned column = 1;
		if (line == 0)
			place(c->text, byte_of_character(c->text, parsed.error->cursorpos), &line,
			      &column);
		feature_find(c->findings, c->file, line, column, "PostgreSQL's parser says: %s",
			     parsed.error->message);
	} else {
		const size_t len = strlen(parsed.parse_tree);
		if (len <= TREE_BYTES_MAX)
			tree = cJSON_ParseWithLength(parsed.parse_tree, len);
		if (tree == NULL)
			feature_find(c->findings, c->file, c->line, 1,
				     "the SQL is too long or nested too deeply to be checked");
	}
	*no_memory = parsed.error == NULL && parsed.parse_tree == NULL;
	pg_query_free_parse_result(parsed);
	return tree;
}

void
feature_check_walk(struct check *c, const cJSON *root, feature_check_visit_fn *visit)
{
	const cJSON *next[DEPTH_MAX];
	size_t depth = 0;
	next[depth++] = root->child;
	while (depth > 0) {
		const cJSON *n = next[depth - 1];
		if (n == NULL) {
			depth--;
			continue;
		}
		next[depth - 1] = n->next;
		if (!visit(c, n) || n->child == NULL)
			continue;
		if (depth == DEPTH_MAX) {
			feature_check_find(c, NULL, "the SQL is nested too deeply to be checked");
			return;
		}
		next[depth++] = n->child;
	}
}

const cJSON *
feature_check_get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *
feature_check_text(const cJSON *object, const char *key)
{
	const cJSON *v = feature_check_get(object, key);
	return v != NULL && v->valuestring != NULL ? v->valuestring : "";
}

const char *
feature_check_name(const cJSON *list, int i)
{
	const cJSON *item = cJSON_GetArrayItem(list, i);
	const cJSON *string = item != NULL ? feature_check_get(item, "String") : NULL;
	return string != NULL ? feature_check_text(string, "sval") : NULL;
}

bool
feature_check_is_node(const cJSON *n)
{
	return n->string != NULL && n->string[0] >= 'A' && n->string[0] <= 'Z';
}
