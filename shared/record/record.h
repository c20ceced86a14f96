/*
 * record.h — the record engine: every resource of the catalog served as list, get, create, patch, delete and batch, without code
 * of its own. One engine a process.
 *
 * Wiring, all there is to do for a room:
 *
 *	engine: record_engine_create once; record_load_start at start, on NOTIFY 'schema …' and on each reconnect of LISTEN;
 *	        record_engine_generation tells what is served.
 *	route:  { HTTP_GET, "/v1/{resource:slug}", "record.list", customer_list, .right = "{resource}.read" }
 *	step:   static enum step customer_list_call(struct task *t)
 *	        {
 *	                struct record_call *c = record_call_begin(t, engine);     // reads the path parameters
 *	                if (c == NULL)
 *	                        return task_fail(t);
 *	                c->actor = …; c->read_classes = …; c->write_classes = …;  // plain values from access
 *	                return task_continue(t, record_list);
 *	        }
 *
 * Path parameters that record reads: {resource}, {id}; below a parent {parent}, {parent_id}, {resource}, {id}:
 * "/v1/{parent:slug}/{parent_id:uuid}/{resource:slug}/{id:uuid}". A room may overwrite what was read. A resource that does not
 * exist, or not below that parent, is 404. A parent restricts all operations to its own children.
 *
 * record_call_begin hooks the end of the task (t_end) to give its reference on the catalog back, and calls the end that was there.
 */
#ifndef BIMODAL_RECORD_RECORD_H
#define BIMODAL_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/task.h"
#include "postgres/postgres.h"
#include "record/catalog.h"

#define RECORD_LIMIT_DEFAULT 50
#define RECORD_LIMIT_MAX 200
#define RECORD_BATCH_MAX 1000
#define RECORD_IDEMPOTENCY_KEY_MAX 255
#define RECORD_CURSOR_KEY_MIN 16 /* bytes of the configured cursor secret */

struct record_engine;

struct record_conf {
	struct postgres_pool *pool;
	const struct postgres_stmt *catalog; /* sql_core_catalog or sql_sandbox_catalog */
	const struct postgres_stmt
		*idempotency;     /* sql_record_idempotency_get; NULL in the sandbox      */
	struct str cursor_secret; /* signs cursors; the same on all instances of a daemon */
	bool copy;                /* the sandbox: read-only, people keyed by pseudonym    */
	/* Called after each swap with the generation now served (to acknowledge it, to rebuild
	 * OpenAPI). May be NULL. */
	void (*on_swap)(struct record_engine *e, int64_t generation, void *arg);
	void *arg;
};

/* Owner: the caller destroys it after the task engine. Errors: ERR_CONFIG (secret too short). */
MUST_CHECK enum err record_engine_create(const struct record_conf *conf, struct record_engine **out,
					 struct err_info *info);
void record_engine_destroy(struct record_engine *e);
/* The generation served; -1 while no catalog is loaded (requests then get 503). */
int64_t record_engine_generation(const struct record_engine *e);
/* Borrowed until the next swap; NULL while none is loaded. */
struct record_catalog *record_engine_catalog(const struct record_engine *e);
/* Take over a catalog built elsewhere (tests); the engine owns the reference. */
void record_engine_swap(struct record_engine *e, struct record_catalog *c);

/* Read the registry and swap the catalog: a task of its own. Calls while one runs are folded into
 * one further run. */
MUST_CHECK enum err record_load_start(struct record_engine *e, struct task_engine *tasks);

/*
 * Record scope. A call that is limited to owners sees and changes only records whose field `owner` is one of the names; a record
 * without such a field follows the person, or else the organization, that it refers to. Out of scope is as if it did not exist
 * (404). A new record without an owner gets `self`. A write never moves a record out of the scope it was written by: only who
 * may write all records hands them to strangers.
 */
struct record_owners {
	const struct str *names;
	size_t n;
	struct str self;
};
/* {"anna","bob"}, the text of an array of names, in the arena; STR_NONE past its cap. */
struct str record_owners_text(const struct record_owners *owners, struct arena *a);
bool record_owners_have(const struct record_owners *owners, struct str name);

/* One request, as plain values. Strings live in the task's arena or longer. */
struct record_call {
	struct str resource;  /* from {resource}                                             */
	struct str id;        /* from {id}: uuid text; STR_NONE where the route has none     */
	struct str parent;    /* from {parent}                                               */
	struct str parent_id; /* from {parent_id}                                            */
	/* the room fills these */
	struct str actor; /* principal's uuid text: goes to bimodal.actor and scopes idempotency
			     keys */
	uint32_t read_classes; /* mask of enum record_class                                   */
	uint32_t write_classes;
	const struct record_owners *owners; /* NULL: all records                           */
	/* Ask for `rows` more of the principal's quota; anything but ERR_OK is in the task. May be
	 * NULL. */
	enum err (*charge)(struct task *t, unsigned rows);
	/* Told what was refused for the "class" of a field or for the "scope". May be NULL. */
	void (*refused)(struct task *t, const char *what);
	/* List: the query string of a saved view, percent-encoded as in a target. The request's own
	 * sort, fields and limit take the place of the view's, its filters are added. */
	struct str preset;
	const struct record_part *parts; /* overview and search: those the caller may read      */
	size_t n_parts;
};

/* One list inside an overview, or one resource that is searched. */
struct record_part {
	const char *name;      /* of the member: "opportunities"                              */
	const char *resource;  /* "opportunities"                                             */
	const char *reference; /* overview: field that names the record: "person_id"          */
	const char *query;     /* overview: "status=neq.closed&sort=-id&limit=20"             */
	/* search: fields behind the arguments of crm.search_vector (words, more words, e-mail, telephone,
	 * key of another system); NULL where there is none. Without the right to read all of them nothing
	 * is found here: a hit would tell what a hidden field holds. */
	const char *words[5];
};

/*
 * Start serving: takes a reference on the catalog for the life of the task and reads the path
 * parameters. NULL: the task has its error set (ERR_DOWN while no catalog is loaded,
 * ERR_NO_MEMORY); return task_fail(t).
 */
struct record_call *record_call_begin(struct task *t, struct record_engine *e);

/*
 * Would a list of this resource take this query string (percent-encoded) from somebody with this mask? For views, before they
 * are saved and before they are shown. Errors: those of a list; ERR_NOT_FOUND no such resource; ERR_DOWN.
 */
MUST_CHECK enum err record_query_check(const struct record_engine *e, struct str resource,
				       uint32_t classes, struct str query, struct arena *a,
				       struct err_info *info);

/*
 * Whose records are the events of a stretch of event.log about, by those resources that have no owner of their own but follow another
 * record's (record_owner_references)? One wait of the calling step; rows in the order of the log: xid, seq, owner of the image after
 * the write, of that before it: by who owns today what they refer to; NULL where there is no such image or owner.
 * Errors: ERR_NOT_FOUND no resource follows another; ERR_DOWN, ERR_NO_MEMORY, those of postgres_add.
 */
struct record_stretch {
	struct str from_xid, from_seq; /* not included; decimal text */
	struct str to_xid, to_seq;     /* included */
};
MUST_CHECK enum err record_event_owners(struct task *t, struct record_engine *e,
					const struct record_stretch *s);

/*
 * For counting all records of a resource: some fields of many, in the order of their units. A person's unit is the pseudonym, which
 * is random, so that the first so many are a sample of all; of anything else it is the key. One wait of the calling step, on the slow
 * lane; rows: unit, then the fields as texts. record_columns_count: one row, the number of all.
 * Errors: ERR_FORBIDDEN limited to owners, and nobody owns such records; ERR_NO_MEMORY, those of postgres_add.
 */
struct record_columns {
	const struct record_resource *resource;
	const struct record_field *const *fields;
	size_t n;
	struct str after;  /* unit of the row before; STR_NONE: from the first */
	unsigned limit;    /* rows                                             */
	struct str owners; /* text of an array of names; STR_NONE: all records */
	/* Behind the fields, "true" or "false" for each: filters, as in the query string of a list, over fields of these classes. */
	const struct str *segments;
	size_t n_segments;
	uint32_t classes;
};
MUST_CHECK enum err record_columns(struct task *t, struct record_engine *e,
				   const struct record_columns *c);
MUST_CHECK enum err record_columns_count(struct task *t, struct record_engine *e,
					 const struct record_columns *c);

/*
 * For rules that are about one unit: fields of a person and of an organization, as one wait of the calling step, on the read lane. One
 * row: the person's unit, a JSON object of the fields, 't' or 'f' for each filter in their order; the same three of the organization.
 * NULL where there is no such record, or nothing of it is asked for. Fields that are not there or not of the classes are left out.
 * Errors: ERR_DOWN no catalog is loaded; ERR_NO_MEMORY, those of postgres_add.
 */
struct record_unit {
	const char *resource; /* "people", "organizations"; NULL: not asked for */
	bool by_key;          /* `id` is the key, not the pseudonym             */
	const struct str *fields;
	size_t n_fields;
	const struct str
		*segments; /* filters, as in the query string of a list; STR_NONE: nobody */
	size_t n_segments;
};
struct record_units {
	struct str id;     /* uuid */
	struct str owners; /* text of an array of names; STR_NONE: all records */
	uint32_t classes;
	struct record_unit of[2];
	/* One more column, or NULL: an expression of the caller's own, constant text. In it are a.unit and a.known (a JSON object as text)
	 * of the first, b.unit and b.known of the second, and from $4 on `params`, all of them text[]. */
	const char *more;
	const struct str *params;
	unsigned n_params;
};
MUST_CHECK enum err record_units(struct task *t, struct record_engine *e,
				 const struct record_units *u);
/* Has the resource such a field, which record_units would read? */
bool record_knows(const struct record_engine *e, struct str resource, struct str field,
		  uint32_t classes);
/* The column of a resource's units: a person's pseudonym, else the key. */
struct str record_unit_column(const struct record_resource *r);

/* Step tables to continue with. Each ends with a reply or with the error in the task. */
extern const struct step_row record_list[]; /* 200 {"data":[…],"page":{…}}, Link   */
extern const struct step_row
	record_get[]; /* 200, ETag; 304; with as_of= also 404 and 410 of that time */
extern const struct step_row record_create[]; /* 201, ETag, Location; Idempotency-Key */
extern const struct step_row
	record_patch[]; /* 200, ETag; merge-patch; If-Match required; Idempotency-Key     */
extern const struct step_row record_delete[]; /* 204; If-Match required; Idempotency-Key */
extern const struct step_row
	record_batch[]; /* 200 {"results":[…]}; {"mode":"atomic"|"each","ops":[…]}        */
/* Core only: they read the event log, which the copy does not have. */
extern const struct step_row
	record_history[]; /* 200 {"data":[…],"page":{…}}, newest first; also of a deleted record */
extern const struct step_row
	record_undo[]; /* {"version":n}; 200, ETag; If-Match required; Idempotency-Key */
extern const struct step_row record_restore
	[]; /* no body; 200 {"record":…,"restored":…,"linked":…}, ETag; Idempotency-Key */
extern const struct step_row record_overview[]; /* 200, ETag; 304; call->parts   */
extern const struct step_row record_search[];   /* 200; q=, limit=; call->parts  */

#endif
