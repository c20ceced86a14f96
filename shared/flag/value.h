/*
 * value.h — a JSON text as a tree that evaluation walks without allocating: attributes of a context, operands of a
 * condition, values of variations.
 *
 * The nodes of a tree lie in one array in the order of the text, so that the children of a node begin right behind it
 * and its next sibling is `size` nodes further. Nothing here recurses.
 */
#ifndef BIMODAL_FLAG_VALUE_H
#define BIMODAL_FLAG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json_scan.h"

struct flag_value {
	struct str key;  /* of a member, unescaped; STR_NONE elsewhere                      */
	struct str text; /* of a scalar as JavaScript writes it: "10", "true", "null", text */
	double number;   /* of a number                                                     */
	uint32_t n;      /* members or elements                                             */
	uint32_t size;   /* nodes of the tree, this one included                            */
	enum json_kind kind;
};

/*
 * Strings without escapes point into `text`, which must live as long as the tree; the rest is in the arena. `at`: JSON
 * pointer put before the place of an error. Errors: ERR_BAD_JSON, ERR_INVALID (a number beyond a double), ERR_TOO_LARGE
 * (more than nodes_max values, or deeper than JSON_DEPTH_MAX), ERR_NO_MEMORY.
 */
MUST_CHECK enum err flag_value_read(struct arena *a, struct str text, const char *at,
				    size_t nodes_max, const struct flag_value **out,
				    struct err_info *info);

/* Children, in order: for (i = 0, v = first(parent); i < parent->n; i++, v = next(v)). */
static inline const struct flag_value *
flag_value_first(const struct flag_value *parent)
{
	return parent + 1;
}

static inline const struct flag_value *
flag_value_next(const struct flag_value *v)
{
	return v + v->size;
}

/* The first member of that name, or NULL; NULL too if `object` is none. */
const struct flag_value *flag_value_member(const struct flag_value *object, struct str key);
/* Same JSON value; the order of members does not matter. */
bool flag_value_equal(const struct flag_value *a, const struct flag_value *b);
/* What JavaScript's Number() gives: null 0, false 0, true 1, "" 0, " 8 " 8; NaN for what is no number. */
double flag_value_number(const struct flag_value *v);
/* JavaScript's truth: not null, false, 0, "". */
bool flag_value_truthy(const struct flag_value *v);
/* JSON pointer of a node below `root`, "at/a/0/b", cut where it does not fit. */
void flag_value_pointer(const struct flag_value *root, const struct flag_value *target,
			const char *at, char *out, size_t size);
/* A number as JavaScript writes it; returns the length. */
#define FLAG_NUMBER_TEXT_SIZE 32
size_t flag_number_text(double v, char out[FLAG_NUMBER_TEXT_SIZE]);

extern const struct flag_value flag_value_null;

#endif
