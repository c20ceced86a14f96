/*
 * result.c — reading the answers of the previous step's waits, and building connection strings.
 *
 * Invariants: nothing here owns memory; a row or column that is not there reads as NULL, so a step
 * that trusts the shape of its own statement cannot walk out of a result.
 */
#include "postgres/postgres.h"

#include "base/buf.h"

const PGresult *
postgres_result(struct task *t, unsigned i)
{
	return task_result(t, i);
}

int
postgres_rows(struct task *t, unsigned i)
{
	const PGresult *r = postgres_result(t, i);
	return r == NULL ? 0 : PQntuples(r);
}

bool
postgres_is_null(struct task *t, unsigned i, int row, int col)
{
	const PGresult *r = postgres_result(t, i);
	return r == NULL || row < 0 || col < 0 || row >= PQntuples(r) || col >= PQnfields(r) ||
	       PQgetisnull(r, row, col) != 0;
}

struct str
postgres_value(struct task *t, unsigned i, int row, int col)
{
	if (postgres_is_null(t, i, row, col))
		return STR_NONE;
	const PGresult *r = postgres_result(t, i);
	return (struct str) { PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col) };
}

int64_t
postgres_int(struct task *t, unsigned i, int row, int col, int64_t if_null)
{
	int64_t v = 0;
	const struct str text = postgres_value(t, i, row, col);
	if (text.p == NULL || str_int(text, INT64_MIN, INT64_MAX, &v) != ERR_OK)
		return if_null;
	return v;
}

bool
postgres_bool(struct task *t, unsigned i, int row, int col)
{
	return str_is(postgres_value(t, i, row, col), "t");
}

static void
conninfo_part(struct buf *b, const char *key, const char *value)
{
	if (value == NULL)
		return;
	if (b->len > 0)
		buf_add_char(b, ' ');
	buf_add_cstr(b, key);
	buf_add_cstr(b, "='");
	for (const char *c = value; *c != '\0'; c++) {
		if (*c == '\'' || *c == '\\')
			buf_add_char(b, '\\');
		buf_add_char(b, *c);
	}
	buf_add_char(b, '\'');
}

const char *
postgres_conninfo(struct arena *a, const char *host, const char *port, const char *dbname,
		  const char *user, const char *password, const char *extra)
{
	struct buf b;
	buf_init(&b, 8192);
	conninfo_part(&b, "host", host);
	conninfo_part(&b, "port", port);
	conninfo_part(&b, "dbname", dbname);
	conninfo_part(&b, "user", user);
	conninfo_part(&b, "password", password);
	if (extra != NULL && extra[0] != '\0') {
		if (b.len > 0)
			buf_add_char(&b, ' ');
		buf_add_cstr(&b, extra);
	}
	const char *text = b.failed ? NULL : arena_strdup(a, buf_str(&b));
	buf_free(&b);
	return text;
}
