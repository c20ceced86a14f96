/*
 * roles.h — private to shared/access: the role matrix in memory. Rights are numbered in the order
 * they first appear in the file.
 */
#ifndef BIMODAL_ACCESS_ROLES_H
#define BIMODAL_ACCESS_ROLES_H

#include "access/access.h"

/* What a role sees and changes of one resource ("*": of every one without a row of its own). */
struct access_role_scope {
	struct str resource;
	enum access_scope read;
	enum access_scope write;
};

struct access_role {
	struct str name;
	struct access_rights rights;
	uint32_t read_classes;
	uint32_t write_classes;
	struct access_role_scope scopes[ACCESS_ROLE_SCOPES_MAX];
	size_t n_scopes;
};

struct access_roles {
	struct arena arena;
	struct access_role roles[ACCESS_ROLES_MAX];
	size_t n_roles;
	struct str rights[ACCESS_RIGHTS_MAX];
	size_t n_rights;
	bool scoped; /* some role is limited to a part of the records */
	char hash[SHA256_HEX_SIZE];
};

/* Index of a right by its exact text, or -1. */
int access_right_find(const struct access_roles *r, struct str right);
/* Index of a role, or -1. */
int access_role_find(const struct access_roles *r, struct str name);
/* "people.read" → "*.read"; false if it does not fit or is no right. */
bool access_right_any(struct str right, char *out, size_t size);
/* Does the role grant the right, by itself or by "*"? */
bool access_role_grants(const struct access_roles *roles, const struct access_role *role,
			struct str right);
enum access_scope access_role_scope_of(const struct access_role *role,
				       const struct access_resource *r, bool write);
bool access_rights_has(const struct access_rights *r, int index);

#endif
