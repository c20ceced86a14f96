/*
 * err.c — the table of errors and the one place where the detail of a failure is written down.
 *
 * Everything that can fail ends here. Invariants: every code has a row, and the first detail of a
 * failure stays.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"

#define ROW_LEVEL(level) LOG_##level

static const struct err_row rows[ERR_COUNT] = {
	[ERR_OK] = { "OK", "ok", "Success", 200, LOG_DEBUG, false },
#define ERR(name, status, slug, title, level, retry)                                               \
	[ERR_##name] = { #name, slug, title, status, ROW_LEVEL(level), retry },
#include "base/err.def"
#undef ERR
};

const struct err_row *
err_row(enum err code)
{
	if ((unsigned)code >= ERR_COUNT)
		return &rows[ERR_INTERNAL];
	return &rows[code];
}

/* A text that was cut to fit may end within a character; drop that part. */
static void
trim_cut_character(char *text)
{
	size_t len = strlen(text);
	size_t back = 0;
	while (back < 3 && back < len && ((unsigned char)text[len - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back == len)
		return;
	const size_t lead = len - 1 - back;
	if ((unsigned char)text[lead] >= 0x80 && bytes_utf8_step(text + lead, back + 1) != back + 1)
		text[lead] = '\0';
}

enum err
err_set(struct err_info *info, enum err code, const char *field, const char *fmt, ...)
{
	if (info == NULL || info->code != ERR_OK)
		return code;
	*info = (struct err_info) { .code = code };
	if (field != NULL) {
		const int n = snprintf(info->field, sizeof(info->field), "%s", field);
		if (n >= (int)sizeof(info->field))
			trim_cut_character(info->field);
	}
	va_list ap;
	va_start(ap, fmt);
	const int n = vsnprintf(info->msg, sizeof(info->msg), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(info->msg))
		trim_cut_character(info->msg);
	return code;
}

void
err_clear(struct err_info *info)
{
	*info = (struct err_info) { .code = ERR_OK };
}
