/*
 * internal.h — private to core/rights.
 */
#ifndef BIMODAL_CORE_RIGHTS_INTERNAL_H
#define BIMODAL_CORE_RIGHTS_INTERNAL_H

#include "core/rights/rights.h"

extern struct core_rights_conf core_rights_conf;
extern struct http_server *core_rights_served;

extern const struct step_row core_rights_explain[]; /* explain.c */
extern const struct step_row core_rights_resolve[]; /* resolve.c */

#endif
