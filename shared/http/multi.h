/*
 * multi.h — libcurl's multi interface driven by libevent: curl says which sockets and which timer it wants, we tell it what became
 * ready, and hand out what has finished. Under client.c and mail.c; not for other rooms.
 */
#ifndef BIMODAL_HTTP_MULTI_H
#define BIMODAL_HTTP_MULTI_H

#include <curl/curl.h>

#include "base/err.h"
#include "base/loop.h"

struct http_multi;

/* `private` is the handle's CURLOPT_PRIVATE. Called from the loop, never from inside http_multi_add. It removes the handle. */
typedef void http_multi_done_fn(void *private, CURLcode code);

/* Dies if it cannot be made. */
struct http_multi *http_multi_create(struct loop *l, unsigned connections_max,
				     http_multi_done_fn *done);
/* Its handles must have been removed. NULL is fine. */
void http_multi_destroy(struct http_multi *m);
MUST_CHECK enum err http_multi_add(struct http_multi *m, CURL *easy);
void http_multi_remove(struct http_multi *m, CURL *easy);

#endif
