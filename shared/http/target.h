/*
 * target.h — the request target: its form, its decoded path cut into segments, its query cut into
 * parameters. Standards: RFC 9112 3.2, RFC 3986. Not for other rooms; they see http.h.
 */
#ifndef BIMODAL_HTTP_TARGET_H
#define BIMODAL_HTTP_TARGET_H

#include "base/arena.h"
#include "http/http.h"

#define HTTP_SEGMENTS_MAX 32
#define HTTP_QUERY_MAX 128

struct http_pair {
	struct str name, value;
};

struct http_target {
	bool is_asterisk;    /* "*", for OPTIONS of the server as a whole        */
	struct str path;     /* decoded, in `text`                               */
	struct str query;    /* as received, without '?'; view of the input      */
	unsigned n_segments; /* of the path; "/a/b" has two, "/" has one, empty  */
	struct str segments[HTTP_SEGMENTS_MAX]; /* decoded, in `text`; one may hold a '/' that was
						   escaped */
	char text[HTTP_TARGET_BYTES_MAX + 1];
};

/*
 * Errors: ERR_BAD_REQUEST (form, characters, escapes, "." and "..", not UTF-8; also for the query);
 * ERR_NO_ROUTE for a path of more segments than any route has.
 */
MUST_CHECK enum err http_target_read(struct str raw, enum http_method method,
				     struct http_target *out, struct err_info *info);

/* Names and values decoded into the arena. The query has passed http_target_read. ERR_NO_MEMORY
 * past the arena's cap. */
MUST_CHECK enum err http_query_read(struct str query, struct arena *a, struct http_pair **out,
				    size_t *n);

#endif
