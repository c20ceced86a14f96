/*
 * cache.h — statements of this process by shape, least recently used out first, bound to one
 * generation of the catalog.
 *
 * A statement lives until it is evicted; the pool copies what it needs when a statement is
 * submitted, so a step must look it up again for each submission and not keep the pointer.
 */
#ifndef BIMODAL_RECORD_CACHE_H
#define BIMODAL_RECORD_CACHE_H

#include "base/err.h"
#include "postgres/postgres.h"
#include "record/sql.h"

#define RECORD_CACHE_MAX 256

struct record_cache;
struct record_cache *record_cache_create(void); /* NULL: no memory */
void record_cache_destroy(struct record_cache *c);
/* A new catalog is served: all shapes are forgotten. */
void record_cache_clear(struct record_cache *c);
size_t record_cache_count(const struct record_cache *c);

/*
 * The statement of a shape, made if it is not there, and the parameters of `values` in `out`.
 * Errors: ERR_INTERNAL when the shape does not fit into a statement; ERR_NO_MEMORY.
 */
MUST_CHECK enum err record_cache_get(struct record_cache *c, const struct record_shape *s,
				     const struct record_values *values, struct record_out *out,
				     const struct postgres_stmt **stmt);

#endif
