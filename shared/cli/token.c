/*
 * token.c — commands on tokens: those of the one who asks (--as, --token-file), or of a service. A new token is shown once; --quiet
 * prints its text alone, so that it can go into a file.
 */
#include <stdio.h>

#include "base/clock.h"
#include "cli/people.h"

#define DAY (INT64_C(86400) * USEC_PER_SEC)

static int
token_list(struct cli *c)
{
	const char *of = NULL;
	bool ended = false, all = false;
	const struct cli_option options[] = { { "--of", CLI_OPTION_TEXT, &of, 0, 0 },
					      { "--all", CLI_OPTION_SWITCH, &all, 0, 0 },
					      { "--ended", CLI_OPTION_SWITCH, &ended, 0, 0 } };
	char id[CLI_ID_SIZE] = "";
	char path[128];

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	if (of != NULL && !people_user(c, of, id))
		return 1;
	(void)snprintf(path, sizeof(path), "/v1/tokens?ended=%s%s%s", ended ? "true" : "false",
		       all          ? "&principal=all"
		       : of != NULL ? "&principal="
				    : "",
		       all ? "" : id);
	static const struct show_column columns[] = {
		{ "id", "id", SHOW_TEXT },
		{ "of", "principal_name", SHOW_TEXT },
		{ "for", "audience", SHOW_TEXT },
		{ "begins", "prefix", SHOW_TEXT },
		{ "expires", "expires_at", SHOW_TIME },
		{ "last used", "last_used_at", SHOW_TIME },
		{ "label", "label", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	return show_list(c, CLI_CORE, path, columns);
}

/* The reply of a new token: as it is, or the text alone. */
static int
made(struct cli *c, const char *path, struct str body)
{
	struct cli_reply reply;
	char text[128];
	int exit_code = 1;

	if (cli_call(c, CLI_CORE, "POST", path, NULL, body, &reply)) {
		if (reply.status != 201 || !c->quiet ||
		    !cli_reply_member(&reply, "token", text, sizeof(text)))
			exit_code = cli_reply_print(c, &reply);
		else
			exit_code = puts(text) < 0;
	}
	cli_reply_free(&reply);
	return exit_code;
}

/* In so many days, as the API writes times. */
static void
expiry_add(struct buf *body, int64_t days)
{
	char text[CLOCK_RFC3339_SIZE];

	if (days == 0)
		return;
	/* A minute less, so that a clock that is ahead does not pass the limit of core. */
	clock_rfc3339(clock_wall_us() + days * DAY - 60 * USEC_PER_SEC, text);
	people_text(body, "expires_at", text);
}

static int
token_create(struct cli *c)
{
	const char *audience = "core", *service = NULL, *scopes = NULL, *label = NULL;
	int64_t days = 90;
	const struct cli_option options[] = {
		{ "--audience", CLI_OPTION_TEXT, &audience, 0, 0 },
		{ "--for", CLI_OPTION_TEXT, &service, 0, 0 },
		{ "--scopes", CLI_OPTION_TEXT, &scopes, 0, 0 },
		{ "--label", CLI_OPTION_TEXT, &label, 0, 0 },
		{ "--days", CLI_OPTION_INT, &days, 1, 3650 },
	};
	char id[CLI_ID_SIZE];
	struct buf body;

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	if (service != NULL && !people_user(c, service, id))
		return 1;
	people_object_begin(&body);
	people_text(&body, "audience", audience);
	people_text(&body, "principal", service != NULL ? id : NULL);
	people_words(&body, "scopes", scopes);
	people_text(&body, "label", label);
	expiry_add(&body, days);
	people_object_end(&body);
	const int exit_code = made(c, "/v1/tokens", buf_str(&body));
	buf_free(&body);
	return exit_code;
}

static int
token_rotate(struct cli *c)
{
	int64_t overlap = -1, days = 0;
	const struct cli_option options[] = { { "--overlap", CLI_OPTION_INT, &overlap, 0, 10080 },
					      { "--days", CLI_OPTION_INT, &days, 1, 3650 } };
	char minutes[24];
	struct buf path;
	struct buf body;

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	(void)snprintf(minutes, sizeof(minutes), "%lld", (long long)overlap);
	people_object_begin(&body);
	people_json(&body, "overlap_minutes", overlap >= 0 ? minutes : NULL);
	expiry_add(&body, days);
	people_object_end(&body);
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/tokens/");
	cli_escape(&path, c->argv[0]);
	buf_add_cstr(&path, "/rotate");
	const int exit_code = path.failed ? 2 : made(c, buf_cstr(&path), buf_str(&body));
	buf_free(&path);
	buf_free(&body);
	return exit_code;
}

static int
token_revoke(struct cli *c)
{
	return cli_options(c, NULL, 0, 1, 1)
		       ? people_call(c, "DELETE", "/v1/tokens/", c->argv[0], "", STR_NONE)
		       : 2;
}

const struct cli_command cli_token_commands[] = {
	{ "token list", "[--of NAME | --all] [--ended]", "one's own tokens, or others'", token_list,
	  "operator" },
	{ "token create",
	  "[--audience core|sandbox] [--days N] [--scopes RIGHT,…] [--for SERVICE] [--label TEXT]",
	  "a new token, shown once (--quiet: its text alone)", token_create, "operator" },
	{ "token rotate", "ID [--overlap MINUTES] [--days N]",
	  "a new one in its place; the old one goes on for an hour", token_rotate, "operator" },
	{ "token revoke", "ID", "it ends now", token_revoke, "operator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
