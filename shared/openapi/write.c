/*
 * write.c — the document of a list of operations. See openapi.h.
 *
 * Place: after list.c. Invariant: an operation is written from its row of the route table and its entry of the api.json, nothing
 * else; so what stands here is what is served.
 */
#include "openapi/internal.h"

#include <string.h>

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },        { 201, "Created" },      { 202, "Accepted" },
	{ 204, "Done" },      { 206, "A part" },       { 303, "See the other place" },
	{ 302, "Found" },     { 304, "Not modified" }, { 307, "Over there" },
	{ 503, "Not ready" },
};

static const char *
phrase_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Answer";
}

void
openapi_fill(struct str text, struct str resource, struct buf *out)
{
	static const char mark[] = "{resource}";
	while (text.len > 0) {
		const char *at = memmem(text.p, text.len, mark, sizeof(mark) - 1);
		const size_t before =
			at == NULL || resource.p == NULL ? text.len : (size_t)(at - text.p);
		buf_add(out, text.p, before);
		if (before == text.len)
			return;
		buf_add_str(out, resource);
		text = (struct str) { at + sizeof(mark) - 1,
				      text.len - before - (sizeof(mark) - 1) };
	}
}

/* ---- parameters ---- */

static const char *
segment_schema(struct str type)
{
	if (str_is(type, "uuid"))
		return "{\"type\":\"string\",\"format\":\"uuid\"}";
	if (str_is(type, "int"))
		return "{\"type\":\"integer\",\"format\":\"int64\"}";
	if (str_is(type, "slug"))
		return "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9][A-Za-z0-9._-]*$\","
		       "\"maxLength\":128}";
	return "{\"type\":\"string\"}";
}

/* Those of the pattern that are still parameters of the path. */
static void
path_parameters(const struct openapi_shown *s, struct buf *out)
{
	struct str rest = str_of(s->row->route->pattern);
	for (;;) {
		(void)str_cut(&rest, '{');
		if (rest.p == NULL)
			return;
		struct str type = str_cut(&rest, '}');
		const struct str name = str_cut(&type, ':');
		if (s->resource != NULL && (str_is(name, "resource") || str_is(name, "parent")))
			continue;
		buf_printf(out,
			   "{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,\"schema\":%s},",
			   STR_FMT(name), segment_schema(type));
	}
}

static void
parameters(const struct openapi_shown *s, struct str resource, struct buf *out)
{
	const struct openapi_operation *op = s->row->operation;
	const size_t before = out->len;
	buf_add_cstr(out, ",\"parameters\":[");
	const size_t empty = out->len;
	path_parameters(s, out);
	if (op->parameters.len > 0) {
		openapi_fill(op->parameters, resource, out);
		buf_add_char(out, ',');
	}
	if (s->resource != NULL && (op->list_filters || op->one_filter)) {
		buf_add_str(out, op->list_filters ? s->resource->filters : s->resource->fields);
		buf_add_char(out, ',');
	}
	if (out->failed)
		return;
	if (out->len == empty) {
		out->len = before;
		return;
	}
	out->len--; /* the last comma */
	buf_add_char(out, ']');
}

/* ---- body and replies ---- */

static void
content(struct str type, struct str schema, struct str resource, struct buf *out)
{
	buf_printf(out, "\"content\":{\"%.*s\":{\"schema\":{\"$ref\":\"#/components/schemas/",
		   STR_FMT(type));
	openapi_fill(schema, resource, out);
	buf_add_cstr(out, "\"}}");
}

static void
body(const struct openapi_operation *op, struct str resource, struct buf *out)
{
	if (op->body.p == NULL)
		return;
	buf_add_cstr(out, ",\"requestBody\":");
	if (op->body.p[0] != '"') {
		openapi_fill(op->body, resource, out);
		return;
	}
	buf_add_cstr(out, "{\"required\":true,");
	content(STR("application/json"), (struct str) { op->body.p + 1, op->body.len - 2 },
		resource, out);
	buf_add_cstr(out, "}}");
}

static void
header(struct str name, const char *between, struct buf *out)
{
	buf_printf(out, "%s\"%.*s\":{\"$ref\":\"#/components/headers/%.*s\"}", between,
		   STR_FMT(name), STR_FMT(name));
}

static void
reply(const struct openapi_shown *s, const struct openapi_reply *r, struct str resource,
      struct buf *out)
{
	buf_printf(out, "\"%d\":{\"description\":", r->status);
	if (r->description.p != NULL)
		openapi_fill(r->description, resource, out);
	else
		buf_json_cstr(out, phrase_of(r->status));
	buf_add_cstr(out, ",\"headers\":{");
	header(STR("Request-Id"), "", out);
	if (s->row->route->right != NULL) {
		header(STR("RateLimit"), ",", out);
		header(STR("RateLimit-Policy"), ",", out);
	}
	struct str rest = r->headers;
	(void)str_cut(&rest, '"');
	while (rest.p != NULL) {
		header(str_cut(&rest, '"'), ",", out);
		(void)str_cut(&rest, '"');
	}
	buf_add_char(out, '}');
	if (r->schema.p != NULL) {
		buf_add_char(out, ',');
		content(r->type, r->schema, resource, out);
		/* Before the room was asked, it is a problem like any other. */
		if (r->status >= 400)
			buf_add_cstr(out, ",\"application/problem+json\":{\"schema\":{\"$ref\":"
					  "\"#/components/schemas/Problem\"}}");
		buf_add_char(out, '}');
	}
	buf_add_char(out, '}');
}

/* What the route itself can be answered with before the room sees it. */
static void
errors(const struct openapi_shown *s, struct buf *out)
{
	const struct openapi_operation *op = s->row->operation;
	const struct http_route *route = s->row->route;
	bool has[512] = { [400] = true, [429] = true };
	has[401] = has[403] = route->right != NULL;
	has[404] = strchr(route->pattern, '{') != NULL;
	has[413] = has[415] = has[422] = op->body.p != NULL;
	for (size_t i = 0; i < op->n_errors; i++)
		if (op->errors[i] < (int)ARRAY_LEN(has))
			has[op->errors[i]] = true;
	for (size_t i = 0; i < op->n_replies; i++)
		if (op->replies[i].status < (int)ARRAY_LEN(has))
			has[op->replies[i].status] = false;
	for (int status = 400; status < 500; status++)
		if (has[status])
			buf_printf(out, ",\"%d\":{\"$ref\":\"#/components/responses/Problem%d\"}",
				   status, status);
	buf_add_cstr(out, ",\"5XX\":{\"$ref\":\"#/components/responses/Problem5XX\"}");
}

/* ---- the whole ---- */

static void
operation(const struct openapi_shown *s, struct buf *out)
{
	static const char *const methods[HTTP_METHODS] = { "get",   "head",   "post",   "put",
							   "patch", "delete", "options" };
	const struct openapi_operation *op = s->row->operation;
	const struct str resource = s->resource == NULL ? STR_NONE : s->resource->name;

	buf_printf(out, "\"%s\":{\"operationId\":\"%s%s%.*s\",\"tags\":[%.*s],\"summary\":",
		   methods[s->row->route->method], s->row->route->name,
		   s->resource == NULL ? "" : ".", STR_FMT(resource), STR_FMT(op->tag));
	openapi_fill(op->summary, resource, out);
	if (op->description.p != NULL) {
		buf_add_cstr(out, ",\"description\":");
		openapi_fill(op->description, resource, out);
	}
	if (s->right == NULL)
		buf_add_cstr(out, ",\"security\":[]");
	else
		buf_printf(out, ",\"x-right\":\"%s\"", s->right);
	parameters(s, resource, out);
	body(op, resource, out);
	buf_add_cstr(out, ",\"responses\":{");
	for (size_t i = 0; i < op->n_replies; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		reply(s, &op->replies[i], resource, out);
	}
	errors(s, out);
	buf_add_cstr(out, "}}");
}

static void
paths(const struct openapi_list *list, struct buf *out)
{
	buf_add_cstr(out, "\"paths\":{");
	for (size_t i = 0; i < list->n; i++) {
		const struct openapi_shown *s = &list->shown[i];
		const bool same = i > 0 && str_eq(s->path, list->shown[i - 1].path);
		if (same) {
			buf_add_cstr(out, ",\n");
		} else {
			buf_add_cstr(out, i > 0 ? "},\n" : "\n");
			buf_json_str(out, s->path);
			buf_add_cstr(out, ":{");
		}
		operation(s, out);
	}
	buf_add_cstr(out, list->n > 0 ? "}}" : "}");
}

static void
tags(const struct openapi_list *list, struct buf *out)
{
	const struct openapi *o = list->api;
	const char *between = "";
	buf_add_cstr(out, "\"tags\":[");
	for (size_t i = 0; i < o->n_tags; i++) {
		bool used = false;
		for (size_t k = 0; !used && k < list->n; k++) {
			const char *tag = list->shown[k].row->operation->tag.p;
			used = tag >= o->tags[i].p && tag < o->tags[i].p + o->tags[i].len;
		}
		if (!used)
			continue;
		buf_add_cstr(out, between);
		buf_add_str(out, o->tags[i]);
		between = ",\n";
	}
	buf_add_cstr(out, "],\n\"security\":[");
	for (size_t i = 0; i < o->n_security; i++)
		buf_printf(out, "%s{\"%.*s\":[]}", i > 0 ? "," : "", STR_FMT(o->security[i]));
	buf_add_cstr(out, "],\n");
}

void
openapi_write(const struct openapi_list *list, struct arena *a, struct buf *out)
{
	const struct openapi *o = list->api;
	buf_add_cstr(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":");
	buf_json_cstr(out, o->conf.title);
	buf_add_cstr(out, ",\"version\":");
	buf_json_cstr(out, o->conf.version);
	buf_add_cstr(out, ",\"description\":");
	buf_json_cstr(out, o->conf.description);
	buf_add_cstr(out, ",\"license\":{\"name\":\"GPL-3.0-or-later\",\"identifier\":"
			  "\"GPL-3.0-or-later\"}},\n\"servers\":[{\"url\":\"/\"}],\n");
	tags(list, out);
	const size_t from = out->len;
	paths(list, out);
	buf_add_cstr(out, ",\n\"components\":{\"securitySchemes\":{");
	for (size_t i = 0; i < o->n_security; i++)
		buf_printf(out, "%s\"%.*s\":%.*s", i > 0 ? ",\n" : "", STR_FMT(o->security[i]),
			   STR_FMT(o->schemes[i]));
	buf_add_char(out, '}');
	const struct str text = buf_str(out);
	openapi_components_write(list, (struct str) { text.p + from, text.len - from }, a, out);
	buf_add_cstr(out, "}}\n");
}
