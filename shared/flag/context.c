/*
 * context.c — what is known of the one who asks: attributes of the request, what the database adds, the unit. Read once
 * a request; evaluation only looks things up.
 *
 * Contexts are neither stored nor logged, and no message here repeats a value of one.
 */
#include "flag/flag.h"

static enum err
object_read(struct arena *a, struct str text, const char *at, const struct flag_value **out,
	    struct err_info *info)
{
	if (text.len > FLAG_CONTEXT_BYTES_MAX)
		return err_set(info, ERR_TOO_LARGE, at, "has at most %d bytes, not %zu",
			       FLAG_CONTEXT_BYTES_MAX, text.len);
	const enum err err = flag_value_read(a, text, at, FLAG_CONTEXT_VALUES_MAX, out, info);
	if (err != ERR_OK)
		return err;
	if ((*out)->kind != JSON_OBJECT)
		return err_set(info, ERR_INVALID, at, "must be an object");
	return ERR_OK;
}

/* Each attribute once: of two, no two readers would take the same. */
static enum err
members_unique(const struct flag_value *object, const char *at, struct err_info *info)
{
	const struct flag_value *v = flag_value_first(object);

	if (object->n > FLAG_CONTEXT_MEMBERS_MAX)
		return err_set(info, ERR_INVALID, at, "has at most %d members, not %u",
			       FLAG_CONTEXT_MEMBERS_MAX, object->n);
	for (uint32_t i = 0; i < object->n; i++, v = flag_value_next(v)) {
		if (flag_value_member(object, v->key) != v) {
			char place[sizeof(info->field)];
			flag_value_pointer(object, v, at, place, sizeof(place));
			return err_set(info, ERR_INVALID, place, "is there twice");
		}
	}
	return ERR_OK;
}

enum err
flag_context_read(struct arena *a, struct str text, const char *at, struct flag_context *out,
		  struct err_info *info)
{
	*out = (struct flag_context) { .attributes = NULL };
	const struct flag_value *object = NULL;
	enum err err = object_read(a, text, at, &object, info);
	if (err == ERR_OK)
		err = members_unique(object, at, info);
	if (err != ERR_OK)
		return err;
	out->attributes = object;
	const struct flag_value *unit = flag_value_member(object, STR(FLAG_UNIT_ATTRIBUTE));
	if (unit != NULL && unit->kind == JSON_STRING)
		flag_context_unit(out, unit->text);
	return ERR_OK;
}

enum err
flag_context_record(struct arena *a, struct str text, struct flag_context *c, struct err_info *info)
{
	return object_read(a, text, "", &c->record, info);
}

void
flag_context_unit(struct flag_context *c, struct str unit)
{
	/* Bytes that are no text can be hashed, and no condition is put to them. */
	const bool is_text = unit.len > 0 && str_utf8_valid(unit);

	c->unit = (struct flag_value) { .kind = JSON_NULL };
	if (unit.len > 0)
		c->unit = (struct flag_value) { .kind = is_text ? JSON_STRING : JSON_NULL,
						.text = unit,
						.size = 1 };
}
