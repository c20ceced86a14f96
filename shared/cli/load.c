/*
 * load.c — `bimodal load`: read and write customers of core for a while and count the answers. What an operator watches while
 * something else is being broken on purpose.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_in.h"
#include "cli/cli.h"

#define PEOPLE_MAX 50
#define WRITE_EVERY 10 /* one request in ten is a write */

struct load {
	char id[PEOPLE_MAX][CLI_ID_SIZE];
	size_t n;
	unsigned long requests;
	unsigned long failed;
};

static bool
people_read(struct cli *c, struct load *load)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	const bool ok = cli_call(c, CLI_CORE, "GET", "/v1/people?fields=id&limit=50", NULL,
				 STR_NONE, &reply) &&
			reply.status == 200 && json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK;
	const struct cJSON *item;
	const struct cJSON *data = ok ? json_get(j, "data") : NULL;
	cJSON_ArrayForEach(item, data)
	{
		const char *id = NULL;
		if (load->n < PEOPLE_MAX && json_string(item, "id", true, &id, NULL) == ERR_OK)
			str_copy(load->id[load->n++], CLI_ID_SIZE, str_of(id));
	}
	if (!ok && reply.status != 0)
		(void)cli_reply_print(c, &reply);
	json_free(j);
	cli_reply_free(&reply);
	if (ok && load->n == 0)
		fputs("bimodal: core has no people yet (bimodal seed)\n", stderr);
	return load->n > 0;
}

static void
one(struct cli *c, struct load *load)
{
	const bool write = load->requests % WRITE_EVERY == WRITE_EVERY - 1;
	struct cli_reply reply;
	char path[128];

	snprintf(path, sizeof(path), "/v1/people/%s", load->id[load->requests % load->n]);
	const bool answered =
		cli_call(c, CLI_CORE, write ? "PATCH" : "GET", path, write ? "If-Match: *" : NULL,
			 write ? STR("{\"source\":\"load\"}") : STR_NONE, &reply);
	load->requests++;
	load->failed += !answered || reply.status != 200;
	cli_reply_free(&reply);
}

static int
load_run(struct cli *c)
{
	static struct load load;
	int64_t seconds = 10;
	const struct cli_option options[] = { { "--seconds", CLI_OPTION_INT, &seconds, 1, 3600 } };

	if (!cli_options(c, options, ARRAY_LEN(options), 0, 0))
		return 2;
	if (!people_read(c, &load))
		return 1;
	const usec_t end = clock_now_us() + seconds * USEC_PER_SEC;
	while (clock_now_us() < end)
		one(c, &load);
	printf("core: %lu requests, %lu failed\n", load.requests, load.failed);
	return load.failed == 0 ? 0 : 1;
}

const struct cli_command cli_load_commands[] = {
	{ "load", "[--seconds N]",
	  "read and write customers of core for a while, and count what failed", load_run, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
