/*
 * scope.c — patterns over rights: what a token's scopes leave of its roles, and whether one who makes a token has all that it
 * gives. See access.h.
 *
 * A pattern is "<what>.<verb>", either part may be "*". Rights of roles are patterns too ("*.read"), so that two of them meet
 * in a third: "people.*" and "*.read" in "people.read". Invariant: what does not read as a pattern grants nothing.
 */
#include "access/scope.h"

#include <string.h>

static bool
part_valid(struct str s)
{
	if (str_is(s, "*"))
		return true;
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (i > 0 && ((c >= '0' && c <= '9') || c == '_'))))
			return false;
	}
	return s.len > 0 && s.len <= ACCESS_SCOPE_PART_MAX;
}

bool
access_pattern_read(struct str text, struct access_pattern *out)
{
	struct str rest = text;
	out->what = str_cut(&rest, '.');
	out->verb = rest;
	return rest.p != NULL && part_valid(out->what) && part_valid(out->verb);
}

bool
access_scope_valid(struct str scope)
{
	struct access_pattern p;
	return access_pattern_read(scope, &p);
}

static bool
part_meet(struct str x, struct str y, struct str *out)
{
	*out = str_is(x, "*") ? y : x;
	return str_is(x, "*") || str_is(y, "*") || str_eq(x, y);
}

bool
access_pattern_meet(const struct access_pattern *x, const struct access_pattern *y,
		    struct access_pattern *out)
{
	return part_meet(x->what, y->what, &out->what) && part_meet(x->verb, y->verb, &out->verb);
}

bool
access_pattern_within(const struct access_pattern *x, const struct access_pattern *y)
{
	return (str_is(y->what, "*") || str_eq(x->what, y->what)) &&
	       (str_is(y->verb, "*") || str_eq(x->verb, y->verb));
}

bool
access_scopes_allow(struct str scopes, struct str right)
{
	struct access_pattern asked;
	struct str rest = scopes;
	if (!access_pattern_read(right, &asked))
		return false;
	while (rest.p != NULL) {
		struct access_pattern scope;
		if (access_pattern_read(str_cut(&rest, ','), &scope) &&
		    access_pattern_within(&asked, &scope))
			return true;
	}
	return false;
}

/* Each pattern that a role's right leaves under the scopes; false as soon as `fn` says so. */
static bool
each_left(struct str right, const char *scopes, access_pattern_fn *fn, void *arg)
{
	struct access_pattern given;
	if (!access_pattern_read(right, &given))
		return true;
	if (scopes == NULL)
		return fn(&given, arg);
	struct str rest = str_of(scopes);
	while (rest.p != NULL) {
		struct access_pattern scope, left;
		if (access_pattern_read(str_cut(&rest, ','), &scope) &&
		    access_pattern_meet(&given, &scope, &left) && !fn(&left, arg))
			return false;
	}
	return true;
}

bool
access_rights_each(const struct access_roles *r, const struct access_rights *rights,
		   const char *scopes, access_pattern_fn *fn, void *arg)
{
	for (size_t i = 0; i < r->n_rights; i++)
		if (access_rights_has(rights, (int)i) && !each_left(r->rights[i], scopes, fn, arg))
			return false;
	return true;
}

/* ---- may this one give that away? ---- */

struct search {
	const struct access_roles *roles;
	const struct access_actor *giver;
	const struct access_pattern *wanted;
	char *text;
	size_t size;
};

/* False ends the walk: the giver has it. */
static bool
not_this(const struct access_pattern *has, void *arg)
{
	const struct search *s = arg;
	return !access_pattern_within(s->wanted, has);
}

static bool
giver_has(const struct access_pattern *wanted, void *arg)
{
	struct search *s = arg;
	s->wanted = wanted;
	if (!access_rights_each(s->roles, &s->giver->rights,
				s->giver->scoped ? s->giver->scopes : NULL, not_this, s))
		return true;
	struct buf b;
	buf_init(&b, s->size - 1);
	buf_add_str(&b, wanted->what);
	buf_add_char(&b, '.');
	buf_add_str(&b, wanted->verb);
	(void)str_copy(s->text, s->size, buf_str(&b));
	buf_free(&b);
	return false;
}

bool
access_covers(const struct access *a, const struct access_actor *giver, struct str roles,
	      const char *scopes, char *missing, size_t size)
{
	const struct access_roles *r = a->conf.roles;
	struct access_rights rights = { { 0 } };
	uint32_t read = 0, write = 0;
	struct str rest = roles;
	while (rest.p != NULL) {
		const int at = access_role_find(r, str_cut(&rest, ','));
		if (at < 0)
			continue;
		for (size_t w = 0; w < ARRAY_LEN(rights.w); w++)
			rights.w[w] |= r->roles[at].rights.w[w];
		read |= r->roles[at].read_classes;
		write |= r->roles[at].write_classes;
	}
	struct search s = { .roles = r, .giver = giver, .text = missing, .size = size };
	if (!access_rights_each(r, &rights, scopes, giver_has, &s))
		return false;
	const uint32_t lacking = (read & ~giver->read_classes) | (write & ~giver->write_classes);
	if (lacking == 0)
		return true;
	(void)str_copy(missing, size,
		       (lacking & ACCESS_PERSONAL) != 0   ? STR("fields of class personal")
		       : (lacking & ACCESS_INTERNAL) != 0 ? STR("fields of class internal")
							  : STR("fields of class open"));
	return false;
}
