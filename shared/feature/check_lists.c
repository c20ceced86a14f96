/*
 * check_lists.c — the allow-lists of the check. What is not here is refused.
 *
 * Functions: nothing that reads or writes outside its arguments (settings, files, large objects,
 * catalogs, sequences, other connections, strings run as SQL), nothing that waits, and nothing
 * that makes a large value from a small call (repeat, lpad).
 */
#include <string.h>

#include "feature/check_tree.h"

static const char *const pure_functions[] = {
	/* aggregates and windows */
	"count",
	"sum",
	"avg",
	"min",
	"max",
	"bool_and",
	"bool_or",
	"every",
	"array_agg",
	"string_agg",
	"json_agg",
	"jsonb_agg",
	"json_object_agg",
	"jsonb_object_agg",
	"stddev",
	"stddev_pop",
	"stddev_samp",
	"variance",
	"var_pop",
	"var_samp",
	"corr",
	"covar_pop",
	"covar_samp",
	"regr_slope",
	"regr_intercept",
	"regr_r2",
	"regr_count",
	"percentile_cont",
	"percentile_disc",
	"mode",
	"row_number",
	"rank",
	"dense_rank",
	"percent_rank",
	"cume_dist",
	"ntile",
	"lag",
	"lead",
	"first_value",
	"last_value",
	"nth_value",
	/* numbers */
	"abs",
	"ceil",
	"ceiling",
	"floor",
	"round",
	"trunc",
	"sign",
	"sqrt",
	"cbrt",
	"exp",
	"ln",
	"log",
	"log10",
	"power",
	"pow",
	"mod",
	"div",
	"gcd",
	"lcm",
	"width_bucket",
	"degrees",
	"radians",
	"pi",
	"sin",
	"cos",
	"tan",
	"asin",
	"acos",
	"atan",
	"atan2",
	/* text */
	"lower",
	"upper",
	"initcap",
	"length",
	"char_length",
	"character_length",
	"octet_length",
	"btrim",
	"ltrim",
	"rtrim",
	"substring",
	"substr",
	"left",
	"right",
	"position",
	"strpos",
	"replace",
	"translate",
	"reverse",
	"split_part",
	"concat",
	"concat_ws",
	"starts_with",
	"ascii",
	"chr",
	"md5",
	"like_escape",
	"similar_to_escape",
	"overlay",
	"to_char",
	"to_number",
	"to_date",
	"to_timestamp",
	"encode",
	"regexp_like",
	"regexp_count",
	"regexp_replace",
	"regexp_match",
	"regexp_substr",
	"string_to_array",
	"text",
	/* time, from arguments only */
	"extract",
	"date_part",
	"date_trunc",
	"date_bin",
	"age",
	"timezone",
	"make_date",
	"make_time",
	"make_timestamp",
	"make_timestamptz",
	"make_interval",
	"justify_days",
	"justify_hours",
	"justify_interval",
	"isfinite",
	"date",
	"overlaps",
	/* arrays, sets, JSON, the rest */
	"generate_series",
	"unnest",
	"array_length",
	"array_upper",
	"array_lower",
	"array_position",
	"array_remove",
	"array_append",
	"array_prepend",
	"array_cat",
	"array_to_string",
	"cardinality",
	"to_json",
	"to_jsonb",
	"row_to_json",
	"array_to_json",
	"json_build_object",
	"jsonb_build_object",
	"json_build_array",
	"jsonb_build_array",
	"json_array_length",
	"jsonb_array_length",
	"json_array_elements",
	"jsonb_array_elements",
	"json_array_elements_text",
	"jsonb_array_elements_text",
	"json_extract_path_text",
	"jsonb_extract_path_text",
	"json_strip_nulls",
	"jsonb_strip_nulls",
	"num_nulls",
	"num_nonnulls",
	"hashtext",
	"hashtextextended",
	"float8",
	"int4",
	"int8",
	"numeric",
};

static const char *const clock_functions[] = { "now", "transaction_timestamp",
					       "statement_timestamp" };
static const char *const random_functions[] = { "gen_random_uuid", "clock_timestamp" };
static const char *const verify_functions[] = { "to_regclass", "to_regprocedure" };

static const char *const types[] = {
	"bool",   "boolean", "int2",    "int4",      "int8",        "smallint", "integer",
	"bigint", "numeric", "decimal", "float4",    "float8",      "text",     "varchar",
	"bpchar", "char",    "date",    "timestamp", "timestamptz", "time",     "interval",
	"uuid",   "json",    "jsonb",   "void",      "bit",         "varbit",
};

static const char *const expression_nodes[] = {
	"SelectStmt",     "ResTarget",     "ColumnRef",
	"ParamRef",       "A_Const",       "A_Expr",
	"BoolExpr",       "NullTest",      "BooleanTest",
	"CaseExpr",       "CaseWhen",      "CoalesceExpr",
	"MinMaxExpr",     "FuncCall",      "TypeCast",
	"TypeName",       "SubLink",       "A_ArrayExpr",
	"A_Indirection",  "A_Indices",     "A_Star",
	"RangeVar",       "Alias",         "JoinExpr",
	"RangeSubselect", "RangeFunction", "CommonTableExpr",
	"SortBy",         "WindowDef",     "GroupingSet",
	"GroupingFunc",   "CollateClause", "SQLValueFunction",
	"RowExpr",        "List",          "String",
	"Integer",        "Float",         "Boolean",
	"BitString",      "NamedArgExpr",
};

static const char *const ddl_nodes[] = { "ColumnDef",         "Constraint",     "IndexElem",
					 "FunctionParameter", "ObjectWithArgs", "SetToDefault" };

/* Fields that hold a node of a fixed type. */
static const char *const fields[] = {
	"relation", "alias",   "typeName",   "withClause",
	"larg",     "rarg",    "over",       "sval",
	"ival",     "fval",    "boolval",    "bsval",
	"view",     "argType", "returnType", "onConflictClause",
	"infer",    "pktable", "collClause",
};

static const char *const friendly[][2] = {
	{ "LockingClause", "FOR UPDATE or FOR SHARE" },
	{ "intoClause", "SELECT INTO" },
	{ "InsertStmt", "INSERT" },
	{ "UpdateStmt", "UPDATE" },
	{ "DeleteStmt", "DELETE" },
	{ "MergeStmt", "MERGE" },
	{ "DoStmt", "DO" },
	{ "CopyStmt", "COPY" },
	{ "CallStmt", "CALL" },
	{ "VariableSetStmt", "SET" },
	{ "VariableShowStmt", "SHOW" },
	{ "TransactionStmt", "BEGIN, COMMIT and the like" },
	{ "ExplainStmt", "EXPLAIN" },
	{ "CreateTableAsStmt", "CREATE TABLE AS" },
	{ "GrantStmt", "GRANT and REVOKE" },
	{ "GrantRoleStmt", "GRANT and REVOKE" },
	{ "CreateRoleStmt", "CREATE ROLE" },
	{ "AlterRoleStmt", "ALTER ROLE" },
	{ "CreateSchemaStmt", "CREATE SCHEMA" },
	{ "CreateTrigStmt", "CREATE TRIGGER" },
	{ "CreateExtensionStmt", "CREATE EXTENSION" },
	{ "AlterTableStmt", "ALTER TABLE" },
	{ "AlterSystemStmt", "ALTER SYSTEM" },
	{ "TruncateStmt", "TRUNCATE" },
	{ "LockStmt", "LOCK TABLE" },
	{ "NotifyStmt", "NOTIFY" },
	{ "PrepareStmt", "PREPARE" },
	{ "ExecuteStmt", "EXECUTE" },
	{ "RuleStmt", "CREATE RULE" },
	{ "CreateForeignTableStmt", "CREATE FOREIGN TABLE" },
	{ "SelectStmt", "SELECT" },
	{ "DropStmt", "DROP" },
	{ "CreateStmt", "CREATE TABLE" },
	{ "IndexStmt", "CREATE INDEX" },
	{ "ViewStmt", "CREATE VIEW" },
	{ "CreateFunctionStmt", "CREATE FUNCTION" },
	{ "CommentStmt", "COMMENT" },
	{ "RangeTableSample", "TABLESAMPLE" },
	{ "CurrentOfExpr", "CURRENT OF" },
	{ "TableLikeClause", "LIKE in a table" },
	{ "XmlExpr", "XML" },
	{ "DefElem", "a storage option" },
	{ "RangeTableFunc", "XMLTABLE" },
	{ "partspec", "PARTITION BY" },
	{ "partbound", "PARTITION OF" },
	{ "ofTypename", "OF a type" },
	{ "search_clause", "SEARCH" },
	{ "cycle_clause", "CYCLE" },
};

static bool
listed(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, list[i]) == 0)
			return true;
	}
	return false;
}

enum check_function
feature_check_function_class(const char *name)
{
	if (listed(name, pure_functions, ARRAY_LEN(pure_functions)))
		return CHECK_FUNCTION_PURE;
	if (listed(name, clock_functions, ARRAY_LEN(clock_functions)))
		return CHECK_FUNCTION_CLOCK;
	if (listed(name, random_functions, ARRAY_LEN(random_functions)))
		return CHECK_FUNCTION_RANDOM;
	return listed(name, verify_functions, ARRAY_LEN(verify_functions)) ? CHECK_FUNCTION_VERIFY
									   : CHECK_FUNCTION_NONE;
}

bool
feature_check_type_allowed(const char *name)
{
	return listed(name, types, ARRAY_LEN(types));
}

enum check_node
feature_check_node_class(const char *name)
{
	if (listed(name, expression_nodes, ARRAY_LEN(expression_nodes)))
		return CHECK_NODE_EXPRESSION;
	return listed(name, ddl_nodes, ARRAY_LEN(ddl_nodes)) ? CHECK_NODE_DDL : CHECK_NODE_NONE;
}

bool
feature_check_field_allowed(const char *name)
{
	return listed(name, fields, ARRAY_LEN(fields));
}

const char *
feature_check_friendly(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(friendly); i++) {
		if (strcmp(name, friendly[i][0]) == 0)
			return friendly[i][1];
	}
	return name;
}
