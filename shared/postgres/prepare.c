/*
 * prepare.c — which statements the pool knows, and which of them each connection holds prepared on
 * its server.
 *
 * Flow: postgres_statement_get gives a request its statement (copied once); when the request is
 * sent, postgres_prepare_plan says what must go in front of it within the same Sync unit: nothing,
 * a PREPARE, or a DEALLOCATE and a PREPARE. A run-time statement goes unnamed the first time it is
 * used and is named from the second on, so that one-off shapes leave nothing behind. Invariants:
 * the table of a connection is what its server will hold once everything sent has been run; a
 * PREPARE that failed takes its row out again (parse_id tells whose it was).
 */
#include "postgres/internal.h"

#include <stdlib.h>
#include <string.h>

static uint64_t last_serial;

static uint32_t
hash_bytes(const void *p, size_t n)
{
	const unsigned char *b = p;
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 16777619u;
	return h;
}

static struct statement **
bucket_of(struct statement_table *st, const struct postgres_stmt *key)
{
	return &st->buckets[hash_bytes(&key, sizeof(key)) % POSTGRES_STATEMENT_BUCKETS];
}

void
postgres_statement_table_init(struct statement_table *st, unsigned max_dynamic)
{
	*st = (struct statement_table) { .max_dynamic = max_dynamic };
	TAILQ_INIT(&st->dynamic);
}

void
postgres_statement_unref(struct statement *s)
{
	if (s == NULL)
		return;
	s->refs--;
	if (s->refs > 0)
		return;
	free(s->name);
	free(s->text);
	free(s->types);
	free(s);
}

static void
statement_remove(struct statement_table *st, struct statement *s)
{
	struct statement **at = bucket_of(st, s->key);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (!s->is_static) {
		TAILQ_REMOVE(&st->dynamic, s, lru);
		st->n_dynamic--;
	}
	postgres_statement_unref(s);
}

static void
statement_table_drop(struct statement_table *st, bool with_static)
{
	for (unsigned i = 0; i < POSTGRES_STATEMENT_BUCKETS; i++) {
		struct statement *s = st->buckets[i];
		while (s != NULL) {
			struct statement *next = s->next;
			if (with_static || !s->is_static)
				statement_remove(st, s);
			s = next;
		}
	}
}

void
postgres_statement_table_free(struct statement_table *st)
{
	statement_table_drop(st, true);
}

void
postgres_statement_table_forget(struct statement_table *st)
{
	st->generation++;
	statement_table_drop(st, false);
}

static struct statement *
statement_copy(const struct postgres_stmt *key, bool is_static)
{
	struct statement *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->refs = 1;
	s->key = key;
	s->name = strdup(key->name);
	s->text = strdup(key->text);
	s->types = calloc(key->n_params + 1, sizeof(*s->types));
	if (s->name == NULL || s->text == NULL || s->types == NULL) {
		postgres_statement_unref(s);
		return NULL;
	}
	if (key->types != NULL && key->n_params > 0)
		memcpy(s->types, key->types, key->n_params * sizeof(*s->types));
	s->n_params = key->n_params;
	s->lane = key->lane;
	s->at_start = key->prepare_at_start;
	s->shares_sync = key->shares_sync && key->lane == POSTGRES_READ;
	s->is_static = is_static;
	s->name_hash = hash_bytes(s->name, strlen(s->name));
	last_serial++;
	s->serial = last_serial;
	return s;
}

/* The text is compared too: memory that was freed and used again must not run another query under
 * an old name. */
static bool
statement_same(const struct statement *s, const struct postgres_stmt *key)
{
	return s->key == key && s->n_params == key->n_params && s->lane == key->lane &&
	       strcmp(s->name, key->name) == 0 && strcmp(s->text, key->text) == 0;
}

enum err
postgres_statement_get(struct statement_table *st, const struct postgres_stmt *key, bool is_static,
		       struct statement **out)
{
	struct statement **bucket = bucket_of(st, key);
	struct statement *s = *bucket;
	while (s != NULL && s->key != key)
		s = s->next;
	if (s != NULL && !statement_same(s, key)) {
		statement_remove(st, s);
		s = NULL;
	}
	if (s == NULL) {
		size_t name_len = strnlen(key->name, POSTGRES_NAME_MAX + 1);
		if (name_len == 0 || name_len > POSTGRES_NAME_MAX ||
		    key->n_params > POSTGRES_PARAMS_MAX || key->lane >= POSTGRES_LANES ||
		    strnlen(key->text, POSTGRES_TEXT_MAX + 1) > POSTGRES_TEXT_MAX)
			return ERR_INTERNAL;
		s = statement_copy(key, is_static);
		if (s == NULL)
			return ERR_NO_MEMORY;
		if (!is_static && st->n_dynamic >= st->max_dynamic)
			statement_remove(st, TAILQ_FIRST(&st->dynamic));
		s->next = *bucket;
		*bucket = s;
		if (!is_static) {
			TAILQ_INSERT_TAIL(&st->dynamic, s, lru);
			st->n_dynamic++;
		}
	} else if (!s->is_static) {
		TAILQ_REMOVE(&st->dynamic, s, lru);
		TAILQ_INSERT_TAIL(&st->dynamic, s, lru);
	}
	s->refs++;
	*out = s;
	return ERR_OK;
}

void
postgres_prepared_table_init(struct prepared_table *pt, unsigned max_dynamic)
{
	*pt = (struct prepared_table) { .max_dynamic = max_dynamic };
	TAILQ_INIT(&pt->dynamic);
}

static struct prepared *
prepared_find(const struct prepared_table *pt, const struct statement *s)
{
	struct prepared *p = pt->buckets[s->name_hash % POSTGRES_PREPARED_BUCKETS];
	while (p != NULL && (p->hash != s->name_hash || strcmp(p->name, s->name) != 0))
		p = p->next;
	return p;
}

static void
prepared_remove(struct prepared_table *pt, struct prepared *p)
{
	struct prepared **at = &pt->buckets[p->hash % POSTGRES_PREPARED_BUCKETS];
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	if (p->dynamic) {
		TAILQ_REMOVE(&pt->dynamic, p, lru);
		pt->n_dynamic--;
	}
	pt->n--;
	free(p);
}

void
postgres_prepared_table_clear(struct prepared_table *pt)
{
	for (unsigned i = 0; i < POSTGRES_PREPARED_BUCKETS; i++) {
		while (pt->buckets[i] != NULL)
			prepared_remove(pt, pt->buckets[i]);
	}
}

/* Room for a new row. Removes the least recently used run-time statement when the connection is
 * full. */
static struct prepared *
prepared_add(struct prepared_table *pt, const struct statement *s,
	     struct postgres_prepare_plan *plan)
{
	struct prepared *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	if (!s->is_static && pt->n_dynamic >= pt->max_dynamic) {
		struct prepared *oldest = TAILQ_FIRST(&pt->dynamic);
		memcpy(plan->deallocate, oldest->name, sizeof(plan->deallocate));
		prepared_remove(pt, oldest);
	}
	p->hash = s->name_hash;
	p->dynamic = !s->is_static;
	(void)str_copy(p->name, sizeof(p->name), str_of(s->name));
	struct prepared **bucket = &pt->buckets[p->hash % POSTGRES_PREPARED_BUCKETS];
	p->next = *bucket;
	*bucket = p;
	pt->n++;
	if (p->dynamic) {
		TAILQ_INSERT_TAIL(&pt->dynamic, p, lru);
		pt->n_dynamic++;
	}
	return p;
}

void
postgres_prepare_plan(struct prepared_table *pt, const struct statement *s, uint64_t generation,
		      struct postgres_prepare_plan *plan)
{
	*plan = (struct postgres_prepare_plan) { .unnamed = false };
	struct prepared *p = prepared_find(pt, s);
	if (p == NULL && !s->at_start && s->uses < 2) {
		plan->unnamed = true;
		return;
	}
	if (p != NULL && p->dynamic) {
		TAILQ_REMOVE(&pt->dynamic, p, lru);
		TAILQ_INSERT_TAIL(&pt->dynamic, p, lru);
	}
	if (p != NULL && p->serial == s->serial && p->generation == generation && !p->stale) {
		plan->parse_id = p->parse_id;
		return;
	}
	if (p != NULL)
		memcpy(plan->deallocate, p->name, sizeof(plan->deallocate));
	else
		p = prepared_add(pt, s, plan);
	if (p == NULL) {
		plan->unnamed = true;
		return;
	}
	pt->last_parse_id++;
	p->serial = s->serial;
	p->generation = generation;
	p->stale = false;
	p->parse_id = pt->last_parse_id;
	plan->parse = true;
	plan->parse_id = p->parse_id;
}

void
postgres_prepared_gone(struct prepared_table *pt, const struct statement *s, uint64_t parse_id)
{
	struct prepared *p = prepared_find(pt, s);
	if (p != NULL && p->parse_id == parse_id)
		prepared_remove(pt, p);
}

void
postgres_prepared_stale(struct prepared_table *pt, const struct statement *s, uint64_t parse_id)
{
	struct prepared *p = prepared_find(pt, s);
	if (p != NULL && p->parse_id == parse_id)
		p->stale = true;
}

void
postgres_prepare_deallocate_sql(const char *name, char *out, size_t size)
{
	static const char verb[] = "deallocate \"";
	size_t n = sizeof(verb) - 1;
	memcpy(out, verb, n);
	for (const char *c = name; *c != '\0' && n + 4 < size; c++) {
		if (*c == '"')
			out[n++] = '"';
		out[n++] = *c;
	}
	out[n++] = '"';
	out[n] = '\0';
}
