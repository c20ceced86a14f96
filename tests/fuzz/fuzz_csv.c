/*
 * fuzz_csv.c — the CSV reader on arbitrary bytes. Besides not crashing: the rows do not depend on how the bytes are cut into pieces,
 * every field is valid UTF-8 within its limit, and a row that is written is read back as it was.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"
#include "cli/csv.h" /* the command line's own: not in a library that fuzz targets link */

#define OUT_BYTES ((size_t)64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A row as a line of its own. */
static void
row_write(const struct csv *r, struct buf *out)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct str field = csv_field(r, i);
		BUG_ON(!str_utf8_valid(field));
		BUG_ON(field.len > CSV_FIELD_BYTES_MAX);
		buf_add_cstr(out, i > 0 ? "," : "");
		/* A row of one empty field would be an empty line. */
		if (r->n == 1 && field.len == 0)
			buf_add_cstr(out, "\"\"");
		else
			csv_write(out, field);
	}
	buf_add_char(out, '\n');
}

static enum err
read_all(struct str text, size_t piece, char separator, struct buf *out, struct err_info *info)
{
	struct csv r;
	enum err err = ERR_OK;
	bool end = false;

	csv_init(&r, separator);
	while (err == ERR_OK && !end) {
		struct str in = { text.p, MIN(piece, text.len) };
		text.p += in.len;
		text.len -= in.len;
		end = text.len == 0;
		do {
			err = csv_read(&r, &in, end, info);
			if (err == ERR_OK && r.ready)
				row_write(&r, out);
		} while (err == ERR_OK && r.ready);
		BUG_ON(err == ERR_OK && in.len != 0);
	}
	csv_free(&r);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole;
	struct buf pieces;
	struct err_info a = { .code = ERR_OK };
	struct err_info b = { .code = ERR_OK };

	if (size == 0)
		return 0;
	const char separator = ",;|\t"[data[0] >> 6];
	const size_t piece = 1 + (data[0] & 63);
	const struct str text = { (const char *)data + 1, size - 1 };
	buf_init(&whole, OUT_BYTES);
	buf_init(&pieces, OUT_BYTES);
	BUG_ON(read_all(text, SIZE_MAX, separator, &whole, &a) !=
	       read_all(text, piece, separator, &pieces, &b));
	BUG_ON(!str_eq(str_of(a.msg), str_of(b.msg)));
	BUG_ON(!str_eq(buf_str(&whole), buf_str(&pieces)));
	/* What was written is a file too. A mark at the front of the first field would be taken for the file's. */
	const struct str written = buf_str(&whole);
	if (!str_starts(written, "\xEF\xBB\xBF")) {
		buf_reset(&pieces);
		BUG_ON(read_all(written, SIZE_MAX, ',', &pieces, &b) != ERR_OK);
		BUG_ON(!str_eq(written, buf_str(&pieces)));
	}
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
