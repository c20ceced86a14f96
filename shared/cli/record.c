/*
 * record.c — commands on records: get, list, create, set, delete, and what happened to them: history, undo, restore; the whole of a
 * customer; search. In core, or with "copy" in the sandbox's masked copy.
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

/* GET with the arguments from `first` on as query parameters: stage=won amount=gte.1000 sort=-amount limit=5 */
static int
get_with(struct cli *c, enum cli_daemon daemon, struct buf *path, int first)
{
	if (!cli_query(c, first, '?', path)) {
		buf_free(path);
		return 2;
	}
	return simple(c, daemon, "GET", path, NULL, STR_NONE);
}

static int
get_from(struct cli *c, enum cli_daemon daemon)
{
	if (c->argc < 2)
		return cli_usage(c);
	struct buf path;
	path_make(&path, c->argv[0], c->argv[1]);
	return get_with(c, daemon, &path, 2);
}

static int
list_from(struct cli *c, enum cli_daemon daemon)
{
	if (c->argc < 1)
		return cli_usage(c);
	struct buf path;
	path_make(&path, c->argv[0], NULL);
	return get_with(c, daemon, &path, 1);
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
change(struct cli *c, const char *method, const char *resource, const char *id, const char *action,
       struct str body)
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
	buf_add_cstr(&path, action);
	return simple(c, CLI_CORE, method, &path, extra, body);
}

static int
record_set(struct cli *c)
{
	if (c->argc < 3)
		return cli_usage(c);
	struct buf body;
	buf_init(&body, 1024 * 1024);
	const int exit_code =
		cli_object(&body, c->argc - 2, c->argv + 2)
			? change(c, "PATCH", c->argv[0], c->argv[1], "", buf_str(&body))
			: 2;
	buf_free(&body);
	return exit_code;
}

static int
record_delete(struct cli *c)
{
	return c->argc != 2 ? cli_usage(c)
			    : change(c, "DELETE", c->argv[0], c->argv[1], "", STR_NONE);
}

/* ---- what happened to a record ---- */
static int
record_history(struct cli *c)
{
	if (c->argc < 2)
		return cli_usage(c);
	struct buf path;
	path_make(&path, c->argv[0], c->argv[1]);
	buf_add_cstr(&path, "/history");
	return get_with(c, CLI_CORE, &path, 2);
}

static int
record_undo(struct cli *c)
{
	int64_t version = 0;
	if (c->argc != 3 || str_int(str_of(c->argv[2]), 1, INT32_MAX, &version) != ERR_OK)
		return cli_usage(c);
	char body[64];
	snprintf(body, sizeof(body), "{\"version\":%lld}", (long long)version);
	return change(c, "POST", c->argv[0], c->argv[1], "/undo", str_of(body));
}

static int
record_restore(struct cli *c)
{
	if (c->argc != 2)
		return cli_usage(c);
	struct buf path;
	path_make(&path, c->argv[0], c->argv[1]);
	buf_add_cstr(&path, "/restore");
	return simple(c, CLI_CORE, "POST", &path, NULL, STR("{}"));
}

static int
record_whole(struct cli *c)
{
	if (c->argc != 2)
		return cli_usage(c);
	struct buf path;
	path_make(&path, c->argv[0], c->argv[1]);
	buf_add_cstr(&path, "/360");
	return simple(c, CLI_CORE, "GET", &path, NULL, STR_NONE);
}

/* The words need no quotes: they are joined by spaces. */
static int
search(struct cli *c)
{
	if (c->argc < 1)
		return cli_usage(c);
	struct buf path;
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/search?q=");
	for (int i = 0; i < c->argc; i++) {
		if (i > 0)
			buf_add_cstr(&path, "%20");
		cli_escape(&path, c->argv[i]);
	}
	return simple(c, CLI_CORE, "GET", &path, NULL, STR_NONE);
}

const struct cli_command cli_record_commands[] = {
	{ "record get", "RESOURCE ID [as_of=TIME] [fields=…]",
	  "one record of core, now or as it was", record_get, NULL },
	{ "record list", "RESOURCE [field=op.value …] [sort=…]", "records of core", record_list,
	  NULL },
	{ "record create", "RESOURCE name=value … [name:=JSON …]", "a new record", record_create,
	  NULL },
	{ "record set", "RESOURCE ID name=value …", "change fields; name:=null clears one",
	  record_set, NULL },
	{ "record delete", "RESOURCE ID", "delete a record", record_delete, NULL },
	{ "record history", "RESOURCE ID [limit=N]",
	  "who changed what and when, newest first; also of a deleted record", record_history,
	  NULL },
	{ "record undo", "RESOURCE ID VERSION",
	  "put back what one edit changed; the history names its version", record_undo, NULL },
	{ "record restore", "RESOURCE ID",
	  "bring a deleted record back, with what its deletion took along", record_restore, NULL },
	{ "record 360", "people|organizations ID", "the whole of a customer in one answer",
	  record_whole, NULL },
	{ "search", "WORDS …",
	  "people, organizations, opportunities and cases by name, e-mail, telephone or key",
	  search, NULL },
	{ "copy get", "RESOURCE ID", "one record of the sandbox's masked copy", copy_get, NULL },
	{ "copy list", "RESOURCE [field=op.value …]", "records of the sandbox's masked copy",
	  copy_list, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
