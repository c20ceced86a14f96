/*
 * router.c — the trie of routes. Built at start by http_router_add, then only read.
 *
 * A node is a place in a path: children by literal text and at most one child a parameter kind. The
 * search walks literal before parameter and comes back where the rest of the path or the method
 * does not fit, with a stack of its own (depth and branching are bounded, so is the walk).
 * Invariant: after all adds no path reaches two routes of one method that differ first in two
 * parameter kinds, so the order among kinds never decides.
 */
#include "http/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define SLUG_BYTES_MAX 128
#define INT_DIGITS_MAX 18
#define KINDS (HTTP_REST + 1)
#define VISITS_MAX 4096 /* of one search: far above what a sane table of routes needs */

struct segment {
	enum http_segment_kind kind;
	struct str text; /* literal, or the parameter's name */
};

struct node {
	struct str text;      /* literal of this node */
	struct node *sibling; /* next literal child of the same parent */
	struct node *literals;
	struct node *kinds[KINDS];
	struct http_row *rows[HTTP_METHODS];
	bool has_rows;
};

struct compiled {
	struct segment segments[HTTP_SEGMENTS_MAX];
	unsigned n;
};

struct http_router {
	struct node *root;
	unsigned n;
	struct http_row *rows[HTTP_ROUTES_MAX];
	struct compiled *compiled[HTTP_ROUTES_MAX];
	const struct http_route *list[HTTP_ROUTES_MAX];
};

static const struct {
	const char *name;
	enum http_segment_kind kind;
} kind_names[] = {
	{ "uuid", HTTP_UUID }, { "int", HTTP_INT },   { "slug", HTTP_SLUG },
	{ "any", HTTP_ANY },   { "rest", HTTP_REST },
};

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
slug_fits(struct str s)
{
	if (s.len == 0 || s.len > SLUG_BYTES_MAX || !is_alnum(s.p[0]))
		return false;
	for (size_t i = 1; i < s.len; i++) {
		if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_' && s.p[i] != '.')
			return false;
	}
	return true;
}

static bool
int_fits(struct str s)
{
	int64_t n;
	const size_t digits = s.len > 0 && s.p[0] == '-' ? s.len - 1 : s.len;
	return digits <= INT_DIGITS_MAX && str_int(s, INT64_MIN, INT64_MAX, &n) == ERR_OK;
}

bool
http_segment_fits(enum http_segment_kind kind, struct str s)
{
	struct uuid u;
	switch (kind) {
	case HTTP_UUID:
		return uuid_parse(s, &u) == ERR_OK;
	case HTTP_INT:
		return int_fits(s);
	case HTTP_SLUG:
		return slug_fits(s);
	case HTTP_ANY:
		return s.len > 0;
	case HTTP_REST:
		return true;
	case HTTP_LITERAL:
		break;
	}
	return false;
}

/* ---- building ---- */

static enum err
segment_compile(struct str raw, struct segment *out)
{
	if (raw.len == 0 || raw.p[0] != '{') {
		*out = (struct segment) { HTTP_LITERAL, raw };
		return str_find(raw, '{') == raw.len && str_find(raw, '}') == raw.len ? ERR_OK
										      : ERR_CONFIG;
	}
	if (raw.p[raw.len - 1] != '}')
		return ERR_CONFIG;
	struct str type = { raw.p + 1, raw.len - 2 };
	const struct str name = str_cut(&type, ':');
	if (name.len == 0 || type.p == NULL)
		return ERR_CONFIG;
	for (size_t i = 0; i < ARRAY_LEN(kind_names); i++) {
		if (str_is(type, kind_names[i].name)) {
			*out = (struct segment) { kind_names[i].kind, name };
			return ERR_OK;
		}
	}
	return ERR_CONFIG;
}

static enum err
pattern_compile(const char *pattern, struct compiled *out, struct err_info *info)
{
	struct str rest = str_of(pattern);
	if (rest.len == 0 || rest.p[0] != '/')
		return err_set(info, ERR_CONFIG, NULL,
			       "The route pattern \"%s\" does not begin with a slash.", pattern);
	rest.p++;
	rest.len--;
	while (rest.p != NULL) {
		if (out->n == HTTP_SEGMENTS_MAX)
			return err_set(info, ERR_CONFIG, NULL,
				       "The route pattern \"%s\" has too many segments.", pattern);
		const struct str raw = str_cut(&rest, '/');
		struct segment *s = &out->segments[out->n++];
		const bool is_root = out->n == 1 && rest.p == NULL;
		if (segment_compile(raw, s) != ERR_OK || (raw.len == 0 && !is_root))
			return err_set(info, ERR_CONFIG, NULL,
				       "The segment \"%.*s\" of the route pattern \"%s\" is "
				       "neither text nor {name:type} with type uuid, "
				       "int, slug, any or rest.",
				       STR_FMT(raw), pattern);
		if (s->kind == HTTP_REST && rest.p != NULL)
			return err_set(
				info, ERR_CONFIG, NULL,
				"In the route pattern \"%s\" a rest must be the last segment.",
				pattern);
	}
	return ERR_OK;
}

static enum err
params_compile(const struct compiled *c, struct http_row *row, struct err_info *info)
{
	const char *pattern = row->route->pattern;
	for (unsigned i = 0; i < c->n; i++) {
		const struct segment *s = &c->segments[i];
		if (s->kind == HTTP_LITERAL)
			continue;
		if (row->n_params == HTTP_PARAMS_MAX)
			return err_set(info, ERR_CONFIG, NULL,
				       "The route pattern \"%s\" has too many parameters.",
				       pattern);
		for (unsigned k = 0; k < row->n_params; k++) {
			if (str_eq(row->params[k].name, s->text))
				return err_set(info, ERR_CONFIG, NULL,
					       "The route pattern \"%s\" names a parameter twice.",
					       pattern);
		}
		row->params[row->n_params++] =
			(struct http_param) { .name = s->text, .segment = i, .kind = s->kind };
	}
	return ERR_OK;
}

enum relation { SAME, APART, FIRST_DECIDES, UNDECIDED };

static enum relation
segments_compare(const struct segment *a, const struct segment *b)
{
	if (a->kind == HTTP_LITERAL && b->kind == HTTP_LITERAL)
		return str_eq(a->text, b->text) ? SAME : APART;
	if (a->kind == HTTP_LITERAL)
		return http_segment_fits(b->kind, a->text) ? FIRST_DECIDES : APART;
	if (b->kind == HTTP_LITERAL)
		return http_segment_fits(a->kind, b->text) ? FIRST_DECIDES : APART;
	if (a->kind == b->kind)
		return SAME;
	const bool uuid_and_int = (a->kind == HTTP_UUID && b->kind == HTTP_INT) ||
				  (a->kind == HTTP_INT && b->kind == HTTP_UUID);
	return uuid_and_int ? APART : UNDECIDED;
}

/* SAME: the same path; UNDECIDED: some path fits both and nothing says which is meant. */
static enum relation
patterns_compare(const struct compiled *a, const struct compiled *b)
{
	enum relation first = SAME;
	for (unsigned i = 0; i < a->n || i < b->n; i++) {
		if (i >= a->n || i >= b->n)
			return APART;
		const enum relation r = segments_compare(&a->segments[i], &b->segments[i]);
		if (r == APART)
			return APART;
		if (first == SAME)
			first = r;
		if (a->segments[i].kind == HTTP_REST || b->segments[i].kind == HTTP_REST)
			return first;
	}
	return first;
}

static enum err
conflicts_check(const struct http_router *r, const struct http_route *route,
		const struct compiled *c, struct err_info *info)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (r->list[i]->method != route->method)
			continue;
		const enum relation rel = patterns_compare(r->compiled[i], c);
		if (rel == SAME)
			return err_set(info, ERR_CONFIG, NULL,
				       "The route %s \"%s\" is there twice (the other is \"%s\").",
				       http_method_name(route->method), route->pattern,
				       r->list[i]->pattern);
		if (rel == UNDECIDED)
			return err_set(info, ERR_CONFIG, NULL,
				       "The route %s \"%s\" is ambiguous with \"%s\".",
				       http_method_name(route->method), route->pattern,
				       r->list[i]->pattern);
	}
	return ERR_OK;
}

static struct node *
node_create(struct str text)
{
	struct node *n = calloc(1, sizeof(*n));
	BUG_ON(n == NULL);
	n->text = text;
	return n;
}

static struct node *
literal_child(const struct node *n, struct str text)
{
	for (struct node *c = n->literals; c != NULL; c = c->sibling) {
		if (str_eq(c->text, text))
			return c;
	}
	return NULL;
}

static struct node *
child_for(struct node *n, const struct segment *s)
{
	if (s->kind != HTTP_LITERAL) {
		if (n->kinds[s->kind] == NULL)
			n->kinds[s->kind] = node_create(STR_NONE);
		return n->kinds[s->kind];
	}
	struct node *c = literal_child(n, s->text);
	if (c == NULL) {
		c = node_create(s->text);
		c->sibling = n->literals;
		n->literals = c;
	}
	return c;
}

struct http_router *
http_router_create(void)
{
	struct http_router *r = calloc(1, sizeof(*r));
	BUG_ON(r == NULL);
	r->root = node_create(STR_NONE);
	return r;
}

/* All nodes of the trie in one list, linked through `sibling`: children are appended behind the end
 * while walking. */
static void
nodes_free(struct node *root)
{
	struct node *last = root;
	for (struct node *n = root; n != NULL;) {
		struct node *more = n->literals;
		while (more != NULL) {
			struct node *next = more->sibling;
			more->sibling = NULL;
			last->sibling = more;
			last = more;
			more = next;
		}
		for (unsigned k = 0; k < KINDS; k++) {
			if (n->kinds[k] == NULL)
				continue;
			last->sibling = n->kinds[k];
			last = n->kinds[k];
		}
		struct node *next = n->sibling;
		free(n);
		n = next;
	}
}

void
http_router_destroy(struct http_router *r)
{
	if (r == NULL)
		return;
	nodes_free(r->root);
	for (unsigned i = 0; i < r->n; i++) {
		free(r->rows[i]);
		free(r->compiled[i]);
	}
	free(r);
}

enum err
http_router_add(struct http_router *r, const struct http_route *route, struct http_row **out,
		struct err_info *info)
{
	struct compiled *c = calloc(1, sizeof(*c));
	struct http_row *row = calloc(1, sizeof(*row));
	BUG_ON(c == NULL || row == NULL);
	row->route = route;
	enum err e = ERR_OK;
	if (r->n == HTTP_ROUTES_MAX)
		e = err_set(info, ERR_CONFIG, NULL, "There are more than %d routes.",
			    HTTP_ROUTES_MAX);
	if (e == ERR_OK)
		e = pattern_compile(route->pattern, c, info);
	if (e == ERR_OK)
		e = params_compile(c, row, info);
	if (e == ERR_OK)
		e = conflicts_check(r, route, c, info);
	if (e != ERR_OK) {
		free(c);
		free(row);
		return e;
	}
	struct node *n = r->root;
	for (unsigned i = 0; i < c->n; i++)
		n = child_for(n, &c->segments[i]);
	n->rows[route->method] = row;
	n->has_rows = true;
	r->rows[r->n] = row;
	r->compiled[r->n] = c;
	r->list[r->n] = route;
	r->n++;
	*out = row;
	return ERR_OK;
}

const struct http_route *const *
http_router_list(const struct http_router *r, size_t *n)
{
	*n = r->n;
	return r->list;
}

/* ---- searching ---- */

struct visit {
	const struct node *node;
	unsigned depth; /* segments used to come here */
	unsigned next;  /* child to try: 0 the literal, then the kinds */
};

/* The child number `*next` (and on) of the node that fits the segment; *next moves behind it. */
static const struct node *
next_child(struct visit *v, struct str segment)
{
	while (v->next < KINDS) {
		const unsigned k = v->next++;
		const struct node *c = NULL;
		if (k == HTTP_LITERAL)
			c = literal_child(v->node, segment);
		else if (v->node->kinds[k] != NULL &&
			 http_segment_fits((enum http_segment_kind)k, segment))
			c = v->node->kinds[k];
		if (c != NULL)
			return c;
	}
	return NULL;
}

static const struct http_row *
row_at(const struct node *n, enum http_method method, unsigned *allowed)
{
	if (!n->has_rows)
		return NULL;
	const struct http_row *row = n->rows[method];
	if (row == NULL && method == HTTP_HEAD)
		row = n->rows[HTTP_GET];
	for (unsigned m = 0; row == NULL && m < HTTP_METHODS; m++)
		*allowed |= n->rows[m] != NULL ? 1u << m : 0;
	return row;
}

const struct http_row *
http_router_find(const struct http_router *r, enum http_method method,
		 const struct http_target *target, unsigned *allowed)
{
	struct visit stack[HTTP_SEGMENTS_MAX + 1] = { { .node = r->root } };
	unsigned top = 0;
	*allowed = 0;
	for (unsigned visits = 0; visits < VISITS_MAX; visits++) {
		struct visit *v = &stack[top];
		const bool is_rest = top > 0 && v->node == stack[top - 1].node->kinds[HTTP_REST];
		if (v->next == 0 && (v->depth == target->n_segments || is_rest)) {
			const struct http_row *row = row_at(v->node, method, allowed);
			if (row != NULL)
				return row;
		}
		const struct node *child = NULL;
		if (v->depth < target->n_segments && !is_rest)
			child = next_child(v, target->segments[v->depth]);
		if (child != NULL) {
			stack[top + 1] = (struct visit) { .node = child, .depth = v->depth + 1 };
			top++;
			continue;
		}
		if (top == 0)
			break;
		top--;
	}
	if ((*allowed & (1u << HTTP_GET)) != 0)
		*allowed |= 1u << HTTP_HEAD;
	if (*allowed != 0)
		*allowed |= 1u << HTTP_OPTIONS;
	return NULL;
}
