/*
 * catalog.h — what the API serves: an immutable, reference-counted snapshot of the resources and
 * fields of the registry (change.resource, change.field), checked against the columns that exist.
 * It is built from the result of one statement, so that it is of one moment, and is swapped as a
 * whole after an applied change.
 *
 * In core every registered field must be a column, else the build fails. In the sandbox the
 * registry names more than the copy holds: fields without a column are left out, people are keyed
 * by `pseudonym`, and nothing is writable.
 */
#ifndef BIMODAL_RECORD_CATALOG_H
#define BIMODAL_RECORD_CATALOG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define RECORD_RESOURCES_MAX 256
#define RECORD_FIELDS_MAX 256 /* of one resource                             */
#define RECORD_NAME_MAX 50    /* bytes of a resource's or field's name        */

/* Classes of fields as bits of a mask. Secret is in no mask: such a field is in no list, filter,
 * reply or input. */
enum record_class { RECORD_OPEN = 1, RECORD_INTERNAL = 2, RECORD_PERSONAL = 4, RECORD_SECRET = 8 };

enum record_kind {
	RECORD_TEXT,
	RECORD_INTEGER,
	RECORD_DECIMAL,
	RECORD_BOOLEAN,
	RECORD_DATE,
	RECORD_TIMESTAMP,
	RECORD_UUID,
	RECORD_JSON,
	RECORD_ENUM
};

struct record_field {
	struct str name;
	const char *type;          /* format_type of the column: "numeric(18,2)"          */
	const char *def;           /* the column's DEFAULT as SQL text from pg_get_expr, or NULL */
	const char *reference;     /* resource this field points to, or NULL              */
	const struct str *choices; /* n_choices entries                                   */
	size_t n_choices;
	int64_t max_length; /* characters; 0 = no limit                            */
	unsigned index;     /* position in the resource                            */
	enum record_class cls;
	enum record_kind kind;
	int precision; /* of a decimal with limits, else 0                    */
	int scale;
	int integer_bytes; /* 2, 4 or 8                                           */
	bool required;
	bool writable;
	bool filterable;
	bool sortable;
	bool not_null; /* of the column                                       */
	bool unique;   /* a one-column unique index stands on it: may be an upsert's match */
	bool system;   /* key, version, created_at, updated_at: made by us, shown to all */
};

struct record_resource {
	struct str name;                         /* "people"                            */
	const char *singular;                    /* "person"                            */
	const char *table;                       /* "person", in schema crm             */
	const char *parent;                      /* "people" for consents, or NULL      */
	const struct record_field *parent_field; /* column that names the parent, or NULL */
	const struct record_field *key;          /* id; pseudonym for people in the sandbox */
	const char *label;
	const struct record_field *fields;
	size_t n_fields;
	unsigned index;
	bool has_version; /* there is a version column           */
};

struct record_catalog;

struct record_catalog_conf {
	bool copy; /* the sandbox's masked copy: see above */
};

/*
 * Build from the rows of sql/core/queries/core_catalog.sql or
 * sql/sandbox/queries/sandbox_catalog.sql (columns are listed in catalog.c). Owner: *out has one
 * reference. Errors: ERR_INTERNAL naming the resource and field that do not fit.
 */
MUST_CHECK enum err record_catalog_build(const PGresult *rows,
					 const struct record_catalog_conf *conf,
					 struct record_catalog **out, struct err_info *info);
struct record_catalog *record_catalog_ref(struct record_catalog *c);
void record_catalog_unref(struct record_catalog *c); /* NULL is fine */

int64_t record_catalog_generation(const struct record_catalog *c);
size_t record_catalog_count(const struct record_catalog *c);
const struct record_resource *record_catalog_at(const struct record_catalog *c, size_t i);
/* NULL if there is none. */
const struct record_resource *record_catalog_find(const struct record_catalog *c, struct str name);
const struct record_field *record_field_find(const struct record_resource *r, struct str name);
/* The known name nearest to a wrong one, or STR_NONE when nothing is near. Only fields readable
 * with `classes` are suggested. */
struct str record_field_nearest(const struct record_resource *r, struct str name, uint32_t classes);
struct str record_resource_nearest(const struct record_catalog *c, struct str name);

/* The field that names who a record belongs to, or NULL: nobody owns such records by themselves. */
const struct record_field *record_owner_field(const struct record_resource *r);
/* Fields that lead to records which have an owner, the person first; returns how many of at most
 * `max`. */
size_t record_owner_references(const struct record_catalog *c, const struct record_resource *r,
			       const struct record_field **out, size_t max);

/* Is the field in replies (and, if so marked, filters and sorts) for this mask? Is it accepted in
 * bodies? */
bool record_field_readable(const struct record_field *f, uint32_t classes);
bool record_field_writable(const struct record_field *f, uint32_t classes);
const char *record_class_name(enum record_class c);
const char *record_kind_name(enum record_kind k);

#endif
