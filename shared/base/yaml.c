/*
 * yaml.c — YAML text to a tree of nodes with places, by libyaml's events.
 *
 * Flow: yaml_parse → events in order → reader_* put nodes under the container on top of a fixed
 * stack (no recursion). Invariants: libyaml accepts much that two readers may understand
 * differently (duplicate keys, anchors, tags, second documents); all of it is an error here. What
 * does not confuse the rest of the file is reported and reading goes on, so that one run shows all
 * errors; a syntax error or a broken limit ends it.
 */
#include "base/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/file.h"

#define ERRORS_BYTES_MAX (64 * 1024)
#define PATH_BYTES 256

struct level {
	struct yaml_node *node; /* a map or a list */
	struct yaml_node *last; /* its last child  */
	unsigned n;             /* its children    */
	bool have_key;          /* in a map: the next node is the value of `key` */
	struct str key;
	yaml_mark_t key_mark;
};

struct reader {
	struct arena *arena;
	const char *file;
	struct yaml_errors *errors;
	struct yaml_node *root;
	struct level stack[YAML_DEPTH_MAX];
	unsigned depth;
	unsigned n_nodes;
	unsigned n_documents;
	bool stop; /* reading cannot go on */
};

void
yaml_errors_init(struct yaml_errors *e)
{
	buf_init(&e->text, ERRORS_BYTES_MAX);
	e->count = 0;
}

void
yaml_errors_free(struct yaml_errors *e)
{
	buf_free(&e->text);
	e->count = 0;
}

/* Bytes of the character that this byte begins; 0 for a byte inside of one. */
static size_t
char_bytes(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc0)
		return 0;
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Text of a file may be shown on a terminal: no control characters, no half of a character where it
 * was cut. */
static void
message_clean(char *msg)
{
	const size_t n = strlen(msg);
	size_t last = n;
	while (last > 0 && char_bytes((unsigned char)msg[last - 1]) == 0)
		last--;
	if (last > 0 && last - 1 + char_bytes((unsigned char)msg[last - 1]) > n)
		msg[last - 1] = '\0';
	for (char *c = msg; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

void
yaml_error(struct yaml_errors *e, const char *file, const struct yaml_node *at, const char *path,
	   const char *fmt, ...)
{
	e->count++;
	if (e->count == YAML_ERRORS_MAX + 1)
		buf_add_cstr(&e->text, "… and more errors\n");
	if (e->count > YAML_ERRORS_MAX)
		return;
	char place[32] = "";
	char msg[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	message_clean(msg);
	char where[PATH_BYTES] = "";
	(void)snprintf(where, sizeof(where), "%s", path != NULL ? path : "");
	message_clean(where);
	if (at != NULL)
		(void)snprintf(place, sizeof(place), ":%u:%u", at->line, at->column);
	buf_printf(&e->text, "%s%s: %s%s%s\n", file, place, where, where[0] != '\0' ? ": " : "",
		   msg);
}

/* "http.workers" or "metrics[2].name": of the node that is being read. */
static void
path_make(const struct reader *r, char out[PATH_BYTES])
{
	size_t n = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < r->depth && n < PATH_BYTES; i++) {
		const struct level *l = &r->stack[i];
		/* Below the top of the stack it is the child that is open; at the top the one to
		 * come. */
		const bool open = i + 1 < r->depth;
		int more = 0;
		if (l->node->kind == YAML_LIST)
			more = snprintf(out + n, PATH_BYTES - n, "[%u]", open ? l->n - 1 : l->n);
		else if (open || l->have_key)
			more = snprintf(out + n, PATH_BYTES - n, "%s%.*s", n == 0 ? "" : ".",
					STR_FMT(l->key));
		if (more > 0)
			n += (size_t)more;
	}
}

static void
error_at(struct reader *r, const yaml_mark_t *mark, const char *msg)
{
	char path[PATH_BYTES];
	path_make(r, path);
	const struct yaml_node at = { .line = (unsigned)mark->line + 1,
				      .column = (unsigned)mark->column + 1 };
	yaml_error(r->errors, r->file, &at, path, "%s", msg);
}

static void
error_stop(struct reader *r, const yaml_mark_t *mark, const char *msg)
{
	error_at(r, mark, msg);
	r->stop = true;
}

static struct yaml_node *
child_find(const struct yaml_node *map, struct str key)
{
	for (struct yaml_node *c = map->child; c != NULL; c = c->next) {
		if (str_eq(c->key, key))
			return c;
	}
	return NULL;
}

/* A new node under the top of the stack, or the root; NULL when a limit is reached. */
static struct yaml_node *
node_add(struct reader *r, enum yaml_kind kind, const yaml_mark_t *mark)
{
	r->n_nodes++;
	if (r->n_nodes > YAML_NODES_MAX) {
		error_stop(r, mark, "there are too many values in this file");
		return NULL;
	}
	struct yaml_node *node = arena_alloc(r->arena, sizeof(*node));
	if (node == NULL) {
		error_stop(r, mark, "the file needs too much memory");
		return NULL;
	}
	node->kind = kind;
	node->line = (unsigned)mark->line + 1;
	node->column = (unsigned)mark->column + 1;
	if (r->depth == 0) {
		r->root = node;
		return node;
	}
	struct level *top = &r->stack[r->depth - 1];
	if (top->node->kind == YAML_MAP) {
		node->key = top->key;
		node->key_line = (unsigned)top->key_mark.line + 1;
		node->key_column = (unsigned)top->key_mark.column + 1;
		top->have_key = false;
		if (top->n == YAML_KEYS_MAX) {
			error_stop(r, mark, "there are too many keys in one map");
			return NULL;
		}
	}
	if (top->last == NULL)
		top->node->child = node;
	else
		top->last->next = node;
	top->last = node;
	top->n++;
	return node;
}

static void
key_take(struct reader *r, struct level *top, struct str key, const yaml_mark_t *mark)
{
	top->key = key;
	top->key_mark = *mark;
	top->have_key = true;
	if (key.len == 0) {
		error_at(r, mark, "a key must not be empty");
		return;
	}
	const struct yaml_node *other = child_find(top->node, key);
	if (other == NULL)
		return;
	char msg[80];
	(void)snprintf(msg, sizeof(msg), "the key is given twice; first in line %u",
		       other->key_line);
	error_at(r, mark, msg);
}

static void
on_scalar(struct reader *r, const yaml_event_t *ev)
{
	const yaml_mark_t *mark = &ev->start_mark;
	struct level *top = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;
	const struct str raw = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	const bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	/* An empty text still has an address, so that only a failed copy is NULL. */
	const struct str text = raw.len == 0 ? STR("") : arena_str(r->arena, raw);
	if (text.p == NULL) {
		error_stop(r, mark, "the file needs too much memory");
		return;
	}
	if (memchr(raw.p, '\0', raw.len) != NULL)
		error_at(r, mark, "a text must not hold a zero byte");
	const bool is_key = top != NULL && top->node->kind == YAML_MAP && !top->have_key;
	if (ev->data.scalar.anchor != NULL)
		error_at(r, mark, "anchors (&name) are not accepted");
	if (ev->data.scalar.tag != NULL || (plain && !ev->data.scalar.plain_implicit))
		error_at(r, mark, "tags (!name) are not accepted");
	if (is_key) {
		key_take(r, top, text, mark);
		return;
	}
	struct yaml_node *node = node_add(r, YAML_SCALAR, mark);
	if (node == NULL)
		return;
	node->text = text;
	node->quoted = !plain;
}

static void
on_alias(struct reader *r, const yaml_mark_t *mark)
{
	const struct level *top = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;
	error_at(r, mark, "aliases (*name) are not accepted");
	if (top == NULL || (top->node->kind == YAML_MAP && !top->have_key))
		r->stop = true;
	else
		(void)node_add(r, YAML_SCALAR, mark);
}

static void
on_open(struct reader *r, enum yaml_kind kind, const yaml_mark_t *mark, bool anchor, bool tag)
{
	const struct level *top = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;
	if (anchor)
		error_at(r, mark, "anchors (&name) are not accepted");
	if (tag)
		error_at(r, mark, "tags (!name) are not accepted");
	if (top != NULL && top->node->kind == YAML_MAP && !top->have_key) {
		error_stop(r, mark, "a key must be a plain text, not a map or a list");
		return;
	}
	if (r->depth == YAML_DEPTH_MAX) {
		error_stop(r, mark, "the file is nested too deeply");
		return;
	}
	struct yaml_node *node = node_add(r, kind, mark);
	if (node == NULL)
		return;
	r->stack[r->depth] = (struct level) { .node = node };
	r->depth++;
}

static void
on_event(struct reader *r, const yaml_event_t *ev)
{
	const yaml_mark_t *mark = &ev->start_mark;
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		r->n_documents++;
		if (r->n_documents > 1)
			error_stop(r, mark, "a second document (---) in one file is not accepted");
		else if (ev->data.document_start.version_directive != NULL ||
			 ev->data.document_start.tag_directives.start !=
				 ev->data.document_start.tag_directives.end)
			error_at(r, mark, "directives (%) are not accepted");
		break;
	case YAML_ALIAS_EVENT:
		on_alias(r, mark);
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(r, ev);
		break;
	case YAML_MAPPING_START_EVENT:
		on_open(r, YAML_MAP, mark, ev->data.mapping_start.anchor != NULL,
			ev->data.mapping_start.tag != NULL);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_open(r, YAML_LIST, mark, ev->data.sequence_start.anchor != NULL,
			ev->data.sequence_start.tag != NULL);
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		break;
	case YAML_STREAM_END_EVENT:
		r->stop = true;
		break;
	default:
		break;
	}
}

/* libyaml gives no line and column for bytes that are not UTF-8 or not allowed, only their offset.
 */
static yaml_mark_t
offset_mark(struct str text, size_t offset)
{
	yaml_mark_t mark = { 0, 0, 0 };
	for (size_t i = 0; i < offset && i < text.len; i++) {
		mark.column++;
		if (text.p[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

static void
syntax_error(struct reader *r, const yaml_parser_t *parser, struct str text)
{
	char msg[256];
	yaml_mark_t mark = parser->problem_mark;
	if (parser->error == YAML_READER_ERROR)
		mark = offset_mark(text, parser->problem_offset);
	const bool context = parser->context != NULL;
	(void)snprintf(msg, sizeof(msg), "not valid YAML: %s%s%s",
		       parser->problem != NULL ? parser->problem : "it could not be read",
		       context ? " " : "", context ? parser->context : "");
	/* A path made of half-read levels would mislead. */
	r->depth = 0;
	error_stop(r, &mark, msg);
}

enum err
yaml_parse(struct arena *a, const char *file, struct str text, struct yaml_node **root,
	   struct yaml_errors *e)
{
	*root = NULL;
	const unsigned before = e->count;
	if (text.len > YAML_BYTES_MAX) {
		yaml_error(e, file, NULL, NULL, "the file is larger than %d bytes", YAML_BYTES_MAX);
		return ERR_CONFIG;
	}
	yaml_parser_t parser;
	if (yaml_parser_initialize(&parser) == 0) {
		yaml_error(e, file, NULL, NULL, "no memory to read the file");
		return ERR_CONFIG;
	}
	const char *bytes = text.p != NULL ? text.p : "";
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, text.len);
	struct reader r = { .arena = a, .file = file, .errors = e };
	while (!r.stop) {
		yaml_event_t ev;
		if (yaml_parser_parse(&parser, &ev) == 0) {
			syntax_error(&r, &parser, text);
			break;
		}
		on_event(&r, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
	if (e->count != before)
		return ERR_CONFIG;
	/* Nothing but comments, or a document without content. */
	if (r.root == NULL ||
	    (r.root->kind == YAML_SCALAR && r.root->text.len == 0 && !r.root->quoted)) {
		const yaml_mark_t start = { 0, 0, 0 };
		r.depth = 0;
		r.root = node_add(&r, YAML_MAP, &start);
	}
	*root = r.root;
	return r.root != NULL ? ERR_OK : ERR_CONFIG;
}

enum err
yaml_read_file(struct arena *a, const char *path, struct yaml_node **root, struct yaml_errors *e)
{
	*root = NULL;
	char *text = NULL;
	size_t len = 0;
	struct err_info info = { .code = ERR_OK };
	if (file_read(path, YAML_BYTES_MAX, false, &text, &len, &info) != ERR_OK) {
		yaml_error(e, path, NULL, NULL, "%s", info.msg);
		return ERR_CONFIG;
	}
	const enum err err = yaml_parse(a, path, (struct str) { text, len }, root, e);
	free(text);
	return err;
}

const struct yaml_node *
yaml_get(const struct yaml_node *map, const char *key)
{
	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	return child_find(map, str_of(key));
}
