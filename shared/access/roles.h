/*
 * roles.h — private to shared/access: the role matrix in memory. Rights are numbered in the order
 * they first appear in the file.
 */
#ifndef BIMODAL_ACCESS_ROLES_H
#define BIMODAL_ACCESS_ROLES_H

#include "access/access.h"

struct access_role {
	struct str name;
	struct access_rights rights;
	uint32_t read_classes;
	uint32_t write_classes;
};

struct access_roles {
	struct arena arena;
	struct access_role roles[ACCESS_ROLES_MAX];
	size_t n_roles;
	struct str rights[ACCESS_RIGHTS_MAX];
	size_t n_rights;
	char hash[SHA256_HEX_SIZE];
};

/* Index of a right by its exact text, or -1. */
int access_right_find(const struct access_roles *r, struct str right);
/* Index of a role, or -1. */
int access_role_find(const struct access_roles *r, struct str name);
bool access_rights_has(const struct access_rights *r, int index);

#endif
