/*
 * compile.h — what the files that compile a rule document share: the compiler's state, and the reading of members with
 * the JSON pointer of each. Not for other folders.
 */
#ifndef BIMODAL_FLAG_COMPILE_H
#define BIMODAL_FLAG_COMPILE_H

#include "base/json_member.h"
#include "flag/condition.h"
#include "flag/flag.h"

#define FLAG_MEMBERS_MAX 16

struct flag_compiler {
	struct arena *arena;
	struct err_info *info;
	struct str key;
	bool lenient; /* see flag_document_load */
	bool stored;  /* as PostgreSQL writes it */
	struct flag_document *document;
	struct flag_variation *variations;
	enum json_kind value_kind;
	const struct flag_value *schema; /* of the values; NULL: there is none */
	struct flag_name_list attributes, segments, flags;
};

/* One object: its members, each of which must be known. */
struct flag_object {
	struct json_member member[FLAG_MEMBERS_MAX];
	size_t n;
	const char *at;
};

enum err flag_no_memory(struct flag_compiler *c);
enum err flag_refuse(struct flag_compiler *c, const char *at, const char *fmt, ...) PRINTF(3, 4);
/* at/key; at itself where memory is short. */
const char *flag_place(struct flag_compiler *c, const char *at, const char *key);
const char *flag_place_of(struct flag_compiler *c, const char *at, size_t index);

MUST_CHECK enum err flag_object_read(struct flag_compiler *c, struct str text, enum json_kind kind,
				     const char *at, const char *const *known,
				     struct flag_object *o);
const struct json_member *flag_object_get(const struct flag_object *o, const char *key);
MUST_CHECK enum err flag_object_need(struct flag_compiler *c, const struct flag_object *o,
				     const char *key, const struct json_member **out);
/* 1 to max bytes. */
MUST_CHECK enum err flag_text_read(struct flag_compiler *c, struct str raw, enum json_kind kind,
				   const char *at, size_t max, struct str *out);
/* Elements of the array in member m; *n is the room before and the count after. */
MUST_CHECK enum err flag_array_read(struct flag_compiler *c, struct str text, enum json_kind kind,
				    const char *at, size_t min, struct json_element *elements,
				    size_t *n);
/* The following leave *out alone where the member is absent. */
MUST_CHECK enum err flag_member_text(struct flag_compiler *c, const struct flag_object *o,
				     const char *key, size_t max, struct str *out);
MUST_CHECK enum err flag_member_part(struct flag_compiler *c, const struct flag_object *o,
				     const char *key, double *out);
MUST_CHECK enum err flag_member_bool(struct flag_compiler *c, const struct flag_object *o,
				     const char *key, bool *out);
MUST_CHECK enum err flag_member_count(struct flag_compiler *c, const struct flag_object *o,
				      const char *key, unsigned min, unsigned max, unsigned *out);
/* [from, to], two parts of the whole in order. */
MUST_CHECK enum err flag_range_read(struct flag_compiler *c, struct str text, enum json_kind kind,
				    const char *at, struct flag_range *out);
/* Several, none of which overlap, in the arena. */
MUST_CHECK enum err flag_ranges_read(struct flag_compiler *c, const struct json_member *m,
				     const char *at, unsigned *n, const struct flag_range **out);
/* Member "condition", of the context unless names are not wanted. */
MUST_CHECK enum err flag_member_condition(struct flag_compiler *c, const struct flag_object *o,
					  bool of_context, const struct flag_condition **out);

/* The index of the variation that a string names. */
MUST_CHECK enum err flag_variation_named(struct flag_compiler *c, struct str raw,
					 enum json_kind kind, const char *at, unsigned *out);
/* rule.c, experiment.c */
MUST_CHECK enum err flag_rules_read(struct flag_compiler *c, const struct json_member *m,
				    const char *at);
/* Members hashAttribute, fallbackAttribute, hashVersion, seed of o; `seed` where it has none. */
MUST_CHECK enum err flag_hasher_read(struct flag_compiler *c, const struct flag_object *o,
				     struct str seed, struct flag_hasher *out);
MUST_CHECK enum err flag_experiment_read(struct flag_compiler *c, const struct json_member *m,
					 const char *at, struct flag_rule *r);

#endif
