/*
 * sql.h — the only place where SQL text is made at run time. Text comes from allow-list tokens of
 * the catalog (names of tables and columns, defaults as PostgreSQL prints them); values are always
 * parameters. One text per shape.
 */
#ifndef BIMODAL_RECORD_SQL_H
#define BIMODAL_RECORD_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "postgres/postgres.h"
#include "record/catalog.h"
#include "record/cursor.h"
#include "record/query.h"

#define RECORD_PARAMS_MAX 64
#define RECORD_SQL_BYTES_MAX (256 * 1024)
#define RECORD_PARTS_MAX 8
#define RECORD_SEARCH_FIELDS 5 /* arguments of crm.search_vector */

enum record_sql {
	RECORD_SQL_LIST, /* rows: body, then the sort values as text (the key last)               */
	RECORD_SQL_GET,  /* one row: body, version; none if there is no such record               */
	RECORD_SQL_CREATE, /* one row: status, version, body */
	RECORD_SQL_PATCH,  /* one row: status (200 404 412), version, body  */
	RECORD_SQL_DELETE, /* one row: status (204 404 412), version, body (NULL) */
	RECORD_SQL_BATCH,  /* one row: body (results without brackets), bad index, status, version,
			      field */
	RECORD_SQL_PROBE,  /* a batch that never commits: fails with 22012 where the batch would
			      succeed */
	RECORD_SQL_HISTORY, /* rows: body, position in the log                                       */
	RECORD_SQL_AS_OF, /* one row: body, version, deleted, erased; none before the first write  */
	RECORD_SQL_UNDO, /* one row: status, version, body, detail                                */
	RECORD_SQL_RESTORE, /* one row: status, version, body, detail                                */
	RECORD_SQL_OVERVIEW, /* one row: body, version; none if there is no such record               */
	RECORD_SQL_SEARCH, /* one row: body                                                         */
	RECORD_SQL_COUNT
};

/* One list inside a larger answer. */
struct record_shape_part {
	const char *name; /* of the member */
	const struct record_resource *resource;
	const struct record_field
		*reference;        /* overview: the field that names the record it is about */
	struct record_query query; /* overview: filters, sort, limit                        */
	/* search: what is looked in, NULL for an argument that this resource has no field for */
	const struct record_field *words[RECORD_SEARCH_FIELDS];
};

/* Kinds of operation that a batch holds; a text has only the parts it needs. */
enum record_batch_op {
	RECORD_BATCH_CREATE = 1,
	RECORD_BATCH_UPDATE = 2,
	RECORD_BATCH_DELETE = 4,
	RECORD_BATCH_UPSERT = 8
};

/* Everything that decides the text. */
struct record_shape {
	const struct record_catalog *catalog;
	const struct record_resource *resource;
	enum record_sql what;
	uint32_t read_classes;
	uint32_t write_classes;
	const struct record_query *query; /* list, get: selection, filters, sort                */
	const struct record_cursor
		*cursor;                  /* list: NULL on the first page; which values are NULL */
	const struct record_field *scope; /* or NULL                                             */
	const struct record_field *match; /* upserts: the unique field                           */
	const struct record_shape_part *parts; /* overview, search                               */
	size_t n_parts;
	unsigned batch_ops;
	bool keyed; /* with an Idempotency-Key                             */
	bool owned; /* limited to records of certain owners (scope.c)      */
};

/* The values; which of them are used depends on the shape. STR_NONE is NULL. */
struct record_values {
	struct str actor;
	struct str request;
	struct str id;
	struct str version; /* If-Match; STR_NONE = any */
	struct str body;    /* JSON: the object, or the array of operations */
	struct str scope;
	struct str owners; /* text of an array of names */
	struct str self;
	struct str limit; /* decimal text */
	struct str at;    /* as of: timestamp text */
	struct str edit;  /* undo: version that the edit made, decimal text */
	struct str q;     /* search */
	struct str idem_route;
	struct str idem_key;
	struct str idem_fingerprint; /* bytea text \x… */
	struct str location;
};

/* Parameters and, where `text` is not NULL, the text. */
struct record_out {
	struct buf *text;
	struct postgres_param params[RECORD_PARAMS_MAX];
	Oid types[RECORD_PARAMS_MAX];
	unsigned n;
	unsigned owners, self; /* which parameter they are, where the shape is owned */
	bool overflow;
};

/* A key that names the text: equal keys mean equal texts. It holds the catalog's generation. */
void record_sql_key(const struct record_shape *s, struct buf *out);
/* Errors: ERR_INTERNAL when the text or the parameters do not fit. `values` may be NULL when only
 * the text is wanted. */
MUST_CHECK enum err record_sql_build(const struct record_shape *s,
				     const struct record_values *values, struct record_out *out);
enum postgres_lane record_sql_lane(enum record_sql what);
const char *record_sql_name(enum record_sql what);
Oid record_kind_oid(enum record_kind k);

/* ---- private to sql*.c and scope.c ---- */
/* Of pg_type; fixed in every PostgreSQL. */
#define OID_BOOL 16
#define OID_BYTEA 17
#define OID_INT8 20
#define OID_INT4 23
#define OID_TEXT 25
#define OID_TEXT_ARRAY 1009
#define OID_DATE 1082
#define OID_TIMESTAMPTZ 1184
#define OID_NUMERIC 1700
#define OID_UUID 2950
#define OID_JSONB 3802

void record_sql_text(struct record_out *o, const char *fmt, ...) PRINTF(2, 3);
void record_sql_param(struct record_out *o, Oid type, struct str value); /* it is $(o->n) then */
void record_sql_act(const struct record_values *v,
		    struct record_out *o); /* "with act as (…)": $1 and $2 */
/* Which rows `t` of the resource this call is about: every statement that reads or writes records of
 * a resource asks here, so that a condition on who may see a row stands in one place. */
void record_sql_scope(const struct record_shape *s, const struct record_values *v,
		      struct record_out *o);
/* The finished JSON of one row of `alias`: selected fields, or those that the mask lets be read. */
void record_sql_json(const struct record_shape *s, struct record_out *o, const char *alias);
/* The select list of the same; false if it is empty. */
bool record_sql_fields(const struct record_shape *s, struct record_out *o, const char *alias);
/* Of a field's kind, or of an array of it. */
Oid record_sql_oid(enum record_kind k, bool array);
/* sql_list.c */
void record_sql_list(const struct record_shape *s, const struct record_values *v,
		     struct record_out *o);
void record_sql_filters(const struct record_query *q, struct record_out *o);
void record_sql_order(const struct record_query *q, struct record_out *o);
/* ", cur as (…)": the row under lock; $3 id, $4 the version it must have. */
void record_sql_current(const struct record_shape *s, const struct record_values *v,
			struct record_out *o);
/* Of a filter: "=", "is null" …; NULL for in. sql_list.c. */
const char *record_sql_operator(enum record_op op);
/* unit.c: "coalesce((t.country = ($3)[1]::text …), false)": do all filters of the query string hold of the row? Its values go behind
 * those of `values`, the elements of the array that parameter `param` is. "false" where the query does not fit the resource. */
struct record_list;
void record_sql_inside(const struct record_resource *r, uint32_t classes, struct str query,
		       struct arena *a, unsigned param, struct record_list *values,
		       struct record_out *o);
/* The text of an array that grows. */
struct record_list {
	struct buf text;
	unsigned n;
};
void record_list_begin(struct record_list *l);
/* Its text in the arena, or STR_NONE without memory; the list is freed. */
struct str record_list_end(struct record_list *l, struct arena *a);
/* ---- scope.c ---- */
/* The parameters of an owned shape: the owners, and for what creates also `self`. */
void record_sql_owners(const struct record_shape *s, const struct record_values *v,
		       struct record_out *o);
/* " and …": the row belongs to the owners; nothing where the shape is not owned. `scope_param`: the
 * parameter that stands for the parent of a row that is about to be made, or 0. */
void record_sql_owned(const struct record_shape *s, struct record_out *o, const char *row,
		      unsigned scope_param);
/* The owner, today, of what the record in `image` (a jsonb expression) refers to; of resources that have no owner of their own. */
void record_sql_image_owner(const struct record_catalog *c, const struct record_resource *r,
			    const char *image, struct record_out *o);
/* Does the resource follow the owner of another one? What is written must then be checked by SQL.
 */
bool record_sql_follows(const struct record_shape *s);
bool record_sql_owner_given(const struct record_shape *s, const struct record_field *f);
bool record_sql_written(const struct record_shape *s, const struct record_field *f);
void record_sql_insert_columns(const struct record_shape *s, struct record_out *o);
void record_sql_insert_values(const struct record_shape *s, struct record_out *o, int scope_param);
void record_sql_update_set(const struct record_shape *s, struct record_out *o);
void record_sql_idempotency(const struct record_shape *s, const struct record_values *v,
			    struct record_out *o, const char *from, const char *status,
			    bool with_etag);
void record_sql_batch(const struct record_shape *s, const struct record_values *v,
		      struct record_out *o);
/* sql_log.c */
void record_sql_history(const struct record_shape *s, const struct record_values *v,
			struct record_out *o);
void record_sql_as_of(const struct record_shape *s, const struct record_values *v,
		      struct record_out *o);
void record_sql_undo(const struct record_shape *s, const struct record_values *v,
		     struct record_out *o);
void record_sql_restore(const struct record_shape *s, const struct record_values *v,
			struct record_out *o);
/* Who wrote the row `alias` of the log: as JSON, his id, and the join that his name comes from. */
void record_sql_actor(struct record_out *o, const char *alias, const char *principal);
void record_sql_actor_id(struct record_out *o, const char *alias);
void record_sql_principal(struct record_out *o, const char *alias, const char *principal);
/* The rows (k, old, new) of d that the write `alias` changed. */
void record_sql_differences(struct record_out *o, const char *alias);
/* sql_parts.c */
void record_sql_overview(const struct record_shape *s, const struct record_values *v,
			 struct record_out *o);
void record_sql_search(const struct record_shape *s, const struct record_values *v,
		       struct record_out *o);
void record_sql_parts_key(const struct record_shape *s, struct buf *out);
/* tail.c: the statement of record_event_owners; false if no resource follows another's owner. */
bool record_sql_event_owners(const struct record_catalog *c, struct buf *out);

#endif
