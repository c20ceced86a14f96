/*
 * cors.c — see cors.h. Called once for each request and each answer, also for those that never become a task.
 */
#include "http/cors.h"

#include <string.h>

#include "http/http.h"

#define METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"
#define REQUEST_HEADERS "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match"
#define ANSWER_HEADERS                                                                             \
	"ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Request-Id, "    \
	"Retry-After, X-Data-As-Of, X-Replication-Lag-Ms"
#define PREFLIGHT_SECONDS "600"

bool
http_origin_valid(const char *text)
{
	const struct str all = str_of(text);
	const char *host = str_starts(all, "https://")  ? text + 8
			   : str_starts(all, "http://") ? text + 7
							: NULL;
	if (host == NULL || *host == '\0' || all.len > HTTP_ORIGIN_MAX)
		return false;
	/* What a header may hold without quotes; an IPv6 address stands in brackets. */
	return strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") == strlen(host);
}

static struct str
span(const char *text, struct http_span s)
{
	return (struct str) { text + s.at, s.len };
}

enum http_cors
http_cors_of(const char *origin, const struct http_head *h, const char *text)
{
	if (origin == NULL || origin[0] == '\0')
		return HTTP_CORS_NONE;
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (!str_ieq(span(text, h->fields[i].name), STR("Origin")))
			continue;
		if (!str_is(span(text, h->fields[i].value), origin))
			return HTTP_CORS_NONE;
		return h->method == HTTP_OPTIONS ? HTTP_CORS_PREFLIGHT : HTTP_CORS_ANSWER;
	}
	return HTTP_CORS_NONE;
}

void
http_cors_write(struct buf *out, const char *origin, enum http_cors cors)
{
	if (origin == NULL || origin[0] == '\0')
		return;
	buf_add_cstr(out, "\r\nVary: Origin");
	if (cors == HTTP_CORS_NONE)
		return;
	buf_add_cstr(out, "\r\nAccess-Control-Allow-Origin: ");
	buf_add_cstr(out, origin);
	if (cors == HTTP_CORS_ANSWER)
		buf_add_cstr(out, "\r\nAccess-Control-Expose-Headers: " ANSWER_HEADERS);
	else
		buf_add_cstr(out, "\r\nAccess-Control-Allow-Methods: " METHODS
				  "\r\nAccess-Control-Allow-Headers: " REQUEST_HEADERS
				  "\r\nAccess-Control-Max-Age: " PREFLIGHT_SECONDS);
}
