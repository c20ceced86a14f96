/*
 * pages.c — see pages.h. Keyset cursors: what is written meanwhile may or may not be seen, nothing is seen twice.
 */
#include "cli/pages.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/json_in.h"

#define PAGE 200
#define CURSOR_BYTES_MAX 2048

/* Hands out one page; *next gets the cursor, "" at the end. */
static bool
page_take(const struct cli_reply *reply, cli_record_fn *fn, void *arg, char next[CURSOR_BYTES_MAX])
{
	struct cJSON *j = NULL;
	const char *cursor = NULL;

	next[0] = '\0';
	if (json_parse(buf_str(&reply->body), &j, NULL) != ERR_OK)
		return false;
	bool ok = cJSON_IsArray(json_get(j, "data"));
	bool more = true;
	const struct cJSON *record;
	cJSON_ArrayForEach(record, json_get(j, "data"))
	{
		if (!fn(record, arg)) {
			more = false;
			break;
		}
	}
	const struct cJSON *page = json_get(j, "page");
	const struct cJSON *at = cJSON_IsObject(page) ? json_get(page, "next") : NULL;
	if (ok && more && cJSON_IsString(at)) {
		ok = json_string(page, "next", true, &cursor, NULL) == ERR_OK &&
		     str_copy(next, CURSOR_BYTES_MAX, str_of(cursor));
	}
	json_free(j);
	return ok;
}

bool
cli_pages(struct cli *c, enum cli_daemon daemon, const char *resource, const char *query,
	  cli_record_fn *fn, void *arg)
{
	char next[CURSOR_BYTES_MAX] = "";
	bool ok;

	do {
		struct buf path;
		struct cli_reply reply;
		buf_init(&path, CLI_PATH_BYTES_MAX);
		buf_printf(&path, "/v1/%s?limit=%d", resource, PAGE);
		if (query != NULL)
			buf_printf(&path, "&%s", query);
		if (next[0] != '\0') {
			buf_add_cstr(&path, "&after=");
			cli_escape(&path, next);
		}
		ok = cli_call(c, daemon, "GET", buf_cstr(&path), NULL, STR_NONE, &reply);
		if (ok && reply.status != 200) {
			(void)cli_reply_print(c, &reply);
			ok = false;
		} else if (ok && !page_take(&reply, fn, arg, next)) {
			fprintf(stderr, "bimodal: the answer to %s is not a list\n", resource);
			ok = false;
		}
		cli_reply_free(&reply);
		buf_free(&path);
	} while (ok && next[0] != '\0');
	return ok;
}
