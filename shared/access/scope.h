/*
 * scope.h — private to shared/access: patterns over rights. Parts point into the text they were read from.
 */
#ifndef BIMODAL_ACCESS_SCOPE_H
#define BIMODAL_ACCESS_SCOPE_H

#include "access/internal.h"

#define ACCESS_SCOPE_PART_MAX 63

struct access_pattern {
	struct str what;
	struct str verb;
};

/* False: not of the form. */
bool access_pattern_read(struct str text, struct access_pattern *out);
/* What both grant; false: nothing. */
bool access_pattern_meet(const struct access_pattern *x, const struct access_pattern *y,
			 struct access_pattern *out);
/* Does y grant all that x does? */
bool access_pattern_within(const struct access_pattern *x, const struct access_pattern *y);
/* Does one of the comma-separated scopes grant the right? */
bool access_scopes_allow(struct str scopes, struct str right);

/* False ends the walk. */
typedef bool access_pattern_fn(const struct access_pattern *p, void *arg);
/* What is left of the rights under the scopes (NULL: all). Returns false if `fn` ended it. */
bool access_rights_each(const struct access_roles *r, const struct access_rights *rights,
			const char *scopes, access_pattern_fn *fn, void *arg);

#endif
