/*
 * mapping.c — see mapping.h. Every error of the file is reported, with its place.
 */
#include "cli/mapping.h"

#include <string.h>

#define ARENA_BYTES ((size_t)8 * 1024 * 1024)

struct reader {
	struct mapping *m;
	const char *file;
	struct yaml_errors *e;
};

/* A scalar's text in the arena; NULL and an error if the node is something else or empty. */
static const char *
scalar(struct reader *r, const struct yaml_node *n, const char *path)
{
	if (n->kind != YAML_SCALAR || n->text.len == 0) {
		yaml_error(r->e, r->file, n, path, "expected a value");
		return NULL;
	}
	return arena_strdup(&r->m->arena, n->text);
}

static bool
is_name(const char *text)
{
	return text != NULL && text[0] != '\0' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

static const char *
name(struct reader *r, const struct yaml_node *n, const char *path)
{
	const char *text = scalar(r, n, path);
	if (text == NULL || is_name(text))
		return text;
	yaml_error(r->e, r->file, n, path, "\"%s\" is not a name", text);
	return NULL;
}

/* Which of a NULL-terminated list; -1 and an error if none. */
static int
choice(struct reader *r, const struct yaml_node *n, const char *path, const char *const *known)
{
	if (n->kind == YAML_SCALAR)
		for (int i = 0; known[i] != NULL; i++)
			if (str_is(n->text, known[i]))
				return i;
	const char *near = n->kind == YAML_SCALAR ? str_nearest(n->text, known) : NULL;
	yaml_error(r->e, r->file, n, path, "not one of the known values%s%s%s",
		   near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		   near != NULL ? "\"?" : "");
	return -1;
}

static struct mapping_pair *
pairs(struct reader *r, const struct yaml_node *n, const char *path)
{
	struct mapping_pair *first = NULL;

	if (n->kind != YAML_MAP || n->child == NULL) {
		yaml_error(r->e, r->file, n, path, "expected pairs \"from: to\"");
		return NULL;
	}
	for (const struct yaml_node *c = n->child; c != NULL; c = c->next) {
		struct mapping_pair *p = arena_alloc(&r->m->arena, sizeof(*p));
		if (p == NULL || c->kind != YAML_SCALAR) {
			yaml_error(r->e, r->file, c, path,
				   p == NULL ? "too many values" : "expected a value");
			return NULL;
		}
		p->from = arena_str(&r->m->arena, c->key);
		p->to = arena_str(&r->m->arena, c->text);
		p->next = first;
		first = p;
	}
	return first;
}

static void
lookup(struct reader *r, const struct yaml_node *n, struct mapping_field *f)
{
	const char *text = scalar(r, n, "lookup");
	struct str by = str_of(text);
	const struct str resource = str_cut(&by, '.');

	if (text == NULL)
		return;
	f->lookup_resource = arena_strdup(&r->m->arena, resource);
	f->lookup_by = by.p != NULL ? arena_strdup(&r->m->arena, by) : NULL;
	if (!is_name(f->lookup_resource) || !is_name(f->lookup_by))
		yaml_error(r->e, r->file, n, "lookup",
			   "expected RESOURCE.FIELD, for example organizations.external_id");
}

enum member { M_COLUMN, M_CONSTANT, M_TYPE, M_MISSING, M_DEFAULT, M_VALUES, M_REPAIR, M_LOOKUP };

static void
field_member(struct reader *r, struct mapping_field *f, const struct yaml_node *n)
{
	static const char *const members[] = { "column", "constant", "type",   "missing", "default",
					       "values", "repair",   "lookup", NULL };
	static const char *const types[] = { "text", "integer",    "decimal",    "boolean",
					     "date", "date m/d/y", "date d.m.y", NULL };
	static const char *const missing[] = { "null", "list", "refuse", "repair", NULL };
	const struct yaml_node key = {
		.kind = YAML_SCALAR, .text = n->key, .line = n->key_line, .column = n->key_column
	};
	const int which = choice(r, &key, f->name, members);
	int at;

	switch (which) {
	case M_COLUMN:
		f->column = scalar(r, n, f->name);
		break;
	case M_CONSTANT:
		f->constant = scalar(r, n, f->name);
		break;
	case M_TYPE:
		at = choice(r, n, f->name, types);
		f->type = at >= 0 ? (enum mapping_type)at : MAPPING_TEXT;
		break;
	case M_MISSING:
		at = choice(r, n, f->name, missing);
		f->missing = at >= 0 ? (enum mapping_missing)at : MAPPING_NULL;
		break;
	case M_DEFAULT:
		f->fallback = scalar(r, n, f->name);
		break;
	case M_VALUES:
		f->values = pairs(r, n, f->name);
		break;
	case M_REPAIR:
		f->repairs = pairs(r, n, f->name);
		break;
	case M_LOOKUP:
		lookup(r, n, f);
		break;
	default:
		break;
	}
}

static void
field(struct reader *r, const struct yaml_node *n)
{
	struct mapping *m = r->m;

	if (m->n == MAPPING_FIELDS_MAX) {
		yaml_error(r->e, r->file, n, "fields", "more than %d fields", MAPPING_FIELDS_MAX);
		return;
	}
	struct mapping_field *f = &m->fields[m->n++];
	f->name = arena_strdup(&m->arena, n->key);
	f->line = n->key_line;
	if (!is_name(f->name))
		yaml_error(r->e, r->file, n, "fields", "\"%s\" is not the name of a field",
			   f->name != NULL ? f->name : "");
	if (n->kind != YAML_MAP) {
		yaml_error(r->e, r->file, n, f->name, "expected column: or constant:");
		return;
	}
	for (const struct yaml_node *c = n->child; c != NULL; c = c->next)
		field_member(r, f, c);
	if ((f->column == NULL) == (f->constant == NULL))
		yaml_error(r->e, r->file, n, f->name, "needs either column: or constant:");
	if ((f->missing == MAPPING_REPAIR) != (f->fallback != NULL))
		yaml_error(r->e, r->file, n, f->name, "missing: repair and default: go together");
}

static void
ignored(struct reader *r, const struct yaml_node *n)
{
	if (n->kind != YAML_LIST)
		yaml_error(r->e, r->file, n, "ignore", "expected a list of columns");
	for (const struct yaml_node *c = n->child; c != NULL; c = c->next) {
		if (c->kind != YAML_SCALAR || r->m->n_ignored == MAPPING_IGNORED_MAX)
			yaml_error(r->e, r->file, c, "ignore",
				   "expected the name of a column, at most %d",
				   MAPPING_IGNORED_MAX);
		else
			r->m->ignored[r->m->n_ignored++] = arena_str(&r->m->arena, c->text);
	}
}

enum top { T_RESOURCE, T_MATCH, T_SEPARATOR, T_FIELDS, T_IGNORE };

static void
top(struct reader *r, const struct yaml_node *n)
{
	static const char *const known[] = { "resource", "match",  "separator",
					     "fields",   "ignore", NULL };
	const struct yaml_node key = {
		.kind = YAML_SCALAR, .text = n->key, .line = n->key_line, .column = n->key_column
	};

	switch (choice(r, &key, "", known)) {
	case T_RESOURCE:
		r->m->resource = name(r, n, "resource");
		break;
	case T_MATCH:
		r->m->match = name(r, n, "match");
		break;
	case T_SEPARATOR:
		if (n->kind == YAML_SCALAR && n->text.len == 1 &&
		    strchr(",;|\t", n->text.p[0]) != NULL)
			r->m->separator = n->text.p[0];
		else
			yaml_error(r->e, r->file, n, "separator", "expected , ; | or a tab");
		break;
	case T_FIELDS:
		if (n->kind != YAML_MAP || n->child == NULL)
			yaml_error(r->e, r->file, n, "fields", "expected at least one field");
		for (const struct yaml_node *c = n->kind == YAML_MAP ? n->child : NULL; c != NULL;
		     c = c->next)
			field(r, c);
		break;
	case T_IGNORE:
		ignored(r, n);
		break;
	default:
		break;
	}
}

/* What can only be said once everything is known. */
static void
finish(struct reader *r)
{
	struct mapping *m = r->m;
	bool match_found = false;

	if (m->resource == NULL || m->match == NULL || m->n == 0) {
		yaml_error(r->e, r->file, NULL, "", "resource:, match: and fields: must be given");
		return;
	}
	for (size_t i = 0; i < m->n; i++) {
		struct mapping_field *f = &m->fields[i];
		f->later =
			f->lookup_resource != NULL && strcmp(f->lookup_resource, m->resource) == 0;
		m->has_later = m->has_later || f->later;
		if (strcmp(f->name, m->match) != 0)
			continue;
		match_found = true;
		if (f->column == NULL || f->lookup_resource != NULL || f->missing != MAPPING_REFUSE)
			yaml_error(r->e, r->file, NULL, f->name,
				   "the field of match: must come from a column, with missing: "
				   "refuse");
	}
	if (!match_found)
		yaml_error(r->e, r->file, NULL, "match", "\"%s\" is not one of the fields",
			   m->match);
}

enum err
mapping_read(struct mapping *m, const char *file, struct str text, struct yaml_errors *e)
{
	struct reader r = { .m = m, .file = file, .e = e };
	struct yaml_node *root = NULL;
	const unsigned before = e->count;

	*m = (struct mapping) { .separator = ',' };
	arena_init(&m->arena, ARENA_BYTES);
	const enum err err = yaml_parse(&m->arena, file, text, &root, e);
	if (err != ERR_OK)
		return err;
	if (root->kind != YAML_MAP) {
		yaml_error(e, file, root, "", "expected resource:, match: and fields:");
		return ERR_CONFIG;
	}
	for (const struct yaml_node *n = root->child; n != NULL; n = n->next)
		top(&r, n);
	finish(&r);
	return e->count > before ? ERR_CONFIG : ERR_OK;
}

void
mapping_free(struct mapping *m)
{
	arena_release(&m->arena);
}

static bool
column_known(const struct mapping *m, struct str column)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->fields[i].column != NULL && str_is(column, m->fields[i].column))
			return true;
	for (size_t i = 0; i < m->n_ignored; i++)
		if (str_eq(column, m->ignored[i]))
			return true;
	return false;
}

static unsigned
column_find(const struct csv *header, const char *column, size_t *index)
{
	unsigned found = 0;

	for (size_t i = 0; i < header->n; i++) {
		if (!str_is(str_trim(csv_field(header, i)), column))
			continue;
		*index = i;
		found++;
	}
	return found;
}

enum err
mapping_bind(struct mapping *m, const char *file, const struct csv *header, struct yaml_errors *e)
{
	const unsigned before = e->count;

	m->n_columns = header->n;
	for (size_t i = 0; i < m->n; i++) {
		struct mapping_field *f = &m->fields[i];
		if (f->column == NULL)
			continue;
		const unsigned found = column_find(header, f->column, &f->index);
		if (found != 1)
			yaml_error(e, file, NULL, "",
				   "column \"%s\" of field %s is %s in the first row", f->column,
				   f->name, found == 0 ? "not" : "more than once");
	}
	for (size_t i = 0; i < header->n; i++) {
		const struct str column = str_trim(csv_field(header, i));
		if (!column_known(m, column))
			yaml_error(e, file, NULL, "",
				   "column \"%.*s\" is neither mapped nor listed under ignore:",
				   STR_FMT(column));
	}
	return e->count > before ? ERR_CONFIG : ERR_OK;
}
