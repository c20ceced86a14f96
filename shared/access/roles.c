/*
 * roles.c — config/roles.yaml: role → rights and class masks. See access.h.
 *
 * Invariant: nothing is granted that is not written; every mistake in the file is reported with its
 * place, and a file with a mistake is not used.
 */
#include "access/roles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROLES_ARENA_BYTES (1024 * 1024)

static const struct {
	const char *name;
	uint32_t bit;
} classes[] = {
	{ "open", ACCESS_OPEN },
	{ "internal", ACCESS_INTERNAL },
	{ "personal", ACCESS_PERSONAL },
};

struct reader {
	struct access_roles *roles;
	struct yaml_errors *errors;
	const char *file;
};

int
access_right_find(const struct access_roles *r, struct str right)
{
	for (size_t i = 0; i < r->n_rights; i++) {
		if (str_eq(r->rights[i], right))
			return (int)i;
	}
	return -1;
}

int
access_role_find(const struct access_roles *r, struct str name)
{
	for (size_t i = 0; i < r->n_roles; i++) {
		if (str_eq(r->roles[i].name, name))
			return (int)i;
	}
	return -1;
}

bool
access_roles_know(const struct access_roles *r, struct str role)
{
	return access_role_find(r, role) >= 0;
}

bool
access_rights_has(const struct access_rights *r, int index)
{
	return index >= 0 && (r->w[index / 64] >> (index % 64) & 1) != 0;
}

bool
access_right_any(struct str right, char *out, size_t size)
{
	struct str verb = right;
	(void)str_cut(&verb, '.');
	if (verb.p == NULL || verb.len + 3 > size)
		return false;
	out[0] = '*';
	out[1] = '.';
	memcpy(out + 2, verb.p, verb.len);
	out[verb.len + 2] = '\0';
	return true;
}

static bool
name_chars(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && i > 0) ||
		      (c == '_' && i > 0)))
			return false;
	}
	return s.len > 0;
}

/* "<what>.<verb>", where <what> may be "*". */
static bool
right_valid(struct str s)
{
	struct str rest = s;
	const struct str what = str_cut(&rest, '.');
	return rest.p != NULL && (str_is(what, "*") || name_chars(what)) && name_chars(rest) &&
	       s.len <= 100;
}

static void
right_add(struct reader *rd, struct access_role *role, const struct yaml_node *n, const char *path)
{
	struct access_roles *r = rd->roles;
	if (n->kind != YAML_SCALAR || !right_valid(n->text)) {
		yaml_error(rd->errors, rd->file, n, path,
			   "a right is written as <what>.<verb>, such as people.read or *.read");
		return;
	}
	int index = access_right_find(r, n->text);
	if (index < 0) {
		if (r->n_rights == ACCESS_RIGHTS_MAX) {
			yaml_error(rd->errors, rd->file, n, path,
				   "there are more than %d different rights", ACCESS_RIGHTS_MAX);
			return;
		}
		index = (int)r->n_rights;
		r->rights[r->n_rights++] = arena_str(&r->arena, n->text);
	}
	if (access_rights_has(&role->rights, index))
		yaml_error(rd->errors, rd->file, n, path, "the right %.*s is listed twice",
			   STR_FMT(n->text));
	role->rights.w[index / 64] |= UINT64_C(1) << (index % 64);
}

static void
class_add(struct reader *rd, uint32_t *mask, const struct yaml_node *n, const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(classes) && n->kind == YAML_SCALAR; i++) {
		if (str_is(n->text, classes[i].name)) {
			*mask |= classes[i].bit;
			return;
		}
	}
	yaml_error(rd->errors, rd->file, n, path, "a class is open, internal or personal");
}

static enum access_scope
scope_read(struct reader *rd, const struct yaml_node *n, const char *path)
{
	for (enum access_scope s = ACCESS_SCOPE_OWN; s <= ACCESS_SCOPE_ALL; s++) {
		if (n->kind == YAML_SCALAR && str_is(n->text, access_scope_name(s)))
			return s;
	}
	yaml_error(rd->errors, rd->file, n, path, "a scope is own, team or all");
	return ACCESS_SCOPE_ALL;
}

/* people: { read: team, write: own } */
static void
resource_scope_add(struct reader *rd, struct access_role *role, const struct yaml_node *n,
		   const char *path)
{
	if (n->kind != YAML_MAP || !(str_is(n->key, "*") || name_chars(n->key))) {
		yaml_error(rd->errors, rd->file, n, path,
			   "a scope is written as people: { read: team, write: own }");
		return;
	}
	if (role->n_scopes == ACCESS_ROLE_SCOPES_MAX) {
		yaml_error(rd->errors, rd->file, n, path, "there are more than %d scopes",
			   ACCESS_ROLE_SCOPES_MAX);
		return;
	}
	struct access_role_scope *scope = &role->scopes[role->n_scopes++];
	*scope = (struct access_role_scope) { .resource = arena_str(&rd->roles->arena, n->key),
					      .read = ACCESS_SCOPE_ALL,
					      .write = ACCESS_SCOPE_ALL };
	bool write_given = false;
	for (const struct yaml_node *k = n->child; k != NULL; k = k->next) {
		if (str_is(k->key, "read")) {
			scope->read = scope_read(rd, k, path);
		} else if (str_is(k->key, "write")) {
			scope->write = scope_read(rd, k, path);
			write_given = true;
		} else {
			yaml_error(rd->errors, rd->file, k, path,
				   "a scope has only the keys read and write");
		}
	}
	if (!write_given)
		scope->write = scope->read;
	if (scope->write > scope->read)
		yaml_error(rd->errors, rd->file, n, path, "writes records that it may not read");
	if (scope->write < ACCESS_SCOPE_ALL)
		rd->roles->scoped = true;
}

static void
scopes_read(struct reader *rd, struct access_role *role, const struct yaml_node *n,
	    const char *path)
{
	if (n->kind != YAML_MAP) {
		yaml_error(rd->errors, rd->file, n, path, "must map resources to scopes");
		return;
	}
	for (const struct yaml_node *k = n->child; k != NULL; k = k->next)
		resource_scope_add(rd, role, k, path);
}

static bool
is_list(struct reader *rd, const struct yaml_node *n, const char *path)
{
	if (n->kind == YAML_LIST)
		return true;
	yaml_error(rd->errors, rd->file, n, path, "must be a list");
	return false;
}

static void
role_key(struct reader *rd, struct access_role *role, const struct yaml_node *n, const char *path)
{
	uint32_t *mask = str_is(n->key, "read")    ? &role->read_classes
			 : str_is(n->key, "write") ? &role->write_classes
						   : NULL;
	if (str_is(n->key, "scopes")) {
		scopes_read(rd, role, n, path);
		return;
	}
	if (mask == NULL && !str_is(n->key, "rights")) {
		yaml_error(rd->errors, rd->file, n, path,
			   "a role has only the keys rights, read, write and scopes");
		return;
	}
	if (!is_list(rd, n, path))
		return;
	for (const struct yaml_node *item = n->child; item != NULL; item = item->next) {
		if (mask != NULL)
			class_add(rd, mask, item, path);
		else
			right_add(rd, role, item, path);
	}
}

static void
role_read(struct reader *rd, const struct yaml_node *n)
{
	struct access_roles *r = rd->roles;
	char path[128];
	(void)str_copy(path, sizeof(path), n->key);
	if (!name_chars(n->key) || n->kind != YAML_MAP) {
		yaml_error(rd->errors, rd->file, n, path,
			   "a role is a plain name with rights, read and write");
		return;
	}
	if (r->n_roles == ACCESS_ROLES_MAX) {
		yaml_error(rd->errors, rd->file, n, path, "there are more than %d roles",
			   ACCESS_ROLES_MAX);
		return;
	}
	struct access_role *role = &r->roles[r->n_roles++];
	role->name = arena_str(&r->arena, n->key);
	for (const struct yaml_node *k = n->child; k != NULL; k = k->next)
		role_key(rd, role, k, path);
	if ((role->write_classes & ~role->read_classes) != 0)
		yaml_error(rd->errors, rd->file, n, path, "writes a class that it may not read");
}

enum err
access_roles_parse(const char *name, struct str text, struct access_roles **out,
		   struct yaml_errors *e)
{
	*out = NULL;
	struct access_roles *r = calloc(1, sizeof(*r));
	if (r == NULL) {
		yaml_error(e, name, NULL, "roles", "could not be kept in memory");
		return ERR_NO_MEMORY;
	}
	arena_init(&r->arena, ROLES_ARENA_BYTES);
	sha256_hex(text.p == NULL ? "" : text.p, text.len, r->hash);
	struct reader rd = { .roles = r, .errors = e, .file = name };
	struct yaml_node *root = NULL;
	const unsigned before = e->count;
	if (yaml_parse(&r->arena, name, text, &root, e) == ERR_OK) {
		const struct yaml_node *roles =
			root->kind == YAML_MAP ? yaml_get(root, "roles") : NULL;
		for (const struct yaml_node *n = root->child; n != NULL; n = n->next) {
			if (n != roles)
				yaml_error(e, name, n, "roles", "the file has only the key roles");
		}
		if (roles == NULL || roles->kind != YAML_MAP || roles->child == NULL)
			yaml_error(e, name, root, "roles", "must name at least one role");
		else
			for (const struct yaml_node *n = roles->child; n != NULL; n = n->next)
				role_read(&rd, n);
	}
	if (e->count > before) {
		access_roles_free(r);
		return ERR_CONFIG;
	}
	*out = r;
	return ERR_OK;
}

enum err
access_roles_load(const char *path, struct access_roles **out, struct yaml_errors *e)
{
	static const size_t limit = YAML_BYTES_MAX + 1;
	*out = NULL;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		yaml_error(e, path, NULL, "roles", "could not open the file: %s", strerror(errno));
		return ERR_CONFIG;
	}
	struct buf text;
	buf_init(&text, limit);
	ssize_t got = 0;
	char *room;
	while ((room = buf_room(&text, 4096)) != NULL && (got = read(fd, room, 4096)) > 0)
		buf_took(&text, (size_t)got);
	(void)close(fd);
	enum err err = ERR_CONFIG;
	if (got < 0 || room == NULL)
		yaml_error(e, path, NULL, "roles",
			   "could not read the file, or it is larger than %d bytes",
			   YAML_BYTES_MAX);
	else
		err = access_roles_parse(path, buf_str(&text), out, e);
	buf_free(&text);
	return err;
}

void
access_roles_free(struct access_roles *r)
{
	if (r == NULL)
		return;
	arena_release(&r->arena);
	free(r);
}

const char *
access_roles_hash(const struct access_roles *r)
{
	return r->hash;
}

enum err
access_roles_read(const char *path, struct access_roles **out)
{
	struct yaml_errors errors;

	yaml_errors_init(&errors);
	const enum err err = access_roles_load(path, out, &errors);
	if (err != ERR_OK)
		fprintf(stderr, "%.*s", STR_FMT(buf_str(&errors.text)));
	yaml_errors_free(&errors);
	return err;
}
