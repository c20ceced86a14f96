/*
 * members.c — members of a rule document: each is read with the JSON pointer of its place, so that the author learns
 * where something is wrong and what it must be.
 */
#include <stdarg.h>
#include <stdio.h>

#include "flag/compile.h"

enum err
flag_no_memory(struct flag_compiler *c)
{
	return err_set(c->info, ERR_NO_MEMORY, NULL, "no memory for the flag's document");
}

enum err
flag_refuse(struct flag_compiler *c, const char *at, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(c->info, ERR_INVALID, at, "%s", what);
}

const char *
flag_place(struct flag_compiler *c, const char *at, const char *key)
{
	const char *place = arena_printf(c->arena, "%s/%s", at, key);
	return place != NULL ? place : at;
}

const char *
flag_place_of(struct flag_compiler *c, const char *at, size_t index)
{
	const char *place = arena_printf(c->arena, "%s/%zu", at, index);
	return place != NULL ? place : at;
}

enum err
flag_object_read(struct flag_compiler *c, struct str text, enum json_kind kind, const char *at,
		 const char *const *known, struct flag_object *o)
{
	struct err_info inner = { .code = ERR_OK };

	if (kind != JSON_OBJECT)
		return flag_refuse(c, at, "must be an object");
	o->n = ARRAY_LEN(o->member);
	o->at = at;
	const enum err err = json_scan_object(text, c->arena, o->member, &o->n, &inner);
	if (err != ERR_OK)
		return err_set(c->info, err, at, "%s", inner.msg);
	return json_members_known(o->member, o->n, known, at, c->info);
}

const struct json_member *
flag_object_get(const struct flag_object *o, const char *key)
{
	return json_member_find(o->member, o->n, key);
}

enum err
flag_object_need(struct flag_compiler *c, const struct flag_object *o, const char *key,
		 const struct json_member **out)
{
	*out = flag_object_get(o, key);
	if (*out == NULL)
		return flag_refuse(c, flag_place(c, o->at, key), "\"%s\" is required", key);
	return ERR_OK;
}

enum err
flag_text_read(struct flag_compiler *c, struct str raw, enum json_kind kind, const char *at,
	       size_t max, struct str *out)
{
	if (kind != JSON_STRING)
		return flag_refuse(c, at, "must be a string");
	if (json_unescape(raw, c->arena, out) != ERR_OK)
		return flag_no_memory(c);
	if (out->len == 0 || out->len > max)
		return flag_refuse(c, at, "must have 1 to %zu bytes, not %zu", max, out->len);
	return ERR_OK;
}

enum err
flag_array_read(struct flag_compiler *c, struct str text, enum json_kind kind, const char *at,
		size_t min, struct json_element *elements, size_t *n)
{
	const size_t max = *n;
	struct err_info inner = { .code = ERR_OK };

	if (kind != JSON_ARRAY)
		return flag_refuse(c, at, "must be an array");
	if (json_scan_array(text, elements, n, &inner) != ERR_OK)
		return flag_refuse(c, at, "must have at most %zu elements", max);
	if (*n < min)
		return flag_refuse(c, at, "must have at least %zu elements, not %zu", min, *n);
	return ERR_OK;
}

enum err
flag_member_text(struct flag_compiler *c, const struct flag_object *o, const char *key, size_t max,
		 struct str *out)
{
	const struct json_member *m = flag_object_get(o, key);

	if (m == NULL)
		return ERR_OK;
	return flag_text_read(c, m->value, m->kind, flag_place(c, o->at, key), max, out);
}

enum err
flag_member_part(struct flag_compiler *c, const struct flag_object *o, const char *key, double *out)
{
	const struct json_member *m = flag_object_get(o, key);
	double v = 0;

	if (m == NULL)
		return ERR_OK;
	if (m->kind != JSON_NUMBER || str_double(m->value, &v) != ERR_OK || v < 0 || v > 1)
		return flag_refuse(c, flag_place(c, o->at, key), "must be a number from 0 to 1");
	*out = v;
	return ERR_OK;
}

enum err
flag_member_bool(struct flag_compiler *c, const struct flag_object *o, const char *key, bool *out)
{
	const struct json_member *m = flag_object_get(o, key);

	if (m == NULL)
		return ERR_OK;
	if (m->kind != JSON_TRUE && m->kind != JSON_FALSE)
		return flag_refuse(c, flag_place(c, o->at, key), "must be true or false");
	*out = m->kind == JSON_TRUE;
	return ERR_OK;
}

enum err
flag_member_count(struct flag_compiler *c, const struct flag_object *o, const char *key,
		  unsigned min, unsigned max, unsigned *out)
{
	const struct json_member *m = flag_object_get(o, key);
	int64_t v = 0;

	if (m == NULL)
		return ERR_OK;
	if (m->kind != JSON_NUMBER || str_int(m->value, min, max, &v) != ERR_OK)
		return flag_refuse(c, flag_place(c, o->at, key),
				   "must be a whole number from %u to %u", min, max);
	*out = (unsigned)v;
	return ERR_OK;
}

enum err
flag_range_read(struct flag_compiler *c, struct str text, enum json_kind kind, const char *at,
		struct flag_range *out)
{
	struct json_element e[2];
	size_t n = ARRAY_LEN(e);
	double v[2] = { 0, 0 };

	const enum err err = flag_array_read(c, text, kind, at, 2, e, &n);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < n; i++)
		if (e[i].kind != JSON_NUMBER || str_double(e[i].value, &v[i]) != ERR_OK ||
		    v[i] < 0 || v[i] > 1)
			return flag_refuse(c, flag_place_of(c, at, i),
					   "must be a number from 0 to 1");
	if (v[0] > v[1])
		return flag_refuse(c, at, "must begin before it ends");
	*out = (struct flag_range) { .start = v[0], .end = v[1] };
	return ERR_OK;
}

enum err
flag_ranges_read(struct flag_compiler *c, const struct json_member *m, const char *at, unsigned *n,
		 const struct flag_range **out)
{
	struct json_element e[FLAG_RANGES_MAX];
	size_t count = ARRAY_LEN(e);

	enum err err = flag_array_read(c, m->value, m->kind, at, 1, e, &count);
	if (err != ERR_OK)
		return err;
	struct flag_range *r = arena_alloc(c->arena, count * sizeof(*r));
	if (r == NULL)
		return flag_no_memory(c);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		const char *const place = flag_place_of(c, at, i);
		err = flag_range_read(c, e[i].value, e[i].kind, place, &r[i]);
		for (size_t k = 0; k < i && err == ERR_OK; k++)
			if (r[i].start < r[k].end && r[k].start < r[i].end)
				err = flag_refuse(c, place, "overlaps with another range");
	}
	*n = (unsigned)count;
	*out = r;
	return err;
}

enum err
flag_member_condition(struct flag_compiler *c, const struct flag_object *o, bool of_context,
		      const struct flag_condition **out)
{
	const struct json_member *m = flag_object_get(o, "condition");

	if (m == NULL)
		return ERR_OK;
	const struct str text = arena_str(c->arena, m->value);
	if (text.p == NULL)
		return flag_no_memory(c);
	const struct flag_condition_compiler how = { .arena = c->arena,
						     .attributes =
							     of_context ? &c->attributes : NULL,
						     .segments = &c->segments,
						     .lenient = c->lenient };
	return flag_condition_compile(&how, text, flag_place(c, o->at, "condition"), out, c->info);
}
