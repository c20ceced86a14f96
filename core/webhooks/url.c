/*
 * url.c — is a URL one that a webhook may have? What can be seen without resolving its name: the scheme, a login in it, an address in
 * place of a name. The same parser reads it that will connect. What a name resolves to is judged when it is connected to.
 */
#include "core/webhooks/internal.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>

#define URL_BYTES_MAX 2000

/* "127.0.0.1" or "[::1]" as curl gives them back (it has brought 0x7f.1 and its like to that form); false: it is a name. */
static bool
address_of(const char *host, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;
	char inner[INET6_ADDRSTRLEN];
	const size_t len = strlen(host);

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		return true;
	}
	if (len < 3 || host[0] != '[' ||
	    !str_copy(inner, sizeof(inner), (struct str) { host + 1, len - 2 }) ||
	    inet_pton(AF_INET6, inner, &in6->sin6_addr) != 1)
		return false;
	in6->sin6_family = AF_INET6;
	return true;
}

static const char *
parts_wrong(const char *scheme, const char *host, const char *user,
	    const struct core_webhooks_nets *nets)
{
	struct sockaddr_storage address;

	if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		return "must begin with https://";
	if (user != NULL)
		return "must hold no user and no password";
	if (host[0] == '[' && strchr(host, ']') == NULL)
		return "is not a URL";
	if (!address_of(host, &address))
		return strcmp(scheme, "http") == 0 && nets->n == 0
			       ? "must begin with https://: no private network is allowed here"
			       : NULL;
	if (core_webhooks_in_nets(nets, (const struct sockaddr *)&address))
		return NULL;
	if (!core_webhooks_is_public((const struct sockaddr *)&address))
		return "is an address that webhooks may not reach";
	return strcmp(scheme, "http") == 0 ? "must begin with https://" : NULL;
}

const char *
core_webhooks_url_wrong(struct str url, const struct core_webhooks_nets *nets, struct arena *arena)
{
	char *scheme = NULL;
	char *host = NULL;
	char *user = NULL;
	const char *wrong = "is not a URL";
	const char *text = url.len <= URL_BYTES_MAX ? arena_strdup(arena, url) : NULL;

	for (size_t i = 0; i < url.len; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~')
			return "must be printable ASCII without spaces";
	CURLU *u = curl_url();
	if (text != NULL && u != NULL && curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		(void)curl_url_get(u, CURLUPART_USER, &user, 0);
		wrong = parts_wrong(scheme, host, user, nets);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(u);
	return wrong;
}
