/*
 * parts.c — reads the api.json files that are embedded in a daemon, and meets them with its routes. See openapi.h.
 *
 * Place: once at the start of a worker. Invariant: every route has its operation; names are once there; texts are valid JSON and
 * point into the embedded files.
 */
#include "openapi/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define FEW_MAX 16
#define MANY_MAX 256 /* operations or components of one file */

const char *const openapi_kind_names[OPENAPI_KINDS] = { "schemas", "parameters", "headers",
							"responses" };

struct reading {
	struct openapi *o;
	const char *file;
	struct str tag;
	struct err_info *info;
};

static enum err
wrong(const struct reading *r, struct str where, const char *what)
{
	return err_set(r->info, ERR_CONFIG, NULL, "%s: \"%.*s\" %s", r->file, STR_FMT(where), what);
}

/* The members of an object, at most *n, in the arena of the whole. */
static enum err
members_of(const struct reading *r, struct str where, struct str text, struct json_member **out,
	   size_t *n)
{
	*out = arena_alloc(&r->o->arena, *n * sizeof(**out));
	if (*out == NULL)
		return err_set(r->info, ERR_NO_MEMORY, NULL, "%s is too large", r->file);
	struct err_info at = { .code = ERR_OK };
	if (json_scan_object(text, &r->o->arena, *out, n, &at) == ERR_OK)
		return ERR_OK;
	return err_set(r->info, ERR_CONFIG, NULL, "%s: \"%.*s\": %s", r->file, STR_FMT(where),
		       at.msg);
}

static struct str
unquoted(struct str raw)
{
	return raw.len >= 2 ? (struct str) { raw.p + 1, raw.len - 2 } : STR_NONE;
}

/* What stands between the brackets. */
static struct str
inside(struct str raw)
{
	struct str s = unquoted(raw);
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\n' || s.p[0] == '\t'))
		s = (struct str) { s.p + 1, s.len - 1 };
	while (s.len > 0 && strchr(" \n\t", s.p[s.len - 1]) != NULL)
		s.len--;
	return s;
}

static enum err
reply_read(const struct reading *r, const struct json_member *m, struct openapi_operation *op)
{
	int64_t status = 0;
	if (op->n_replies == OPENAPI_REPLIES_MAX || str_int(m->key, 200, 599, &status) != ERR_OK)
		return wrong(r, op->name, "has too many replies, or one without a status");
	struct openapi_reply *reply = &op->replies[op->n_replies++];
	*reply = (struct openapi_reply) { .status = (int)status, .type = STR("application/json") };
	if (m->kind == JSON_STRING)
		reply->schema = unquoted(m->value);
	if (m->kind != JSON_OBJECT)
		return ERR_OK;
	struct json_member *members;
	size_t n = FEW_MAX;
	const enum err err = members_of(r, op->name, m->value, &members, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		if (str_is(members[i].key, "schema"))
			reply->schema = unquoted(members[i].value);
		else if (str_is(members[i].key, "type"))
			reply->type = unquoted(members[i].value);
		else if (str_is(members[i].key, "headers"))
			reply->headers = members[i].value;
		else if (str_is(members[i].key, "description"))
			reply->description = members[i].value;
		else
			return wrong(r, members[i].key, "is no member of a reply");
	}
	return err;
}

static enum err
errors_read(const struct reading *r, struct str raw, struct openapi_operation *op)
{
	struct str rest = inside(raw);
	while (rest.p != NULL && rest.len > 0) {
		int64_t status = 0;
		if (op->n_errors == OPENAPI_ERRORS_MAX ||
		    str_int(str_trim(str_cut(&rest, ',')), 400, 599, &status) != ERR_OK)
			return wrong(r, op->name, "has errors that are no statuses");
		op->errors[op->n_errors++] = (int)status;
	}
	return ERR_OK;
}

static enum err
member_read(const struct reading *r, const struct json_member *m, struct openapi_operation *op)
{
	if (str_is(m->key, "summary"))
		op->summary = m->value;
	else if (str_is(m->key, "description"))
		op->description = m->value;
	else if (str_is(m->key, "parameters"))
		op->parameters = inside(m->value);
	else if (str_is(m->key, "filters"))
		*(str_is(m->value, "\"list\"") ? &op->list_filters : &op->one_filter) = true;
	else if (str_is(m->key, "body"))
		op->body = m->value;
	else if (str_is(m->key, "rights"))
		op->rights = m->value;
	else if (str_is(m->key, "errors"))
		return errors_read(r, m->value, op);
	else if (!str_is(m->key, "replies"))
		return wrong(r, m->key, "is no member of an operation");
	if (!str_is(m->key, "replies"))
		return ERR_OK;
	struct json_member *members;
	size_t n = FEW_MAX;
	enum err err = members_of(r, op->name, m->value, &members, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = reply_read(r, &members[i], op);
	return err;
}

static enum err
operation_read(const struct reading *r, const struct json_member *m)
{
	struct openapi *o = r->o;
	for (size_t i = 0; i < o->n_operations; i++)
		if (str_eq(o->operations[i].name, m->key))
			return wrong(r, m->key, "is described twice");
	if (o->n_operations == HTTP_ROUTES_MAX || r->tag.p == NULL)
		return wrong(r, m->key, "has no tag, or is one too many");
	struct openapi_operation *op = &o->operations[o->n_operations++];
	*op = (struct openapi_operation) { .name = m->key, .tag = r->tag };
	struct json_member *members;
	size_t n = FEW_MAX;
	enum err err = members_of(r, m->key, m->value, &members, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = member_read(r, &members[i], op);
	if (err == ERR_OK && (op->summary.p == NULL || op->n_replies == 0))
		return wrong(r, m->key, "needs a summary and a reply");
	return err;
}

static enum err
operations_read(const struct reading *r, struct str text)
{
	struct json_member *members;
	size_t n = MANY_MAX;
	enum err err = members_of(r, STR("operations"), text, &members, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = operation_read(r, &members[i]);
	return err;
}

static enum err
components_read(const struct reading *r, enum openapi_kind kind, bool each, struct str text)
{
	struct openapi *o = r->o;
	struct json_member *members;
	size_t n = MANY_MAX;
	const enum err err = members_of(r, str_of(openapi_kind_names[kind]), text, &members, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		const struct str v = members[i].value;
		const struct openapi_component c = {
			.kind = kind,
			.each = each,
			.conditional = memmem(v.p, v.len, "\"x-right\"", 9) != NULL,
			.name = members[i].key,
			.text = v,
		};
		if (!openapi_component_add(o, &c))
			return wrong(r, c.name, "is there twice, or is one too many");
	}
	return err;
}

static enum err
schemes_read(const struct reading *r, struct str text)
{
	struct openapi *o = r->o;
	struct json_member *members;
	size_t n = FEW_MAX;
	const enum err err = members_of(r, STR("securitySchemes"), text, &members, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		if (o->n_security == ARRAY_LEN(o->security))
			return wrong(r, members[i].key, "is one scheme too many");
		o->security[o->n_security] = members[i].key;
		o->schemes[o->n_security++] = members[i].value;
	}
	return err;
}

static enum err
tag_read(struct reading *r, struct str text)
{
	struct json_member *members;
	size_t n = FEW_MAX;
	const enum err err = members_of(r, STR("tag"), text, &members, &n);
	if (err != ERR_OK)
		return err;
	if (n == 0 || !str_is(members[0].key, "name") || r->o->n_tags == ARRAY_LEN(r->o->tags))
		return wrong(r, STR("tag"), "does not begin with its name, or is one too many");
	r->tag = members[0].value;
	r->o->tags[r->o->n_tags++] = text;
	return ERR_OK;
}

static enum err
each_read(const struct reading *r, struct str text)
{
	struct json_member *members;
	size_t n = FEW_MAX;
	enum err err = members_of(r, STR("resources"), text, &members, &n);
	if (err == ERR_OK && (n != 1 || !str_is(members[0].key, "schemas")))
		return wrong(r, STR("resources"), "takes schemas only");
	return err == ERR_OK ? components_read(r, OPENAPI_SCHEMA, true, members[0].value) : err;
}

static enum err
part_read(struct openapi *o, const struct openapi_part *part, struct err_info *info)
{
	struct reading r = { .o = o, .file = part->file, .info = info };
	struct json_member *m;
	size_t n = FEW_MAX;
	enum err err = members_of(&r, STR(""), str_of(part->text), &m, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		if (str_is(m[i].key, "tag"))
			err = tag_read(&r, m[i].value);
		else if (str_is(m[i].key, "operations"))
			err = operations_read(&r, m[i].value);
		else if (str_is(m[i].key, "schemas"))
			err = components_read(&r, OPENAPI_SCHEMA, false, m[i].value);
		else if (str_is(m[i].key, "parameters"))
			err = components_read(&r, OPENAPI_PARAMETER, false, m[i].value);
		else if (str_is(m[i].key, "headers"))
			err = components_read(&r, OPENAPI_HEADER, false, m[i].value);
		else if (str_is(m[i].key, "securitySchemes"))
			err = schemes_read(&r, m[i].value);
		else if (str_is(m[i].key, "resources"))
			err = each_read(&r, m[i].value);
		else
			err = wrong(&r, m[i].key, "is no member of an api.json");
	}
	return err;
}

enum err
openapi_create(const struct openapi_conf *conf, struct openapi **out, struct err_info *info)
{
	struct openapi *o = calloc(1, sizeof(*o));
	BUG_ON(o == NULL);
	o->conf = *conf;
	arena_init(&o->arena, OPENAPI_ARENA_BYTES);
	o->operations = calloc(HTTP_ROUTES_MAX, sizeof(*o->operations));
	o->components = calloc(OPENAPI_COMPONENTS_MAX, sizeof(*o->components));
	o->routes = calloc(HTTP_ROUTES_MAX, sizeof(*o->routes));
	BUG_ON(o->operations == NULL || o->components == NULL || o->routes == NULL);
	enum err err = ERR_OK;
	uint8_t digest[SHA256_BYTES] = { 0 };
	for (size_t i = 0; err == ERR_OK && conf->parts[i].file != NULL; i++) {
		const char *text = conf->parts[i].text;
		uint8_t so_far[SHA256_BYTES];
		memcpy(so_far, digest, sizeof(so_far));
		sha256_two(so_far, sizeof(so_far), text, strlen(text), digest);
		err = part_read(o, &conf->parts[i], info);
	}
	hex_encode(digest, sizeof(digest), o->hash);
	if (err == ERR_OK)
		err = openapi_problems_add(o, info);
	if (err != ERR_OK) {
		openapi_destroy(o);
		return err;
	}
	*out = o;
	return ERR_OK;
}

void
openapi_destroy(struct openapi *o)
{
	if (o == NULL)
		return;
	arena_release(&o->arena);
	free(o->operations);
	free(o->components);
	free(o->routes);
	free(o);
}

enum err
openapi_routes(struct openapi *o, const struct http_route *routes, size_t n, struct err_info *info)
{
	for (size_t i = 0; i < n; i++) {
		const struct openapi_operation *op = NULL;
		for (size_t k = 0; k < o->n_operations; k++)
			if (str_is(o->operations[k].name, routes[i].name))
				op = &o->operations[k];
		if (op == NULL)
			return err_set(info, ERR_CONFIG, NULL,
				       "the route %s %s is in no api.json: describe \"%s\"",
				       http_method_name(routes[i].method), routes[i].pattern,
				       routes[i].name);
		if (o->n_routes == HTTP_ROUTES_MAX)
			return err_set(info, ERR_CONFIG, NULL, "there are more than %d routes",
				       HTTP_ROUTES_MAX);
		o->routes[o->n_routes++] = (struct openapi_route) {
			.route = &routes[i],
			.operation = op,
			.each = strstr(routes[i].pattern, "{resource:") != NULL,
			.child = strstr(routes[i].pattern, "{parent:") != NULL,
		};
	}
	return ERR_OK;
}
