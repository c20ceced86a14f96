/*
 * counts.c — from the constraints an up text adds to queries that count the rows which would refuse them. Counting stops at 1000: one is
 * enough to stop the change, the number only tells the author how much there is to clean.
 */
#include <stdio.h>
#include <string.h>

#include "change/check.h"
#include "change/tree.h"

#define COLUMNS_MAX 8
#define LIST_SIZE 512

struct counts {
	struct arena *arena;
	struct str text;
	struct change_count *out;
	size_t n;
	unsigned line;
	const char *table; /* quoted, with its schema */
};

/* "a", with quotes doubled. */
static const char *
quoted(struct counts *c, const char *name)
{
	char out[160];
	size_t n = 0;

	out[n++] = '"';
	for (const char *p = name; *p != '\0' && n < sizeof(out) - 3; p++) {
		if (*p == '"')
			out[n++] = '"';
		out[n++] = *p;
	}
	out[n++] = '"';
	return arena_strdup(c->arena, (struct str) { out, n });
}

static const char *
table_of(struct counts *c, const cJSON *range_var)
{
	const char *schema = quoted(c, change_tree_text(range_var, "schemaname"));
	const char *name = quoted(c, change_tree_text(range_var, "relname"));
	return arena_printf(c->arena, "%s.%s", schema, name);
}

static void
add(struct counts *c, const char *from_where, const char *what)
{
	if (c->n == CHANGE_COUNTS_MAX || from_where == NULL || what == NULL)
		return;
	const char *sql = arena_printf(
		c->arena, "SELECT pg_catalog.count(*) FROM (SELECT 1 %s LIMIT 1000) x", from_where);
	if (sql != NULL)
		c->out[c->n++] =
			(struct change_count) { .line = c->line, .what = what, .sql = sql };
}

/* Names of a list of Strings, quoted: joined by `sep`, each between `before` and `after`. */
static const char *
join(struct counts *c, const cJSON *names, const char *before, const char *after, const char *sep)
{
	const char *all = "";

	for (int i = 0; i < COLUMNS_MAX && change_tree_name(names, i)[0] != '\0'; i++)
		all = arena_printf(c->arena, "%s%s%s%s%s", all, i > 0 ? sep : "", before,
				   quoted(c, change_tree_name(names, i)), after);
	return all;
}

static void
unique(struct counts *c, const cJSON *names)
{
	const char *list = join(c, names, "", "", ", ");
	if (list == NULL || list[0] == '\0')
		return;
	add(c,
	    arena_printf(c->arena, "FROM %s WHERE %s GROUP BY %s HAVING pg_catalog.count(*) > 1",
			 c->table, join(c, names, "", " IS NOT NULL", " AND "), list),
	    arena_printf(c->arena, "values of (%s) in %s that are there more than once", list,
			 c->table));
}

/* The text between the parentheses behind CHECK. */
static void
check_rows(struct counts *c, const cJSON *constraint)
{
	const cJSON *at = change_tree_node(constraint, "location");
	size_t i = cJSON_IsNumber(at) ? (size_t)at->valuedouble : c->text.len;
	unsigned depth = 0;
	size_t from = 0;
	char quote = '\0';

	for (; i < c->text.len; i++) {
		const char x = c->text.p[i];
		if (quote != '\0') {
			quote = x == quote ? '\0' : quote;
		} else if (x == '\'' || x == '"') {
			quote = x;
		} else if (x == '(') {
			from = depth++ == 0 ? i + 1 : from;
		} else if (x == ')' && depth > 0 && --depth == 0) {
			break;
		}
	}
	if (i >= c->text.len || from == 0)
		return;
	add(c,
	    arena_printf(c->arena, "FROM %s WHERE NOT (%.*s)", c->table, (int)(i - from),
			 c->text.p + from),
	    arena_printf(c->arena, "rows of %s that break CHECK (%.*s)", c->table,
			 (int)MIN(i - from, 100), c->text.p + from));
}

static void
foreign_key(struct counts *c, const cJSON *constraint)
{
	const cJSON *mine = change_tree_node(constraint, "fk_attrs");
	const cJSON *theirs = change_tree_node(constraint, "pk_attrs");
	const char *other = table_of(c, change_tree_node(constraint, "pktable"));
	const char *column = quoted(c, change_tree_name(mine, 0));
	const char *key = change_tree_name(theirs, 0)[0] != '\0'
				  ? quoted(c, change_tree_name(theirs, 0))
				  : "\"id\"";

	if (cJSON_GetArraySize(mine) != 1)
		return;
	add(c,
	    arena_printf(c->arena,
			 "FROM %s m WHERE m.%s IS NOT NULL AND NOT EXISTS (SELECT FROM %s o WHERE "
			 "o.%s = m.%s)",
			 c->table, column, other, key, column),
	    arena_printf(c->arena, "rows of %s whose %s is not in %s", c->table, column, other));
}

static void
alter(struct counts *c, const cJSON *s)
{
	const cJSON *item = NULL;

	c->table = table_of(c, change_tree_node(s, "relation"));
	cJSON_ArrayForEach(item, change_tree_node(s, "cmds"))
	{
		const cJSON *cmd = change_tree_node(item, "AlterTableCmd");
		const cJSON *k = change_tree_node(change_tree_node(cmd, "def"), "Constraint");
		const char *kind = change_tree_text(k, "contype");
		if (strcmp(change_tree_text(cmd, "subtype"), "AT_SetNotNull") == 0) {
			const char *column = quoted(c, change_tree_text(cmd, "name"));
			add(c, arena_printf(c->arena, "FROM %s WHERE %s IS NULL", c->table, column),
			    arena_printf(c->arena, "rows of %s without %s", c->table, column));
		} else if (change_tree_flag(k, "skip_validation")) {
			continue;
		} else if (strcmp(kind, "CONSTR_CHECK") == 0) {
			check_rows(c, k);
		} else if (strcmp(kind, "CONSTR_UNIQUE") == 0 ||
			   strcmp(kind, "CONSTR_PRIMARY") == 0) {
			unique(c, change_tree_node(k, "keys"));
		} else if (strcmp(kind, "CONSTR_FOREIGN") == 0) {
			foreign_key(c, k);
		}
	}
}

/* A unique index over plain columns, without a condition. */
static void
unique_index(struct counts *c, const cJSON *s)
{
	const cJSON *item = NULL;
	const char *list = "";
	const char *present = "";

	if (!change_tree_flag(s, "unique") || change_tree_node(s, "whereClause") != NULL)
		return;
	cJSON_ArrayForEach(item, change_tree_node(s, "indexParams"))
	{
		const char *name = change_tree_text(change_tree_node(item, "IndexElem"), "name");
		if (name[0] == '\0')
			return;
		const char *column = quoted(c, name);
		present = arena_printf(c->arena, "%s%s%s IS NOT NULL", present,
				       present[0] != '\0' ? " AND " : "", column);
		list = arena_printf(c->arena, "%s%s%s", list, list[0] != '\0' ? ", " : "", column);
		if (list == NULL || present == NULL || strlen(list) > LIST_SIZE)
			return;
	}
	c->table = table_of(c, change_tree_node(s, "relation"));
	add(c,
	    arena_printf(c->arena, "FROM %s WHERE %s GROUP BY %s HAVING pg_catalog.count(*) > 1",
			 c->table, present, list),
	    arena_printf(c->arena, "values of (%s) in %s that are there more than once", list,
			 c->table));
}

enum err
change_counts(struct arena *arena, struct str text, struct change_count *out, size_t *n,
	      struct err_info *info)
{
	struct counts c = { .arena = arena, .text = text, .out = out };
	cJSON *tree = NULL;
	size_t at = 0;
	const char *message = NULL;
	const enum err err = change_tree_parse(arena, text, &tree, &at, &message, info);

	*n = 0;
	if (err != ERR_OK)
		return err;
	if (tree == NULL)
		return err_set(info, ERR_INVALID, NULL, "%s",
			       message != NULL ? message : "syntax error");
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, change_tree_node(tree, "stmts"))
	{
		const cJSON *from = change_tree_node(item, "stmt_location");
		const cJSON *stmt = change_tree_node(item, "stmt");
		unsigned column = 0;
		change_tree_place(text,
				  change_tree_skip(text, cJSON_IsNumber(from)
								 ? (size_t)from->valuedouble
								 : 0),
				  &c.line, &column);
		if (change_tree_node(stmt, "AlterTableStmt") != NULL)
			alter(&c, change_tree_node(stmt, "AlterTableStmt"));
		else if (change_tree_node(stmt, "IndexStmt") != NULL)
			unique_index(&c, change_tree_node(stmt, "IndexStmt"));
	}
	cJSON_Delete(tree);
	*n = c.n;
	return ERR_OK;
}
