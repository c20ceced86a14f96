/*
 * holders.c — which roles give which right, for those who ask it the other way round: who may do this?
 */
#include "access/roles.h"

void
access_roles_holders_json(const struct access_roles *r, struct buf *out)
{
	buf_add_char(out, '{');
	for (size_t i = 0; i < r->n_rights; i++) {
		bool first = true;
		if (i > 0)
			buf_add_char(out, ',');
		buf_json_str(out, r->rights[i]);
		buf_add_cstr(out, ":[");
		for (size_t k = 0; k < r->n_roles; k++) {
			if (!access_rights_has(&r->roles[k].rights, (int)i))
				continue;
			if (!first)
				buf_add_char(out, ',');
			buf_json_str(out, r->roles[k].name);
			first = false;
		}
		buf_add_char(out, ']');
	}
	buf_add_char(out, '}');
}
