/*
 * document.c — from the text of a rule document to the form that is evaluated. Runs when a flag is
 * saved (errors go to the author, with the JSON pointer of the place) and when a snapshot is built.
 *
 * Values are copied as text, so that 1, 1.0 and 64-bit integers stay what the author wrote.
 * Invariant of what is built: every index is in range, every rule has at least one arm, so
 * evaluation checks nothing.
 */
#include "base/json_member.h"
#include "flag/flag.h"

#include <math.h>
#include <stdio.h>

#define MEMBERS_MAX 16
#define PLACE_SIZE 96

/* What every step of the compilation needs. */
struct compiler {
	struct arena *arena;
	struct err_info *info;
	struct str key;
	struct flag_document *document;
	struct flag_variation *variations;
	enum json_kind value_kind;
};

bool
flag_key_valid(struct str key)
{
	if (key.len == 0 || key.len > FLAG_KEY_MAX)
		return false;
	for (size_t i = 0; i < key.len; i++) {
		const char c = key.p[i];
		const bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

static enum err
no_memory(struct compiler *c)
{
	return err_set(c->info, ERR_NO_MEMORY, NULL, "no memory for the flag's document");
}

/* One object: its members, each of which must be known. */
struct object {
	struct json_member member[MEMBERS_MAX];
	size_t n;
	const char *at;
};

static enum err
object_read(struct compiler *c, struct str text, enum json_kind kind, const char *at,
	    const char *const *known, struct object *o)
{
	struct err_info inner = { .code = ERR_OK };

	if (kind != JSON_OBJECT)
		return err_set(c->info, ERR_INVALID, at, "must be an object");
	o->n = ARRAY_LEN(o->member);
	o->at = at;
	const enum err err = json_scan_object(text, c->arena, o->member, &o->n, &inner);
	if (err != ERR_OK)
		return err_set(c->info, err, at, "%s", inner.msg);
	return json_members_known(o->member, o->n, known, at, c->info);
}

static const struct json_member *
object_get(const struct object *o, const char *key)
{
	return json_member_find(o->member, o->n, key);
}

static const char *
place_of(struct compiler *c, const char *at, const char *key)
{
	const char *place = arena_printf(c->arena, "%s/%s", at, key);
	return place != NULL ? place : at;
}

static enum err
object_need(struct compiler *c, const struct object *o, const char *key,
	    const struct json_member **out)
{
	*out = object_get(o, key);
	if (*out == NULL)
		return err_set(c->info, ERR_INVALID, place_of(c, o->at, key), "\"%s\" is required",
			       key);
	return ERR_OK;
}

static enum err
text_read(struct compiler *c, struct str raw, enum json_kind kind, const char *at, size_t max,
	  struct str *out)
{
	if (kind != JSON_STRING)
		return err_set(c->info, ERR_INVALID, at, "must be a string");
	if (json_unescape(raw, c->arena, out) != ERR_OK)
		return no_memory(c);
	if (out->len == 0 || out->len > max)
		return err_set(c->info, ERR_INVALID, at, "must have 1 to %zu bytes, not %zu", max,
			       out->len);
	return ERR_OK;
}

/* A part of the whole; `out` keeps its default if the member is absent. */
static enum err
part_read(struct compiler *c, const struct object *o, const char *key, double *out)
{
	const struct json_member *m = object_get(o, key);
	double v = 0;

	if (m == NULL)
		return ERR_OK;
	if (m->kind != JSON_NUMBER || str_double(m->value, &v) != ERR_OK || v < 0 || v > 1)
		return err_set(c->info, ERR_INVALID, place_of(c, o->at, key),
			       "must be a number from 0 to 1");
	*out = v;
	return ERR_OK;
}

static enum err
seed_read(struct compiler *c, const struct object *o, struct str *out)
{
	const struct json_member *m = object_get(o, "seed");

	*out = c->key;
	if (m == NULL)
		return ERR_OK;
	return text_read(c, m->value, m->kind, place_of(c, o->at, "seed"), FLAG_SEED_MAX, out);
}

/* Elements of the array in member m; *n is the room before and the count after. */
static enum err
array_read(struct compiler *c, const struct json_member *m, const char *at, size_t min,
	   struct json_element *elements, size_t *n)
{
	const size_t max = *n;
	struct err_info inner = { .code = ERR_OK };

	if (m->kind != JSON_ARRAY)
		return err_set(c->info, ERR_INVALID, at, "must be an array");
	if (json_scan_array(m->value, elements, n, &inner) != ERR_OK)
		return err_set(c->info, ERR_INVALID, at, "must have at most %zu elements", max);
	if (*n < min)
		return err_set(c->info, ERR_INVALID, at, "must have at least %zu elements, not %zu",
			       min, *n);
	return ERR_OK;
}

/* ---- variations ---- */

static bool
variation_key_valid(struct str key)
{
	for (size_t i = 0; i < key.len; i++) {
		const char ch = key.p[i];
		const bool alnum = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
				   (ch >= '0' && ch <= '9');
		if (!alnum && ch != '.' && ch != '_' && ch != '-')
			return false;
	}
	return true;
}

static int
variation_find(const struct compiler *c, struct str key)
{
	for (unsigned i = 0; i < c->document->n_variations; i++)
		if (str_eq(c->variations[i].key, key))
			return (int)i;
	return -1;
}

/* true and false are one type to a client. */
static enum json_kind
value_type(enum json_kind kind)
{
	return kind == JSON_FALSE ? JSON_TRUE : kind;
}

static enum err
variation_read(struct compiler *c, const struct json_element *e, unsigned index, const char *at)
{
	static const char *const known[] = { "key", "value", NULL };
	struct object o;
	const struct json_member *key = NULL;
	const struct json_member *value = NULL;
	struct flag_variation v;

	enum err err = object_read(c, e->value, e->kind, at, known, &o);
	if (err == ERR_OK)
		err = object_need(c, &o, "key", &key);
	if (err == ERR_OK)
		err = object_need(c, &o, "value", &value);
	if (err == ERR_OK)
		err = text_read(c, key->value, key->kind, place_of(c, at, "key"),
				FLAG_VARIATION_KEY_MAX, &v.key);
	if (err != ERR_OK)
		return err;
	if (!variation_key_valid(v.key))
		return err_set(c->info, ERR_INVALID, place_of(c, at, "key"),
			       "may hold letters, digits, '.', '_' and '-' only");
	if (variation_find(c, v.key) >= 0)
		return err_set(c->info, ERR_INVALID, place_of(c, at, "key"),
			       "\"%.*s\" is used twice", STR_FMT(v.key));
	const enum json_kind type = value_type(value->kind);
	if (type == JSON_NULL || type == JSON_ARRAY)
		return err_set(c->info, ERR_INVALID, place_of(c, at, "value"),
			       "must be a boolean, a string, a number or an object");
	if (index > 0 && type != c->value_kind)
		return err_set(c->info, ERR_INVALID, place_of(c, at, "value"),
			       "must be of the same type as the first variation's");
	c->value_kind = type;
	v.value = arena_str(c->arena, value->value);
	if (v.value.p == NULL)
		return no_memory(c);
	c->variations[index] = v;
	c->document->n_variations = index + 1;
	return ERR_OK;
}

static enum err
variations_read(struct compiler *c, const struct json_member *m, const char *at)
{
	struct json_element e[FLAG_VARIATIONS_MAX];
	size_t n = ARRAY_LEN(e);

	enum err err = array_read(c, m, at, 1, e, &n);
	if (err != ERR_OK)
		return err;
	c->variations = arena_alloc(c->arena, n * sizeof(*c->variations));
	if (c->variations == NULL)
		return no_memory(c);
	c->document->variations = c->variations;
	for (unsigned i = 0; i < n && err == ERR_OK; i++) {
		const char *place = arena_printf(c->arena, "%s/%u", at, i);
		err = place == NULL ? no_memory(c) : variation_read(c, &e[i], i, place);
	}
	return err;
}

/* The index of the variation that a string names. */
static enum err
variation_named(struct compiler *c, struct str raw, enum json_kind kind, const char *at,
		unsigned *out)
{
	struct str name;
	const enum err err = text_read(c, raw, kind, at, FLAG_VARIATION_KEY_MAX, &name);

	if (err != ERR_OK)
		return err;
	const int i = variation_find(c, name);
	if (i < 0)
		return err_set(c->info, ERR_INVALID, at, "there is no variation \"%.*s\"",
			       STR_FMT(name));
	*out = (unsigned)i;
	return ERR_OK;
}

/* ---- rules ---- */

static enum err
weights_read(struct compiler *c, const struct object *o, size_t n, double *weights, bool *given)
{
	const struct json_member *m = object_get(o, "weights");
	const char *at = place_of(c, o->at, "weights");
	struct json_element e[FLAG_VARIATIONS_MAX];
	size_t count = ARRAY_LEN(e);
	double sum = 0;

	*given = m != NULL;
	if (m == NULL)
		return ERR_OK;
	const enum err err = array_read(c, m, at, 0, e, &count);
	if (err != ERR_OK)
		return err;
	if (count != n)
		return err_set(c->info, ERR_INVALID, at,
			       "must have one weight for each of the %zu variations, not %zu", n,
			       count);
	for (size_t i = 0; i < n; i++) {
		if (e[i].kind != JSON_NUMBER || str_double(e[i].value, &weights[i]) != ERR_OK ||
		    weights[i] < 0 || weights[i] > 1)
			return err_set(c->info, ERR_INVALID,
				       arena_printf(c->arena, "%s/%zu", at, i),
				       "must be a number from 0 to 1");
		sum += weights[i];
	}
	if (fabs(sum - 1) > FLAG_WEIGHT_TOLERANCE)
		return err_set(c->info, ERR_INVALID, at, "must add up to 1, not %g", sum);
	return ERR_OK;
}

static enum err
arms_read(struct compiler *c, const struct json_member *m, const char *at, struct flag_rule *r)
{
	struct json_element e[FLAG_VARIATIONS_MAX];
	size_t n = ARRAY_LEN(e);

	enum err err = array_read(c, m, at, 2, e, &n);
	if (err != ERR_OK)
		return err;
	unsigned *arms = arena_alloc(c->arena, n * sizeof(*arms));
	if (arms == NULL)
		return no_memory(c);
	for (unsigned i = 0; i < n && err == ERR_OK; i++) {
		const char *place = arena_printf(c->arena, "%s/%u", at, i);
		err = place == NULL ? no_memory(c)
				    : variation_named(c, e[i].value, e[i].kind, place, &arms[i]);
		for (unsigned k = 0; k < i && err == ERR_OK; k++)
			if (arms[k] == arms[i])
				err = err_set(c->info, ERR_INVALID, place, "is named twice");
	}
	r->n_arms = (unsigned)n;
	r->arms = arms;
	return err;
}

static enum err
experiment_read(struct compiler *c, const struct json_member *m, const char *at,
		struct flag_rule *r)
{
	static const char *const known[] = { "variations", "weights", "coverage", "seed", NULL };
	struct object o;
	const struct json_member *variations = NULL;
	double weights[FLAG_VARIATIONS_MAX];
	bool weighted = false;

	r->kind = FLAG_RULE_EXPERIMENT;
	r->hashes = true;
	enum err err = object_read(c, m->value, m->kind, at, known, &o);
	if (err == ERR_OK)
		err = object_need(c, &o, "variations", &variations);
	if (err == ERR_OK)
		err = arms_read(c, variations, place_of(c, at, "variations"), r);
	if (err == ERR_OK)
		err = weights_read(c, &o, r->n_arms, weights, &weighted);
	if (err == ERR_OK)
		err = part_read(c, &o, "coverage", &r->coverage);
	if (err == ERR_OK)
		err = seed_read(c, &o, &r->hasher.seed);
	if (err != ERR_OK)
		return err;
	struct flag_range *ranges = arena_alloc(c->arena, r->n_arms * sizeof(*ranges));
	if (ranges == NULL)
		return no_memory(c);
	flag_bucket_ranges(r->n_arms, r->coverage, weighted ? weights : NULL, r->n_arms, ranges);
	r->ranges = ranges;
	return ERR_OK;
}

static enum err
force_read(struct compiler *c, const struct object *o, const struct json_member *m,
	   struct flag_rule *r)
{
	unsigned *arm = arena_alloc(c->arena, sizeof(*arm));

	if (arm == NULL)
		return no_memory(c);
	r->kind = FLAG_RULE_FORCE;
	r->hashes = object_get(o, "coverage") != NULL;
	r->n_arms = 1;
	r->arms = arm;
	if (!r->hashes && object_get(o, "seed") != NULL)
		return err_set(c->info, ERR_INVALID, place_of(c, o->at, "seed"),
			       "has no effect without \"coverage\"");
	enum err err = variation_named(c, m->value, m->kind, place_of(c, o->at, "force"), arm);
	if (err == ERR_OK)
		err = part_read(c, o, "coverage", &r->coverage);
	if (err == ERR_OK)
		err = seed_read(c, o, &r->hasher.seed);
	return err;
}

static enum err
rule_read(struct compiler *c, const struct json_element *e, const char *at, struct flag_rule *r)
{
	static const char *const known[] = { "force", "coverage", "seed", "experiment", NULL };
	struct object o;

	const enum err err = object_read(c, e->value, e->kind, at, known, &o);
	if (err != ERR_OK)
		return err;
	const struct json_member *force = object_get(&o, "force");
	const struct json_member *experiment = object_get(&o, "experiment");
	if ((force != NULL) == (experiment != NULL))
		return err_set(c->info, ERR_INVALID, at,
			       "must have either \"force\" or \"experiment\"");
	r->coverage = 1;
	if (force != NULL)
		return force_read(c, &o, force, r);
	if (o.n > 1)
		return err_set(
			c->info, ERR_INVALID,
			place_of(c, at, object_get(&o, "seed") != NULL ? "seed" : "coverage"),
			"belongs into \"experiment\"");
	return experiment_read(c, experiment, place_of(c, at, "experiment"), r);
}

static enum err
rules_read(struct compiler *c, const struct json_member *m, const char *at)
{
	struct json_element e[FLAG_RULES_MAX];
	size_t n = ARRAY_LEN(e);

	if (m == NULL)
		return ERR_OK;
	enum err err = array_read(c, m, at, 0, e, &n);
	if (err != ERR_OK || n == 0)
		return err;
	struct flag_rule *rules = arena_alloc(c->arena, n * sizeof(*rules));
	if (rules == NULL)
		return no_memory(c);
	for (unsigned i = 0; i < n && err == ERR_OK; i++) {
		const char *place = arena_printf(c->arena, "%s/%u", at, i);
		err = place == NULL ? no_memory(c) : rule_read(c, &e[i], place, &rules[i]);
		c->document->hashes = c->document->hashes || rules[i].hashes;
	}
	c->document->rules = rules;
	c->document->n_rules = (unsigned)n;
	return err;
}

/* ---- the whole ---- */

static enum err
unit_read(struct compiler *c, const struct json_member *m, const char *at)
{
	static const char *const names[] = { [FLAG_PERSON] = "\"person\"",
					     [FLAG_ORGANIZATION] = "\"organization\"",
					     [FLAG_VISITOR] = "\"visitor\"" };

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (str_is(m->value, names[i])) {
			c->document->unit = (enum flag_unit)i;
			return ERR_OK;
		}
	}
	return err_set(c->info, ERR_INVALID, at,
		       "must be \"person\", \"organization\" or \"visitor\"");
}

static enum err
document_read(struct compiler *c, struct str text, enum json_kind kind, const char *at)
{
	static const char *const known[] = { "unit", "variations", "rules", "default", NULL };
	struct object o;
	const struct json_member *unit = NULL;
	const struct json_member *variations = NULL;
	const struct json_member *def = NULL;

	enum err err = object_read(c, text, kind, at, known, &o);
	if (err == ERR_OK)
		err = object_need(c, &o, "unit", &unit);
	if (err == ERR_OK)
		err = object_need(c, &o, "variations", &variations);
	if (err == ERR_OK)
		err = object_need(c, &o, "default", &def);
	if (err == ERR_OK)
		err = unit_read(c, unit, place_of(c, at, "unit"));
	if (err == ERR_OK)
		err = variations_read(c, variations, place_of(c, at, "variations"));
	if (err == ERR_OK)
		err = rules_read(c, object_get(&o, "rules"), place_of(c, at, "rules"));
	if (err == ERR_OK)
		err = variation_named(c, def->value, def->kind, place_of(c, at, "default"),
				      &c->document->default_variation);
	return err;
}

enum err
flag_document_compile(struct arena *a, struct str key, struct str text, const char *at,
		      const struct flag_document **out, struct err_info *info)
{
	struct compiler c = { .arena = a, .info = info };
	struct err_info inner = { .code = ERR_OK };
	enum json_kind kind = JSON_NULL;

	*out = NULL;
	if (text.len > FLAG_DOCUMENT_BYTES_MAX)
		return err_set(info, ERR_TOO_LARGE, at,
			       "a flag's document has at most %d bytes, not %zu",
			       FLAG_DOCUMENT_BYTES_MAX, text.len);
	enum err err = json_scan_any(text, &kind, &inner);
	if (err != ERR_OK) {
		char place[sizeof(inner.field) + PLACE_SIZE];
		(void)snprintf(place, sizeof(place), "%s%s", at, inner.field);
		return err_set(info, err, place, "%s", inner.msg);
	}
	c.document = arena_alloc(a, sizeof(*c.document));
	c.key = arena_str(a, key);
	if (c.document == NULL || c.key.p == NULL)
		return no_memory(&c);
	err = document_read(&c, text, kind, at);
	if (err == ERR_OK)
		*out = c.document;
	return err;
}
