/*
 * test_snapshot.c — a snapshot from rows, the swap that turns a flag off under a user, expiry by
 * the clock, broken documents.
 */
#include "flag/flag.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tests/support/unit.h"

#define NOW (INT64_C(1790000000) * USEC_PER_SEC)
#define SPLIT                                                                                      \
	"{\"unit\":\"person\",\"variations\":[{\"key\":\"a\",\"value\":\"red\"},{\"key\":\"b\","   \
	"\"value\":\"blue\"}],"                                                                    \
	"\"rules\":[{\"experiment\":{\"variations\":[\"a\",\"b\"]}}],\"default\":\"a\"}"
#define PLAIN                                                                                      \
	"{\"unit\":\"visitor\",\"variations\":[{\"key\":\"on\",\"value\":true}],\"default\":"      \
	"\"on\"}"

struct row {
	const char *key, *enabled, *revision, *document, *expires_us, *generation;
};

static PGresult *
rows_make(const struct row *row, int n)
{
	static const char *const names[] = { "key",      "enabled",    "revision",
					     "document", "expires_us", "generation" };
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc desc[ARRAY_LEN(names)];

	memset(desc, 0, sizeof(desc));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		desc[i].name = (char *)(uintptr_t)names[i];
	ck_assert_int_eq(PQsetResultAttrs(r, (int)ARRAY_LEN(names), desc), 1);
	for (int i = 0; i < n; i++) {
		const char *const v[] = { row[i].key,      row[i].enabled,    row[i].revision,
					  row[i].document, row[i].expires_us, row[i].generation };
		for (int k = 0; k < (int)ARRAY_LEN(v); k++)
			ck_assert_int_eq(PQsetvalue(r, i, k, (char *)(uintptr_t)v[k],
						    v[k] == NULL ? -1 : (int)strlen(v[k])),
					 1);
	}
	return r;
}

static struct flag_snapshot *
snapshot_make(const struct row *row, int n)
{
	struct err_info info = { .code = ERR_OK };
	struct flag_snapshot *s = NULL;
	PGresult *r = rows_make(row, n);

	ck_assert_msg(flag_snapshot_build(r, &s, &info) == ERR_OK, "%s", info.msg);
	PQclear(r);
	return s;
}

#define LATER "1790000001000000"
static const struct row ON = { "colour", "t", "11", SPLIT, LATER, "5" };
static const struct row OFF = { "colour", "f", "12", SPLIT, LATER, "6" };

START_TEST(empty)
{
	struct flag_snapshot *s = snapshot_make(&(struct row) { .generation = "3" }, 1);
	struct flag_result r;
	ck_assert_int_eq(flag_snapshot_generation(s), 3);
	ck_assert_uint_eq(flag_snapshot_count(s), 0);
	flag_evaluate(s, STR("colour"), STR("u"), NOW, &r);
	ck_assert_int_eq(r.outcome, FLAG_UNKNOWN);
	flag_evaluate(NULL, STR("colour"), STR("u"), NOW, &r);
	ck_assert_int_eq(r.outcome, FLAG_UNKNOWN);
	flag_snapshot_unref(s);
}
END_TEST

/* What a kill does: the next evaluation has neither value nor variation; a user of the old snapshot
 * is not disturbed. */
START_TEST(toggled)
{
	struct flag_store *store = flag_store_create();
	struct flag_result r;
	ck_assert_int_eq(flag_store_generation(store), -1);
	ck_assert_ptr_null(flag_store_now(store));

	flag_store_swap(store, snapshot_make(&ON, 1));
	flag_evaluate(flag_store_now(store), STR("colour"), STR("u"), NOW, &r);
	ck_assert(r.outcome == FLAG_EVALUATED && r.reason == FLAG_SPLIT && r.revision == 11);
	ck_assert(str_is(r.value, "\"red\"") || str_is(r.value, "\"blue\""));
	const usec_t since = flag_store_since(store);
	ck_assert_int_le(since, clock_wall_us());
	ck_assert_uint_eq(flag_store_swaps(store), 1);
	flag_store_swap(store, snapshot_make(&ON, 1)); /* read again, and nothing is new */
	ck_assert_int_eq(flag_store_since(store), since);
	ck_assert_uint_eq(flag_store_swaps(store), 2);
	flag_evaluate(flag_store_now(store), STR("colour"), STR("u"), NOW, &r);
	ck_assert(str_eq(r.value, STR("\"red\"")) || str_eq(r.value, STR("\"blue\"")));
	const struct str again = r.value;

	struct flag_snapshot *held = flag_snapshot_ref(flag_store_now(store));
	flag_store_swap(store, snapshot_make(&OFF, 1));
	ck_assert_int_eq(flag_store_generation(store), 6);
	flag_evaluate(flag_store_now(store), STR("colour"), STR("u"), NOW, &r);
	ck_assert(r.outcome == FLAG_EVALUATED && r.reason == FLAG_DISABLED && r.revision == 12);
	ck_assert(r.value.p == NULL && r.variation.p == NULL);
	flag_evaluate(held, STR("colour"), STR("u"), NOW, &r);
	ck_assert(r.reason == FLAG_SPLIT && str_eq(r.value, again));
	flag_snapshot_unref(held);

	/* On again: the unit is where it was. */
	flag_store_swap(store, snapshot_make(&ON, 1));
	flag_evaluate(flag_store_now(store), STR("colour"), STR("u"), NOW, &r);
	ck_assert(r.reason == FLAG_SPLIT);
	flag_store_destroy(store);
}
END_TEST

START_TEST(expired)
{
	struct flag_snapshot *s = snapshot_make(&ON, 1);
	struct flag_result r;
	enum flag_unit unit = FLAG_VISITOR;
	bool needed = false;

	ck_assert(flag_unit_of(s, STR("colour"), NOW, &unit, &needed));
	ck_assert(unit == FLAG_PERSON && needed);
	flag_evaluate(s, STR("colour"), STR("u"), NOW + USEC_PER_SEC - 1, &r);
	ck_assert_int_eq(r.reason, FLAG_SPLIT);
	flag_evaluate(s, STR("colour"), STR("u"), NOW + USEC_PER_SEC, &r);
	ck_assert_int_eq(r.reason, FLAG_DISABLED);
	ck_assert(flag_unit_of(s, STR("colour"), NOW + USEC_PER_SEC, &unit, &needed));
	ck_assert(!needed);
	flag_snapshot_unref(s);
}
END_TEST

START_TEST(broken_one_spares_the_others)
{
	const struct row rows[] = {
		{ "bad", "t", "1", "{\"unit\":\"person\"}", LATER, "9" },
		{ "good", "t", "2", PLAIN, LATER, "9" },
	};
	log_set_level(LOG_ERROR);
	struct flag_snapshot *s = snapshot_make(rows, 2);
	struct flag_result r;
	flag_evaluate(s, STR("bad"), STR("u"), NOW, &r);
	ck_assert_int_eq(r.outcome, FLAG_BROKEN);
	flag_evaluate(s, STR("good"), STR(""), NOW, &r);
	ck_assert(r.outcome == FLAG_EVALUATED && r.reason == FLAG_STATIC &&
		  str_is(r.value, "true"));
	flag_snapshot_unref(s);
}
END_TEST

START_TEST(many)
{
	enum { N = 300 };
	static char keys[N][24];
	static char revisions[N][16];
	struct row rows[N];
	for (int i = 0; i < N; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "flag-%d", i);
		(void)snprintf(revisions[i], sizeof(revisions[i]), "%d", i + 1);
		rows[i] = (struct row) { keys[i], "t", revisions[i], PLAIN, LATER, "1" };
	}
	struct flag_snapshot *s = snapshot_make(rows, N);
	ck_assert_uint_eq(flag_snapshot_count(s), N);
	for (int i = 0; i < N; i++) {
		struct flag_result r;
		flag_evaluate(s, str_of(keys[i]), STR_NONE, NOW, &r);
		ck_assert_int_eq(r.revision, i + 1);
	}
	/* All of them, by key. */
	const struct flag_listed *list = flag_snapshot_list(s);
	for (int i = 1; i < N; i++)
		ck_assert_int_lt(strcmp(list[i - 1].key.p, list[i].key.p), 0);
	ck_assert(flag_snapshot_divides(s, FLAG_VISITOR));
	ck_assert(!flag_snapshot_divides(s, FLAG_PERSON));
	struct flag_result r;
	flag_evaluate(s, STR("flag-300"), STR_NONE, NOW, &r);
	ck_assert_int_eq(r.outcome, FLAG_UNKNOWN);
	flag_snapshot_unref(s);
}
END_TEST

START_TEST(bad_rows)
{
	const struct row no_revision = { "k", "t", NULL, PLAIN, LATER, "1" };
	const struct row no_generation = { "k", "t", "1", PLAIN, LATER, NULL };
	struct err_info info = { .code = ERR_OK };
	struct flag_snapshot *s = NULL;
	PGresult *r = rows_make(NULL, 0);
	ck_assert_int_eq(flag_snapshot_build(r, &s, &info), ERR_INTERNAL);
	PQclear(r);
	r = rows_make(&no_revision, 1);
	ck_assert_int_eq(flag_snapshot_build(r, &s, &info), ERR_INTERNAL);
	PQclear(r);
	r = rows_make(&no_generation, 1);
	ck_assert_int_eq(flag_snapshot_build(r, &s, &info), ERR_INTERNAL);
	PQclear(r);
	ck_assert_int_eq(flag_snapshot_build(NULL, &s, &info), ERR_INTERNAL);
	ck_assert_ptr_null(s);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("flag snapshot");
	TCase *c = tcase_create("snapshot");
	tcase_add_test(c, empty);
	tcase_add_test(c, toggled);
	tcase_add_test(c, expired);
	tcase_add_test(c, broken_one_spares_the_others);
	tcase_add_test(c, many);
	tcase_add_test(c, bad_rows);
	suite_add_tcase(s, c);
	return s;
}

UNIT_MAIN(suite)
