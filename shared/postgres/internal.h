/*
 * internal.h — what the files of this folder share and nobody else includes (but the golden trace
 * test).
 *
 *   pool.c        lanes, wait queues, choice of the connection, deadlines, the public submit
 *   connection.c  the state machine of one connection; pipeline.c what goes over it while it is
 * usable prepare.c     which statements exist (pool) and which a connection holds prepared params.c
 * a request: one block of memory with its copied parameters script.c      scripts outside the
 * pipeline;  listen.c  LISTEN;  link.c  PGconn and its events
 */
#ifndef BIMODAL_POSTGRES_INTERNAL_H
#define BIMODAL_POSTGRES_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "postgres/postgres.h"

/* Limits and times, all in one place. */
#define POSTGRES_CONNECTIONS_MAX 64     /* a lane                                       */
#define POSTGRES_DEPTH_MAX 64           /* a connection                                 */
#define POSTGRES_QUEUE_MAX 65536        /* a lane                                       */
#define POSTGRES_NAME_MAX 63            /* NAMEDATALEN - 1                              */
#define POSTGRES_TEXT_MAX (1024 * 1024) /* one statement                                */
#define POSTGRES_GROUP_MAX 8            /* reads that share a Sync                      */
#define POSTGRES_PARAMS_MAX 1024        /* of one statement                             */
#define POSTGRES_PARAM_BYTES_MAX                                                                   \
	(8 * 1024 * 1024) /* of one request                               */
#define POSTGRES_SCRIPT_MAX (4 * 1024 * 1024)
#define POSTGRES_RESULT_MAX (64 * 1024 * 1024) /* more than this is an error, not an answer    */
#define POSTGRES_DYNAMIC_DEFAULT 128           /* prepared run-time statements a connection    */
#define POSTGRES_DYNAMIC_KNOWN 4               /* × that: run-time statements the pool remembers */
#define POSTGRES_PREPARED_BUCKETS 256
#define POSTGRES_STATEMENT_BUCKETS 512
#define POSTGRES_TICK_US (100 * USEC_PER_MS)
#define POSTGRES_CONNECT_US (5 * USEC_PER_SEC)
#define POSTGRES_PREPARING_US (30 * USEC_PER_SEC)
#define POSTGRES_WATCHDOG_GRACE_US                                                                 \
	(2 * USEC_PER_SEC) /* past statement_timeout: the server is wedged */
#define POSTGRES_LASTING_US                                                                        \
	(1 * USEC_PER_SEC) /* a connection that lasted is opened again at once */
#define POSTGRES_BACKOFF_MIN_US (100 * USEC_PER_MS)
#define POSTGRES_BACKOFF_MAX_US (5 * USEC_PER_SEC)
#define POSTGRES_KEYWORDS_MAX 64

/* ---- link.c: a PGconn and the events on its socket ---- */

/* Parsed connection parameters with ours added. The pointers live as long as `parsed` and the
 * buffers do. */
struct postgres_target {
	PQconninfoOption *parsed;
	const char *keys[POSTGRES_KEYWORDS_MAX];
	const char *values[POSTGRES_KEYWORDS_MAX];
	char application[64];
	char options[512];
};
MUST_CHECK enum err postgres_target_init(struct postgres_target *target, const char *conninfo,
					 const char *application, const char *options,
					 struct err_info *info);
void postgres_target_free(struct postgres_target *target);

enum link_progress { LINK_PENDING, LINK_UP, LINK_FAILED };
typedef void link_ready_fn(void *arg); /* the socket is readable or writable: go on */

struct link {
	PGconn *pg; /* NULL when closed */
	struct loop *loop;
	struct event read, write;
	bool events_set; /* the two events are assigned and must be deleted before the socket goes
			  */
	link_ready_fn *ready;
	void *arg;
};
void postgres_link_init(struct link *l, struct loop *loop, link_ready_fn *ready, void *arg);
bool postgres_link_open(struct link *l,
			const struct postgres_target *target); /* start connecting */
enum link_progress postgres_link_poll(struct link *l);         /* go on connecting */
bool postgres_link_watch(struct link *l); /* connected: readable events from now on */
bool postgres_link_flush(struct link *l); /* false: the connection is lost */
void postgres_link_close(struct link *l);

/* ---- prepare.c ---- */

/* A statement the pool knows: a copy, so that a run-time struct may go after postgres_pool_forget.
 */
struct statement {
	struct statement *next; /* in its bucket */
	TAILQ_ENTRY(statement) lru;
	const struct postgres_stmt *key;
	char *name, *text;
	Oid *types;
	unsigned n_params;
	enum postgres_lane lane;
	bool at_start, is_static, shares_sync;
	uint32_t name_hash;
	uint64_t serial; /* unique in the process: two texts never share one */
	uint64_t uses;
	unsigned refs;
};

struct statement_table {
	struct statement *buckets[POSTGRES_STATEMENT_BUCKETS];
	TAILQ_HEAD(, statement) dynamic; /* least recently used first */
	unsigned n_dynamic, max_dynamic;
	uint64_t generation; /* postgres_pool_forget moves it */
};

/* A statement one connection holds prepared on the server. */
struct prepared {
	struct prepared *next;
	TAILQ_ENTRY(prepared) lru; /* only of run-time statements */
	uint32_t hash;
	uint64_t serial, generation, parse_id;
	bool dynamic, stale;
	char name[POSTGRES_NAME_MAX + 1];
};

struct prepared_table {
	struct prepared *buckets[POSTGRES_PREPARED_BUCKETS];
	TAILQ_HEAD(, prepared) dynamic;
	unsigned n, n_dynamic, max_dynamic;
	uint64_t last_parse_id;
};

/* What must be sent in front of an execution. */
struct postgres_prepare_plan {
	bool unnamed;                           /* parse, bind and execute without a name */
	bool parse;                             /* PREPARE under the statement's name     */
	char deallocate[POSTGRES_NAME_MAX + 1]; /* empty: nothing                         */
	uint64_t parse_id;                      /* of the PREPARE this execution relies on */
};

void postgres_statement_table_init(struct statement_table *st, unsigned max_dynamic);
void postgres_statement_table_free(struct statement_table *st);
/* Find or copy; the caller gets a reference. Errors: ERR_NO_MEMORY, ERR_INTERNAL (a name or size
 * that is not allowed). */
MUST_CHECK enum err postgres_statement_get(struct statement_table *st,
					   const struct postgres_stmt *key, bool is_static,
					   struct statement **out);
void postgres_statement_unref(struct statement *s);
void postgres_statement_table_forget(struct statement_table *st);

void postgres_prepared_table_init(struct prepared_table *pt, unsigned max_dynamic);
void postgres_prepared_table_clear(struct prepared_table *pt);
/* Decide and note what will be prepared once the plan has been sent. */
void postgres_prepare_plan(struct prepared_table *pt, const struct statement *s,
			   uint64_t generation, struct postgres_prepare_plan *plan);
/* The PREPARE of this id did not happen, or the server no longer has the statement. */
void postgres_prepared_gone(struct prepared_table *pt, const struct statement *s,
			    uint64_t parse_id);
/* It is there but must be replaced before its next use. */
void postgres_prepared_stale(struct prepared_table *pt, const struct statement *s,
			     uint64_t parse_id);
void postgres_prepare_deallocate_sql(const char *name, char *out, size_t size);
#define PREPARE_DEALLOCATE_SIZE (POSTGRES_NAME_MAX * 2 + 16)

/* ---- params.c: requests ---- */

enum request_kind { REQUEST_QUERY, REQUEST_PREPARE, REQUEST_SCRIPT };

struct request {
	struct request *next;
	enum request_kind kind;
	struct task_handle task;
	unsigned slot;
	struct statement *stmt; /* NULL for a script */
	const char *sql;        /* of a script       */
	usec_t queued_at, sent_at;
	unsigned n_params;
	const char **values;
	bool moved;      /* sent once over a connection that was lost   */
	bool reprepared; /* failed once because of a plan out of date   */
	bool alone;      /* was aborted by an error before it: no shared Sync again */
	/* while it is sent: the results that are awaited, in order */
	bool has_deallocate, has_parse;
	bool has_next;      /* the Sync that ends it is that of the next one */
	unsigned part;      /* command whose result is next             */
	bool part_answered; /* a NULL then ends it                      */
	uint64_t parse_id;
	PGresult *result; /* of the execution                         */
	PGresult *error;  /* the first one                            */
};
/* Errors: ERR_INVALID a NUL byte in a value; ERR_TOO_LARGE; ERR_NO_MEMORY; ERR_INTERNAL wrong
 * number of parameters. */
MUST_CHECK enum err postgres_request_create(struct statement *stmt,
					    const struct postgres_param *params, size_t n,
					    struct request **out);
MUST_CHECK enum err postgres_request_create_script(const char *sql, struct request **out);
struct request *postgres_request_create_prepare(struct statement *stmt);
void postgres_request_reset(
	struct request *r); /* forget what was received: before it is sent again */
void postgres_request_free(struct request *r);

struct request_queue {
	struct request *head, **tail;
	unsigned n;
};
void postgres_request_queue_init(struct request_queue *q);
void postgres_request_queue_push(struct request_queue *q, struct request *r);
void postgres_request_queue_push_front(struct request_queue *q, struct request *r);
struct request *postgres_request_queue_pop(struct request_queue *q);

/* ---- metrics.c ---- */

struct metric;
struct lane_metrics {
	struct metric *queue_wait, *duration, *queued, *in_flight, *connected, *reconnects, *syncs;
};
struct pool_metrics {
	struct pool_metrics *next;
	char label[48];
	struct lane_metrics lanes[POSTGRES_LANES];
	struct metric *errors[ERR_COUNT]; /* several kinds share the last class */
};
struct pool_metrics *postgres_pool_metrics_get(const char *label);
extern const char *const postgres_lane_names[POSTGRES_LANES];

/* ---- connection.c, pipeline.c, script.c ---- */

enum connection_state {
	CONN_BACKOFF,    /* closed; connects when retry_at has come                          */
	CONN_CONNECTING, /* PQconnectPoll                                                    */
	CONN_PREPARING,  /* pipeline mode; statements of the lane are on their way           */
	CONN_READY,      /* takes requests while fewer than `depth` are in flight            */
	CONN_SCRIPT,     /* out of pipeline mode, a script runs                              */
	CONN_RESETTING,  /* … and then what it may have SET is put back                      */
	CONN_DRAINING    /* takes nothing new, closes when the last answer is in             */
};
extern const char *const postgres_connection_state_names[];

struct lane;
struct connection {
	struct lane *lane;
	struct link link;
	enum connection_state state;
	struct request_queue fifo; /* the truth about what was sent and is not yet finished */
	struct request *group;     /* the last one sent, if its Sync is still to be sent     */
	unsigned n_group;
	struct request *taking; /* whose results come next; NULL: the head's              */
	struct prepared_table prepared;
	usec_t retry_at;    /* BACKOFF                                        */
	usec_t progress_at; /* last finished result, or when the wait began   */
	usec_t ready_at;    /* when it became READY                           */
	unsigned attempts;  /* failed ones in a row                           */
	bool proven;        /* has been ready since it connected             */
	bool dirty;         /* has output to flush at the end of the turn     */
	const char *doomed; /* why it must be closed, once the caller has returned */
	bool copied;        /* … because its head began COPY                  */
};

struct lane {
	struct postgres_pool *pool;
	enum postgres_lane id;
	struct postgres_lane_conf conf;
	struct postgres_target target;
	struct connection *connections;
	struct request_queue queue;
	struct lane_metrics *metrics;
	unsigned n_ready;
	bool down;         /* nothing is connected and the last attempt failed */
	usec_t service_us; /* moving mean from sent to finished                */
	usec_t swept_at;
};

struct postgres_pool {
	struct postgres_pool *next; /* all pools of this process */
	struct loop *loop;
	struct task_engine *engine;
	struct loop_timer *tick;
	struct statement_table statements;
	unsigned max_dynamic;
	struct statement **at_start; /* NULL-terminated, of all lanes */
	struct pool_metrics *metrics;
	struct lane lanes[POSTGRES_LANES];
	char label[48];
	int worker;
	bool stopping;
};

void postgres_connection_init(struct connection *c, struct lane *lane);
void postgres_connection_destroy(struct connection *c);
void postgres_connection_work(struct connection *c,
			      usec_t now); /* time passed: connect, give up, watchdog */
void postgres_connection_lost(struct connection *c, const char *why);
void postgres_connection_drain(struct connection *c);
void postgres_connection_state_set(struct connection *c, enum connection_state state);

void postgres_pipeline_prepare_all(struct connection *c);
void postgres_pipeline_send(struct connection *c, struct request *r);
void postgres_pipeline_group_end(
	struct connection *c); /* its Sync, if one is open; before the turn's flush */
void postgres_pipeline_receive(struct connection *c); /* everything libpq has; may set c->doomed */

void postgres_script_send(struct connection *c, struct request *r);
void postgres_script_receive(struct connection *c);

/* Back to pool.c: one request is over (it is freed), or must be tried again at the front of its
 * queue. */
void postgres_pool_finish(struct lane *lane, struct request *r, enum err err,
			  const struct err_info *info, PGresult *result);
void postgres_pool_again(struct lane *lane, struct request *r);
void postgres_pool_lane_failed(struct lane *lane);
bool postgres_pool_request_alive(const struct lane *lane, const struct request *r);

bool postgres_result_is(const PGresult *r, const char *sqlstate);
bool postgres_result_is_stale_plan(const PGresult *r);
bool postgres_result_is_fatal(const PGresult *r);

#endif
