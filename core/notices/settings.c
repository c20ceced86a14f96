/*
 * settings.c — how a principal wants to be told: GET and PUT of the whole of his choices. The form is checked here, member by member;
 * time zones and kinds are known to the database and checked there.
 */
#include "core/notices/internal.h"

#include <string.h>

#define MEMBERS_MAX 64
#define ZONE_BYTES_MAX 64

/* "HH:MM" as minutes of the day; -1 if it is none. */
static int
minutes_of(struct str s)
{
	int64_t hour = 0;
	int64_t minute = 0;

	if (s.len != 5 || s.p[2] != ':' || s.p[0] == '-' || s.p[3] == '-' ||
	    str_int((struct str) { s.p, 2 }, 0, 23, &hour) != ERR_OK ||
	    str_int((struct str) { s.p + 3, 2 }, 0, 59, &minute) != ERR_OK)
		return -1;
	return (int)(hour * 60 + minute);
}

static enum err
hours_read(struct str value, struct arena *arena, struct buf *out, struct err_info *info)
{
	struct json_member m[4];
	size_t n = ARRAY_LEN(m);
	int at[2] = { -1, -1 };
	static const char *const names[] = { "from", "to", NULL };

	if (json_scan_object(value, arena, m, &n, info) != ERR_OK)
		return info->code;
	for (size_t i = 0; i < n; i++) {
		const size_t which = str_is(m[i].key, "from") ? 0 : str_is(m[i].key, "to") ? 1 : 2;
		struct str text;
		if (which == 2)
			return json_member_unknown(m[i].key, names, "/hours", info);
		if (m[i].kind == JSON_STRING && json_unescape(m[i].value, arena, &text) == ERR_OK)
			at[which] = minutes_of(text);
	}
	for (size_t i = 0; i < 2; i++)
		if (at[i] < 0)
			return err_set(info, ERR_INVALID, i == 0 ? "/hours/from" : "/hours/to",
				       "\"%s\" must be a time of day as in \"08:30\"", names[i]);
	if (at[0] == at[1])
		return err_set(info, ERR_INVALID, "/hours",
			       "\"from\" and \"to\" must differ; leave \"hours\" out for any time");
	buf_printf(out, ",\"from\":%d,\"to\":%d", at[0], at[1]);
	return ERR_OK;
}

static enum err
days_read(const struct json_member *m, struct buf *out, struct err_info *info)
{
	static const char *const names[] = { "\"mon\"", "\"tue\"", "\"wed\"", "\"thu\"",
					     "\"fri\"", "\"sat\"", "\"sun\"" };
	struct json_element e[ARRAY_LEN(names)];
	size_t n = ARRAY_LEN(e);
	bool good =
		m->kind == JSON_ARRAY && json_scan_array(m->value, e, &n, info) == ERR_OK && n > 0;

	buf_add_cstr(out, ",\"days\":[");
	for (size_t i = 0; good && i < n; i++) {
		size_t day = 0;
		while (day < ARRAY_LEN(names) && !str_is(e[i].value, names[day]))
			day++;
		good = day < ARRAY_LEN(names);
		buf_printf(out, "%s%zu", i > 0 ? "," : "", day + 1);
	}
	buf_add_char(out, ']');
	if (good)
		return ERR_OK;
	err_clear(info);
	return err_set(info, ERR_INVALID, "/days",
		       "must be a list of \"mon\", \"tue\" and so on; leave it out for every day");
}

static enum err
digest_read(struct str value, struct arena *arena, struct buf *out, struct err_info *info)
{
	struct json_member m[4];
	size_t n = ARRAY_LEN(m);
	int64_t hour = -1;

	if (json_scan_object(value, arena, m, &n, info) != ERR_OK)
		return info->code;
	for (size_t i = 0; i < n; i++) {
		if (!str_is(m[i].key, "hour"))
			return json_member_unknown(m[i].key, NULL, "/digest", info);
		if (m[i].kind != JSON_NUMBER || str_int(m[i].value, 0, 23, &hour) != ERR_OK)
			hour = -1;
	}
	if (hour < 0)
		return err_set(info, ERR_INVALID, "/digest/hour", "must be a number from 0 to 23");
	buf_printf(out, ",\"digest_hour\":%lld", (long long)hour);
	return ERR_OK;
}

static enum err
channel_list_read(const struct json_member *m, const char *at, struct err_info *info)
{
	struct json_element e[3];
	size_t n = ARRAY_LEN(e);

	if (m->kind != JSON_ARRAY || json_scan_array(m->value, e, &n, info) != ERR_OK)
		n = ARRAY_LEN(e) + 1;
	for (size_t i = 0; i < MIN(n, ARRAY_LEN(e)); i++)
		if (!str_is(e[i].value, "\"app\"") && !str_is(e[i].value, "\"email\"") &&
		    !str_is(e[i].value, "\"webhook\""))
			n = ARRAY_LEN(e) + 1;
	if (n <= ARRAY_LEN(e))
		return ERR_OK;
	err_clear(info);
	return err_set(info, ERR_INVALID, at,
		       "must be a list of \"app\", \"email\" and \"webhook\"; [] is none");
}

static enum err
channels_read(struct str value, struct arena *arena, struct buf *out, struct err_info *info)
{
	struct json_member m[MEMBERS_MAX];
	size_t n = ARRAY_LEN(m);

	if (json_scan_object(value, arena, m, &n, info) != ERR_OK)
		return info->code;
	for (size_t i = 0; i < n; i++) {
		const char *at = arena_printf(arena, "/channels/%.*s", (int)MIN(m[i].key.len, 64),
					      m[i].key.p);
		if (channel_list_read(&m[i], at, info) != ERR_OK)
			return info->code;
	}
	buf_add_cstr(out, ",\"channels\":");
	buf_add_str(out, value);
	return ERR_OK;
}

enum err
core_notices_settings_read(struct str body, struct arena *arena, struct buf *out,
			   struct err_info *info)
{
	struct json_member m[8];
	size_t n = ARRAY_LEN(m);
	struct str zone = STR("UTC");
	enum err err = json_scan_object(body, arena, m, &n, info);

	for (size_t i = 0; i < n && err == ERR_OK; i++)
		if (str_is(m[i].key, "time_zone") &&
		    (m[i].kind != JSON_STRING ||
		     json_unescape(m[i].value, arena, &zone) != ERR_OK || zone.len == 0 ||
		     zone.len > ZONE_BYTES_MAX))
			err = err_set(info, ERR_INVALID, "/time_zone",
				      "must be the name of a time zone, as \"Europe/Berlin\"");
	buf_add_cstr(out, "{\"time_zone\":");
	buf_json_str(out, zone);
	for (size_t i = 0; i < n && err == ERR_OK; i++) {
		const bool is_null = m[i].kind == JSON_NULL;
		if (str_is(m[i].key, "time_zone"))
			continue;
		if (str_is(m[i].key, "hours"))
			err = is_null ? ERR_OK : hours_read(m[i].value, arena, out, info);
		else if (str_is(m[i].key, "days"))
			err = is_null ? ERR_OK : days_read(&m[i], out, info);
		else if (str_is(m[i].key, "digest"))
			err = is_null ? ERR_OK : digest_read(m[i].value, arena, out, info);
		else if (str_is(m[i].key, "channels"))
			err = channels_read(m[i].value, arena, out, info);
		else
			err = json_member_unknown(m[i].key, NULL, "", info);
	}
	buf_add_char(out, '}');
	if (err == ERR_OK && out->failed)
		err = err_set(info, ERR_TOO_LARGE, NULL, "the choices are too long");
	return err;
}

static enum step
get_read(struct task *t)
{
	const struct postgres_param who = P_TEXT(access_actor_of(t)->principal);

	return postgres_wait(core_notices_app, t, &sql_notice_settings_get, &who, 1);
}

static enum step
get_answer(struct task *t)
{
	return http_reply_json(t, 200, postgres_value(t, 0, 0, 0));
}

const struct step_row core_notices_settings_get_steps[] = {
	{ "read", get_read },
	{ "answer", get_answer },
	{ NULL, NULL },
};

static enum step
put_write(struct task *t)
{
	struct buf choices;

	buf_init(&choices, 64 * 1024);
	enum step next = STEP_DONE;
	if (core_notices_settings_read(http_body(t), &t->t_arena, &choices, &t->t_err) != ERR_OK) {
		next = task_fail(t);
	} else {
		const struct postgres_param params[] = { P_TEXT(access_actor_of(t)->principal),
							 P_STR(http_request_id(t)),
							 P_STR(buf_str(&choices)) };
		next = postgres_wait(core_notices_app, t, &sql_notice_settings_put, params,
				     ARRAY_LEN(params));
	}
	buf_free(&choices);
	return next;
}

const struct step_row core_notices_settings_put_steps[] = {
	{ "write", put_write },
	{ "read", get_read },
	{ "answer", get_answer },
	{ NULL, NULL },
};
