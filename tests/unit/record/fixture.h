/*
 * fixture.h — a small catalog without a database: the rows that core_catalog.sql would return. Also
 * for the fuzz targets.
 */
#ifndef BIMODAL_TESTS_RECORD_FIXTURE_H
#define BIMODAL_TESTS_RECORD_FIXTURE_H

#include <string.h>

#include "base/log.h"
#include "record/catalog.h"

#define FIXTURE_COLUMNS 22

/* resource singular table parent parent_field name registered class kind required writable
 * filterable sortable reference choices max_length type not_null default unique; NULL as NULL */
struct fixture_row {
	const char *resource, *table, *parent, *parent_field;
	const char *name, *registered, *cls, *kind;
	const char
		*flags; /* r required, w writable, f filterable, s sortable, n not null, u unique */
	const char *reference, *choices, *max_length, *type, *def;
};

static const struct fixture_row fixture_rows[] = {
	{ "deals", "deal", NULL, NULL, "id", "t", "internal", "uuid", "fsnu", NULL, NULL, NULL,
	  "uuid", "crm.uuid_v7()" },
	{ "deals", "deal", NULL, NULL, "version", "t", "open", "integer", "n", NULL, NULL, NULL,
	  "integer", "1" },
	{ "deals", "deal", NULL, NULL, "name", "t", "internal", "text", "rwfsn", NULL, NULL, "10",
	  "text", NULL },
	{ "deals", "deal", NULL, NULL, "amount", "t", "open", "decimal", "wfs", NULL, NULL, NULL,
	  "numeric(6,2)", NULL },
	{ "deals", "deal", NULL, NULL, "stage", "t", "open", "enum", "wf", NULL, "won\x1flost",
	  NULL, "text", "'won'::text" },
	{ "deals", "deal", NULL, NULL, "email", "t", "personal", "text", "wf", NULL, NULL, NULL,
	  "text", NULL },
	{ "deals", "deal", NULL, NULL, "pseudonym", "t", "secret", "uuid", "nu", NULL, NULL, NULL,
	  "uuid", NULL },
	{ "deals", "deal", NULL, NULL, "active", "t", "open", "boolean", "wf", NULL, NULL, NULL,
	  "boolean", NULL },
	{ "deals", "deal", NULL, NULL, "seats", "t", "open", "integer", "wfs", NULL, NULL, NULL,
	  "smallint", NULL },
	{ "deals", "deal", NULL, NULL, "closed_at", "t", "open", "date", "wfs", NULL, NULL, NULL,
	  "date", NULL },
	{ "deals", "deal", NULL, NULL, "seen_at", "t", "open", "timestamp", "wf", NULL, NULL, NULL,
	  "timestamp with time zone", NULL },
	{ "deals", "deal", NULL, NULL, "buyer_id", "t", "open", "uuid", "wf", "deals", NULL, NULL,
	  "uuid", NULL },
	{ "deals", "deal", NULL, NULL, "external_id", "t", "internal", "text", "wfu", NULL, NULL,
	  NULL, "text", NULL },
	{ "deals", "deal", NULL, NULL, "unlisted", "f", NULL, NULL, "", NULL, NULL, NULL, "text",
	  NULL },
	{ "notes", "note", "deals", "deal_id", "id", "t", "open", "uuid", "fsnu", NULL, NULL, NULL,
	  "uuid", NULL },
	{ "notes", "note", "deals", "deal_id", "version", "t", "open", "integer", "n", NULL, NULL,
	  NULL, "integer", "1" },
	{ "notes", "note", "deals", "deal_id", "deal_id", "t", "internal", "uuid", "rwfn", "deals",
	  NULL, NULL, "uuid", NULL },
	{ "notes", "note", "deals", "deal_id", "text", "t", "open", "text", "w", NULL, NULL, NULL,
	  "text", NULL },
};

static void
fixture_cell(PGresult *r, int row, int col, const char *text)
{
	char copy[256];
	if (text == NULL) {
		BUG_ON(PQsetvalue(r, row, col, NULL, -1) != 1);
		return;
	}
	(void)str_copy(copy, sizeof(copy), str_of(text));
	BUG_ON(PQsetvalue(r, row, col, copy, (int)strlen(copy)) != 1);
}

static inline PGresult *
fixture_result(const struct fixture_row *rows, size_t n)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc attributes[FIXTURE_COLUMNS];
	char name[] = "c";
	for (size_t i = 0; i < FIXTURE_COLUMNS; i++)
		attributes[i] = (PGresAttDesc) { .name = name, .typid = 25, .typlen = -1 };
	BUG_ON(PQsetResultAttrs(r, FIXTURE_COLUMNS, attributes) != 1);
	for (size_t i = 0; i < n; i++) {
		const struct fixture_row *f = &rows[i];
		const char *cells[FIXTURE_COLUMNS] = { "7",         f->resource, f->table,
						       f->table,    f->parent,   f->parent_field,
						       f->resource, f->name,     f->registered,
						       f->cls,      f->kind };
		const char *flags = "rwfs";
		for (size_t k = 0; k < 4; k++)
			cells[11 + k] = strchr(f->flags, flags[k]) != NULL ? "t" : "f";
		cells[15] = f->reference;
		cells[16] = f->choices;
		cells[17] = f->max_length;
		cells[18] = f->type;
		cells[19] = strchr(f->flags, 'n') != NULL ? "t" : "f";
		cells[20] = f->def;
		cells[21] = strchr(f->flags, 'u') != NULL ? "t" : "f";
		for (int k = 0; k < FIXTURE_COLUMNS; k++)
			fixture_cell(r, (int)i, k, cells[k]);
	}
	return r;
}

static inline struct record_catalog *
fixture_catalog(bool copy)
{
	struct record_catalog *c = NULL;
	struct err_info info = { 0 };
	PGresult *r = fixture_result(fixture_rows, ARRAY_LEN(fixture_rows));
	BUG_ON(record_catalog_build(r, &(struct record_catalog_conf) { .copy = copy }, &c, &info) !=
	       ERR_OK);
	PQclear(r);
	return c;
}

#endif
