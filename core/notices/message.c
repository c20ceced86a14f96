/*
 * message.c — see message.h. Subject by RFC 2047 (base64 words of whole characters), body by RFC 2045 (base64, lines of 76).
 */
#include "core/notices/message.h"

#include <string.h>

#include "base/json_scan.h"

#define NOTICES_MAX 50
#define WORD_BYTES 42 /* of text in one encoded word: a line of 77 with "Subject: " */
#define LINE_BYTES 57 /* of text in one line of the body: 76 characters       */
#define PLAIN_BYTES_MAX 60
#define SUBJECT_BYTES_MAX 300
#define BASE64_SIZE 80
#define MOMENT_BYTES_MIN 20 /* "2026-05-01T10:00:00Z" */
#define MOMENT_BYTES_MAX 40

/* Control characters become spaces. */
static size_t
line_of(struct str text, char out[SUBJECT_BYTES_MAX])
{
	size_t n = MIN(text.len, (size_t)SUBJECT_BYTES_MAX);

	/* Not in the middle of a character. */
	while (n < text.len && n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? ' ' : text.p[i];
	return n;
}

static bool
is_plain(const char *p, size_t n)
{
	if (n > PLAIN_BYTES_MAX || n == 0 || p[0] == ' ' || p[n - 1] == ' ')
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] < ' ' || p[i] > '~' || (p[i] == '=' && i + 1 < n && p[i + 1] == '?'))
			return false;
	return true;
}

void
core_notices_subject(struct str text, struct buf *out)
{
	char line[SUBJECT_BYTES_MAX];
	char word[BASE64_SIZE];
	const size_t n = line_of(text, line);

	buf_add_cstr(out, "Subject: ");
	if (is_plain(line, n)) {
		buf_add(out, line, n);
		buf_add_cstr(out, "\r\n");
		return;
	}
	for (size_t at = 0; at < n;) {
		size_t take = MIN(n - at, (size_t)WORD_BYTES);
		while (at + take < n && take > 1 && ((unsigned char)line[at + take] & 0xc0) == 0x80)
			take--;
		(void)base64_encode(line + at, take, word, sizeof(word));
		buf_printf(out, "%s=?UTF-8?B?%s?=", at > 0 ? "\r\n " : "", word);
		at += take;
	}
	buf_add_cstr(out, "\r\n");
}

struct item {
	struct str title, body, link;
};

static enum err
item_read(struct str text, struct arena *arena, struct item *out, struct err_info *info)
{
	struct json_member m[4];
	size_t n = ARRAY_LEN(m);
	enum err err = json_scan_object(text, arena, m, &n, info);

	for (size_t i = 0; i < n && err == ERR_OK; i++) {
		struct str *to = str_is(m[i].key, "title")  ? &out->title
				 : str_is(m[i].key, "body") ? &out->body
				 : str_is(m[i].key, "link") ? &out->link
							    : NULL;
		if (to != NULL)
			err = json_unescape(m[i].value, arena, to);
	}
	return err;
}

/* How many bytes of the text may be one moment: up to what cannot be of it, without the full stop of a sentence. */
static size_t
moment_length(struct str text)
{
	size_t n = 0;

	while (n < text.len && n < MOMENT_BYTES_MAX && text.p[n] != '\0' &&
	       strchr("0123456789-:.+TZ", text.p[n]) != NULL)
		n++;
	while (n > 0 && text.p[n - 1] == '.')
		n--;
	return n;
}

/* The text with each moment as core writes it ("2026-05-01T10:00:00.123456+00:00") as people write it in letters. */
static void
prose_add(struct str text, struct buf *out)
{
	char said[CLOCK_RFC3339_SIZE];
	usec_t at;

	while (text.len > 0) {
		const size_t n = moment_length(text);
		const struct str moment = { text.p, n };
		size_t taken = n;
		if (n >= MOMENT_BYTES_MIN && clock_parse_rfc3339(moment, &at) == ERR_OK) {
			clock_http_date(at, said);
			buf_add_cstr(out, said);
		} else {
			/* And what follows up to the next place where one may begin. */
			while (taken < text.len && (text.p[taken] < '0' || text.p[taken] > '9'))
				taken++;
			buf_add(out, text.p, taken);
		}
		text.p += taken;
		text.len -= taken;
	}
}

static void
body_add(const struct notices_message *m, const struct item *item, struct buf *text)
{
	prose_add(item->title, text);
	buf_add_cstr(text, "\r\n");
	if (item->body.len > 0) {
		prose_add(item->body, text);
		buf_add_cstr(text, "\r\n");
	}
	buf_add_cstr(text, m->url);
	buf_add_str(text, item->link);
	buf_add_cstr(text, "\r\n\r\n");
}

static void
body_encode(struct str text, struct buf *out)
{
	char line[BASE64_SIZE];

	for (size_t at = 0; at < text.len; at += LINE_BYTES) {
		(void)base64_encode(text.p + at, MIN(text.len - at, (size_t)LINE_BYTES), line,
				    sizeof(line));
		buf_add_cstr(out, line);
		buf_add_cstr(out, "\r\n");
	}
}

static void
head_add(const struct notices_message *m, struct str subject, struct buf *out)
{
	char date[CLOCK_RFC3339_SIZE];
	const char *domain = strchr(m->from, '@');

	clock_http_date(m->at, date);
	/* "… GMT" is how HTTP says it; mail wants the offset. */
	char *zone = strstr(date, " GMT");
	if (zone != NULL)
		*zone = '\0';
	buf_printf(out, "Date: %s +0000\r\nFrom: Bimodal <%s>\r\nTo: <%s>\r\n", date, m->from,
		   m->to);
	core_notices_subject(subject, out);
	buf_printf(out,
		   "Message-ID: <%s%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: text/plain; charset=utf-8\r\n"
		   "Content-Transfer-Encoding: base64\r\n\r\n",
		   m->id, domain != NULL ? domain : "@localhost");
}

enum err
core_notices_message(const struct notices_message *m, struct arena *arena, struct buf *out,
		     struct err_info *info)
{
	struct json_element e[NOTICES_MAX];
	struct item items[NOTICES_MAX] = { 0 };
	size_t n = ARRAY_LEN(e);
	struct buf text;
	enum err err = json_scan_array(m->notices, e, &n, info);

	buf_init(&text, NOTICES_MESSAGE_MAX / 2);
	for (size_t i = 0; i < n && err == ERR_OK; i++) {
		err = item_read(e[i].value, arena, &items[i], info);
		if (err == ERR_OK)
			body_add(m, &items[i], &text);
	}
	if (err == ERR_OK) {
		const char *many = arena_printf(arena, "%zu notices", n);
		head_add(m, n == 1 ? items[0].title : str_of(many), out);
		body_encode(buf_str(&text), out);
	}
	if (err == ERR_OK && (text.failed || out->failed))
		err = err_set(info, ERR_TOO_LARGE, NULL, "the message is too long");
	buf_free(&text);
	return err;
}
