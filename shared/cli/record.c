/*
 * record.c — commands on records: get, list, create, set, delete; in core, or with "copy" in the sandbox's masked copy; and consent.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* "/v1/RESOURCE[/ID]"; RESOURCE may be "people/ID/consents". */
static void
path_make(struct buf *path, const char *resource, const char *id)
{
	buf_init(path, CLI_PATH_BYTES_MAX);
	buf_printf(path, "/v1/%s", resource);
	if (id != NULL) {
		buf_add_char(path, '/');
		cli_escape(path, id);
	}
}

static int
simple(struct cli *c, enum cli_daemon daemon, const char *method, struct buf *path,
       const char *extra, struct str body)
{
	struct cli_reply reply;
	const char *text = buf_cstr(path);
	int exit_code = 1;

	if (text != NULL) {
		exit_code = cli_call(c, daemon, method, text, extra, body, &reply)
				    ? cli_reply_print(c, &reply)
				    : 1;
		cli_reply_free(&reply);
	} else {
		fputs("bimodal: the address would be too long\n", stderr);
	}
	buf_free(path);
	return exit_code;
}

static int
get_from(struct cli *c, enum cli_daemon daemon)
{
	if (c->argc != 2)
		return cli_usage(c);
	struct buf path;
	path_make(&path, c->argv[0], c->argv[1]);
	return simple(c, daemon, "GET", &path, NULL, STR_NONE);
}

/* Further arguments are query parameters: stage=won amount=gte.1000 sort=-amount limit=5 */
static int
list_from(struct cli *c, enum cli_daemon daemon)
{
	if (c->argc < 1)
		return cli_usage(c);
	struct buf path;
	path_make(&path, c->argv[0], NULL);
	for (int i = 1; i < c->argc; i++) {
		const char *value = strchr(c->argv[i], '=');
		if (value == NULL) {
			buf_free(&path);
			return cli_usage(c);
		}
		buf_add_char(&path, i == 1 ? '?' : '&');
		buf_add(&path, c->argv[i], (size_t)(value + 1 - c->argv[i]));
		cli_escape(&path, value + 1);
	}
	return simple(c, daemon, "GET", &path, NULL, STR_NONE);
}

static int
record_get(struct cli *c)
{
	return get_from(c, CLI_CORE);
}

static int
record_list(struct cli *c)
{
	return list_from(c, CLI_CORE);
}

static int
copy_get(struct cli *c)
{
	return get_from(c, CLI_SANDBOX);
}

static int
copy_list(struct cli *c)
{
	return list_from(c, CLI_SANDBOX);
}

static int
record_create(struct cli *c)
{
	if (c->argc < 2)
		return cli_usage(c);
	struct buf body;
	struct buf path;
	buf_init(&body, 1024 * 1024);
	int exit_code = 2;
	if (cli_object(&body, c->argc - 1, c->argv + 1)) {
		path_make(&path, c->argv[0], NULL);
		exit_code = simple(c, CLI_CORE, "POST", &path, NULL, buf_str(&body));
	}
	buf_free(&body);
	return exit_code;
}

/* Reads the record for its version first, so that what another person changed meanwhile is not overwritten. */
static int
change(struct cli *c, const char *method, const char *resource, const char *id, struct str body)
{
	struct buf path;
	struct cli_reply reply;
	char extra[256];

	path_make(&path, resource, id);
	if (!cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply) ||
	    reply.status != 200) {
		const int exit_code = cli_reply_print(c, &reply);
		cli_reply_free(&reply);
		buf_free(&path);
		return exit_code != 0 ? exit_code : 1;
	}
	snprintf(extra, sizeof(extra), "If-Match: %s", reply.etag);
	cli_reply_free(&reply);
	return simple(c, CLI_CORE, method, &path, extra, body);
}

static int
record_set(struct cli *c)
{
	if (c->argc < 3)
		return cli_usage(c);
	struct buf body;
	buf_init(&body, 1024 * 1024);
	const int exit_code = cli_object(&body, c->argc - 2, c->argv + 2)
				      ? change(c, "PATCH", c->argv[0], c->argv[1], buf_str(&body))
				      : 2;
	buf_free(&body);
	return exit_code;
}

static int
record_delete(struct cli *c)
{
	return c->argc != 2 ? cli_usage(c) : change(c, "DELETE", c->argv[0], c->argv[1], STR_NONE);
}

const struct cli_command cli_record_commands[] = {
	{ "record get", "RESOURCE ID", "one record of core", record_get, NULL },
	{ "record list", "RESOURCE [field=op.value …] [sort=…]", "records of core", record_list,
	  NULL },
	{ "record create", "RESOURCE name=value … [name:=JSON …]", "a new record", record_create,
	  NULL },
	{ "record set", "RESOURCE ID name=value …", "change fields; name:=null clears one",
	  record_set, NULL },
	{ "record delete", "RESOURCE ID", "delete a record", record_delete, NULL },
	{ "copy get", "RESOURCE ID", "one record of the sandbox's masked copy", copy_get, NULL },
	{ "copy list", "RESOURCE [field=op.value …]", "records of the sandbox's masked copy",
	  copy_list, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
