/*
 * test_sql.c — texts of shapes: golden strings for the short ones, and that a key stands for
 * exactly one text.
 */
#include "record/cache.h"
#include "record/sql.h"
#include "tests/support/unit.h"
#include "tests/unit/record/fixture.h"

static struct record_catalog *catalog;
static struct arena arena;

static void
setup(void)
{
	catalog = fixture_catalog(false);
	arena_init(&arena, ARENA_CAP_BYTES);
}

static void
teardown(void)
{
	arena_release(&arena);
	record_catalog_unref(catalog);
}

static const char *
text_of(const struct record_shape *s, struct record_out *out)
{
	struct buf text;
	buf_init(&text, RECORD_SQL_BYTES_MAX);
	out->text = &text;
	ck_assert_int_eq(record_sql_build(s, NULL, out), ERR_OK);
	const char *copy = arena_strdup(&arena, buf_str(&text));
	buf_free(&text);
	return copy;
}

#define SELECT_NOTE                                                                                \
	"(select row_to_json(_row)::text from (select t.id, t.version, t.deal_id, t.text) _row)"

static const struct {
	const char *sort, *filter;
	bool cursor, null;
	const char *text; /* behind the select list */
	unsigned params;
} lists[] = {
	{ NULL, NULL, false, false,
	  ", t.id::text from crm.deal t where true order by t.id limit $1", 1 },
	{ "-id", NULL, true, false,
	  ", t.id::text from crm.deal t where true and (t.id) < ($1) order by t.id desc limit $2",
	  2 },
	{ "name", NULL, true, false,
	  ", t.name::text, t.id::text from crm.deal t where true and (t.name, t.id) > ($1, $2) "
	  "order by t.name, t.id limit $3",
	  3 },
	{ "amount", NULL, true, false,
	  ", t.amount::text, t.id::text from crm.deal t where true and ((t.amount > $1 or t.amount "
	  "is null) "
	  "or (t.amount = $1 and (t.id > $2))) order by t.amount, t.id limit $3",
	  3 },
	{ "amount", NULL, true, true,
	  ", t.amount::text, t.id::text from crm.deal t where true and (false or (t.amount is null "
	  "and "
	  "(t.id > $1))) order by t.amount, t.id limit $2",
	  2 },
	{ "-amount", NULL, true, true,
	  ", t.amount::text, t.id::text from crm.deal t where true and (t.amount is not null or "
	  "(t.amount is null and (t.id < $1))) order by t.amount desc, t.id desc limit $2",
	  2 },
	{ NULL, "in.(won)", false, false,
	  ", t.id::text from crm.deal t where true and t.stage = any ($1) order by t.id limit $2",
	  2 },
	{ NULL, "is.null", false, false,
	  ", t.id::text from crm.deal t where true and t.stage is null order by t.id limit $1", 1 },
};

START_TEST(list_texts)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	struct record_pair pairs[2];
	size_t n = 0;
	if (lists[_i].sort != NULL)
		pairs[n++] = (struct record_pair) { STR("sort"), str_of(lists[_i].sort) };
	if (lists[_i].filter != NULL)
		pairs[n++] = (struct record_pair) { STR("stage"), str_of(lists[_i].filter) };
	struct record_query q;
	ck_assert_int_eq(record_query_parse(r, 7, RECORD_QUERY_LIST, pairs, n, &arena, &q, NULL),
			 ERR_OK);
	struct record_cursor c = { .values = { lists[_i].null ? STR_NONE : STR("1"), STR("2") },
				   .n = q.n_sort };
	const struct record_shape s = { .catalog = catalog,
					.resource = r,
					.what = RECORD_SQL_LIST,
					.read_classes = 7,
					.query = &q,
					.cursor = lists[_i].cursor ? &c : NULL };
	struct record_out out;
	const char *tail = strstr(text_of(&s, &out), " _row)");
	ck_assert_str_eq(tail + 6, lists[_i].text);
	ck_assert_uint_eq(out.n, lists[_i].params);
}
END_TEST

/* Deals have no owner here, notes follow nobody: the fixture's own catalog shows that nothing is added
 * without owners; this one adds them. */
START_TEST(owned_texts)
{
	static const struct fixture_row owner_row = { "deals", "deal",     NULL,   NULL, "owner",
						      "t",     "internal", "text", "wf", NULL,
						      NULL,    NULL,       "text", NULL };
	struct fixture_row rows[ARRAY_LEN(fixture_rows) + 1];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(fixture_rows); i++) {
		rows[n++] = fixture_rows[i];
		if (strcmp(fixture_rows[i].name, "unlisted") == 0)
			rows[n++] = owner_row;
	}
	PGresult *result = fixture_result(rows, n);
	struct record_catalog *c = NULL;
	ck_assert_int_eq(record_catalog_build(
				 result, &(struct record_catalog_conf) { .copy = false }, &c, NULL),
			 ERR_OK);
	PQclear(result);
	const struct record_resource *deals = record_catalog_find(c, STR("deals"));
	const struct record_resource *notes = record_catalog_find(c, STR("notes"));
	ck_assert_ptr_nonnull(record_owner_field(deals));
	ck_assert_ptr_null(record_owner_field(notes));
	struct record_shape s = { .catalog = c,
				  .resource = deals,
				  .what = RECORD_SQL_GET,
				  .read_classes = 7,
				  .write_classes = 7,
				  .owned = true };
	struct record_out out;
	ck_assert(str_ends(str_of(text_of(&s, &out)),
			   " from crm.deal t where t.id = $1 and t.owner = any ($2)"));
	s.resource = notes;
	ck_assert(
		str_ends(str_of(text_of(&s, &out)),
			 " from crm.note t where t.id = $1 and ((exists (select 1 from crm.deal x "
			 "where x.id = t.deal_id and x.owner = any ($2))))"));
	s.owned = false;
	ck_assert(str_ends(str_of(text_of(&s, &out)), " from crm.note t where t.id = $1"));
	/* Who may not write the field still becomes the owner. */
	s.resource = deals;
	s.owned = true;
	s.what = RECORD_SQL_CREATE;
	ck_assert_ptr_nonnull(strstr(text_of(&s, &out), "coalesce(n.owner, $6)"));
	s.write_classes = RECORD_OPEN;
	ck_assert_ptr_nonnull(strstr(text_of(&s, &out), ", $6 from act"));
	struct buf owners;
	buf_init(&owners, RECORD_SQL_BYTES_MAX);
	ck_assert(record_sql_event_owners(c, &owners));
	ck_assert_str_eq(
		buf_cstr(&owners),
		"/* record events owners */ select l.xid::text, l.seq::text, case l.resource when "
		"'notes' then case when l.after->>'deal_id' is not null then (select x.owner from "
		"crm.deal x where x.id = (l.after->>'deal_id')::uuid) end end, case l.resource "
		"when 'notes' then case when l.before->>'deal_id' is not null then (select x.owner "
		"from crm.deal x where x.id = (l.before->>'deal_id')::uuid) end end from event.log "
		"l where (l.xid, l.seq) > ($1, $2) and (l.xid, l.seq) <= ($3, $4) and l.op in "
		"('create', 'update', 'delete') and l.resource in ('notes') order by l.xid, l.seq");
	buf_reset(&owners);
	ck_assert(!record_sql_event_owners(catalog, &owners));
	buf_free(&owners);
	record_catalog_unref(c);
}
END_TEST

START_TEST(golden_texts)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("notes"));
	struct record_shape s = { .catalog = catalog,
				  .resource = r,
				  .what = RECORD_SQL_GET,
				  .read_classes = 7,
				  .write_classes = 7,
				  .scope = r->parent_field };
	struct record_out out;
	ck_assert_str_eq(text_of(&s, &out), "/* record notes get */ select " SELECT_NOTE
					    ", t.version from crm.note t where t.id = $1 "
					    "and t.deal_id = $2");
	ck_assert_uint_eq(out.n, 2);
	s.what = RECORD_SQL_DELETE;
	s.scope = NULL;
	ck_assert_str_eq(text_of(&s, &out),
			 "/* record notes delete */ with act as (select "
			 "set_config('bimodal.actor', $1, true) as actor, "
			 "set_config('bimodal.request', $2, true) as request), cur as (select "
			 "(t.*)::crm.note as r, t.id, t.version from crm.note t "
			 "where t.id = $3 for update), del as (delete from crm.note t using act, "
			 "cur c where t.id = $3 and t.id = c.id "
			 "and act.actor is not null and ($4 is null or c.version = $4) returning "
			 "t.id), res as (select d.id, null::int as version, "
			 "null::text as body from del d) select case when r.id is not null then "
			 "204 when c.id is null then 404 else 412 end as status, "
			 "c.version, null::text as body from (select 1) one left join cur c on "
			 "true left join res r on true");
	s.what = RECORD_SQL_PATCH;
	ck_assert_ptr_nonnull(strstr(text_of(&s, &out),
				     "set deal_id = n.deal_id, text = n.text from act, cur c, "
				     "jsonb_populate_record(c.r, $5) n"));
	s.write_classes = RECORD_OPEN;
	ck_assert_ptr_nonnull(strstr(text_of(&s, &out), "set text = n.text from act"));
}
END_TEST

START_TEST(never_secret_never_above_the_mask)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	for (enum record_sql what = RECORD_SQL_CREATE; what <= RECORD_SQL_PATCH; what++) {
		const struct record_shape s = { .catalog = catalog,
						.resource = r,
						.what = what,
						.read_classes = RECORD_OPEN,
						.write_classes = RECORD_OPEN,
						.keyed = true };
		struct record_out out;
		const char *text = text_of(&s, &out);
		ck_assert_ptr_null(strstr(text, "pseudonym"));
		ck_assert_ptr_null(strstr(text, "email"));
		ck_assert_ptr_nonnull(strstr(text, "event.idempotency"));
	}
	const struct record_shape s = {
		.catalog = catalog, .resource = r, .what = RECORD_SQL_CREATE, .write_classes = 7
	};
	struct record_out out;
	ck_assert_ptr_nonnull(strstr(text_of(&s, &out), "coalesce(n.stage, 'won'::text)"));
}
END_TEST

/* What changed is told by name lists of the mask; a field above it is neither named nor counted as a change. */
START_TEST(history_texts)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	const struct record_cursor after = { .values = { STR("9") }, .n = 1 };
	struct record_shape s = { .catalog = catalog,
				  .resource = r,
				  .what = RECORD_SQL_HISTORY,
				  .read_classes = RECORD_OPEN };
	struct record_out out;
	const char *text = text_of(&s, &out);
	ck_assert_uint_eq(out.n, 2);
	ck_assert_ptr_nonnull(strstr(text, "where d.k = any ('{amount,stage,active,seats,closed_at,"
					   "seen_at,buyer_id}'::text[])) as changes"));
	ck_assert_ptr_nonnull(
		strstr(text, "bool_or(d.k = any ('{name,email,external_id}'::text[])) as hidden"));
	ck_assert_ptr_nonnull(strstr(
		text, "g.record_id = $1 and g.resource = 'deals' and exists (select 1 from"));
	ck_assert_ptr_null(strstr(text, "pseudonym"));
	s.read_classes = 7;
	s.cursor = &after;
	text = text_of(&s, &out);
	ck_assert_uint_eq(out.n, 3);
	ck_assert_ptr_nonnull(strstr(text, "bool_or(d.k = any ('{}'::text[])) as hidden"));
	ck_assert_ptr_nonnull(strstr(text, "and g.seq < $2 order by g.seq desc limit $3"));
}
END_TEST

START_TEST(undo_and_restore_texts)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	struct record_shape s = { .catalog = catalog,
				  .resource = r,
				  .what = RECORD_SQL_UNDO,
				  .read_classes = 7,
				  .write_classes = RECORD_OPEN };
	struct record_out out;
	const char *text = text_of(&s, &out);
	ck_assert_uint_eq(out.n, 5);
	ck_assert_ptr_nonnull(strstr(text, "denied as (select d.k from diff d where d.k = any "
					   "('{name,email,external_id}'::text[]))"));
	ck_assert_ptr_nonnull(
		strstr(text, "update crm.deal t set amount = n.amount, stage = n.stage"));
	ck_assert_ptr_null(strstr(text, "email = n.email"));
	ck_assert_ptr_null(strstr(text, "pseudonym"));
	const struct record_resource *notes = record_catalog_find(catalog, STR("notes"));
	s.resource = notes;
	s.scope = notes->parent_field;
	ck_assert_ptr_nonnull(
		strstr(text_of(&s, &out), "where t.id = $3 and t.deal_id = $5 for update"));
	/* Where there need be no row, the last image says whose record it is. */
	static const enum record_sql without_row[] = { RECORD_SQL_HISTORY, RECORD_SQL_AS_OF,
						       RECORD_SQL_RESTORE };
	for (size_t i = 0; i < ARRAY_LEN(without_row); i++) {
		s.what = without_row[i];
		text = text_of(&s, &out);
		ck_assert_ptr_nonnull(strstr(text,
					     "order by g.seq desc limit 1) i cross join lateral "
					     "jsonb_populate_record(null::crm.note, i.image) t "
					     "where true and t.deal_id = $"));
	}
}
END_TEST

START_TEST(parts_texts)
{
	const struct record_resource *deals = record_catalog_find(catalog, STR("deals"));
	const struct record_resource *notes = record_catalog_find(catalog, STR("notes"));
	struct record_shape_part part = { .name = "notes",
					  .resource = notes,
					  .reference = notes->parent_field };
	const struct record_pair pair = { STR("limit"), STR("3") };
	ck_assert_int_eq(record_query_parse(notes, RECORD_OPEN, RECORD_QUERY_LIST, &pair, 1, &arena,
					    &part.query, NULL),
			 ERR_OK);
	struct record_shape s = { .catalog = catalog,
				  .resource = deals,
				  .what = RECORD_SQL_OVERVIEW,
				  .read_classes = RECORD_OPEN,
				  .parts = &part,
				  .n_parts = 1 };
	struct record_out out;
	const char *text = text_of(&s, &out);
	ck_assert_uint_eq(out.n, 2);
	ck_assert_ptr_nonnull(strstr(text, "from crm.note t where true and t.deal_id = $2 order by "
					   "t.id limit 4) t), _set as materialized"));
	ck_assert_ptr_null(strstr(text, "email"));
	ck_assert_ptr_null(strstr(text, "t.name"));
	part.words[1] = record_field_find(deals, STR("email"));
	part.resource = deals;
	part.reference = NULL;
	ck_assert_int_eq(record_query_parse(deals, RECORD_OPEN, RECORD_QUERY_LIST, &pair, 1, &arena,
					    &part.query, NULL),
			 ERR_OK);
	s.what = RECORD_SQL_SEARCH;
	text = text_of(&s, &out);
	ck_assert_uint_eq(out.n, 1);
	ck_assert_ptr_nonnull(strstr(text, "crm.search_vector(null::text, t.email, null::text, "
					   "null::text, null::text) @@ (select q.beginnings from "
					   "q) limit 8)"));
}
END_TEST

#define SHAPES_MAX 1024
static struct {
	const char *key, *text;
} seen[SHAPES_MAX];
static size_t n_seen;

static void
remember(const struct record_shape *s)
{
	struct buf key;
	struct record_out out;
	buf_init(&key, 65536);
	record_sql_key(s, &key);
	ck_assert_uint_lt(n_seen, SHAPES_MAX);
	seen[n_seen].key = arena_strdup(&arena, buf_str(&key));
	seen[n_seen++].text = text_of(s, &out);
	buf_free(&key);
}

START_TEST(one_text_a_key)
{
	const struct record_resource *const resources[] = {
		record_catalog_find(catalog, STR("deals")),
		record_catalog_find(catalog, STR("notes"))
	};
	for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
		const struct record_resource *r = resources[i];
		for (uint32_t mask = 1; mask < 8; mask += 3) {
			for (enum record_sql what = RECORD_SQL_GET; what < RECORD_SQL_COUNT;
			     what++) {
				for (int k = 0; k < 8; k++)
					remember(&(struct record_shape) {
						.catalog = catalog,
						.resource = r,
						.what = what,
						.read_classes = mask,
						.write_classes = mask,
						.keyed = (k & 1) != 0,
						.owned = (k & 4) != 0,
						.scope = (k & 2) != 0 ? r->parent_field : NULL,
						.batch_ops = (unsigned)(1 + k % 3) });
			}
		}
	}
	for (size_t i = 0; i < n_seen; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(seen[i].key, seen[k].key) == 0)
				ck_assert_str_eq(seen[i].text, seen[k].text);
		}
	}
}
END_TEST

START_TEST(cache_keeps_and_evicts)
{
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	struct record_cache *c = record_cache_create();
	struct record_out out;
	const struct postgres_stmt *first = NULL;
	const struct postgres_stmt *again = NULL;
	struct record_shape s = {
		.catalog = catalog, .resource = r, .what = RECORD_SQL_GET, .read_classes = 7
	};
	ck_assert_int_eq(record_cache_get(c, &s, NULL, &out, &first), ERR_OK);
	ck_assert_uint_eq(out.n, 1);
	ck_assert_uint_le(strlen(first->name), 63);
	ck_assert_int_eq(record_cache_get(c, &s, NULL, &out, &again), ERR_OK);
	ck_assert_ptr_eq(first, again);
	ck_assert_uint_eq(out.n, 1);
	char name[64];
	(void)str_copy(name, sizeof(name), str_of(first->name));
	for (uint32_t mask = 8; mask < 8 + 2 * RECORD_CACHE_MAX; mask++) {
		s.read_classes = mask;
		ck_assert_int_eq(record_cache_get(c, &s, NULL, &out, &again), ERR_OK);
	}
	ck_assert_uint_eq(record_cache_count(c), RECORD_CACHE_MAX);
	s.read_classes = 7;
	ck_assert_int_eq(record_cache_get(c, &s, NULL, &out, &again), ERR_OK);
	ck_assert_str_eq(again->name, name);
	record_cache_clear(c);
	ck_assert_uint_eq(record_cache_count(c), 0);
	record_cache_destroy(c);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("record_sql");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, list_texts, 0, (int)ARRAY_LEN(lists));
	tcase_add_test(tc, owned_texts);
	tcase_add_test(tc, golden_texts);
	tcase_add_test(tc, never_secret_never_above_the_mask);
	tcase_add_test(tc, history_texts);
	tcase_add_test(tc, undo_and_restore_texts);
	tcase_add_test(tc, parts_texts);
	tcase_add_test(tc, one_text_a_key);
	tcase_add_test(tc, cache_keeps_and_evicts);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
