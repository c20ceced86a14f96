/*
 * consent.c — `bimodal consent withdraw|grant PERSON PURPOSE`: finds or makes the person's consent of that purpose and sets its state.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/cli.h"

static const char *const purposes[] = { "analysis", "marketing", "profiling", NULL };

static void
path_make(struct buf *path, const char *person)
{
	buf_init(path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(path, "/v1/people/");
	cli_escape(path, person);
	buf_add_cstr(path, "/consents");
}

/* Its id, "" if there is none. */
static bool
consent_find(struct cli *c, const char *person, const char *purpose, char id[CLI_ID_SIZE])
{
	struct buf path;
	struct cli_reply reply;
	struct cJSON *j = NULL;
	const char *found = NULL;
	bool ok = false;

	id[0] = '\0';
	path_make(&path, person);
	buf_printf(&path, "?fields=id&limit=1&purpose=eq.%s", purpose);
	if (cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply)) {
		const struct cJSON *data = NULL;
		if (reply.status != 200)
			(void)cli_reply_print(c, &reply);
		else if (json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK)
			data = json_get(j, "data");
		ok = cJSON_IsArray(data);
		if (ok && data->child != NULL)
			ok = json_string(data->child, "id", true, &found, NULL) == ERR_OK &&
			     str_copy(id, CLI_ID_SIZE, str_of(found));
	}
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&path);
	return ok;
}

static int
consent_create(struct cli *c, const char *person, const char *purpose, const char *state)
{
	struct buf path;
	struct buf body;

	path_make(&path, person);
	buf_init(&body, 1024);
	buf_printf(&body, "{\"purpose\":\"%s\",\"state\":\"%s\",\"source\":\"cli\"}", purpose,
		   state);
	const int exit_code = cli_call_print(c, CLI_CORE, "POST", buf_cstr(&path), buf_str(&body));
	buf_free(&body);
	buf_free(&path);
	return exit_code;
}

/* Reads the version first: what someone else changed meanwhile is not overwritten. */
static int
consent_change(struct cli *c, const char *person, const char *id, const char *state)
{
	struct buf path;
	struct cli_reply reply;
	char extra[256];
	char body[64];
	int exit_code = 1;

	path_make(&path, person);
	buf_printf(&path, "/%s", id);
	bool ok = cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply);
	if (ok && reply.status != 200) {
		(void)cli_reply_print(c, &reply);
		ok = false;
	}
	snprintf(extra, sizeof(extra), "If-Match: %s", reply.etag);
	cli_reply_free(&reply);
	if (ok) {
		snprintf(body, sizeof(body), "{\"state\":\"%s\",\"source\":\"cli\"}", state);
		if (cli_call(c, CLI_CORE, "PATCH", buf_cstr(&path), extra, str_of(body), &reply))
			exit_code = cli_reply_print(c, &reply);
		cli_reply_free(&reply);
	}
	buf_free(&path);
	return exit_code;
}

static int
consent_set(struct cli *c, const char *state)
{
	char id[CLI_ID_SIZE];
	bool known = false;

	if (!cli_options(c, NULL, 0, 2, 2))
		return 2;
	for (size_t i = 0; purposes[i] != NULL; i++)
		known = known || strcmp(c->argv[1], purposes[i]) == 0;
	if (!known) {
		fprintf(stderr,
			"bimodal: the purpose is analysis, marketing or profiling, not \"%s\"\n",
			c->argv[1]);
		return 2;
	}
	if (!consent_find(c, c->argv[0], c->argv[1], id))
		return 1;
	return id[0] != '\0' ? consent_change(c, c->argv[0], id, state)
			     : consent_create(c, c->argv[0], c->argv[1], state);
}

static int
consent_withdraw(struct cli *c)
{
	return consent_set(c, "withdrawn");
}

static int
consent_grant(struct cli *c)
{
	return consent_set(c, "granted");
}

const struct cli_command cli_consent_commands[] = {
	{ "consent withdraw", "PERSON analysis|marketing|profiling",
	  "without consent to analysis a person leaves the sandbox", consent_withdraw, NULL },
	{ "consent grant", "PERSON analysis|marketing|profiling",
	  "give a consent, for the first time or again", consent_grant, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
