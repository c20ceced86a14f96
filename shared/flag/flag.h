/*
 * flag.h — flags: the rule document, its evaluation, the snapshot a process serves, OFREP single
 * evaluation, first exposures. One evaluator for both daemons. Semantics: GrowthBook's, hash version
 * 2; wire: OpenFeature Remote Evaluation Protocol 0.3.0.
 *
 * The document (text of flag.revision.document):
 *
 *	{"unit":"person",
 *	 "variations":[{"key":"control","value":false},{"key":"treatment","value":true}],
 *	 "rules":[{"force":"treatment","coverage":0.1,"seed":"x"},
 *	          {"experiment":{"variations":["control","treatment"],"weights":[0.5,0.5],
 *	                         "coverage":1.0,"seed":"y"}}],
 *	 "default":"control"}
 *
 * Rules are tried in order; the first that takes the unit in decides. `coverage` and `seed` of a
 * force rule, and `weights`, `coverage`, `seed` of an experiment may be left out: 1, the flag's key,
 * equal weights. A force rule without coverage takes in everybody and asks for no unit. All values
 * are of one JSON type: boolean, string, number or object, kept as they were written.
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
#include "http/http.h"
#include "postgres/postgres.h"

#define FLAG_KEY_MAX 100
#define FLAG_DOCUMENT_BYTES_MAX (64 * 1024)
#define FLAG_VARIATIONS_MAX 32
#define FLAG_VARIATION_KEY_MAX 64
#define FLAG_RULES_MAX 32
#define FLAG_SEED_MAX 200
#define FLAG_UNIT_MAX 200 /* bytes of a unit's text */
#define FLAG_COUNT_MAX 10000
#define FLAG_SNAPSHOT_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define FLAG_WEIGHT_TOLERANCE 1e-4 /* by which the weights of an experiment may miss 1 */

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

struct flag_rule {
	bool is_force;
	bool hashes;     /* asks for a unit; always true of an experiment */
	double coverage; /* 0 … 1                                         */
	struct str seed;
	unsigned n_arms;                 /* 1 for a force rule                     */
	const unsigned *arms;            /* indexes into the document's variations */
	const struct flag_range *ranges; /* n_arms of them; NULL for a force rule  */
};

struct flag_document {
	enum flag_unit unit;
	unsigned n_variations;
	const struct flag_variation *variations;
	unsigned n_rules;
	const struct flag_rule *rules;
	unsigned default_variation;
	bool hashes; /* some rule asks for a unit */
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
/* The largest part of all units that one rule takes in. */
double flag_document_coverage(const struct flag_document *d);

/* ---- evaluation: pure, no I/O, no allocation ---- */

/* Where a value lands in [0, 1) under a seed, in steps of 1/10000: GrowthBook's hash version 2 over
 * the bytes (UTF-8). */
double flag_hash(struct str seed, struct str value);
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

/* Strings live as long as the document or snapshot they came from. */
struct flag_result {
	enum flag_outcome outcome;
	enum flag_reason reason;
	struct str variation; /* STR_NONE if disabled  */
	struct str value;     /* JSON text; STR_NONE if disabled */
	int64_t revision;
};

/* Of an enabled flag. result->revision is left alone. */
void flag_document_evaluate(const struct flag_document *d, struct str unit,
			    struct flag_result *out);

/* ---- the snapshot of a process ---- */
struct flag_snapshot; /* immutable, counted references */

/*
 * Columns: key text, enabled bool, revision bigint, document jsonb, expires_us bigint, generation
 * bigint; one row with key NULL when there is no flag at all. A document that does not compile
 * makes its flag FLAG_BROKEN and is logged; the others work. Errors: ERR_INTERNAL, ERR_TOO_LARGE,
 * ERR_NO_MEMORY. Owner: the caller, one reference.
 */
MUST_CHECK enum err flag_snapshot_build(const PGresult *rows, struct flag_snapshot **out,
					struct err_info *info);
struct flag_snapshot *flag_snapshot_ref(struct flag_snapshot *s);
void flag_snapshot_unref(struct flag_snapshot *s); /* NULL is fine */
int64_t flag_snapshot_generation(const struct flag_snapshot *s);
size_t flag_snapshot_count(const struct flag_snapshot *s);

/* A flag whose expiry has passed at `now` (wall) is disabled. */
void flag_evaluate(const struct flag_snapshot *s, struct str key, struct str unit, usec_t now,
		   struct flag_result *out);
/* What the flag divides, and whether evaluating it now would ask for a unit at all. False if there
 * is no such flag. */
bool flag_unit_of(const struct flag_snapshot *s, struct str key, usec_t now, enum flag_unit *unit,
		  bool *needed);

/* Holder of the snapshot served now. */
struct flag_store;
struct flag_store *flag_store_create(void); /* dies without memory */
void flag_store_destroy(struct flag_store *s);
/* Takes over the reference; the old snapshot goes when its last user lets go. */
void flag_store_swap(struct flag_store *s, struct flag_snapshot *snapshot);
/* Borrowed; NULL before the first swap. */
struct flag_snapshot *flag_store_now(const struct flag_store *s);
int64_t flag_store_generation(const struct flag_store *s); /* -1 before the first swap */

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

/* ---- OFREP single evaluation ---- */
struct flag_ofrep_conf {
	const struct flag_store *store;
	struct flag_exposures *exposures; /* NULL: none are kept */
	struct postgres_pool *pool;       /* for `lookup`        */
	/* $1 uuid of a person → pseudonym text; NULL: persons' ids are refused. */
	const struct postgres_stmt *lookup;
};
/* Which flags the steps below serve; copied. */
void flag_ofrep_use(const struct flag_ofrep_conf *conf);

/*
 * Steps of { HTTP_POST, "/ofrep/v1/evaluate/flags/{key:rest}", …, flag_ofrep_steps }.
 * context.targetingKey is the unit. For a flag that divides persons it is a person's id (UUIDv7,
 * looked up), a pseudonym (UUIDv4), or any other text: a visitor who is not a person yet; only
 * pseudonyms are kept as exposures of such a flag. Contexts are neither stored nor logged.
 */
extern const struct step_row flag_ofrep_steps[];

#endif
