/*
 * check_select.c — names and expressions: which relations, columns, functions and types a
 * statement may name.
 *
 * Two passes over a statement: collect what it names itself (CTEs, aliases, outputs), then judge
 * every node and field against the allow-lists. Names are not resolved by scope as PostgreSQL
 * does; where that is not exact the column grants decide at run time.
 */
#include <string.h>

#include "feature/check_tree.h"

/* ---- pass 1: names the statement gives ---- */

static void
name_add(struct check *c, const char *name)
{
	if (name == NULL || name[0] == '\0')
		return;
	if (c->n_names == CHECK_NAMES_MAX) {
		feature_check_find(c, NULL, "the statement gives more than %d names",
				   CHECK_NAMES_MAX);
		c->n_names++;
	}
	if (c->n_names < CHECK_NAMES_MAX)
		c->names[c->n_names++] = name;
}

static void
binding_add(struct check *c, const char *name, const char *table)
{
	if (name[0] == '\0')
		return;
	if (c->n_bindings == CHECK_BINDINGS_MAX) {
		feature_check_find(c, NULL, "the statement names more than %d relations",
				   CHECK_BINDINGS_MAX);
		return;
	}
	c->bindings[c->n_bindings++] = (struct check_binding) { name, table };
}

static void
alias_collect(struct check *c, const cJSON *alias, const char *fallback, const char *table)
{
	const char *name = alias != NULL ? feature_check_text(alias, "aliasname") : fallback;
	binding_add(c, name, table);
	if (table == NULL)
		name_add(c, name);
	const cJSON *columns = alias != NULL ? feature_check_get(alias, "colnames") : NULL;
	for (int i = 0; feature_check_name(columns, i) != NULL; i++)
		name_add(c, feature_check_name(columns, i));
}

static void
range_var_collect(struct check *c, const cJSON *v)
{
	const bool crm = strcmp(feature_check_text(v, "schemaname"), "crm") == 0;
	alias_collect(c, feature_check_get(v, "alias"), feature_check_text(v, "relname"),
		      crm ? feature_check_text(v, "relname") : NULL);
}

static void
cte_collect(struct check *c, const cJSON *cte)
{
	if (c->n_ctes == CHECK_NAMES_MAX) {
		feature_check_find(c, cte, "the statement has too many WITH queries");
		return;
	}
	c->ctes[c->n_ctes++] = feature_check_text(cte, "ctename");
	const cJSON *columns = feature_check_get(cte, "aliascolnames");
	for (int i = 0; feature_check_name(columns, i) != NULL; i++)
		name_add(c, feature_check_name(columns, i));
}

static bool
collect(struct check *c, const cJSON *n)
{
	if (n->string == NULL)
		return true;
	if (strcmp(n->string, "RangeVar") == 0)
		range_var_collect(c, n);
	else if (strcmp(n->string, "RangeSubselect") == 0 ||
		 strcmp(n->string, "RangeFunction") == 0)
		alias_collect(c, feature_check_get(n, "alias"), "", NULL);
	else if (strcmp(n->string, "CommonTableExpr") == 0)
		cte_collect(c, n);
	else if (strcmp(n->string, "ResTarget") == 0)
		name_add(c, feature_check_text(n, "name"));
	return true;
}

void
feature_check_collect(struct check *c, const cJSON *statement)
{
	c->n_ctes = 0;
	c->n_names = c->n_arguments;
	c->n_bindings = 0;
	feature_check_walk(c, statement, collect);
}

/* ---- pass 2: relations ---- */

static bool
crm_table(const struct check *c, const char *table)
{
	for (size_t i = 0; i < c->columns->n; i++) {
		if (strcmp(c->columns->items[i].table, table) == 0)
			return true;
	}
	return false;
}

static bool
crm_column(const struct check *c, const char *table, const char *column)
{
	for (size_t i = 0; i < c->columns->n; i++) {
		if (strcmp(c->columns->items[i].table, table) == 0 &&
		    strcmp(c->columns->items[i].name, column) == 0)
			return true;
	}
	return false;
}

static bool
is_cte(const struct check *c, const char *name)
{
	for (size_t i = 0; i < c->n_ctes; i++) {
		if (strcmp(c->ctes[i], name) == 0)
			return true;
	}
	return false;
}

void
feature_check_own_relation(struct check *c, const cJSON *v, const char *what)
{
	if (feature_check_text(v, "catalogname")[0] != '\0')
		feature_check_find(c, v, "%s.%s: another database cannot be named",
				   feature_check_text(v, "catalogname"),
				   feature_check_text(v, "schemaname"));
	else if (strcmp(feature_check_text(v, "schemaname"), c->schema) != 0)
		feature_check_find(c, v, "%s must be in the feature's schema: %s.%s", what,
				   c->schema, feature_check_text(v, "relname"));
	if (strcmp(feature_check_text(v, "relpersistence"), "p") != 0)
		feature_check_find(
			c, v, "%s must be an ordinary one: neither TEMPORARY nor UNLOGGED", what);
}

static void
range_var_judge(struct check *c, const cJSON *v)
{
	const char *schema = feature_check_text(v, "schemaname");
	const char *table = feature_check_text(v, "relname");
	if (feature_check_text(v, "catalogname")[0] != '\0') {
		feature_check_find(c, v, "%s.%s.%s: another database cannot be named",
				   feature_check_text(v, "catalogname"), schema, table);
		return;
	}
	if (!cJSON_IsTrue(feature_check_get(v, "inh")))
		feature_check_find(
			c, v, "ONLY is not allowed: partitions differ between core and sandbox");
	if (schema[0] == '\0') {
		if (!is_cte(c, table))
			feature_check_find(c, v,
					   "%s: name relations with their schema: crm.%s or %s.%s",
					   table, table, c->schema, table);
	} else if (strcmp(schema, "crm") == 0) {
		if (!crm_table(c, table))
			feature_check_find(c, v, "crm.%s is not a published table", table);
		if (feature_check_get(feature_check_get(v, "alias"), "colnames") != NULL)
			feature_check_find(
				c, v,
				"the columns of crm.%s must not be renamed by position: their "
				"order differs between databases",
				table);
	} else if (strcmp(schema, c->schema) != 0) {
		feature_check_find(c, v, "%s.%s: only crm and %s may be read", schema, table,
				   c->schema);
	}
}

/* ---- pass 2: columns ---- */

static bool
column_any(const struct check *c, const char *column)
{
	for (size_t i = 0; i < c->n_bindings; i++) {
		if (c->bindings[i].table != NULL && crm_column(c, c->bindings[i].table, column))
			return true;
	}
	for (size_t i = 0; i < c->n_names; i++) {
		if (strcmp(c->names[i], column) == 0)
			return true;
	}
	return false;
}

static const char *
crm_bound(const struct check *c, const char *name)
{
	for (size_t i = 0; i < c->n_bindings; i++) {
		if (c->bindings[i].table != NULL && strcmp(c->bindings[i].name, name) == 0)
			return c->bindings[i].table;
	}
	return NULL;
}

static void
column_plain(struct check *c, const cJSON *ref, const char *column)
{
	const char *table = crm_bound(c, column);
	if (table != NULL && !column_any(c, column)) {
		feature_check_find(c, ref, "%s is a whole row of crm.%s: name the columns", column,
				   table);
		return;
	}
	if (!column_any(c, column))
		feature_check_find(
			c, ref,
			"column %s is not published; if it is of a table of your own or of a "
			"subquery, write it as alias.%s",
			column, column);
}

/* Allowed if one relation of that name has it; what is not of crm cannot be judged here. */
static void
column_qualified(struct check *c, const cJSON *ref, const char *alias, const char *column)
{
	const char *table = NULL;
	bool bound = false;
	for (size_t i = 0; i < c->n_bindings; i++) {
		const struct check_binding *b = &c->bindings[i];
		if (strcmp(b->name, alias) != 0)
			continue;
		bound = true;
		if (b->table != NULL && !crm_column(c, b->table, column))
			table = b->table;
	}
	if (!bound)
		feature_check_find(c, ref, "%s.%s: no relation is named %s here", alias, column,
				   alias);
	else if (table != NULL)
		feature_check_find(c, ref, "column %s of crm.%s is not published", column, table);
}

static void
column_judge(struct check *c, const cJSON *ref)
{
	const cJSON *fields = feature_check_get(ref, "fields");
	const char *first = feature_check_name(fields, 0);
	const char *second = feature_check_name(fields, 1);
	const int n = cJSON_GetArraySize(fields);
	const bool star =
		n > 0 && feature_check_get(cJSON_GetArrayItem(fields, n - 1), "A_Star") != NULL;
	if (star && n == 1)
		return; /* judged with its SELECT */
	if (star) {
		const char *table = crm_bound(c, n == 2 && first != NULL ? first : "");
		if (n > 2 || table != NULL)
			feature_check_find(c, ref,
					   "%s.* is not allowed: name the columns of crm.%s", first,
					   table != NULL ? table : "…");
		return;
	}
	if (n == 1 && first != NULL) {
		if (!c->columns_free)
			column_plain(c, ref, first);
	} else if (n == 2 && first != NULL && second != NULL) {
		column_qualified(c, ref, first, second);
	} else {
		feature_check_find(c, ref, "write a column as alias.column");
	}
}

/* A bare star over a FROM with a table of crm in it (not in a subquery of it). */
static bool
from_crm_visit(struct check *c, const cJSON *n)
{
	if (n->string != NULL && strcmp(n->string, "RangeVar") == 0 &&
	    strcmp(feature_check_text(n, "schemaname"), "crm") == 0)
		feature_check_find(
			c, n,
			"SELECT * reads columns of crm.%s that are not published: name the columns",
			feature_check_text(n, "relname"));
	return n->string == NULL || (strcmp(n->string, "RangeSubselect") != 0 &&
				     strcmp(n->string, "RangeFunction") != 0);
}

static void
select_judge(struct check *c, const cJSON *s)
{
	const cJSON *target = NULL;
	bool star = false;
	cJSON_ArrayForEach(target, feature_check_get(s, "targetList"))
	{
		const cJSON *fields = feature_check_get(
			feature_check_get(
				feature_check_get(feature_check_get(target, "ResTarget"), "val"),
				"ColumnRef"),
			"fields");
		star = star || (cJSON_GetArraySize(fields) == 1 &&
				feature_check_get(fields->child, "A_Star") != NULL);
	}
	const cJSON *from = feature_check_get(s, "fromClause");
	if (star && from != NULL)
		feature_check_walk(c, from, from_crm_visit);
}

/* ---- pass 2: functions, types, the rest ---- */

static bool
name_is_own(const struct check *c, const cJSON *names)
{
	return cJSON_GetArraySize(names) == 2 && feature_check_name(names, 0) != NULL &&
	       strcmp(feature_check_name(names, 0), c->schema) == 0;
}

/* The bare name of something of PostgreSQL's own, or NULL. */
static const char *
name_of_system(const cJSON *names)
{
	const int n = cJSON_GetArraySize(names);
	const char *first = feature_check_name(names, 0);
	if (n == 1)
		return first;
	return n == 2 && first != NULL && strcmp(first, "pg_catalog") == 0
		       ? feature_check_name(names, 1)
		       : NULL;
}

static void
function_judge(struct check *c, const cJSON *call)
{
	const cJSON *names = feature_check_get(call, "funcname");
	if (name_is_own(c, names))
		return;
	const char *name = name_of_system(names);
	if (name == NULL) {
		feature_check_find(c, call, "only functions of PostgreSQL and of %s may be called",
				   c->schema);
		return;
	}
	switch (feature_check_function_class(name)) {
	case CHECK_FUNCTION_PURE:
		return;
	case CHECK_FUNCTION_CLOCK:
		if (!c->clock)
			feature_check_find(
				c, call,
				"%s() is not allowed here: pass the time as a parameter, so "
				"that the result can be had again",
				name);
		return;
	case CHECK_FUNCTION_RANDOM:
		if (!c->random)
			feature_check_find(
				c, call,
				"%s() is not allowed here: core and sandbox must give the same "
				"answer",
				name);
		return;
	case CHECK_FUNCTION_VERIFY:
		if (c->kind != FEATURE_CHECK_VERIFY)
			feature_check_find(c, call, "%s() is allowed in verify.sql only", name);
		return;
	case CHECK_FUNCTION_NONE:
		feature_check_find(c, call, "function %s() is not on the list of allowed functions",
				   name);
		return;
	}
}

void
feature_check_type(struct check *c, const cJSON *type)
{
	const cJSON *names = feature_check_get(type, "names");
	if (cJSON_IsTrue(feature_check_get(type, "pct_type"))) {
		feature_check_find(c, type, "%%TYPE is not allowed: name the type");
		return;
	}
	if (name_is_own(c, names))
		return;
	const char *name = name_of_system(names);
	if (name == NULL || !feature_check_type_allowed(name))
		feature_check_find(c, type, "type %s is not on the list of allowed types",
				   name != NULL ? name : feature_check_name(names, 0));
}

static void
value_function_judge(struct check *c, const cJSON *f)
{
	static const char *const clocks[] = { "SVFOP_CURRENT_DATE", "SVFOP_CURRENT_TIMESTAMP",
					      "SVFOP_CURRENT_TIMESTAMP_N", "SVFOP_LOCALTIMESTAMP",
					      "SVFOP_LOCALTIMESTAMP_N" };
	bool clock = false;
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
		clock = clock || strcmp(feature_check_text(f, "op"), clocks[i]) == 0;
	if (!clock)
		feature_check_find(
			c, f,
			"who asks and the name of the database must not matter: CURRENT_USER "
			"and the like are not allowed");
	else if (!c->clock)
		feature_check_find(
			c, f,
			"the current time is not allowed here: pass it as a parameter, so that "
			"the result can be had again");
}

static void
parameter_judge(struct check *c, const cJSON *n)
{
	const cJSON *number = feature_check_get(n, "number"); /* absent: $0 */
	const int i = number != NULL ? number->valueint : 0;
	if (i < 1 || (size_t)i > c->n_params)
		feature_check_find(c, n, "parameter $%d is not declared in the header", i);
}

static void
node_judge(struct check *c, const cJSON *n)
{
	const char *type = n->string;
	const enum check_node class = feature_check_node_class(type);
	if (class == CHECK_NODE_NONE || (class == CHECK_NODE_DDL && !c->ddl)) {
		feature_check_find(c, n, "%s is not allowed here", feature_check_friendly(type));
		return;
	}
	if (strcmp(type, "SelectStmt") == 0)
		select_judge(c, n);
	else if (strcmp(type, "RangeVar") == 0)
		range_var_judge(c, n);
	else if (strcmp(type, "ColumnRef") == 0)
		column_judge(c, n);
	else if (strcmp(type, "FuncCall") == 0)
		function_judge(c, n);
	else if (strcmp(type, "TypeName") == 0)
		feature_check_type(c, n);
	else if (strcmp(type, "SQLValueFunction") == 0)
		value_function_judge(c, n);
	else if (strcmp(type, "CommonTableExpr") == 0 &&
		 strncmp(feature_check_text(n, "ctename"), "pg_", 3) == 0)
		feature_check_find(
			c, n, "a WITH query must not be named pg_…: PostgreSQL's own tables are");
	else if (strcmp(type, "ParamRef") == 0)
		parameter_judge(c, n);
}

/* Operators are PostgreSQL's own; with an empty search_path an unqualified one cannot be
 * anything else. */
static void
operator_judge(struct check *c, const cJSON *field)
{
	if (name_of_system(field) == NULL)
		feature_check_find(c, NULL, "only operators of PostgreSQL may be used");
}

static void
using_judge(struct check *c, const cJSON *field)
{
	for (int i = 0; feature_check_name(field, i) != NULL; i++) {
		if (!column_any(c, feature_check_name(field, i)))
			feature_check_find(c, NULL, "USING (%s): the column is not published",
					   feature_check_name(field, i));
	}
}

/* True: go on below. */
static bool
field_judge(struct check *c, const cJSON *n)
{
	const char *name = n->string;
	if (strcmp(name, "alias") == 0 || (c->options_judged && strcmp(name, "options") == 0))
		return false;
	if (strcmp(name, "catalogname") == 0 || strcmp(name, "tablespacename") == 0 ||
	    strcmp(name, "indexspace") == 0 || strcmp(name, "tableSpace") == 0)
		feature_check_find(c, NULL, "another database or a tablespace cannot be named");
	else if (strcmp(name, "isNatural") == 0 && cJSON_IsTrue(n))
		feature_check_find(c, NULL, "NATURAL JOIN is not allowed: name the columns");
	else if (strcmp(name, "recursive") == 0 && cJSON_IsTrue(n))
		feature_check_find(
			c, NULL,
			"WITH RECURSIVE is not allowed: it has no bound; join a fixed number of "
			"levels");
	else if (strcmp(name, "concurrent") == 0 && cJSON_IsTrue(n))
		feature_check_find(
			c, NULL, "CONCURRENTLY is not allowed: a feature comes in one transaction");
	else if (strcmp(name, "useOp") == 0)
		feature_check_find(c, NULL, "ORDER BY … USING is not allowed: write ASC or DESC");
	else if (strcmp(name, "usingClause") == 0)
		using_judge(c, n);
	else if (strcmp(name, "join_using_alias") == 0)
		feature_check_find(c, NULL, "an alias of a join is not allowed: name the tables");
	else if ((strcmp(name, "name") == 0 && cJSON_IsArray(n)) || strcmp(name, "operName") == 0)
		operator_judge(c, n);
	if (!cJSON_IsObject(n) || n->child == NULL || feature_check_is_node(n->child))
		return true; /* a node, judged by its own name */
	if (!feature_check_field_allowed(name)) {
		feature_check_find(c, NULL, "%s is not allowed here", feature_check_friendly(name));
		return false;
	}
	if (strcmp(name, "typeName") == 0 || strcmp(name, "argType") == 0 ||
	    strcmp(name, "returnType") == 0)
		feature_check_type(c, n);
	else if ((strcmp(name, "larg") == 0 || strcmp(name, "rarg") == 0) &&
		 feature_check_get(n, "op") != NULL)
		select_judge(c, n);
	else if (strcmp(name, "collClause") == 0 &&
		 cJSON_GetArraySize(feature_check_get(n, "collname")) > 2)
		feature_check_find(c, n, "this collation cannot be named");
	return true;
}

static bool
judge(struct check *c, const cJSON *n)
{
	if (n->string == NULL)
		return true;
	if (!feature_check_is_node(n))
		return field_judge(c, n);
	node_judge(c, n);
	if (strcmp(n->string, "JoinExpr") == 0 && feature_check_get(n, "alias") != NULL)
		feature_check_find(c, n, "an alias of a join is not allowed: name the tables");
	/* Fields of these are names that were judged, or places. */
	return strcmp(n->string, "ColumnRef") != 0 && strcmp(n->string, "RangeVar") != 0;
}

void
feature_check_judge(struct check *c, const cJSON *statement)
{
	feature_check_walk(c, statement, judge);
}
