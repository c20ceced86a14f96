/*
 * user.c — commands on users and service principals: list, add, roles, disable, enable, and hand-over when somebody leaves.
 */
#include <stdio.h>

#include "cli/people.h"

static int
user_list(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "name", "name", SHOW_TEXT },
		{ "kind", "kind", SHOW_TEXT },
		{ "roles", "roles", SHOW_TEXT },
		{ "disabled", "disabled_at", SHOW_TIME },
		{ "display name", "display_name", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	return cli_options(c, NULL, 0, 0, 8) ? people_list(c, "/v1/users", columns) : 2;
}

static int
user_get(struct cli *c)
{
	char id[CLI_ID_SIZE];

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	if (!people_user(c, c->argv[0], id))
		return 1;
	return people_call(c, "GET", "/v1/users/", id, "", STR_NONE);
}

/* Owners are given by name; NULL stays out. */
static bool
owner_add(struct cli *c, struct buf *body, const char *member, const char *name)
{
	char id[CLI_ID_SIZE];

	if (name == NULL)
		return true;
	if (!people_user(c, name, id))
		return false;
	people_text(body, member, id);
	return true;
}

static int
user_add(struct cli *c)
{
	const char *email = NULL, *display = NULL, *locale = NULL, *roles = NULL, *business = NULL,
		   *technical = NULL;
	bool is_service = false;
	const struct cli_option options[] = {
		{ "--email", CLI_OPTION_TEXT, &email, 0, 0 },
		{ "--display-name", CLI_OPTION_TEXT, &display, 0, 0 },
		{ "--locale", CLI_OPTION_TEXT, &locale, 0, 0 },
		{ "--roles", CLI_OPTION_TEXT, &roles, 0, 0 },
		{ "--service", CLI_OPTION_SWITCH, &is_service, 0, 0 },
		{ "--business-owner", CLI_OPTION_TEXT, &business, 0, 0 },
		{ "--technical-owner", CLI_OPTION_TEXT, &technical, 0, 0 },
	};
	struct buf body;
	int exit_code = 1;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	people_object_begin(&body);
	people_text(&body, "name", c->argv[0]);
	people_text(&body, "kind", is_service ? "service" : NULL);
	people_text(&body, "email", email);
	people_text(&body, "display_name", display);
	people_text(&body, "locale", locale);
	people_words(&body, "roles", roles);
	if (owner_add(c, &body, "business_owner", business) &&
	    owner_add(c, &body, "technical_owner", technical)) {
		people_object_end(&body);
		exit_code = cli_call_print(c, CLI_CORE, "POST", "/v1/users", buf_str(&body));
	}
	buf_free(&body);
	return exit_code;
}

static int
one(struct cli *c, const char *after)
{
	char id[CLI_ID_SIZE];

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	if (!people_user(c, c->argv[0], id))
		return 1;
	return people_call(c, "POST", "/v1/users/", id, after, STR_NONE);
}

static int
user_disable(struct cli *c)
{
	return one(c, "/disable");
}

static int
user_enable(struct cli *c)
{
	return one(c, "/enable");
}

static int
user_roles(struct cli *c)
{
	char id[CLI_ID_SIZE];
	struct buf body;

	if (!cli_options(c, NULL, 0, 2, 2))
		return 2;
	if (!people_user(c, c->argv[0], id))
		return 1;
	people_object_begin(&body);
	people_words(&body, "roles", c->argv[1]);
	people_object_end(&body);
	const int exit_code = people_call(c, "PUT", "/v1/users/", id, "/roles", buf_str(&body));
	buf_free(&body);
	return exit_code;
}

static int
user_hand_over(struct cli *c)
{
	const char *to = NULL, *reason = NULL;
	bool dry = false;
	const struct cli_option options[] = {
		{ "--to", CLI_OPTION_TEXT, &to, 0, 0 },
		{ "--reason", CLI_OPTION_TEXT, &reason, 0, 0 },
		{ "--dry-run", CLI_OPTION_SWITCH, &dry, 0, 0 },
	};
	char leaver[CLI_ID_SIZE];
	char successor[CLI_ID_SIZE];
	struct buf body;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	if (to == NULL || reason == NULL) {
		fputs("bimodal: a hand-over needs a successor (--to) and a reason\n", stderr);
		return cli_usage(c);
	}
	if (!people_user(c, c->argv[0], leaver) || !people_user(c, to, successor))
		return 1;
	people_object_begin(&body);
	people_text(&body, "successor", successor);
	people_text(&body, "reason", reason);
	people_object_end(&body);
	const int exit_code =
		people_call(c, "POST", "/v1/users/", leaver,
			    dry ? "/hand-over?dry_run=true" : "/hand-over", buf_str(&body));
	buf_free(&body);
	return exit_code;
}

const struct cli_command cli_user_commands[] = {
	{ "user list", "[q=TEXT state=active|disabled kind=user|service …]", "people and services",
	  user_list, "operator" },
	{ "user get", "NAME", "one of them", user_get, "operator" },
	{ "user add",
	  "NAME [--email ADDRESS] [--display-name TEXT] [--locale TAG] [--roles ROLE,…] [--service "
	  "--business-owner NAME --technical-owner NAME]",
	  "a new person, or a service with its two owners", user_add, "operator" },
	{ "user roles", "NAME ROLE,…", "he has these roles; \"\" takes all away", user_roles,
	  "operator" },
	{ "user disable", "NAME", "his tokens work no longer, at both daemons", user_disable,
	  "operator" },
	{ "user enable", "NAME", "they do again", user_enable, "operator" },
	{ "user hand-over", "NAME --to NAME --reason TEXT [--dry-run]",
	  "end a leaver everywhere and give what he owned to a successor", user_hand_over,
	  "operator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
