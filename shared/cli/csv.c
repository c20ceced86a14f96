/*
 * csv.c — see csv.h. A machine of five states, a byte at a time. Invariant: `bytes` holds the fields before the current one in
 * full and what has come of the current one; nothing of an older row.
 */
#include "cli/csv.h"

#include <string.h>

#include "base/compiler.h"

static const unsigned char bom[] = { 0xEF, 0xBB, 0xBF };

void
csv_init(struct csv *r, char separator)
{
	*r = (struct csv) { .separator = separator, .line = 1, .column = 1, .row_line = 1 };
	buf_init(&r->bytes, CSV_ROW_BYTES_MAX);
}

void
csv_free(struct csv *r)
{
	buf_free(&r->bytes);
}

static enum err
refuse(const struct csv *r, struct err_info *info, const char *what)
{
	return err_set(info, ERR_INVALID, NULL, "line %lu, column %lu: %s", r->line, r->column,
		       what);
}

struct str
csv_field(const struct csv *r, size_t i)
{
	const size_t begin = i == 0 ? 0 : r->ends[i - 1];
	return (struct str) { r->bytes.p != NULL ? r->bytes.p + r->bytes.start + begin : "",
			      r->ends[i] - begin };
}

static enum err
field_end(struct csv *r, struct err_info *info)
{
	if (r->n == CSV_FIELDS_MAX)
		return refuse(r, info, "more than 256 fields in one row");
	r->ends[r->n++] = r->bytes.len;
	r->state = CSV_FIELD_START;
	if (!str_utf8_valid(csv_field(r, r->n - 1)))
		return refuse(r, info, "the field that ends here is not valid UTF-8");
	return ERR_OK;
}

static enum err
row_end(struct csv *r, struct err_info *info)
{
	/* An empty line is no row. */
	if (!r->row_started) {
		r->state = CSV_FIELD_START;
		return ERR_OK;
	}
	const enum err err = field_end(r, info);
	r->ready = err == ERR_OK;
	return err;
}

static enum err
byte_add(struct csv *r, char ch, struct err_info *info)
{
	const size_t begin = r->n == 0 ? 0 : r->ends[r->n - 1];

	if (ch == '\0')
		return refuse(r, info, "a NUL byte");
	if (r->bytes.len - begin == CSV_FIELD_BYTES_MAX)
		return refuse(r, info, "the field is longer than 256 KiB");
	buf_add_char(&r->bytes, ch);
	return r->bytes.failed ? refuse(r, info, "the row is longer than 1 MiB") : ERR_OK;
}

/* A byte outside quotes, at the start of a field or inside an unquoted one. */
static enum err
plain_byte(struct csv *r, char ch, struct err_info *info)
{
	if (ch == '\r') {
		r->state = CSV_CR_SEEN;
		return ERR_OK;
	}
	if (ch == '\n')
		return row_end(r, info);
	r->row_started = true;
	if (ch == r->separator)
		return field_end(r, info);
	if (ch == '"' && r->state == CSV_FIELD_START) {
		r->state = CSV_QUOTED;
		r->quote_line = r->line;
		r->quote_column = r->column;
		return ERR_OK;
	}
	if (ch == '"')
		return refuse(r, info, "a quote inside a field that does not begin with one");
	r->state = CSV_UNQUOTED;
	return byte_add(r, ch, info);
}

static enum err
after_quote(struct csv *r, char ch, struct err_info *info)
{
	if (ch == '"') {
		r->state = CSV_QUOTED;
		return byte_add(r, ch, info);
	}
	if (ch == r->separator)
		return field_end(r, info);
	if (ch == '\n')
		return row_end(r, info);
	if (ch != '\r')
		return refuse(r, info, "text after the closing quote of a field");
	r->state = CSV_CR_SEEN;
	return ERR_OK;
}

static enum err
byte_take(struct csv *r, char ch, struct err_info *info)
{
	switch (r->state) {
	case CSV_FIELD_START:
	case CSV_UNQUOTED:
		return plain_byte(r, ch, info);
	case CSV_QUOTED:
		if (ch != '"')
			return byte_add(r, ch, info);
		r->state = CSV_QUOTE_SEEN;
		return ERR_OK;
	case CSV_QUOTE_SEEN:
		return after_quote(r, ch, info);
	case CSV_CR_SEEN:
		return ch == '\n' ? row_end(r, info)
				  : refuse(r, info, "a carriage return without a line feed");
	}
	return ERR_OK;
}

/* The mark may come in pieces; only a whole one, at the very start, is a mark. True with its last byte. */
static bool
bom_ends(struct csv *r, char ch)
{
	if (r->bom != r->total || r->total >= sizeof(bom) || (unsigned char)ch != bom[r->total])
		return false;
	r->bom++;
	return r->bom == sizeof(bom);
}

static void
row_begin(struct csv *r)
{
	buf_reset(&r->bytes);
	r->n = 0;
	r->ready = false;
	r->row_started = false;
	r->row_line = r->line;
}

static enum err
file_end(struct csv *r, struct err_info *info)
{
	if (r->state == CSV_QUOTED)
		return err_set(info, ERR_INVALID, NULL,
			       "line %lu, column %lu: the quote that opens here is never closed",
			       r->quote_line, r->quote_column);
	if (r->state == CSV_CR_SEEN)
		return refuse(r, info, "a carriage return without a line feed");
	return r->row_started ? row_end(r, info) : ERR_OK;
}

enum err
csv_read(struct csv *r, struct str *in, bool end, struct err_info *info)
{
	if (r->ready)
		row_begin(r);
	while (in->len > 0 && !r->ready) {
		const char ch = *in->p;
		const bool mark = bom_ends(r, ch);
		if (!r->row_started)
			r->row_line = r->line;
		const enum err err = byte_take(r, ch, info);
		if (err != ERR_OK)
			return err;
		in->p++;
		in->len--;
		r->total++;
		r->line += ch == '\n';
		r->column = ch == '\n' ? 1 : r->column + 1;
		if (mark) {
			buf_reset(&r->bytes);
			r->state = CSV_FIELD_START;
			r->row_started = false;
			r->column = 1;
		}
	}
	return end && in->len == 0 && !r->ready ? file_end(r, info) : ERR_OK;
}

void
csv_write(struct buf *out, struct str field)
{
	bool quote = false;

	for (size_t i = 0; i < field.len; i++)
		quote = quote || field.p[i] == ',' || field.p[i] == '"' || field.p[i] == '\n' ||
			field.p[i] == '\r';
	if (!quote) {
		buf_add_str(out, field);
		return;
	}
	buf_add_char(out, '"');
	for (size_t i = 0; i < field.len; i++) {
		if (field.p[i] == '"')
			buf_add_char(out, '"');
		buf_add_char(out, field.p[i]);
	}
	buf_add_char(out, '"');
}
