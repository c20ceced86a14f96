/*
 * schema.c — may this stand as a JSON Schema? A table of keywords says what each must look like; the schemas inside wait in a list, so
 * that nothing recurses. Putting values to a schema is schema_fits.c.
 */
#include <math.h>

#include "flag/predicate.h"
#include "flag/schema_parts.h"

#define PLACE_SIZE 192
#define WHY_SIZE 120

/* ---- keywords ---- */

static const struct flag_schema_keyword TABLE[] = {
	{ "type", FLAG_K_TYPE, FLAG_F_TYPES },
	{ "enum", FLAG_K_ENUM, FLAG_F_LIST },
	{ "const", FLAG_K_CONST, FLAG_F_ANYTHING },
	{ "properties", FLAG_K_PROPERTIES, FLAG_F_MAP },
	{ "required", FLAG_K_REQUIRED, FLAG_F_TEXTS },
	{ "additionalProperties", FLAG_K_ADDITIONAL, FLAG_F_SCHEMA },
	{ "items", FLAG_K_ITEMS, FLAG_F_SCHEMA },
	{ "minItems", FLAG_K_MIN_ITEMS, FLAG_F_COUNT },
	{ "maxItems", FLAG_K_MAX_ITEMS, FLAG_F_COUNT },
	{ "minimum", FLAG_K_MINIMUM, FLAG_F_NUMBER },
	{ "maximum", FLAG_K_MAXIMUM, FLAG_F_NUMBER },
	{ "exclusiveMinimum", FLAG_K_ABOVE, FLAG_F_NUMBER },
	{ "exclusiveMaximum", FLAG_K_BELOW, FLAG_F_NUMBER },
	{ "minLength", FLAG_K_MIN_LENGTH, FLAG_F_COUNT },
	{ "maxLength", FLAG_K_MAX_LENGTH, FLAG_F_COUNT },
	{ "pattern", FLAG_K_PATTERN, FLAG_F_REGEX },
	{ "anyOf", FLAG_K_ANY_OF, FLAG_F_SCHEMAS },
	{ "allOf", FLAG_K_ALL_OF, FLAG_F_SCHEMAS },
	{ "title", FLAG_K_NOTE, FLAG_F_ANYTHING },
	{ "description", FLAG_K_NOTE, FLAG_F_ANYTHING },
	{ "default", FLAG_K_NOTE, FLAG_F_ANYTHING },
	{ "examples", FLAG_K_NOTE, FLAG_F_ANYTHING },
	{ "$schema", FLAG_K_NOTE, FLAG_F_ANYTHING },
	{ "$comment", FLAG_K_NOTE, FLAG_F_ANYTHING },
};

const struct flag_schema_keyword *
flag_schema_keyword(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(TABLE); i++)
		if (str_is(name, TABLE[i].name))
			return &TABLE[i];
	return NULL;
}

bool
flag_schema_whole(const struct flag_value *v)
{
	return v->kind == JSON_NUMBER && floor(v->number) == v->number;
}

/* ---- a schema ---- */

struct check {
	struct arena *arena;
	const struct flag_value *root;
	const char *at;
	struct err_info *info;
	const struct flag_value **todo; /* schemas; as many as the tree has nodes fit */
	size_t n;
};

static enum err
refuse(const struct check *c, const struct flag_value *where, const char *why)
{
	char place[PLACE_SIZE];

	flag_value_pointer(c->root, where, c->at, place, sizeof(place));
	return err_set(c->info, ERR_INVALID, place, "%s", why);
}

static enum err
schema_add(struct check *c, const struct flag_value *v)
{
	if (v->kind != JSON_OBJECT && v->kind != JSON_TRUE && v->kind != JSON_FALSE)
		return refuse(c, v, "must be a schema: an object, true or false");
	c->todo[c->n++] = v;
	return ERR_OK;
}

static bool
type_known(const struct flag_value *v)
{
	static const char *const names[] = { "null",   "boolean", "object", "array",
					     "number", "integer", "string" };

	for (size_t i = 0; i < ARRAY_LEN(names) && v->kind == JSON_STRING; i++)
		if (str_is(v->text, names[i]))
			return true;
	return false;
}

static enum err
types_check(const struct check *c, const struct flag_value *v)
{
	static const char why[] = "must be null, boolean, object, array, number, integer or string";
	const struct flag_value *e = flag_value_first(v);

	if (v->kind != JSON_ARRAY)
		return type_known(v) ? ERR_OK : refuse(c, v, why);
	if (v->n == 0)
		return refuse(c, v, "must name a type");
	for (uint32_t i = 0; i < v->n; i++, e = flag_value_next(e))
		if (!type_known(e))
			return refuse(c, e, why);
	return ERR_OK;
}

static enum err
texts_check(const struct check *c, const struct flag_value *v)
{
	const struct flag_value *e = flag_value_first(v);

	if (v->kind != JSON_ARRAY)
		return refuse(c, v, "must be an array of names");
	for (uint32_t i = 0; i < v->n; i++, e = flag_value_next(e))
		if (e->kind != JSON_STRING)
			return refuse(c, e, "must be a name");
	return ERR_OK;
}

/* Members or elements that are schemas. */
static enum err
schemas_check(struct check *c, const struct flag_value *v, enum json_kind kind)
{
	const struct flag_value *e = flag_value_first(v);
	enum err err = ERR_OK;

	if (v->kind != kind)
		return refuse(c, v,
			      kind == JSON_OBJECT ? "must be an object of schemas"
						  : "must be an array of schemas");
	if (v->n == 0 && kind == JSON_ARRAY)
		return refuse(c, v, "must hold a schema");
	for (uint32_t i = 0; i < v->n && err == ERR_OK; i++, e = flag_value_next(e))
		err = schema_add(c, e);
	return err;
}

static enum err
pattern_check(const struct check *c, const struct flag_value *v)
{
	const struct flag_pattern *p = NULL;
	char why[WHY_SIZE] = "";

	if (v->kind != JSON_STRING)
		return refuse(c, v, "must be a regular expression");
	const enum err err = flag_pattern_compile(c->arena, v->text, false, &p, why, sizeof(why));
	if (err == ERR_OK)
		return ERR_OK;
	return err == ERR_INVALID ? refuse(c, v, why)
				  : err_set(c->info, err, c->at, "no memory for the schema");
}

static enum err
member_check(struct check *c, const struct flag_value *v)
{
	const struct flag_schema_keyword *const k = flag_schema_keyword(v->key);

	if (k == NULL)
		return refuse(c, v, "is not a keyword that is understood here");
	switch (k->form) {
	case FLAG_F_TYPES:
		return types_check(c, v);
	case FLAG_F_LIST:
		return v->kind == JSON_ARRAY && v->n > 0
			       ? ERR_OK
			       : refuse(c, v, "must be an array of values");
	case FLAG_F_ANYTHING:
		return ERR_OK;
	case FLAG_F_MAP:
		return schemas_check(c, v, JSON_OBJECT);
	case FLAG_F_TEXTS:
		return texts_check(c, v);
	case FLAG_F_SCHEMA:
		return schema_add(c, v);
	case FLAG_F_COUNT:
		return flag_schema_whole(v) && v->number >= 0
			       ? ERR_OK
			       : refuse(c, v, "must be a whole number from 0");
	case FLAG_F_NUMBER:
		return v->kind == JSON_NUMBER ? ERR_OK : refuse(c, v, "must be a number");
	case FLAG_F_REGEX:
		return pattern_check(c, v);
	case FLAG_F_SCHEMAS:
		return schemas_check(c, v, JSON_ARRAY);
	}
	return ERR_OK;
}

enum err
flag_schema_check(struct arena *a, const struct flag_value *schema, const char *at,
		  struct err_info *info)
{
	struct check c = { .arena = a, .root = schema, .at = at, .info = info };

	c.todo = arena_alloc(a, schema->size * sizeof(const struct flag_value *));
	if (c.todo == NULL)
		return err_set(info, ERR_NO_MEMORY, at, "no memory for the schema");
	enum err err = schema_add(&c, schema);
	while (err == ERR_OK && c.n > 0) {
		const struct flag_value *const s = c.todo[--c.n];
		const struct flag_value *m = flag_value_first(s);
		for (uint32_t i = 0; s->kind == JSON_OBJECT && i < s->n && err == ERR_OK;
		     i++, m = flag_value_next(m))
			err = member_check(&c, m);
	}
	return err;
}
