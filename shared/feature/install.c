/*
 * install.c — SQL texts that bring a feature in and take it out.
 *
 * Invariants: nothing goes into a text but a valid slug, a password of base64url letters, numbers,
 * and SQL that the check has passed; a removal drops what the roles own before it drops the roles,
 * and PostgreSQL refuses to drop a role that something still names.
 */
#include "feature/install.h"

#include <string.h>

#include "base/id.h"
#include "feature/manifest.h"

#define PASSWORD_BYTES 32
#define CONNECTIONS_MAX 1000

/* What a session of the login is like, whichever cluster it is on: answers must not depend on
 * the cluster's settings. */
static const char *const session_settings[][2] = {
	{ "search_path", "''" },
	{ "timezone", "'UTC'" },
	{ "datestyle", "'ISO, YMD'" },
	{ "intervalstyle", "'postgres'" },
	{ "extra_float_digits", "1" },
	{ "bytea_output", "'hex'" },
	{ "standard_conforming_strings", "on" },
	{ "default_transaction_read_only", "on" },
	{ "jit", "off" },
	{ "lock_timeout", "'200ms'" },
	{ "idle_in_transaction_session_timeout", "'10s'" },
};

static enum err
slug_check(const char *slug, struct err_info *info)
{
	if (feature_slug_valid(str_of(slug)))
		return ERR_OK;
	return err_set(info, ERR_INVALID, NULL, "this is not the slug of a feature");
}

static enum err
text_end(const struct buf *out, struct err_info *info)
{
	if (out->failed)
		return err_set(info, ERR_TOO_LARGE, NULL, "the SQL of the feature is too long");
	return ERR_OK;
}

static bool
password_valid(const char *p)
{
	const size_t n = strlen(p);
	for (size_t i = 0; i < n; i++) {
		const char c = p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '-')
			return false;
	}
	return n >= 16 && n < 128;
}

void
feature_password_make(char out[FEATURE_PASSWORD_SIZE])
{
	uint8_t bytes[PASSWORD_BYTES];
	random_bytes(bytes, sizeof(bytes));
	(void)base64url_encode(bytes, sizeof(bytes), out, FEATURE_PASSWORD_SIZE);
	explicit_bzero(bytes, sizeof(bytes));
}

unsigned
feature_connections_max(unsigned workers)
{
	return MIN(2 * (2 * workers + 2), CONNECTIONS_MAX);
}

/* A text of its own lines: it may end in a comment or without a semicolon. */
static void
statements_add(struct buf *out, struct str text)
{
	if (text.len == 0)
		return;
	buf_add_str(out, text);
	buf_add_cstr(out, "\n;\n");
}

enum err
feature_install_up(struct buf *out, const struct feature_install *in, struct err_info *info)
{
	char login[FEATURE_ROLE_SIZE];
	char owner[FEATURE_ROLE_SIZE];
	const enum err err = slug_check(in->slug, info);
	if (err != ERR_OK)
		return err;
	if (!password_valid(in->password) || in->connections == 0 ||
	    in->connections > CONNECTIONS_MAX || in->statement_timeout <= 0)
		return err_set(info, ERR_INVALID, NULL,
			       "the password, connections or timeout of feature %s are not valid",
			       in->slug);
	feature_role_login(in->slug, login);
	feature_role_owner(in->slug, owner);
	buf_printf(out, "CREATE ROLE %s NOLOGIN INHERIT IN ROLE " FEATURE_GROUP_ROLE ";\n", owner);
	buf_printf(out,
		   "CREATE ROLE %s LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION "
		   "NOBYPASSRLS CONNECTION LIMIT %u"
		   " IN ROLE " FEATURE_GROUP_ROLE " PASSWORD '%s';\n",
		   login, in->connections, in->password);
	for (size_t i = 0; i < ARRAY_LEN(session_settings); i++)
		buf_printf(out, "ALTER ROLE %s SET %s = %s;\n", login, session_settings[i][0],
			   session_settings[i][1]);
	buf_printf(out, "ALTER ROLE %s SET statement_timeout = %lld;\n", login,
		   (long long)MAX(in->statement_timeout / USEC_PER_MS, 1));
	buf_printf(out, "GRANT %s TO CURRENT_USER;\n", owner);
	buf_printf(out, "CREATE SCHEMA %s AUTHORIZATION %s;\nSET LOCAL ROLE %s;\n", login, owner,
		   owner);
	statements_add(out, in->up);
	return text_end(out, info);
}

enum err
feature_install_after(struct buf *out, const char *slug, struct err_info *info)
{
	char login[FEATURE_ROLE_SIZE];
	char owner[FEATURE_ROLE_SIZE];
	const enum err err = slug_check(slug, info);
	if (err != ERR_OK)
		return err;
	feature_role_login(slug, login);
	feature_role_owner(slug, owner);
	buf_printf(out, "SET LOCAL ROLE %s;\n", owner);
	buf_printf(out, "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %s FROM PUBLIC;\n", login);
	buf_printf(out, "GRANT USAGE ON SCHEMA %s TO %s;\n", login, login);
	buf_printf(out, "GRANT SELECT ON ALL TABLES IN SCHEMA %s TO %s;\n", login, login);
	buf_printf(out, "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %s TO %s;\nRESET ROLE;\n", login,
		   login);
	return text_end(out, info);
}

/* Both as the role itself: only a role may end its own sessions and drop what it owns, unless
 * one inherits its rights. */
static void
role_close(struct buf *out, const char *role)
{
	buf_printf(
		out,
		"DO $close$ BEGIN\n"
		"IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '%s') THEN\n"
		"\tALTER ROLE %s NOLOGIN;\n"
		"\tEXECUTE pg_catalog.format('GRANT %s TO %%I', current_user);\n"
		"\tSET LOCAL ROLE %s;\n"
		"\tPERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity\n"
		"\t\tWHERE usename = '%s' AND pid <> pg_catalog.pg_backend_pid();\n"
		"\tRESET ROLE;\n"
		"END IF;\nEND $close$;\n",
		role, role, role, role, role);
}

static void
role_remove(struct buf *out, const char *role)
{
	buf_printf(out,
		   "DO $remove$ BEGIN\n"
		   "IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '%s') THEN\n"
		   "\tEXECUTE pg_catalog.format('GRANT %s TO %%I', current_user);\n"
		   "\tSET LOCAL ROLE %s;\n"
		   "\tDROP OWNED BY %s CASCADE;\n"
		   "\tRESET ROLE;\n"
		   "\tDROP ROLE %s;\n"
		   "END IF;\nEND $remove$;\n",
		   role, role, role, role, role);
}

enum err
feature_install_remove(struct buf *out, const char *slug, struct str down, struct err_info *info)
{
	char login[FEATURE_ROLE_SIZE];
	char owner[FEATURE_ROLE_SIZE];
	const enum err err = slug_check(slug, info);
	if (err != ERR_OK)
		return err;
	feature_role_login(slug, login);
	feature_role_owner(slug, owner);
	role_close(out, login);
	if (down.len > 0) {
		buf_printf(out, "SET LOCAL ROLE %s;\n", owner);
		statements_add(out, down);
		buf_add_cstr(out, "RESET ROLE;\n");
	}
	/* The owner first: what it granted to the login goes with its objects. */
	role_remove(out, owner);
	role_remove(out, login);
	return text_end(out, info);
}

enum err
feature_install_leftovers(struct buf *out, const char *slug, struct err_info *info)
{
	/* Whole words: feature_<slug>_two is another feature's. ACLs name roles; bodies of functions name schemas. */
	static const char *const parts[] = {
		"SELECT 'role' AS kind, rolname::text AS name FROM pg_catalog.pg_roles WHERE "
		"rolname ~ ",
		"SELECT 'setting', setrole::pg_catalog.regrole::text FROM "
		"pg_catalog.pg_db_role_setting WHERE setrole::pg_catalog.regrole::text ~ ",
		"SELECT 'member', roleid::pg_catalog.regrole::text || ' of ' || "
		"member::pg_catalog.regrole::text FROM pg_catalog.pg_auth_members"
		" WHERE roleid::pg_catalog.regrole::text || ' ' || "
		"member::pg_catalog.regrole::text ~ ",
		"SELECT 'session', usename::text FROM pg_catalog.pg_stat_activity WHERE usename ~ ",
		"SELECT 'schema', nspname::text FROM pg_catalog.pg_namespace WHERE nspname || ' ' "
		"|| coalesce(nspacl::text, '') ~ ",
		"SELECT 'relation', oid::pg_catalog.regclass::text FROM pg_catalog.pg_class"
		" WHERE oid::pg_catalog.regclass::text || ' ' || coalesce(relacl::text, '') ~ ",
		"SELECT 'column', attrelid::pg_catalog.regclass::text || '.' || attname FROM "
		"pg_catalog.pg_attribute WHERE attacl::text ~ ",
		"SELECT 'function', oid::pg_catalog.regprocedure::text FROM pg_catalog.pg_proc"
		" WHERE oid::pg_catalog.regprocedure::text || ' ' || prosrc || ' ' || "
		"coalesce(proacl::text, '') ~ ",
		"SELECT 'type', oid::pg_catalog.regtype::text FROM pg_catalog.pg_type"
		" WHERE oid::pg_catalog.regtype::text || ' ' || coalesce(typacl::text, '') ~ ",
		"SELECT 'view', c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class c"
		" WHERE c.relkind IN ('v', 'm') AND c.relnamespace <> "
		"'pg_catalog'::pg_catalog.regnamespace"
		" AND pg_catalog.pg_get_viewdef(c.oid) ~ ",
		"SELECT 'default privileges', defaclrole::pg_catalog.regrole::text FROM "
		"pg_catalog.pg_default_acl"
		" WHERE defaclrole::pg_catalog.regrole::text || ' ' || defaclacl::text ~ ",
		"SELECT 'database', datname::text FROM pg_catalog.pg_database WHERE datacl::text "
		"~ ",
		"SELECT 'publication', pubname::text FROM pg_catalog.pg_publication WHERE pubname "
		"~ ",
		"SELECT 'subscription', subname::text FROM pg_catalog.pg_stat_subscription WHERE "
		"subname ~ ",
	};
	const enum err err = slug_check(slug, info);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_printf(out, "%s%s'\\mfeature_%s(_owner)?\\M'\n", i > 0 ? "UNION ALL " : "",
			   parts[i], slug);
	return text_end(out, info);
}
