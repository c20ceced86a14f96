/*
 * access.c — the snapshot of live tokens, and what an actor may do. See access.h.
 *
 * Place: the guard checks each request here; a room swaps the rows in. Invariants: a snapshot is
 * immutable but for its `used` marks and sorted by hash; an actor is a copy, so nothing of a
 * request points into a snapshot and a swap frees the old one at once.
 */
#include "access/access.h"

#include <stdlib.h>
#include <string.h>

#include "access/scope.h"

enum column {
	COL_HASH,
	COL_PRINCIPAL,
	COL_NAME,
	COL_ROLES,
	COL_AUDIENCE,
	COL_EXPIRES,
	COL_GENERATION,
	COL_SCOPES,
	COL_COUNT
};

#define SCOPES_BYTES_MAX ((size_t)ACCESS_TOKENS_MAX * (ACCESS_SCOPES_SIZE + 16))

static const char *const daemons[] = { [ACCESS_CORE] = "core", [ACCESS_SANDBOX] = "sandbox" };

static struct access *in_use;

enum err
access_create(const struct access_conf *conf, struct access **out, struct err_info *info)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "could not make the access object");
	(*out)->conf = *conf;
	return ERR_OK;
}

static void
snapshot_free(struct snapshot *s)
{
	if (s == NULL)
		return;
	free(s->tokens);
	arena_release(&s->text);
	free(s);
}

void
access_destroy(struct access *a)
{
	if (a == NULL)
		return;
	snapshot_free(a->snapshot);
	access_members_free(a->members);
	free(a);
}

void
access_use(struct access *a)
{
	in_use = a;
}

struct access *
access_here(void)
{
	return in_use;
}

const char *
access_daemon_name(enum access_daemon d)
{
	return daemons[d];
}

static int
by_hash(const void *x, const void *y)
{
	const struct token *a = x;
	const struct token *b = y;
	return memcmp(a->hash, b->hash, sizeof(a->hash));
}

static struct token *
token_find(const struct snapshot *s, const uint8_t hash[SHA256_BYTES])
{
	struct token key;
	memcpy(key.hash, hash, sizeof(key.hash));
	return s == NULL || s->n == 0 ? NULL
				      : bsearch(&key, s->tokens, s->n, sizeof(*s->tokens), by_hash);
}

static struct str
cell(const PGresult *rows, int row, enum column col)
{
	if (PQgetisnull(rows, row, (int)col))
		return STR_NONE;
	return (struct str) { PQgetvalue(rows, row, (int)col),
			      (size_t)PQgetlength(rows, row, (int)col) };
}

uint32_t
access_roles_bits(const struct access_roles *r, struct str list)
{
	uint32_t bits = 0;
	while (list.p != NULL) {
		const int index = access_role_find(r, str_cut(&list, ','));
		if (index >= 0)
			bits |= UINT32_C(1) << index;
	}
	return bits;
}

static enum err
token_read(const struct access *a, const PGresult *rows, int row, struct arena *text,
	   struct token *out)
{
	struct uuid u;
	*out = (struct token) { .roles = access_roles_bits(a->conf.roles,
							   cell(rows, row, COL_ROLES)) };
	if (hex_decode(cell(rows, row, COL_HASH), out->hash, sizeof(out->hash)) != ERR_OK ||
	    uuid_parse(cell(rows, row, COL_PRINCIPAL), &u) != ERR_OK)
		return ERR_INTERNAL;
	uuid_text(&u, out->principal);
	(void)str_copy(out->name, sizeof(out->name), cell(rows, row, COL_NAME));
	const struct str scopes = cell(rows, row, COL_SCOPES);
	if (scopes.p != NULL && (scopes.len >= ACCESS_SCOPES_SIZE ||
				 (out->scopes = arena_strdup(text, scopes)) == NULL))
		return ERR_INTERNAL;
	const struct str expires = cell(rows, row, COL_EXPIRES);
	out->expires = INT64_MAX;
	return expires.p == NULL ? ERR_OK : str_int(expires, INT64_MIN, INT64_MAX, &out->expires);
}

static enum err
snapshot_fill(const struct access *a, const PGresult *rows, struct snapshot *s)
{
	for (int row = 0; row < PQntuples(rows); row++) {
		/* The generation comes with a row of its own when there is no token. */
		if (PQgetisnull(rows, row, COL_HASH) ||
		    !str_is(cell(rows, row, COL_AUDIENCE), daemons[a->conf.daemon]))
			continue;
		const enum err err = token_read(a, rows, row, &s->text, &s->tokens[s->n]);
		if (err != ERR_OK)
			return err;
		s->n++;
	}
	qsort(s->tokens, s->n, sizeof(*s->tokens), by_hash);
	/* Uses that were not taken yet are carried over. */
	for (size_t i = 0; i < s->n; i++) {
		const struct token *old = token_find(a->snapshot, s->tokens[i].hash);
		s->tokens[i].used = old != NULL && old->used;
	}
	return ERR_OK;
}

enum err
access_swap_rows(struct access *a, const PGresult *rows, struct err_info *info)
{
	const int n = PQntuples(rows);
	if (PQnfields(rows) != COL_COUNT)
		return err_set(info, ERR_INTERNAL, NULL,
			       "the token statement returns %d columns instead of %d",
			       PQnfields(rows), (int)COL_COUNT);
	if (n > ACCESS_TOKENS_MAX)
		return err_set(info, ERR_NO_MEMORY, NULL, "there are more than %d tokens",
			       ACCESS_TOKENS_MAX);
	struct snapshot *s = calloc(1, sizeof(*s));
	struct token *tokens = calloc((size_t)n + 1, sizeof(*tokens));
	if (s == NULL || tokens == NULL) {
		free(s);
		free(tokens);
		return err_set(info, ERR_NO_MEMORY, NULL, "could not keep the tokens in memory");
	}
	s->tokens = tokens;
	arena_init(&s->text, SCOPES_BYTES_MAX);
	enum err err = ERR_OK;
	if (n > 0)
		err = str_int(cell(rows, 0, COL_GENERATION), 0, INT64_MAX, &s->generation);
	if (err == ERR_OK)
		err = snapshot_fill(a, rows, s);
	if (err != ERR_OK) {
		snapshot_free(s);
		return err_set(info, ERR_INTERNAL, NULL,
			       "the token statement returned a row that cannot be read");
	}
	snapshot_free(a->snapshot);
	a->snapshot = s;
	return ERR_OK;
}

int64_t
access_generation(const struct access *a)
{
	return a->snapshot == NULL ? -1 : a->snapshot->generation;
}

size_t
access_token_count(const struct access *a)
{
	return a->snapshot == NULL ? 0 : a->snapshot->n;
}

void
access_actor_fill(const struct access *a, const struct token *token, struct access_actor *out)
{
	const struct access_roles *r = a->conf.roles;
	*out = (struct access_actor) { .roles = token->roles };
	memcpy(out->principal, token->principal, sizeof(out->principal));
	memcpy(out->name, token->name, sizeof(out->name));
	out->scoped = token->scopes != NULL;
	(void)str_copy(out->scopes, sizeof(out->scopes), str_of(token->scopes));
	for (size_t i = 0; i < r->n_roles; i++) {
		if ((token->roles >> i & 1) == 0)
			continue;
		for (size_t w = 0; w < ARRAY_LEN(out->rights.w); w++)
			out->rights.w[w] |= r->roles[i].rights.w[w];
		out->read_classes |= r->roles[i].read_classes;
		out->write_classes |= r->roles[i].write_classes;
	}
}

void
access_actor_make(const struct access *a, struct str principal, struct str name, struct str roles,
		  struct access_actor *out)
{
	struct token like = { .roles = access_roles_bits(a->conf.roles, roles) };
	(void)str_copy(like.principal, sizeof(like.principal), principal);
	(void)str_copy(like.name, sizeof(like.name), name);
	access_actor_fill(a, &like, out);
}

enum err
access_check(struct access *a, struct str text, struct access_actor *out, const char **reason,
	     struct err_info *info)
{
	enum access_daemon audience;
	uint8_t hash[SHA256_BYTES];
	*reason = text.len == 0 ? "missing" : "malformed";
	if (text.len == 0)
		return err_set(info, ERR_UNAUTHORIZED, "Authorization",
			       "give a token as \"Authorization: Bearer bm_%s_…\"",
			       daemons[a->conf.daemon]);
	if (access_token_hash(text, &audience, hash) != ERR_OK)
		return err_set(info, ERR_UNAUTHORIZED, "Authorization",
			       "the token is not of the form of our tokens");
	if (audience != a->conf.daemon) {
		*reason = "other-daemon";
		return err_set(info, ERR_UNAUTHORIZED, "Authorization",
			       "the token is for the %s daemon; this is the %s daemon",
			       daemons[audience], daemons[a->conf.daemon]);
	}
	if (a->snapshot == NULL)
		return err_set(info, ERR_DOWN, NULL, "the tokens have not been read yet");
	struct token *token = token_find(a->snapshot, hash);
	*reason = "unknown";
	if (token == NULL)
		return err_set(info, ERR_UNAUTHORIZED, "Authorization",
			       "the token is not known, or was revoked");
	*reason = "expired";
	if (token->expires <= clock_wall_us())
		return err_set(info, ERR_UNAUTHORIZED, "Authorization", "the token has expired");
	*reason = NULL;
	token->used = true;
	access_actor_fill(a, token, out);
	return ERR_OK;
}

bool
access_check_again(const struct access *a, const uint8_t hash[SHA256_BYTES],
		   struct access_actor *out, usec_t *expires)
{
	const struct token *token = token_find(a->snapshot, hash);
	if (token == NULL || token->expires <= clock_wall_us())
		return false;
	*expires = token->expires;
	access_actor_fill(a, token, out);
	return true;
}

bool
access_may(const struct access *a, const struct access_actor *actor, struct str right)
{
	const struct access_roles *r = a->conf.roles;
	if (actor->scoped && !access_scopes_allow(str_of(actor->scopes), right))
		return false;
	if (access_rights_has(&actor->rights, access_right_find(r, right)))
		return true;
	char any[ACCESS_NAME_SIZE];
	return access_right_any(right, any, sizeof(any)) &&
	       access_rights_has(&actor->rights, access_right_find(r, str_of(any)));
}

static void
json_classes(struct buf *out, const char *name, uint32_t mask)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} classes[] = { { "open", ACCESS_OPEN },
			{ "internal", ACCESS_INTERNAL },
			{ "personal", ACCESS_PERSONAL } };
	bool first = true;
	buf_printf(out, "\"%s\":[", name);
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if ((mask & classes[i].bit) == 0)
			continue;
		buf_printf(out, "%s\"%s\"", first ? "" : ",", classes[i].name);
		first = false;
	}
	buf_add_char(out, ']');
}

struct json_list {
	struct buf *out;
	bool first;
};

static bool
json_pattern(const struct access_pattern *p, void *arg)
{
	struct json_list *list = arg;
	buf_printf(list->out, "%s\"%.*s.%.*s\"", list->first ? "" : ",", STR_FMT(p->what),
		   STR_FMT(p->verb));
	list->first = false;
	return true;
}

static void
json_scopes(struct buf *out, const struct access_actor *actor)
{
	struct str rest = str_of(actor->scopes);
	if (!actor->scoped) {
		buf_add_cstr(out, "null");
		return;
	}
	buf_add_char(out, '[');
	while (rest.p != NULL) {
		buf_json_str(out, str_cut(&rest, ','));
		if (rest.p != NULL)
			buf_add_char(out, ',');
	}
	buf_add_char(out, ']');
}

size_t
access_role_count(const struct access *a)
{
	return a->conf.roles->n_roles;
}

struct str
access_role_name(const struct access *a, size_t i)
{
	return a->conf.roles->roles[i].name;
}

void
access_classes_json(const struct access_actor *actor, struct buf *out)
{
	buf_add_char(out, '{');
	json_classes(out, "read", actor->read_classes);
	buf_add_char(out, ',');
	json_classes(out, "write", actor->write_classes);
	buf_add_char(out, '}');
}

void
access_actor_json(const struct access *a, const struct access_actor *actor, struct buf *out)
{
	const struct access_roles *r = a->conf.roles;
	bool first = true;
	buf_add_cstr(out, "{\"principal\":");
	buf_json_cstr(out, actor->principal);
	buf_add_cstr(out, ",\"name\":");
	buf_json_cstr(out, actor->name[0] == '\0' ? NULL : actor->name);
	buf_add_cstr(out, ",\"roles\":[");
	for (size_t i = 0; i < r->n_roles; i++) {
		if ((actor->roles >> i & 1) == 0)
			continue;
		if (!first)
			buf_add_char(out, ',');
		buf_json_str(out, r->roles[i].name);
		first = false;
	}
	buf_add_cstr(out, "],\"rights\":[");
	struct json_list list = { out, true };
	(void)access_rights_each(r, &actor->rights, actor->scoped ? actor->scopes : NULL,
				 json_pattern, &list);
	buf_add_cstr(out, "],\"classes\":");
	access_classes_json(actor, out);
	buf_add_cstr(out, ",\"scopes\":");
	json_scopes(out, actor);
	buf_add_char(out, '}');
}

size_t
access_used_take(struct access *a, struct buf *out)
{
	size_t n = 0;
	buf_add_char(out, '{');
	for (size_t i = 0; a->snapshot != NULL && i < a->snapshot->n; i++) {
		struct token *token = &a->snapshot->tokens[i];
		if (!token->used)
			continue;
		char hex[2 * SHA256_BYTES + 1];
		hex_encode(token->hash, sizeof(token->hash), hex);
		buf_printf(out, "%s\"\\\\x%s\"", n > 0 ? "," : "", hex);
		if (out->failed)
			break;
		token->used = false;
		n++;
	}
	buf_add_char(out, '}');
	return out->failed ? 0 : n;
}
