/*
 * import.c — `bimodal import FILE.csv --map MAPPING.yaml`: a CSV file goes into one resource, row by row, through the batch path.
 *
 * Flow: read → convert (convert.c) → gather CLI_PARALLEL batches → send together → count. A batch is sent as a whole (atomic);
 * if core refuses it, once more row by row, so that one bad row costs only itself. Rows are matched by the mapping's key: a
 * second import of the same file changes records and makes none twice. Fields that look up their own resource are written in a
 * second pass over the file, when all rows are there.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_in.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/report.h"
#include "cli/table.h"

#define ROWS_PER_BATCH 500
#define BATCH_BYTES ((size_t)4 * 1024 * 1024)
#define READ_BYTES ((size_t)64 * 1024)

struct row {
	unsigned long line;
	enum convert_state state;
	bool listed;
};

struct import {
	struct cli *c;
	struct mapping mapping;
	struct table ids;  /* "resource.field=value" → id, "" if there is none */
	struct table keys; /* key → line where it was first                    */
	struct report report;
	struct convert convert;
	struct converted row;
	struct cli_request requests[CLI_PARALLEL];
	struct row rows[CLI_PARALLEL][ROWS_PER_BATCH];
	size_t n; /* requests begun */
	bool dry_run;
	bool second;
};

/* The id of the record whose field has that value, from core, once for each value. */
static bool
lookup_core(struct import *im, const struct mapping_field *f, struct str value,
	    char id[CLI_ID_SIZE])
{
	struct buf path;
	struct cli_reply reply;
	char text[CONVERT_VALUE_SIZE * 4];
	struct cJSON *j = NULL;
	const char *found = NULL;
	bool ok = false;

	id[0] = '\0';
	if (!str_copy(text, sizeof(text), value))
		return true;
	buf_init(&path, CLI_PATH_BYTES_MAX);
	buf_printf(&path, "/v1/%s?fields=id&limit=1&%s=eq.", f->lookup_resource, f->lookup_by);
	cli_escape(&path, text);
	if (path.failed ||
	    !cli_call(im->c, CLI_CORE, "GET", buf_cstr(&path), NULL, STR_NONE, &reply)) {
		buf_free(&path);
		return false;
	}
	const struct cJSON *data = NULL;
	if (reply.status == 200 && json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK)
		data = json_get(j, "data");
	if (cJSON_IsArray(data)) {
		ok = data->child == NULL ||
		     (json_string(data->child, "id", true, &found, NULL) == ERR_OK &&
		      str_copy(id, CLI_ID_SIZE, str_of(found)));
	} else {
		(void)cli_reply_print(im->c, &reply);
	}
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&path);
	return ok;
}

static bool
lookup(void *arg, const struct mapping_field *f, struct str value, char id[CLI_ID_SIZE],
       bool *failed)
{
	struct import *im = arg;
	struct buf key;

	buf_init(&key, CSV_FIELD_BYTES_MAX * 2);
	buf_printf(&key, "%s.%s=", f->lookup_resource, f->lookup_by);
	buf_add_str(&key, value);
	const char *known = table_get(&im->ids, buf_str(&key));
	if (known != NULL) {
		(void)str_copy(id, CLI_ID_SIZE, str_of(known));
	} else if (!lookup_core(im, f, value, id) ||
		   table_put(&im->ids, buf_str(&key), id) != ERR_OK) {
		*failed = true;
		id[0] = '\0';
	}
	buf_free(&key);
	return id[0] != '\0';
}

static void
count(struct import *im, const struct row *row, const struct batch_result *result)
{
	if (result->status >= 300) {
		report_refused(&im->report, row->line, result->reason);
		if (!im->second)
			report_row(&im->report, CONVERT_REFUSED, false);
		return;
	}
	if (im->second)
		return;
	report_row(&im->report, row->state, row->listed);
	im->report.created += result->status == 201;
	im->report.updated += result->status == 200;
}

/* The same operations once more, each for itself. The key must be another one: it is another request. */
static void
request_relax(struct cli_request *r)
{
	const struct str old = buf_str(&r->body);
	struct buf body;

	buf_init(&body, CLI_BODY_BYTES_MAX);
	buf_add_cstr(&body, "{\"mode\":\"each\"");
	buf_add(&body, old.p + sizeof("{\"mode\":\"atomic\"") - 1,
		old.len - (sizeof("{\"mode\":\"atomic\"") - 1));
	buf_free(&r->body);
	r->body = body;
	r->key[0] = r->key[0] == 'e' ? 'f' : 'e';
}

static bool
results_take(struct import *im, size_t at)
{
	static struct batch_result results[ROWS_PER_BATCH];
	struct cli_request *r = &im->requests[at];

	if (r->reply.status >= 400 && r->reply.status < 500) {
		request_relax(r);
		if (!cli_call_many(im->c, r, 1))
			return false;
	}
	if (!batch_results(r, results))
		return false;
	for (size_t i = 0; i < r->count; i++)
		count(im, &im->rows[at][i], &results[i]);
	return true;
}

/* Send what was gathered and take the results. */
static bool
flush(struct import *im)
{
	bool ok = true;

	for (size_t i = 0; i < im->n; i++)
		batch_end(&im->requests[i]);
	if (im->n > 0)
		ok = cli_call_many(im->c, im->requests, im->n);
	for (size_t i = 0; i < im->n; i++) {
		ok = ok && results_take(im, i);
		cli_request_free(&im->requests[i]);
	}
	im->n = 0;
	return ok;
}

static bool
row_send(struct import *im, unsigned long line, bool listed)
{
	struct cli_request *r = im->n > 0 ? &im->requests[im->n - 1] : NULL;

	if (r == NULL || r->count == ROWS_PER_BATCH || r->body.len > BATCH_BYTES) {
		if (im->n == CLI_PARALLEL && !flush(im))
			return false;
		r = &im->requests[im->n++];
		batch_begin(r, im->mapping.resource, false, NULL);
	}
	im->rows[im->n - 1][r->count] =
		(struct row) { .line = line, .state = im->row.state, .listed = listed };
	batch_add(r, im->mapping.match, im->row.key, buf_str(&im->row.data));
	return true;
}

/* True if the key was seen before in this file: the second row would quietly overwrite the first. */
static bool
key_repeated(struct import *im, unsigned long line, char reason[96])
{
	char text[24];
	const char *first = table_get(&im->keys, im->row.key);

	if (first != NULL) {
		snprintf(reason, 96, "the same key as in line %s", first);
		return true;
	}
	snprintf(text, sizeof(text), "%lu", line);
	if (table_put(&im->keys, im->row.key, text) == ERR_OK)
		return false;
	snprintf(reason, 96, "more keys than fit into memory");
	return true;
}

static bool
row_first(struct import *im, const struct csv *csv)
{
	struct converted *row = &im->row;
	char reason[96];
	bool listed = false;

	if (row->state != CONVERT_REFUSED && key_repeated(im, csv->row_line, reason)) {
		row->state = CONVERT_REFUSED;
		report_refused(&im->report, csv->row_line, reason);
	}
	report_notes(&im->report, csv->row_line, row);
	for (size_t i = 0; i < row->n_notes; i++)
		listed = listed || row->notes[i].kind == CONVERT_LISTED;
	if (row->state == CONVERT_REFUSED || im->dry_run) {
		report_row(&im->report, row->state, listed);
		return true;
	}
	return row_send(im, csv->row_line, listed);
}

/* Only rows that waited for the others; what was said about them in the first pass is not said again. */
static bool
row_second(struct import *im, const struct csv *csv)
{
	char first[24];

	for (size_t i = 0; i < im->row.n_notes; i++) {
		const struct convert_note *n = &im->row.notes[i];
		if (n->kind == CONVERT_REFUSAL && n->field != NULL && n->field->later)
			report_refused(&im->report, csv->row_line,
				       "what it belongs to is not known; taken without it");
	}
	if (im->row.state == CONVERT_REFUSED)
		return true;
	snprintf(first, sizeof(first), "%lu", csv->row_line);
	const char *seen = table_get(&im->keys, im->row.key);
	return seen == NULL || strcmp(seen, first) != 0 || row_send(im, csv->row_line, false);
}

static bool
row_take(struct import *im, const char *file, const struct csv *csv, bool *header)
{
	if (*header) {
		struct yaml_errors e;
		yaml_errors_init(&e);
		*header = false;
		const bool ok = mapping_bind(&im->mapping, file, csv, &e) == ERR_OK;
		if (!ok)
			fputs(buf_cstr(&e.text), stderr);
		yaml_errors_free(&e);
		return ok;
	}
	if (im->second) {
		/* A look at the columns first: most rows have nothing to wait for. */
		bool later = false;
		for (size_t i = 0; i < im->mapping.n && csv->n == im->mapping.n_columns; i++) {
			const struct mapping_field *f = &im->mapping.fields[i];
			later = later || (f->later && str_trim(csv_field(csv, f->index)).len > 0);
		}
		if (!later)
			return true;
	}
	convert_row(&im->convert, csv, &im->row);
	if (im->convert.failed)
		return false;
	return im->second ? row_second(im, csv) : row_first(im, csv);
}

static bool
file_read_rows(struct import *im, const char *file, FILE *in)
{
	static char bytes[READ_BYTES];
	struct csv csv;
	struct err_info info = { .code = ERR_OK };
	bool header = true;
	bool ok = true;
	bool end = false;

	csv_init(&csv, im->mapping.separator);
	while (ok && !end) {
		struct str part = { bytes, fread(bytes, 1, sizeof(bytes), in) };
		end = part.len < sizeof(bytes);
		do {
			ok = csv_read(&csv, &part, end, &info) == ERR_OK;
			if (!ok)
				fprintf(stderr, "bimodal: %s: %s\n", file, info.msg);
			else if (csv.ready)
				ok = row_take(im, file, &csv, &header);
			cli_progress(im->c, im->second ? "rows, second pass" : "rows", csv.line, 0);
		} while (ok && csv.ready);
	}
	if (ok && ferror(in) != 0) {
		fprintf(stderr, "bimodal: could not read %s\n", file);
		ok = false;
	}
	if (ok && header) {
		fprintf(stderr, "bimodal: %s is empty\n", file);
		ok = false;
	}
	csv_free(&csv);
	/* Rows before a fault in the file are good. */
	return !im->convert.failed && flush(im) && ok;
}

static bool
pass(struct import *im, const char *file, bool second)
{
	FILE *in = fopen(file, "re");

	if (in == NULL) {
		fprintf(stderr, "bimodal: could not read %s: %s\n", file, strerror(errno));
		return false;
	}
	im->second = im->convert.second = second;
	const bool ok = file_read_rows(im, file, in);
	fclose(in);
	cli_progress_end(im->c);
	return ok;
}

static bool
mapping_load(struct mapping *m, const char *path)
{
	struct yaml_errors e;
	struct err_info info = { .code = ERR_OK };
	char *text = NULL;
	size_t len = 0;

	if (file_read(path, YAML_BYTES_MAX, false, &text, &len, &info) != ERR_OK) {
		fprintf(stderr, "bimodal: %s\n", info.msg);
		*m = (struct mapping) { .n = 0 };
		return false;
	}
	yaml_errors_init(&e);
	const bool ok = mapping_read(m, path, (struct str) { text, len }, &e) == ERR_OK;
	if (!ok)
		fputs(buf_cstr(&e.text), stderr);
	yaml_errors_free(&e);
	free(text);
	return ok;
}

static int
import_run(struct cli *c)
{
	static struct import im;
	const char *map = NULL;
	const char *list = NULL;
	const struct cli_option options[] = {
		{ "--map", CLI_OPTION_TEXT, &map, 0, 0 },
		{ "--report", CLI_OPTION_TEXT, &list, 0, 0 },
		{ "--dry-run", CLI_OPTION_SWITCH, &im.dry_run, 0, 0 },
	};

	if (!cli_options(c, options, ARRAY_LEN(options), 1, 1))
		return 2;
	if (map == NULL)
		return cli_usage(c);
	if (list == NULL && !c->quiet && !c->raw)
		list = "-";
	im.c = c;
	bool ok = mapping_load(&im.mapping, map) && report_open(&im.report, list);
	if (ok) {
		im.convert =
			(struct convert) { .mapping = &im.mapping, .lookup = lookup, .arg = &im };
		converted_init(&im.row);
		ok = pass(&im, c->argv[0], false);
		ok = ok && (!im.mapping.has_later || im.dry_run || pass(&im, c->argv[0], true));
		if (!ok && im.report.rows > 0)
			fputs("bimodal: the import stopped here; what is counted was written, and "
			      "a second run continues\n",
			      stderr);
		ok = report_close(&im.report, c, im.dry_run) && ok;
		converted_free(&im.row);
	}
	for (size_t i = 0; i < im.n; i++)
		cli_request_free(&im.requests[i]);
	table_free(&im.ids);
	table_free(&im.keys);
	mapping_free(&im.mapping);
	return ok ? 0 : 1;
}

const struct cli_command cli_import_commands[] = {
	{ "import", "FILE.csv --map MAPPING.yaml [--dry-run] [--report FILE]",
	  "rows of a CSV file into a resource; every repaired and refused value is listed",
	  import_run, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};
