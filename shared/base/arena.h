/*
 * arena.h — memory of one request: allocate, never free one by one, release all at the end.
 *
 * The first chunk (8 KiB) is recycled through a per-thread free list, so an ordinary request does no malloc. A hard
 * cap bounds the whole; allocation past it returns NULL, which callers turn into ERR_NO_MEMORY or ERR_TOO_LARGE.
 */
#ifndef BIMODAL_BASE_ARENA_H
#define BIMODAL_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

#define ARENA_CHUNK_BYTES 8192
#define ARENA_CAP_BYTES (1024 * 1024)

struct arena_chunk;
struct arena {
	struct arena_chunk *head; /* the chunk in use; older ones behind it */
	size_t used_bytes;        /* handed out, each rounded up to 16      */
	size_t cap_bytes;
};

void arena_init(struct arena *a, size_t cap_bytes);
void arena_release(struct arena *a);               /* safe to call twice                  */
void *arena_alloc(struct arena *a, size_t n);      /* zeroed, 16-aligned; NULL past the cap */
char *arena_strdup(struct arena *a, struct str s); /* NUL-terminated copy; NULL past the cap */
struct str arena_str(struct arena *a,
		     struct str s); /* counted copy (also NUL-terminated); .p NULL past the cap */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);

/* Frees the recycled chunks of this thread (end of process; leak checkers). */
void arena_trim(void);

#endif
