/*
 * tail.c — whose records a stretch of the event log is about. See record.h, record_event_owners.
 *
 * Place: a room that follows the log and tells principals of it asks here for the resources whose records have no owner of their own; for the
 * others the owner stands in the image. What owns a record is decided in scope.c, as for every other statement. Invariant: the
 * text belongs to the catalog it was made of; another generation makes another one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "record/engine.h"

#define OID_INT8 20
#define OID_XID8 5069
#define NAME_SIZE 64

struct record_tail {
	int64_t generation;
	bool follows; /* some resource does */
	struct buf text;
	char name[NAME_SIZE];
	struct postgres_stmt stmt;
};

static const Oid types[] = { OID_XID8, OID_INT8, OID_XID8, OID_INT8 };

static bool
follows(const struct record_catalog *c, const struct record_resource *r)
{
	const struct record_field *first[1];
	return record_owner_field(r) == NULL && record_owner_references(c, r, first, 1) > 0;
}

/* ", case … end": of the image before or after the write. */
static void
owner_of(const struct record_catalog *c, const char *image, struct record_out *o)
{
	record_sql_text(o, ", case l.resource");
	for (size_t i = 0; i < record_catalog_count(c); i++) {
		const struct record_resource *r = record_catalog_at(c, i);
		if (!follows(c, r))
			continue;
		record_sql_text(o, " when '%.*s' then ", STR_FMT(r->name));
		record_sql_image_owner(c, r, image, o);
	}
	record_sql_text(o, " end");
}

bool
record_sql_event_owners(const struct record_catalog *c, struct buf *out)
{
	struct record_out o = { .text = out };
	unsigned n = 0;
	record_sql_text(&o, "/* record events owners */ select l.xid::text, l.seq::text");
	owner_of(c, "l.after", &o);
	owner_of(c, "l.before", &o);
	record_sql_text(
		&o,
		" from event.log l where (l.xid, l.seq) > ($1, $2) and (l.xid, l.seq) <= ($3, $4) "
		"and l.op in ('create', 'update', 'delete') and l.resource in (");
	for (size_t i = 0; i < record_catalog_count(c); i++) {
		const struct record_resource *r = record_catalog_at(c, i);
		if (!follows(c, r))
			continue;
		record_sql_text(&o, "%s'%.*s'", n > 0 ? ", " : "", STR_FMT(r->name));
		n++;
	}
	record_sql_text(&o, ") order by l.xid, l.seq");
	return n > 0;
}

static struct record_tail *
tail_of(struct record_engine *e)
{
	struct record_tail *tail = e->tail;
	const int64_t generation = record_engine_generation(e);
	if (tail != NULL && tail->generation == generation)
		return tail;
	if (tail == NULL) {
		tail = calloc(1, sizeof(*tail));
		if (tail == NULL)
			return NULL;
		buf_init(&tail->text, RECORD_SQL_BYTES_MAX);
		e->tail = tail;
	}
	buf_reset(&tail->text);
	tail->generation = -1;
	tail->follows = record_sql_event_owners(e->catalog, &tail->text);
	const char *text = buf_cstr(&tail->text);
	if (text == NULL)
		return NULL;
	(void)snprintf(tail->name, sizeof(tail->name), "record_events_owners_%llx",
		       (unsigned long long)generation);
	tail->stmt = (struct postgres_stmt) { .name = tail->name,
					      .text = text,
					      .lane = POSTGRES_READ,
					      .n_params = ARRAY_LEN(types),
					      .types = types };
	tail->generation = generation;
	return tail;
}

void
record_tail_free(struct record_tail *tail)
{
	if (tail == NULL)
		return;
	buf_free(&tail->text);
	free(tail);
}

enum err
record_event_owners(struct task *t, struct record_engine *e, const struct record_stretch *s)
{
	if (e->catalog == NULL)
		return err_set(&t->t_err, ERR_DOWN, NULL,
			       "the field registry has not been read yet");
	const struct record_tail *tail = tail_of(e);
	if (tail == NULL)
		return err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the statement");
	if (!tail->follows)
		return err_set(&t->t_err, ERR_NOT_FOUND, NULL, "no resource follows an owner");
	const struct postgres_param params[] = { P_STR(s->from_xid), P_STR(s->from_seq),
						 P_STR(s->to_xid), P_STR(s->to_seq) };
	return postgres_add(e->conf.pool, t, &tail->stmt, params, ARRAY_LEN(params));
}
