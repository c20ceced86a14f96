/*
 * test_record_prepare.c — every statement that the record engine can make for a resource is
 * accepted by PostgreSQL: all operations, class masks, with and without key, every filter operator,
 * every sortable field with every pattern of NULLs in a cursor.
 *
 * BIMODAL_TEST_CONNINFO names a migrated core database (as the app role); run from the root of the
 * tree.
 */
#include <stdio.h>
#include <string.h>

#include "record/sql.h"
#include "tests/support/unit.h"

#define TEXT_MAX (128 * 1024)

static PGconn *conn;
static struct record_catalog *catalog;
static unsigned prepared;

static void
connect_and_load(void)
{
	static char text[TEXT_MAX];
	const char *conninfo = getenv("BIMODAL_TEST_CONNINFO");
	ck_assert_msg(conninfo != NULL, "BIMODAL_TEST_CONNINFO is not set");
	conn = PQconnectdb(conninfo);
	ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
	FILE *f = fopen("sql/core/queries/core_catalog.sql", "r");
	ck_assert_msg(f != NULL, "run from the root of the tree");
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	ck_assert_int_eq(fclose(f), 0);
	PGresult *rows = PQexec(conn, text);
	ck_assert_msg(PQresultStatus(rows) == PGRES_TUPLES_OK, "%s", PQerrorMessage(conn));
	struct err_info info = { 0 };
	ck_assert_msg(record_catalog_build(rows, &(struct record_catalog_conf) { .copy = false },
					   &catalog, &info) == ERR_OK,
		      "%s", info.msg);
	PQclear(rows);
	ck_assert_uint_ge(record_catalog_count(catalog), 6);
}

static void
disconnect(void)
{
	record_catalog_unref(catalog);
	PQfinish(conn);
}

static void
prepare(struct record_shape s)
{
	struct buf text;
	struct record_out out;
	buf_init(&text, RECORD_SQL_BYTES_MAX);
	out.text = &text;
	s.catalog = catalog;
	ck_assert_int_eq(record_sql_build(&s, NULL, &out), ERR_OK);
	PGresult *r = PQprepare(conn, "", buf_cstr(&text), (int)out.n, out.types);
	ck_assert_msg(PQresultStatus(r) == PGRES_COMMAND_OK, "%s\n%s", PQerrorMessage(conn),
		      buf_cstr(&text));
	PQclear(r);
	buf_free(&text);
	prepared++;
}

static void
parse(const struct record_resource *r, uint32_t mask, const struct record_pair *pairs, size_t n,
      struct arena *a, struct record_query *q)
{
	struct err_info info = { 0 };
	ck_assert_msg(record_query_parse(r, mask, RECORD_QUERY_LIST, pairs, n, a, q, &info) ==
			      ERR_OK,
		      "%s: %s", info.field, info.msg);
}

/* A list with one sort, on the first page and with each pattern of NULLs in the cursor. */
static void
prepare_sorted(const struct record_resource *r, const struct record_field *f,
	       const struct record_field *scope, bool desc)
{
	struct arena a;
	struct record_query q;
	arena_init(&a, ARENA_CAP_BYTES);
	struct record_pair pair = { STR("sort"), str_of(arena_printf(&a, "%s%.*s", desc ? "-" : "",
								     STR_FMT(f->name))) };
	parse(r, 7, &pair, 1, &a, &q);
	struct record_shape s = { .resource = r,
				  .what = RECORD_SQL_LIST,
				  .read_classes = 7,
				  .query = &q,
				  .scope = scope };
	prepare(s);
	struct record_cursor c = { .n = q.n_sort };
	for (size_t i = 0; i < c.n; i++)
		c.values[i] = STR("1");
	s.cursor = &c;
	prepare(s);
	s.owned = true;
	prepare(s);
	c.values[0] = STR_NONE;
	prepare(s);
	arena_release(&a);
}

static void
prepare_filtered(const struct record_resource *r, const struct record_field *f)
{
	static const char *const sample[] = {
		[RECORD_TEXT] = "x",
		[RECORD_INTEGER] = "1",
		[RECORD_DECIMAL] = "1.5",
		[RECORD_BOOLEAN] = "true",
		[RECORD_DATE] = "2026-01-02",
		[RECORD_TIMESTAMP] = "2026-01-02T03:04:05Z",
		[RECORD_UUID] = "01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f",
	};
	for (enum record_op op = RECORD_EQ; op < RECORD_OPS; op++) {
		struct arena a;
		struct record_query q;
		const char *v = f->kind == RECORD_ENUM ? f->choices[0].p : sample[f->kind];
		if ((op == RECORD_IS_TRUE || op == RECORD_IS_FALSE) && f->kind != RECORD_BOOLEAN)
			continue;
		arena_init(&a, ARENA_CAP_BYTES);
		const char *text = op == RECORD_IN ? arena_printf(&a, "in.(%s,%s)", v, v)
				   : op >= RECORD_IS_NULL
					   ? record_op_name(op)
					   : arena_printf(&a, "%s.%s", record_op_name(op), v);
		struct record_pair pair = { f->name, str_of(text) };
		parse(r, 7, &pair, 1, &a, &q);
		ck_assert_int_eq(q.filters[0].op, op);
		prepare((struct record_shape) {
			.resource = r, .what = RECORD_SQL_LIST, .read_classes = 7, .query = &q });
		arena_release(&a);
	}
}

static void
prepare_writes(const struct record_resource *r, uint32_t mask, const struct record_field *scope)
{
	for (int k = 0; k < 4; k++) {
		const bool keyed = (k & 1) != 0, owned = (k & 2) != 0;
		for (enum record_sql what = RECORD_SQL_CREATE; what <= RECORD_SQL_DELETE; what++)
			prepare((struct record_shape) { .resource = r,
							.what = what,
							.read_classes = 7,
							.write_classes = mask,
							.scope = scope,
							.keyed = keyed,
							.owned = owned });
		for (unsigned ops = 1; ops < 16; ops++) {
			const struct record_field *match = record_field_find(r, STR("external_id"));
			if ((ops & RECORD_BATCH_UPSERT) != 0 && match == NULL)
				continue;
			struct record_shape s = { .resource = r,
						  .what = RECORD_SQL_BATCH,
						  .write_classes = mask,
						  .scope = scope,
						  .keyed = keyed,
						  .owned = owned,
						  .batch_ops = ops,
						  .match = match };
			prepare(s);
			s.what = RECORD_SQL_PROBE;
			s.keyed = false;
			prepare(s);
		}
	}
}

static void
prepare_log(const struct record_resource *r, uint32_t mask, const struct record_field *scope)
{
	const struct record_cursor after = { .values = { STR("1") }, .n = 1 };
	const enum record_sql what[] = { RECORD_SQL_HISTORY, RECORD_SQL_AS_OF, RECORD_SQL_UNDO,
					 RECORD_SQL_RESTORE };
	struct record_shape s = {
		.resource = r, .read_classes = mask, .write_classes = mask, .scope = scope
	};
	for (size_t i = 0; i < ARRAY_LEN(what); i++) {
		s.what = what[i];
		s.keyed = false;
		prepare(s);
		s.keyed = record_sql_lane(what[i]) == POSTGRES_WRITE;
		prepare(s);
	}
	s.what = RECORD_SQL_HISTORY;
	s.cursor = &after;
	prepare(s);
}

/* Each child as a part of its parent's overview, and each resource as one that is searched by its texts. */
static void
prepare_parts(const struct record_resource *r, uint32_t mask)
{
	struct arena a;
	struct record_shape_part parts[RECORD_PARTS_MAX];
	size_t n = 0;
	arena_init(&a, ARENA_CAP_BYTES);
	for (size_t i = 0; i < record_catalog_count(catalog) && n < RECORD_PARTS_MAX; i++) {
		const struct record_resource *child = record_catalog_at(catalog, i);
		for (size_t k = 0; k < child->n_fields; k++) {
			const struct record_field *f = &child->fields[k];
			if (f->reference == NULL || !str_is(r->name, f->reference))
				continue;
			parts[n] = (struct record_shape_part) { .name = "part",
								.resource = child,
								.reference = f };
			parse(child, mask, NULL, 0, &a, &parts[n].query);
			n++;
			break;
		}
	}
	struct record_shape s = { .resource = r,
				  .read_classes = mask,
				  .parts = parts,
				  .n_parts = n,
				  .what = RECORD_SQL_OVERVIEW };
	prepare(s);
	parts[0] = (struct record_shape_part) { .name = "part", .resource = r };
	parse(r, mask, NULL, 0, &a, &parts[0].query);
	for (size_t k = 0, w = 0; k < r->n_fields && w < RECORD_SEARCH_FIELDS; k++)
		if (r->fields[k].kind == RECORD_TEXT)
			parts[0].words[w++] = &r->fields[k];
	s.n_parts = 1;
	s.what = RECORD_SQL_SEARCH;
	prepare(s);
	arena_release(&a);
}

START_TEST(prepares_all)
{
	connect_and_load();
	for (size_t i = 0; i < record_catalog_count(catalog); i++) {
		const struct record_resource *r = record_catalog_at(catalog, i);
		const struct record_field *const scopes[] = { NULL, r->parent_field };
		for (size_t k = 0; k < (r->parent_field != NULL ? 2 : 1); k++) {
			for (uint32_t mask = 0; mask < 8; mask++) {
				prepare((struct record_shape) { .resource = r,
								.what = RECORD_SQL_GET,
								.read_classes = mask,
								.scope = scopes[k] });
				prepare((struct record_shape) { .resource = r,
								.what = RECORD_SQL_GET,
								.read_classes = mask,
								.scope = scopes[k],
								.owned = true });
				prepare_writes(r, mask, scopes[k]);
				prepare_log(r, mask, scopes[k]);
				prepare_parts(r, mask);
			}
			for (size_t n = 0; n < r->n_fields; n++) {
				if (r->fields[n].sortable) {
					prepare_sorted(r, &r->fields[n], scopes[k], false);
					prepare_sorted(r, &r->fields[n], scopes[k], true);
				}
				if (r->fields[n].filterable)
					prepare_filtered(r, &r->fields[n]);
			}
		}
	}
	ck_assert_uint_gt(prepared, 500);
	disconnect();
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("record_prepare");
	TCase *tc = tcase_create("all");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, prepares_all);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
