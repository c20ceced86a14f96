/*
 * team.c — commands on teams and their members. A team is named by its slug.
 */
#include <stdio.h>

#include "cli/people.h"

static int
team_list(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "team", "slug", SHOW_TEXT },
		{ "members", "members", SHOW_TEXT },
		{ "archived", "archived_at", SHOW_TIME },
		{ "name", "name", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	return cli_options(c, NULL, 0, 0, 8) ? people_list(c, "/v1/teams", columns) : 2;
}

static int
team_add(struct cli *c)
{
	const char *name = NULL, *parent = NULL;
	const struct cli_option options[] = { { "--name", CLI_OPTION_TEXT, &name, 0, 0 },
					      { "--parent", CLI_OPTION_TEXT, &parent, 0, 0 } };
	char above[CLI_ID_SIZE];
	struct buf body;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	if (parent != NULL && !people_team(c, parent, above))
		return 1;
	people_object_begin(&body);
	people_text(&body, "slug", c->argv[0]);
	people_text(&body, "name", name != NULL ? name : c->argv[0]);
	people_text(&body, "parent", parent != NULL ? above : NULL);
	people_object_end(&body);
	const int exit_code = cli_call_print(c, CLI_CORE, "POST", "/v1/teams", buf_str(&body));
	buf_free(&body);
	return exit_code;
}

static int
one(struct cli *c, const char *method, const char *after)
{
	char id[CLI_ID_SIZE];

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	if (!people_team(c, c->argv[0], id))
		return 1;
	return people_call(c, method, "/v1/teams/", id, after, STR_NONE);
}

static int
team_members(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "name", "name", SHOW_TEXT },
		{ "leads", "is_lead", SHOW_SWITCH },
		{ "since", "since", SHOW_TIME },
		{ "disabled", "disabled_at", SHOW_TIME },
		{ "display name", "display_name", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	char id[CLI_ID_SIZE];
	char path[128];

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	if (!people_team(c, c->argv[0], id))
		return 1;
	(void)snprintf(path, sizeof(path), "/v1/teams/%s/members", id);
	return show_list(c, CLI_CORE, path, columns);
}

static int
team_archive(struct cli *c)
{
	return one(c, "DELETE", "");
}

static int
team_restore(struct cli *c)
{
	return one(c, "POST", "/restore");
}

static int
member(struct cli *c, const char *method, struct str body)
{
	char team[CLI_ID_SIZE];
	char user[CLI_ID_SIZE];
	struct buf before;

	if (!people_team(c, c->argv[0], team) || !people_user(c, c->argv[1], user))
		return 1;
	buf_init(&before, CLI_PATH_BYTES_MAX);
	buf_printf(&before, "/v1/teams/%s/members/", team);
	const int exit_code = people_call(c, method, buf_cstr(&before), user, "", body);
	buf_free(&before);
	return exit_code;
}

static int
team_join(struct cli *c)
{
	bool lead = false;
	const struct cli_option options[] = { { "--lead", CLI_OPTION_SWITCH, &lead, 0, 0 } };

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 2))
		return 2;
	return member(c, "PUT", lead ? STR("{\"is_lead\":true}") : STR("{\"is_lead\":false}"));
}

static int
team_leave(struct cli *c)
{
	return cli_options(c, NULL, 0, 2, 2) ? member(c, "DELETE", STR_NONE) : 2;
}

const struct cli_command cli_team_commands[] = {
	{ "team list", "[archived=true …]", "teams", team_list, "operator" },
	{ "team add", "SLUG [--name TEXT] [--parent SLUG]", "a new one", team_add, "operator" },
	{ "team members", "SLUG", "who is in it", team_members, "operator" },
	{ "team join", "SLUG USER [--lead]", "somebody is a member, or leads it", team_join,
	  "operator" },
	{ "team leave", "SLUG USER", "he is no longer", team_leave, "operator" },
	{ "team archive", "SLUG", "it is over; its name stays", team_archive, "operator" },
	{ "team restore", "SLUG", "it goes on", team_restore, "operator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
