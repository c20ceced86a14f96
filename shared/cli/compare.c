/*
 * compare.c — `bimodal feature compare`: does a promoted endpoint answer in core what it answers in the sandbox, byte for byte?
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"
#include "cli/cli.h"
#include "cli/pages.h"

#define AT_ONCE 100

struct compare {
	struct cli *c;
	const char *slug;
	const char *endpoint;
	char unit[AT_ONCE][CLI_ID_SIZE];
	size_t n;
	size_t left;
	unsigned long equal;
	unsigned long differ;
	bool failed;
};

static void
request_make(const struct compare *x, struct cli_request *r, enum cli_daemon daemon, size_t i)
{
	cli_request_init(r, daemon, "GET");
	buf_printf(&r->path, "/v1/features/%s/%s?unit=%s", x->slug, x->endpoint, x->unit[i]);
}

/* The units collected so far, asked of both daemons. */
static void
flush(struct compare *x)
{
	static struct cli_request requests[2 * AT_ONCE];

	for (size_t i = 0; i < x->n; i++) {
		request_make(x, &requests[2 * i], CLI_SANDBOX, i);
		request_make(x, &requests[2 * i + 1], CLI_CORE, i);
	}
	if (x->n > 0 && !cli_call_many(x->c, requests, 2 * x->n))
		x->failed = true;
	for (size_t i = 0; i < x->n; i++) {
		const struct cli_reply *sandbox = &requests[2 * i].reply;
		const struct cli_reply *core = &requests[2 * i + 1].reply;
		const bool same = sandbox->status == 200 && core->status == 200 &&
				  str_eq(buf_str(&sandbox->body), buf_str(&core->body));
		x->equal += same;
		x->differ += !same;
		if (!same && x->differ == 1)
			fprintf(stderr,
				"bimodal: %s differs\n  sandbox %ld %.*s\n  core    %ld %.*s\n",
				x->unit[i], sandbox->status, STR_FMT(buf_str(&sandbox->body)),
				core->status, STR_FMT(buf_str(&core->body)));
	}
	for (size_t i = 0; i < 2 * x->n; i++)
		cli_request_free(&requests[i]);
	x->n = 0;
}

static bool
person_take(const struct cJSON *record, void *arg)
{
	struct compare *x = arg;
	const char *unit = NULL;

	if (json_string(record, "pseudonym", true, &unit, NULL) != ERR_OK ||
	    !str_copy(x->unit[x->n], CLI_ID_SIZE, str_of(unit)))
		return false;
	x->n++;
	x->left--;
	if (x->n == AT_ONCE)
		flush(x);
	return x->left > 0 && !x->failed;
}

static int
compare_run(struct cli *c)
{
	static struct compare x;
	int64_t people = 1000;
	const struct cli_option options[] = { { "--people", CLI_OPTION_INT, &people, 1, 1000000 } };

	if (!cli_options(c, options, ARRAY_LEN(options), 2, 2))
		return 2;
	x.c = c;
	x.slug = c->argv[0];
	x.endpoint = c->argv[1];
	x.left = (size_t)people;
	const bool ok = cli_pages(c, CLI_SANDBOX, "people", "fields=pseudonym", person_take, &x);
	flush(&x);
	printf("%lu answers of core equal the sandbox's, %lu differ\n", x.equal, x.differ);
	return ok && !x.failed && x.differ == 0 && x.equal > 0 ? 0 : 1;
}

const struct cli_command cli_compare_commands[] = {
	{ "feature compare", "SLUG ENDPOINT [--people N]",
	  "does core answer what the sandbox answers, byte for byte?", compare_run, "innovator" },
	{ NULL, NULL, NULL, NULL, NULL },
};
