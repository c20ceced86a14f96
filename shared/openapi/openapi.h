/*
 * openapi.h — the description of the API: one OpenAPI 3.1 document, made from the tables that serve. Routes come from the route
 * tables, what each of them takes and answers from the api.json beside its room (embedded at build, keyed by the route's name),
 * records from the catalog, errors from the error table. A route without a description does not start.
 *
 * An api.json is one object with any of these members:
 *
 *	"tag":        {"name": …, "description": …}, of every operation of the file
 *	"operations": {"<route name>": {…}} with
 *		"summary"     one line; "description" more
 *		"parameters"  OpenAPI parameters but those of the path, which the pattern names
 *		"filters"     "list" | "one": the parameters of lists, or of one record, of the resource
 *		"body"        name of a schema, or an OpenAPI request body
 *		"replies"     {"<status>": null | name of a schema | {"schema", "type", "headers", "description"}}
 *		"rights"      asked for beside the route's own, one of these, once the request has been read
 *		"errors"      statuses beside those that follow from the route itself
 *	"schemas", "parameters", "headers", "securitySchemes": of the components
 *	"resources":  {"schemas": {…}}: of the components, once for each resource
 *
 * A route with {resource} in its path stands once for each resource; in its operation and in the schemas of "resources" the text
 * {resource} is that resource's name, so that "{resource}.Record" names the schema of its records. A property of a schema with
 * "x-right" is there for those only who have the right.
 *
 * What a caller sees is what he may: routes by their rights, resources and fields as the caller of this module gives them, schemas
 * that nothing visible refers to not at all. The texts it is made of live as long as the process.
 */
#ifndef BIMODAL_OPENAPI_OPENAPI_H
#define BIMODAL_OPENAPI_OPENAPI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "http/http.h"

#define OPENAPI_BYTES_MAX (8 * 1024 * 1024) /* of a document */
#define OPENAPI_OPERATIONS_MAX 8192         /* of a document: routes times resources */

/* One api.json. */
struct openapi_part {
	const char *file;
	const char *text;
};
/* Those of the daemon, made at build; a row without a file ends them. */
extern const struct openapi_part openapi_parts[];

struct openapi;

struct openapi_conf {
	const char *title;
	const char *description;
	const char *version;
	const struct openapi_part *parts; /* as openapi_parts */
};

/* Owner: openapi_destroy. Errors: ERR_CONFIG naming the file and what is wrong in it. */
MUST_CHECK enum err openapi_create(const struct openapi_conf *conf, struct openapi **out,
				   struct err_info *info);
void openapi_destroy(struct openapi *o);
/* Routes that are served; they must outlive the object. Errors: ERR_CONFIG naming a route without a description. */
MUST_CHECK enum err openapi_routes(struct openapi *o, const struct http_route *routes, size_t n,
				   struct err_info *info);

/* A resource as the caller may see it; texts are JSON. */
struct openapi_resource {
	struct str name;
	const char *parent; /* or NULL */
	struct str record;  /* schemas */
	struct str part;
	struct str create;
	struct str child; /* STR_NONE without a parent */
	struct str patch;
	struct str filters; /* parameters of a list, with commas between; of one record */
	struct str fields;
};

/* Who looks: what he may, and what there is for him. */
struct openapi_view {
	/* Has he the right? NULL: he has all. */
	bool (*may)(const struct task *t, struct str right);
	const struct task *task;
	const struct openapi_resource *resources;
	size_t n_resources;
	struct str seen; /* differs where the texts of the resources do: for the entity tag */
};

/* The operations of a view. */
struct openapi_list;
/* In the arena. Errors: ERR_NO_MEMORY; ERR_INTERNAL past OPENAPI_OPERATIONS_MAX. */
MUST_CHECK enum err openapi_list(const struct openapi *o, const struct openapi_view *view,
				 struct arena *a, struct openapi_list **out, struct err_info *info);
/* One operation and one schema a line. `out` is failed if it is too small. */
void openapi_write(const struct openapi_list *list, struct arena *a, struct buf *out);

/* Answer a request for the document: 200 with its entity tag, or 304. `view` lives as long as the call. */
enum step openapi_answer(struct task *t, const struct openapi *o, const struct openapi_view *view);

#endif
