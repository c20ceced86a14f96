/*
 * report.c — see report.h.
 */
#include "cli/report.h"

#include <errno.h>
#include <string.h>

#define LINE_BYTES_MAX ((size_t)2 * 1024 * 1024)
#define TALLY_VALUE_MAX 60

static const char *const kind_name[] = {
	[CONVERT_LISTED] = "listed",
	[CONVERT_REPAIR] = "repaired",
	[CONVERT_REFUSAL] = "refused",
};

bool
report_open(struct report *r, const char *path)
{
	*r = (struct report) { .out = NULL };
	if (path == NULL)
		return true;
	r->out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (r->out == NULL) {
		fprintf(stderr, "bimodal: could not write %s: %s\n", path, strerror(errno));
		return false;
	}
	fputs("line,column,what,old,new,reason\n", r->out);
	return true;
}

static void
line_write(struct report *r, unsigned long line, const char *column, const char *what,
	   struct str old, struct str now, const char *reason)
{
	struct buf b;

	if (r->out == NULL)
		return;
	buf_init(&b, LINE_BYTES_MAX);
	buf_printf(&b, "%lu,", line);
	csv_write(&b, str_of(column));
	buf_printf(&b, ",%s,", what);
	csv_write(&b, old);
	buf_add_char(&b, ',');
	csv_write(&b, now);
	buf_add_char(&b, ',');
	csv_write(&b, str_of(reason));
	buf_add_char(&b, '\n');
	if (b.failed || fwrite(buf_cstr(&b), 1, b.len, r->out) != b.len)
		r->failed = true;
	buf_free(&b);
}

static void
tally(struct report *r, const char *text)
{
	for (size_t i = 0; i < r->n_tallies; i++) {
		if (strcmp(r->tallies[i].text, text) != 0)
			continue;
		r->tallies[i].n++;
		return;
	}
	if (r->n_tallies == REPORT_TALLIES_MAX) {
		r->other++;
		return;
	}
	struct report_tally *t = &r->tallies[r->n_tallies++];
	(void)str_copy(t->text, sizeof(t->text), str_of(text));
	t->n = 1;
}

static struct str
cut(struct str s)
{
	return (struct str) { s.p, MIN(s.len, (size_t)TALLY_VALUE_MAX) };
}

void
report_notes(struct report *r, unsigned long line, const struct converted *row)
{
	char text[256];

	for (size_t i = 0; i < row->n_notes; i++) {
		const struct convert_note *n = &row->notes[i];
		const char *column =
			n->field != NULL && n->field->column != NULL ? n->field->column : "";
		line_write(r, line, column, kind_name[n->kind], n->old, n->now, n->reason);
		if (n->now.len > 0)
			snprintf(text, sizeof(text), "%s: %s: \"%.*s\" -> \"%.*s\" (%s)", column,
				 kind_name[n->kind], STR_FMT(cut(n->old)), STR_FMT(cut(n->now)),
				 n->reason);
		else if (n->old.len > 0)
			snprintf(text, sizeof(text), "%s: %s: \"%.*s\" (%s)", column,
				 kind_name[n->kind], STR_FMT(cut(n->old)), n->reason);
		else
			snprintf(text, sizeof(text), "%s: %s: %s",
				 column[0] != '\0' ? column : "row", kind_name[n->kind], n->reason);
		tally(r, text);
	}
}

void
report_refused(struct report *r, unsigned long line, const char *reason)
{
	char text[256];

	line_write(r, line, "", kind_name[CONVERT_REFUSAL], STR_NONE, STR_NONE, reason);
	snprintf(text, sizeof(text), "row: refused: %.200s", reason);
	tally(r, text);
}

void
report_row(struct report *r, enum convert_state state, bool listed)
{
	r->rows++;
	r->accepted += state == CONVERT_ACCEPTED;
	r->repaired += state == CONVERT_REPAIRED;
	r->refused += state == CONVERT_REFUSED;
	r->listed += listed && state != CONVERT_REFUSED;
}

static void
totals_json(const struct report *r, bool dry_run)
{
	struct buf b;

	buf_init(&b, LINE_BYTES_MAX);
	buf_printf(&b,
		   "{\"dry_run\":%s,\"rows\":%lu,\"accepted\":%lu,\"repaired\":%lu,\"refused\":%lu,"
		   "\"listed\":%lu,\"created\":%lu,"
		   "\"updated\":%lu,\"notes\":[",
		   dry_run ? "true" : "false", r->rows, r->accepted, r->repaired, r->refused,
		   r->listed, r->created, r->updated);
	for (size_t i = 0; i < r->n_tallies; i++) {
		buf_add_cstr(&b, i > 0 ? ",{\"what\":" : "{\"what\":");
		buf_json_cstr(&b, r->tallies[i].text);
		buf_printf(&b, ",\"times\":%lu}", r->tallies[i].n);
	}
	buf_printf(&b, "],\"other\":%lu}\n", r->other);
	fputs(buf_cstr(&b), stdout);
	buf_free(&b);
}

static void
totals_text(const struct report *r, bool dry_run)
{
	printf("%lu rows: %lu accepted, %lu repaired, %lu refused; %lu of those taken are listed\n",
	       r->rows, r->accepted, r->repaired, r->refused, r->listed);
	if (dry_run)
		puts("dry run: nothing was written");
	else
		printf("written: %lu new, %lu changed\n", r->created, r->updated);
	for (size_t i = 0; i < r->n_tallies; i++)
		printf("%8lu  %s\n", r->tallies[i].n, r->tallies[i].text);
	if (r->other > 0)
		printf("%8lu  other remarks\n", r->other);
}

bool
report_close(struct report *r, const struct cli *c, bool dry_run)
{
	if (r->out != NULL && r->out != stdout && fclose(r->out) != 0)
		r->failed = true;
	if (c->raw)
		totals_json(r, dry_run);
	else
		totals_text(r, dry_run);
	if (r->failed)
		fputs("bimodal: the list could not be written as a whole\n", stderr);
	return !r->failed;
}
