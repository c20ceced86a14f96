/*
 * check_lists.h — private to the check of a change: what its statements may be. Read by people who decide what a change may do; the rest of
 * the check is in check.c.
 */
#ifndef BIMODAL_CHANGE_CHECK_LISTS_H
#define BIMODAL_CHANGE_CHECK_LISTS_H

#include <stdbool.h>

#define CHANGE_WHY_FEED                                                                            \
	"publications and subscriptions follow the field registry; they are never altered by hand"

struct change_rule {
	const char *node;
	bool is_allowed;
	const char *name; /* as people write it */
	const char *why;  /* if it is refused   */
};

/* NULL: not listed, so not allowed. By the parser's name of a statement, and of a part of ALTER TABLE. */
const struct change_rule *change_statement_rule(const char *node);
const struct change_rule *change_alter_rule(const char *node);
/* May an object of this kind be dropped; may this function of ours be selected; may rights be given to this role? */
bool change_may_drop(const char *kind);
bool change_may_call(const char *function);
bool change_may_grant(const char *role);

#endif
