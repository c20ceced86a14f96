/*
 * segment.c — commands on segments: filters over people or organizations under a name, for the rules of flags.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/people.h"

#define WORDS_MAX 64

static int
segment_list(struct cli *c)
{
	if (!cli_options(c, NULL, 0, 0, 0))
		return 2;
	return cli_call_print(c, CLI_CORE, "GET", "/v1/segments", STR_NONE);
}

static int
segment_create(struct cli *c)
{
	const char *purpose = NULL, *business = NULL, *technical = NULL;
	const struct cli_option options[] = {
		{ "--purpose", CLI_OPTION_TEXT, &purpose, 0, 0 },
		{ "--business-owner", CLI_OPTION_TEXT, &business, 0, 0 },
		{ "--technical-owner", CLI_OPTION_TEXT, &technical, 0, 0 },
	};
	struct buf query, body;
	int exit_code = 2;

	if (!cli_options(c, options, ARRAY_LEN(options), 3, WORDS_MAX))
		return 2;
	buf_init(&query, CLI_PATH_BYTES_MAX);
	if (cli_query(c, 2, '\0', &query)) {
		people_object_begin(&body);
		people_text(&body, "name", c->argv[0]);
		people_text(&body, "resource", c->argv[1]);
		people_text(&body, "query", buf_cstr(&query));
		people_text(&body, "purpose", purpose);
		people_text(&body, "business_owner", business);
		people_text(&body, "technical_owner", technical);
		people_object_end(&body);
		exit_code = cli_call_print(c, CLI_CORE, "POST", "/v1/segments", buf_str(&body));
		buf_free(&body);
	}
	buf_free(&query);
	return exit_code;
}

static int
one(struct cli *c, const char *method)
{
	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	return cli_call_one(c, CLI_CORE, method, "/v1/segments/", c->argv[0], "", STR_NONE);
}

static int
segment_show(struct cli *c)
{
	return one(c, "GET");
}

static int
segment_delete(struct cli *c)
{
	return one(c, "DELETE");
}

const struct cli_command cli_segment_commands[] = {
	{ "segment list", "", "the segments, and which flags use them", segment_list,
	  "product_owner" },
	{ "segment create",
	  "NAME people|organizations FIELD=VALUE … --purpose TEXT --business-owner NAME "
	  "--technical-owner NAME",
	  "keep filters of a list under a name that rules may ask for", segment_create,
	  "product_owner" },
	{ "segment show", "NAME", "its filters, and which flags use it", segment_show,
	  "product_owner" },
	{ "segment delete", "NAME", "end it, unless a flag uses it", segment_delete,
	  "product_owner" },
	{ NULL, NULL, NULL, NULL, NULL },
};
