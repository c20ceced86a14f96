/*
 * schema_fits.c — puts a value to a JSON Schema that has been checked: a stack of frames, one for each schema at work. Invariant: a frame's
 * schema is a part of the schema of the frame below, so the stack is never deeper than a text may be.
 */
#include <stdarg.h>
#include <stdio.h>

#include "flag/predicate.h"
#include "flag/schema_parts.h"

#define PLACE_SIZE 192
#define WHY_SIZE 120
#define FRAMES_MAX (JSON_DEPTH_MAX + 2)

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
is_of_type(const struct flag_value *v, struct str type)
{
	switch (v->kind) {
	case JSON_NULL:
		return str_is(type, "null");
	case JSON_TRUE:
	case JSON_FALSE:
		return str_is(type, "boolean");
	case JSON_NUMBER:
		return str_is(type, "number") || (str_is(type, "integer") && flag_schema_whole(v));
	case JSON_STRING:
		return str_is(type, "string");
	case JSON_ARRAY:
		return str_is(type, "array");
	case JSON_OBJECT:
		return str_is(type, "object");
	}
	return false;
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
number_fits(struct fitting *f, enum flag_keyword keyword, const struct flag_value *k,
	    const struct flag_value *v)
{
	if (v->kind != JSON_NUMBER)
		return FITS;
	if (keyword == FLAG_K_MINIMUM && v->number < k->number)
		return misfit(f, v, "must be at least %.*s", STR_FMT(k->text));
	if (keyword == FLAG_K_MAXIMUM && v->number > k->number)
		return misfit(f, v, "must be at most %.*s", STR_FMT(k->text));
	if (keyword == FLAG_K_ABOVE && v->number <= k->number)
		return misfit(f, v, "must be above %.*s", STR_FMT(k->text));
	if (keyword == FLAG_K_BELOW && v->number >= k->number)
		return misfit(f, v, "must be below %.*s", STR_FMT(k->text));
	return FITS;
}

static enum verdict
count_fits(struct fitting *f, enum flag_keyword keyword, const struct flag_value *k,
	   const struct flag_value *v)
{
	const bool of_text = keyword == FLAG_K_MIN_LENGTH || keyword == FLAG_K_MAX_LENGTH;
	const bool least = keyword == FLAG_K_MIN_LENGTH || keyword == FLAG_K_MIN_ITEMS;

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
children_next(struct fitting *f, struct frame *top, enum flag_keyword keyword)
{
	const struct flag_value *const k = top->member;
	const struct flag_value *const v = top->value;
	const struct flag_value *const all = keyword == FLAG_K_ALL_OF ? k : v;
	const bool of_array = keyword == FLAG_K_ITEMS;

	if (keyword != FLAG_K_ALL_OF && v->kind != (of_array ? JSON_ARRAY : JSON_OBJECT))
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
		if (keyword == FLAG_K_ALL_OF)
			return down(f, child, v);
		if (keyword == FLAG_K_PROPERTIES) {
			schema = flag_value_member(k, child->key);
			f->steps += k->n;
		} else if (keyword == FLAG_K_ADDITIONAL) {
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
	const enum flag_keyword keyword = flag_schema_keyword(k->key)->keyword;

	switch (keyword) {
	case FLAG_K_TYPE:
		return type_fits(f, k, v);
	case FLAG_K_ENUM:
		return enum_fits(f, k, v);
	case FLAG_K_CONST:
		f->steps += k->size;
		return flag_value_equal(k, v) ? FITS : misfit(f, v, "is not the value it must be");
	case FLAG_K_REQUIRED:
		return required_fits(f, k, v);
	case FLAG_K_MINIMUM:
	case FLAG_K_MAXIMUM:
	case FLAG_K_ABOVE:
	case FLAG_K_BELOW:
		return number_fits(f, keyword, k, v);
	case FLAG_K_MIN_ITEMS:
	case FLAG_K_MAX_ITEMS:
	case FLAG_K_MIN_LENGTH:
	case FLAG_K_MAX_LENGTH:
		return count_fits(f, keyword, k, v);
	case FLAG_K_PATTERN:
		return pattern_fits(f, k, v);
	case FLAG_K_PROPERTIES:
	case FLAG_K_ADDITIONAL:
	case FLAG_K_ITEMS:
	case FLAG_K_ALL_OF:
		return children_next(f, top, keyword);
	case FLAG_K_ANY_OF:
		return any_next(f, top);
	case FLAG_K_NOTE:
	case FLAG_KEYWORDS:
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
