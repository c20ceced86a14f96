/*
 * internal.h — private to shared/openapi: the parts as they were read, and a list of operations.
 */
#ifndef BIMODAL_OPENAPI_INTERNAL_H
#define BIMODAL_OPENAPI_INTERNAL_H

#include "base/json_scan.h"
#include "openapi/openapi.h"

#define OPENAPI_ARENA_BYTES (4 * 1024 * 1024)
#define OPENAPI_COMPONENTS_MAX 1024
#define OPENAPI_REPLIES_MAX 4 /* of an operation           */
#define OPENAPI_ERRORS_MAX 24
#define OPENAPI_RIGHT_SIZE 128

enum openapi_kind {
	OPENAPI_SCHEMA,
	OPENAPI_PARAMETER,
	OPENAPI_HEADER,
	OPENAPI_RESPONSE,
	OPENAPI_KINDS
};

/* One named thing of the components; its text is that of the file. */
struct openapi_component {
	enum openapi_kind kind;
	bool each;        /* once a resource, whose name stands for {resource}    */
	bool conditional; /* some of its properties need a right                  */
	struct str name;
	struct str text;
};

struct openapi_reply {
	int status;
	struct str schema;  /* STR_NONE: no body      */
	struct str type;    /* of the body            */
	struct str headers; /* ["ETag"], raw         */
	struct str description;
};

struct openapi_operation {
	struct str name; /* of the route */
	struct str tag;  /* raw: with quotes */
	struct str summary, description;
	struct str parameters; /* objects with commas between */
	bool list_filters, one_filter;
	struct str body;   /* raw */
	struct str rights; /* raw array: one of them too; STR_NONE: the route's alone */
	struct openapi_reply replies[OPENAPI_REPLIES_MAX];
	size_t n_replies;
	int errors[OPENAPI_ERRORS_MAX];
	size_t n_errors;
};

struct openapi_route {
	const struct http_route *route;
	const struct openapi_operation *operation;
	bool each, child; /* {resource} and {parent} in its pattern */
};

struct openapi {
	struct openapi_conf conf;
	struct arena arena;
	char hash[SHA256_HEX_SIZE]; /* of all texts */
	struct openapi_operation *operations;
	size_t n_operations;
	struct openapi_component *components;
	size_t n_components;
	struct str tags[64]; /* raw objects */
	size_t n_tags;
	struct str security[8]; /* names of schemes, raw, and their raw texts */
	struct str schemes[8];
	size_t n_security;
	struct openapi_route *routes;
	size_t n_routes;
};

/* One operation of a document. */
struct openapi_shown {
	const struct openapi_route *row;
	const struct openapi_resource *resource; /* NULL where the pattern names none */
	struct str path;
	char *right;
};

struct openapi_list {
	const struct openapi *api;
	const struct openapi_view *view;
	struct openapi_shown *shown; /* by path, then by method */
	size_t n;
	char key[SHA256_HEX_SIZE];
};

/* `each`: among those that stand once for each resource. */
const struct openapi_component *openapi_component_find(const struct openapi *o,
						       enum openapi_kind kind, bool each,
						       struct str name);
/* False: one of this name is there, or there are too many. */
bool openapi_component_add(struct openapi *o, const struct openapi_component *c);
/* problem.c: replies with an error, one a status of the error table, and its codes. */
MUST_CHECK enum err openapi_problems_add(struct openapi *o, struct err_info *info);

/* components.c: those that `text` refers to, and what these refer to, follow the paths. */
void openapi_components_write(const struct openapi_list *list, struct str text, struct arena *a,
			      struct buf *out);
/* The text with {resource} replaced. */
void openapi_fill(struct str text, struct str resource, struct buf *out);
bool openapi_may(const struct openapi_view *v, struct str right);

extern const char *const openapi_kind_names[OPENAPI_KINDS];

#endif
