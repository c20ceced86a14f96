/*
 * schema.h — a resource of the catalog as JSON Schema (2020-12) for the API's description: what its records hold, what bodies
 * may hold, what a list can be asked. Only fields of the given classes are named; a secret field never is.
 */
#ifndef BIMODAL_RECORD_SCHEMA_H
#define BIMODAL_RECORD_SCHEMA_H

#include "base/arena.h"
#include "record/catalog.h"

struct record_schema {
	struct str record; /* in a reply; only its key is required: `fields=` leaves out the rest */
	struct str
		part; /* the same inside an overview, with when and by whom it was last written */
	struct str create; /* bodies; other members are refused                                   */
	struct str child; /* a create below the parent, which the path names; STR_NONE: no parent */
	struct str patch;
	struct str
		filters; /* parameters of a list, with commas between: one a field, sort, fields */
	struct str fields; /* the parameter `fields` of one record                                */
};

/* Texts in the arena, for somebody with these classes. Errors: ERR_NO_MEMORY. */
MUST_CHECK enum err record_schema_of(const struct record_resource *r, uint32_t read_classes,
				     uint32_t write_classes, struct arena *a,
				     struct record_schema *out);

#endif
