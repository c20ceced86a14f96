/*
 * predicate.c — a compiled condition, put to a context or a value. Pure; no allocation, no recursion: groups that are
 * not decided yet stand on a stack whose depth the compiler has bounded.
 *
 * Every predicate and every step of a pattern costs of the scope's work; when that is used up the whole condition is
 * false, also where a "not" is around the place. The same holds where something is asked for that is unknown.
 */
#include <math.h>
#include <string.h>

#include "flag/internal.h"
#include "flag/predicate.h"

struct frame {
	const struct flag_predicate *group;
	const struct flag_predicate *child;
	const struct flag_value *subject; /* of the group                       */
	const struct flag_value *element; /* of the subject, for ELEMENT and ALL */
	uint32_t left;                    /* elements from there on             */
	struct flag_value count;          /* for SIZE                           */
	char digits[FLAG_NUMBER_TEXT_SIZE];
};

struct walk {
	struct flag_scope *scope;
	bool limited;
	unsigned depth;
	struct frame stack[FLAG_CONDITION_DEPTH_MAX];
};

/* ---- what is asked ---- */

bool
flag_names_have(const struct flag_names *names, struct str name)
{
	for (unsigned i = 0; i < names->n; i++)
		if (str_eq(names->names[i], name))
			return true;
	return false;
}

static const struct flag_value *
context_member(struct flag_scope *scope, const struct flag_predicate *p)
{
	const struct flag_context *c = scope->context;
	const struct flag_value *v = NULL;

	if (p->is_unit)
		return c->unit.size > 0 ? &c->unit : NULL;
	if (c->attributes != NULL)
		v = flag_value_member(c->attributes, p->path[0]);
	if (v == NULL && c->record != NULL)
		v = flag_value_member(c->record, p->path[0]);
	if (v == NULL && c->unknown != NULL && flag_names_have(c->unknown, p->path[0]))
		scope->unknown = true;
	return v;
}

static const struct flag_value *
asked(struct flag_scope *scope, const struct flag_predicate *p, const struct flag_value *subject)
{
	if (p->n_path == 0)
		return subject;
	const struct flag_value *v =
		subject == NULL ? context_member(scope, p) : flag_value_member(subject, p->path[0]);
	for (uint32_t i = 1; i < p->n_path && v != NULL; i++)
		v = flag_value_member(v, p->path[i]);
	return v != NULL ? v : &flag_value_null;
}

/* ---- leaves ---- */

static bool
compared(enum flag_comparison how, int c)
{
	switch (how) {
	case CMP_EQ:
		return c == 0;
	case CMP_NE:
		return c != 0;
	case CMP_LT:
		return c < 0;
	case CMP_LTE:
		return c <= 0;
	case CMP_GT:
		return c > 0;
	case CMP_GTE:
		return c >= 0;
	}
	return false;
}

static int
text_compare(struct str a, struct str b)
{
	const size_t n = a.len < b.len ? a.len : b.len;
	const int c = n > 0 ? memcmp(a.p, b.p, n) : 0;
	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* Two texts by their bytes, anything else as numbers; what is no number is neither less nor greater. */
static bool
in_order(enum flag_comparison how, const struct flag_value *a, const struct flag_value *b)
{
	if (a->kind == JSON_STRING && b->kind == JSON_STRING)
		return compared(how, text_compare(a->text, b->text));
	const double x = flag_value_number(a);
	const double y = flag_value_number(b);
	if (isnan(x) || isnan(y))
		return false;
	return compared(how, (x > y) - (x < y));
}

static bool
folded_is(struct str text, struct str folded)
{
	char room[4 * FLAG_FOLDED_OPERAND_MAX];
	const size_t n = flag_fold(text, room, sizeof(room));
	return n <= sizeof(room) && str_eq((struct str) { room, n }, folded);
}

static bool
same_text(const struct flag_predicate *p, const struct flag_value *v)
{
	if (v->kind >= JSON_ARRAY)
		return false;
	return p->folded ? folded_is(v->text, p->as.text) : str_eq(v->text, p->as.text);
}

static bool
same_value(const struct flag_value *a, const struct flag_value *b)
{
	return a->kind == b->kind && a->kind < JSON_ARRAY && str_eq(a->text, b->text);
}

/* Of an array, any element. */
static bool
is_in(struct walk *w, const struct flag_set *set, const struct flag_value *v)
{
	if (v->kind != JSON_ARRAY)
		return flag_set_has(set, v);
	const struct flag_value *e = flag_value_first(v);
	for (uint32_t i = 0; i < v->n; i++, e = flag_value_next(e)) {
		if (w->scope->work == 0)
			break;
		w->scope->work--;
		if (flag_set_has(set, e))
			return true;
	}
	return false;
}

static bool
in_segment(struct walk *w, struct str name, const struct flag_value *v)
{
	const struct flag_context *c = w->scope->context;
	bool told = false;
	const struct flag_set *set = flag_segment_find(w->scope->snapshot, name, &told);

	if (set != NULL)
		return is_in(w, set, v);
	if (told && c != NULL && c->segments_unknown)
		w->scope->unknown = true;
	for (size_t i = 0; told && c != NULL && i < c->n_segments; i++)
		if (str_eq(c->segments[i], name))
			return true;
	return false;
}

static bool
matches(struct walk *w, const struct flag_predicate *p, const struct flag_value *v)
{
	if (v->kind == JSON_NULL || v->kind >= JSON_ARRAY)
		return p->negated;
	const int found = flag_pattern_match(p->as.pattern, v->text, &w->scope->work);
	if (found < 0)
		w->limited = true;
	return found >= 0 && (found == 1) != p->negated;
}

static bool
version_is(const struct flag_predicate *p, const struct flag_value *v)
{
	char room[FLAG_VERSION_PADDED_MAX];
	const bool versioned = v->kind == JSON_STRING || v->kind == JSON_NUMBER;
	const size_t n = flag_version_pad(versioned ? v->text : STR("0"), room);

	return n > 0 && compared(p->comparison, text_compare((struct str) { room, n }, p->as.text));
}

static bool
semver_is(const struct flag_predicate *p, const struct flag_value *v)
{
	struct flag_semver s;
	return v->kind == JSON_STRING && flag_semver_parse(v->text, &s) &&
	       compared(p->comparison, flag_semver_compare(&s, p->as.semver));
}

static bool
time_is(const struct flag_predicate *p, const struct flag_value *v)
{
	usec_t t = 0;
	if (v->kind != JSON_STRING || clock_parse_rfc3339(v->text, &t) != ERR_OK)
		return false;
	return p->op == OP_BEFORE ? t < p->as.time : t > p->as.time;
}

static bool
in_networks(const struct flag_predicate *p, const struct flag_value *v)
{
	if (v->kind != JSON_STRING)
		return false;
	for (uint32_t i = 0; i < p->n; i++)
		if (flag_network_has(&p->as.networks[i], v->text))
			return true;
	return false;
}

static bool
has_part(enum flag_op op, struct str text, struct str part)
{
	if (part.len > text.len)
		return false;
	switch (op) {
	case OP_STARTS:
		return memcmp(text.p, part.p, part.len) == 0;
	case OP_ENDS:
		return memcmp(text.p + text.len - part.len, part.p, part.len) == 0;
	default:
		return memmem(text.p, text.len, part.p, part.len) != NULL;
	}
}

static bool
has_parts(const struct flag_predicate *p, const struct flag_value *v)
{
	char room[FLAG_FOLDED_MAX];
	struct str text = v->text;

	if (v->kind != JSON_STRING)
		return false;
	if (p->folded) {
		const size_t n = flag_fold(text, room, sizeof(room));
		if (n > sizeof(room))
			return false;
		text = (struct str) { room, n };
	}
	for (uint32_t i = 0; i < p->n; i++)
		if (has_part(p->op, text, p->as.texts[i]))
			return true;
	return false;
}

static bool
type_is(struct str name, const struct flag_value *v)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",     [JSON_FALSE] = "boolean", [JSON_TRUE] = "boolean",
		[JSON_NUMBER] = "number", [JSON_STRING] = "string", [JSON_ARRAY] = "array",
		[JSON_OBJECT] = "object"
	};
	return str_is(name, names[v->kind]);
}

static bool
leaf_holds(struct walk *w, const struct flag_predicate *p, const struct flag_value *v)
{
	switch (p->op) {
	case OP_TEXT:
		return same_text(p, v);
	case OP_NUMBER:
		return v->kind < JSON_ARRAY && flag_value_number(v) == p->as.value->number;
	case OP_TRUTH:
		return v->kind != JSON_NULL &&
		       flag_value_truthy(v) == (p->as.value->kind == JSON_TRUE);
	case OP_NULL:
		return v->kind == JSON_NULL;
	case OP_JSON:
		return flag_value_equal(v, p->as.value);
	case OP_EQUAL:
		return same_value(v, p->as.value) != p->negated;
	case OP_LT:
		return in_order(CMP_LT, v, p->as.value);
	case OP_LTE:
		return in_order(CMP_LTE, v, p->as.value);
	case OP_GT:
		return in_order(CMP_GT, v, p->as.value);
	case OP_GTE:
		return in_order(CMP_GTE, v, p->as.value);
	case OP_IN:
		return is_in(w, p->as.set, v) != p->negated;
	case OP_SEGMENT:
		return in_segment(w, p->as.text, v) != p->negated;
	case OP_PATTERN:
		return matches(w, p, v);
	case OP_EXISTS:
		return (v->kind != JSON_NULL) != p->negated;
	case OP_TYPE:
		return type_is(p->as.text, v);
	case OP_VERSION:
		return version_is(p, v);
	case OP_SEMVER:
		return semver_is(p, v);
	case OP_BEFORE:
	case OP_AFTER:
		return time_is(p, v);
	case OP_NETWORK:
		return in_networks(p, v);
	case OP_STARTS:
	case OP_ENDS:
	case OP_CONTAINS:
		return has_parts(p, v);
	default:
		return false;
	}
}

/* ---- groups ---- */

static bool
is_over(const struct frame *f)
{
	return f->child >= f->group + f->group->size;
}

/* JavaScript's elemMatch passes over elements that are not true. */
static bool
element_seek(struct frame *f)
{
	while (f->left > 0 && f->group->op == OP_ELEMENT && !flag_value_truthy(f->element)) {
		f->element = flag_value_next(f->element);
		f->left--;
	}
	return f->left > 0;
}

static void
elements_begin(struct frame *f)
{
	f->element = flag_value_first(f->subject);
	f->left = f->subject->n;
}

static void
count_make(struct frame *f)
{
	const double n = f->subject->n;

	f->count = (struct flag_value) { .kind = JSON_NUMBER,
					 .size = 1,
					 .number = n,
					 .text = { f->digits, flag_number_text(n, f->digits) } };
}

/* True: a child is to be asked; false: *r is the answer already. */
static bool
group_begin(struct frame *f, bool *r)
{
	const bool is_array = f->subject != NULL && f->subject->kind == JSON_ARRAY;

	switch (f->group->op) {
	case OP_ELEMENT:
	case OP_ALL:
		*r = is_array && f->group->op == OP_ALL && is_over(f);
		if (!is_array || is_over(f))
			return false;
		elements_begin(f);
		return element_seek(f);
	case OP_SIZE:
		*r = false;
		if (is_array)
			count_make(f);
		return is_array;
	default:
		*r = f->group->op == OP_AND || f->group->op == OP_OR;
		return !is_over(f);
	}
}

/* The answer of a child. True: another is to be asked; false: *r is the answer of the group. */
static bool
group_go_on(struct frame *f, bool *r)
{
	const bool some = f->group->op == OP_OR || f->group->op == OP_NOR;

	switch (f->group->op) {
	case OP_ELEMENT:
		if (*r)
			return false;
		f->element = flag_value_next(f->element);
		f->left--;
		return element_seek(f);
	case OP_ALL:
		if (*r) {
			f->child += f->child->size;
			if (is_over(f))
				return false;
			elements_begin(f);
			return true;
		}
		f->element = flag_value_next(f->element);
		f->left--;
		return f->left > 0;
	case OP_SIZE:
		return false;
	default:
		f->child += f->child->size;
		if (*r != some && !is_over(f))
			return true;
		if (f->group->op == OP_NOT || f->group->op == OP_NOR)
			*r = !*r;
		return false;
	}
}

static const struct flag_value *
frame_subject(const struct frame *f)
{
	switch (f->group->op) {
	case OP_ELEMENT:
	case OP_ALL:
		return f->element;
	case OP_SIZE:
		return &f->count;
	default:
		return f->subject;
	}
}

/* True if r is a group whose child is to be asked next. */
static bool
enter(struct walk *w, const struct flag_predicate *p, const struct flag_value *subject, bool *r)
{
	const struct flag_value *v = asked(w->scope, p, subject);

	if (p->op > OP_GROUPS) {
		*r = leaf_holds(w, p, v);
		return false;
	}
	struct frame *f = &w->stack[w->depth];
	f->group = p;
	f->child = p + 1;
	f->subject = v;
	if (!group_begin(f, r))
		return false;
	w->depth++;
	return true;
}

bool
flag_condition_holds(const struct flag_condition *c, struct flag_scope *scope,
		     const struct flag_value *subject)
{
	const bool unknown_before = scope->unknown;
	struct walk w;
	bool r = false;

	scope->unknown = false;
	w.scope = scope;
	w.limited = false;
	w.depth = 0;
	bool down = enter(&w, c->predicates, subject, &r);
	while (w.depth > 0 && scope->work > 0) {
		struct frame *f = &w.stack[w.depth - 1];
		if (!down && !group_go_on(f, &r)) {
			w.depth--;
			continue;
		}
		scope->work--;
		down = enter(&w, f->child, frame_subject(f), &r);
	}
	w.limited = w.limited || scope->work == 0;
	if (w.limited)
		metric_add(flag_metric_set()->conditions_limited, 1);
	r = r && scope->work > 0 && !scope->unknown;
	scope->unknown = scope->unknown || unknown_before;
	return r;
}
