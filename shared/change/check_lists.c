/*
 * check_lists.c — see check_lists.h. A statement that is not here is refused; one that is refused by name says why.
 */
#include "change/check_lists.h"

#include <stddef.h>
#include <string.h>

#include "base/compiler.h"

#define ROLES "roles and their rights belong to the installation, not to a change"

static const struct change_rule statement_rules[] = {
	{ "CreateStmt", true, "CREATE TABLE", NULL },
	{ "AlterTableStmt", true, "ALTER TABLE", NULL },
	{ "IndexStmt", true, "CREATE INDEX", NULL },
	{ "ViewStmt", true, "CREATE VIEW", NULL },
	{ "CreateFunctionStmt", true, "CREATE FUNCTION", NULL },
	{ "CreateTrigStmt", true, "CREATE TRIGGER", NULL },
	{ "CreateSeqStmt", true, "CREATE SEQUENCE", NULL },
	{ "AlterSeqStmt", true, "ALTER SEQUENCE", NULL },
	{ "CreateEnumStmt", true, "CREATE TYPE", NULL },
	{ "CreateDomainStmt", true, "CREATE DOMAIN", NULL },
	{ "CreateStatsStmt", true, "CREATE STATISTICS", NULL },
	{ "DropStmt", true, "DROP", NULL },
	{ "CommentStmt", true, "COMMENT", NULL },
	{ "GrantStmt", true, "GRANT", NULL },
	{ "RenameStmt", true, "RENAME", NULL },
	{ "InsertStmt", true, "INSERT", NULL },
	{ "UpdateStmt", true, "UPDATE", NULL },
	{ "DeleteStmt", true, "DELETE", NULL },
	{ "SelectStmt", true, "SELECT", NULL },
	{ "LockStmt", false, "LOCK TABLE",
	  "the executor takes the locks a statement needs, within its budget" },
	{ "AlterSystemStmt", false, "ALTER SYSTEM",
	  "settings of the server belong to the installation" },
	{ "AlterDatabaseSetStmt", false, "ALTER DATABASE",
	  "settings of the database belong to the installation" },
	{ "AlterRoleStmt", false, "ALTER ROLE", ROLES },
	{ "AlterRoleSetStmt", false, "ALTER ROLE", ROLES },
	{ "CreateRoleStmt", false, "CREATE ROLE", ROLES },
	{ "DropRoleStmt", false, "DROP ROLE", ROLES },
	{ "GrantRoleStmt", false, "GRANT of a role", ROLES },
	{ "AlterDefaultPrivilegesStmt", false, "ALTER DEFAULT PRIVILEGES", ROLES },
	{ "AlterOwnerStmt", false, "OWNER TO", "every object of core belongs to its owner role" },
	{ "DropOwnedStmt", false, "DROP OWNED", ROLES },
	{ "ReassignOwnedStmt", false, "REASSIGN OWNED", ROLES },
	{ "CopyStmt", false, "COPY", "a change moves no data in or out of files or programs" },
	{ "CreateExtensionStmt", false, "CREATE EXTENSION",
	  "extensions need a superuser: they belong to the installation" },
	{ "AlterExtensionStmt", false, "ALTER EXTENSION",
	  "extensions need a superuser: they belong to the installation" },
	{ "CreatePLangStmt", false, "CREATE LANGUAGE", "languages belong to the installation" },
	{ "VariableSetStmt", false, "SET",
	  "the executor sets what a session needs; a change sets nothing" },
	{ "CreatePublicationStmt", false, "CREATE PUBLICATION", CHANGE_WHY_FEED },
	{ "AlterPublicationStmt", false, "ALTER PUBLICATION", CHANGE_WHY_FEED },
	{ "CreateSubscriptionStmt", false, "CREATE SUBSCRIPTION", CHANGE_WHY_FEED },
	{ "AlterSubscriptionStmt", false, "ALTER SUBSCRIPTION", CHANGE_WHY_FEED },
	{ "DropSubscriptionStmt", false, "DROP SUBSCRIPTION", CHANGE_WHY_FEED },
	{ "CreateEventTrigStmt", false, "CREATE EVENT TRIGGER",
	  "event triggers guard the schema itself: they belong to the installation" },
	{ "AlterEventTrigStmt", false, "ALTER EVENT TRIGGER",
	  "event triggers guard the schema itself: they belong to the installation" },
	{ "TransactionStmt", false, "BEGIN, COMMIT or SAVEPOINT",
	  "a change is one transaction, which the executor opens and ends" },
	{ "TruncateStmt", false, "TRUNCATE", "it locks out readers and empties the feed's copies" },
	{ "VacuumStmt", false, "VACUUM or ANALYZE", "it cannot run inside a change's transaction" },
	{ "ClusterStmt", false, "CLUSTER", "it rewrites the table while everybody waits" },
	{ "ReindexStmt", false, "REINDEX", "it belongs to maintenance, not to a change" },
	{ "RefreshMatViewStmt", false, "REFRESH MATERIALIZED VIEW", "it is data, not schema" },
	{ "DoStmt", false, "DO", "a block hides its statements from the check; write them out" },
	{ "CallStmt", false, "CALL",
	  "a procedure hides its statements from the check; write them out" },
	{ "CreateSchemaStmt", false, "CREATE SCHEMA", "core's records live in schema crm" },
	{ "CreateTableAsStmt", false, "CREATE TABLE AS",
	  "create the table first; data comes in batches" },
	{ "RuleStmt", false, "CREATE RULE",
	  "rules rewrite other people's statements; use a view or a trigger" },
	{ "CreatePolicyStmt", false, "CREATE POLICY", "row security would blind the feed" },
	{ "AlterObjectSchemaStmt", false, "SET SCHEMA",
	  "it breaks every client at once; add, copy, drop instead" },
	{ "AlterEnumStmt", false, "ALTER TYPE … VALUE",
	  "a new value cannot be used in the same transaction nor taken back; use choices in "
	  "change.field" },
	{ "MergeStmt", false, "MERGE", "write it as INSERT, UPDATE and DELETE" },
	{ "NotifyStmt", false, "NOTIFY", "the executor tells the workers" },
	{ "PrepareStmt", false, "PREPARE", "it has no place in a change" },
	{ "ExecuteStmt", false, "EXECUTE", "it has no place in a change" },
	{ "ExplainStmt", false, "EXPLAIN", "it has no place in a change" },
	{ "LoadStmt", false, "LOAD", "libraries belong to the installation" },
	{ "SecLabelStmt", false, "SECURITY LABEL", ROLES },
};

static const struct change_rule alter_rules[] = {
	{ "AT_AddColumn", true, NULL, NULL },
	{ "AT_ColumnDefault", true, NULL, NULL },
	{ "AT_DropNotNull", true, NULL, NULL },
	{ "AT_SetNotNull", true, NULL, NULL },
	{ "AT_SetStatistics", true, NULL, NULL },
	{ "AT_DropColumn", true, NULL, NULL },
	{ "AT_AddIndex", true, NULL, NULL },
	{ "AT_AddConstraint", true, NULL, NULL },
	{ "AT_ValidateConstraint", true, NULL, NULL },
	{ "AT_DropConstraint", true, NULL, NULL },
	{ "AT_AlterColumnType", true, NULL, NULL },
	{ "AT_SetRelOptions", true, NULL, NULL },
	{ "AT_ReplicaIdentity", true, NULL, NULL },
	{ "AT_DisableTrig", false, "DISABLE TRIGGER",
	  "triggers write the event log and follow consent: they stay on" },
	{ "AT_DisableTrigAll", false, "DISABLE TRIGGER ALL",
	  "triggers write the event log and follow consent: they stay on" },
	{ "AT_DisableTrigUser", false, "DISABLE TRIGGER USER",
	  "triggers write the event log and follow consent: they stay on" },
	{ "AT_ChangeOwner", false, "OWNER TO", "every object of core belongs to its owner role" },
	{ "AT_EnableRowSecurity", false, "ENABLE ROW LEVEL SECURITY",
	  "row security would blind the feed" },
	{ "AT_ForceRowSecurity", false, "FORCE ROW LEVEL SECURITY",
	  "row security would blind the feed" },
	{ "AT_SetUnLogged", false, "SET UNLOGGED",
	  "what is not logged is neither replicated nor safe" },
	{ "AT_SetLogged", false, "SET LOGGED", "it rewrites the table while everybody waits" },
	{ "AT_AttachPartition", false, "ATTACH PARTITION",
	  "partitions are made ahead by core itself" },
	{ "AT_DetachPartition", false, "DETACH PARTITION", "partitions are kept by core itself" },
	{ "AT_SetTableSpace", false, "SET TABLESPACE", "it moves the table while everybody waits" },
	{ "AT_ClusterOn", false, "CLUSTER ON", "tables of core are not clustered" },
	{ "AT_AddInherit", false, "INHERIT", "tables of core do not inherit" },
};

static const char *const drop_kinds[] = { "OBJECT_TABLE",         "OBJECT_INDEX",
					  "OBJECT_VIEW",          "OBJECT_FUNCTION",
					  "OBJECT_SEQUENCE",      "OBJECT_TRIGGER",
					  "OBJECT_TYPE",          "OBJECT_DOMAIN",
					  "OBJECT_STATISTIC_EXT", NULL };
static const char *const helper_functions[] = { "triggers_ensure", NULL };
static const char *const grantees[] = { "bimodal_app", "bimodal_executor", NULL };

static bool
listed(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static const struct change_rule *
rule_of(const struct change_rule *rules, size_t n, const char *node)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rules[i].node, node) == 0)
			return &rules[i];
	return NULL;
}

const struct change_rule *
change_statement_rule(const char *node)
{
	return rule_of(statement_rules, ARRAY_LEN(statement_rules), node);
}

const struct change_rule *
change_alter_rule(const char *node)
{
	return rule_of(alter_rules, ARRAY_LEN(alter_rules), node);
}

bool
change_may_drop(const char *kind)
{
	return listed(drop_kinds, kind);
}

bool
change_may_call(const char *function)
{
	return listed(helper_functions, function);
}

bool
change_may_grant(const char *role)
{
	return listed(grantees, role);
}
