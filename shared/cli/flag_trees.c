/*
 * flag_trees.c — two documents of a flag compared, and core's flag as the tree of its file. A document is taken apart into its leaves,
 * each under its JSON pointer; leaves are compared as JSON, numbers as the database keeps them (1e3 is 1000, but 1 is not 1.0).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/flag_files.h"
#include "cli/table.h"

#define POINTER_BYTES_MAX ((size_t)64 * 1024)
#define LEAF_BYTES_MAX ((size_t)1024 * 1024)

/* ---- leaves ---- */

typedef void leaf_fn(const char *pointer, const char *json, void *arg);

/* The path below `at` bytes of the pointer. */
static void
name_add(struct buf *pointer, const struct yaml_node *in, const struct yaml_node *node,
	 size_t index)
{
	buf_add_char(pointer, '/');
	if (in->kind == YAML_LIST) {
		buf_printf(pointer, "%zu", index);
		return;
	}
	for (size_t i = 0; i < node->key.len; i++) {
		const char c = node->key.p[i];
		if (c == '~' || c == '/')
			buf_add_cstr(pointer, c == '~' ? "~0" : "~1");
		else
			buf_add_char(pointer, c);
	}
}

static void
leaf_json(const struct yaml_node *node, struct buf *out)
{
	char expanded[64];

	buf_reset(out);
	if (node->kind != YAML_SCALAR) {
		buf_add_cstr(out, node->kind == YAML_MAP ? "{}" : "[]");
		return;
	}
	switch (yaml_scalar_is(node, NULL)) {
	case YAML_IS_TEXT:
		buf_json_str(out, node->text);
		break;
	case YAML_IS_NULL:
		buf_add_cstr(out, "null");
		break;
	case YAML_IS_NUMBER:
		if (memchr(node->text.p, 'e', node->text.len) != NULL ||
		    memchr(node->text.p, 'E', node->text.len) != NULL) {
			double value = 0;
			if (str_double(node->text, &value) == ERR_OK) {
				(void)snprintf(expanded, sizeof(expanded), "%.17g", value);
				buf_add_cstr(out, expanded);
				break;
			}
		}
		buf_add_str(out, node->text);
		break;
	case YAML_IS_BOOL:
		buf_add_str(out, node->text);
		break;
	}
}

static void
leaves(const struct yaml_node *root, leaf_fn *fn, void *arg)
{
	size_t index[YAML_DEPTH_MAX + 1] = { 0 }, len[YAML_DEPTH_MAX + 1] = { 0 };
	const struct yaml_node *node = NULL;
	struct buf pointer, json;
	struct yaml_walk w;

	buf_init(&pointer, POINTER_BYTES_MAX);
	buf_init(&json, LEAF_BYTES_MAX);
	yaml_walk_begin(&w, root);
	for (enum yaml_step s; (s = yaml_walk_next(&w, &node)) != YAML_STEP_END;) {
		if (s == YAML_STEP_CLOSE)
			continue;
		const unsigned in = w.depth - (s == YAML_STEP_OPEN ? 1 : 0);
		if (in > 0) {
			pointer.len = len[in];
			name_add(&pointer, w.open[in - 1], node, index[in]++);
		}
		if (s == YAML_STEP_OPEN) {
			index[w.depth] = 0;
			len[w.depth] = pointer.len;
			if (node->child != NULL)
				continue;
		}
		leaf_json(node, &json);
		const char *at = buf_cstr(&pointer), *value = buf_cstr(&json);
		if (at != NULL && value != NULL)
			fn(at, value, arg);
	}
	buf_free(&json);
	buf_free(&pointer);
}

/* ---- comparing ---- */

struct comparison {
	struct table before, after;
	struct buf *lines;
	unsigned n;
	bool failed;
};

static void
before_take(const char *pointer, const char *json, void *arg)
{
	struct comparison *x = arg;
	if (table_put(&x->before, str_of(pointer), json) != ERR_OK)
		x->failed = true;
}

static void
after_look(const char *pointer, const char *json, void *arg)
{
	struct comparison *x = arg;
	const char *was = table_get(&x->before, str_of(pointer));

	if (table_put(&x->after, str_of(pointer), json) != ERR_OK)
		x->failed = true;
	if (was != NULL && strcmp(was, json) == 0)
		return;
	x->n++;
	buf_printf(x->lines, "  %s %s\n", was == NULL ? "add" : "change", pointer);
	if (was != NULL)
		buf_printf(x->lines, "    - %s\n", was);
	buf_printf(x->lines, "    + %s\n", json);
}

static void
before_look(const char *pointer, const char *json, void *arg)
{
	struct comparison *x = arg;

	if (table_get(&x->after, str_of(pointer)) != NULL)
		return;
	x->n++;
	buf_printf(x->lines, "  remove %s\n    - %s\n", pointer, json);
}

unsigned
flag_trees_differ(const struct yaml_node *before, const struct yaml_node *after, struct buf *lines)
{
	struct comparison x = { .lines = lines };

	if (before == NULL || after == NULL)
		return before == after ? 0 : 1;
	table_init(&x.before);
	table_init(&x.after);
	leaves(before, before_take, &x);
	leaves(after, after_look, &x);
	leaves(before, before_look, &x);
	table_free(&x.after);
	table_free(&x.before);
	/* Without memory for all of it nothing may pass for equal. */
	return x.failed || lines->failed ? MAX(x.n, 1U) : x.n;
}

/* ---- core's flag as a file ---- */

static struct yaml_node *
node_copy(struct arena *a, const struct yaml_node *from, const char *key)
{
	struct yaml_node *n = arena_alloc(a, sizeof(*n));
	if (n == NULL)
		return NULL;
	*n = *from;
	n->key = str_of(key);
	n->next = NULL;
	return n;
}

/* The members people look for first; the rest as the database has it. */
static struct yaml_node *
document_order(struct arena *a, const struct yaml_node *from)
{
	static const char *const first[] = { "unit", "variations", "default", "rules", NULL };
	struct yaml_node *document = node_copy(a, from, "document");
	struct yaml_node **end = document != NULL ? &document->child : NULL;

	for (size_t i = 0; end != NULL; i++) {
		const struct yaml_node *n = first[i] != NULL ? yaml_get(from, first[i]) : NULL;
		if (first[i] == NULL)
			break;
		if (n == NULL)
			continue;
		*end = node_copy(a, n, first[i]);
		end = *end != NULL ? &(*end)->next : NULL;
	}
	for (const struct yaml_node *n = from->child; n != NULL && end != NULL; n = n->next) {
		size_t i = 0;
		while (first[i] != NULL && !str_is(n->key, first[i]))
			i++;
		if (first[i] != NULL)
			continue;
		struct yaml_node *copy = arena_alloc(a, sizeof(*copy));
		*end = copy;
		end = copy != NULL ? &copy->next : NULL;
		if (copy != NULL) {
			*copy = *n;
			copy->next = NULL;
		}
	}
	return end != NULL ? document : NULL;
}

/* To the millisecond, in UTC, as core writes times elsewhere. */
static bool
time_write(struct arena *a, struct yaml_node *n)
{
	char text[CLOCK_RFC3339_SIZE];
	usec_t at = 0;

	if (clock_parse_rfc3339(n->text, &at) != ERR_OK)
		return false;
	clock_rfc3339(at, text);
	n->text = arena_str(a, str_of(text));
	return n->text.p != NULL;
}

const struct yaml_node *
flag_file_tree(struct arena *a, const struct yaml_node *flag)
{
	struct yaml_node *root = arena_alloc(a, sizeof(*root));
	if (root == NULL)
		return NULL;
	*root = (struct yaml_node) { .kind = YAML_MAP };
	struct yaml_node **end = &root->child;

	for (size_t i = 0; i < FLAG_FILE_MEMBERS; i++) {
		const struct yaml_node *n = yaml_get(flag, flag_member_names[i]);
		if (n == NULL)
			return NULL;
		*end = i == FLAG_M_DOCUMENT ? document_order(a, n)
					    : node_copy(a, n, flag_member_names[i]);
		if (*end == NULL || (i == FLAG_M_EXPIRES && !time_write(a, *end)))
			return NULL;
		end = &(*end)->next;
	}
	return root;
}
