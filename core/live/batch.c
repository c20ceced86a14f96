/*
 * batch.c — rows of the log become events: which resource, which record, which text, for whom to judge. See live.h for what is told.
 *
 * Place: asked by tail.c for all streams, by open.c for one that comes back. Invariants: the texts hold ids, versions, states and keys,
 * never a value of a record; an event's id is a place after which nothing of it or before it is missing.
 */
#include "core/live/internal.h"

#include <string.h>

enum {
	COL_HORIZON,
	COL_XID,
	COL_SEQ,
	COL_OP,
	COL_RESOURCE,
	COL_RECORD,
	COL_VERSION,
	COL_ACTOR,
	COL_OWNER,
	COL_OWNER_BEFORE,
	COL_KEY,
	COL_REVISION,
	COL_STATE
};
enum {
	NOTE_FOLLOWED_XID,
	NOTE_FOLLOWED_SEQ,
	NOTE_LAST_XID,
	NOTE_LAST_SEQ,
	NOTE_EVENTS,
	NOTE_PRINCIPAL,
	NOTE_ID,
	NOTE_KIND,
	NOTE_OP,
	NOTE_XID,
	NOTE_SEQ
};

/* ---- places ---- */

int
live_compare(const struct live_position *a, const struct live_position *b)
{
	if (a->xid != b->xid)
		return a->xid < b->xid ? -1 : 1;
	return a->seq == b->seq ? 0 : a->seq < b->seq ? -1 : 1;
}

struct live_place
live_later(const struct live_place *a, const struct live_place *b)
{
	return (struct live_place) {
		.log = live_compare(&a->log, &b->log) < 0 ? b->log : a->log,
		.notices = live_compare(&a->notices, &b->notices) < 0 ? b->notices : a->notices,
	};
}

void
live_place_text(const struct live_place *p, char out[LIVE_PLACE_SIZE])
{
	(void)snprintf(out, LIVE_PLACE_SIZE, "%llu.%lld-%llu.%lld", (unsigned long long)p->log.xid,
		       (long long)p->log.seq, (unsigned long long)p->notices.xid,
		       (long long)p->notices.seq);
}

static bool
number_read(struct str text, int64_t *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	}
	return str_int(text, 0, INT64_MAX, out) == ERR_OK;
}

static bool
position_read(struct str text, struct live_position *out)
{
	struct str rest = text;
	const struct str xid = str_cut(&rest, '.');
	int64_t n = 0;
	if (rest.p == NULL || !number_read(xid, &n) || !number_read(rest, &out->seq))
		return false;
	out->xid = (uint64_t)n;
	return true;
}

bool
live_place_read(struct str text, struct live_place *out)
{
	struct str rest = text;
	const struct str log = str_cut(&rest, '-');
	return rest.p != NULL && position_read(log, &out->log) &&
	       position_read(rest, &out->notices);
}

static struct live_position
position_at(struct task *t, unsigned wait, int row, int xid)
{
	return (struct live_position) { .xid = (uint64_t)postgres_int(t, wait, row, xid, 0),
					.seq = postgres_int(t, wait, row, xid + 1, 0) };
}

/* ---- asking ---- */

static struct postgres_param
number(struct task *t, uint64_t n)
{
	return (struct postgres_param)P_TEXT(
		arena_printf(&t->t_arena, "%llu", (unsigned long long)n));
}

enum err
live_batch_ask(struct task *t, const struct live_place *from, const struct live_place *to,
	       int64_t max)
{
	const struct postgres_param log[] = {
		number(t, from->log.xid),
		number(t, (uint64_t)from->log.seq),
		to == NULL ? P_NULL : number(t, to->log.xid),
		to == NULL ? P_NULL : number(t, (uint64_t)to->log.seq),
		number(t, (uint64_t)max),
	};
	const struct postgres_param notices[] = {
		number(t, from->notices.xid),
		number(t, (uint64_t)from->notices.seq),
		to == NULL ? P_NULL : number(t, to->notices.xid),
		to == NULL ? P_NULL : number(t, (uint64_t)to->notices.seq),
		number(t, (uint64_t)max),
	};
	const enum err err = postgres_add(live.conf.pool, t, &sql_live_read, log, ARRAY_LEN(log));
	return err != ERR_OK ? err
			     : postgres_add(live.conf.pool, t, &sql_live_notices, notices,
					    ARRAY_LEN(notices));
}

/* ---- texts ---- */

struct writer {
	struct task *t;
	struct buf text;
	bool first; /* no member has been written */
	bool failed;
};

static struct str
kept(struct writer *w)
{
	const struct str copy =
		w->text.failed ? STR_NONE : arena_str(&w->t->t_arena, buf_str(&w->text));
	w->failed = w->failed || copy.p == NULL;
	return copy;
}

static void
begin(struct writer *w, const char *name, const struct live_place *place)
{
	char id[LIVE_PLACE_SIZE];
	live_place_text(place, id);
	buf_reset(&w->text);
	w->first = true;
	buf_printf(&w->text, "event: %s\nid: %s\ndata: {", name, id);
}

static void
member(struct writer *w, const char *name, struct str value)
{
	buf_printf(&w->text, "%s\"%s\":", w->first ? "" : ",", name);
	w->first = false;
	if (value.p == NULL)
		buf_add_cstr(&w->text, "null");
	else
		buf_json_str(&w->text, value);
}

static struct str
finish(struct writer *w)
{
	buf_add_cstr(&w->text, "}\n\n");
	return kept(w);
}

static struct str
record_text(struct writer *w, int row, const struct live_place *place, const char *op)
{
	begin(w, "record", place);
	member(w, "resource", postgres_value(w->t, 0, row, COL_RESOURCE));
	member(w, "id", postgres_value(w->t, 0, row, COL_RECORD));
	member(w, "op", str_of(op));
	if (strcmp(op, "gone") != 0 && !postgres_is_null(w->t, 0, row, COL_VERSION))
		buf_printf(&w->text, ",\"version\":%lld",
			   (long long)postgres_int(w->t, 0, row, COL_VERSION, 0));
	return finish(w);
}

/* ---- rows ---- */

/* Of a resource of the catalog. A look behind a pseudonym and other notes about a record are no change of it. */
static bool
record_event(struct writer *w, int row, const struct live_place *place, struct live_batch *b,
	     struct live_event *e)
{
	const struct record_catalog *c = record_engine_catalog(live.conf.records);
	const struct str op = postgres_value(w->t, 0, row, COL_OP);
	const struct record_resource *r =
		c == NULL ? NULL
			  : record_catalog_find(c, postgres_value(w->t, 0, row, COL_RESOURCE));
	const bool update = str_is(op, "update");
	if (r == NULL || (!update && !str_is(op, "create") && !str_is(op, "delete")))
		return false;
	e->topic = r->index;
	if (!str_is(op, "delete"))
		e->text = record_text(w, row, place, update ? "update" : "create");
	if (!str_is(op, "create"))
		e->gone = record_text(w, row, place, "gone");
	if (record_owner_field(r) != NULL) {
		e->owner = arena_str(&w->t->t_arena, postgres_value(w->t, 0, row, COL_OWNER));
		e->owner_before =
			arena_str(&w->t->t_arena, postgres_value(w->t, 0, row, COL_OWNER_BEFORE));
	} else {
		b->follows = true;
	}
	return true;
}

static bool
flag_event(struct writer *w, int row, const struct live_place *place, struct live_event *e)
{
	const struct str key = postgres_value(w->t, 0, row, COL_KEY);
	const struct str revision = postgres_value(w->t, 0, row, COL_REVISION);
	int64_t n = 0;
	e->topic = LIVE_FLAGS;
	begin(w, "flag", place);
	member(w, "key", key);
	if (revision.p != NULL && str_int(revision, 0, INT64_MAX, &n) == ERR_OK)
		buf_printf(&w->text, ",\"revision\":%lld", (long long)n);
	e->text = finish(w);
	return true;
}

static bool
change_event(struct writer *w, int row, const struct live_place *place, struct live_event *e)
{
	e->topic = LIVE_CHANGES;
	begin(w, "change", place);
	member(w, "id", postgres_value(w->t, 0, row, COL_RECORD));
	member(w, "state", postgres_value(w->t, 0, row, COL_STATE));
	e->text = finish(w);
	return true;
}

static bool
drift_event(struct writer *w, int row, const struct live_place *place, struct live_event *e)
{
	e->topic = LIVE_DRIFT;
	begin(w, "drift", place);
	buf_printf(&w->text, "\"found\":%s",
		   str_is(postgres_value(w->t, 0, row, COL_OP), "drift.found") ? "true" : "false");
	e->text = finish(w);
	return true;
}

/* Users and teams, with their roles and members; not that somebody set a password. */
static bool
people_event(struct writer *w, int row, const struct live_place *place, struct live_event *e)
{
	const struct str op = postgres_value(w->t, 0, row, COL_OP);
	const bool users = str_is(postgres_value(w->t, 0, row, COL_RESOURCE), "users");
	e->topic = users ? LIVE_USERS : LIVE_TEAMS;
	if (str_is(op, "delete"))
		e->gone = record_text(w, row, place, "gone");
	else if (str_is(op, "create"))
		e->text = record_text(w, row, place, "create");
	else if (str_is(op, "update") || str_starts(op, "role.") || str_starts(op, "member."))
		e->text = record_text(w, row, place, "update");
	else
		return false;
	return true;
}

static bool
read_event(struct writer *w, int row, const struct live_place *place, struct live_event *e)
{
	const struct str op = postgres_value(w->t, 0, row, COL_OP);
	if (!str_is(op, "notice.read") && !str_is(op, "notice.read_all"))
		return false;
	e->topic = LIVE_MINE;
	e->principal = arena_str(&w->t->t_arena, postgres_value(w->t, 0, row, COL_ACTOR));
	begin(w, "notice", place);
	member(w, "id", postgres_value(w->t, 0, row, COL_RECORD));
	member(w, "kind", STR_NONE);
	member(w, "op", STR("read"));
	e->text = finish(w);
	return true;
}

static bool
row_event(struct writer *w, int row, const struct live_place *place, struct live_batch *b,
	  struct live_event *e)
{
	const struct str resource = postgres_value(w->t, 0, row, COL_RESOURCE);
	if (str_is(resource, "flags"))
		return flag_event(w, row, place, e);
	if (str_is(resource, "changes"))
		return change_event(w, row, place, e);
	if (str_is(resource, "drift"))
		return drift_event(w, row, place, e);
	if (str_is(resource, "users") || str_is(resource, "teams"))
		return people_event(w, row, place, e);
	if (str_is(resource, "notices"))
		return read_event(w, row, place, e);
	return record_event(w, row, place, b, e);
}

static void
rows_take(struct writer *w, int64_t max, const struct live_place *to, struct live_batch *b)
{
	struct task *t = w->t;
	const int rows = postgres_is_null(t, 0, 0, COL_OP) ? 0 : postgres_rows(t, 0);
	struct live_place place = b->from;
	for (int row = 0; row < rows && !w->failed; row++) {
		struct live_event *e = &b->events[b->n];
		place.log = position_at(t, 0, row, COL_XID);
		*e = (struct live_event) { .at = place.log };
		if (row_event(w, row, &place, b, e))
			b->n++;
	}
	b->more = rows == max;
	/* All below the horizon has been seen; what comes there later comes after it. */
	b->horizon.xid = (uint64_t)postgres_int(t, 0, 0, COL_HORIZON, 0);
	struct live_position reached = to != NULL ? to->log : b->horizon;
	if (b->more)
		reached = place.log;
	if (live_compare(&b->end.log, &reached) < 0)
		b->end.log = reached;
}

/* The last notice of an event has the place after it; those before it the place before, so that none is skipped by who goes on there. */
static void
notices_take(struct writer *w, int64_t max, const struct live_place *to, struct live_batch *b)
{
	struct task *t = w->t;
	const int rows = postgres_is_null(t, 1, 0, NOTE_PRINCIPAL) ? 0 : postgres_rows(t, 1);
	struct live_place place = { .log = b->end.log, .notices = b->from.notices };
	for (int row = 0; row < rows && !w->failed; row++) {
		struct live_event *e = &b->events[b->n++];
		const struct live_position at = position_at(t, 1, row, NOTE_XID);
		const struct live_position next =
			row + 1 < rows ? position_at(t, 1, row + 1, NOTE_XID)
				       : (struct live_position) { .xid = UINT64_MAX };
		*e = (struct live_event) { .at = at, .of_notices = true, .topic = LIVE_MINE };
		e->principal = arena_str(&t->t_arena, postgres_value(t, 1, row, NOTE_PRINCIPAL));
		if (live_compare(&at, &next) != 0)
			place.notices = at;
		begin(w, "notice", &place);
		member(w, "id", postgres_value(t, 1, row, NOTE_ID));
		member(w, "kind", postgres_value(t, 1, row, NOTE_KIND));
		member(w, "op", postgres_value(t, 1, row, NOTE_OP));
		e->text = finish(w);
	}
	struct live_position reached = position_at(t, 1, 0, NOTE_FOLLOWED_XID);
	if (postgres_int(t, 1, 0, NOTE_EVENTS, 0) == max) {
		reached = position_at(t, 1, 0, NOTE_LAST_XID);
		b->more = true;
	} else if (to != NULL && live_compare(&to->notices, &reached) < 0) {
		reached = to->notices;
	}
	if (live_compare(&b->end.notices, &reached) < 0)
		b->end.notices = reached;
}

bool
live_batch_take(struct task *t, const struct live_place *from, const struct live_place *to,
		int64_t max, struct live_batch *b)
{
	const size_t rows = (size_t)postgres_rows(t, 0) + (size_t)postgres_rows(t, 1);
	struct writer w = { .t = t };
	*b = (struct live_batch) { .from = *from, .end = *from };
	b->events = arena_alloc(&t->t_arena, rows * sizeof(*b->events));
	w.failed = b->events == NULL || postgres_rows(t, 0) == 0 || postgres_rows(t, 1) == 0;
	if (!w.failed) {
		buf_init(&w.text, LIVE_EVENT_MAX);
		rows_take(&w, max, to, b);
		notices_take(&w, max, to, b);
		buf_free(&w.text);
	}
	if (w.failed)
		(void)err_set(&t->t_err, ERR_NO_MEMORY, NULL, "no memory for the events");
	return !w.failed;
}

/* ---- owners of what has none of its own ---- */

enum step
live_batch_owners_ask(struct task *t, struct live_batch *b)
{
	if (!b->follows || !access_scoped(live.conf.access))
		return STEP_NEXT;
	const struct record_stretch stretch = {
		.from_xid = number(t, b->from.log.xid).value,
		.from_seq = number(t, (uint64_t)b->from.log.seq).value,
		.to_xid = number(t, b->end.log.xid).value,
		.to_seq = number(t, (uint64_t)b->end.log.seq).value,
	};
	const enum err err = record_event_owners(t, live.conf.records, &stretch);
	/* The registry was another one a moment ago: nobody is told of such a record by its owner. */
	if (err == ERR_NOT_FOUND) {
		err_clear(&t->t_err);
		return STEP_NEXT;
	}
	b->asked = err == ERR_OK;
	return b->asked ? STEP_WAIT : task_fail_set(t, err, NULL, "%s.", err_row(err)->title);
}

void
live_batch_owners_take(struct task *t, struct live_batch *b)
{
	enum { XID, SEQ, OWNER, BEFORE };
	const int rows = b->asked ? postgres_rows(t, 0) : 0;
	size_t i = 0;
	for (int row = 0; row < rows; row++) {
		const struct live_position at = position_at(t, 0, row, XID);
		while (i < b->n && !b->events[i].of_notices &&
		       live_compare(&b->events[i].at, &at) < 0)
			i++;
		if (i == b->n || live_compare(&b->events[i].at, &at) != 0)
			continue;
		b->events[i].owner = arena_str(&t->t_arena, postgres_value(t, 0, row, OWNER));
		b->events[i].owner_before =
			arena_str(&t->t_arena, postgres_value(t, 0, row, BEFORE));
	}
	b->asked = false;
}
