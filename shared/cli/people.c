/*
 * people.c — from names to ids, and the calls of the commands on people. See people.h.
 */
#include "cli/people.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"

/* The id of the first row of a list; empty if there is none. */
static bool
first_id(const struct cli_reply *reply, char id[CLI_ID_SIZE])
{
	struct cJSON *j = NULL;
	const char *text = "";
	struct err_info info = { .code = ERR_OK };

	enum err err = json_parse(buf_str(&reply->body), &j, &info);
	const struct cJSON *row = err == ERR_OK ? cJSON_GetArrayItem(json_get(j, "data"), 0) : NULL;
	if (row != NULL)
		err = json_string(row, "id", true, &text, &info);
	const bool ok = err == ERR_OK && str_copy(id, CLI_ID_SIZE, str_of(text));
	json_free(j);
	return ok;
}

static bool
find(struct cli *c, const char *path, const char *name, const char *what, char id[CLI_ID_SIZE])
{
	struct cli_reply reply;
	struct buf query;
	bool ok = false;

	id[0] = '\0';
	buf_init(&query, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&query, path);
	cli_escape(&query, name);
	if (query.failed) {
		buf_free(&query);
		fprintf(stderr, "bimodal: the name is too long\n");
		return false;
	}
	if (cli_call(c, CLI_CORE, "GET", buf_cstr(&query), NULL, STR_NONE, &reply)) {
		if (reply.status != 200)
			(void)cli_reply_print(c, &reply);
		else if (!first_id(&reply, id) || id[0] == '\0')
			fprintf(stderr, "bimodal: there is no %s \"%s\"\n", what, name);
		else
			ok = true;
	}
	cli_reply_free(&reply);
	buf_free(&query);
	return ok;
}

bool
people_user(struct cli *c, const char *name, char id[CLI_ID_SIZE])
{
	return find(c, "/v1/users?name=", name, "user", id);
}

bool
people_team(struct cli *c, const char *slug, char id[CLI_ID_SIZE])
{
	return find(c, "/v1/teams?archived=true&slug=", slug, "team", id);
}

int
people_call(struct cli *c, const char *method, const char *before, const char *id,
	    const char *after, struct str body)
{
	return cli_call_one(c, CLI_CORE, method, before, id, after, body);
}

int
people_list(struct cli *c, const char *path, const struct show_column *columns)
{
	struct buf query;

	buf_init(&query, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&query, path);
	if (!cli_query(c, 0, '?', &query)) {
		buf_free(&query);
		return 2;
	}
	const int exit_code = query.failed ? 2 : show_list(c, CLI_CORE, buf_cstr(&query), columns);
	buf_free(&query);
	return exit_code;
}

/* ---- bodies ---- */

void
people_object_begin(struct buf *b)
{
	buf_init(b, CLI_PATH_BYTES_MAX * 4);
	buf_add_char(b, '{');
}

static void
name_add(struct buf *b, const char *name)
{
	if (buf_str(b).len > 1)
		buf_add_char(b, ',');
	buf_json_cstr(b, name);
	buf_add_char(b, ':');
}

void
people_text(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	name_add(b, name);
	buf_json_cstr(b, value);
}

void
people_words(struct buf *b, const char *name, const char *commas)
{
	struct str rest = str_of(commas);
	if (commas == NULL)
		return;
	name_add(b, name);
	buf_add_char(b, '[');
	while (rest.p != NULL && commas[0] != '\0') {
		buf_json_str(b, str_cut(&rest, ','));
		if (rest.p != NULL)
			buf_add_char(b, ',');
	}
	buf_add_char(b, ']');
}

void
people_json(struct buf *b, const char *name, const char *json)
{
	if (json == NULL)
		return;
	name_add(b, name);
	buf_add_cstr(b, json);
}

void
people_object_end(struct buf *b)
{
	buf_add_char(b, '}');
}
