/*
 * view.c — commands on saved views: a list's filters, sort and fields under a name. A view is meant by its id, or by its name: one's own
 * before those that others share; --resource tells apart two of one name.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/cli.h"
#include "cli/people.h"

#define WORDS_MAX 64

/* ---- which one ---- */

struct found {
	char id[CLI_ID_SIZE];
	char resource[CLI_ID_SIZE];
};

/* How well a view of the list answers to the name: 0 not at all, 1 another's of that name, 2 one's own, 3 by its id. */
static unsigned
rank(const struct cJSON *view, const char *name, const char *resource)
{
	const char *id = "", *named = "", *of = "";
	bool mine = false;

	if (json_string(view, "id", true, &id, NULL) != ERR_OK ||
	    json_string(view, "name", true, &named, NULL) != ERR_OK ||
	    json_string(view, "resource", true, &of, NULL) != ERR_OK ||
	    json_bool(view, "mine", true, &mine, NULL) != ERR_OK)
		return 0;
	if (strcmp(id, name) == 0)
		return 3;
	if (strcmp(named, name) != 0 || (resource != NULL && strcmp(of, resource) != 0))
		return 0;
	return mine ? 2 : 1;
}

static bool
pick(const struct cJSON *list, const char *name, const char *resource, struct found *out)
{
	const struct cJSON *best = NULL;
	const struct cJSON *view;
	const char *id = "", *of = "";
	unsigned best_rank = 0, same = 0;

	cJSON_ArrayForEach(view, list)
	{
		const unsigned r = rank(view, name, resource);
		same = r > best_rank ? 1 : same + (r == best_rank && r > 0);
		best = r > best_rank ? view : best;
		best_rank = MAX(best_rank, r);
	}
	if (best == NULL)
		fprintf(stderr, "bimodal: there is no view \"%s\", or it is not shared\n", name);
	else if (same > 1)
		fprintf(stderr,
			"bimodal: %u views are named \"%s\": say which by --resource or id\n", same,
			name);
	return best != NULL && same == 1 && json_string(best, "id", true, &id, NULL) == ERR_OK &&
	       json_string(best, "resource", true, &of, NULL) == ERR_OK &&
	       str_copy(out->id, sizeof(out->id), str_of(id)) &&
	       str_copy(out->resource, sizeof(out->resource), str_of(of));
}

static bool
find(struct cli *c, const char *name, const char *resource, struct found *out)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	bool ok = false;

	if (cli_call(c, CLI_CORE, "GET", "/v1/views", NULL, STR_NONE, &reply)) {
		if (reply.status != 200 || json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK)
			(void)cli_reply_print(c, &reply);
		else
			ok = pick(json_get(j, "data"), name, resource, out);
	}
	json_free(j);
	cli_reply_free(&reply);
	return ok;
}

/* ---- the commands ---- */

static int
view_list(struct cli *c)
{
	struct buf path;

	if (!cli_options(c, NULL, 0, 0, 1))
		return 2;
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/views");
	if (c->argc > 0) {
		buf_add_cstr(&path, "?resource=");
		cli_escape(&path, c->argv[0]);
	}
	const int exit_code = cli_call_print(c, CLI_CORE, "GET", buf_cstr(&path), STR_NONE);
	buf_free(&path);
	return exit_code;
}

static int
view_create(struct cli *c)
{
	const char *shared = NULL;
	const struct cli_option options[] = { { "--shared", CLI_OPTION_TEXT, &shared, 0, 0 } };
	struct buf query;
	struct buf body;
	int exit_code = 2;

	if (!cli_options(c, options, ARRAY_LEN(options), 2, WORDS_MAX))
		return 2;
	buf_init(&query, CLI_PATH_BYTES_MAX);
	if (cli_query(c, 2, '\0', &query)) {
		people_object_begin(&body);
		people_text(&body, "resource", c->argv[0]);
		people_text(&body, "name", c->argv[1]);
		people_text(&body, "query", buf_cstr(&query));
		people_text(&body, "shared", shared);
		people_object_end(&body);
		exit_code = cli_call_print(c, CLI_CORE, "POST", "/v1/views", buf_str(&body));
		buf_free(&body);
	}
	buf_free(&query);
	return exit_code;
}

/* A call of "/v1/views/<id>" for the view that the first word names. */
static int
one(struct cli *c, const char *method)
{
	const char *resource = NULL;
	const struct cli_option options[] = { { "--resource", CLI_OPTION_TEXT, &resource, 0, 0 } };
	struct found view;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	return find(c, c->argv[0], resource, &view)
		       ? people_call(c, method, "/v1/views/", view.id, "", STR_NONE)
		       : 1;
}

static int
view_show(struct cli *c)
{
	return one(c, "GET");
}

static int
view_delete(struct cli *c)
{
	return one(c, "DELETE");
}

/* What is given here holds over what the view says. */
static int
view_run(struct cli *c)
{
	const char *resource = NULL;
	const struct cli_option options[] = { { "--resource", CLI_OPTION_TEXT, &resource, 0, 0 } };
	struct found view;
	struct buf more;
	int exit_code = 2;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, WORDS_MAX))
		return 2;
	buf_init(&more, CLI_PATH_BYTES_MAX);
	if (cli_query(c, 1, '&', &more)) {
		exit_code = 1;
		if (find(c, c->argv[0], resource, &view)) {
			struct buf before;
			buf_init(&before, CLI_PATH_BYTES_MAX);
			buf_printf(&before, "/v1/%s?view=", view.resource);
			exit_code = people_call(c, "GET", buf_cstr(&before), view.id,
						buf_cstr(&more), STR_NONE);
			buf_free(&before);
		}
	}
	buf_free(&more);
	return exit_code;
}

const struct cli_command cli_view_commands[] = {
	{ "view list", "[RESOURCE]", "own views and those that others share", view_list, NULL },
	{ "view create",
	  "RESOURCE NAME [FIELD=VALUE sort=… fields=… …] [--shared private|team|all]",
	  "keep a list's filters, sort and fields under a name", view_create, NULL },
	{ "view show", "NAME|ID [--resource RESOURCE]", "what it says", view_show, NULL },
	{ "view run", "NAME|ID [--resource RESOURCE] [limit=… after=… …]", "the records it lists",
	  view_run, NULL },
	{ "view delete", "NAME|ID [--resource RESOURCE]", "end it", view_delete, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
