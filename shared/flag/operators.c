/*
 * operators.c — the table of operators, and the reading of their operands when a condition is compiled: whatever can be
 * parsed, folded, sorted or compiled is done here, so that evaluation only compares.
 */
#include <stdio.h>
#include <string.h>

#include "flag/operators.h"

#define TEXTS_MAX 1000

/* clang-format off: a table */
static const struct flag_operator operators[] = {
	{ "$eq", OP_EQUAL, OPERAND_SCALAR, CMP_EQ, false, false },
	{ "$ne", OP_EQUAL, OPERAND_SCALAR, CMP_EQ, true, false },
	{ "$lt", OP_LT, OPERAND_ORDERED, CMP_EQ, false, false },
	{ "$lte", OP_LTE, OPERAND_ORDERED, CMP_EQ, false, false },
	{ "$gt", OP_GT, OPERAND_ORDERED, CMP_EQ, false, false },
	{ "$gte", OP_GTE, OPERAND_ORDERED, CMP_EQ, false, false },
	{ "$in", OP_IN, OPERAND_SET, CMP_EQ, false, false },
	{ "$nin", OP_IN, OPERAND_SET, CMP_EQ, true, false },
	{ "$ini", OP_IN, OPERAND_SET, CMP_EQ, false, true },
	{ "$nini", OP_IN, OPERAND_SET, CMP_EQ, true, true },
	{ "$all", OP_ALL, OPERAND_INNER, CMP_EQ, false, false },
	{ "$alli", OP_ALL, OPERAND_INNER, CMP_EQ, false, true },
	{ "$inGroup", OP_SEGMENT, OPERAND_NAME, CMP_EQ, false, false },
	{ "$notInGroup", OP_SEGMENT, OPERAND_NAME, CMP_EQ, true, false },
	{ "$regex", OP_PATTERN, OPERAND_PATTERN, CMP_EQ, false, false },
	{ "$regexi", OP_PATTERN, OPERAND_PATTERN, CMP_EQ, false, true },
	{ "$notRegex", OP_PATTERN, OPERAND_PATTERN, CMP_EQ, true, false },
	{ "$notRegexi", OP_PATTERN, OPERAND_PATTERN, CMP_EQ, true, true },
	{ "$elemMatch", OP_ELEMENT, OPERAND_INNER, CMP_EQ, false, false },
	{ "$size", OP_SIZE, OPERAND_INNER, CMP_EQ, false, false },
	{ "$not", OP_NOT, OPERAND_INNER, CMP_EQ, false, false },
	{ "$exists", OP_EXISTS, OPERAND_BOOLEAN, CMP_EQ, false, false },
	{ "$type", OP_TYPE, OPERAND_TYPE, CMP_EQ, false, false },
	{ "$veq", OP_VERSION, OPERAND_VERSION, CMP_EQ, false, false },
	{ "$vne", OP_VERSION, OPERAND_VERSION, CMP_NE, false, false },
	{ "$vlt", OP_VERSION, OPERAND_VERSION, CMP_LT, false, false },
	{ "$vlte", OP_VERSION, OPERAND_VERSION, CMP_LTE, false, false },
	{ "$vgt", OP_VERSION, OPERAND_VERSION, CMP_GT, false, false },
	{ "$vgte", OP_VERSION, OPERAND_VERSION, CMP_GTE, false, false },
	{ "$semverEq", OP_SEMVER, OPERAND_SEMVER, CMP_EQ, false, false },
	{ "$semverNe", OP_SEMVER, OPERAND_SEMVER, CMP_NE, false, false },
	{ "$semverLt", OP_SEMVER, OPERAND_SEMVER, CMP_LT, false, false },
	{ "$semverLte", OP_SEMVER, OPERAND_SEMVER, CMP_LTE, false, false },
	{ "$semverGt", OP_SEMVER, OPERAND_SEMVER, CMP_GT, false, false },
	{ "$semverGte", OP_SEMVER, OPERAND_SEMVER, CMP_GTE, false, false },
	{ "$before", OP_BEFORE, OPERAND_TIME, CMP_EQ, false, false },
	{ "$after", OP_AFTER, OPERAND_TIME, CMP_EQ, false, false },
	{ "$cidr", OP_NETWORK, OPERAND_NETWORK, CMP_EQ, false, false },
	{ "$sw", OP_STARTS, OPERAND_TEXT, CMP_EQ, false, false },
	{ "$ew", OP_ENDS, OPERAND_TEXT, CMP_EQ, false, false },
	{ "$co", OP_CONTAINS, OPERAND_TEXT, CMP_EQ, false, false },
	{ "$swi", OP_STARTS, OPERAND_TEXT, CMP_EQ, false, true },
	{ "$ewi", OP_ENDS, OPERAND_TEXT, CMP_EQ, false, true },
	{ "$coi", OP_CONTAINS, OPERAND_TEXT, CMP_EQ, false, true },
};
/* clang-format on */

const struct flag_operator *
flag_operator_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (str_is(name, operators[i].name))
			return &operators[i];
	return NULL;
}

void
flag_operator_unknown(struct str name, char why[FLAG_WHY_SIZE])
{
	const char *names[ARRAY_LEN(operators) + 1];

	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		names[i] = operators[i].name;
	names[ARRAY_LEN(operators)] = NULL;
	const char *near = str_nearest(name, names);
	(void)snprintf(why, FLAG_WHY_SIZE, "there is no such operator%s%s%s",
		       near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		       near != NULL ? "\"?" : "");
}

enum err
flag_name_add(struct arena *a, struct flag_name_list *list, struct str name)
{
	for (unsigned i = 0; i < list->n; i++)
		if (str_eq(list->names[i], name))
			return ERR_OK;
	if (list->n == list->room) {
		const unsigned room = list->room == 0 ? 8 : 2 * list->room;
		struct str *more = arena_alloc(a, room * sizeof(*more));
		if (more == NULL)
			return ERR_NO_MEMORY;
		if (list->n > 0)
			memcpy(more, list->names, list->n * sizeof(*more));
		list->names = more;
		list->room = room;
	}
	list->names[list->n++] = name;
	return ERR_OK;
}

/* ---- operands ---- */

static enum err
must(char why[FLAG_WHY_SIZE], const char *what)
{
	(void)snprintf(why, FLAG_WHY_SIZE, "must be %s", what);
	return ERR_INVALID;
}

static enum err
set_read(struct arena *a, const struct flag_operator *o, const struct flag_value *v,
	 struct flag_predicate *p, char why[FLAG_WHY_SIZE])
{
	if (v->kind != JSON_ARRAY)
		return must(why, "an array");
	const struct flag_value *e = flag_value_first(v);
	for (uint32_t i = 0; i < v->n; i++, e = flag_value_next(e)) {
		if (e->kind >= JSON_ARRAY)
			return must(why, "an array of texts, numbers, booleans and nulls");
		if (o->folded && e->text.len > FLAG_FOLDED_OPERAND_MAX)
			return must(why, "an array of texts of at most 256 bytes");
	}
	return flag_set_make(a, v, o->folded, &p->as.set);
}

static enum err
pattern_read(struct arena *a, const struct flag_operator *o, const struct flag_value *v,
	     struct flag_predicate *p, char why[FLAG_WHY_SIZE])
{
	char said[FLAG_WHY_SIZE - 60] = "";

	if (v->kind != JSON_STRING)
		return must(why, "a regular expression, as a text");
	const enum err err =
		flag_pattern_compile(a, v->text, o->folded, &p->as.pattern, said, sizeof(said));
	if (err == ERR_INVALID)
		(void)snprintf(why, FLAG_WHY_SIZE, "the regular expression cannot be used: %s",
			       said);
	return err;
}

static enum err
type_read(const struct flag_value *v, struct flag_predicate *p, char why[FLAG_WHY_SIZE])
{
	static const char *const types[] = { "string", "number", "boolean",
					     "null",   "array",  "object" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (v->kind == JSON_STRING && str_is(v->text, types[i])) {
			p->as.text = v->text;
			return ERR_OK;
		}
	}
	return must(why, "\"string\", \"number\", \"boolean\", \"null\", \"array\" or \"object\"");
}

static enum err
version_read(struct arena *a, const struct flag_value *v, struct flag_predicate *p,
	     char why[FLAG_WHY_SIZE])
{
	char room[FLAG_VERSION_PADDED_MAX];
	const bool versioned = v->kind == JSON_STRING || v->kind == JSON_NUMBER;
	const size_t n = versioned && v->text.len > 0 ? flag_version_pad(v->text, room) : 0;

	if (n == 0)
		return must(why, "a version of at most 128 bytes");
	p->as.text = arena_str(a, (struct str) { room, n });
	return p->as.text.p != NULL ? ERR_OK : ERR_NO_MEMORY;
}

static enum err
semver_read(struct arena *a, const struct flag_value *v, struct flag_predicate *p,
	    char why[FLAG_WHY_SIZE])
{
	struct flag_semver *s = arena_alloc(a, sizeof(*s));

	if (s == NULL)
		return ERR_NO_MEMORY;
	p->as.semver = s;
	if (v->kind != JSON_STRING || !flag_semver_parse(v->text, s))
		return must(why, "a version as Semantic Versioning 2.0.0 has it, like \"1.2.3\"");
	return ERR_OK;
}

/* A text or an array of them: the element at i, or NULL behind the last. */
static const struct flag_value *
text_next(const struct flag_value *v, const struct flag_value *last, uint32_t i)
{
	if (v->kind != JSON_ARRAY)
		return i == 0 ? v : NULL;
	if (i == v->n)
		return NULL;
	return i == 0 ? flag_value_first(v) : flag_value_next(last);
}

static enum err
networks_read(struct arena *a, const struct flag_value *v, struct flag_predicate *p,
	      char why[FLAG_WHY_SIZE])
{
	const uint32_t most = v->kind == JSON_ARRAY ? v->n : 1;
	struct flag_network *n = arena_alloc(a, ((size_t)most + 1) * sizeof(*n));
	const struct flag_value *e = NULL;

	if (n == NULL)
		return ERR_NO_MEMORY;
	while ((e = text_next(v, e, p->n)) != NULL) {
		if (p->n == TEXTS_MAX || e->kind != JSON_STRING ||
		    !flag_network_parse(e->text, &n[p->n]))
			return must(why, "a network like \"10.0.0.0/8\" or \"2001:db8::/32\", or "
					 "an array of at most 1000");
		p->n++;
	}
	p->as.networks = n;
	return ERR_OK;
}

static enum err
texts_read(struct arena *a, const struct flag_operator *o, const struct flag_value *v,
	   struct flag_predicate *p, char why[FLAG_WHY_SIZE])
{
	const uint32_t most = v->kind == JSON_ARRAY ? v->n : 1;
	struct str *texts = arena_alloc(a, ((size_t)most + 1) * sizeof(*texts));
	const struct flag_value *e = NULL;

	if (texts == NULL)
		return ERR_NO_MEMORY;
	while ((e = text_next(v, e, p->n)) != NULL) {
		if (p->n == TEXTS_MAX || e->kind != JSON_STRING || e->text.len == 0 ||
		    e->text.len > FLAG_FOLDED_OPERAND_MAX)
			return must(why,
				    "a text of 1 to 256 bytes, or an array of at most 1000 texts");
		texts[p->n] = e->text;
		if (o->folded && flag_fold_in(a, e->text, &texts[p->n]) != ERR_OK)
			return ERR_NO_MEMORY;
		p->n++;
	}
	p->as.texts = texts;
	return ERR_OK;
}

static enum err
value_read(const struct flag_operator *o, const struct flag_value *v, struct flag_predicate *p,
	   char why[FLAG_WHY_SIZE])
{
	p->as.value = v;
	switch (o->operand) {
	case OPERAND_SCALAR:
		return v->kind < JSON_ARRAY
			       ? ERR_OK
			       : must(why, "a text, a number, a boolean or null; write an array "
					   "or object without the operator");
	case OPERAND_ORDERED:
		return v->kind == JSON_STRING || v->kind == JSON_NUMBER
			       ? ERR_OK
			       : must(why, "a text or a number");
	case OPERAND_BOOLEAN:
		p->negated = v->kind == JSON_FALSE;
		return v->kind == JSON_TRUE || v->kind == JSON_FALSE ? ERR_OK
								     : must(why, "true or false");
	case OPERAND_NAME:
		p->as.text = v->text;
		return v->kind == JSON_STRING && v->text.len > 0
			       ? ERR_OK
			       : must(why, "the name of a segment");
	default:
		if (v->kind == JSON_STRING && clock_parse_rfc3339(v->text, &p->as.time) == ERR_OK)
			return ERR_OK;
		return must(why, "a time like \"2026-05-01T10:00:00Z\"");
	}
}

enum err
flag_operand_read(struct arena *a, const struct flag_operator *o, const struct flag_value *v,
		  struct flag_predicate *p, char why[FLAG_WHY_SIZE])
{
	switch (o->operand) {
	case OPERAND_SET:
		return set_read(a, o, v, p, why);
	case OPERAND_PATTERN:
		return pattern_read(a, o, v, p, why);
	case OPERAND_TYPE:
		return type_read(v, p, why);
	case OPERAND_VERSION:
		return version_read(a, v, p, why);
	case OPERAND_SEMVER:
		return semver_read(a, v, p, why);
	case OPERAND_NETWORK:
		return networks_read(a, v, p, why);
	case OPERAND_TEXT:
		return texts_read(a, o, v, p, why);
	default:
		return value_read(o, v, p, why);
	}
}
