/*
 * cache.c — statements by shape. See cache.h.
 *
 * Place: every step that submits asks here. Invariants: at most RECORD_CACHE_MAX entries; a name is
 * made of the generation and a hash of the text, so equal names mean equal texts on every
 * connection, also after an eviction.
 */
#include "record/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/id.h"

#define BUCKETS 256
#define KEY_BYTES_MAX (16 * 1024)
#define NAME_SIZE 64

struct entry {
	struct postgres_stmt stmt;
	char name[NAME_SIZE];
	char *key;
	char *text;
	Oid *types;
	uint32_t hash;
	struct entry *next;
	TAILQ_ENTRY(entry) lru;
};

struct record_cache {
	struct entry *buckets[BUCKETS];
	TAILQ_HEAD(entry_list, entry) order; /* first = least recently used */
	size_t n;
	struct buf key; /* scratch */
	struct buf text;
};

struct record_cache *
record_cache_create(void)
{
	struct record_cache *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	TAILQ_INIT(&c->order);
	buf_init(&c->key, KEY_BYTES_MAX);
	buf_init(&c->text, RECORD_SQL_BYTES_MAX);
	return c;
}

static void
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	free(e->key);
	free(e->text);
	free(e->types);
	free(e);
}

static void
remove_oldest(struct record_cache *c)
{
	struct entry *e = TAILQ_FIRST(&c->order);
	struct entry **at = &c->buckets[e->hash % BUCKETS];
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	TAILQ_REMOVE(&c->order, e, lru);
	c->n--;
	entry_free(e);
}

void
record_cache_clear(struct record_cache *c)
{
	while (c->n > 0)
		remove_oldest(c);
}

void
record_cache_destroy(struct record_cache *c)
{
	if (c == NULL)
		return;
	record_cache_clear(c);
	buf_free(&c->key);
	buf_free(&c->text);
	free(c);
}

size_t
record_cache_count(const struct record_cache *c)
{
	return c->n;
}

static uint32_t
hash_of(const char *key)
{
	uint32_t h = 2166136261u;
	for (; *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * 16777619u;
	return h;
}

static struct entry *
entry_create(const struct record_shape *s, const char *key, const char *text,
	     const struct record_out *out)
{
	struct entry *e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->key = strdup(key);
	e->text = strdup(text);
	e->types = calloc(out->n + 1, sizeof(*e->types));
	if (e->key == NULL || e->text == NULL || e->types == NULL) {
		entry_free(e);
		return NULL;
	}
	memcpy(e->types, out->types, out->n * sizeof(*e->types));
	uint8_t digest[SHA256_BYTES];
	char hex[17];
	sha256(text, strlen(text), digest);
	hex_encode(digest, 8, hex);
	(void)snprintf(e->name, sizeof(e->name), "record_%.*s_%s_%llx_%s",
		       (int)MIN(s->resource->name.len, (size_t)15), s->resource->name.p,
		       record_sql_name(s->what),
		       (unsigned long long)record_catalog_generation(s->catalog) & 0xffffffffULL,
		       hex);
	e->stmt = (struct postgres_stmt) {
		.name = e->name,
		.text = e->text,
		.lane = record_sql_lane(s->what),
		.n_params = out->n,
		.types = e->types,
		.shares_sync = s->what == RECORD_SQL_GET,
	};
	e->hash = hash_of(key);
	return e;
}

enum err
record_cache_get(struct record_cache *c, const struct record_shape *s,
		 const struct record_values *values, struct record_out *out,
		 const struct postgres_stmt **stmt)
{
	buf_reset(&c->key);
	record_sql_key(s, &c->key);
	const char *key = buf_cstr(&c->key);
	if (key == NULL)
		return ERR_INTERNAL;
	const uint32_t hash = hash_of(key);
	struct entry *e = c->buckets[hash % BUCKETS];
	while (e != NULL && (e->hash != hash || strcmp(e->key, key) != 0))
		e = e->next;
	buf_reset(&c->text);
	out->text = e == NULL ? &c->text : NULL;
	const enum err err = record_sql_build(s, values, out);
	if (err != ERR_OK)
		return err;
	if (e != NULL) {
		TAILQ_REMOVE(&c->order, e, lru);
		TAILQ_INSERT_TAIL(&c->order, e, lru);
		*stmt = &e->stmt;
		return ERR_OK;
	}
	const char *text = buf_cstr(&c->text);
	e = text == NULL ? NULL : entry_create(s, key, text, out);
	if (e == NULL)
		return ERR_NO_MEMORY;
	if (c->n == RECORD_CACHE_MAX)
		remove_oldest(c);
	e->next = c->buckets[hash % BUCKETS];
	c->buckets[hash % BUCKETS] = e;
	TAILQ_INSERT_TAIL(&c->order, e, lru);
	c->n++;
	*stmt = &e->stmt;
	return ERR_OK;
}
