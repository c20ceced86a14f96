/*
 * operators.h — the operators of a condition, by name, and how the operand of each is read. Not for other folders.
 */
#ifndef BIMODAL_FLAG_OPERATORS_H
#define BIMODAL_FLAG_OPERATORS_H

#include "flag/predicate.h"

enum flag_operand {
	OPERAND_SCALAR,
	OPERAND_ORDERED, /* text or number          */
	OPERAND_SET,
	OPERAND_NAME,
	OPERAND_PATTERN,
	OPERAND_BOOLEAN,
	OPERAND_TYPE,
	OPERAND_VERSION,
	OPERAND_SEMVER,
	OPERAND_TIME,
	OPERAND_NETWORK, /* or an array             */
	OPERAND_TEXT,    /* or an array             */
	OPERAND_INNER    /* condition.c reads it    */
};

struct flag_operator {
	const char *name;
	enum flag_op op;
	enum flag_operand operand;
	enum flag_comparison comparison;
	bool negated;
	bool folded;
};

#define FLAG_WHY_SIZE 200

/* NULL: there is none of that name. */
const struct flag_operator *flag_operator_find(struct str name);
/* "there is no operator …", with the nearest name. */
void flag_operator_unknown(struct str name, char why[FLAG_WHY_SIZE]);
/* Fills in p->as and p->n. ERR_INVALID: `why` says what the operand must be. ERR_NO_MEMORY. */
MUST_CHECK enum err flag_operand_read(struct arena *a, const struct flag_operator *o,
				      const struct flag_value *v, struct flag_predicate *p,
				      char why[FLAG_WHY_SIZE]);
/* Adds the name if it is not there yet. */
MUST_CHECK enum err flag_name_add(struct arena *a, struct flag_name_list *list, struct str name);

#endif
