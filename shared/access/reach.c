/*
 * reach.c — whose records a principal may read and write, and who is in its teams. See access.h.
 *
 * Place: a room asks here and hands the names to the record engine as plain values. Invariants: a
 * role widens a scope only for what it grants itself; the list of members is immutable and swapped
 * as a whole, like the tokens.
 */
#include <stdlib.h>
#include <string.h>

#include "access/internal.h"

enum { COL_TEAM, COL_PRINCIPAL, COL_NAME, COL_GENERATION, COL_COUNT };

struct member {
	char principal[UUID_TEXT_SIZE];
	uint32_t team;
};

struct team {
	uint32_t first; /* of names */
	uint32_t n;
};

struct members {
	struct arena arena;
	struct member *of; /* sorted by principal */
	struct str *names; /* by team             */
	size_t n;
	struct team *teams;
	size_t n_teams;
	int64_t generation;
};

const char *
access_scope_name(enum access_scope s)
{
	return s == ACCESS_SCOPE_OWN ? "own" : s == ACCESS_SCOPE_TEAM ? "team" : "all";
}

bool
access_scoped(const struct access *a)
{
	return a->conf.roles->scoped;
}

static const struct access_role_scope *
row_of(const struct access_role *role, struct str resource)
{
	for (size_t i = 0; i < role->n_scopes; i++) {
		if (str_eq(role->scopes[i].resource, resource))
			return &role->scopes[i];
	}
	return NULL;
}

static enum access_scope
row_scope(const struct access_role *role, struct str resource, bool write)
{
	const struct access_role_scope *row = row_of(role, resource);
	if (row == NULL)
		row = row_of(role, STR("*"));
	return row == NULL ? ACCESS_SCOPE_ALL : write ? row->write : row->read;
}

enum access_scope
access_role_scope_of(const struct access_role *role, const struct access_resource *r, bool write)
{
	enum access_scope narrowest = ACCESS_SCOPE_ALL;
	if (r->n_follows == 0 || row_of(role, r->name) != NULL)
		return row_scope(role, r->name, write);
	for (size_t i = 0; i < r->n_follows; i++)
		narrowest = MIN(narrowest, row_scope(role, r->follows[i], write));
	return narrowest;
}

bool
access_role_grants(const struct access_roles *roles, const struct access_role *role,
		   struct str right)
{
	char any[ACCESS_NAME_SIZE];
	if (access_rights_has(&role->rights, access_right_find(roles, right)))
		return true;
	return access_right_any(right, any, sizeof(any)) &&
	       access_rights_has(&role->rights, access_right_find(roles, str_of(any)));
}

enum access_scope
access_scope_of(const struct access *a, const struct access_actor *actor,
		const struct access_resource *r, bool write)
{
	const struct access_roles *roles = a->conf.roles;
	static const uint32_t classes[] = { ACCESS_OPEN, ACCESS_INTERNAL, ACCESS_PERSONAL };
	const uint32_t shown = actor->read_classes | (write ? actor->write_classes : 0);
	enum access_scope widest[ARRAY_LEN(classes)] = { ACCESS_SCOPE_OWN, ACCESS_SCOPE_OWN,
							 ACCESS_SCOPE_OWN };
	enum access_scope any = ACCESS_SCOPE_OWN; /* where there is no field to show */
	enum access_scope narrowest = ACCESS_SCOPE_ALL;
	char right[ACCESS_NAME_SIZE];
	struct buf text;
	if (!roles->scoped)
		return ACCESS_SCOPE_ALL;
	buf_init(&text, sizeof(right) - 1);
	buf_printf(&text, "%.*s.%s", STR_FMT(r->name), write ? "write" : "read");
	const bool fits = !text.failed && str_copy(right, sizeof(right), buf_str(&text));
	buf_free(&text);
	for (size_t i = 0; fits && i < roles->n_roles; i++) {
		const struct access_role *role = &roles->roles[i];
		if ((actor->roles >> i & 1) == 0 || !access_role_grants(roles, role, str_of(right)))
			continue;
		any = MAX(any, access_role_scope_of(role, r, write));
		const uint32_t of_role = role->read_classes | (write ? role->write_classes : 0);
		for (size_t k = 0; k < ARRAY_LEN(classes); k++)
			if ((of_role & classes[k]) != 0)
				widest[k] = MAX(widest[k], access_role_scope_of(role, r, write));
	}
	/* One role's records and another's classes together would be what no role grants. */
	for (size_t k = 0; k < ARRAY_LEN(classes); k++)
		if ((shown & classes[k]) != 0)
			narrowest = MIN(narrowest, widest[k]);
	return shown == 0 ? any : narrowest;
}

/* ---- members of teams ---- */

void
access_members_free(struct members *m)
{
	if (m == NULL)
		return;
	arena_release(&m->arena);
	free(m->of);
	free(m->names);
	free(m->teams);
	free(m);
}

static struct str
cell(const PGresult *rows, int row, int col)
{
	if (PQgetisnull(rows, row, col))
		return STR_NONE;
	return (struct str) { PQgetvalue(rows, row, col), (size_t)PQgetlength(rows, row, col) };
}

static int
by_principal(const void *x, const void *y)
{
	const struct member *a = x;
	const struct member *b = y;
	return memcmp(a->principal, b->principal, sizeof(a->principal));
}

static enum err
members_fill(struct members *m, const PGresult *rows)
{
	struct str team = STR_NONE;
	for (int row = 0; row < PQntuples(rows); row++) {
		struct uuid u;
		const struct str here = cell(rows, row, COL_TEAM);
		if (here.p == NULL)
			continue;
		if (uuid_parse(cell(rows, row, COL_PRINCIPAL), &u) != ERR_OK)
			return ERR_INTERNAL;
		if (team.p == NULL || !str_eq(team, here))
			m->teams[m->n_teams++] = (struct team) { .first = (uint32_t)m->n };
		team = here;
		uuid_text(&u, m->of[m->n].principal);
		m->of[m->n].team = (uint32_t)m->n_teams - 1;
		m->names[m->n] = arena_str(&m->arena, cell(rows, row, COL_NAME));
		if (m->names[m->n].p == NULL)
			return ERR_NO_MEMORY;
		m->teams[m->n_teams - 1].n++;
		m->n++;
	}
	qsort(m->of, m->n, sizeof(*m->of), by_principal);
	return ERR_OK;
}

enum err
access_swap_members(struct access *a, const PGresult *rows, struct err_info *info)
{
	const size_t n = (size_t)PQntuples(rows);
	if (PQnfields(rows) != COL_COUNT || n == 0 || n > ACCESS_MEMBERS_MAX)
		return err_set(info, ERR_INTERNAL, NULL,
			       "the statement of members returns %d columns and %zu rows",
			       PQnfields(rows), n);
	struct members *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "could not keep the teams in memory");
	arena_init(&m->arena, n * 256 + ARENA_CAP_BYTES);
	m->of = calloc(n, sizeof(*m->of));
	m->names = calloc(n, sizeof(*m->names));
	m->teams = calloc(n, sizeof(*m->teams));
	enum err err = ERR_NO_MEMORY;
	if (m->of != NULL && m->names != NULL && m->teams != NULL)
		err = str_int(cell(rows, 0, COL_GENERATION), 0, INT64_MAX, &m->generation);
	if (err == ERR_OK)
		err = members_fill(m, rows);
	if (err != ERR_OK) {
		access_members_free(m);
		return err_set(info, err, NULL, "the members of the teams cannot be read");
	}
	access_members_free(a->members);
	a->members = m;
	return ERR_OK;
}

int64_t
access_members_generation(const struct access *a)
{
	return a->members == NULL ? -1 : a->members->generation;
}

/* The first entry of the principal, and how many there are. */
static size_t
teams_of(const struct members *m, const char *principal, size_t *first)
{
	struct member key;
	size_t low = 0, high = m->n, n = 0;
	memcpy(key.principal, principal, sizeof(key.principal));
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (by_principal(&m->of[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	while (low + n < m->n && by_principal(&m->of[low + n], &key) == 0)
		n++;
	*first = low;
	return n;
}

bool
access_team_names(const struct access *a, const struct access_actor *actor, struct arena *arena,
		  const struct str **names, size_t *n)
{
	const struct members *m = a->members;
	size_t first = 0, total = 1, at = 0;
	const size_t n_teams = m == NULL ? 0 : teams_of(m, actor->principal, &first);
	for (size_t i = 0; i < n_teams; i++)
		total += m->teams[m->of[first + i].team].n;
	struct str *list = arena_alloc(arena, total * sizeof(*list));
	if (list == NULL)
		return false;
	list[at++] = str_of(actor->name);
	for (size_t i = 0; i < n_teams; i++) {
		const struct team *team = &m->teams[m->of[first + i].team];
		/* Copies: the members may be swapped while the request waits. */
		for (uint32_t k = 0; k < team->n; k++) {
			list[at] = arena_str(arena, m->names[team->first + k]);
			if (list[at++].p == NULL)
				return false;
		}
	}
	*names = list;
	*n = total;
	return true;
}

bool
access_in_team(const struct access *a, const struct access_actor *actor, struct str name)
{
	const struct members *m = a->members;
	size_t first = 0;
	if (str_is(name, actor->name))
		return true;
	const size_t n_teams = m == NULL ? 0 : teams_of(m, actor->principal, &first);
	for (size_t i = 0; i < n_teams; i++) {
		const struct team *team = &m->teams[m->of[first + i].team];
		for (uint32_t k = 0; k < team->n; k++) {
			if (str_eq(m->names[team->first + k], name))
				return true;
		}
	}
	return false;
}
