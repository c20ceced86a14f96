/*
 * cors.c — see cors.h. Called once for each request and each answer, also for those that never become a task.
 */
#include "http/cors.h"

#include <string.h>

#include "http/http.h"

#define METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"
#define REQUEST_HEADERS                                                                            \
	"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "   \
	"X-API-Key"
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

bool
http_origins_valid(const char *text)
{
	struct str rest = str_of(text);
	char one[HTTP_ORIGIN_MAX + 1];
	while (rest.len > 0) {
		if (!str_copy(one, sizeof(one), str_cut(&rest, ' ')) || !http_origin_valid(one) ||
		    (rest.p != NULL && rest.len == 0))
			return false;
	}
	return true;
}

static struct str
span(const char *text, struct http_span s)
{
	return (struct str) { text + s.at, s.len };
}

/* Of a list with spaces between, the one that is asked for. */
static struct str
listed(const char *origins, struct str origin)
{
	struct str rest = str_of(origins);
	while (rest.p != NULL) {
		const struct str one = str_cut(&rest, ' ');
		if (one.len > 0 && str_eq(one, origin))
			return one;
	}
	return STR_NONE;
}

struct http_cors
http_cors_of(const struct http_conf *conf, const struct http_head *h, const char *text)
{
	const bool prefixed = conf->cors_origins != NULL && conf->cors_origins[0] != '\0' &&
			      str_starts(span(text, h->target), conf->cors_prefix);
	struct http_cors cors = { .varies = prefixed || str_of(conf->cors_origin).len > 0 };
	for (unsigned i = 0; cors.varies && i < h->n_fields; i++) {
		if (!str_ieq(span(text, h->fields[i].name), STR("Origin")))
			continue;
		const struct str asked = span(text, h->fields[i].value);
		cors.origin = listed(conf->cors_origin, asked);
		if (cors.origin.p == NULL && prefixed)
			cors.origin = listed(conf->cors_origins, asked);
		if (cors.origin.p != NULL)
			cors.kind =
				h->method == HTTP_OPTIONS ? HTTP_CORS_PREFLIGHT : HTTP_CORS_ANSWER;
		break;
	}
	return cors;
}

void
http_cors_write(struct buf *out, const struct http_cors *cors)
{
	if (!cors->varies)
		return;
	buf_add_cstr(out, "\r\nVary: Origin");
	if (cors->kind == HTTP_CORS_NONE)
		return;
	buf_add_cstr(out, "\r\nAccess-Control-Allow-Origin: ");
	buf_add_str(out, cors->origin);
	if (cors->kind == HTTP_CORS_ANSWER)
		buf_add_cstr(out, "\r\nAccess-Control-Expose-Headers: " ANSWER_HEADERS);
	else
		buf_add_cstr(out, "\r\nAccess-Control-Allow-Methods: " METHODS
				  "\r\nAccess-Control-Allow-Headers: " REQUEST_HEADERS
				  "\r\nAccess-Control-Max-Age: " PREFLIGHT_SECONDS);
}
