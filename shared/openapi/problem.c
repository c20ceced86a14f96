/*
 * problem.c — the replies that say what went wrong, from the error table: one a status, and the codes of all. See openapi.h.
 */
#include "openapi/internal.h"

#include <stdio.h>

#define TEXT_BYTES_MAX (64 * 1024)

static bool
status_seen(int before, int status)
{
	for (int i = 1; i < before; i++)
		if (err_row((enum err)i)->status == status)
			return true;
	return false;
}

/* What the errors of a status say, in one sentence. */
static void
titles_of(int status, struct buf *out)
{
	const char *between = "";
	for (int i = 1; i < ERR_COUNT; i++) {
		if (err_row((enum err)i)->status != status)
			continue;
		buf_printf(out, "%s%s", between, err_row((enum err)i)->title);
		between = "; or: ";
	}
}

static void
problem_text(int status, struct buf *out)
{
	struct buf titles;
	buf_init(&titles, TEXT_BYTES_MAX);
	titles_of(status, &titles);
	buf_add_cstr(out, "{\"description\":");
	buf_json_str(out, buf_str(&titles));
	buf_add_cstr(out,
		     ",\"headers\":{\"Request-Id\":{\"$ref\":\"#/components/headers/Request-Id\"}");
	if (status == 401)
		buf_add_cstr(out, ",\"WWW-Authenticate\":{\"$ref\":\"#/components/headers/"
				  "WWW-Authenticate\"}");
	if (status == 429)
		buf_add_cstr(out,
			     ",\"Retry-After\":{\"$ref\":\"#/components/headers/Retry-After\"}");
	buf_add_cstr(out, "},\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":"
			  "\"#/components/schemas/Problem\"}}}}");
	buf_free(&titles);
}

static enum err
add(struct openapi *o, enum openapi_kind kind, struct str name, const struct buf *text,
    struct err_info *info)
{
	const struct openapi_component c = { .kind = kind,
					     .name = arena_str(&o->arena, name),
					     .text = arena_str(&o->arena, buf_str(text)) };
	if (text->failed || c.name.p == NULL || c.text.p == NULL || !openapi_component_add(o, &c))
		return err_set(info, ERR_CONFIG, NULL,
			       "\"%.*s\" is made from the error table, and there already",
			       STR_FMT(name));
	return ERR_OK;
}

enum err
openapi_problems_add(struct openapi *o, struct err_info *info)
{
	struct buf text;
	enum err err = ERR_OK;
	const char *between = "";

	buf_init(&text, TEXT_BYTES_MAX);
	for (int i = 1; err == ERR_OK && i < ERR_COUNT; i++) {
		const int status = err_row((enum err)i)->status;
		char name[24];
		if (status >= 500 || status_seen(i, status))
			continue;
		buf_reset(&text);
		problem_text(status, &text);
		(void)snprintf(name, sizeof(name), "Problem%d", status);
		err = add(o, OPENAPI_RESPONSE, str_of(name), &text, info);
	}
	buf_reset(&text);
	buf_add_cstr(&text, "{\"description\":\"The server could not do it; the same request may "
			    "succeed later if "
			    "it is "
			    "retryable\",\"headers\":{\"Request-Id\":{\"$ref\":\"#/components/"
			    "headers/Request-Id\"}},"
			    "\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":"
			    "\"#/components/schemas/Problem\"}}}}");
	if (err == ERR_OK)
		err = add(o, OPENAPI_RESPONSE, STR("Problem5XX"), &text, info);
	buf_reset(&text);
	buf_add_cstr(&text,
		     "{\"type\":\"string\",\"description\":\"what went wrong; stable\",\"enum\":[");
	for (int i = 1; i < ERR_COUNT; i++) {
		buf_add_cstr(&text, between);
		buf_json_cstr(&text, err_row((enum err)i)->slug);
		between = ",";
	}
	buf_add_cstr(&text, "]}");
	if (err == ERR_OK)
		err = add(o, OPENAPI_SCHEMA, STR("ProblemCode"), &text, info);
	buf_free(&text);
	return err;
}
