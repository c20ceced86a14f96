/*
 * schema_parts.h — the keywords of a schema, for the file that checks schemas and the one that puts values to them. Not for other folders.
 */
#ifndef BIMODAL_FLAG_SCHEMA_PARTS_H
#define BIMODAL_FLAG_SCHEMA_PARTS_H

#include "flag/schema.h"

enum flag_keyword {
	FLAG_K_TYPE,
	FLAG_K_ENUM,
	FLAG_K_CONST,
	FLAG_K_PROPERTIES,
	FLAG_K_REQUIRED,
	FLAG_K_ADDITIONAL,
	FLAG_K_ITEMS,
	FLAG_K_MIN_ITEMS,
	FLAG_K_MAX_ITEMS,
	FLAG_K_MINIMUM,
	FLAG_K_MAXIMUM,
	FLAG_K_ABOVE,
	FLAG_K_BELOW,
	FLAG_K_MIN_LENGTH,
	FLAG_K_MAX_LENGTH,
	FLAG_K_PATTERN,
	FLAG_K_ANY_OF,
	FLAG_K_ALL_OF,
	FLAG_K_NOTE,
	FLAG_KEYWORDS
};

enum flag_form {
	FLAG_F_TYPES,
	FLAG_F_LIST,
	FLAG_F_ANYTHING,
	FLAG_F_MAP,
	FLAG_F_TEXTS,
	FLAG_F_SCHEMA,
	FLAG_F_COUNT,
	FLAG_F_NUMBER,
	FLAG_F_REGEX,
	FLAG_F_SCHEMAS
};

struct flag_schema_keyword {
	const char *name;
	enum flag_keyword keyword;
	enum flag_form form; /* what it must look like */
};

/* NULL: there is none of that name. */
const struct flag_schema_keyword *flag_schema_keyword(struct str name);
bool flag_schema_whole(const struct flag_value *v);

#endif
