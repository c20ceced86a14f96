/*
 * table.c — see table.h. Open addressing, FNV-1a, at most three quarters full.
 */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256

struct table_entry {
	char *key; /* NULL: free */
	size_t len;
	uint64_t hash;
	char *value;
};

void
table_init(struct table *t)
{
	*t = (struct table) { .n = 0 };
}

void
table_free(struct table *t)
{
	for (size_t i = 0; i < t->room; i++) {
		free(t->entries[i].key);
		free(t->entries[i].value);
	}
	free(t->entries);
	table_init(t);
}

static uint64_t
hash_of(struct str key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < key.len; i++)
		h = (h ^ (unsigned char)key.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* The key's entry, or the free one where it would stand. */
static struct table_entry *
place_of(struct table_entry *entries, size_t room, struct str key, uint64_t hash)
{
	for (size_t i = (size_t)hash & (room - 1);; i = (i + 1) & (room - 1)) {
		struct table_entry *e = &entries[i];
		if (e->key == NULL ||
		    (e->hash == hash && str_eq(key, (struct str) { e->key, e->len })))
			return e;
	}
}

const char *
table_get(const struct table *t, struct str key)
{
	if (t->room == 0)
		return NULL;
	const struct table_entry *e = place_of(t->entries, t->room, key, hash_of(key));
	return e->key != NULL ? e->value : NULL;
}

static enum err
grow(struct table *t)
{
	const size_t room = t->room == 0 ? FIRST_ROOM : t->room * 2;
	struct table_entry *entries = calloc(room, sizeof(*entries));
	if (entries == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < t->room; i++) {
		const struct table_entry *old = &t->entries[i];
		if (old->key != NULL)
			*place_of(entries, room, (struct str) { old->key, old->len }, old->hash) =
				*old;
	}
	free(t->entries);
	t->entries = entries;
	t->room = room;
	return ERR_OK;
}

enum err
table_put(struct table *t, struct str key, const char *value)
{
	if (t->n >= TABLE_ENTRIES_MAX)
		return ERR_TOO_LARGE;
	if (t->n + 1 > t->room / 4 * 3 && grow(t) != ERR_OK)
		return ERR_NO_MEMORY;
	const uint64_t hash = hash_of(key);
	struct table_entry *e = place_of(t->entries, t->room, key, hash);
	char *copy = strdup(value);
	if (copy == NULL)
		return ERR_NO_MEMORY;
	if (e->key == NULL) {
		e->key = malloc(key.len + 1);
		if (e->key == NULL) {
			free(copy);
			return ERR_NO_MEMORY;
		}
		memcpy(e->key, key.len > 0 ? key.p : "", key.len);
		e->key[key.len] = '\0';
		e->len = key.len;
		e->hash = hash;
		t->n++;
	}
	free(e->value);
	e->value = copy;
	return ERR_OK;
}
