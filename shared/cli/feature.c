/*
 * feature.c — commands on hypothesis features. A package is checked here, before it is sent, by the same code that the sandbox
 * checks it with; which columns exist is asked of the sandbox.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/cli.h"
#include "cli/pages.h"
#include "cli/show.h"
#include "feature/archive.h"
#include "feature/check.h"
#include "feature/finding.h"
#include "feature/template.h"

#define ARENA_BYTES ((size_t)32 * 1024 * 1024)
#define COLUMNS_MAX 10000
#define EXPOSE_AT_ONCE 100

static int
feature_init(struct cli *c)
{
	struct err_info info = { .code = ERR_OK };

	if (!cli_options(c, NULL, 0, 1, 2))
		return 2;
	const char *folder = c->argc == 2 ? c->argv[1] : c->argv[0];
	if (feature_template_write(c->argv[0], folder, &info) != ERR_OK) {
		fprintf(stderr, "bimodal: %s\n", info.msg);
		return 1;
	}
	printf("%s is a feature that runs: change it, then bimodal feature check %s\n", folder,
	       folder);
	return 0;
}

/* The published columns, from the sandbox: {"data":[{"table":…,"name":…,"type":…}, …]}. */
static bool
columns_ask(struct cli *c, struct arena *arena, struct feature_columns *out)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	struct feature_column *items = arena_alloc(arena, COLUMNS_MAX * sizeof(*items));
	bool ok = items != NULL &&
		  cli_call(c, CLI_SANDBOX, "GET", "/v1/features/columns", NULL, STR_NONE, &reply);

	if (items == NULL)
		return false;
	if (ok && reply.status != 200) {
		(void)cli_reply_print(c, &reply);
		ok = false;
	}
	ok = ok && json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK;
	*out = (struct feature_columns) { .items = items };
	const struct cJSON *list = ok ? json_get(j, "data") : NULL;
	const struct cJSON *item;
	cJSON_ArrayForEach(item, list)
	{
		const char *table = NULL;
		const char *name = NULL;
		if (out->n == COLUMNS_MAX ||
		    json_string(item, "table", true, &table, NULL) != ERR_OK ||
		    json_string(item, "name", true, &name, NULL) != ERR_OK)
			break;
		items[out->n++] = (struct feature_column) { arena_strdup(arena, str_of(table)),
							    arena_strdup(arena, str_of(name)) };
	}
	json_free(j);
	cli_reply_free(&reply);
	if (out->n == 0)
		fputs("bimodal: could not learn from the sandbox which columns there are\n",
		      stderr);
	return out->n > 0;
}

/* Read and check a folder; findings go to stderr, one a line. The archive's bytes are appended to `bytes`. */
static bool
folder_check(struct cli *c, struct arena *arena, const char *folder,
	     struct feature_package *package, struct buf *bytes)
{
	static struct feature_archive archive;
	static struct feature_findings findings;
	struct feature_columns columns;
	struct err_info info = { .code = ERR_OK };
	struct buf text;

	if (feature_archive_folder(arena, folder, &archive, &info) != ERR_OK ||
	    feature_archive_write(&archive, bytes, &info) != ERR_OK) {
		fprintf(stderr, "bimodal: %s\n", info.msg);
		return false;
	}
	if (!columns_ask(c, arena, &columns))
		return false;
	feature_findings_init(&findings, arena);
	if (feature_package_check(arena, &archive, &columns, package, &findings) == ERR_OK)
		return true;
	buf_init(&text, ARENA_BYTES);
	feature_findings_text(&findings, &text);
	fputs(buf_cstr(&text), stderr);
	fprintf(stderr, "bimodal: %zu %s; the package is refused\n", findings.total,
		findings.total == 1 ? "finding" : "findings");
	buf_free(&text);
	return false;
}

/* One feature as people read it. */
static int
feature_show(const struct cli *c, const struct cli_reply *reply)
{
	struct cJSON *j = NULL;
	struct buf a, b;

	if (c->raw || reply->status < 200 || reply->status >= 300 ||
	    json_parse(buf_str(&reply->body), &j, NULL) != ERR_OK)
		return cli_reply_print(c, reply);
	buf_init(&a, CLI_REPLY_BYTES_MAX);
	buf_init(&b, CLI_REPLY_BYTES_MAX);
	const char *slug = show_text(j, "slug", &a);
	printf("%s: %s\n", slug, show_text(j, "state", &b));
	show_member(j, "title", "title", SHOW_TEXT);
	show_member(j, "statement", "belief", SHOW_TEXT);
	const char *business = show_text(j, "business_owner", &a);
	show_line("owners", "%s (business), %s (technical)", business,
		  show_text(j, "technical_owner", &b));
	show_member(j, "flag", "flag", SHOW_TEXT);
	show_member(j, "sha256", "sha256", SHOW_TEXT);
	show_member(j, "ended_at", "ended", SHOW_TIME);
	if (cJSON_IsNull(json_get(j, "ended_at")))
		show_member(j, "expires_at", "expires", SHOW_TIME);
	show_member(j, "verdict", "verdict", SHOW_TEXT);
	show_member(j, "change", "change", SHOW_TEXT);
	show_member(j, "error", "error", SHOW_TEXT);
	buf_free(&a);
	buf_free(&b);
	json_free(j);
	return 0;
}

static int
check_or_deploy(struct cli *c, bool deploy)
{
	static struct feature_package package;
	struct arena arena;
	struct buf bytes;
	struct cli_reply reply;
	int exit_code = 1;

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	arena_init(&arena, ARENA_BYTES);
	buf_init(&bytes, FEATURE_ARCHIVE_BYTES_MAX);
	if (folder_check(c, &arena, c->argv[0], &package, &bytes)) {
		exit_code = 0;
		if (!deploy) {
			printf("%s: good; %zu files, %zu bytes, SHA-256 %s\n",
			       package.manifest.slug, package.archive.n, package.archive.bytes,
			       package.archive.sha256);
		} else {
			exit_code = cli_call(c, CLI_SANDBOX, "POST", "/v1/features",
					     "Content-Type: " FEATURE_MEDIA_TYPE, buf_str(&bytes),
					     &reply)
					    ? feature_show(c, &reply)
					    : 1;
			cli_reply_free(&reply);
		}
	}
	buf_free(&bytes);
	arena_release(&arena);
	return exit_code;
}

static int
feature_check(struct cli *c)
{
	return check_or_deploy(c, false);
}

static int
feature_deploy(struct cli *c)
{
	return check_or_deploy(c, true);
}

static int
feature_list(struct cli *c)
{
	static const struct show_column columns[] = {
		{ "feature", "slug", SHOW_TEXT },    { "state", "state", SHOW_TEXT },
		{ "verdict", "verdict", SHOW_TEXT }, { "expires", "expires_at", SHOW_TIME },
		{ "flag", "flag", SHOW_TEXT },       { "title", "title", SHOW_TEXT },
		{ NULL, NULL, SHOW_TEXT },
	};
	return cli_options(c, NULL, 0, 0, 0) ? show_list(c, CLI_SANDBOX, "/v1/features", columns)
					     : 2;
}

static int
one(struct cli *c, const char *method)
{
	struct cli_reply reply;
	struct buf path;

	if (!cli_options(c, NULL, 0, 1, 1))
		return 2;
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/features/");
	cli_escape(&path, c->argv[0]);
	const int exit_code =
		cli_call(c, CLI_SANDBOX, method, buf_cstr(&path), NULL, STR_NONE, &reply)
			? feature_show(c, &reply)
			: 1;
	cli_reply_free(&reply);
	buf_free(&path);
	return exit_code;
}

static int
feature_get(struct cli *c)
{
	return one(c, "GET");
}

static int
feature_remove(struct cli *c)
{
	return one(c, "DELETE");
}

static void
endpoint_path(struct buf *path, const char *slug, const char *endpoint, const char *unit)
{
	buf_add_cstr(path, "/v1/features/");
	cli_escape(path, slug);
	buf_add_char(path, '/');
	cli_escape(path, endpoint);
	buf_add_cstr(path, "?unit=");
	cli_escape(path, unit);
}

/* The answer is printed as it came: both daemons must give the same bytes. */
static int
feature_call(struct cli *c)
{
	const char *in = "sandbox";
	const struct cli_option options[] = { { "--in", CLI_OPTION_TEXT, &in, 0, 0 } };
	struct buf path;

	if (!cli_options(c, options, ARRAY_LEN(options), 3, 16))
		return 2;
	const bool core = strcmp(in, "core") == 0;
	if (!core && strcmp(in, "sandbox") != 0)
		return cli_usage(c);
	buf_init(&path, CLI_PATH_BYTES_MAX);
	endpoint_path(&path, c->argv[0], c->argv[1], c->argv[2]);
	if (!cli_query(c, 3, '&', &path)) {
		buf_free(&path);
		return 2;
	}
	const int exit_code = path.failed ? 2
					  : cli_call_print(c, core ? CLI_CORE : CLI_SANDBOX, "GET",
							   buf_cstr(&path), STR_NONE);
	buf_free(&path);
	return exit_code;
}

/* ---- expose: call an endpoint for many people ---- */

struct expose {
	struct cli *c;
	const char *slug;
	const char *endpoint;
	struct cli_request requests[EXPOSE_AT_ONCE];
	size_t n;
	size_t left;
	bool failed;
	struct {
		char name[64];
		unsigned long n;
	} variants[FEATURE_VARIATIONS_MAX];
};

static void
variant_count(struct expose *x, const char *name)
{
	for (size_t i = 0; i < FEATURE_VARIATIONS_MAX; i++) {
		if (x->variants[i].n == 0)
			(void)str_copy(x->variants[i].name, sizeof(x->variants[i].name),
				       str_of(name));
		if (strcmp(x->variants[i].name, name) != 0)
			continue;
		x->variants[i].n++;
		return;
	}
}

static void
expose_flush(struct expose *x)
{
	char variant[64];

	if (x->n > 0 && !cli_call_many(x->c, x->requests, x->n))
		x->failed = true;
	for (size_t i = 0; i < x->n; i++) {
		const struct cli_reply *reply = &x->requests[i].reply;
		if (!x->failed && reply->status != 200) {
			(void)cli_reply_print(x->c, reply);
			x->failed = true;
		}
		if (!x->failed && cli_reply_member(reply, "variant", variant, sizeof(variant)))
			variant_count(x, variant);
		cli_request_free(&x->requests[i]);
	}
	x->n = 0;
}

/* The copy knows a person by the pseudonym alone. */
static bool
expose_person(const struct cJSON *record, void *arg)
{
	struct expose *x = arg;
	const char *unit = NULL;

	if (json_string(record, "pseudonym", false, &unit, NULL) != ERR_OK ||
	    (unit == NULL && json_string(record, "id", true, &unit, NULL) != ERR_OK))
		return true;
	struct cli_request *r = &x->requests[x->n++];
	cli_request_init(r, CLI_SANDBOX, "GET");
	endpoint_path(&r->path, x->slug, x->endpoint, unit);
	if (x->n == EXPOSE_AT_ONCE)
		expose_flush(x);
	return --x->left > 0 && !x->failed;
}

static int
feature_expose(struct cli *c)
{
	static struct expose x;
	int64_t people = 1000000;
	const struct cli_option options[] = { { "--people", CLI_OPTION_INT, &people, 1, 1000000 } };

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 2))
		return 2;
	x.c = c;
	x.slug = c->argv[0];
	x.endpoint = c->argv[1];
	x.left = (size_t)people;
	const bool ok = cli_pages(c, CLI_SANDBOX, "people", NULL, expose_person, &x);
	expose_flush(&x);
	for (size_t i = 0; i < FEATURE_VARIATIONS_MAX && x.variants[i].n > 0; i++)
		printf("%s: %lu people\n", x.variants[i].name, x.variants[i].n);
	return ok && !x.failed ? 0 : 1;
}

const struct cli_command cli_feature_commands[] = {
	{ "feature init", "SLUG [FOLDER]", "write a template that runs", feature_init,
	  "innovator" },
	{ "feature check", "FOLDER", "file, line and reason of everything that is wrong",
	  feature_check, "innovator" },
	{ "feature deploy", "FOLDER", "check it and put it into the sandbox", feature_deploy,
	  "innovator" },
	{ "feature list", "", "features of the sandbox", feature_list, "innovator" },
	{ "feature get", "SLUG", "one feature", feature_get, "innovator" },
	{ "feature call", "SLUG ENDPOINT UNIT [name=value …] [--in core|sandbox]",
	  "what a unit (pseudonym) gets", feature_call, "innovator" },
	{ "feature expose", "SLUG ENDPOINT [--people N]",
	  "call the endpoint for everybody in the copy, and count variants", feature_expose,
	  "innovator" },
	{ "feature remove", "SLUG", "take it out of the sandbox without a trace", feature_remove,
	  "innovator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
