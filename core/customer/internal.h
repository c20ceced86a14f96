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

#endif
