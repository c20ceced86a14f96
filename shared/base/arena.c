/*
 * arena.c — memory of one request: chunks behind each other, released together.
 *
 * Every task owns one. Chunks of the ordinary size go to a free list of the thread and come back
 * from there, so an ordinary request neither mallocs nor frees. The cap counts what was handed out
 * (rounded up to 16), not the chunks. Under AddressSanitizer the part of a chunk that is not handed
 * out is poisoned, so an overrun is seen.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define poison(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define poison(p, n) ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

#define ALIGN_BYTES 16
#define RECYCLED_MAX 256 /* chunks kept a thread: 2 MiB */

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of data */
	size_t used;
	alignas(ALIGN_BYTES) char data[];
};

#define CHUNK_DATA_BYTES (ARENA_CHUNK_BYTES - sizeof(struct arena_chunk))

static _Thread_local struct arena_chunk *recycled;
static _Thread_local unsigned n_recycled;

static struct arena_chunk *
chunk_get(size_t data_bytes)
{
	struct arena_chunk *c = recycled;
	if (data_bytes <= CHUNK_DATA_BYTES && c != NULL) {
		recycled = c->next;
		n_recycled--;
	} else {
		const size_t size = MAX(data_bytes, CHUNK_DATA_BYTES);
		c = malloc(sizeof(*c) + size);
		if (c == NULL)
			return NULL;
		c->size = size;
	}
	c->next = NULL;
	c->used = 0;
	poison(c->data, c->size);
	return c;
}

static void
chunk_put(struct arena_chunk *c)
{
	if (c->size == CHUNK_DATA_BYTES && n_recycled < RECYCLED_MAX) {
		poison(c->data, c->size);
		c->next = recycled;
		recycled = c;
		n_recycled++;
		return;
	}
	unpoison(c->data, c->size);
	free(c);
}

void
arena_init(struct arena *a, size_t cap_bytes)
{
	*a = (struct arena) { .cap_bytes = cap_bytes };
}

void
arena_release(struct arena *a)
{
	while (a->head != NULL) {
		struct arena_chunk *c = a->head;
		a->head = c->next;
		chunk_put(c);
	}
	a->used_bytes = 0;
}

/* Not zeroed; for callers that fill every byte. */
static void *
alloc_raw(struct arena *a, size_t n)
{
	if (n > SIZE_MAX - ALIGN_BYTES)
		return NULL;
	const size_t rounded = MAX((n + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES, ALIGN_BYTES);
	if (a->used_bytes > a->cap_bytes || rounded > a->cap_bytes - a->used_bytes)
		return NULL;
	struct arena_chunk *c = a->head;
	if (c == NULL || rounded > c->size - c->used) {
		c = chunk_get(rounded);
		if (c == NULL)
			return NULL;
		if (a->head != NULL && rounded > CHUNK_DATA_BYTES / 4) {
			/* a big block gets a chunk behind the head, which stays in use */
			c->next = a->head->next;
			a->head->next = c;
		} else {
			c->next = a->head;
			a->head = c;
		}
	}
	char *p = c->data + c->used;
	c->used += rounded;
	a->used_bytes += rounded;
	unpoison(p, n);
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	void *p = alloc_raw(a, n);
	if (p != NULL)
		memset(p, 0, n);
	return p;
}

char *
arena_strdup(struct arena *a, struct str s)
{
	if (s.len == SIZE_MAX)
		return NULL;
	char *p = alloc_raw(a, s.len + 1);
	if (p == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return p;
}

struct str
arena_str(struct arena *a, struct str s)
{
	const char *p = arena_strdup(a, s);
	return p == NULL ? STR_NONE : (struct str) { p, s.len };
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char small[512];
	va_list again;
	va_copy(again, ap);
	const int n = vsnprintf(small, sizeof(small), fmt, ap);
	char *p = n < 0 ? NULL : alloc_raw(a, (size_t)n + 1);
	if (p != NULL) {
		if ((size_t)n < sizeof(small))
			memcpy(p, small, (size_t)n + 1);
		else
			(void)vsnprintf(p, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void
arena_trim(void)
{
	while (recycled != NULL) {
		struct arena_chunk *c = recycled;
		recycled = c->next;
		unpoison(c->data, c->size);
		free(c);
	}
	n_recycled = 0;
}
