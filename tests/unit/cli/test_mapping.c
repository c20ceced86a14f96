/*
 * test_mapping.c — mapping files: what is refused and where; and rows converted by them.
 */
#include <string.h>

#include "cli/convert.h"
#include "cli/mapping.h"
#include "tests/support/unit.h"

/* Each is refused with a message that holds `want`. */
static const struct {
	const char *text;
	const char *want;
} bad[] = {
	{ "", "resource:, match: and fields: must be given" },
	{ "resource: people\nmatch: external_id\nfeilds: {}\n", "m.yaml:3:1:" },
	{ "resource: people\nmatch: external_id\nfeilds: {}\n", "did you mean \"fields\"?" },
	{ "resource: People\nmatch: id\nfields:\n  id: {column: a, missing: refuse}\n",
	  "m.yaml:1:11: resource: \"People\" is not a name" },
	{ "resource: people\nmatch: key\nfields:\n  id: {column: a, missing: refuse}\n",
	  "\"key\" is not one of the fields" },
	{ "resource: people\nmatch: id\nfields:\n  id: {column: a}\n", "with missing: refuse" },
	{ "resource: people\nmatch: id\nfields:\n  id: {column: a, missing: refuse}\n  x: {}\n",
	  "x: needs either column: or constant:" },
	{ "resource: people\nmatch: id\nfields:\n  id: {column: a, missing: refuse}\n  x: {column: "
	  "b, constant: c}\n",
	  "needs either" },
	{ "resource: people\nmatch: id\nfields:\n  id: {column: a, missing: refuse}\n  x: {column: "
	  "b, type: dat}\n",
	  "did you mean \"date\"?" },
	{ "resource: people\nmatch: id\nfields:\n  id: {column: a, missing: refuse}\n  x: {column: "
	  "b, missing: repair}\n",
	  "go together" },
	{ "resource: people\nmatch: id\nfields:\n  id: {column: a, missing: refuse}\n  x: {column: "
	  "b, default: c}\n",
	  "go together" },
	{ "resource: people\nmatch: id\nfields:\n  id: {column: a, missing: refuse}\n  x: {column: "
	  "b, lookup: people}\n",
	  "RESOURCE.FIELD" },
	{ "resource: people\nmatch: id\nfields:\n  id: {column: a, missing: refuse}\n  x: {column: "
	  "b, values: [a]}\n",
	  "expected pairs" },
	{ "resource: people\nmatch: id\nseparator: ab\nfields:\n  id: {column: a, missing: "
	  "refuse}\n",
	  "m.yaml:3:12: separator:" },
	{ "resource: people\nmatch: id\nfields: [a]\n", "at least one field" },
	{ "resource: people\nmatch: id\nignore: a\nfields:\n  id: {column: a, missing: refuse}\n",
	  "expected a list" },
};

START_TEST(test_refused)
{
	struct mapping m;
	struct yaml_errors e;
	yaml_errors_init(&e);
	ck_assert_int_ne(mapping_read(&m, "m.yaml", str_of(bad[_i].text), &e), ERR_OK);
	const char *text = buf_cstr(&e.text);
	ck_assert_msg(strstr(text, bad[_i].want) != NULL, "%s not in: %s", bad[_i].want, text);
	mapping_free(&m);
	yaml_errors_free(&e);
}
END_TEST

static const char mapping_text[] =
	"resource: opportunities\n"
	"match: external_id\n"
	"fields:\n"
	"  external_id: {column: id, missing: refuse}\n"
	"  organization_id: {column: account, lookup: organizations.external_id, missing: list}\n"
	"  product: {column: product, repair: {GTXPro: GTX Pro}}\n"
	"  stage: {column: stage, values: {Won: won, Lost: lost}}\n"
	"  opened_at: {column: opened, type: date m/d/y}\n"
	"  amount: {column: amount, type: decimal}\n"
	"  currency: {constant: USD}\n"
	"  source: {column: source, missing: repair, default: unknown}\n"
	"  employees: {column: n, type: integer}\n"
	"ignore: [remark]\n";
#define HEADER "id,account,product,stage,opened,amount,source,n,remark\n"

static bool
lookup_known(void *arg, const struct mapping_field *f, struct str value, char id[CLI_ID_SIZE],
	     bool *failed)
{
	(void)arg;
	(void)f;
	(void)failed;
	(void)str_copy(id, CLI_ID_SIZE, STR("ID"));
	return str_is(value, "Acme");
}

static const struct {
	const char *row;
	enum convert_state state;
	const char *data;  /* NULL: refused, not looked at */
	const char *notes; /* "field:reason;…"             */
} rows[] = {
	{ "k1,Acme,GTX Pro,Won,3/1/2017,12.50,web,7,\n", CONVERT_ACCEPTED,
	  "{\"external_id\":\"k1\",\"organization_id\":\"ID\",\"product\":\"GTX "
	  "Pro\",\"stage\":\"won\",\"opened_at\":\"2017-03-01\","
	  "\"amount\":12.50,\"currency\":\"USD\",\"source\":\"web\",\"employees\":7}",
	  "" },
	{ "k2,,GTXPro,Lost,12/31/2016,007,web,,x\n", CONVERT_REPAIRED,
	  "{\"external_id\":\"k2\",\"product\":\"GTX "
	  "Pro\",\"stage\":\"lost\",\"opened_at\":\"2016-12-31\",\"amount\":7,\"currency\":\"USD\","
	  "\"source\":\"web\"}",
	  "organization_id:empty; taken without it;product:known wrong value;" },
	{ "k3,,,,,,,,\n", CONVERT_REPAIRED,
	  "{\"external_id\":\"k3\",\"currency\":\"USD\",\"source\":\"unknown\"}",
	  "organization_id:empty; taken without it;source:empty;" },
	{ "k4,, MG ,,,-0.5,web,-3,\n", CONVERT_REPAIRED,
	  "{\"external_id\":\"k4\",\"product\":\"MG\",\"amount\":-0.5,\"currency\":\"USD\","
	  "\"source\":\"web\",\"employees\":-3}",
	  "organization_id:empty; taken without it;product:spaces around the value;" },
	{ "k5,\"Acme\",\"a \"\"b\"\"\",,2/29/2016,,web,,\n", CONVERT_ACCEPTED,
	  "{\"external_id\":\"k5\",\"organization_id\":\"ID\",\"product\":\"a "
	  "\\\"b\\\"\",\"opened_at\":\"2016-02-29\",\"currency\":\"USD\","
	  "\"source\":\"web\"}",
	  "" },
	{ ",Acme,,,,,web,,\n", CONVERT_REFUSED, NULL, "external_id:empty, but needed;" },
	{ "k6,Nobody,,,,,web,,\n", CONVERT_REFUSED, NULL,
	  "organization_id:nothing is known under that name;" },
	{ "k7,Acme,,won,,,web,,\n", CONVERT_REFUSED, NULL,
	  "stage:not one of the values in the mapping;" },
	{ "k8,Acme,,,2/29/2017,,web,,\n", CONVERT_REFUSED, NULL,
	  "opened_at:not a date such as 5/31/2026;" },
	{ "k8,Acme,,,13/1/2017,,web,,\n", CONVERT_REFUSED, NULL,
	  "opened_at:not a date such as 5/31/2026;" },
	{ "k8,Acme,,,1/1/17,,web,,\n", CONVERT_REFUSED, NULL,
	  "opened_at:not a date such as 5/31/2026;" },
	{ "k8,Acme,,,2017-01-01,,web,,\n", CONVERT_REFUSED, NULL,
	  "opened_at:not a date such as 5/31/2026;" },
	{ "k9,Acme,,,,\"1,000\",web,,\n", CONVERT_REFUSED, NULL, "amount:not a decimal number;" },
	{ "k9,Acme,,,,1.,web,,\n", CONVERT_REFUSED, NULL, "amount:not a decimal number;" },
	{ "k9,Acme,,,,1e5,web,,\n", CONVERT_REFUSED, NULL, "amount:not a decimal number;" },
	{ "k9,Acme,,,,,web,1.5,\n", CONVERT_REFUSED, NULL, "employees:not a whole number;" },
	{ "k9,Acme,,bad,x,,web,1.5,\n", CONVERT_REFUSED, NULL,
	  "stage:not one of the values in the mapping;opened_at:not a date such as "
	  "5/31/2026;employees:not a whole number;" },
	{ "k9,Acme\n", CONVERT_REFUSED, NULL, "row:another number of fields than the first row;" },
};

static void
read_row(struct csv *r, struct str *in)
{
	ck_assert_int_eq(csv_read(r, in, true, NULL), ERR_OK);
	ck_assert(r->ready);
}

START_TEST(test_row)
{
	struct mapping m;
	struct yaml_errors e;
	struct csv r;
	struct converted row;
	struct buf text;
	struct buf notes;
	yaml_errors_init(&e);
	buf_init(&text, 4096);
	buf_init(&notes, 4096);
	ck_assert_int_eq(mapping_read(&m, "m.yaml", STR(mapping_text), &e), ERR_OK);
	buf_printf(&text, "%s%s", HEADER, rows[_i].row);
	struct str in = buf_str(&text);
	csv_init(&r, ',');
	read_row(&r, &in);
	ck_assert_int_eq(mapping_bind(&m, "f.csv", &r, &e), ERR_OK);
	read_row(&r, &in);
	struct convert v = { .mapping = &m, .lookup = lookup_known };
	converted_init(&row);
	convert_row(&v, &r, &row);
	for (size_t i = 0; i < row.n_notes; i++)
		buf_printf(&notes, "%s:%s;",
			   row.notes[i].field != NULL ? row.notes[i].field->name : "row",
			   row.notes[i].reason);
	ck_assert_str_eq(buf_cstr(&notes) != NULL ? buf_cstr(&notes) : "", rows[_i].notes);
	ck_assert_int_eq(row.state, rows[_i].state);
	if (rows[_i].data != NULL)
		ck_assert_str_eq(buf_cstr(&row.data), rows[_i].data);
	converted_free(&row);
	csv_free(&r);
	mapping_free(&m);
	yaml_errors_free(&e);
	buf_free(&text);
	buf_free(&notes);
}
END_TEST

static const struct {
	const char *header;
	const char *want; /* NULL: good */
} headers[] = {
	{ HEADER, NULL },
	{ "id, account ,product,stage,opened,amount,source,n\n", NULL },
	{ "account,product,stage,opened,amount,source,n\n",
	  "column \"id\" of field external_id is not in the first row" },
	{ "id,id,account,product,stage,opened,amount,source,n\n",
	  "column \"id\" of field external_id is more than once" },
	{ "id,account,product,stage,opened,amount,source,n,colour\n",
	  "column \"colour\" is neither mapped" },
};

START_TEST(test_bind)
{
	struct mapping m;
	struct yaml_errors e;
	struct csv r;
	yaml_errors_init(&e);
	ck_assert_int_eq(mapping_read(&m, "m.yaml", STR(mapping_text), &e), ERR_OK);
	struct str in = str_of(headers[_i].header);
	csv_init(&r, ',');
	read_row(&r, &in);
	const enum err err = mapping_bind(&m, "f.csv", &r, &e);
	ck_assert_int_eq(err, headers[_i].want == NULL ? ERR_OK : ERR_CONFIG);
	if (headers[_i].want != NULL)
		ck_assert_ptr_nonnull(strstr(buf_cstr(&e.text), headers[_i].want));
	csv_free(&r);
	mapping_free(&m);
	yaml_errors_free(&e);
}
END_TEST

/* A field that looks up its own resource waits for the second pass. */
START_TEST(test_later)
{
	static const char text[] = "resource: organizations\nmatch: external_id\nfields:\n  "
				   "external_id: {column: a, missing: refuse}\n"
				   "  parent_id: {column: b, lookup: organizations.external_id}\n";
	struct mapping m;
	struct yaml_errors e;
	struct csv r;
	struct converted row;
	yaml_errors_init(&e);
	ck_assert_int_eq(mapping_read(&m, "m.yaml", STR(text), &e), ERR_OK);
	ck_assert(m.has_later);
	struct str in = STR("a,b\nx,Acme\n");
	csv_init(&r, ',');
	read_row(&r, &in);
	ck_assert_int_eq(mapping_bind(&m, "f.csv", &r, &e), ERR_OK);
	read_row(&r, &in);
	converted_init(&row);
	struct convert v = { .mapping = &m, .lookup = lookup_known };
	convert_row(&v, &r, &row);
	ck_assert(row.later);
	ck_assert_str_eq(buf_cstr(&row.data), "{\"external_id\":\"x\"}");
	v.second = true;
	convert_row(&v, &r, &row);
	ck_assert(!row.later);
	ck_assert_str_eq(buf_cstr(&row.data), "{\"external_id\":\"x\",\"parent_id\":\"ID\"}");
	ck_assert(str_is(row.key, "x"));
	converted_free(&row);
	csv_free(&r);
	mapping_free(&m);
	yaml_errors_free(&e);
}
END_TEST

static Suite *
mapping_suite(void)
{
	Suite *s = suite_create("mapping");
	TCase *t = tcase_create("mapping");
	tcase_add_loop_test(t, test_refused, 0, (int)ARRAY_LEN(bad));
	tcase_add_loop_test(t, test_row, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(t, test_bind, 0, (int)ARRAY_LEN(headers));
	tcase_add_test(t, test_later);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(mapping_suite)
