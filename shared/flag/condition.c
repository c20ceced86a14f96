/*
 * condition.c — from the JSON of a condition to the flat array of predicates that predicate.c walks. Runs when a flag is
 * saved (what is wrong goes to the author, with the JSON pointer of the place) and when a snapshot is built.
 *
 * The text is walked once with a stack of open places; each is closed by setting the size of its predicate. Nothing
 * recurses, and depth, predicates and values are limited. In lenient mode what is not understood becomes OP_FALSE.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "flag/operators.h"
#include "flag/predicate.h"

enum place_kind { PLACE_CONDITION, PLACE_OPERATORS, PLACE_CONDITIONS, PLACE_VALUES, PLACE_CLOSE };

struct place {
	enum place_kind kind;
	const struct flag_value *next;
	uint32_t left;
	uint32_t predicate; /* whose size is set when the place is closed */
	bool folded;
};

struct compiler {
	const struct flag_condition_compiler *how;
	const struct flag_value *root;
	const char *at;
	struct err_info *info;
	struct flag_predicate *predicates;
	uint32_t n, room;
	unsigned depth;
	struct place open[FLAG_CONDITION_DEPTH_MAX];
	/* The path of the next predicate. */
	const struct str *path;
	uint32_t n_path;
	bool is_unit;
};

/* ---- errors ---- */

static enum err
no_memory(struct compiler *c)
{
	return err_set(c->info, ERR_NO_MEMORY, NULL, "no memory for the condition");
}

static enum err PRINTF(4, 5)
	fail(struct compiler *c, const struct flag_value *v, enum err code, const char *fmt, ...)
{
	char place[128];
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	flag_value_pointer(c->root, v, c->at, place, sizeof(place));
	return err_set(c->info, code, place, "%s", what);
}

/* ---- emitting ---- */

static enum err
emit(struct compiler *c, const struct flag_predicate *p)
{
	if (c->n == c->room) {
		const uint32_t room = c->room == 0 ? 8 : 2 * c->room;
		if (c->n >= FLAG_CONDITION_PREDICATES_MAX)
			return fail(c, c->root, ERR_TOO_LARGE,
				    "asks more than %d things; name a segment instead",
				    FLAG_CONDITION_PREDICATES_MAX);
		struct flag_predicate *more = arena_alloc(c->how->arena, room * sizeof(*more));
		if (more == NULL)
			return no_memory(c);
		if (c->n > 0)
			memcpy(more, c->predicates, c->n * sizeof(*more));
		c->predicates = more;
		c->room = room;
	}
	struct flag_predicate *at = &c->predicates[c->n++];
	*at = *p;
	at->size = 1;
	at->path = c->path;
	at->n_path = c->n_path;
	at->is_unit = c->is_unit;
	c->path = NULL;
	c->n_path = 0;
	c->is_unit = false;
	return ERR_OK;
}

/* What is wrong with v: an error for its author, false for what is stored. */
static enum err
refuse(struct compiler *c, const struct flag_value *v, const char *why)
{
	if (c->how->lenient)
		return emit(c, &(struct flag_predicate) { .op = OP_FALSE });
	return fail(c, v, ERR_INVALID, "%s", why);
}

static enum err
open_place(struct compiler *c, enum place_kind kind, const struct flag_value *v, bool folded)
{
	if (c->depth == FLAG_CONDITION_DEPTH_MAX)
		return fail(c, v, ERR_TOO_LARGE, "is nested deeper than %d levels",
			    FLAG_CONDITION_DEPTH_MAX);
	c->open[c->depth++] =
		(struct place) { .kind = kind,
				 .next = kind == PLACE_CLOSE ? v : flag_value_first(v),
				 .left = kind == PLACE_CLOSE ? 0 : v->n,
				 .predicate = c->n - 1,
				 .folded = folded };
	return ERR_OK;
}

/* A group of v's children, or (PLACE_CLOSE) of the one predicate that follows. */
static enum err
emit_group(struct compiler *c, enum flag_op op, enum place_kind kind, const struct flag_value *v,
	   bool folded)
{
	const enum err err = emit(c, &(struct flag_predicate) { .op = op });
	return err == ERR_OK ? open_place(c, kind, v, folded) : err;
}

/* ---- names ---- */

static enum err
name_add(struct compiler *c, struct flag_name_list *list, struct str name)
{
	if (list == NULL)
		return ERR_OK;
	const enum err err = flag_name_add(c->how->arena, list, name);
	return err == ERR_NO_MEMORY ? no_memory(c) : err;
}

/* "a.b.c" becomes the path of the next predicate. */
static enum err
path_set(struct compiler *c, const struct flag_value *v)
{
	struct str rest = v->key;
	uint32_t n = 1;

	for (size_t i = 0; i < rest.len; i++)
		n += rest.p[i] == '.';
	if (n > FLAG_PATH_SEGMENTS_MAX)
		return fail(c, v, ERR_TOO_LARGE, "the path has more than %d names",
			    FLAG_PATH_SEGMENTS_MAX);
	struct str *path = arena_alloc(c->how->arena, n * sizeof(*path));
	if (path == NULL)
		return no_memory(c);
	for (uint32_t i = 0; i < n; i++) {
		path[i] = str_cut(&rest, '.');
		if (path[i].len == 0 && !c->how->lenient)
			return fail(c, v, ERR_INVALID, "a name in the path is empty");
	}
	c->path = path;
	c->n_path = n;
	c->is_unit = n == 1 && str_is(path[0], "targetingKey");
	return name_add(c, c->how->attributes, v->key);
}

/* ---- values ---- */

static bool
is_operators(const struct flag_value *v)
{
	const struct flag_value *m = flag_value_first(v);

	for (uint32_t i = 0; i < v->n; i++, m = flag_value_next(m))
		if (!str_starts(m->key, "$"))
			return false;
	return v->kind == JSON_OBJECT && v->n > 0;
}

static enum err
members_check(struct compiler *c, const struct flag_value *v)
{
	const struct flag_value *m = flag_value_first(v);

	for (uint32_t i = 0; i < v->n && !c->how->lenient; i++, m = flag_value_next(m))
		if (flag_value_member(v, m->key) != m)
			return fail(c, m, ERR_INVALID, "is there twice");
	return ERR_OK;
}

/* An object that is compared as a whole must not look like one with operators. */
static enum err
plain_check(struct compiler *c, const struct flag_value *v)
{
	const struct flag_value *m = flag_value_first(v);

	if (v->kind != JSON_OBJECT || c->how->lenient)
		return ERR_OK;
	for (uint32_t i = 0; i < v->n; i++, m = flag_value_next(m))
		if (str_starts(m->key, "$"))
			return fail(c, m, ERR_INVALID,
				    "operators cannot be mixed with other members");
	return members_check(c, v);
}

static enum err
emit_plain(struct compiler *c, const struct flag_value *v, bool folded)
{
	struct flag_predicate p = { .op = OP_JSON, .as.value = v };

	switch (v->kind) {
	case JSON_STRING:
		p = (struct flag_predicate) { .op = OP_TEXT, .as.text = v->text, .folded = folded };
		if (folded && flag_fold_in(c->how->arena, v->text, &p.as.text) != ERR_OK)
			return no_memory(c);
		break;
	case JSON_NUMBER:
		p.op = OP_NUMBER;
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		p.op = OP_TRUTH;
		break;
	case JSON_NULL:
		p.op = OP_NULL;
		break;
	default:
		break;
	}
	const enum err err = plain_check(c, v);
	return err == ERR_OK ? emit(c, &p) : err;
}

static enum err operator_emit(struct compiler *c, const struct flag_value *m);

/* What an attribute must be: a plain value, or operators that all hold. */
static enum err
emit_value(struct compiler *c, const struct flag_value *v, bool folded)
{
	if (!is_operators(v))
		return emit_plain(c, v, folded);
	const enum err err = members_check(c, v);
	if (err != ERR_OK)
		return err;
	if (v->n == 1)
		return operator_emit(c, flag_value_first(v));
	return emit_group(c, OP_AND, PLACE_OPERATORS, v, false);
}

static enum err
emit_condition(struct compiler *c, const struct flag_value *v, enum flag_op op)
{
	if (v->kind != JSON_OBJECT)
		return refuse(c, v, "must be an object");
	const enum err err = members_check(c, v);
	return err == ERR_OK ? emit_group(c, op, PLACE_CONDITION, v, false) : err;
}

/* ---- operators ---- */

static enum err
emit_around(struct compiler *c, enum flag_op op, const struct flag_value *m)
{
	const enum err err = emit_group(c, op, PLACE_CLOSE, m, false);
	return err == ERR_OK ? emit_value(c, m, false) : err;
}

static enum err
emit_element(struct compiler *c, const struct flag_value *m)
{
	if (m->kind != JSON_OBJECT)
		return refuse(c, m, "must be an object");
	if (is_operators(m))
		return emit_around(c, OP_ELEMENT, m);
	const enum err err = emit_group(c, OP_ELEMENT, PLACE_CLOSE, m, false);
	return err == ERR_OK ? emit_condition(c, m, OP_AND) : err;
}

static enum err
emit_leaf(struct compiler *c, const struct flag_operator *o, const struct flag_value *m)
{
	struct flag_predicate p = {
		.op = o->op, .comparison = o->comparison, .negated = o->negated, .folded = o->folded
	};
	char why[FLAG_WHY_SIZE] = "";

	enum err err = flag_operand_read(c->how->arena, o, m, &p, why);
	if (err == ERR_NO_MEMORY)
		return no_memory(c);
	if (err != ERR_OK)
		return refuse(c, m, why);
	if (o->op == OP_SEGMENT)
		err = name_add(c, c->how->segments, p.as.text);
	return err == ERR_OK ? emit(c, &p) : err;
}

/* One member "$op": operand. */
static enum err
operator_emit(struct compiler *c, const struct flag_value *m)
{
	const struct flag_operator *const o = flag_operator_find(m->key);
	char why[FLAG_WHY_SIZE];

	if (o == NULL) {
		flag_operator_unknown(m->key, why);
		return refuse(c, m, why);
	}
	switch (o->op) {
	case OP_NOT:
	case OP_SIZE:
		return emit_around(c, o->op, m);
	case OP_ELEMENT:
		return emit_element(c, m);
	case OP_ALL:
		if (m->kind != JSON_ARRAY)
			return refuse(c, m, "must be an array");
		return emit_group(c, OP_ALL, PLACE_VALUES, m, o->folded);
	default:
		return emit_leaf(c, o, m);
	}
}

/* One member of a condition: a group of conditions, or an attribute. */
static enum err
member_emit(struct compiler *c, const struct flag_value *m)
{
	static const struct {
		const char *name;
		enum flag_op op;
	} groups[] = { { "$and", OP_AND }, { "$or", OP_OR }, { "$nor", OP_NOR } };

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (!str_is(m->key, groups[i].name))
			continue;
		if (m->kind != JSON_ARRAY)
			return refuse(c, m, "must be an array of conditions");
		return emit_group(c, groups[i].op, PLACE_CONDITIONS, m, false);
	}
	if (str_is(m->key, "$not"))
		return emit_condition(c, m, OP_NOT);
	if (str_starts(m->key, "$") && !c->how->lenient)
		return fail(c, m, ERR_INVALID,
			    "must be the name of an attribute, or $and, $or, $nor, $not");
	const enum err err = path_set(c, m);
	return err == ERR_OK ? emit_value(c, m, false) : err;
}

/* ---- the whole ---- */

static enum err
go_on(struct compiler *c)
{
	struct place *const p = &c->open[c->depth - 1];

	if (p->left == 0) {
		c->predicates[p->predicate].size = c->n - p->predicate;
		c->depth--;
		return ERR_OK;
	}
	const struct flag_value *const v = p->next;
	p->left--;
	p->next = flag_value_next(v);
	switch (p->kind) {
	case PLACE_CONDITION:
		return member_emit(c, v);
	case PLACE_OPERATORS:
		return operator_emit(c, v);
	case PLACE_CONDITIONS:
		return emit_condition(c, v, OP_AND);
	default:
		return emit_value(c, v, p->folded);
	}
}

enum err
flag_condition_compile(const struct flag_condition_compiler *how, struct str text, const char *at,
		       const struct flag_condition **out, struct err_info *info)
{
	struct compiler c = { .how = how, .at = at, .info = info };

	*out = NULL;
	enum err err =
		flag_value_read(how->arena, text, at, FLAG_CONDITION_VALUES_MAX, &c.root, info);
	if (err == ERR_OK && c.root->kind != JSON_OBJECT)
		err = err_set(info, ERR_INVALID, at, "must be an object");
	if (err == ERR_OK)
		err = emit_condition(&c, c.root, OP_AND);
	while (err == ERR_OK && c.depth > 0)
		err = go_on(&c);
	if (err != ERR_OK)
		return err;
	struct flag_condition *done = arena_alloc(how->arena, sizeof(*done));
	if (done == NULL)
		return no_memory(&c);
	done->predicates = c.predicates;
	*out = done;
	return ERR_OK;
}
