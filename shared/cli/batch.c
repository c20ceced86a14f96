/*
 * batch.c — see batch.h.
 */
#include "cli/batch.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/json_in.h"

void
batch_begin(struct cli_request *r, const char *resource, bool each, const char *key)
{
	cli_request_init(r, CLI_CORE, "POST");
	buf_printf(&r->path, "/v1/%s/batch", resource);
	buf_printf(&r->body, "{\"mode\":\"%s\",\"ops\":[", each ? "each" : "atomic");
	if (key != NULL) {
		(void)str_copy(r->key, sizeof(r->key), str_of(key));
		return;
	}
	struct uuid id;
	uuid_v4(&id);
	uuid_text(&id, r->key);
}

void
batch_add(struct cli_request *r, const char *match, struct str value, struct str data)
{
	if (r->count++ > 0)
		buf_add_char(&r->body, ',');
	if (match == NULL) {
		buf_add_cstr(&r->body, "{\"op\":\"create\",\"data\":");
	} else {
		buf_add_cstr(&r->body, "{\"op\":\"upsert\",\"match\":");
		buf_json_cstr(&r->body, match);
		buf_add_cstr(&r->body, ",\"value\":");
		buf_json_str(&r->body, value);
		buf_add_cstr(&r->body, ",\"data\":");
	}
	buf_add_str(&r->body, data);
	buf_add_char(&r->body, '}');
}

void
batch_end(struct cli_request *r)
{
	buf_add_cstr(&r->body, "]}");
}

/* "detail" and the first of errors[] of a problem. */
static void
problem_text(const struct cJSON *problem, long status, char out[256])
{
	const char *title = NULL;
	const char *detail = NULL;
	const char *pointer = NULL;
	const char *why = NULL;
	const struct cJSON *errors = json_get(problem, "errors");
	const struct cJSON *first = cJSON_IsArray(errors) ? errors->child : NULL;

	if (json_string(problem, "title", false, &title, NULL) != ERR_OK)
		title = NULL;
	if (json_string(problem, "detail", false, &detail, NULL) != ERR_OK)
		detail = NULL;
	if (first != NULL && json_string(first, "pointer", false, &pointer, NULL) == ERR_OK &&
	    json_string(first, "detail", false, &why, NULL) == ERR_OK && why != NULL)
		snprintf(out, 256, "%.100s: %.140s", pointer != NULL ? pointer : "", why);
	else if (detail != NULL || title != NULL)
		snprintf(out, 256, "%.250s", detail != NULL ? detail : title);
	else
		snprintf(out, 256, "status %ld", status);
}

void
batch_problem(const struct cli_reply *reply, char out[256])
{
	struct cJSON *j = NULL;

	if (json_parse(buf_str(&reply->body), &j, NULL) == ERR_OK)
		problem_text(j, reply->status, out);
	else
		snprintf(out, 256, "status %ld", reply->status);
	json_free(j);
}

static bool
result_read(const struct cJSON *item, struct batch_result *out)
{
	int64_t status = 0;
	const char *id = NULL;
	const struct cJSON *problem = json_get(item, "problem");

	*out = (struct batch_result) { .status = 0 };
	if (json_int(item, "status", true, 100, 599, &status, NULL) != ERR_OK)
		return false;
	out->status = (long)status;
	if (json_string(item, "id", false, &id, NULL) == ERR_OK && id != NULL &&
	    !str_copy(out->id, sizeof(out->id), str_of(id)))
		return false;
	if (problem != NULL)
		problem_text(problem, out->status, out->reason);
	return true;
}

bool
batch_results(const struct cli_request *r, struct batch_result *results)
{
	struct cJSON *j = NULL;
	char reason[256];
	size_t n = 0;

	if (r->reply.status != 200) {
		batch_problem(&r->reply, reason);
		fprintf(stderr, "bimodal: %.*s: %ld: %s\n", STR_FMT(buf_str(&r->path)),
			r->reply.status, reason);
		return false;
	}
	if (json_parse(buf_str(&r->reply.body), &j, NULL) != ERR_OK) {
		fputs("bimodal: the answer to a batch is not JSON\n", stderr);
		return false;
	}
	const struct cJSON *item;
	cJSON_ArrayForEach(item, json_get(j, "results"))
	{
		int64_t index = 0;
		/* Results come in the order of their index; anything else is not our daemon. */
		if (n >= r->count ||
		    json_int(item, "index", true, 0, BATCH_OPS_MAX, &index, NULL) != ERR_OK ||
		    (size_t)index != n || !result_read(item, &results[n]))
			break;
		n++;
	}
	json_free(j);
	if (item == NULL && n == r->count)
		return true;
	fputs("bimodal: the answer to a batch does not have a result for each operation\n", stderr);
	return false;
}

bool
batch_ids(const struct cli_request *r, char (*ids)[CLI_ID_SIZE])
{
	static struct batch_result results[BATCH_OPS_MAX];

	if (!batch_results(r, results))
		return false;
	for (size_t i = 0; i < r->count; i++) {
		if (results[i].status >= 300 || results[i].id[0] == '\0') {
			fprintf(stderr, "bimodal: operation %zu of a batch was refused: %s\n", i,
				results[i].reason);
			return false;
		}
		memcpy(ids[i], results[i].id, CLI_ID_SIZE);
	}
	return true;
}
