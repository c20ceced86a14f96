/*
 * mapping.h — the mapping file of an import (YAML): how the columns of a CSV file become the fields of a resource.
 *
 *	resource: opportunities        # where the rows go
 *	match: external_id             # field that says whether a row is there already; must be one of `fields`
 *	separator: ","                 # or ; | or "\t"; default ,
 *	fields:
 *	  external_id:                 # field of the resource
 *	    column: opportunity_id     # column of the file; several fields may read the same one
 *	    missing: refuse            # empty value: null (left out, the default), list (left out and listed), refuse, repair
 *	  stage:
 *	    column: deal_stage
 *	    values:                    # translation; a value that is not here is refused
 *	      Won: won
 *	  product:
 *	    column: product
 *	    repair:                    # known wrong values and what they should be; counted and listed
 *	      GTXPro: GTX Pro
 *	  opened_at:
 *	    column: engage_date
 *	    type: date m/d/y           # text (default), integer, decimal, boolean, date (2026-05-31), date m/d/y, date d.m.y
 *	  organization_id:
 *	    column: account
 *	    lookup: organizations.external_id   # the value is looked up there and the record's id is written
 *	  source:
 *	    constant: maven
 *	  country:
 *	    column: country
 *	    missing: repair
 *	    default: unknown           # written where the value is missing; counted and listed
 *	ignore: [manager]              # columns not taken; a column that nobody names is an error
 */
#ifndef BIMODAL_CLI_MAPPING_H
#define BIMODAL_CLI_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/conf.h"
#include "cli/csv.h"

#define MAPPING_FIELDS_MAX 64
#define MAPPING_IGNORED_MAX 256

enum mapping_type {
	MAPPING_TEXT,
	MAPPING_INTEGER,
	MAPPING_DECIMAL,
	MAPPING_BOOLEAN,
	MAPPING_DATE,     /* 2026-05-31 */
	MAPPING_DATE_MDY, /* 5/31/2026  */
	MAPPING_DATE_DMY  /* 31.5.2026  */
};

enum mapping_missing { MAPPING_NULL, MAPPING_LIST, MAPPING_REFUSE, MAPPING_REPAIR };

struct mapping_pair {
	struct str from;
	struct str to;
	struct mapping_pair *next;
};

struct mapping_field {
	const char *name;
	const char *column; /* NULL: constant              */
	const char *constant;
	enum mapping_type type;
	enum mapping_missing missing;
	const char *fallback;        /* with MAPPING_REPAIR         */
	struct mapping_pair *values; /* NULL: any                   */
	struct mapping_pair *repairs;
	const char *lookup_resource; /* NULL: none                  */
	const char *lookup_by;
	bool later;    /* looks up its own resource: written in a second pass */
	size_t index;  /* of the column in the file; set by mapping_bind      */
	unsigned line; /* in the mapping file         */
};

struct mapping {
	struct arena arena;
	const char *resource;
	const char *match;
	char separator;
	struct mapping_field fields[MAPPING_FIELDS_MAX];
	size_t n;
	struct str ignored[MAPPING_IGNORED_MAX];
	size_t n_ignored;
	size_t n_columns; /* of the file; set by mapping_bind */
	bool has_later;
};

/* Read text (file is its name in messages). Errors: ERR_CONFIG with everything that is wrong in `e`. Free it in any case. */
MUST_CHECK enum err mapping_read(struct mapping *m, const char *file, struct str text,
				 struct yaml_errors *e);
void mapping_free(struct mapping *m);
/*
 * Find the columns in the file's header row. Errors: ERR_CONFIG: a column that is named is not there, is there twice, or is
 * neither mapped nor ignored.
 */
MUST_CHECK enum err mapping_bind(struct mapping *m, const char *file, const struct csv *header,
				 struct yaml_errors *e);

#endif
