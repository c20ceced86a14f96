/*
 * access.c — may somebody do something, and why: what core's own tables say.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/cli.h"

#define EXIT_REFUSED 3

static const char *
text_of(const struct cJSON *j, const char *name)
{
	const struct cJSON *m = json_get(j, name);
	return cJSON_IsString(m) ? m->valuestring : "-";
}

static void
classes_print(const struct cJSON *classes, const char *what)
{
	const struct cJSON *item;
	printf("  %s", what);
	cJSON_ArrayForEach(item, json_get(classes, what))
	{
		printf(" %s", cJSON_IsString(item) ? item->valuestring : "?");
	}
}

static long long
number_of(const struct cJSON *j, const char *name)
{
	int64_t v = 0;
	return json_int(j, name, true, 0, INT64_MAX, &v, NULL) == ERR_OK ? (long long)v : 0;
}

static void
roles_print(const struct cJSON *roles)
{
	const struct cJSON *role;
	if (!cJSON_IsArray(roles) || roles->child == NULL)
		puts("roles:      none");
	cJSON_ArrayForEach(role, roles)
	{
		const struct cJSON *grants = json_get(role, "grants");
		printf("role:       %s %s%s\n", text_of(role, "role"),
		       cJSON_IsString(grants) ? "grants " : "does not grant it",
		       cJSON_IsString(grants) ? grants->valuestring : "");
	}
}

static void
explain_print(const struct cJSON *j, bool allowed)
{
	const struct cJSON *who = json_get(j, "principal");
	const struct cJSON *route = json_get(j, "route");
	const struct cJSON *scope = json_get(j, "scope");
	const struct cJSON *limit = json_get(j, "limit");

	printf("%s: %s\n", allowed ? "allowed" : "refused", text_of(j, "why"));
	printf("principal:  %s (%s%s) %s\n", text_of(who, "name"), text_of(who, "kind"),
	       cJSON_IsTrue(json_get(who, "disabled")) ? ", disabled" : "", text_of(who, "id"));
	if (cJSON_IsObject(route))
		printf("route:      %s %s (%s) asks for %s\n", text_of(route, "method"),
		       text_of(route, "pattern"), text_of(route, "name"), text_of(route, "right"));
	roles_print(json_get(j, "roles"));
	printf("classes:  ");
	classes_print(json_get(j, "classes"), "read");
	classes_print(json_get(j, "classes"), "write");
	putchar('\n');
	if (cJSON_IsObject(scope))
		printf("records:    reads %s, writes %s\n", text_of(scope, "read"),
		       text_of(scope, "write"));
	if (cJSON_IsObject(limit))
		printf("limit:      %lld of %lld left in %lld s (%s)\n", number_of(limit, "left"),
		       number_of(limit, "quota"), number_of(limit, "window_s"),
		       text_of(limit, "policy"));
}

/* "PATCH /v1/people/…" as one word or two. */
static bool
route_split(const struct cli *c, struct str *method, const char **path)
{
	*method = str_of(c->argv[1]);
	if (c->argc == 3) {
		*path = c->argv[2];
		return true;
	}
	const char *space = strchr(c->argv[1], ' ');
	*path = space == NULL ? NULL : space + strspn(space, " ");
	method->len = space == NULL ? 0 : (size_t)(space - c->argv[1]);
	return space != NULL;
}

static int
access_explain(struct cli *c)
{
	struct str method;
	const char *route = NULL;
	char word[16];
	struct buf path;
	struct cli_reply reply;
	struct cJSON *j = NULL;

	const char *token = NULL;
	const struct cli_option options[] = { { "--token", CLI_OPTION_TEXT, &token, 0, 0 } };
	if (!cli_options(c, options, ARRAY_LEN(options), 2, 3))
		return 2;
	if (!route_split(c, &method, &route) || !str_copy(word, sizeof(word), method))
		return cli_usage(c);
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_add_cstr(&path, "/v1/access/explain?principal=");
	cli_escape(&path, c->argv[0]);
	buf_add_cstr(&path, "&method=");
	cli_escape(&path, word);
	buf_add_cstr(&path, "&path=");
	cli_escape(&path, route);
	if (token != NULL) {
		buf_add_cstr(&path, "&token=");
		cli_escape(&path, token);
	}
	int exit_code = 1;
	const bool answered = cli_call(c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply);
	if (answered && (reply.status != 200 || c->raw ||
			 json_parse(buf_str(&reply.body), &j, NULL) != ERR_OK)) {
		exit_code = cli_reply_print(c, &reply);
	} else if (answered) {
		const bool allowed = cJSON_IsTrue(json_get(j, "allowed"));
		explain_print(j, allowed);
		exit_code = allowed ? 0 : EXIT_REFUSED;
	}
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&path);
	return exit_code;
}

const struct cli_command cli_access_commands[] = {
	{ "access explain", "USER \"METHOD PATH\" [--token PREFIX]",
	  "may somebody (name or id) do that, and why; exit code 3 if not", access_explain,
	  "operator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
