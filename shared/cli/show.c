/*
 * show.c — see show.h. Widths are counted in characters, not in bytes: names are of all languages.
 */
#include "cli/show.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_in.h"

#define CELL_BYTES_MAX ((size_t)64 * 1024)
#define LINE_NAME_WIDTH 11
#define MINUTE_LEN 16 /* "2026-05-01T10:00" */

/* Control characters, also the two-byte ones (U+0080 to U+009F), would be orders to the terminal. */
static void
text_add(struct buf *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
			buf_add_char(out, '?');
			p++;
		} else {
			buf_add_char(out, *p < ' ' || *p == 0x7f ? '?' : (char)*p);
		}
	}
}

static void
plain_add(struct buf *out, const struct cJSON *item)
{
	if (cJSON_IsString(item)) {
		text_add(out, item->valuestring);
		return;
	}
	char *text = cJSON_PrintUnformatted(item);
	text_add(out, text != NULL ? text : "?");
	cJSON_free(text);
}

static void
time_add(struct buf *out, const char *text)
{
	const size_t len = strlen(text);

	for (size_t i = 0; i < len && i < MINUTE_LEN; i++)
		buf_add_char(out, text[i] == 'T' ? ' ' : text[i] < ' ' ? '?' : text[i]);
}

void
show_value(struct buf *out, const struct cJSON *item, enum show_kind kind)
{
	const struct cJSON *one;

	if (item == NULL || cJSON_IsNull(item)) {
		buf_add_char(out, '-');
	} else if (kind == SHOW_SWITCH) {
		buf_add_cstr(out, cJSON_IsTrue(item) ? "on" : "off");
	} else if (kind == SHOW_TIME && cJSON_IsString(item)) {
		time_add(out, item->valuestring);
	} else if (cJSON_IsArray(item)) {
		if (item->child == NULL)
			buf_add_char(out, '-');
		cJSON_ArrayForEach(one, item)
		{
			if (one != item->child)
				buf_add_cstr(out, ", ");
			plain_add(out, one);
		}
	} else {
		plain_add(out, item);
	}
}

static size_t
width_of(const char *text)
{
	size_t n = 0;

	for (const char *p = text; *p != '\0'; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

static void
cell_print(const char *text, size_t width, bool last)
{
	fputs(text, stdout);
	if (last)
		putchar('\n');
	else
		printf("%*s", (int)(width - width_of(text)) + 2, "");
}

static const char *
cell(struct buf *out, const struct cJSON *row, const struct show_column *column)
{
	buf_reset(out);
	show_value(out, json_get(row, column->member), column->kind);
	const char *text = buf_cstr(out);
	return text != NULL ? text : "…";
}

static void
table_print(const struct cli *c, const struct cJSON *rows, const struct show_column *columns,
	    struct buf *text)
{
	size_t width[SHOW_COLUMNS_MAX] = { 0 };
	const struct cJSON *row;
	size_t n = 0;

	while (columns[n].head != NULL && n < SHOW_COLUMNS_MAX) {
		width[n] = width_of(columns[n].head);
		cJSON_ArrayForEach(row, rows)
		{
			const size_t w = width_of(cell(text, row, &columns[n]));
			width[n] = MAX(width[n], w);
		}
		n++;
	}
	n = c->quiet ? 1 : n;
	for (size_t i = 0; i < n && !c->quiet; i++)
		cell_print(columns[i].head, width[i], i + 1 == n);
	cJSON_ArrayForEach(row, rows)
	{
		for (size_t i = 0; i < n; i++)
			cell_print(cell(text, row, &columns[i]), width[i], i + 1 == n);
	}
}

int
show_list(struct cli *c, enum cli_daemon daemon, const char *path,
	  const struct show_column *columns)
{
	struct cli_reply reply;
	struct cJSON *j = NULL;
	struct buf text;
	int exit_code = 1;

	buf_init(&text, CELL_BYTES_MAX);
	if (cli_call(c, daemon, "GET", path, NULL, STR_NONE, &reply)) {
		const bool plain = !c->raw && reply.status == 200 &&
				   json_parse(buf_str(&reply.body), &j, NULL) == ERR_OK;
		const struct cJSON *rows = json_get(j, "data");
		if (!plain || !cJSON_IsArray(rows)) {
			exit_code = cli_reply_print(c, &reply);
		} else {
			table_print(c, rows, columns, &text);
			const struct cJSON *page = json_get(j, "page");
			if (!c->quiet && cJSON_IsTrue(json_get(page, "has_more"))) {
				buf_reset(&text);
				show_value(&text, json_get(page, "next"), SHOW_TEXT);
				printf("… there are more: after=%s\n", buf_cstr(&text));
			}
			exit_code = 0;
		}
	}
	json_free(j);
	cli_reply_free(&reply);
	buf_free(&text);
	return exit_code;
}

void
show_line(const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("%-*s ", LINE_NAME_WIDTH, name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

const char *
show_text(const struct cJSON *j, const char *member, struct buf *out)
{
	const struct cJSON *item = json_get(j, member);

	buf_reset(out);
	if (item != NULL && !cJSON_IsNull(item))
		show_value(out, item, SHOW_TEXT);
	const char *text = buf_cstr(out);
	return text != NULL ? text : "";
}

void
show_member(const struct cJSON *j, const char *member, const char *name, enum show_kind kind)
{
	const struct cJSON *item = json_get(j, member);
	struct buf text;

	if (item == NULL || cJSON_IsNull(item) ||
	    (cJSON_IsString(item) && item->valuestring[0] == '\0'))
		return;
	buf_init(&text, CELL_BYTES_MAX);
	show_value(&text, item, kind);
	const char *shown = buf_cstr(&text);
	show_line(name, "%s", shown != NULL ? shown : "…");
	buf_free(&text);
}
