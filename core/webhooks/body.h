/*
 * body.h — the bodies of POST and PATCH /v1/webhooks, read and checked. Not for other rooms.
 */
#ifndef BIMODAL_CORE_WEBHOOKS_BODY_H
#define BIMODAL_CORE_WEBHOOKS_BODY_H

#include "core/webhooks/internal.h"

/* What was not given has .p NULL. Texts live in the arena or the body. */
struct webhooks_body {
	struct str url;
	struct str description;
	struct str types;   /* text of a text[] */
	struct str team;    /* uuid; new ones alone */
	struct str enabled; /* "true" or "false"; old ones alone */
};

/* Errors: those of the scanner; ERR_INVALID with the place; ERR_NO_MEMORY. */
MUST_CHECK enum err core_webhooks_body_read(struct str text, bool is_new,
					    const struct core_webhooks_nets *nets,
					    struct arena *arena, struct webhooks_body *out,
					    struct err_info *info);

#endif
