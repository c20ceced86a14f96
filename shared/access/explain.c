/*
 * explain.c — what a set of roles amounts to, for an explanation. See access.h.
 */
#include <string.h>

#include "access/internal.h"

void
access_actor_of_roles(const struct access *a, struct str principal, struct str name,
		      struct str roles, struct access_actor *out)
{
	struct token token = { .roles = access_roles_bits(a->conf.roles, roles) };
	(void)str_copy(token.principal, sizeof(token.principal), principal);
	(void)str_copy(token.name, sizeof(token.name), name);
	access_actor_fill(a, &token, out);
}

/* The right of this role that grants the one asked for: itself, or the one for everything. */
static struct str
granted_by(const struct access_roles *r, const struct access_role *role, struct str right)
{
	char any[ACCESS_NAME_SIZE];
	int index = access_right_find(r, right);
	if (access_rights_has(&role->rights, index))
		return r->rights[index];
	index = access_right_any(right, any, sizeof(any)) ? access_right_find(r, str_of(any)) : -1;
	return access_rights_has(&role->rights, index) ? r->rights[index] : STR_NONE;
}

void
access_explain_json(const struct access *a, const struct access_actor *actor, struct str right,
		    struct buf *out)
{
	const struct access_roles *r = a->conf.roles;
	bool first = true;
	buf_add_cstr(out, ",\"roles\":[");
	for (size_t i = 0; i < r->n_roles; i++) {
		if ((actor->roles >> i & 1) == 0)
			continue;
		buf_add_cstr(out, first ? "{\"role\":" : ",{\"role\":");
		buf_json_str(out, r->roles[i].name);
		buf_add_cstr(out, ",\"grants\":");
		const struct str by =
			right.len == 0 ? STR_NONE : granted_by(r, &r->roles[i], right);
		if (by.p == NULL)
			buf_add_cstr(out, "null");
		else
			buf_json_str(out, by);
		buf_add_char(out, '}');
		first = false;
	}
	buf_add_cstr(out, "],\"classes\":");
	access_classes_json(actor, out);
}
