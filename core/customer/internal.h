/*
 * internal.h — private to core/customer: how a call begins, and the steps of whole.c.
 */
#ifndef BIMODAL_CORE_CUSTOMER_INTERNAL_H
#define BIMODAL_CORE_CUSTOMER_INTERNAL_H

#include "core/customer/customer.h"

/* A call of the record engine with what the principal may see and write: the one place where that is said. NULL: the task has its
 * error. */
struct record_call *customer_begin(struct task *t);

extern const struct step_row customer_person_steps[];
extern const struct step_row customer_organization_steps[];
extern const struct step_row customer_search_steps[];

/* Limit the call to the owners whose records the principal may read (or write) of all these resources. False: no memory. */
bool customer_scope(struct task *t, struct record_call *call, const struct str *resources,
		    size_t n);

#endif
