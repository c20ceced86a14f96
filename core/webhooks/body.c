/*
 * body.c — the bodies of POST and PATCH /v1/webhooks: member by member, each mistake with its place.
 */
#include "core/webhooks/body.h"

#include "base/json_member.h"

#define MEMBERS_MAX 16
#define TYPES_MAX 50
#define TYPE_BYTES_MAX 64
#define DESCRIPTION_BYTES_MAX 500

static enum err
text_read(const struct json_member *m, struct arena *arena, size_t max, struct str *out,
	  struct err_info *info)
{
	const char *at = arena_printf(arena, "/%.*s", (int)MIN(m->key.len, 64), m->key.p);

	if (m->kind != JSON_STRING || json_unescape(m->value, arena, out) != ERR_OK ||
	    out->len > max)
		return err_set(info, ERR_INVALID, at, "must be a string of at most %zu bytes", max);
	return ERR_OK;
}

static bool
type_valid(struct str s)
{
	if (s.len == 0 || s.len > TYPE_BYTES_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		const bool star = c == '*' && i + 1 == s.len && (i == 0 || s.p[i - 1] == '.');
		if (!star && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' &&
		    c != '.' && c != '-')
			return false;
	}
	return true;
}

/* As the text of a text[] parameter; the types hold nothing that would need quotes but the star, which is none. */
static enum err
types_read(const struct json_member *m, struct arena *arena, struct str *out, struct err_info *info)
{
	struct json_element e[TYPES_MAX];
	size_t n = ARRAY_LEN(e);
	struct buf list;

	if (m->kind != JSON_ARRAY || json_scan_array(m->value, e, &n, info) != ERR_OK || n == 0) {
		err_clear(info);
		return err_set(info, ERR_INVALID, "/types", "must be a list of 1 to %d types",
			       TYPES_MAX);
	}
	buf_init(&list, (size_t)TYPES_MAX * (TYPE_BYTES_MAX + 4) + 4);
	buf_add_char(&list, '{');
	for (size_t i = 0; i < n; i++) {
		struct str type;
		if (e[i].kind != JSON_STRING || json_unescape(e[i].value, arena, &type) != ERR_OK ||
		    !type_valid(type)) {
			buf_free(&list);
			return err_set(info, ERR_INVALID, arena_printf(arena, "/types/%zu", i),
				       "must be a type as \"notice.change.waiting\", a group of "
				       "them as \"notice.*\", or \"*\"");
		}
		buf_printf(&list, "%s%.*s", i > 0 ? "," : "", STR_FMT(type));
	}
	buf_add_char(&list, '}');
	*out = arena_str(arena, buf_str(&list));
	buf_free(&list);
	return out->p != NULL ? ERR_OK : err_set(info, ERR_NO_MEMORY, NULL, "no memory");
}

static enum err
url_read(const struct json_member *m, const struct core_webhooks_nets *nets, struct arena *arena,
	 struct str *out, struct err_info *info)
{
	const enum err err = text_read(m, arena, 2000, out, info);
	const char *wrong = err == ERR_OK ? core_webhooks_url_wrong(*out, nets, arena) : NULL;

	return wrong != NULL ? err_set(info, ERR_INVALID, "/url", "%s", wrong) : err;
}

static enum err
bool_read(const struct json_member *m, struct str *out, struct err_info *info)
{
	*out = m->value;
	return m->kind == JSON_TRUE || m->kind == JSON_FALSE
		       ? ERR_OK
		       : err_set(info, ERR_INVALID, "/enabled", "must be true or false");
}

static enum err
team_read(const struct json_member *m, struct arena *arena, struct str *out, struct err_info *info)
{
	struct uuid id;

	return text_read(m, arena, UUID_TEXT_SIZE, out, info) == ERR_OK &&
			       uuid_parse(*out, &id) == ERR_OK
		       ? ERR_OK
		       : err_set(info, ERR_INVALID, "/team", "must be the id of a team");
}

enum err
core_webhooks_body_read(struct str text, bool is_new, const struct core_webhooks_nets *nets,
			struct arena *arena, struct webhooks_body *out, struct err_info *info)
{
	struct json_member m[MEMBERS_MAX];
	size_t n = ARRAY_LEN(m);
	enum err err = json_scan_object(text, arena, m, &n, info);

	*out = (struct webhooks_body) { 0 };
	for (size_t i = 0; i < n && err == ERR_OK; i++) {
		if (str_is(m[i].key, "url"))
			err = url_read(&m[i], nets, arena, &out->url, info);
		else if (str_is(m[i].key, "description"))
			err = text_read(&m[i], arena, DESCRIPTION_BYTES_MAX, &out->description,
					info);
		else if (str_is(m[i].key, "types"))
			err = types_read(&m[i], arena, &out->types, info);
		else if (is_new && str_is(m[i].key, "team"))
			err = team_read(&m[i], arena, &out->team, info);
		else if (!is_new && str_is(m[i].key, "enabled"))
			err = bool_read(&m[i], &out->enabled, info);
		else
			err = json_member_unknown(m[i].key, NULL, "", info);
	}
	if (err == ERR_OK && is_new && out->url.p == NULL)
		err = err_set(info, ERR_INVALID, "/url", "\"url\" is required");
	return err;
}
