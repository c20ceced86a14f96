/*
 * flag.h — flags: the rule document, its evaluation, the snapshot a process serves, first exposures.
 * One evaluator for both daemons. Semantics: GrowthBook's; the wire is in ofrep.h.
 *
 * The document (text of flag.revision.document):
 *
 *	{"unit":"person",
 *	 "variations":[{"key":"control","value":false},{"key":"treatment","value":true}],
 *	 "rules":[
 *	   {"prerequisites":[{"flag":"checkout","condition":{"value":true},"gate":true}]},
 *	   {"id":"staff","force":"treatment","condition":{"email":{"$ewi":"@example.com"}}},
 *	   {"force":"treatment","coverage":0.1,"seed":"x","condition":{"plan":{"$in":["pro","max"]}}},
 *	   {"filters":[{"seed":"layer-1","ranges":[[0,0.5]]}],
 *	    "experiment":{"key":"checkout-2","variations":["control","treatment"],
 *	                  "weights":[0.5,0.5],"coverage":1.0,"seed":"y",
 *	                  "hashAttribute":"company","fallbackAttribute":"targetingKey"}}],
 *	 "default":"control"}
 *
 * "schema": a JSON Schema (schema.h) that each value, which then are objects, fits when the document is saved.
 *
 * Rules are tried in order; the first that takes the unit in decides. All values are of one JSON
 * type: boolean, string, number or object, kept as they were written. A rule has "force" (the
 * variation's key), or "experiment", or only "prerequisites" with a gate; and may have
 *	"id"            its name in explanations
 *	"active"        false: the rule is passed over
 *	"condition"     who is meant: condition.h
 *	"prerequisites" [{"flag","condition","gate"}]: the condition is put to {"value":…,"variation":…}
 *	                of another flag of the same snapshot (null where that one gives no value);
 *	                "gate":true: where it does not hold, this flag gives no value at all, else only
 *	                the rule is passed over. Flags that wait for each other give no value.
 *	"filters"       [{"seed","ranges":[[0,0.5]],"attribute","hashVersion"}]: the hash of the unit
 *	                (or attribute) lies in one of the ranges, for each filter
 * A force rule: "coverage" (0 to 1) or "range" ([from, to]), "seed", "hashAttribute",
 * "fallbackAttribute", "hashVersion". Without coverage and range it takes in everybody and asks for
 * no unit. An experiment: "variations" and any of
 *	"key"           of the experiment, the seed where none is given; the flag's key
 *	"weights", "coverage", or "ranges" [[from, to], …] instead of both
 *	"seed", "hashAttribute", "fallbackAttribute", "hashVersion" (1 or 2; 2)
 *	"namespace"     ["name", from, to]: mutual exclusion, instead of filters
 *	"force"         all who are in get this variation
 *	"passthrough"   variations that hand over to the next rule: ["in"] makes a holdout of the others
 *	"sticky"        {"version":1,"minVersion":0}: who has a variation keeps it, whatever the
 *	                condition and the weights become; a new version starts over, minVersion bars
 *	                those assigned before it
 *	"contexts"      [{"condition","weights"}]: the first whose condition holds gives the weights
 * "hashAttribute" is a member of the context; without one it is the unit itself, "targetingKey".
 */
#ifndef BIMODAL_FLAG_FLAG_H
#define BIMODAL_FLAG_FLAG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_scan.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/task.h"
#include "flag/value.h"
#include "http/http.h"
#include "postgres/postgres.h"

#define FLAG_KEY_MAX 100
#define FLAG_DOCUMENT_BYTES_MAX (64 * 1024)
#define FLAG_STORED_BYTES_MAX (1024 * 1024) /* the same as PostgreSQL writes it, with blanks */
#define FLAG_DOCUMENT_MEMORY_MAX (4 * 1024 * 1024) /* compiled */
#define FLAG_VARIATIONS_MAX 32
#define FLAG_VARIATION_KEY_MAX 64
#define FLAG_RULES_MAX 32
#define FLAG_SEED_MAX 200
#define FLAG_ATTRIBUTE_MAX 200   /* bytes of an attribute's name */
#define FLAG_UNIT_MAX 200        /* bytes of a unit's text */
#define FLAG_FILTERS_MAX 8       /* of one rule */
#define FLAG_RANGES_MAX 32       /* of one filter */
#define FLAG_PREREQUISITES_MAX 8 /* of one rule */
#define FLAG_CONTEXTS_MAX 32     /* of one experiment */
#define FLAG_NAMES_MAX 256       /* attributes, segments, flags that one document names */
#define FLAG_VISITED_MAX 64      /* flags that one evaluation may have to ask */
#define FLAG_CONTEXT_BYTES_MAX (64 * 1024)
#define FLAG_CONTEXT_VALUES_MAX 4096
#define FLAG_CONTEXT_MEMBERS_MAX 256
#define FLAG_COUNT_MAX 10000
#define FLAG_SEGMENTS_MAX 10000
#define FLAG_SEGMENT_VALUES_MAX 100000
#define FLAG_SNAPSHOT_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define FLAG_WEIGHT_TOLERANCE 1e-4 /* by which the weights of an experiment may miss 1 */
#define FLAG_UNIT_ATTRIBUTE "targetingKey"

/* Metrics of this module. Before the fork and in every process alike; idempotent. */
void flag_metrics(void);

/* [a-z0-9][a-z0-9._-]*, at most FLAG_KEY_MAX bytes. */
bool flag_key_valid(struct str key);

/* ---- the document ---- */
enum flag_unit { FLAG_PERSON, FLAG_ORGANIZATION, FLAG_VISITOR };

struct flag_variation {
	struct str key;
	struct str value; /* JSON text */
};

struct flag_range {
	double start; /* ≤ n */
	double end;   /* > n */
};

struct flag_condition;

/* Which bytes are hashed, and how. */
struct flag_hasher {
	struct str attribute; /* STR_NONE: the unit                             */
	struct str fallback;  /* where that is missing; STR_NONE: none          */
	bool falls_to_unit;   /* the fallback is the unit                       */
	bool has_fallback;
	unsigned version; /* 1 or 2                                         */
	struct str seed;
};

struct flag_filter {
	struct flag_hasher hasher;
	unsigned n;
	const struct flag_range *ranges;
};

struct flag_prerequisite {
	struct str flag;
	const struct flag_condition *condition;
	bool gate;
};

/* Weights of those for whom a condition holds. */
struct flag_leaf {
	const struct flag_condition *condition;
	const struct flag_range *ranges; /* n_arms of the rule */
};

enum flag_rule_kind { FLAG_RULE_GATE, FLAG_RULE_FORCE, FLAG_RULE_EXPERIMENT };

struct flag_rule {
	enum flag_rule_kind kind;
	struct str id; /* STR_NONE: it has none */
	bool active;
	const struct flag_condition *condition; /* NULL: everybody */
	unsigned n_prerequisites;
	const struct flag_prerequisite *prerequisites;
	unsigned n_filters;
	const struct flag_filter *filters;
	bool hashes;     /* divides; always true of an experiment */
	double coverage; /* 0 … 1; of ranges their sum            */
	struct flag_hasher hasher;
	unsigned n_arms;                 /* 1 for a force rule                          */
	const unsigned *arms;            /* indexes into the document's variations      */
	const struct flag_range *ranges; /* n_arms of them; a force rule: one, or NULL  */
	/* experiments only */
	struct str experiment; /* its key */
	bool has_namespace;
	struct str namespace_seed;
	struct flag_range namespace_range;
	int forced;           /* an arm, or -1         */
	uint32_t passthrough; /* bit i: arm i          */
	bool sticky;
	unsigned bucket_version;
	unsigned bucket_version_min;
	unsigned n_leaves;
	const struct flag_leaf *leaves;
};

struct flag_names {
	unsigned n;
	const struct str *names;
};
bool flag_names_have(const struct flag_names *names, struct str name);

struct flag_document {
	enum flag_unit unit;
	unsigned n_variations;
	const struct flag_variation *variations;
	const struct flag_value *const *facts; /* of each: {"value":…,"variation":…} */
	unsigned n_rules;
	const struct flag_rule *rules;
	unsigned default_variation;
	bool hashes;                  /* some rule asks for the unit               */
	struct flag_names attributes; /* of the context that the rules name, whole paths */
	struct flag_names segments;
	struct flag_names flags; /* prerequisites */
};

/*
 * Compile a document. Everything is copied into the arena. `key`: the flag's, the seed where none
 * is given; `at`: JSON pointer of the document in the request ("" or "/document"), put before the
 * place of an error. Errors: ERR_BAD_JSON, ERR_INVALID (with the JSON pointer), ERR_TOO_LARGE,
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum err flag_document_compile(struct arena *a, struct str key, struct str text,
					  const char *at, const struct flag_document **out,
					  struct err_info *info);
/*
 * The same for a document that is stored already, perhaps by a later version: what a condition asks
 * and this version does not know is false instead of an error.
 */
MUST_CHECK enum err flag_document_load(struct arena *a, struct str key, struct str text,
				       const struct flag_document **out, struct err_info *info);
/*
 * Is this a document that can be saved? Compiled in memory of its own, of which it may take
 * FLAG_DOCUMENT_MEMORY_MAX (else ERR_TOO_LARGE). *coverage: see below.
 */
MUST_CHECK enum err flag_document_check(struct str key, struct str text, const char *at,
					double *coverage, struct err_info *info);
/* The same of a document as the database gives it back: could this version save it anew? */
MUST_CHECK enum err flag_document_check_stored(struct str key, struct str text,
					       struct err_info *info);
/* The largest part of all units that one rule takes in. */
double flag_document_coverage(const struct flag_document *d);

/* ---- the context: what is known of the one who asks ---- */

/* An assignment that was kept: `variation` of the experiment `experiment` for everybody whose `attribute` is `value`. */
struct flag_sticky {
	struct str attribute; /* FLAG_UNIT_ATTRIBUTE: the unit */
	struct str value;
	struct str experiment;
	unsigned version;
	struct str variation; /* its key */
};

/* For trying out: this variation of that experiment, whoever asks. */
struct flag_forced {
	struct str experiment;
	struct str variation;
};

/*
 * Made once a request, read by any number of evaluations. All zero: nothing is known. The arrays are the caller's and
 * are searched in order, so they are to be short.
 */
struct flag_context {
	const struct flag_value *attributes; /* an object, or NULL                          */
	const struct flag_value *record;     /* what the database knows of the unit, or NULL:
					      * asked where `attributes` has no such member   */
	struct flag_value unit;              /* a string, or all zero: there is none         */
	const struct flag_sticky *sticky;
	size_t n_sticky;
	const struct flag_forced *forced;
	size_t n_forced;
	const struct str *segments; /* segments kept elsewhere that the unit is in */
	size_t n_segments;
	/* What the database knows and could not say, or NULL. Who is meant cannot be told then: a condition that asks for one of
	 * these attributes is false, whatever stands around the place, and no other attribute is hashed in its place. */
	const struct flag_names *unknown;
	bool segments_unknown; /* the same of all segments kept elsewhere */
	bool sticky_unknown; /* what was kept could not be read: the hash decides, and nothing new is kept */
	bool experiments_off; /* no experiment runs: their rules are passed over                 */
	bool forced_only;     /* experiments only for whom a variation is forced                  */
};

/*
 * From the text of OFREP's `context`, which must outlive *out; what it needs besides is in the arena. A targetingKey that
 * is a string is the unit. `at` and errors as of flag_value_read, and ERR_INVALID: no object, a member twice.
 */
MUST_CHECK enum err flag_context_read(struct arena *a, struct str text, const char *at,
				      struct flag_context *out, struct err_info *info);
/* Adds what is known of the unit: an object, from a place of ours. Same errors. */
MUST_CHECK enum err flag_context_record(struct arena *a, struct str text, struct flag_context *c,
					struct err_info *info);
/* Another unit than the context said (a pseudonym for an id); STR_NONE: none. */
void flag_context_unit(struct flag_context *c, struct str unit);

/* ---- evaluation: pure, no I/O, no allocation ---- */

/* Where a value lands in [0, 1) under a seed, in steps of 1/10000: GrowthBook's hash version 2 over
 * the bytes (UTF-8). */
double flag_hash(struct str seed, struct str value);
/* The same by hash version 1 (steps of 1/1000) or 2; -1 for any other. */
double flag_hash_by(unsigned version, struct str seed, struct str value);
/* Ranges of n arms. Coverage is clamped to [0, 1]; weights NULL, or not adding up to 1 ± 0.01, are
 * equal ones, as published. */
void flag_bucket_ranges(unsigned n, double coverage, const double *weights, size_t n_weights,
			struct flag_range *out);
/* The range that holds x, or -1. */
int flag_bucket_choose(double x, const struct flag_range *ranges, unsigned n);

enum flag_reason {
	FLAG_STATIC,
	FLAG_SPLIT,
	FLAG_TARGETING_MATCH,
	FLAG_DEFAULT,
	FLAG_DISABLED,
	FLAG_REASONS
};
const char *flag_reason_text(enum flag_reason r); /* as on the wire: "TARGETING_MATCH" */

enum flag_outcome {
	FLAG_EVALUATED,
	FLAG_UNKNOWN,      /* no such flag                                              */
	FLAG_UNIT_MISSING, /* a rule divides units and none was given                   */
	FLAG_BROKEN        /* the stored document cannot be read (an older version's?)  */
};

/* What decided. */
enum flag_source {
	FLAG_BY_NOTHING, /* not evaluated                                     */
	FLAG_BY_SWITCH,  /* the flag is off or has expired: no value          */
	FLAG_BY_DEFAULT,
	FLAG_BY_FORCE,
	FLAG_BY_EXPERIMENT,
	FLAG_BY_PREREQUISITE, /* a gate was closed: no value                       */
	FLAG_BY_CYCLE         /* flags wait for each other, or too many: no value  */
};

/* Strings live as long as the document or snapshot, and the context, they came from. */
struct flag_result {
	enum flag_outcome outcome;
	enum flag_reason reason; /* FLAG_DISABLED: variation and value are STR_NONE */
	struct str variation;
	struct str value; /* JSON text */
	int64_t revision;
	/* how it came about */
	enum flag_source source;
	int rule;              /* index of the one that decided, -1: none            */
	struct str rule_id;    /* its "id"                                           */
	bool in_experiment;    /* the unit is in the experiment that decided         */
	bool hashed;           /* by its bucket; false: by a forced variation        */
	struct str experiment; /* key; STR_NONE if an experiment did not decide      */
	int arm;               /* index among the experiment's variations, or -1     */
	int leaf;              /* index among its contexts, or -1                    */
	struct str attribute;  /* that was hashed; FLAG_UNIT_ATTRIBUTE: the unit     */
	struct str hash_value; /* its text                                           */
	double bucket;         /* 0 … 1, or -1 where nothing was hashed              */
	bool sticky_used;      /* the assignment was kept already                    */
	bool sticky_new; /* to be kept: attribute, hash_value, experiment, bucket_version, variation */
	unsigned bucket_version;
	bool record_missed; /* a rule asked for what is unknown: see flag_context */
};

/* Of an enabled flag that needs no other flag; result->revision is left alone. */
void flag_document_evaluate(const struct flag_document *d, struct str unit,
			    struct flag_result *out);

/* ---- the snapshot of a process ---- */
struct flag_snapshot; /* immutable, counted references */

/*
 * Columns: key text, enabled bool, revision bigint, document jsonb, expires_us bigint, generation
 * bigint; one row with key NULL when there is no flag at all. There may be columns segment text, segment_resource text, segment_query
 * text: a row that has them, with key NULL, is a segment kept elsewhere. A document that does not compile
 * makes its flag FLAG_BROKEN and is logged; the others work. Errors: ERR_INTERNAL, ERR_TOO_LARGE,
 * ERR_NO_MEMORY. Owner: the caller, one reference.
 */
MUST_CHECK enum err flag_snapshot_build(const PGresult *rows, struct flag_snapshot **out,
					struct err_info *info);
struct flag_snapshot *flag_snapshot_ref(struct flag_snapshot *s);
void flag_snapshot_unref(struct flag_snapshot *s); /* NULL is fine */
int64_t flag_snapshot_generation(const struct flag_snapshot *s);
size_t flag_snapshot_count(const struct flag_snapshot *s);
/*
 * The same with segments (saved groups), columns: name text, members text: a JSON array of strings and numbers, or NULL
 * where membership is told by the context.
 */
MUST_CHECK enum err flag_snapshot_build_with(const PGresult *rows, const PGresult *segments,
					     struct flag_snapshot **out, struct err_info *info);

/* A segment that is kept elsewhere: what it is of, and its filters as in the query string of a list. */
struct flag_segment {
	enum flag_unit unit;
	struct str query;
};
/* False: there is none of this name. */
bool flag_segment_of(const struct flag_snapshot *s, struct str name, struct flag_segment *out);

/*
 * The one way to ask. A flag whose expiry has passed at `now` (wall) is disabled. Prerequisites and segments are those of
 * the same snapshot.
 */
void flag_evaluate_in(const struct flag_snapshot *s, struct str key, const struct flag_context *c,
		      usec_t now, struct flag_result *out);
/* The same where nothing but the unit is known. */
void flag_evaluate(const struct flag_snapshot *s, struct str key, struct str unit, usec_t now,
		   struct flag_result *out);
/* A document that is not served, as if it were and its flag were on: what it would give, among the flags of the snapshot. */
void flag_evaluate_document(const struct flag_document *d, const struct flag_snapshot *s,
			    const struct flag_context *c, usec_t now, struct flag_result *out);
/* The document of a live flag; NULL: there is none, or it does not compile. */
const struct flag_document *flag_document_of(const struct flag_snapshot *s, struct str key);
/* All live flags by key, flag_snapshot_count of them. */
struct flag_listed {
	struct str key;
	enum flag_unit unit; /* FLAG_VISITOR where the document cannot be read */
};
const struct flag_listed *flag_snapshot_list(const struct flag_snapshot *s);
/* Is there one that divides such units? */
bool flag_snapshot_divides(const struct flag_snapshot *s, enum flag_unit unit);
/* What the flag divides, and whether evaluating it now would ask for a unit at all. False if there
 * is no such flag. */
bool flag_unit_of(const struct flag_snapshot *s, struct str key, usec_t now, enum flag_unit *unit,
		  bool *needed);

/*
 * What rules ask for beside the unit and besides what is always sent: those of a flag and of the flags that it waits for. Worked out
 * when the snapshot is built; the names are the snapshot's.
 */
struct flag_needs {
	struct flag_names attributes; /* of the context; the unit's own name is not among them */
	struct flag_names segments;   /* kept elsewhere */
	/* Of experiments that keep their assignments: by which attributes, the unit's own name among them; their keys, of one flag only. */
	struct flag_names kept_by;
	struct flag_names experiments;
};
/* Of a flag that is on at `now`; NULL: it asks for nothing. */
const struct flag_needs *flag_needs_of(const struct flag_snapshot *s, struct str key, usec_t now);
/* Of all flags that divide such units, on or off; NULL: they ask for nothing. */
const struct flag_needs *flag_needs_of_all(const struct flag_snapshot *s, enum flag_unit unit);

/* Holder of the snapshot served now. */
struct flag_store;
struct flag_store *flag_store_create(void); /* dies without memory */
void flag_store_destroy(struct flag_store *s);
/* Takes over the reference; the old snapshot goes when its last user lets go. */
void flag_store_swap(struct flag_store *s, struct flag_snapshot *snapshot);
/* Borrowed; NULL before the first swap. */
struct flag_snapshot *flag_store_now(const struct flag_store *s);
int64_t flag_store_generation(const struct flag_store *s); /* -1 before the first swap */
/* When this generation was swapped in (wall), and how often anything was. */
usec_t flag_store_since(const struct flag_store *s);
uint64_t flag_store_swaps(const struct flag_store *s);

/* ---- first exposures ---- */
#define FLAG_EXPOSURES_MAX 4096 /* waiting to be written; what comes on top is counted as lost */
#define FLAG_EXPOSURES_BATCH 500
#define FLAG_EXPOSURES_PERIOD (50 * USEC_PER_MS)

struct flag_exposures;
/*
 * `stmt`: inserts ON CONFLICT DO NOTHING; parameters text[] flags, text[] units, text[] variations,
 * bigint[] revisions, timestamptz[] times. Owner: the caller destroys it before the engine. Dies
 * without memory.
 */
struct flag_exposures *flag_exposures_create(struct loop *l, struct task_engine *e,
					     struct postgres_pool *pool,
					     const struct postgres_stmt *stmt);
/* NULL is fine; what still waits is counted as lost. */
void flag_exposures_destroy(struct flag_exposures *x);
/* One unit met one variation. Never fails and never blocks: repetitions are dropped, and what does
 * not fit is counted. */
void flag_exposures_add(struct flag_exposures *x, struct str flag, struct str unit,
			struct str variation, int64_t revision);
/* Start to write what waits now (the worker is about to stop). */
void flag_exposures_flush(struct flag_exposures *x);

/* ---- kept assignments ---- */
struct flag_stickies;
/*
 * `stmt`: inserts or updates; parameters text[] flags, text[] attributes, text[] values, text[] experiments, text[] variations, bigint[]
 * versions, text[] pseudonyms of the people ('' of others). Owner and errors as of flag_exposures_create.
 */
struct flag_stickies *flag_stickies_create(struct loop *l, struct task_engine *e,
					   struct postgres_pool *pool,
					   const struct postgres_stmt *stmt);
void flag_stickies_destroy(struct flag_stickies *x);
/* What an evaluation would keep, if anything. `person`: the pseudonym, where the unit is a person; "" else. NULL x is fine. */
void flag_stickies_add(struct flag_stickies *x, struct str flag, const struct flag_result *r,
		       struct str person);
/* Can an assignment be kept by this value? Not by one that is too long or no text to PostgreSQL. */
bool flag_sticky_may_be(struct str value);
void flag_stickies_flush(struct flag_stickies *x);

#endif
