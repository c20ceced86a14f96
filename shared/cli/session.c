/*
 * session.c — `bimodal session …` and `bimodal password …`: who is signed in, ending sessions, one-time secrets and the password they
 * set. A password is typed on the terminal without being shown, or comes as a line of standard input; never as an argument, which other
 * users of the machine could read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

#include "base/id.h"
#include "cli/people.h"
#include "cli/session.h"

#define USER_PATH_SIZE 128

static int
session_list(struct cli *c)
{
	bool all = false;
	const struct cli_option options[] = { { "--all", CLI_OPTION_SWITCH, &all, 0, 0 } };

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	return cli_call_print(c, CLI_CORE, "GET", all ? "/v1/sessions?all=true" : "/v1/sessions",
			      STR_NONE);
}

/* One call whose path has the command's one word in it. */
static int
call_with_word(struct cli *c, const char *method, const char *before, const char *behind,
	       struct str body)
{
	struct buf path;

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, before);
	cli_escape(&path, c->argv[0]);
	buf_add_cstr(&path, behind);
	const int exit_code = path.failed
				      ? cli_usage(c)
				      : cli_call_print(c, CLI_CORE, method, buf_cstr(&path), body);
	buf_free(&path);
	return exit_code;
}

static int
session_end(struct cli *c)
{
	return call_with_word(c, "DELETE", "/v1/sessions/", "", STR_NONE);
}

/* "/v1/users/ID<behind>" of the command's user, who is given by name or id. False: printed why. */
static bool
user_path(struct cli *c, const char *behind, char path[USER_PATH_SIZE])
{
	struct uuid parsed;
	char id[CLI_ID_SIZE];

	if (uuid_parse(str_of(c->argv[0]), &parsed) == ERR_OK)
		uuid_text(&parsed, id);
	else if (!people_user(c, c->argv[0], id))
		return false;
	(void)snprintf(path, USER_PATH_SIZE, "/v1/users/%s%s", id, behind);
	return true;
}

static int
session_end_all(struct cli *c)
{
	char path[USER_PATH_SIZE];

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	return user_path(c, "/sessions", path)
		       ? cli_call_print(c, CLI_CORE, "DELETE", path, STR_NONE)
		       : 1;
}

static int
password_reset(struct cli *c)
{
	struct cli_reply reply;
	char path[USER_PATH_SIZE];
	char secret[128];
	int exit_code = 1;

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	if (!user_path(c, "/password-reset", path))
		return 1;
	if (cli_call(c, CLI_CORE, "POST", path, NULL, STR("{}"), &reply)) {
		if (c->quiet && reply.status == 201 &&
		    cli_reply_member(&reply, "secret", secret, sizeof(secret)))
			exit_code = puts(secret) < 0;
		else
			exit_code = cli_reply_print(c, &reply);
	}
	cli_reply_free(&reply);
	return exit_code;
}

char *
session_ask(const char *what)
{
	const bool typed = isatty(STDIN_FILENO) == 1;
	struct termios before;
	struct termios quiet;
	char *line = NULL;
	size_t size = 0;

	if (typed && tcgetattr(STDIN_FILENO, &before) == 0) {
		fprintf(stderr, "%s: ", what);
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	const ssize_t n = getline(&line, &size, stdin);
	if (typed) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (n <= 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

void
session_forget(char *line)
{
	if (line != NULL)
		explicit_bzero(line, strlen(line));
	free(line);
}

static int
password_send(struct cli *c, const char *secret, const char *password)
{
	struct buf body;
	struct cli_reply reply;

	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&body, "{\"secret\":");
	buf_json_cstr(&body, secret);
	buf_add_cstr(&body, ",\"password\":");
	buf_json_cstr(&body, password);
	buf_add_char(&body, '}');
	/* Who sets a first password has no token yet; the route asks for none. */
	c->token[CLI_CORE] = "none";
	const bool got =
		cli_call(c, CLI_CORE, "POST", "/v1/password-reset", NULL, buf_str(&body), &reply);
	const int exit_code = got ? cli_reply_print(c, &reply) : 1;
	if (exit_code == 0 && !c->quiet)
		fputs("the password is set\n", stderr);
	cli_reply_free(&reply);
	explicit_bzero(buf_cstr(&body), body.len);
	buf_free(&body);
	return exit_code;
}

static int
password_set(struct cli *c)
{
	if (!cli_options(c, NULL, 0, 0, 0))
		return 2;
	char *secret = session_ask("one-time secret");
	char *password = session_ask("new password (12 characters or more)");
	char *again = isatty(STDIN_FILENO) == 1 ? session_ask("once more") : NULL;
	int exit_code = 2;
	if (secret == NULL || password == NULL)
		fputs("bimodal: give the secret and the password, a line each\n", stderr);
	else if (again != NULL && strcmp(password, again) != 0)
		fputs("bimodal: the two passwords differ; nothing was set\n", stderr);
	else
		exit_code = password_send(c, secret, password);
	session_forget(secret);
	session_forget(password);
	session_forget(again);
	return exit_code;
}

const struct cli_command cli_session_commands[] = {
	{ "session list", "[--all]", "who is signed in: oneself, or everybody", session_list,
	  "operator" },
	{ "session end", "ID", "sign one session out, at once and everywhere", session_end,
	  "operator" },
	{ "session end-all", "USER", "sign a user out everywhere", session_end_all, "operator" },
	{ "password reset", "USER",
	  "make a one-time secret with which the user sets a password (--quiet: its text alone)",
	  password_reset, "operator" },
	{ "password set", "",
	  "set a password with a one-time secret: both are asked for, or are two lines of "
	  "standard input",
	  password_set, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
