/*
 * feed.c — `bimodal feed status`: the feed as core sees it (two hops) and as the sandbox sees it.
 */
#include <stdio.h>

#include "cli/cli.h"

static int
feed_status(struct cli *c)
{
	int worst = 0;

	if (!cli_options(c, NULL, 0, 0, 0))
		return 2;
	for (int daemon = CLI_CORE; daemon <= CLI_SANDBOX; daemon++) {
		if (!c->raw)
			printf("as %s sees it:\n", cli_daemon_name[daemon]);
		const int exit_code =
			cli_call_print(c, (enum cli_daemon)daemon, "GET", "/v1/feed", STR_NONE);
		worst = exit_code > worst ? exit_code : worst;
		(void)fflush(stdout);
	}
	return worst;
}

const struct cli_command cli_feed_commands[] = {
	{ "feed status", "", "lag and state of both hops, as core and the sandbox see them",
	  feed_status, "operator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
