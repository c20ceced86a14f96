/*
 * snapshot.c — every live flag, compiled, as one immutable object. A worker reads the whole of it
 * in one statement when the generation moves, swaps a pointer, and evaluates without a query. Users
 * count references, so that a swap never frees what a request is still reading.
 */
#include "flag/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct entry {
	struct str key; /* .p NULL: a free place */
	bool enabled;
	usec_t expires_at; /* wall */
	int64_t revision;
	const struct flag_document *document; /* NULL: it did not compile */
	bool needs_unit;                      /* it, or a flag that it waits for */
	const struct flag_needs *needs;       /* the same; NULL: nothing         */
};

/* A saved group. */
struct segment {
	struct str name;            /* .p NULL: a free place                    */
	const struct flag_set *set; /* NULL: the context tells who is in it     */
	struct flag_segment kept;   /* then: where it is kept, if that is known */
};

struct flag_snapshot {
	struct arena arena;
	unsigned refs;
	int64_t generation;
	size_t count;
	size_t mask;              /* places - 1; a power of two, at most half full */
	struct entry *entries;    /* in the arena */
	struct flag_listed *list; /* by key; in the arena */
	size_t segments_mask;
	struct segment *segments;                         /* NULL: none */
	const struct flag_needs *needs[FLAG_VISITOR + 1]; /* of all, by unit */
};

struct flag_store {
	struct flag_snapshot *now;
	usec_t since; /* wall */
	uint64_t swaps;
};

/* ---- the table ---- */

static size_t
key_hash(struct str key)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < key.len; i++)
		h = (h ^ (unsigned char)key.p[i]) * UINT64_C(1099511628211);
	return (size_t)(h ^ (h >> 32));
}

static struct entry *
entry_place(const struct flag_snapshot *s, struct str key)
{
	size_t i = key_hash(key) & s->mask;

	while (s->entries[i].key.p != NULL && !str_eq(s->entries[i].key, key))
		i = (i + 1) & s->mask;
	return &s->entries[i];
}

static const struct entry *
entry_find(const struct flag_snapshot *s, struct str key)
{
	if (s == NULL || key.len == 0)
		return NULL;
	const struct entry *e = entry_place(s, key);
	return e->key.p != NULL ? e : NULL;
}

static struct segment *
segment_place(const struct flag_snapshot *s, struct str name)
{
	size_t i = key_hash(name) & s->segments_mask;

	while (s->segments[i].name.p != NULL && !str_eq(s->segments[i].name, name))
		i = (i + 1) & s->segments_mask;
	return &s->segments[i];
}

const struct flag_set *
flag_segment_find(const struct flag_snapshot *s, struct str name, bool *told)
{
	const struct segment *found =
		s != NULL && s->segments != NULL ? segment_place(s, name) : NULL;

	*told = found != NULL && found->name.p != NULL && found->set == NULL;
	return found != NULL ? found->set : NULL;
}

/* ---- building ---- */

struct columns {
	int key, enabled, revision, document, expires, generation;
};

static bool
columns_find(const PGresult *rows, struct columns *c)
{
	*c = (struct columns) {
		.key = PQfnumber(rows, "key"),
		.enabled = PQfnumber(rows, "enabled"),
		.revision = PQfnumber(rows, "revision"),
		.document = PQfnumber(rows, "document"),
		.expires = PQfnumber(rows, "expires_us"),
		.generation = PQfnumber(rows, "generation"),
	};
	return c->key >= 0 && c->enabled >= 0 && c->revision >= 0 && c->document >= 0 &&
	       c->expires >= 0 && c->generation >= 0;
}

static struct str
value_of(const PGresult *rows, int row, int column)
{
	return (struct str) { PQgetvalue(rows, row, column),
			      (size_t)PQgetlength(rows, row, column) };
}

static enum err
entry_add(struct flag_snapshot *s, const PGresult *rows, int row, const struct columns *c,
	  struct err_info *info)
{
	struct err_info why = { .code = ERR_OK };
	struct entry e = { .enabled = value_of(rows, row, c->enabled).p[0] == 't' };

	e.key = arena_str(&s->arena, value_of(rows, row, c->key));
	if (e.key.p == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the snapshot of flags");
	if (str_int(value_of(rows, row, c->revision), 0, INT64_MAX, &e.revision) != ERR_OK ||
	    str_int(value_of(rows, row, c->expires), INT64_MIN, INT64_MAX, &e.expires_at) != ERR_OK)
		return err_set(info, ERR_INTERNAL, NULL,
			       "the flag \"%.*s\" has no revision or no expiry", STR_FMT(e.key));
	const enum err err = flag_document_load(&s->arena, e.key, value_of(rows, row, c->document),
						&e.document, &why);
	if (err == ERR_NO_MEMORY)
		return err_set(info, err, NULL, "%s", why.msg);
	if (err != ERR_OK)
		log_error("flag.broken",
			  "revision %lld of the flag \"%.*s\" cannot be served: %s: %s",
			  (long long)e.revision, STR_FMT(e.key), why.field, why.msg);
	e.needs_unit = e.document != NULL && e.document->hashes;
	struct entry *place = entry_place(s, e.key);
	s->count += place->key.p == NULL;
	*place = e;
	return ERR_OK;
}

/* Who waits for a flag that needs the unit needs it too. Each round takes one more step away from those. */
static void
needs_spread(struct flag_snapshot *s)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i <= s->mask; i++) {
			struct entry *e = &s->entries[i];
			for (unsigned k = 0;
			     e->document != NULL && !e->needs_unit && k < e->document->flags.n;
			     k++) {
				const struct entry *other =
					entry_find(s, e->document->flags.names[k]);
				e->needs_unit = other != NULL && other->needs_unit;
				changed = changed || e->needs_unit;
			}
		}
	}
}

static enum err
snapshot_fill(struct flag_snapshot *s, const PGresult *rows, struct err_info *info)
{
	struct columns c;
	const int n = rows != NULL ? PQntuples(rows) : 0;

	if (n == 0 || !columns_find(rows, &c) ||
	    str_int(value_of(rows, 0, c.generation), 0, INT64_MAX, &s->generation) != ERR_OK)
		return err_set(info, ERR_INTERNAL, NULL,
			       "the rows of the flags' snapshot are not what was expected");
	if (n > FLAG_COUNT_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL,
			       "there are %d flags; at most %d are served", n, FLAG_COUNT_MAX);
	size_t places = 16;
	while (places < 2 * (size_t)n)
		places *= 2;
	s->mask = places - 1;
	s->entries = arena_alloc(&s->arena, places * sizeof(*s->entries));
	if (s->entries == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the snapshot of flags");
	for (int row = 0; row < n; row++) {
		if (PQgetisnull(rows, row, c.key))
			continue;
		const enum err err = entry_add(s, rows, row, &c, info);
		if (err != ERR_OK)
			return err;
	}
	needs_spread(s);
	return ERR_OK;
}

/* ---- segments ---- */

static enum err
segment_add(struct flag_snapshot *s, struct str name, struct str members, struct err_info *info)
{
	const struct flag_value *array = NULL;
	struct segment g = { .name = arena_str(&s->arena, name) };
	struct err_info why = { .code = ERR_OK };
	enum err err = g.name.p != NULL ? ERR_OK : ERR_NO_MEMORY;

	if (err == ERR_OK && members.p != NULL) {
		const struct str text = arena_str(&s->arena, members);
		err = text.p == NULL ? ERR_NO_MEMORY
				     : flag_value_read(&s->arena, text, "", FLAG_SEGMENT_VALUES_MAX,
						       &array, &why);
		if (err == ERR_OK && array->kind != JSON_ARRAY)
			err = err_set(&why, ERR_INVALID, "", "must be an array");
		if (err == ERR_OK)
			err = flag_set_make(&s->arena, array, false, &g.set);
	}
	if (err == ERR_NO_MEMORY)
		return err_set(info, err, NULL, "no memory for the segments of the flags");
	if (err != ERR_OK)
		return err_set(info, err, NULL, "the segment \"%.*s\" cannot be used: %s",
			       STR_FMT(name), why.msg);
	*segment_place(s, g.name) = g;
	return ERR_OK;
}

static enum err
segments_room(struct flag_snapshot *s, int n, struct err_info *info)
{
	size_t places = 16;

	if (n > FLAG_SEGMENTS_MAX)
		return err_set(info, ERR_TOO_LARGE, NULL,
			       "there are %d segments; at most %d are served", n,
			       FLAG_SEGMENTS_MAX);
	while (places < 2 * (size_t)n)
		places *= 2;
	s->segments_mask = places - 1;
	s->segments = arena_alloc(&s->arena, places * sizeof(*s->segments));
	if (s->segments == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL,
			       "no memory for the segments of the flags");
	return ERR_OK;
}

static enum err
segments_fill(struct flag_snapshot *s, const PGresult *rows, struct err_info *info)
{
	const int n = PQntuples(rows);
	const int name = PQfnumber(rows, "name");
	const int members = PQfnumber(rows, "members");

	if (name < 0 || members < 0)
		return err_set(info, ERR_INTERNAL, NULL,
			       "the rows of the flags' segments are not what was expected");
	enum err err = segments_room(s, n, info);
	for (int row = 0; row < n && err == ERR_OK; row++) {
		const struct str text =
			PQgetisnull(rows, row, members) ? STR_NONE : value_of(rows, row, members);
		err = segment_add(s, value_of(rows, row, name), text, info);
	}
	return err;
}

/* Those among the rows of the flags. */
static enum err
segments_kept(struct flag_snapshot *s, const PGresult *rows, struct err_info *info)
{
	const int name = PQfnumber(rows, "segment");
	const int resource = PQfnumber(rows, "segment_resource");
	const int query = PQfnumber(rows, "segment_query");
	int n = 0;

	for (int row = 0; name >= 0 && row < PQntuples(rows); row++)
		n += !PQgetisnull(rows, row, name);
	if (n == 0 || resource < 0 || query < 0)
		return ERR_OK;
	enum err err = segments_room(s, n, info);
	for (int row = 0; row < PQntuples(rows) && err == ERR_OK; row++) {
		if (PQgetisnull(rows, row, name))
			continue;
		const bool of_people = str_is(value_of(rows, row, resource), "people");
		struct segment g = {
			.name = arena_str(&s->arena, value_of(rows, row, name)),
			.kept = { .unit = of_people ? FLAG_PERSON : FLAG_ORGANIZATION,
				  .query = arena_str(&s->arena, value_of(rows, row, query)) },
		};
		if (g.name.p == NULL || g.kept.query.p == NULL)
			err = err_set(info, ERR_NO_MEMORY, NULL,
				      "no memory for the segments of the flags");
		else
			*segment_place(s, g.name) = g;
	}
	return err;
}

bool
flag_segment_of(const struct flag_snapshot *s, struct str name, struct flag_segment *out)
{
	const struct segment *g = s->segments != NULL ? segment_place(s, name) : NULL;

	*out = (struct flag_segment) { .unit = FLAG_VISITOR, .query = STR_NONE };
	if (g == NULL || g->name.p == NULL || g->kept.query.p == NULL)
		return false;
	*out = g->kept;
	return true;
}

/* When flags and segments are all there. */
static enum err
needs_find(struct flag_snapshot *s, struct err_info *info)
{
	struct flag_needs_list all[FLAG_VISITOR + 1] = { 0 };
	enum err err = ERR_OK;

	for (size_t i = 0; i <= s->mask && err == ERR_OK; i++) {
		struct entry *e = &s->entries[i];
		if (e->document == NULL)
			continue;
		err = flag_needs_make(&s->arena, s, e->document, &e->needs);
		if (err == ERR_OK)
			err = flag_needs_add(&s->arena, &all[e->document->unit], e->needs);
	}
	for (unsigned u = 0; u < ARRAY_LEN(all) && err == ERR_OK; u++)
		err = flag_needs_take(&s->arena, &all[u], &s->needs[u]);
	return err == ERR_OK ? err
			     : err_set(info, err, NULL, "no memory for the snapshot of flags");
}

static int
listed_compare(const void *a, const void *b)
{
	const struct str x = ((const struct flag_listed *)a)->key;
	const struct str y = ((const struct flag_listed *)b)->key;
	const int order = memcmp(x.p, y.p, MIN(x.len, y.len));
	return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

static enum err
list_make(struct flag_snapshot *s, struct err_info *info)
{
	size_t n = 0;

	s->list = arena_alloc(&s->arena, MAX(s->count, 1u) * sizeof(*s->list));
	if (s->list == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the snapshot of flags");
	for (size_t i = 0; i <= s->mask; i++) {
		const struct entry *e = &s->entries[i];
		if (e->key.p == NULL)
			continue;
		s->list[n++] = (struct flag_listed) {
			.key = e->key,
			.unit = e->document != NULL ? e->document->unit : FLAG_VISITOR,
		};
	}
	qsort(s->list, n, sizeof(*s->list), listed_compare);
	return ERR_OK;
}

enum err
flag_snapshot_build_with(const PGresult *rows, const PGresult *segments, struct flag_snapshot **out,
			 struct err_info *info)
{
	struct flag_snapshot *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return err_set(info, ERR_NO_MEMORY, NULL, "no memory for the snapshot of flags");
	s->refs = 1;
	arena_init(&s->arena, FLAG_SNAPSHOT_BYTES_MAX);
	enum err err = snapshot_fill(s, rows, info);
	if (err == ERR_OK)
		err = list_make(s, info);
	if (err == ERR_OK && segments != NULL)
		err = segments_fill(s, segments, info);
	else if (err == ERR_OK)
		err = segments_kept(s, rows, info);
	if (err == ERR_OK)
		err = needs_find(s, info);
	if (err != ERR_OK) {
		flag_snapshot_unref(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

enum err
flag_snapshot_build(const PGresult *rows, struct flag_snapshot **out, struct err_info *info)
{
	return flag_snapshot_build_with(rows, NULL, out, info);
}

struct flag_snapshot *
flag_snapshot_ref(struct flag_snapshot *s)
{
	s->refs++;
	return s;
}

void
flag_snapshot_unref(struct flag_snapshot *s)
{
	if (s == NULL)
		return;
	BUG_ON(s->refs == 0);
	if (--s->refs > 0)
		return;
	arena_release(&s->arena);
	free(s);
}

int64_t
flag_snapshot_generation(const struct flag_snapshot *s)
{
	return s->generation;
}

size_t
flag_snapshot_count(const struct flag_snapshot *s)
{
	return s->count;
}

const struct flag_listed *
flag_snapshot_list(const struct flag_snapshot *s)
{
	return s->list;
}

bool
flag_snapshot_divides(const struct flag_snapshot *s, enum flag_unit unit)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].unit == unit)
			return true;
	return false;
}

/* ---- evaluation ---- */

static bool
entry_is_on(const struct entry *e, usec_t now)
{
	return e->enabled && now < e->expires_at;
}

const struct flag_document *
flag_document_live(const struct flag_snapshot *s, struct str key, usec_t now)
{
	const struct entry *e = entry_find(s, key);
	return e != NULL && entry_is_on(e, now) ? e->document : NULL;
}

void
flag_evaluate(const struct flag_snapshot *s, struct str key, struct str unit, usec_t now,
	      struct flag_result *out)
{
	struct flag_context c = { .attributes = NULL };

	flag_context_unit(&c, unit);
	flag_evaluate_in(s, key, &c, now, out);
}

const struct flag_document *
flag_document_of(const struct flag_snapshot *s, struct str key)
{
	const struct entry *e = entry_find(s, key);
	return e != NULL ? e->document : NULL;
}

void
flag_evaluate_in(const struct flag_snapshot *s, struct str key, const struct flag_context *c,
		 usec_t now, struct flag_result *out)
{
	const struct entry *e = entry_find(s, key);

	*out = (struct flag_result) {
		.outcome = FLAG_UNKNOWN, .rule = -1, .arm = -1, .leaf = -1, .bucket = -1
	};
	if (e == NULL)
		return;
	out->revision = e->revision;
	if (!entry_is_on(e, now)) {
		out->outcome = FLAG_EVALUATED;
		out->reason = FLAG_DISABLED;
		out->source = FLAG_BY_SWITCH;
		return;
	}
	if (e->document == NULL)
		out->outcome = FLAG_BROKEN;
	else
		flag_document_decide(e->document, s, c, now, out);
}

bool
flag_unit_of(const struct flag_snapshot *s, struct str key, usec_t now, enum flag_unit *unit,
	     bool *needed)
{
	const struct entry *e = entry_find(s, key);

	*unit = FLAG_VISITOR;
	*needed = false;
	if (e == NULL)
		return false;
	if (e->document != NULL) {
		*unit = e->document->unit;
		*needed = e->needs_unit && entry_is_on(e, now);
	}
	return true;
}

const struct flag_needs *
flag_needs_of(const struct flag_snapshot *s, struct str key, usec_t now)
{
	const struct entry *e = entry_find(s, key);
	return e != NULL && entry_is_on(e, now) ? e->needs : NULL;
}

const struct flag_needs *
flag_needs_of_all(const struct flag_snapshot *s, enum flag_unit unit)
{
	return s->needs[unit];
}

/* ---- the store ---- */

struct flag_store *
flag_store_create(void)
{
	struct flag_store *s = calloc(1, sizeof(*s));
	BUG_ON(s == NULL);
	return s;
}

void
flag_store_destroy(struct flag_store *s)
{
	if (s == NULL)
		return;
	flag_snapshot_unref(s->now);
	free(s);
}

void
flag_store_swap(struct flag_store *s, struct flag_snapshot *snapshot)
{
	if (s->now == NULL || s->now->generation != snapshot->generation)
		s->since = clock_wall_us();
	s->swaps++;
	flag_snapshot_unref(s->now);
	s->now = snapshot;
}

struct flag_snapshot *
flag_store_now(const struct flag_store *s)
{
	return s->now;
}

int64_t
flag_store_generation(const struct flag_store *s)
{
	return s->now != NULL ? s->now->generation : -1;
}

usec_t
flag_store_since(const struct flag_store *s)
{
	return s->since;
}

uint64_t
flag_store_swaps(const struct flag_store *s)
{
	return s->swaps;
}
