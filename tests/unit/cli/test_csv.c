/*
 * test_csv.c — the CSV reader: what it accepts, what it refuses and where, and that pieces of any size give the same rows.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/csv.h"
#include "tests/support/unit.h"

/* Rows as text: fields in [..], rows ended by ';'; or the error's message. Fed in pieces of `piece` bytes. */
static void
render(const char *text, size_t len, size_t piece, struct buf *out)
{
	struct csv r;
	struct err_info info = { .code = ERR_OK };
	size_t at = 0;
	bool end = false;

	csv_init(&r, ',');
	while (!end) {
		struct str in = { text + at, MIN(piece, len - at) };
		at += in.len;
		end = at == len;
		do {
			if (csv_read(&r, &in, end, &info) != ERR_OK) {
				buf_add_cstr(out, info.msg);
				csv_free(&r);
				return;
			}
			for (size_t i = 0; r.ready && i < r.n; i++) {
				buf_add_char(out, '[');
				buf_add_str(out, csv_field(&r, i));
				buf_add_char(out, ']');
			}
			if (r.ready)
				buf_printf(out, "@%lu;", r.row_line);
		} while (r.ready);
	}
	csv_free(&r);
}

static const struct {
	const char *text;
	const char *want;
} table[] = {
	{ "", "" },
	{ "\n\n", "" },
	{ "a,b\n", "[a][b]@1;" },
	{ "a,b", "[a][b]@1;" },
	{ "a,b\r\nc,d\r\n", "[a][b]@1;[c][d]@2;" },
	{ "\xEF\xBB\xBF"
	  "a,b\n",
	  "[a][b]@1;" },
	{ "\xEF\xBB\xBF\"a\",b\n", "[a][b]@1;" },
	{ "\xEF\xBA\xBF,1\n", "[\xEF\xBA\xBF][1]@1;" }, /* differs from a mark in its second byte */
	{ "a\n\xEF\xBB\xBF"
	  "b\n",
	  "[a]@1;[\xEF\xBB\xBF"
	  "b]@2;" },
	{ ",\n", "[][]@1;" },
	{ "a,,c\n", "[a][][c]@1;" },
	{ "\"\"\n", "[]@1;" },
	{ "\"a,b\",c\n", "[a,b][c]@1;" },
	{ "\"a\"\"b\"\n", "[a\"b]@1;" },
	{ "\"a\nb\",c\nd,e\n", "[a\nb][c]@1;[d][e]@3;" },
	{ "\"a\r\nb\"\r\n", "[a\r\nb]@1;" },
	{ "a\n\nb\n", "[a]@1;[b]@3;" },
	{ " a , b \n", "[ a ][ b ]@1;" },
	{ "\"\"\"\"\n", "[\"]@1;" },
	{ "M\xC3\xBCller,1\n", "[M\xC3\xBCller][1]@1;" },
	/* refused */
	{ "a,b\"c\n", "line 1, column 4: a quote inside a field that does not begin with one" },
	{ "x\n\"a\"b\n", "[x]@1;line 2, column 4: text after the closing quote of a field" },
	{ "a\nb,\"c\nd\n", "[a]@1;line 2, column 3: the quote that opens here is never closed" },
	{ "a\rb\n", "line 1, column 3: a carriage return without a line feed" },
	{ "a\r", "line 1, column 3: a carriage return without a line feed" },
	{ "a,\xFF\n", "line 1, column 4: the field that ends here is not valid UTF-8" },
	{ "a,\xEF\xBB\n", "line 1, column 5: the field that ends here is not valid UTF-8" },
};

START_TEST(test_table)
{
	const size_t len = strlen(table[_i].text);
	for (size_t piece = 1; piece <= len + 1; piece++) {
		struct buf out;
		buf_init(&out, 4096);
		render(table[_i].text, len, piece, &out);
		ck_assert_str_eq(buf_cstr(&out), table[_i].want);
		buf_free(&out);
	}
}
END_TEST

START_TEST(test_nul)
{
	struct buf out;
	buf_init(&out, 4096);
	render("a\0b\n", 4, 4, &out);
	ck_assert_str_eq(buf_cstr(&out), "line 1, column 2: a NUL byte");
	buf_free(&out);
}
END_TEST

/* Bytes of one repeated field; the message, or the number of bytes read. */
static void
long_field(size_t n, bool quoted, struct buf *out)
{
	char *text = malloc(n + 2);
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', n + 2);
	if (quoted)
		text[0] = text[n + 1] = '"';
	render(text, quoted ? n + 2 : n, 4096, out);
	free(text);
}

START_TEST(test_too_long)
{
	struct buf out;
	buf_init(&out, 2 * CSV_ROW_BYTES_MAX);
	long_field(CSV_FIELD_BYTES_MAX, false, &out);
	ck_assert_uint_eq(out.len, CSV_FIELD_BYTES_MAX + 5);
	for (int quoted = 0; quoted < 2; quoted++) {
		buf_reset(&out);
		long_field(CSV_FIELD_BYTES_MAX + 1, quoted, &out);
		ck_assert_str_eq(
			buf_cstr(&out),
			quoted ? "line 1, column 262146: the field is longer than 256 KiB"
			       : "line 1, column 262145: the field is longer than 256 KiB");
	}
	buf_free(&out);
}
END_TEST

START_TEST(test_too_many)
{
	struct buf text;
	struct buf out;
	buf_init(&text, 4096);
	buf_init(&out, 4096);
	for (size_t i = 0; i < CSV_FIELDS_MAX; i++)
		buf_add_char(&text, ',');
	render(buf_cstr(&text), text.len, text.len, &out);
	ck_assert_str_eq(buf_cstr(&out), "line 1, column 257: more than 256 fields in one row");
	buf_reset(&out);
	render(buf_cstr(&text), text.len - 1, text.len, &out);
	ck_assert_uint_eq(out.len, 2 * CSV_FIELDS_MAX + 3);
	buf_free(&text);
	buf_free(&out);
}
END_TEST

START_TEST(test_long_row)
{
	struct buf text;
	struct buf out;
	char *field = malloc(CSV_FIELD_BYTES_MAX);
	ck_assert_ptr_nonnull(field);
	memset(field, 'x', CSV_FIELD_BYTES_MAX);
	buf_init(&text, 4 * CSV_ROW_BYTES_MAX);
	buf_init(&out, 4 * CSV_ROW_BYTES_MAX);
	for (int i = 0; i < 5; i++) {
		buf_add(&text, field, CSV_FIELD_BYTES_MAX);
		buf_add_char(&text, ',');
	}
	render(buf_cstr(&text), text.len, 65536, &out);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "the row is longer than 1 MiB"));
	buf_free(&text);
	buf_free(&out);
	free(field);
}
END_TEST

/* What is written is read back as it was. */
START_TEST(test_write)
{
	static const char *const fields[] = { "",           "plain", "a,b",          "say \"hi\"",
					      "two\nlines", "\"",    "M\xC3\xBCller" };
	struct buf text;
	struct csv r;
	buf_init(&text, 4096);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		buf_add_cstr(&text, i > 0 ? "," : "");
		csv_write(&text, str_of(fields[i]));
	}
	csv_init(&r, ',');
	struct str in = buf_str(&text);
	ck_assert_int_eq(csv_read(&r, &in, true, NULL), ERR_OK);
	ck_assert(r.ready);
	ck_assert_uint_eq(r.n, ARRAY_LEN(fields));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		ck_assert(str_is(csv_field(&r, i), fields[i]));
	csv_free(&r);
	buf_free(&text);
}
END_TEST

static Suite *
csv_suite(void)
{
	Suite *s = suite_create("csv");
	TCase *t = tcase_create("csv");
	tcase_add_loop_test(t, test_table, 0, (int)ARRAY_LEN(table));
	tcase_add_test(t, test_nul);
	tcase_add_test(t, test_too_long);
	tcase_add_test(t, test_too_many);
	tcase_add_test(t, test_long_row);
	tcase_add_test(t, test_write);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(csv_suite)
