/*
 * body.c — the bodies of this room. A table says which members a body may have, so that nothing else can be assigned: version,
 * dates, hashes and the like are simply not known. Values go to the database as they came.
 */
#include "core/people/internal.h"

static const struct people_member *
known_find(const struct people_member *known, struct str key)
{
	for (; known->name != NULL; known++)
		if (str_is(key, known->name))
			return known;
	return NULL;
}

static bool
unknown(struct task *t, const struct people_member *known, struct str key)
{
	const char *names[PEOPLE_MEMBERS_MAX + 1] = { NULL };
	for (size_t i = 0; known[i].name != NULL && i < PEOPLE_MEMBERS_MAX; i++)
		names[i] = known[i].name;
	return json_member_unknown(key, names, "", &t->t_err) == ERR_OK;
}

static bool
text_fits(struct task *t, const struct json_member *m)
{
	struct str text;
	return m->kind == JSON_STRING && m->value.len <= PEOPLE_TEXT_MAX &&
	       json_unescape(m->value, &t->t_arena, &text) == ERR_OK && text.len > 0;
}

static bool
is_uuid(const struct json_member *m)
{
	struct uuid u;
	return m->kind == JSON_STRING &&
	       uuid_parse((struct str) { m->value.p + 1, m->value.len - 2 }, &u) == ERR_OK;
}

/* What it should be, or NULL if it is. */
static const char *
mistake(struct task *t, const struct people_member *known, const struct json_member *m)
{
	if (m->kind == JSON_NULL)
		return known->need == PEOPLE_NULLABLE ? NULL : "must not be null";
	switch (known->type) {
	case PEOPLE_TEXT:
		return text_fits(t, m) ? NULL
				       : "must be a text, neither empty nor longer than 800 bytes";
	case PEOPLE_UUID:
		return is_uuid(m) ? NULL
				  : "must be an id such as 01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f";
	case PEOPLE_BOOL:
		return m->kind == JSON_TRUE || m->kind == JSON_FALSE ? NULL
								     : "must be true or false";
	case PEOPLE_INT:
		return m->kind == JSON_NUMBER ? NULL : "must be a number";
	case PEOPLE_LIST:
		return m->kind == JSON_ARRAY ? NULL : "must be a list of texts";
	}
	return "is of no known type";
}

static bool
required_there(struct task *t, const struct people_member *known, const struct people_body *b)
{
	for (; known->name != NULL; known++) {
		if (known->need != PEOPLE_REQUIRED || people_get(b, known->name) != NULL)
			continue;
		(void)err_set(&t->t_err, ERR_INVALID, arena_printf(&t->t_arena, "/%s", known->name),
			      "\"%s\" is required", known->name);
		return false;
	}
	return true;
}

bool
people_body(struct task *t, const struct people_member *known, struct people_body *out)
{
	out->n = http_body(t).len == 0 ? 0 : ARRAY_LEN(out->member);
	if (out->n > 0 &&
	    json_scan_object(http_body(t), &t->t_arena, out->member, &out->n, &t->t_err) != ERR_OK)
		return false;
	for (size_t i = 0; i < out->n; i++) {
		const struct json_member *m = &out->member[i];
		const struct people_member *k = known_find(known, m->key);
		if (k == NULL)
			return unknown(t, known, m->key);
		const char *wrong = mistake(t, k, m);
		if (wrong == NULL)
			continue;
		(void)err_set(&t->t_err, ERR_INVALID, arena_printf(&t->t_arena, "/%s", k->name),
			      "%s", wrong);
		return false;
	}
	return required_there(t, known, out);
}

const struct json_member *
people_get(const struct people_body *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (str_is(b->member[i].key, name))
			return b->member[i].kind == JSON_NULL ? NULL : &b->member[i];
	return NULL;
}

struct str
people_text(struct task *t, const struct people_body *b, const char *name)
{
	const struct json_member *m = people_get(b, name);
	struct str text = STR_NONE;
	if (m == NULL || json_unescape(m->value, &t->t_arena, &text) != ERR_OK)
		return STR_NONE;
	return text;
}

bool
people_list(struct task *t, const struct people_body *b, const char *name,
	    bool (*valid)(struct str word), const char *what, struct str *out)
{
	const struct json_member *m = people_get(b, name);
	struct json_element items[PEOPLE_LIST_MAX];
	size_t n = ARRAY_LEN(items);
	struct buf text;

	*out = STR_NONE;
	if (m == NULL)
		return true;
	if (json_scan_array(m->value, items, &n, NULL) != ERR_OK) {
		(void)err_set(&t->t_err, ERR_INVALID, arena_printf(&t->t_arena, "/%s", name),
			      "must be a list of at most %d texts", PEOPLE_LIST_MAX);
		return false;
	}
	buf_init(&text, PEOPLE_BODY_MAX);
	buf_add_char(&text, '{');
	for (size_t i = 0; i < n; i++) {
		struct str word = STR_NONE;
		if (items[i].kind != JSON_STRING ||
		    json_unescape(items[i].value, &t->t_arena, &word) != ERR_OK || !valid(word)) {
			(void)err_set(&t->t_err, ERR_INVALID,
				      arena_printf(&t->t_arena, "/%s/%zu", name, i), "%s", what);
			buf_free(&text);
			return false;
		}
		if (i > 0)
			buf_add_char(&text, ',');
		buf_add_str(&text, word); /* a valid word needs no quotes */
	}
	buf_add_char(&text, '}');
	*out = arena_str(&t->t_arena, buf_str(&text));
	buf_free(&text);
	if (out->p == NULL)
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the request");
	return out->p != NULL;
}

struct str
people_raw(struct task *t)
{
	return http_body(t).len == 0 ? STR("{}") : http_body(t);
}
