/*
 * cookie.h — one cookie of a Cookie header (RFC 6265, section 4.2.1).
 *
 * Strict where it matters: a name that occurs twice, or a value with characters that no cookie of ours has, is no cookie. So a
 * neighbouring site that plants a second one of the same name can sign somebody out, but never in.
 */
#ifndef BIMODAL_HTTP_COOKIE_H
#define BIMODAL_HTTP_COOKIE_H

#include "base/str.h"

/* The value inside `header`; STR_NONE if it is absent, empty, there twice, or not of A-Z a-z 0-9 - _ alone. */
struct str http_cookie_find(struct str header, const char *name);

#endif
