/*
 * schema.h — a JSON Schema for the values of a flag that are objects: checked when a flag is saved, so that what an application gets has
 * the form that it was promised. A part of draft 2020-12, and nothing else is let in:
 *
 *	type                         a name or several: null boolean object array number integer string
 *	enum const                   one of these values; this value
 *	properties required additionalProperties (a schema, true or false)
 *	items minItems maxItems      a schema for all elements; how many
 *	minimum maximum exclusiveMinimum exclusiveMaximum
 *	minLength maxLength pattern  characters; a regular expression that is bounded as in conditions (condition.h)
 *	anyOf allOf                  schemas, of which one or all must hold
 *	title description default examples $schema $comment   say something to people, and nothing here
 *
 * A schema may be true or false as well. There are no references, so nothing is without an end; neither function recurses, and checking
 * a value takes FLAG_SCHEMA_STEPS_MAX steps at most.
 */
#ifndef BIMODAL_FLAG_SCHEMA_H
#define BIMODAL_FLAG_SCHEMA_H

#include "flag/value.h"

#define FLAG_SCHEMA_VALUES_MAX 2000 /* in the text of a schema, and of a value put to it */
#define FLAG_SCHEMA_STEPS_MAX 100000

/*
 * May this stand as a schema? `at`: JSON pointer of it. Errors: ERR_INVALID with place and reason, ERR_NO_MEMORY.
 */
MUST_CHECK enum err flag_schema_check(struct arena *a, const struct flag_value *schema,
				      const char *at, struct err_info *info);
/*
 * Does the value fit a schema that has been checked? `at`: JSON pointer of the value. Errors: ERR_INVALID with the place in the value and
 * what the schema wants there; ERR_TOO_LARGE: past the steps; ERR_NO_MEMORY.
 */
MUST_CHECK enum err flag_schema_fits(struct arena *a, const struct flag_value *schema,
				     const struct flag_value *value, const char *at,
				     struct err_info *info);

#endif
