/*
 * sqlstate.c — from PostgreSQL's error codes to ours, by the table sqlstate.def, and from a failed
 * result to the detail that travels with the task.
 *
 * Invariants: a message for users never holds SQL text or data of other rows; what only the
 * operator may read (an error of ours in a statement) is logged here, because nothing above can
 * know it.
 */
#include "postgres/postgres.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "postgres/internal.h"

struct sqlstate_row {
	char pattern[6];
	enum err code;
};

static const struct sqlstate_row rows[] = {
#define SQLSTATE(pattern, name) { pattern, ERR_##name },
#include "postgres/sqlstate.def"
#undef SQLSTATE
};

enum err
postgres_sqlstate_err(const char *sqlstate)
{
	enum err by_class = ERR_INTERNAL;
	if (sqlstate == NULL || strlen(sqlstate) != 5)
		return ERR_INTERNAL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (memcmp(rows[i].pattern, sqlstate, 5) == 0)
			return rows[i].code;
		if (memcmp(rows[i].pattern + 2, "***", 3) == 0 &&
		    memcmp(rows[i].pattern, sqlstate, 2) == 0)
			by_class = rows[i].code;
	}
	return by_class;
}

bool
postgres_result_is(const PGresult *r, const char *sqlstate)
{
	const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	return code != NULL && strcmp(code, sqlstate) == 0;
}

/* "cached plan must not change result type" shares 0A000 with real gaps; its source function is not
 * translated. */
bool
postgres_result_is_stale_plan(const PGresult *r)
{
	const char *function = PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION);
	return postgres_result_is(r, "0A000") && function != NULL &&
	       strcmp(function, "RevalidateCachedQuery") == 0;
}

bool
postgres_result_is_fatal(const PGresult *r)
{
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
	/* Without a severity libpq itself made the error: the connection is gone. */
	return severity == NULL || strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

/* The server's sentence is for the user only where it speaks about the request; elsewhere the title
 * of the error is. */
static bool
primary_is_for_users(enum err code)
{
	switch (code) {
	case ERR_INVALID:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_GONE:
	case ERR_STALE:
	case ERR_LOCKED:
	case ERR_PRECONDITION:
	case ERR_RATE:
	case ERR_UNAUTHORIZED:
	case ERR_TOO_LARGE:
		return true;
	default:
		return false;
	}
}

static const char *
message_of(enum err code, const char *sqlstate, const char *primary)
{
	/* The server's sentences on constraints speak of tables and relations; ours of what the request said. */
	if (strcmp(sqlstate, "23503") == 0)
		return "refers to a record that is not there, or is referred to by one that is";
	if (strcmp(sqlstate, "23505") == 0)
		return "the value is taken by another record";
	if (strcmp(sqlstate, "23514") == 0)
		return "the value is not one that is allowed";
	if (strcmp(sqlstate, "23502") == 0)
		return "a value is required";
	if (strncmp(sqlstate, "CR", 2) == 0 || primary_is_for_users(code))
		return primary;
	if (strcmp(sqlstate, "55P03") == 0)
		return "another request holds the record; try again";
	if (strcmp(sqlstate, "57014") == 0)
		return "the database did not answer in time";
	return err_row(code)->title;
}

/* The server names constraints <table>_<column>_check, _fkey, _key; the column is what the request can mend. */
static struct str
constraint_column(const char *table, const char *constraint)
{
	static const char *const ends[] = { "_check", "_fkey", "_key" };
	const size_t head = table != NULL ? strlen(table) : 0;

	if (table == NULL || constraint == NULL || strncmp(constraint, table, head) != 0 ||
	    constraint[head] != '_')
		return STR_NONE;
	const struct str rest = str_of(constraint + head + 1);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (str_ends(rest, ends[i]))
			return (struct str) { rest.p, rest.len - strlen(ends[i]) };
	return STR_NONE;
}

static void
field_of(const PGresult *r, char *out, size_t size)
{
	const char *column = PQresultErrorField(r, PG_DIAG_COLUMN_NAME);
	const char *constraint = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);
	const struct str of_constraint =
		constraint_column(PQresultErrorField(r, PG_DIAG_TABLE_NAME), constraint);
	if (column != NULL && column[0] == '/')
		(void)snprintf(out, size, "%s", column);
	else if (column != NULL)
		(void)snprintf(out, size, "/%s", column);
	else if (of_constraint.len > 0)
		(void)snprintf(out, size, "/%.*s", STR_FMT(of_constraint));
	else if (constraint != NULL)
		(void)snprintf(out, size, "%s", constraint);
}

enum err
postgres_result_err(const PGresult *r, struct err_info *info)
{
	const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	enum err code = sqlstate == NULL ? ERR_DOWN : postgres_sqlstate_err(sqlstate);
	char field[sizeof(info->field)] = "";
	if (sqlstate == NULL)
		sqlstate = "";
	if (primary == NULL)
		primary = "the database gave no reason";
	if (postgres_result_is_stale_plan(r))
		code = ERR_REPREPARE;
	if (info == NULL || info->code != ERR_OK)
		return code;
	field_of(r, field, sizeof(field));
	(void)err_set(info, code, field[0] == '\0' ? NULL : field, "%s",
		      message_of(code, sqlstate, primary));
	(void)str_copy(info->sqlstate, sizeof(info->sqlstate), str_of(sqlstate));
	return code;
}
