/*
 * catalog.c — the snapshot of resources and fields. See catalog.h.
 *
 * Place: record_load reads the rows, record_catalog_build makes the snapshot, requests hold
 * references until they end. Invariants: nothing changes after the build; every name used in SQL
 * text matches [a-z_][a-z0-9_]* and names a column that existed in the snapshot's moment; every
 * resource has a key.
 */
#include "record/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

#define CATALOG_ARENA_BYTES (16 * 1024 * 1024)
#define NEAREST_NAME_MAX 40
#define CHOICE_SEPARATOR '\x1f'

/* Columns of core_catalog.sql and sandbox_catalog.sql, in order. */
enum column {
	COL_GENERATION,
	COL_RESOURCE,
	COL_SINGULAR,
	COL_TABLE,
	COL_PARENT,
	COL_PARENT_FIELD,
	COL_LABEL,
	COL_NAME,
	COL_REGISTERED,
	COL_CLASS,
	COL_KIND,
	COL_REQUIRED,
	COL_WRITABLE,
	COL_FILTERABLE,
	COL_SORTABLE,
	COL_REFERENCE,
	COL_CHOICES,
	COL_MAX_LENGTH,
	COL_TYPE,
	COL_NOT_NULL,
	COL_DEFAULT,
	COL_UNIQUE,
	COL_COUNT
};

struct record_catalog {
	struct arena arena;
	struct record_resource *resources;
	size_t n_resources;
	int64_t generation;
	unsigned refs;
};

struct build {
	const PGresult *rows;
	struct record_catalog *catalog;
	struct err_info *info;
	bool copy;
};

static const struct {
	const char *name;
	enum record_class cls;
} classes[] = {
	{ "open", RECORD_OPEN },
	{ "internal", RECORD_INTERNAL },
	{ "personal", RECORD_PERSONAL },
	{ "secret", RECORD_SECRET },
};

/* Types of columns that each kind of field accepts; prefixes, because numeric and varchar carry a
 * modifier. */
static const struct {
	const char *name;
	enum record_kind kind;
	const char *types[4];
} kinds[] = {
	{ "text", RECORD_TEXT, { "text", "character varying" } },
	{ "integer", RECORD_INTEGER, { "smallint", "integer", "bigint" } },
	{ "decimal", RECORD_DECIMAL, { "numeric" } },
	{ "boolean", RECORD_BOOLEAN, { "boolean" } },
	{ "date", RECORD_DATE, { "date" } },
	{ "timestamp", RECORD_TIMESTAMP, { "timestamp with time zone", "timestamp(" } },
	{ "uuid", RECORD_UUID, { "uuid" } },
	{ "json", RECORD_JSON, { "jsonb" } },
	{ "enum", RECORD_ENUM, { "text", "character varying" } },
};

const char *
record_class_name(enum record_class c)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (classes[i].cls == c)
			return classes[i].name;
	}
	return "unknown";
}

const char *
record_kind_name(enum record_kind k)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].kind == k)
			return kinds[i].name;
	}
	return "unknown";
}

static struct str
cell(const struct build *b, int row, enum column col)
{
	if (PQgetisnull(b->rows, row, (int)col))
		return STR_NONE;
	return (struct str) { PQgetvalue(b->rows, row, (int)col),
			      (size_t)PQgetlength(b->rows, row, (int)col) };
}

static bool
cell_true(const struct build *b, int row, enum column col)
{
	return str_is(cell(b, row, col), "t");
}

/* NULL stays NULL; out of memory is found by the check of the arena at the end of the row. */
static const char *
cell_text(const struct build *b, int row, enum column col)
{
	const struct str s = cell(b, row, col);
	return s.p == NULL ? NULL : arena_strdup(&b->catalog->arena, s);
}

static bool
name_valid(struct str s)
{
	if (s.len == 0 || s.len > RECORD_NAME_MAX || (s.p[0] >= '0' && s.p[0] <= '9'))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

static bool
is_system_name(const struct build *b, struct str name)
{
	if (str_is(name, "id") || str_is(name, "version") || str_is(name, "created_at") ||
	    str_is(name, "updated_at"))
		return true;
	return b->copy && (str_is(name, "pseudonym") || str_is(name, "person_pseudonym"));
}

/* Names a record by itself: the key, and in the copy the pseudonym of the person. */
static bool
is_identity(const struct build *b, struct str name)
{
	return is_system_name(b, name) && !str_is(name, "version") && !str_is(name, "created_at") &&
	       !str_is(name, "updated_at");
}

static enum err
field_kind(struct build *b, int row, struct record_field *f)
{
	const struct str kind = cell(b, row, COL_KIND);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kind.p != NULL && !str_is(kind, kinds[i].name))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(kinds[i].types) && kinds[i].types[k]; k++) {
			if (str_starts(str_of(f->type), kinds[i].types[k])) {
				f->kind = kinds[i].kind;
				return ERR_OK;
			}
		}
	}
	return err_set(
		b->info, ERR_INTERNAL, NULL,
		"the registry says that %.*s.%.*s is of kind %.*s, but the column is of type %s",
		STR_FMT(cell(b, row, COL_RESOURCE)), STR_FMT(f->name), STR_FMT(kind), f->type);
}

/* Limits that the column's type sets: "numeric(18,2)", "smallint". */
static void
field_limits(struct record_field *f)
{
	if (f->kind == RECORD_INTEGER) {
		f->integer_bytes = str_starts(str_of(f->type), "smallint")  ? 2
				   : str_starts(str_of(f->type), "integer") ? 4
									    : 8;
	}
	const char *open = strchr(f->type, '(');
	if (open == NULL)
		return;
	struct str rest = { open + 1, strcspn(open + 1, ")") };
	const struct str first = str_cut(&rest, ',');
	int64_t n = 0;
	if (str_int(first, 1, 10485760, &n) != ERR_OK)
		return;
	if (f->kind == RECORD_DECIMAL) {
		f->precision = (int)n;
		if (rest.p != NULL && str_int(str_trim(rest), 0, 1000, &n) == ERR_OK)
			f->scale = (int)n;
	} else if (f->kind == RECORD_TEXT || f->kind == RECORD_ENUM) {
		f->max_length = n;
	}
}

static enum err
field_class(struct build *b, int row, struct record_field *f)
{
	const struct str name = cell(b, row, COL_CLASS);
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (str_is(name, classes[i].name)) {
			f->cls = classes[i].cls;
			return ERR_OK;
		}
	}
	return err_set(b->info, ERR_INTERNAL, NULL,
		       "the registry gives %.*s.%.*s the unknown class \"%.*s\"",
		       STR_FMT(cell(b, row, COL_RESOURCE)), STR_FMT(f->name), STR_FMT(name));
}

static enum err
field_choices(struct build *b, int row, struct record_field *f)
{
	struct str rest = cell(b, row, COL_CHOICES);
	if (rest.p == NULL || rest.len == 0)
		return ERR_OK;
	size_t n = 1;
	for (size_t i = 0; i < rest.len; i++)
		n += rest.p[i] == CHOICE_SEPARATOR;
	struct str *list = arena_alloc(&b->catalog->arena, n * sizeof(*list));
	if (list == NULL)
		return err_set(b->info, ERR_NO_MEMORY, NULL,
			       "could not keep the catalog in memory");
	for (size_t i = 0; i < n; i++)
		list[i] = arena_str(&b->catalog->arena, str_cut(&rest, CHOICE_SEPARATOR));
	f->choices = list;
	f->n_choices = n;
	return ERR_OK;
}

/* One row with a column behind it → one field. */
static enum err
field_build(struct build *b, int row, struct record_field *f)
{
	const bool system = is_system_name(b, cell(b, row, COL_NAME));
	const bool identity = is_identity(b, cell(b, row, COL_NAME));
	*f = (struct record_field) {
		.name = arena_str(&b->catalog->arena, cell(b, row, COL_NAME)),
		.type = cell_text(b, row, COL_TYPE),
		.def = cell_text(b, row, COL_DEFAULT),
		.reference = cell_text(b, row, COL_REFERENCE),
		.cls = RECORD_OPEN,
		.system = system,
		.required = !system && cell_true(b, row, COL_REQUIRED),
		.writable = !system && !b->copy && cell_true(b, row, COL_WRITABLE),
		.filterable = identity || cell_true(b, row, COL_FILTERABLE),
		.sortable = identity || cell_true(b, row, COL_SORTABLE),
		.not_null = cell_true(b, row, COL_NOT_NULL),
		.unique = cell_true(b, row, COL_UNIQUE),
	};
	if (f->name.p == NULL || f->type == NULL)
		return err_set(b->info, ERR_NO_MEMORY, NULL,
			       "could not keep the catalog in memory");
	if (!name_valid(f->name))
		return err_set(b->info, ERR_INTERNAL, NULL,
			       "the registry names a field \"%.*s\" that is not a plain name",
			       STR_FMT(f->name));
	enum err err = system ? ERR_OK : field_class(b, row, f);
	if (err == ERR_OK)
		err = field_kind(b, row, f);
	if (err != ERR_OK)
		return err;
	field_limits(f);
	int64_t max_length = 0;
	if (cell(b, row, COL_MAX_LENGTH).p != NULL &&
	    str_int(cell(b, row, COL_MAX_LENGTH), 0, INT32_MAX, &max_length) == ERR_OK &&
	    max_length > 0 && (f->max_length == 0 || max_length < f->max_length))
		f->max_length = max_length;
	if (f->kind == RECORD_JSON)
		f->filterable = f->sortable = false;
	return field_choices(b, row, f);
}

/* Is this row a field that we serve? A registered field without a column is an error in core and
 * absent in a copy. */
static enum err
row_served(struct build *b, int row, bool *served)
{
	const bool registered = cell_true(b, row, COL_REGISTERED);
	*served = false;
	if (PQgetisnull(b->rows, row, COL_TYPE)) {
		if (registered && !b->copy)
			return err_set(b->info, ERR_INTERNAL, NULL,
				       "the registry lists %.*s.%.*s, but there is no such column",
				       STR_FMT(cell(b, row, COL_RESOURCE)),
				       STR_FMT(cell(b, row, COL_NAME)));
		return ERR_OK;
	}
	*served = registered || is_system_name(b, cell(b, row, COL_NAME));
	return ERR_OK;
}

static void
resource_links(struct build *b, int row, struct record_resource *r)
{
	r->key = record_field_find(r, STR("id"));
	if (r->key == NULL && b->copy)
		r->key = record_field_find(r, STR("pseudonym"));
	r->has_version = record_field_find(r, STR("version")) != NULL;
	if (r->parent == NULL)
		return;
	r->parent_field = record_field_find(r, cell(b, row, COL_PARENT_FIELD));
	if (r->parent_field == NULL && b->copy)
		r->parent_field = record_field_find(r, STR("person_pseudonym"));
}

/* Rows [first, end) are those of one resource. */
static enum err
resource_build(struct build *b, int first, int end, struct record_resource *r)
{
	struct arena *a = &b->catalog->arena;
	const struct str name = cell(b, first, COL_RESOURCE);
	struct record_field *fields = arena_alloc(a, (size_t)(end - first) * sizeof(*fields));
	if (fields == NULL || end - first > RECORD_FIELDS_MAX)
		return err_set(b->info, ERR_NO_MEMORY, NULL,
			       "the resource %.*s has more than %d columns", STR_FMT(name),
			       RECORD_FIELDS_MAX);
	*r = (struct record_resource) {
		.name = arena_str(a, name),
		.singular = cell_text(b, first, COL_SINGULAR),
		.table = cell_text(b, first, COL_TABLE),
		.parent = cell_text(b, first, COL_PARENT),
		.label = cell_text(b, first, COL_LABEL),
		.fields = fields,
	};
	if (!name_valid(r->name) || r->table == NULL || !name_valid(str_of(r->table)))
		return err_set(b->info, ERR_INTERNAL, NULL,
			       "the registry names a resource \"%.*s\" that is not a plain name",
			       STR_FMT(name));
	for (int row = first; row < end; row++) {
		bool served;
		enum err err = row_served(b, row, &served);
		if (err == ERR_OK && served) {
			err = field_build(b, row, &fields[r->n_fields]);
			if (err == ERR_OK) {
				fields[r->n_fields].index = (unsigned)r->n_fields;
				r->n_fields++;
			}
		}
		if (err != ERR_OK)
			return err;
	}
	resource_links(b, first, r);
	return ERR_OK;
}

static bool
same_resource(const struct build *b, int x, int y)
{
	return str_eq(cell(b, x, COL_RESOURCE), cell(b, y, COL_RESOURCE));
}

static enum err
build_all(struct build *b)
{
	const int n = PQntuples(b->rows);
	struct record_catalog *c = b->catalog;
	c->resources = arena_alloc(&c->arena, RECORD_RESOURCES_MAX * sizeof(*c->resources));
	if (c->resources == NULL)
		return err_set(b->info, ERR_NO_MEMORY, NULL,
			       "could not keep the catalog in memory");
	if (n > 0 && str_int(cell(b, 0, COL_GENERATION), 0, INT64_MAX, &c->generation) != ERR_OK)
		return err_set(b->info, ERR_INTERNAL, NULL,
			       "the registry has no schema generation");
	for (int first = 0, end; first < n; first = end) {
		for (end = first + 1; end < n && same_resource(b, first, end); end++)
			continue;
		if (c->n_resources == RECORD_RESOURCES_MAX)
			return err_set(b->info, ERR_INTERNAL, NULL,
				       "the registry has more than %d resources",
				       RECORD_RESOURCES_MAX);
		struct record_resource *r = &c->resources[c->n_resources];
		const enum err err = resource_build(b, first, end, r);
		if (err != ERR_OK)
			return err;
		/* In a copy a resource whose table has not arrived is not there yet. */
		if (r->key == NULL && b->copy)
			continue;
		if (r->key == NULL)
			return err_set(b->info, ERR_INTERNAL, NULL,
				       "the table of %.*s has no column id", STR_FMT(r->name));
		r->index = (unsigned)c->n_resources++;
	}
	return ERR_OK;
}

enum err
record_catalog_build(const PGresult *rows, const struct record_catalog_conf *conf,
		     struct record_catalog **out, struct err_info *info)
{
	*out = NULL;
	if (PQnfields(rows) != COL_COUNT)
		return err_set(info, ERR_INTERNAL, NULL,
			       "the catalog statement returns %d columns instead of %d",
			       PQnfields(rows), (int)COL_COUNT);
	struct record_catalog *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "could not keep the catalog in memory");
	arena_init(&c->arena, CATALOG_ARENA_BYTES);
	c->refs = 1;
	struct build b = { .rows = rows, .catalog = c, .info = info, .copy = conf->copy };
	const enum err err = build_all(&b);
	if (err != ERR_OK) {
		record_catalog_unref(c);
		return err;
	}
	*out = c;
	return ERR_OK;
}

struct record_catalog *
record_catalog_ref(struct record_catalog *c)
{
	c->refs++;
	return c;
}

void
record_catalog_unref(struct record_catalog *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	arena_release(&c->arena);
	free(c);
}

int64_t
record_catalog_generation(const struct record_catalog *c)
{
	return c->generation;
}

size_t
record_catalog_count(const struct record_catalog *c)
{
	return c->n_resources;
}

const struct record_resource *
record_catalog_at(const struct record_catalog *c, size_t i)
{
	return i < c->n_resources ? &c->resources[i] : NULL;
}

const struct record_resource *
record_catalog_find(const struct record_catalog *c, struct str name)
{
	for (size_t i = 0; i < c->n_resources; i++) {
		if (str_eq(c->resources[i].name, name))
			return &c->resources[i];
	}
	return NULL;
}

const struct record_field *
record_field_find(const struct record_resource *r, struct str name)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		if (str_eq(r->fields[i].name, name))
			return &r->fields[i];
	}
	return NULL;
}

bool
record_field_readable(const struct record_field *f, uint32_t mask)
{
	return f->system || (f->cls != RECORD_SECRET && (mask & (uint32_t)f->cls) != 0);
}

bool
record_field_writable(const struct record_field *f, uint32_t mask)
{
	return f->writable && f->cls != RECORD_SECRET && (mask & (uint32_t)f->cls) != 0;
}

/* Edits between two short names (Levenshtein); names longer than the limit are not compared. */
static size_t
edits(struct str a, struct str b)
{
	size_t row[NEAREST_NAME_MAX + 1];
	if (a.len > NEAREST_NAME_MAX || b.len > NEAREST_NAME_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			const size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);
			diagonal = row[j];
			row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.len];
}

static void
consider(struct str name, struct str candidate, size_t *best, struct str *found)
{
	const size_t n = edits(name, candidate);
	if (n < *best && n <= 1 + candidate.len / 4) {
		*best = n;
		*found = candidate;
	}
}

struct str
record_field_nearest(const struct record_resource *r, struct str name, uint32_t mask)
{
	struct str found = STR_NONE;
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < r->n_fields; i++) {
		if (record_field_readable(&r->fields[i], mask))
			consider(name, r->fields[i].name, &best, &found);
	}
	return found;
}

struct str
record_resource_nearest(const struct record_catalog *c, struct str name)
{
	struct str found = STR_NONE;
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < c->n_resources; i++)
		consider(name, c->resources[i].name, &best, &found);
	return found;
}
