/*
 * predicate.h — the compiled form of a condition, between condition.c that makes it and predicate.c that walks it, and
 * the operands of its leaves. Not for other folders.
 *
 * The predicates of a condition lie in one array, each before its children; `size` is the step to the next sibling.
 */
#ifndef BIMODAL_FLAG_PREDICATE_H
#define BIMODAL_FLAG_PREDICATE_H

#include "base/clock.h"
#include "flag/condition.h"

enum flag_op {
	/* groups */
	OP_AND,
	OP_OR,
	OP_NOT, /* of OP_AND */
	OP_NOR,
	OP_ELEMENT, /* some element of an array: its one child          */
	OP_ALL,     /* each child holds of some element                 */
	OP_SIZE,    /* its one child holds of the number of elements    */
	OP_GROUPS,  /* below: groups; above: leaves                     */
	OP_FALSE,
	OP_TEXT,   /* the same text, whatever the type                  */
	OP_NUMBER, /* the same number, whatever the type                */
	OP_TRUTH,
	OP_NULL,
	OP_JSON,
	OP_EQUAL,
	OP_LT,
	OP_LTE,
	OP_GT,
	OP_GTE,
	OP_IN,
	OP_SEGMENT,
	OP_PATTERN,
	OP_EXISTS,
	OP_TYPE,
	OP_VERSION, /* comparison says which                            */
	OP_SEMVER,
	OP_BEFORE,
	OP_AFTER,
	OP_NETWORK,
	OP_STARTS,
	OP_ENDS,
	OP_CONTAINS
};

enum flag_comparison { CMP_EQ, CMP_NE, CMP_LT, CMP_LTE, CMP_GT, CMP_GTE };

struct flag_network {
	unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;
};

struct flag_semver {
	uint64_t part[3];
	struct str pre; /* after the '-' */
};

struct flag_pattern;

struct flag_predicate {
	enum flag_op op;
	enum flag_comparison comparison;
	bool negated;
	bool folded;  /* texts without regard to case; the operand is folded already */
	bool is_unit; /* the path is the unit's own name                             */
	uint32_t size;
	uint32_t n_path; /* from the subject to what is asked; 0: the subject itself   */
	uint32_t n;      /* operands of network, starts, ends, contains                */
	const struct str *path;
	union {
		const struct flag_value *value;
		const struct flag_set *set;
		const struct flag_pattern *pattern;
		const struct flag_network *networks;
		const struct flag_semver *semver;
		const struct str *texts;
		struct str text;
		usec_t time;
	} as;
};

struct flag_condition {
	const struct flag_predicate *predicates;
};

/* ---- operands.c, pattern.c ---- */

/* Lower case of text in out, or len > size if it does not fit. */
size_t flag_fold(struct str text, char *out, size_t size);
MUST_CHECK enum err flag_fold_in(struct arena *a, struct str text, struct str *out);

#define FLAG_VERSION_BYTES_MAX 128
#define FLAG_VERSION_PADDED_MAX (FLAG_VERSION_BYTES_MAX * 6 + 4)
/* Sorts as the version does; 0 if it is too long. */
size_t flag_version_pad(struct str version, char out[FLAG_VERSION_PADDED_MAX]);
bool flag_semver_parse(struct str text, struct flag_semver *out);
int flag_semver_compare(const struct flag_semver *a, const struct flag_semver *b);
bool flag_network_parse(struct str text, struct flag_network *out);
bool flag_network_has(const struct flag_network *n, struct str address);

/* ERR_INVALID: `why` says what is wrong with it. */
MUST_CHECK enum err flag_pattern_compile(struct arena *a, struct str text, bool folded,
					 const struct flag_pattern **out, char *why, size_t size);
/* 1, 0, or -1: a limit was reached. Takes what it does from *work. */
int flag_pattern_match(const struct flag_pattern *p, struct str subject, unsigned *work);

#endif
