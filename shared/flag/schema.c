/*
 * schema.c — JSON Schema on the trees of value.h. A table of keywords says what each must look like in a schema; a stack of frames, one
 * for each schema that is being put to a value, does the rest. Invariant: a frame's schema is a part of the schema of the frame below, so
 * the stack is never deeper than a text may be.
 */
#include "flag/schema.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "flag/predicate.h"

#define PLACE_SIZE 192
#define WHY_SIZE 120
#define FRAMES_MAX (JSON_DEPTH_MAX + 2)

/* ---- keywords ---- */

enum keyword {
	K_TYPE,
	K_ENUM,
	K_CONST,
	K_PROPERTIES,
	K_REQUIRED,
	K_ADDITIONAL,
	K_ITEMS,
	K_MIN_ITEMS,
	K_MAX_ITEMS,
	K_MINIMUM,
	K_MAXIMUM,
	K_ABOVE,
	K_BELOW,
	K_MIN_LENGTH,
	K_MAX_LENGTH,
	K_PATTERN,
	K_ANY_OF,
	K_ALL_OF,
	K_NOTE,
	KEYWORDS
};

enum form { TYPES, LIST, ANYTHING, MAP, TEXTS, SCHEMA, COUNT, NUMBER, REGEX, SCHEMAS };

static const struct {
	const char *name;
	enum keyword keyword;
	enum form form;
} TABLE[] = {
	{ "type", K_TYPE, TYPES },
	{ "enum", K_ENUM, LIST },
	{ "const", K_CONST, ANYTHING },
	{ "properties", K_PROPERTIES, MAP },
	{ "required", K_REQUIRED, TEXTS },
	{ "additionalProperties", K_ADDITIONAL, SCHEMA },
	{ "items", K_ITEMS, SCHEMA },
	{ "minItems", K_MIN_ITEMS, COUNT },
	{ "maxItems", K_MAX_ITEMS, COUNT },
	{ "minimum", K_MINIMUM, NUMBER },
	{ "maximum", K_MAXIMUM, NUMBER },
	{ "exclusiveMinimum", K_ABOVE, NUMBER },
	{ "exclusiveMaximum", K_BELOW, NUMBER },
	{ "minLength", K_MIN_LENGTH, COUNT },
	{ "maxLength", K_MAX_LENGTH, COUNT },
	{ "pattern", K_PATTERN, REGEX },
	{ "anyOf", K_ANY_OF, SCHEMAS },
	{ "allOf", K_ALL_OF, SCHEMAS },
	{ "title", K_NOTE, ANYTHING },
	{ "description", K_NOTE, ANYTHING },
	{ "default", K_NOTE, ANYTHING },
	{ "examples", K_NOTE, ANYTHING },
	{ "$schema", K_NOTE, ANYTHING },
	{ "$comment", K_NOTE, ANYTHING },
};

static int
keyword_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(TABLE); i++)
		if (str_is(name, TABLE[i].name))
			return (int)i;
	return -1;
}

static bool
is_whole(const struct flag_value *v)
{
	return v->kind == JSON_NUMBER && floor(v->number) == v->number;
}

static bool
is_of_type(const struct flag_value *v, struct str type)
{
	switch (v->kind) {
	case JSON_NULL:
		return str_is(type, "null");
	case JSON_TRUE:
	case JSON_FALSE:
		return str_is(type, "boolean");
	case JSON_NUMBER:
		return str_is(type, "number") || (str_is(type, "integer") && is_whole(v));
	case JSON_STRING:
		return str_is(type, "string");
	case JSON_ARRAY:
		return str_is(type, "array");
	case JSON_OBJECT:
		return str_is(type, "object");
	}
	return false;
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
	const int i = keyword_find(v->key);

	if (i < 0)
		return refuse(c, v, "is not a keyword that is understood here");
	switch (TABLE[i].form) {
	case TYPES:
		return types_check(c, v);
	case LIST:
		return v->kind == JSON_ARRAY && v->n > 0
			       ? ERR_OK
			       : refuse(c, v, "must be an array of values");
	case ANYTHING:
		return ERR_OK;
	case MAP:
		return schemas_check(c, v, JSON_OBJECT);
	case TEXTS:
		return texts_check(c, v);
	case SCHEMA:
		return schema_add(c, v);
	case COUNT:
		return is_whole(v) && v->number >= 0
			       ? ERR_OK
			       : refuse(c, v, "must be a whole number from 0");
	case NUMBER:
		return v->kind == JSON_NUMBER ? ERR_OK : refuse(c, v, "must be a number");
	case REGEX:
		return pattern_check(c, v);
	case SCHEMAS:
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

/* ---- a value ---- */

struct frame {
	const struct flag_value *schema;
	const struct flag_value *value;
	const struct flag_value *member; /* keyword at work */
	uint32_t n_member;
	const struct flag_value *child; /* of the value or the keyword, at work */
	uint32_t n_child;
	bool begun; /* the keyword is */
};

struct fitting {
	struct arena *arena;
	const struct flag_value *root;
	const char *at;
	struct err_info info;
	struct frame frames[FRAMES_MAX];
	unsigned depth;
	unsigned alternatives; /* frames below that may fail without the whole failing */
	unsigned steps;
	unsigned work; /* of patterns */
};

enum verdict { FITS, FITS_NOT, GOES_DOWN, STOPPED };

static enum verdict misfit(struct fitting *f, const struct flag_value *where, const char *fmt, ...)
	PRINTF(3, 4);

static enum verdict
misfit(struct fitting *f, const struct flag_value *where, const char *fmt, ...)
{
	char place[PLACE_SIZE];
	char why[WHY_SIZE];
	va_list args;

	if (f->alternatives > 0)
		return FITS_NOT;
	va_start(args, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	flag_value_pointer(f->root, where, f->at, place, sizeof(place));
	(void)err_set(&f->info, ERR_INVALID, place, "does not fit the schema: %s", why);
	return FITS_NOT;
}

static bool
spent(struct fitting *f)
{
	if (++f->steps <= FLAG_SCHEMA_STEPS_MAX)
		return false;
	(void)err_set(&f->info, ERR_TOO_LARGE, f->at, "takes too long to put to its schema");
	return true;
}

static enum verdict
down(struct fitting *f, const struct flag_value *schema, const struct flag_value *value)
{
	f->frames[f->depth++] = (struct frame) { .schema = schema, .value = value };
	return GOES_DOWN;
}

static size_t
characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static enum verdict
type_fits(struct fitting *f, const struct flag_value *k, const struct flag_value *v)
{
	const struct flag_value *e = flag_value_first(k);

	if (k->kind == JSON_STRING)
		return is_of_type(v, k->text)
			       ? FITS
			       : misfit(f, v, "must be of type %.*s", STR_FMT(k->text));
	for (uint32_t i = 0; i < k->n; i++, e = flag_value_next(e))
		if (is_of_type(v, e->text))
			return FITS;
	return misfit(f, v, "is of no type that is allowed");
}

static enum verdict
enum_fits(struct fitting *f, const struct flag_value *k, const struct flag_value *v)
{
	const struct flag_value *e = flag_value_first(k);

	for (uint32_t i = 0; i < k->n; i++, e = flag_value_next(e)) {
		f->steps += e->size;
		if (flag_value_equal(e, v))
			return FITS;
	}
	return misfit(f, v, "is none of the values that are allowed");
}

static enum verdict
required_fits(struct fitting *f, const struct flag_value *k, const struct flag_value *v)
{
	const struct flag_value *e = flag_value_first(k);

	for (uint32_t i = 0; v->kind == JSON_OBJECT && i < k->n; i++, e = flag_value_next(e)) {
		f->steps += v->n;
		if (flag_value_member(v, e->text) == NULL)
			return misfit(f, v, "\"%.*s\" is required", STR_FMT(e->text));
	}
	return FITS;
}

static enum verdict
number_fits(struct fitting *f, enum keyword keyword, const struct flag_value *k,
	    const struct flag_value *v)
{
	if (v->kind != JSON_NUMBER)
		return FITS;
	if (keyword == K_MINIMUM && v->number < k->number)
		return misfit(f, v, "must be at least %.*s", STR_FMT(k->text));
	if (keyword == K_MAXIMUM && v->number > k->number)
		return misfit(f, v, "must be at most %.*s", STR_FMT(k->text));
	if (keyword == K_ABOVE && v->number <= k->number)
		return misfit(f, v, "must be above %.*s", STR_FMT(k->text));
	if (keyword == K_BELOW && v->number >= k->number)
		return misfit(f, v, "must be below %.*s", STR_FMT(k->text));
	return FITS;
}

static enum verdict
count_fits(struct fitting *f, enum keyword keyword, const struct flag_value *k,
	   const struct flag_value *v)
{
	const bool of_text = keyword == K_MIN_LENGTH || keyword == K_MAX_LENGTH;
	const bool least = keyword == K_MIN_LENGTH || keyword == K_MIN_ITEMS;

	if (v->kind != (of_text ? JSON_STRING : JSON_ARRAY))
		return FITS;
	const double n = of_text ? (double)characters(v->text) : (double)v->n;
	if (least ? n >= k->number : n <= k->number)
		return FITS;
	return misfit(f, v, "must have at %s %.*s %s", least ? "least" : "most", STR_FMT(k->text),
		      of_text ? "characters" : "elements");
}

static enum verdict
pattern_fits(struct fitting *f, const struct flag_value *k, const struct flag_value *v)
{
	const struct flag_pattern *p = NULL;
	char why[WHY_SIZE] = "";

	if (v->kind != JSON_STRING)
		return FITS;
	if (flag_pattern_compile(f->arena, k->text, false, &p, why, sizeof(why)) != ERR_OK) {
		(void)err_set(&f->info, ERR_NO_MEMORY, f->at, "no memory for the schema");
		return STOPPED;
	}
	f->steps += FLAG_PATTERN_BYTES_MAX;
	if (v->text.len <= FLAG_PATTERN_SUBJECT_MAX &&
	    flag_pattern_match(p, v->text, &f->work) == 1)
		return FITS;
	return misfit(f, v, "must match %.*s", STR_FMT(k->text));
}

/* The next child that the keyword of the frame has a schema for, or FITS: there is none any more. */
static enum verdict
children_next(struct fitting *f, struct frame *top, enum keyword keyword)
{
	const struct flag_value *const k = top->member;
	const struct flag_value *const v = top->value;
	const struct flag_value *const all = keyword == K_ALL_OF ? k : v;
	const bool of_array = keyword == K_ITEMS;

	if (keyword != K_ALL_OF && v->kind != (of_array ? JSON_ARRAY : JSON_OBJECT))
		return FITS;
	if (!top->begun) {
		top->begun = true;
		top->child = flag_value_first(all);
		top->n_child = 0;
	}
	while (top->n_child < all->n) {
		const struct flag_value *const child = top->child;
		const struct flag_value *schema = k;
		top->child = flag_value_next(child);
		top->n_child++;
		if (spent(f))
			return STOPPED;
		if (keyword == K_ALL_OF)
			return down(f, child, v);
		if (keyword == K_PROPERTIES) {
			schema = flag_value_member(k, child->key);
			f->steps += k->n;
		} else if (keyword == K_ADDITIONAL) {
			const struct flag_value *const named =
				flag_value_member(top->schema, STR("properties"));
			f->steps += named != NULL ? named->n : 0;
			if (named != NULL && flag_value_member(named, child->key) != NULL)
				schema = NULL;
			else if (k->kind == JSON_FALSE)
				return misfit(f, child, "is not allowed here");
		}
		if (schema != NULL)
			return down(f, schema, child);
	}
	return FITS;
}

/* One after the other until one holds: a frame that comes back is told by `ended`. */
static enum verdict
any_next(struct fitting *f, struct frame *top)
{
	if (!top->begun) {
		top->begun = true;
		top->child = flag_value_first(top->member);
		top->n_child = 0;
		f->alternatives++;
	}
	if (top->n_child == top->member->n) {
		f->alternatives--;
		return misfit(f, top->value, "fits none of the schemas in anyOf");
	}
	const struct flag_value *const child = top->child;
	top->child = flag_value_next(child);
	top->n_child++;
	return down(f, child, top->value);
}

static enum verdict
keyword_fits(struct fitting *f, struct frame *top)
{
	const struct flag_value *const k = top->member;
	const struct flag_value *const v = top->value;
	const enum keyword keyword = TABLE[keyword_find(k->key)].keyword;

	switch (keyword) {
	case K_TYPE:
		return type_fits(f, k, v);
	case K_ENUM:
		return enum_fits(f, k, v);
	case K_CONST:
		f->steps += k->size;
		return flag_value_equal(k, v) ? FITS : misfit(f, v, "is not the value it must be");
	case K_REQUIRED:
		return required_fits(f, k, v);
	case K_MINIMUM:
	case K_MAXIMUM:
	case K_ABOVE:
	case K_BELOW:
		return number_fits(f, keyword, k, v);
	case K_MIN_ITEMS:
	case K_MAX_ITEMS:
	case K_MIN_LENGTH:
	case K_MAX_LENGTH:
		return count_fits(f, keyword, k, v);
	case K_PATTERN:
		return pattern_fits(f, k, v);
	case K_PROPERTIES:
	case K_ADDITIONAL:
	case K_ITEMS:
	case K_ALL_OF:
		return children_next(f, top, keyword);
	case K_ANY_OF:
		return any_next(f, top);
	case K_NOTE:
	case KEYWORDS:
		break;
	}
	return FITS;
}

/* What the frame on top has to say: all its keywords, until one goes down or does not fit. */
static enum verdict
frame_go(struct fitting *f, struct frame *top)
{
	const struct flag_value *const s = top->schema;

	if (s->kind != JSON_OBJECT)
		return s->kind == JSON_TRUE ? FITS
					    : misfit(f, top->value, "nothing is allowed here");
	if (top->member == NULL)
		top->member = flag_value_first(s);
	while (top->n_member < s->n) {
		if (spent(f))
			return STOPPED;
		const enum verdict v = keyword_fits(f, top);
		if (v != FITS)
			return v;
		top->member = flag_value_next(top->member);
		top->n_member++;
		top->begun = false;
	}
	return FITS;
}

static bool
at_any(const struct frame *top)
{
	return top->begun && str_is(top->member->key, "anyOf");
}

/* The frame on top has ended; what that means to those below. */
static bool
ended(struct fitting *f, enum verdict v)
{
	f->depth--;
	while (f->depth > 0) {
		struct frame *const below = &f->frames[f->depth - 1];
		if (!at_any(below)) {
			if (v == FITS)
				return true;
			f->depth--;
			continue;
		}
		if (v == FITS_NOT)
			return true; /* the next alternative */
		f->alternatives--;
		below->member = flag_value_next(below->member);
		below->n_member++;
		below->begun = false;
		return true;
	}
	return v == FITS;
}

enum err
flag_schema_fits(struct arena *a, const struct flag_value *schema, const struct flag_value *value,
		 const char *at, struct err_info *info)
{
	struct fitting *f = arena_alloc(a, sizeof(*f));

	if (f == NULL)
		return err_set(info, ERR_NO_MEMORY, at, "no memory for the schema");
	*f = (struct fitting) { .arena = a, .root = value, .at = at, .work = FLAG_WORK_MAX };
	bool fits = down(f, schema, value) == GOES_DOWN;
	while (fits && f->depth > 0) {
		const enum verdict v = frame_go(f, &f->frames[f->depth - 1]);
		fits = v == GOES_DOWN || (v != STOPPED && ended(f, v));
	}
	return fits ? ERR_OK : err_set(info, f->info.code, f->info.field, "%s", f->info.msg);
}
