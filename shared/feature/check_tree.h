/*
 * check_tree.h — what the files of the check share: the parse tree, names in scope, places and
 * allow-lists. Only for this folder.
 *
 * The tree is the JSON form of PostgreSQL's raw parse tree: a member whose name begins with a
 * capital is a node of that type, the others are fields.
 */
#ifndef BIMODAL_FEATURE_CHECK_TREE_H
#define BIMODAL_FEATURE_CHECK_TREE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "feature/check.h"

#define CHECK_NAMES_MAX 512    /* in one statement */
#define CHECK_BINDINGS_MAX 128 /* in one statement */
#define CHECK_STATEMENTS_MAX 200

/* A name of the FROM clause. */
struct check_binding {
	const char *name;
	const char
		*table; /* of schema crm; NULL: one's own table, a CTE, a subquery or a function */
};

struct check {
	enum feature_check_kind kind;
	const char *schema; /* feature_<slug> */
	const char *file;
	const char *text;
	const struct feature_columns *columns;
	struct feature_findings *findings;
	unsigned line;   /* all findings go here (bodies of functions); 0 = by their own place */
	size_t n_params; /* $n that may be used */
	/* of the statement */
	size_t from;         /* its place in the text */
	bool ddl;            /* nodes of definitions are allowed                            */
	bool columns_free;   /* names are those of the own table that is being defined      */
	bool clock;          /* now() may be used                                           */
	bool random;         /* gen_random_uuid() may be used                               */
	bool options_judged; /* the definition's options were judged before the walk        */
	const char *ctes[CHECK_NAMES_MAX];
	size_t n_ctes;
	const char *names[CHECK_NAMES_MAX]; /* that the statement itself gives to values */
	size_t n_names;
	size_t n_arguments; /* names in front that are a function's arguments: kept over statements */
	struct check_binding bindings[CHECK_BINDINGS_MAX];
	size_t n_bindings;
};

/* Parse; NULL with findings (or without memory: *no_memory). Free with cJSON_Delete. */
cJSON *feature_check_parse(struct check *c, bool *no_memory);

/* Depth first without recursion. False from visit: not below this one. */
typedef bool feature_check_visit_fn(struct check *c, const cJSON *node);
void feature_check_walk(struct check *c, const cJSON *root, feature_check_visit_fn *visit);

const cJSON *feature_check_get(const cJSON *object, const char *key);
/* A text field, "" if it is absent. */
const char *feature_check_text(const cJSON *object, const char *key);
/* The i-th String of a list of names; NULL behind the last or if it is no String. */
const char *feature_check_name(const cJSON *list, int i);
bool feature_check_is_node(const cJSON *n); /* its key is the name of a node type */

/* At the node's "location" (or the statement's begin). */
void feature_check_find(struct check *c, const cJSON *node, const char *fmt, ...) PRINTF(3, 4);

/* check_select.c */
void feature_check_collect(struct check *c, const cJSON *statement);
void feature_check_judge(struct check *c, const cJSON *statement);
/* A relation of the own schema, whatever the kind of text. */
void feature_check_own_relation(struct check *c, const cJSON *range_var, const char *what);
void feature_check_type(struct check *c, const cJSON *type);

/* check_lists.c */
enum check_function {
	CHECK_FUNCTION_NONE,
	CHECK_FUNCTION_PURE,
	CHECK_FUNCTION_CLOCK,
	CHECK_FUNCTION_RANDOM,
	CHECK_FUNCTION_VERIFY
};
enum check_function feature_check_function_class(const char *name);
bool feature_check_type_allowed(const char *name);
enum check_node { CHECK_NODE_NONE, CHECK_NODE_EXPRESSION, CHECK_NODE_DDL };
enum check_node feature_check_node_class(const char *name);
bool feature_check_field_allowed(const char *name);
/* What people call a node or a field: "FOR UPDATE" for LockingClause; the name itself if it has
 * no better one. */
const char *feature_check_friendly(const char *name);

#endif
