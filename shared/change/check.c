/*
 * check.c — see check.h. The tree is walked with a stack of its own, never by recursion: its depth is the author's choice.
 */
#include "change/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "change/check_lists.h"
#include "change/tree.h"

#define STACK_MAX 4096
#define OWN_TABLES_MAX 64

struct check {
	enum change_part part;
	struct str text;
	struct change_findings *findings;
	size_t from; /* of the statement */
	char own[OWN_TABLES_MAX][64];
	size_t n_own;
};

const char *
change_part_name(enum change_part part)
{
	static const char *const names[] = {
		[CHANGE_UP] = "up", [CHANGE_DOWN] = "down", [CHANGE_VERIFY] = "verify"
	};
	return names[part];
}

void
change_findings_init(struct change_findings *f, struct arena *arena)
{
	f->arena = arena;
	f->n = 0;
	f->total = 0;
}

void
change_findings_json(const struct change_findings *f, struct buf *out)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < f->n; i++) {
		const struct change_finding *x = &f->items[i];
		buf_printf(out,
			   "%s{\"pointer\":\"/"
			   "%s\",\"code\":\"not_allowed\",\"line\":%u,\"column\":%u,\"detail\":",
			   i > 0 ? "," : "", change_part_name(x->part), x->line, x->column);
		buf_json_cstr(out, x->reason);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void PRINTF(3, 4) find(struct check *c, size_t at, const char *fmt, ...)
{
	struct change_findings *f = c->findings;
	char reason[512];
	va_list ap;

	f->total++;
	if (f->n == CHANGE_FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	struct change_finding *x = &f->items[f->n];
	x->part = c->part;
	change_tree_place(c->text, at, &x->line, &x->column);
	x->reason = arena_strdup(f->arena, str_of(reason));
	if (x->reason != NULL)
		f->n++;
}

/* ---- the tree ---- */

static size_t
location_of(const struct check *c, const cJSON *node)
{
	const cJSON *v = change_tree_node(node, "location");
	return cJSON_IsNumber(v) && v->valuedouble > 0 ? (size_t)v->valuedouble : c->from;
}

static bool
own_table(const struct check *c, const char *name)
{
	for (size_t i = 0; i < c->n_own; i++)
		if (strcmp(c->own[i], name) == 0)
			return true;
	return false;
}

/* ---- names ---- */

/* Where an object that is made or altered may live. */
static void
target(struct check *c, const cJSON *range_var, const char *what)
{
	const char *schema = change_tree_text(range_var, "schemaname");
	const char *name = change_tree_text(range_var, "relname");

	if (schema[0] != '\0' && strcmp(schema, "crm") != 0)
		find(c, location_of(c, range_var),
		     "%s: %s.%s belongs to the base schema; a change works on schema crm", what,
		     schema, name);
	else if (strcmp(schema, "crm") == 0 && strcmp(name, "feed_control") == 0)
		find(c, location_of(c, range_var), "%s: crm.feed_control belongs to the feed",
		     what);
}

static void
qualified(struct check *c, const cJSON *names, const char *what)
{
	if (cJSON_GetArraySize(names) < 2)
		find(c, c->from, "%s: name the schema: crm.%s", what, change_tree_name(names, 0));
	else if (strcmp(change_tree_name(names, 0), "crm") != 0)
		find(c, c->from,
		     "%s: %s.%s belongs to the base schema; a change works on schema crm", what,
		     change_tree_name(names, 0), change_tree_name(names, 1));
}

static bool
cte_of(const cJSON *statement, const char *name)
{
	const cJSON *stack[STACK_MAX];
	size_t n = 0;

	stack[n++] = statement;
	while (n > 0) {
		const cJSON *x = stack[--n];
		for (const cJSON *child = x->child; child != NULL; child = child->next) {
			if (child->string != NULL &&
			    strcmp(child->string, "CommonTableExpr") == 0 &&
			    strcmp(change_tree_text(child, "ctename"), name) == 0)
				return true;
			if ((cJSON_IsObject(child) || cJSON_IsArray(child)) && n < STACK_MAX)
				stack[n++] = child;
		}
	}
	return false;
}

/* Every relation anywhere below needs its schema: search_path is empty when the change runs, and the reader should see it too. */
static void
range_var(struct check *c, const cJSON *statement, const cJSON *node)
{
	const char *schema = change_tree_text(node, "schemaname");
	const char *name = change_tree_text(node, "relname");

	if (schema[0] == '\0' && !cte_of(statement, name))
		find(c, location_of(c, node), "\"%s\" has no schema: write crm.%s", name, name);
	if (strcmp(change_tree_text(node, "relpersistence"), "p") != 0)
		find(c, location_of(c, node),
		     "\"%s\" is temporary or unlogged: what is not logged is neither replicated "
		     "nor safe",
		     name);
}

static void
walk(struct check *c, const cJSON *statement)
{
	const cJSON *stack[STACK_MAX];
	const bool function = change_tree_node(statement, "CreateFunctionStmt") !=
			      NULL; /* its body runs later, with its caller's rights */
	size_t n = 0;

	stack[n++] = statement;
	while (n > 0) {
		const cJSON *x = stack[--n];
		for (const cJSON *child = x->child; child != NULL; child = child->next) {
			const char *name = child->string != NULL ? child->string : "";
			if (cJSON_IsObject(child) && change_tree_node(child, "relname") != NULL)
				range_var(c, statement, child);
			if (strcmp(name, "IntoClause") == 0 || strcmp(name, "intoClause") == 0)
				find(c, c->from,
				     "SELECT INTO makes a table without its rights; use CREATE "
				     "TABLE");
			if (x != statement && !function &&
			    (strcmp(name, "InsertStmt") == 0 || strcmp(name, "UpdateStmt") == 0 ||
			     strcmp(name, "DeleteStmt") == 0))
				find(c, c->from,
				     "a statement inside another one may not write rows");
			if (strcmp(name, "LockingClause") == 0 && c->part == CHANGE_VERIFY)
				find(c, c->from, "FOR UPDATE: a verification only reads");
			if (!cJSON_IsObject(child) && !cJSON_IsArray(child))
				continue;
			if (n == STACK_MAX) {
				find(c, c->from, "the statement is too large for the check");
				return;
			}
			stack[n++] = child;
		}
	}
}

/* ---- one kind of statement after the other ---- */

static void
alter_table(struct check *c, const cJSON *s)
{
	const cJSON *item = NULL;

	target(c, change_tree_node(s, "relation"), "ALTER TABLE");
	cJSON_ArrayForEach(item, change_tree_node(s, "cmds"))
	{
		const cJSON *cmd = change_tree_node(item, "AlterTableCmd");
		const char *kind = change_tree_text(cmd, "subtype");
		const struct change_rule *r = change_alter_rule(kind);
		if (r == NULL)
			find(c, c->from, "ALTER TABLE: this form (%s) is not one a change may use",
			     kind);
		else if (!r->is_allowed)
			find(c, c->from, "%s is refused: %s", r->name, r->why);
		if (strcmp(change_tree_text(cmd, "behavior"), "DROP_CASCADE") == 0)
			find(c, c->from,
			     "CASCADE is refused: on a published column it silently takes the "
			     "whole table out of the feed");
		if (strcmp(kind, "AT_ReplicaIdentity") == 0 &&
		    strcmp(change_tree_text(change_tree_node(change_tree_node(cmd, "def"),
							     "ReplicaIdentityStmt"),
					    "identity_type"),
			   "i") != 0)
			find(c, c->from,
			     "REPLICA IDENTITY must name an index: with others the feed's column "
			     "lists stop every write");
	}
}

static void
create_function(struct check *c, const cJSON *s)
{
	bool definer = false;
	bool path = false;
	const char *language = "";
	const cJSON *item = NULL;

	qualified(c, change_tree_node(s, "funcname"), "CREATE FUNCTION");
	cJSON_ArrayForEach(item, change_tree_node(s, "options"))
	{
		const cJSON *o = change_tree_node(item, "DefElem");
		const char *name = change_tree_text(o, "defname");
		if (strcmp(name, "language") == 0)
			language = change_tree_text(
				change_tree_node(change_tree_node(o, "arg"), "String"), "sval");
		if (strcmp(name, "security") == 0)
			definer = change_tree_flag(
				change_tree_node(change_tree_node(o, "arg"), "Boolean"), "boolval");
		if (strcmp(name, "set") == 0 &&
		    strcmp(change_tree_text(
				   change_tree_node(change_tree_node(o, "arg"), "VariableSetStmt"),
				   "name"),
			   "search_path") == 0)
			path = true;
	}
	if (language[0] != '\0' && strcmp(language, "sql") != 0 && strcmp(language, "plpgsql") != 0)
		find(c, c->from,
		     "CREATE FUNCTION: the language %s is not one a change may use (sql, plpgsql)",
		     language);
	if (definer && !path)
		find(c, c->from, "CREATE FUNCTION: SECURITY DEFINER needs SET search_path = ''");
}

static void
drop(struct check *c, const cJSON *s)
{
	const char *kind = change_tree_text(s, "removeType");
	const cJSON *item = NULL;

	if (strcmp(kind, "OBJECT_PUBLICATION") == 0)
		find(c, c->from, "DROP PUBLICATION is refused: " CHANGE_WHY_FEED);
	else if (!change_may_drop(kind))
		find(c, c->from, "DROP of this kind of object (%s) is not one a change may use",
		     kind);
	if (strcmp(change_tree_text(s, "behavior"), "DROP_CASCADE") == 0)
		find(c, c->from, "CASCADE is refused: name what goes, so that everybody sees it");
	cJSON_ArrayForEach(item, change_tree_node(s, "objects"))
	{
		const cJSON *names = change_tree_node(change_tree_node(item, "List"), "items");
		if (names == NULL)
			names = change_tree_node(change_tree_node(item, "ObjectWithArgs"),
						 "objname");
		if (names == NULL)
			names = change_tree_node(change_tree_node(item, "TypeName"), "names");
		if (names != NULL && change_may_drop(kind))
			qualified(c, names, "DROP");
	}
}

static void
grant(struct check *c, const cJSON *s)
{
	const cJSON *item = NULL;

	cJSON_ArrayForEach(item, change_tree_node(s, "grantees"))
	{
		const char *role = change_tree_text(change_tree_node(item, "RoleSpec"), "rolename");
		if (!change_may_grant(role))
			find(c, c->from,
			     "GRANT: rights of %s are not a change's to give; the feed's and the "
			     "features' follow the field registry",
			     role[0] != '\0' ? role : "PUBLIC");
	}
	if (change_tree_flag(s, "grant_option"))
		find(c, c->from, "WITH GRANT OPTION is refused: rights are given by changes alone");
	if (strcmp(change_tree_text(s, "targtype"), "ACL_TARGET_OBJECT") != 0)
		find(c, c->from, "GRANT: name the objects");
	cJSON_ArrayForEach(item, change_tree_node(s, "objects"))
	{
		if (change_tree_node(item, "RangeVar") != NULL)
			target(c, change_tree_node(item, "RangeVar"), "GRANT");
	}
}

static void
write_rows(struct check *c, const cJSON *s, const char *what)
{
	const cJSON *r = change_tree_node(s, "relation");
	const char *schema = change_tree_text(r, "schemaname");
	const char *name = change_tree_text(r, "relname");

	if (strcmp(schema, "change") == 0 &&
	    (strcmp(name, "field") == 0 || strcmp(name, "resource") == 0))
		return;
	if (strcmp(schema, "crm") == 0 && own_table(c, name))
		return;
	if (schema[0] != '\0')
		find(c, location_of(c, r),
		     "%s: rows of %s.%s are data; a change writes the field registry and tables it "
		     "has made",
		     what, schema, name);
}

static void
select_helper(struct check *c, const cJSON *s)
{
	const cJSON *targets = change_tree_node(s, "targetList");
	const cJSON *call = change_tree_node(
		change_tree_node(change_tree_node(cJSON_GetArrayItem(targets, 0), "ResTarget"),
				 "val"),
		"FuncCall");
	const cJSON *names = change_tree_node(call, "funcname");

	if (cJSON_GetArraySize(targets) != 1 || change_tree_node(s, "fromClause") != NULL ||
	    strcmp(change_tree_name(names, 0), "crm") != 0 ||
	    !change_may_call(change_tree_name(names, 1)))
		find(c, c->from,
		     "SELECT has no place in a change, except crm.triggers_ensure('table')");
}

static void
create_table(struct check *c, const cJSON *s)
{
	const cJSON *r = change_tree_node(s, "relation");

	target(c, r, "CREATE TABLE");
	if (change_tree_node(s, "partbound") != NULL || change_tree_node(s, "inhRelations") != NULL)
		find(c, c->from,
		     "CREATE TABLE: partitions and inheritance are kept by core itself");
	if (c->n_own < OWN_TABLES_MAX)
		(void)str_copy(c->own[c->n_own++], sizeof(c->own[0]),
			       str_of(change_tree_text(r, "relname")));
}

static void
statement(struct check *c, const char *kind, const cJSON *s)
{
	const struct change_rule *r = change_statement_rule(kind);

	if (r == NULL) {
		find(c, c->from, "this kind of statement (%s) is not one a change may use", kind);
		return;
	}
	if (!r->is_allowed) {
		find(c, c->from, "%s is refused: %s", r->name, r->why);
		return;
	}
	if (strcmp(kind, "CreateStmt") == 0) {
		create_table(c, s);
	} else if (strcmp(kind, "AlterTableStmt") == 0) {
		alter_table(c, s);
	} else if (strcmp(kind, "IndexStmt") == 0) {
		target(c, change_tree_node(s, "relation"), r->name);
		if (change_tree_flag(s, "concurrent"))
			find(c, c->from,
			     "CREATE INDEX CONCURRENTLY cannot run inside a change's transaction");
	} else if (strcmp(kind, "ViewStmt") == 0) {
		target(c, change_tree_node(s, "view"), r->name);
	} else if (strcmp(kind, "CreateTrigStmt") == 0) {
		target(c, change_tree_node(s, "relation"), r->name);
		qualified(c, change_tree_node(s, "funcname"), r->name);
	} else if (strcmp(kind, "CreateSeqStmt") == 0 || strcmp(kind, "AlterSeqStmt") == 0) {
		target(c, change_tree_node(s, "sequence"), r->name);
	} else if (strcmp(kind, "CreateFunctionStmt") == 0) {
		create_function(c, s);
	} else if (strcmp(kind, "CreateEnumStmt") == 0) {
		qualified(c, change_tree_node(s, "typeName"), r->name);
	} else if (strcmp(kind, "CreateDomainStmt") == 0) {
		qualified(c, change_tree_node(s, "domainname"), r->name);
	} else if (strcmp(kind, "DropStmt") == 0) {
		drop(c, s);
	} else if (strcmp(kind, "GrantStmt") == 0) {
		grant(c, s);
	} else if (strcmp(kind, "RenameStmt") == 0) {
		const char *what = change_tree_text(s, "renameType");
		if (strcmp(what, "OBJECT_TABCONSTRAINT") != 0 && strcmp(what, "OBJECT_INDEX") != 0)
			find(c, c->from,
			     "RENAME is refused: it breaks clients and the feed at once; add, copy "
			     "and drop instead");
	} else if (strcmp(kind, "InsertStmt") == 0 || strcmp(kind, "UpdateStmt") == 0 ||
		   strcmp(kind, "DeleteStmt") == 0) {
		write_rows(c, s, r->name);
	} else if (strcmp(kind, "SelectStmt") == 0) {
		select_helper(c, s);
	}
}

static void
verification(struct check *c, const cJSON *stmts)
{
	const cJSON *first = cJSON_GetArrayItem(stmts, 0);

	if (cJSON_GetArraySize(stmts) > 1)
		find(c, 0,
		     "a verification is one SELECT; each row it gives is an assertion that failed");
	else if (first != NULL &&
		 change_tree_node(change_tree_node(first, "stmt"), "SelectStmt") == NULL)
		find(c, 0,
		     "a verification is a SELECT; each row it gives is an assertion that failed");
}

enum err
change_check(enum change_part part, struct str text, struct change_findings *findings,
	     struct err_info *info)
{
	struct check c = { .part = part, .text = text, .findings = findings };
	cJSON *tree = NULL;
	size_t at = 0;
	const char *message = NULL;
	const size_t before = findings->total;

	const enum err err = change_tree_parse(findings->arena, text, &tree, &at, &message, info);
	if (err != ERR_OK)
		return err;
	if (tree == NULL) {
		find(&c, at, "%s", message != NULL ? message : "syntax error");
		return err_set(info, ERR_INVALID, NULL, "the SQL of the change is not allowed");
	}
	const cJSON *stmts = change_tree_node(tree, "stmts");
	if (cJSON_GetArraySize(stmts) > CHANGE_STATEMENTS_MAX)
		find(&c, 0, "more than %d statements; divide the change", CHANGE_STATEMENTS_MAX);
	if (part == CHANGE_VERIFY)
		verification(&c, stmts);
	else if (cJSON_GetArraySize(stmts) == 0)
		find(&c, 0, "there is no statement");
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, stmts)
	{
		const cJSON *from = change_tree_node(item, "stmt_location");
		const cJSON *node = change_tree_node(item, "stmt");
		c.from = change_tree_skip(text,
					  cJSON_IsNumber(from) ? (size_t)from->valuedouble : 0);
		if (part != CHANGE_VERIFY && node != NULL && node->child != NULL)
			statement(&c, node->child->string, node->child);
		if (node != NULL)
			walk(&c, node);
	}
	cJSON_Delete(tree);
	if (findings->total > before)
		return err_set(info, ERR_INVALID, NULL, "the SQL of the change is not allowed");
	return ERR_OK;
}
