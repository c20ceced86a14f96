/*
 * sign_in.c — `bimodal sign-in LOGIN`: a person's password becomes a day's tokens of his own for both daemons, in
 * $BIMODAL_VAR/tokens/LOGIN and LOGIN.sandbox, so that `bimodal --as LOGIN …` acts as him. The session that made them is ended again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/session.h"

#define NAME_SIZE 128
#define HOUR (INT64_C(3600) * USEC_PER_SEC)

struct entry {
	char name[NAME_SIZE]; /* of the principal: it names the files */
	char csrf[256];
	char cookie[512];
};

static bool
enter(struct cli *c, const char *login, const char *password, struct entry *e)
{
	struct cli_reply reply;
	struct buf body;

	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&body, "{\"login\":");
	buf_json_cstr(&body, login);
	buf_add_cstr(&body, ",\"password\":");
	buf_json_cstr(&body, password);
	buf_add_char(&body, '}');
	/* Who signs in has no token yet; the route asks for none. */
	c->token[CLI_CORE] = "none";
	bool ok = cli_call(c, CLI_CORE, "POST", "/v1/session", NULL, buf_str(&body), &reply);
	if (ok && reply.status != 201) {
		(void)cli_reply_print(c, &reply);
		ok = false;
	}
	ok = ok && str_copy(e->cookie, sizeof(e->cookie), str_of(reply.cookie)) &&
	     cli_reply_member(&reply, "name", e->name, sizeof(e->name)) &&
	     cli_reply_member(&reply, "csrf_token", e->csrf, sizeof(e->csrf));
	cli_reply_free(&reply);
	if (body.len > 0)
		explicit_bzero(body.p + body.start, body.len);
	buf_free(&body);
	return ok;
}

static bool
call_as(struct cli *c, const struct entry *e, const char *method, const char *path, struct str body,
	struct cli_reply *reply)
{
	char extra[1024];

	(void)snprintf(extra, sizeof(extra), "Cookie: %s\nX-CSRF-Token: %s", e->cookie, e->csrf);
	return cli_call(c, CLI_CORE, method, path, extra, body, reply);
}

/* One that only we can read, whole or not at all. */
static bool
file_put(const char *path, const char *text)
{
	char part[1040];

	(void)snprintf(part, sizeof(part), "%s.new", path);
	(void)unlink(part);
	const int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const size_t n = strlen(text);
	const bool written = fd >= 0 && write(fd, text, n) == (ssize_t)n;
	const bool closed = fd >= 0 && close(fd) == 0;
	if (written && closed && rename(part, path) == 0)
		return true;
	fprintf(stderr, "bimodal: %s: %s\n", path, strerror(errno));
	(void)unlink(part);
	return false;
}

static bool
token_make(struct cli *c, const struct entry *e, enum cli_daemon daemon, int64_t hours)
{
	struct cli_reply reply;
	struct buf body;
	char at[CLOCK_RFC3339_SIZE];
	char text[128];
	char path[1024];

	clock_rfc3339(clock_wall_us() + hours * HOUR, at);
	buf_init(&body, CLI_PATH_BYTES_MAX);
	buf_printf(&body, "{\"audience\":\"%s\",\"label\":\"sign-in\",\"expires_at\":\"%s\"}",
		   cli_daemon_name[daemon], at);
	bool ok = call_as(c, e, "POST", "/v1/tokens", buf_str(&body), &reply);
	if (ok && reply.status != 201) {
		(void)cli_reply_print(c, &reply);
		ok = false;
	}
	ok = ok && cli_reply_member(&reply, "token", text, sizeof(text));
	cli_reply_free(&reply);
	buf_free(&body);
	(void)snprintf(path, sizeof(path), "%s/tokens/%s%s", c->var, e->name,
		       daemon == CLI_SANDBOX ? ".sandbox" : "");
	ok = ok && file_put(path, text);
	explicit_bzero(text, sizeof(text));
	return ok;
}

static void
leave(struct cli *c, const struct entry *e)
{
	struct cli_reply reply;

	(void)!call_as(c, e, "DELETE", "/v1/session", STR_NONE, &reply);
	cli_reply_free(&reply);
}

static int
sign_in(struct cli *c)
{
	int64_t hours = 24;
	const struct cli_option options[] = { { "--hours", CLI_OPTION_INT, &hours, 1, 8760 } };
	struct entry e = { .name = "" };
	char folder[1024];

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	char *password = session_ask("password");
	if (password == NULL) {
		fputs("bimodal: give the password as a line of standard input\n", stderr);
		return 2;
	}
	/* On a machine of one's own the folder holds nothing but these tokens; whether it is there shows when one is written. */
	(void)mkdir(c->var, 0700);
	(void)snprintf(folder, sizeof(folder), "%s/tokens", c->var);
	(void)mkdir(folder, 0700);
	bool ok = enter(c, c->argv[0], password, &e);
	session_forget(password);
	if (ok) {
		ok = token_make(c, &e, CLI_CORE, hours) && token_make(c, &e, CLI_SANDBOX, hours);
		leave(c, &e);
	}
	if (ok && !c->quiet)
		printf("signed in for %lld hours; now bimodal --as %s …\n", (long long)hours,
		       e.name);
	explicit_bzero(&e, sizeof(e));
	return ok ? 0 : 1;
}

const struct cli_command cli_sign_in_commands[] = {
	{ "sign-in", "LOGIN [--hours N]",
	  "ask for the password and keep tokens of one's own, for bimodal --as LOGIN", sign_in,
	  NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
