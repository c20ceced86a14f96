/*
 * conf.c — the configuration of a daemon: YAML trees are flattened to dotted keys, matched with the
 * schema, converted.
 *
 * Flow: conf_load → for each file yaml_read_file and file_walk (what is written for which key; the
 * later file wins) → value_store for every key. Invariants: no error ends the work early, so that
 * one run names all of them; values are stored only in fields the schema names; every string lives
 * in the arena of the conf.
 */
#include "base/conf.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define ARENA_BYTES_MAX (16 * 1024 * 1024) /* the nodes of a full file are 2 MiB */
#define NAME_MAX_BYTES 128                 /* of a dotted key */
#define SECRET_BYTES_MAX (64 * 1024)
#define KIB INT64_C(1024)

/* What was last written for one key. */
struct conf_source {
	const char *file; /* NULL: nowhere, the default holds */
	const struct yaml_node *node;
};

/* One value on its way into the struct: where it came from, for messages. */
struct value {
	const struct conf_key *key;
	const char *file; /* "default" if it is one */
	const struct yaml_node *node;
	struct str text;
	bool quoted;
	struct yaml_errors *errors;
};

/* ---- did you mean ---- */

static const char *
last_part(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot != NULL ? dot + 1 : name;
}

/* The schema's key that was probably meant, or NULL: few letters differ, or the same name in
 * another section. */
static const char *
key_nearest(const struct conf *c, const char *name)
{
	const char *best = str_nearest(str_of(name), c->names);
	for (size_t i = 0; best == NULL && i < c->n_keys; i++) {
		if (strcmp(last_part(name), last_part(c->keys[i].name)) == 0)
			best = c->keys[i].name;
	}
	return best;
}

/* ---- files to sources ---- */

static size_t
key_find(const struct conf *c, const char *name)
{
	size_t i = 0;
	while (i < c->n_keys && strcmp(c->keys[i].name, name) != 0)
		i++;
	return i;
}

static bool
is_section(const struct conf *c, const char *name)
{
	const size_t n = strlen(name);
	for (size_t i = 0; i < c->n_keys; i++) {
		if (strncmp(c->keys[i].name, name, n) == 0 && c->keys[i].name[n] == '.')
			return true;
	}
	return false;
}

static void
unknown_key(const struct conf *c, const char *file, const struct yaml_node *node, const char *name,
	    struct yaml_errors *e)
{
	const struct yaml_node at = { .line = node->key_line, .column = node->key_column };
	if (memchr(node->key.p, '.', node->key.len) != NULL) {
		yaml_error(e, file, &at, name,
			   "a key must not hold a dot; put it below its section");
		return;
	}
	const char *meant = key_nearest(c, name);
	if (meant != NULL)
		yaml_error(e, file, &at, name, "there is no such key; did you mean %s?", meant);
	else
		yaml_error(e, file, &at, name, "there is no such key");
}

/* One node under its dotted name. True: it is a section, to be entered. */
static bool
node_place(struct conf *c, const char *file, const struct yaml_node *node, const char *name,
	   struct yaml_errors *e)
{
	const size_t i = key_find(c, name);
	const bool dotted = memchr(node->key.p, '.', node->key.len) != NULL;
	const bool section = i == c->n_keys && is_section(c, name);
	if (dotted || (i == c->n_keys && !section)) {
		unknown_key(c, file, node, name, e);
		return false;
	}
	if (section) {
		const bool empty =
			node->kind == YAML_SCALAR && !node->quoted && node->text.len == 0;
		if (node->kind != YAML_MAP && !empty)
			yaml_error(e, file, node, name,
				   "this is a section: keys below it are expected");
		return node->kind == YAML_MAP;
	}
	if (node->kind != YAML_SCALAR)
		yaml_error(e, file, node, name, "one value is expected, not a %s",
			   node->kind == YAML_MAP ? "map" : "list");
	/* Noted even so: the key is not missing. */
	c->sources[i] = (struct conf_source) { file, node };
	return false;
}

/* Depth first, with the open sections on a stack: the nesting of the reader is bounded, so is ours.
 */
static void
file_walk(struct conf *c, const char *file, const struct yaml_node *root, struct yaml_errors *e)
{
	if (root->kind != YAML_MAP) {
		yaml_error(e, file, root, NULL, "the file must be a map of keys and values");
		return;
	}
	const struct yaml_node *next[YAML_DEPTH_MAX + 1] = { root->child };
	size_t prefix[YAML_DEPTH_MAX + 1] = {
		0
	}; /* length of the name of each open section, with its dot */
	char name[NAME_MAX_BYTES + 1] = "";
	unsigned depth = 0;
	for (;;) {
		const struct yaml_node *node = next[depth];
		if (node == NULL) {
			if (depth == 0)
				return;
			depth--;
			continue;
		}
		next[depth] = node->next;
		const size_t start = prefix[depth];
		const int n =
			snprintf(name + start, sizeof(name) - start, "%.*s", STR_FMT(node->key));
		if (n < 0 || (size_t)n >= sizeof(name) - start - 1) {
			yaml_error(e, file, node, name, "the name of this key is too long");
			continue;
		}
		if (!node_place(c, file, node, name, e))
			continue;
		/* A section has at most as many levels as a key of the schema has dots. */
		depth++;
		next[depth] = node->child;
		prefix[depth] = start + (size_t)n + 1;
		name[start + (size_t)n] = '.';
		name[start + (size_t)n + 1] = '\0';
	}
}

/* ---- text to values ---- */

static void
complain(const struct value *v, const char *what)
{
	yaml_error(v->errors, v->file, v->node, v->key->name, "%.*s %s", STR_FMT(v->text), what);
}

static enum err
size_parse(struct str s, int64_t *out)
{
	static const struct {
		const char *suffix;
		int64_t factor;
	} units[] = {
		{ "KiB", KIB },
		{ "MiB", KIB * KIB },
		{ "GiB", KIB * KIB * KIB },
		{ "B", 1 }, /* last: the others end in it, too */
	};
	if (str_is(s, "0")) {
		*out = 0;
		return ERR_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (!str_ends(s, units[i].suffix))
			continue;
		const struct str digits = { s.p, s.len - strlen(units[i].suffix) };
		int64_t n = 0;
		if (str_int(digits, 0, INT64_MAX / units[i].factor, &n) != ERR_OK)
			return ERR_INVALID;
		*out = n * units[i].factor;
		return ERR_OK;
	}
	return ERR_INVALID;
}

static enum err
number_parse(enum conf_type type, struct str s, int64_t *out)
{
	usec_t us = 0;
	switch (type) {
	case CONF_DURATION:
		if (clock_parse_duration(s, &us) != ERR_OK)
			return ERR_INVALID;
		*out = us;
		return ERR_OK;
	case CONF_SIZE:
		return size_parse(s, out);
	default:
		return str_int(s, INT64_MIN, INT64_MAX, out);
	}
}

/* A bound of the schema; a wrong one is told like a wrong value, under the name of the table. */
static bool
bound(const struct value *v, const char *text, int64_t *out)
{
	if (text == NULL)
		return false;
	const bool is_length = v->key->type == CONF_TEXT;
	if (number_parse(is_length ? CONF_INT : v->key->type, str_of(text), out) == ERR_OK)
		return true;
	yaml_error(v->errors, "schema", NULL, v->key->name, "%s is not a bound of this type", text);
	return false;
}

static void
bounds_check(const struct value *v, int64_t n)
{
	const bool is_length = v->key->type == CONF_TEXT;
	int64_t limit = 0;
	char what[96];
	if (bound(v, v->key->min, &limit) && n < limit) {
		(void)snprintf(what, sizeof(what),
			       is_length ? "is shorter than %s bytes" : "is below the minimum %s",
			       v->key->min);
		complain(v, what);
	}
	if (bound(v, v->key->max, &limit) && n > limit) {
		(void)snprintf(what, sizeof(what),
			       is_length ? "is longer than %s bytes" : "is above the maximum %s",
			       v->key->max);
		complain(v, what);
	}
}

static void
number_store(const struct value *v, void *field)
{
	static const char *const expected[] = {
		[CONF_INT] = "is not a whole number",
		[CONF_DURATION] = "is not a duration such as 250ms, 10s, 5min, 2h or 7d",
		[CONF_SIZE] = "is not a size such as 512B, 64KiB, 1MiB or 2GiB",
	};
	int64_t n = 0;
	if (v->quoted || number_parse(v->key->type, v->text, &n) != ERR_OK) {
		complain(v, v->quoted ? "is quoted: a number is expected here"
				      : expected[v->key->type]);
		return;
	}
	bounds_check(v, n);
	memcpy(field, &n, sizeof(n));
}

static void
bool_store(const struct value *v, void *field)
{
	const bool yes = str_is(v->text, "true");
	if (v->quoted || (!yes && !str_is(v->text, "false"))) {
		complain(v, "is neither true nor false");
		return;
	}
	memcpy(field, &yes, sizeof(yes));
}

static char *
text_copy(struct conf *c, const struct value *v, struct str text)
{
	char *copy = arena_strdup(&c->arena, text);
	if (copy == NULL)
		complain(v, "needs too much memory");
	return copy;
}

/* The path as written, or below the folder of the file it is written in. */
static char *
path_make(struct conf *c, const struct value *v)
{
	if (v->text.len > 0 && v->text.p[0] == '/')
		return text_copy(c, v, v->text);
	const char *base = v->node != NULL ? v->file : c->base_dir;
	const char *slash = strrchr(base, '/');
	if (slash == NULL)
		return text_copy(c, v, v->text);
	char *path = arena_printf(&c->arena, "%.*s%.*s", (int)(slash - base + 1), base,
				  STR_FMT(v->text));
	if (path == NULL)
		complain(v, "needs too much memory");
	return path;
}

/* The group may read: a secret may belong to root and be lent to the daemon's group. */
static bool
is_private(const struct value *v, const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0 || (st.st_mode & (S_IRWXO | S_IWGRP)) == 0)
		return true;
	yaml_error(v->errors, v->file, v->node, v->key->name,
		   "%s has mode %04o, others must not get at a secret: chmod 0600", path,
		   (unsigned)st.st_mode & 07777u);
	return false;
}

static void
secret_store(struct conf *c, const struct value *v, const char *path, void *field)
{
	char *text = NULL;
	size_t len = 0;
	struct err_info info = { .code = ERR_OK };
	if (!is_private(v, path))
		return;
	if (file_read(path, SECRET_BYTES_MAX, true, &text, &len, &info) != ERR_OK) {
		yaml_error(v->errors, v->file, v->node, v->key->name, "%s", info.msg);
		return;
	}
	if (len == 0 || memchr(text, '\0', len) != NULL) {
		yaml_error(v->errors, v->file, v->node, v->key->name, "%s holds no text", path);
	} else {
		char *copy = text_copy(c, v, (struct str) { text, len });
		memcpy(field, &copy, sizeof(copy));
	}
	explicit_bzero(text, len);
	free(text);
}

static void
file_store(struct conf *c, const struct value *v, void *field)
{
	if (v->text.len == 0) {
		const char *none = "";
		if (v->key->def != NULL && v->key->def[0] == '\0')
			memcpy(field, &none, sizeof(none));
		else
			complain(v, "a path is expected");
		return;
	}
	char *path = path_make(c, v);
	if (path == NULL)
		return;
	if (v->key->type == CONF_SECRET) {
		secret_store(c, v, path, field);
		return;
	}
	if (v->key->type == CONF_PRIVATE && !is_private(v, path))
		return;
	if (access(path, R_OK) != 0)
		yaml_error(v->errors, v->file, v->node, v->key->name, "could not read %s: %s", path,
			   strerror(errno));
	memcpy(field, &path, sizeof(path));
}

static void
text_store(struct conf *c, const struct value *v, void *field)
{
	if (memchr(v->text.p, '\0', v->text.len) != NULL)
		complain(v, "holds a zero byte");
	bounds_check(v, (int64_t)v->text.len);
	char *copy = text_copy(c, v, v->text);
	memcpy(field, &copy, sizeof(copy));
}

static void
value_store(struct conf *c, const struct value *v)
{
	void *field = (char *)c->values + v->key->offset;
	if (v->node != NULL && v->node->kind != YAML_SCALAR)
		return; /* told by node_place */
	if (v->node != NULL && !v->quoted && v->text.len == 0) {
		yaml_error(v->errors, v->file, v->node, v->key->name, "a value is missing");
		return;
	}
	switch (v->key->type) {
	case CONF_INT:
	case CONF_DURATION:
	case CONF_SIZE:
		number_store(v, field);
		break;
	case CONF_BOOL:
		bool_store(v, field);
		break;
	case CONF_TEXT:
		text_store(c, v, field);
		break;
	case CONF_FILE:
	case CONF_PRIVATE:
	case CONF_SECRET:
		file_store(c, v, field);
		break;
	}
}

static void
field_clear(struct conf *c, const struct conf_key *key)
{
	size_t n = sizeof(char *);
	if (key->type == CONF_BOOL)
		n = sizeof(bool);
	else if (key->type == CONF_INT || key->type == CONF_SIZE || key->type == CONF_DURATION)
		n = sizeof(int64_t);
	memset((char *)c->values + key->offset, 0, n);
}

enum err
conf_load(struct conf *c, const struct conf_key *keys, size_t n_keys, void *values,
	  const char *const *files, size_t n_files, struct yaml_errors *e)
{
	const unsigned before = e->count;
	*c = (struct conf) { .keys = keys, .n_keys = n_keys, .values = values };
	arena_init(&c->arena, ARENA_BYTES_MAX);
	c->sources = arena_alloc(&c->arena, MAX(n_keys, 1) * sizeof(*c->sources));
	c->base_dir = arena_strdup(&c->arena, str_of(n_files > 0 ? files[0] : ""));
	c->names = arena_alloc(&c->arena, (n_keys + 1) * sizeof(*c->names));
	if (c->sources == NULL || c->base_dir == NULL || c->names == NULL) {
		yaml_error(e, "configuration", NULL, NULL, "no memory for %zu keys", n_keys);
		return ERR_CONFIG;
	}
	for (size_t i = 0; i < n_keys; i++)
		c->names[i] = keys[i].name;
	for (size_t i = 0; i < n_files; i++) {
		struct yaml_node *root = NULL;
		const char *file = arena_strdup(&c->arena, str_of(files[i]));
		if (file != NULL && yaml_read_file(&c->arena, file, &root, e) == ERR_OK)
			file_walk(c, file, root, e);
	}
	for (size_t i = 0; i < n_keys; i++) {
		const struct conf_key *key = &keys[i];
		const struct conf_source *s = &c->sources[i];
		struct value v = {
			.key = key, .file = "default", .text = str_of(key->def), .errors = e
		};
		field_clear(c, key);
		if (s->file != NULL) {
			v.file = s->file;
			v.node = s->node;
			v.text = s->node->text;
			v.quoted = s->node->quoted;
		} else if (key->def == NULL) {
			yaml_error(e, n_files > 0 ? files[n_files - 1] : "configuration", NULL,
				   key->name, "this key is required (%s)", key->help);
			continue;
		}
		value_store(c, &v);
	}
	return e->count == before ? ERR_OK : ERR_CONFIG;
}

void
conf_error(const struct conf *c, const char *key, struct yaml_errors *e, const char *fmt, ...)
{
	const size_t i = key_find(c, key);
	const struct conf_source *s = i < c->n_keys ? &c->sources[i] : NULL;
	char what[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (s != NULL && s->file != NULL)
		yaml_error(e, s->file, s->node, key, "%s", what);
	else
		yaml_error(e, "default", NULL, key, "%s", what);
}

void
conf_free(struct conf *c)
{
	arena_release(&c->arena);
	c->sources = NULL;
	c->base_dir = NULL;
	c->names = NULL;
}

/* ---- print ---- */

struct row {
	char key[NAME_MAX_BYTES + 1];
	char value[64];
	char def[64];
	char from[96];
};

static void
row_make(const struct conf *c, size_t i, struct row *r)
{
	const struct conf_key *key = &c->keys[i];
	const struct conf_source *s = &c->sources[i];
	const char *def = key->def == NULL ? "(required)" : key->def;
	struct str value = s->file != NULL ? s->node->text : str_of(key->def);
	if (key->type == CONF_SECRET && value.len > 0)
		value = STR("*****");
	if (key->def != NULL && key->def[0] == '\0')
		def = "\"\"";
	(void)snprintf(r->key, sizeof(r->key), "%s", key->name);
	if (value.len == 0)
		(void)snprintf(r->value, sizeof(r->value), "\"\"");
	else
		(void)str_copy(r->value, sizeof(r->value), value);
	(void)snprintf(r->def, sizeof(r->def), "%s", def);
	if (s->file != NULL)
		(void)snprintf(r->from, sizeof(r->from), "%s:%u", s->file, s->node->line);
	else
		(void)snprintf(r->from, sizeof(r->from), "default");
}

void
conf_print(const struct conf *c, struct buf *out)
{
	size_t width[4] = { strlen("KEY"), strlen("VALUE"), strlen("DEFAULT"), strlen("SET IN") };
	struct row r;
	for (size_t i = 0; i < c->n_keys; i++) {
		row_make(c, i, &r);
		width[0] = MAX(width[0], strlen(r.key));
		width[1] = MAX(width[1], strlen(r.value));
		width[2] = MAX(width[2], strlen(r.def));
		width[3] = MAX(width[3], strlen(r.from));
	}
	buf_printf(out, "%-*s  %-*s  %-*s  %-*s  %s\n", (int)width[0], "KEY", (int)width[1],
		   "VALUE", (int)width[2], "DEFAULT", (int)width[3], "SET IN", "CHANGE");
	for (size_t i = 0; i < c->n_keys; i++) {
		row_make(c, i, &r);
		buf_printf(out, "%-*s  %-*s  %-*s  %-*s  %s\n", (int)width[0], r.key, (int)width[1],
			   r.value, (int)width[2], r.def, (int)width[3], r.from,
			   c->keys[i].reload ? "reload" : "restart");
	}
}
