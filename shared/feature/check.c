/*
 * check.c — statements: which kinds a file of a package may hold, and what each may define, before
 * names and expressions are judged by check_select.c.
 *
 * Invariants: a statement kind that is not in the table of its file is refused; everything a
 * definition names first is in the feature's own schema; a function is LANGUAGE sql, runs with its
 * caller's rights, and its body passes the same check as a query.
 */
#include "feature/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feature/check_tree.h"
#include "feature/sql.h"

/* ---- definitions ---- */

static void
refuse_field(struct check *c, const cJSON *stmt, const char *field)
{
	if (feature_check_get(stmt, field) != NULL)
		feature_check_find(c, NULL, "%s is not allowed here",
				   feature_check_friendly(field));
}

static bool
constraint_visit(struct check *c, const cJSON *n)
{
	static const char *const allowed[] = { "CONSTR_NULL",      "CONSTR_NOTNULL",
					       "CONSTR_DEFAULT",   "CONSTR_IDENTITY",
					       "CONSTR_GENERATED", "CONSTR_CHECK",
					       "CONSTR_PRIMARY",   "CONSTR_UNIQUE",
					       "CONSTR_FOREIGN" };
	if (n->string == NULL || strcmp(n->string, "Constraint") != 0)
		return true;
	bool good = false;
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		good = good || strcmp(feature_check_text(n, "contype"), allowed[i]) == 0;
	if (!good)
		feature_check_find(c, n,
				   "constraints are NOT NULL, DEFAULT, CHECK, PRIMARY KEY, UNIQUE, "
				   "REFERENCES and GENERATED");
	const cJSON *parent = feature_check_get(n, "pktable");
	if (parent != NULL)
		feature_check_own_relation(c, parent, "a table that is referenced");
	return true;
}

static void
create_table(struct check *c, const cJSON *stmt)
{
	feature_check_own_relation(c, feature_check_get(stmt, "relation"), "a new table");
	refuse_field(c, stmt, "inhRelations");
	if (feature_check_get(stmt, "accessMethod") != NULL)
		feature_check_find(c, NULL, "a table's access method cannot be named");
	feature_check_walk(c, stmt, constraint_visit);
	c->columns_free = c->clock = c->random = true;
}

static void
create_index(struct check *c, const cJSON *stmt)
{
	static const char *const methods[] = { "btree", "hash", "gin", "gist", "brin" };
	bool good = false;
	feature_check_own_relation(c, feature_check_get(stmt, "relation"), "the table of an index");
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		good = good || strcmp(feature_check_text(stmt, "accessMethod"), methods[i]) == 0;
	if (!good)
		feature_check_find(c, NULL, "index method %s is not allowed",
				   feature_check_text(stmt, "accessMethod"));
	c->columns_free = true;
}

static void
create_view(struct check *c, const cJSON *stmt)
{
	feature_check_own_relation(c, feature_check_get(stmt, "view"), "a new view");
}

static void
insert(struct check *c, const cJSON *stmt)
{
	const cJSON *relation = feature_check_get(stmt, "relation");
	feature_check_own_relation(c, relation, "the table of an INSERT");
	refuse_field(c, stmt, "returningList");
	const cJSON *alias = feature_check_get(relation, "alias");
	const char *name = alias != NULL ? feature_check_text(alias, "aliasname")
					 : feature_check_text(relation, "relname");
	if (c->n_bindings + 2 <= CHECK_BINDINGS_MAX) {
		c->bindings[c->n_bindings++] = (struct check_binding) { name, NULL };
		c->bindings[c->n_bindings++] = (struct check_binding) { "excluded", NULL };
	}
	c->clock = c->random = true;
}

static bool
names_own(const struct check *c, const cJSON *names)
{
	return feature_check_name(names, 0) != NULL && feature_check_name(names, 1) != NULL &&
	       strcmp(feature_check_name(names, 0), c->schema) == 0;
}

/* Objects of DROP and COMMENT: a list of names, or a function with its arguments. */
static const cJSON *
object_names(const cJSON *object)
{
	const cJSON *list = feature_check_get(object, "List");
	if (list != NULL)
		return feature_check_get(list, "items");
	return feature_check_get(feature_check_get(object, "ObjectWithArgs"), "objname");
}

static void
drop(struct check *c, const cJSON *stmt)
{
	static const char *const kinds[] = { "OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_VIEW",
					     "OBJECT_FUNCTION" };
	bool good = false;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		good = good || strcmp(feature_check_text(stmt, "removeType"), kinds[i]) == 0;
	if (!good)
		feature_check_find(c, NULL,
				   "only tables, indexes, views and functions may be dropped");
	const cJSON *object = NULL;
	cJSON_ArrayForEach(object, feature_check_get(stmt, "objects"))
	{
		if (!names_own(c, object_names(object)))
			feature_check_find(
				c, NULL,
				"only objects of %s may be dropped: name them with the schema",
				c->schema);
	}
}

static void
comment(struct check *c, const cJSON *stmt)
{
	static const char *const kinds[] = { "OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_VIEW",
					     "OBJECT_FUNCTION", "OBJECT_COLUMN" };
	bool good = false;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		good = good || strcmp(feature_check_text(stmt, "objtype"), kinds[i]) == 0;
	if (!good || !names_own(c, object_names(feature_check_get(stmt, "object"))))
		feature_check_find(
			c, NULL,
			"comments go to tables, columns, indexes, views and functions of %s",
			c->schema);
}

/* ---- functions ---- */

static unsigned
line_of(const char *text, size_t at)
{
	unsigned line = 1;
	for (size_t i = 0;
	     text[i] != '\0' && (i < at || text[i] == '\n' || text[i] == ' ' || text[i] == '\t');
	     i++)
		line += text[i] == '\n';
	return line;
}

/* The only statement of a text that must be one SELECT, or NULL with a finding. */
static const cJSON *
one_select(struct check *c, const cJSON *tree)
{
	const cJSON *list = feature_check_get(tree, "stmts");
	const cJSON *stmt = feature_check_get(cJSON_GetArrayItem(list, 0), "stmt");
	c->from = 0;
	if (cJSON_GetArraySize(list) == 1 && feature_check_get(stmt, "SelectStmt") != NULL)
		return stmt;
	if (cJSON_GetArraySize(list) == 1 && stmt != NULL && stmt->child != NULL)
		feature_check_find(c, NULL, "%s is not allowed; one SELECT is",
				   feature_check_friendly(stmt->child->string));
	else
		feature_check_find(c, NULL, "one SELECT is expected, there are %d statements",
				   cJSON_GetArraySize(list));
	return NULL;
}

static void
arguments_add(struct check *c, const cJSON *stmt)
{
	const cJSON *parameter = NULL;
	cJSON_ArrayForEach(parameter, feature_check_get(stmt, "parameters"))
	{
		const char *name = feature_check_text(
			feature_check_get(parameter, "FunctionParameter"), "name");
		c->n_params++;
		if (name[0] != '\0' && c->n_arguments < CHECK_NAMES_MAX)
			c->names[c->n_arguments++] = name;
	}
}

/* SQL of its own: the check of a query, with the arguments as names and all findings at the
 * function's line. */
static enum err
body_check(const struct check *outer, const cJSON *stmt, const char *body)
{
	bool no_memory = false;
	struct check *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ERR_NO_MEMORY;
	/* As a metric: no clock, so that the same arguments and rows give the same result. */
	*c = (struct check) { .kind = FEATURE_CHECK_METRIC,
			      .schema = outer->schema,
			      .file = outer->file,
			      .text = body,
			      .columns = outer->columns,
			      .findings = outer->findings,
			      .line = line_of(outer->text, outer->from) };
	arguments_add(c, stmt);
	cJSON *tree = feature_check_parse(c, &no_memory);
	const cJSON *select = tree != NULL ? one_select(c, tree) : NULL;
	if (select != NULL) {
		feature_check_collect(c, select);
		feature_check_judge(c, select);
	}
	cJSON_Delete(tree);
	free(c);
	return no_memory ? ERR_NO_MEMORY : ERR_OK;
}

static enum err
function_body(struct check *c, const cJSON *stmt, const cJSON *as)
{
	const cJSON *items = feature_check_get(feature_check_get(as, "List"), "items");
	const char *body = feature_check_name(items, 0);
	if (body != NULL && cJSON_GetArraySize(items) == 1)
		return body_check(c, stmt, body);
	feature_check_find(c, NULL, "write the body of a function as AS $$ … $$");
	return ERR_OK;
}

static enum err
create_function(struct check *c, const cJSON *stmt)
{
	static const char *const harmless[] = { "as", "volatility", "strict", "parallel" };
	const cJSON *option = NULL;
	const cJSON *as = NULL;
	bool language = false;
	if (!names_own(c, feature_check_get(stmt, "funcname")))
		feature_check_find(c, NULL, "a new function must be in the feature's schema: %s.…",
				   c->schema);
	if (cJSON_IsTrue(feature_check_get(stmt, "is_procedure")))
		feature_check_find(c, NULL, "procedures are not allowed");
	cJSON_ArrayForEach(option, feature_check_get(stmt, "options"))
	{
		const cJSON *e = feature_check_get(option, "DefElem");
		const char *name = feature_check_text(e, "defname");
		const cJSON *arg = feature_check_get(e, "arg");
		bool good = false;
		if (strcmp(name, "as") == 0)
			as = arg;
		if (strcmp(name, "language") == 0)
			good = language =
				strcmp(feature_check_text(feature_check_get(arg, "String"), "sval"),
				       "sql") == 0;
		for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
			good = good || strcmp(name, harmless[i]) == 0;
		if (!good)
			feature_check_find(
				c, e,
				"functions are LANGUAGE sql with the rights of the caller and "
				"no settings: %s is not allowed",
				strcmp(name, "security") == 0 ? "SECURITY DEFINER" : name);
	}
	if (!language)
		feature_check_find(c, NULL, "a function is LANGUAGE sql");
	c->options_judged = true;
	return language ? function_body(c, stmt, as) : ERR_OK;
}

/* ---- statements ---- */

typedef void statement_fn(struct check *c, const cJSON *stmt);

static const struct {
	const char *node;
	enum feature_check_kind kind;
	statement_fn *judge; /* NULL: create_function */
} statements[] = {
	{ "CreateStmt", FEATURE_CHECK_UP, create_table },
	{ "IndexStmt", FEATURE_CHECK_UP, create_index },
	{ "ViewStmt", FEATURE_CHECK_UP, create_view },
	{ "CreateFunctionStmt", FEATURE_CHECK_UP, NULL },
	{ "CommentStmt", FEATURE_CHECK_UP, comment },
	{ "InsertStmt", FEATURE_CHECK_UP, insert },
	{ "DropStmt", FEATURE_CHECK_DOWN, drop },
};

static enum err
definition_check(struct check *c, const cJSON *raw)
{
	const cJSON *stmt = feature_check_get(raw, "stmt");
	const cJSON *node = stmt != NULL ? stmt->child : NULL;
	const cJSON *location = feature_check_get(raw, "stmt_location");
	c->from = location != NULL ? (size_t)location->valueint : 0;
	c->columns_free = c->clock = c->random = c->options_judged = false;
	if (node == NULL || node->string == NULL)
		return ERR_OK;
	size_t k = 0;
	while (k < ARRAY_LEN(statements) &&
	       (statements[k].kind != c->kind || strcmp(statements[k].node, node->string) != 0))
		k++;
	if (k == ARRAY_LEN(statements)) {
		feature_check_find(c, NULL, "%s is not allowed; %s in the feature's schema are",
				   feature_check_friendly(node->string),
				   c->kind == FEATURE_CHECK_UP
					   ? "CREATE TABLE, INDEX, VIEW, FUNCTION "
					     "(LANGUAGE sql), COMMENT and INSERT"
					   : "DROP TABLE, INDEX, VIEW and FUNCTION");
		return ERR_OK;
	}
	enum err err = ERR_OK;
	c->ddl = strcmp(node->string, "ViewStmt") != 0;
	feature_check_collect(c, stmt);
	if (statements[k].judge != NULL)
		statements[k].judge(c, node);
	else
		err = create_function(c, node);
	feature_check_judge(c, node);
	return err;
}

static enum err
definitions_check(struct check *c, const cJSON *tree)
{
	const cJSON *list = feature_check_get(tree, "stmts");
	const cJSON *raw = NULL;
	if (cJSON_GetArraySize(list) > CHECK_STATEMENTS_MAX) {
		feature_find(c->findings, c->file, 0, 0,
			     "there are %d statements, %d at most are allowed",
			     cJSON_GetArraySize(list), CHECK_STATEMENTS_MAX);
		return ERR_OK;
	}
	cJSON_ArrayForEach(raw, list)
	{
		const enum err err = definition_check(c, raw);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err
select_check(struct check *c, const cJSON *tree)
{
	const cJSON *stmt = one_select(c, tree);
	if (stmt == NULL)
		return ERR_OK;
	if (c->kind != FEATURE_CHECK_VERIFY) {
		struct feature_query query;
		const enum err err =
			feature_query_read(c->findings->arena, c->file, str_of(c->text),
					   c->kind == FEATURE_CHECK_METRIC, &query, c->findings);
		if (err == ERR_NO_MEMORY)
			return err;
		c->n_params = query.n_params;
	}
	c->clock = c->kind != FEATURE_CHECK_METRIC;
	feature_check_collect(c, stmt);
	feature_check_judge(c, stmt);
	return ERR_OK;
}

static enum err
text_check(struct check *c)
{
	bool no_memory = false;
	cJSON *tree = feature_check_parse(c, &no_memory);
	if (tree == NULL)
		return no_memory ? ERR_NO_MEMORY : ERR_OK;
	const bool definitions = c->kind == FEATURE_CHECK_UP || c->kind == FEATURE_CHECK_DOWN;
	const enum err err = definitions ? definitions_check(c, tree) : select_check(c, tree);
	cJSON_Delete(tree);
	return err;
}

enum err
feature_check_sql(enum feature_check_kind kind, const char *slug, const char *file, struct str text,
		  const struct feature_columns *columns, struct feature_findings *findings)
{
	char schema[FEATURE_ROLE_SIZE];
	const size_t before = findings->total;
	if ((text.len > 0 && memchr(text.p, '\0', text.len) != NULL) || !str_utf8_valid(text)) {
		feature_find(findings, file, 0, 0, "the file is not UTF-8 text without zero bytes");
		return ERR_INVALID;
	}
	feature_role_login(slug, schema);
	const char *copy = arena_strdup(findings->arena, text);
	struct check *c = calloc(1, sizeof(*c));
	if (copy == NULL || c == NULL) {
		free(c);
		return ERR_NO_MEMORY;
	}
	*c = (struct check) { .kind = kind,
			      .schema = schema,
			      .file = file,
			      .text = copy,
			      .columns = columns,
			      .findings = findings };
	const enum err err = text_check(c);
	free(c);
	if (err != ERR_OK)
		return err;
	return findings->total > before ? ERR_INVALID : ERR_OK;
}
