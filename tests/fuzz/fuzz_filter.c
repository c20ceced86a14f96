/*
 * fuzz_filter.c — query strings of lists and bodies of writes against a catalog: no crash, and
 * whatever passes makes a statement with as many parameters as its text names.
 *
 * Input: lines "name=value", as decoded pairs; the whole input is also read as a body.
 */
#include <stdint.h>
#include <stdio.h>

#include "record/input.h"
#include "record/sql.h"
#include "tests/unit/record/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAIRS_MAX 24

static struct record_catalog *catalog;

static void
build(const struct record_resource *r, const struct record_query *q)
{
	struct record_out out;
	struct buf text;
	char last[16];
	char next[16];
	const struct record_shape s = { .catalog = catalog,
					.resource = r,
					.what = RECORD_SQL_LIST,
					.read_classes = 3,
					.query = q };
	buf_init(&text, RECORD_SQL_BYTES_MAX);
	out.text = &text;
	BUG_ON(record_sql_build(&s, NULL, &out) != ERR_OK);
	(void)snprintf(last, sizeof(last), "$%u", out.n);
	(void)snprintf(next, sizeof(next), "$%u", out.n + 1);
	BUG_ON(strstr(buf_cstr(&text), last) == NULL || strstr(buf_cstr(&text), next) != NULL);
	BUG_ON(strstr(buf_cstr(&text), "email") != NULL ||
	       strstr(buf_cstr(&text), "pseudonym") != NULL);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct record_pair pairs[PAIRS_MAX];
	struct record_query q;
	struct record_faults faults;
	struct str rest = { (const char *)data, size };
	size_t n = 0;
	if (catalog == NULL)
		catalog = fixture_catalog(false);
	const struct record_resource *r = record_catalog_find(catalog, STR("deals"));
	const struct record_input in = {
		.resource = r, .read_classes = 3, .write_classes = 7, .prefix = ""
	};
	arena_init(&a, ARENA_CAP_BYTES);
	record_faults_init(&faults);
	(void)!record_input_check(&in, rest, &a, &faults, NULL);
	while (size > 0 && rest.p != NULL && n < PAIRS_MAX) {
		struct str value = str_cut(&rest, '\n');
		pairs[n].name = str_cut(&value, '=');
		pairs[n++].value = value.p == NULL ? STR("") : value;
	}
	if (record_query_parse(r, 3, RECORD_QUERY_LIST, pairs, n, &a, &q, NULL) == ERR_OK)
		build(r, &q);
	record_faults_free(&faults);
	arena_release(&a);
	return 0;
}
