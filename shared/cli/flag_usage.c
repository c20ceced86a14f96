/*
 * flag_usage.c — who asks for a flag and what uses it, keys that are asked for though there is no flag, and after a kill the
 * applications that nobody tells.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/flag.h"
#include "cli/show.h"

#define TEXT_BYTES_MAX 1024
#define MS_PER_SECOND 1000
#define SECONDS_PER_HOUR 3600

/* A member of an object as text; `out` holds it. */
static const char *
text_of(const struct cJSON *j, const char *member, struct buf *out)
{
	const struct cJSON *item = json_get(j, member);

	buf_init(out, TEXT_BYTES_MAX);
	show_value(out, item, strstr(member, "_at") != NULL ? SHOW_TIME : SHOW_TEXT);
	const char *text = buf_cstr(out);
	return text != NULL ? text : "";
}

static void
asker_print(const struct cJSON *a)
{
	struct buf name, client, last, count, daemon;
	int64_t streams = 0;

	const bool all = cJSON_IsString(json_get(a, "how")) &&
			 strcmp(json_get(a, "how")->valuestring, "all") == 0;
	if (json_int(a, "streams", false, 0, INT64_MAX, &streams, NULL) != ERR_OK)
		streams = 0;
	printf("%s with %s asks %s for %s: %s times, last %s", text_of(a, "name", &name),
	       text_of(a, "client", &client), text_of(a, "daemon", &daemon),
	       all ? "all flags" : "it", text_of(a, "count", &count), text_of(a, "last_at", &last));
	if (streams > 0)
		printf(", holds %lld event %s", (long long)streams,
		       streams == 1 ? "stream" : "streams");
	putchar('\n');
	buf_free(&name);
	buf_free(&client);
	buf_free(&last);
	buf_free(&count);
	buf_free(&daemon);
}

struct hypotheses {
	const char *key;
	unsigned n;
};

/* Which hypothesis a flag is of is the sandbox's to know. */
static bool
hypothesis_look(const struct cJSON *record, void *arg)
{
	struct hypotheses *h = arg;
	const char *flag = NULL, *slug = NULL, *state = NULL;

	if (json_string(record, "flag", true, &flag, NULL) != ERR_OK ||
	    json_string(record, "slug", true, &slug, NULL) != ERR_OK ||
	    json_string(record, "state", true, &state, NULL) != ERR_OK || strcmp(flag, h->key) != 0)
		return true;
	printf("used by hypothesis %s (%s)\n", slug, state);
	h->n++;
	return true;
}

static void
hypotheses_print(struct cli *c, const char *key)
{
	struct hypotheses h = { .key = key };
	struct cli_reply reply;
	struct cJSON *j = NULL;

	if (cli_call_quiet(c, CLI_SANDBOX, "GET", "/v1/features?limit=500", NULL, STR_NONE,
			   &reply) &&
	    reply.status == 200 && json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK) {
		const struct cJSON *item;
		cJSON_ArrayForEach(item, json_get(j, "data"))(void) hypothesis_look(item, &h);
	} else {
		puts("the sandbox does not answer: which hypothesis uses it is not known");
	}
	json_free(j);
	cli_reply_free(&reply);
}

static void
usage_print(struct cli *c, const struct cJSON *j)
{
	const struct cJSON *item;
	struct buf name, how;

	cJSON_ArrayForEach(item, json_get(j, "used_by"))
	{
		printf("used by %s ", text_of(item, "kind", &name));
		buf_free(&name);
		printf("%s: %s\n", text_of(item, "name", &name), text_of(item, "how", &how));
		buf_free(&name);
		buf_free(&how);
	}
	hypotheses_print(c, c->argv[0]);
	cJSON_ArrayForEach(item, json_get(j, "needs"))
	{
		if (cJSON_IsString(item))
			printf("waits for flag %s\n", item->valuestring);
	}
	cJSON_ArrayForEach(item, json_get(j, "asked_by")) asker_print(item);
	if (cJSON_GetArraySize(json_get(j, "asked_by")) == 0)
		printf("nobody has asked for it since %s\n", text_of(j, "since", &name));
	else
		text_of(j, "since", &name);
	buf_free(&name);
}

int
flag_usage(struct cli *c)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	struct buf path;
	int exit_code = 0;

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	flag_path(&path, c->argv[0], "/usage");
	if (!cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply))
		exit_code = 1;
	else if (reply.status != 200 || c->raw ||
		 json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK)
		exit_code = cli_reply_print(c, &reply);
	else
		usage_print(c, j);
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&path);
	return exit_code;
}

int
flag_unknown(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "key", "key", SHOW_TEXT },
		{ "asked for", "count", SHOW_TEXT },
		{ "first", "first_at", SHOW_TIME },
		{ "last", "last_at", SHOW_TIME },
		{ "was a flag", "archived", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	return cli_options(c, NULL, 0, 0, 0)
		       ? show_list(c, CLI_CORE, "/v1/unknown-flags?limit=200", columns)
		       : 2;
}

/* ---- after a kill ---- */

static void
application_print(const struct cJSON *a)
{
	struct buf name, client, last;
	int64_t every = -1;

	const bool all = cJSON_IsString(json_get(a, "asks")) &&
			 strcmp(json_get(a, "asks")->valuestring, "all") == 0;
	if (json_int(a, "every_ms", false, 0, INT64_MAX, &every, NULL) != ERR_OK)
		every = -1;
	printf("  %s with %s, last asked %s: ", text_of(a, "name", &name),
	       text_of(a, "client", &client), text_of(a, "last_at", &last));
	if (!all)
		puts("asks each time, so it has the new answer from its next question on");
	else if (every >= 0)
		printf("keeps what it has until it asks again; its questions come every %.1f s\n",
		       (double)every / MS_PER_SECOND);
	else
		puts("keeps what it has until it asks again; when is not known");
	buf_free(&name);
	buf_free(&client);
	buf_free(&last);
}

void
flag_applications_print(const struct cJSON *j)
{
	const struct cJSON *seen = json_get(j, "applications");
	const struct cJSON *list = json_get(seen, "without_stream");
	const struct cJSON *item;
	int64_t streams = 0, seconds = 0;

	if (!cJSON_IsObject(seen) ||
	    json_int(seen, "streams", true, 0, INT64_MAX, &streams, NULL) != ERR_OK ||
	    json_int(seen, "seconds", true, 0, INT64_MAX, &seconds, NULL) != ERR_OK)
		return;
	printf("told at once: %lld event %s\n", (long long)streams,
	       streams == 1 ? "stream" : "streams");
	if (cJSON_GetArraySize(list) == 0)
		return;
	printf("not told, because they hold no event stream (asked in the last %.4g h):\n",
	       (double)seconds / SECONDS_PER_HOUR);
	cJSON_ArrayForEach(item, list) application_print(item);
}
