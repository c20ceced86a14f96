/*
 * document.c — from the text of a rule document to the form that is evaluated. Runs when a flag is
 * saved (errors go to the author, with the JSON pointer of the place) and when a snapshot is built.
 *
 * Values are copied as text, so that 1, 1.0 and 64-bit integers stay what the author wrote.
 * Invariant of what is built: every index is in range, every rule that gives something has at least
 * one arm, so evaluation checks nothing.
 */
#include <stdio.h>

#include "flag/compile.h"
#include "flag/schema.h"

#define PLACE_SIZE 96
/* Of a variation's value, as prerequisites see it; larger ones are null there. */
#define FACT_VALUES_MAX 1000

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
variation_find(const struct flag_compiler *c, struct str key)
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
value_check(struct flag_compiler *c, const struct json_member *value, unsigned index,
	    const char *at)
{
	const enum json_kind type = value_type(value->kind);

	if (type == JSON_NULL || type == JSON_ARRAY)
		return flag_refuse(c, flag_place(c, at, "value"),
				   "must be a boolean, a string, a number or an object");
	if (index > 0 && type != c->value_kind)
		return flag_refuse(c, flag_place(c, at, "value"),
				   "must be of the same type as the first variation's");
	c->value_kind = type;
	return ERR_OK;
}

/* The schema of the values, unless they were taken already. */
static enum err
schema_read(struct flag_compiler *c, const struct json_member *m, const char *at)
{
	const struct flag_value *schema = NULL;

	if (m == NULL || c->lenient)
		return ERR_OK;
	enum err err =
		flag_value_read(c->arena, m->value, at, FLAG_SCHEMA_VALUES_MAX, &schema, c->info);
	if (err == ERR_OK)
		err = flag_schema_check(c->arena, schema, at, c->info);
	c->schema = schema;
	return err;
}

static enum err
schema_fits(struct flag_compiler *c, const struct json_member *value, const char *at)
{
	const struct flag_value *v = NULL;

	if (c->schema == NULL)
		return ERR_OK;
	if (value->kind != JSON_OBJECT)
		return flag_refuse(c, at, "must be an object where there is a schema");
	const enum err err =
		flag_value_read(c->arena, value->value, at, FLAG_SCHEMA_VALUES_MAX, &v, c->info);
	return err == ERR_OK ? flag_schema_fits(c->arena, c->schema, v, at, c->info) : err;
}

static enum err
variation_read(struct flag_compiler *c, const struct json_element *e, unsigned index,
	       const char *at)
{
	static const char *const known[] = { "key", "value", NULL };
	struct flag_object o;
	const struct json_member *key = NULL;
	const struct json_member *value = NULL;
	struct flag_variation v;

	enum err err = flag_object_read(c, e->value, e->kind, at, known, &o);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "key", &key);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "value", &value);
	if (err == ERR_OK)
		err = flag_text_read(c, key->value, key->kind, flag_place(c, at, "key"),
				     FLAG_VARIATION_KEY_MAX, &v.key);
	if (err != ERR_OK)
		return err;
	if (!variation_key_valid(v.key))
		return flag_refuse(c, flag_place(c, at, "key"),
				   "may hold letters, digits, '.', '_' and '-' only");
	if (variation_find(c, v.key) >= 0)
		return flag_refuse(c, flag_place(c, at, "key"), "\"%.*s\" is used twice",
				   STR_FMT(v.key));
	err = value_check(c, value, index, at);
	if (err != ERR_OK)
		return err;
	err = schema_fits(c, value, flag_place(c, at, "value"));
	if (err != ERR_OK)
		return err;
	v.value = arena_str(c->arena, value->value);
	if (v.value.p == NULL)
		return flag_no_memory(c);
	c->variations[index] = v;
	c->document->n_variations = index + 1;
	return ERR_OK;
}

/* What the condition of a prerequisite is put to: {"value":…,"variation":"…"}. */
static enum err
fact_make(struct flag_compiler *c, const struct flag_variation *v, const struct flag_value **out)
{
	char *text = arena_printf(c->arena, "{\"value\":%.*s,\"variation\":\"%.*s\"}",
				  STR_FMT(v->value), STR_FMT(v->key));

	if (text == NULL)
		return flag_no_memory(c);
	enum err err = flag_value_read(c->arena, str_of(text), "", FACT_VALUES_MAX, out, NULL);
	if (err == ERR_TOO_LARGE || err == ERR_INVALID) {
		text = arena_printf(c->arena, "{\"value\":null,\"variation\":\"%.*s\"}",
				    STR_FMT(v->key));
		if (text == NULL)
			return flag_no_memory(c);
		err = flag_value_read(c->arena, str_of(text), "", FACT_VALUES_MAX, out, NULL);
	}
	return err == ERR_OK ? err : flag_no_memory(c);
}

static enum err
variations_read(struct flag_compiler *c, const struct json_member *m, const char *at)
{
	struct json_element e[FLAG_VARIATIONS_MAX];
	size_t n = ARRAY_LEN(e);

	enum err err = flag_array_read(c, m->value, m->kind, at, 1, e, &n);
	if (err != ERR_OK)
		return err;
	c->variations = arena_alloc(c->arena, n * sizeof(*c->variations));
	const struct flag_value **facts = arena_alloc(c->arena, n * sizeof(*facts));
	if (c->variations == NULL || facts == NULL)
		return flag_no_memory(c);
	c->document->variations = c->variations;
	c->document->facts = facts;
	for (unsigned i = 0; i < n && err == ERR_OK; i++) {
		err = variation_read(c, &e[i], i, flag_place_of(c, at, i));
		if (err == ERR_OK)
			err = fact_make(c, &c->variations[i], &facts[i]);
	}
	return err;
}

enum err
flag_variation_named(struct flag_compiler *c, struct str raw, enum json_kind kind, const char *at,
		     unsigned *out)
{
	struct str name;
	const enum err err = flag_text_read(c, raw, kind, at, FLAG_VARIATION_KEY_MAX, &name);

	if (err != ERR_OK)
		return err;
	const int i = variation_find(c, name);
	if (i < 0)
		return flag_refuse(c, at, "there is no variation \"%.*s\"", STR_FMT(name));
	*out = (unsigned)i;
	return ERR_OK;
}

/* ---- the whole ---- */

static enum err
unit_read(struct flag_compiler *c, const struct json_member *m, const char *at)
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
	return flag_refuse(c, at, "must be \"person\", \"organization\" or \"visitor\"");
}

/* What the rules name, for those who fetch it. */
static enum err
names_take(struct flag_compiler *c, const char *at)
{
	struct flag_document *d = c->document;
	const unsigned n = c->attributes.n + c->segments.n + c->flags.n;

	if (n > FLAG_NAMES_MAX)
		return flag_refuse(c, at,
				   "the rules name %u attributes, segments and flags; at most %d",
				   n, FLAG_NAMES_MAX);
	d->attributes = (struct flag_names) { c->attributes.n, c->attributes.names };
	d->segments = (struct flag_names) { c->segments.n, c->segments.names };
	d->flags = (struct flag_names) { c->flags.n, c->flags.names };
	for (unsigned i = 0; i < d->attributes.n; i++)
		d->hashes = d->hashes || str_is(d->attributes.names[i], FLAG_UNIT_ATTRIBUTE);
	return ERR_OK;
}

static enum err
document_read(struct flag_compiler *c, struct str text, enum json_kind kind, const char *at)
{
	static const char *const known[] = { "unit",  "schema",  "variations",
					     "rules", "default", NULL };
	struct flag_object o;
	const struct json_member *unit = NULL;
	const struct json_member *variations = NULL;
	const struct json_member *def = NULL;

	enum err err = flag_object_read(c, text, kind, at, known, &o);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "unit", &unit);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "variations", &variations);
	if (err == ERR_OK)
		err = flag_object_need(c, &o, "default", &def);
	if (err == ERR_OK)
		err = unit_read(c, unit, flag_place(c, at, "unit"));
	if (err == ERR_OK)
		err = schema_read(c, flag_object_get(&o, "schema"), flag_place(c, at, "schema"));
	if (err == ERR_OK)
		err = variations_read(c, variations, flag_place(c, at, "variations"));
	if (err == ERR_OK)
		err = flag_rules_read(c, flag_object_get(&o, "rules"), flag_place(c, at, "rules"));
	if (err == ERR_OK)
		err = flag_variation_named(c, def->value, def->kind, flag_place(c, at, "default"),
					   &c->document->default_variation);
	return err == ERR_OK ? names_take(c, flag_place(c, at, "rules")) : err;
}

static enum err
compile(struct flag_compiler *c, struct str key, struct str text, const char *at,
	const struct flag_document **out)
{
	const size_t most =
		c->lenient || c->stored ? FLAG_STORED_BYTES_MAX : FLAG_DOCUMENT_BYTES_MAX;
	struct err_info inner = { .code = ERR_OK };
	enum json_kind kind = JSON_NULL;

	*out = NULL;
	if (text.len > most)
		return err_set(c->info, ERR_TOO_LARGE, at,
			       "a flag's document has at most %zu bytes, not %zu", most, text.len);
	enum err err = json_scan_any(text, &kind, &inner);
	if (err != ERR_OK) {
		char place[sizeof(inner.field) + PLACE_SIZE];
		(void)snprintf(place, sizeof(place), "%s%s", at, inner.field);
		return err_set(c->info, err, place, "%s", inner.msg);
	}
	c->document = arena_alloc(c->arena, sizeof(*c->document));
	c->key = arena_str(c->arena, key);
	if (c->document == NULL || c->key.p == NULL)
		return flag_no_memory(c);
	err = document_read(c, text, kind, at);
	if (err == ERR_OK)
		*out = c->document;
	return err;
}

enum err
flag_document_compile(struct arena *a, struct str key, struct str text, const char *at,
		      const struct flag_document **out, struct err_info *info)
{
	struct flag_compiler c = { .arena = a, .info = info };
	return compile(&c, key, text, at, out);
}

enum err
flag_document_load(struct arena *a, struct str key, struct str text,
		   const struct flag_document **out, struct err_info *info)
{
	struct flag_compiler c = { .arena = a, .info = info, .lenient = true };
	return compile(&c, key, text, "", out);
}

static enum err
check(struct str key, struct str text, const char *at, bool stored, double *coverage,
      struct err_info *info)
{
	struct arena own;
	struct err_info inner = { .code = ERR_OK };
	struct flag_compiler c = { .arena = &own, .info = &inner, .stored = stored };
	const struct flag_document *d = NULL;

	arena_init(&own, FLAG_DOCUMENT_MEMORY_MAX);
	const enum err err = compile(&c, key, text, at, &d);
	if (err == ERR_OK)
		*coverage = flag_document_coverage(d);
	arena_release(&own);
	if (err == ERR_NO_MEMORY)
		return err_set(info, ERR_TOO_LARGE, at,
			       "the rules ask too much; name a segment instead of many values");
	return err == ERR_OK ? err : err_set(info, err, inner.field, "%s", inner.msg);
}

enum err
flag_document_check(struct str key, struct str text, const char *at, double *coverage,
		    struct err_info *info)
{
	return check(key, text, at, false, coverage, info);
}

enum err
flag_document_check_stored(struct str key, struct str text, struct err_info *info)
{
	double coverage = 0;

	return check(key, text, "", true, &coverage, info);
}
