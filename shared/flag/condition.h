/*
 * condition.h — who is meant: a condition as it is written, compiled when a flag is saved, put to a context when it is
 * evaluated. Semantics of GrowthBook's conditions, and operators of our own.
 *
 *	{"country":{"$in":["at","ch"]},"company.size":{"$gte":50},"$not":{"plan":"free"}}
 *
 * All members hold. $and, $or, $nor take an array of conditions, $not a condition; every other member is an attribute
 * (a dot goes into an object) and what it must be:
 *	a plain value       "at" 7 true null [1,2] {"a":1}: the same; text and numbers are compared as JavaScript does (8 and "8")
 *	$eq $ne             the same value and type
 *	$lt $lte $gt $gte   two texts by their bytes, else as numbers; what is missing counts as 0
 *	$in $nin $ini $nini one of these values; of an array, any element; i: upper and lower case are the same
 *	$all $alli          an array that holds each of these
 *	$inGroup $notInGroup  the name of a segment (a saved group)
 *	$regex $regexi $notRegex $notRegexi  PCRE2, without what cannot be bounded
 *	$elemMatch $size $not $exists $type
 *	$veq $vne $vgt $vgte $vlt $vlte      versions, loosely: v1.2, 1.2.3-rc.1, 1.2.3.4
 *	$semverEq $semverNe $semverGt $semverGte $semverLt $semverLte   Semantic Versioning 2.0.0, else false
 *	$before $after      an RFC 3339 time
 *	$cidr               an address in this network (10.0.0.0/8, 2001:db8::/32), or in one of an array
 *	$sw $ew $co, $swi $ewi $coi          starts with, ends with, contains this text, or one of an array
 *
 * Evaluation allocates nothing, does not recurse, and ends after FLAG_WORK_MAX steps: then the condition is false, and
 * bimodal_flag_conditions_limited_total counts it.
 */
#ifndef BIMODAL_FLAG_CONDITION_H
#define BIMODAL_FLAG_CONDITION_H

#include "flag/value.h"

#define FLAG_CONDITION_DEPTH_MAX 32
#define FLAG_CONDITION_PREDICATES_MAX 1024
#define FLAG_CONDITION_VALUES_MAX 8192
#define FLAG_PATH_SEGMENTS_MAX 16
#define FLAG_FOLDED_OPERAND_MAX 256 /* bytes of a text compared without regard to case      */
#define FLAG_FOLDED_MAX 4096        /* bytes of an attribute that such comparisons look at   */
#define FLAG_PATTERN_BYTES_MAX 512
#define FLAG_PATTERN_SUBJECT_MAX 4096 /* of longer texts no pattern is found                 */
#define FLAG_PATTERN_STEPS_MAX 10000
#define FLAG_WORK_MAX 50000 /* of all conditions of one evaluation */

struct flag_condition;
struct flag_context;
struct flag_snapshot;

/* Names met while compiling, each once. Grows in the arena. */
struct flag_name_list {
	struct str *names;
	unsigned n, room;
};

struct flag_condition_compiler {
	struct arena *arena;
	struct flag_name_list *attributes; /* paths; NULL: not wanted */
	struct flag_name_list *segments;
	/* What is not known or not well formed is false instead of an error: of stored documents. */
	bool lenient;
};

/*
 * `text` must live as long as the condition. `at`: JSON pointer before the place of an error. Errors: those of
 * flag_value_read, ERR_INVALID with place and reason, ERR_TOO_LARGE past the limits above.
 */
MUST_CHECK enum err flag_condition_compile(const struct flag_condition_compiler *how,
					   struct str text, const char *at,
					   const struct flag_condition **out,
					   struct err_info *info);

/* What a condition is put to. */
struct flag_scope {
	const struct flag_context *context;
	const struct flag_snapshot *snapshot; /* of the segments; NULL: there are none */
	unsigned work;                        /* steps left, FLAG_WORK_MAX at first    */
	bool unknown; /* something was asked for that is unknown: see flag_context */
};

/* subject NULL: the context; else that value. */
bool flag_condition_holds(const struct flag_condition *c, struct flag_scope *scope,
			  const struct flag_value *subject);

/* A sorted set of scalars: the operand of $in, a segment. Members that are no scalars are left out. */
struct flag_set;
MUST_CHECK enum err flag_set_make(struct arena *a, const struct flag_value *array, bool folded,
				  const struct flag_set **out);
bool flag_set_has(const struct flag_set *s, const struct flag_value *v);

#endif
